"""Tiles: a day cut into stretches of time with about equal numbers of legs, which are searched one by one.

A tile has the legs that begin in it and those that began before and are still under way. Its legs stand in the order in
which they lie in memory, since legs of one flight are neighbours there: reading them is then reading runs, and all that
is kept of a tile fits the cache, however large the set is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import inlined_kernel, kernel
from keepclear.separation.legs import Legs
from keepclear.separation.threads import SHARES_PER_THREAD

__all__ = ["Limits", "Tile", "plan_tiles"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Slices = npt.NDArray[np.uint16]

_LEGS_PER_TILE = 65_536
_LEAST_TILE = 16_384
_TILES = 32
_LEGS_PER_SLICE = 8
_MOST_SLICES = 1 << 15
_SAMPLE = 4096
_TIMES_CARRIED = 4
_BEFORE, _NEVER = 65_534, 65_535
"""Slices of legs that begin before the first tile, and of those that play no part."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The minima as arrays, by rows that stand for sorts of operation.

    Attributes
    ----------
    horizontal_m, vertical_m, time_s
        Shape (rows, rows). ``vertical_m`` is infinite where height does not matter.
    party, compare_own
        Shape (operations,): index of each operation's party; whether operations of one party are compared too.
    """

    horizontal_m: Array
    vertical_m: Array
    time_s: Array
    party: Ints
    compare_own: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """Legs that begin in a stretch of time, and those under way when it begins.

    Attributes
    ----------
    legs
        Legs that begin in it, as they lie in memory.
    start_s, length_s
        The stretch. What begins before the first tile's, or after the last one's, is in that tile all the same.
    most_carried
        No more legs are carried into it.
    list_carried
        What lists those: where most legs are under way at once, a list for each tile would outweigh the legs.
    """

    legs: Ints
    start_s: float
    length_s: float
    most_carried: int
    list_carried: Callable[[], Ints]

    @property
    def carried(self) -> Ints:
        """Legs that began before and are still under way."""
        return self.list_carried()


def plan_tiles(
    legs: Legs,
    limits: Limits,
    *,
    jobs: int = 1,
    each: Callable[..., Iterator[Any]] = map,
    from_s: float = -math.inf,
    to_s: float = math.inf,
) -> list[Tile]:
    """Tiles of about equal numbers of legs.

    Parameters
    ----------
    jobs, each
        How many threads there are, and what runs on them: see `threads.workers`.
    from_s, to_s
        Only the legs that begin from the one up to the other, slip included, are in tiles; those that began before
        and are still under way are carried.
    """
    many = len(legs.piece_of)
    if not len(legs.operation):
        return []
    first, width, n_slices = _slices(legs, many, from_s, to_s)
    begin, end = np.empty(many, np.uint16), np.empty(many, np.uint16)
    reach = legs.late_s + limits.time_s.max(axis=1)[legs.sort]
    n_shares = SHARES_PER_THREAD * jobs if jobs > 1 else 1
    shares = list(pairwise(np.linspace(0, many, n_shares + 1).astype(np.int64).tolist()))
    counts = np.vstack(list(
        each(
            lambda share: _count(
                legs.points, legs.piece_of, legs.early_s, reach, from_s, to_s, first, 1.0 / width, n_slices, begin,
                end, *share,
            ),
            shares,
        )
    ))  # fmt: skip
    counts, lasting = counts[:, :-1], int(counts[:, -1].sum())
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts.sum(axis=0))))
    total = int(before[-1])
    if total == 0:
        return []
    # Large tiles read memory in longer runs, but room for one must not weigh on a small set. No more than a quarter of
    # a tile is carried in the mean, unless that made it more than a small part of them all: where legs last for hours,
    # or slips have no limit, those that are carried are looked for tile by tile.
    usual = min(_LEGS_PER_TILE, max(total // _TILES, _LEAST_TILE))
    lasting_long, most = _TIMES_CARRIED * lasting // n_slices, max(usual, total // _TILES, _LEAST_TILE)
    per_tile = max(usual, min(lasting_long, most))
    # Each thread gets as many as the next.
    n_tiles = -(-total // (per_tile * jobs)) * jobs if jobs > 1 and total > per_tile else -(-total // per_tile)
    cuts = np.searchsorted(before, np.linspace(0, total, n_tiles + 1)[1:-1])
    edges = np.unique(np.concatenate(([0], cuts, [n_slices]))).astype(np.int64)
    of_tiles = np.add.reduceat(counts, edges[:-1], axis=1)
    at = before[edges[:-1]] + np.cumsum(of_tiles, axis=0) - of_tiles
    order, is_listed = np.empty(total, np.int32), lasting_long <= most
    late = list(
        each(lambda k: _scatter(begin, end, edges, n_slices, is_listed, order, at[k], *shares[k]), range(n_shares))
    )
    list_of = _lists(late, len(edges) - 1) if is_listed else _looked_for(begin, end, edges)
    return [
        Tile(
            order[before[low] : before[high]],
            first + float(low) * width,
            float(high - low) * width,
            len(list_of(k)) if is_listed else many,
            partial(list_of, k),
        )
        for k, (low, high) in enumerate(pairwise(edges))
    ]


def _lists(late: list[Ints], n_tiles: int) -> Callable[[int], Ints]:
    """What tells the legs carried into a tile, from rows of (tile, leg)."""
    together = np.concatenate(late)
    of_tile = together[:, 0].astype(np.uint16)  # there are fewer tiles than slices; and these are sorted in two passes
    legs = together[np.argsort(of_tile, kind="stable"), 1]
    bounds = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(of_tile, minlength=n_tiles))))
    return lambda k: legs[bounds[k] : bounds[k + 1]]


def _looked_for(begin: Slices, end: Slices, edges: npt.NDArray[np.int64]) -> Callable[[int], Ints]:
    """The same without a list: what looks through all legs for those under way when a tile begins."""
    return lambda k: _under_way(begin, end, edges[k])


def _slices(legs: Legs, many: int, from_s: float, to_s: float) -> tuple[float, float, int]:
    """When the first slice of time begins, how long one is, and how many there are.

    By a sample: what lies outside goes to the first or the last slice, so that a few legs of another year do not leave
    one slice for all others.
    """
    sample = np.arange(0, many, max(1, many // _SAMPLE))
    piece = legs.piece_of[sample]
    start = (legs.points[sample, 3] - legs.early_s[piece])[piece >= 0]
    start = start[(start >= from_s) & (start < to_s) & np.isfinite(start)]
    n_slices = int(min(max(many // _LEGS_PER_SLICE, 1), _MOST_SLICES))
    if not len(start):
        return 0.0, 1.0, n_slices
    low, high = (float(value) for value in np.quantile(start, (0.01, 0.99)))
    first, last = max(float(start.min()), 2.0 * low - high), min(float(start.max()), 2.0 * high - low)
    return first, max((last - first) / n_slices, 1e-3), n_slices


@kernel
def _slice_of(time: float, first: float, per: float, n_slices: int) -> int:
    """Which slice a time is in; never a lower one for a later time."""
    return int(max(0.0, min((time - first) * per, n_slices - 0.5)))


@kernel
def _count(points, piece_of, early, reach, from_s, to_s, first, per, n_slices, begin, end, low, high):  # type: ignore[no-untyped-def]
    """Write in which slices of time each leg begins and ends; returns how many begin in each, and slices they last."""
    counts = np.zeros(n_slices + 1, dtype=np.int64)
    for i in range(low, high):
        piece = piece_of[i]
        begin[i] = _NEVER
        if piece < 0:
            continue
        start, stop = points[i, 3] - early[piece], points[i + 1, 3] + reach[piece]
        if start < from_s:
            if stop >= from_s:
                begin[i], end[i] = _BEFORE, _slice_of(stop, first, per, n_slices)
        elif start < to_s:
            k = _slice_of(start, first, per, n_slices)
            begin[i], end[i] = k, _slice_of(stop, first, per, n_slices)
            counts[k] += 1
            counts[n_slices] += end[i] - begin[i]
    return counts


@kernel
def _scatter(begin, end, edges, n_slices, is_listed, order, at, low, high):  # type: ignore[no-untyped-def]
    """Put each leg where its tile has come to; returns rows of (tile, leg) for legs that reach into later tiles.

    Unless nothing is to be listed: then there are no rows.
    """
    tile_of = np.empty(n_slices, dtype=np.int32)
    for k in range(edges.shape[0] - 1):
        tile_of[edges[k] : edges[k + 1]] = k
    carried, n = np.empty((1024, 2), dtype=np.int32), 0
    for i in range(low, high):
        if begin[i] == _NEVER:
            continue
        tile, last = -1, tile_of[end[i]]
        if begin[i] != _BEFORE:
            tile = tile_of[begin[i]]
            order[at[tile]] = i
            at[tile] += 1
        for later in range(tile + 1, last + 1 if is_listed else 0):
            if n == carried.shape[0]:
                grown = np.empty((2 * n, 2), dtype=np.int32)
                for k in range(n):
                    grown[k, 0], grown[k, 1] = carried[k, 0], carried[k, 1]
                carried = grown
            carried[n, 0], carried[n, 1] = later, i
            n += 1
    return carried[:n].copy()


@kernel
def _under_way(begin, end, edge):  # type: ignore[no-untyped-def]
    """Legs that begin in slices before `edge`, or before all, and end in none of them."""
    many = 0
    for i in range(begin.shape[0]):
        many += _is_under_way(begin[i], end[i], edge)
    legs, n = np.empty(many, dtype=np.int32), 0
    for i in range(begin.shape[0]):
        if _is_under_way(begin[i], end[i], edge):
            legs[n] = i
            n += 1
    return legs


@inlined_kernel
def _is_under_way(begin, end, edge):  # type: ignore[no-untyped-def]
    return ((begin < edge) | (begin == _BEFORE)) & (begin != _NEVER) & (end >= edge)
