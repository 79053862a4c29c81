"""GeoJSON features to operations and zones (RFC 7946 and the keepclear property profile)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keepclear.formats.crs import check_systems
from keepclear.formats.extents import Extents
from keepclear.formats.fields import Fields, TimeUnit
from keepclear.formats.filings import Filings
from keepclear.formats.moving_geometry import moving_extents
from keepclear.formats.particulars import Particulars, read_particulars
from keepclear.formats.positions import Array, read_positions, read_times
from keepclear.formats.shapes import area, joined_where_flown, line, point

__all__ = ["GEOMETRIES", "read_feature"]

GEOMETRIES = ("Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon")

_Tally = Callable[[str], None]
_SECONDS: TimeUnit = ("seconds", 1.0)
_MILLISECONDS: TimeUnit = ("milliseconds", 1000.0)


def read_feature(feature: object, number: int, filings: Filings) -> None:
    """File one feature, the `number`-th of its file; what is wrong with it is noted."""
    label = f"feature {number}"
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        Fields({}, filings.reading, label).fault("not a Feature", 'an object with "type": "Feature"', value=feature)
        return
    properties = feature.get("properties")
    if properties is not None and not isinstance(properties, Mapping):
        Fields({}, filings.reading, label).fault("not properties", "an object or null", field="properties")
        return
    values = dict(properties or {})
    if values.get("id") is None:
        values["id"] = feature.get("id")
    name = values["id"] if isinstance(values["id"], str) else None
    fields = Fields(values, filings.reading, f"{label} ({name[:60]})" if name else label)
    facts = read_particulars(fields, default_id=f"{filings.reading.file}#{number}", tally=filings.tally)
    check_systems(feature, fields, filings.tally)
    if feature.get("temporalGeometry") is not None:
        extents = moving_extents(feature["temporalGeometry"], fields, facts, filings.tally)
    else:
        extents = _extents(feature.get("geometry"), fields, facts, filings.tally)
    filings.add(facts, fields, extents)


def _extents(geometry: object, fields: Fields, facts: Particulars, tally: _Tally) -> Extents:
    if not isinstance(geometry, Mapping):
        fields.fault("no geometry", f"one of: {', '.join(GEOMETRIES)}", field="geometry", value=geometry or "")
        return Extents()
    check_systems(geometry, fields, tally)
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        return _point(coordinates, fields, facts, tally)
    if kind == "LineString":
        return _line(coordinates, fields, facts, tally)
    if kind == "MultiLineString":
        return _lines(coordinates, fields, facts, tally)
    if kind in ("Polygon", "MultiPolygon"):
        return _areas(coordinates if kind == "MultiPolygon" else [coordinates], fields, facts, tally)
    problem = f"{kind} is not read" if kind in ("MultiPoint", "GeometryCollection") else "not a geometry"
    right = f"one of: {', '.join(GEOMETRIES)}; several of one operation as features with one id and a part number each"
    fields.fault(problem, right, field="geometry.type", value="" if kind is None else kind)
    return Extents()


def _point(coordinates: object, fields: Fields, facts: Particulars, tally: _Tally) -> Extents:
    position = read_positions([coordinates], fields)
    name, times, unit = _times_given(fields)
    if times is not None and not isinstance(times, list):
        times = [times]
    read = None if times is None else read_times(times, fields, 1, field=name, unit=unit)
    if position is None or (read is None and times is not None):
        return Extents()
    return point(position, read, fields, facts, tally)


def _line(coordinates: object, fields: Fields, facts: Particulars, tally: _Tally) -> Extents:
    name, times, unit = _times_given(fields)
    return _one_line(coordinates, times, (name, unit), fields, facts, tally)


def _one_line(
    coordinates: object,
    times: object,
    how: tuple[str, TimeUnit],
    fields: Fields,
    facts: Particulars,
    tally: _Tally,
    number: int | None = None,
) -> Extents:
    where = "coordinates" if number is None else f"coordinates, line {number + 1}"
    points = read_positions(coordinates, fields, field=where, least=2)
    read: Array | None = None
    if times is not None:
        count = len(coordinates) if isinstance(coordinates, list) else 0
        field = how[0] if number is None else f"{how[0]}, line {number + 1}"
        read = read_times(times, fields, count, field=field, unit=how[1])
        if read is None:
            return Extents()
    if points is None:
        return Extents()
    return line(points, read, fields, facts, tally, number=number)


def _lines(coordinates: object, fields: Fields, facts: Particulars, tally: _Tally) -> Extents:
    name, times, unit = _times_given(fields)
    if not isinstance(coordinates, list) or not coordinates:
        fields.fault("not a list of lines", "a list of lists of positions", field="coordinates", value=coordinates)
        return Extents()
    if times is not None and (not isinstance(times, list) or len(times) != len(coordinates)):
        fields.fault("needs one list of times for each line", f"{len(coordinates)} lists", field=name, value=times)
        return Extents()
    whole = Extents()
    for number, one in enumerate(coordinates):
        own = times[number] if isinstance(times, list) else None
        if times is not None and own is None:
            fields.fault("needs one list of times for each line", "a list", field=name, value="null")
            continue
        whole.extend(_one_line(one, own, (name, unit), fields, facts, tally, number))
    return joined_where_flown(whole, tally) if fields.sound else Extents()


def _areas(coordinates: object, fields: Fields, facts: Particulars, tally: _Tally) -> Extents:
    name, times, _ = _times_given(fields)
    if times is not None:
        fields.fault("does not fit an area", "an area has start and end", field=name)
    if not isinstance(coordinates, list) or not coordinates:
        fields.fault("not a list of polygons", "a list of lists of rings", field="coordinates", value=coordinates)
        return Extents()
    whole = Extents()
    for number, polygon in enumerate(coordinates):
        where = "coordinates" if len(coordinates) == 1 else f"coordinates, polygon {number + 1}"
        rings = _rings(polygon, fields, where)
        if rings:
            whole.extend(area(rings, fields, facts, tally))
    return whole


def _rings(polygon: object, fields: Fields, where: str) -> list[Array]:
    if not isinstance(polygon, list) or not polygon:
        fields.fault("not a polygon", "a list of rings, each a list of positions", field=where, value=polygon)
        return []
    names = [where if len(polygon) == 1 else f"{where}, ring {number + 1}" for number in range(len(polygon))]
    rings = [read_positions(ring, fields, field=name, least=4) for ring, name in zip(polygon, names, strict=True)]
    sound = [ring for ring in rings if ring is not None]
    return sound if len(sound) == len(rings) else []


def _times_given(fields: Fields) -> tuple[str, object, TimeUnit]:
    """The times of the positions, whichever of the three ways in use they were written."""
    found: list[tuple[str, object, TimeUnit]] = []
    for name, unit in (("coordTimes", _SECONDS), ("datetimes", _MILLISECONDS)):  # datetimes: OGC 19-045r3, Trajectory
        value = fields.take(name)
        if value is not None:
            found.append((name, value, unit))
    nested = fields.take("coordinateProperties") if fields.given("coordinateProperties") else None
    if isinstance(nested, Mapping) and nested.get("times") is not None:  # as newer releases of togeojson write them
        found.append(("coordinateProperties.times", nested["times"], _SECONDS))
    if len(found) > 1:
        names = " and ".join(name for name, _, _ in found)
        fields.fault(f"has times twice, as {names}", "keep one of them", field=found[1][0])
    return found[0] if found else ("coordTimes", None, _SECONDS)
