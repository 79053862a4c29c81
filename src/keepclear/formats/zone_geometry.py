"""Footprints and height bands of geo-zones, as ED-269 and ED-318 write them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keepclear.formats.fields import Fields, is_number
from keepclear.formats.nested import list_in, number_in, objects_in, part_in
from keepclear.formats.notes import Notes
from keepclear.formats.outlines import checked_polygon
from keepclear.model.footprints import Circle, Edges, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference, parse_height_reference
from keepclear.units import FOOT_M

__all__ = ["Space", "spaces_of_ed269", "spaces_of_ed318"]

_UNITS_M = {"M": 1.0, "FT": FOOT_M}
_RING = "a list of [longitude, latitude]"


@dataclass(frozen=True, slots=True)
class Space:
    """A footprint and a height band; a bound that is None is open."""

    footprint: Footprint
    floor: Height | None
    ceiling: Height | None


def spaces_of_ed269(zone: Fields, notes: Notes) -> list[Space]:
    """The airspace volumes of an ED-269 zone."""
    spaces = []
    for part in objects_in(zone, "geometry", "geometry"):
        metre = _metre(part, "uomDimensions", default="")
        projection = part_in(part, "horizontalProjection", "a Circle or a Polygon")
        if metre is None or projection is None:
            continue
        shape = projection.text("type")
        footprint: Footprint | None = None
        if shape.lower() == "circle":
            footprint = _circle(projection, list_in(projection, "center"), number_in(projection, "radius", "metres"))
            if metre != 1.0:
                # The radius may be meant in the unit of the limits: metres make the larger circle.
                notes.add("the radius was read as metres though the limits are in feet", part.feature)
        elif shape.lower() == "polygon":
            footprint = _polygon(projection, projection.take("coordinates"))
        else:
            projection.fault("unknown shape", "Circle or Polygon", field="type", value=shape)
        floor = _height(part, "lowerLimit", "lowerVerticalReference", metre)
        ceiling = _height(part, "upperLimit", "upperVerticalReference", metre)
        if footprint:
            spaces.append(Space(footprint, floor, ceiling))
    if not spaces and zone.sound and not list_in(zone, "geometry"):
        zone.fault("no geometry", "a list of airspace volumes", field="geometry")
    return spaces


def spaces_of_ed318(feature: Fields) -> list[Space]:
    """The layered geometry of an ED-318 feature."""
    geometry = part_in(feature, "geometry", "a GeoJSON geometry")
    if geometry is None:
        return []
    if geometry.text("type") == "GeometryCollection":
        parts = list(objects_in(geometry, "geometries", "geometry"))
        if not parts:
            geometry.fault("an empty collection", "one or more geometries", field="geometries")
    else:
        parts = [geometry]
    return [space for part in parts for space in _layered(part)]


def _layered(part: Fields) -> list[Space]:
    layer = part_in(part, "layer")
    floor = ceiling = None
    if layer:
        metre = _metre(layer, "uom", default="M") or 1.0
        floor = _height(layer, "lower", "lowerReference", metre)
        ceiling = _height(layer, "upper", "upperReference", metre)
    shape, coordinates = part.text("type"), part.take("coordinates")
    footprints: list[Footprint | None] = []
    if shape == "Polygon":
        footprints = [_polygon(part, coordinates)]
    elif shape == "MultiPolygon" and isinstance(coordinates, list) and coordinates:
        footprints = [_polygon(part, rings) for rings in coordinates]
    elif shape == "Point" and part.given("extent"):
        footprints = [_extent(part, coordinates)]
    else:
        right = "a Polygon, a MultiPolygon, or a Point with a circular extent"
        part.fault("a zone needs an area", right, field="geometry", value=shape)
    return [Space(footprint, floor, ceiling) for footprint in footprints if footprint]


def _extent(point: Fields, coordinates: object) -> Circle | None:
    extent = part_in(point, "extent")
    if extent is None:
        return None
    kind = extent.text("subType")
    if kind.lower() not in ("circle", "circles"):  # an example published with the schema has the plural
        extent.fault("unknown extent", "Circle", field="subType", value=kind)
        return None
    return _circle(point, coordinates, number_in(extent, "radius", "metres"))


def _circle(fields: Fields, centre: object, radius_m: float | None) -> Circle | None:
    position = _position(centre)
    if position is None:
        fields.fault("not a position", "[longitude, latitude]", field="centre", value=centre)
    if position is None or radius_m is None:
        return None
    return fields.attempt("", Circle, position[0], position[1], radius_m)


def _polygon(fields: Fields, rings: object) -> Polygon | None:
    if not isinstance(rings, list) or not rings:
        fields.fault("a polygon without rings", "a list of rings", field="coordinates", value=rings)
        return None
    arrays = []
    for number, ring in enumerate(rings, 1):
        positions = [_position(vertex) for vertex in ring] if isinstance(ring, list) else []
        known = [position for position in positions if position is not None]
        if len(known) < len(positions) or len(known) < 4:
            bad = ring[positions.index(None)] if None in positions else ring
            fields.fault(f"ring {number} is no ring", f"{_RING}, four or more", field="coordinates", value=bad)
            return None
        arrays.append(np.array(known))
    return checked_polygon(fields, arrays, Edges.LONLAT, "coordinates")


def _position(value: object) -> tuple[float, float] | None:
    """Longitude and latitude; a third number, a height, is given by the layer and left aside here."""
    if not isinstance(value, list) or not 2 <= len(value) <= 3 or not all(is_number(number) for number in value):
        return None
    return float(value[0]), float(value[1])


def _metre(fields: Fields, name: str, *, default: str) -> float | None:
    unit = fields.text(name, default)
    if unit.upper() not in _UNITS_M:
        fields.fault("unknown unit", "M or FT", field=name, value=unit)
        return None
    return _UNITS_M[unit.upper()]


def _height(fields: Fields, limit: str, reference: str, metre: float) -> Height | None:
    """A limit; open where there is none, of unknown reference where it is not said."""
    value = fields.take(limit)
    if value is None:
        return None
    number = _number_of(value)
    if number is None:
        fields.fault("not a limit", "a number", field=limit, value=value)
        return None
    surface: HeightReference | None = HeightReference.UNKNOWN
    if fields.given(reference):
        surface = fields.attempt(reference, parse_height_reference, fields.text(reference))
    return fields.attempt(limit, Height, number * metre, surface) if surface else None


def _number_of(value: object) -> float | None:
    """A number, also where it stands in quotes, as it does in some published files."""
    if is_number(value):
        return float(value)  # type: ignore[arg-type]  # is_number has just said so
    try:
        number = float(value) if isinstance(value, str) and len(value) < 40 else None
    except ValueError:
        return None
    return number if number is not None and is_number(number) else None
