"""One plain sentence per finding, which a duty officer can read out."""

from __future__ import annotations

from keepclear.model.findings import Answer, Closest, Interval, Minima, Side
from keepclear.times import to_text

__all__ = ["metres", "place", "sentence_of", "time_of_day", "who"]


def sentence_of(
    answer: Answer, first: Side, second: Side, minima: Minima, intervals: tuple[Interval, ...], closest: Closest
) -> str:
    """What a finding says, in one sentence."""
    verb = _verb(first, second, sure=answer is Answer.CONFLICT)
    parts = [f"{who(first)} and {who(second)} {verb}"]
    if closest.horizontal_m > 0.0 or minima.horizontal_m > 0.0:
        parts.append(_distance(closest, minima))
    if closest.time_a_s is not None:
        parts.append(_moment(closest))
    parts.append(f"near {place(closest.a)}")
    text = " ".join(parts)
    span = _span(intervals)
    return f"{text}; {span}." if span else f"{text}."


def who(side: Side) -> str:
    """Party, kind and id, for example ``"RU patrol P1"``."""
    kind = f"{side.kind.value} " if side.kind is not None else ("zone " if side.is_zone else "operation ")
    return f"{side.party} {kind}{side.id}"


def metres(value_m: float) -> str:
    """A distance as a person says it: ``"120 m"``, ``"9.26 km"``."""
    if value_m < 10.0 and value_m != int(value_m):
        return f"{value_m:.3g} m"
    return f"{value_m:,.0f} m" if value_m < 10_000.0 else f"{value_m / 1000.0:,.2f} km"


def place(position: tuple[float, float, float | None]) -> str:
    """Latitude first, as it is spoken: ``"37.0500N 41.2200E"``."""
    lon, lat, _ = position
    return f"{abs(lat):.4f}{'N' if lat >= 0.0 else 'S'} {abs(lon):.4f}{'E' if lon >= 0.0 else 'W'}"


def time_of_day(time_s: float) -> str:
    """Date and time to the second in UTC: ``"2019-11-01 09:10:00Z"``."""
    text = to_text(time_s)
    return f"{text[:10]} {text[11:19]}Z"


def _verb(first: Side, second: Side, *, sure: bool) -> str:
    if first.is_zone != second.is_zone:
        return "meet" if sure else "may meet"
    return "come" if sure else "may come"


def _distance(closest: Closest, minima: Minima) -> str:
    height = "" if closest.vertical_m is None else f" and {metres(closest.vertical_m)} in height"
    least = metres(minima.horizontal_m)
    if minima.vertical_m is not None:
        least += f" or {metres(minima.vertical_m)} in height"
    return f"within {metres(closest.horizontal_m)}{height} of each other (the minimum is {least})"


def _moment(closest: Closest) -> str:
    assert closest.time_a_s is not None
    text = f"at {time_of_day(closest.time_a_s)}"
    other = closest.time_b_s
    if other is not None and abs(other - closest.time_a_s) >= 1.0:
        text += f" and {time_of_day(other)} of their plans"
    return text


def _span(intervals: tuple[Interval, ...]) -> str:
    first = intervals[0]
    start = "at any time" if first.start_s is None else f"from {time_of_day(first.start_s)}"
    ends = [interval.end_s for interval in intervals]
    until = max(end for end in ends if end is not None) if None not in ends else None
    if first.start_s is None and until is None:
        return "at any time"
    end = "with no known end" if until is None else f"to {time_of_day(until)}"
    times = f", {len(intervals)} times" if len(intervals) > 1 else ""
    return f"{start} {end}{times}"
