"""Strips beside a line as polygons: for maps, for differences between versions, and as zones of the search.

They are drawn a little wide rather than narrow (by less than a thousandth of the distance, and never less than the
strip). What a term finds is found from the distances themselves, not from these shapes.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Border, Side
from keepclear.geo.rings import check_ring, unwrapped
from keepclear.model.footprints import Edges, Polygon

__all__ = ["strip_beside"]

Array = npt.NDArray[np.float64]
_STEP_DEG = 6.0
_WIDER = 1.0 / math.cos(math.radians(_STEP_DEG / 2.0))
_MOST_POINTS = 2_000
_FARTHEST_M = 2.0e6
_HAIR_DEG = 1e-6


def strip_beside(border: Border, side: Side, near_m: float, far_m: float) -> tuple[Polygon, ...]:
    """The places between two depths on a side of a line; none near a pole, or where it is too wide to be drawn."""
    if far_m > _FARTHEST_M or float(np.abs(border.line[:, 1]).max()) > 85.0:
        return ()
    import shapely

    line = _thinned(unwrapped(border.line))
    turn = -90.0 if side is Side.LEFT else 90.0
    whole = _reach(line, turn, far_m * _WIDER)
    if near_m > 0.0:
        whole = whole.difference(_reach(line, turn, near_m))
    # Where both begin, and where quarters meet, hairs a few centimetres wide are left.
    whole = shapely.buffer(shapely.buffer(whole, -_HAIR_DEG), _HAIR_DEG, join_style="mitre")
    return tuple(
        polygon
        for part in shapely.get_parts(whole)
        if part.geom_type == "Polygon" and part.area > 0.0 and (polygon := _polygon(part)) is not None
    )


def _reach(line: Array, turn: float, distance_m: float) -> Any:
    """All places up to a distance on the side that `turn` (degrees from the way of the line) points to."""
    import shapely

    geod = _geod()
    heading, _, _ = geod.inv(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
    back, _, _ = geod.inv(line[1:, 0], line[1:, 1], line[:-1, 0], line[:-1, 1])
    arriving = np.asarray(back) + 180.0
    parts = []
    for row, (a, b) in enumerate(pairwise(line)):
        ring = [
            a,
            *_arc(a, heading[row] + turn, 0.0, distance_m)[:1],
            *_arc(b, arriving[row] + turn, 0.0, distance_m)[:1],
            b,
        ]
        parts.append(shapely.Polygon(np.array(ring)))
        if row + 1 < len(line) - 1:
            bend = (heading[row + 1] - arriving[row] + 180.0) % 360.0 - 180.0
            if bend * turn < 0.0:  # the corner is convex on this side
                parts.append(shapely.Polygon(np.array([b, *_arc(b, arriving[row] + turn, bend, distance_m)])))
    return shapely.union_all([shapely.make_valid(part) for part in parts], grid_size=1e-9)


def _arc(centre: Array, azimuth: float, bend: float, distance_m: float) -> list[Array]:
    count = max(1, math.ceil(abs(bend) / _STEP_DEG)) + 1
    azimuths = azimuth + np.linspace(0.0, bend, count)
    lon, lat, _ = _geod().fwd(
        np.full(count, centre[0]), np.full(count, centre[1]), azimuths, np.full(count, distance_m)
    )
    lon = centre[0] + (np.asarray(lon) - centre[0] + 180.0) % 360.0 - 180.0
    return list(np.column_stack((lon, lat)))


def _polygon(part: Any) -> Polygon | None:
    rings = []
    for ring in (part.exterior, *part.interiors):
        positions = np.array(ring.coords)
        positions[:, 0] = (positions[:, 0] + 180.0) % 360.0 - 180.0
        if check_ring(positions):
            return None
        rings.append(positions)
    return Polygon(tuple(rings), Edges.GEODESIC)


def _thinned(line: Array) -> Array:
    step = max(1, len(line) // _MOST_POINTS)
    return np.concatenate((line[:-1:step], line[-1:]))


def _geod() -> Any:
    from pyproj import Geod

    return Geod(ellps="WGS84")
