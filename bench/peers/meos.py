"""MEOS, the engine of MobilityDB, through pymeos: whole trips as temporal points and temporal numbers.

Judges: the same question as keepclear for moving units without slip: its R-tree over the trips' boxes, then the times
within the horizontal distance (`tdwithin`) and, in those, the times within the vertical one. Trips are
earth-centred points, so the distance is the same chord.
Does not judge: volumes together with heights, slip, uncertainty. A trip is one sequence with one box, so a flight that
crosses the country has a box as large as the country. Times are whole microseconds.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pymeos_cffi as meos
import shapely
from pymeos import FloatSpan, TFloatInst, TFloatSeq, TGeomPointInst, TGeomPointSeq, pymeos_initialize

from bench.brute_force import earth_centred
from bench.peers.outcome import Outcome
from bench.positions import GAP_S, TOLERANCE_M, Positions

__all__ = ["find"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

pymeos_initialize()  # once, for the life of the process: what was made before is not safe after a second time


def find(positions: Positions, horizontal_m: float, vertical_m: float) -> Outcome:
    """Pairs that are within both distances at one time."""
    began = time.perf_counter()
    operation, places, heights = _trips(positions)
    ready = time.perf_counter()
    limit_m = vertical_m - TOLERANCE_M
    band = FloatSpan(lower=-limit_m, upper=limit_m, lower_inc=False, upper_inc=False)
    pairs: set[tuple[int, int]] = set()
    for i, j in _near(places, horizontal_m):
        pair = (min(operation[i], operation[j]), max(operation[i], operation[j]))
        if pair[0] == pair[1] or pair in pairs:
            continue
        if _closer(places[i], places[j], heights[i], heights[j], horizontal_m - TOLERANCE_M, band):
            pairs.add(pair)
    return Outcome(frozenset(pairs), time.perf_counter() - ready, ready - began)


def _trips(positions: Positions) -> tuple[list[int], list[Any], list[Any]]:
    """One temporal point and one temporal number for each flight, two where it has a gap."""
    broken = (np.diff(positions.operation) != 0) | (np.diff(positions.time_s) > GAP_S)
    ends = np.concatenate(([0], np.flatnonzero(broken) + 1, [len(positions.time_s)])).tolist()
    points = shapely.points(earth_centred(positions))
    operation, places, heights = [], [], []
    for low, high in pairwise(ends):
        moments = [EPOCH + timedelta(seconds=second) for second in positions.time_s[low:high].tolist()]
        along = zip(points[low:high], moments, strict=True)
        levels = zip(positions.height_m[low:high].tolist(), moments, strict=True)
        places.append(
            TGeomPointSeq.from_instants([TGeomPointInst(point=p, timestamp=t) for p, t in along], upper_inc=True)
        )
        heights.append(TFloatSeq.from_instants([TFloatInst(value=h, timestamp=t) for h, t in levels], upper_inc=True))
        operation.append(int(positions.operation[low]))
    return operation, places, heights


def _near(places: list[Any], horizontal_m: float) -> list[tuple[int, int]]:
    tree = meos.rtree_create_stbox()
    boxes = [meos.tspatial_to_stbox(place._inner) for place in places]  # noqa: SLF001 - pymeos wraps no R-tree
    for number, box in enumerate(boxes):
        meos.rtree_insert(tree, box, number)
    pairs = []
    for number, box in enumerate(boxes):
        found, many = meos.rtree_search(tree, meos.stbox_expand_space(box, horizontal_m))
        pairs += [(number, found[k]) for k in range(many) if found[k] > number]
    meos.rtree_free(tree)
    return pairs


def _closer(a: Any, b: Any, height_a: Any, height_b: Any, horizontal_m: float, band: FloatSpan) -> bool:
    within = a.within_distance(b, horizontal_m)
    when = None if within is None else within.when_true()
    if when is None:
        return False
    apart = (height_b - height_a).at(when)
    return apart is not None and apart.at(band) is not None
