"""Changes of a plan: later, higher, to the side, or round a place.

Each takes an operation and gives the operation that it would become, or says why there is none. Moving to the side
turns the whole plan about the middle of the Earth, so that its shape is kept; distances are those on a sphere, and off
by up to half a percent. What has been flown cannot be changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Conflict, Proposal
from keepclear.model.footprints import Circle, Corridor, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import SPEED_LIMIT_M_S, Domain
from keepclear.model.operations import Operation

__all__ = [
    "Impossible",
    "apply_proposal",
    "changed",
    "detour_times",
    "path_m",
    "side_bearing_deg",
    "start_of",
    "usual_speed_m_s",
]

Array = npt.NDArray[np.float64]

_EARTH_M = 6_371_008.8
_CEILING_M = 18_288.0  # FL600, above which hardly anything that files a plan flies
_UAS_CEILING_AGL_M = 120.0  # (EU) 2019/947, UAS.OPEN.010
_WIDEST_DEG, _HIGHEST_LAT_DEG = 45.0, 80.0


class Impossible(Exception):  # noqa: N818 - not an error: an answer
    """Why a change cannot be made."""


def apply_proposal(operation: Operation, proposal: Proposal, conflict: Conflict) -> Operation:
    """The operation that `operation`, one side of `conflict`, becomes by a proposal for it.

    Raises
    ------
    Impossible
        If the proposal cannot be made; one that works always can.
    """
    return changed(operation, conflict, proposal.side, proposal.change, proposal.amount)


def changed(operation: Operation, conflict: Conflict, side: str, change: str, amount: float) -> Operation:
    """The operation after one change.

    Parameters
    ----------
    change, amount
        ``delay`` and ``earlier`` in seconds; ``level`` in metres, up positive; ``shift`` and ``detour`` in metres, to
        the right positive (without a route: away from where they are closest).

    Raises
    ------
    Impossible
        If there is no such operation, with the reason.
    """
    if any(track.basis is TrackBasis.FLOWN for track in operation.tracks):
        raise Impossible("its track was flown, and what has happened cannot be changed")
    try:
        match change:
            case "delay":
                return _later(operation, amount)
            case "earlier":
                return _later(operation, -amount)
            case "level":
                return _higher(operation, amount)
            case "shift":
                return _aside(operation, conflict, side, amount)
            case _:
                return _round(operation, conflict, side, amount)
    except InputError as error:
        raise Impossible(f"that is no valid plan: {error.faults[0].problem}") from None


def start_of(operation: Operation) -> float | None:
    """When an operation begins, if that is known."""
    starts = [float(track.time_s[0]) for track in operation.tracks]
    starts += [volume.start_s for volume in operation.volumes if volume.start_s is not None]
    return min(starts, default=None)


def usual_speed_m_s(operation: Operation) -> float:
    """Mean speed along its tracks, at least 1 m/s; 10 m/s where there are none."""
    length = sum(path_m(track) for track in operation.tracks)
    time = sum(float(track.time_s[-1] - track.time_s[0]) for track in operation.tracks)
    return max(1.0, length / time) if time > 0.0 else 10.0


def path_m(track: Track) -> float:
    """Length of a track."""
    return float(_lengths(_upright(track.lon_deg, track.lat_deg)).sum())


def side_bearing_deg(operation: Operation, conflict: Conflict, side: str) -> float:
    """Bearing in degrees to which an operation moves when it is shifted by a positive amount."""
    at, forward = _frame(operation, conflict, side)
    right = np.cross(forward, at)
    north = np.array([0.0, 0.0, 1.0]) - at[2] * at
    east = np.cross(north, at)
    return math.degrees(math.atan2(right @ east, right @ north)) % 360.0


def detour_times(operation: Operation, conflict: Conflict, side: str) -> tuple[float, float]:
    """From when to when, by its plan, an operation would be off its route by the whole amount.

    Raises
    ------
    Impossible
        If it has no route, or its route begins or ends within the conflict.
    """
    route = _route(operation, conflict, side)
    if route is None:
        raise Impossible("only a route can go round something; its area can be moved")
    track = operation.tracks[route]
    early, late = float(np.max(track.early_s)), float(np.max(track.late_s))
    starts = [interval.start_s for interval in conflict.intervals]
    ends = [interval.end_s for interval in conflict.intervals]
    first, last = float(track.time_s[0]), float(track.time_s[-1])
    # What may slip comes into the conflict at actual times; its plan is earlier by what it may be late.
    low = first if None in starts else max(first, min(s for s in starts if s is not None) - late)
    high = last if None in ends else min(last, max(e for e in ends if e is not None) + early)
    if not first + 1.0 < low <= high < last - 1.0:
        raise Impossible("its route begins or ends where the two are too close")
    return low, high


def _later(operation: Operation, by_s: float) -> Operation:
    if start_of(operation) is None:
        raise Impossible("its times are not known")
    tracks = tuple(replace(track, time_s=track.time_s + by_s) for track in operation.tracks)
    volumes = tuple(
        replace(
            volume,
            start_s=None if volume.start_s is None else volume.start_s + by_s,
            end_s=None if volume.end_s is None else volume.end_s + by_s,
        )
        for volume in operation.volumes
    )
    return replace(operation, tracks=tracks, volumes=volumes)


def _higher(operation: Operation, by_m: float) -> Operation:
    if not operation.domains <= {Domain.AIR, Domain.UAS}:
        raise Impossible("it does not, or not only, move in the air")
    tracks = tuple(replace(track, height_m=track.height_m + by_m) for track in operation.tracks)
    for track in tracks:
        if np.isnan(track.height_m).any():
            raise Impossible("its heights are not known")
        _check_heights(operation, track.height_reference, float(track.height_m.min()), float(track.height_m.max()))
    volumes = []
    for volume in operation.volumes:
        floor, ceiling = volume.floor, volume.ceiling
        if floor is None or ceiling is None:
            raise Impossible("its heights are not known")
        floor, ceiling = (Height(height.value_m + by_m, height.reference) for height in (floor, ceiling))
        for height in (floor, ceiling):
            _check_heights(operation, height.reference, height.value_m, height.value_m)
        volumes.append(replace(volume, floor=floor, ceiling=ceiling))
    return replace(operation, tracks=tracks, volumes=tuple(volumes))


def _check_heights(operation: Operation, reference: HeightReference, low_m: float, high_m: float) -> None:
    if reference is HeightReference.UNKNOWN:
        raise Impossible("nobody knows from what its heights are counted")
    if low_m < 0.0:
        raise Impossible(f"it would be below {'the ground' if reference is HeightReference.AGL else '0 m'}")
    ceiling = _CEILING_M
    if reference is HeightReference.AGL and operation.domains == {Domain.UAS}:
        ceiling = _UAS_CEILING_AGL_M
    if high_m > ceiling:
        raise Impossible(f"it would be above {ceiling:,.0f} m")


def _aside(operation: Operation, conflict: Conflict, side: str, by_m: float) -> Operation:
    _, forward = _frame(operation, conflict, side)
    angle = by_m / _EARTH_M
    tracks = []
    for track in operation.tracks:
        lon, lat = _turned(_upright(track.lon_deg, track.lat_deg), forward, angle)
        tracks.append(replace(track, lon_deg=lon, lat_deg=lat))
    volumes = tuple(
        replace(volume, footprint=_moved_footprint(volume.footprint, forward, angle)) for volume in operation.volumes
    )
    return replace(operation, tracks=tuple(tracks), volumes=volumes)


def _moved_footprint(footprint: Footprint, forward: Array, angle: float) -> Footprint:
    if isinstance(footprint, Circle):
        lon, lat = _turned(_upright(np.array([footprint.lon_deg]), np.array([footprint.lat_deg])), forward, angle)
        return Circle(float(lon[0]), float(lat[0]), footprint.radius_m)
    lines = footprint.rings if isinstance(footprint, Polygon) else (footprint.line,)
    moved = []
    for line in lines:
        if np.ptp(line[:, 0]) > _WIDEST_DEG or np.abs(line[:, 1]).max() > _HIGHEST_LAT_DEG:
            raise Impossible("its area is too wide, or too near a pole or the 180th meridian, to be moved as one")
        moved.append(np.column_stack(_turned(_upright(line[:, 0], line[:, 1]), forward, angle)))
        if isinstance(footprint, Polygon):
            moved[-1][-1] = moved[-1][0]
    if isinstance(footprint, Polygon):
        return Polygon(tuple(moved), footprint.edges)
    return Corridor(moved[0], footprint.half_width_m, footprint.edges)


def _round(operation: Operation, conflict: Conflict, side: str, by_m: float) -> Operation:
    low, high = detour_times(operation, conflict, side)
    route = _route(operation, conflict, side)
    assert route is not None, "it has times, so it has a route"
    track = operation.tracks[route]
    _, forward = _frame(operation, conflict, side)
    ramp = max(1.0, abs(by_m) / usual_speed_m_s(operation))  # off the route at 45 degrees
    begin, end = max(low - ramp, float(track.time_s[0])), min(high + ramp, float(track.time_s[-1]))
    places = _with_times(track, np.array([begin, low, high, end]))
    share = np.interp(places.time_s, [begin, low, high, end], [0.0, 1.0, 1.0, 0.0])
    lon, lat = _turned(places.points, forward, share * by_m / _EARTH_M)
    lengths, times = _lengths(_upright(lon, lat)), np.diff(places.time_s)
    before = _lengths(places.points)
    bent = (lengths > before + 1e-3) & (times > 0.0)
    fastest = float((lengths[bent] / times[bent]).max(initial=0.0))
    if fastest > (top := _top_speed_m_s(operation, track)):
        raise Impossible(f"it would have to go {fastest:.0f} m/s, and its units reach {top:.0f} m/s")
    bent_track = replace(
        track, time_s=places.time_s, lon_deg=lon, lat_deg=lat, height_m=places.height_m,
        uncertainty_m=places.uncertainty_m, early_s=places.early_s, late_s=places.late_s,
    )  # fmt: skip
    tracks = (*operation.tracks[:route], bent_track, *operation.tracks[route + 1 :])
    return replace(operation, tracks=tracks)


def _top_speed_m_s(operation: Operation, track: Track) -> float:
    """Its top speed, or that of the slowest of its domains in which its plan could be followed at all."""
    if operation.top_speed_m_s is not None:
        return operation.top_speed_m_s
    times = np.diff(track.time_s)
    lengths = _lengths(_upright(track.lon_deg, track.lat_deg))
    planned = float((lengths[times > 0.0] / times[times > 0.0]).max(initial=0.0))
    limits = sorted(SPEED_LIMIT_M_S[domain] for domain in operation.domains)
    return next((limit for limit in limits if limit >= planned), limits[-1])


@dataclass(frozen=True, slots=True)
class _Places:
    """A track with more positions on it, these as unit vectors."""

    time_s: Array
    points: Array
    height_m: Array
    uncertainty_m: float | Array
    early_s: float | Array
    late_s: float | Array


def _with_times(track: Track, times: Array) -> _Places:
    """The track with positions at more times."""
    new = np.setdiff1d(times, track.time_s)
    # Positions at one and the same time stay in their order: only new times are put between.
    time = np.concatenate((track.time_s, new))
    order = np.argsort(time, kind="stable")
    points = _upright(track.lon_deg, track.lat_deg)
    after = np.clip(np.searchsorted(track.time_s, new, side="right"), 1, max(1, len(track.time_s) - 1))
    before = after - 1
    share = (new - track.time_s[before]) / (track.time_s[after] - track.time_s[before])
    between = points[before] + share[:, None] * (points[after] - points[before])
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    height = track.height_m[before] + share * (track.height_m[after] - track.height_m[before])

    def tolerance(value: float | Array) -> float | Array:
        if isinstance(value, float):
            return value
        return np.concatenate((value, np.maximum(value[before], value[after])))[order]

    return _Places(
        time[order], np.vstack((points, between))[order], np.concatenate((track.height_m, height))[order],
        tolerance(track.uncertainty_m), tolerance(track.early_s), tolerance(track.late_s),
    )  # fmt: skip


def _route(operation: Operation, conflict: Conflict, side: str) -> int | None:
    """Which of its tracks comes closest; None without tracks."""
    place, time = _closest(conflict, side)
    best, least = None, math.inf
    for k, track in enumerate(operation.tracks):
        points = _upright(track.lon_deg, track.lat_deg)
        moment = float(track.time_s[0]) if time is None else time
        here = np.array([np.interp(moment, track.time_s, points[:, axis]) for axis in range(3)])
        off = float(np.linalg.norm(here - place)) + (0.0 if track.time_s[0] <= moment <= track.time_s[-1] else 10.0)
        if off < least:
            best, least = k, off
    return best


def _closest(conflict: Conflict, side: str) -> tuple[Array, float | None]:
    closest = conflict.closest
    if closest is None:
        raise Impossible("it is not known where the two are closest")
    lon, lat, _ = closest.a if side == "a" else closest.b
    return _upright(np.array([lon]), np.array([lat]))[0], closest.time_a_s if side == "a" else closest.time_b_s


def _frame(operation: Operation, conflict: Conflict, side: str) -> tuple[Array, Array]:
    """Where the two are closest, and the direction of its route there, as unit vectors at right angles.

    Where it stands still the direction is such that its right hand leads away: from the other, or from there to the
    middle of its area.
    """
    at, time = _closest(conflict, side)
    route = _route(operation, conflict, side)
    if route is not None:
        track = operation.tracks[route]
        points = _upright(track.lon_deg, track.lat_deg)
        leg = int(np.searchsorted(track.time_s, track.time_s[0] if time is None else time, side="right")) - 1
        # The leg of that moment, or if it goes nowhere the nearest one that does.
        steps = np.diff(points, axis=0)
        moving = np.flatnonzero(np.linalg.norm(steps, axis=1) > 1e-9)
        if len(moving):
            return _tangent(at, steps[moving[np.abs(moving - leg).argmin()]])
        away = at - _closest(conflict, "b" if side == "a" else "a")[0]
    else:
        away = np.mean([_middle(volume) for volume in operation.volumes], axis=0) - at
    at, right = _tangent(at, away)
    return at, np.cross(at, right)


def _tangent(at: Array, direction: Array) -> tuple[Array, Array]:
    """The point, and the direction made level there; east where there is none."""
    level = direction - (direction @ at) * at
    if np.linalg.norm(level) < 1e-9:
        level = np.cross([0.0, 0.0, 1.0], at) if abs(at[2]) < 0.999999 else np.array([0.0, 1.0, 0.0])
    return at, level / np.linalg.norm(level)


def _middle(volume: Volume) -> Array:
    footprint = volume.footprint
    if isinstance(footprint, Circle):
        line = np.array([[footprint.lon_deg, footprint.lat_deg]])
    else:
        line = footprint.rings[0][:-1] if isinstance(footprint, Polygon) else footprint.line
    middle: Array = _upright(line[:, 0], line[:, 1]).mean(axis=0)
    return middle


def _upright(lon_deg: Array, lat_deg: Array) -> Array:
    """Unit vectors along the plumb line, shape (n, 3)."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _turned(points: Array, axis: Array, angle: float | Array) -> tuple[Array, Array]:
    """Longitudes and latitudes of unit vectors turned about an axis."""
    angle = np.broadcast_to(angle, (len(points),))[:, None]
    along = (points @ axis)[:, None] * axis
    turned = along + np.cos(angle) * (points - along) + np.sin(angle) * np.cross(axis, points)
    lon, lat = np.arctan2(turned[:, 1], turned[:, 0]), np.arctan2(turned[:, 2], np.hypot(turned[:, 0], turned[:, 1]))
    # What is not turned stays what it was to the last digit but one; a full turn is never exceeded by rounding.
    return np.clip(np.degrees(lon), -180.0, 180.0), np.clip(np.degrees(lat), -90.0, 90.0)


def _lengths(points: Array) -> Array:
    chords = np.linalg.norm(np.diff(points, axis=0), axis=1)
    lengths: Array = 2.0 * _EARTH_M * np.arcsin(np.minimum(0.5 * chords, 1.0))
    return lengths
