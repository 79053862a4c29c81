"""Which rows belong together: the same operation of the same party on the same basis (planned or flown)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.formats.cells import Codes, Place, Vocabulary

__all__ = ["Groups", "order_of"]

_KEY = ("operation", "party", "track")
_MOST_PARTIES = 1 << 20
_BLOCK_ROWS = 1 << 20
_MOST_TRACKS = 1 << 10  # ways to write planned or flown; anything else is a fault in the end


class Groups:
    """Numbers the groups in the order in which they appear, and holds what all rows of each must say alike.

    Most operations are of one party and one basis: they have one group, found by one look in a table. The others are
    found through a dictionary.

    Parameters
    ----------
    fields
        The columns of text that the file has.

    Attributes
    ----------
    count
        How many groups there are so far.
    operations, said
        For each group the code of its operation, and for each other column the code of what its first row says.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self.count = 0
        self.operations = np.empty(0, np.int32)
        self.said = {field: np.empty(0, np.int32) for field in fields if field != "operation"}
        self._rest = np.empty(0, np.int32)
        self._first_of = np.empty(0, np.int32)
        self._others: dict[int, int] = {}

    def assign(self, codes: Mapping[str, Codes], words: Mapping[str, Vocabulary], place: Place) -> Codes:
        """The group of each row of a batch; a row that contradicts its group is noted as a fault."""
        starts = _runs(codes)
        if 2 * len(starts) > len(codes["operation"]):
            return self._assigned(codes, words, place, None)
        # Mostly a row says what the row before it said: one look for all rows of such a run.
        group = self._assigned({field: column[starts] for field, column in codes.items()}, words, place, starts)
        return np.repeat(group, np.diff(starts, append=len(codes["operation"])))

    def _assigned(
        self,
        codes: Mapping[str, Codes],
        words: Mapping[str, Vocabulary],
        place: Place,
        rows: npt.NDArray[np.intp] | None,
    ) -> Codes:
        """As `assign`; `rows` are the numbers of the rows in their batch, if not all of its rows are there."""
        operation = codes["operation"]
        if len(words["party"].texts) > _MOST_PARTIES or len(words["track"].texts) > _MOST_TRACKS:
            problem = f"more than {_MOST_PARTIES} parties, or {_MOST_TRACKS} ways to write planned or flown"
            raise InputError([*place.reading.faults, Fault(problem, file=place.reading.file)])
        rest = np.zeros(len(operation), np.int32)
        if "party" in codes:
            rest += codes["party"] * np.int32(_MOST_TRACKS)
        if "track" in codes:
            rest += codes["track"]
        missing = len(words["operation"].texts) - len(self._first_of)
        self._first_of = np.append(self._first_of, np.full(missing, -1, np.int32))
        group = self._first_of[operation]
        if np.min(group) < 0:
            self._open(np.flatnonzero(group < 0), codes, rest)
            group = self._first_of[operation]
        other = self._rest[group] != rest
        if other.any():
            self._look_up(group, np.flatnonzero(other), codes, rest)
        for field, said in self.said.items():
            if field in _KEY:
                continue
            differs = said[group] != codes[field]
            if differs.any():
                self._note(np.flatnonzero(differs), field, group, codes, words, place, rows)
        return group

    def _open(self, rows: npt.NDArray[np.intp], codes: Mapping[str, Codes], rest: Codes) -> None:
        """Open the first group of each operation that is new in `rows`."""
        operation = codes["operation"][rows]
        first_row = np.full(len(self._first_of), -1, np.intp)
        first_row[operation[::-1]] = rows[::-1]  # where an index repeats the last value stays: the first row
        new_rows = np.sort(first_row[first_row >= 0])
        new = codes["operation"][new_rows]
        self._first_of[new] = np.arange(self.count, self.count + len(new), dtype=np.int32)
        self._append(new_rows, codes, rest)

    def _look_up(self, group: Codes, rows: npt.NDArray[np.intp], codes: Mapping[str, Codes], rest: Codes) -> None:
        """Find, or open, the groups of rows whose operation was first seen with another party or basis."""
        keys = codes["operation"][rows].astype(np.int64) << 32 | rest[rows]
        different, first, which = np.unique(keys, return_index=True, return_inverse=True)
        found = np.empty(len(different), np.int32)
        for index in np.argsort(first):
            key = int(different[index])
            if key not in self._others:
                self._others[key] = self.count
                self._append(rows[first[index] : first[index] + 1], codes, rest)
            found[index] = self._others[key]
        group[rows] = found[which]

    def _append(self, rows: npt.NDArray[np.intp], codes: Mapping[str, Codes], rest: Codes) -> None:
        self.count += len(rows)
        self.operations = np.append(self.operations, codes["operation"][rows])
        self._rest = np.append(self._rest, rest[rows])
        for field, said in self.said.items():
            self.said[field] = np.append(said, codes[field][rows])

    def _note(
        self,
        rows: npt.NDArray[np.intp],
        field: str,
        group: Codes,
        codes: Mapping[str, Codes],
        words: Mapping[str, Vocabulary],
        place: Place,
        numbers: npt.NDArray[np.intp] | None,
    ) -> None:
        texts = words[field].texts
        _, first = np.unique(group[rows], return_index=True)
        for row in rows[np.sort(first)]:
            operation = words["operation"].texts[self.operations[group[row]]]
            before = texts[self.said[field][group[row]]]
            place.fault(
                int(row if numbers is None else numbers[row]),
                f"operation {operation[:60]!r} had {before[:60]!r} before",
                "the same in all rows of an operation",
                field,
                texts[codes[field][row]],
            )


def _runs(codes: Mapping[str, Codes]) -> npt.NDArray[np.intp]:
    """Where a row of a batch says something else than the row before it; the first row is the first."""
    columns = list(codes.values())
    changes = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        changes |= column[1:] != column[:-1]
    return np.concatenate(([0], np.flatnonzero(changes) + 1))


def order_of(group: Codes, count: int) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.intp]]:
    """How to bring the rows of each group together without changing their order within it.

    Returns
    -------
    order
        Row numbers, sorted; ``None`` if the rows are together already.
    starts
        Where, after that, each group that has rows begins.
    """
    changes = np.flatnonzero(group[1:] != group[:-1]) + 1
    sizes = np.zeros(count, np.int64)
    for start in range(0, len(group), _BLOCK_ROWS):  # bincount makes a copy, twice as large
        sizes += np.bincount(group[start : start + _BLOCK_ROWS], minlength=count)
    sizes = sizes[sizes > 0]
    if len(changes) + 1 == len(sizes):
        return None, np.concatenate(([0], changes))
    # Sorting group and row number as one integer is stable, and much faster than a stable argsort.
    bits = len(group).bit_length()
    packed = group.astype(np.int64)
    packed <<= bits
    packed |= np.arange(len(group), dtype=np.int64)
    packed.sort()
    packed &= (1 << bits) - 1
    return packed, np.concatenate(([0], np.cumsum(sizes)[:-1]))
