"""BlueSky's state-based conflict detector in C++, driven every 10 s with a look-ahead of 10 s.

Judges: every pair of aircraft at each step, moved forward in a straight line for the length of the step; distances on
a sphere, small angles. Does not judge: turns and level-offs within a step (it extrapolates the state at its
beginning, so it misses some encounters and foresees others that a turn prevents), aircraft that appear within a step,
and it has no index: each step costs the square of the aircraft aloft.
"""

from __future__ import annotations

import time
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
from bluesky.traffic.asas import cstatebased
from pyproj import Transformer

from bench.peers.instants import STEP_S, Snapshots, snapshots
from bench.peers.outcome import Outcome
from bench.positions import TOLERANCE_M, Positions

__all__ = ["find"]

Floats = npt.NDArray[np.float64]


def find(positions: Positions, horizontal_m: float, vertical_m: float) -> Outcome:
    """Pairs that the detector reports as in conflict within a step."""
    began = time.perf_counter()
    seen = snapshots(positions)
    steps = _steps(seen, horizontal_m - TOLERANCE_M, vertical_m - TOLERANCE_M)
    ready = time.perf_counter()
    pairs: set[tuple[int, int]] = set()
    for aircraft, protected, half_height, ahead in steps:
        pairs.update(cstatebased.detect(aircraft, aircraft, protected, half_height, ahead)[0])
    unordered = frozenset((min(pair), max(pair)) for pair in pairs)
    return Outcome(unordered, time.perf_counter() - ready, ready - began)


def _steps(
    seen: Snapshots, horizontal_m: float, vertical_m: float
) -> list[tuple[SimpleNamespace, Floats, Floats, Floats]]:
    lat, lon, track, speed = _as_flown(seen)
    bounds = np.flatnonzero(np.concatenate(([True], np.diff(seen.moment) > 0, [True])))
    steps = []
    for low, high in pairwise(bounds):
        at = slice(low, high)
        aircraft = SimpleNamespace(
            lat=lat[at].copy(), lon=lon[at].copy(), trk=track[at].copy(), gs=speed[at].copy(),
            alt=seen.height_m[at].copy(), vs=seen.climb_m_s[at].copy(), id=seen.operation[at].tolist(),
        )  # fmt: skip
        many = high - low
        limits = (np.full(many, horizontal_m), np.full(many, vertical_m), np.full(many, STEP_S))
        steps.append((aircraft, *limits))
    return steps


def _as_flown(seen: Snapshots) -> tuple[Floats, Floats, Floats, Floats]:
    """Latitude, longitude and track in degrees, ground speed in metres per second."""
    to_degrees = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    x, y, z = seen.point.T
    lon, lat, _ = (np.asarray(column) for column in to_degrees.transform(x, y, z))
    phi, lam = np.radians(lat), np.radians(lon)
    east = -np.sin(lam) * seen.velocity[:, 0] + np.cos(lam) * seen.velocity[:, 1]
    inward = np.cos(lam) * seen.velocity[:, 0] + np.sin(lam) * seen.velocity[:, 1]
    north = -np.sin(phi) * inward + np.cos(phi) * seen.velocity[:, 2]
    return lat, lon, np.degrees(np.arctan2(east, north)), np.hypot(east, north)
