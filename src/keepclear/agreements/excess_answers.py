"""How something stands to what a term asks of places: the answer, from above and from below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import surface_lonlat

__all__ = [
    "BEYOND",
    "EDGE",
    "GAP",
    "LOST_M",
    "NUMERIC_M",
    "ROUGH",
    "UNCERTAIN",
    "Excess",
    "Field",
    "Standing",
    "Window",
    "place_of",
]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Field = Callable[[Array], tuple[Array, Array]]
"""From points (n, 3) to their excess (n,) and slack (n,): a slack of -1 says that the excess there is not known; any
other is how far, at least by half, such a place is."""
Window = tuple[float | None, float | None]

NUMERIC_M = 3.0
"""What is out by less than this is on the edge, and within: lines are followed and places found to a metre or two."""
LOST_M = 50.0
"""What may have no side is looked for to this."""


class Standing(StrEnum):
    """How something stands to a field."""

    WITHIN = "within"
    MAYBE = "may be out"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Excess:
    """How far something is out.

    Attributes
    ----------
    standing
        Out: some of it is for certain. Within: none of it can be.
    most_m
        The greatest excess found; negative where it is within. That of what may be the case where `standing` is maybe.
    place
        Where, longitude and latitude.
    spans
        When it is out, or may be; None is open.
    because
        Why it only may be, as ends of a sentence.
    """

    standing: Standing
    most_m: float
    place: tuple[float, float]
    spans: tuple[tuple[float | None, float | None], ...] = ()
    because: tuple[str, ...] = ()


BEYOND = "some of it lies beyond an end of the line, or the line winds round one, where there is no side"
UNCERTAIN = "its place is known only to {metres:,.0f} m"
EDGE = "it is too near the edge to tell"
GAP = "where it was between two positions far apart in time is not known"
ROUGH = "it is told only roughly"


def place_of(point: Array) -> tuple[float, float]:
    """Longitude and latitude of a point on the surface."""
    lon, lat = surface_lonlat(float(point[0]), float(point[1]), float(point[2]))
    return float(lon), float(lat)
