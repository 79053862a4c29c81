"""Where every unit is at common instants: what tools want that judge one moment at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.brute_force import earth_centred
from bench.positions import Positions

__all__ = ["STEP_S", "Snapshots", "snapshots"]

STEP_S = 10.0  # the step of the stock day, where nothing then falls between two moments but the middle of a leg

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Snapshots:
    """Units at the multiples of `STEP_S`, ordered by moment.

    Attributes
    ----------
    moment
        Number of the step.
    operation
        Whose unit.
    point
        Earth-centred vector, shape (n, 3).
    velocity
        Metres per second, shape (n, 3).
    height_m, climb_m_s
        Height and its rate.
    """

    moment: Ints
    operation: Ints
    point: Floats
    velocity: Floats
    height_m: Floats
    climb_m_s: Floats


def snapshots(positions: Positions) -> Snapshots:
    """Units at the multiples of `STEP_S` that fall in a leg, moved along it."""
    legs = positions.legs()
    points, height = earth_centred(positions), positions.height_m
    start, end = positions.time_s[legs.first], positions.time_s[legs.last]
    low, high = np.ceil(start / STEP_S).astype(np.int64), np.ceil(end / STEP_S).astype(np.int64)
    # An instant at which one leg ends and the next begins belongs to the next; the last leg keeps its own end.
    final = np.append(legs.first[1:] != legs.last[:-1], True)
    high += final & (end % STEP_S == 0.0)
    many = high - low
    leg = np.repeat(np.arange(len(legs)), many)
    moment = low[leg] + np.arange(len(leg)) - np.repeat(np.cumsum(many) - many, many)
    first, last = legs.first[leg], legs.last[leg]
    duration = (end - start)[leg]
    part = moment * STEP_S - start[leg]
    velocity = (points[last] - points[first]) / duration[:, None]
    climb = (height[last] - height[first]) / duration
    order = np.argsort(moment, kind="stable")
    return Snapshots(
        moment[order],
        legs.operation[leg][order],
        (points[first] + velocity * part[:, None])[order],
        velocity[order],
        (height[first] + climb * part)[order],
        climb[order],
    )
