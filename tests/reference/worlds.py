"""Worlds for the reference suite: operations of two parties, made so that many pairs only just meet or miss.

Hypothesis chooses the place, the scale and a seed; the rest is drawn from the seed, so that a failing world can be made
again from the few numbers that the failure shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation

__all__ = [
    "EPOCH_S",
    "NEAR_MISSES",
    "Place",
    "Scale",
    "airborne",
    "encounter",
    "footprint",
    "places",
    "scales",
    "volume",
]

Array = npt.NDArray[np.float64]

GEOD = Geod(ellps="WGS84")
EPOCH_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z

# By how much of the minimum a pair misses (or meets): touching is made as likely as missing by a mile.
NEAR_MISSES = (0.0, 1e-7, -1e-7, 1e-5, -1e-5, 1e-4, -1e-4, 1e-3, -1e-3, 0.01, -0.01, 0.1, -0.1, -0.5, -1.0, 0.5, 2.0)


@dataclass(frozen=True)
class Place:
    """Where a world is."""

    name: str
    lon: float
    lat: float


@dataclass(frozen=True)
class Scale:
    """How large and fast a world is: metres per second, metres a leg, and minima."""

    name: str
    speed_m_s: tuple[float, float]
    leg_m: tuple[float, float]
    horizontal_m: float
    vertical_m: float


PLACES = (
    Place("equator", 10.0, 0.0),
    Place("Jazira", 41.9, 37.1),
    Place("antimeridian", 179.97, -16.8),
    Place("antimeridian, far north", -179.9, 71.0),
    Place("close to the north pole", 30.0, 89.6),
    Place("north pole", 0.0, 90.0),
    Place("south pole", -120.0, -89.98),
    Place("Greenwich", 0.0, 51.5),
    Place("southern ocean", -70.0, -60.0),
)
SCALES = (
    Scale("on foot", (1.0, 2.0), (1.0, 400.0), 30.0, 20.0),
    Scale("convoys", (3.0, 25.0), (100.0, 20_000.0), 500.0, 100.0),
    Scale("drones", (5.0, 40.0), (10.0, 5_000.0), 1_222.32, 137.16),
    Scale("airliners", (120.0, 300.0), (1_000.0, 300_000.0), 9_260.0, 304.8),
    Scale("far apart", (60.0, 300.0), (20_000.0, 300_000.0), 60_000.0, 1_000.0),
)

places = st.sampled_from(PLACES)
scales = st.sampled_from(SCALES)


def moved(lon: float, lat: float, azimuth_deg: float, metres: float) -> tuple[float, float, float]:
    """Point `metres` (may be negative) along a geodesic, and the azimuth of onward travel there."""
    to_lon, to_lat, back = GEOD.fwd(lon, lat, azimuth_deg, metres)
    return float(to_lon), float(to_lat), float(back) + 180.0


def airborne(party: str, identifier: str, *extents: Track | Volume) -> Operation:
    """An operation of kind flight, so that nothing but the minima of the test counts."""
    tracks = tuple(extent for extent in extents if isinstance(extent, Track))
    volumes = tuple(extent for extent in extents if isinstance(extent, Volume))
    return Operation(party, identifier, OperationKind.FLIGHT, volumes=volumes, tracks=tracks)


def encounter(
    rng: np.random.Generator, place: Place, scale: Scale, misses: tuple[float, ...] = NEAR_MISSES
) -> tuple[Track, Track]:
    """Two tracks whose closest approach is the horizontal minimum times (1 + a near miss), were the ground flat."""
    centre = moved(place.lon, place.lat, rng.uniform(0.0, 360.0), rng.uniform(0.0, 3.0) * scale.horizontal_m)
    speed_a, speed_b = rng.uniform(*scale.speed_m_s, 2)
    # Together often enough that tracks of different encounters meet too.
    moment = EPOCH_S + rng.uniform(0.0, 0.5) * math.sqrt(scale.leg_m[0] * scale.leg_m[1]) / scale.speed_m_s[1]
    course_a, course_b = _courses(rng)
    miss = scale.horizontal_m * (1.0 + rng.choice(misses))
    # Across the relative velocity, so that this moment is the closest one.
    east = speed_a * math.sin(math.radians(course_a)) - speed_b * math.sin(math.radians(course_b))
    north = speed_a * math.cos(math.radians(course_a)) - speed_b * math.cos(math.radians(course_b))
    across = math.degrees(math.atan2(east, north)) + rng.choice((90.0, -90.0))
    other = moved(centre[0], centre[1], across, miss)
    turned = other[2] - across  # north turns along the way, much of it near a pole
    heights = _heights(rng, scale, misses)
    a = _through(rng, scale, centre, course_a, speed_a, moment, heights[0])
    b = _through(rng, scale, other, course_b + turned, speed_b, moment, heights[1])
    return a, b


def _courses(rng: np.random.Generator) -> tuple[float, float]:
    course = rng.uniform(0.0, 360.0)
    between = rng.choice((0.0, 180.0, 90.0, rng.uniform(0.0, 360.0), rng.uniform(-2.0, 2.0)))
    return course, course + between


def _heights(
    rng: np.random.Generator, scale: Scale, misses: tuple[float, ...]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Heights at the closest moment and climb rates; half of the pairs are separated by nearly the vertical minimum."""
    base = 2_000.0
    apart = scale.vertical_m * (1.0 + rng.choice(misses)) if rng.random() < 0.5 else rng.uniform(0.0, 0.5)
    climb = rng.choice((0.0, 0.0, 1.0)) * rng.uniform(-0.02, 0.02, 2) * scale.vertical_m
    return (base, float(climb[0])), (base + rng.choice((1.0, -1.0)) * apart, float(climb[1]))


def _through(
    rng: np.random.Generator,
    scale: Scale,
    at: tuple[float, float, float],
    course: float,
    speed: float,
    moment: float,
    height: tuple[float, float],
) -> Track:
    """A track of one to four legs, one of which runs through a point at a moment."""
    length = math.exp(rng.uniform(*np.log(scale.leg_m)))
    length = min(length, 3_600.0 * speed)
    before = rng.uniform(0.0, 1.0) * length
    first = moved(at[0], at[1], course + 180.0, before)
    last = moved(at[0], at[1], course, length - before)
    points = [(moment - before / speed, *first[:2]), (moment + (length - before) / speed, *last[:2])]
    for _ in range(rng.integers(0, 3)):
        t, lon, lat = points[-1]
        further = moved(lon, lat, rng.uniform(0.0, 360.0), rng.uniform(0.2, 1.0) * length)
        points.append((t + length / speed, *further[:2]))
    t, lon, lat = np.array(points).T
    heights = np.clip(height[0] + height[1] * (t - moment), -400.0, 30_000.0)
    return Track(t, lon, lat, heights)


def footprint(rng: np.random.Generator, place: Place, size_m: float) -> Footprint:
    """A circle, a corridor or a polygon (star-shaped, often with a hole) somewhere round a place."""
    lon, lat, _ = moved(place.lon, place.lat, rng.uniform(0.0, 360.0), rng.uniform(0.0, 1.5) * size_m)
    sort = rng.integers(0, 4)
    edges = Edges.GEODESIC if rng.random() < 0.5 or abs(lat) > 85.0 else Edges.LONLAT
    if sort == 0:
        return Circle(lon, lat, rng.uniform(0.2, 1.0) * size_m)
    if sort == 1:
        line = [(lon, lat)]
        for _ in range(rng.integers(1, 4)):
            line.append(moved(*line[-1], rng.uniform(0.0, 360.0), rng.uniform(0.3, 1.0) * size_m)[:2])
        return Corridor(np.array(line), rng.uniform(0.0, 0.3) * size_m, edges)
    corners = rng.integers(3, 9)
    outer = ring(lon, lat, rng.uniform(0.4, 1.0, corners) * size_m, turn_deg=rng.uniform(0.0, 360.0))
    rings = [outer]
    if sort == 3:
        # Corners at 0.2 of the size: inside the star, since three corners may cut it to 0.4 * cos(60 degrees) = 0.2
        # only if all are at their least.
        rings.append(ring(lon, lat, np.full(4, 0.12 * size_m), turn_deg=rng.uniform(0.0, 90.0)))
    return Polygon(tuple(rings), edges)


def ring(lon: float, lat: float, radii_m: Array, *, turn_deg: float = 0.0) -> Array:
    """A closed ring round a point, with one corner at each radius."""
    n = len(radii_m)
    corners = [moved(lon, lat, turn_deg + 360.0 * k / n, float(radii_m[k]))[:2] for k in range(n)]
    return np.array([*corners, corners[0]])


def volume(
    shape: Footprint,
    window_s: tuple[float, float] = (EPOCH_S - 86_400.0, EPOCH_S + 86_400.0),
    band_m: tuple[float, float] = (0.0, 10_000.0),
) -> Volume:
    """A volume with heights above WGS84."""
    floor, ceiling = (Height(value, HeightReference.W84) for value in band_m)
    return Volume(shape, floor, ceiling, *window_s)
