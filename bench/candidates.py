"""How many pairs of legs any index has to look at: those that share an instant and lie near each other.

Counted on a random sample of legs, because counting all of them is what the index is for.
"""

from __future__ import annotations

import numpy as np

from bench.brute_force import earth_centred
from bench.positions import Positions

__all__ = ["candidate_pairs"]

SEED = 9
SAMPLE = 20_000


def candidate_pairs(positions: Positions, horizontal_m: float) -> float:
    """Estimate of the pairs of legs that share an instant and whose boxes in space come within the minimum."""
    legs, points = positions.legs(), earth_centred(positions)
    start, end = positions.time_s[legs.first], positions.time_s[legs.last]
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    first, last = points[legs.first[order]], points[legs.last[order]]
    low, high = np.minimum(first, last), np.maximum(first, last) + horizontal_m
    operation = legs.operation[order]
    until = np.searchsorted(start, end, side="right")
    chosen = np.random.default_rng(SEED).choice(len(order), min(SAMPLE, len(order)), replace=False)
    found = 0
    for i in chosen.tolist():
        others = slice(i + 1, until[i])
        near = (low[others] <= high[i]).all(axis=1) & (low[i] <= high[others]).all(axis=1)
        found += int((near & (operation[others] != operation[i])).sum())
    return found * len(order) / len(chosen)
