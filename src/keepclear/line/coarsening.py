"""What is told of a shape to those who are to know it only roughly.

A coarse extent always contains the exact one, with its uncertainty and its slip, so that whoever is clear of it is
clear of what it stands for. It is the cells of a fixed grid that the exact one touches, and whole steps of time.
Nothing is random: the same plan filed a hundred times looks the same a hundred times, and there is nothing to average.
(Noise would be averaged out, and a rounded centre would not contain what it stands for.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.geo.ellipsoid import LEAST_RADIUS_M, SEMI_MAJOR_M, SEMI_MINOR_M, geodesic_points
from keepclear.geo.rings import pole_inside, unwrapped
from keepclear.line.coarse_grid import GRIDS_KM, Cover
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint, Polygon
from keepclear.model.heights import Height
from keepclear.model.operations import Operation, Zone
from keepclear.times import EARLIEST_S, LATEST_S

__all__ = [
    "MOST_VOLUMES",
    "Precision",
    "coarse_footprint",
    "coarse_operation",
    "coarse_track",
    "coarse_volume",
    "coarse_zone",
]

MOST_VOLUMES = 1000
"""What one volume or track may become; where it would be more, a coarser grid or a longer step is taken."""

_MOST_POINTS = 20_000
_GREATEST_RADIUS_M = SEMI_MAJOR_M * SEMI_MAJOR_M / SEMI_MINOR_M

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Precision:
    """How much is told.

    Attributes
    ----------
    grid_km
        One of `keepclear.line.coarse_grid.GRIDS_KM`.
    time_s
        Times are rounded outwards to whole multiples of this since the epoch; 60 s to a day.
    height_m
        Heights are rounded outwards to whole multiples of this; None leaves them as they are.

    Raises
    ------
    InputError
        If there is no such grid, or a step is out of range.
    """

    grid_km: int = 10
    time_s: int = 1800
    height_m: float | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.grid_km not in GRIDS_KM:
            known = ", ".join(map(str, GRIDS_KM))
            faults.append(Fault("no such grid", f"kilometres: {known}", field="grid_km", value=str(self.grid_km)))
        if not 60 <= self.time_s <= 86_400:
            faults.append(Fault("not a step of time", "60 to 86400 seconds", field="time_s", value=str(self.time_s)))
        if self.height_m is not None and not 1.0 <= self.height_m <= 10_000.0:
            right = "1 to 10000 metres, or none"
            faults.append(Fault("not a step of height", right, field="height_m", value=str(self.height_m)))
        if faults:
            raise InputError(faults)


def coarse_footprint(footprint: Footprint, *, grid_km: int, uncertainty_m: float = 0.0) -> list[Polygon]:
    """Rectangles that together contain a footprint and all within `uncertainty_m` of it. Holes are filled."""
    cover = Cover(grid_km)
    for grid in GRIDS_KM[GRIDS_KM.index(grid_km) :]:
        cover = Cover(grid)
        _touch(cover, footprint, uncertainty_m)
        if cover.count() <= MOST_VOLUMES:
            return cover.rectangles()
    cover.fill_rows()
    return cover.rectangles()


def coarse_volume(volume: Volume, precision: Precision) -> list[Volume]:
    """Volumes that together contain a volume. What it leaves open stays open."""
    shapes = coarse_footprint(volume.footprint, grid_km=precision.grid_km, uncertainty_m=volume.uncertainty_m)
    floor, ceiling = _band(volume.floor, volume.ceiling, precision.height_m)
    start_s = None if volume.start_s is None else _earlier(volume.start_s, precision.time_s)
    end_s = None if volume.end_s is None else _later(volume.end_s, precision.time_s)
    return [Volume(shape, floor, ceiling, start_s, end_s) for shape in shapes]


def coarse_track(track: Track, precision: Precision) -> list[Volume]:
    """Volumes that contain, in each step of time, wherever the unit may then be, early or late as its slip allows.

    Raises
    ------
    InputError
        If the track was flown: where it is silent the unit may have been anywhere, and no corridor says so.
    """
    if track.basis is not TrackBasis.PLANNED:
        raise InputError(Fault("a flown track cannot be made coarse", "a plan", field="basis", value=str(track.basis)))
    pieces = _pieces(track, precision.grid_km * 250.0)
    step = precision.time_s
    grids = list(GRIDS_KM[GRIDS_KM.index(precision.grid_km) :])
    while True:
        volumes = _track_volumes(track, pieces, replace(precision, grid_km=grids[0]), step)
        if len(volumes) <= MOST_VOLUMES:
            return volumes
        # Space is worth more than time to those who plan round it, up to a day; then the grid gives way.
        if step < 86_400:
            step = min(step * 2, 86_400)
        elif len(grids) > 1:
            grids.pop(0)
        else:
            return _track_volumes(track, pieces, replace(precision, grid_km=grids[0]), math.inf)


def coarse_operation(operation: Operation, precision: Precision) -> Operation:
    """The operation with coarse volumes for all of its extents; who and what it is stays."""
    volumes = [coarse for volume in operation.volumes for coarse in coarse_volume(volume, precision)]
    volumes += [coarse for track in operation.tracks for coarse in coarse_track(track, precision)]
    return replace(operation, volumes=tuple(volumes), tracks=())


def coarse_zone(zone: Zone, precision: Precision) -> Zone:
    """The zone with coarse volumes."""
    return replace(zone, volumes=tuple(coarse for one in zone.volumes for coarse in coarse_volume(one, precision)))


def _touch(cover: Cover, footprint: Footprint, beyond_m: float) -> None:
    if isinstance(footprint, Circle):
        centre = np.array([footprint.lon_deg]), np.array([footprint.lat_deg])
        cover.add_discs(*centre, np.array([footprint.radius_m + beyond_m]))
    elif isinstance(footprint, Corridor):
        _touch_line(cover, footprint.line, footprint.edges, footprint.half_width_m + beyond_m)
    else:
        ring = footprint.rings[0]
        lon, lat, spacing_m = _touch_line(cover, ring, footprint.edges, beyond_m)
        pole = pole_inside(ring)
        if pole:
            # All of the cap down to the ring's farthest latitude: a polygon round a pole has no inside in the plane.
            edge_deg = float((lat * pole).min()) - math.degrees(spacing_m / LEAST_RADIUS_M)
            cover.add_cap(max(edge_deg, -90.0) * pole, pole=pole)
        else:
            cover.add_area(unwrapped(np.column_stack((lon, lat))))


def _touch_line(cover: Cover, line: Array, edges: Edges, radius_m: float) -> tuple[Array, Array, float]:
    """Touch all within a radius of a line; its points, close enough together, and how close that is."""
    lengths = [_length_m(a, b, edges) for a, b in pairwise(line)]
    spacing = max(cover.grid_km * 250.0, radius_m / 8.0, sum(lengths) / _MOST_POINTS)
    parts = [_points(a, b, edges, length, spacing) for (a, b), length in zip(pairwise(line), lengths, strict=True)]
    lon = np.concatenate([line[:1, 0], *(part[0][1:] for part in parts)])
    lat = np.concatenate([line[:1, 1], *(part[1][1:] for part in parts)])
    # A point of the line is at most half a spacing from one of these; a little more has what lies between the line
    # and the straight pieces between its points in the plane.
    cover.add_discs(lon, lat, np.full(len(lon), radius_m + (0.52 * spacing if parts else 0.0)))
    return lon, lat, spacing


def _length_m(a: Array, b: Array, edges: Edges) -> float:
    """Length of an edge, or more."""
    if edges is Edges.GEODESIC:
        lon, lat = geodesic_points(a[0], a[1], b[0], b[1], 8)
        return 1.001 * sum(_plane_length_m(lon[i], lat[i], lon[i + 1], lat[i + 1]) for i in range(8))
    return _plane_length_m(a[0], a[1], b[0], b[1])


def _plane_length_m(lon0: float, lat0: float, lon1: float, lat1: float) -> float:
    """Length of what is straight in longitude and latitude, at most: the pole's radius of curvature is the greatest."""
    degrees = unwrapped(np.array([[lon0, lat0], [lon1, lat1]]))
    cosine = 1.0 if lat0 * lat1 < 0.0 else math.cos(math.radians(min(abs(lat0), abs(lat1))))
    east, north = math.radians(degrees[1, 0] - degrees[0, 0]) * cosine, math.radians(lat1 - lat0)
    return _GREATEST_RADIUS_M * math.hypot(east, north)


def _points(a: Array, b: Array, edges: Edges, length_m: float, spacing_m: float) -> tuple[Array, Array]:
    pieces = max(1, math.ceil(length_m / spacing_m))
    if edges is Edges.GEODESIC:
        return geodesic_points(a[0], a[1], b[0], b[1], pieces)
    ends = unwrapped(np.vstack([a, b]))
    return np.linspace(ends[0, 0], ends[1, 0], pieces + 1), np.linspace(a[1], b[1], pieces + 1)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Short pieces of a track: the middle, how far all of it is from there, and from when to when it may be there."""

    lon_deg: Array
    lat_deg: Array
    reach_m: Array
    start_s: Array
    end_s: Array
    leg: npt.NDArray[np.int64]


def _pieces(track: Track, spacing_m: float) -> _Pieces:
    n = len(track.time_s)
    legs = list(pairwise(range(n))) or [(0, 0)]
    uncertainty, early, late = (
        np.broadcast_to(np.asarray(one), (n,)) for one in (track.uncertainty_m, track.early_s, track.late_s)
    )
    lon, lat = track.lon_deg, track.lat_deg
    lengths = [_length_m(np.array([lon[i], lat[i]]), np.array([lon[j], lat[j]]), Edges.GEODESIC) for i, j in legs]
    spacing_m = max(spacing_m, sum(lengths) / _MOST_POINTS)
    rows: list[Array] = []
    for number, ((i, j), length) in enumerate(zip(legs, lengths, strict=True)):
        count = max(1, math.ceil(length / spacing_m))
        lons, lats = geodesic_points(lon[i], lat[i], lon[j], lat[j], 2 * count)
        times = np.linspace(track.time_s[i], track.time_s[j], count + 1)
        rows.append(
            np.column_stack(
                (
                    lons[1::2],
                    lats[1::2],
                    np.full(count, length / count / 2.0 + max(uncertainty[i], uncertainty[j])),
                    times[:-1] - max(early[i], early[j]),
                    times[1:] + max(late[i], late[j]),
                    np.full(count, number),
                )
            )
        )
    table = np.vstack(rows)
    lon_deg, lat_deg, reach_m, start_s, end_s, leg = table.T
    return _Pieces(lon_deg, lat_deg, reach_m, start_s, end_s, leg.astype(np.int64))


def _track_volumes(track: Track, pieces: _Pieces, precision: Precision, step_s: float) -> list[Volume]:
    volumes = []
    for start_s, end_s, chosen in _windows(pieces, step_s):
        cover = Cover(precision.grid_km)
        cover.add_discs(pieces.lon_deg[chosen], pieces.lat_deg[chosen], pieces.reach_m[chosen])
        floor, ceiling = _track_band(track, np.unique(pieces.leg[chosen]), precision.height_m)
        volumes += [Volume(shape, floor, ceiling, start_s, end_s) for shape in cover.rectangles()]
        if len(volumes) > MOST_VOLUMES:
            break
    return volumes


def _windows(pieces: _Pieces, step_s: float) -> Iterator[tuple[float | None, float | None, npt.NDArray[np.bool_]]]:
    first, last = float(pieces.start_s.min()), float(pieces.end_s.max())
    count = (last - first) / step_s + 2.0 if math.isfinite(first) and math.isfinite(last) else math.inf
    if not (math.isfinite(step_s) and count <= MOST_VOLUMES):
        whole = 86_400.0
        start = _earlier(first, whole) if math.isfinite(first) else None
        yield start, _later(last, whole) if math.isfinite(last) else None, np.ones(len(pieces.leg), dtype=bool)
        return
    for number in range(math.floor(first / step_s), math.floor(last / step_s) + 1):
        start_s, end_s = number * step_s, (number + 1) * step_s
        chosen = (pieces.start_s <= end_s) & (pieces.end_s >= start_s)
        if chosen.any():
            yield max(start_s, EARLIEST_S), min(end_s, LATEST_S), chosen


def _track_band(track: Track, legs: npt.NDArray[np.int64], step_m: float | None) -> tuple[Height | None, Height | None]:
    ends = np.unique(np.concatenate([np.asarray(legs), np.minimum(np.asarray(legs) + 1, len(track.time_s) - 1)]))
    heights = track.height_m[ends]
    if np.isnan(heights).any():
        return None, None
    low, high = float(heights.min()), float(heights.max())
    return _band(Height(low, track.height_reference), Height(high, track.height_reference), step_m)


def _band(floor: Height | None, ceiling: Height | None, step_m: float | None) -> tuple[Height | None, Height | None]:
    if step_m is None:
        return floor, ceiling
    low = floor and Height(max(math.floor(floor.value_m / step_m) * step_m, -12_000.0), floor.reference)
    high = ceiling and Height(min(math.ceil(ceiling.value_m / step_m) * step_m, 1_000_000.0), ceiling.reference)
    return low, high


def _earlier(time_s: float, step_s: float) -> float:
    return max(math.floor(time_s / step_s) * step_s, EARLIEST_S)


def _later(time_s: float, step_s: float) -> float:
    return min(math.ceil(time_s / step_s) * step_s, LATEST_S)
