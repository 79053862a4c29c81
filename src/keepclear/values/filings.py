"""Filings: operations and zones to be filed, what was filed, and drafts that nobody else sees."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from keepclear.record.bodies.plans import OperationValue, ZoneValue
from keepclear.values.base import Asked, EntryId, LineName, LongText, PartyName, Time, Told
from keepclear.values.conflicts import FoundTold
from keepclear.values.entries import EntrySaid, RefTold
from keepclear.values.problems import Problem
from keepclear.values.term_findings import TermFindingTold

__all__ = [
    "DAY_PATTERN",
    "MOST_FILINGS",
    "CancelledTold",
    "CheckAsked",
    "DraftAsked",
    "DraftTold",
    "FiledTold",
    "FilingAsked",
    "FilingOutcomeTold",
    "FilingTold",
    "FilingsAsked",
    "FilingsTold",
    "OperationAsked",
    "PrecisionAsked",
    "RecurrenceAsked",
    "SeriesAsked",
    "SeriesDayTold",
    "SeriesTold",
    "ZoneAsked",
]

DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
"""A day as ISO 8601 has it."""
MOST_FILINGS = 500
"""Plans in one request."""
OPERATION_EXAMPLE: dict[str, Any] = {
    "party": "RU",
    "id": "patrol-17",
    "kind": "patrol",
    "volumes": [
        {
            "footprint": {"shape": "circle", "lon_deg": 40.652, "lat_deg": 37.065, "radius_m": 2000.0},
            "start_s": 1767258000.0,
            "end_s": 1767265200.0,
        }
    ],
}
ZONE_EXAMPLE: dict[str, Any] = {
    "party": "RU",
    "id": "clinic-3",
    "kind": "protected site",
    "volumes": [{"footprint": {"shape": "circle", "lon_deg": 41.22, "lat_deg": 37.05, "radius_m": 500.0}}],
}


class PrecisionAsked(Asked):
    """How much the recipients are told: cells of a fixed grid and whole steps, which always contain the exact shape.

    Attributes
    ----------
    grid_km
        Size of the cells.
    time_s
        Step of times, 60 s to a day; rounded outwards.
    height_m
        Step of heights; left out: heights as they are.
    """

    grid_km: int = 10
    time_s: Annotated[int, Field(ge=60, le=86_400)] = 1800
    height_m: Annotated[float, Field(ge=1.0, le=10_000.0)] | None = None


Recipients = Literal["all"] | Annotated[list[PartyName], Field(max_length=1000)]
PrecisionFor = Annotated[dict[PartyName, PrecisionAsked | None], Field(max_length=1000)]


class _FilingAsked(Asked):
    """What a filing says besides the plan itself.

    Attributes
    ----------
    line
        Where; may be left out where the party is on one line only.
    recipients
        To whom: names of parties, or ``"all"`` on the line. To nobody (``[]``) it is only committed to.
    precision
        How much they are told; left out: exactly what is filed.
    precision_for
        The same for single recipients; null for exactly.
    commit_exact
        Whether, where nobody is told exactly, the exact plan is committed to, so that it can be proved later.
    remarks
        Free text.
    on_behalf_of
        The affiliate whose plan it is.
    exercise
        Whether it is for practice.
    reason_if_late
        Why it is filed so late, where it is.
    despite_terms
        Why it is filed although it is not within a term of an agreement in force: without it such a filing is refused
        with 409, and told which clause. Nobody but this node is told of it.
    """

    line: LineName | None = None
    recipients: Recipients = "all"
    precision: PrecisionAsked | None = None
    precision_for: PrecisionFor = Field(default={})
    commit_exact: bool = True
    remarks: LongText | None = None
    on_behalf_of: PartyName | None = None
    exercise: bool = False
    reason_if_late: LongText | None = None
    despite_terms: LongText | None = None


class OperationAsked(_FilingAsked):
    """An operation to be filed: its body as in docs/spec/entries.md, times in seconds since 1970-01-01T00:00:00Z."""

    operation: Annotated[OperationValue, Field(examples=[OPERATION_EXAMPLE])]


class ZoneAsked(_FilingAsked):
    """A zone to be filed: its body as in docs/spec/entries.md."""

    zone: Annotated[ZoneValue, Field(examples=[ZONE_EXAMPLE])]


class FilingAsked(_FilingAsked):
    """One of several plans to be filed, with all that can be said of it alone.

    Attributes
    ----------
    operation, zone
        The plan: one of them.
    """

    operation: Annotated[OperationValue, Field(examples=[OPERATION_EXAMPLE])] | None = None
    zone: Annotated[ZoneValue, Field(examples=[ZONE_EXAMPLE])] | None = None


class FilingsAsked(Asked):
    """Plans to be filed in one request, in their order. What is not of this form is refused whole.

    Attributes
    ----------
    filings
        The plans; each is filed, or not, by itself.
    all_or_none
        Whether none of them is filed if one cannot be. They are all of one line then.
    """

    filings: Annotated[
        list[FilingAsked],
        Field(
            min_length=1,
            max_length=MOST_FILINGS,
            examples=[[{"operation": OPERATION_EXAMPLE}, {"zone": ZONE_EXAMPLE, "remarks": "Open day and night."}]],
        ),
    ]
    all_or_none: bool = False


class CheckAsked(Asked):
    """A plan to be tried against all that the node knows. Nobody is told, and nothing is kept.

    Attributes
    ----------
    operation, zone
        The plan: one of them.
    leaving_out
        Filings that it is not to be compared with, such as the one that it would take the place of.
    exercise
        Whether it is for practice.
    on_behalf_of
        The affiliate whose plan it is: a term may bind it, or not.
    to_file
        Whether it is tried besides whether it could be filed now: what would be refused then is refused here, and
        ``warnings`` are those of the filing. The members below matter for that alone.
    recipients, precision, reason_if_late
        As in a filing; without recipients all on the line.
    """

    operation: Annotated[OperationValue, Field(examples=[OPERATION_EXAMPLE])] | None = None
    zone: ZoneValue | None = None
    line: LineName | None = None
    leaving_out: Annotated[list[EntryId], Field(max_length=1000)] = Field(default=[])
    exercise: bool = False
    on_behalf_of: PartyName | None = None
    to_file: bool = False
    recipients: Recipients = "all"
    precision: PrecisionAsked | None = None
    reason_if_late: LongText | None = None


class FilingTold(Told):
    """An operation or a zone that was filed, and how it stands.

    Attributes
    ----------
    id, ref, line, party, type
        Which entry, where, whose, and whether an operation or a zone.
    thing_id, kind, name
        Of the plan, where they are known.
    thing
        The plan as it was told to us; null in lists, and where this node does not hold it.
    problem
        Why it is not known what it says; such a filing is never clear of anything.
    state
        How far it has come; no state is a permission.
    answer
        What our last search found of it: conflict, possible or clear; null where it was not searched.
    terms
        Terms in force that it is not within, or may not be; left out in lists.
    warnings
        What a person should know of it: that it was told late, or says too little; left out in lists.
    """

    id: EntryId
    ref: RefTold
    line: LineName
    party: PartyName
    type: str
    thing_id: str = ""
    kind: str | None = None
    name: str = ""
    thing: dict[str, Any] | None = None
    remarks: str | None = None
    on_behalf_of: str | None = None
    exercise: bool = False
    starts: Time | None = None
    ends: Time | None = None
    kept_at: Time | None = None
    state: str
    active: bool = False
    problem: str = ""
    answer: str | None = None
    terms: list[TermFindingTold] = Field(default=[])
    warnings: list[str] = Field(default=[])
    supersedes: EntryId | None = None
    superseded_by: EntryId | None = None
    cancelled_by: EntryId | None = None


class FiledTold(Told):
    """A filing that is in our log now, and what it comes too close to.

    Attributes
    ----------
    id, ref
        The entry; where recipients were told at different precision, the most exact one.
    entries
        All entries that were said.
    found_before, found_after
        What was found before it was said, and after: meanwhile others may have filed.
    warnings
        What a person should know of it, such as that it is late.
    """

    id: EntryId
    ref: RefTold
    entries: list[EntrySaid] = Field(default=[])
    found_before: FoundTold | None = None
    found_after: FoundTold | None = None
    warnings: list[str] = Field(default=[])


class FilingOutcomeTold(Told):
    """What became of one of several plans: it was filed, or there is a problem.

    Attributes
    ----------
    filed
        As a filing by itself is answered; null where it was not filed.
    problem
        Why it was not filed, as a filing by itself is refused; null where it was.
    """

    filed: FiledTold | None = None
    problem: Problem | None = None


class FilingsTold(Told):
    """What became of each of several plans, in the order in which they were asked."""

    items: list[FilingOutcomeTold]


class CancelledTold(Told):
    """The entries that say that a filing no longer stands: one for each entry that told of it."""

    entries: list[EntrySaid]


class DraftAsked(_FilingAsked):
    """A plan that is not filed yet, and may be incomplete. It never leaves the node.

    Attributes
    ----------
    operation, zone
        The plan: one of them.
    """

    operation: Annotated[OperationValue, Field(examples=[OPERATION_EXAMPLE])] | None = None
    zone: ZoneValue | None = None


class DraftTold(Told):
    """A draft; `version` grows with each change, and is its ETag."""

    id: int
    version: int
    by: str
    changed_at: Time
    line: LineName | None = None
    draft: dict[str, Any]


class RecurrenceAsked(Asked):
    """When an operation comes again, such as every night but Friday.

    Attributes
    ----------
    zone
        The time zone whose clocks count, by its name in the IANA database.
    days
        Of the week on which it starts, 1 for Monday to 7 for Sunday.
    until
        It starts no later than this.
    except_days
        Days on which it does not start all the same.
    ahead_s
        How long before its start each is filed.
    """

    zone: Annotated[str, Field(min_length=1, max_length=64, examples=["Asia/Damascus"])] = "UTC"
    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    until: Time
    except_days: Annotated[list[Annotated[str, Field(pattern=DAY_PATTERN)]], Field(max_length=4000)] = Field(default=[])
    ahead_s: Annotated[float, Field(ge=0.0, le=90 * 86_400.0)] = 7 * 86_400.0


class SeriesAsked(_FilingAsked):
    """An operation that comes again; each is filed in its time.

    Attributes
    ----------
    operation
        The first of them; the others are the same, on other days.
    recurrence
        When it comes again.
    """

    operation: Annotated[OperationValue, Field(examples=[OPERATION_EXAMPLE])]
    recurrence: RecurrenceAsked


class SeriesTold(Told):
    """A series: the first filing, and when it comes again."""

    id: int
    line: LineName | None
    by: str
    begun_at: Time
    request: dict[str, Any]
    recurrence: dict[str, Any]
    cancelled: Time | None = None
    cancelled_by: str | None = None


class SeriesDayTold(Told):
    """One of a series.

    Attributes
    ----------
    day
        On the clocks of the zone; it names the occurrence.
    state
        due (not filed yet), filed, cancelled, failed or missed.
    entry
        The entry that files it.
    note
        Why it failed, or what is odd about its time.
    """

    day: str
    starts: Time
    state: str
    thing_id: str = ""
    entry: EntryId | None = None
    note: str = ""
