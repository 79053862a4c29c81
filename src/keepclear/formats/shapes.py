"""From positions and particulars to volumes and tracks: what each sort of geometry means.

A property that does not fit its geometry is refused, not left aside: a half-width on a polygon would have made the
operation larger than what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from keepclear.formats.extents import Extents
from keepclear.formats.fields import Fields
from keepclear.formats.particulars import Particulars
from keepclear.formats.positions import Array
from keepclear.formats.tolerances import one_tolerance, tolerance_for
from keepclear.geo.rings import check_rings
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference

__all__ = ["area", "joined_where_flown", "line", "point", "track"]

_HEIGHTS_OF_AREAS = "heights of the corners of an area were left aside: floor and ceiling say how high it reaches"
_ARRAYS = ("time_s", "lon_deg", "lat_deg", "height_m", "uncertainty_m", "early_s", "late_s")
_PIECES = "a track in several pieces: nothing is known of the unit between one and the next"
_NO_WIDTH = "a line without times and without half_width_m was read as a path of no width"


def area(rings: Sequence[Array], fields: Fields, facts: Particulars, tally: Callable[[str], None]) -> Extents:
    """The volume over a polygon given by rings of shape (n, 3)."""
    _refuse(fields, facts, "an area", half_width_m="for lines", radius_m="for points")
    flat = [ring[:, :2] for ring in rings]
    for fault in check_rings(flat):
        fields.fault(fault.problem, fault.right, field=fault.field or "coordinates", value=fault.value)
    if not fields.sound:
        return Extents()
    if facts.floor is None and facts.ceiling is None and any(np.isfinite(ring[:, 2]).any() for ring in rings):
        tally(_HEIGHTS_OF_AREAS)
    return _volume(fields.attempt("", Polygon, tuple(flat), facts.edges), fields, facts, (facts.floor, facts.ceiling))


def line(
    points: Array,
    times: Array | None,
    fields: Fields,
    facts: Particulars,
    tally: Callable[[str], None],
    *,
    number: int | None = None,
) -> Extents:
    """A track where there are times, else a corridor; `number` is the line's index in a list of lines."""
    if times is not None:
        return track(points, times, fields, facts, number=number)
    _refuse(fields, facts, "a line", radius_m="for points")
    if facts.half_width_m is None:
        tally(_NO_WIDTH)
    corridor = fields.attempt("", Corridor, points[:, :2], facts.half_width_m or 0.0, facts.edges)
    return _volume(corridor, fields, facts, _band(points[:, 2], facts, fields))


def point(
    position: Array, times: Array | None, fields: Fields, facts: Particulars, tally: Callable[[str], None]
) -> Extents:
    """A track of one position where there is a time, else a circle; `position` has shape (1, 3)."""
    if times is not None:
        return track(position, times, fields, facts)
    _refuse(fields, facts, "a point", half_width_m="for lines")
    lon, lat, height = (float(number) for number in position[0])
    circle = fields.attempt("", Circle, lon, lat, facts.radius_m or 0.0)
    if not facts.radius_m:
        return _volume(circle, fields, facts, _band(position[:, 2], facts, fields))
    if np.isfinite(height) and facts.floor is None and facts.ceiling is None:
        tally(_HEIGHTS_OF_AREAS)
    return _volume(circle, fields, facts, (facts.floor, facts.ceiling))


def track(points: Array, times: Array, fields: Fields, facts: Particulars, *, number: int | None = None) -> Extents:
    """A track of timed positions."""
    untimed = "for areas and lines without times; give heights as third coordinates"
    width = "for positions without times; say uncertainty_m"
    what = "a line or point with times"
    _refuse(fields, facts, what, half_width_m=width, radius_m=width, floor=untimed, ceiling=untimed)
    _check_window(times, fields, facts)
    n = len(points)
    uncertainty = tolerance_for(facts.uncertainty, "uncertainty_m", n, fields, number=number)
    early = tolerance_for(facts.early, "early_s", n, fields, number=number)
    late = tolerance_for(facts.late, "late_s", n, fields, number=number)
    if not fields.sound:
        return Extents()
    reference = facts.height_reference or HeightReference.W84
    lon, lat, height = points.T
    made = fields.attempt("", Track, times, lon, lat, height, reference, facts.basis, uncertainty, early, late)
    return Extents(tracks=[made] if made else [])


def joined_where_flown(extents: Extents, tally: Callable[[str], None]) -> Extents:
    """The flown tracks of one unit as one track, so that the time between two of them counts as a gap.

    Planned tracks stay apart: nothing is known of the unit between them, and a warning says so.
    """
    tracks = extents.tracks
    if len(tracks) < 2:
        return extents
    in_order = all(before.time_s[-1] <= after.time_s[0] for before, after in pairwise(tracks))
    alike = len({one.height_reference for one in tracks}) == 1
    if not in_order or not alike or any(one.basis is not TrackBasis.FLOWN for one in tracks):
        tally(_PIECES)
        return extents
    time, lon, lat, height, uncertainty, early, late = (_end_to_end(tracks, name) for name in _ARRAYS)
    whole = Track(time, lon, lat, height, tracks[0].height_reference, TrackBasis.FLOWN, uncertainty, early, late)
    return Extents(extents.volumes, [whole])


def _end_to_end(tracks: Sequence[Track], name: str) -> Array:
    return np.concatenate([np.broadcast_to(getattr(one, name), one.time_s.shape) for one in tracks])


def _volume(
    footprint: Footprint | None, fields: Fields, facts: Particulars, band: tuple[Height | None, Height | None]
) -> Extents:
    uncertainty = one_tolerance(facts.uncertainty, "uncertainty_m", fields)
    early = one_tolerance(facts.early, "early_s", fields)
    late = one_tolerance(facts.late, "late_s", fields)
    if footprint is None or not fields.sound:
        return Extents()
    # Anywhere in a window that may slip is anywhere in the window that all its slips cover.
    start = None if facts.start_s is None else facts.start_s - early
    end = None if facts.end_s is None else facts.end_s + late
    if start is not None and end is not None and facts.end_s < facts.start_s:  # type: ignore[operator]
        fields.fault("the end is before the start", "end at or after start", field="end", value=fields.take("end"))
        return Extents()
    made = fields.attempt("", Volume, footprint, *band, start, end, uncertainty)
    return Extents(volumes=[made] if made else [])


def _band(heights: Array, facts: Particulars, fields: Fields) -> tuple[Height | None, Height | None]:
    """Floor and ceiling as given, else what the heights of all positions span."""
    if facts.floor or facts.ceiling or not np.isfinite(heights).all():
        return facts.floor, facts.ceiling
    reference = facts.height_reference or HeightReference.W84
    low = fields.attempt("coordinates", Height, float(heights.min()), reference)
    high = fields.attempt("coordinates", Height, float(heights.max()), reference)
    return low, high


def _check_window(times: Array, fields: Fields, facts: Particulars) -> None:
    if facts.start_s is not None and times.min() < facts.start_s:
        fields.fault("the positions begin before start", "a start at or before the first time", field="start")
    if facts.end_s is not None and times.max() > facts.end_s:
        fields.fault("the positions go on after end", "an end at or after the last time", field="end")


def _refuse(fields: Fields, facts: Particulars, what: str, **names: str) -> None:
    for name, place in names.items():
        if getattr(facts, name) is not None:
            fields.fault(f"does not fit {what}", f"{name} is {place}", field=name)
