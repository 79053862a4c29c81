"""Limiting a check to an area: pairs that are too close with some part of the one or the other in it.

Of units on the move the part of each leg on which the two are too close is taken exactly; beside what stands, or is
not known, whatever is within reach of the area counts as in it: the search may widen.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import (
    ECCENTRICITY_SQ,
    LEAST_RADIUS_M,
    SEMI_MAJOR_M,
    SEMI_MINOR_M,
    sin_cos,
    surface_lonlat,
)
from keepclear.geo.kernel import kernel

__all__ = ["Area", "legs_in", "spheres_in"]

Area = tuple[float, float, float, float]
"""West, south, east, north in degrees; a west greater than the east crosses the antimeridian."""

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_SLACK_DEG = 1e-7  # a centimetre: the area's border belongs to it


@kernel
def legs_in(points, legs, early, late, start, end, reach, area):  # type: ignore[no-untyped-def]
    """Which legs come within `reach` of an area between two times.

    Parameters
    ----------
    points
        As in `Legs`.
    legs
        Shape (n,): first points.
    early, late, start, end, reach
        Shape (n,): slip, actual times, metres.
    area
        West, south, east, north.
    """
    result, places = np.zeros(legs.shape[0], dtype=np.bool_), np.empty(10)
    for row in range(legs.shape[0]):
        i = legs[row]
        t0, dt = points[i, 3], points[i + 1, 3] - points[i, 3]
        low, high = 0.0, 1.0
        if dt > 0.0:
            low = min(1.0, max(0.0, (start[row] - late[row] - t0) / dt))
            high = max(low, min(1.0, (end[row] + early[row] - t0) / dt))
        west, south, east, north = _widened(area, reach[row])
        count = _places(points, i, low, high, west, south, east, north, places)
        for k in range(count):
            if _holds(points, i, places[k], west, south, east, north) or (
                k > 0 and _holds(points, i, 0.5 * (places[k - 1] + places[k]), west, south, east, north)
            ):
                result[row] = True
                break
    return result


@kernel
def spheres_in(spheres, area):  # type: ignore[no-untyped-def]
    """Which spheres, rows of centre and radius, an area may reach into."""
    result = np.zeros(spheres.shape[0], dtype=np.bool_)
    for row in range(spheres.shape[0]):
        x, y, z, reach = spheres[row, 0], spheres[row, 1], spheres[row, 2], spheres[row, 3]
        level = math.sqrt((x * x + y * y) / (SEMI_MAJOR_M * SEMI_MAJOR_M) + z * z / (SEMI_MINOR_M * SEMI_MINOR_M))
        if level < 0.5:
            result[row] = True
            continue
        lon, lat = surface_lonlat(x / level, y / level, z / level)
        below = math.sqrt(x * x + y * y + z * z) * abs(1.0 / level - 1.0)
        west, south, east, north = _widened(area, reach + below)
        result[row] = _in_box(lon, lat, west, south, east, north)
    return result


@kernel
def _widened(area, by_m):  # type: ignore[no-untyped-def]
    """The area with all that is within so many metres of it."""
    west, south, east, north = area
    if by_m <= 0.0:
        return west, south, east, north
    angle = math.degrees(2.0 * math.asin(min(1.0, by_m / (2.0 * 0.99 * LEAST_RADIUS_M)))) * 1.01
    farthest = max(abs(south), abs(north)) + angle
    south, north = south - angle, north + angle
    if farthest >= 89.9:
        return -180.0, south, 180.0, north
    along = angle / math.cos(math.radians(farthest))
    width = east - west if west <= east else east - west + 360.0
    if width + 2.0 * along >= 360.0:
        return -180.0, south, 180.0, north
    return (west - along + 180.0) % 360.0 - 180.0, south, (east + along + 180.0) % 360.0 - 180.0, north


@kernel
def _in_box(lon: float, lat: float, west: float, south: float, east: float, north: float) -> bool:
    if not south - _SLACK_DEG <= lat <= north + _SLACK_DEG:
        return False
    for turn in range(-1, 2):  # the border at 180° is the one at -180° too
        x = lon + 360.0 * turn
        if west <= east:
            if west - _SLACK_DEG <= x <= east + _SLACK_DEG:
                return True
        elif x >= west - _SLACK_DEG and x <= east + 360.0 + _SLACK_DEG:
            return True
    return abs(lat) > 90.0 - _SLACK_DEG  # at a pole every longitude is the same place


@kernel
def _holds(points, i, u, west, south, east, north):  # type: ignore[no-untyped-def]
    """Whether place u of a leg is in the area."""
    lon, lat = surface_lonlat(
        points[i, 0] + u * (points[i + 1, 0] - points[i, 0]),
        points[i, 1] + u * (points[i + 1, 1] - points[i, 1]),
        points[i, 2] + u * (points[i + 1, 2] - points[i, 2]),
    )
    return _in_box(lon, lat, west, south, east, north)


@kernel
def _places(points, i, low, high, west, south, east, north, places):  # type: ignore[no-untyped-def]
    """Fill `places`, in order, with both ends of a stretch and where it crosses the area's borders; returns how many.

    A meridian is a plane and a parallel lies on a cone about the axis: roots of a line and of a quadratic.
    """
    x, y, z = points[i, 0], points[i, 1], points[i, 2]
    dx, dy, dz = points[i + 1, 0] - x, points[i + 1, 1] - y, points[i + 1, 2] - z
    places[0], places[1], n = low, high, 2
    for lon in (west, east):
        sine, cosine = sin_cos(lon)
        rate = dx * sine - dy * cosine
        if rate != 0.0:
            n = _put(places, n, -(x * sine - y * cosine) / rate, low, high)
    for lat in (south, north):
        if abs(lat) >= 89.999999:
            continue
        sine, cosine = sin_cos(lat)
        slope = ((1.0 - ECCENTRICITY_SQ) * sine / cosine) ** 2
        a = dz * dz - slope * (dx * dx + dy * dy)
        b = z * dz - slope * (x * dx + y * dy)
        c = z * z - slope * (x * x + y * y)
        root = b * b - a * c
        if a == 0.0:
            if b != 0.0:
                n = _put(places, n, -0.5 * c / b, low, high)
        elif root >= 0.0:
            n = _put(places, n, (-b - math.sqrt(root)) / a, low, high)
            n = _put(places, n, (-b + math.sqrt(root)) / a, low, high)
    for k in range(1, n):
        u, at = places[k], k
        while at > 0 and places[at - 1] > u:
            places[at] = places[at - 1]
            at -= 1
        places[at] = u
    return n


@kernel
def _put(places, n, u, low, high):  # type: ignore[no-untyped-def]
    if low < u < high:
        places[n] = u
        n += 1
    return n
