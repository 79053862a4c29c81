"""Slips of the pen in a read-back: what would turn the place and time that were filed into those that came back.

A slip is offered only if, made on purpose, it leads to what came back. It is a question for a person, never a
correction: nothing here changes what was entered.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from keepclear.errors import InputError
from keepclear.times import to_datetime

__all__ = ["ReadBackSlip", "ReadBackSlipKind", "place_slip", "time_slip"]

_RADIUS_M = 6_371_008.8  # mean radius of WGS84: distances here only say whether a slip fits
_SQUARE_M = 100_000.0
_ZONE = re.compile(r"\s*(\d{1,2})(?=\s*[A-Za-z])", re.ASCII)
_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_OFFSETS_H = (*range(1, 15), 3.5, 4.5, 5.5, 6.5, 9.5)  # hours by which clocks of the world differ


class ReadBackSlipKind(StrEnum):
    """What may have happened."""

    SWAPPED = "latitude and longitude swapped"
    SEXAGESIMAL = "minutes and seconds typed as decimals"
    MINUTES = "minutes typed as decimals"
    DECIMALS = "decimals typed as minutes and seconds"
    ONE_MINUTE = "one minute of arc off"
    TEN_MINUTES = "ten minutes of arc off"
    ONE_DEGREE = "one degree off"
    TEN_DEGREES = "ten degrees off"
    HEMISPHERE = "the wrong hemisphere"
    ZONE = "another zone of the grid"
    SQUARE = "another square of the grid"
    DATUM = "another datum"
    HOURS = "another time zone"
    DAYS = "another day"
    DAY_MONTH = "day and month swapped"
    YEAR = "another year"


@dataclass(frozen=True, slots=True)
class ReadBackSlip:
    """What may have happened, and the question that settles it."""

    kind: ReadBackSlipKind
    question: str


class _Slipped(NamedTuple):
    kind: ReadBackSlipKind
    lon: float
    lat: float
    question: str


class _Axis(NamedTuple):
    kind: ReadBackSlipKind
    value: float
    question: str  # about one axis, which stands for {}


def place_slip(
    filed_lon: float, filed_lat: float, got_lon: float, got_lat: float, *, text: str = "", within_m: float
) -> tuple[ReadBackSlip, ...]:
    """The slip that leads from the place filed to the one that came back, the best fitting; none if none does.

    Parameters
    ----------
    filed_lon, filed_lat, got_lon, got_lat
        WGS84 degrees.
    text
        What was typed: a zone of the grid can be read in it.
    within_m
        How near a slip must come, metres; a quarter of the distance between the two at most.
    """
    distance_m = _distance_m(filed_lon, filed_lat, got_lon, got_lat)
    best, best_m = None, min(within_m, distance_m / 4.0)
    for slipped in _slipped(filed_lon, filed_lat):
        left_m = _distance_m(slipped.lon, slipped.lat, got_lon, got_lat)
        if left_m < best_m:
            best, best_m = ReadBackSlip(slipped.kind, slipped.question), left_m
    if best is None:
        best = _zone_in_text(filed_lon, filed_lat, text, within_m)
    return () if best is None else (best,)


def time_slip(filed_s: float, got_s: float, *, within_s: float) -> tuple[ReadBackSlip, ...]:
    """The slip that leads from the time filed to the one that came back; none if none does.

    Parameters
    ----------
    filed_s, got_s
        Seconds since the epoch.
    within_s
        How near a slip must come, seconds.
    """
    off_s = got_s - filed_s
    way = "later" if off_s > 0.0 else "earlier"
    for days in (1, 2, 3, 7):
        if abs(abs(off_s) - days * _DAY_S) <= within_s:
            return (ReadBackSlip(ReadBackSlipKind.DAYS, f"{_count(days, 'day')} {way}: is the day right?"),)
    for hours in sorted(_OFFSETS_H):
        if abs(abs(off_s) - hours * _HOUR_S) <= within_s:
            also = ", or a clock of twelve hours" if hours == 12 else ""
            question = f"{_count(hours, 'hour')} {way}: is it a time zone{also}?"
            return (ReadBackSlip(ReadBackSlipKind.HOURS, question),)
    filed = to_datetime(filed_s)
    for kind, moment, question in _dates(filed):
        if abs(moment.timestamp() - got_s) <= within_s:
            return (ReadBackSlip(kind, question),)
    return ()


def _slipped(lon: float, lat: float) -> Iterator[_Slipped]:
    if abs(lon) <= 90.0:
        yield _Slipped(ReadBackSlipKind.SWAPPED, lat, lon, "were latitude and longitude swapped?")
    lons, lats = list(_axis(lon, 180.0)), list(_axis(lat, 90.0))
    for one in lats:
        yield _Slipped(one.kind, lon, one.value, one.question.format("the latitude"))
    for one in lons:
        yield _Slipped(one.kind, one.value, lat, one.question.format("the longitude"))
    for one in lats:
        for other in lons:
            if one.kind is other.kind:
                question = one.question.format("the latitude, and the same of the longitude,")
                yield _Slipped(one.kind, other.value, one.value, question)
    yield from _on_grid(lon, lat)
    yield from _on_datums(lon, lat)


def _axis(value: float, limit: float) -> Iterator[_Axis]:
    sign, size = math.copysign(1.0, value), abs(value)
    degrees, minutes, seconds = _sexagesimal(size)
    as_typed = sign * (degrees + minutes / 100.0 + seconds / 10_000.0)
    question = f"was {{}} {degrees}°{minutes:02d}′{seconds:02.0f}″, typed as {as_typed:.4f}?"
    yield _Axis(ReadBackSlipKind.SEXAGESIMAL, as_typed, question)
    as_typed = sign * (degrees + (minutes + seconds / 60.0) / 100.0)
    question = f"was {{}} {degrees}°{minutes + seconds / 60.0:05.2f}′, typed as {as_typed:.5f}?"
    yield _Axis(ReadBackSlipKind.MINUTES, as_typed, question)
    hundredths = round(size * 10_000.0)
    meant = hundredths // 10_000, hundredths // 100 % 100, hundredths % 100
    if meant[1] < 60 and meant[2] < 60:
        as_read = sign * (meant[0] + meant[1] / 60.0 + meant[2] / 3_600.0)
        question = f"was {{}} {sign * size:.4f}, typed as {meant[0]}°{meant[1]:02d}′{meant[2]:02d}″?"
        yield _Axis(ReadBackSlipKind.DECIMALS, as_read, question)
    for kind, off, name in (
        (ReadBackSlipKind.ONE_MINUTE, 1.0 / 60.0, "one minute of arc"),
        (ReadBackSlipKind.TEN_MINUTES, 10.0 / 60.0, "ten minutes of arc"),
        (ReadBackSlipKind.ONE_DEGREE, 1.0, "one degree"),
        (ReadBackSlipKind.TEN_DEGREES, 10.0, "ten degrees"),
    ):
        for by in (off, -off):
            if abs(value + by) <= limit:
                yield _Axis(kind, value + by, f"is {{}} {name} off?")
    yield _Axis(ReadBackSlipKind.HEMISPHERE, -value, "is {} of the wrong hemisphere?")


def _sexagesimal(size: float) -> tuple[int, int, float]:
    tenths = round(size * 36_000.0)  # of a second: so that 59.99 does not stay below 60
    return tenths // 36_000, tenths // 600 % 60, tenths % 600 / 10.0


def _on_grid(lon: float, lat: float) -> Iterator[_Slipped]:
    if not -80.0 <= lat <= 84.0:
        return
    zone = _zone_of(lon)
    easting, northing = _utm(zone, lat < 0.0)(lon, lat)
    for other in (zone - 1, zone + 1):
        wrong = (other - 1) % 60 + 1
        there_lon, there_lat = _utm(wrong, lat < 0.0)(easting, northing, inverse=True)
        yield _Slipped(ReadBackSlipKind.ZONE, there_lon, there_lat, f"was zone {wrong} taken for zone {zone}?")
    for east, north in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        moved = easting + east * _SQUARE_M, northing + north * _SQUARE_M
        there_lon, there_lat = _utm(zone, lat < 0.0)(*moved, inverse=True)
        question = "are the letters of the square those of its neighbour?"
        yield _Slipped(ReadBackSlipKind.SQUARE, there_lon, there_lat, question)


def _on_datums(lon: float, lat: float) -> Iterator[_Slipped]:
    from keepclear.geo.datums import datum_named, to_wgs84  # with pyproj, which takes long to load

    for name in ("SK-42", "ED50"):
        shifted = to_wgs84(lon, lat, datum_named(name))
        question = f"were the figures, which are WGS84, taken for {name}?"
        yield _Slipped(ReadBackSlipKind.DATUM, shifted.lon_deg, shifted.lat_deg, question)
        # The other way round differs by less than the width of a road.
        question = f"were figures on {name} given as WGS84?"
        yield _Slipped(ReadBackSlipKind.DATUM, 2.0 * lon - shifted.lon_deg, 2.0 * lat - shifted.lat_deg, question)


def _zone_in_text(lon: float, lat: float, text: str, within_m: float) -> ReadBackSlip | None:
    """A zone typed wrongly, where the letters that follow put the place somewhere else again."""
    from keepclear.geo.coordinates import read_position  # with pyproj, which takes long to load

    match = _ZONE.match(text)
    zone = _zone_of(lon)
    if match is None or int(match[1]) == zone:
        return None
    try:
        meant = read_position(f"{zone}{text[match.end() :]}", datum="WGS84")
    except InputError:
        return None
    if _distance_m(meant.lon_deg, meant.lat_deg, lon, lat) > within_m + meant.uncertainty_m:
        return None
    return ReadBackSlip(ReadBackSlipKind.ZONE, f"was zone {int(match[1])} typed for zone {zone}?")


def _dates(filed: datetime) -> Iterator[tuple[ReadBackSlipKind, datetime, str]]:
    for year in (filed.year - 1, filed.year + 1):
        moment = _dated(filed, year, filed.month, filed.day)
        if moment is not None:
            yield ReadBackSlipKind.YEAR, moment, f"is the year {filed.year}, and not {year}?"
    swapped = _dated(filed, filed.year, filed.day, filed.month)
    if swapped is not None and swapped != filed:
        yield ReadBackSlipKind.DAY_MONTH, swapped, "were day and month swapped?"


def _dated(filed: datetime, year: int, month: int, day: int) -> datetime | None:
    try:
        return filed.replace(year=year, month=month, day=day)
    except ValueError:  # no such day
        return None


def _count(number: float, unit: str) -> str:
    return f"{'one' if number == 1 else f'{number:g}'} {unit}{'' if number == 1 else 's'}"


def _zone_of(lon: float) -> int:
    return int((lon + 180.0) // 6.0) % 60 + 1


@cache
def _utm(zone: int, south: bool) -> Any:  # noqa: FBT001  # a key of the cache
    from pyproj import Proj  # which takes long to load

    return Proj(proj="utm", zone=zone, ellps="WGS84", south=south)


def _distance_m(lon0: float, lat0: float, lon1: float, lat1: float) -> float:
    if not (math.isfinite(lon0) and math.isfinite(lat0)):  # the grid does not reach there
        return math.inf
    a, b, dlon = math.radians(lat0), math.radians(lat1), math.radians(lon1 - lon0)
    half = math.sin((b - a) / 2.0) ** 2 + math.cos(a) * math.cos(b) * math.sin(dlon / 2.0) ** 2
    return 2.0 * _RADIUS_M * math.asin(math.sqrt(min(1.0, half)))
