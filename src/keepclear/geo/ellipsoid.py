"""Points on the WGS84 ellipsoid at height 0 as earth-centred vectors, and paths between them.

Horizontal distance in keepclear is the chord between two such points: no poles, no antimeridian, no projection. A
chord is shorter than the geodesic by about L³/24R²: 1 mm at 10 km, 1 m at 100 km. Between the two ends of a straight
leg the chord sags below the surface by L²/8R; legs are cut (`longest_leg_m`) so that it does not matter.

WGS84 constants: NGA.STND.0036, WGS 84, table 3.1.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import inlined_kernel, kernel

__all__ = [
    "ECCENTRICITY_SQ",
    "FLATTENING",
    "LEAST_RADIUS_M",
    "SEMI_MAJOR_M",
    "SEMI_MINOR_M",
    "chord_of_arc_m",
    "farther_m",
    "geodesic_points",
    "geodesic_starts",
    "lift",
    "longest_leg_m",
    "sag_limit_m",
    "sin_cos",
    "surface_lonlat",
    "surface_lonlats",
    "surface_point",
    "surface_points",
    "towards",
]

Array = npt.NDArray[np.float64]

SEMI_MAJOR_M = 6378137.0
FLATTENING = 1.0 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1.0 - FLATTENING)
ECCENTRICITY_SQ = FLATTENING * (2.0 - FLATTENING)
LEAST_RADIUS_M = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQ)
"""Least radius of curvature, in the meridian at the equator: the radius for which sag is greatest."""

LONGEST_LEG_M = 12_000.0
"""Cap on a cut leg: a unit at even speed along its chord is within 0.7 mm of one at even speed along the arc, and
chords put two units at most 5 mm nearer to each other than they are, if that is 9,260 m."""
_GREATEST_RADIUS_M = SEMI_MAJOR_M * SEMI_MAJOR_M / SEMI_MINOR_M

_A2_INV = 1.0 / (SEMI_MAJOR_M * SEMI_MAJOR_M)
_B2_INV = 1.0 / (SEMI_MINOR_M * SEMI_MINOR_M)
_TO_WHOLE = 1.5 * 2.0**52
"""Added and taken away again, it leaves the nearest whole number."""
_TO_RAD = math.pi / 180.0
_TO_DEG = 180.0 / math.pi
_S3, _S5, _S7, _S9 = -1 / 6, 1 / 120, -1 / 5040, 1 / 362880
_S11, _S13, _S15, _S17 = (sign / math.factorial(n) for sign, n in ((-1, 11), (1, 13), (-1, 15), (1, 17)))
_C2, _C4, _C6, _C8 = -1 / 2, 1 / 24, -1 / 720, 1 / 40320
_C10, _C12, _C14, _C16 = (sign / math.factorial(n) for sign, n in ((-1, 10), (1, 12), (-1, 14), (1, 16)))


@inlined_kernel
def sin_cos(degrees: float) -> tuple[float, float]:
    """Sine and cosine of an angle in degrees, exact to 2 units in the last place for angles up to a few turns.

    The quarter turns are taken off exactly, and what is left, at most 45°, needs few terms of the Taylor series (the
    first left out is below 1e-19). Without a branch, so that a loop over angles does several at a time.
    """
    quarter = (degrees * (1.0 / 90.0) + _TO_WHOLE) - _TO_WHOLE
    x = (degrees - 90.0 * quarter) * _TO_RAD
    y = x * x
    s = x * (1.0 + y * (_S3 + y * (_S5 + y * (_S7 + y * (_S9 + y * (_S11 + y * (_S13 + y * (_S15 + y * _S17))))))))
    c = 1.0 + y * (_C2 + y * (_C4 + y * (_C6 + y * (_C8 + y * (_C10 + y * (_C12 + y * (_C14 + y * _C16)))))))
    turn = quarter - 4.0 * ((quarter * 0.25 + _TO_WHOLE) - _TO_WHOLE)  # -2 to 2, where -2 is 2
    is_odd, is_half = abs(turn) == 1.0, abs(turn) == 2.0
    sine, cosine = c if is_odd else s, s if is_odd else c
    return -sine if is_half | (turn == -1.0) else sine, -cosine if is_half | (turn == 1.0) else cosine


@inlined_kernel
def surface_point(lon_deg: float, lat_deg: float) -> tuple[float, float, float]:
    """Earth-centred x, y, z in metres of the point at height 0."""
    sin_lat, cos_lat = sin_cos(lat_deg)
    sin_lon, cos_lon = sin_cos(lon_deg)
    normal = SEMI_MAJOR_M / math.sqrt(1.0 - ECCENTRICITY_SQ * sin_lat * sin_lat)
    ring = normal * cos_lat
    return ring * cos_lon, ring * sin_lon, normal * (1.0 - ECCENTRICITY_SQ) * sin_lat


@kernel
def surface_points(lon_deg: Array, lat_deg: Array, out: Array) -> None:
    """Fill ``out[:, 0:3]`` with earth-centred metres of points at height 0; inputs have shape (n,)."""
    for i in range(lon_deg.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = surface_point(lon_deg[i], lat_deg[i])


@kernel
def surface_lonlat(x: float, y: float, z: float) -> tuple[float, float]:
    """Longitude and latitude in degrees of a point on the surface or less than a kilometre from it.

    On the surface tan(latitude) = z / ((1 - e²) ρ) exactly; the point is lifted first, so both are exact to half a
    millimetre, and to nanometres from less than a metre away.
    """
    x, y, z = lift(x, y, z)
    return math.atan2(y, x) * _TO_DEG, math.atan2(z, (1.0 - ECCENTRICITY_SQ) * math.hypot(x, y)) * _TO_DEG


@kernel
def surface_lonlats(points: Array) -> Array:
    """Longitudes and latitudes of many points as `surface_lonlat` has them; shapes (n, 3) and (n, 2)."""
    found = np.empty((points.shape[0], 2))
    for i in range(points.shape[0]):
        found[i, 0], found[i, 1] = surface_lonlat(points[i, 0], points[i, 1], points[i, 2])
    return found


@kernel
def lift(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Nearest point of the surface to a point less than a kilometre from it, along the ellipsoid's normal."""
    for _ in range(2):
        nx, ny, nz = x * _A2_INV, y * _A2_INV, z * _B2_INV
        off = 1.0 - (x * nx + y * ny + z * nz)
        step = 0.5 * off / (nx * nx + ny * ny + nz * nz)
        x, y, z = x + step * nx, y + step * ny, z + step * nz
    return x, y, z


def sag_limit_m(horizontal_m: float) -> float:
    """How far a chord may sag below the surface so that a distance of `horizontal_m` is off by at most 0.5 mm.

    √(H² + s²) - H ≤ 0.5 mm holds for s = √(2 · H · 0.5 mm); below H = 0.25 mm, 0.5 mm itself.
    """
    return max(0.0005, math.sqrt(2.0 * max(horizontal_m, 0.0) * 0.0005))


def longest_leg_m(horizontal_m: float) -> float:
    """Length to which legs are cut so that sag and drift cannot hide a conflict with a minimum of `horizontal_m`.

    Together they put units at most 1 mm further apart: see `farther_m`.
    """
    return min(LONGEST_LEG_M, math.sqrt(8.0 * LEAST_RADIUS_M * sag_limit_m(horizontal_m)))


def farther_m(length_m: float, horizontal_m: float) -> float:
    """By how much chords of legs so long can at most put two units further apart that are truly `horizontal_m` apart.

    At share s of half the leg, -1 to 1, a unit on the chord is L³/24R² · s(1 - s²) ahead of its place on the arc, and
    L²/8R · (1 - s²) below it. What is ahead can add to the distance H. What is below takes H/2R of itself from it, for
    the surface falls away from the tangent by H²/2R; if only one is below it also adds half its square over H.
    """
    ahead = length_m**3 / (24.0 * LEAST_RADIUS_M**2)
    nearer = length_m**2 * horizontal_m / (16.0 * _GREATEST_RADIUS_M**2)
    # The greatest of (1 - s²)(ahead · s - nearer) is where its slope, a quadratic in s, is 0.
    s = min(1.0, (nearer + math.sqrt(nearer * nearer + 3.0 * ahead * ahead)) / (3.0 * ahead))
    sag = length_m**2 / (8.0 * LEAST_RADIUS_M)
    return 2.0 * max(0.0, (1.0 - s * s) * (ahead * s - nearer)) + math.hypot(horizontal_m, sag) - horizontal_m


def chord_of_arc_m(arc_m: float, lat_deg: float) -> tuple[float, float]:
    """Chord under a geodesic arc from a point at latitude `lat_deg`, and how far off that may be, both in metres.

    The arc bends with a radius between the meridian's and the prime vertical's; the chord is taken for the middle of
    the two and the bound is what the extremes would change, plus what the radius changes along the arc.
    """
    sin_sq = math.sin(lat_deg * _TO_RAD) ** 2
    prime_vertical = SEMI_MAJOR_M / math.sqrt(1.0 - ECCENTRICITY_SQ * sin_sq)
    meridian = prime_vertical * (1.0 - ECCENTRICITY_SQ) / (1.0 - ECCENTRICITY_SQ * sin_sq)
    along = 1.5 * ECCENTRICITY_SQ * min(arc_m / SEMI_MAJOR_M, 1.0)
    low, high = meridian * (1.0 - along), prime_vertical * (1.0 + along)
    short, long = (2.0 * r * math.sin(min(arc_m / (2.0 * r), math.pi / 2.0)) for r in (low, high))
    return 0.5 * (short + long), 0.5 * (long - short)


@functools.cache
def _geod() -> Any:
    from pyproj import Geod  # a tenth of a second to import, and rarely needed

    return Geod(ellps="WGS84")


def towards(
    lon0_deg: float, lat0_deg: float, lon1_deg: float, lat1_deg: float, distance_m: float
) -> tuple[float, float]:
    """The point `distance_m` along the shortest path to another point, but not beyond that."""
    if distance_m <= 0.0:
        return lon0_deg, lat0_deg
    azimuth, _, length = _geod().inv(lon0_deg, lat0_deg, lon1_deg, lat1_deg)
    if length <= distance_m:
        return lon1_deg, lat1_deg
    lon, lat, _ = _geod().fwd(lon0_deg, lat0_deg, azimuth, distance_m)
    return lon, lat


def geodesic_points(
    lon0_deg: float, lat0_deg: float, lon1_deg: float, lat1_deg: float, pieces: int
) -> tuple[Array, Array]:
    """Longitudes and latitudes of ``pieces + 1`` points, evenly spaced on the shortest path, both ends included.

    Where the shortest path is not unique (opposite points) PROJ's choice is taken: over a pole.
    """
    geod = _geod()
    azimuth, _, length = geod.inv(lon0_deg, lat0_deg, lon1_deg, lat1_deg)
    fractions = np.linspace(0.0, 1.0, pieces + 1)
    ones = np.ones(pieces + 1)
    lon, lat, _ = geod.fwd(lon0_deg * ones, lat0_deg * ones, azimuth * ones, length * fractions)
    lon[0], lat[0], lon[-1], lat[-1] = lon0_deg, lat0_deg, lon1_deg, lat1_deg
    return lon, lat


def geodesic_starts(
    lon0_deg: Array, lat0_deg: Array, lon1_deg: Array, lat1_deg: Array, pieces: npt.NDArray[np.intp]
) -> tuple[Array, Array]:
    """Where each piece of many shortest paths begins, path after path: the points of `geodesic_points` but the last.

    All at once, since PROJ takes longer to be asked than to answer.
    """
    geod = _geod()
    azimuth, _, length = geod.inv(lon0_deg, lat0_deg, lon1_deg, lat1_deg)
    path = np.repeat(np.arange(len(pieces)), pieces)
    first = np.cumsum(pieces) - pieces
    fraction = (np.arange(len(path)) - first[path]) * (1.0 / pieces)[path]
    lon, lat, _ = geod.fwd(lon0_deg[path], lat0_deg[path], azimuth[path], length[path] * fraction)
    lon[first], lat[first] = lon0_deg, lat0_deg
    return lon, lat
