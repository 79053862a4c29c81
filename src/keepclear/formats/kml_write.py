"""Writes operations and zones as KML that Google Earth opens and `keepclear.formats.kml` reads back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from keepclear.formats.containing import LARGEST_RADIUS_M, containing_ring
from keepclear.formats.positions import Array
from keepclear.formats.profile_write import (
    Warn,
    Written,
    crosses_antimeridian,
    exact_text,
    off_lonlat_m,
    silent,
    written_parts,
)
from keepclear.geo.geoid import undulation_m
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.operations import Operation, Plans, Zone

__all__ = ["KML_CLOSE", "KML_OPEN", "element", "plan_placemarks", "position_text", "time_span", "write_plans_kml"]

KML_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">\n<Document>\n'
)
KML_CLOSE = "</Document>\n</kml>\n"

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 section 2.2
_NOTICEABLE_M = 1.0
_MODES = {
    HeightReference.AMSL: "absolute",
    HeightReference.W84: "absolute",
    HeightReference.AGL: "relativeToGround",
    HeightReference.FL: "absolute",
    HeightReference.UNKNOWN: "absolute",
}


def write_plans_kml(plans: Plans, *, warn: Warn = silent) -> Iterator[str]:
    """The text of a KML document, in pieces of one Placemark each.

    Parameters
    ----------
    warn
        Called with a sentence for each thing that KML cannot say as it is, or that other programs may understand
        differently.
    """
    yield KML_OPEN
    things: tuple[Operation | Zone, ...] = (*plans.operations, *plans.zones)
    for thing in things:
        yield from plan_placemarks(thing, warn=warn)
    yield KML_CLOSE


def plan_placemarks(thing: Operation | Zone, *, warn: Warn = silent, style: str = "") -> Iterator[str]:
    """The Placemarks that say all of one operation or zone."""
    for exact in written_parts(thing, default_edges=Edges.GEODESIC):
        part = _in_kml(exact, thing.id, warn)
        span = time_span(*(part.properties.pop(name, None) for name in ("start", "end")))
        yield "".join(
            (
                "<Placemark>\n",
                element("name", thing.name or thing.id, warn),
                span,
                element("styleUrl", style) if style else "",
                _extended_data(part.properties, thing, warn),
                _geometry(part),
                "</Placemark>\n",
            )
        )


def element(name: str, text: str, warn: Warn = silent) -> str:
    """An element that holds `text`, whatever is in it."""
    return f"<{name}>{_escaped(text, warn)}</{name}>\n"


def time_span(start: object, end: object) -> str:
    """A TimeSpan between two RFC 3339 texts, each of which may be missing; empty where both are."""
    if start is None and end is None:
        return ""
    begin = "" if start is None else f"<begin>{start}</begin>"
    return f"<TimeSpan>{begin}{'' if end is None else f'<end>{end}</end>'}</TimeSpan>\n"


def position_text(positions: Iterable[Iterable[float]]) -> str:
    """Positions as the text of a ``coordinates`` element; what is no number is left out."""
    return " ".join(",".join(repr(float(one)) for one in position if math.isfinite(one)) for position in positions)


def _escaped(text: str, warn: Warn) -> str:
    clean = _NOT_XML.sub("\ufffd", text)
    if clean != text or clean != clean.strip():
        warn("a text with control characters or blanks at its ends, which XML does not keep")
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\r", "&#13;")):
        clean = clean.replace(character, entity)
    return clean


def _in_kml(part: Written, name: str, warn: Warn) -> Written:
    """`part` as KML can say it: circles as polygons, ellipsoidal heights above mean sea level."""
    properties = dict(part.properties)
    if part.track is not None:
        return _track_in_kml(Written(properties, track=part.track), name, warn)
    volumes = []
    for volume in part.volumes:
        footprint = volume.footprint
        if isinstance(footprint, Circle):
            footprint = _circle_in_kml(footprint, properties, name, warn)
        elif isinstance(footprint, Corridor) and footprint.half_width_m > 0.0:
            warn(f"{name}: other programs show the middle line of the corridor; its half-width is in half_width_m")
        volumes.append(replace(volume, footprint=footprint))
        _warn_of_edges(volumes[-1], name, warn)
    return Written(properties, tuple(volumes))


def _circle_in_kml(circle: Circle, properties: dict[str, object], name: str, warn: Warn) -> Circle | Polygon:
    if circle.radius_m == 0.0:
        return circle
    if circle.radius_m > LARGEST_RADIUS_M:
        warn(f"{name}: other programs show the centre of the circle; its radius is in radius_m")
        return circle
    del properties["radius_m"]
    warn(f"{name}: KML has no circles; written as a polygon that contains the circle")
    return Polygon((containing_ring(circle),), Edges.GEODESIC)


def _track_in_kml(part: Written, name: str, warn: Warn) -> Written:
    track = part.track
    assert track is not None
    known = np.isfinite(track.height_m)
    if not known.any():
        return part
    if not known.all():
        warn(f"{name}: positions without a height are written without one; other programs may put them on the ground")
    if track.height_reference in (HeightReference.FL, HeightReference.UNKNOWN):
        warn(f"{name}: KML has no {track.height_reference} heights; other programs take them for mean sea level")
    if track.height_reference is not HeightReference.W84:
        return part
    warn(f"{name}: heights above the ellipsoid were written above mean sea level (EGM96, within 0.03 m)")
    heights = track.height_m - undulation_m(track.lon_deg, track.lat_deg)
    converted = replace(track, height_m=heights, height_reference=HeightReference.AMSL)
    return Written({**part.properties, "height_reference": HeightReference.AMSL.value}, track=converted)


def _warn_of_edges(volume: Volume, name: str, warn: Warn) -> None:
    if isinstance(volume.footprint, Circle):
        return
    lines = volume.footprint.rings if isinstance(volume.footprint, Polygon) else (volume.footprint.line,)
    if any(crosses_antimeridian(one) for one in lines):
        warn(f"{name}: crosses the antimeridian; other programs may draw it the long way round")
    if volume.footprint.edges is Edges.LONLAT and any(off_lonlat_m(one) > _NOTICEABLE_M for one in lines):
        warn(f"{name}: its edges are straight in longitude and latitude; other programs draw KML along shortest paths")


def _extended_data(properties: dict[str, object], thing: Operation | Zone, warn: Warn) -> str:
    if not thing.name:
        properties = {**properties, "name": ""}  # else the Placemark's name, which is the id, would be taken for one
    values = (
        f'<Data name="{name}"><value>{_escaped(_value_text(value), warn)}</value></Data>\n'
        for name, value in properties.items()
    )
    return f"<ExtendedData>\n{''.join(values)}</ExtendedData>\n"


def _value_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _geometry(part: Written) -> str:
    if part.track is not None:
        return _track(part.track)
    shapes = [_shape(volume) for volume in part.volumes]
    return shapes[0] if len(shapes) == 1 else f"<MultiGeometry>\n{''.join(shapes)}</MultiGeometry>\n"


def _shape(volume: Volume) -> str:
    footprint = volume.footprint
    if isinstance(footprint, Circle):
        at = position_text([(footprint.lon_deg, footprint.lat_deg)])
        return f"<Point><coordinates>{at}</coordinates></Point>\n"
    if isinstance(footprint, Corridor):
        at = position_text(footprint.line if len(footprint.line) > 1 else np.repeat(footprint.line, 2, axis=0))
        return f"<LineString><tessellate>1</tessellate><coordinates>{at}</coordinates></LineString>\n"
    rings = []
    for number, ring in enumerate(footprint.rings):
        name = "innerBoundaryIs" if number else "outerBoundaryIs"
        at = position_text(_at_height(ring, volume.ceiling))
        rings.append(f"<{name}><LinearRing><coordinates>{at}</coordinates></LinearRing></{name}>\n")
    return f"<Polygon>{_drawn(volume.ceiling)}{''.join(rings)}</Polygon>\n"


def _drawn(ceiling: Height | None) -> str:
    """How a polygon is drawn: up to its ceiling where KML can say it. What counts is in floor and ceiling."""
    if ceiling is None or ceiling.reference in (HeightReference.FL, HeightReference.UNKNOWN):
        return "<tessellate>1</tessellate>"
    return f"<extrude>1</extrude><altitudeMode>{_MODES[ceiling.reference]}</altitudeMode>"


def _at_height(ring: Array, ceiling: Height | None) -> Array:
    if ceiling is None or ceiling.reference in (HeightReference.FL, HeightReference.UNKNOWN):
        return ring
    heights = np.full(len(ring), ceiling.value_m)
    if ceiling.reference is HeightReference.W84:
        heights -= undulation_m(ring[:, 0], ring[:, 1])
    return np.column_stack((ring, heights))


def _track(track: Track) -> str:
    mode = _MODES[track.height_reference] if np.isfinite(track.height_m).any() else "clampToGround"
    whens = "".join(f"<when>{exact_text(float(time_s))}</when>\n" for time_s in track.time_s)
    rows = np.column_stack((track.lon_deg, track.lat_deg, track.height_m))
    coords = (" ".join(repr(float(one)) for one in row if np.isfinite(one)) for row in rows)
    lines = "".join(f"<gx:coord>{coord}</gx:coord>\n" for coord in coords)
    return f"<gx:Track>\n<altitudeMode>{mode}</altitudeMode>\n{whens}{lines}</gx:Track>\n"
