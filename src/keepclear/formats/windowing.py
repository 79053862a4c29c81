"""Keeping, while rows stream by, only the legs that overlap a window of time.

A leg between two rows of one group is kept whole if any part of it lies in the window, so that nothing that crosses the
window's edge is lost. What is held besides is the last row of each group.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from keepclear.formats.cells import Array, Codes
from keepclear.formats.tracks import Backward, Table

__all__ = ["Passed", "WindowFilter"]

Rows = npt.NDArray[np.int64]
Passed = tuple[dict[str, Array], Codes, Rows, list[Backward]]
_A = TypeVar("_A", bound=np.generic)


class WindowFilter:
    """Passes on the rows of each group that bound a leg in the window, and lone rows inside it.

    Parameters
    ----------
    window
        (from, to) in seconds since the epoch, both included; ``None`` for an open end.
    """

    def __init__(self, window: tuple[float | None, float | None]) -> None:
        low, high = window
        self._from_s = -np.inf if low is None else low
        self._to_s = np.inf if high is None else high
        # The last row of each group so far, and whether it was passed on already.
        self._values: dict[str, Array] = {}
        self._group: Codes = np.empty(0, np.int32)
        self._rows: Rows = np.empty(0, np.int64)
        self._done: npt.NDArray[np.bool_] = np.empty(0, np.bool_)

    def passed(self, values: dict[str, Array], group: Codes, rows: Rows) -> Passed:
        """Rows to keep, those held back before among them, and where time goes back in what is new."""
        present = np.zeros(max(int(group.max()), int(self._group.max(initial=0))) + 1, np.bool_)
        present[group] = True
        again = present[self._group]
        group, rows = _after(self._group[again], group), _after(self._rows[again], rows)
        done = _after(self._done[again], np.zeros(len(rows) - int(again.sum()), np.bool_))
        held = {field: self._values.get(field, column[:0]) for field, column in values.items()}
        values = {field: _after(held[field][again], column) for field, column in values.items()}

        order = np.argsort(group, kind="stable")
        group, rows, done = group[order], rows[order], done[order]
        values = {field: column[order] for field, column in values.items()}
        last = np.append(group[1:] != group[:-1], [True])
        keep = self._kept(values["time"], last)

        rest = ~again
        self._group = _after(self._group[rest], group[last])
        self._rows = _after(self._rows[rest], rows[last])
        self._done = _after(self._done[rest], (done | keep)[last])
        self._values = {field: _after(held[field][rest], column[last]) for field, column in values.items()}

        starts = np.concatenate(([0], np.flatnonzero(last)[:-1] + 1))
        backward = Table({"time": values["time"]}, group[starts], starts, rows).backward()
        new = keep & ~done
        return {field: column[new] for field, column in values.items()}, group[new], rows[new], backward

    def _kept(self, time_s: Array, last: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        keep = (time_s >= self._from_s) & (time_s <= self._to_s)
        leg = (time_s[:-1] <= self._to_s) & (time_s[1:] >= self._from_s) & ~last[:-1]
        keep[:-1] |= leg
        keep[1:] |= leg
        return keep


def _after(first: npt.NDArray[_A], second: npt.NDArray[_A]) -> npt.NDArray[_A]:
    return np.concatenate((first, second))
