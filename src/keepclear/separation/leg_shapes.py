"""A moving leg and a standing shape: when the unit is too close to the shape, and where it is closest.

Times and heights bind the leg to one stretch of places u. On it, the places near the border are the union of the
places near each edge, each an interval (the distance to an edge is convex along a leg). Between those the leg does
not cross the border, so one point tells whether the rest is inside. With a minimum of 0 it is the other way round: the
places inside, less those within a millimetre of the border.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import LEAST_RADIUS_M, LONGEST_LEG_M, lift
from keepclear.geo.heights import AGL, AMSL, FL, W84
from keepclear.geo.kernel import kernel
from keepclear.separation.closest import CORNERS, least_on_segment, least_square
from keepclear.separation.shapes import BLOCK, contains_point

__all__ = ["judge_legs"]

Array = npt.NDArray[np.float64]
_BISECTIONS = 48


@kernel
def _bound_gap(spans, certain, ref, own, w84, undulation, bound_code, bound_m, bound_low, bound_high):  # type: ignore[no-untyped-def]
    """Least and greatest that a height on the leg could be above a bound of the shape's band."""
    if ref == bound_code and (ref <= FL or (certain and ref == AGL)):
        return own - bound_m, own - bound_m
    if ref == W84 and bound_code == AMSL:
        return w84 - undulation - bound_m, w84 - undulation - bound_m
    if ref == AMSL and bound_code == W84:
        return w84 - bound_m, w84 - bound_m
    low = w84 if ref <= AMSL else spans[ref, 0] * own + spans[ref, 1]
    high = w84 if ref <= AMSL else spans[ref, 2] * own + spans[ref, 3]
    if bound_code == AMSL:
        bound_low = bound_high = bound_m + undulation
    return low - bound_high, high - bound_low


@kernel
def _below(g0: float, g1: float, limit: float, low: float, high: float) -> tuple[float, float]:
    """The part of [low, high] where g0 + u·(g1 - g0) ≤ limit."""
    slope = g1 - g0
    if slope == 0.0:
        return (low, high) if g0 <= limit else (1.0, 0.0)
    u = (limit - g0) / slope
    return (low, min(high, u)) if slope > 0.0 else (max(low, u), high)


@kernel
def _stretch(points, i, ref, early, late, undulation, band, start, end, vertical, certain, spans):  # type: ignore[no-untyped-def]
    """Places along the leg that the window of times and the band of heights allow; (1, 0) if there is none."""
    t0, dt = points[i, 3], points[i + 1, 3] - points[i, 3]
    low, high = 0.0, 1.0
    if dt > 0.0:
        low, high = max(low, (start - late - t0) / dt), min(high, (end + early - t0) / dt)
    elif not start - late <= t0 <= end + early:
        return 1.0, 0.0
    if vertical == math.inf:
        return low, high
    w84 = points.shape[1] - 1
    for which in range(2):  # 0: above the ceiling; 1: below the floor
        code, value, least, most = int(band[which, 0]), band[which, 1], band[which, 2], band[which, 3]
        a = _bound_gap(spans, certain, ref, points[i, 4], points[i, w84], undulation[0], code, value, least, most)
        b = _bound_gap(
            spans, certain, ref, points[i + 1, 4], points[i + 1, w84], undulation[1], code, value, least, most
        )
        pick = 1 if certain else 0
        if which == 0:
            low, high = _below(a[pick], b[pick], vertical, low, high)
        else:
            low, high = _below(-a[1 - pick], -b[1 - pick], vertical, low, high)
        if low > high:
            return 1.0, 0.0
    return low, high


@kernel
def _at(points, i, u):  # type: ignore[no-untyped-def]
    """Place u of a leg, on the surface."""
    return lift(
        points[i, 0] + u * (points[i + 1, 0] - points[i, 0]),
        points[i, 1] + u * (points[i + 1, 1] - points[i, 1]),
        points[i, 2] + u * (points[i + 1, 2] - points[i, 2]),
    )


@kernel
def _edge_square(qx, qy, qz, edges, edge):  # type: ignore[no-untyped-def]
    """Square of the distance of a point to an edge, and the place on the edge."""
    return least_on_segment(
        edges[edge, 0] - qx, edges[edge, 1] - qy, edges[edge, 2] - qz,
        edges[edge, 3] - edges[edge, 0], edges[edge, 4] - edges[edge, 1], edges[edge, 5] - edges[edge, 2],
    )  # fmt: skip


@kernel
def _near_edge(q, edges, edge, limit, known0, known1, polygon, out):  # type: ignore[no-untyped-def]
    """Where the chord ``q[0:3]`` to ``q[3:6]`` is within √limit of an edge: fills (low, high, square, f, s).

    From `known0` to `known1` it is near another edge already. A side on which it is near no farther than there is not
    looked into, and ends at the closest place; where neither is, there is nothing to be told but the distance.
    """
    polygon[0, 0], polygon[0, 1], polygon[1, 0], polygon[1, 1] = 0.0, 0.0, 1.0, 0.0
    polygon[2, 0], polygon[2, 1], polygon[3, 0], polygon[3, 1] = 1.0, 1.0, 0.0, 1.0
    ax, ay, az = q[3] - q[0], q[4] - q[1], q[5] - q[2]
    square, f, s = least_square(
        polygon, np.int64(4), q[0] - edges[edge, 0], q[1] - edges[edge, 1], q[2] - edges[edge, 2], ax, ay, az,
        edges[edge, 3] - edges[edge, 0], edges[edge, 4] - edges[edge, 1], edges[edge, 5] - edges[edge, 2],
    )  # fmt: skip
    out[2], out[3], out[4] = square, f, s
    if (known0 <= 0.0 and known1 >= 1.0) or not square < limit:
        return False
    more = False
    for side in range(2):
        good, bad = f, float(side)
        if known0 <= f <= known1:
            there = known1 if side == 1 else known0
            out[side] = f
            if (side == 0 and there <= 0.0) or (side == 1 and there >= 1.0):
                continue
            # The distance is convex along the chord: what is not near there is not near beyond it.
            here, _ = _edge_square(q[0] + there * ax, q[1] + there * ay, q[2] + there * az, edges, edge)
            if not here < limit:
                continue
        more = True
        here, _ = _edge_square(q[0] + bad * ax, q[1] + bad * ay, q[2] + bad * az, edges, edge)
        if here < limit:
            good = bad
        for _ in range(_BISECTIONS):
            middle = 0.5 * (good + bad)
            if middle in (good, bad):
                break
            here, _ = _edge_square(q[0] + middle * ax, q[1] + middle * ay, q[2] + middle * az, edges, edge)
            if here < limit:
                good = middle
            else:
                bad = middle
        out[side] = good
    return more


@kernel
def _along_chord(known0, known1, f0, f1):  # type: ignore[no-untyped-def]
    """What of the chord from f0 to f1 is known to be near, in places along the chord; none where it has no length."""
    if known0 <= f0 and f1 <= known1:
        return 0.0, 1.0
    return ((known0 - f0) / (f1 - f0), (known1 - f0) / (f1 - f0)) if f1 > f0 else (2.0, -1.0)


@kernel
def _is_far_from_edge(q, half, edges, edge, radius):  # type: ignore[no-untyped-def]
    """Whether the spheres round the chord ``q[0:3]`` to ``q[3:6]``, `half` as long, and round an edge are apart.

    No two points of them are nearer to each other than the middles are, less half of both lengths. A centimetre more
    than the radius is far more than rounding does to coordinates of 6e6 m (1e-9 m), and than the millionth of the
    radius by which a place may be farther and still be told as the closest.
    """
    square = length = 0.0
    for k in range(3):
        square += (0.5 * (q[k] + q[k + 3] - edges[edge, k] - edges[edge, k + 3])) ** 2
        length += (edges[edge, k + 3] - edges[edge, k]) ** 2
    apart = 1.00001 * radius + half + 0.5 * math.sqrt(length) + 0.01
    return square > apart * apart


@kernel
def _add(found, n, low, high):  # type: ignore[no-untyped-def]
    """Append an interval; returns the array, grown if it was full, and the new count."""
    if n == found.shape[0]:
        grown = np.empty((2 * n, 2))
        for k in range(n):
            grown[k, 0], grown[k, 1] = found[k, 0], found[k, 1]
        found = grown
    found[n, 0], found[n, 1] = low, high
    return found, n + 1


@kernel
def _merge(found, n):  # type: ignore[no-untyped-def]
    """Sort intervals and merge those that overlap or meet; returns how many are left."""
    for k in range(1, n):  # they come nearly sorted, along the leg
        low, high, at = found[k, 0], found[k, 1], k
        while at > 0 and found[at - 1, 0] > low:
            found[at, 0], found[at, 1] = found[at - 1, 0], found[at - 1, 1]
            at -= 1
        found[at, 0], found[at, 1] = low, high
    kept = 0
    for k in range(1, n):
        if found[k, 0] <= found[kept, 1] + 1e-12:
            found[kept, 1] = max(found[kept, 1], found[k, 1])
        else:
            kept += 1
            found[kept, 0], found[kept, 1] = found[k, 0], found[k, 1]
    return kept + 1 if n > 0 else 0


@kernel
def _near_border(points, i, u0, u1, radius, edges, e0, e1, blocks, b0, b1, polygon, best):  # type: ignore[no-untyped-def]
    """Intervals of u in [u0, u1] within `radius` of an edge; `best` gets (square, u, edge, s) of the closest place.

    A leg that sags is looked at in pieces so short that it does not, but only beside edges that are at all near.
    """
    found, n = np.empty((8, 2)), np.int64(0)
    work, q = np.empty(5), np.empty(6)
    nearest = math.sqrt(best[0])
    limit, known0, known1 = radius * radius, 2.0, -1.0  # the longest stretch that is known to be near
    chord = math.sqrt(
        (points[i + 1, 0] - points[i, 0]) ** 2
        + (points[i + 1, 1] - points[i, 1]) ** 2
        + (points[i + 1, 2] - points[i, 2]) ** 2
    ) * (u1 - u0)
    sag = chord * chord / (8.0 * LEAST_RADIUS_M)
    around = radius + 0.5 * chord + sag + 1e-6  # that much for rounding
    allowed = max(0.0005, math.sqrt(2.0 * radius * 0.0005))
    pieces = max(1, math.ceil(chord / min(LONGEST_LEG_M, math.sqrt(8.0 * LEAST_RADIUS_M * allowed))))
    middle = _at(points, i, 0.5 * (u0 + u1))
    start = _at(points, i, u0)
    for block in range(b0, b1):
        square = (
            (blocks[block, 0] - middle[0]) ** 2
            + (blocks[block, 1] - middle[1]) ** 2
            + (blocks[block, 2] - middle[2]) ** 2
        )
        if square > (around + blocks[block, 3]) ** 2:
            continue
        low = e0 + (block - b0) * BLOCK
        previous = start
        for piece in range(pieces):
            f0, f1 = u0 + (u1 - u0) * piece / pieces, u0 + (u1 - u0) * (piece + 1) / pieces
            following = _at(points, i, f1)
            apart = length = 0.0
            for k in range(3):
                q[k], q[k + 3] = previous[k], following[k]
                apart += (0.5 * (q[k] + q[k + 3]) - blocks[block, k]) ** 2
                length += (q[k + 3] - q[k]) ** 2
            previous, half = following, 0.5 * math.sqrt(length)
            if math.sqrt(apart) - blocks[block, 3] - 0.51 * chord / pieces - sag > radius:
                continue
            for edge in range(low, min(low + BLOCK, e1)):
                here0, here1 = _along_chord(known0, known1, f0, f1)
                # Of a chord that is near another edge already only a place nearer than all before matters.
                wanted = nearest if here0 <= 0.0 and here1 >= 1.0 else radius
                if _is_far_from_edge(q, half, edges, edge, wanted):
                    continue
                inside = _near_edge(q, edges, edge, limit, here0, here1, polygon, work)
                u = f0 + work[3] * (f1 - f0)
                if work[2] < best[0] - 1e-9 or (work[2] <= best[0] and u < best[1]):
                    best[0], best[1], best[2], best[3] = work[2], u, edge, work[4]
                    nearest = math.sqrt(work[2])
                if inside:
                    near0, near1 = f0 + work[0] * (f1 - f0), f0 + work[1] * (f1 - f0)
                    found, n = _add(found, n, near0, near1)
                    if near0 <= known1 and known0 <= near1:
                        known0, known1 = min(known0, near0), max(known1, near1)
                    elif near1 - near0 > known1 - known0:
                        known0, known1 = near0, near1
    return found, _merge(found, n)


@kernel
def _inside_between(points, i, u0, u1, near, n, rings, ring_first, r0, r1):  # type: ignore[no-untyped-def]
    """The stretches of [u0, u1] that are inside and not near the border."""
    found, kept = np.empty((n + 1, 2)), 0
    low = u0
    for k in range(n + 1):
        high = near[k, 0] if k < n else u1
        if high > low or (n == 0 and high == low):
            x, y, z = _at(points, i, 0.5 * (low + high))
            if contains_point(rings, ring_first, r0, r1, x, y, z):
                found[kept, 0], found[kept, 1] = low, high
                kept += 1
        if k < n:
            low = near[k, 1]
    return found, kept


@kernel
def _starts_inside(points, i, u0, m, is_border_near, rings, ring_first, r0, r1):  # type: ignore[no-untyped-def]
    """Whether the start is inside. With no border near (a millimetre or more off) it is if the middle is."""
    if not is_border_near:
        return m > 0
    x, y, z = _at(points, i, u0)
    return contains_point(rings, ring_first, r0, r1, x, y, z)


@kernel
def judge_legs(  # type: ignore[no-untyped-def]
    points, leg_of, ref_of, early_of, late_of, undulation, shape_of, radius, border_m, vertical, time_m, band, start,
    end, edges, edge_first, blocks, block_first, rings, ring_first, shape_ring_first, certain, spans,
):  # fmt: skip
    """Judge candidate pairs of a leg and a shape, row by row.

    Parameters
    ----------
    radius
        Shape (rows,): closer to an edge than this is too close; negative: not the border but the inside is, deeper
        than that, and than ``border_m`` at least.
    band
        Shape (shapes, 2, 4): ceiling and floor, each (code, value, least and greatest W84).

    Returns
    -------
    row, start, end, closest
        One entry per interval: its row of candidates and actual times; and for each row (distance to the nearest edge
        or 0 inside, u, edge, s), infinite where the row is not too close.
    """
    polygon = np.empty((CORNERS, 2))
    rows = leg_of.shape[0]
    out_row, out_times, n_out = np.empty(rows + 16, np.int64), np.empty((rows + 16, 2)), np.int64(0)
    closest = np.full((rows, 4), math.inf)
    best = np.empty(4)
    for row in range(rows):
        i, k = leg_of[row], shape_of[row]
        low, high = start[k] - time_m[row], end[k] + time_m[row]
        early, late = early_of[row], late_of[row]
        u0, u1 = _stretch(
            points, i, ref_of[row], early, late, undulation[row], band[k], low, high, vertical[row], certain, spans
        )
        r0, r1 = shape_ring_first[k], shape_ring_first[k + 1]
        if u0 > u1 or (r1 == r0 and radius[row] <= 0.0):
            continue
        reach = radius[row] if radius[row] > 0.0 else max(border_m, -radius[row])
        best[0], best[1], best[2], best[3] = (reach * 1.000001) ** 2, math.inf, -1.0, 0.0
        found, n = _near_border(
            points, i, u0, u1, reach, edges, edge_first[k], edge_first[k + 1], blocks, block_first[k],
            block_first[k + 1], polygon, best,
        )  # fmt: skip
        if r1 > r0:
            inside, m = _inside_between(points, i, u0, u1, found, n, rings, ring_first, r0, r1)
            if m > 0:
                best[0], best[1] = 0.0, inside[0, 0]
            if radius[row] <= 0.0:
                found, n = inside, m
            else:
                if _starts_inside(points, i, u0, m, n > 0 or reach < border_m, rings, ring_first, r0, r1):
                    best[0], best[1] = 0.0, u0
                for j in range(m):
                    found, n = _add(found, n, inside[j, 0], inside[j, 1])
                n = _merge(found, n)
        if n == 0:
            continue
        closest[row, 0], closest[row, 1] = math.sqrt(best[0]), best[1]
        closest[row, 2], closest[row, 3] = best[2], best[3]
        t0, dt = points[i, 3], points[i + 1, 3] - points[i, 3]
        for j in range(n):
            if n_out == out_row.shape[0]:
                grown = np.empty(2 * n_out, np.int64)
                for at in range(n_out):
                    grown[at] = out_row[at]
                out_row = grown
            out_row[n_out] = row
            out_times, n_out = _add(
                out_times, n_out, max(t0 + found[j, 0] * dt - early, low), min(t0 + found[j, 1] * dt + late, high)
            )
    return out_row[:n_out], out_times[:n_out, 0], out_times[:n_out, 1], closest
