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
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.geo.heights import AMSL, FL
from keepclear.geo.kernel import kernel
from keepclear.separation.leg_pairs import MARGIN_M, quick_near
from keepclear.separation.legs import Legs

__all__ = ["Limits", "Tile", "grid_of", "join", "plan_tiles", "sweep"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_LEGS_PER_SLICE = 8
_MOST_SLICES = 1 << 20
_LEAST_TILE = 50_000
_SMALLEST_CELL_M = 250.0  # 2¹⁶ cubes then reach across the Earth
_HALF_RANGE = 1 << 15
_HEADS_PER_NODE = 8
_GEOID_RANGE_M = 200.0
_ROUNDING_S = 1e-3
_PRESSURE_RANGE_M = 20_000.0


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
    grid = grid_of(legs, limits)
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
        for k, (low, high) in enumerate(pairwise(edges))
    ]


def sweep(
    legs: Legs, limits: Limits, tile: Tile, grid: tuple[Ints, Array, Array] | None = None
) -> npt.NDArray[np.int32]:
    """Pairs of which the later leg begins in this tile; see `join`."""
    group, cell, reach = grid_of(legs, limits) if grid is None else grid
    extra = legs.late_s + limits.time_s.max(axis=1)[legs.sort]
    hits: Ints = _sweep(
        legs.points, legs.piece_of, legs.operation, legs.sort, legs.reference, legs.uncertainty_m, legs.early_s,
        (legs.early_s > 0.0) | (legs.late_s > 0.0), extra, limits.party, limits.compare_own, limits.horizontal_m,
        limits.vertical_m, limits.time_s, group, cell, reach, tile.order, tile.slices, tile.start_s, tile.width_s,
        tile.carried,
    )  # fmt: skip
    return hits


def grid_of(legs: Legs, limits: Limits) -> tuple[Ints, Array, Array]:
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
    cell = np.maximum(3.0 * np.array([reach[group == g, g].max() for g in range(len(values))]), _SMALLEST_CELL_M)
    # Whoever looks far into a fine grid must not have to look into millions of cubes.
    cell = np.maximum(cell, 0.25 * reach.max(axis=0, initial=0.0))
    return group.astype(np.int32), cell, reach


@kernel
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


@kernel
def _slice_of(start: float, first: float, width: float, n_slices: int) -> int:
    if start <= first:
        return 0
    return min(int((start - first) / width), n_slices - 1)


@kernel
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


@kernel
def _carried(points, piece_of, early, reach, first, width, n_slices, edges):  # type: ignore[no-untyped-def]
    """For each tile, the legs that begin in an earlier one and reach into it."""
    n_tiles = edges.shape[0] - 1
    begins, result = np.zeros(n_tiles + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
    if n_tiles == 1:
        return result, begins
    tile_of = np.empty(n_slices, dtype=np.int32)
    for k in range(n_tiles):
        tile_of[edges[k] : edges[k + 1]] = k
    at = begins[:-1].copy()
    for counting in (True, False):
        if not counting:
            for k in range(n_tiles):
                begins[k + 1] += begins[k]
            at[:] = begins[:-1]
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


@kernel
def _cube(v: float) -> int:
    return int(v + _HALF_RANGE)  # positive, so cutting off is rounding down


@kernel
def _number(ix: int, iy: int, iz: int, group: int) -> int:
    """One number for a cube: 3 × 16 bits and 4 of the group, which a float holds exactly beside other numbers."""
    return (((ix << 16) | iy) << 16 | iz) << 4 | int(group)


@kernel
def _bucket(number: int, mask: int) -> int:
    mixed = number * 0x9E3779B97F4A7C1
    return (mixed ^ (mixed >> 29)) & mask


@kernel
def _rebuild(heads, node_leg, node_next, nodes, used, now):  # type: ignore[no-untyped-def]
    """Drop what has ended, and make room: the arrays come back at most half full."""
    kept = 0
    for node in range(used):
        if nodes[node, 4] >= now:
            node_leg[kept] = node_leg[node]
            for k in range(8):
                nodes[kept, k] = nodes[node, k]
            kept += 1
    size = node_leg.shape[0]
    if 2 * kept > size:
        size *= 2
        more_legs, more_nodes = np.empty(size, np.int32), np.empty((size, 8))
        for node in range(kept):
            more_legs[node] = node_leg[node]
            for k in range(8):
                more_nodes[node, k] = nodes[node, k]
        node_leg, nodes = more_legs, more_nodes
        node_next, heads = np.empty(size, np.int32), np.empty(_HEADS_PER_NODE * size, np.int32)
    for bucket in range(heads.shape[0]):
        heads[bucket] = -1
    for node in range(kept):
        bucket = _bucket(int(nodes[node, 7]), heads.shape[0] - 1)
        node_next[node] = heads[bucket]
        heads[bucket] = node
    return heads, node_leg, node_next, nodes, kept


@kernel
def _box_of(points, i, pi, p_ref, p_early, p_reach, box):  # type: ignore[no-untyped-def]
    """Fill `box` with a leg's middle, first and last time, least and greatest height; returns half its length.

    Heights that do not compare with others' as numbers span everything.
    """
    length = 0.0
    for k in range(3):
        box[k] = 0.5 * (points[i, k] + points[i + 1, k])
        length += (points[i + 1, k] - points[i, k]) ** 2
    box[3], box[4] = points[i, 3] - p_early[pi], points[i + 1, 3] + p_reach[pi]
    box[5], box[6] = min(points[i, 5], points[i + 1, 5]), max(points[i, 5], points[i + 1, 5])
    if p_ref[pi] == AMSL:  # two heights above the sea compare as such, and the geoid between them is not level
        box[5], box[6] = box[5] - _GEOID_RANGE_M, box[6] + _GEOID_RANGE_M
    elif p_ref[pi] == FL:  # with each other they compare; with others they are intervals
        box[5], box[6] = box[5] - _PRESSURE_RANGE_M, box[6] + _PRESSURE_RANGE_M
    elif p_ref[pi] > FL:
        box[5], box[6] = -math.inf, math.inf
    return 0.5 * math.sqrt(length)


@kernel
def _sweep(  # type: ignore[no-untyped-def]
    points, piece_of, p_op, p_sort, p_ref, p_doubt, p_early, p_slips, p_reach, party, compare_own, horizontal, vertical,
    time, group_of, cell, reach, order, slices, start_s, width_s, carried,
):  # fmt: skip
    """Run the slices one after the other; room for nodes and hits is made here, so that `_advance` has none to make."""
    node_leg, node_next, nodes, used = (
        np.empty(1024, np.int32),
        np.empty(1024, np.int32),
        np.empty((1024, 8)),
        np.int64(0),
    )
    limit = 1024
    heads = np.full(_HEADS_PER_NODE * 1024, -1, dtype=np.int32)
    hits, state = np.empty((1024, 2), dtype=np.int32), np.zeros(2, dtype=np.int64)
    for loading in (True, False):
        legs, at, step = carried if loading else order, np.int64(0), 0
        while at < legs.shape[0]:
            if used >= limit:
                while not loading and slices[step + 1] <= at:
                    step += 1
                # A little early: where a slice begins is known to within rounding, and one shared instant counts.
                now = start_s + step * width_s - _ROUNDING_S if step > 0 else -math.inf
                heads, node_leg, node_next, nodes, used = _rebuild(heads, node_leg, node_next, nodes, used, now)
                limit = min(node_leg.shape[0], used + used // 4 + 64)
            stop = min(legs.shape[0], at + limit - used)
            done = _advance(
                points, piece_of, p_op, p_sort, p_ref, p_doubt, p_early, p_slips, p_reach, party, compare_own,
                horizontal, vertical, time, group_of, cell, reach, heads, node_leg, node_next, nodes, used, legs, at,
                stop, not loading, hits, state,
            )  # fmt: skip
            used += done - at
            at = done
            if state[1] != 0:
                hits = _doubled(hits)
    return hits[: state[0]].copy()


@kernel
def _advance(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912 - the one hot loop, kept in one place
    points, piece_of, p_op, p_sort, p_ref, p_doubt, p_early, p_slips, p_reach, party, compare_own, horizontal, vertical,
    time, group_of, cell, reach, heads, node_leg, node_next, nodes, used, legs, low, high, testing, hits, state,
):  # fmt: skip
    """Test legs ``low`` to ``high`` against those under way, and add them.

    ``state`` is the number of hits, and whether there was no room for more: then the leg returned is to be done again.
    What may be near is first gathered without branches, which would be mispredicted, then looked at.
    """
    n_hits, room, mask, box, near = state[0], hits.shape[0], heads.shape[0] - 1, np.empty(8), np.empty_like(node_leg)
    state[1] = 0
    for at in range(low, high):
        i = legs[at]
        pi = piece_of[i]
        op, sort, found, tallest = p_op[pi], p_sort[pi], 0, 0.0
        half = _box_of(points, i, pi, p_ref, p_early, p_reach, box)
        x, y, z, t0, t1, h0, h1 = box[0], box[1], box[2], box[3], box[4], box[5], box[6]
        for k in range(vertical.shape[1] if testing else 0):
            tallest = max(tallest, vertical[sort, k])
        for g in range(cell.shape[0] if testing else 0):
            r, per = reach[sort, g] + half, 1.0 / cell[g]
            if reach[sort, g] < 0.0:
                continue
            ix0, ix1 = _cube((x - r) * per), _cube((x + r) * per)
            iy0, iy1 = _cube((y - r) * per), _cube((y + r) * per)
            iz0, iz1 = _cube((z - r) * per), _cube((z + r) * per)
            for ix in range(ix0, ix1 + 1):
                for iy in range(iy0, iy1 + 1):
                    for iz in range(iz0, iz1 + 1):
                        number = _number(ix, iy, iz, g)
                        key, node = float(number), heads[_bucket(number, mask)]
                        while node >= 0:
                            dx, dy, dz = x - nodes[node, 0], y - nodes[node, 1], z - nodes[node, 2]
                            near[found] = node
                            found += (
                                (nodes[node, 7] == key)
                                & (t0 <= nodes[node, 4])
                                & (nodes[node, 3] <= t1)
                                & (h0 - nodes[node, 6] < tallest)
                                & (nodes[node, 5] - h1 < tallest)
                                & (dx * dx + dy * dy + dz * dz <= r * r)
                            )
                            node = node_next[node]
        before_leg = n_hits
        for k in range(found):
            j = node_leg[near[k]]
            pj = piece_of[j]
            other, sort_j = p_op[pj], p_sort[pj]
            h = horizontal[sort, sort_j]
            if op == other or h <= 0.0 or (party[op] == party[other] and not compare_own):
                continue
            h, v = h + p_doubt[pi] + p_doubt[pj] - MARGIN_M, vertical[sort, sort_j] - MARGIN_M
            slips = p_slips[pi] or p_slips[pj] or time[sort, sort_j] > 0.0
            if slips or _maybe(points, i, j, p_ref[pi], p_ref[pj], h, v):
                if n_hits == room:
                    state[0], state[1] = before_leg, 1
                    return at
                hits[n_hits, 0], hits[n_hits, 1] = (i, j) if op < other else (j, i)
                n_hits += 1
        per = 1.0 / cell[group_of[sort]]
        number = _number(_cube(x * per), _cube(y * per), _cube(z * per), group_of[sort])
        box[7], bucket, new = number, _bucket(number, mask), used + at - low
        node_leg[new], node_next[new], heads[bucket] = i, heads[bucket], new
        for k in range(8):
            nodes[new, k] = box[k]
    state[0] = n_hits
    return high


@kernel
def _doubled(hits):  # type: ignore[no-untyped-def]
    grown = np.empty((2 * hits.shape[0], 2), dtype=np.int32)
    for row in range(hits.shape[0]):
        grown[row, 0], grown[row, 1] = hits[row, 0], hits[row, 1]
    return grown


@kernel
def _maybe(points, i, j, ref_i, ref_j, horizontal, vertical):  # type: ignore[no-untyped-def]
    """Whether legs i and j, with exact times, could come too close: exact where their heights compare.

    For the others their boxes touch and that is enough; the judgement that follows is exact.
    """
    if points[i, 3] > points[j + 1, 3] or points[j, 3] > points[i + 1, 3]:
        return False
    same = ref_i == ref_j and ref_i <= FL
    lasting = points[i + 1, 3] > points[i, 3] and points[j + 1, 3] > points[j, 3]
    if lasting and (same or (ref_i <= AMSL and ref_j <= AMSL)):
        return quick_near(points, i, j, 4 if same else 5, horizontal, vertical)
    return True
