"""What terms about lines ask of places, as fields: by how many metres a place is out of what the term asks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Border, Region, Side
from keepclear.agreements.excess import Field
from keepclear.agreements.terms.geometry import NamedArea

__all__ = ["band", "corridor", "limited_to", "region_of", "strip", "unless_in"]

Array = npt.NDArray[np.float64]


def region_of(areas: Sequence[NamedArea]) -> Region:
    """Some areas as one; what each is made of is worked out once."""
    return areas[0].region if len(areas) == 1 else Region.joined([one.region for one in areas])


def band(border: Border, side: Side, least_m: float, most_m: float) -> Field:
    """Out: less than `least_m` or more than `most_m` deep on a side of the line."""
    sign = _sign(side)

    def field(points: Array) -> tuple[Array, Array]:
        depth, slack = border.depths(points)
        return np.maximum(least_m - sign * depth, sign * depth - most_m), slack

    return field


def strip(border: Border, side: Side | None, distance_m: float) -> Field:
    """Out: nearer to the line than `distance_m`, on a side of it or on both."""

    def field(points: Array) -> tuple[Array, Array]:
        depth, slack = border.depths(points)
        far = distance_m - np.abs(depth)
        if side is None:
            return far, np.full(len(points), np.inf)
        # Beyond the ends there is no side, but what is farther than the distance is on neither side too near.
        slack = np.maximum(slack, -2.0 * far)
        return np.where(far > 0.0, np.minimum(far, _sign(side) * depth), far), slack

    return field


def corridor(axis: Border, left_m: float, right_m: float, *, keep_out: bool = False) -> Field:
    """Out: farther from the axis than the half-width of that side; the other way round where it is to be kept out of.

    Beyond the ends what is farther than the larger half-width is not in the corridor, whatever the side.
    """
    widest = max(left_m, right_m)

    def field(points: Array) -> tuple[Array, Array]:
        depth, slack = axis.depths(points)
        out = np.maximum(depth - left_m, -depth - right_m)
        far = np.abs(depth) - widest
        out = np.where((slack < 0.0) & (far > 0.0), far, out)
        return -out if keep_out else out, np.maximum(slack, 2.0 * far)

    return field


def unless_in(field: Field, region: Region | None) -> Field:
    """The same, but nothing is out in a region."""
    if region is None:
        return field

    def excepted(points: Array) -> tuple[Array, Array]:
        excess, slack = field(points)
        outside = region.outside(points)
        return np.minimum(excess, outside), np.maximum(slack, -2.0 * outside)

    return excepted


def limited_to(field: Field, region: Region | None) -> Field:
    """The same, but nothing is out beyond a region."""
    if region is None:
        return field

    def limited(points: Array) -> tuple[Array, Array]:
        excess, slack = field(points)
        outside = region.outside(points)
        return np.minimum(excess, -outside), np.maximum(slack, 2.0 * outside)

    return limited


def _sign(side: Side) -> float:
    return 1.0 if side is Side.LEFT else -1.0
