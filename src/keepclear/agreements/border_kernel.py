"""How far points are from a line, and on which side: the loop, as machine code.

Distances are found along chords and given along the surface. The chord between two places is shorter than the shortest
path by c³/24R²; R here is that of the section which both are on, so what is left is below a metre at 1,000 km.
"""

from __future__ import annotations

import math
from typing import Any

from keepclear.geo.ellipsoid import SEMI_MAJOR_M, SEMI_MINOR_M, lift
from keepclear.geo.kernel import kernel

__all__ = ["BLOCK", "measure"]

BLOCK = 32
"""Edges under one bounding sphere."""
_BEYOND_M = 0.5
_A2_INV = 1.0 / (SEMI_MAJOR_M * SEMI_MAJOR_M)
_B2_INV = 1.0 / (SEMI_MINOR_M * SEMI_MINOR_M)


@kernel
def measure(points: Any, edges: Any, blocks: Any, is_closed: bool, depth: Any, slack: Any) -> None:  # noqa: FBT001 - numba has no keyword-only arguments
    """Fill signed distances in metres, positive on the left, and how far each is from having no side.

    Parameters
    ----------
    points
        Shape (n, 3), earth-centred metres on the surface.
    edges
        Shape (k, 6), both ends of each edge.
    blocks
        Shape (ceil(k / BLOCK), 4): centre and radius of a sphere round each `BLOCK` edges.
    is_closed
        Whether the last edge ends where the first begins.
    depth
        Shape (n,).
    slack
        Shape (n,): by how much the nearer end of the line is farther than the nearest point of it; -1 where the nearest
        is an end and the point lies beyond it, so that it has no side; infinite where the line is closed.
    """
    count = edges.shape[0]
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        best, at, share = _nearest(x, y, z, edges, blocks)
        qx = edges[at, 0] + share * (edges[at, 3] - edges[at, 0])
        qy = edges[at, 1] + share * (edges[at, 4] - edges[at, 1])
        qz = edges[at, 2] + share * (edges[at, 5] - edges[at, 2])
        qx, qy, qz = lift(qx, qy, qz)
        side, is_beyond = _side(x, y, z, qx, qy, qz, edges, at, share, count, is_closed)
        distance = _along_surface(x, y, z, qx, qy, qz)
        depth[i] = distance if side >= 0.0 else -distance
        if is_closed:
            slack[i] = math.inf
        elif is_beyond:
            slack[i] = -1.0
        else:
            first = _chord(x, y, z, edges[0, 0], edges[0, 1], edges[0, 2])
            last = _chord(x, y, z, edges[count - 1, 3], edges[count - 1, 4], edges[count - 1, 5])
            slack[i] = max(0.0, min(first, last) - math.sqrt(best))


@kernel
def _nearest(x: float, y: float, z: float, edges: Any, blocks: Any) -> tuple[float, int, float]:
    """Square of the distance to the nearest chord, which it is, and where on it; the first of equally near ones."""
    best, at, share = math.inf, 0, 0.0
    near, first_block = math.inf, 0
    for block in range(blocks.shape[0]):
        gap = _chord(x, y, z, blocks[block, 0], blocks[block, 1], blocks[block, 2]) - blocks[block, 3]
        if gap < near:
            near, first_block = gap, block
    for turn in range(blocks.shape[0] + 1):
        block = first_block if turn == 0 else turn - 1
        if turn > 0:
            if block == first_block:
                continue
            gap = _chord(x, y, z, blocks[block, 0], blocks[block, 1], blocks[block, 2]) - blocks[block, 3]
            if gap > 0.0 and gap * gap > best:
                continue
        low = block * 32
        for k in range(low, min(low + 32, edges.shape[0])):
            dx, dy, dz = edges[k, 3] - edges[k, 0], edges[k, 4] - edges[k, 1], edges[k, 5] - edges[k, 2]
            px, py, pz = x - edges[k, 0], y - edges[k, 1], z - edges[k, 2]
            square = dx * dx + dy * dy + dz * dz
            f = 0.0
            if square > 0.0:
                f = min(1.0, max(0.0, (px * dx + py * dy + pz * dz) / square))
            rx, ry, rz = px - f * dx, py - f * dy, pz - f * dz
            value = rx * rx + ry * ry + rz * rz
            if value < best or (value == best and k < at):
                best, at, share = value, k, f
    return best, at, share


@kernel
def _side(
    x: float, y: float, z: float,
    qx: float, qy: float, qz: float,
    edges: Any, at: int, share: float, count: int, is_closed: bool,  # noqa: FBT001 - as above
) -> tuple[float, bool]:  # fmt: skip
    """Positive on the left, and whether the point is beyond an end.

    At a corner the sum of both edges' normals tells: beside a sharp corner each edge alone can be wrong.
    """
    lx, ly, lz = _left(qx, qy, qz, edges, at)
    other, is_end = -1, False
    if share <= 0.0:
        other = at - 1 if at > 0 else (count - 1 if is_closed else -1)
        is_end = other < 0
    elif share >= 1.0:
        other = at + 1 if at + 1 < count else (0 if is_closed else -1)
        is_end = other < 0
    if other >= 0:
        ox, oy, oz = _left(qx, qy, qz, edges, other)
        lx, ly, lz = lx + ox, ly + oy, lz + oz
    beyond = False
    if is_end:
        dx, dy, dz = edges[at, 3] - edges[at, 0], edges[at, 4] - edges[at, 1], edges[at, 5] - edges[at, 2]
        along = ((x - qx) * dx + (y - qy) * dy + (z - qz) * dz) / math.sqrt(dx * dx + dy * dy + dz * dz)
        beyond = abs(along) > _BEYOND_M
    return (x - qx) * lx + (y - qy) * ly + (z - qz) * lz, beyond


@kernel
def _left(qx: float, qy: float, qz: float, edges: Any, at: int) -> tuple[float, float, float]:
    """Unit vector to the left of an edge."""
    ux, uy, uz = qx * _A2_INV, qy * _A2_INV, qz * _B2_INV
    dx, dy, dz = edges[at, 3] - edges[at, 0], edges[at, 4] - edges[at, 1], edges[at, 5] - edges[at, 2]
    lx, ly, lz = uy * dz - uz * dy, uz * dx - ux * dz, ux * dy - uy * dx
    size = math.sqrt(lx * lx + ly * ly + lz * lz)
    return lx / size, ly / size, lz / size


@kernel
def _along_surface(x: float, y: float, z: float, qx: float, qy: float, qz: float) -> float:
    tx, ty, tz = x - qx, y - qy, z - qz
    square = tx * tx + ty * ty + tz * tz
    if square <= 0.0:
        return 0.0
    mx, my, mz = 0.5 * (x + qx), 0.5 * (y + qy), 0.5 * (z + qz)
    size = math.sqrt(mx * mx * _A2_INV + my * my * _A2_INV + mz * mz * _B2_INV)
    if size < 1e-3:
        return math.pi * SEMI_MINOR_M  # opposite places: any way is as good
    gx, gy, gz = mx * _A2_INV / size, my * _A2_INV / size, mz * _B2_INV / size
    bend = (tx * tx * _A2_INV + ty * ty * _A2_INV + tz * tz * _B2_INV) / square
    radius = math.sqrt(gx * gx + gy * gy + gz * gz) / bend
    chord = math.sqrt(square)
    return 2.0 * radius * math.asin(min(1.0, chord / (2.0 * radius)))


@kernel
def _chord(x: float, y: float, z: float, qx: float, qy: float, qz: float) -> float:
    return math.sqrt((x - qx) ** 2 + (y - qy) ** 2 + (z - qz) ** 2)
