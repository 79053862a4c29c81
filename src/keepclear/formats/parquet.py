"""Positions in Apache Parquet, one a row, read batch by batch: the file may be larger than memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from keepclear.errors import Fault, InputError
from keepclear.formats.ahead import read_ahead
from keepclear.formats.columns import TEXTS, Layout, find_columns
from keepclear.formats.gathering import Gathering, Window
from keepclear.formats.opening import seekable_copy
from keepclear.formats.reading import Reading
from keepclear.model.operations import Plans

__all__ = ["MOST_PIPED_BYTES", "read"]

MOST_PIPED_BYTES = 64 << 30
"""The most that is read from a pipe: Parquet's index is at its end, so a pipe is first copied to disk."""

_BATCH_ROWS = 1 << 18
_BUFFER_BYTES = 1 << 20  # a column is fetched in pieces of this size, so that a huge row group costs no memory
_MOST_COLUMNS = 10_000
# A constant column costs nothing in the file and 8 bytes a row in memory, so a small file could fill any memory.
_MOST_ROWS_PER_BYTE = 32
_ANY_ROWS = 1 << 25
_SINGLE_PRECISION_M = 1.0  # half a step of a float32 at 180° is 0.85 m of longitude, at 90° 0.42 m of latitude


def read(stream: BinaryIO, reading: Reading, *, window: Window | None = None) -> Plans:
    """The operations of a Parquet file of positions.

    Parameters
    ----------
    window
        (from, to) in seconds since the epoch: of each operation only the legs that overlap it are kept, each whole.

    Raises
    ------
    InputError
        With every fault found.
    """
    with seekable_copy(stream, reading.file, MOST_PIPED_BYTES) as seekable, _refusing(reading):
        return _read(seekable, reading, window)


def _read(stream: BinaryIO, reading: Reading, window: Window | None) -> Plans:
    schema = pq.ParquetFile(stream, page_checksum_verification=True).schema_arrow
    if len(schema.names) > _MOST_COLUMNS:
        raise InputError(Fault(f"more than {_MOST_COLUMNS} columns", file=reading.file))
    layout = find_columns(schema.names, reading)
    if layout is None or not _types_fit(schema, layout, reading):
        return reading.plans()
    names = {field: schema.names[index] for field, index in layout.index.items()}
    source = pq.ParquetFile(
        stream,
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,  # it would hold on to all bytes read so far
        read_dictionary=[names[field] for field in TEXTS if field in names],
        page_checksum_verification=True,
    )
    single = [field for field in ("lat", "lon") if schema.field(layout.index[field]).type == pa.float32()]
    if single:
        reading.warn(f"{' and '.join(single)} in single precision: {_SINGLE_PRECISION_M:g} m of uncertainty is added")
    extra_m = _SINGLE_PRECISION_M if single else 0.0
    claimed_rows = _claimed_rows(source, stream, reading)
    expected_rows = claimed_rows if window is None or window == (None, None) else 0
    gathering = Gathering(
        layout, reading, _Rows(), window=window, expected_rows=expected_rows, extra_uncertainty_m=extra_m
    )
    rows = 0
    for batch in read_ahead(source.iter_batches(batch_size=_BATCH_ROWS, columns=sorted(set(names.values())))):
        batch.validate(full=True)
        rows += batch.num_rows
        if rows > claimed_rows:
            raise pa.ArrowInvalid(f"more rows than the {claimed_rows} that it says")
        gathering.add({field: batch.column(name) for field, name in names.items()}, batch.num_rows)
    return gathering.plans()


def _claimed_rows(source: pq.ParquetFile, stream: BinaryIO, reading: Reading) -> int:
    """How many rows the file says it has; refused where so small a file cannot hold so many different positions."""
    rows = int(source.metadata.num_rows)
    size_bytes = stream.seek(0, io.SEEK_END)
    if rows > max(_ANY_ROWS, _MOST_ROWS_PER_BYTE * size_bytes):
        problem = f"{rows} rows in {size_bytes} bytes: the same few values over and over"
        raise InputError([*reading.faults, Fault(problem, "one row for each position", reading.file)])
    return rows


class _Rows:
    """A Parquet file has no lines; its rows are counted from 1."""

    def name(self, row: int) -> str:
        return f"row {row + 1}"


def _types_fit(schema: pa.Schema, layout: Layout, reading: Reading) -> bool:
    sound = True
    for field, index in layout.index.items():
        problem, right = _misfit(field, schema.field(index).type)
        if problem:
            reading.fault(problem, right, field=layout.label(field), value=schema.field(index).type)
            sound = False
    return sound


def _misfit(field: str, kind: pa.DataType) -> tuple[str, str]:
    """What is wrong with a column's type, and what would be right; empty if nothing is."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind):
        return "", ""
    number = types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind)
    if field == "time":
        return _misfit_of_time(kind, number)
    if field in TEXTS:
        fits = types.is_integer(kind) or (field == "top_speed_m_s" and number)
        return ("", "") if fits else ("the column is of a type that gives no text", "a column of strings")
    if kind == pa.float16():
        return "half precision is too coarse", "a column of type double"
    return ("", "") if number else ("the column is of a type that gives no number", "a column of type double")


def _misfit_of_time(kind: pa.DataType, number: bool) -> tuple[str, str]:  # noqa: FBT001
    types = pa.types
    if types.is_timestamp(kind):
        naive = "the times have no zone, so they could mean any of a day's hours"
        return ("", "") if kind.tz else (naive, "a timestamp with a zone (UTC), or seconds since 1970")
    if kind in {pa.float16(), pa.float32()}:
        return "single precision holds seconds since 1970 to two minutes only", "a column of type double"
    wanted = "a timestamp with a zone, seconds since 1970 as a number, or RFC 3339 text"
    return ("", "") if number else ("the column is of a type that gives no time", wanted)


@contextmanager
def _refusing(reading: Reading) -> Iterator[None]:
    """Turn what the Parquet library says of a broken file into a fault."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:300].rstrip(".")
        fault = Fault(f"not a sound Parquet file: {reason}", "write the file again", reading.file)
        raise InputError([*reading.faults, fault]) from None
    except MemoryError:
        fault = Fault("the file asks for more memory than there is", "write it with smaller pages", reading.file)
        raise InputError([*reading.faults, fault]) from None
