"""One document of an agreement through its life: what each act does to it, in the order in which the acts count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from keepclear.agreements.documents import Document
from keepclear.agreements.ending import expires_s
from keepclear.agreements.facts import Heard
from keepclear.agreements.standing import Change, Dispute, Flag, NoEffect, Period, Signature, Version
from keepclear.agreements.states import BINDING, AgreementEvent, AgreementState, state_after
from keepclear.record.bodies.agreements import AgreementChangedBody, AgreementProposedBody, AgreementSignedBody
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.names import KeyName
from keepclear.times import to_text

__all__ = ["Act", "Draft", "Folded", "fold", "order_of"]

_ENTERED = BINDING | {AgreementState.SUSPENDED}
_RANKS = {"withdraw": 2, "reject": 2, "suspend": 4, "resume": 5, "terminate": 6}
"""Of changes that count from one moment: what is taken back comes before the signature (3) that it would have met."""
_ENDED = frozenset({AgreementState.EXPIRED, AgreementState.TERMINATED})


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a party does to a document, and from when; `event` is for what is done to it elsewhere."""

    at_s: float
    heard: Heard
    event: AgreementEvent | None = None

    @property
    def key(self) -> tuple[float, str, int, int, bytes]:
        """Its place among all acts: by time, and at one moment by party and its own order, so always the same."""
        return (self.at_s, *order_of(self.heard))


@dataclass(slots=True)
class Draft:
    """A document, and what was done to it that is to be folded.

    Attributes
    ----------
    hash, title, parties, document
        Which; title and parties of the document, or of the proposal where it is not held.
    acts
        In any order.
    counters
        The hash of the document that it was put against.
    """

    hash: str
    title: str
    parties: tuple[str, ...]
    document: Document | None
    acts: list[Act] = field(default_factory=list)
    counters: str = ""


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of it."""

    version: Version
    changes: tuple[Change, ...]
    periods: tuple[Period, ...]
    disputes: tuple[Dispute, ...]
    flags: frozenset[Flag]
    no_effect: tuple[NoEffect, ...]


def order_of(heard: Heard) -> tuple[str, int, int, bytes]:
    """The place of an entry in all that its party has said."""
    name = KeyName.of_text(heard.ref.origin)
    return (heard.party, name.begun if name is not None else 0, heard.ref.index, heard.ref.leaf_hash)


def fold(draft: Draft, at_s: float, *, replaced: tuple[float, str] | None = None) -> Folded:
    """How a document stands at that time; `replaced`: from when another one, of that hash, is in force in its place."""
    return _Fold(draft, replaced).folded(at_s)


class _Fold:
    def __init__(self, draft: Draft, replaced: tuple[float, str] | None) -> None:
        self.draft = draft
        self.replaced = replaced
        self.state = AgreementState.DRAFT
        self.state_s = min((one.at_s for one in draft.acts), default=0.0)
        self.proposed: dict[str, list[Heard]] = {}
        self.proposals: list[Heard] = []
        self.signed: dict[str, Signature] = {}
        self.rejected: set[str] = set()
        self.since_s: float | None = None
        self.expires_s: float | None = None
        self.suspended: dict[str, Heard] = {}
        self.resumed_by_others: dict[str, Heard] = {}
        self.ended: dict[str, Heard] = {}
        self.denied: dict[str, Heard] = {}
        self.ended_by = ""
        self.changes: list[Change] = []
        self.bound: list[tuple[float, float | None]] = []
        self.no_effect: list[NoEffect] = []

    def folded(self, at_s: float) -> Folded:
        acts = _in_order(self.draft.acts)
        for act in acts:
            if act.at_s <= at_s:
                self._advance(act.at_s)
                self._apply(act, acts)
        self._advance(at_s)
        document = self.draft.document
        periods = () if document is None else tuple(Period(document, *one) for one in self.bound)
        return Folded(
            self._version(), tuple(self.changes), periods, tuple(self._disputes()), self._flags(),
            tuple(self.no_effect),
        )  # fmt: skip

    # --- what comes by itself ---

    @property
    def _enters_s(self) -> float | None:
        """When it is in force by the signatures that stand; None where one is missing, or the document is not held."""
        if self.draft.document is None or any(party not in self.signed for party in self.draft.parties):
            return None
        times = [one.at_s for one in self.signed.values()]
        return max(times + [one.in_force_s for one in self.signed.values() if one.in_force_s is not None])

    def _advance(self, to_s: float) -> None:
        enters_s = self._enters_s if self.since_s is None else None
        if self.state is AgreementState.PARTLY_SIGNED and enters_s is not None and enters_s <= to_s:
            assert self.draft.document is not None  # or there would be no such time
            self.since_s = enters_s
            self.expires_s = expires_s(self.draft.document, enters_s)
            self._go(AgreementEvent.ENTERED, enters_s, "in force: signed by all")
        ends = [(self.expires_s, AgreementEvent.EXPIRED, "its time is over")]
        if self.replaced is not None:
            words = f"the document {self.replaced[1][:12]} is in force in its place"
            ends.append((self.replaced[0], AgreementEvent.TERMINATED, words))
        for end_s, event, words in sorted((one for one in ends if one[0] is not None), key=lambda one: one[0] or 0.0):
            if end_s is not None and end_s <= to_s and self.state in _ENTERED:
                self._go(event, end_s, words)

    # --- what parties do ---

    def _apply(self, act: Act, acts: Sequence[Act]) -> None:
        body = act.heard.body
        if act.event is not None:
            self._go(act.event, act.at_s, f"{act.heard.party} puts another document against it", act.heard)
        elif isinstance(body, AgreementProposedBody):
            self._propose(act)
        elif isinstance(body, AgreementSignedBody):
            self._sign(act, body)
        elif isinstance(body, CancelBody):
            self.withdraw(act)
        elif isinstance(body, AgreementChangedBody):
            if _taken_back(act, acts):
                self._nothing(act, "taken back by its author before its time had come")
            else:
                _CHANGES[body.change](self, act)

    def _propose(self, act: Act) -> None:
        self.proposals.append(act.heard)
        self.proposed.setdefault(act.heard.party, []).append(act.heard)
        if self.state in _ENTERED | _ENDED:
            self._nothing(act, f"the document is {self.state} already: another one has to be proposed")
        else:
            self._go(AgreementEvent.PROPOSED, act.at_s, f"proposed by {act.heard.party}", act.heard)

    def _sign(self, act: Act, body: AgreementSignedBody) -> None:
        party = act.heard.party
        if self.state in _ENTERED | _ENDED:
            self._nothing(act, f"the document is {self.state} already")
        elif party in self.signed:
            self._nothing(act, "the party had signed the same before")
        elif state_after(self.state, AgreementEvent.SIGNED) is None:
            self._nothing(act, "the proposal was taken back: what is proposed again has to be signed again")
        else:
            self.rejected.discard(party)
            self.signed[party] = Signature(
                act.heard.ref, party, tuple(body.persons), act.at_s, body.in_force_s, tuple(body.affiliates)
            )
            self._go(AgreementEvent.SIGNED, act.at_s, f"signed by {party}", act.heard)

    def suspend(self, act: Act) -> None:
        if self.state not in _ENTERED:
            self._nothing(act, f"the document is {self.state}, so there is nothing to suspend")
            return
        self.suspended.setdefault(act.heard.party, act.heard)
        self.resumed_by_others.pop(act.heard.party, None)
        self._go(AgreementEvent.SUSPENDED, act.at_s, f"suspended by {act.heard.party}", act.heard)

    def resume(self, act: Act) -> None:
        party = act.heard.party
        if self.state is AgreementState.TERMINATED and self.ended and party not in self.ended:
            self.denied[party] = act.heard
            self._nothing(act, f"ended by {', '.join(sorted(self.ended))}: one party alone does not bring it back")
        elif self.state is not AgreementState.SUSPENDED:
            self._nothing(act, f"the document is {self.state}, so there is nothing to resume")
        elif party not in self.suspended:
            self.resumed_by_others[party] = act.heard
            self._nothing(act, f"suspended by {', '.join(sorted(self.suspended))}: only who suspended it resumes it")
        else:
            del self.suspended[party]
            if not self.suspended:
                self.resumed_by_others.clear()
                self._go(AgreementEvent.RESUMED, act.at_s, f"resumed by {party}", act.heard)

    def terminate(self, act: Act) -> None:
        party = act.heard.party
        if self.state is AgreementState.TERMINATED and self.ended:
            self.ended.setdefault(party, act.heard)
        elif self.state not in _ENTERED:
            self._nothing(act, f"the document is {self.state}, so there is nothing to end")
        else:
            self.ended[party] = act.heard
            self.ended_by = party
            self._go(AgreementEvent.TERMINATED, act.at_s, f"ended by {party}", act.heard)

    def reject(self, act: Act) -> None:
        if self.state in _ENTERED | _ENDED:
            self._nothing(act, f"the document is {self.state}: it can be suspended or ended, and not rejected")
            return
        self.rejected.add(act.heard.party)
        self._unsign(act)

    def withdraw(self, act: Act) -> None:
        party = act.heard.party
        if self.state in _ENTERED | _ENDED:
            self._nothing(act, f"the document is {self.state}: it can be suspended or ended, and not taken back")
            return
        if party not in self.signed and party not in self.proposed:
            self._nothing(act, "the party has neither proposed nor signed it")
            return
        if self.proposed.pop(party, None) is not None and not self.proposed:
            self.signed.clear()
            self._go(AgreementEvent.WITHDRAWN, act.at_s, f"taken back by {party}", act.heard)
        else:
            self._unsign(act)

    def _unsign(self, act: Act) -> None:
        if self.signed.pop(act.heard.party, None) is not None and not self.signed:
            self._go(AgreementEvent.UNSIGNED, act.at_s, f"{act.heard.party} takes back its signature", act.heard)

    def _nothing(self, act: Act, why: str) -> None:
        self.no_effect.append(NoEffect(act.heard.ref, act.heard.party, why))

    def _go(self, event: AgreementEvent, at_s: float, words: str, heard: Heard | None = None) -> None:
        after = state_after(self.state, event)
        if after is None:
            if heard is not None:
                self.no_effect.append(NoEffect(heard.ref, heard.party, f"the document is {self.state}"))
            return
        if after in BINDING and self.state not in BINDING:
            self.bound.append((at_s, None))
        elif self.state in BINDING and after not in BINDING:
            self.bound[-1] = (self.bound[-1][0], at_s)
        if after is not self.state:
            self.state_s = at_s
        self.state = after
        party, ref = ("", None) if heard is None else (heard.party, heard.ref)
        sentence = f"{to_text(at_s)}: {words} ({self.draft.title}, {self.draft.hash[:12]})"
        self.changes.append(Change(at_s, self.draft.hash, after, party, ref, sentence))

    # --- what is to be shown ---

    def _disputes(self) -> Iterable[Dispute]:
        title = f"{self.draft.title} ({self.draft.hash[:12]})"
        for against, claims, what in (
            (self.suspended, self.resumed_by_others, "suspended"),
            (self.ended, self.denied, "ended"),
        ):
            if claims and against:
                one, other = ", ".join(sorted(against)), ", ".join(sorted(claims))
                sentence = f"{title}: {one} has {what} it and has not said otherwise; {other} says that it is resumed"
                refs = (*(one.ref for one in against.values()), *(one.ref for one in claims.values()))
                yield Dispute(sentence, tuple(sorted({*against, *claims})), (self.draft.hash,), refs)

    def _flags(self) -> frozenset[Flag]:
        found: set[Flag] = set()
        parties = set(self.draft.parties)
        if (self.suspended and parties - set(self.suspended)) or (self.ended and parties - set(self.ended)):
            found.add(Flag.ONE_SIDED)
        times = [one.in_force_s for one in self.signed.values() if one.in_force_s is not None]
        if times and any(one.at_s > max(times) for one in self.signed.values()):
            found.add(Flag.LATE_SIGNATURE)
        if self.draft.document is None:
            found.add(Flag.NOT_HELD)
        if self.since_s is None and self._enters_s is not None:
            found.add(Flag.WAITING)
        return frozenset(found)

    def _version(self) -> Version:
        return Version(
            self.draft.hash,
            self.state,
            self.state_s,
            self.draft.title,
            self.draft.parties,
            self.draft.document,
            tuple(one.ref for one in self.proposals),
            self.draft.counters,
            dict(self.signed),
            tuple(sorted(self.rejected)),
            self.since_s,
            tuple(sorted(self.suspended)) if self.state is AgreementState.SUSPENDED else (),
            self.ended_by,
            self.expires_s,
        )


_CHANGES: Mapping[str, Callable[[_Fold, Act], None]] = {
    "suspend": _Fold.suspend,
    "resume": _Fold.resume,
    "terminate": _Fold.terminate,
    "withdraw": _Fold.withdraw,
    "reject": _Fold.reject,
}


def _in_order(acts: Iterable[Act]) -> list[Act]:
    """By time; at one moment what others build on first, and of one party always in its own order.

    A cosignature is of whole seconds. So a signature and the suspension that followed it, or that and what another
    party said of it, may count from the same moment, and must not lose their effect by the names of the parties.
    """
    found = sorted(acts, key=lambda act: act.key)
    proposals = [one for one in found if one.event is None and isinstance(one.heard.body, AgreementProposedBody)]
    ranks: dict[tuple[float, str], int] = {}
    ranked: list[tuple[float, int, Act]] = []
    for act in found:
        place = act.at_s, act.heard.party
        rank = 0 if proposals and act is proposals[0] else max(_rank(act), ranks.get(place, 0))
        ranks[place] = rank
        ranked.append((act.at_s, rank, act))
    return [act for _, _, act in sorted(ranked, key=lambda one: one[:2])]


def _rank(act: Act) -> int:
    body = act.heard.body
    if isinstance(body, AgreementChangedBody):
        return _RANKS[body.change]
    if isinstance(body, CancelBody):
        return _RANKS["withdraw"]
    return 3 if isinstance(body, AgreementSignedBody) else 1


def _taken_back(act: Act, acts: Sequence[Act]) -> bool:
    """Whether its author, before the time that it named, said that it goes on."""
    body = act.heard.body
    if not isinstance(body, AgreementChangedBody) or body.change not in {"suspend", "terminate"}:
        return False
    return any(
        isinstance(later.heard.body, AgreementChangedBody)
        and later.heard.body.change == "resume"
        and later.heard.party == act.heard.party
        and order_of(later.heard) > order_of(act.heard)
        and later.at_s < act.at_s
        for later in acts
    )
