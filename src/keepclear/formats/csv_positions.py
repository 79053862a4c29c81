"""Positions in CSV, one a line, read block by block: the file may be larger than memory, or a pipe."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pc

from keepclear.errors import Fault, InputError
from keepclear.formats.ahead import read_ahead
from keepclear.formats.columns import TEXTS, Layout, find_columns, most_known
from keepclear.formats.gathering import Gathering, Window
from keepclear.formats.lines import Lines, TextBlock, line_blocks
from keepclear.formats.reading import Reading
from keepclear.model.operations import Plans

__all__ = ["read"]

_DELIMITERS = ",;\t"
_MOST_COLUMNS = 10_000
_ENDS = "lines that end in LF or CR LF"
_CODED = pa.dictionary(pa.int32(), pa.string())


def read(stream: BinaryIO, reading: Reading, *, window: Window | None = None) -> Plans:
    """The operations of a CSV file of positions.

    Parameters
    ----------
    window
        (from, to) in seconds since the epoch: of each operation only the legs that overlap it are kept, each whole.

    Raises
    ------
    InputError
        With every fault found.
    """
    blocks = line_blocks(stream, reading.file)
    head = _head(blocks, reading)
    if head is None:
        return reading.plans()
    names, delimiter, first = head
    layout = find_columns(names, reading)
    if layout is None:
        return reading.plans()
    lines = Lines()
    gathering = Gathering(layout, reading, lines, window=window)
    rows = 0
    for parsed in read_ahead(_parsed(_Parser(layout, len(names), delimiter), first, blocks)):
        if isinstance(parsed, Fault):
            reading.faults.append(parsed)
            raise InputError(reading.faults)
        for line in parsed.undecodable:
            reading.fault("not UTF-8", "save the file as UTF-8", feature=f"line {line}")
        lines.add(rows, _lines_of(parsed, len(names), delimiter, reading))
        gathering.add({field: parsed.table.column(field) for field in layout.index}, parsed.table.num_rows)
        rows += parsed.table.num_rows
    return gathering.plans()


def _head(blocks: Iterator[TextBlock | Fault], reading: Reading) -> tuple[list[str], str, TextBlock] | None:
    """The names of the columns, what separates them, and the rest of their block; ``None`` for an empty file."""
    for block in blocks:
        if isinstance(block, Fault):
            raise InputError([*reading.faults, block])
        start = 0
        for number, line in enumerate(io.BytesIO(block.data)):
            start += len(line)
            if line.strip(b" \t\r\n"):
                names, delimiter = _names(line, f"line {block.first_line + number}", reading)
                return names, delimiter, TextBlock(block.first_line + number + 1, block.data[start:])
    return None


def _names(line: bytes, where: str, reading: Reading) -> tuple[list[str], str]:
    line = line.rstrip(b"\r\n")
    if b"\r" in line:
        raise InputError(Fault("a carriage return inside a line", _ENDS, reading.file, where))
    try:
        text = line.decode("utf-8")
        rows = [next(csv.reader([text], delimiter=delimiter), []) for delimiter in _DELIMITERS]
    except (UnicodeDecodeError, csv.Error):
        problem = "the line that names the columns cannot be read"
        raise InputError(Fault(problem, "names of columns in UTF-8, between commas", reading.file, where)) from None
    best = most_known(rows)
    if len(rows[best]) > _MOST_COLUMNS:
        raise InputError(Fault(f"more than {_MOST_COLUMNS} columns", file=reading.file, feature=where))
    return rows[best], _DELIMITERS[best]


@dataclass(frozen=True, slots=True)
class _Parsed:
    """One block as columns: how many of its rows had another number of cells, and lines that were not UTF-8."""

    block: TextBlock
    table: pa.RecordBatch
    odd_rows: int
    undecodable: Sequence[int] = ()


class _Parser:
    """Turns blocks into columns, as numbers and times where a block is all numbers and times, else as text."""

    def __init__(self, layout: Layout, column_count: int, delimiter: str) -> None:
        self._layout = layout
        self._delimiter = delimiter
        self._names = [f"unread {index}" for index in range(column_count)]
        for field, index in layout.index.items():
            self._names[index] = field
        # A decimal comma is taken for granted only where commas do not separate cells: there 1,234 is ambiguous.
        points = "." if delimiter == "," else ".,"
        times = (pa.timestamp("us", "UTC"), pa.float64())
        self._ways = [(time, pa.float64(), point) for point in points for time in times]
        self._last_way = (pa.string(), pa.string(), ".")

    def parse(self, block: TextBlock) -> _Parsed:
        """The columns of a block."""
        undecodable: Sequence[int] = ()
        if not _is_utf8(block.data):  # seen to first: pyarrow cannot hand on an odd row that is not UTF-8
            undecodable = _undecodable(block)
            block = TextBlock(block.first_line, block.data.decode("utf-8", "replace").encode())
        for way in self._ways:
            try:
                parsed = self._parse(block, *way, undecodable=undecodable)
            except pa.ArrowInvalid:
                continue
            self._ways.remove(way)
            self._ways.insert(0, way)  # the next block is likely to be written in the same way
            return parsed
        return self._parse(block, *self._last_way, undecodable=undecodable)

    def _parse(
        self, block: TextBlock, time: pa.DataType, number: pa.DataType, point: str, undecodable: Sequence[int] = ()
    ) -> _Parsed:
        odd: list[None] = []

        def leave_out(_row: pc.InvalidRow) -> str:
            odd.append(None)
            return "skip"

        fields = list(self._layout.index)
        types = {field: _CODED if field in TEXTS else time if field == "time" else number for field in fields}
        table = pc.read_csv(
            pa.BufferReader(block.data),
            # No threads: a block is parsed in one piece, and a thread that outlives the call holds on to `leave_out`
            # and can meet the interpreter shutting down.
            pc.ReadOptions(use_threads=False, column_names=self._names, block_size=len(block.data) + 1),
            pc.ParseOptions(delimiter=self._delimiter, invalid_row_handler=leave_out),
            pc.ConvertOptions(
                column_types=types,
                include_columns=fields,
                null_values=[""],
                timestamp_parsers=[pc.ISO8601],
                decimal_point=point,
            ),
        ).combine_chunks()
        batches = table.to_batches()
        batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
        return _Parsed(block, batch, len(odd), undecodable)


def _parsed(parser: _Parser, first: TextBlock, blocks: Iterator[TextBlock | Fault]) -> Iterator[_Parsed | Fault]:
    """Blocks as columns. Runs on a thread of its own, so what is wrong is handed on, not noted."""
    if first.data:
        yield parser.parse(first)
    for item in blocks:
        yield item if isinstance(item, Fault) else parser.parse(item)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _undecodable(block: TextBlock) -> list[int]:
    lines = []
    for number, line in enumerate(io.BytesIO(block.data)):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            lines.append(block.first_line + number)
    return lines


def _lines_of(parsed: _Parsed, cells: int, delimiter: str, reading: Reading) -> int | npt.NDArray[np.int64]:
    """The line of each row: of the first, where rows and lines match one to one, else of all."""
    block = parsed.block
    if block.data.count(b"\r") != block.data.count(b"\r\n"):
        line = block.first_line + block.data.replace(b"\r\n", b"\n").partition(b"\r")[0].count(b"\n")
        reading.fault("a carriage return inside a line", _ENDS, feature=f"line {line}")
        raise InputError(reading.faults)
    if not parsed.odd_rows and parsed.table.num_rows == block.line_count:
        return block.first_line
    lines = _matched(block, cells, delimiter, reading)
    if len(lines) != parsed.table.num_rows:
        where = f"lines {block.first_line} to {block.first_line + block.line_count - 1}"
        reading.fault("quotes that do not match", 'quotes in pairs; inside a quoted cell ""', feature=where)
        raise InputError(reading.faults)
    return np.array(lines, np.int64)


def _matched(block: TextBlock, cells: int, delimiter: str, reading: Reading) -> list[int]:
    """The lines with the right number of cells, read one by one; the others are noted, empty ones passed over."""
    text = io.StringIO(block.data.decode("utf-8", "replace"), newline="\n")
    rows = csv.reader(text, delimiter=delimiter)
    lines: list[int] = []
    before = 0
    try:
        for row in rows:
            line, before, span = block.first_line + before, rows.line_num, rows.line_num - before
            if span > 1:
                right = "each cell, and each row, on one line"
                reading.fault("a quoted cell goes on over several lines", right, feature=f"line {line}")
            if row and len(row) != cells:
                right = f"{cells} cells, as many as there are names of columns"
                reading.fault(f"{len(row)} cells in this line", right, feature=f"line {line}")
            elif row:
                lines.append(line)
    except csv.Error as error:
        reading.fault(f"cannot be split into cells: {error}", feature=f"line {block.first_line + before}")
        raise InputError(reading.faults) from None
    return lines
