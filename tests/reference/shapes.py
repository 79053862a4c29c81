"""Tracks and volumes as the reference sees them: cut into pieces of path that a geodesic library can measure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Edges, Polygon

__all__ = ["GEOD", "Area", "Array", "Ints", "Pieces", "Shape", "distance_m", "place", "shape_of"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GEOD = Geod(ellps="WGS84")
_LONGEST_EDGE_M = 50_000.0


@dataclass
class Pieces:
    """Pieces of path, as arrays with one element for each."""

    lon: Array
    lat: Array
    azimuth: Array
    length_m: Array
    dlon: Array
    dlat: Array
    straight: npt.NDArray[np.bool_]  # linear in degrees, not a geodesic

    @classmethod
    def between(cls, start: Array, end: Array, *, straight: bool) -> Pieces:
        """From each of `start` to each of `end`, arrays of (lon, lat); edges in degrees are cut, geodesics are not."""
        delta = end - start
        delta[:, 0] = np.where(np.abs(delta[:, 0]) == 360.0, delta[:, 0], (delta[:, 0] + 540.0) % 360.0 - 180.0)
        if straight and len(start):
            # A bound on the length of an edge that is linear in degrees: nowhere longer than at the equator.
            parts = np.maximum(1, np.ceil(np.hypot(*delta.T) * 111_700.0 / _LONGEST_EDGE_M)).astype(int)
            which = np.repeat(np.arange(len(start)), parts)
            step = np.concatenate([np.arange(n) for n in parts]) / parts[which]
            start = start[which] + delta[which] * step[:, None]
            delta = delta[which] / parts[which][:, None]
            end = start + delta
        azimuth, _, length = GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
        length = np.asarray(length)
        if straight:
            length = length * 1.05 + 1.0  # used as a bound only; a curve in degrees is longer than its geodesic
        flat = np.full(len(start), straight)
        return cls(start[:, 0], start[:, 1], np.asarray(azimuth), length, delta[:, 0], delta[:, 1], flat)

    @classmethod
    def joined(cls, several: Sequence[Pieces]) -> Pieces:
        names = ("lon", "lat", "azimuth", "length_m", "dlon", "dlat", "straight")
        return cls(*(np.concatenate([getattr(one, name) for one in several]) for name in names))


@dataclass
class Shape:
    """A track or a volume as pieces of path, with what else counts.

    A footprint is a core (area, line or point) and a radius round it. A track has a time, height and slip for each
    piece; a volume has one window and one band, infinite where open.
    """

    pieces: Pieces
    moving: bool
    radius_m: float = 0.0
    area: Area | None = None
    time_s: Array = field(default_factory=lambda: np.zeros((0, 2)))
    height_m: Array = field(default_factory=lambda: np.zeros((0, 2)))
    early_s: Array = field(default_factory=lambda: np.zeros(0))
    late_s: Array = field(default_factory=lambda: np.zeros(0))
    window_s: tuple[float, float] = (-math.inf, math.inf)
    band_m: tuple[float, float] = (-math.inf, math.inf)


def shape_of(extent: Track | Volume) -> Shape:
    """The reference's own form of a track or volume whose heights are all known above WGS84."""
    return _shape_of_track(extent) if isinstance(extent, Track) else _shape_of_volume(extent)


def _shape_of_track(track: Track) -> Shape:
    n = len(track.time_s)
    first, last = (np.arange(n - 1), np.arange(1, n)) if n > 1 else (np.array([0]), np.array([0]))
    lonlat = np.column_stack([track.lon_deg, track.lat_deg])
    early, late = (np.broadcast_to(np.asarray(v, dtype=float), (n,)) for v in (track.early_s, track.late_s))
    return Shape(
        Pieces.between(lonlat[first], lonlat[last], straight=False),
        moving=True,
        time_s=np.column_stack([track.time_s[first], track.time_s[last]]),
        height_m=np.column_stack([track.height_m[first], track.height_m[last]]),
        early_s=np.maximum(early[first], early[last]),
        late_s=np.maximum(late[first], late[last]),
    )


def _shape_of_volume(volume: Volume) -> Shape:
    window = (
        -math.inf if volume.start_s is None else volume.start_s,
        math.inf if volume.end_s is None else volume.end_s,
    )
    band = (
        -math.inf if volume.floor is None else volume.floor.value_m,
        math.inf if volume.ceiling is None else volume.ceiling.value_m,
    )
    shape = volume.footprint
    if isinstance(shape, Circle):
        point = np.array([[shape.lon_deg, shape.lat_deg]])
        return Shape(Pieces.between(point, point, straight=False), False, shape.radius_m, window_s=window, band_m=band)
    straight = shape.edges is Edges.LONLAT
    if isinstance(shape, Polygon):
        pieces = Pieces.joined([Pieces.between(ring[:-1], ring[1:], straight=straight) for ring in shape.rings])
        return Shape(pieces, False, area=Area.of(shape), window_s=window, band_m=band)
    start, end = (shape.line[:-1], shape.line[1:]) if len(shape.line) > 1 else (shape.line, shape.line)
    pieces = Pieces.between(np.array(start), np.array(end), straight=straight)
    return Shape(pieces, False, shape.half_width_m, window_s=window, band_m=band)


@dataclass(frozen=True)
class Area:
    """The inside of a polygon, in a plane in which its edges are (nearly) straight.

    Edges in degrees are straight in the plane of degrees, longitudes unrolled. Geodesics are drawn densely in the
    azimuthal equidistant plane round the middle of the polygon, where there is no pole and no antimeridian.
    """

    plane: shapely.Geometry
    centre: tuple[float, float] | None

    @classmethod
    def of(cls, polygon: Polygon) -> Area:
        centre = _middle(polygon.rings[0]) if polygon.edges is Edges.GEODESIC else None
        if centre is None:
            outer, *holes = (_unrolled(ring) for ring in polygon.rings)
            # A hole is unrolled from a longitude of its own, so it is cut out at every turn at which it may lie.
            holes = [hole + np.array([turn, 0.0]) for hole in holes for turn in _TURNS]
        else:
            outer, *holes = (_azimuthal(centre, *_dense(ring).T) for ring in polygon.rings)
        plane = shapely.Polygon(outer)
        for hole in holes:
            plane = plane.difference(shapely.Polygon(hole))
        shapely.prepare(plane)
        return cls(plane, centre)

    def contains(self, lon: Array, lat: Array) -> npt.NDArray[np.bool_]:
        """Whether each point is inside."""
        if self.centre is not None:
            return np.asarray(shapely.contains_xy(self.plane, _azimuthal(self.centre, lon, lat)))
        return np.asarray(np.logical_or.reduce([shapely.contains_xy(self.plane, lon + turn, lat) for turn in _TURNS]))


_TURNS = (-720.0, -360.0, 0.0, 360.0, 720.0)


def _middle(ring: Array) -> tuple[float, float]:
    """Where the mean of the corners, as points in space, is on the globe."""
    lon, lat = np.radians(ring[:-1]).T
    x, y, z = np.mean([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    return math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))


def _azimuthal(centre: tuple[float, float], lon: Array, lat: Array) -> Array:
    n = len(lon)
    azimuth, _, distance = GEOD.inv(np.full(n, centre[0]), np.full(n, centre[1]), lon, lat)
    azimuth = np.radians(azimuth)
    return np.column_stack([distance * np.sin(azimuth), distance * np.cos(azimuth)])


def _unrolled(ring: Array) -> Array:
    """A ring in degrees with continuous longitudes; one that goes round a pole is led along the pole's line."""
    step = np.diff(ring[:, 0])
    step = np.where(np.abs(step) == 360.0, step, (step + 540.0) % 360.0 - 180.0)
    lon = ring[0, 0] + np.concatenate(([0.0], np.cumsum(step)))
    unrolled = np.column_stack([lon, ring[:, 1]])
    if abs(lon[-1] - lon[0]) > 180.0:
        pole = 91.0 if ring[:, 1].mean() > 0.0 else -91.0  # beyond it, so that the pole itself is inside
        return np.concatenate([unrolled, [[lon[-1], pole], [lon[0], pole], unrolled[0]]])
    unrolled[-1] = unrolled[0]  # closed to the last bit: the sum of steps may not be
    return unrolled


def _dense(ring: Array) -> Array:
    return np.concatenate([ring[:1], *(_dense_edge(start, end) for start, end in itertools.pairwise(ring))])


def _dense_edge(start: Array, end: Array, step_m: float = 100.0) -> Array:
    azimuth, _, length = GEOD.inv(*start, *end)
    n = int(np.clip(math.ceil(length / step_m), 1, 20_000))
    along = np.arange(1, n) * (length / n)
    lon, lat, _ = GEOD.fwd(np.full(n - 1, start[0]), np.full(n - 1, start[1]), np.full(n - 1, azimuth), along)
    return np.concatenate([np.column_stack([lon, lat]), end[None, :]])


def place(pieces: Pieces, which: Ints, fraction: Array) -> tuple[Array, Array]:
    """Longitude and latitude at a fraction of each piece."""
    lon = pieces.lon[which] + fraction * pieces.dlon[which]
    lat = pieces.lat[which] + fraction * pieces.dlat[which]
    bent = ~pieces.straight[which] & (pieces.length_m[which] > 0.0)
    if bent.any():
        k = which[bent]
        lon[bent], lat[bent], _ = GEOD.fwd(
            pieces.lon[k], pieces.lat[k], pieces.azimuth[k], fraction[bent] * pieces.length_m[k]
        )
    return lon, lat


def distance_m(a: tuple[Array, Array], b: tuple[Array, Array]) -> Array:
    """Geodesic distance, element by element."""
    flat = [np.ascontiguousarray(np.asarray(x, dtype=float).ravel()) for x in (*a, *b)]
    return np.asarray(GEOD.inv(*flat)[2]).reshape(np.shape(a[0]))
