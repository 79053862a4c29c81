"""Two standing shapes: how far apart they are, or, with a minimum of 0, whether they overlap by more than 1 mm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import SEMI_MAJOR_M, SEMI_MINOR_M, surface_lonlat
from keepclear.geo.kernel import kernel
from keepclear.separation.closest import CORNERS, least_square
from keepclear.separation.leg_pairs import MARGIN_M
from keepclear.separation.shapes import BLOCK, Shape, contains_point

__all__ = ["overlap_by_more", "shape_distances"]

Array = npt.NDArray[np.float64]
_EARTH_M = 6_371_008.8
_FAR_M = 1e9  # in the plane: 80 km short of the other side of the Earth


@kernel
def shape_distances(  # type: ignore[no-untyped-def]
    pairs, edges, edge_first, blocks, block_first, rings, ring_first, shape_ring_first, enough
):  # fmt: skip
    """Distances between the footprints of pairs of shapes, radii left out, and the two places where it is.

    Parameters
    ----------
    enough
        Shape (p,): distances beyond this need not be known.

    Returns
    -------
    ndarray, shape (p, 7)
        Distance (0 where one's border crosses or lies inside the other, infinite beyond `enough`), and both places.
    """
    polygon = np.empty((CORNERS, 2))
    result = np.full((pairs.shape[0], 7), math.inf)
    for row in range(pairs.shape[0]):
        a, b = pairs[row, 0], pairs[row, 1]
        best = enough[row] * enough[row]
        for side in range(2):
            inner, outer = (a, b) if side == 0 else (b, a)
            edge = edge_first[inner]
            x, y, z = edges[edge, 0], edges[edge, 1], edges[edge, 2]
            if contains_point(rings, ring_first, shape_ring_first[outer], shape_ring_first[outer + 1], x, y, z):
                best, result[row, 0] = 0.0, 0.0
                result[row, 1], result[row, 2], result[row, 3] = x, y, z
                result[row, 4], result[row, 5], result[row, 6] = x, y, z
        for p in range(block_first[a], block_first[a + 1]):
            for q in range(block_first[b], block_first[b + 1]):
                square = 0.0
                for k in range(3):
                    square += (blocks[p, k] - blocks[q, k]) ** 2
                near = math.sqrt(square) - blocks[p, 3] - blocks[q, 3]
                if near > 0.0 and near * near > best:
                    continue
                low_p, low_q = (
                    edge_first[a] + (p - block_first[a]) * BLOCK,
                    edge_first[b] + (q - block_first[b]) * BLOCK,
                )
                for e in range(low_p, min(low_p + BLOCK, edge_first[a + 1])):
                    for f in range(low_q, min(low_q + BLOCK, edge_first[b + 1])):
                        best = _closer(edges, e, f, best, polygon, result[row])
    return result


@kernel
def _closer(edges, e, f, best, polygon, out):  # type: ignore[no-untyped-def]
    polygon[0, 0], polygon[0, 1], polygon[1, 0], polygon[1, 1] = 0.0, 0.0, 1.0, 0.0
    polygon[2, 0], polygon[2, 1], polygon[3, 0], polygon[3, 1] = 1.0, 1.0, 0.0, 1.0
    square, u, w = least_square(
        polygon, np.int64(4), edges[e, 0] - edges[f, 0], edges[e, 1] - edges[f, 1], edges[e, 2] - edges[f, 2],
        edges[e, 3] - edges[e, 0], edges[e, 4] - edges[e, 1], edges[e, 5] - edges[e, 2],
        edges[f, 3] - edges[f, 0], edges[f, 4] - edges[f, 1], edges[f, 5] - edges[f, 2],
    )  # fmt: skip
    if not square < best:
        return best
    out[0] = math.sqrt(square)
    for k in range(3):
        out[1 + k] = edges[e, k] + u * (edges[e, k + 3] - edges[e, k])
        out[4 + k] = edges[f, k] + w * (edges[f, k + 3] - edges[f, k])
    return square


def overlap_by_more(first: Shape, second: Shape, depth_m: float = MARGIN_M) -> tuple[float, float] | None:
    """Longitude and latitude of a place where two areas overlap by more than `depth_m`; None if they do not.

    The overlap is taken in a stereographic plane about the smaller of the two, which keeps borders borders wherever
    they run, and is thinned by half the depth from all sides.
    """
    import shapely

    small = first if first.reach_m <= second.reach_m else second
    centre = np.array(small.centre) if small.reach_m < _EARTH_M else small.edges[0, :3]
    frame = _frame(centre)
    areas = [_area(shape, frame) for shape in (first, second)]
    common = areas[0].intersection(areas[1]).buffer(-0.5 * depth_m)
    if common.is_empty:
        return None
    place = shapely.point_on_surface(common)
    return _lonlat(place.x, place.y, frame)


def _frame(centre: Array) -> Array:
    up = centre / np.linalg.norm(centre)
    side = np.array([0.0, 0.0, 1.0]) if abs(up[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    east = np.cross(side, up)
    east /= np.linalg.norm(east)
    return np.vstack((east, np.cross(up, east), up))


def _flat(edges: Array, frame: Array) -> list[Array]:
    """Rings in the stereographic plane, metres true at its centre."""
    breaks = np.flatnonzero(np.any(edges[:-1, 3:] != edges[1:, :3], axis=1)) + 1
    rings = []
    for part in np.split(edges, breaks):
        points = np.vstack((part[:, :3], part[-1:, 3:])) @ frame.T
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        scale = 2.0 * _EARTH_M / np.maximum(1.0 + points[:, 2:], 1e-9)
        rings.append(points[:, :2] * scale)
    return rings


def _area(shape: Shape, frame: Array) -> Any:
    """Area of a shape in the plane; the part out to infinity belongs to it if the other side of the Earth does."""
    import shapely

    rings = _flat(shape.edges, frame)
    polygon = shapely.Polygon(rings[0], rings[1:])
    polygon = polygon if polygon.is_valid else shapely.make_valid(polygon)
    first = np.concatenate(([0], np.cumsum([len(ring) for ring in shape.rings]))).astype(np.int64)
    x, y, z = _on_surface(-frame[2])
    if not contains_point(np.concatenate(shape.rings), first, 0, len(shape.rings), x, y, z):
        return polygon
    return shapely.box(-_FAR_M, -_FAR_M, _FAR_M, _FAR_M).difference(polygon)


def _lonlat(x: float, y: float, frame: Array) -> tuple[float, float]:
    square = (x * x + y * y) / (4.0 * _EARTH_M * _EARTH_M)
    flat = np.array([x / _EARTH_M, y / _EARTH_M, 1.0 - square]) / (1.0 + square)
    lon, lat = surface_lonlat(*_on_surface(flat @ frame))
    return lon, lat


def _on_surface(direction: Array) -> tuple[float, float, float]:
    """The point of the surface in a direction from the middle of the Earth."""
    x, y, z = (float(v) for v in direction)
    scale = 1.0 / math.sqrt((x * x + y * y) / SEMI_MAJOR_M**2 + z * z / SEMI_MINOR_M**2)
    return scale * x, scale * y, scale * z
