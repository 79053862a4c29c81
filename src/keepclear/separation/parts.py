"""A few spheres with times that hold all of an operation or a zone: by them it is found in tables.

Everything that a test of two things looks at is within them: legs as they are cut for the test, what could be reached
in a gap, volumes, with uncertainty and slip. Two things none of whose parts come within the minima of each other,
sphere to sphere and time to time, cannot conflict, nor possibly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import kernel
from keepclear.model.kinds import SPEED_LIMIT_M_S
from keepclear.model.operations import Operation, Zone
from keepclear.separation.gaps import gap_spheres
from keepclear.separation.legs import Legs
from keepclear.separation.shapes import Shape

__all__ = ["MARGIN_M", "Parts", "parts_of"]

Array = npt.NDArray[np.float64]

MARGIN_M = 10.0
"""Added to every sphere: the sag of a leg of 12 km is 3 m, and what rounding does is nothing beside it."""
_MOST_PARTS = 16
_RADII_M = (8e3, 32e3, 128e3, 512e3, math.inf)


@dataclass(frozen=True, slots=True)
class Parts:
    """Bounding spheres and times, shapes (n, 4) and (n, 2): earth-centred metres; seconds, which may be infinite."""

    spheres: Array
    times: Array


def parts_of(thing: Operation | Zone, legs: Legs, shapes: list[Shape]) -> Parts:
    """The parts of a thing.

    Legs that follow each other are put together as long as they are within 8 km, or as much more as it takes for there
    to be no more than 16: a patrol and a flight across a country both have a dozen.

    Parameters
    ----------
    legs, shapes
        Those of the thing, compiled.
    """
    spheres, times = _of_legs(legs)
    more = np.array([(*shape.centre, shape.reach_m) for shape in shapes]).reshape(-1, 4)
    when = np.array([(shape.start_s, shape.end_s) for shape in shapes]).reshape(-1, 2)
    found, lasting = [spheres, more], [times, when]
    if len(legs.gap_operation):
        assert isinstance(thing, Operation), "only operations have tracks"
        top = thing.top_speed_m_s or max(SPEED_LIMIT_M_S[domain] for domain in thing.domains)
        reached, during = gap_spheres(legs.gap_points, np.full(len(legs.gap_operation), top), legs.gap_tolerance)
        found.append(reached)
        lasting.append(during)
    spheres, times = np.vstack(found), np.vstack(lasting)
    spheres[:, 3] += MARGIN_M
    return Parts(spheres, times)


def _of_legs(legs: Legs) -> tuple[Array, Array]:
    tolerances = legs.early_s, legs.late_s, legs.uncertainty_m
    found: tuple[Array, Array] = np.empty((0, 4)), np.empty((0, 2))
    for most_m in _RADII_M:
        found = _runs(legs.points, legs.piece_of, *tolerances, most_m)
        if len(found[0]) <= _MOST_PARTS:
            break
    return found


@kernel
def _runs(points, piece_of, early, late, doubt, most_m):  # type: ignore[no-untyped-def]
    """Bounding spheres and times of runs of legs that follow each other, each no larger than `most_m` where it can."""
    n = piece_of.shape[0]
    spheres, times = np.empty((n, 4)), np.empty((n, 2))
    low, high = np.full(3, math.inf), np.full(3, -math.inf)
    count, first, last, blur, is_open = 0, math.inf, -math.inf, 0.0, False
    for i in range(n + 1):
        piece = piece_of[i] if i < n else -1
        if is_open:
            square = 0.0
            for k in range(3):
                a, b = low[k], high[k]
                if piece >= 0:
                    a, b = min(a, points[i, k], points[i + 1, k]), max(b, points[i, k], points[i + 1, k])
                square += (0.5 * (b - a)) ** 2
            if piece < 0 or square > most_m * most_m:
                square = 0.0
                for k in range(3):
                    spheres[count, k] = 0.5 * (low[k] + high[k])
                    square += (0.5 * (high[k] - low[k])) ** 2
                    low[k], high[k] = math.inf, -math.inf
                spheres[count, 3] = math.sqrt(square) + blur
                times[count, 0], times[count, 1] = first, last
                count += 1
                first, last, blur, is_open = math.inf, -math.inf, 0.0, False
        if piece < 0:
            continue
        for k in range(3):
            low[k] = min(low[k], points[i, k], points[i + 1, k])
            high[k] = max(high[k], points[i, k], points[i + 1, k])
        first, last = min(first, points[i, 3] - early[piece]), max(last, points[i + 1, 3] + late[piece])
        blur, is_open = max(blur, doubt[piece]), True
    return spheres[:count].copy(), times[:count].copy()
