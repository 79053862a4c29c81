"""A live index of legs: what one new operation could come too close to, among a million that come and go.

A leg lies in a hash under the cube of space and the slab of time of its middle. Legs of like size and minima share a
size of cube, legs of like duration a width of slab, so that every leg spans at most two of each; a question looks into
the few cubes and slabs it reaches, once for each pair of sizes in use. Legs are kept in blocks of neighbours with a
bounding sphere, which serve questions that would have to look into too many cubes, and shapes.

The index may let through too much, never too little: what it finds is judged by the exact tests.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.geo.heights import AMSL, FL
from keepclear.geo.kernel import kernel
from keepclear.separation.leg_pairs import MARGIN_M, quick_near
from keepclear.separation.legs import Legs

__all__ = ["BLOCK", "LegIndex", "Rules"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLOCK = 16
"""Leg slots in a block."""
_SIZES, _DURATIONS = 32, 16
_SMALLEST_M, _SHORTEST_S = 32.0, 16.0
_ALWAYS = _DURATIONS - 1
_MOST_ROWS = 512
_MASK = 0x7FFFFFFFFFFFFFFF


class Rules(NamedTuple):
    """The minima by rows, and which things are compared: see `sorts.Sorts` and `world.World.thing_party`."""

    horizontal_m: Array
    vertical_m: Array
    time_s: Array
    thing_party: Ints
    compare_own: bool


class _Store(NamedTuple):
    """Leg slots: slot s has points 2s and 2s + 1. Blocks of `BLOCK` slots belong to one thing, or are free (-1)."""

    points: Array
    thing: npt.NDArray[np.int32]
    sort: npt.NDArray[np.int32]
    reference: npt.NDArray[np.int8]
    tolerance: Array
    following: npt.NDArray[np.int32]
    key: Ints
    size: npt.NDArray[np.int16]
    block_sphere: Array
    block_time: Array
    block_thing: npt.NDArray[np.int32]
    block_count: npt.NDArray[np.int32]


class _Sizes(NamedTuple):
    """Of the legs of each size and duration: how many are held, the largest half and doubt, and which rows."""

    held: Ints
    half_m: Array
    doubt_m: Array
    rows: npt.NDArray[np.bool_]


class LegIndex:
    """Legs of many things, which can be put in, taken out and asked for.

    Putting in and taking out cost time in proportion to the legs of the one thing, but for the moments when the arrays
    are grown to double their size. One writer at a time; readers must not read meanwhile.
    """

    def __init__(self, capacity_legs: int = 4096) -> None:
        blocks = max(8, -(-capacity_legs // BLOCK))
        self._store = _empty_store(blocks)
        self._heads = np.full(_power_of_two(2 * blocks * BLOCK), -1, dtype=np.int32)
        self._free = np.arange(blocks - 1, -1, -1, dtype=np.int64)
        self._n_free = blocks
        many = _SIZES * _DURATIONS
        self._sizes = _Sizes(
            np.zeros(many, np.int64), np.zeros(many), np.zeros(many), np.zeros((many, _MOST_ROWS), np.bool_)
        )

    def __len__(self) -> int:
        return int(self._sizes.held.sum())

    def insert(self, legs: Legs, thing_of: Ints, own_m: Array) -> tuple[Ints, Ints]:
        """Put legs in.

        Parameters
        ----------
        thing_of
            Shape (operations of `legs`,): number of the thing that each is.
        own_m
            Shape (rows,): a horizontal minimum that is typical of each row, from which the size of cubes is taken.

        Returns
        -------
        blocks, things
            The blocks that the legs were put in, for `remove`, and the thing of each.
        """
        needed = _blocks_needed(legs.piece_of, legs.operation)
        while self._n_free < needed:
            self._grow()
        blocks = self._free[self._n_free - needed : self._n_free][::-1].copy()
        self._n_free -= needed
        thing = thing_of[legs.operation].astype(np.int32)
        tolerance = np.column_stack((legs.uncertainty_m, legs.early_s, legs.late_s))
        _insert(
            legs.points, legs.piece_of, thing, legs.sort, legs.reference, tolerance, own_m, blocks, self._store,
            self._sizes, self._heads,
        )  # fmt: skip
        return blocks, self._store.block_thing[blocks].astype(np.int64)

    def remove(self, blocks: Ints) -> None:
        """Take out the legs in `blocks`."""
        _remove(blocks, self._store, self._sizes, self._heads)
        self._free[self._n_free : self._n_free + len(blocks)] = blocks
        self._n_free += len(blocks)

    def near(self, legs: Legs, *, party: int, leaving_out: int, rules: Rules) -> npt.NDArray[np.int64]:
        """Pairs of one of `legs` (its first point) and a leg slot that come, or may come, too close.

        Parameters
        ----------
        party
            Party of the operation that asks, as in ``rules.thing_party``.
        leaving_out
            Thing that it is not to be compared with; -1 for none.
        """
        used = np.flatnonzero(self._sizes.held)
        if not len(used) or not len(legs.operation):
            return np.empty((0, 2), np.int64)
        reach, time = self._reaches(used, rules)
        widths = np.where(used % _DURATIONS == _ALWAYS, math.inf, _SHORTEST_S * 4.0 ** (used % _DURATIONS))
        tolerance = np.column_stack((legs.uncertainty_m, legs.early_s, legs.late_s))
        found: npt.NDArray[np.int64] = _near(
            legs.points, legs.piece_of, legs.sort, legs.reference, tolerance, party, leaving_out, rules, used, reach,
            time, _SMALLEST_M * 2.0 ** (used // _DURATIONS), widths, self._store, self._heads,
        )  # fmt: skip
        return found

    def slots_touching(self, spheres: Array, times: Array, *, party: int, leaving_out: int, rules: Rules) -> Ints:
        """Leg slots whose block touches one of the spheres while it lasts; shapes (k, 4) and (k, 2)."""
        store = self._store
        blocks: Ints = touching(
            store.block_sphere, store.block_time, store.block_thing, spheres, times, party, leaving_out,
            rules.thing_party, rules.compare_own,
        )  # fmt: skip
        slots: Ints = (blocks[:, None] * BLOCK + np.arange(BLOCK)).ravel()
        return slots[store.thing[slots] >= 0]

    def things(self, slots: Ints) -> npt.NDArray[np.int32]:
        """Thing of each leg slot."""
        return self._store.thing[slots]

    def gathered(self, slots: Ints) -> tuple[Array, Ints, npt.NDArray[np.int32], npt.NDArray[np.int8], Array]:
        """Points (two per slot), things, rows, height codes and tolerances of leg slots."""
        store = self._store
        rows = np.column_stack((2 * slots, 2 * slots + 1)).ravel()
        return (
            store.points[rows], store.thing[slots].astype(np.int64), store.sort[slots], store.reference[slots],
            store.tolerance[slots],
        )  # fmt: skip

    def _reaches(self, used: Ints, rules: Rules) -> tuple[Array, Array]:
        """How far each row must look for legs of each size in use, in metres (negative: not at all) and seconds."""
        rows = len(rules.horizontal_m)
        present = self._sizes.rows[used, :rows]
        widest = np.where(present[None, :, :], rules.horizontal_m[:, None, :], -1.0).max(axis=2)
        more = self._sizes.half_m[used] + self._sizes.doubt_m[used] + 1.0
        time = np.where(present[None, :, :], rules.time_s[:, None, :], 0.0).max(axis=2)
        return np.where(widest > 0.0, widest + more, -1.0), time

    def _grow(self) -> None:
        old = self._store
        blocks = len(old.block_thing)
        new = _empty_store(2 * blocks)
        for name in _Store._fields:
            before = getattr(old, name)
            getattr(new, name)[: len(before)] = before
        self._store = new
        self._free = np.concatenate((np.arange(2 * blocks - 1, blocks - 1, -1), self._free[: self._n_free]))
        self._n_free += blocks
        self._free = np.concatenate((self._free, np.empty(2 * blocks - self._n_free, np.int64)))
        self._heads = np.full(_power_of_two(4 * blocks * BLOCK), -1, dtype=np.int32)
        _hash_again(new, self._heads, blocks * BLOCK)


def _empty_store(blocks: int) -> _Store:
    slots = blocks * BLOCK
    return _Store(
        np.empty((2 * slots, 6)), np.full(slots, -1, np.int32), np.empty(slots, np.int32), np.empty(slots, np.int8),
        np.empty((slots, 3)), np.empty(slots, np.int32), np.empty(slots, np.int64), np.empty(slots, np.int16),
        np.empty((blocks, 4)), np.empty((blocks, 2)), np.full(blocks, -1, np.int32), np.zeros(blocks, np.int32),
    )  # fmt: skip


def _power_of_two(least: int) -> int:
    return 1 << max(10, (least - 1).bit_length())


@kernel
def _blocks_needed(piece_of, operation):  # type: ignore[no-untyped-def]
    blocks, room, last = 0, 0, -1
    for i in range(piece_of.shape[0]):
        if piece_of[i] < 0:
            continue
        op = operation[piece_of[i]]
        if room == 0 or op != last:
            blocks += 1
            room = BLOCK
        room -= 1
        last = op
    return blocks


@kernel
def _half_length(points: Array, i: int) -> float:
    square = 0.0
    for k in range(3):
        square += (points[i + 1, k] - points[i, k]) ** 2
    return 0.5 * math.sqrt(square)


@kernel
def _size_of(length_m: float, span_s: float) -> int:
    """Number of the pair of a size of cube and a duration."""
    size, cell = 0, _SMALLEST_M
    while cell < 2.0 * length_m and size < _SIZES - 1:
        size += 1
        cell *= 2.0
    duration, width = 0, _SHORTEST_S
    while not span_s <= width and duration < _ALWAYS:
        duration += 1
        width *= 4.0
    return size * _DURATIONS + duration


@kernel
def _mixed(ix: int, iy: int, iz: int, slab: int, size: int) -> int:
    # Two cubes may share a key: then a leg too many is tested, or one twice, and none is missed.
    mixed = ix * 73856093 + iy * 2654435761 + iz * 83492791131 + slab * 1099511628211 + size * 6364136223846793
    mixed &= _MASK
    mixed = (mixed ^ (mixed >> 31)) & _MASK
    mixed = (mixed * 2862933555777941757) & _MASK
    return (mixed ^ (mixed >> 29)) & _MASK


@kernel
def _cell(value: float, width: float) -> int:
    return int(math.floor(value / width))  # noqa: RUF046 - compiled, floor gives a float


@kernel
def _key_of(points: Array, i: int, early: float, late: float, size: int) -> int:
    """Key of the cube and slab of the middle of the leg at points i and i + 1."""
    cell = _SMALLEST_M * 2.0 ** (size // _DURATIONS)
    slab = 0
    if size % _DURATIONS < _ALWAYS:
        width = _SHORTEST_S * 4.0 ** (size % _DURATIONS)
        slab = _cell(0.5 * (points[i, 3] - early + points[i + 1, 3] + late), width)
    return _mixed(
        _cell(0.5 * (points[i, 0] + points[i + 1, 0]), cell), _cell(0.5 * (points[i, 1] + points[i + 1, 1]), cell),
        _cell(0.5 * (points[i, 2] + points[i + 1, 2]), cell), slab, size,
    )  # fmt: skip


@kernel
def _insert(points, piece_of, thing, sort, reference, tolerance, own, blocks, store, sizes, heads):  # type: ignore[no-untyped-def]
    mask = heads.shape[0] - 1
    at, room, last, block = -1, 0, -1, -1
    for i in range(piece_of.shape[0]):
        piece = piece_of[i]
        if piece < 0:
            continue
        if room == 0 or thing[piece] != last:
            at += 1
            block = blocks[at]
            room, last = BLOCK, thing[piece]
            store.block_thing[block], store.block_count[block] = last, 0
        slot = block * BLOCK + store.block_count[block]
        store.block_count[block] += 1
        room -= 1
        for k in range(6):  # the index holds both heights, since a later track's may not be the same
            column = min(k, points.shape[1] - 1)
            store.points[2 * slot, k], store.points[2 * slot + 1, k] = points[i, column], points[i + 1, column]
        store.thing[slot], store.sort[slot], store.reference[slot] = thing[piece], sort[piece], reference[piece]
        for k in range(3):
            store.tolerance[slot, k] = tolerance[piece, k]
        doubt, early, late = tolerance[piece, 0], tolerance[piece, 1], tolerance[piece, 2]
        half = _half_length(points, i)
        size = _size_of(own[sort[piece]] + 2.0 * (half + doubt), points[i + 1, 3] + late - points[i, 3] + early)
        store.size[slot] = size
        sizes.held[size] += 1
        sizes.half_m[size], sizes.doubt_m[size] = max(sizes.half_m[size], half), max(sizes.doubt_m[size], doubt)
        sizes.rows[size, sort[piece]] = True
        key = _key_of(store.points, 2 * slot, early, late, size)
        store.key[slot] = key
        store.following[slot] = heads[key & mask]
        heads[key & mask] = slot
    for k in range(at + 1):
        _bound_block(store, blocks[k])


@kernel
def _bound_block(store, block):  # type: ignore[no-untyped-def]
    """Sphere and times of a block, with the doubts of its legs."""
    first, count = block * BLOCK, store.block_count[block]
    square, doubt, begin, end = 0.0, 0.0, math.inf, -math.inf
    for k in range(3):
        low, high = math.inf, -math.inf
        for p in range(2 * first, 2 * (first + count)):
            low, high = min(low, store.points[p, k]), max(high, store.points[p, k])
        store.block_sphere[block, k] = 0.5 * (low + high)
        square += (0.5 * (high - low)) ** 2
    for slot in range(first, first + count):
        doubt = max(doubt, store.tolerance[slot, 0])
        begin = min(begin, store.points[2 * slot, 3] - store.tolerance[slot, 1])
        end = max(end, store.points[2 * slot + 1, 3] + store.tolerance[slot, 2])
    store.block_sphere[block, 3] = math.sqrt(square) + doubt
    store.block_time[block, 0], store.block_time[block, 1] = begin, end


@kernel
def _remove(blocks, store, sizes, heads):  # type: ignore[no-untyped-def]
    mask = heads.shape[0] - 1
    for at in range(blocks.shape[0]):
        block = blocks[at]
        for slot in range(block * BLOCK, block * BLOCK + store.block_count[block]):
            bucket = store.key[slot] & mask
            here = heads[bucket]
            if here == slot:
                heads[bucket] = store.following[slot]
            else:
                while store.following[here] != slot:
                    here = store.following[here]
                store.following[here] = store.following[slot]
            store.thing[slot] = -1
            sizes.held[store.size[slot]] -= 1
        store.block_thing[block], store.block_count[block] = -1, 0


@kernel
def _hash_again(store, heads, slots):  # type: ignore[no-untyped-def]
    mask = heads.shape[0] - 1
    for slot in range(slots):
        if store.thing[slot] >= 0:
            bucket = store.key[slot] & mask
            store.following[slot] = heads[bucket]
            heads[bucket] = slot


@kernel
def _added(found, n, i, slot):  # type: ignore[no-untyped-def]
    if n == found.shape[0]:
        grown = np.empty((2 * n, 2), dtype=np.int64)
        for row in range(n):
            grown[row, 0], grown[row, 1] = found[row, 0], found[row, 1]
        found = grown
    found[n, 0], found[n, 1] = i, slot
    return found


@kernel
def _near(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912 - one loop, kept in one place
    points, piece_of, sort, reference, tolerance, party, leaving_out, rules, used, reach, time, cells, widths, store,
    heads,
):  # fmt: skip
    found, n = np.empty((64, 2), dtype=np.int64), 0
    mask, most = heads.shape[0] - 1, max(1024, store.block_thing.shape[0] // 2)
    pair = np.empty((4, 6))
    for i in range(piece_of.shape[0]):
        piece = piece_of[i]
        if piece < 0:
            continue
        row, doubt = sort[piece], tolerance[piece, 0]
        begin, end = points[i, 3] - tolerance[piece, 1], points[i + 1, 3] + tolerance[piece, 2]
        for k in range(6):
            column = min(k, points.shape[1] - 1)
            pair[0, k], pair[1, k] = points[i, column], points[i + 1, column]
        probes = 0.0
        for c in range(used.shape[0]):
            if reach[row, c] >= 0.0:
                cubes = 1.0
                for k in range(3):
                    cubes *= 2.0 + (abs(points[i + 1, k] - points[i, k]) + 2.0 * (reach[row, c] + doubt)) / cells[c]
                slabs = 1.0 if math.isinf(widths[c]) else 2.0 + (end - begin + 2.0 * time[row, c]) / widths[c]
                probes += cubes * slabs
        if not probes <= most:
            found, n = _near_in_blocks(
                pair, piece, i, begin, end, row, reference, tolerance, party, leaving_out, rules, store, reach, time,
                found, n,
            )  # fmt: skip
            continue
        for c in range(used.shape[0]):
            r, cell, size = reach[row, c] + doubt, cells[c], int(used[c])
            if reach[row, c] < 0.0:
                continue
            x0, x1 = _cell(min(pair[0, 0], pair[1, 0]) - r, cell), _cell(max(pair[0, 0], pair[1, 0]) + r, cell)
            y0, y1 = _cell(min(pair[0, 1], pair[1, 1]) - r, cell), _cell(max(pair[0, 1], pair[1, 1]) + r, cell)
            z0, z1 = _cell(min(pair[0, 2], pair[1, 2]) - r, cell), _cell(max(pair[0, 2], pair[1, 2]) + r, cell)
            s0 = s1 = 0
            if not math.isinf(widths[c]):
                s0 = _cell(begin - time[row, c] - 0.5 * widths[c], widths[c])
                s1 = _cell(end + time[row, c] + 0.5 * widths[c], widths[c])
            for slab in range(s0, s1 + 1):
                for ix in range(x0, x1 + 1):
                    for iy in range(y0, y1 + 1):
                        for iz in range(z0, z1 + 1):
                            key = _mixed(ix, iy, iz, slab, size)
                            slot = heads[key & mask]
                            while slot >= 0:
                                if store.key[slot] == key and _could_be(
                                    pair, piece, slot, begin, end, row, reference, tolerance, party, leaving_out,
                                    rules, store,
                                ):  # fmt: skip
                                    found = _added(found, n, i, slot)
                                    n += 1
                                slot = store.following[slot]
    return found[:n].copy()


@kernel
def _near_in_blocks(  # type: ignore[no-untyped-def]
    pair, piece, i, begin, end, row, reference, tolerance, party, leaving_out, rules, store, reach, time, found, n
):  # fmt: skip
    """The same by the blocks' spheres, for a leg that would have to look into too many cubes."""
    widest, longest = -1.0, 0.0
    for c in range(reach.shape[1]):
        widest, longest = max(widest, reach[row, c]), max(longest, time[row, c])
    own = _half_length(pair, 0) + tolerance[piece, 0]
    for block in range(store.block_thing.shape[0]):
        if store.block_thing[block] < 0:
            continue
        if store.block_time[block, 0] - longest > end or store.block_time[block, 1] + longest < begin:
            continue
        square = 0.0
        for k in range(3):
            square += (0.5 * (pair[0, k] + pair[1, k]) - store.block_sphere[block, k]) ** 2
        limit = widest + own + store.block_sphere[block, 3]
        if square > limit * limit:
            continue
        for slot in range(block * BLOCK, block * BLOCK + store.block_count[block]):
            if _could_be(pair, piece, slot, begin, end, row, reference, tolerance, party, leaving_out, rules, store):
                found = _added(found, n, i, slot)
                n += 1
    return found, n


@kernel
def _could_be(pair, piece, slot, begin, end, row, reference, tolerance, party, leaving_out, rules, store):  # type: ignore[no-untyped-def]
    """Whether the leg in ``pair[0:2]`` could come too close to a slot's: exact for exact times and plain heights."""
    thing, other = store.thing[slot], store.sort[slot]
    if thing == leaving_out or (party == rules.thing_party[thing] and not rules.compare_own):
        return False
    horizontal, time = rules.horizontal_m[row, other], rules.time_s[row, other]
    if horizontal <= 0.0:
        return False
    a, b = 2 * slot, 2 * slot + 1
    early, late = store.tolerance[slot, 1], store.tolerance[slot, 2]
    if store.points[a, 3] - early - time > end or store.points[b, 3] + late + time < begin:
        return False
    horizontal += tolerance[piece, 0] + store.tolerance[slot, 0] - MARGIN_M
    square = 0.0
    for k in range(3):
        square += (0.5 * (pair[0, k] + pair[1, k] - store.points[a, k] - store.points[b, k])) ** 2
    limit = horizontal + _half_length(pair, 0) + _half_length(store.points, a) + 0.01
    if square > limit * limit:
        return False
    slips = time + early + late + tolerance[piece, 1] + tolerance[piece, 2] > 0.0
    ri, rj = reference[piece], store.reference[slot]
    same = ri == rj and ri <= FL
    if slips or not (same or (ri <= AMSL and rj <= AMSL)):
        return True
    if not (pair[1, 3] > pair[0, 3] and store.points[b, 3] > store.points[a, 3]):
        return True
    for k in range(6):
        pair[2, k], pair[3, k] = store.points[a, k], store.points[b, k]
    return quick_near(pair, 0, 2, 4 if same else 5, horizontal, rules.vertical_m[row, other] - MARGIN_M)


@kernel
def touching(spheres, times, things, asked, asked_times, party, leaving_out, thing_party, compare_own):  # type: ignore[no-untyped-def]
    """Rows whose sphere and times overlap one that is asked for, of things that it is compared with."""
    found, n = np.empty(things.shape[0], np.int64), 0
    first, last = math.inf, -math.inf
    for q in range(asked.shape[0]):
        first, last = min(first, asked_times[q, 0]), max(last, asked_times[q, 1])
    for row in range(things.shape[0]):
        if things[row] < 0 or times[row, 0] > last or times[row, 1] < first:
            continue
        thing = things[row]
        if thing == leaving_out or (thing_party[thing] == party and not compare_own):
            continue
        for q in range(asked.shape[0]):
            if times[row, 0] > asked_times[q, 1] or times[row, 1] < asked_times[q, 0]:
                continue
            square = 0.0
            for k in range(3):
                square += (spheres[row, k] - asked[q, k]) ** 2
            limit = spheres[row, 3] + asked[q, 3]
            if square <= limit * limit:
                found[n] = row
                n += 1
                break
    return found[:n].copy()
