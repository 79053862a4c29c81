"""How far units are outside an operation's extent: of the volumes and tracks that are due at a time, or of all.

What a plan says of its own uncertainty and slip is its tolerance: within it a unit is where it was to be. A distance is
negative inside, as deep as the border is away, so that the uncertainty of a position can be held against it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.geo.heights import AGL, AMSL, FL
from keepclear.model.extents import Track
from keepclear.model.kinds import SURFACE, Domain
from keepclear.model.operations import Operation
from keepclear.separation.outside import from_footprint, from_path
from keepclear.separation.shapes import Band, Shape, Shapes, compile_shape, pack
from keepclear.units import nautical_miles_to_metres
from keepclear.watch.sampling import Path, Samples, path_of_track

__all__ = ["RELATED", "TOLERANCES", "Extent", "Outside", "Tolerance", "tolerance_of"]

Array = npt.NDArray[np.float64]


RELATED = 10.0
"""What was within so many of its tolerances, or within the minima, is about a plan: units deviate, and are late."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a unit may be off a planned track that states no tolerance of its own.

    Attributes
    ----------
    lateral_m, vertical_m, time_s
        To either side; up or down; early or late.
    """

    lateral_m: float
    vertical_m: float
    time_s: float


TOLERANCES: dict[Domain, Tolerance] = {
    # On the ground heights do not matter. A column of a few vehicles is some hundred metres long.
    Domain.GROUND: Tolerance(500.0, math.inf, 900.0),
    Domain.SEA: Tolerance(nautical_miles_to_metres(1.0), math.inf, 900.0),
    # RNP 1 (ICAO Doc 9613): within 1 NM for 95 % of the time; 300 ft: ICAO Doc 4444, 8.5.5.2, but for RVSM.
    Domain.AIR: Tolerance(nautical_miles_to_metres(1.0), 91.44, 180.0),
    Domain.UAS: Tolerance(100.0, 45.0, 60.0),
}


def tolerance_of(operation: Operation) -> Tolerance:
    """The widest of the operation's domains: what is not said is not held against anybody."""
    some = [TOLERANCES[domain] for domain in operation.domains]
    return Tolerance(
        max(one.lateral_m for one in some), max(one.vertical_m for one in some), max(one.time_s for one in some)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """How far outside, at some moments, each of shape (n,): infinite where nothing of the extent is due.

    Attributes
    ----------
    metres
        By the positions as reported, horizontally or vertically, whichever is more; negative inside.
    least, greatest
        The same with what is uncertain of it taken away, and added.
    beside_m, above_m
        Horizontally, and vertically, from that part of the extent; 0 inside.
    """

    metres: Array
    least: Array
    greatest: Array
    beside_m: Array
    above_m: Array


class Extent:
    """An operation's extent, ready to be asked.

    Parameters
    ----------
    tolerance
        For planned tracks that state none.
    """

    def __init__(self, operation: Operation, tolerance: Tolerance | None = None) -> None:
        self.tolerance = tolerance or tolerance_of(operation)
        self.on_ground = operation.domains <= SURFACE
        self.shapes = [
            compile_shape(one, owner=0, is_zone=True, on_ground=self.on_ground, horizontal_m=500.0)
            for one in operation.volumes
        ]
        self._packed = [pack([one]) for one in self.shapes]
        self.tracks = [(one, path) for one in operation.tracks if (path := path_of_track(one)) is not None]

    @property
    def areas(self) -> list[tuple[float, float, float, float]]:
        """Of each part that is an area with a border, a sphere round all of it: earth-centred metres, and radius."""
        return [(*shape.centre, shape.reach_m) for shape in self.shapes if shape.has_inside]

    @property
    def lines(self) -> tuple[Array, Array]:
        """Borders and paths as edges, shape (n, 6), and of each how far from it still belongs to the extent."""
        edges = [shape.edges for shape in self.shapes]
        wide = [np.full(len(shape.edges), shape.radius_m + shape.uncertainty_m) for shape in self.shapes]
        for track, path in self.tracks:
            ends = path.xyz_m if len(path.xyz_m) > 1 else np.repeat(path.xyz_m, 2, axis=0)
            edges.append(np.hstack((ends[:-1], ends[1:])))
            wide.append(np.full(len(ends) - 1, self._lateral_m(track)))
        return np.concatenate(edges), np.concatenate(wide)

    @property
    def moments(self) -> Array:
        """When a part of it begins or ends to be due."""
        found = [time for shape in self.shapes for time in (shape.start_s, shape.end_s)]
        found += [time for track, path in self.tracks for time in self._due(track, path)]
        return np.unique(np.array([time for time in found if math.isfinite(time)], dtype=np.float64))

    @property
    def window(self) -> tuple[float, float]:
        """From the first moment at which some of it is due to the last; infinite where that is open."""
        starts = [shape.start_s for shape in self.shapes] + [self._due(*one)[0] for one in self.tracks]
        ends = [shape.end_s for shape in self.shapes] + [self._due(*one)[1] for one in self.tracks]
        return min(starts), max(ends)

    def outside(self, path: Path, samples: Samples, *, heights: bool = True, any_time: bool = False) -> Outside:
        """How far a unit was outside, at each moment, of what was due then.

        Parameters
        ----------
        heights
            Whether heights count; on the ground they do not.
        any_time
            Ask for all of the extent, due or not.
        """
        with_heights = heights and not self.on_ground
        parts = [
            self._of_shape(one, packed, path, samples, with_heights, any_time)
            for one, packed in zip(self.shapes, self._packed, strict=True)
        ]
        parts += [self._of_track(*one, path, samples, with_heights, any_time) for one in self.tracks]
        best = parts[0]
        for part in parts[1:]:
            nearer = part.metres < best.metres
            best = Outside(
                np.minimum(best.metres, part.metres), np.minimum(best.least, part.least),
                np.minimum(best.greatest, part.greatest), np.where(nearer, part.beside_m, best.beside_m),
                np.where(nearer, part.above_m, best.above_m),
            )  # fmt: skip
        return best

    def distance_m(self, lon_deg: float, lat_deg: float) -> float:
        """How far a place is outside all of it, due or not; 0 inside."""
        track = Track(np.array([0.0]), np.array([lon_deg]), np.array([lat_deg]), np.array([math.nan]))
        path = path_of_track(track)
        assert path is not None
        found = self.outside(path, path.at(path.time_s), heights=False, any_time=True)
        return max(0.0, float(found.metres[0]))

    def _due(self, track: Track, path: Path) -> tuple[float, float]:
        early, late = self._slip(track)
        return float(path.time_s[0]) - early, float(path.time_s[-1]) + late

    def _slip(self, track: Track) -> tuple[float, float]:
        early, late = (float(np.max(value)) for value in (track.early_s, track.late_s))
        return (early, late) if early + late > 0.0 else (self.tolerance.time_s, self.tolerance.time_s)

    def _lateral_m(self, track: Track) -> float:
        stated = float(np.max(track.uncertainty_m))
        return stated if stated > 0.0 else self.tolerance.lateral_m

    def _of_shape(
        self,
        shape: Shape,
        packed: Shapes,
        path: Path,
        samples: Samples,
        heights: bool,  # noqa: FBT001
        any_time: bool,  # noqa: FBT001
    ) -> Outside:
        beside = np.empty(len(samples.time_s))
        from_footprint(
            samples.xyz_m, packed.edges, packed.blocks, packed.rings, packed.ring_first, shape.has_inside,
            shape.radius_m, beside,
        )  # fmt: skip
        beside -= shape.uncertainty_m
        level, low, high = _beyond_band(shape.band, path, samples) if heights else _nothing(len(beside))
        due = np.ones(len(beside), np.bool_)
        if not any_time:
            due = (samples.time_s >= shape.start_s) & (samples.time_s <= shape.end_s)
        return _outside(beside, samples.doubt_m, level, low, high, due)

    def _of_track(
        self,
        track: Track,
        plan: Path,
        path: Path,
        samples: Samples,
        heights: bool,  # noqa: FBT001
        any_time: bool,  # noqa: FBT001
    ) -> Outside:
        early, late = (math.inf, math.inf) if any_time else self._slip(track)
        lateral = self._lateral_m(track)
        beside, own, w84 = (np.empty(len(samples.time_s)) for _ in range(3))
        from_path(samples.xyz_m, samples.time_s, plan.xyz_m, plan.time_s, plan.own_m, plan.w84_m, early, late, beside,
                   own, w84)  # fmt: skip
        due = np.isfinite(beside)
        level, low, high = _nothing(len(beside))
        if heights and math.isfinite(self.tolerance.vertical_m):
            level, low, high = _off_level(plan, own, w84, path, samples, self.tolerance.vertical_m)
        return _outside(beside - lateral, samples.doubt_m, level, low, high, due)


def _nothing(count: int) -> tuple[Array, Array, Array]:
    """Of heights that do not matter: nobody is above or below."""
    inside = np.full(count, -math.inf)
    return inside, inside, inside


def _outside(beside: Array, doubt: Array, level: Array, low: Array, high: Array, due: npt.NDArray[np.bool_]) -> Outside:
    def there(values: Array) -> Array:
        return np.where(due, values, math.inf)

    return Outside(
        there(np.maximum(beside, level)), there(np.maximum(beside - doubt, low)),
        there(np.maximum(beside + doubt, high)), there(np.maximum(beside, 0.0)), there(np.maximum(level, 0.0)),
    )  # fmt: skip


def _beyond_band(band: Band, path: Path, samples: Samples) -> tuple[Array, Array, Array]:
    """How far above the ceiling or below the floor: as reported where that compares, and between what it lies."""
    levels, lows, highs = [], [], []
    for value, code, (least, most), sign in (
        (band.ceiling_m, band.ceiling_code, band.ceiling_w84, 1.0),
        (band.floor_m, band.floor_code, band.floor_w84, -1.0),
    ):
        if abs(value) >= 1e9:  # open
            continue
        level, low, high = _compared(path, samples, code, value, least, most)
        if sign < 0.0:
            level, low, high = -level, -high, -low
        levels.append(_inside_unless_told(level))
        lows.append(low)
        highs.append(high)
    if not levels:
        return _nothing(len(samples.time_s))
    return _greatest(levels), _greatest(lows), _greatest(highs)


def _off_level(
    plan: Path, own: Array, w84: Array, path: Path, samples: Samples, tolerance_m: float
) -> tuple[Array, Array, Array]:
    """How far beyond the tolerance a unit is above or below its plan; nothing where the plan says no height."""
    least, most = plan.spans(own, w84)
    level, low, high = _compared(path, samples, plan.code, own, least, most, w84)
    silent = np.isnan(own)
    both = np.maximum(low, -high), np.maximum(np.abs(low), np.abs(high))
    inside = np.full(len(own), -math.inf)
    return (
        np.where(silent, inside, _inside_unless_told(np.abs(level) - tolerance_m)),
        np.where(silent, inside, both[0] - tolerance_m),
        np.where(silent, inside, both[1] - tolerance_m),
    )


def _compared(
    path: Path, samples: Samples, code: int, own: float | Array, least: float | Array, most: float | Array,
    w84: float | Array | None = None,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """How far the unit is above a height: as reported where the two compare (else NaN), and between what it lies."""
    if path.code == code <= FL or path.code == code == AGL:
        level = samples.own_m - own
    elif path.code <= AMSL and code <= AMSL:
        level = samples.w84_m - (0.5 * (least + most) if w84 is None else w84)
    else:
        level = np.full(len(samples.time_s), math.nan)
    with np.errstate(invalid="ignore"):
        low, high = samples.low_m - most, samples.high_m - least
    if path.code == code <= FL:
        low, high = np.where(np.isnan(level), -math.inf, level), np.where(np.isnan(level), math.inf, level)
    return level, low, high


def _inside_unless_told(level: Array) -> Array:
    return np.where(np.isnan(level), -math.inf, level)


def _greatest(values: Iterable[Array]) -> Array:
    return np.asarray(np.maximum.reduce(list(values)))
