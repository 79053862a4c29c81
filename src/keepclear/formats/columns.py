"""The columns that a table of positions has: their names, and which of them a file holds.

`docs/howto/csv.md` documents them for those who write such files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keepclear.formats.reading import Reading
from keepclear.model.heights import HeightReference
from keepclear.units import feet_to_metres, flight_level_to_metres

__all__ = ["HEIGHT", "TEXTS", "TOLERANCES", "HeightColumn", "Layout", "find_columns", "most_known"]

TEXTS = (
    "operation", "party", "kind", "track", "domain", "name", "height_reference", "top_speed_m_s", "joint_plan",
    "joint_with",
)  # fmt: skip
"""Columns that say something of a whole operation, the same in each of its rows."""
TOLERANCES = ("uncertainty_m", "early_s", "late_s")
"""Columns that say how far a row may be off."""
HEIGHT = "height"
"""What the height column is called in a `Layout`, whichever it is."""

_REQUIRED = ("operation", "time", "lat", "lon")
_MOST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class HeightColumn:
    """A column of heights: its name, what its numbers are counted from, and how they become metres."""

    name: str
    reference: HeightReference
    to_metres: Callable[[Any], Any] | None = None


# In the order in which they are taken where a file has several: no conversion before conversion.
_HEIGHTS = (
    HeightColumn("height_m", HeightReference.W84),
    HeightColumn("height_amsl_m", HeightReference.AMSL),
    HeightColumn("height_ft", HeightReference.W84, feet_to_metres),
    HeightColumn("height_fl", HeightReference.FL, flight_level_to_metres),
)
_REFERENCE_FREE = ("height_m", "height_ft")  # those whose reference a column height_reference may say

_OTHER_NAMES = {
    "operation": ("id", "operation_id", "flight", "flight_id", "icao24", "callsign", "unit", "track_id", "vehicle"),
    "time": ("timestamp", "datetime", "date", "time_utc", "utc", "epoch", "time_s"),
    "lat": ("latitude", "lat_deg", "y"),
    "lon": ("longitude", "lng", "long", "lon_deg", "x"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a file are read.

    Attributes
    ----------
    index
        Position in the file of each column that is read, by the name it has here: those of `TEXTS` and `TOLERANCES`,
        ``time``, ``lat``, ``lon`` and `HEIGHT`.
    height
        Which column the heights are in; ``None`` if the file has none.
    """

    index: dict[str, int]
    height: HeightColumn | None

    def label(self, field: str) -> str:
        """What the file calls the column, for messages."""
        return self.height.name if field == HEIGHT and self.height else field


def find_columns(names: Sequence[str], reading: Reading) -> Layout | None:
    """The columns to read; ``None`` where one is missing or there twice, which is noted as a fault each."""
    plain = [_plain(name) for name in names]
    found = {name: index for index, name in reversed(list(enumerate(plain)))}
    known = {*TEXTS, *TOLERANCES, *_REQUIRED, "callsign", *(height.name for height in _HEIGHTS)}
    sound = True
    for name in sorted(known & found.keys()):
        if plain.count(name) > 1:
            reading.fault("the column is there twice", "each column once", field=name)
            sound = False
    for name in _REQUIRED:
        if name not in found:
            reading.fault("the column is missing", _hint(name, names, found), field=name)
            sound = False
    if not sound:
        return None
    height = next((height for height in _HEIGHTS if height.name in found), None)
    fields = {name: found[name] for name in (*_REQUIRED, *TEXTS, *TOLERANCES) if name in found}
    if height:
        fields[HEIGHT] = found[height.name]
    if "name" not in found and "callsign" in found:
        fields["name"] = found["callsign"]
    if "height_reference" in fields and (height is None or height.name not in _REFERENCE_FREE):
        del fields["height_reference"]
    _warn_unread([name for index, name in enumerate(names) if index not in fields.values()], height, reading)
    return Layout(fields, height)


def most_known(rows: Sequence[Sequence[str]]) -> int:
    """Index of the row that holds the most names of columns, then the most cells."""
    known = {*TEXTS, *TOLERANCES, *_REQUIRED, *(height.name for height in _HEIGHTS)}
    return max(range(len(rows)), key=lambda i: (sum(_plain(name) in known for name in rows[i]), len(rows[i])))


def _plain(name: str) -> str:
    return name.strip().casefold()


def _hint(missing: str, names: Sequence[str], found: dict[str, int]) -> str:
    for other in _OTHER_NAMES[missing]:
        if other in found:
            return f"rename the column {names[found[other]].strip()[:40]!r} to {missing!r} if that is what it holds"
    return f"name one column {missing!r}; found: {_listed(names)}"


def _warn_unread(unread: Sequence[str], height: HeightColumn | None, reading: Reading) -> None:
    other_heights = [name for name in unread if _plain(name) in {other.name for other in _HEIGHTS}]
    if height and other_heights:
        reading.warn(f"heights are read from {height.name}; left aside: {_listed(other_heights)}")
    rest = [name for name in unread if name not in other_heights]
    if rest:
        no_height = "" if height else "; no column gives heights (height_m, height_amsl_m, height_ft or height_fl)"
        reading.warn(f"columns that keepclear does not read were left aside: {_listed(rest)}{no_height}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} others" if len(names) > _MOST_SHOWN else ""
    return (", ".join(repr(name.strip()[:40]) for name in names[:_MOST_SHOWN]) or "nothing") + more
