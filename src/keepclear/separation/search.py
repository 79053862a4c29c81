"""The search: every pair of legs that may come too close, found without looking at every pair.

Legs are taken in the order of their times, a thin slice after the other. Those under way are kept in a hash of cubes
of space, under the cube of their middle; a new leg is tested against what lies in the cubes it reaches, then put
there itself; what has ended is dropped when it is met. So each pair is met once, when its later leg arrives, however
uneven the legs are. The search may widen; the verdict is the pair test's.

A day is cut into tiles of time, which threads or a cluster work on independently: a tile also loads, without testing
them, the legs that are still under way when it begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from keepclear.geo.heights import AMSL, FL, HEIGHT_SPANS
from keepclear.separation.closest import CORNERS
from keepclear.separation.leg_pairs import MARGIN_M, MARGIN_S, near, quick_near
from keepclear.separation.legs import Legs

__all__ = ["Limits", "Tile", "join", "plan_tiles", "sweep"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_LEGS_PER_SLICE = 256
_MOST_SLICES = 1 << 20
_LEAST_TILE = 50_000
_SMALLEST_CELL_M = 25.0
_HALF_RANGE = 1 << 19


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
    order
        Legs by slices of time.
    slices
        Shape (slices + 1,): where each slice begins in `order`.
    start_s, width_s
        When the first slice begins, and how long a slice is.
    carried
        Legs that began before and are still under way.
    """

    order: Ints
    slices: npt.NDArray[np.int64]
    start_s: float
    width_s: float
    carried: Ints


def join(
    legs: Legs, limits: Limits, *, jobs: int = 1, progress: Callable[[float], None] | None = None
) -> npt.NDArray[np.int32]:
    """Pairs of legs of different operations that come, or may come, closer than their minima.

    Parameters
    ----------
    jobs
        Threads to use.
    progress
        Called with the share done, from 0 to 1, after each tile.

    Returns
    -------
    ndarray of int32, shape (pairs, 2)
        Indices of the legs' first points; each pair once, the one of the lower operation first.
    """
    tiles = plan_tiles(legs, limits, most_tiles=1 if jobs == 1 and progress is None else max(8, 4 * jobs))
    grid = _grid(legs, limits)
    if not tiles or not len(grid[0]):
        return np.empty((0, 2), np.int32)
    found: list[npt.NDArray[np.int32]] = []
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        for done, hits in enumerate(pool.map(lambda tile: sweep(legs, limits, tile, grid), tiles), start=1):
            found.append(hits)
            if progress is not None:
                progress(done / len(tiles))
    return np.concatenate(found)


def plan_tiles(legs: Legs, limits: Limits, *, most_tiles: int) -> list[Tile]:
    """Tiles of about equal numbers of legs."""
    if not len(legs.operation):
        return []
    reach = legs.late_s + limits.time_s.max(axis=1)[legs.sort]
    first, last, count = _bounds(legs.points, legs.piece_of, legs.early_s)
    if count == 0:
        return []
    n_slices = int(min(max(count // _LEGS_PER_SLICE, 1), _MOST_SLICES))
    width = max((last - first) / n_slices, 1e-3)
    order, slices = _by_slice(legs.points, legs.piece_of, legs.early_s, first, width, n_slices, count)
    n_tiles = max(1, min(most_tiles, count // _LEAST_TILE, n_slices))
    cuts = np.searchsorted(slices, np.linspace(0, count, n_tiles + 1)[1:-1])
    edges = np.unique(np.concatenate(([0], cuts, [n_slices]))).astype(np.int64)
    carried, carried_first = _carried(legs.points, legs.piece_of, legs.early_s, reach, first, width, n_slices, edges)
    return [
        Tile(
            order[slices[low] : slices[high]],
            slices[low : high + 1] - slices[low],
            first + low * width,
            width,
            carried[carried_first[k] : carried_first[k + 1]],
        )
        for k, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True))
    ]


def sweep(
    legs: Legs, limits: Limits, tile: Tile, grid: tuple[Ints, Array, Array] | None = None
) -> npt.NDArray[np.int32]:
    """Pairs of which the later leg begins in this tile; see `join`."""
    group, cell, reach = _grid(legs, limits) if grid is None else grid
    extra = legs.late_s + limits.time_s.max(axis=1)[legs.sort]
    return _sweep(
        legs.points, legs.piece_of, legs.operation, legs.sort, legs.reference, legs.uncertainty_m, legs.early_s,
        legs.late_s, extra, limits.party, limits.compare_own, limits.horizontal_m, limits.vertical_m, limits.time_s,
        group, cell, reach, tile.order, tile.slices, tile.start_s, tile.width_s, tile.carried, HEIGHT_SPANS,
    )  # fmt: skip


def _grid(legs: Legs, limits: Limits) -> tuple[Ints, Array, Array]:
    """Group of each row of the minima, cube size of each group, and how far row a must look in group g.

    Rows with minima of a like size share a grid, so that a few wide ones do not coarsen the grid of the others.
    """
    rows = len(limits.horizontal_m)
    doubt = 2.0 * float(legs.uncertainty_m.max(initial=0.0))
    own = np.maximum(limits.horizontal_m.diagonal(), _SMALLEST_CELL_M) + legs.longest_m
    scale = np.floor(np.log2(own) / 2.0).astype(np.int32)
    values, group = np.unique(scale, return_inverse=True)
    reach = np.full((rows, len(values)), -1.0)
    for a in range(rows):
        for b in range(rows):
            if limits.horizontal_m[a, b] > 0.0:
                distance = limits.horizontal_m[a, b] + doubt + 0.5 * legs.longest_m[b] + 1.0
                reach[a, group[b]] = max(reach[a, group[b]], distance)
    cell = np.maximum(2.0 * np.array([reach[group == g, g].max() for g in range(len(values))]), _SMALLEST_CELL_M)
    return group.astype(np.int32), cell, reach


@numba.njit(nogil=True, cache=True)
def _bounds(points, piece_of, early):  # type: ignore[no-untyped-def]
    first, last, count = math.inf, -math.inf, 0
    for i in range(piece_of.shape[0]):
        piece = piece_of[i]
        if piece >= 0:
            count += 1
            start = points[i, 3] - early[piece]
            if start > -math.inf:
                first, last = min(first, start), max(last, start)
    if first > last:
        first = last = 0.0
    return first, last, count


@numba.njit(nogil=True, cache=True)
def _slice_of(start: float, first: float, width: float, n_slices: int) -> int:
    if start <= first:
        return 0
    return min(int((start - first) / width), n_slices - 1)


@numba.njit(nogil=True, cache=True)
def _by_slice(points, piece_of, early, first, width, n_slices, count):  # type: ignore[no-untyped-def]
    """Counting sort of legs by slice of time."""
    slices = np.zeros(n_slices + 1, dtype=np.int64)
    for i in range(piece_of.shape[0]):
        piece = piece_of[i]
        if piece >= 0:
            slices[_slice_of(points[i, 3] - early[piece], first, width, n_slices) + 1] += 1
    for k in range(n_slices):
        slices[k + 1] += slices[k]
    at = slices[:-1].copy()
    order = np.empty(count, dtype=np.int32)
    for i in range(piece_of.shape[0]):
        piece = piece_of[i]
        if piece >= 0:
            k = _slice_of(points[i, 3] - early[piece], first, width, n_slices)
            order[at[k]] = i
            at[k] += 1
    return order, slices


@numba.njit(nogil=True, cache=True)
def _carried(points, piece_of, early, reach, first, width, n_slices, edges):  # type: ignore[no-untyped-def]
    """For each tile, the legs that begin in an earlier one and reach into it."""
    n_tiles = edges.shape[0] - 1
    begins = np.zeros(n_tiles + 1, dtype=np.int64)
    if n_tiles == 1:
        return np.empty(0, dtype=np.int32), begins
    tile_of = np.empty(n_slices, dtype=np.int32)
    for k in range(n_tiles):
        tile_of[edges[k] : edges[k + 1]] = k
    for counting in (True, False):
        if not counting:
            for k in range(n_tiles):
                begins[k + 1] += begins[k]
            at = begins[:-1].copy()
            result = np.empty(begins[n_tiles], dtype=np.int32)
        for i in range(piece_of.shape[0]):
            piece = piece_of[i]
            if piece >= 0:
                k0 = tile_of[_slice_of(points[i, 3] - early[piece], first, width, n_slices)]
                k1 = tile_of[_slice_of(min(points[i + 1, 3] + reach[piece], 1e15), first, width, n_slices)]
                for k in range(k0 + 1, k1 + 1):
                    if counting:
                        begins[k + 1] += 1
                    else:
                        result[at[k]] = i
                        at[k] += 1
    return result, begins


@numba.njit(nogil=True, cache=True)
def _cube(v: float, cell: float) -> int:
    return int(math.floor(v / cell)) + _HALF_RANGE


@numba.njit(nogil=True, cache=True)
def _key(ix: int, iy: int, iz: int, group: int) -> int:
    return (((ix << 20) | iy) << 20 | iz) << 3 | group


@numba.njit(nogil=True, cache=True)
def _bucket(key: int, mask: int) -> int:
    mixed = key * 0x9E3779B97F4A7C1
    return (mixed ^ (mixed >> 29)) & mask


@numba.njit(nogil=True, cache=True)
def _rebuild(heads, node_leg, node_next, node_key, node_end, used, now):  # type: ignore[no-untyped-def]
    """Drop what has ended, and make room: the arrays come back half empty."""
    kept = 0
    for node in range(used):
        if node_leg[node] >= 0 and node_end[node] >= now:
            node_leg[kept], node_key[kept], node_end[kept] = node_leg[node], node_key[node], node_end[node]
            kept += 1
    size = node_leg.shape[0]
    if 2 * kept > size:
        size *= 2
        bigger_leg, bigger_key, bigger_end = np.empty(size, np.int32), np.empty(size, np.int64), np.empty(size)
        bigger_leg[:kept], bigger_key[:kept], bigger_end[:kept] = node_leg[:kept], node_key[:kept], node_end[:kept]
        node_leg, node_key, node_end = bigger_leg, bigger_key, bigger_end
        node_next, heads = np.empty(size, np.int32), np.empty(2 * size, np.int32)
    heads[:] = -1
    mask = heads.shape[0] - 1
    for node in range(kept):
        bucket = _bucket(node_key[node], mask)
        node_next[node] = heads[bucket]
        heads[bucket] = node
    return heads, node_leg, node_next, node_key, node_end, kept


@numba.njit(nogil=True, cache=True)
def _sweep(  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0912, PLR0915 - the one hot loop, kept in one place
    points, piece_of, p_op, p_sort, p_ref, p_doubt, p_early, p_late, p_reach, party, compare_own, horizontal, vertical,
    time, group_of, cell, reach, order, slices, start_s, width_s, carried, spans,
):  # fmt: skip
    polygon, scratch = np.empty((CORNERS, 2)), np.empty((CORNERS, 2))
    n_groups = cell.shape[0]
    heads, used = np.full(2048, -1, dtype=np.int32), 0
    node_leg, node_next = np.empty(1024, np.int32), np.empty(1024, np.int32)
    node_key, node_end = np.empty(1024, np.int64), np.empty(1024)
    free = -1
    hits, n_hits = np.empty((1024, 2), dtype=np.int32), 0
    for step in range(-1, slices.shape[0] - 1):
        now = start_s + step * width_s if step > 0 else -math.inf
        low, high = (0, carried.shape[0]) if step < 0 else (slices[step], slices[step + 1])
        for at in range(low, high):
            i = carried[at] if step < 0 else order[at]
            pi = piece_of[i]
            op, sort, group = p_op[pi], p_sort[pi], group_of[p_sort[pi]]
            x0, y0, z0, x1, y1, z1 = points[i, 0], points[i, 1], points[i, 2], points[i + 1, 0], points[i + 1, 1], points[i + 1, 2]
            for g in range(n_groups if step >= 0 else 0):
                r, size = reach[sort, g], cell[g]
                if r < 0.0:
                    continue
                ix0, ix1 = _cube(min(x0, x1) - r, size), _cube(max(x0, x1) + r, size)
                iy0, iy1 = _cube(min(y0, y1) - r, size), _cube(max(y0, y1) + r, size)
                iz0, iz1 = _cube(min(z0, z1) - r, size), _cube(max(z0, z1) + r, size)
                for ix in range(ix0, ix1 + 1):
                    for iy in range(iy0, iy1 + 1):
                        for iz in range(iz0, iz1 + 1):
                            key = _key(ix, iy, iz, g)
                            bucket = _bucket(key, heads.shape[0] - 1)
                            before, node = -1, heads[bucket]
                            while node >= 0:
                                after = node_next[node]
                                if node_end[node] < now:
                                    if before < 0:
                                        heads[bucket] = after
                                    else:
                                        node_next[before] = after
                                    node_leg[node], node_next[node], free = -1, free, node
                                    node = after
                                    continue
                                before = node
                                if node_key[node] == key:
                                    j = node_leg[node]
                                    pj = piece_of[j]
                                    other = p_op[pj]
                                    if other != op and (compare_own or party[op] != party[other]):
                                        h = horizontal[sort, p_sort[pj]]
                                        if h > 0.0 and _too_close(
                                            points, i, j, pi, pj, p_ref, p_doubt, p_early, p_late, h,
                                            vertical[sort, p_sort[pj]], time[sort, p_sort[pj]], spans, polygon, scratch,
                                        ):  # fmt: skip
                                            if n_hits == hits.shape[0]:
                                                grown = np.empty((2 * n_hits, 2), dtype=np.int32)
                                                grown[:n_hits] = hits
                                                hits = grown
                                            hits[n_hits, 0], hits[n_hits, 1] = (i, j) if op < other else (j, i)
                                            n_hits += 1
                                node = after
            if free >= 0:
                new = free
                free = node_next[new]
            else:
                if used == node_leg.shape[0]:
                    heads, node_leg, node_next, node_key, node_end, used = _rebuild(
                        heads, node_leg, node_next, node_key, node_end, used, now
                    )
                new = used
                used += 1
            size = cell[group]
            key = _key(_cube(0.5 * (x0 + x1), size), _cube(0.5 * (y0 + y1), size), _cube(0.5 * (z0 + z1), size), group)
            bucket = _bucket(key, heads.shape[0] - 1)
            node_leg[new], node_key[new], node_end[new] = i, key, points[i + 1, 3] + p_reach[pi]
            node_next[new] = heads[bucket]
            heads[bucket] = new
    return hits[:n_hits].copy()


@numba.njit(nogil=True, cache=True)
def _too_close(points, i, j, pi, pj, p_ref, p_doubt, p_early, p_late, horizontal, vertical, time, spans, polygon, scratch):  # type: ignore[no-untyped-def]
    """The widest question: could the two come too close, with all doubt about places and heights?"""
    h, v = horizontal + p_doubt[pi] + p_doubt[pj] - MARGIN_M, vertical - MARGIN_M
    ri, rj = p_ref[pi], p_ref[pj]
    slip_low, slip_high = -p_late[pi] - p_early[pj], p_early[pi] + p_late[pj]
    exact = slip_low == 0.0 and slip_high == 0.0 and time == 0.0
    if exact and (points[i, 3] > points[j + 1, 3] or points[j, 3] > points[i + 1, 3]):
        return False
    same = ri == rj and ri <= FL
    if exact and (same or (ri <= AMSL and rj <= AMSL)):
        if points[i + 1, 3] > points[i, 3] and points[j + 1, 3] > points[j, 3]:
            return quick_near(points, i, j, 4 if same else 5, h, v)
    if time > 0.0:
        slip_low, slip_high = slip_low - time + MARGIN_S, slip_high + time - MARGIN_S
    return near(points, i, j, ri, rj, slip_low, slip_high, h, v, False, spans, polygon, scratch)
