"""How far points are from a footprint, or from that part of a planned path that is due at their time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import kernel
from keepclear.separation.shapes import BLOCK, contains_point

__all__ = ["from_footprint", "from_path", "nearest_of_each"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ROUNDED_M = 1e-3
"""More than a distance from a bounding sphere is off by rounding: so much nearer than it seems is nothing left out."""


@kernel
def from_footprint(
    points: Array,
    edges: Array,
    blocks: Array,
    rings: Array,
    ring_first: Ints,
    has_inside: bool | np.bool_,
    radius_m: float,
    out: Array,
) -> None:
    """Distance of points from a footprint, negative inside; `blocks` are the bounding spheres of its edges."""
    near = 0  # a unit that moves is mostly nearest to what it was nearest to before
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        best = _of_block(x, y, z, edges, near) if blocks.shape[0] else math.inf
        for b in range(blocks.shape[0]):
            if _is_beyond(x, y, z, blocks, b, math.sqrt(best)):
                continue
            square = _of_block(x, y, z, edges, b)
            if square < best:
                best, near = square, b
        distance = math.sqrt(best)
        if has_inside and contains_point(rings, ring_first, 0, ring_first.shape[0] - 1, x, y, z):
            distance = -distance
        out[i] = distance - radius_m


@kernel
def _is_beyond(x, y, z, blocks, b, reach_m):  # type: ignore[no-untyped-def]
    """Whether all edges under a bounding sphere are further from a point than that."""
    far = reach_m + blocks[b, 3] + _ROUNDED_M
    dx, dy, dz = x - blocks[b, 0], y - blocks[b, 1], z - blocks[b, 2]
    return dx * dx + dy * dy + dz * dz > far * far


@kernel
def _of_block(x, y, z, edges, b):  # type: ignore[no-untyped-def]
    """Square of the distance of a point from the nearest of the edges of a block."""
    best = math.inf
    for e in range(b * BLOCK, min((b + 1) * BLOCK, edges.shape[0])):
        square = _to_segment(x, y, z, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3], edges[e, 4], edges[e, 5])[0]
        best = min(best, square)
    return best


@kernel
def _to_segment(x, y, z, x0, y0, z0, x1, y1, z1):  # type: ignore[no-untyped-def]
    """Square of the distance of a point from a segment, and where on it the nearest place is, 0 to 1."""
    dx, dy, dz = x1 - x0, y1 - y0, z1 - z0
    px, py, pz = x - x0, y - y0, z - z0
    dd = dx * dx + dy * dy + dz * dz
    f = 0.0
    if dd > 0.0:
        f = min(1.0, max(0.0, (px * dx + py * dy + pz * dz) / dd))
    ex, ey, ez = px - f * dx, py - f * dy, pz - f * dz
    return ex * ex + ey * ey + ez * ez, f


@kernel
def from_path(
    points: Array,
    time_s: Array,
    plan: Array,
    plan_s: Array,
    plan_own: Array,
    plan_w84: Array,
    early_s: float,
    late_s: float,
    out: Array,
    own: Array,
    w84: Array,
) -> None:
    """Distance of each point from that part of a planned path that may be passed at its time, and the heights there.

    Who is early by e at t is where the plan says for t + e; so the part is that from t - late to t + early.
    """
    n = plan.shape[0]
    for i in range(points.shape[0]):
        low, high = time_s[i] - late_s, time_s[i] + early_s
        best, own[i], w84[i] = math.inf, math.nan, math.nan
        # Times go up, so the first leg that ends late enough is found by halves, and the first that begins too late
        # is the end.
        for k in range(max(0, np.searchsorted(plan_s, low) - 1), max(n - 1, 1)):
            k1 = min(k + 1, n - 1)
            if plan_s[k] > high:
                break
            if plan_s[k1] < low:
                continue
            f0, f1 = 0.0, 1.0
            step = plan_s[k1] - plan_s[k]
            if step > 0.0:
                f0, f1 = max(0.0, (low - plan_s[k]) / step), min(1.0, (high - plan_s[k]) / step)
            x0 = plan[k, 0] + f0 * (plan[k1, 0] - plan[k, 0])
            y0 = plan[k, 1] + f0 * (plan[k1, 1] - plan[k, 1])
            z0 = plan[k, 2] + f0 * (plan[k1, 2] - plan[k, 2])
            x1 = plan[k, 0] + f1 * (plan[k1, 0] - plan[k, 0])
            y1 = plan[k, 1] + f1 * (plan[k1, 1] - plan[k, 1])
            z1 = plan[k, 2] + f1 * (plan[k1, 2] - plan[k, 2])
            square, f = _to_segment(points[i, 0], points[i, 1], points[i, 2], x0, y0, z0, x1, y1, z1)
            if square < best:
                best, g = square, f0 + f * (f1 - f0)
                own[i] = plan_own[k] + g * (plan_own[k1] - plan_own[k])
                w84[i] = plan_w84[k] + g * (plan_w84[k1] - plan_w84[k])
        out[i] = math.sqrt(best)


@kernel
def nearest_of_each(
    places: Array,
    edges: Array,
    radius_m: Array,
    first: Ints,
    blocks: Array,
    block_first: Ints,
    block_size: int,
    wanted: npt.NDArray[np.bool_],
    reach_m: Array,
    out: Array,
) -> None:
    """Distance of the nearest of some places from the nearest edge of each wanted run, each edge with a half-width.

    Run k has the edges from ``first[k]`` to before ``first[k + 1]``; its bounding spheres likewise, of `block_size`
    edges each, their half-widths included. Infinite where a run is not wanted, or is further away than its reach.
    """
    for k in range(first.shape[0] - 1):
        out[k] = math.inf
        if not wanted[k]:
            continue
        for b in range(block_first[k], block_first[k + 1]):
            low = first[k] + (b - block_first[k]) * block_size
            high = min(low + block_size, first[k + 1])
            for p in range(places.shape[0]):
                x, y, z = places[p, 0], places[p, 1], places[p, 2]
                if _is_beyond(x, y, z, blocks, b, min(out[k], reach_m[k])):
                    continue
                for e in range(low, high):
                    square = _to_segment(
                        x, y, z, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3], edges[e, 4], edges[e, 5]
                    )[0]
                    out[k] = min(out[k], math.sqrt(square) - radius_m[e])
        if out[k] > reach_m[k]:
            out[k] = math.inf
