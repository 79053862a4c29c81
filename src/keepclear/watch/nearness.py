"""Who was ever near whom: the search of `keepclear.separation` over tracks, a stretch of time at a time.

All legs of a day of a thousand units would take more memory than their positions; so they are made hour by hour, with
the position before and the one after, so that no leg and no silence is lost between two stretches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Flown
from keepclear.model.extents import Track
from keepclear.model.findings import Closest, Minima
from keepclear.model.kinds import SURFACE, OperationKind, domains_of
from keepclear.model.operations import Operation
from keepclear.separation.evidence import Evidence, reason_texts
from keepclear.separation.judging import judge_moving
from keepclear.separation.judging_standing import judge_standing
from keepclear.separation.legs import HEIGHT_CODES, TrackColumns, compile_legs
from keepclear.separation.minima import MinimaTable
from keepclear.separation.world import World, compile_world, lengths_to_cut
from keepclear.watch.approach import Span, merged, merged_by_row

__all__ = ["Following", "Near", "search"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

_POSITIONS = 400_000
"""In one stretch, about: some 40 MB of legs and what is found of them."""
_WIDENED_S = 1.0
_TIMES = "the times of the positions are uncertain"


@dataclass(frozen=True, slots=True)
class Following:
    """A stretch in which one of two came to where the other was, with too little time between.

    Attributes
    ----------
    from_s, to_s
        When, of both.
    certain
        Whether it is so by the positions and times as reported.
    closest
        Where the one and the other were closest, each at its time.
    reasons
        Why it is only possible.
    """

    from_s: float
    to_s: float
    certain: bool
    closest: Closest
    reasons: tuple[str, ...]

    def swapped(self) -> Following:
        """The same with the two the other way round."""
        one = self.closest
        return replace(self, closest=replace(one, time_a_s=one.time_b_s, time_b_s=one.time_a_s, a=one.b, b=one.a))


@dataclass(frozen=True, slots=True)
class Near:
    """Two tracks that came near, or may have.

    Attributes
    ----------
    first, second
        Their places in the list that was searched.
    minima
        What binds them, the greatest where several do.
    spans
        When, by what is known of both, in order.
    silent
        When they may have been near in a silence of either.
    following
        When they were near at two times with less between than there must be, or than the times may be off.
    """

    first: int
    second: int
    minima: Minima
    spans: tuple[Span, ...]
    silent: tuple[Span, ...]
    following: tuple[Following, ...] = ()


def search(
    tracks: Sequence[Flown], minima: MinimaTable, *, window: Span | None = None, jobs: int = 1
) -> tuple[Near, ...]:
    """All pairs of tracks of different parties that came within the minima, or may have, by their places in the list.

    Raises
    ------
    InputError
        If the minima between units are 0.
    """
    low, high = _looked_at(tracks, window)
    margin_s = _margin_s(tracks, minima)
    which = [
        place
        for place, one in enumerate(tracks)
        if one.track.time_s[-1] >= low - margin_s and one.track.time_s[0] <= high + margin_s
    ]
    if len(which) < 2 or low > high:
        return ()
    some = [tracks[place] for place in which]
    operations = [_operation(tracks[place], place) for place in which]
    world = compile_world(operations, (), minima=minima, compare_own=False, with_legs=False)
    on_ground = np.array([one.domains <= SURFACE for one in operations])
    is_timed = np.array([_slip_s(one.track) > 0.0 for one in some])
    found: dict[tuple[int, int], _Found] = {}
    for start, end in _stretches(some, low, high, margin_s):
        wide = max(low, start - margin_s), min(high, end + margin_s)  # what meets across the edge of a stretch
        columns = _columns(some, on_ground, *wide)
        if len(columns.operation) < 2:
            continue
        here = _with_legs(world, columns, wide, jobs)
        _take(found, here, is_timed, judge_moving(here, jobs=jobs), silent=False)
        for evidence in judge_standing(here):
            _take(found, here, is_timed, evidence, silent=True)
    return tuple(one.near(which[first], which[second]) for (first, second), one in sorted(found.items()))


class _Found:
    """What was found of one pair so far."""

    def __init__(self) -> None:
        self.minima: dict[tuple[float, float, float], Minima] = {}
        self.spans: list[Span] = []
        self.silent: list[Span] = []
        self.following: list[Following] = []

    def near(self, first: int, second: int) -> Near:
        greatest = self.minima[max(self.minima)]
        spans, silent = (tuple(merged(some, _WIDENED_S)) for some in (self.spans, self.silent))
        return Near(first, second, greatest, spans, silent, tuple(self.following))


def _take(
    found: dict[tuple[int, int], _Found], world: World, is_timed: Flags, evidence: Evidence, *, silent: bool
) -> None:
    """Keep what was found in a stretch: of each pair and each rule that bound it when it was near."""
    columns = np.column_stack((evidence.first, evidence.second, evidence.sorts))
    if len(columns) == 0:
        return
    rows, row_of = np.unique(columns, axis=0, return_inverse=True)
    row_of = row_of.ravel()
    start, end, first = merged_by_row(row_of, evidence.start_s, evidence.end_s, _WIDENED_S)
    spans = list(zip(start.tolist(), end.tolist(), strict=True))
    order = np.argsort(row_of, kind="stable")
    begin = np.searchsorted(row_of[order], np.arange(len(rows) + 1))
    for k, (one, other, a, b) in enumerate(rows.tolist()):
        pair = found.setdefault((one, other), _Found())
        minima = world.sorts.minima(a, b)
        vertical = math.inf if minima.vertical_m is None else minima.vertical_m
        pair.minima[minima.horizontal_m, vertical, minima.time_s] = minima
        (pair.silent if silent else pair.spans).extend(spans[first[k] : first[k + 1]])
        if not silent and (minima.time_s > 0.0 or is_timed[one] or is_timed[other]):
            sure = not (is_timed[one] or is_timed[other])
            pair.following += _following(evidence, order[begin[k] : begin[k + 1]], can_be_sure=sure)


def _following(evidence: Evidence, rows: Ints, *, can_be_sure: bool) -> Iterator[Following]:
    """The stretches of some rows of evidence, the certain and the possible ones, each where it is closest."""
    for certain in (True, False):
        some = rows[evidence.certain[rows] == certain]
        if not len(some):
            continue
        begins, ends = evidence.start_s[some], evidence.end_s[some]
        start, end, _ = merged_by_row(np.zeros(len(some), np.intp), begins, ends, _WIDENED_S)
        stretch = np.searchsorted(start, begins, side="right") - 1
        order = np.lexsort((evidence.distance_m[some], stretch))
        nearest = some[order[np.searchsorted(stretch[order], np.arange(len(start)))]]
        closest = evidence.locate(evidence.row[nearest], evidence.certain[nearest])
        for k, row in enumerate(nearest.tolist()):
            reasons = () if certain else reason_texts(int(evidence.reasons[row]))
            if not can_be_sure:
                reasons = (_TIMES, *reasons)
            yield Following(float(start[k]), float(end[k]), certain and can_be_sure, closest[k], reasons)


def _with_legs(world: World, columns: TrackColumns, window: Span, jobs: int) -> World:
    """The same tracks with the legs of a stretch of time, each track with its own longest silence."""
    sorts = world.sorts
    of_each = sorts.of_operation, sorts.of_high_legs, lengths_to_cut(sorts)
    return replace(world, legs=compile_legs(columns, *of_each, jobs=jobs), window=window)


def _looked_at(tracks: Sequence[Flown], window: Span | None) -> Span:
    """From the first position to the last, or what of that is asked for; the end is before the start if nothing is."""
    low = min((float(one.track.time_s[0]) for one in tracks), default=math.inf)
    high = max((float(one.track.time_s[-1]) for one in tracks), default=-math.inf)
    return (low, high) if window is None else (max(low, window[0]), min(high, window[1]))


def _margin_s(tracks: Sequence[Flown], minima: MinimaTable) -> float:
    """How far apart in time two positions may be that are held against each other."""
    rules = (*minima.rules, *([] if minima.one_for_all is None else [minima.one_for_all]))
    slip = max((_slip_s(one.track) for one in tracks), default=0.0)
    return max((rule.time_s for rule in rules), default=0.0) + 2.0 * slip


def _slip_s(track: Track) -> float:
    """How far off the times of a track may be."""
    return float(np.max(track.early_s) + np.max(track.late_s))


def _stretches(tracks: Sequence[Flown], low: float, high: float, margin_s: float) -> Iterator[Span]:
    """Stretches of time with about as many positions each, none much shorter than the margin round it."""
    times = [one.track.time_s for one in tracks]
    count = math.ceil(sum(map(len, times)) / _POSITIONS)
    some = np.concatenate([one[:: max(1, len(one) // 64)] for one in times])
    some = some[(some > low) & (some < high)]
    shares = np.linspace(0.0, 1.0, count + 1)[1:-1]
    inner = np.unique(np.quantile(some, shares)).tolist() if len(some) and len(shares) else []
    edges = [low]
    for one in inner:
        if edges[-1] + margin_s < one < high:
            edges.append(one)
    yield from itertools.pairwise([*edges, high])


def _columns(tracks: Sequence[Flown], on_ground: npt.NDArray[np.bool_], low: float, high: float) -> TrackColumns:
    """What of the tracks tells of a stretch, end to end: from the last position before it to the first after it."""
    parts = []
    for place, flown in enumerate(tracks):
        time = flown.track.time_s
        if time[-1] >= low and time[0] <= high:
            first = max(int(np.searchsorted(time, low, side="right")) - 1, 0)
            parts.append((place, flown, slice(first, int(np.searchsorted(time, high, side="left")) + 1)))
    some = [(flown.track, part) for _, flown, part in parts]
    time_s, lon_deg, lat_deg, height_m = (
        _joined([getattr(track, name)[part] for track, part in some])
        for name in ("time_s", "lon_deg", "lat_deg", "height_m")
    )
    counts = np.array([len(track.time_s[part]) for track, part in some], dtype=np.int64)
    places = np.array([place for place, *_ in parts], dtype=np.int32)
    return TrackColumns(
        time_s, lon_deg, lat_deg, height_m, np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))), places,
        np.array([HEIGHT_CODES[track.height_reference] for track, _ in some], dtype=np.int8),
        np.array([flown.gap_s for _, flown, _ in parts], dtype=np.float64), on_ground[places],
        *_tolerances(some, counts),
    )  # fmt: skip


def _tolerances(some: Sequence[tuple[Track, slice]], counts: npt.NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Uncertainty, early and late: of each track, or of each position if any track gives one by position."""
    given = [[getattr(track, name) for track, _ in some] for name in ("uncertainty_m", "early_s", "late_s")]
    if not any(isinstance(value, np.ndarray) for column in given for value in column):
        uncertainty_m, early_s, late_s = (np.array(column, dtype=np.float64) for column in given)
        return uncertainty_m, early_s, late_s
    parts = [(part, count) for (_, part), count in zip(some, counts.tolist(), strict=True)]
    uncertainty_m, early_s, late_s = (
        _joined([_of_part(value, *one) for value, one in zip(column, parts, strict=True)]) for column in given
    )
    return uncertainty_m, early_s, late_s


def _of_part(value: float | Array, part: slice, count: int) -> Array:
    return value[part] if isinstance(value, np.ndarray) else np.full(count, value)


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.empty(0)


def _operation(flown: Flown, place: int) -> Operation:
    """A unit as the search has it."""
    kind = OperationKind(flown.kind) if flown.kind else None
    # A unit of nobody known may be anybody's, and is compared with everybody's.
    party = flown.party or f"unit {place} of nobody known"
    return Operation(party, str(place), kind, tracks=(flown.track,), domains=flown.domains or domains_of(kind))
