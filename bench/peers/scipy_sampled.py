"""SciPy's KD-tree over positions sampled every 10 s: the thirty lines that most people would write.

Judges: distances at the sampled instants, horizontally by the chord, vertically by the difference of heights.
Does not judge: what happens between two instants, so it misses encounters shorter than 10 s at their edges.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.spatial import cKDTree

from bench.peers.instants import snapshots
from bench.peers.outcome import Outcome, as_pairs
from bench.positions import TOLERANCE_M, Positions

__all__ = ["find"]


def find(positions: Positions, horizontal_m: float, vertical_m: float) -> Outcome:
    """Pairs closer than both minima at a sampled instant."""
    began = time.perf_counter()
    seen = snapshots(positions)
    # A fourth coordinate keeps different instants further apart than the minimum, so one tree does for all.
    instants = (seen.moment - seen.moment.min()) * (2.0 * horizontal_m)
    ready = time.perf_counter()
    tree = cKDTree(np.column_stack((seen.point, instants)))
    near = tree.query_pairs(horizontal_m - TOLERANCE_M, output_type="ndarray")
    i, j = near[:, 0], near[:, 1]
    level = np.abs(seen.height_m[i] - seen.height_m[j]) < vertical_m - TOLERANCE_M
    pairs = as_pairs(seen.operation[i[level]], seen.operation[j[level]])
    return Outcome(pairs, time.perf_counter() - ready, ready - began)
