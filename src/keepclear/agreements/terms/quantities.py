"""Quantities of terms: a number with its unit, as people write them in an agreement. A number without one is refused.

Lengths become metres, durations seconds, heights a number of metres above a named surface, times seconds since the
epoch, also where an agreement counts them from another: "2019-10-23T09:00Z + 150 h". All of it in UTC: a day is 24
hours, whatever clocks on a wall do meanwhile.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime

from keepclear.errors import Fault, InputError
from keepclear.formats.decimals import parse_number
from keepclear.model.heights import Height, HeightReference, parse_height_reference
from keepclear.times import LATEST_S, parse_time, to_datetime, to_text
from keepclear.units import FOOT_M, NAUTICAL_MILE_M

__all__ = [
    "months_after_s",
    "read_duration",
    "read_height",
    "read_length",
    "read_moment",
    "read_months",
    "said_duration",
    "said_length",
    "said_moment",
]

_LENGTHS_M = {"m": 1.0, "km": 1000.0, "nm": NAUTICAL_MILE_M, "ft": FOOT_M}
_DURATIONS_S = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
}
_SPEEDS = ("kmh", "km/h", "kph", "kt", "kts", "kn", "mph", "m/s", "mps")
_LENGTH_WANTED = 'a number and m, km, NM or ft, for example "10 km"'
_DURATION_WANTED = 'a number and s, min, h or d, for example "150 h"'
_HEIGHT_WANTED = '"FL250", or a number, m or ft, and AMSL, W84 or AGL, for example "3000 ft AMSL"; "GND" for the ground'
_MONTHS_WANTED = 'a whole number and "months" or "years", for example "6 months"'
_QUANTITY = re.compile(r"\s*([^A-Za-z\s/]+)\s*([A-Za-z/]*)\s*")
_HEIGHT = re.compile(r"\s*([^A-Za-z\s]+)\s*(m|ft)\s+([A-Za-z0-9]+)\s*", re.IGNORECASE)
_LEVEL = re.compile(r"\s*FL\s*(\d{1,3})\s*", re.IGNORECASE)
_SUM = re.compile(r"(.*\S)\s+\+\s+(\S.*)", re.DOTALL)
_MOST_M, _MOST_S, _MOST_MONTHS = 2.0e7, 3.2e9, 1200
_LONGEST = 200


def read_length(text: object) -> float:
    """Metres of a length such as ``"10 km"``, 0 or more.

    Raises
    ------
    InputError
        If there is no number, no unit, or another unit than a length's.
    """
    return _quantity(text, "a length", _LENGTHS_M, _LENGTH_WANTED, _MOST_M)


def read_duration(text: object) -> float:
    """Seconds of a duration such as ``"150 h"``, 0 or more.

    Raises
    ------
    InputError
        If there is no number, no unit, or another unit than a duration's.
    """
    return _quantity(text, "a duration", _DURATIONS_S, _DURATION_WANTED, _MOST_S)


def read_months(text: object) -> int:
    """Whole months of ``"6 months"`` or ``"1 year"``: how long they are depends on when they begin.

    Raises
    ------
    InputError
        If it is something else.
    """
    match = re.fullmatch(r"\s*(\d{1,4})\s*(months?|years?)\s*", _text(text, "a number of months", _MONTHS_WANTED))
    months = int(match[1]) * (12 if match[2].startswith("y") else 1) if match else 0
    if not 0 < months <= _MOST_MONTHS:
        raise InputError(Fault("not a number of months", _MONTHS_WANTED, value=str(text)))
    return months


def months_after_s(from_s: float, months: int) -> float:
    """The moment so many months later in UTC; the last day of a month that is shorter."""
    start = to_datetime(from_s)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    first = datetime(year, month + 1, 1, tzinfo=UTC)
    after = datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC)
    day = min(start.day, (after - first).days)
    return from_s + (first.replace(day=day) - start.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


def read_height(text: object) -> Height:
    """A height with its surface: ``"FL250"``, ``"3000 ft AMSL"``, ``"100 m AGL"``, ``"GND"``.

    Raises
    ------
    InputError
        If the number, the unit or the surface is missing.
    """
    written = _text(text, "a height", _HEIGHT_WANTED)
    if written.strip().upper() in ("GND", "SFC"):
        return Height(0.0, HeightReference.AGL)
    if level := _LEVEL.fullmatch(written):
        return Height.of_flight_level(float(level[1]))
    match = _HEIGHT.fullmatch(written)
    if match is None:
        problem = "a flight level without a number" if written.strip().upper() == "FL" else "not a height"
        raise InputError(Fault(problem, _HEIGHT_WANTED, value=written))
    reference = parse_height_reference(match[3])
    if reference in (HeightReference.FL, HeightReference.UNKNOWN):
        raise InputError(Fault("not a height", _HEIGHT_WANTED, value=written))
    return Height(_number(match[1], written, _HEIGHT_WANTED) * _LENGTHS_M[match[2].lower()], reference)


def read_moment(text: object) -> float:
    """Seconds since the epoch of an RFC 3339 time, or of one and a duration: ``"2019-10-23T09:00Z + 150 h"``.

    Raises
    ------
    InputError
        If it is no time, has no zone, or is no instant of the calendar.
    """
    wanted = 'RFC 3339 with a zone, for example 2026-01-31T09:00:00Z, and after it "+ 150 h" if need be'
    if isinstance(text, datetime):  # YAML makes times of what looks like one
        if text.tzinfo is None:
            raise InputError(
                Fault("the time has no zone, so it could mean any of a day's hours", wanted, value=str(text))
            )
        return text.timestamp()
    written = _text(text, "a time", wanted)
    added = _SUM.fullmatch(written)
    moment_s = parse_time(added[1] if added else written)
    if added:
        moment_s += read_duration(added[2])
    if moment_s > LATEST_S:
        raise InputError(Fault("not a time between the years 1 and 9999", wanted, value=written))
    return moment_s


def said_duration(duration_s: float) -> str:
    """A duration as a person says it: ``"24 h"``, ``"3 d 4 h"``, ``"27 min"``, ``"45 s"``."""
    parts, left = [], round(abs(duration_s))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(left, size)
        if unit == "d" and count < 4:  # "72 h" is what agreements say
            continue
        if count:
            parts.append(f"{count} {unit}")
        left = rest
    return " ".join(parts[:2]) or "0 s"


def said_moment(time_s: float) -> str:
    """Date and time in UTC as they are read out: ``"2019-11-01 09:10:00Z"``."""
    text = to_text(time_s)
    return f"{text[:10]} {text[11:19]}Z"


def said_length(length_m: float) -> str:
    """A length as a person says it: ``"120 m"``, ``"9,260 m"``, ``"46.3 km"``."""
    if length_m >= 20_000.0 or (length_m >= 1000.0 and length_m % 1000.0 == 0.0):
        return f"{length_m / 1000.0:,.2f}".rstrip("0").rstrip(".") + " km"
    return f"{length_m:,.0f} m"


def _quantity(text: object, what: str, units: dict[str, float], wanted: str, most: float) -> float:
    written = _text(text, what, wanted)
    match = _QUANTITY.fullmatch(written)
    if match is None:
        raise InputError(Fault(f"not {what}", wanted, value=written))
    number, unit = _number(match[1], written, wanted), match[2]
    if not unit:
        raise InputError(Fault("a number without a unit", wanted, value=written))
    factor = units.get(unit.lower())
    if unit in ("M", "S", "H", "D") or factor is None:  # M could be a mile, a metre, a minute or a month
        problem = f"{unit} is a speed, not {what}" if unit.lower() in _SPEEDS else f"{unit} is no unit of {what}"
        raise InputError(Fault(problem, wanted, value=written))
    if not 0.0 <= number * factor <= most:
        raise InputError(Fault(f"not {what}: out of range", wanted, value=written))
    return number * factor


def _number(text: str, whole: str, wanted: str) -> float:
    try:
        number = parse_number(text, thousands_possible=True)
    except InputError as error:
        raise InputError([replace(fault, right=wanted, value=whole) for fault in error.faults]) from None
    if math.isnan(number):
        raise InputError(Fault("not a number", wanted, value=whole))
    return number


def _text(value: object, what: str, wanted: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise InputError(Fault("a number without a unit", wanted, value=str(value)))
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise InputError(Fault(f"not {what}", wanted, value=str(value)[:_LONGEST]))
    return value
