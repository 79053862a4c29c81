"""Where a unit was at a time: its track as legs between earth-centred points, silences marked as such."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Flown
from keepclear.geo import heights as height_codes
from keepclear.geo.ellipsoid import geodesic_starts, surface_points
from keepclear.geo.heights import HEIGHT_SPANS
from keepclear.model.extents import Track
from keepclear.model.kinds import SURFACE, OperationKind, domains_of
from keepclear.separation.legs import HEIGHT_CODES

__all__ = ["Path", "Samples", "path_of", "path_of_track"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LONGEST_LEG_M = 10_000.0
"""Longer legs are cut: below it the chord of a leg sags by at most 2 m, which distances between units do not feel."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """A unit at some moments: each of shape (n,), but for ``xyz_m``, which is (n, 3).

    Attributes
    ----------
    time_s, xyz_m
        When, and where at height 0, earth-centred.
    own_m, w84_m
        Height in its own reference, and above WGS84 where that is known (the same number where it is not).
    low_m, high_m
        Between which heights above WGS84 it was; infinite where nothing is known.
    doubt_m
        How far off the position may be.
    known
        False in a silence, and before the first and after the last position.
    """

    time_s: Array
    xyz_m: Array
    own_m: Array
    w84_m: Array
    low_m: Array
    high_m: Array
    doubt_m: Array
    known: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A track as points, shape (n,) and (n, 3), and legs between them, shape (n - 1,).

    Attributes
    ----------
    time_s, xyz_m, own_m, w84_m
        Of each point: time, place at height 0, height in its own reference and above WGS84.
    code
        Of the height reference (`keepclear.geo.heights`).
    doubt_m
        Of each leg: how far off it may be, slip included.
    silent
        Of each leg: whether it is a silence, in which it is not known where the unit was.
    """

    time_s: Array
    xyz_m: Array
    own_m: Array
    w84_m: Array
    code: int
    doubt_m: Array
    silent: Flags

    def at(self, time_s: Array) -> Samples:
        """Where the unit was at these moments, in ascending order."""
        leg, share, known = self._on_legs(time_s)
        return self._samples(time_s, leg, share, known)

    def known_at(self, time_s: Array) -> tuple[Flags, Array]:
        """Whether it is known where the unit was at these moments, and how far off that may be: `at` in short."""
        leg, _, known = self._on_legs(time_s)
        return known, self._doubt(leg)

    def _on_legs(self, time_s: Array) -> tuple[npt.NDArray[np.intp], Array, Flags]:
        """On which legs moments are, at which share of each, and whether the unit is known to be there."""
        n = len(self.time_s)
        inside = (time_s >= self.time_s[0]) & (time_s <= self.time_s[-1])
        if n == 1:
            return np.zeros(len(time_s), np.intp), np.zeros(len(time_s)), inside
        leg = np.minimum(np.maximum(np.searchsorted(self.time_s, time_s, side="right") - 1, 0), n - 2)
        start = self.time_s[leg]
        step = self.time_s[leg + 1] - start
        share = np.minimum(np.maximum((time_s - start) / np.where(step > 0.0, step, 1.0), 0.0), 1.0)
        # At either end of a silence the unit is known to be there.
        return leg, share, inside & (~self.silent[leg] | (share == 0.0) | (share == 1.0))

    def _doubt(self, leg: npt.NDArray[np.intp]) -> Array:
        return self.doubt_m[np.minimum(leg, len(self.doubt_m) - 1)]

    def _samples(self, time_s: Array, leg: npt.NDArray[np.intp], share: Array, known: Flags) -> Samples:
        end = np.minimum(leg + 1, len(self.time_s) - 1)
        xyz = self.xyz_m[leg] + share[:, None] * (self.xyz_m[end] - self.xyz_m[leg])
        own = self.own_m[leg] + share * (self.own_m[end] - self.own_m[leg])
        w84 = self.w84_m[leg] + share * (self.w84_m[end] - self.w84_m[leg])
        low, high = self.spans(own, w84)
        return Samples(time_s, xyz, own, w84, low, high, self._doubt(leg), known)

    def spans(self, own_m: Array, w84_m: Array) -> tuple[Array, Array]:
        """Between which heights above WGS84 these heights lie."""
        if self.code <= height_codes.AMSL:
            low, high = w84_m, w84_m
        else:
            row = HEIGHT_SPANS[self.code]
            low, high = row[0] * own_m + row[1], row[2] * own_m + row[3]
        unknown = np.isnan(own_m)
        return np.where(unknown, -math.inf, low), np.where(unknown, math.inf, high)


def path_of(flown: Flown, from_s: float = -math.inf, to_s: float = math.inf) -> Path | None:
    """A unit's track from the last position before a time to the first after another; None if there is none of it."""
    domains = flown.domains or domains_of(OperationKind(flown.kind) if flown.kind else None)
    path = path_of_track(flown.track, flown.gap_s, from_s, to_s)
    if path is not None and domains <= SURFACE and np.isnan(path.own_m).all():
        nothing = np.zeros(len(path.own_m))
        return replace(path, own_m=nothing, w84_m=nothing, code=height_codes.GROUND_SPAN)
    return path


def path_of_track(
    track: Track, gap_s: float = math.inf, from_s: float = -math.inf, to_s: float = math.inf
) -> Path | None:
    """The same of any track; with no gap given, none of its silences is one."""
    time = track.time_s
    low = max(int(np.searchsorted(time, from_s, side="right")) - 1, 0)
    high = min(int(np.searchsorted(time, to_s, side="left")) + 1, len(time))
    if time[-1] < from_s or time[0] > to_s or low >= high:
        return None
    part = slice(low, high)
    time, lon, lat, own = (np.array(column[part]) for column in (time, track.lon_deg, track.lat_deg, track.height_m))
    silent = np.diff(time) > gap_s
    xyz = np.empty((len(time), 3))
    surface_points(lon, lat, xyz)
    chord = np.linalg.norm(np.diff(xyz, axis=0), axis=1)
    code = HEIGHT_CODES[track.height_reference]
    w84 = own
    if code == height_codes.AMSL:
        from keepclear.geo.geoid import undulation_m

        w84 = own + undulation_m(lon, lat)
    doubt = _doubt(track, part, time, chord)
    long = np.flatnonzero((chord > _LONGEST_LEG_M) & ~silent)
    path = Path(time, xyz, own, w84, code, doubt, silent)
    return path if len(long) == 0 else _cut(path, lon, lat, chord, long)


def _doubt(track: Track, part: slice, time: Array, chord: Array) -> Array:
    """Of each leg the larger of its ends', and how far the unit goes in the time that it may be early or late."""
    given = track.uncertainty_m, track.early_s, track.late_s
    if not any(isinstance(value, np.ndarray) for value in given) and not track.early_s + track.late_s:
        return np.full(max(len(chord), 1), track.uncertainty_m)
    ends = [_of_ends(value, part) for value in given]
    if len(time) == 1:
        return np.full(1, ends[0][0])
    position, early, late = (np.maximum(*one) for one in ends)
    slip = early + late
    speed = chord / np.maximum(np.diff(time), 1e-3)
    return np.asarray(position + np.where(slip > 0.0, slip * np.maximum(speed, 1e-9), 0.0))


def _of_ends(value: float | Array, part: slice) -> tuple[Any, Any]:
    """A tolerance at the starts and at the ends of some legs: as columns, or as one number for all."""
    if not isinstance(value, np.ndarray):
        return value, value
    column = value[part]
    return (column[:-1], column[1:]) if len(column) > 1 else (column[0], column[0])


def _cut(path: Path, lon: Array, lat: Array, chord: Array, long: npt.NDArray[np.intp]) -> Path:
    """The same path with its long legs cut into pieces along the shortest way."""
    counts = np.ones(len(chord), np.intp)
    counts[long] = np.ceil(chord[long] / _LONGEST_LEG_M).astype(np.intp)
    leg_of = np.repeat(np.arange(len(chord)), counts)
    first = np.concatenate(([0], np.cumsum(counts)))
    share = (np.arange(len(leg_of)) - first[leg_of]) / counts[leg_of]

    def between(column: Array) -> Array:
        inner = column[leg_of] + share * (column[leg_of + 1] - column[leg_of])
        return np.append(inner, column[-1])

    lons, lats = np.append(lon[leg_of], lon[-1]), np.append(lat[leg_of], lat[-1])
    cut = np.flatnonzero((counts > 1)[leg_of])
    lons[cut], lats[cut] = geodesic_starts(lon[long], lat[long], lon[long + 1], lat[long + 1], counts[long])
    xyz = np.empty((len(lons), 3))
    surface_points(np.ascontiguousarray(lons), np.ascontiguousarray(lats), xyz)
    return Path(
        between(path.time_s), xyz, between(path.own_m), between(path.w84_m), path.code, path.doubt_m[leg_of],
        path.silent[leg_of],
    )  # fmt: skip
