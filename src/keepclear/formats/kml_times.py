"""KML's TimeSpan and TimeStamp.

KML allows a year, a month, a day or a time without a zone; none of them is an instant, so none is taken for one.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from keepclear.formats.fields import Fields
from keepclear.formats.kml_tree import child, text

__all__ = ["is_date_only", "placemark_times", "time_primitive"]

_DATE = re.compile(r"-?\d{4}(-\d\d){0,2}(Z|[+-]\d\d:\d\d)?", re.ASCII)


def time_primitive(element: Element) -> Element | None:
    """The TimeSpan or TimeStamp of a feature or a folder."""
    return child(element, "TimeSpan", "TimeStamp")


def placemark_times(primitive: Element | None, fields: Fields) -> tuple[float | None, float | None, float | None]:
    """Begin, end and stamp, in seconds since the epoch; ``None`` for each that is not given."""
    if primitive is None:
        return None, None, None
    begin, end, when = (_time(primitive, name, fields) for name in ("begin", "end", "when"))
    return begin, end, when


def is_date_only(value: object, fields: Fields, field: str) -> bool:
    """Whether `value` is a year, month or day; then a fault is noted."""
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return False
    right = "a time of day with a zone, for example 2026-01-31T09:00:00Z"
    fields.fault("only a date: the time of day is missing", right, field=field, value=value)
    return True


def _time(primitive: Element, name: str, fields: Fields) -> float | None:
    value = text(primitive, name)
    if not value or is_date_only(value, fields, name):
        return None
    return fields.as_time(value, name)
