"""Which things in space and time could touch at all: bounding spheres, swept along one axis.

For what is not a leg: shapes and gaps, with each other and with runs of legs. Coarse on purpose; what it lets through
is judged exactly.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import kernel

__all__ = ["RUN", "legs_near", "overlapping", "runs_of_legs"]

Array = npt.NDArray[np.float64]

RUN = 32
"""Legs under one bounding sphere."""


@kernel
def _doubled(found):  # type: ignore[no-untyped-def]
    grown = np.empty((2 * found.shape[0], 2), np.int64)
    for row in range(found.shape[0]):
        grown[row, 0], grown[row, 1] = found[row, 0], found[row, 1]
    return grown


@kernel
def runs_of_legs(points, piece_of, operation, early, late, doubt):  # type: ignore[no-untyped-def]
    """Bounding spheres of runs of up to `RUN` legs of one operation.

    Returns
    -------
    runs, spheres, times
        Shapes (r, 3): first point, one past the last leg's first point, operation; (r, 4): centre and radius with
        uncertainty; (r, 2): earliest and latest actual time.
    """
    n = piece_of.shape[0]
    runs, spheres, times = np.empty((n, 3), np.int64), np.empty((n, 4)), np.empty((n, 2))
    low, high, count, i = np.empty(3), np.empty(3), 0, 0
    while i < n:
        if piece_of[i] < 0:
            i += 1
            continue
        op, begin = operation[piece_of[i]], i
        for k in range(3):
            low[k], high[k] = math.inf, -math.inf
        first, last, blur = math.inf, -math.inf, 0.0
        while i < n and piece_of[i] >= 0 and i - begin < RUN and operation[piece_of[i]] == op:
            piece = piece_of[i]
            for end in range(i, i + 2):
                for k in range(3):
                    low[k], high[k] = min(low[k], points[end, k]), max(high[k], points[end, k])
            first, last = min(first, points[i, 3] - early[piece]), max(last, points[i + 1, 3] + late[piece])
            blur = max(blur, doubt[piece])
            i += 1
        square = 0.0
        for k in range(3):
            spheres[count, k] = 0.5 * (low[k] + high[k])
            square += (0.5 * (high[k] - low[k])) ** 2
        spheres[count, 3] = math.sqrt(square) + blur
        runs[count, 0], runs[count, 1], runs[count, 2] = begin, i, op
        times[count, 0], times[count, 1] = first, last
        count += 1
    return runs[:count], spheres[:count], times[:count]


@kernel
def overlapping(spheres, times, sweeping, order):  # type: ignore[no-untyped-def]
    """Pairs of things whose spheres and times overlap and of which at least one is `sweeping`.

    Parameters
    ----------
    spheres, times
        Shapes (n, 4) and (n, 2).
    sweeping
        Shape (n,): whether a thing is compared with everything, or only with those that are.
    order
        Shape (n,): things by the lower end of their x.
    """
    n = spheres.shape[0]
    active, others = np.empty(n, np.int64), np.empty(n, np.int64)
    n_active = n_others = 0
    found, count = np.empty((1024, 2), np.int64), 0
    for at in range(n):
        thing = order[at]
        x = spheres[thing, 0] - spheres[thing, 3]
        for pool in range(2 if sweeping[thing] else 1):
            members = active if pool == 0 else others
            size = n_active if pool == 0 else n_others
            kept = 0
            for m in range(size):
                other = members[m]
                if spheres[other, 0] + spheres[other, 3] < x:
                    continue
                members[kept] = other
                kept += 1
                if times[thing, 0] > times[other, 1] or times[other, 0] > times[thing, 1]:
                    continue
                reach = spheres[thing, 3] + spheres[other, 3]
                square = 0.0
                for k in range(3):
                    square += (spheres[thing, k] - spheres[other, k]) ** 2
                if square <= reach * reach:
                    if count == found.shape[0]:
                        found = _doubled(found)
                    found[count, 0], found[count, 1] = min(thing, other), max(thing, other)
                    count += 1
            if pool == 0:
                n_active = kept
            else:
                n_others = kept
        if sweeping[thing]:
            active[n_active] = thing
            n_active += 1
        else:
            others[n_others] = thing
            n_others += 1
    return found[:count]


@kernel
def legs_near(pairs, points, piece_of, runs, early, late, doubt, spheres, times):  # type: ignore[no-untyped-def]
    """Legs of the runs in `pairs` that could touch the other thing of their pair.

    Parameters
    ----------
    pairs
        Shape (p, 2): a run, and a row of `spheres` and `times`.

    Returns
    -------
    ndarray of int64, shape (candidates, 2)
        First point of the leg; row of the other thing.
    """
    found, count = np.empty((1024, 2), np.int64), 0
    for row in range(pairs.shape[0]):
        run, other = pairs[row, 0], pairs[row, 1]
        for i in range(runs[run, 0], runs[run, 1]):
            piece = piece_of[i]
            if points[i, 3] - early[piece] > times[other, 1] or points[i + 1, 3] + late[piece] < times[other, 0]:
                continue
            square = length = 0.0
            for k in range(3):
                square += (0.5 * (points[i, k] + points[i + 1, k]) - spheres[other, k]) ** 2
                length += (points[i + 1, k] - points[i, k]) ** 2
            reach = spheres[other, 3] + 0.5 * math.sqrt(length) + doubt[piece] + 1.0
            if square <= reach * reach:
                if count == found.shape[0]:
                    found = _doubled(found)
                found[count, 0], found[count, 1] = i, other
                count += 1
    return found[:count]
