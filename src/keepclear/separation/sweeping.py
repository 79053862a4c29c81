"""One tile of time, swept region by region: every pair of legs in it whose later leg begins there.

A region is a square on a face of a cube round the Earth. A leg is at home in the region of its middle; there it lies
among the others in the order of their beginnings, column by column. To ask for all that begins while a leg is under way
is then to run through one stretch of those columns, which the processor does eight legs at a time. A leg asks in its
own region and in every other that it reaches; what it finds there begins later. So each pair is met once: by its
earlier leg, where the later one is at home.
"""

from __future__ import annotations

import numpy as np

from keepclear.geo.heights import AMSL, FL
from keepclear.geo.kernel import kernel
from keepclear.separation.leg_pairs import MARGIN_M, quick_near
from keepclear.separation.regions import face_of, number_of, others, slot_of, square_of, u_of, v_of
from keepclear.separation.settling import (
    SLACK_M,
    SLACK_SHARE,
    arrange,
    ask,
    bin_of,
    describe,
    forget,
    level_of,
    settle,
    sort_home,
)

__all__ = ["BLOCK", "sweep_tile"]

BLOCK = 32
"""Columns are run through in blocks of so many legs, and have room for one more block behind them."""
_BINS_PER_LEG = 8.0
_MOST_BINS = 4096


@kernel
def sweep_tile(  # type: ignore[no-untyped-def]
    points, piece_of, p_op, p_sort, p_ref, p_doubt, p_early, p_slips, p_reach, party, compare_own, horizontal, vertical,
    time, tallest, widest, group_of, cell, reach, most_places, question_cost, legs, carried, is_first, start_s,
    length_s, boxes, facts, columns, who, asked, asking, found, cells, sums, tables, first, order, mask, words,
):  # fmt: skip
    """Pairs of legs. The arrays from `boxes` on are room to work in, kept from tile to tile (`search._room`).

    Unless this is the first time for a tile, only those ask that are carried into it: see `search._hits`.
    """
    home, many = legs.shape[0], legs.shape[0] + carried.shape[0]
    describe(points, piece_of, p_op, p_sort, p_ref, p_early, p_reach, legs, start_s, np.int64(0), boxes, facts)
    describe(points, piece_of, p_op, p_sort, p_ref, p_early, p_reach, carried, start_s, home, boxes, facts)
    hits, n_hits = np.empty((256, 2), dtype=np.int32), np.int64(0)  # a bare 0 is a type, and compiled for
    for g in range(cell.shape[0]):
        n_cells = settle(boxes, facts, home, many, group_of, g, 1.0 / cell[g], length_s, cells, sums, tables)
        if n_cells == 0:
            continue
        level, n_regions, lasting = level_of(
            n_cells, cell[g], reach[:, g].max(), many / home, question_cost, cells, sums, tables
        )  # fmt: skip
        bins = int(max(1.0, min(_BINS_PER_LEG / lasting, _MOST_BINS, (2.0 * home + 1024.0) / n_regions)))
        per_bin, per = bins / length_s, 1.0 / (cell[g] * 2.0**level)
        n = np.int64(sort_home(boxes, facts, home, n_regions, bins, per_bin, cells, first, order))
        outside = arrange(
            boxes, facts, home, many, n, tallest, widest[:, g], reach[:, g], per, bins, per_bin, first, order, columns,
            who, asked, asking,
        )  # fmt: skip
        if not is_first:
            n = np.int64(0)
        q = np.int64(0)
        while True:
            done = np.int64(0)
            while done < n:
                done, n_found = _look(asked, asking, done, n, columns, who, found, mask, words)
                while hits.shape[0] < n_hits + n_found:
                    hits = _doubled(hits)
                n_hits = _keep(
                    points, piece_of, p_ref, p_doubt, p_early, p_slips, p_reach, party, compare_own, horizontal,
                    vertical, time, boxes, facts, home, found, n_found, hits, n_hits,
                )  # fmt: skip
            if q == outside:
                break
            q, n = _ask_elsewhere(
                boxes, facts, order, q, outside, home, is_first, tallest, widest[:, g], reach[:, g], 1.0 / cell[g],
                level, bins, per_bin, most_places, cells, tables, first, who, asked, asking,
            )  # fmt: skip
        forget(n_cells, n_regions, cells, tables)
    return hits[:n_hits].copy()


@kernel
def _look(asked, asking, low, high, columns, who, found, mask, words):  # type: ignore[no-untyped-def]
    """Answer questions from `low` on: fill `found` with pairs of rows that may come near each other.

    Returns the question that comes next, all being done or no room being left, and the number found. Unsigned numbers,
    since for others an index below 0 has to be looked for, and then nothing is done eight at a time.
    """
    n_found, room = np.int64(0), found.shape[0] - BLOCK
    block = np.uint64(BLOCK - 1)
    for k in range(low, high):
        q, op, start, stop = asking[k, 0], asking[k, 1], asking[k, 2], asking[k, 3]
        if start >= stop:
            continue
        if n_found + stop - start > room:
            return k, n_found
        x, y, z, r, low_h, high_h = asked[k, 0], asked[k, 1], asked[k, 2], asked[k, 3], asked[k, 4], asked[k, 5]
        begin = np.uint64(start)
        many = (np.uint64(stop) - begin + block) & ~block
        for m in range(many):
            at = begin + np.uint64(m)
            dx, dy, dz, rr = columns[0, at] - x, columns[1, at] - y, columns[2, at] - z, columns[3, at] + r
            mask[np.uint64(m)] = (
                (dx * dx + dy * dy + dz * dz <= rr * rr)
                & (columns[4, at] < high_h)
                & (low_h < columns[5, at])
                & (who[0, at] != op)
            )
        for w in range(many >> np.uint64(3)):
            if words[w] != 0:
                for m in range(8 * w, 8 * w + 8):
                    found[n_found, 0], found[n_found, 1] = q, who[1, start + m]
                    n_found += np.int64(mask[m]) & np.int64(start + m < stop)
    return high, n_found


@kernel
def _ask_elsewhere(  # type: ignore[no-untyped-def]
    boxes, facts, order, low, high, home, is_first, tallest, widest, reach, per, level, bins, per_bin, most_places,
    cells, tables, first, who, asked, asking,
):  # fmt: skip
    """Questions of the legs ``order[low:high]`` to regions where they are not at home.

    Returns which of them comes next, all being done or no room being left, and the number of questions.
    """
    table, numbers, n, room = tables[1], cells[3], np.int64(0), asked.shape[0] - most_places
    while low < high and n <= room:
        q = order[low]
        if q < home and not is_first:
            low += 1
            continue
        x, y, z = boxes[q, 0], boxes[q, 1], boxes[q, 2]
        r = (reach[facts[q, 2]] + boxes[q, 3]) * (1.0 + SLACK_SHARE) + SLACK_M
        own = face_of(x, y, z)
        meets = abs(boxes[q, own >> 1]) - others(x, y, z, own >> 1) <= 2.0 * r
        for face in range(0 if meets else own, 6 if meets else own + 1):
            axis = face >> 1
            if meets and (boxes[q, axis] if face & 1 == 0 else -boxes[q, axis]) + r < others(x, y, z, axis) - r:
                continue
            u, v = boxes[q, u_of(face)], boxes[q, v_of(face)]
            iu0, iu1 = square_of((u - r) * per) >> level, square_of((u + r) * per) >> level
            iv0, iv1 = square_of((v - r) * per) >> level, square_of((v + r) * per) >> level
            for iu in range(iu0, iu1 + 1):
                for iv in range(iv0, iv1 + 1):
                    region = table[slot_of(number_of(iu, iv, face), table, numbers)]
                    if region >= 0 and region != facts[q, 3]:
                        start, stop = _stretch(boxes, facts, q, home, region, bins, per_bin, first, who)
                        if start < stop:
                            ask(boxes, facts, q, n, start, stop, tallest, widest, asked, asking)
                            n += 1
        low += 1
    return low, n


@kernel
def _stretch(boxes, facts, q, home, region, bins, per_bin, first, who):  # type: ignore[no-untyped-def]
    """From where to where in the columns of a region is what begins after leg q and before its end.

    In a group, what comes after is told by bin and row. Groups have bins of their own, so for a leg of another group
    all of the bin in which it begins is looked at, and `_keep` tells.
    """
    stop = first[region * bins + bin_of(boxes[q, 7], per_bin, bins) + 1]
    if q >= home:  # it began before this tile
        return first[region * bins], stop
    place = region * bins + bin_of(boxes[q, 6], per_bin, bins)
    start = first[place]
    while facts[q, 3] >= 0 and start < first[place + 1] and who[1, start] < q:
        start += 1
    return start, stop


@kernel
def _keep(  # type: ignore[no-untyped-def]
    points, piece_of, p_ref, p_doubt, p_early, p_slips, p_reach, party, compare_own, horizontal, vertical, time, boxes,
    facts, home, found, n_found, hits, n_hits,
):  # fmt: skip
    """Add to `hits` those pairs that may come too close; returns how many hits there are now."""
    for k in range(n_found):
        a, b = found[k, 0], found[k, 1]
        if facts[a, 3] < 0 and a < home:  # two groups: the pair is met from both sides, and is the earlier leg's
            after = boxes[b, 6] > boxes[a, 6] or (boxes[b, 6] == boxes[a, 6] and b > a)
            if not after:
                continue
        sort, other = facts[a, 2], facts[b, 2]
        h = horizontal[sort, other]
        if h <= 0.0 or (party[facts[a, 1]] == party[facts[b, 1]] and not compare_own):
            continue
        i, j = facts[a, 0], facts[b, 0]
        pi, pj = piece_of[i], piece_of[j]
        h, v = h + p_doubt[pi] + p_doubt[pj] - MARGIN_M, vertical[sort, other] - MARGIN_M
        if p_slips[pi] or p_slips[pj] or time[sort, other] > 0.0:
            near = (points[i, 3] - p_early[pi] <= points[j + 1, 3] + p_reach[pj]) and (
                points[j, 3] - p_early[pj] <= points[i + 1, 3] + p_reach[pi]
            )
        else:
            near = _maybe(points, i, j, p_ref[pi], p_ref[pj], h, v)
        if near:
            hits[n_hits, 0], hits[n_hits, 1] = (i, j) if facts[a, 1] < facts[b, 1] else (j, i)
            n_hits += 1
    return n_hits


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
