"""Where times become text and numbers.

Inside, a time is a float64 of seconds since 1970-01-01T00:00:00Z (POSIX seconds, no leap seconds); at the edges it
is an aware ``datetime`` or RFC 3339 text. A time without a zone is refused.
"""

from __future__ import annotations

import functools
import math
import re
from datetime import UTC, datetime, timedelta, timezone

from keepclear.errors import Fault, InputError

__all__ = ["EARLIEST_S", "LATEST_S", "parse_time", "to_datetime", "to_text"]

EARLIEST_S = -62135596800.0  # 0001-01-01T00:00:00Z: what a datetime can hold
LATEST_S = 253402300799.999  # 9999-12-31T23:59:59.999Z

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WANTED = "write it as RFC 3339 with a zone, for example 2026-01-31T09:00:00Z or 2026-01-31T12:00:00+03:00"


def parse_time(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time.

    A space instead of ``T``, a missing seconds part and a decimal comma are accepted; a missing zone is not.

    Raises
    ------
    InputError
        If the text is no such time, has no zone, or names an instant that does not exist (30 February).
    """
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        raise InputError(Fault("not a time", _WANTED, value=text))
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if zone is None:
        raise InputError(Fault("the time has no zone, so it could mean any of a day's hours", _WANTED, value=text))
    seconds = int(second or 0)
    try:
        # A leap second is taken as the first instant of the next minute, as POSIX time does.
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), min(seconds, 59), tzinfo=_zone(zone))
    except ValueError as error:
        raise InputError(Fault(f"no such time: {error}", _WANTED, value=text)) from None
    if seconds > 60 or (seconds == 60 and int(minute) != 59):
        raise InputError(Fault("no such time: second must be in 0..59", _WANTED, value=text))
    whole = (moment - _EPOCH) // timedelta(seconds=1) + (seconds - min(seconds, 59))
    return whole + (int(fraction) / 10 ** len(fraction) if fraction else 0.0)


def to_datetime(time_s: float) -> datetime:
    """Aware UTC ``datetime`` of seconds since the epoch.

    Raises
    ------
    InputError
        If the time is not finite or outside the years 1 to 9999.
    """
    if not (math.isfinite(time_s) and EARLIEST_S <= time_s <= LATEST_S):
        raise InputError(Fault("not a time between the years 1 and 9999", value=str(time_s)))
    return _EPOCH + timedelta(seconds=time_s)


def to_text(time_s: float) -> str:
    """RFC 3339 text in UTC with milliseconds, for example ``2026-01-31T09:00:00.000Z``."""
    if not (EARLIEST_S <= time_s <= LATEST_S):
        to_datetime(time_s)  # says what is wrong with it
    minute, rest_ms = divmod(round(time_s * 1000.0), 60_000)
    return f"{_minute_text(minute)}{rest_ms // 1000:02d}.{rest_ms % 1000:03d}Z"


@functools.lru_cache(maxsize=1 << 12)  # an answer holds many times of the same few days
def _minute_text(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).isoformat()[:17]


def _zone(text: str) -> timezone:
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise InputError(Fault("no such offset from UTC", _WANTED, value=text))
    return timezone(sign * timedelta(hours=hours, minutes=minutes))
