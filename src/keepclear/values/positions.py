"""Positions: where units were, what reported it, whose they are, and what is shared of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from keepclear.values.base import Asked, EntryId, LineName, PartyName, ShortText, Time, Told

__all__ = [
    "POSITIONS_EXAMPLE",
    "BatchTold",
    "BindingAsked",
    "BindingTold",
    "BoundTold",
    "PostedTold",
    "ShareAsked",
    "SharedTold",
    "SharingAsked",
    "SharingTold",
    "SourceAsked",
    "SourceTold",
    "TrackTold",
    "UnitTold",
]  # fmt: skip

POSITIONS_EXAMPLE: dict[str, Any] = {
    "source": "trackers",
    "positions": [
        {"unit": "patrol-3", "time": "2026-01-31T09:00:00Z", "lon_deg": 41.22, "lat_deg": 37.05, "uncertainty_m": 10},
        {"callsign": "HAWK 1", "time": "2026-01-31T09:00:05Z", "lon_deg": 41.3, "lat_deg": 37.1, "height_m": 3000,
         "height_reference": "AMSL"},
    ],
}  # fmt: skip
_Metres = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1, max_length=100)]
_KindText = Literal["patrol", "convoy", "ground move", "flight", "uas", "exercise", "survey", "medevac", "sar"]
_DomainText = Literal["ground", "air", "uas", "sea"]
_Grid = Annotated[int, Field(description="1, 5, 10, 50 or 100.", examples=[5])]


class SourceAsked(Asked):
    """What reports positions.

    Attributes
    ----------
    owner
        The party whose source it is; left out: our own.
    accuracy_m
        How far off its positions may be, besides what each says of itself.
    max_age_s
        How long a position says where a unit is; a longer silence is a gap in its track.
    clock_tolerance_s
        How far its clock may be ahead of the node's.
    note
        Whatever is worth knowing of it.
    """

    owner: PartyName | None = None
    accuracy_m: _Metres = 0.0
    max_age_s: Annotated[float, Field(ge=0.0, le=86_400.0, allow_inf_nan=False)] = 60.0
    clock_tolerance_s: Annotated[float, Field(ge=0.0, le=3600.0, allow_inf_nan=False)] = 5.0
    note: Annotated[str, Field(max_length=1000)] = ""


class SourceTold(Told):
    """What reports positions.

    Attributes
    ----------
    name, owner, accuracy_m, max_age_s, clock_tolerance_s, note
        As it was registered.
    person, at
        Who registered it, and when.
    """

    name: str
    owner: str
    accuracy_m: float
    max_age_s: float
    clock_tolerance_s: float
    note: str
    person: str
    at: Time


class BoundTold(Told):
    """Whose unit something is; the party is empty where nobody knows, and the operation null."""

    party: str
    unit: str
    operation: EntryId | None = None
    kind: str = ""
    platform_class: str = ""
    domains: list[str] = Field(default=[])
    binding: int | None = None


class BatchTold(Told):
    """A batch that was taken.

    Attributes
    ----------
    batch
        SHA-256 of its canonical text, in hexadecimal: the same positions are the same batch, however they are written.
    source
        What reported it.
    person, kept_at
        Who brought it, and when.
    count, start, end
        How many positions it has, and from when to when.
    """

    batch: str
    source: str
    person: str
    kept_at: Time
    count: int
    start: Time
    end: Time


class PostedTold(BatchTold):
    """A batch that was sent.

    Attributes
    ----------
    again
        Whether it had been taken before; then nothing was done.
    units
        Of which units it is, by the rules of now.
    warnings
        What a person should know.
    """

    again: bool
    units: list[BoundTold]
    warnings: list[str] = Field(default=[])


class BindingAsked(Asked):
    """Whose unit it is of which positions speak so; of several bindings the newest counts.

    Attributes
    ----------
    by, value
        What a position must say, and which.
    unit
        What the unit is called; left out: as the value.
    party
        Whose it is; left out: our own; empty: nobody's that is known.
    operation
        The id of that party's operation that it is on; left out: the one that is called as the unit, if there is one.
    kind, domain, platform_class
        What it does, where it moves, and what it is; left out where that is not known, or its filing says so.
    start, end
        From when to when that holds; left out: always.
    """

    by: Literal["unit", "callsign", "uid", "icao"] = Field(examples=["callsign"])
    value: _Name = Field(examples=["HAWK 1"])
    unit: _Name | None = None
    party: Annotated[str, Field(max_length=63, pattern="^$|^[A-Za-z0-9]", examples=["TR"])] | None = None
    operation: _Name | None = None
    kind: _KindText | None = None
    domain: _DomainText | None = None
    platform_class: _Name | None = None
    start: Time | None = None
    end: Time | None = None


class BindingTold(Told):
    """A binding.

    Attributes
    ----------
    number
        By which it is taken back.
    by, value, unit, party, operation, kind, domain, platform_class, start, end
        As it was made.
    person, at
        Who made it, and when.
    """

    number: int
    by: str
    value: str
    unit: str
    party: str
    operation: str
    kind: str
    domain: str
    platform_class: str
    start: Time | None
    end: Time | None
    person: str
    at: Time


class UnitTold(Told):
    """A unit of which there are positions here.

    Attributes
    ----------
    bound
        Whose it is.
    said
        By what the positions call it.
    source
        What reported them.
    start, end, count
        From when to when, and how many.
    state
        How it stands to its operation while that is under way: ``conforming``, ``nonconforming``, ``track lost`` or
        ``unknown``; null where there is none.
    since, outside_m, share
        Since when; how far outside; and the share of the time so far in which it certainly kept to it.
    sentence
        The same in words.
    """

    bound: BoundTold
    said: dict[str, str]
    source: str
    start: Time
    end: Time
    count: int
    state: str | None = None
    since: Time | None = None
    outside_m: float | None = None
    share: float | None = None
    sentence: str = ""


class TrackTold(Told):
    """Where a unit was, as reported; one position for each time, in their order.

    Attributes
    ----------
    party, unit, source, source_owner
        Whose unit, and what reported it.
    operation
        The filing that it was on; null where that is not known.
    gap_s
        A longer silence than this is a gap.
    height_reference
        What heights are counted from.
    times, lon_deg, lat_deg, height_m, uncertainty_m
        The positions; a height that is not known is null.
    batches
        SHA-256 of the batches that it was shared in.
    """

    party: str
    unit: str
    source: str
    source_owner: str
    operation: EntryId | None
    gap_s: float
    height_reference: str
    times: list[Time]
    lon_deg: list[float]
    lat_deg: list[float]
    height_m: list[float | None]
    uncertainty_m: list[float]
    batches: list[str] = Field(default=[])


class ShareAsked(Asked):
    """What of our positions is told to whom: our own choice.

    Attributes
    ----------
    line
        On which line; left out where there is only one.
    unit
        Which of our units.
    start, end
        Positions from when to when.
    recipients
        Who is given them; left out: all who are on the line. An empty list: nobody; the batch is committed to, so that
        it can be proved later.
    grid_km
        How roughly: a grid of so many kilometres.
    exact
        Instead: exactly.
    delay_s
        Positions that are not so old are not told.
    """

    line: LineName | None = None
    unit: _Name = Field(examples=["patrol-3"])
    start: Time
    end: Time
    recipients: list[PartyName] | None = None
    grid_km: _Grid = 5
    exact: bool = False
    delay_s: Annotated[float, Field(ge=0.0, le=2_678_400.0, allow_inf_nan=False)] = 0.0


class SharedTold(Told):
    """Positions that were told.

    Attributes
    ----------
    id
        The entry.
    batch
        SHA-256 of the batch, which stands in it.
    count
        How many positions.
    warnings
        What a person should know.
    """

    id: EntryId
    batch: str
    count: int
    warnings: list[str] = Field(default=[])


class SharingAsked(Asked):
    """What is shared from now on, until it is ended.

    Attributes
    ----------
    line, unit, recipients, grid_km, exact, delay_s
        As for positions that are shared once. Whoever comes onto the line later is not told.
    every_s
        How often.
    until
        Until when; left out: until it is ended.
    """

    line: LineName | None = None
    unit: _Name = Field(examples=["patrol-3"])
    recipients: list[PartyName] | None = None
    grid_km: _Grid = 5
    exact: bool = False
    delay_s: Annotated[float, Field(ge=0.0, le=2_678_400.0, allow_inf_nan=False)] = 0.0
    every_s: Annotated[float, Field(ge=5.0, le=86_400.0, allow_inf_nan=False)] = 60.0
    until: Time | None = None


class SharingTold(Told):
    """Something that is shared as time goes by.

    Attributes
    ----------
    number
        By which it is ended.
    line, unit, recipients, grid_km, delay_s, every_s, until
        As it was begun; recipients: who was on the line then, where nobody was named; grid null: exactly.
    shared_to
        Up to which time it was shared.
    person, at
        Who began it, and when.
    ended_by, ended_at
        Who ended it; null while it goes on.
    """

    number: int
    line: LineName
    unit: str
    recipients: list[str] | None
    grid_km: int | None
    delay_s: float
    every_s: float
    until: Time | None
    shared_to: Time
    person: str
    at: Time
    ended_by: ShortText | None = None
    ended_at: Time | None = None
