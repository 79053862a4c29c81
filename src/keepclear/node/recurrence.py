"""Operations that come again: which days, at which time of a named zone, and when that is in UTC.

"A patrol every night but Friday" means every night on the clocks of the place, in summer time and in winter time. So an
occurrence is a day, and its start the time of day of the first one on that day's clocks. How long it takes stays the
same: a patrol of eight hours that runs through the night on which clocks change takes eight hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from keepclear.errors import Fault, InputError
from keepclear.model.extents import Track, Volume
from keepclear.model.operations import Operation
from keepclear.times import parse_time, to_datetime, to_text

__all__ = ["MOST_OCCURRENCES", "Occurrence", "Recurrence", "moved", "starts_s"]

MOST_OCCURRENCES = 4000
"""Of one series: ten years of every day."""
_MOST_AHEAD_S = 90 * 86_400.0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One of a series.

    Attributes
    ----------
    day
        On the clocks of the zone; it names the occurrence.
    start_s
        When it starts.
    note
        What is odd about that: clocks that are put forward skip some times, and put back have others twice.
    """

    day: date
    start_s: float
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When an operation comes again.

    Attributes
    ----------
    zone
        Of the clocks that count, by its name in the IANA database, for example ``Asia/Damascus``.
    days
        Of the week on which it starts, 1 for Monday to 7 for Sunday.
    until_s
        It starts no later than this.
    except_days
        Days on which it does not start all the same.
    ahead_s
        How long before its start each is filed.

    Raises
    ------
    InputError
        If one of them cannot be, with all faults.
    """

    zone: str
    days: frozenset[int]
    until_s: float
    except_days: frozenset[date] = frozenset()
    ahead_s: float = 7 * 86_400.0

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        try:
            _zone(self.zone)
        except InputError as error:
            faults += error.faults
        if not self.days or not self.days <= set(range(1, 8)):
            right = "1 for Monday to 7 for Sunday, at least one"
            faults.append(Fault("not days of the week", right, field="days", value=str(sorted(self.days))[:60]))
        if not 0.0 <= self.ahead_s <= _MOST_AHEAD_S:
            right = f"0 to {_MOST_AHEAD_S:.0f} seconds"
            faults.append(Fault("not a time to be ahead", right, field="ahead_s", value=str(self.ahead_s)))
        if not math.isfinite(self.until_s):
            faults.append(Fault("without an end", "until when", field="until"))
        if len(self.except_days) > MOST_OCCURRENCES:
            faults.append(Fault("too many days are left out", f"at most {MOST_OCCURRENCES}", field="except_days"))
        if faults:
            raise InputError(faults)

    def occurrences(self, first_s: float) -> Iterator[Occurrence]:
        """All of them, the first one starting then (if its day is one of the days); at most `MOST_OCCURRENCES`."""
        zone = _zone(self.zone)
        first = to_datetime(first_s).astimezone(zone)
        time, day = first.time().replace(tzinfo=None, fold=0), first.date()
        for _ in range(MOST_OCCURRENCES):
            local = datetime.combine(day, time, tzinfo=zone)
            # The first is when it was said to be, also in an hour that the clocks have twice.
            start_s = first_s if day == first.date() else local.astimezone(UTC).timestamp()
            if start_s > self.until_s:
                return
            if day.isoweekday() in self.days and day not in self.except_days:
                yield Occurrence(day, start_s, _note(local))
            try:
                day += timedelta(days=1)
            except OverflowError:  # the calendar ends
                return

    def check(self, first_s: float) -> None:
        """Refuse what comes never, or too often.

        Raises
        ------
        InputError
            If there is no occurrence, or more than `MOST_OCCURRENCES` days until the end.
        """
        if self.until_s - first_s > (MOST_OCCURRENCES - 1) * 86_400.0:
            right = f"at most {MOST_OCCURRENCES} days after the first; begin another then"
            raise InputError(Fault("too long", right, field="until", value=to_text(self.until_s)))
        if next(self.occurrences(first_s), None) is None:
            raise InputError(Fault("there is none", "a day of these, between the first and the end", field="days"))

    def to_json(self) -> dict[str, Any]:
        """As JSON, which `of_json` reads."""
        told: dict[str, Any] = {"zone": self.zone, "days": sorted(self.days), "until": to_text(self.until_s)}
        if self.except_days:
            told["except_days"] = [day.isoformat() for day in sorted(self.except_days)]
        return told | {"ahead_s": self.ahead_s}

    @classmethod
    def of_json(cls, members: Mapping[str, Any]) -> Recurrence:
        """The recurrence that a JSON object is.

        Raises
        ------
        InputError
            If it is none.
        """
        faults: list[Fault] = []
        unknown = sorted(members.keys() - {"zone", "days", "until", "except_days", "ahead_s"})
        faults += [Fault("there is no such member", field=str(name)[:60]) for name in unknown]
        until_s, days = math.nan, frozenset[date]()
        try:
            until_s = parse_time(str(members.get("until", "")))
        except InputError as error:
            faults += [replace(fault, field="until") for fault in error.faults]
        try:
            days = frozenset(map(date.fromisoformat, members.get("except_days", ())))
        except (ValueError, TypeError):
            faults.append(Fault("not days", 'like ["2026-01-31"]', field="except_days"))
        week, ahead_s = members.get("days"), members.get("ahead_s", 7 * 86_400.0)
        if not isinstance(week, list) or not all(type(one) is int for one in week):
            faults.append(Fault("not days of the week", "like [1, 2, 7]", field="days"))
        if isinstance(ahead_s, bool) or not isinstance(ahead_s, int | float):
            faults.append(Fault("not a number", "seconds", field="ahead_s"))
        if faults:
            raise InputError(faults)
        zone = str(members.get("zone", "UTC"))
        assert isinstance(week, list)
        return cls(zone=zone, days=frozenset(week), until_s=until_s, except_days=days, ahead_s=float(ahead_s))


def starts_s(operation: Operation) -> float:
    """When an operation starts, slip not counted: what a series is counted from.

    Raises
    ------
    InputError
        If it does not say.
    """
    times = [volume.start_s for volume in operation.volumes]
    times += [float(track.time_s[0]) for track in operation.tracks]
    known = [one for one in times if one is not None]
    if len(known) < len(times):
        problem = "a volume without a start cannot come again"
        raise InputError(Fault(problem, "give start and end", feature=operation.id, field="volumes"))
    return min(known)


def moved(operation: Operation, *, by_s: float, id: str) -> Operation:  # noqa: A002  # the name that it has there
    """The same operation so much later, under another id."""
    return replace(
        operation,
        id=id,
        volumes=tuple(_later_volume(one, by_s) for one in operation.volumes),
        tracks=tuple(_later_track(one, by_s) for one in operation.tracks),
    )


def _later_volume(volume: Volume, by_s: float) -> Volume:
    start_s = None if volume.start_s is None else volume.start_s + by_s
    end_s = None if volume.end_s is None else volume.end_s + by_s
    return replace(volume, start_s=start_s, end_s=end_s)


def _later_track(track: Track, by_s: float) -> Track:
    return replace(track, time_s=track.time_s + by_s)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory of that name
        right = "a name of the IANA database, for example Asia/Damascus"
        raise InputError(Fault("no such time zone", right, field="zone", value=name)) from None


def _note(local: datetime) -> str:
    """What is odd about a time on the clocks of a zone."""
    there = local.astimezone(UTC).astimezone(local.tzinfo)
    if there.replace(tzinfo=None) != local.replace(tzinfo=None):
        return f"the clocks skip {local:%H:%M} on that day; it starts at {there:%H:%M}"
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return f"the clocks have {local:%H:%M} twice on that day; it starts at the first"
    return ""
