"""Encounters, what was said publicly of them, and incident reports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from keepclear.record.bodies.joint import MeasureKind
from keepclear.record.bodies.watched import ClaimBody
from keepclear.values.base import Asked, EntryId, LineName, LongText, PartyName, Time, Told

__all__ = [
    "CLAIM_EXAMPLE",
    "ApproachTold",
    "ClaimAsked",
    "ClaimTold",
    "EncounterTold",
    "EvidenceTold",
    "IncidentAsked",
    "IncidentDraftTold",
    "IncidentTold",
    "LabelTold",
    "MeasureAsked",
    "MetTold",
    "ReplyAsked",
    "WeighedTold",
    "WeighingAsked",
]  # fmt: skip

CLAIM_EXAMPLE: dict[str, Any] = {
    "subject": {"parties": ["RU", "US"], "from_s": 1590566400.0, "to_s": 1590573600.0},
    "said_by": "a spokesman", "said_s": 1590580800.0, "where": "https://example.org/2020/05/27",
    "words_ref": "first joint patrol", "language": "en", "asserts": "joint",
}  # fmt: skip
_LabelText = Literal[
    "undetermined", "joint", "joint-planned", "coordinated", "deconflicted", "notified-only", "coincidental"
]


class MetTold(Told):
    """One side of an encounter; the party is empty where nobody knows whose unit it is."""

    party: str
    unit: str


class EvidenceTold(Told):
    """What a label or a weighing rests on: an entry, a track, and what it shows."""

    entry: EntryId | None = None
    track: str = ""
    note: str = ""


class ApproachTold(Told):
    """The closest approach: by the positions as reported, and between what the true one lies."""

    time: Time | None
    horizontal_m: float
    least_m: float
    greatest_m: float
    vertical_m: float | None
    lon_deg: float
    lat_deg: float


class LabelTold(Told):
    """What two units, or two parties, did with each other, by the record.

    Attributes
    ----------
    a, b
        The two.
    basis
        Whether it is about tracks or about plans.
    start, end, certain
        When; and whether it is certain that they came within the minima, whatever the uncertainty of the positions.
    label
        What it was. No label is a judgement of anybody's right.
    flags, possible_flags
        What it was besides, and may have been.
    between, thresholds
        Of ``undetermined``: between which labels it lies, null for no encounter, and which threshold decides.
    because
        Why it has this label, in the order of the rules.
    would_change
        What would make it another.
    closest
        The closest approach; null where no positions tell it, and in a list: that somebody reads where another's unit
        was is noted, one encounter at a time.
    minima_m, minima_rule
        What bound them, and by which rule.
    evidence
        The entries and tracks that it rests on.
    """

    a: MetTold
    b: MetTold
    basis: str
    start: Time
    end: Time
    certain: bool
    label: _LabelText
    flags: list[str]
    possible_flags: list[str]
    between: list[str | None]
    thresholds: list[str]
    because: list[str]
    would_change: list[str]
    closest: ApproachTold | None
    minima_m: float
    minima_rule: str
    evidence: list[EvidenceTold]


class EncounterTold(LabelTold):
    """Two units that came within the minima that bind them, or may have; and what that was, by the record.

    Attributes
    ----------
    number, line
        Which; the line on whose record it was labelled.
    report
        The entry in which we reported it; null where we have not.
    has_draft
        Whether a report was drafted for it.
    """

    number: int
    line: LineName | None
    report: EntryId | None = None
    has_draft: bool = False


class IncidentDraftTold(Told):
    """An incident report as it was drafted: the members of an incident entry. Nobody was told.

    Attributes
    ----------
    encounter
        For which encounter.
    line
        On which line it would be said.
    report
        Its members (docs/spec/entries/incident-v1.json). Narrative and attribution are for its author to write.
    first_due, full_due
        By when a first and a full report are due.
    """

    encounter: int
    line: LineName | None
    report: dict[str, Any]
    first_due: Time
    full_due: Time


class IncidentAsked(Asked):
    """An incident report to be sent.

    Attributes
    ----------
    line
        On which line; left out where the encounter says it, or there is only one.
    encounter
        The encounter whose draft it completes; left out: a report of its own.
    recipients
        Who is told; left out: all who are on the line.
    report
        Members of an incident entry (docs/spec/entries/incident-v1.json); of an encounter, those that take the place of
        the draft's.
    """

    line: LineName | None = None
    encounter: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = None
    recipients: list[PartyName] | None = None
    report: Annotated[
        dict[str, Any], Field(examples=[{"id": "RU-7", "narrative": "The vehicles stopped 60 m apart."}])
    ] = Field(default={})


class ReplyAsked(Asked):
    """Our own side of what another party has reported: members of an incident entry."""

    report: Annotated[dict[str, Any], Field(examples=[{"narrative": "Our patrol stood still."}])]


class IncidentTold(Told):
    """An incident report on the record. Each party's is its own; they are never merged."""

    id: EntryId
    line: LineName
    party: str
    report: dict[str, Any]


class ClaimAsked(Asked):
    """What somebody said publicly of an encounter, to be kept by reference on the record.

    Attributes
    ----------
    line
        On which line; left out where there is only one.
    recipients
        Who is told; left out: all who are on the line.
    claim
        The claim: who, when, where; the words by reference alone; and what it comes to.
    """

    line: LineName | None = None
    recipients: list[PartyName] | None = None
    claim: Annotated[ClaimBody, Field(examples=[CLAIM_EXAMPLE])]


class WeighingAsked(Asked):
    """A claim to be weighed; nobody is told."""

    line: LineName | None = None
    claim: Annotated[ClaimBody, Field(examples=[CLAIM_EXAMPLE])]


class WeighedTold(Told):
    """How a claim stands to the record.

    Attributes
    ----------
    weight
        ``unsupported``: the record does not show it, nor does it show otherwise.
    because, evidence
        Why, and by which entries and tracks.
    labels
        What the encounters were that it was weighed against.
    """

    weight: Literal["supported", "unsupported", "contradicted"]
    because: list[str]
    evidence: list[EvidenceTold]
    labels: list[_LabelText]


class ClaimTold(Told):
    """A claim on the record; `weighed` is null in lists."""

    id: EntryId
    line: LineName
    party: str
    claim: dict[str, Any]
    weighed: WeighedTold | None = None


class MeasureAsked(Asked):
    """What would keep filings of both sides apart, or have them meet; the other side answers the entry.

    Attributes
    ----------
    filings
        Of both sides: two or more.
    measure
        Apart in ``time``, by ``route``, by ``level``, by ``area``; or a ``meeting``.
    text
        The measure, in words.
    """

    filings: Annotated[list[EntryId], Field(min_length=2, max_length=1000)]
    measure: MeasureKind
    text: LongText = Field(examples=["Ours stay at FL270 and above until 11:00Z."])
