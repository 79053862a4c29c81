"""The reference systems of space and time that old GeoJSON and Moving Features JSON name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keepclear.formats.fields import Fields

__all__ = ["check_systems"]

_RIGHT = "WGS84 longitude and latitude: leave crs out, or urn:ogc:def:crs:OGC:1.3:CRS84"
_RIGHT_TIME = "Gregorian dates and UTC: leave trs out, or urn:ogc:data:time:iso8601"
_AXIS_ORDER = "crs EPSG:4326 was read as longitude first, as GeoJSON files that name it are written"


def check_systems(thing: Mapping[str, object], fields: Fields, tally: Callable[[str], None]) -> None:
    """Note a fault where `thing` names another reference system than WGS84, or another calendar than the Gregorian.

    RFC 7946 section 4 took the ``crs`` member away; GeoJSON of 2008 has it, and OGC 19-045r3 has ``crs`` and ``trs``.
    """
    if "crs" in thing:
        _check_space(thing["crs"], fields, tally)
    if "trs" in thing:
        name = _name(thing["trs"])
        if not any(known in name.casefold() for known in ("iso8601", "iso-8601", "gregorian")):
            fields.fault("another calendar", _RIGHT_TIME, field="trs", value=name or thing["trs"])


def _check_space(crs: object, fields: Fields, tally: Callable[[str], None]) -> None:
    # The parts of urn:ogc:def:crs:OGC:1.3:CRS84 and http://www.opengis.net/def/crs/OGC/1.3/CRS84 that matter.
    name = _name(crs)
    parts = name.upper().replace("/", ":").split(":")
    if parts[-1] in ("CRS84", "CRS84H"):
        return
    if parts[-1] in ("4326", "4979") and "EPSG" in parts:
        tally(_AXIS_ORDER)
        return
    fields.fault("another coordinate reference system than WGS84", _RIGHT, field="crs", value=name or crs)


def _name(system: object) -> str:
    """The name, or the address, by which `system` is known; empty where there is none."""
    properties = system.get("properties") if isinstance(system, Mapping) else None
    name = (properties.get("name") or properties.get("href")) if isinstance(properties, Mapping) else None
    return name if isinstance(name, str) else ""
