"""What a cluster is sent: a day cut into stretches of time, each with the pieces of tracks that matter in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import kernel
from keepclear.separation.kept import Kept
from keepclear.separation.legs import TrackColumns
from keepclear.separation.search import Limits

__all__ = ["ClusterTile", "ClusterTiles", "Part", "columns_of_part", "own_array"]

Array = npt.NDArray[np.float64]
Part = tuple[Array, tuple[npt.NDArray[np.generic], ...]]
"""Numbers by position, a row for each of `_OF_POSITION` and tolerances by position; and arrays by track.

Plain arrays: Dask knows how large those are, and so when to spill them. The numbers as one, since each array is a
message of its own on the way.
"""

_LEAST_TILE = 50_000
_SLACK_S = 1e-3
_OF_POSITION = ("time_s", "lon_deg", "lat_deg", "height_m")
_OF_TRACK = ("operation", "reference", "gap_s", "on_ground")
_TOLERANCES = ("uncertainty_m", "early_s", "late_s")


@dataclass(frozen=True, slots=True)
class ClusterTile:
    """A stretch of time: whoever is sent it finds the pairs whose later leg begins in it."""

    low_s: float
    high_s: float


class ClusterTiles:
    """Cuts the positions of all tracks into tiles, and takes out what each of them needs.

    Parameters
    ----------
    most
        How many tiles there may be.

    Attributes
    ----------
    tiles
        From the beginning to the end of time, with about equal numbers of positions.
    """

    def __init__(self, columns: TrackColumns, limits: Limits, most: int) -> None:
        self._columns = columns
        early, late = (_by_track(columns, getattr(columns, name)) for name in ("early_s", "late_s"))
        self._slips = early, late + limits.time_s.max(initial=0.0)
        self._starts_s, self._ends_s = (columns.time_s[rows] for rows in (columns.first[:-1], columns.first[1:] - 1))
        self.tiles = [ClusterTile(*edges) for edges in pairwise(_edges(columns.time_s, most))]

    def part(self, tile: ClusterTile) -> Part:
        """The positions that bound legs under way in a tile, and what is known of their tracks."""
        columns = self._columns
        stretch = tile.low_s - _SLACK_S, tile.high_s + _SLACK_S
        tracks, begin, first = _ranges(
            columns.time_s, columns.first, self._starts_s, self._ends_s, *self._slips, *stretch
        )
        tolerances, others = (_TOLERANCES, ()) if columns.by_position else ((), _TOLERANCES)
        names = (*_OF_POSITION, *tolerances)
        numbers = np.empty((len(names), first[-1]))
        for row, name in zip(numbers, names, strict=True):
            _take(getattr(columns, name), begin, first, row)
        return numbers, (first, *(getattr(columns, name)[tracks] for name in (*_OF_TRACK, *others)))


def columns_of_part(part: Part, kept: Kept) -> TrackColumns:
    """What was sent, as columns again, in memory that is kept: they are gone when that of the next part are made."""
    numbers, of_track = part
    rows, many = kept.empty("numbers", numbers.shape), len(_OF_POSITION)
    rows[:] = numbers  # as `own_array` would
    return TrackColumns(*rows[:many], *map(own_array, of_track), *rows[many:])


def own_array(array: Any) -> Any:
    """An array that was sent, or was on disk, as a kernel takes it.

    It may be read-only or not aligned: another type, which the kernel would have to be compiled for.
    """
    return np.require(array, requirements=("C", "A", "W"))


def _by_track(columns: TrackColumns, tolerance: Array) -> Array:
    """The largest in each track of a tolerance."""
    if not columns.by_position or not len(tolerance):
        return tolerance
    return np.asarray(np.maximum.reduceat(tolerance, columns.first[:-1]))


def _edges(time_s: Array, most: int) -> list[float]:
    """Times between which about equal numbers of positions lie, from the beginning to the end of time."""
    tiles = max(1, min(most, len(time_s) // _LEAST_TILE))
    sample = time_s[:: max(1, len(time_s) // 100_000)]
    inner = np.unique(np.quantile(sample, np.linspace(0.0, 1.0, tiles + 1)[1:-1])) if tiles > 1 else np.empty(0)
    return [-math.inf, *inner.tolist(), math.inf]


@kernel
def _ranges(time_s, first, starts_s, ends_s, early, late, low, high):  # type: ignore[no-untyped-def]
    """Which tracks have legs under way between two times, where the positions that bound those begin, and their counts.

    One position more at both ends: what stands alone after a silence is told from what a leg leads to. The counts are
    added up: as where each track begins among all that are taken.
    """
    many = starts_s.shape[0]
    tracks, begin, taken = np.empty(many, np.int64), np.empty(many, np.int64), np.zeros(many + 1, np.int64)
    n = 0
    for track in range(many):
        if ends_s[track] < low - late[track] or starts_s[track] >= high + early[track]:
            continue
        start, end = first[track], first[track + 1]
        after = start + np.searchsorted(time_s[start:end], low - late[track])
        before = start + np.searchsorted(time_s[start:end], high + early[track])
        tracks[n], begin[n] = track, max(start, after - 2)
        taken[n + 1] = taken[n] + min(end, before + 2) - begin[n]
        n += 1
    return tracks[:n].copy(), begin[:n].copy(), taken[: n + 1].copy()


@kernel
def _take(column, begin, first, row):  # type: ignore[no-untyped-def]
    """Copy runs of a column end to end."""
    for n in range(begin.shape[0]):
        start, low = first[n], begin[n]
        for k in range(first[n + 1] - start):
            row[start + k] = column[low + k]
