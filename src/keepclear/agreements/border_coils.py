"""Whether a line winds round one of its own ends, so that it has no two sides.

Between two turns of a spiral a place is on the left of the one and on the right of the other. There the depth jumps
from one place to the next, and what is said of a few places tells nothing of those between them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from keepclear.geo.rings import unwrapped

__all__ = ["winds_round_an_end"]

Array = npt.NDArray[np.float64]
_MOST_PLACES = 1_000
_ON_THE_WAY = np.linspace(0.04, 0.96, 16)
_NUMERIC_M = 20.0


def winds_round_an_end(
    positions: Array, depths: Callable[[Array], tuple[Array, Array]], on_surface: Callable[[Array], Array]
) -> bool:
    """Whether there are places near each other on different sides of a line, with no line between them.

    Looked for between parts of the line that face each other: what joins them is an edge of the Delaunay triangulation
    of places along the line. What is found is so; turns that are much nearer to each other than these places are not.

    Parameters
    ----------
    positions
        Shape (n, 2), longitude and latitude in degrees.
    depths, on_surface
        The signed depth of earth-centred points, with its slack, and such points of longitudes and latitudes.
    """
    if len(positions) < 4:  # three edges at least: two cannot turn so far that they face each other
        return False
    path = unwrapped(positions)
    ways = _ways_across(path)
    if not len(ways):
        return False
    start, way = ways[:, None, :2], ways[:, None, 2:] - ways[:, None, :2]
    places = start + _ON_THE_WAY[None, :, None] * way
    points = on_surface(places.reshape(-1, 2))
    depth, slack = (one.reshape(len(ways), -1) for one in depths(points))
    apart = np.linalg.norm(np.diff(points.reshape(len(ways), -1, 3), axis=1), axis=2)
    known = (slack[:, 1:] >= 0.0) & (slack[:, :-1] >= 0.0)
    return bool((known & (np.abs(np.diff(depth, axis=1)) > 1.1 * apart + _NUMERIC_M)).any())


def _ways_across(path: Array) -> Array:
    """Straight ways between places along a path that are neighbours, but not along it; rows of both ends in degrees."""
    import shapely

    scale = np.array([max(0.01, float(np.cos(np.radians(path[:, 1].mean())))), 1.0])
    line = shapely.LineString(path * scale)
    along = np.unique(
        np.concatenate(
            [
                np.linspace(0.0, line.length, _MOST_PLACES // 2),
                _corners(path * scale)[:: 2 * len(path) // _MOST_PLACES + 1],
            ]
        )
    )
    places = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    edges = shapely.delaunay_triangles(shapely.MultiPoint(places), only_edges=True)
    ends = shapely.get_coordinates(edges).reshape(-1, 4)  # a line of two places for each edge
    return np.asarray(ends / np.tile(scale, 2), dtype=np.float64)


def _corners(path: Array) -> Array:
    return np.append(0.0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
