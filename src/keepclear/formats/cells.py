"""The cells of a batch of rows, as arrays: numbers, times and coded texts, checked column by column.

Everything is vectorised; single cells are looked at only where a column will not convert as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from keepclear.errors import InputError
from keepclear.formats.decimals import parse_number
from keepclear.formats.reading import Reading
from keepclear.times import EARLIEST_S, LATEST_S, parse_time

__all__ = ["Array", "Codes", "Place", "RowNames", "Vocabulary", "is_text", "numbers", "times"]

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

_LONGEST_TEXT = 10_000  # characters; an id or a name needs a hundredth of that
_TIME_WANTED = "RFC 3339 with a zone, for example 2026-01-31T09:00:00Z, or seconds since 1970"
_UNLIMITED = ("unlimited", "inf")


class RowNames(Protocol):
    """Gives rows the names that messages call them by."""

    def name(self, row: int) -> str:
        """What to call a row, counted from 0 through the whole file: ``line 17`` or ``row 16``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch of cells stands in its file, for messages."""

    reading: Reading
    names: RowNames
    first_row: int

    def fault(self, row: int, problem: str, right: str, field: str, value: object = "") -> None:
        """Note a fault in row `row` of the batch."""
        feature = self.names.name(self.first_row + row)
        self.reading.fault(problem, right, feature=feature, field=field, value=value)


class Vocabulary:
    """The different texts of one column, numbered in the order in which they appear.

    Parameters
    ----------
    default
        What an empty cell stands for.
    folded
        Whether upper and lower case are the same.
    """

    def __init__(self, reading: Reading, field: str, *, default: str = "", folded: bool = False) -> None:
        self.texts: list[str] = []
        self.field = field
        self._reading = reading
        self._default = default
        self._folded = folded
        self._codes: dict[str, int] = {}
        self._last: pa.Array | None = None
        self._table: Codes = np.empty(0, np.int32)

    def code(self, text: str) -> int:
        """The number of a text."""
        known = self._codes.get(text)
        return self._new_code(text) if known is None else known

    def _new_code(self, text: str) -> int:
        plain = text.strip() or self._default
        if self._folded:
            plain = plain.casefold()
        if len(plain) > _LONGEST_TEXT:
            self._reading.fault(f"longer than {_LONGEST_TEXT} characters", field=self.field, value=plain[:100])
            plain = plain[:_LONGEST_TEXT]
        code = self._codes.setdefault(plain, len(self.texts))
        if code == len(self.texts):
            self.texts.append(plain)
        if plain != text:
            self._codes[text] = code
        return code

    def codes(self, array: pa.Array) -> Codes:
        """The numbers of the texts in a column, int32, as many as there are rows."""
        coded = _coded(array)
        # Batches of one row group share a dictionary: it is looked up once, not once a batch.
        if self._last is None or not coded.dictionary.equals(self._last):
            texts = coded.dictionary.to_pylist()
            codes = list(map(self._codes.get, texts))
            if None in codes:
                for place in [place for place, code in enumerate(codes) if code is None]:
                    codes[place] = self._new_code(texts[place] or "")
            self._table = np.array(codes, np.int32)
            self._last = coded.dictionary
        if coded.null_count:
            table: Codes = np.append(self._table, np.int32(self.code("")))
            places: npt.NDArray[np.int32] = coded.indices.fill_null(-1).to_numpy()
            return table[places]
        return np.take(self._table, _values(coded.indices))


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of this type hold texts."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def numbers(array: pa.Array, field: str, place: Place, *, low: float, high: float, missing: bool) -> Array:
    """A column of numbers from `low` to `high`; what is not is noted.

    Parameters
    ----------
    missing
        Whether a cell may be empty; it is then NaN.
    """
    values, noted = _convert(array, lambda cells: _text_numbers(cells, field, place))
    if len(values) and not (low <= np.min(values) and np.max(values) <= high):  # NaN fails this too
        outside = ~((values >= low) & (values <= high))
        if missing:
            outside &= ~np.isnan(values)
        outside[noted] = False
        for row in np.flatnonzero(outside):
            place.fault(int(row), *_out_of_range(field, float(values[row]), low, high), field, _written(array, row))
    return values


def times(array: pa.Array, field: str, place: Place) -> Array:
    """A column of times as seconds since the epoch; what is no time is noted."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type):
        values = _seconds(array)
        noted: list[int] = []
    else:
        values, noted = _convert(array, lambda cells: _text_times(cells, field, place))
    if len(values) and not (np.min(values) >= EARLIEST_S and np.max(values) <= LATEST_S):
        wrong = ~((values >= EARLIEST_S) & (values <= LATEST_S))
        outside = wrong.copy()
        outside[noted] = False
        for row in np.flatnonzero(outside):
            value = float(values[row])
            problem = "no time" if np.isnan(value) else "not a time between the years 1 and 9999"
            milliseconds = np.isfinite(value) and abs(value) > LATEST_S
            right = "seconds since 1970: these look like a smaller unit" if milliseconds else _TIME_WANTED
            place.fault(int(row), problem, right, field, _written(array, row))
        values = np.where(wrong, np.nan, values)  # which compares with no time as before or after it
    return values


def _out_of_range(field: str, value: float, low: float, high: float) -> tuple[str, str]:
    if np.isnan(value):
        return "no value", f"a number from {low:g} to {high:g}"
    if field == "lat" and abs(value) <= 180.0:
        return "latitude out of range: lat and lon may be swapped", "latitude from -90 to 90"
    what = {"lat": "latitude", "lon": "longitude"}.get(field, "number")
    return f"{what} out of range", f"from {low:g} to {high:g}"


def _written(array: pa.Array, row: Any) -> str:
    cell = array[int(row)]
    if not cell.is_valid:
        return ""
    # A timestamp may lie far outside the years that a datetime holds: it is shown as the number that it is.
    return str(cell.value if pa.types.is_timestamp(array.type) else cell.as_py())[:200]


def _coded(array: pa.Array) -> pa.DictionaryArray:
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    if coded.type.value_type != pa.string():
        coded = pa.DictionaryArray.from_arrays(coded.indices, coded.dictionary.cast(pa.string()))
    return coded


def _convert(array: pa.Array, read_texts: Callable[[pa.Array], tuple[Array, list[int]]]) -> tuple[Array, list[int]]:
    """Values as float64 (NaN where empty), and the rows already noted as faulty."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if is_text(array.type):
        return read_texts(array)
    if array.type != pa.float64():
        array = array.cast(pa.float64(), safe=False)
    return _values(array), []


def _values(array: pa.Array) -> npt.NDArray[Any]:
    """Numbers as they are, NaN where empty."""
    # Arrow's own conversion looks for pandas first, which takes a fifth of a second to import where there is one.
    return array.to_numpy(zero_copy_only=False) if array.null_count else np.from_dlpack(array)


def _text_numbers(cells: pa.Array, field: str, place: Place) -> tuple[Array, list[int]]:
    try:
        plain = pc.if_else(pc.equal(cells, ""), None, cells)
        return plain.cast(pa.float64()).to_numpy(zero_copy_only=False), []
    except pa.ArrowInvalid:
        pass

    def parse(text: str) -> float:
        if field in {"early_s", "late_s"} and text.strip().lower() in _UNLIMITED:
            return float("inf")
        return parse_number(text, thousands_possible=True)

    return _one_by_one(cells, parse, field, place)


def _text_times(cells: pa.Array, field: str, place: Place) -> tuple[Array, list[int]]:
    try:
        return _seconds(cells.cast(pa.timestamp("us", "UTC"))), []
    except pa.ArrowInvalid:
        pass
    try:
        return cells.cast(pa.float64()).to_numpy(zero_copy_only=False), []
    except pa.ArrowInvalid:
        pass

    def parse(text: str) -> float:
        if not text.strip():
            return float("nan")
        try:
            return parse_time(text)
        except InputError:
            try:
                return parse_number(text, thousands_possible=True)
            except InputError:
                pass
            raise

    return _one_by_one(cells, parse, field, place)


def _one_by_one(cells: pa.Array, parse: Callable[[str], float], field: str, place: Place) -> tuple[Array, list[int]]:
    values = np.full(len(cells), np.nan)
    noted: list[int] = []
    for row, text in enumerate(cells.to_pylist()):
        try:
            values[row] = parse(text or "")
        except InputError as error:
            noted.append(row)
            for fault in error.faults:
                place.fault(row, fault.problem, fault.right, field, fault.value[:200])
    return values, noted


_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def _seconds(array: pa.Array) -> Array:
    """Seconds of timestamps, rounded as `parse_time` rounds: whole seconds plus the fraction."""
    per_second = _PER_SECOND[array.type.unit]
    if array.null_count:
        ticks = array.cast(pa.int64()).fill_null(np.iinfo(np.int64).max).to_numpy()
    else:
        ticks = array.cast(pa.int64()).to_numpy()
    whole = ticks // per_second
    values: Array = whole + (ticks - whole * per_second) / per_second
    if array.null_count:
        values[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return values
