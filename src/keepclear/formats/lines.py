"""A text file in blocks of whole lines, so that a file of any size, even of one endless line, needs little memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault
from keepclear.formats.bounded import size_text

__all__ = ["LONGEST_LINE_BYTES", "Lines", "TextBlock", "line_blocks"]

LONGEST_LINE_BYTES = 2 << 20
"""The longest line that is read."""

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_NOT_TEXT = "save it as CSV in UTF-8"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole lines, and the number of the first of them, counted from 1."""

    first_line: int
    data: bytes

    @property
    def line_count(self) -> int:
        """How many lines there are; the last may lack its line break."""
        return self.data.count(b"\n") + (not self.data.endswith(b"\n"))


def line_blocks(stream: BinaryIO, file: str) -> Iterator[TextBlock | Fault]:
    """The lines of a stream; where it cannot be read on, the last item is the fault."""
    rest, line, started = b"", 1, False
    while data := stream.read(LONGEST_LINE_BYTES):
        if not started and data.startswith(_WIDE_BOMS):
            yield Fault("UTF-16 or UTF-32, not UTF-8", _NOT_TEXT, file)
            return
        if not started:
            data, started = data.removeprefix(_BOM), True
        if b"\0" in data:
            where = line + data.count(b"\n", 0, data.index(b"\0"))
            yield Fault("a zero byte: a binary file, or UTF-16", _NOT_TEXT, file, f"line {where}")
            return
        first, last = data.find(b"\n"), data.rfind(b"\n")
        head = len(rest) + (len(data) if first < 0 else first)
        if first >= 0 and head <= LONGEST_LINE_BYTES:
            block = TextBlock(line, rest + data[: last + 1])
            line += block.line_count
            rest = data[last + 1 :]
            yield block
        elif first < 0:
            rest += data
        if head > LONGEST_LINE_BYTES:
            problem = f"a line longer than {size_text(LONGEST_LINE_BYTES)}"
            yield Fault(problem, "one position a line", file, f"line {line}")
            return
    if rest:
        yield TextBlock(line, rest)


class Lines:
    """Which line of the file each row was on."""

    def __init__(self) -> None:
        self._first_rows: list[int] = []
        self._lines: list[int | npt.NDArray[np.int64]] = []

    def add(self, first_row: int, lines: int | npt.NDArray[np.int64]) -> None:
        """Rows from `first_row` on: the line of the first, if the others follow line by line, or all their lines."""
        self._first_rows.append(first_row)
        self._lines.append(lines)

    def name(self, row: int) -> str:
        """``line 17``, for a row counted from 0 through the whole file."""
        block = bisect_right(self._first_rows, row) - 1
        lines, index = self._lines[block], row - self._first_rows[block]
        return f"line {lines + index if isinstance(lines, int) else lines[index]}"
