"""Footprints: the part of the Earth's surface that a volume covers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError

__all__ = ["Circle", "Corridor", "Edges", "Footprint", "Polygon", "frozen_array"]


class Edges(StrEnum):
    """What the edge between two vertices is."""

    LONLAT = "straight in longitude and latitude"  # GeoJSON, RFC 7946 section 3.1.1
    GEODESIC = "shortest path"  # ASTM F3548-21, KML with tessellation


@dataclass(frozen=True, eq=False)
class Polygon:
    """One outer ring and any number of holes.

    Attributes
    ----------
    rings
        Arrays of shape (n, 2), longitude and latitude in degrees, float64. Each ring is closed here: its last row
        repeats its first. ``rings[0]`` is the outside, the others are holes. Orientation does not matter.
        Between two vertices whose longitudes differ by more than 180° (but not by exactly 360°) the edge takes the
        short way, across the antimeridian. A ring that goes round a pole contains the pole that is nearer to it.
    edges
        What an edge is between two vertices.

    Raises
    ------
    InputError
        If a ring is not closed, has fewer than three different vertices, or a coordinate is out of range.
        Whether a ring crosses itself is checked where files are read (`keepclear.geo.rings`).
    """

    rings: tuple[npt.NDArray[np.float64], ...]
    edges: Edges = Edges.LONLAT

    def __post_init__(self) -> None:
        if not self.rings:
            raise InputError(Fault("a polygon without rings", "at least one ring of four or more positions"))
        rings = tuple(_lonlat(ring, "ring") for ring in self.rings)
        for ring in rings:
            if not np.array_equal(ring[0], ring[-1]):
                raise InputError(
                    Fault(
                        "the ring is not closed",
                        "repeat the first position at the end",
                        field="coordinates",
                        value=f"{ring[0].tolist()} … {ring[-1].tolist()}",
                    )
                )
            if len(np.unique(ring, axis=0)) < 3:
                raise InputError(
                    Fault("a ring needs three different positions", field="coordinates", value=str(ring.tolist()[:4]))
                )
        object.__setattr__(self, "rings", rings)

    @classmethod
    def of_checked(cls, rings: tuple[npt.NDArray[np.float64], ...], edges: Edges) -> Polygon:
        """A polygon of rings that were checked before; nothing is copied or checked here."""
        polygon = object.__new__(cls)
        object.__setattr__(polygon, "rings", rings)
        object.__setattr__(polygon, "edges", edges)
        return polygon


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within `radius_m` (geodesic, metres) of a centre in degrees.

    Raises
    ------
    InputError
        If the centre is out of range or the radius is not a number from 0 to 10,000 km.
    """

    lon_deg: float
    lat_deg: float
    radius_m: float

    def __post_init__(self) -> None:
        _lonlat(np.array([[self.lon_deg, self.lat_deg]]), "centre")
        _check_metres(self.radius_m, "radius")


@dataclass(frozen=True, eq=False)
class Corridor:
    """All points within `half_width_m` (metres, to either side and round the ends) of a line.

    A line without width (`half_width_m` = 0) is a path whose times are not known.

    Attributes
    ----------
    line
        Array of shape (n, 2) with n ≥ 1, longitude and latitude in degrees.

    Raises
    ------
    InputError
        If a coordinate is out of range or the half-width is not a number from 0 to 10,000 km.
    """

    line: npt.NDArray[np.float64]
    half_width_m: float
    edges: Edges = Edges.LONLAT

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", _lonlat(self.line, "line"))
        _check_metres(self.half_width_m, "half-width")

    @classmethod
    def of_checked(cls, line: npt.NDArray[np.float64], half_width_m: float, edges: Edges) -> Corridor:
        """A corridor of what was checked before; nothing is copied or checked here."""
        corridor = object.__new__(cls)
        object.__setattr__(corridor, "line", line)
        object.__setattr__(corridor, "half_width_m", half_width_m)
        object.__setattr__(corridor, "edges", edges)
        return corridor


Footprint = Polygon | Circle | Corridor


def frozen_array(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Read-only float64 copy of `values`.

    Raises
    ------
    InputError
        If `values` are not numbers.
    """
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(Fault(f"{what} must be numbers", value=str(values)[:80])) from None
    array.setflags(write=False)
    return array


def _lonlat(values: Any, what: str) -> npt.NDArray[np.float64]:
    array = frozen_array(values, what)
    if array.ndim != 2 or array.shape[1] != 2 or array.shape[0] == 0:
        raise InputError(Fault(f"{what} must be a list of [longitude, latitude]", field="coordinates"))
    bad = ~((np.abs(array[:, 0]) <= 180.0) & (np.abs(array[:, 1]) <= 90.0))
    if bad.any():
        raise InputError(
            Fault(
                "longitude or latitude out of range",
                "longitude from -180 to 180 first, then latitude from -90 to 90",
                field="coordinates",
                value=str(array[int(np.argmax(bad))].tolist()),
            )
        )
    return array


def _check_metres(value: float, what: str) -> None:
    if not (math.isfinite(value) and 0.0 <= value <= 1e7):
        raise InputError(Fault(f"not a {what}", "a number of metres from 0 to 10000000", field=what, value=str(value)))
