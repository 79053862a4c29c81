"""From rows of positions, in whatever order operations are mixed, to operations with tracks.

Rows stay in arrays from the file to the tracks: a track is a view into the sorted columns. An operation's rows must be
in the order of their times; rows of several operations may be mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from keepclear.formats.cells import Array, Codes, Place, RowNames, Vocabulary, numbers, times
from keepclear.formats.columns import HEIGHT, TEXTS, TOLERANCES, Layout
from keepclear.formats.grouping import Groups, order_of
from keepclear.formats.growing import GrowingColumn
from keepclear.formats.latlon import latitudes_longitudes
from keepclear.formats.reading import Reading
from keepclear.formats.tracks import Backward, Table, build_operations
from keepclear.formats.windowing import WindowFilter
from keepclear.model.operations import Plans
from keepclear.times import to_text

__all__ = ["Gathering", "Window"]

Window = tuple[float | None, float | None]
Rows = npt.NDArray[np.int64]

_GROUP, _ROW = "group", "row"
_FOLDED = {"kind", "track", "domain", "height_reference"}
_INFINITE_ALLOWED = {"early_s", "late_s"}


@dataclass(slots=True)
class _Found:
    """What must be told once about all rows."""

    rows: int = 0
    earliest_s: float = np.inf
    latest_s: float = -np.inf
    null_island: int = 0
    written_m: float = 0.0


class Gathering:
    """Collects the rows of one file.

    Parameters
    ----------
    window
        (from, to) in seconds since the epoch: of each operation only the legs are kept that overlap it. A leg is kept
        whole. With columns ``early_s`` or ``late_s`` everything is kept, as slip can carry any leg into the window.
    expected_rows
        How many rows are likely to come, where that is known: memory is set aside for them.
    extra_uncertainty_m
        Added to every row's uncertainty.
    """

    def __init__(
        self,
        layout: Layout,
        reading: Reading,
        names: RowNames,
        *,
        window: Window | None = None,
        expected_rows: int = 0,
        extra_uncertainty_m: float = 0.0,
    ) -> None:
        self._layout = layout
        self._reading = reading
        self._names = names
        self._extra_uncertainty_m = extra_uncertainty_m
        defaults = {"party": reading.party, "track": "flown"}
        self._words = {
            field: Vocabulary(reading, field, default=defaults.get(field, ""), folded=field in _FOLDED)
            for field in TEXTS
        }
        self._groups = Groups(tuple(field for field in TEXTS if field in layout.index))
        self._columns: dict[str, GrowingColumn] = {}
        self._expected_rows = expected_rows
        self._found = _Found()
        slips = _INFINITE_ALLOWED & layout.index.keys()
        self._window = None if window is None or slips or window == (None, None) else WindowFilter(window)

    def add(self, columns: Mapping[str, pa.Array], count: int) -> None:
        """Take the next `count` rows: a column for each field of the layout."""
        if not count:
            return
        place = Place(self._reading, self._names, self._found.rows)
        values = self._values(columns, count, place)
        codes = {field: words.codes(columns[field]) for field, words in self._words.items() if field in columns}
        self._check_named(codes["operation"], place)
        group = self._groups.assign(codes, self._words, place)
        self._note(values, count)
        if self._window is None:
            self._keep({**values, _GROUP: group})
            return
        rows = np.arange(place.first_row, place.first_row + count, dtype=np.int64)
        values, group, rows, back = self._window.passed(values, group, rows)
        self._report_backward(back)
        self._keep({**values, _GROUP: group, _ROW: rows})

    def plans(self) -> Plans:
        """The operations of all rows taken.

        Raises
        ------
        InputError
            With every fault found.
        """
        if not self._found.rows:
            self._reading.fault("no positions in it", "at least one row below the names of the columns")
        if self._reading.faults or not self._columns:
            return self._reading.plans() if self._reading.faults else self._nothing_kept()
        table = self._sorted()
        if not self._reading.faults:
            table = self._without_repeats(table)
            self._warn()
            extra_m = self._extra_uncertainty_m + self._found.written_m
            build_operations(table, self._groups, self._words, self._layout, self._reading, self._names, extra_m)
        return self._reading.plans()

    def _values(self, columns: Mapping[str, pa.Array], count: int, place: Place) -> dict[str, Array]:
        label = self._layout.label(HEIGHT)
        time_s = times(columns["time"], "time", place)
        lat, lon, written_m = latitudes_longitudes(columns["lat"], columns["lon"], place)
        self._found.written_m = max(self._found.written_m, written_m)
        values = {"time": time_s, "lon": lon, "lat": lat}
        if self._layout.height is None:
            values[HEIGHT] = np.full(count, np.nan)
        else:
            values[HEIGHT] = self._heights(columns[HEIGHT], label, place)
        for field in TOLERANCES:
            if field in self._layout.index:
                high = np.inf if field in _INFINITE_ALLOWED else 1e7
                tolerance = numbers(columns[field], field, place, low=0.0, high=high, missing=True)
                values[field] = np.nan_to_num(tolerance, nan=0.0, posinf=np.inf)
        return values

    def _heights(self, column: pa.Array, label: str, place: Place) -> Array:
        assert self._layout.height
        to_metres = self._layout.height.to_metres
        per_unit = to_metres(1.0) if to_metres else 1.0
        low, high = -12_000.0 / per_unit, 1e6 / per_unit
        values = numbers(column, label, place, low=low, high=high, missing=True)
        return values if to_metres is None else to_metres(values)

    def _check_named(self, operation: Codes, place: Place) -> None:
        nameless = self._words["operation"].code("")
        for row in np.flatnonzero(operation == nameless):
            place.fault(int(row), "no operation", "the id of the operation that the position is of", "operation")

    def _note(self, values: dict[str, Array], count: int) -> None:
        found = self._found
        found.rows += count
        found.earliest_s = min(found.earliest_s, float(np.min(values["time"])))
        found.latest_s = max(found.latest_s, float(np.max(values["time"])))
        on_equator = values["lat"] == 0.0
        if on_equator.any():
            found.null_island += int(np.count_nonzero(on_equator & (values["lon"] == 0.0)))

    def _keep(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        if not len(columns[_GROUP]):
            return
        for field, values in columns.items():
            if field not in self._columns:
                self._columns[field] = GrowingColumn(values.dtype, self._expected_rows)
            self._columns[field].append(values)

    def _sorted(self) -> Table:
        """All rows, those of a group together, and the faults of those whose time goes back."""
        group = self._columns.pop(_GROUP).whole()
        order, starts = order_of(group, self._groups.count)
        rows = self._columns.pop(_ROW).whole() if _ROW in self._columns else None
        columns = {field: self._columns.pop(field).whole() for field in list(self._columns)}
        if order is None:
            table = Table(columns, group[starts], starts, rows)
        else:
            table = Table(_taken(columns, order), group[order[starts]], starts, order if rows is None else rows[order])
        if self._window is None:
            self._report_backward(table.backward())
        return table

    def _report_backward(self, places: list[Backward]) -> None:
        for back in places:
            operation = self._words["operation"].texts[self._groups.operations[back.group]]
            more = f" (and {back.more} more times in it)" if back.more else ""
            self._reading.fault(
                f"the time goes back: operation {operation[:60]!r} was at {to_text(back.before_s)}{more}",
                "the rows of each operation in the order of their times",
                feature=self._names.name(back.row),
                field="time",
                value=to_text(back.time_s),
            )

    def _without_repeats(self, table: Table) -> Table:
        table, dropped = table.without_repeats()
        if dropped:
            rows = "row repeats" if dropped == 1 else "rows repeat"
            self._reading.warn(f"{dropped} {rows} the position before it and were left out")
        return table

    def _nothing_kept(self) -> Plans:
        self._warn()
        return Plans((), (), tuple(self._reading.warnings))

    def _warn(self) -> None:
        found, warn = self._found, self._reading.warn
        if found.null_island:
            warn(
                f"{found.null_island} positions are exactly at latitude 0, longitude 0, as of a receiver without a fix"
            )
        if found.written_m:
            warn(
                f"positions in degrees, minutes and seconds are as exact as they are written: {found.written_m:g} m of "
                "uncertainty was added to all positions of the file"
            )
        if max(-found.earliest_s, found.latest_s) < 366 * 86400.0:
            warn("all times are within a year of 1970-01-01: are they seconds since then?")


def _taken(columns: dict[str, Array], order: Rows) -> dict[str, Array]:
    """The columns in another order: two at a time, so that no more than two are there twice."""
    taken: dict[str, Array] = {}

    def take(field: str) -> None:
        taken[field] = np.take(columns.pop(field), order)

    fields = list(columns)
    with ThreadPoolExecutor(max_workers=2) as threads:
        for _ in threads.map(take, fields):
            pass
    return {field: taken[field] for field in fields}
