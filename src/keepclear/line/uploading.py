"""A log's side of C2SP tlog-mirror: what to send next to one mirror, given what it has answered.

The log is the outbox: what a mirror has not cosigned is still to be delivered. So there is nothing to keep but the
cosignatures; where the mirror is, it says itself, and every request may be repeated. `Uploading` asks for one request
at a time (`due`) and is given its answer, or None where none came (`answered`).

It never loops: what counts as progress can only grow within a round, up to the size of the log, and after
`MOST_FRUITLESS` answers without any it rests until `retried`, which the node calls after a while, when the log has
grown, or when the peer is heard again. It never gives up either: nothing is left out, however often it rests. Only a
contradiction ends it, as when the mirror has entries that the log never signed: that is for people.

| stage | what is due |
|---|---|
| asking | ``add-checkpoint`` with the newest checkpoint |
| sending | ``add-entries`` up to the checkpoint that the mirror has taken |
| giving | ``add-bodies``: the leaves are there, the cosignature waits for bodies |
| done | nothing, until the log grows |
| resting | nothing, until `retried` |
| disputed | nothing |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Protocol, TypeAlias

from keepclear.errors import IntegrityError, PeerError
from keepclear.line.body_requests import BodiesAnswer, Wanted
from keepclear.line.mirror_requests import Answer, MirrorInfo, parse_cosignatures, parse_size
from keepclear.record.cosignatures import cosigned_at
from keepclear.record.keys import VerifierKey
from keepclear.record.notes import Signature

__all__ = [
    "MOST_FRUITLESS",
    "TRANSITIONS",
    "BodiesDue",
    "CheckpointDue",
    "Due",
    "EntriesDue",
    "Event",
    "LogView",
    "Receipt",
    "Stage",
    "Uploading",
]

MOST_FRUITLESS = 8
"""How many answers in a row may bring nothing before there is a rest."""


class LogView(Protocol):
    """What has to be known of the log itself."""

    @property
    def size(self) -> int:
        """How many entries it has."""

    def checkpoint_text(self, size: int) -> str | None:
        """The note text of the checkpoint of that size; None if none was signed."""


class Stage(Enum):
    """What is due next."""

    ASKING = auto()
    SENDING = auto()
    GIVING = auto()
    DONE = auto()
    RESTING = auto()
    DISPUTED = auto()


class Event(Enum):
    """What an answer comes to."""

    TAKEN = auto()  # the mirror has our checkpoint
    BEHIND = auto()  # it has another one, and must be given ours
    PART = auto()  # it lacks entries
    WHOLE = auto()  # it has the entries and lacks bodies
    MORE = auto()  # it lacks further bodies
    BODIES_THERE = auto()  # it lacks nothing and has not cosigned
    GROWN = auto()  # it lacks bodies, and the log has grown in the meantime
    RECEIPT = auto()  # it has cosigned what was sent
    AGAIN = auto()  # no answer, or the request was cut off: the same once more
    REFUSED = auto()  # it will not have it, or cannot be understood
    CONTRADICTED = auto()  # it has something that the log never signed
    RETRIED = auto()


_ANSWERS = {
    Event.TAKEN: Stage.SENDING,
    Event.BEHIND: Stage.ASKING,
    Event.PART: Stage.SENDING,
    Event.WHOLE: Stage.GIVING,
    Event.MORE: Stage.GIVING,
    Event.BODIES_THERE: Stage.SENDING,
    Event.GROWN: Stage.ASKING,
    Event.RECEIPT: Stage.DONE,
    Event.REFUSED: Stage.RESTING,
    Event.CONTRADICTED: Stage.DISPUTED,
    Event.RETRIED: Stage.ASKING,
}
TRANSITIONS: dict[tuple[Stage, Event], Stage] = {
    **{(stage, event): to for stage in Stage for event, to in _ANSWERS.items()},
    **{(stage, Event.AGAIN): stage for stage in Stage},
    **{(Stage.DISPUTED, event): Stage.DISPUTED for event in Event},
    # A late answer: what was resting goes on resting unless it brought the receipt.
    **{(Stage.RESTING, e): Stage.RESTING for e in Event if e not in (Event.RECEIPT, Event.CONTRADICTED, Event.RETRIED)},
}
"""Where each event leads from each stage."""


@dataclass(frozen=True, slots=True)
class CheckpointDue:
    """Send the checkpoint of `size`, with a consistency proof from `old`."""

    old: int
    size: int


@dataclass(frozen=True, slots=True)
class EntriesDue:
    """Send the entries [start, end) against the checkpoint of `end`, or the first packages of them."""

    start: int
    end: int
    ticket: bytes


@dataclass(frozen=True, slots=True)
class BodiesDue:
    """Send the bodies that are `wanted`; those of entries [since, until) addressed to the mirror where that is None.

    Of the latter as many as a request takes: given back with the answer, `until` is the entry that they came to.
    """

    since: int
    until: int
    wanted: tuple[Wanted, ...] | None


Due: TypeAlias = CheckpointDue | EntriesDue | BodiesDue


@dataclass(frozen=True, slots=True)
class Receipt:
    """The mirror has cosigned the checkpoint of `size`: keep the signatures."""

    size: int
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What an answer comes to, and what is known by it."""

    event: Event
    changes: dict[str, Any] = field(default_factory=dict)
    fruitful: bool = False
    why: str = ""
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Uploading:
    """Where the upload of our log to one mirror stands.

    Attributes
    ----------
    keys
        The mirror's keys.
    cosigned
        The size of the newest checkpoint that one of them has cosigned. This is all that has to be kept.
    stage
        What is due.
    trouble
        Why it rests or is disputed, for people.
    theirs
        The size of the mirror's pending checkpoint, as far as it is known.
    target, next_entry, ticket
        The checkpoint that is being uploaded, the first entry that the mirror lacks, and what it gave us to give back.
    wanted
        The bodies that the mirror asked for; None where it has not been asked.
    offered
        Bodies of entries before this have been sent once without being asked for.
    best, given, fruitless
        Of this round: the greatest checkpoint taken and next entry told, what was asked for and given, and how many
        answers in a row have brought nothing.
    """

    keys: tuple[VerifierKey, ...]
    cosigned: int = 0
    stage: Stage = Stage.ASKING
    trouble: str = ""
    theirs: int | None = None
    target: int = 0
    next_entry: int = 0
    ticket: bytes = field(default=b"", repr=False)
    wanted: tuple[Wanted, ...] | None = None
    offered: int = 0
    best: tuple[int, int] = (-1, -1)
    given: frozenset[Wanted] = field(default=frozenset(), repr=False)
    fruitless: int = 0

    def due(self, size: int) -> Due | None:
        """What to send now that the log has `size` entries; None if nothing."""
        stage = self.stage
        if stage is Stage.ASKING or (stage is Stage.DONE and size > self.cosigned):
            return CheckpointDue(min(self.cosigned if self.theirs is None else self.theirs, size), size)
        if stage is Stage.SENDING:
            return EntriesDue(min(self.next_entry, self.target), self.target, self.ticket)
        if stage is Stage.GIVING:
            since = min(max(self.cosigned, self.offered), self.target)
            if self.wanted and since <= self.wanted[0].number < self.target and self.wanted[0].is_whole:
                # All that was sent has come, and an answer names few: what follows is not waited for to be named.
                return BodiesDue(self.wanted[0].number, self.target, None)
            return BodiesDue(since, self.target, self.wanted)
        return None

    def retried(self) -> Uploading:
        """Begin a new round: time has passed, the log has grown, or the mirror was heard again."""
        if self.stage is not Stage.RESTING:
            return self
        stage = TRANSITIONS[self.stage, Event.RETRIED]
        return replace(
            self, stage=stage, trouble="", best=(-1, -1), given=frozenset(), fruitless=0, wanted=None, ticket=b""
        )

    def answered(self, due: Due, answer: Answer | None, log: LogView) -> tuple[Uploading, Receipt | None]:
        """Go on by the answer to what was due.

        Parameters
        ----------
        due
            The request.
        answer
            None if none came.
        log
            The log as it is now.

        Returns
        -------
        Uploading
            Where it stands now.
        Receipt or None
            To be kept before anything else is sent.
        """
        if answer is None:
            outcome = _Outcome(Event.AGAIN, why="no answer came")
        else:
            try:
                outcome = self._outcome(due, answer, log)
            except PeerError as error:
                outcome = _Outcome(Event.REFUSED, why=f"the answer cannot be understood: {error}")
        return self._by(outcome), outcome.receipt

    def _by(self, outcome: _Outcome) -> Uploading:
        event = outcome.event
        fruitless = 0 if outcome.fruitful else self.fruitless + 1
        if fruitless >= MOST_FRUITLESS and event is not Event.CONTRADICTED:
            event = Event.REFUSED
        why = outcome.why if event in (Event.REFUSED, Event.CONTRADICTED) else ""
        stage = TRANSITIONS[self.stage, event]
        return replace(
            self,
            **outcome.changes,
            stage=stage,
            fruitless=fruitless,
            trouble=self.trouble if stage is self.stage else why,
        )

    def _outcome(self, due: Due, answer: Answer, log: LogView) -> _Outcome:
        if answer.status not in _MEANT[type(due)]:
            # 400 is what a request gets that was cut off on the way.
            return _Outcome(Event.AGAIN if answer.status == 400 else Event.REFUSED, why=_answered(answer))
        match due:
            case CheckpointDue():
                return self._on_checkpoint(due, answer, log)
            case EntriesDue():
                return self._on_entries(due, answer, log)
            case BodiesDue():
                return self._on_bodies(due, answer, log)

    def _on_checkpoint(self, due: CheckpointDue, answer: Answer, log: LogView) -> _Outcome:
        if answer.status == 200:
            changes = {
                "theirs": due.size,
                "target": due.size,
                "next_entry": max(self.next_entry, self.cosigned),
                "ticket": b"",
                "best": (max(self.best[0], due.size), self.best[1]),
            }
            return _Outcome(Event.TAKEN, changes, due.size > self.best[0], "the mirror does not get on")
        theirs = parse_size(answer)
        if theirs > log.size:
            return _ahead(theirs, log)
        if theirs == due.old == due.size:
            return _Outcome(Event.CONTRADICTED, why=f"the mirror has another tree of {theirs} entries")
        if theirs == due.old:
            return _Outcome(Event.REFUSED, why="the mirror says that it has what it was told it has")
        return _Outcome(Event.BEHIND, {"theirs": theirs}, why="the mirror does not say where it is")

    def _on_entries(self, due: EntriesDue, answer: Answer, log: LogView) -> _Outcome:
        if answer.status == 200:
            receipt = self._receipt(due.end, parse_cosignatures(answer), log)
            if receipt is None:
                why = f"no cosignature of the checkpoint of {due.end} entries by the mirror's key holds"
                return _Outcome(Event.REFUSED, why=why)
            return _Outcome(Event.RECEIPT, self._after(receipt), fruitful=True, receipt=receipt)
        info = MirrorInfo.of_answer(answer)
        if max(info.size, info.next_entry) > log.size:
            return _ahead(max(info.size, info.next_entry), log)
        fruitful = info.next_entry > self.best[1]
        best = (self.best[0], max(self.best[1], info.next_entry))
        changes: dict[str, Any] = {"next_entry": info.next_entry, "ticket": info.ticket, "best": best}
        why = "the mirror does not get on"
        if info.size <= self.cosigned:
            return _Outcome(Event.BEHIND, {**changes, "theirs": info.size}, fruitful, why)
        changes["target"] = info.size
        if answer.status == 202 and info.next_entry >= info.size:
            return _Outcome(Event.WHOLE, {**changes, "wanted": None}, fruitful, why)
        return _Outcome(Event.PART, changes, fruitful, why)

    def _on_bodies(self, due: BodiesDue, answer: Answer, log: LogView) -> _Outcome:
        said = BodiesAnswer.of_answer(answer)
        receipt = None
        if said.receipt is not None and self.cosigned < said.receipt[0] <= log.size:
            receipt = self._receipt(*said.receipt, log)
        # What is sent begins with the first that was asked for, so that one at least is dealt with by each answer.
        given = self.given.union((due.wanted or ())[:1])
        wanted = tuple(one for one in said.wanted if one not in given)
        offered = max(self.offered, due.until) if due.wanted is None else self.offered
        changes: dict[str, Any] = {"offered": offered, "wanted": wanted, "given": given}
        if receipt is not None:
            changes.update(self._after(receipt))
            if receipt.size >= self.target:
                return _Outcome(Event.RECEIPT, changes, fruitful=True, receipt=receipt)
        fruitful = receipt is not None or bool(wanted)
        if wanted:
            return _Outcome(Event.GROWN if log.size > self.target else Event.MORE, changes, fruitful, "", receipt)
        if said.wanted:
            numbers = ", ".join(str(one.number) for one in said.wanted[:10])
            why = f"the bodies of entries {numbers} were given, and are still asked for"
            return _Outcome(Event.REFUSED, changes, fruitful, why, receipt)
        why = "the mirror asks for nothing more, and does not cosign"
        return _Outcome(Event.BODIES_THERE, changes, fruitful, why, receipt)

    def _receipt(self, size: int, signatures: Iterable[Signature], log: LogView) -> Receipt | None:
        """Those of the signatures that are the mirror's and hold. Others are ignored, as they must be."""
        text = log.checkpoint_text(size)
        held = [one for one in signatures for key in self.keys if text is not None and _holds(text, one, key)]
        return Receipt(size, tuple(held)) if held else None

    def _after(self, receipt: Receipt) -> dict[str, Any]:
        size = max(self.cosigned, receipt.size)
        return {"cosigned": size, "next_entry": max(self.next_entry, size), "given": frozenset()}


_MEANT: dict[type[Due], tuple[int, ...]] = {CheckpointDue: (200, 409), EntriesDue: (200, 202, 409), BodiesDue: (200,)}


def _answered(answer: Answer) -> str:
    said = answer.body[:200].decode(errors="replace").strip() if answer.content_type.startswith("text/plain") else ""
    return f"the mirror answered {answer.status}" + (f": {said!a}" if said else "")


def _ahead(theirs: int, log: LogView) -> _Outcome:
    why = f"the mirror has {theirs} entries, and the log has {log.size}: it was restored, or somebody signs for it"
    return _Outcome(Event.CONTRADICTED, why=why)


def _holds(text: str, signature: Signature, key: VerifierKey) -> bool:
    try:
        cosigned_at(text, signature, key)
    except IntegrityError:
        return False
    return True
