"""Extents as JSON: every volume and track of `keepclear.model`, exactly, there and back.

Times are JSON numbers, seconds since 1970-01-01T00:00:00Z (POSIX, no leap seconds), and like all numbers they are
written with as many digits as it takes to read the same double again (RFC 8785). So they are as fine as in the model,
about a quarter of a microsecond in this century. Text with a fixed number of decimals would round them, and a
rounded window is not the one that was checked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Discriminator, Field, Tag

from keepclear.errors import InputError
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.record.bodies.base import MOST_PARTS, Faults, Number, Value

__all__ = ["TrackValue", "VolumeValue", "track_members", "volume_members"]

UNLIMITED = "unlimited"
_MOST_TOLERANCE = 1e12
"""Seconds or metres: longer than all of the calendar, wider than the world, and below what JSON has exactly."""

Array = npt.NDArray[np.float64]

# A list of numbers stops at the first that is none: it may have a million, and a fault for each would be as many.
Position = Annotated[list[Number], Field(min_length=2, max_length=2, fail_fast=True)]
"""Longitude, latitude in degrees."""
Positions = Annotated[list[Position], Field(min_length=1, fail_fast=True)]
Numbers = Annotated[list[Number], Field(min_length=1, fail_fast=True)]
EdgesText = Literal["lonlat", "geodesic"]
Reference = Annotated[HeightReference, Field(strict=False)]
Basis = Annotated[TrackBasis, Field(strict=False)]

_Least = Annotated[float, Field(ge=0.0, le=_MOST_TOLERANCE, allow_inf_nan=False)]
_Slip = Annotated[
    Annotated[_Least, Tag("number")] | Annotated[Literal["unlimited"], Tag("text")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "number"),
]


def _which(value: object) -> str:
    return "list" if isinstance(value, list) else "text" if isinstance(value, str) else "number"


Slip = Annotated[
    Annotated[_Least, Tag("number")]
    | Annotated[Literal["unlimited"], Tag("text")]
    | Annotated[list[_Slip], Field(min_length=1, fail_fast=True), Tag("list")],
    Discriminator(_which),
]
"""Seconds, or ``"unlimited"``: one for all positions, or one for each."""
Uncertainty = Annotated[
    Annotated[_Least, Tag("number")] | Annotated[list[_Least], Field(min_length=1, fail_fast=True), Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, list) else "number"),
]
"""Metres: one for all positions, or one for each."""

_EDGES: dict[str, Edges] = {"lonlat": Edges.LONLAT, "geodesic": Edges.GEODESIC}
_EDGES_TEXT = {edges: text for text, edges in _EDGES.items()}


class HeightValue(Value):
    """Metres above a reference surface."""

    value_m: Number
    reference: Reference


class PolygonValue(Value):
    """An outer ring and holes; each repeats its first position at the end."""

    shape: Literal["polygon"]
    rings: Annotated[list[Positions], Field(min_length=1, max_length=MOST_PARTS, fail_fast=True)]
    edges: EdgesText = "lonlat"


class CircleValue(Value):
    """All points within a radius."""

    shape: Literal["circle"]
    lon_deg: Number
    lat_deg: Number
    radius_m: Number


class CorridorValue(Value):
    """All points within a half-width of a line, round its ends too."""

    shape: Literal["corridor"]
    line: Positions
    half_width_m: Number
    edges: EdgesText = "lonlat"


class VolumeValue(Value):
    """A footprint, a height band and a time window. What is left out is not known; for a zone, without bound."""

    footprint: Annotated[PolygonValue | CircleValue | CorridorValue, Field(discriminator="shape")]
    floor: HeightValue | None = None
    ceiling: HeightValue | None = None
    start_s: Number | None = None
    end_s: Number | None = None
    uncertainty_m: _Least = 0.0

    def volume(self) -> Volume:
        """The volume.

        Raises
        ------
        InputError
            If it is none, as a reader of files would say: out of range, a ring that is open or crosses itself, an end
            before the start.
        """
        faults = Faults()
        footprint = faults.attempt("footprint", partial(_footprint, self.footprint))
        floor = faults.attempt("floor", partial(_height, self.floor))
        ceiling = faults.attempt("ceiling", partial(_height, self.ceiling))
        faults.raise_any()
        assert footprint is not None  # or there was a fault
        return Volume(footprint, floor, ceiling, self.start_s, self.end_s, self.uncertainty_m)


class TrackValue(Value):
    """Timed positions; the lists are equally long, and a height that is not known is null."""

    time_s: Numbers
    lon_deg: Numbers
    lat_deg: Numbers
    height_m: Annotated[list[Number | None], Field(min_length=1, fail_fast=True)]
    height_reference: Reference = HeightReference.W84
    basis: Basis = TrackBasis.PLANNED
    uncertainty_m: Uncertainty = 0.0
    early_s: Slip = 0.0
    late_s: Slip = 0.0

    def track(self) -> Track:
        """The track.

        Raises
        ------
        InputError
            If it is none: lists of different lengths, times that go back, numbers out of range.
        """
        return Track(
            np.array(self.time_s),
            np.array(self.lon_deg),
            np.array(self.lat_deg),
            np.array([math.nan if one is None else one for one in self.height_m]),
            self.height_reference,
            self.basis,
            _tolerance(self.uncertainty_m),
            _tolerance(self.early_s),
            _tolerance(self.late_s),
        )


def volume_members(volume: Volume) -> dict[str, Any]:
    """The members of a volume's JSON object."""
    members = {
        "footprint": _footprint_members(volume.footprint),
        "floor": _height_members(volume.floor),
        "ceiling": _height_members(volume.ceiling),
        "start_s": _number(volume.start_s),
        "end_s": _number(volume.end_s),
        "uncertainty_m": float(volume.uncertainty_m),
    }
    return {name: value for name, value in members.items() if value is not None}


def track_members(track: Track) -> dict[str, Any]:
    """The members of a track's JSON object."""
    return {
        "time_s": track.time_s.tolist(),
        "lon_deg": track.lon_deg.tolist(),
        "lat_deg": track.lat_deg.tolist(),
        "height_m": [None if math.isnan(one) else one for one in track.height_m.tolist()],
        "height_reference": track.height_reference,
        "basis": track.basis,
        "uncertainty_m": _tolerance_value(track.uncertainty_m),
        "early_s": _tolerance_value(track.early_s),
        "late_s": _tolerance_value(track.late_s),
    }


def _footprint(value: PolygonValue | CircleValue | CorridorValue) -> Footprint:
    if isinstance(value, CircleValue):
        return Circle(value.lon_deg, value.lat_deg, value.radius_m)
    if isinstance(value, CorridorValue):
        return Corridor(np.array(value.line), value.half_width_m, _EDGES[value.edges])
    from keepclear.geo.rings import check_rings  # with shapely, which takes long to load

    rings = tuple(np.array(ring) for ring in value.rings)
    faults = check_rings(rings)
    if faults:
        raise InputError(faults)
    return Polygon(rings, _EDGES[value.edges])


def _height(value: HeightValue | None) -> Height | None:
    return None if value is None else Height(value.value_m, value.reference)


def _footprint_members(footprint: Footprint) -> dict[str, Any]:
    if isinstance(footprint, Circle):
        members = {"lon_deg": footprint.lon_deg, "lat_deg": footprint.lat_deg, "radius_m": footprint.radius_m}
        return {"shape": "circle"} | {name: float(number) for name, number in members.items()}
    edges = _EDGES_TEXT[footprint.edges]
    if isinstance(footprint, Corridor):
        line = footprint.line.tolist()
        return {"shape": "corridor", "line": line, "half_width_m": float(footprint.half_width_m), "edges": edges}
    return {"shape": "polygon", "rings": [ring.tolist() for ring in footprint.rings], "edges": edges}


def _height_members(height: Height | None) -> dict[str, Any] | None:
    return None if height is None else {"value_m": float(height.value_m), "reference": height.reference}


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _tolerance(value: float | str | Sequence[float | str]) -> float | Array:
    if not isinstance(value, float | int | str):
        return np.array([_seconds(one) for one in value])
    return _seconds(value)


def _seconds(value: float | str) -> float:
    return math.inf if isinstance(value, str) else value


def _tolerance_value(tolerance: float | Array) -> object:
    if isinstance(tolerance, float | int):
        return _tolerance_text(float(tolerance))
    return [_tolerance_text(one) for one in tolerance.tolist()]


def _tolerance_text(number: float) -> float | str:
    return UNLIMITED if math.isinf(number) else number
