"""The properties of one feature, taken by name and by type.

A property that is wrong is noted as a fault and then read as if it were not there, so that one look at a file finds
everything that is wrong with it.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from keepclear.errors import InputError
from keepclear.formats.reading import Reading
from keepclear.times import EARLIEST_S, LATEST_S, parse_time

__all__ = ["Fields", "TimeUnit", "is_number", "shown", "unread_warning"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

# The unit of a time that is written as a number: its name in messages, and how many make a second.
TimeUnit = tuple[str, float]

# A time this near to 1970 in milliseconds is far more likely a time of our days in seconds.
_LEAST_MILLISECONDS = 1e11


class Fields:
    """Typed access to the properties of one feature.

    Parameters
    ----------
    values
        The properties as they were written.
    reading
        Where faults go.
    feature
        What to call the feature in messages.

    Attributes
    ----------
    sound
        Whether nothing was found wrong so far. A feature that is not sound gives no extent.
    """

    def __init__(self, values: Mapping[str, object], reading: Reading, feature: str) -> None:
        self._values = values
        self._taken: set[str] = set()
        self.reading = reading
        self.feature = feature
        self.sound = True

    def fault(self, problem: str, right: str = "", *, field: str = "", value: object = "") -> None:
        """Note that something is wrong with this feature."""
        self.sound = False
        self.reading.fault(problem, right, feature=self.feature, field=field, value=shown(value))

    def given(self, name: str) -> bool:
        """Whether the property is there and not null."""
        return self._values.get(name) is not None

    def take(self, name: str) -> object:
        """The property as it was written; ``None`` where it is missing or null."""
        self._taken.add(name)
        return self._values.get(name)

    def untaken(self) -> list[str]:
        """Names of the properties that nobody asked for."""
        return [name for name in self._values if name not in self._taken]

    def text(self, name: str, default: str = "") -> str:
        """A text property."""
        value = self.take(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        self.fault("not a text", "a text in quotes", field=name, value=value)
        return default

    def number(self, name: str, right: str) -> float | None:
        """A property that is a finite number, 0 or more; `right` says what would be right."""
        value = self.take(name)
        if value is None:
            return None
        if is_number(value) and value >= 0.0:  # type: ignore[operator]
            return float(value)  # type: ignore[arg-type]
        self.fault("not a number of 0 or more", right, field=name, value=value)
        return None

    def time(self, name: str) -> float | None:
        """A property that is a time, in seconds since the epoch."""
        value = self.take(name)
        return None if value is None else self.as_time(value, name)

    def as_time(self, value: object, name: str, unit: TimeUnit = ("seconds", 1.0)) -> float | None:
        """Seconds since the epoch of RFC 3339 text, or of a number in `unit`."""
        if isinstance(value, str):
            return self.attempt(name, parse_time, value)
        if not is_number(value):
            self.fault("not a time", "RFC 3339 text such as 2026-01-31T09:00:00Z", field=name, value=value)
            return None
        label, per_second = unit
        count = float(value)  # type: ignore[arg-type]
        if per_second > 1.0 and abs(count) < _LEAST_MILLISECONDS:
            self.fault("looks like seconds", f"{label} since 1970, or RFC 3339 text", field=name, value=value)
            return None
        if not EARLIEST_S <= count / per_second <= LATEST_S:
            self.fault(
                "not a time between the years 1 and 9999",
                f"{label} since 1970 (not a smaller unit), or RFC 3339 text",
                field=name,
                value=value,
            )
            return None
        return count / per_second

    def attempt(self, field: str, make: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        """What `make` returns; where it refuses, its faults are noted under `field` and the result is ``None``."""
        try:
            return make(*args, **kwargs)
        except InputError as error:
            self.sound = False
            for fault in error.faults:
                feature = ", ".join(part for part in (self.feature, fault.feature) if part)
                self.reading.fault(
                    fault.problem, fault.right, feature=feature, field=field or fault.field, value=fault.value
                )
            return None


def is_number(value: object) -> bool:
    """Whether `value` is a finite number; true and false are none, though Python counts with them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def shown(value: object) -> str:
    """`value` for a message, cut before it is written out: a file's value may be millions of characters long."""
    return value[:200] if isinstance(value, str) else reprlib.repr(value)


def unread_warning(names: Mapping[str, int]) -> str:
    """One sentence about all properties of a file that were not read (name: in how many features)."""
    shown_names = ", ".join(repr(name[:40]) for name in sorted(names)[:20])
    more = f" and {len(names) - 20} others" if len(names) > 20 else ""
    return f"properties that keepclear does not read were left aside: {shown_names}{more}"
