"""Extents: where and when. Volumes stand still; tracks move."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.model.footprints import Footprint, frozen_array
from keepclear.model.heights import Height, HeightReference, height_reference_of
from keepclear.model.kinds import member_of
from keepclear.times import EARLIEST_S, LATEST_S

__all__ = ["Track", "TrackBasis", "Volume"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Volume:
    """A footprint, a height band and a time window.

    Attributes
    ----------
    footprint
        `Polygon`, `Circle` or `Corridor`; a multi-polygon is several volumes.
    floor, ceiling
        Heights, each with its own reference. ``None`` means unbounded for a zone, not known for an operation.
    start_s, end_s
        Seconds since the epoch. ``None`` means unbounded for a zone, not known for an operation.
    uncertainty_m
        How far off the footprint may be, metres.

    Raises
    ------
    InputError
        If the end is before the start, the ceiling is below a floor of the same reference, or a number is no number.
    """

    footprint: Footprint
    floor: Height | None = None
    ceiling: Height | None = None
    start_s: float | None = None
    end_s: float | None = None
    uncertainty_m: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("start", self.start_s), ("end", self.end_s)):
            if value is not None and not (EARLIEST_S <= value <= LATEST_S):
                raise InputError(Fault("not a time between the years 1 and 9999", field=name, value=str(value)))
        if self.start_s is not None and self.end_s is not None and self.end_s < self.start_s:
            raise InputError(
                Fault("the end is before the start", "end at or after start", field="end", value=str(self.end_s))
            )
        low, high = self.floor, self.ceiling
        if low and high and low.reference == high.reference and high.value_m < low.value_m:
            raise InputError(
                Fault(
                    "the ceiling is below the floor",
                    "ceiling at or above floor",
                    field="ceiling",
                    value=f"{high.value_m} m, floor {low.value_m} m",
                )
            )
        if not (math.isfinite(self.uncertainty_m) and self.uncertainty_m >= 0.0):
            raise InputError(
                Fault("not an uncertainty", "metres, 0 or more", field="uncertainty_m", value=str(self.uncertainty_m))
            )


class TrackBasis(StrEnum):
    """Whether the positions are a plan or were reported."""

    PLANNED = "planned"
    FLOWN = "flown"


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """Timed positions of one unit. Between two positions it moves at constant speed on the shortest path.

    All arrays have shape (n,), n ≥ 1, float64, and are read-only.

    Attributes
    ----------
    time_s
        Seconds since the epoch, never going back. Equal times are allowed: at that instant the unit is taken to be
        anywhere on the path between the two positions.
    lon_deg, lat_deg
        WGS84 degrees.
    height_m
        Metres above `height_reference`; NaN where not known.
    height_reference, basis
        From what heights are counted, and whether the positions are planned or flown: members, or their names.
    uncertainty_m
        How far off a position may be, metres: one number for all, or shape (n,). A leg has the larger of its ends'.
    early_s, late_s
        How much earlier or later than planned the unit may be anywhere, seconds, ≥ 0, may be infinite: one number for
        all, or shape (n,). A leg has the larger of its ends'.

    row
        Where its arrays begin in those that they are parts of, which hold all tracks that were read with it end to
        end; -1 where they are its own.

    Raises
    ------
    InputError
        If shapes differ, a time goes back (the index is named), a number is not finite or out of range, or there is no
        such height reference or basis.
    """

    time_s: Array
    lon_deg: Array
    lat_deg: Array
    height_m: Array
    height_reference: HeightReference = HeightReference.W84
    basis: TrackBasis = TrackBasis.PLANNED
    uncertainty_m: float | Array = 0.0
    early_s: float | Array = 0.0
    late_s: float | Array = 0.0
    row: int = field(default=-1, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "height_reference", height_reference_of(self.height_reference))
        object.__setattr__(self, "basis", member_of(TrackBasis, self.basis, "basis of a track"))
        for name in ("time_s", "lon_deg", "lat_deg", "height_m"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), name))
        n = len(self.time_s) if self.time_s.ndim == 1 else -1
        if n < 1 or any(a.shape != (n,) for a in (self.lon_deg, self.lat_deg, self.height_m)):
            raise InputError(Fault("a track needs as many longitudes, latitudes and heights as times, at least one"))
        _all(np.abs(self.lon_deg) <= 180.0, self.lon_deg, "lon", "longitude out of range", "from -180 to 180")
        _all(np.abs(self.lat_deg) <= 90.0, self.lat_deg, "lat", "latitude out of range", "from -90 to 90")
        in_range = (self.time_s >= EARLIEST_S) & (self.time_s <= LATEST_S)
        _all(in_range, self.time_s, "time", "not a time between the years 1 and 9999", "")
        high = np.isnan(self.height_m) | ((self.height_m >= -12_000.0) & (self.height_m <= 1e6))
        _all(high, self.height_m, "height", "not a height", "metres from -12000 to 1000000")
        forward = np.concatenate(([True], np.diff(self.time_s) >= 0.0))
        _all(forward, self.time_s, "time", "the time goes back", "positions in the order of their times")
        for name in ("uncertainty_m", "early_s", "late_s"):
            object.__setattr__(self, name, _tolerance(getattr(self, name), n, name))

    @classmethod
    def of_checked(
        cls,
        time_s: Array,
        lon_deg: Array,
        lat_deg: Array,
        height_m: Array,
        height_reference: HeightReference,
        basis: TrackBasis,
        uncertainty_m: float | Array = 0.0,
        early_s: float | Array = 0.0,
        late_s: float | Array = 0.0,
    ) -> Track:
        """A track of arrays that a bulk reader has already checked as a whole; nothing is copied or checked here."""
        track = object.__new__(cls)
        put = object.__setattr__
        put(track, "time_s", time_s)
        put(track, "lon_deg", lon_deg)
        put(track, "lat_deg", lat_deg)
        put(track, "height_m", height_m)
        put(track, "height_reference", height_reference)
        put(track, "basis", basis)
        put(track, "uncertainty_m", uncertainty_m)
        put(track, "early_s", early_s)
        put(track, "late_s", late_s)
        put(track, "row", -1)
        return track


def _all(good: npt.NDArray[np.bool_], values: Array, field: str, problem: str, right: str) -> None:
    if not good.all():
        index = int(np.argmin(good))
        raise InputError(Fault(problem, right, feature=f"position {index + 1}", field=field, value=str(values[index])))


def _tolerance(value: Any, n: int, name: str) -> float | Array:
    array = frozen_array(value, name)
    infinite = name != "uncertainty_m"
    if array.shape not in ((), (n,)):
        raise InputError(Fault(f"{name} must be one number or one for each position", field=name))
    if not ((array >= 0.0) & (np.isfinite(array) | infinite)).all():
        raise InputError(Fault(f"not a valid {name}", "a number, 0 or more", field=name, value=str(value)[:60]))
    return float(array) if array.shape == () else array
