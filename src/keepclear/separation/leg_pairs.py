"""Two moving legs: whether they come closer than the minima, when, and where they are closest.

Every leg is a row of `Legs.points` and the next; times, slip and heights bind the pair to a convex region of
(u, w), the places along the two legs (`separation.closest`). The quick test is for two legs with exact times and
comparable heights, which is nearly all of them; the full test is for everything.

Slip: unit a may be anywhere up to `early` before and `late` after its plan. Two places tA, tB on the plans can
be passed within T of each other if  -T - late_a - early_b < tA - tB < T + early_a + late_b.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.heights import AGL, AMSL, FL
from keepclear.geo.kernel import kernel
from keepclear.separation.closest import clip, clip_box, least_square, unit_square

__all__ = ["MARGIN_M", "MARGIN_S", "describe_pair", "height_gaps", "near", "quick_near"]

Array = npt.NDArray[np.float64]

MARGIN_M = 0.001
"""Closer than the minimum by more than this is a conflict: below it, converted feet and shared levels touch."""
MARGIN_S = 0.001
"""The same for a minimum in time."""
_BISECTIONS = 48


@kernel
def quick_near(points: Array, i: int, j: int, column: int, horizontal_m: float, vertical_m: float) -> bool:
    """Whether legs i and j, with exact times, comparable heights in `column` and lasting times, come too close."""
    ti, tj = points[i, 3], points[j, 3]
    di, dj = points[i + 1, 3] - ti, points[j + 1, 3] - tj
    start, end = max(ti, tj), min(ti + di, tj + dj)
    if start > end:
        return False
    fi, fj = 1.0 / di, 1.0 / dj
    ui, uj = (start - ti) * fi, (start - tj) * fj
    span = end - start
    h0i, h0j = points[i, column], points[j, column]
    ri, rj = (points[i + 1, column] - h0i) * fi, (points[j + 1, column] - h0j) * fj
    low, high = 0.0, span
    dh, rate = h0i + ri * (start - ti) - h0j - rj * (start - tj), ri - rj
    if rate == 0.0:
        if abs(dh) >= vertical_m:
            return False
    else:
        a, b = (-vertical_m - dh) / rate, (vertical_m - dh) / rate
        low, high = max(low, min(a, b)), min(high, max(a, b))
        if low > high:
            return False
    aa = ac = cc = 0.0
    for k in range(3):
        pi, pj = points[i, k], points[j, k]
        ei, ej = points[i + 1, k] - pi, points[j + 1, k] - pj
        c = (pi - pj) + ui * ei - uj * ej
        v = ei * fi - ej * fj
        aa += v * v
        ac += v * c
        cc += c * c
    t = low
    if aa > 0.0:
        t = min(high, max(low, -ac / aa))
    return cc + t * (2.0 * ac + t * aa) < horizontal_m * horizontal_m


@kernel
def height_gaps(spans, certain, ref_a, own_a, w84_a, ref_b, own_b, w84_b):  # type: ignore[no-untyped-def]
    """Least and greatest that height a could be above height b, each with its own reference.

    Two heights above ground compare as numbers when asked what is certain (over the same ground they do), and as
    intervals when asked what is possible.

    `spans` is `geo.heights.HEIGHT_SPANS`; `own` is the height in its reference, `w84` that above the ellipsoid.
    """
    if ref_a == ref_b and (ref_a <= FL or (certain and ref_a == AGL)):
        return own_a - own_b, own_a - own_b
    if ref_a <= AMSL and ref_b <= AMSL:
        return w84_a - w84_b, w84_a - w84_b
    if ref_a <= AMSL:
        low_a = high_a = w84_a
    else:
        low_a, high_a = spans[ref_a, 0] * own_a + spans[ref_a, 1], spans[ref_a, 2] * own_a + spans[ref_a, 3]
    if ref_b <= AMSL:
        low_b = high_b = w84_b
    else:
        low_b, high_b = spans[ref_b, 0] * own_b + spans[ref_b, 1], spans[ref_b, 2] * own_b + spans[ref_b, 3]
    return low_a - high_b, high_a - low_b


@kernel
def region(points, i, j, ref_i, ref_j, slip_low, slip_high, vertical_m, certain, spans, polygon, scratch):  # type: ignore[no-untyped-def]
    """Corners of the region of (u, w) that times and heights allow; `certain`: for every height, else for some.

    Returns the number of corners; 0 if nothing is left.
    """
    ti, tj = points[i, 3], points[j, 3]
    di, dj = points[i + 1, 3] - ti, points[j + 1, 3] - tj
    offset = ti - tj
    if slip_high > slip_low:
        n = unit_square(polygon)
        if slip_high < math.inf:
            n = clip(polygon, n, scratch, di, -dj, slip_high - offset)
        if slip_low > -math.inf:
            n = clip(polygon, n, scratch, -di, dj, offset - slip_low)
    elif di > 0.0 and dj > 0.0:
        start, end = max(ti, tj), min(ti + di, tj + dj)
        if start > end:
            return 0
        polygon[0, 0], polygon[0, 1] = (start - ti) / di, (start - tj) / dj
        polygon[1, 0], polygon[1, 1] = (end - ti) / di, (end - tj) / dj
        n = 2
    elif di > 0.0:
        u = -offset / di
        polygon[0, 0], polygon[0, 1], polygon[1, 0], polygon[1, 1] = u, 0.0, u, 1.0
        n = 2 if 0.0 <= u <= 1.0 else 0
    elif dj > 0.0:
        w = offset / dj
        polygon[0, 0], polygon[0, 1], polygon[1, 0], polygon[1, 1] = 0.0, w, 1.0, w
        n = 2 if 0.0 <= w <= 1.0 else 0
    else:
        n = unit_square(polygon) if offset == 0.0 else 0
    if n > 0 and vertical_m < math.inf:
        n = _clip_heights(points, i, j, ref_i, ref_j, vertical_m, certain, spans, polygon, n, scratch)
    return n


@kernel
def _clip_heights(points, i, j, ref_i, ref_j, vertical_m, certain, spans, polygon, n, scratch):  # type: ignore[no-untyped-def]
    w84 = points.shape[1] - 1
    # The least and greatest gap are linear in (u, w): three corners of the square give their coefficients.
    lo00, hi00 = height_gaps(spans, certain, ref_i, points[i, 4], points[i, w84], ref_j, points[j, 4], points[j, w84])
    lo10, hi10 = height_gaps(
        spans, certain, ref_i, points[i + 1, 4], points[i + 1, w84], ref_j, points[j, 4], points[j, w84]
    )
    lo01, hi01 = height_gaps(
        spans, certain, ref_i, points[i, 4], points[i, w84], ref_j, points[j + 1, 4], points[j + 1, w84]
    )
    if not certain:  # some height: the least that i is above j, and the least that j is above i
        n = clip(polygon, n, scratch, lo10 - lo00, lo01 - lo00, vertical_m - lo00)
        return clip(polygon, n, scratch, -(hi10 - hi00), -(hi01 - hi00), vertical_m + hi00)
    n = clip(polygon, n, scratch, hi10 - hi00, hi01 - hi00, vertical_m - hi00)
    return clip(polygon, n, scratch, -(lo10 - lo00), -(lo01 - lo00), vertical_m + lo00)


@kernel
def least(points, i, j, polygon, n):  # type: ignore[no-untyped-def]
    """Least square of the distance of legs i and j over the polygon, and where: u and w."""
    return least_square(
        polygon, n,
        points[i, 0] - points[j, 0], points[i, 1] - points[j, 1], points[i, 2] - points[j, 2],
        points[i + 1, 0] - points[i, 0], points[i + 1, 1] - points[i, 1], points[i + 1, 2] - points[i, 2],
        points[j + 1, 0] - points[j, 0], points[j + 1, 1] - points[j, 1], points[j + 1, 2] - points[j, 2],
    )  # fmt: skip


@kernel
def near(points, i, j, ref_i, ref_j, slip_low, slip_high, horizontal_m, vertical_m, certain, spans, polygon, scratch):  # type: ignore[no-untyped-def]
    """Whether legs i and j come closer than the minima at some pair of times that slip allows."""
    n = region(points, i, j, ref_i, ref_j, slip_low, slip_high, vertical_m, certain, spans, polygon, scratch)
    if n == 0:
        return False
    square, _, _ = least(points, i, j, polygon, n)
    return square < horizontal_m * horizontal_m


@kernel
def describe_pair(  # type: ignore[no-untyped-def]
    points, i, j, ref_i, ref_j, early_i, late_i, early_j, late_j, time_m, horizontal_m, vertical_m, certain, spans,
    window_from, window_to, polygon, scratch, out,
):  # fmt: skip
    """Fill `out` with (start, end, least distance, u, w) of the violation of legs i and j; returns if there is one.

    Only what happens between `window_from` and `window_to` counts. ``start`` and ``end`` bound the actual times at
    which either could be where the pair is too close; they are infinite where slip is.
    """
    low, high = -time_m - late_i - early_j, time_m + early_i + late_j
    n = region(points, i, j, ref_i, ref_j, low, high, vertical_m, certain, spans, polygon, scratch)
    if window_from > -math.inf or window_to < math.inf:
        u0, u1 = _window(points[i, 3], points[i + 1, 3], window_from - late_i, window_to + early_i)
        w0, w1 = _window(points[j, 3], points[j + 1, 3], window_from - late_j, window_to + early_j)
        n = clip_box(polygon, n, scratch, u0, u1, w0, w1)
    if n == 0:
        return False
    square, u, w = least(points, i, j, polygon, n)
    limit = horizontal_m * horizontal_m
    if not square < limit:
        return False
    out[2], out[3], out[4] = math.sqrt(square), u, w
    if n == 2 and low == high and points[i + 1, 3] > points[i, 3]:
        _span_on_line(points, i, j, polygon, limit, out)
    else:
        _span_in_region(points, i, j, early_i, late_i, early_j, late_j, time_m, limit, polygon, n, scratch, u, w, out)
    return True


@kernel
def _span_on_line(points, i, j, polygon, limit, out):  # type: ignore[no-untyped-def]
    """Without slip the region is a line, and the violation an interval between the roots of a quadratic."""
    u0, w0, du, dw = polygon[0, 0], polygon[0, 1], polygon[1, 0] - polygon[0, 0], polygon[1, 1] - polygon[0, 1]
    aa = ac = cc = 0.0
    for k in range(3):
        ei, ej = points[i + 1, k] - points[i, k], points[j + 1, k] - points[j, k]
        c = points[i, k] - points[j, k] + u0 * ei - w0 * ej
        v = du * ei - dw * ej
        aa += v * v
        ac += v * c
        cc += c * c
    low, high = 0.0, 1.0
    root = ac * ac - aa * (cc - limit)
    if aa > 0.0 and root > 0.0:
        half = math.sqrt(root)
        low, high = max(low, (-ac - half) / aa), min(high, (-ac + half) / aa)
    t0, dt = points[i, 3], points[i + 1, 3] - points[i, 3]
    out[0], out[1] = t0 + (u0 + low * du) * dt, t0 + (u0 + high * du) * dt


@kernel
def _span_in_region(points, i, j, early_i, late_i, early_j, late_j, time_m, limit, polygon, n, scratch, u, w, out):  # type: ignore[no-untyped-def]
    """With slip: whether a moment is in the violation is a convex question, so its ends are found by bisection."""
    work = np.empty_like(polygon)
    ti, tj = points[i, 3], points[j, 3]
    di, dj = points[i + 1, 3] - ti, points[j + 1, 3] - tj
    out[0], out[1] = math.inf, -math.inf
    for first in (True, False):
        ea, la, eb, lb = (early_i, late_i, early_j + time_m, late_j + time_m)
        if not first:
            ea, la, eb, lb = (early_i + time_m, late_i + time_m, early_j, late_j)
        lowest = max(ti - ea, tj - eb)
        highest = min(ti + di + la, tj + dj + lb)
        inside = _moment(ti + u * di, tj + w * dj, ea, la, eb, lb)
        for side in (lowest, highest):
            if math.isinf(side):
                out[0], out[1] = min(out[0], side), max(out[1], side)
                continue
            good, bad = inside, side
            if _at_moment(points, i, j, bad, ea, la, eb, lb, limit, polygon, n, work, scratch):
                good = bad
            for _ in range(_BISECTIONS):
                middle = 0.5 * (good + bad)
                if middle in (good, bad):
                    break
                if _at_moment(points, i, j, middle, ea, la, eb, lb, limit, polygon, n, work, scratch):
                    good = middle
                else:
                    bad = middle
            out[0], out[1] = min(out[0], good), max(out[1], good)


@kernel
def _moment(ta: float, tb: float, early_a: float, late_a: float, early_b: float, late_b: float) -> float:
    """A moment at which the one can be at ta of its plan and the other at tb of its own."""
    low, high = max(ta - early_a, tb - early_b), min(ta + late_a, tb + late_b)
    if math.isinf(low):
        return high if not math.isinf(high) else ta
    return low if math.isinf(high) else 0.5 * (low + high)


@kernel
def _at_moment(points, i, j, moment, early_i, late_i, early_j, late_j, limit, polygon, n, work, scratch):  # type: ignore[no-untyped-def]
    """Whether at this moment the two can be too close."""
    for k in range(n):
        work[k, 0], work[k, 1] = polygon[k, 0], polygon[k, 1]
    u0, u1 = _window(points[i, 3], points[i + 1, 3], moment - late_i, moment + early_i)
    w0, w1 = _window(points[j, 3], points[j + 1, 3], moment - late_j, moment + early_j)
    m = clip_box(work, n, scratch, u0, u1, w0, w1)
    if m == 0:
        return False
    square, _, _ = least(points, i, j, work, m)
    return square < limit


@kernel
def _window(t0: float, t1: float, low: float, high: float) -> tuple[float, float]:
    """Places along a leg passed between two times: the whole leg if it takes no time."""
    slack = 1e-6  # a microsecond is about what the epoch's doubles resolve; without it a window of no length is lost
    if t1 > t0:
        return (low - slack - t0) / (t1 - t0), (high + slack - t0) / (t1 - t0)
    return (0.0, 1.0) if low - slack <= t0 <= high + slack else (2.0, -1.0)
