"""Polygons that contain a circle, for formats that have no circles.

A shape that is coarsened for others always contains the exact one.
"""

from __future__ import annotations

import math

import numpy as np

from keepclear.formats.positions import Array
from keepclear.model.footprints import Circle

__all__ = ["LARGEST_RADIUS_M", "containing_ring"]

LARGEST_RADIUS_M = 5_000_000.0
"""Beyond this the corners would lie too far out for shortest paths between them to mean much."""

_CORNERS = 72
_EARTH_M = 6_356_752.3  # the smallest radius: the same metres are the largest angle, and corners lie further out
_ELLIPSOID = 1.005  # on the ellipsoid distances differ from the sphere's by up to the flattening, 1/298.3
_ROUNDING_M = 0.001  # well above the few nanometres to which degrees in float64 are rounded


def containing_ring(circle: Circle) -> Array:
    """A closed ring of shape (73, 2) whose polygon, with shortest paths as edges, contains the circle.

    Counterclockwise. The polygon reaches less than 0.7 % further than the circle up to a radius of 1,000 km.

    Raises
    ------
    ValueError
        If the radius is larger than `LARGEST_RADIUS_M`.
    """
    from pyproj import Geod  # takes 50 ms to import, which `keepclear --version` does without

    if circle.radius_m > LARGEST_RADIUS_M:
        raise ValueError("the circle is too large for a polygon around it")
    # A right-angled triangle on the sphere: tan(apothem) = tan(corner) · cos(half the angle between corners).
    apothem = (circle.radius_m * _ELLIPSOID + _ROUNDING_M) / _EARTH_M
    reach_m = math.atan(math.tan(apothem) / math.cos(math.pi / _CORNERS)) * _EARTH_M
    bearings = -np.arange(_CORNERS) * (360.0 / _CORNERS)
    ones = np.ones(_CORNERS)
    lon, lat, _ = Geod(ellps="WGS84").fwd(circle.lon_deg * ones, circle.lat_deg * ones, bearings, reach_m * ones)
    ring = np.column_stack((np.clip(lon, -180.0, 180.0), lat))
    return np.vstack((ring, ring[:1]))
