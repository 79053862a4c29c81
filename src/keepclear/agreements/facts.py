"""What terms and labels are judged by: filings, tracks, and what else stands on the record. Values, made elsewhere.

Nothing here counts from its author's clock. An entry counts from when somebody other than its author is known to have
had it (`counts_from_s`); before that it is only what its author says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from keepclear.model.extents import Track
from keepclear.model.kinds import Domain
from keepclear.model.operations import Operation, Zone
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef

__all__ = ["Evidence", "Filed", "Finding", "Flown", "Given", "Heard", "RecordView", "Result"]


class Result(StrEnum):
    """What a term says of something. Within a term is no more than that: nobody was allowed anything."""

    MET = "met"
    BREACHED = "breached"
    POSSIBLE = "possible"
    """What is known does not decide it."""
    NOT_YET = "not yet"
    """Nothing was due by then."""
    NO_DATA = "no data"
    """There is nothing to judge by, or the term is of a type that this version does not know."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on.

    Attributes
    ----------
    ref
        An entry; None where it is none.
    track
        A track, as "PARTY unit", with the hash of its batch where it has one; empty where it is none.
    note
        What it shows, as a sentence: numbers with units.
    """

    ref: EntryRef | None = None
    track: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one term says of one thing, at one time.

    Attributes
    ----------
    term, clause
        Which.
    result
        What it says.
    sentence
        The same in words that can be read out, with place, time (UTC) and by how much.
    party
        Who is bound, and is spoken of; empty where it is nobody alone.
    about
        The filing; None where it is about no filing, or about one that is not said yet.
    unit
        The unit whose track it is about; empty where it is about none.
    from_s, to_s
        When: seconds since the epoch. None: not bounded.
    due_s
        By when something was due; None where nothing was.
    evidence
        What it rests on.
    disputed_by
        The parties that say otherwise on the record.
    """

    term: str
    clause: str
    result: Result
    sentence: str
    party: str = ""
    about: EntryRef | None = None
    unit: str = ""
    from_s: float | None = None
    to_s: float | None = None
    due_s: float | None = None
    evidence: tuple[Evidence, ...] = ()
    disputed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that counts.

    Attributes
    ----------
    ref, party, answer
        Which entry it is, whose, and what.
    at_s
        From when it counts.
    """

    ref: EntryRef
    party: str
    answer: AnswerGiven
    at_s: float


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing: one version of what a party says that it plans.

    Attributes
    ----------
    ref
        The entry; None where it is not said yet (a check before filing).
    party
        Who says it.
    plan
        What is planned; None where the filing cannot be read or gives no place or time, and then `problem` says why.
    problem
        Why it is incomplete: "no geometry", "the body is not held".
    on_behalf_of
        The affiliate whose operation it is; empty where it is the party's own.
    recipients
        Who was told.
    said_s
        When, by its author's clock; nothing counts from it.
    counts_from_s
        When somebody else is known to have had it; None if nobody is, or it is not said yet.
    start_s, end_s
        The earliest and the latest moment, slip included; None where that is not known.
    answers
        Of others, those that count, in time order.
    conflicts
        The filings it conflicts with by an advisory or a search that is neither resolved nor accepted.
    settled
        Those with which a conflict was resolved or accepted, each with from when: before that it was open.
    superseded_s, cancelled_s
        From when it stands no more; None while it does.
    superseded_by
        The entry that took its place.
    exercise
        Whether it is for practice.
    reason_if_late
        What its author says of why it was told so late.
    is_rough
        Whether it is told only roughly (its body has a `precision`): it contains what is meant, and is wider.
    """

    ref: EntryRef | None
    party: str
    plan: Operation | Zone | None
    problem: str = ""
    on_behalf_of: str = ""
    recipients: frozenset[str] = frozenset()
    said_s: float | None = None
    counts_from_s: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    answers: tuple[Given, ...] = ()
    conflicts: tuple[EntryRef, ...] = ()
    settled: tuple[tuple[EntryRef, float], ...] = ()
    superseded_s: float | None = None
    cancelled_s: float | None = None
    superseded_by: EntryRef | None = None
    exercise: bool = False
    reason_if_late: str = ""
    is_rough: bool = False

    @property
    def lead_s(self) -> float | None:
        """From when it counts until it begins; negative where it had begun. None where either is not known."""
        return None if self.start_s is None or self.counts_from_s is None else self.start_s - self.counts_from_s

    def stood_at(self, at_s: float) -> bool:
        """Whether it counted at that time, and was neither superseded nor cancelled."""
        over = [one for one in (self.superseded_s, self.cancelled_s) if one is not None]
        return self.counts_from_s is not None and self.counts_from_s <= at_s and all(at_s < one for one in over)


@dataclass(frozen=True, eq=False, slots=True)
class Flown:
    """Where one unit was, as reported.

    Attributes
    ----------
    party, unit
        Whose unit, and which. The party is empty where nobody says that it is its own.
    track
        The positions; its uncertainty holds that of the source.
    operation
        The filing that it was flown or driven for; None where that is not known.
    kind, platform_class
        What sort of thing moves: an `OperationKind` value and the class; empty where not known.
    source
        The name of the source.
    source_owner
        The party whose source it is.
    gap_s
        A longer silence than this between two positions is a gap: where the unit was then is not known.
    batches
        SHA-256 (hex) of the batches that it was shared in; empty where it was not.
    domains
        Where it moves; empty where only the kind tells.
    """

    party: str
    unit: str
    track: Track
    operation: EntryRef | None = None
    kind: str = ""
    platform_class: str = ""
    source: str = ""
    source_owner: str = ""
    gap_s: float = 60.0
    batches: tuple[str, ...] = ()
    domains: frozenset[Domain] = frozenset()

    @property
    def name(self) -> str:
        """How it is called in sentences."""
        return f"{self.party or 'nobody known'} {self.unit}"


@dataclass(frozen=True, slots=True)
class Heard:
    """Any other entry that terms or labels look at, read.

    Attributes
    ----------
    ref, party, body
        Which entry, whose, and what it says.
    said_s
        When, by its author's clock.
    counts_from_s
        When somebody else is known to have had it; None if nobody is.
    answers
        Of others, those that count, in time order.
    exercise
        Whether it is for practice: nothing said so binds anybody.
    """

    ref: EntryRef
    party: str
    body: Body
    said_s: float
    counts_from_s: float | None
    answers: tuple[Given, ...] = ()
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class RecordView:
    """What else stands on the record: agreements' entries, notices, measures, joint plans, messages, tests, claims.

    Attributes
    ----------
    parties
        Who is on the line.
    heard
        All entries that are no filings or answers, by type, in the order in which they count.
    channel
        Per party, the intervals (from_s, to_s, state) of the channel to it, as our node saw them.
    """

    parties: frozenset[str] = frozenset()
    heard: Mapping[str, Sequence[Heard]] = field(default_factory=dict)
    channel: Mapping[str, Sequence[tuple[float, float, str]]] = field(default_factory=dict)

    def of(self, entry_type: str) -> Sequence[Heard]:
        """The entries of a type."""
        return self.heard.get(entry_type, ())
