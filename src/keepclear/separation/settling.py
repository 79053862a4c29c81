"""The legs of a tile, made ready to be searched: described, settled in regions, sorted, and written in columns.

Each step writes to arrays that the caller keeps from tile to tile (`search._room`): `boxes` and `facts` have a row for
each leg, those that begin in the tile before those that are carried into it; `columns` and `who` have the sorted legs
side by side; `asked` and `asking` have a row for each question.
"""

from __future__ import annotations

import math

import numpy as np

from keepclear.geo.heights import AMSL, FL
from keepclear.geo.kernel import inlined_kernel, kernel
from keepclear.separation.regions import face_of, number_of, slot_of, square_of, u_of, v_of, wider

__all__ = [
    "SLACK_M",
    "SLACK_SHARE",
    "arrange",
    "ask",
    "bin_of",
    "describe",
    "forget",
    "level_of",
    "settle",
    "sort_home",
]

SLACK_M = 2.0
"""In single precision two middles are at most 0.9 m nearer to each other, or farther from each other, than they are."""
SLACK_SHARE = 1e-6
"""Differences, squares and sums in single precision lose less than a millionth of a distance."""
_GEOID_RANGE_M = 200.0
_PRESSURE_RANGE_M = 20_000.0
_LEVELS = 14
_LEAST_LASTING = 1.0 / 4096.0
"""Of a tile: no leg is reckoned to be under way for less of it."""


@kernel
def describe(points, piece_of, p_op, p_sort, p_ref, p_early, p_reach, legs, start_s, row, boxes, facts):  # type: ignore[no-untyped-def]
    """Fill `boxes` with legs' middles, half lengths, least and greatest heights, and first and last times.

    Heights are rounded outwards; those that do not compare with others' as numbers span everything. `facts` are the
    leg, its operation and its row in the minima.
    """
    w84 = points.shape[1] - 1
    for at in range(legs.shape[0]):
        i, q = legs[at], row + at
        pi = piece_of[i]
        square = 0.0
        for k in range(3):
            boxes[q, k] = 0.5 * (points[i, k] + points[i + 1, k])
            square += (points[i + 1, k] - points[i, k]) ** 2
        boxes[q, 3] = 0.5 * math.sqrt(square)
        more = 0.5
        if p_ref[pi] == AMSL:  # two heights above the sea compare as such, and the geoid between them is not level
            more = _GEOID_RANGE_M
        elif p_ref[pi] == FL:  # with each other they compare; with others they are intervals
            more = _PRESSURE_RANGE_M
        elif p_ref[pi] > FL:
            more = math.inf
        h0, h1 = points[i, w84], points[i + 1, w84]
        low, high = min(h0, h1), max(h0, h1)
        boxes[q, 4], boxes[q, 5] = low - more - SLACK_SHARE * abs(low), high + more + SLACK_SHARE * abs(high)
        boxes[q, 6], boxes[q, 7] = points[i, 3] - p_early[pi] - start_s, points[i + 1, 3] + p_reach[pi] - start_s
        facts[q, 0], facts[q, 1], facts[q, 2] = i, p_op[pi], p_sort[pi]


@kernel
def settle(boxes, facts, home, many, group_of, g, per, length_s, cells, sums, tables):  # type: ignore[no-untyped-def]
    """Find the smallest squares in which legs of group g are at home; returns how many.

    `cells` gets their numbers, `sums` how many legs each has and how long they last together, in tiles; `facts` the
    cell of each leg, -1 where it is not at home here.
    """
    numbers, n, last, cell = cells[0], 0, -1, 0
    table = tables[0]
    for q in range(many):
        facts[q, 3] = -1
        if q >= home or group_of[facts[q, 2]] != g:
            continue
        face = face_of(boxes[q, 0], boxes[q, 1], boxes[q, 2])
        number = number_of(square_of(boxes[q, u_of(face)] * per), square_of(boxes[q, v_of(face)] * per), face)
        if number != last:  # a flight stays in its square for a while
            slot = slot_of(number, table, numbers)
            if table[slot] < 0:
                table[slot], numbers[n], cells[1, n] = n, number, slot
                sums[n, 0], sums[n, 1] = 0.0, 0.0
                n += 1
            cell, last = table[slot], number
        facts[q, 3] = cell
        sums[cell, 0] += 1.0
        # What begins far outside the tiles would be told to last no time, or less, whatever is beside it there.
        sums[cell, 1] += max((min(boxes[q, 7], length_s) - max(boxes[q, 6], 0.0)) / length_s, _LEAST_LASTING)
    return n


@kernel
def level_of(n_cells, cell, reach, share, question_cost, cells, sums, tables):  # type: ignore[no-untyped-def]
    """Choose how large regions are: large ones need fewer questions, small ones have fewer legs to look at.

    Returns the level, the number of regions, and how long a leg lasts in the mean, in tiles. The rows of `cells` are
    now the numbers and slots of cells, the region of each, and the numbers and slots of regions.
    """
    legs, lasting = 0.0, 0.0
    for c in range(n_cells):
        legs, lasting = legs + sums[c, 0], lasting + sums[c, 1]
    best, level = math.inf, np.int64(0)
    for k in range(_LEVELS):
        n = _gather(n_cells, k, cells, sums, tables)
        looks = 0.0
        for r in range(n):
            looks += sums[r, 2] * sums[r, 3]
        asks = (1.0 + 2.0 * reach / (cell * 2.0**k)) ** 2
        cost = asks * (question_cost + share * looks / legs)
        _empty(n, cells[4], tables[1])
        if cost >= best:
            break
        best, level = cost, np.int64(k)
    return level, _gather(n_cells, level, cells, sums, tables), max(lasting / legs, 1e-9)


@kernel
def _gather(n_cells, level, cells, sums, tables):  # type: ignore[no-untyped-def]
    """Gather cells into regions of a level; returns how many there are."""
    table, numbers, n = tables[1], cells[3], 0
    for c in range(n_cells):
        number = wider(cells[0, c], level)
        slot = slot_of(number, table, numbers)
        if table[slot] < 0:
            table[slot], numbers[n], cells[4, n] = n, number, slot
            sums[n, 2], sums[n, 3] = 0.0, 0.0
            n += 1
        region = table[slot]
        cells[2, c] = region
        sums[region, 2] += sums[c, 0]
        sums[region, 3] += sums[c, 1]
    return n


@kernel
def _empty(n, slots, table):  # type: ignore[no-untyped-def]
    for k in range(n):
        table[slots[k]] = -1


@kernel
def forget(n_cells, n_regions, cells, tables):  # type: ignore[no-untyped-def]
    """Leave the tables as they were found: empty."""
    _empty(n_cells, cells[1], tables[0])
    _empty(n_regions, cells[4], tables[1])


@kernel
def bin_of(time: float, per_bin: float, bins: int) -> int:
    """Which bin of a tile's time a time is in; never a lower one for a later time."""
    return int(max(0.0, min(time * per_bin, bins - 0.5)))


@kernel
def sort_home(boxes, facts, home, n_regions, bins, per_bin, cells, first, order):  # type: ignore[no-untyped-def]
    """Sort the legs at home by region, bin of time in which they begin, and leg; returns how many there are.

    ``first[region * bins + bin]`` is then where a bin begins in `order`; `facts` have the region of each leg.
    """
    first[: n_regions * bins + 2] = 0
    for q in range(home):
        if facts[q, 3] >= 0:
            region = cells[2, facts[q, 3]]
            place = region * bins + bin_of(boxes[q, 6], per_bin, bins)
            facts[q, 3], facts[q, 4] = region, place
            first[place + 2] += 1
    for k in range(2, n_regions * bins + 2):
        first[k] += first[k - 1]
    n = first[n_regions * bins + 1]
    for q in range(home):
        if facts[q, 3] >= 0:
            place = facts[q, 4] + 1
            order[first[place]] = q
            first[place] += 1
    return n


@kernel
def arrange(  # type: ignore[no-untyped-def]
    boxes, facts, home, many, n, tallest, widest, reach, per, bins, per_bin, first, order, columns, who, asked, asking,
):  # fmt: skip
    """Write the sorted legs to the columns, and ask for each at home.

    Returns how many legs reach other regions: they are then at the beginning of `order`.
    """
    outside = 0
    for p in range(n):
        q = order[p]
        x, y, z, half = boxes[q, 0], boxes[q, 1], boxes[q, 2], boxes[q, 3]
        columns[0, p], columns[1, p], columns[2, p], columns[3, p] = x, y, z, half
        columns[4, p], columns[5, p] = boxes[q, 4], boxes[q, 5]
        who[0, p], who[1, p] = facts[q, 1], q
        stop = first[facts[q, 3] * bins + bin_of(boxes[q, 7], per_bin, bins) + 1]
        ask(boxes, facts, q, p, p + 1, stop, tallest, widest, asked, asking)
        far = reach[facts[q, 2]]
        r = (far + half) * (1.0 + SLACK_SHARE) + SLACK_M
        own = face_of(x, y, z)
        u, v = boxes[q, u_of(own)], boxes[q, v_of(own)]
        inside = (
            (square_of((u - r) * per) == square_of((u + r) * per))
            & (square_of((v - r) * per) == square_of((v + r) * per))
            & (abs(boxes[q, own >> 1]) - max(abs(u), abs(v)) > 2.0 * r)
        )
        order[outside] = q
        outside += (not inside) & (far >= 0.0)
    for q in range(many):
        if (q >= home or facts[q, 3] < 0) and reach[facts[q, 2]] >= 0.0:
            order[outside] = q
            outside += 1
    return outside


@inlined_kernel
def ask(boxes, facts, q, row, start, stop, tallest, widest, asked, asking):  # type: ignore[no-untyped-def]
    """Write the question for what is near leg q between two places of the columns; a row that meets none asks none."""
    sort = facts[q, 2]
    more = tallest[sort] * (1.0 + SLACK_SHARE) + 0.5
    for k in range(3):
        asked[row, k] = boxes[q, k]
    asked[row, 3] = (widest[sort] + boxes[q, 3]) * (1.0 + SLACK_SHARE) + SLACK_M
    asked[row, 4] = boxes[q, 4] - more - SLACK_SHARE * abs(boxes[q, 4])
    asked[row, 5] = boxes[q, 5] + more + SLACK_SHARE * abs(boxes[q, 5])
    asking[row, 0], asking[row, 1] = q, facts[q, 1]
    asking[row, 2], asking[row, 3] = start, stop if widest[sort] >= 0.0 else 0
