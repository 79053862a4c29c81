"""Closest approach of two straight legs: a convex quadratic over a convex polygon.

A leg is a point p(u) = p0 + u·d, u in [0, 1]. For two legs the square of their distance is a convex quadratic q(u, w),
and every condition that binds them is a half-plane of (u, w): the legs' ends, the times that slip allows, the height
band. So the exact answer is the least value of q over a convex polygon: at the stationary point if that is inside,
else on the polygon's border. Nothing is sampled.

A polygon is an array of shape (m, 2), its first `n` rows the corners in counter-clockwise order; one corner is a
point, two are a line.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import kernel

__all__ = ["CORNERS", "clip", "clip_box", "least_on_segment", "least_square", "unit_square"]

Array = npt.NDArray[np.float64]

CORNERS = 16
"""Rows a polygon array needs: a square and every half-plane that is ever clipped from it, with room to spare."""


@kernel
def unit_square(polygon: Array) -> int:
    """Make `polygon` the square 0 ≤ u, w ≤ 1; returns 4."""
    polygon[0, 0], polygon[0, 1] = 0.0, 0.0
    polygon[1, 0], polygon[1, 1] = 1.0, 0.0
    polygon[2, 0], polygon[2, 1] = 1.0, 1.0
    polygon[3, 0], polygon[3, 1] = 0.0, 1.0
    return np.int64(4)  # type: ignore[return-value]  # a literal would compile every caller twice


@kernel
def clip(polygon: Array, n: int, scratch: Array, a: float, b: float, c: float) -> int:
    """Keep the part of the polygon where a·u + b·w ≤ c; returns the new number of corners (0: nothing is left)."""
    if n == 0:
        return 0
    if n == 2:
        return _clip_segment(polygon, a, b, c)
    kept = 0
    before = a * polygon[n - 1, 0] + b * polygon[n - 1, 1] - c
    for i in range(n):
        here = a * polygon[i, 0] + b * polygon[i, 1] - c
        j = i - 1 if i > 0 else n - 1
        if (here > 0.0) != (before > 0.0) and n > 1:
            f = before / (before - here)
            scratch[kept, 0] = polygon[j, 0] + f * (polygon[i, 0] - polygon[j, 0])
            scratch[kept, 1] = polygon[j, 1] + f * (polygon[i, 1] - polygon[j, 1])
            kept += 1
        if here <= 0.0:
            scratch[kept, 0], scratch[kept, 1] = polygon[i, 0], polygon[i, 1]
            kept += 1
        before = here
    for i in range(kept):
        polygon[i, 0], polygon[i, 1] = scratch[i, 0], scratch[i, 1]
    return kept


@kernel
def _clip_segment(polygon: Array, a: float, b: float, c: float) -> int:
    """`clip` for a line of two corners, which stays one: gone round like a polygon, it would get a third corner."""
    first = a * polygon[0, 0] + b * polygon[0, 1] - c
    last = a * polygon[1, 0] + b * polygon[1, 1] - c
    if first > 0.0 and last > 0.0:
        return 0
    if first > 0.0 or last > 0.0:
        f = first / (first - last)
        out = 0 if first > 0.0 else 1
        u = polygon[0, 0] + f * (polygon[1, 0] - polygon[0, 0])
        w = polygon[0, 1] + f * (polygon[1, 1] - polygon[0, 1])
        polygon[out, 0], polygon[out, 1] = u, w
    return 2


@kernel
def clip_box(polygon: Array, n: int, scratch: Array, u0: float, u1: float, w0: float, w1: float) -> int:
    """Keep the part of the polygon where u0 ≤ u ≤ u1 and w0 ≤ w ≤ w1; infinite bounds bind nothing."""
    if u1 < 1.0:
        n = clip(polygon, n, scratch, 1.0, 0.0, u1)
    if u0 > 0.0:
        n = clip(polygon, n, scratch, -1.0, 0.0, -u0)
    if w1 < 1.0:
        n = clip(polygon, n, scratch, 0.0, 1.0, w1)
    if w0 > 0.0:
        n = clip(polygon, n, scratch, 0.0, -1.0, -w0)
    return n


@kernel
def least_square(
    polygon: Array,
    n: int | np.int64,
    cx: float, cy: float, cz: float,
    ax: float, ay: float, az: float,
    bx: float, by: float, bz: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Least |c + u·a - w·b|² over the polygon, and the u and w where it is; infinite if the polygon is empty.

    Of equal places the one with the least u + w is taken, so that swapping the legs gives the same.
    """
    best, best_u, best_w = math.inf, 0.0, 0.0
    aa, bb, ab = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz, ax * bx + ay * by + az * bz
    ac, bc = ax * cx + ay * cy + az * cz, bx * cx + by * cy + bz * cz
    det = aa * bb - ab * ab
    if n > 2 and det > 1e-12 * aa * bb:
        u, w = (ab * bc - bb * ac) / det, (aa * bc - ab * ac) / det
        if _inside(polygon, n, u, w):
            x, y, z = cx + u * ax - w * bx, cy + u * ay - w * by, cz + u * az - w * bz
            best, best_u, best_w = x * x + y * y + z * z, u, w
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        u0, w0 = polygon[i, 0], polygon[i, 1]
        du, dw = polygon[j, 0] - u0, polygon[j, 1] - w0
        px, py, pz = cx + u0 * ax - w0 * bx, cy + u0 * ay - w0 * by, cz + u0 * az - w0 * bz
        value, f = least_on_segment(
            px, py, pz, du * ax - dw * bx, du * ay - dw * by, du * az - dw * bz
        )  # fmt: skip
        u, w = u0 + f * du, w0 + f * dw
        if best == math.inf or value < best - 1e-12 * best or (value <= best and u + w < best_u + best_w):
            best, best_u, best_w = value, u, w
    return best, best_u, best_w


@kernel
def least_on_segment(px: float, py: float, pz: float, dx: float, dy: float, dz: float) -> tuple[float, float]:
    """Least |p + f·d|² for f in [0, 1], and that f."""
    dd = dx * dx + dy * dy + dz * dz
    f = 0.0
    if dd > 0.0:
        f = min(1.0, max(0.0, -(px * dx + py * dy + pz * dz) / dd))
    x, y, z = px + f * dx, py + f * dy, pz + f * dz
    return x * x + y * y + z * z, f


@kernel
def _inside(polygon: Array, n: int | np.int64, u: float, w: float) -> bool:
    # Corners that have fallen together, or on a line, have no side that tells: only a box round them does.
    u_low, u_high, w_low, w_high = math.inf, -math.inf, math.inf, -math.inf
    for i in range(n):
        u_low, u_high = min(u_low, polygon[i, 0]), max(u_high, polygon[i, 0])
        w_low, w_high = min(w_low, polygon[i, 1]), max(w_high, polygon[i, 1])
        j = i + 1 if i + 1 < n else 0
        side = (polygon[j, 0] - polygon[i, 0]) * (w - polygon[i, 1]) - (polygon[j, 1] - polygon[i, 1]) * (
            u - polygon[i, 0]
        )
        if side < 0.0:
            return False
    return u_low <= u <= u_high and w_low <= w <= w_high
