"""ASTM F3548-21: operational intents and constraints, as UAS service suppliers exchange them.

Read are the answers and notifications of its USS-USS interface (``operational_intent``, ``constraint``, lists of them,
or a bare pair of reference and details). Polygons are not closed there, their edges are shortest paths, heights are
metres above the WGS84 ellipsoid. Names of members: the interface's OpenAPI document, as published with the standard and
in the package ``uas-standards``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from keepclear.formats.bounded import load_json, read_bounded
from keepclear.formats.fields import Fields, shown
from keepclear.formats.nested import fields_of, list_in, number_in, objects_in, one_of_in, part_in
from keepclear.formats.notes import Notes
from keepclear.formats.outlines import checked_polygon
from keepclear.formats.reading import Reading
from keepclear.formats.restrictions import parse_restriction
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle, Edges, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import Operation, Plans, Source, Zone

__all__ = ["MOST_BYTES", "read"]

MOST_BYTES = 64 << 20

_INTENT, _CONSTRAINT = "operational intent", "constraint"
_STATES = ("Accepted", "Activated", "Nonconforming", "Contingent")
_BEYOND_ITS_VOLUMES = ("Nonconforming", "Contingent")
_SHAPE = "operational_intent, operational_intents, constraint, constraints, or reference and details"


def read(stream: BinaryIO, reading: Reading) -> Plans:
    """Operations and zones of an F3548-21 JSON document.

    The manager is the party; an intent's kind is uas and a constraint is a geo-zone unless the reading says otherwise.
    Off-nominal volumes belong to an intent's extent as its ordinary volumes do.

    Raises
    ------
    InputError
        With every fault found.
    """
    document = load_json(read_bounded(stream, MOST_BYTES, reading), reading)
    notes = Notes()
    for number, (what, entity) in enumerate(_entities(document, reading), 1):
        fields = fields_of(entity, reading, f"{what} {number}")
        if fields is None:
            continue
        if what == _INTENT:
            _read_intent(fields, notes)
        else:
            _read_constraint(fields, notes)
    notes.warn(reading)
    return reading.plans()


def _entities(document: object, reading: Reading) -> Iterator[tuple[str, object]]:
    """What the document holds, and which of the two each is."""
    for part in document if isinstance(document, list) else [document]:
        if not isinstance(part, dict):
            reading.fault("not a JSON object", f"an object with {_SHAPE}", value=shown(part))
            continue
        known = False
        for what in (_INTENT, _CONSTRAINT):
            name = what.replace(" ", "_")
            known = known or any(f"{name}{end}" in part for end in ("", "s"))
            if part.get(name) is not None:
                yield what, part[name]
            many = part.get(f"{name}s")
            for entity in many if isinstance(many, list) else [many] if many is not None else []:
                yield what, entity
        if "reference" in part or "details" in part:
            yield _bare_kind(part), part
        elif not known:
            _refuse_other(part, reading)


def _bare_kind(part: dict[str, object]) -> str:
    """A reference with a state is an intent's; a constraint has none."""
    reference = part.get("reference")
    return _INTENT if isinstance(reference, dict) and "state" in reference else _CONSTRAINT


def _refuse_other(part: dict[str, object], reading: Reading) -> None:
    references = [name for name in part if "_reference" in name]
    if references:
        right = "the details, which the manager's USS gives"
        reading.fault("a reference alone has no volumes", right, field=references[0])
    else:
        names = ", ".join(sorted(part)[:5])
        reading.fault("neither operational intent nor constraint", f"an object with {_SHAPE}", value=names)


def _read_intent(fields: Fields, notes: Notes) -> None:
    reading, before = fields.reading, len(fields.reading.faults)
    reference, details = _reference_and_details(fields, _INTENT)
    if reference is None or details is None:
        return
    state = reference.take("state")
    if state not in _STATES:
        reference.fault("unknown state", f"one of: {', '.join(_STATES)}", field="state", value=state)
    volumes = [
        *_volumes(details, "volumes", "volume", notes),
        *_volumes(details, "off_nominal_volumes", "off-nominal volume", notes),
    ]
    if state in _BEYOND_ITS_VOLUMES:
        notes.add(f"{state}, so it may be outside all of its volumes", reference.feature)
    if any(None in (volume.floor, volume.ceiling, volume.start_s, volume.end_s) for volume in volumes):
        notes.add("a volume without all of its heights and times, which F3548 requires", reference.feature)
    kind = reading.kind if isinstance(reading.kind, OperationKind) else OperationKind.UAS
    party, identifier = reference.text("manager", reading.party), reference.text("id")
    if len(reading.faults) == before:
        source = Source(reading.file, reference.feature)
        operation = reference.attempt("", Operation, party, identifier, kind, tuple(volumes), source=source)
        if operation:
            reading.operations.append(operation)


def _read_constraint(fields: Fields, notes: Notes) -> None:
    reading, before = fields.reading, len(fields.reading.faults)
    reference, details = _reference_and_details(fields, _CONSTRAINT)
    if reference is None or details is None:
        return
    volumes = _volumes(details, "volumes", "volume", notes)
    geozone = part_in(details, "geozone")
    name = (geozone.text("name") if geozone else "") or details.text("type")
    rule = _rule(geozone)
    kind = reading.kind if isinstance(reading.kind, ZoneKind) else ZoneKind.GEO_ZONE
    party, identifier = reference.text("manager", reading.party), reference.text("id")
    if len(reading.faults) == before:
        source = Source(reading.file, reference.feature)
        zone = reference.attempt("", Zone, party, identifier, kind, tuple(volumes), rule, name, source)
        if zone:
            reading.zones.append(zone)


def _rule(geozone: Fields | None) -> ZoneRule:
    if geozone is None:  # a constraint that does not say what it asks keeps everyone out
        return ZoneRule.PROHIBITED
    # F3548-21 lists the restrictions under "type" as well, and some put them there alone.
    restriction, kind = geozone.text("restriction"), geozone.text("type")
    if not restriction and kind in ("", "COMMON", "CUSTOMIZED"):
        return ZoneRule.PROHIBITED
    return geozone.attempt("restriction", parse_restriction, restriction or kind) or ZoneRule.PROHIBITED


def _reference_and_details(fields: Fields, what: str) -> tuple[Fields | None, Fields | None]:
    reference = part_in(fields, "reference", "an object with id, manager and times")
    identifier = reference.text("id") if reference else ""
    if reference and identifier:
        fields.feature = reference.feature = f"{what} {identifier}"
    elif reference and not reference.given("id"):
        reference.fault("no id", "the id that the DSS knows it by", field="id")
    return reference, part_in(fields, "details", "an object with volumes")


def _volumes(details: Fields, name: str, label: str, notes: Notes) -> list[Volume]:
    return [volume for part in objects_in(details, name, label) if (volume := _volume(part, notes))]


def _volume(fields: Fields, notes: Notes) -> Volume | None:
    before = len(fields.reading.faults)
    start_s, end_s = _time(fields, "time_start"), _time(fields, "time_end")
    shape = part_in(fields, "volume", "an object with an outline and altitudes")
    if shape is None:
        return None
    floor, ceiling = _altitude(shape, "altitude_lower"), _altitude(shape, "altitude_upper")
    footprint = _outline(shape, notes)
    if footprint is None or len(fields.reading.faults) > before:
        return None
    return fields.attempt("", Volume, footprint, floor, ceiling, start_s, end_s)


def _time(fields: Fields, name: str) -> float | None:
    part = part_in(fields, name)
    if part is None or not one_of_in(part, "format", "RFC3339", "RFC3339", default="RFC3339"):
        return None
    if not isinstance(part.take("value"), str):
        part.fault("not a time", "RFC 3339 text such as 2026-01-31T09:00:00Z", field=name, value=part.take("value"))
        return None
    return part.as_time(part.take("value"), name)


def _altitude(fields: Fields, name: str) -> Height | None:
    part = part_in(fields, name)
    if part is None:
        return None
    right = "the only one F3548 knows: "
    one_of_in(part, "reference", "W84", f"{right}W84", default="W84")
    one_of_in(part, "units", "M", f"{right}M", default="M")
    value_m = number_in(part, "value", "metres above the WGS84 ellipsoid")
    if value_m is None or not part.sound:
        return None
    return part.attempt(name, Height, value_m, HeightReference.W84)


def _outline(fields: Fields, notes: Notes) -> Footprint | None:
    circle, polygon = part_in(fields, "outline_circle"), part_in(fields, "outline_polygon")
    if (circle is None) == (polygon is None):
        fields.fault("not exactly one outline", "either outline_circle or outline_polygon", field="volume")
        return None
    return _circle(circle) if circle else _polygon(polygon, notes) if polygon else None


def _circle(fields: Fields) -> Circle | None:
    centre = part_in(fields, "center", "an object with lng and lat")
    radius = part_in(fields, "radius", "an object with value and units")
    if centre is None or radius is None:
        return None
    one_of_in(radius, "units", "M", "the only one F3548 knows: M", default="M")
    radius_m = number_in(radius, "value", "metres")
    position = _position(centre)
    if radius_m is None or position is None or not radius.sound:
        return None
    return fields.attempt("outline_circle", Circle, position[0], position[1], radius_m)


def _polygon(fields: Fields, notes: Notes) -> Polygon | None:
    count = len(list_in(fields, "vertices"))
    positions = [_position(vertex) for vertex in objects_in(fields, "vertices", "vertex")]
    known = [position for position in positions if position is not None]
    if len(known) < count or not fields.sound:
        return None
    if count and known[0] == known[-1]:
        notes.add("the last vertex repeats the first, which F3548 polygons do not do", fields.feature)
    else:
        known += known[:1]
    if len(known) < 4:
        fields.fault("a polygon needs three vertices", "three or more", field="vertices", value=count)
        return None
    return checked_polygon(fields, [np.array(known)], Edges.GEODESIC, "vertices")


def _position(fields: Fields) -> tuple[float, float] | None:
    lon = number_in(fields, "lng", "degrees of longitude, east positive")
    lat = number_in(fields, "lat", "degrees of latitude, north positive")
    return None if lon is None or lat is None else (lon, lat)
