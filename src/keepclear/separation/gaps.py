"""Gaps: in a silence a unit is anywhere it could reach from both ends, and what is near there is possibly too close.

At each moment of a gap the unit is in the part common to two balls, one growing from where it was last heard and one
shrinking to where it was heard next. That part, over time, is convex, so the distance of another leg to it is a convex
function of time and its least value is found by bracketing. The answer is only ever *possible*.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import LEAST_RADIUS_M, SEMI_MAJOR_M, SEMI_MINOR_M
from keepclear.geo.heights import AMSL, FL
from keepclear.geo.kernel import kernel
from keepclear.separation.closest import least_on_segment
from keepclear.separation.shapes import contains_point

__all__ = ["gap_spheres", "judge_gap_gaps", "judge_gap_legs", "judge_gap_shapes"]

Array = npt.NDArray[np.float64]
_NARROWINGS = 60
_GOLDEN = 0.3819660112501051


@kernel
def gap_spheres(gap_points, speed, tolerance):  # type: ignore[no-untyped-def]
    """Spheres and times, shapes (g, 4) and (g, 2), that hold all a unit can reach in each gap."""
    count = speed.shape[0]
    spheres, times = np.empty((count, 4)), np.empty((count, 2))
    for g in range(count):
        a, b = 2 * g, 2 * g + 1
        for k in range(3):
            spheres[g, k] = 0.5 * (gap_points[a, k] + gap_points[b, k])
        slip = tolerance[g, 1] + tolerance[g, 2]
        spheres[g, 3] = (
            0.5 * _speed(gap_points, g, speed) * (gap_points[b, 3] - gap_points[a, 3] + 2.0 * slip) + tolerance[g, 0]
        )
        if math.isinf(spheres[g, 3]):
            spheres[g, 3] = 3e7
        times[g, 0], times[g, 1] = gap_points[a, 3] - tolerance[g, 1], gap_points[b, 3] + tolerance[g, 2]
    return spheres, times


@kernel
def _speed(gap_points, g, speed):  # type: ignore[no-untyped-def]
    """Top speed; more if the ends could not be joined at it along the surface, so that some place can be reached."""
    a, b = 2 * g, 2 * g + 1
    square = 0.0
    for k in range(3):
        square += (gap_points[b, k] - gap_points[a, k]) ** 2
    arc = 2.0 * LEAST_RADIUS_M * math.asin(min(math.sqrt(square) / (2.0 * LEAST_RADIUS_M), 1.0))
    return max(speed[g], 1.01 * arc / max(gap_points[b, 3] - gap_points[a, 3], 1e-3))


@kernel
def _lens_distance(gap_points, g, r0, r1, x, y, z):  # type: ignore[no-untyped-def]
    """Distance of a point to the part common to balls of radius r0 and r1 about the ends of gap g."""
    a, b = 2 * g, 2 * g + 1
    px, py, pz = x - gap_points[a, 0], y - gap_points[a, 1], z - gap_points[a, 2]
    ex, ey, ez = (
        gap_points[b, 0] - gap_points[a, 0],
        gap_points[b, 1] - gap_points[a, 1],
        gap_points[b, 2] - gap_points[a, 2],
    )
    apart = math.sqrt(ex * ex + ey * ey + ez * ez)
    d0 = math.sqrt(px * px + py * py + pz * pz)
    d1 = math.sqrt((px - ex) ** 2 + (py - ey) ** 2 + (pz - ez) ** 2)
    if d0 <= r0 and d1 <= r1:
        return 0.0
    if apart <= abs(r0 - r1) or apart < 1e-6:
        return max(0.0, d0 - r0 if r0 < r1 else d1 - r1)
    axial = (px * ex + py * ey + pz * ez) / apart
    radial = math.sqrt(max(0.0, d0 * d0 - axial * axial))
    corner = min(r0, max(-r0, (apart * apart + r0 * r0 - r1 * r1) / (2.0 * apart)))
    rim = math.sqrt(max(0.0, r0 * r0 - corner * corner))
    if d0 > r0 and axial / d0 * r0 >= corner:  # the nearest point of ball 0 lies in ball 1
        return d0 - r0
    if d1 > r1 and apart + (axial - apart) / d1 * r1 <= corner:
        return d1 - r1
    return math.hypot(axial - corner, radial - rim)


@kernel
def _leg_distance(points, i, gap_points, g, speed, slip, u):  # type: ignore[no-untyped-def]
    """Distance of place u of a leg to where the unit in the gap can be at the time of that place."""
    t = points[i, 3] + u * (points[i + 1, 3] - points[i, 3])
    x = points[i, 0] + u * (points[i + 1, 0] - points[i, 0])
    y = points[i, 1] + u * (points[i + 1, 1] - points[i, 1])
    z = points[i, 2] + u * (points[i + 1, 2] - points[i, 2])
    r0 = speed * max(0.0, t + slip - gap_points[2 * g, 3])
    r1 = speed * max(0.0, gap_points[2 * g + 1, 3] - t + slip)
    return _lens_distance(gap_points, g, r0, r1, x, y, z)


@kernel
def _height_window(points, i, ref_i, gap_points, g, ref_g, climb, slip, vertical, spans, low, high):  # type: ignore[no-untyped-def]
    """The part of [low, high], places along the leg, in which the heights could be closer than the minimum."""
    if vertical == math.inf:
        return low, high
    same = ref_i == ref_g and ref_i <= FL
    column = 4 if same else points.shape[1] - 1  # points of a gap and of a leg have as many columns
    dt = points[i + 1, 3] - points[i, 3]
    for side in (-1.0, 1.0):  # the unit in the gap at its lowest, then at its highest
        for end in range(2):
            p = 2 * g + end
            h = gap_points[p, column]
            if not same and ref_g > AMSL:
                row = 0 if side < 0.0 else 2
                h = spans[ref_g, row] * gap_points[p, 4] + spans[ref_g, row + 1]
            h0, h1 = points[i, column], points[i + 1, column]
            if not same and ref_i > AMSL:
                row = 2 if side < 0.0 else 0
                h0 = spans[ref_i, row] * points[i, 4] + spans[ref_i, row + 1]
                h1 = spans[ref_i, row] * points[i + 1, 4] + spans[ref_i, row + 1]
            # reach(u) = h + side · climb · (time from this end + slip); wanted: side · (leg(u) - reach(u)) < vertical
            direction = 1.0 if end == 0 else -1.0
            slope = side * (h1 - h0) - climb * direction * dt
            at_start = side * (h0 - h) - climb * (direction * (points[i, 3] - gap_points[p, 3]) + slip)
            if slope > 0.0:
                high = min(high, (vertical - at_start) / slope)
            elif slope < 0.0:
                low = max(low, (vertical - at_start) / slope)
            elif at_start > vertical:
                return 1.0, 0.0
    return low, high


@kernel
def _nearest_place(points, i, gap_points, g, speed, slip, low, high):  # type: ignore[no-untyped-def]
    """Place in [low, high] of a leg that is nearest to where the unit can be then, and how near."""
    a, b = low, high
    for _ in range(_NARROWINGS):
        c, d = a + _GOLDEN * (b - a), b - _GOLDEN * (b - a)
        if _leg_distance(points, i, gap_points, g, speed, slip, c) <= _leg_distance(
            points, i, gap_points, g, speed, slip, d
        ):
            b = d
        else:
            a = c
    best, least = a, _leg_distance(points, i, gap_points, g, speed, slip, a)
    for u in (low, 0.5 * (a + b), high):
        here = _leg_distance(points, i, gap_points, g, speed, slip, u)
        if here < least:
            best, least = u, here
    return best, least


@kernel
def judge_gap_legs(  # type: ignore[no-untyped-def]
    points,
    leg_of,
    ref_of,
    slip,
    doubt,
    gap_points,
    gap_of,
    gap_ref,
    speeds,
    climbs,
    horizontal,
    vertical,
    window,
    spans,
):
    """Judge candidate pairs of a leg and a gap.

    Returns
    -------
    ndarray, shape (rows, 3)
        First and last time at which they may be too close, and the least distance; NaN where they cannot be.
    """
    result = np.full((leg_of.shape[0], 3), math.nan)
    for row in range(leg_of.shape[0]):
        i, g = leg_of[row], gap_of[row]
        speed = _speed(gap_points, g, speeds)
        t0, t1 = gap_points[2 * g, 3], gap_points[2 * g + 1, 3]
        climb = max(climbs[g], 1.001 * abs(gap_points[2 * g + 1, 4] - gap_points[2 * g, 4]) / max(t1 - t0, 1e-3))
        dt, first = points[i + 1, 3] - points[i, 3], max(t0, window[0]) - slip[row]
        last = min(t1, window[1]) + slip[row]
        low, high = 0.0, 1.0
        if dt > 0.0:
            low, high = max(low, (first - points[i, 3]) / dt), min(high, (last - points[i, 3]) / dt)
        elif not first <= points[i, 3] <= last:
            continue
        low, high = _height_window(
            points, i, ref_of[row], gap_points, g, gap_ref[g], climb, slip[row], vertical[row], spans, low, high
        )
        if not low <= high:
            continue
        limit = horizontal[row] + doubt[row]
        best, least = _nearest_place(points, i, gap_points, g, speed, slip[row], low, high)
        if least >= limit:
            continue
        result[row, 2] = least
        for side in range(2):
            good, bad = best, low if side == 0 else high
            if _leg_distance(points, i, gap_points, g, speed, slip[row], bad) < limit:
                good = bad
            for _ in range(48):
                middle = 0.5 * (good + bad)
                if _leg_distance(points, i, gap_points, g, speed, slip[row], middle) < limit:
                    good = middle
                else:
                    bad = middle
            result[row, side] = points[i, 3] + good * dt
    return result


@kernel
def _spans_of_gap(gap_points, g, ref, climb, spans):  # type: ignore[no-untyped-def]
    """Lowest and highest that the unit can be at any time in the gap, above W84."""
    a, b = 2 * g, 2 * g + 1
    more = 0.5 * climb * (gap_points[b, 3] - gap_points[a, 3])
    if ref <= AMSL:
        w84 = gap_points.shape[1] - 1
        low, high = min(gap_points[a, w84], gap_points[b, w84]), max(gap_points[a, w84], gap_points[b, w84])
    else:
        least, most = min(gap_points[a, 4], gap_points[b, 4]), max(gap_points[a, 4], gap_points[b, 4])
        low, high = spans[ref, 0] * least + spans[ref, 1], spans[ref, 2] * most + spans[ref, 3]
    return low - more, high + more


@kernel
def judge_gap_gaps(  # type: ignore[no-untyped-def]
    gap_points, first_of, second_of, refs, slip, doubt, speeds, climbs, horizontal, vertical, window, spans
):
    """Judge candidate pairs of gaps; rows as in `judge_gap_legs`. Widened: the two reaches are taken ball by ball."""
    result = np.full((first_of.shape[0], 3), math.nan)
    for row in range(first_of.shape[0]):
        g, k = first_of[row], second_of[row]
        low = max(gap_points[2 * g, 3], gap_points[2 * k, 3], window[0])
        high = min(gap_points[2 * g + 1, 3], gap_points[2 * k + 1, 3], window[1])
        if low - high > slip[row]:
            continue
        low, high = low - slip[row], high + slip[row]
        if vertical[row] < math.inf:
            low_g, high_g = _spans_of_gap(gap_points, g, refs[g], climbs[g], spans)
            low_k, high_k = _spans_of_gap(gap_points, k, refs[k], climbs[k], spans)
            if low_g - high_k >= vertical[row] or low_k - high_g >= vertical[row]:
                continue
        least = 0.0
        if slip[row] < math.inf:  # else each can be anywhere it ever is, at any moment
            a, b = low, high
            for _ in range(_NARROWINGS):
                c, d = a + _GOLDEN * (b - a), b - _GOLDEN * (b - a)
                if _balls_apart(gap_points, g, k, speeds, slip[row], c) <= _balls_apart(
                    gap_points, g, k, speeds, slip[row], d
                ):
                    b = d
                else:
                    a = c
            least = _balls_apart(gap_points, g, k, speeds, slip[row], 0.5 * (a + b))
        if least < horizontal[row] + doubt[row]:
            result[row, 0], result[row, 1], result[row, 2] = low, high, max(0.0, least)
    return result


@kernel
def _balls_apart(gap_points, g, k, speeds, slip, t):  # type: ignore[no-untyped-def]
    """A lower bound of the distance between what two units can reach at a moment: of straight lines, so convex."""
    widest = -math.inf
    for end_g in range(2):
        for end_k in range(2):
            p, q = 2 * g + end_g, 2 * k + end_k
            square = 0.0
            for m in range(3):
                square += (gap_points[p, m] - gap_points[q, m]) ** 2
            since_p, since_q = t - gap_points[p, 3], t - gap_points[q, 3]
            rp = _speed(gap_points, g, speeds) * ((since_p if end_g == 0 else -since_p) + slip)
            rq = _speed(gap_points, k, speeds) * ((since_q if end_k == 0 else -since_q) + slip)
            widest = max(widest, math.sqrt(square) - rp - rq)
    return widest


@kernel
def _on_the_way(gap_points, g, low, high):  # type: ignore[no-untyped-def]
    """Where the unit is at a moment between `low` and `high`, if it goes straight through the gap."""
    a, b = 2 * g, 2 * g + 1
    t0, t1 = gap_points[a, 3], gap_points[b, 3]
    f = (min(max(0.5 * (max(low, t0) + min(high, t1)), t0), t1) - t0) / (t1 - t0)
    x = gap_points[a, 0] + f * (gap_points[b, 0] - gap_points[a, 0])
    y = gap_points[a, 1] + f * (gap_points[b, 1] - gap_points[a, 1])
    z = gap_points[a, 2] + f * (gap_points[b, 2] - gap_points[a, 2])
    # Of a long gap that is far below the surface; straight up from there it is as far along.
    square = (x * x + y * y) / (SEMI_MAJOR_M * SEMI_MAJOR_M) + z * z / (SEMI_MINOR_M * SEMI_MINOR_M)
    if square < 1e-12:  # between opposite ends of the Earth, where every way is as short
        return gap_points[a, 0], gap_points[a, 1], gap_points[a, 2]
    scale = 1.0 / math.sqrt(square)
    return x * scale, y * scale, z * scale


@kernel
def judge_gap_shapes(  # type: ignore[no-untyped-def]
    gap_points, gap_of, refs, slip, doubt, speeds, climbs, shape_of, horizontal, vertical, band, start, end, edges,
    edge_first, rings, ring_first, shape_ring_first, spans,
):  # fmt: skip
    """Judge candidate pairs of a gap and a shape; rows as in `judge_gap_legs`. Widened to an ellipse."""
    result = np.full((gap_of.shape[0], 3), math.nan)
    for row in range(gap_of.shape[0]):
        g, k = gap_of[row], shape_of[row]
        a, b = 2 * g, 2 * g + 1
        low, high = max(gap_points[a, 3] - slip[row], start[k]), min(gap_points[b, 3] + slip[row], end[k])
        if low > high:
            continue
        if vertical[row] < math.inf:
            bottom, top = _spans_of_gap(gap_points, g, refs[g], climbs[g], spans)
            if bottom - band[k, 0, 3] >= vertical[row] or band[k, 1, 2] - top >= vertical[row]:
                continue
        speed = _speed(gap_points, g, speeds)
        limit = horizontal[row] + doubt[row]
        r0 = speed * (high - gap_points[a, 3] + slip[row]) + limit
        r1 = speed * (gap_points[b, 3] - low + slip[row]) + limit
        both = speed * (gap_points[b, 3] - gap_points[a, 3] + 2.0 * slip[row]) + 2.0 * limit
        # What can be reached hangs together: if it meets no edge, any one place of it tells whether it is inside.
        x, y, z = _on_the_way(gap_points, g, low, high)
        hit = contains_point(rings, ring_first, shape_ring_first[k], shape_ring_first[k + 1], x, y, z)
        for edge in range(edge_first[k], edge_first[k + 1]):
            if hit:
                break
            hit = _reaches(gap_points, a, b, edges, edge, r0, r1, both)
        if hit:
            result[row, 0], result[row, 1], result[row, 2] = low, high, 0.0
    return result


@kernel
def _reaches(gap_points, a, b, edges, edge, r0, r1, both):  # type: ignore[no-untyped-def]
    """Whether some point of an edge is within r0 of the one end, r1 of the other and `both` of the two together."""
    dx, dy, dz = edges[edge, 3] - edges[edge, 0], edges[edge, 4] - edges[edge, 1], edges[edge, 5] - edges[edge, 2]
    square0, _ = least_on_segment(
        edges[edge, 0] - gap_points[a, 0],
        edges[edge, 1] - gap_points[a, 1],
        edges[edge, 2] - gap_points[a, 2],
        dx,
        dy,
        dz,
    )
    square1, _ = least_on_segment(
        edges[edge, 0] - gap_points[b, 0],
        edges[edge, 1] - gap_points[b, 1],
        edges[edge, 2] - gap_points[b, 2],
        dx,
        dy,
        dz,
    )
    if square0 > r0 * r0 or square1 > r1 * r1:
        return False
    low, high = 0.0, 1.0
    for _ in range(_NARROWINGS):
        c, d = low + _GOLDEN * (high - low), high - _GOLDEN * (high - low)
        if _sum_of_distances(gap_points, a, b, edges, edge, c) <= _sum_of_distances(gap_points, a, b, edges, edge, d):
            high = d
        else:
            low = c
    return _sum_of_distances(gap_points, a, b, edges, edge, 0.5 * (low + high)) <= both


@kernel
def _sum_of_distances(gap_points, a, b, edges, edge, s):  # type: ignore[no-untyped-def]
    first = second = 0.0
    for k in range(3):
        p = edges[edge, k] + s * (edges[edge, k + 3] - edges[edge, k])
        first += (p - gap_points[a, k]) ** 2
        second += (p - gap_points[b, k]) ** 2
    return math.sqrt(first) + math.sqrt(second)
