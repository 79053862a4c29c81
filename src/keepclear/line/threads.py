"""Threads: an entry that others are to answer, and how matters stand with it. Values to be shown, made elsewhere.

No value here says that something was approved, because nobody on a line approves anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keepclear.line.deadlines import MessageClass, Owed
from keepclear.line.operation_states import OperationState
from keepclear.line.read_back import Comparison
from keepclear.model.findings import Answer
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef
from keepclear.times import to_text

__all__ = ["Advised", "AdvisoryStatus", "Given", "Oddity", "Owing", "Searched", "Standing", "Thread", "Void"]


_NOT_RELAYED = "not known to have been relayed to any unit"


class Void(StrEnum):
    """Why an answer does not count. It stays on the record."""

    NOT_ADDRESSED = "given by somebody to whom the entry was not addressed"
    AMENDED = "the entry was amended since, and an amendment voids earlier answers"
    WITHDRAWN = "withdrawn by who gave it"
    EXERCISE = "given in an exercise to what is none, or the other way round"
    TOO_COARSE = "the read-back is too coarse to tell"
    DIFFERS = "the read-back differs from what was filed"


@dataclass(frozen=True, slots=True)
class Given:
    """An answer.

    Attributes
    ----------
    ref, party, answer
        Which entry it is, whose, and what.
    at_s
        From when it counts.
    unit, reason
        To whom it was relayed; why.
    comparison
        Of a read-back with what was filed; None where there was no place to compare.
    void
        Why it does not count; None if it does.
    repeats
        Whether the same party had said just the same before.
    """

    ref: EntryRef
    party: str
    answer: AnswerGiven
    at_s: float
    unit: str = ""
    reason: str = ""
    comparison: Comparison | None = None
    void: Void | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Owing:
    """What one party owes, and by when.

    Attributes
    ----------
    about
        The entry that is to be answered.
    author, party
        Who waits, and who owes.
    message_class, owed
        What sort of entry it is, for this party; None for entries that no person answers. And what is owed.
    from_s, due_s
        From when the clock runs, and when it is due.
    met_s
        When it was given; None if it was not.
    ceased_s
        When nothing was owed any more, as the entry was amended, cancelled or over; None if that is not so.
    unable_s
        When the party said that it cannot, or that this is not its own; None if it did not.
    """

    about: EntryRef
    author: str
    party: str
    message_class: MessageClass | None
    owed: Owed
    from_s: float
    due_s: float
    met_s: float | None = None
    ceased_s: float | None = None
    unable_s: float | None = None

    @property
    def ended_s(self) -> float | None:
        """When waiting ended, for whatever reason; None if it has not."""
        known = [one for one in (self.met_s, self.ceased_s) if one is not None]
        return min(known, default=None)

    def is_open(self, at_s: float) -> bool:
        """Whether it is owed at that time."""
        return self.from_s <= at_s and (self.ended_s is None or at_s < self.ended_s)

    def is_overdue(self, at_s: float) -> bool:
        """Whether it is owed at that time, and was due before."""
        return self.is_open(at_s) and self.due_s < at_s

    @property
    def late_s(self) -> float | None:
        """By how many seconds it was given too late; None if it was given in time, or not at all."""
        return self.met_s - self.due_s if self.met_s is not None and self.met_s > self.due_s else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How matters stand with one addressee.

    Attributes
    ----------
    party
        Who.
    received_s
        When its machine had the entry, by its own cosignature; None if that is not known, which proves nothing.
    refused
        The guard by which it refused the body; empty if it did not.
    answers
        All answers that it gave, in the order it gave them, those that do not count too.
    owed
        What it owes, or owed.
    """

    party: str
    received_s: float | None
    refused: str
    answers: tuple[Given, ...]
    owed: tuple[Owing, ...]

    @property
    def counted(self) -> tuple[Given, ...]:
        """The answers that count."""
        return tuple(one for one in self.answers if one.void is None)

    @property
    def seen_s(self) -> float | None:
        """When a person had seen it; None if nobody is known to have."""
        return min((one.at_s for one in self.counted), default=None)

    @property
    def relayed_to(self) -> tuple[str, ...]:
        """The units that were told, as far as that is known. Headquarters' receipt is not the unit's."""
        return tuple(dict.fromkeys(one.unit for one in self.counted if one.answer is AnswerGiven.RELAYED))

    @property
    def sentence(self) -> str:
        """How far it has come with this addressee, echelon by echelon, to be read out."""
        had, seen = self.received_s, self.seen_s
        said = [
            "not known to have it" if had is None else f"its headquarters had it at {to_text(had)}",
            "not known to have been seen by a person" if seen is None else f"a person there saw it at {to_text(seen)}",
            f"relayed to {', '.join(self.relayed_to)}" if self.relayed_to else _NOT_RELAYED,
        ]
        if self.refused:
            said.insert(1, f"its body was refused ({self.refused})")
        return f"{self.party}: {'; '.join(said)}"

    @property
    def blocked(self) -> Given | None:
        """The last read-back, if it does not agree with what was filed: nothing goes on before that is settled."""
        wrong = {Void.DIFFERS, Void.TOO_COARSE}
        read = [one for one in self.answers if one.answer is AnswerGiven.READ_BACK and one.void in {None, *wrong}]
        return read[-1] if read and read[-1].void in wrong else None


class AdvisoryStatus(StrEnum):
    """How matters stand with an advised conflict."""

    STANDING = "standing"
    TO_BE_SEARCHED = "a filing was amended, and has not been searched again since"
    RESOLVED = "resolved"
    ACCEPTED = "accepted as a risk by all parties concerned"


@dataclass(frozen=True, slots=True)
class Advised:
    """A conflict that somebody advised of.

    Attributes
    ----------
    ref, party, about
        The advisory, whose it is, and the filings that it is about.
    found
        What it says: conflict or possible.
    at_s
        From when it counts.
    status, status_s
        How it stands, and since when.
    accepted_by
        Who has accepted it as a risk.
    """

    ref: EntryRef
    party: str
    about: tuple[EntryRef, ...]
    found: Answer
    at_s: float
    status: AdvisoryStatus
    status_s: float
    accepted_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """What our own search found of a filing.

    Attributes
    ----------
    ref
        The filing.
    at_s
        When it was searched, by our clock.
    answer
        Conflict, possible or clear.
    against
        The filings that it conflicts with, or may.
    """

    ref: EntryRef
    at_s: float
    answer: Answer
    against: tuple[EntryRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Oddity:
    """An entry about this one that has no effect, or not the one that it asks for, and why."""

    ref: EntryRef
    why: str


@dataclass(frozen=True, slots=True)
class Thread:
    """An entry, and all that was said about it.

    Attributes
    ----------
    ref, party, type, exercise
        Which entry, whose, of what type, and whether for practice.
    problem
        Why we do not know what it says; empty if we do.
    kept_s
        When our node had it.
    counts_from_s
        When somebody other than its author had it, by a cosignature or by our own store: from then on it counts. None
        if it is our own, and nobody has shown that yet.
    start_s, end_s
        When it begins and ends; None if that is not known, and for an end that there is none.
    state
        Of a filing, at the time asked for; None for other entries.
    standings
        For every addressee, by name.
    supersedes, superseded_by, cancelled_by
        The entries in question; None where there is none that has effect.
    advised
        Conflicts that were advised of.
    searched
        What our own last search found; None if there was none.
    strangers
        Answers of those to whom it was not addressed.
    odd
        Entries about this one that had no effect, and why.
    own
        What its author owes to all of them: the full report after the first one of an incident.
    """

    ref: EntryRef
    party: str
    type: str
    exercise: bool
    problem: str
    kept_s: float
    counts_from_s: float | None
    start_s: float | None
    end_s: float | None
    state: OperationState | None
    standings: tuple[Standing, ...]
    supersedes: EntryRef | None
    superseded_by: EntryRef | None
    cancelled_by: EntryRef | None
    advised: tuple[Advised, ...]
    searched: Searched | None
    strangers: tuple[Given, ...]
    odd: tuple[Oddity, ...]
    own: tuple[Owing, ...] = ()

    @property
    def lead_s(self) -> float | None:
        """From when it counts until it begins, negative if it had begun; None if either is not known."""
        if self.start_s is None or self.counts_from_s is None:
            return None
        return self.start_s - self.counts_from_s

    @property
    def owed(self) -> tuple[Owing, ...]:
        """What is or was owed, by all addressees and by its author."""
        return (*(one for standing in self.standings for one in standing.owed), *self.own)

    def standing(self, party: str) -> Standing:
        """How matters stand with that addressee.

        Raises
        ------
        KeyError
            If the entry was not addressed to it.
        """
        for one in self.standings:
            if one.party == party:
                return one
        raise KeyError(party)
