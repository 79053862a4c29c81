"""What terms about areas share: who is inside, when and where, by the same exact tests as the search for conflicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Region
from keepclear.agreements.excess import ROUGH, Field, Standing, excess_of_plan
from keepclear.agreements.facts import Filed, Finding, Flown, Result
from keepclear.agreements.terms.base import Scene, Term, filed_name
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.binding import plan_of_track
from keepclear.agreements.terms.fields import region_of
from keepclear.agreements.terms.geometry import NamedArea
from keepclear.agreements.terms.on_lines import screened_by_field
from keepclear.agreements.terms.quantities import said_moment
from keepclear.model.extents import Volume
from keepclear.model.findings import Answer, Interval
from keepclear.model.footprints import Circle, Corridor, Footprint
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import GAP_LIMIT_S, Domain, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.evidence import PairEvidence, collect
from keepclear.separation.judging_standing import judge_standing
from keepclear.separation.minima import MinimaTable
from keepclear.separation.sentences import place
from keepclear.separation.world import compile_world
from keepclear.times import EARLIEST_S, LATEST_S

__all__ = [
    "Inside",
    "as_operation",
    "doubt_m",
    "filings_by_area",
    "inside",
    "screened_by_areas",
    "track_by_area",
    "volumes_of",
    "widened",
    "zone_of",
]

_NO_FLOOR, _NO_CEILING = Height(-12_000.0, HeightReference.W84), Height(1_000_000.0, HeightReference.W84)


@dataclass(frozen=True, slots=True)
class Inside:
    """That something is, or may be, inside a zone.

    Attributes
    ----------
    plan, zone
        Their places in what was asked about.
    certain
        Whether it is.
    because
        Why it only may be.
    intervals
        When, certain or possible.
    place
        Longitude and latitude of where.
    """

    plan: int
    zone: int
    certain: bool
    because: tuple[str, ...]
    intervals: tuple[Interval, ...]
    place: tuple[float, float]


def inside(plans: Sequence[Operation | Zone], zones: Sequence[Zone], *, gap_s: float | None = None) -> list[Inside]:
    """Which plans are, or may be, inside which zones.

    Parameters
    ----------
    gap_s
        A longer silence in a flown track is a gap; by domain if left out.
    """
    operations = [as_operation(plan, str(number)) for number, plan in enumerate(plans)]
    gaps = GAP_LIMIT_S if gap_s is None else dict.fromkeys(Domain, gap_s)
    world = compile_world(operations, zones, minima=MinimaTable.default(), compare_own=False, gap_limits_s=gaps)
    found = [_inside(pair, len(operations)) for pair in collect(judge_standing(world))]
    return [_as_certain(one, operations[one.plan], zones[one.zone]) for one in found]


def as_operation(plan: Operation | Zone, name: str, party: str = "-") -> Operation:
    """A plan as an operation of a party; an area that someone announced is one without bounds that are not given."""
    if isinstance(plan, Operation):
        return replace(plan, party=party, id=name, joint=plan.joint if party != "-" else None)
    volumes = tuple(
        replace(
            one,
            floor=one.floor or _NO_FLOOR,
            ceiling=one.ceiling or _NO_CEILING,
            start_s=EARLIEST_S if one.start_s is None else one.start_s,
            end_s=LATEST_S if one.end_s is None else one.end_s,
        )
        for one in plan.volumes
    )
    return Operation(party, name, None, volumes)


def zone_of(
    term: Term,
    footprints: Iterable[Footprint],
    *,
    kind: ZoneKind = ZoneKind.NO_GO_AREA,
    floor: Height | None = None,
    ceiling: Height | None = None,
    name: str = "",
) -> Zone:
    """A zone over footprints, while the term binds."""
    return Zone(
        f"{term.TYPE}", name or term.id, kind, volumes_of(term, footprints, floor, ceiling), name=name or term.id
    )


def volumes_of(
    term: Term, footprints: Iterable[Footprint], floor: Height | None = None, ceiling: Height | None = None
) -> tuple[Volume, ...]:
    """Volumes over footprints, while the term binds."""
    return tuple(Volume(one, floor, ceiling, term.from_s, term.until_s) for one in footprints)


def widened(footprints: Iterable[Footprint], buffer_m: float) -> tuple[Footprint, ...]:
    """Footprints that together are all places so near to these, or in them."""
    found: list[Footprint] = []
    for one in footprints:
        if isinstance(one, Circle):
            found.append(Circle(one.lon_deg, one.lat_deg, one.radius_m + buffer_m))
        elif isinstance(one, Corridor):
            found.append(Corridor(one.line, one.half_width_m + buffer_m, one.edges))
        else:
            found.append(one)
            if buffer_m > 0.0:
                found += [Corridor(ring, buffer_m, one.edges) for ring in one.rings]
    return tuple(found)


def filings_by_area(
    term: Term, filings: Sequence[Filed], zones: Sequence[Zone], what: str
) -> list[tuple[Finding, ...]]:
    """What a term says of filings that are to keep out of zones; `what` is where, as in "is inside WHAT"."""
    known = [row for row, one in enumerate(filings) if one.plan is not None]
    by_row: dict[int, list[Inside]] = {}
    for one in inside([plan for row in known if (plan := filings[row].plan) is not None], zones) if known else ():
        by_row.setdefault(known[one.plan], []).append(one)
    return [_of_filing(term, filed, by_row.get(row, []), what) for row, filed in enumerate(filings)]


def _of_filing(term: Term, filed: Filed, found: Sequence[Inside], what: str) -> tuple[Finding, ...]:
    if filed.plan is None:
        sentence = f"{filed_name(filed)} cannot be judged: {filed.problem or 'it says neither where nor when'}."
        return (term.about(Result.POSSIBLE, filed, sentence),)
    if filed.is_rough:
        found = [replace(one, certain=False, because=(*one.because, ROUGH)) for one in found]
    worst = _worst(found)
    if worst is None:
        return (term.about(Result.MET, filed, f"{filed_name(filed)} keeps out of {what}, as filed."),)
    result, said, times = _told(worst, what, "as filed")
    return (term.about(result, filed, f"{filed_name(filed)} {said}", **times),)


def track_by_area(term: Term, flown: Flown, zones: Sequence[Zone], what: str, scene: Scene) -> tuple[Finding, ...]:
    """What a term says of a track that is to keep out of zones."""
    worst = _worst(inside([plan_of_track(flown, scene.filing_of(flown))], zones, gap_s=flown.gap_s))
    if worst is None:
        sentence = f"{flown.name} kept out of {what}, by its track."
        return (term.about_track(Result.MET, flown, sentence),)
    result, said, times = _told(worst, what, "by its track")
    return (term.about_track(result, flown, f"{flown.name} {said}", **times),)


def screened_by_areas(
    batch: Batch, bound: npt.NDArray[np.bool_], areas: Sequence[NamedArea], buffer_m: float = 0.0
) -> npt.NDArray[np.bool_]:
    """Which of the bound filings may be inside some areas, by the spheres round them."""
    return screened_by_field(batch, bound, inside_field(areas, buffer_m))


def inside_field(areas: Sequence[NamedArea], buffer_m: float = 0.0) -> Field:
    """Out: inside the areas, or nearer to them than a buffer; 20 m of care included."""
    region = region_of(areas)

    def field(points: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        return buffer_m + 20.0 - region.outside(points), np.full(len(points), np.inf)

    return field


def doubt_m(operation: Operation) -> float:
    """How far off any of an operation may be, metres."""
    doubts = [one.uncertainty_m for one in operation.volumes]
    return max([*doubts, *(float(np.max(one.uncertainty_m)) for one in operation.tracks)], default=0.0)


def _as_certain(found: Inside, operation: Operation, zone: Zone) -> Inside:
    """The same, but only possible where its place is not known so well that it is inside wherever it may have been."""
    doubt = doubt_m(operation)
    if not found.certain or doubt <= 0.0:
        return found
    region = Region([one.footprint for one in zone.volumes])
    deep = excess_of_plan(operation, lambda points: (-region.outside(points), np.full(len(points), np.inf)))
    if deep is not None and deep.standing is Standing.OUT:
        return found
    return replace(found, certain=False, because=(f"its place is known only to {doubt:,.0f} m",))


def _inside(pair: PairEvidence, plans: int) -> Inside:
    lon, lat, _ = pair.closest.a
    return Inside(
        pair.first, pair.second - plans, pair.answer is Answer.CONFLICT, pair.reasons, pair.intervals, (lon, lat)
    )


def _worst(found: Sequence[Inside]) -> Inside | None:
    """All of the gravest together."""
    if not found:
        return None
    certain = any(one.certain for one in found)
    same = [one for one in found if one.certain is certain]
    because = tuple(dict.fromkeys(reason for one in same for reason in one.because))
    intervals = tuple(sorted(_of(same, certain=certain), key=_start))
    return replace(same[0], because=because, intervals=intervals)


def _of(found: Sequence[Inside], *, certain: bool) -> Iterator[Interval]:
    for one in found:
        for interval in one.intervals:
            if not certain or interval.answer is Answer.CONFLICT:
                yield interval


def _start(interval: Interval) -> float:
    return -math.inf if interval.start_s is None else interval.start_s


def _told(found: Inside, what: str, how: str) -> tuple[Result, str, dict[str, float | None]]:
    start = found.intervals[0].start_s if found.intervals else None
    ends = [one.end_s for one in found.intervals]
    end = None if None in ends or not ends else max(one for one in ends if one is not None)
    lon, lat = found.place
    begins = "" if start is None else f" from {said_moment(start)}"
    until = "" if end is None else f" to {said_moment(end)}"
    where = f"near {place((lon, lat, None))},{begins}{until}".rstrip(",")
    times = {"from_s": start, "to_s": end}
    if found.certain:
        return Result.BREACHED, f"is inside {what}, {how}, {where}.", times
    return Result.POSSIBLE, f"may be inside {what}, {how}, {where}: {'; '.join(found.because)}.", times
