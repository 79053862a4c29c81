"""UAS geographical zones: EUROCAE ED-269 and ED-318 JSON.

ED-269 gives each zone a list of airspace volumes; ED-318 is GeoJSON whose geometries carry a ``layer`` of heights and
whose points may carry a circular ``extent`` (LayeredGeoJSON). Names of members: the schemas published in
``UASGeoZones/ED-318`` and the types in the package ``uas-standards``; how authorities fill them: the Swiss samples in
``interuss/monitoring``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from keepclear.formats.bounded import load_json, read_bounded
from keepclear.formats.fields import Fields
from keepclear.formats.nested import fields_of, list_in, objects_in, part_in
from keepclear.formats.notes import Notes
from keepclear.formats.reading import Reading
from keepclear.formats.restrictions import parse_restriction
from keepclear.formats.zone_geometry import Space, spaces_of_ed269, spaces_of_ed318
from keepclear.model.extents import Volume
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Plans, Source, Zone

__all__ = ["MOST_BYTES", "read"]

MOST_BYTES = 64 << 20

_MOST_VOLUMES = 10_000
_LISTS = ("features", "UASZoneList")  # the latter in the Swiss files
_SHAPE = 'an ED-269 object with "features", or an ED-318 FeatureCollection'
_WHOLE_WINDOW = "the schedule of days and hours was left aside, the zone is taken to apply at all times of its period"

Window = tuple[float | None, float | None]


def read(stream: BinaryIO, reading: Reading) -> Plans:
    """The geo-zones of an ED-269 or ED-318 document; the ids are ``COUNTRY-IDENTIFIER``.

    A zone that applies only on some days or hours is taken to apply throughout its period, with a warning: so it may be
    found to conflict when it does not, never the other way round.

    Raises
    ------
    InputError
        With every fault found.
    """
    document = load_json(read_bounded(stream, MOST_BYTES, reading), reading)
    notes = Notes()
    for number, zone in enumerate(_zones(document, reading, notes), 1):
        fields = fields_of(zone, reading, f"zone {number}")
        if fields:
            _read_zone(fields, notes)
    notes.warn(reading)
    return reading.plans()


def _zones(document: object, reading: Reading, notes: Notes) -> list[object]:
    if isinstance(document, list):
        return document
    top = fields_of(document, reading, "")
    if top is None:
        return []
    name = next((name for name in _LISTS if top.given(name)), "")
    if name:
        _note_geoid(top, notes)
        return list_in(top, name)
    if top.given("geometry"):
        return [document]
    top.fault("no list of zones", _SHAPE, field="features")
    return []


def _note_geoid(top: Fields, notes: Notes) -> None:
    metadata = part_in(top, "metadata")
    geoid = metadata.text("otherGeoid") if metadata else ""
    if geoid:
        notes.add(f"heights above sea level are counted from {geoid}, and were read as from EGM96", "metadata")


def _read_zone(fields: Fields, notes: Notes) -> None:
    """One zone of either format: in ED-318 its properties and geometry stand side by side, in ED-269 they are one."""
    reading, before = fields.reading, len(fields.reading.faults)
    layered = fields.given("properties") or fields.text("type") == "Feature"
    properties = part_in(fields, "properties", "an object with identifier and type") if layered else fields
    if properties is None:
        return
    identifier = _identifier(properties)
    if identifier:
        fields.feature = properties.feature = f"zone {identifier}"
    restriction = "type" if layered else "restriction"
    rule = properties.attempt(restriction, parse_restriction, properties.text(restriction))
    periods = list(_periods(properties, "limitedApplicability" if layered else "applicability", notes))
    spaces = spaces_of_ed318(fields) if layered else spaces_of_ed269(fields, notes)
    volumes = _volumes(fields, spaces, periods)
    if rule is None or len(reading.faults) > before:
        return
    kind = reading.kind if isinstance(reading.kind, ZoneKind) else ZoneKind.GEO_ZONE
    source = Source(reading.file, fields.feature)
    zone = fields.attempt("", Zone, reading.party, identifier, kind, tuple(volumes), rule, _name(properties), source)
    if zone:
        reading.zones.append(zone)


def _identifier(fields: Fields) -> str:
    """Country and identifier together are unique worldwide, the identifier alone is not."""
    country, identifier = fields.text("country"), fields.text("identifier")
    if not identifier:
        fields.fault("no identifier", "the identifier of the zone", field="identifier")
    return f"{country}-{identifier}" if country and identifier else identifier


def _name(fields: Fields) -> str:
    """A text, or a list of texts with their languages: the English one, else the first."""
    value = fields.take("name")
    if isinstance(value, str):
        return value
    texts = [text for text in value if isinstance(text, dict)] if isinstance(value, list) else []
    texts.sort(key=lambda text: not str(text.get("lang")).lower().startswith("en"))
    return next((text["text"] for text in texts if isinstance(text.get("text"), str)), "")


def _periods(fields: Fields, name: str, notes: Notes) -> Iterator[Window]:
    """When the zone applies; always, where it says nothing of that."""
    found = False
    for period in objects_in(fields, name, "period"):
        found = True
        # The Swiss files call the schedule dailyPeriod.
        if any(_limits(day) for key in ("schedule", "dailyPeriod") for day in objects_in(period, key, "schedule")):
            notes.add(_WHOLE_WINDOW, fields.feature)
        start_s, end_s = period.time("startDateTime"), period.time("endDateTime")
        yield (None, None) if period.text("permanent").upper() == "YES" else (start_s, end_s)
    if not found:
        yield (None, None)


def _limits(day: Fields) -> bool:
    days = list_in(day, "day")
    return bool(days and "ANY" not in days) or any(
        day.given(name) for name in ("startTime", "endTime", "startEvent", "endEvent")
    )


def _volumes(fields: Fields, spaces: list[Space], periods: list[Window]) -> list[Volume]:
    if len(spaces) * len(periods) > _MOST_VOLUMES:
        count = f"{len(spaces)} geometries in {len(periods)} periods"
        fields.fault("too many volumes in one zone", f"at most {_MOST_VOLUMES}", field="geometry", value=count)
        return []
    made = [
        fields.attempt("", Volume, space.footprint, space.floor, space.ceiling, start_s, end_s)
        for space in spaces
        for start_s, end_s in periods
    ]
    return [volume for volume in made if volume]
