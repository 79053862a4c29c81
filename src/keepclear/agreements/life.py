"""The life of an agreement, worked out of what its parties said: which document binds them, if any.

Nothing binds before every party named in the document has signed its hash and that of the authentic text, and only
what counts, counts: an entry that nobody but its author is known to have has not been said. Who has signed other bytes
has no agreement, and both are told. What comes out does not depend on the order in which logs arrive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from keepclear.agreements.documents import Document
from keepclear.agreements.facts import Heard, RecordView
from keepclear.agreements.folding import Act, Draft, Folded, fold, order_of
from keepclear.agreements.standing import AgreementStanding, Dispute, Flag, NoEffect, Version
from keepclear.agreements.states import BINDING, AgreementEvent, AgreementState
from keepclear.record.bodies.agreements import AgreementChangedBody, AgreementProposedBody, AgreementSignedBody
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType

__all__ = ["ENTRY_TYPES", "MOST_OF_A_LOG", "standing_of", "standings_of"]

ENTRY_TYPES = (
    EntryType.AGREEMENT_PROPOSED,
    EntryType.AGREEMENT_SIGNED,
    EntryType.AGREEMENT_CHANGED,
    EntryType.CANCEL,
)
"""What an agreement's life is worked out of; a cancellation of a proposal or a signature takes it back."""

MOST_OF_A_LOG = 500
"""How many entries of each of these types in one log are looked at, the first ones: a bound, since how all agreements
stand is worked out anew with each of them, and no party says so much. Who says more is told so before it is said."""

_Body = AgreementProposedBody | AgreementSignedBody | AgreementChangedBody


def standings_of(
    record: RecordView | Iterable[Heard], documents: Mapping[str, Document], at_s: float, *, exercise: bool = False
) -> Mapping[str, AgreementStanding]:
    """How all agreements stand at a time, by what counts then; those of which no proposal counts are left out.

    Parameters
    ----------
    record
        What was said; entries of other types are passed over.
    documents
        Those that are held, by hash.
    at_s
        Seconds since the epoch.
    exercise
        Whether to look at what was said for practice, rather than at what was not.
    """
    told: dict[str, list[Heard]] = {}
    entries = (one for kind in ENTRY_TYPES for one in record.of(kind)) if isinstance(record, RecordView) else record
    counted = [
        one
        for one in _first(entries)
        if one.counts_from_s is not None and one.counts_from_s <= at_s and one.exercise == exercise
    ]
    agreements = {one.ref: one.body.agreement for one in counted if isinstance(one.body, _Body)}
    for one in counted:
        about = one.body.entry.ref() if isinstance(one.body, CancelBody) else one.ref
        if about in agreements:
            told.setdefault(agreements[about], []).append(one)
    found = ((name, _standing(name, entries, documents, at_s)) for name, entries in sorted(told.items()))
    return {name: standing for name, standing in found if standing is not None}


def _first(entries: Iterable[Heard]) -> Iterator[Heard]:
    """Those that are not among too many of their log: the first ones of each type."""
    found = list(entries)
    if len(found) <= MOST_OF_A_LOG:
        return iter(found)
    agreements = {one.ref for one in found if isinstance(one.body, _Body)}
    places: dict[tuple[str, str], int] = Counter()
    first: set[EntryRef] = set()
    for one in sorted(found, key=lambda heard: (heard.ref.origin, heard.ref.index)):
        is_of_it = not isinstance(one.body, CancelBody) or one.body.entry.ref() in agreements
        places[one.ref.origin, one.body.TYPE] += is_of_it
        if places[one.ref.origin, one.body.TYPE] <= MOST_OF_A_LOG:
            first.add(one.ref)
    return (one for one in found if one.ref in first)


def standing_of(
    agreement: str,
    record: RecordView | Iterable[Heard],
    documents: Mapping[str, Document],
    at_s: float,
    *,
    exercise: bool = False,
) -> AgreementStanding | None:
    """How one agreement stands at a time; None where no proposal of it counts. As `standings_of`."""
    return standings_of(record, documents, at_s, exercise=exercise).get(agreement)


def _standing(
    name: str, entries: Iterable[Heard], documents: Mapping[str, Document], at_s: float
) -> AgreementStanding | None:
    sorting = _Sorting(documents)
    for one in sorted(entries, key=lambda heard: (heard.counts_from_s or 0.0, *order_of(heard))):
        sorting.take(one)
    sorting.settle()
    if not sorting.drafts:
        return None
    folded = _replaced({draft.hash: fold(draft, at_s) for draft in sorting.drafts.values()}, sorting.drafts, at_s)
    versions = tuple(one.version for one in folded.values())
    version = max(versions, key=_weight)
    disputes = (*sorting.disputes, *(one for each in folded.values() for one in each.disputes), *_different(versions))
    disputes += tuple(_beside(version, versions))
    flags = folded[version.hash].flags | ({Flag.DISPUTED} if disputes else frozenset())
    binding = version if version.state in BINDING else None
    periods = sorted((one for each in folded.values() for one in each.periods), key=lambda one: one.from_s)
    return AgreementStanding(
        name,
        at_s,
        _state(version),
        version,
        versions,
        None if binding is None else binding.document,
        None if binding is None else _since(binding, folded[binding.hash]),
        tuple(periods),
        disputes,
        flags,
        (*sorting.no_effect, *(one for each in folded.values() for one in each.no_effect)),
        tuple(sorted((one for each in folded.values() for one in each.changes), key=lambda one: one.at_s)),
    )


def _since(version: Version, folded: Folded) -> float | None:
    """Since when a version binds without interruption."""
    return folded.periods[-1].from_s if folded.periods else version.since_s


def _weight(version: Version) -> tuple[int, float, float, str]:
    """Which version matters most: the one that binds, the one that is suspended, the one that changed last.

    Of two that bind, the one that did first: what took its place would name all its parties, and would have ended it.
    Else two of three, or two strangers who call theirs the same, could put out of sight what binds the others.
    """
    since_s = version.since_s or 0.0
    if version.state in BINDING:
        return (2, -since_s, version.state_s, version.hash)
    if version.state is AgreementState.SUSPENDED:
        return (1, since_s, version.state_s, version.hash)
    return (0, version.state_s, version.state_s, version.hash)


def _state(version: Version) -> AgreementState:
    """Of the agreement: a document that was put against another makes it countered, until somebody signs."""
    countered = version.state is AgreementState.PROPOSED and version.counters
    return AgreementState.COUNTERED if countered else version.state


def _replaced(folded: Mapping[str, Folded], drafts: Mapping[str, Draft], at_s: float) -> dict[str, Folded]:
    """The same, where a later document of all the same parties ends an earlier one."""
    found = dict(folded)
    entered = [(one.version.since_s, one.version) for one in folded.values() if one.version.since_s is not None]
    for since_s, version in entered:
        later = [
            (other_s, other.hash)
            for other_s, other in entered
            if (other_s, other.hash) > (since_s, version.hash) and set(version.parties) <= set(other.parties)
        ]
        if later:
            found[version.hash] = fold(drafts[version.hash], at_s, replaced=min(later))
    return found


def _different(versions: Iterable[Version]) -> Iterable[Dispute]:
    """Where parties have signed different documents, and none of these came into force."""
    last: dict[str, tuple[float, Version]] = {}
    for version in versions:
        for party, signature in version.signatures.items() if version.since_s is None else ():
            if party not in last or last[party][0] < signature.at_s:
                last[party] = (signature.at_s, version)
    hashes = sorted({version.hash for _, version in last.values()})
    if len(hashes) > 1:
        parties = tuple(sorted(last))
        each = "; ".join(f"{party} signed {last[party][1].hash}" for party in parties)
        refs = tuple(last[party][1].signatures[party].ref for party in parties)
        yield Dispute(
            f"different documents were signed, so there is no agreement: {each}", parties, tuple(hashes), refs
        )


def _beside(version: Version, versions: Iterable[Version]) -> Iterable[Dispute]:
    """Documents that bind at the same time as the one that is looked at, since they do not name all its parties."""
    for other in versions:
        if other is not version and other.state in BINDING and version.state in BINDING:
            each = (f"{one.hash[:12]} of {', '.join(one.parties)}" for one in (version, other))
            parties = tuple(sorted({*version.parties, *other.parties}))
            refs = tuple(one.ref for _, one in sorted(other.signatures.items()))
            sentence = f"two documents are in force under one name: {' and '.join(each)}; the first is checked"
            yield Dispute(sentence, parties, (version.hash, other.hash), refs)


class _Sorting:
    """Puts each entry to the document that it is about, or among those that have no effect."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self.documents = documents
        self.drafts: dict[str, Draft] = {}
        self.no_effect: list[NoEffect] = []
        self.disputes: list[Dispute] = []
        self._proposed: dict[EntryRef, str] = {}
        self._taken: dict[EntryRef, str] = {}
        self._countering: list[tuple[Heard, str, EntryRef]] = []
        self._later: list[Heard] = []

    def take(self, heard: Heard) -> None:
        """Proposals at once; the others when all proposals are known."""
        if isinstance(heard.body, AgreementProposedBody):
            self._propose(heard, heard.body)
        else:
            self._later.append(heard)

    def settle(self) -> None:
        """What is about a proposal, when all of them are known."""
        for counter in self._countering:
            self._counter(*counter)
        for heard in self._later:
            if isinstance(heard.body, AgreementSignedBody):
                self._sign(heard, heard.body)
            elif isinstance(heard.body, AgreementChangedBody):
                self._change(heard, heard.body)
        for heard in self._later:
            if isinstance(heard.body, CancelBody):
                self._cancel(heard, heard.body.entry.ref())

    def _propose(self, heard: Heard, body: AgreementProposedBody) -> None:
        document = self.documents.get(body.document)
        wrong = "" if document is None else _differs(body, document)
        parties = tuple(body.parties) if document is None else document.parties
        if not wrong and heard.party not in parties:
            wrong = "proposed by a party that would not have to sign"
        if wrong:
            self._nothing(heard, wrong)
            return
        title = body.title if document is None else document.title
        draft = self.drafts.setdefault(body.document, Draft(body.document, title, parties, document))
        self._proposed[heard.ref] = body.document
        draft.acts.append(Act(_counts(heard), heard))
        if body.counters is not None:
            self._countering.append((heard, body.document, body.counters.ref()))

    def _counter(self, heard: Heard, document: str, to: EntryRef) -> None:
        countered = self._proposed.get(to)
        if countered is not None and countered != document:
            self.drafts[document].counters = self.drafts[document].counters or countered
            self.drafts[countered].acts.append(Act(_counts(heard), heard, AgreementEvent.COUNTERED))

    def _sign(self, heard: Heard, body: AgreementSignedBody) -> None:
        draft = self.drafts.get(body.document)
        proposed = self._proposed.get(body.proposal.ref())
        if proposed is not None and proposed != body.document:
            why = f"it names the proposal of {proposed}, and signs {body.document}: other bytes"
            self._nothing(heard, why)
            self._dispute(heard, proposed, f"{heard.party} signed {body.document} where {proposed} was proposed")
        elif draft is None:
            self._nothing(heard, f"no document {body.document} of this agreement was proposed")
        elif proposed is None:
            self._nothing(heard, "it names no proposal of this agreement that counts")
        elif heard.party not in draft.parties:
            self._nothing(heard, "signed by a party that the document does not name")
        elif draft.document is not None and body.text != draft.document.text_hash:
            text = draft.document.text_hash
            self._nothing(heard, f"signed with the authentic text {body.text}, and that of the document is {text}")
            sentence = f"{heard.party} signed with the authentic text {body.text}, and that of the document is {text}"
            self.disputes.append(Dispute(sentence, draft.parties, (text, body.text), (heard.ref,)))
        else:
            self._taken[heard.ref] = body.document
            draft.acts.append(Act(_counts(heard), heard))

    def _cancel(self, heard: Heard, about: EntryRef) -> None:
        """Of its author's own proposal or signature: as if it were withdrawn."""
        document = self._taken.get(about) or self._proposed.get(about)
        if document is not None and about.origin.partition("/")[0] == heard.party:
            self.drafts[document].acts.append(Act(_counts(heard), heard))
        else:
            self._nothing(heard, "it cancels nothing that can be taken back by its author")

    def _dispute(self, heard: Heard, proposed: str, sentence: str) -> None:
        parties = tuple(sorted({*self.drafts[proposed].parties, heard.party}))
        hashes = (proposed, heard.body.document) if isinstance(heard.body, AgreementSignedBody) else (proposed,)
        self.disputes.append(Dispute(f"{sentence}: no agreement", parties, hashes, (heard.ref,)))

    def _change(self, heard: Heard, body: AgreementChangedBody) -> None:
        draft = self.drafts.get(body.document)
        if draft is None:
            self._nothing(heard, f"no document {body.document} of this agreement was proposed")
        elif heard.party not in draft.parties:
            self._nothing(heard, "said by a party that the document does not name")
        else:
            at_s = _counts(heard)
            timed = body.from_s is not None and body.change in {"suspend", "resume", "terminate"}
            draft.acts.append(Act(max(at_s, body.from_s or at_s) if timed else at_s, heard))

    def _nothing(self, heard: Heard, why: str) -> None:
        self.no_effect.append(NoEffect(heard.ref, heard.party, why))


def _counts(heard: Heard) -> float:
    assert heard.counts_from_s is not None  # only what counts is looked at
    return heard.counts_from_s


def _differs(body: AgreementProposedBody, document: Document) -> str:
    """How a proposal says something else than the document that comes with it."""
    if body.agreement != document.id:
        return f"the document is of the agreement {document.id}"
    if set(body.parties) != set(document.parties):
        return "the document names other parties than the proposal"
    texts = {(one.language, one.authentic, one.sha256) for one in document.texts}
    if {(one.language, one.authentic, one.sha256) for one in body.texts} != texts:
        return "the document has other texts than the proposal says"
    return ""
