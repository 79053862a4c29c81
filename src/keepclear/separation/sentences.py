"""One plain sentence per finding, which a duty officer can read out."""

from __future__ import annotations

import functools
import math

from keepclear.model.findings import Answer, Closest, Interval, Minima, Side
from keepclear.times import EARLIEST_S, LATEST_S, to_datetime, to_text

__all__ = ["metres", "place", "sentence_of", "time_of_day", "who"]

_IN_HOUR = [f"{second // 60:02d}:{second % 60:02d}Z" for second in range(3600)]


def sentence_of(
    answer: Answer, first: Side, second: Side, minima: Minima, intervals: tuple[Interval, ...], closest: Closest
) -> str:
    """What a finding says, in one sentence."""
    meeting = _meeting(first, second, minima, closest, sure=answer is Answer.CONFLICT)
    moment = "" if closest.time_a_s is None else f"{_moment(closest.time_a_s, closest.time_b_s)} "
    return f"{meeting} {moment}near {place(closest.a)}; {_span(intervals)}."


def who(side: Side) -> str:
    """Party, kind and id, for example ``"RU patrol P1"``."""
    kind = side.kind if side.kind is not None else ("zone" if side.is_zone else "operation")
    return f"{side.party} {kind} {side.id}"


def metres(value_m: float, *, below_m: float = math.inf) -> str:
    """A distance as a person says it: ``"120 m"``, ``"9,260 m"``, ``"46.30 km"``.

    With as many decimals as it takes to be seen to be below another distance, if it is.
    """
    if value_m < below_m - 1.0 and value_m < 20_000.0:  # as nearly all: no rounding reaches that far
        return f"{value_m:,.0f} m"
    text = ""
    for decimals in range(4):
        text = f"{value_m:,.{decimals}f}"
        if value_m >= below_m or round(value_m, decimals) < below_m:  # rounded as the text is
            break
    if value_m >= 20_000.0 and "." not in text:
        return f"{value_m / 1000.0:,.2f} km"
    return f"{text} m"


def place(position: tuple[float, float, float | None]) -> str:
    """Latitude first, as it is spoken: ``"37.0500N 41.2200E"``."""
    lon, lat, _ = position
    return f"{abs(lat):.4f}{'N' if lat >= 0.0 else 'S'} {abs(lon):.4f}{'E' if lon >= 0.0 else 'W'}"


def time_of_day(time_s: float) -> str:
    """Date and time to the second in UTC: ``"2019-11-01 09:10:00Z"``."""
    if not (EARLIEST_S <= time_s <= LATEST_S):
        to_datetime(time_s)  # says what is wrong with it
    hour, rest_ms = divmod(round(time_s * 1000.0), 3_600_000)  # to the millisecond first, as all times are told
    return _hour(hour) + _IN_HOUR[rest_ms // 1000]


@functools.lru_cache(maxsize=1 << 12)
def _hour(hour: int) -> str:
    return to_text(3600.0 * hour).replace("T", " ")[:14]


def _meeting(first: Side, second: Side, minima: Minima, closest: Closest, *, sure: bool) -> str:
    may = "" if sure else "may "
    if minima.horizontal_m > 0.0 and not sure and closest.horizontal_m == 0.0:  # a place is not known: nor a distance
        return f"{who(first)} and {who(second)} may come closer than the minimum of {_least(minima)}"
    if minima.horizontal_m > 0.0:
        return f"{who(first)} and {who(second)} {may}come {_distance(closest, minima)}"
    if first.is_zone != second.is_zone:
        inside, zone = (second, first) if first.is_zone else (first, second)
        return f"{who(inside)} {'is' if sure else 'may be'} inside {who(zone)}"
    return f"{who(first)} and {who(second)} {may}overlap"


def _distance(closest: Closest, minima: Minima) -> str:
    text = f"within {metres(closest.horizontal_m, below_m=minima.horizontal_m)}"
    if minima.vertical_m is not None and closest.vertical_m is not None:
        text += f" and {metres(closest.vertical_m, below_m=minima.vertical_m)} in height"
    return f"{text} of each other (the minimum is {_least(minima)})"


def _least(minima: Minima) -> str:
    return _least_of(minima.horizontal_m, minima.vertical_m, minima.time_s)


@functools.lru_cache(maxsize=1 << 8)  # there are as many as there are rules
def _least_of(horizontal_m: float, vertical_m: float | None, time_s: float) -> str:
    least = _exactly(horizontal_m)
    if vertical_m is not None:
        least += f" or {_exactly(vertical_m)} in height"
    return least + (f" for {time_s:,.6g} s" if time_s > 0.0 else "")


def _exactly(value_m: float) -> str:
    return f"{value_m:,.10g} m"


def _moment(time_s: float, other_s: float | None) -> str:
    if other_s is None or abs(other_s - time_s) < 1.0:
        return f"at {time_of_day(time_s)}"
    return f"at {time_of_day(time_s)} and {time_of_day(other_s)} of their plans"


def _span(intervals: tuple[Interval, ...]) -> str:
    first = intervals[0]
    start = "at any time" if first.start_s is None else f"from {time_of_day(first.start_s)}"
    until = first.end_s
    if len(intervals) > 1:
        ends = [interval.end_s for interval in intervals]
        until = None if None in ends else max(ends)  # type: ignore[type-var]  # there is no None in them
    if first.start_s is None and until is None:
        return "at any time"
    end = "with no known end" if until is None else f"to {time_of_day(until)}"
    times = f", {len(intervals)} times" if len(intervals) > 1 else ""
    return f"{start} {end}{times}"
