"""Hazard areas as they are published: never so small or so exact that they point at something.

A party that warns of a danger must not tell others what lies at its centre. So a published hazard area is a circle of
at least the least radius round a centre on a fixed lattice, with a radius that is a multiple of the least; one much
larger than that is told as cells of a grid. Either contains the exact shape with its uncertainty.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.geo.rings import pole_inside, unwrapped
from keepclear.line.coarsening import coarse_footprint
from keepclear.line.guards import Outcome, Span, Verdict
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint, Polygon
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Zone

__all__ = ["HAZARD_EXTENT", "LATTICE_DEG", "LEAST_RADIUS_M", "guard_hazard", "published_hazard"]

HAZARD_EXTENT = "HAZARD_EXTENT"
"""The guard against hazard areas that point at something."""
LEAST_RADIUS_M = 5000.0
LATTICE_DEG = 0.05
"""Centres are multiples of this in longitude and latitude: up to 3.9 km from where they were."""
_MOST_RADII = 4
_GRID_KM = 5

_SENTENCE = (
    "Not sent: a hazard area is told with a radius of at least {least:g} km (or as large an area), and its centre"
    " rounded to {lattice:g}°, so that it says where to stay away from and not what is there."
)

Array = npt.NDArray[np.float64]


def published_hazard(zone: Zone, *, least_radius_m: float = LEAST_RADIUS_M) -> Zone:
    """The zone as others may know it: a hazard area made wide and round, any other zone as it is."""
    if zone.kind is not ZoneKind.HAZARD_AREA:
        return zone
    volumes = [made for volume in zone.volumes for made in _published(volume, least_radius_m)]
    return replace(zone, volumes=tuple(volumes))


def guard_hazard(zone: Zone, *, least_radius_m: float = LEAST_RADIUS_M) -> Verdict:
    """Refuse a hazard area that is smaller than may be published, or a circle whose centre is not rounded."""
    if zone.kind is not ZoneKind.HAZARD_AREA:
        return Verdict()
    circles = [one.footprint for one in zone.volumes if isinstance(one.footprint, Circle)]
    pointed = any(circle.radius_m < least_radius_m or not _on_lattice(circle) for circle in circles)
    least_m2 = math.pi * least_radius_m**2
    if not pointed and (circles or sum(_area_m2(one.footprint) for one in zone.volumes) >= least_m2):
        return Verdict()
    sentence = _SENTENCE.format(least=least_radius_m / 1000.0, lattice=LATTICE_DEG)
    return Verdict(Outcome.REFUSE, HAZARD_EXTENT, (Span("zone.volumes", 0, 0),), sentence)


def _published(volume: Volume, least_radius_m: float) -> list[Volume]:
    lon, lat, reach_m = _round(volume.footprint)
    lon, lat = _rounded(lon), min(max(_rounded(lat), -90.0), 90.0)
    needed_m = reach_m(lon, lat) + volume.uncertainty_m
    radius_m = least_radius_m * max(1, math.ceil(needed_m / least_radius_m))
    if radius_m <= _MOST_RADII * least_radius_m or (isinstance(volume.footprint, Circle) and radius_m <= 1e7):
        return [replace(volume, footprint=Circle(lon, lat, radius_m), uncertainty_m=0.0)]
    cells = coarse_footprint(volume.footprint, grid_km=_GRID_KM, uncertainty_m=volume.uncertainty_m)
    return [replace(volume, footprint=cell, uncertainty_m=0.0) for cell in cells]


def _round(footprint: Footprint) -> tuple[float, float, Any]:
    """A middle, and a function of a centre: how far from there the shape reaches at most, metres."""
    if isinstance(footprint, Circle):
        at = footprint.lon_deg, footprint.lat_deg
        return *at, lambda lon, lat: footprint.radius_m + _distance_m(lon, lat, np.array([at]))
    points = unwrapped(footprint.line if isinstance(footprint, Corridor) else footprint.rings[0])
    width_m = footprint.half_width_m if isinstance(footprint, Corridor) else 0.0
    # Between two vertices an edge of either kind is nowhere farther from them than it is long.
    longest_m = max((_edge_m(a, b, footprint.edges) for a, b in pairwise(points)), default=0.0)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    lon = (middle[0] + 180.0) % 360.0 - 180.0
    is_polar = isinstance(footprint, Polygon) and pole_inside(footprint.rings[0]) != 0
    if is_polar:
        return lon, float(middle[1]), lambda _lon, _lat: math.inf
    return float(lon), float(middle[1]), lambda lon, lat: _distance_m(lon, lat, points) + longest_m / 2.0 + width_m


def _edge_m(a: Array, b: Array, edges: Edges) -> float:
    distance_m = float(_geod().inv(a[0], a[1], b[0], b[1])[2])
    if edges is Edges.GEODESIC:
        return distance_m
    # Straight in longitude and latitude: along a parallel it is longer than the shortest path, never twice the sum.
    flat = math.radians(abs(b[0] - a[0])) * math.cos(
        math.radians(min(abs(a[1]), abs(b[1])) if a[1] * b[1] > 0 else 0.0)
    )
    return max(distance_m, 6_400_000.0 * math.hypot(flat, math.radians(b[1] - a[1])))


def _distance_m(lon: float, lat: float, points: Array) -> float:
    ones = np.ones(len(points))
    return float(np.max(_geod().inv(lon * ones, lat * ones, points[:, 0], points[:, 1])[2]))


def _area_m2(footprint: Footprint) -> float:
    if isinstance(footprint, Circle):
        return math.pi * footprint.radius_m**2
    if isinstance(footprint, Corridor):
        length_m = (
            float(_geod().line_length(footprint.line[:, 0], footprint.line[:, 1])) if len(footprint.line) > 1 else 0.0
        )
        return footprint.half_width_m * (2.0 * length_m + math.pi * footprint.half_width_m)
    ring = footprint.rings[0]
    return abs(float(_geod().polygon_area_perimeter(ring[:, 0], ring[:, 1])[0]))


def _rounded(degrees: float) -> float:
    return round(round(degrees / LATTICE_DEG) * LATTICE_DEG, 6)


def _on_lattice(circle: Circle) -> bool:
    return all(abs(degrees - _rounded(degrees)) < 1e-9 for degrees in (circle.lon_deg, circle.lat_deg))


@functools.cache
def _geod() -> Any:
    from pyproj import Geod  # a tenth of a second to import, and rarely needed

    return Geod(ellps="WGS84")
