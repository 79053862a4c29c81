"""SciPy's KD-tree over the middles of legs, then the exact test of every candidate in numpy.

Judges: the same question as keepclear for moving units without slip, and exactly, by the arithmetic of the brute-force
reference. Does not judge: volumes, zones, slip, uncertainty, gaps; and it gives no explanation.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.spatial import cKDTree

from bench.brute_force import closer_than, earth_centred
from bench.peers.outcome import Outcome, as_pairs
from bench.positions import Positions

__all__ = ["find"]


def find(positions: Positions, horizontal_m: float, vertical_m: float) -> Outcome:
    """Pairs closer than both minima at any instant."""
    began = time.perf_counter()
    legs, points = positions.legs(), earth_centred(positions)
    ready = time.perf_counter()
    first, last = points[legs.first], points[legs.last]
    start, end = positions.time_s[legs.first], positions.time_s[legs.last]
    low, high = positions.height_m[legs.first], positions.height_m[legs.last]
    # Scaled so that legs which could be in conflict lie within 1 of each other in every coordinate.
    reach_m = horizontal_m + np.linalg.norm(last - first, axis=1).max()
    level_m = vertical_m + np.abs(high - low).max()
    middles = np.column_stack(
        ((first + last) / (2.0 * reach_m), (low + high) / (2.0 * level_m), (start + end) / (2.0 * (end - start).max()))
    )
    middles -= middles.min(axis=0)
    near = cKDTree(middles).query_pairs(1.0 + 1e-9, p=np.inf, output_type="ndarray")
    i, j = near[:, 0], near[:, 1]
    possible = (start[i] <= end[j]) & (start[j] <= end[i]) & (legs.operation[i] != legs.operation[j])
    i, j = i[possible], j[possible]
    hit = closer_than(positions, points, legs, i, j, horizontal_m, vertical_m)
    pairs = as_pairs(legs.operation[i[hit]], legs.operation[j[hit]])
    return Outcome(pairs, time.perf_counter() - ready, ready - began)
