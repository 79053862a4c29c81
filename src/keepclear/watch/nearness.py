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
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.findings import Minima
from keepclear.model.kinds import GAP_LIMIT_S, OperationKind, domains_of
from keepclear.model.operations import Operation
from keepclear.separation.evidence import Evidence
from keepclear.separation.judging import judge_moving
from keepclear.separation.judging_standing import judge_standing
from keepclear.separation.legs import columns_of, compile_legs
from keepclear.separation.minima import MinimaTable
from keepclear.separation.world import World, compile_world, lengths_to_cut
from keepclear.watch.approach import Span, merged

__all__ = ["Near", "search"]

_POSITIONS = 400_000
"""In one stretch, about: some 40 MB of legs and what is found of them."""
_WIDENED_S = 1.0


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
    """

    first: int
    second: int
    minima: Minima
    spans: tuple[Span, ...]
    silent: tuple[Span, ...]


def search(
    tracks: Sequence[Flown], minima: MinimaTable, *, window: Span | None = None, jobs: int = 1
) -> tuple[Near, ...]:
    """All pairs of tracks of different parties that came within the minima, or may have, by their places in the list.

    Raises
    ------
    InputError
        If the minima between units are 0.
    """
    found: dict[tuple[int, int], _Found] = {}
    for low, high in _stretches(tracks, window):
        which, operations, gaps = _cut(tracks, low, high)
        if len(operations) < 2:
            continue
        world = _world(operations, gaps, minima, (low, high), jobs)
        _take(found, world, which, judge_moving(world, jobs=jobs), silent=False)
        for evidence in judge_standing(world):
            _take(found, world, which, evidence, silent=True)
    return tuple(one.near(*pair) for pair, one in sorted(found.items()))


class _Found:
    """What was found of one pair so far."""

    def __init__(self) -> None:
        self.minima: dict[tuple[float, float, float], Minima] = {}
        self.spans: list[Span] = []
        self.silent: list[Span] = []

    def near(self, first: int, second: int) -> Near:
        greatest = self.minima[max(self.minima)]
        return Near(
            first, second, greatest, tuple(merged(self.spans, _WIDENED_S)), tuple(merged(self.silent, _WIDENED_S))
        )


def _take(
    found: dict[tuple[int, int], _Found], world: World, which: list[int], evidence: Evidence, *, silent: bool
) -> None:
    rows = zip(
        evidence.first.tolist(), evidence.second.tolist(), evidence.start_s.tolist(), evidence.end_s.tolist(),
        evidence.sorts.tolist(), strict=True,
    )  # fmt: skip
    for first, second, start, end, (a, b) in rows:
        one = found.setdefault((which[first], which[second]), _Found())
        minima = world.sorts.minima(a, b)
        vertical = math.inf if minima.vertical_m is None else minima.vertical_m
        one.minima[minima.horizontal_m, vertical, minima.time_s] = minima
        (one.silent if silent else one.spans).append((start, end))


def _world(operations: list[Operation], gaps: list[float], minima: MinimaTable, window: Span, jobs: int) -> World:
    """The operations compiled, each track with its own longest silence."""
    world = compile_world(operations, (), minima=minima, compare_own=False, window=window, with_legs=False)
    columns = replace(columns_of(operations, dict(GAP_LIMIT_S)), gap_s=np.array(gaps, dtype=np.float64))
    sorts = world.sorts
    legs = compile_legs(columns, operations, sorts.of_operation, sorts.of_high_legs, lengths_to_cut(sorts), jobs=jobs)
    return replace(world, legs=legs)


def _stretches(tracks: Sequence[Flown], window: Span | None) -> Iterator[Span]:
    """Stretches of time with about as many positions each."""
    times = [one.track.time_s for one in tracks]
    if not times:
        return
    low = min(float(one[0]) for one in times)
    high = max(float(one[-1]) for one in times)
    if window is not None:
        low, high = max(low, window[0]), min(high, window[1])
    if low > high:
        return
    count = math.ceil(sum(map(len, times)) / _POSITIONS)
    some = np.concatenate([one[:: max(1, len(one) // 64)] for one in times])
    some = some[(some > low) & (some < high)]
    shares = np.linspace(0.0, 1.0, count + 1)[1:-1]
    inner = np.unique(np.quantile(some, shares)).tolist() if len(some) and len(shares) else []
    edges = [low, *(one for one in inner if low < one < high), high]
    if len(edges) == 2 and low == high:
        yield low, high
    else:
        yield from itertools.pairwise(edges)


def _cut(tracks: Sequence[Flown], low: float, high: float) -> tuple[list[int], list[Operation], list[float]]:
    """What of the tracks tells of a stretch: their places in the list, operations, and longest silences."""
    which, operations, gaps = [], [], []
    for place, flown in enumerate(tracks):
        time = flown.track.time_s
        if time[-1] < low or time[0] > high:
            continue
        first = max(int(np.searchsorted(time, low, side="right")) - 1, 0)
        last = min(int(np.searchsorted(time, high, side="left")) + 1, len(time))
        operations.append(_operation(flown, place, slice(first, last)))
        gaps.append(flown.gap_s)
        which.append(place)
    return which, operations, gaps


def _operation(flown: Flown, place: int, part: slice) -> Operation:
    track = flown.track

    def cut(value: float | npt.NDArray[np.float64]) -> float | npt.NDArray[np.float64]:
        return value[part] if isinstance(value, np.ndarray) else value

    short = Track.of_checked(
        track.time_s[part], track.lon_deg[part], track.lat_deg[part], track.height_m[part], track.height_reference,
        TrackBasis.FLOWN, cut(track.uncertainty_m), cut(track.early_s), cut(track.late_s),
    )  # fmt: skip
    kind = OperationKind(flown.kind) if flown.kind else None
    # A unit of nobody known may be anybody's, and is compared with everybody's.
    party = flown.party or f"unit {place} of nobody known"
    return Operation(party, str(place), kind, tracks=(short,), domains=flown.domains or domains_of(kind))
