"""The search: every pair of legs that may come too close, found without looking at every pair.

Legs are taken in the order of their times, a thin slice after the other. Those under way are kept in a hash of squares
on the faces of a cube round the Earth, under the square of their middle; a new leg is tested against what lies in the
squares it reaches, then put there itself; what has ended is dropped when room is made. So each pair is met once, when
its later leg arrives, however uneven the legs are. The search may widen; the verdict is the pair test's.

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
_SMALLEST_CELL_M = 250.0  # 2¹⁶ squares then reach across the Earth
_HALF_RANGE = 1 << 15
_CELL_PER_REACH = 2.5
_BATCH = 256  # every call counts references to its arrays with locked instructions, so calls are few
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
    most_tiles = 1 if jobs == 1 and progress is None else max(8, 4 * jobs)
    tiles = plan_tiles(legs, limits, most_tiles=most_tiles, jobs=jobs)
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


def plan_tiles(legs: Legs, limits: Limits, *, most_tiles: int, jobs: int = 1) -> list[Tile]:
    """Tiles of about equal numbers of legs."""
    if not len(legs.operation):
        return []
    rows = np.linspace(0, len(legs.piece_of), max(1, jobs) + 1).astype(np.int64)
    shares = list(pairwise(rows.tolist()))
    with ThreadPoolExecutor(len(shares)) as pool:
        bounds = list(pool.map(lambda share: _bounds(legs.points, legs.piece_of, legs.early_s, *share), shares))
        count = sum(bound[2] for bound in bounds)
        if count == 0:
            return []
        first, last = _first_and_last(bounds)
        n_slices = int(min(max(count // _LEGS_PER_SLICE, 1), _MOST_SLICES))
        width = max((last - first) / n_slices, 1e-3)
        when = first, width, n_slices
        number, order = np.empty(len(legs.piece_of), np.int32), np.empty(count, np.int32)
        counts = np.vstack(
            list(
                pool.map(lambda share: _count(legs.points, legs.piece_of, legs.early_s, *when, number, *share), shares)
            )
        )
        slices = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts.sum(axis=0))))
        at = slices[:-1] + np.cumsum(counts, axis=0) - counts
        list(pool.map(lambda k: _scatter(number, order, at[k], *shares[k]), range(len(shares))))
        n_tiles = max(1, min(most_tiles, count // _LEAST_TILE, n_slices))
        cuts = np.searchsorted(slices, np.linspace(0, count, n_tiles + 1)[1:-1])
        edges = np.unique(np.concatenate(([0], cuts, [n_slices]))).astype(np.int64)
        reach = legs.late_s + limits.time_s.max(axis=1)[legs.sort]
        carried = list(
            pool.map(
                lambda share: _carried(legs.points, legs.piece_of, number, reach, *when, edges, *share),
                shares if n_tiles > 1 else [],
            )
        )
    late = np.concatenate([np.empty((0, 2), np.int32), *carried])
    return [
        Tile(
            order[slices[low] : slices[high]],
            slices[low : high + 1] - slices[low],
            first + low * width,
            width,
            late[late[:, 0] == k, 1],
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
        limits.vertical_m, limits.time_s, limits.vertical_m.max(axis=1), group, 1.0 / cell, reach, tile.order,
        tile.slices, tile.start_s, tile.width_s, tile.carried,
    )  # fmt: skip
    return hits


def grid_of(legs: Legs, limits: Limits) -> tuple[Ints, Array, Array]:
    """Group of each row of the minima, size of the squares of each group, and how far row a must look in group g.

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
    cell = np.maximum(
        _CELL_PER_REACH * np.array([reach[group == g, g].max() for g in range(len(values))]), _SMALLEST_CELL_M
    )
    # Whoever looks far into a fine grid must not have to look into millions of squares.
    cell = np.maximum(cell, 0.25 * reach.max(axis=0, initial=0.0))
    return group.astype(np.int32), cell, reach


def _first_and_last(bounds: list[tuple[float, float, int]]) -> tuple[float, float]:
    first, last = min(bound[0] for bound in bounds), max(bound[1] for bound in bounds)
    return (first, last) if first <= last else (0.0, 0.0)


@kernel
def _bounds(points, piece_of, early, low, high):  # type: ignore[no-untyped-def]
    """When the first and the last of legs `low` to `high` begin, of those that begin at all, and how many they are."""
    first, last, count = math.inf, -math.inf, 0
    for i in range(low, high):
        piece = piece_of[i]
        if piece >= 0:
            count += 1
            start = points[i, 3] - early[piece]
            if start > -math.inf:
                first, last = min(first, start), max(last, start)
    return first, last, count


@kernel
def _slice_of(start: float, first: float, per: float, n_slices: int) -> int:
    if start <= first:
        return 0
    return int(min((start - first) * per, n_slices - 0.5))


@kernel
def _count(points, piece_of, early, first, width, n_slices, number, low, high):  # type: ignore[no-untyped-def]
    """Write the slice of time in which each leg begins, -1 where none does; returns how many begin in each."""
    counts, per = np.zeros(n_slices, dtype=np.int64), 1.0 / width
    for i in range(low, high):
        piece = piece_of[i]
        number[i] = -1
        if piece >= 0:
            k = _slice_of(points[i, 3] - early[piece], first, per, n_slices)
            number[i] = k
            counts[k] += 1
    return counts


@kernel
def _scatter(number, order, at, low, high):  # type: ignore[no-untyped-def]
    """Put each leg where its slice has come to."""
    for i in range(low, high):
        k = number[i]
        if k >= 0:
            order[at[k]] = i
            at[k] += 1


@kernel
def _carried(points, piece_of, number, reach, first, width, n_slices, edges, low, high):  # type: ignore[no-untyped-def]
    """Rows of (tile, leg): legs that begin before a tile and reach into it."""
    tile_of = np.empty(n_slices, dtype=np.int32)
    for k in range(edges.shape[0] - 1):
        tile_of[edges[k] : edges[k + 1]] = k
    found, n, per = np.empty((256, 2), dtype=np.int32), 0, 1.0 / width
    for i in range(low, high):
        if number[i] < 0:
            continue
        begin = tile_of[number[i]]
        end = tile_of[_slice_of(points[i + 1, 3] + reach[piece_of[i]], first, per, n_slices)]
        for tile in range(begin + 1, end + 1):
            if n == found.shape[0]:
                found = _doubled(found)
            found[n, 0], found[n, 1] = tile, i
            n += 1
    return found[:n].copy()


@kernel
def _square_of(v: float) -> int:
    return int(v + _HALF_RANGE)  # positive, so cutting off is rounding down


@kernel
def _number(iu: int, iv: int, face: int, group: int) -> int:
    """One number for a square of a face: 2 × 16 bits, 3 of the face and 4 of the group; a float holds it exactly."""
    return ((((iu << 16) | iv) << 3 | face) << 4) | int(group)


@kernel
def _face_of(x: float, y: float, z: float) -> int:
    """Face of the cube round the Earth above which a point lies: that of its greatest coordinate."""
    ax, ay, az = abs(x), abs(y), abs(z)
    x_is, y_is = int((ax >= ay) & (ax >= az)), int(ay >= az)
    along_x, along_y = x_is, (1 - x_is) * y_is
    along_z = (1 - x_is) * (1 - y_is)
    below = (along_x & int(x < 0.0)) | (along_y & int(y < 0.0)) | (along_z & int(z < 0.0))
    return 2 * along_y + 4 * along_z + below


@kernel
def _u_of(face: int) -> int:
    """The first coordinate along a face. Reckoned: looked up in a tuple, it would be a jump that is mispredicted."""
    return int(face < 2)


@kernel
def _v_of(face: int) -> int:
    """The second coordinate along a face."""
    return 2 - int(face >= 4)


@kernel
def _bucket(number: int, mask: int) -> int:
    mixed = number * 0x9E3779B97F4A7C1
    return (mixed ^ (mixed >> 29)) & mask


@kernel
def _rebuild(heads, links, nodes, used, now):  # type: ignore[no-untyped-def]
    """Drop what has ended, and make room: the arrays come back at most half full."""
    kept = 0
    for node in range(used):
        if nodes[node, 4] >= now:
            links[kept, 0], links[kept, 2] = links[node, 0], links[node, 2]
            for k in range(8):
                nodes[kept, k] = nodes[node, k]
            kept += 1
    size = links.shape[0]
    if 2 * kept > size:
        size *= 2
        more_links, more_nodes = np.empty((size, 4), np.int32), np.empty((size, 8))
        more_links[:kept], more_nodes[:kept] = links[:kept], nodes[:kept]
        links, nodes = more_links, more_nodes
        heads = np.empty(_HEADS_PER_NODE * size, np.int32)
    heads[:] = -1
    for node in range(kept):
        bucket = _bucket(int(nodes[node, 7]), heads.shape[0] - 1)
        links[node, 1] = heads[bucket]
        heads[bucket] = node
    return heads, links, nodes, kept


@kernel
def _boxes_of(points, piece_of, p_sort, p_ref, p_early, p_reach, group_of, per, legs, low, high, boxes, halves):  # type: ignore[no-untyped-def]
    """Fill `boxes` with legs' middles, first and last times, least and greatest heights, and numbers of their squares.

    Heights that do not compare with others' as numbers span everything. All of a batch at once, so that the memory is
    asked for the next leg before the last one has come.
    """
    w84 = points.shape[1] - 1
    for at in range(low, high):
        i, row = legs[at], at - low
        pi = piece_of[i]
        length = 0.0
        for k in range(3):
            boxes[row, k] = 0.5 * (points[i, k] + points[i + 1, k])
            length += (points[i + 1, k] - points[i, k]) ** 2
        halves[row] = 0.5 * math.sqrt(length)
        h0, h1, more = points[i, w84], points[i + 1, w84], 0.0
        if p_ref[pi] == AMSL:  # two heights above the sea compare as such, and the geoid between them is not level
            more = _GEOID_RANGE_M
        elif p_ref[pi] == FL:  # with each other they compare; with others they are intervals
            more = _PRESSURE_RANGE_M
        elif p_ref[pi] > FL:
            more = math.inf
        boxes[row, 3], boxes[row, 4] = points[i, 3] - p_early[pi], points[i + 1, 3] + p_reach[pi]
        boxes[row, 5], boxes[row, 6] = min(h0, h1) - more, max(h0, h1) + more
        face, group = _face_of(boxes[row, 0], boxes[row, 1], boxes[row, 2]), group_of[p_sort[pi]]
        u, v = boxes[row, _u_of(face)] * per[group], boxes[row, _v_of(face)] * per[group]
        boxes[row, 7] = _number(_square_of(u), _square_of(v), face, group)


@kernel
def _sweep(  # type: ignore[no-untyped-def]
    points, piece_of, p_op, p_sort, p_ref, p_doubt, p_early, p_slips, p_reach, party, compare_own, horizontal, vertical,
    time, tallest, group_of, per, reach, order, slices, start_s, width_s, carried,
):  # fmt: skip
    """Run the slices one after the other; room for nodes and hits is made here, so that `_advance` has none to make."""
    links, nodes, used, limit = np.empty((1024, 4), np.int32), np.empty((1024, 8)), np.int64(0), np.int64(1024)
    heads = np.full(_HEADS_PER_NODE * 1024, -1, dtype=np.int32)
    boxes, halves, near = np.empty((_BATCH, 8)), np.empty(_BATCH), np.empty(1024, np.int32)
    hits, state = np.empty((1024, 2), dtype=np.int32), np.zeros(2, dtype=np.int64)
    for loading in (True, False):
        legs, at, step = carried if loading else order, np.int64(0), 0
        while at < legs.shape[0]:
            if used >= limit:
                while not loading and slices[step + 1] <= at:
                    step += 1
                # A little early: where a slice begins is known to within rounding, and one shared instant counts.
                now = start_s + step * width_s - _ROUNDING_S if step > 0 else -math.inf
                heads, links, nodes, used = _rebuild(heads, links, nodes, used, now)
                limit = min(links.shape[0], used + used // 2 + 64)
                if near.shape[0] < links.shape[0]:
                    near = np.empty(links.shape[0], np.int32)
            stop = min(legs.shape[0], at + limit - used, at + _BATCH)
            _boxes_of(
                points, piece_of, p_sort, p_ref, p_early, p_reach, group_of, per, legs, at, stop, boxes, halves
            )  # fmt: skip
            done = _advance(
                points, piece_of, p_op, p_sort, p_ref, p_doubt, p_slips, party, compare_own, horizontal, vertical,
                time, tallest, per, reach, heads, links, nodes, used, legs, at, stop, not loading, boxes, halves, near,
                hits, state,
            )  # fmt: skip
            used += done - at
            at = done
            if state[1] != 0:
                hits = _doubled(hits)
    return hits[: state[0]].copy()


@kernel
def _advance(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912 - the one hot loop, kept in one place
    points, piece_of, p_op, p_sort, p_ref, p_doubt, p_slips, party, compare_own, horizontal, vertical, time, tallest,
    per, reach, heads, links, nodes, used, legs, low, high, testing, boxes, halves, near, hits, state,
):  # fmt: skip
    """Test legs ``low`` to ``high`` against those under way, and add them.

    ``state`` is the number of hits, and whether there was no room for more: then the leg returned is to be done again.
    What may be near is first gathered without branches, which would be mispredicted, then looked at.
    """
    n_hits, room, mask = state[0], hits.shape[0], heads.shape[0] - 1
    state[1] = 0
    for at in range(low, high):
        i, row = legs[at], at - low
        pi = piece_of[i]
        op, sort, found = p_op[pi], p_sort[pi], 0
        x, y, z, t0, t1 = boxes[row, 0], boxes[row, 1], boxes[row, 2], boxes[row, 3], boxes[row, 4]
        h0, h1 = boxes[row, 5] - tallest[sort], boxes[row, 6] + tallest[sort]
        own = (int(boxes[row, 7]) >> 4) & 7
        highest = abs(boxes[row, own >> 1])
        second = max(abs(boxes[row, _u_of(own)]), abs(boxes[row, _v_of(own)]))
        for g in range(per.shape[0] if testing else 0):
            r = reach[sort, g] + halves[row]
            if reach[sort, g] < 0.0:
                continue
            rr, many = r * r, highest - second <= 2.0 * r
            for face in range(0 if many else own, 6 if many else own + 1):
                axis = face >> 1
                if many and (boxes[row, axis] if face & 1 == 0 else -boxes[row, axis]) + r < _others(x, y, z, axis) - r:
                    continue
                u, v = boxes[row, _u_of(face)], boxes[row, _v_of(face)]
                iu0, iu1 = _square_of((u - r) * per[g]), _square_of((u + r) * per[g])
                iv0, iv1 = _square_of((v - r) * per[g]), _square_of((v + r) * per[g])
                for iu in range(iu0, iu1 + 1):
                    for iv in range(iv0, iv1 + 1):
                        number = _number(iu, iv, face, g)
                        key, node = float(number), heads[_bucket(number, mask)]
                        while node >= 0:
                            dx, dy, dz = x - nodes[node, 0], y - nodes[node, 1], z - nodes[node, 2]
                            near[found] = node
                            found += (
                                (nodes[node, 7] == key)
                                & (links[node, 2] != op)
                                & (t0 <= nodes[node, 4])
                                & (nodes[node, 3] <= t1)
                                & (h0 < nodes[node, 6])
                                & (nodes[node, 5] < h1)
                                & (dx * dx + dy * dy + dz * dz <= rr)
                            )
                            node = links[node, 1]
        before_leg = n_hits
        for k in range(found):
            j, other = links[near[k], 0], links[near[k], 2]
            pj = piece_of[j]
            sort_j = p_sort[pj]
            h = horizontal[sort, sort_j]
            if h <= 0.0 or (party[op] == party[other] and not compare_own):
                continue
            h, v = h + p_doubt[pi] + p_doubt[pj] - MARGIN_M, vertical[sort, sort_j] - MARGIN_M
            slips = p_slips[pi] or p_slips[pj] or time[sort, sort_j] > 0.0
            if slips or _maybe(points, i, j, p_ref[pi], p_ref[pj], h, v):
                if n_hits == room:
                    state[0], state[1] = before_leg, 1
                    return at
                hits[n_hits, 0], hits[n_hits, 1] = (i, j) if op < other else (j, i)
                n_hits += 1
        bucket, new = _bucket(int(boxes[row, 7]), mask), used + at - low
        links[new, 0], links[new, 1], links[new, 2], heads[bucket] = i, heads[bucket], op, new
        for k in range(8):
            nodes[new, k] = boxes[row, k]
    state[0] = n_hits
    return high


@kernel
def _others(x: float, y: float, z: float, axis: int) -> float:
    """Greatest size of the two coordinates that are not along an axis."""
    ax, ay, az = abs(x), abs(y), abs(z)
    return max(ay, az) if axis == 0 else max(ax, az) if axis == 1 else max(ax, ay)


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
        return quick_near(points, i, j, 4 if same else points.shape[1] - 1, horizontal, vertical)
    return True
