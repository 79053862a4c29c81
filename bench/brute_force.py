"""The plain reference: every pair of legs that share an instant is tested, nothing is pruned by place.

It shares no code with keepclear: positions become earth-centred vectors by PROJ, the pairs are enumerated by time
alone, and the arithmetic is numpy's. What it answers is: which pairs of operations are, at one and the same time,
closer than both minima by more than 1 mm?

Between two positions a unit is taken to move on the straight chord. On the legs measured here (up to 60 s, up to
20 km) the chord sags below the surface by at most 8 m (L²/8R), which moves a horizontal distance of 9,260 m by less
than 1 cm; `margins` shows that no verdict hangs on it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from bench.positions import HORIZONTAL_M, TOLERANCE_M, VERTICAL_M, Legs, Positions, read_positions, swiss_day

__all__ = ["Sweep", "closer_than", "earth_centred", "pair_names", "sweep"]

CHUNK = 1 << 19
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the sweep found.

    Attributes
    ----------
    pairs
        Conflicting pairs of operations, the lower index first.
    tested
        Pairs of legs of different operations that share an instant.
    leg_hits
        Those of them in conflict.
    instant_hits
        Those of the hits that are in conflict at a single instant only: the end that two legs share.
    touching
        Pairs of operations that come within the horizontal minimum exactly at the vertical minimum (to 1 mm), and
        are in no conflict.
    closest_call_m
        How near a leg pair came to the horizontal minimum while vertically in conflict, metres: the least distance
        from the verdict's edge.
    """

    pairs: frozenset[tuple[int, int]]
    tested: int
    leg_hits: int
    instant_hits: int
    touching: frozenset[tuple[int, int]]
    closest_call_m: float


def earth_centred(positions: Positions) -> Floats:
    """Vectors of the positions on the ellipsoid's surface, shape (n, 3), metres."""
    to_centred = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    flat = np.zeros_like(positions.lat_deg)
    return np.stack(to_centred.transform(positions.lon_deg, positions.lat_deg, flat), axis=1)


def sweep(
    positions: Positions, *, horizontal_m: float = HORIZONTAL_M, vertical_m: float = VERTICAL_M, parties: bool = False
) -> Sweep:
    """Test every pair of legs of different operations that share an instant.

    Parameters
    ----------
    positions
        Ordered by operation and time.
    horizontal_m, vertical_m
        The minima.
    parties
        Compare operations of different parties only.
    """
    legs = positions.legs()
    points = earth_centred(positions)
    group = np.unique(positions.parties, return_inverse=True)[1] if parties else np.arange(len(positions.names))
    pairs: set[tuple[int, int]] = set()
    touching: set[tuple[int, int]] = set()
    tested = hits = instants = 0
    closest = np.inf
    for first, second in _simultaneous(positions, legs):
        apart = group[legs.operation[first]] != group[legs.operation[second]]
        tested += int(apart.sum())
        apart &= _near_in_height(positions, legs, first, second, vertical_m + TOLERANCE_M)
        i, j = first[apart], second[apart]
        a, b = legs.operation[i], legs.operation[j]
        motion = _Motion.of(positions, points, legs, i, j)
        length = motion.violation_s(horizontal_m - TOLERANCE_M, vertical_m - TOLERANCE_M)
        hit = length >= 0.0
        hits += int(hit.sum())
        instants += int((length == 0.0).sum())
        _add(pairs, a[hit], b[hit])
        near = ~hit & (motion.violation_s(horizontal_m, vertical_m + TOLERANCE_M) >= 0.0)
        _add(touching, a[near], b[near])
        closest = min(closest, motion.margin_m(horizontal_m, vertical_m))
    return Sweep(frozenset(pairs), tested, hits, instants, frozenset(touching - pairs), float(closest))


def closer_than(
    positions: Positions, points: Floats, legs: Legs, i: Ints, j: Ints, horizontal_m: float, vertical_m: float
) -> npt.NDArray[np.bool_]:
    """Whether legs `i` and `j`, which share an instant, come closer than both minima by more than 1 mm at one."""
    hit = _near_in_height(positions, legs, i, j, vertical_m)
    motion = _Motion.of(positions, points, legs, i[hit], j[hit])
    hit[hit] = motion.violation_s(horizontal_m - TOLERANCE_M, vertical_m - TOLERANCE_M) >= 0.0
    return hit


def pair_names(positions: Positions, pairs: frozenset[tuple[int, int]]) -> frozenset[frozenset[str]]:
    """The pairs by name."""
    return frozenset(frozenset((positions.names[a], positions.names[b])) for a, b in pairs)


@dataclass(frozen=True, slots=True)
class _Motion:
    """Relative motion of pairs of legs over the time they share: offset + velocity × s for s in [0, shared]."""

    shared_s: Floats
    offset: Floats
    velocity: Floats
    height: Floats
    climb: Floats

    @classmethod
    def of(cls, positions: Positions, points: Floats, legs: Legs, i: Ints, j: Ints) -> _Motion:
        time_s, height = positions.time_s, positions.height_m
        start = np.maximum(time_s[legs.first[i]], time_s[legs.first[j]])
        end = np.minimum(time_s[legs.last[i]], time_s[legs.last[j]])
        place, rate, level, climb = [], [], [], []
        for leg in (i, j):
            first, last = legs.first[leg], legs.last[leg]
            duration = time_s[last] - time_s[first]
            part = start - time_s[first]
            slope = (points[last] - points[first]) / duration[:, None]
            rise = (height[last] - height[first]) / duration
            place.append(points[first] + slope * part[:, None])
            rate.append(slope)
            level.append(height[first] + rise * part)
            climb.append(rise)
        return cls(end - start, place[1] - place[0], rate[1] - rate[0], level[1] - level[0], climb[1] - climb[0])

    def violation_s(self, horizontal_m: float, vertical_m: float) -> Floats:
        """How long both distances are below these; 0 for a single instant, negative for never."""
        near_from, near_to = self._within_circle(horizontal_m)
        level_from, level_to = self._within_band(vertical_m)
        start = np.maximum(np.maximum(near_from, level_from), 0.0)
        return np.minimum(np.minimum(near_to, level_to), self.shared_s) - start

    def margin_m(self, horizontal_m: float, vertical_m: float) -> float:
        """Least difference of a pair's closest distance from the minimum, of pairs vertically in conflict."""
        level_from, level_to = self._within_band(vertical_m - TOLERANCE_M)
        start, end = np.maximum(level_from, 0.0), np.minimum(level_to, self.shared_s)
        level = start <= end
        if not level.any():
            return float("inf")
        speed2 = (self.velocity**2).sum(1)
        towards = -(self.offset * self.velocity).sum(1)
        at = np.clip(np.divide(towards, speed2, out=np.zeros_like(speed2), where=speed2 > 0.0), start, end)[level]
        least = np.linalg.norm(self.offset[level] + self.velocity[level] * at[:, None], axis=1)
        return float(np.abs(least - horizontal_m).min())

    def _within_circle(self, radius_m: float) -> tuple[Floats, Floats]:
        a = (self.velocity**2).sum(1)
        half_b = (self.offset * self.velocity).sum(1)
        c = (self.offset**2).sum(1) - radius_m**2
        root = half_b**2 - a * c
        still = a < 1e-18
        moving = np.where(still, 1.0, a)
        half = np.sqrt(np.maximum(root, 0.0))
        never = np.where(still, c >= 0.0, root <= 0.0)
        low = np.where(never, np.inf, np.where(still, -np.inf, (-half_b - half) / moving))
        high = np.where(never, -np.inf, np.where(still, np.inf, (-half_b + half) / moving))
        return low, high

    def _within_band(self, half_height_m: float) -> tuple[Floats, Floats]:
        level = np.abs(self.climb) < 1e-12
        rate = np.where(level, 1.0, self.climb)
        low, high = (-half_height_m - self.height) / rate, (half_height_m - self.height) / rate
        low, high = np.minimum(low, high), np.maximum(low, high)
        never = level & (np.abs(self.height) >= half_height_m)
        low = np.where(never, np.inf, np.where(level, -np.inf, low))
        return low, np.where(never, -np.inf, np.where(level, np.inf, high))


def _near_in_height(positions: Positions, legs: Legs, i: Ints, j: Ints, vertical_m: float) -> npt.NDArray[np.bool_]:
    """Whether the bands of height of two legs come so near: the cheap half of the test first."""
    first, last = positions.height_m[legs.first], positions.height_m[legs.last]
    low, high = np.minimum(first, last), np.maximum(first, last)
    return (low[i] - high[j] <= vertical_m) & (low[j] - high[i] <= vertical_m)


def _simultaneous(positions: Positions, legs: Legs) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of legs that share an instant, in chunks: each leg with those that start while it lasts."""
    start, end = positions.time_s[legs.first], positions.time_s[legs.last]
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    many = np.searchsorted(start, end, side="right") - np.arange(len(order)) - 1
    total = np.concatenate(([0], np.cumsum(many)))
    at = 0
    while at < len(order):
        to = max(at + 1, int(np.searchsorted(total, total[at] + CHUNK, side="right")) - 1)
        count = many[at:to]
        i = np.repeat(np.arange(at, to), count)
        j = i + 1 + np.arange(len(i)) - np.repeat(total[at:to] - total[at], count)
        other = legs.operation[order[i]] != legs.operation[order[j]]
        yield order[i[other]], order[j[other]]
        at = to


def _add(pairs: set[tuple[int, int]], a: Ints, b: Ints) -> None:
    low, high = np.minimum(a, b), np.maximum(a, b)
    for key in np.unique(low << 32 | high).tolist():
        pairs.add((key >> 32, key & 0xFFFFFFFF))


def main() -> None:
    """Count on a Parquet file, or on the whole Swiss sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="positions (Parquet); the whole Swiss day if left out")
    parser.add_argument("--parties", action="store_true", help="compare different parties only")
    chosen = parser.parse_args()
    positions = read_positions(chosen.file) if chosen.file else swiss_day()
    began = time.perf_counter()
    found = sweep(positions, parties=chosen.parties)
    taken = time.perf_counter() - began
    print(f"{len(positions.names)} operations, {len(positions.time_s)} positions, {len(positions.legs())} legs")
    print(f"{found.tested} leg pairs tested in {taken:.1f} s, {found.leg_hits} in conflict,")
    print(f"{found.instant_hits} of them at a shared instant only")
    print(f"{len(found.pairs)} pairs of operations in conflict, {len(found.touching)} exactly at the vertical minimum")
    print(f"the closest call: {found.closest_call_m:.3f} m from the horizontal minimum")


if __name__ == "__main__":
    main()
