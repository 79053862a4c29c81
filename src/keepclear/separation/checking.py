"""The check: every pair of operations, and of operation and zone, that comes or may come too close."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import repeat
from operator import attrgetter, itemgetter

from keepclear.clock import monotonic_s
from keepclear.errors import Fault, InputError
from keepclear.model.bulk import collector_paused, made_of
from keepclear.model.findings import Answer, Conflict, Report, Scope, Side
from keepclear.model.kinds import Domain, gap_limits
from keepclear.model.operations import Operation, Zone
from keepclear.separation.area import Area
from keepclear.separation.evidence import Evidence, PairEvidence, collect
from keepclear.separation.judging import judge_moving
from keepclear.separation.judging_standing import judge_standing
from keepclear.separation.minima import MinimaTable
from keepclear.separation.scope import pairs_compared
from keepclear.separation.sentences import sentence_of
from keepclear.separation.world import World, compile_world
from keepclear.times import EARLIEST_S, LATEST_S

__all__ = ["check", "conflict_of", "conflicts_of", "findings"]

Window = tuple[float | None, float | None]


def check(
    operations: Iterable[Operation],
    zones: Iterable[Zone] = (),
    *,
    minima: MinimaTable | None = None,
    between: str = "parties",
    window: Window | None = None,
    area: Area | None = None,
    gap_limits_s: Mapping[Domain, float] | None = None,
    propose: bool = False,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[float], None] | None = None,
    warnings: Iterable[str] = (),
) -> Report:
    """Find every conflict between operations of different parties, and between operations and zones.

    Distances are at the ellipsoid's surface. Clear means that no conflict was found in what is known; it is not a
    permission.

    Parameters
    ----------
    minima
        The least separation allowed; the default table where it is not given.
    between
        ``"parties"`` compares operations of different parties, ``"all"`` those of one party too.
    window
        From and to, seconds since the epoch: only what happens then is looked at. None is open.
    area
        West, south, east, north in degrees: only pairs with a part in it, where they are too close, are looked at.
    gap_limits_s
        By domain, the longest silence in a flown track that is bridged by a straight leg.
    propose
        Whether to look for the smallest changes that part each pair.
    jobs
        Threads to use.
    scheduler
        Address of a Dask scheduler that is to do the search instead.
    progress
        Called with the share done, from 0 to 1.
    warnings
        Sentences from reading that belong in the report.

    Raises
    ------
    InputError
        If two operations, or two zones, share party and id; if an option is out of range; if the minima between units
        that move are 0.
    """
    began = monotonic_s()
    operations, zones = tuple(operations), tuple(zones)
    _check_options(operations, zones, between, window, area)
    scope = Scope(*(window or (None, None)), area)
    world = compile_world(
        operations,
        zones,
        minima=minima or MinimaTable.default(),
        compare_own=between == "all",
        window=(-math.inf if scope.from_s is None else scope.from_s, math.inf if scope.to_s is None else scope.to_s),
        gap_limits_s=gap_limits(gap_limits_s),
        jobs=jobs,
        with_legs=scheduler is None,
    )
    conflicts = findings(world, area=area, jobs=jobs, scheduler=scheduler, progress=progress)
    if propose and conflicts:
        from keepclear.separation.proposals import with_proposals

        conflicts = with_proposals(world, conflicts)
    compared = pairs_compared(world, area)
    answer, reasons = _answer(conflicts, compared, limited=window is not None or area is not None)
    return Report(
        answer=answer,
        scope=scope,
        operations=len(operations),
        zones=len(zones),
        legs=world.input_legs,
        elapsed_s=monotonic_s() - began,
        conflicts=conflicts,
        warnings=(*warnings, *_warnings(world, minima)),
        reasons=reasons,
        pairs_compared=compared,
    )


def findings(
    world: World,
    *,
    area: Area | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Conflict, ...]:
    """Findings of a compiled world, ordered by their start."""
    if scheduler is None:
        evidence = [judge_moving(world, jobs=jobs, progress=progress), *judge_standing(world)]
    else:
        evidence = _judged_on_cluster(world, scheduler, jobs, progress)
    if area is not None:
        evidence = [part.within(area) for part in evidence]
    return conflicts_of(world, evidence)


def _judged_on_cluster(
    world: World, address: str, jobs: int, progress: Callable[[float], None] | None
) -> list[Evidence]:
    """What moves is searched by the workers; for what stands still, and for gaps, the legs are needed here too."""
    from keepclear.separation.cluster import search_on_cluster

    found = search_on_cluster(world, address, progress=progress)
    moving = judge_moving(replace(world, legs=found.legs), hits=found.hits)
    return [moving, *(judge_standing(world.with_legs(jobs)) if world.shapes or found.has_gaps else [])]


def conflicts_of(world: World, evidence: list[Evidence]) -> tuple[Conflict, ...]:
    """Evidence as one finding per pair, ordered by their start."""
    with collector_paused():
        return _conflicts_of(world, evidence)


def _conflicts_of(world: World, evidence: list[Evidence]) -> tuple[Conflict, ...]:
    pairs = collect(evidence)
    sides = _sides(world, {*map(attrgetter("first"), pairs), *map(attrgetter("second"), pairs)})
    minima = {rows: world.sorts.minima(*rows) for rows in set(map(attrgetter("sorts"), pairs))}
    told = [
        (pair.answer, sides[pair.first], sides[pair.second], minima[pair.sorts], pair.intervals, pair.closest)
        for pair in pairs
    ]
    names = ("answer", "a", "b", "minima", "intervals", "closest")
    columns = {
        **{name: map(itemgetter(k), told) for k, name in enumerate(names)},
        "reasons": [pair.reasons for pair in pairs],
        "sentence": [sentence_of(*parts) for parts in told],
        "proposals": repeat((), len(pairs)),
    }
    return tuple(sorted(made_of(Conflict, len(pairs), columns), key=_order))


def conflict_of(world: World, pair: PairEvidence, sides: dict[int, Side]) -> Conflict:
    """A finding as it is told; `sides` holds those told of already."""
    for thing in (pair.first, pair.second):
        if thing not in sides:
            sides[thing] = _side(world, thing)
    a, b = sides[pair.first], sides[pair.second]
    minima = world.sorts.minima(*pair.sorts)
    sentence = sentence_of(pair.answer, a, b, minima, pair.intervals, pair.closest)
    return Conflict(pair.answer, pair.reasons, a, b, minima, pair.intervals, pair.closest, sentence)


def _sides(world: World, things: set[int]) -> dict[int, Side]:
    n = len(world.operations)
    zones = {thing: _side(world, thing) for thing in things if thing >= n}
    numbers = [thing for thing in things if thing < n]
    operations = [world.operations[number] for number in numbers]
    names = ("party", "id", "kind", "name")
    columns = {name: map(attrgetter(name), operations) for name in names}
    sides = made_of(Side, len(numbers), {**columns, "is_zone": repeat(False, len(numbers))})
    return {**zones, **dict(zip(numbers, sides, strict=True))}


def _side(world: World, thing: int) -> Side:
    n = len(world.operations)
    if thing < n:
        operation = world.operations[thing]
        return Side(operation.party, operation.id, operation.kind, name=operation.name)
    zone = world.zones[thing - n]
    return Side(zone.party, zone.id, zone.kind, is_zone=True, name=zone.name)


def _order(conflict: Conflict) -> tuple[float, str, str, str, str]:
    start = conflict.intervals[0].start_s
    first = -math.inf if start is None else start
    return first, conflict.a.party, conflict.a.id, conflict.b.party, conflict.b.id


def _answer(conflicts: tuple[Conflict, ...], compared: int, *, limited: bool) -> tuple[Answer, tuple[str, ...]]:
    if any(conflict.answer is Answer.CONFLICT for conflict in conflicts):
        return Answer.CONFLICT, ()
    if conflicts:
        return Answer.POSSIBLE, ()
    if compared == 0:
        where = " within the times and the area that were looked at" if limited else ""
        why = (
            f"nothing could be compared{where}: it takes operations of two parties (FILE@PARTY says whose a file is; "
            "--between all compares those of one), or an operation and a zone that binds it"
        )
        return Answer.POSSIBLE, (why,)
    return Answer.CLEAR, ()


def _warnings(world: World, minima: MinimaTable | None) -> list[str]:
    warnings = []
    unknown = sum(operation.kind is None for operation in world.operations)
    if unknown and (minima is None or minima.one_for_all is None):
        warnings.append(
            f"{unknown} operation(s) of no known kind: held to the strictest minima; say the kind in the file, or with "
            "FILE@PARTY:KIND"
        )
    return warnings


def _check_options(
    operations: tuple[Operation, ...], zones: tuple[Zone, ...], between: str, window: Window | None, area: Area | None
) -> None:
    faults = []
    if between not in ("parties", "all"):
        faults.append(Fault("not a choice", "parties or all", field="between", value=between))
    for name, time_s in zip(("from", "to"), window or (), strict=False):
        if time_s is not None and not EARLIEST_S <= time_s <= LATEST_S:
            faults.append(Fault("not a time between the years 1 and 9999", field=name, value=str(time_s)))
    if window is not None and None not in window and window[1] < window[0]:  # type: ignore[operator]
        faults.append(Fault("the end of the window is before its start", field="to", value=str(window[1])))
    if area is not None:
        west, south, east, north = area
        if not (-180.0 <= west <= 180.0 and -180.0 <= east <= 180.0 and -90.0 <= south <= north <= 90.0):
            faults.append(Fault("not an area", "west,south,east,north in degrees", field="area", value=str(area)))
    for things, what in ((operations, "operations"), (zones, "zones")):
        if len(set(map(attrgetter("id"), things))) == len(things):
            continue
        twice = [key for key, n in Counter(map(attrgetter("party", "id"), things)).items() if n > 1]
        faults += [
            Fault(f"two {what} of {party} have this id", "ids of their own", field="id", value=i) for party, i in twice
        ]
    if faults:
        raise InputError(faults)
