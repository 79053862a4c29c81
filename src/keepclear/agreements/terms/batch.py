"""Many filings as columns: what terms look at first, to leave aside what is within them for certain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import on_surface
from keepclear.agreements.extents import Sphere, sphere_of
from keepclear.agreements.facts import Filed
from keepclear.agreements.terms.binding import sort_of, stands
from keepclear.model.extents import TrackBasis
from keepclear.model.operations import Operation

__all__ = ["Batch", "Legs"]

Array = npt.NDArray[np.float64]
_MOST_CHORD_M = 500_000.0


@dataclass(frozen=True, eq=False)
class Legs:
    """Legs as columns.

    Attributes
    ----------
    row
        Whose leg it is.
    points
        Shape (n, 6): both ends, earth-centred metres.
    length_m, doubt_m
        Not less than how long it is, and how far off it may be.
    has_only_tracks
        For each filing, whether these legs are all of it.
    """

    row: npt.NDArray[np.intp]
    points: Array
    length_m: Array
    doubt_m: Array
    has_only_tracks: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Batch:
    """Filings, each in its row.

    Attributes
    ----------
    filings
        The filings.
    at_s
        As of when.
    gone_m
        How far from its positions each may have been besides, in gaps.
    """

    filings: Sequence[Filed]
    at_s: float
    gone_m: Sequence[float] = ()

    @cached_property
    def spheres(self) -> Array:
        """Shape (n, 4): earth-centred metres of a sphere round all of the plan, uncertainty included, and its radius.

        The radius is infinite where there is no plan.
        """
        everywhere = Sphere(0.0, 0.0, 0.0, math.inf)
        found = [everywhere if one.plan is None else sphere_of(one.plan) for one in self.filings]
        spheres = np.array(found, dtype=np.float64).reshape(-1, 4)
        if len(self.gone_m):
            spheres[:, 3] += self.gone_m
        return spheres

    @cached_property
    def centres(self) -> Array:
        """Shape (n, 3): the spheres' centres, put on the surface; the first point of the plan is near enough."""
        return np.ascontiguousarray(self.spheres[:, :3])

    @cached_property
    def legs(self) -> Legs:
        """The legs of all planned tracks; those of flown ones are left out, since they may have gaps."""
        return _legs_of(self.filings)

    @cached_property
    def starts_s(self) -> Array:
        """When each begins, its slip included; minus infinity where that is not known."""
        return np.array([-math.inf if one.start_s is None else one.start_s for one in self.filings])

    @cached_property
    def ends_s(self) -> Array:
        """When each is over, its slip included; infinity where that is not known."""
        return np.array([math.inf if one.end_s is None else one.end_s for one in self.filings])

    @cached_property
    def leads_s(self) -> Array:
        """From when each counts until it begins; NaN where either is not known."""
        return np.array([math.nan if one.lead_s is None else one.lead_s for one in self.filings])

    @cached_property
    def stands(self) -> npt.NDArray[np.bool_]:
        """Which are to be judged at all."""
        return np.array([stands(one, self.at_s) for one in self.filings], dtype=np.bool_)

    @cached_property
    def sort(self) -> npt.NDArray[np.intp]:
        """The number of each filing's sort: filings of one sort are bound by the same terms."""
        return self._sorts[0]

    @cached_property
    def first_of_sort(self) -> list[int]:
        """The row of a filing of each sort."""
        return self._sorts[1]

    @cached_property
    def _sorts(self) -> tuple[npt.NDArray[np.intp], list[int]]:
        numbers: dict[tuple[object, ...], int] = {}
        rows: list[int] = []
        column = np.empty(len(self.filings), np.intp)
        for row, one in enumerate(self.filings):
            key = sort_of(one)
            if key not in numbers:
                numbers[key] = len(rows)
                rows.append(row)
            column[row] = numbers[key]
        return column, rows


def _legs_of(filings: Sequence[Filed]) -> Legs:
    lon, lat, doubts, counts, rows = [], [], [], [], []
    only = np.zeros(len(filings), np.bool_)
    for row, one in enumerate(filings):
        tracks = one.plan.tracks if isinstance(one.plan, Operation) and not one.plan.volumes else ()
        if not tracks or any(track.basis is TrackBasis.FLOWN or len(track.time_s) < 2 for track in tracks):
            continue
        only[row] = True
        for track in tracks:
            lon.append(track.lon_deg)
            lat.append(track.lat_deg)
            doubts.append(float(np.max(track.uncertainty_m)))
            counts.append(len(track.time_s))
            rows.append(row)
    if not rows:
        return Legs(np.zeros(0, np.intp), np.zeros((0, 6)), np.zeros(0), np.zeros(0), only)
    points = on_surface(np.column_stack((np.concatenate(lon), np.concatenate(lat))))
    track_of = np.repeat(np.arange(len(rows)), counts)
    same = track_of[:-1] == track_of[1:]
    ends = np.hstack((points[:-1], points[1:]))[same]
    chords = np.linalg.norm(ends[:, 3:] - ends[:, :3], axis=1)
    lengths = np.where(chords < _MOST_CHORD_M, chords * 1.001 + 1.0, np.inf)  # longer ones are for a closer look
    number = track_of[:-1][same]
    return Legs(np.array(rows, dtype=np.intp)[number], ends, lengths, np.array(doubts)[number], only)
