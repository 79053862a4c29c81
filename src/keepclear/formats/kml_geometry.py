"""KML geometries to volumes and tracks.

The altitude mode says what heights are: ``absolute`` counts from mean sea level, ``relativeToGround`` from the ground,
and ``clampToGround`` (the default) means that they are not known. A polygon at a height that is not extruded says
nothing of how thick it is, so its floor and ceiling stay unknown.

Edges are shortest paths: so Google Earth draws a polygon on the ground (KML Reference, LinearRing), and so the
straight lines in space that it draws elsewhere lie over the ground.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from keepclear.formats.extents import Extents
from keepclear.formats.fields import Fields
from keepclear.formats.kml_times import is_date_only
from keepclear.formats.kml_tree import child, children, flag, local, text
from keepclear.formats.particulars import Particulars
from keepclear.formats.positions import Array, read_positions, read_times
from keepclear.formats.shapes import area, joined_where_flown, line, point, track
from keepclear.model.heights import Height, HeightReference

__all__ = ["GEOMETRIES", "placemark_extents"]

GEOMETRIES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack", "Model")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_REFERENCES = {"relativeToGround": HeightReference.AGL, "absolute": HeightReference.AMSL}
_CLAMPED = ("", "clampToGround", "clampToSeaFloor")
_NOT_EXTRUDED = "an area at a height that is not extruded: its floor and ceiling are not known"

_Tally = Callable[[str], None]


def placemark_extents(
    placemark: Element, stamp_s: float | None, fields: Fields, facts: Particulars, tally: _Tally
) -> Extents:
    """The volumes and tracks of all geometries in a Placemark or a MultiGeometry; `stamp_s` is its TimeStamp."""
    whole = Extents()
    for geometry in children(placemark, *GEOMETRIES):
        kind = local(geometry)
        if kind == "MultiGeometry":
            whole.extend(placemark_extents(geometry, stamp_s, fields, facts, tally))
        elif kind == "MultiTrack":
            whole.extend(_multi_track(geometry, fields, facts, tally))
        elif kind == "Track":
            whole.extend(_track(geometry, fields, _with_reference(geometry, fields, facts)))
        elif kind == "Model":
            fields.fault("a 3-D model is not read", "a Point, LineString, Polygon or gx:Track", field="Model")
        else:
            whole.extend(_still(geometry, stamp_s, fields, facts, tally))
    return whole


def _still(geometry: Element, stamp_s: float | None, fields: Fields, facts: Particulars, tally: _Tally) -> Extents:
    """A geometry whose positions have no times of their own."""
    kind = local(geometry)
    facts = _with_reference(geometry, fields, facts)
    rings = _rings(geometry, fields) if kind == "Polygon" else [_positions(geometry, fields, kind)]
    sound = [ring for ring in rings if ring is not None]
    if not sound or len(sound) < len(rings):
        return Extents()
    if kind == "Point" and stamp_s is not None and facts.radius_m is None:
        return point(sound[0], np.array([stamp_s]), fields, facts, tally)
    if stamp_s is not None:
        facts = replace(facts, start_s=stamp_s, end_s=stamp_s)
    facts = _extruded(geometry, sound, fields, facts, tally)
    if kind == "Point":
        return point(sound[0], None, fields, facts, tally)
    if kind == "Polygon":
        return area(sound, fields, facts, tally)
    return line(sound[0], None, fields, facts, tally)


def _rings(polygon: Element, fields: Fields) -> list[Array | None]:
    outer = list(children(polygon, "outerBoundaryIs"))
    if len(outer) != 1:
        fields.fault("a Polygon needs one outerBoundaryIs", "one", field="outerBoundaryIs", value=len(outer))
        return []
    rings: list[Array | None] = []
    for boundary in (*outer, *children(polygon, "innerBoundaryIs")):
        found = list(children(boundary, "LinearRing"))
        if not found:
            fields.fault("a boundary without a LinearRing", "<LinearRing>", field=local(boundary))
            rings.append(None)
        rings += [_positions(ring, fields, local(boundary), least=4, mode=_mode(polygon)) for ring in found]
    return rings


def _positions(
    geometry: Element, fields: Fields, where: str, *, least: int = 0, mode: str | None = None
) -> Array | None:
    """Positions of a ``coordinates`` element; heights on the ground are not known.

    The altitude mode is that of the geometry itself unless `mode` says another: a ring has its polygon's.
    """
    tuples = text(geometry, "coordinates").split()
    if not tuples:
        fields.fault("no coordinates", "lon,lat or lon,lat,height", field=f"{where}.coordinates")
        return None
    values: object = [_numbers(one.split(","), one) for one in tuples]
    fewest = least or (1 if where == "Point" else 2)
    points = read_positions(values, fields, field=f"{where}.coordinates", least=fewest)
    if points is not None and where == "Point" and len(points) > 1:
        fields.fault("a Point has one position", "lon,lat,height with no blanks", field="Point.coordinates")
        return None
    return _clamped(points, _mode(geometry) if mode is None else mode)


def _numbers(parts: list[str], written: str) -> object:
    """The numbers of one position; what is none is handed on as it was written, to be refused by name."""
    return [float(part) for part in parts] if all(map(_NUMBER.fullmatch, parts)) else written


def _clamped(points: Array | None, mode: str) -> Array | None:
    if points is not None and mode in _CLAMPED:
        points[:, 2] = np.nan
    return points


def _mode(geometry: Element) -> str:
    return text(geometry, "altitudeMode")


def _with_reference(geometry: Element, fields: Fields, facts: Particulars) -> Particulars:
    """`facts` with the height reference that the altitude mode says, unless the properties say another."""
    mode = _mode(geometry)
    if mode not in _CLAMPED and mode not in _REFERENCES:
        right = "clampToGround, relativeToGround or absolute"
        fields.fault("an altitude mode that is not read", right, field="altitudeMode", value=mode)
    if facts.height_reference is not None or mode not in _REFERENCES:
        return facts
    return replace(facts, height_reference=_REFERENCES[mode])


def _extruded(geometry: Element, rings: list[Array], fields: Fields, facts: Particulars, tally: _Tally) -> Particulars:
    """`facts` with the floor and ceiling that an extruded geometry means, unless the properties say others."""
    if facts.floor or facts.ceiling or _mode(geometry) not in _REFERENCES:
        return facts
    heights = np.concatenate([ring[:, 2] for ring in rings])
    if not flag(geometry, "extrude") or not np.isfinite(heights).all():
        if local(geometry) == "Polygon":
            tally(_NOT_EXTRUDED)
        return facts
    reference = facts.height_reference or HeightReference.UNKNOWN
    ceiling = fields.attempt("coordinates", Height, float(heights.max()), reference)
    return replace(facts, floor=Height(0.0, HeightReference.AGL), ceiling=ceiling)


def _multi_track(geometry: Element, fields: Fields, facts: Particulars, tally: _Tally) -> Extents:
    """Tracks of one unit: joined where the file says that the time between is interpolated, else as pieces."""
    found = list(children(geometry, "Track"))
    if not found:
        fields.fault("a MultiTrack without a Track", "<gx:Track>", field="MultiTrack")
        return Extents()
    if child(geometry, "altitudeMode") is not None and not any(child(one, "altitudeMode") is not None for one in found):
        for one in found:
            one.extend(children(geometry, "altitudeMode"))
    if flag(geometry, "interpolate"):
        whole = Element("Track")
        for one in found:
            if _mode(one) != _mode(found[0]):
                fields.fault(
                    "tracks to be joined with different altitude modes", "one altitude mode", field="MultiTrack"
                )
                return Extents()
            whole.extend(children(one, "when", "coord"))
        whole.extend(children(found[0], "altitudeMode"))
        return _track(whole, fields, _with_reference(whole, fields, facts))
    pieces = Extents()
    for number, one in enumerate(found):
        pieces.extend(_track(one, fields, _with_reference(one, fields, facts), number=number))
    return joined_where_flown(pieces, tally) if fields.sound else Extents()


def _track(geometry: Element, fields: Fields, facts: Particulars, *, number: int | None = None) -> Extents:
    """A gx:Track: as many ``when`` as ``gx:coord``."""
    where = "gx:Track" if number is None else f"gx:Track {number + 1}"
    whens: list[object] = [(one.text or "").strip() for one in children(geometry, "when")]
    coords: object = [_numbers((one.text or "").split(), one.text or "") for one in children(geometry, "coord")]
    points = read_positions(coords, fields, field=f"{where}.coord", least=1)
    dates = [when for when in whens if is_date_only(when, fields, f"{where}.when")]
    times = None if dates else read_times(whens, fields, len(coords), field=f"{where}.when")  # type: ignore[arg-type]
    if points is None or times is None:
        return Extents()
    return track(_clamped(points, _mode(geometry)), times, fields, facts, number=number)  # type: ignore[arg-type]
