"""Geometry of agreements: named lines and areas out of the annexes, which the agreement holds by hash.

A border is what the parties signed, and never what a basemap shows. So a term names a feature of an annex, as
``"map.geojson#border"``, and what is not there cannot be named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Border, Region
from keepclear.agreements.terms.quantities import read_length
from keepclear.errors import Fault, InputError
from keepclear.geo.rings import check_rings, unwrapped
from keepclear.model.footprints import Circle, Edges, Footprint, Polygon

__all__ = ["Annexes", "HasData", "NamedArea", "NamedLine"]

MOST_POSITIONS = 100_000
_WANTED = 'the name of an annex, "#" and the id of a feature in it, for example "map.geojson#border"'
_EDGES = {"lonlat": Edges.LONLAT, "geodesic": Edges.GEODESIC}


class HasData(Protocol):
    """An annex: anything with its bytes."""

    @property
    def data(self) -> bytes:
        """The bytes."""


@dataclass(frozen=True, eq=False)
class NamedLine:
    """A line of an annex.

    Attributes
    ----------
    name
        As the term names it.
    positions
        Shape (n, 2), longitude and latitude in degrees.
    edges
        What runs between two positions.
    """

    name: str
    positions: npt.NDArray[np.float64]
    edges: Edges = Edges.LONLAT

    @cached_property
    def border(self) -> Border:
        """The same, to be asked how far from it a place is."""
        return Border(self.positions, self.edges)


@dataclass(frozen=True, eq=False)
class NamedArea:
    """An area of an annex: one or more polygons, or a circle.

    Attributes
    ----------
    name
        As the term names it.
    footprints
        What it is made of.
    """

    name: str
    footprints: tuple[Footprint, ...]

    @cached_property
    def region(self) -> Region:
        """The same, to be asked how far from it a place is."""
        return Region(self.footprints)


class Annexes:
    """The annexes of an agreement, read when a term names one, and once; so is each line and area of them.

    A border is long, and many terms may be of the same one: they share what was worked out of it.

    Parameters
    ----------
    files
        By name: the bytes, or anything that has them as `data`.
    """

    def __init__(self, files: Mapping[str, HasData | bytes] | None = None) -> None:
        self._files = dict(files or {})
        self._features: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        self._lines: dict[str, NamedLine] = {}
        self._areas: dict[str, NamedArea] = {}

    def line(self, reference: object) -> NamedLine:
        """The line that a term names.

        Raises
        ------
        InputError
            If there is none of that name, it is no line, or it crosses itself.
        """
        name, feature = self._feature(reference)
        if name not in self._lines:
            self._lines[name] = _line(name, feature)
        return self._lines[name]

    def area(self, reference: object) -> NamedArea:
        """The area that a term names.

        Raises
        ------
        InputError
            If there is none of that name, it is no area, or its outline crosses itself.
        """
        name, feature = self._feature(reference)
        if name not in self._areas:
            self._areas[name] = _area(name, feature)
        return self._areas[name]

    def _feature(self, reference: object) -> tuple[str, Mapping[str, Any]]:
        if not isinstance(reference, str) or not reference.strip():
            raise InputError(Fault("not the name of a geometry", _WANTED, value=str(reference)[:99]))
        file, _, wanted = reference.strip().partition("#")
        if file not in self._files:
            there = ", ".join(sorted(self._files)) or "there are none"
            raise InputError(Fault("not in the annexes", f"{_WANTED}; the annexes are: {there}", value=reference))
        if file not in self._features:
            self._features[file] = _features_of(file, self._files[file])
        features = self._features[file]
        if not wanted and len(features) == 1:
            wanted = next(iter(features))
        if wanted not in features:
            there = ", ".join(sorted(features)[:20]) or "none"
            raise InputError(Fault("not in the annex", f"{_WANTED}; its features are: {there}", value=reference))
        return f"{file}#{wanted}", features[wanted]


def _line(name: str, feature: Mapping[str, Any]) -> NamedLine:
    geometry = feature.get("geometry")
    if not isinstance(geometry, Mapping) or geometry.get("type") != "LineString":
        raise _fault("not a line", 'a feature with a "LineString"', name)
    positions = _positions(geometry.get("coordinates"), name, least=2)
    _check_line(positions, name)
    return NamedLine(name, positions, _edges_of(feature, name))


def _area(name: str, feature: Mapping[str, Any]) -> NamedArea:
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind == "Point":
        return NamedArea(name, (_circle(feature, name),))
    if kind not in ("Polygon", "MultiPolygon"):
        raise _fault("not an area", 'a "Polygon", a "MultiPolygon", or a "Point" with a property radius', name)
    assert isinstance(geometry, Mapping)
    given = geometry.get("coordinates")
    polygons = [given] if kind == "Polygon" else given
    if not isinstance(polygons, list) or not polygons:
        raise _fault("no coordinates", "rings of positions", name)
    edges = _edges_of(feature, name)
    return NamedArea(name, tuple(_polygon(one, edges, name) for one in polygons))


def _features_of(file: str, annex: HasData | bytes) -> Mapping[str, Mapping[str, Any]]:
    data = annex if isinstance(annex, bytes) else annex.data
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"not GeoJSON: {str(error)[:200]}", "a FeatureCollection", file=file)) from None
    listed = document.get("features") if isinstance(document, Mapping) else None
    if isinstance(document, Mapping) and document.get("type") == "Feature":
        listed = [document]
    if not isinstance(listed, list):
        raise InputError(Fault("not GeoJSON", 'an object with "type": "FeatureCollection"', file=file))
    features: dict[str, Mapping[str, Any]] = {}
    for number, one in enumerate(listed, start=1):
        name = _name_of(one)
        if name in features:
            raise InputError(Fault("two features of this name", "one each", file=file, feature=name))
        features[name or f"feature {number}"] = one if isinstance(one, Mapping) else {}
    return features


def _name_of(feature: object) -> str:
    if not isinstance(feature, Mapping):
        return ""
    properties = feature.get("properties")
    inner = properties if isinstance(properties, Mapping) else {}
    found = next((one for one in (feature.get("id"), inner.get("id"), inner.get("name")) if one is not None), "")
    return str(found) if isinstance(found, str | int) else ""


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = feature.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _edges_of(feature: Mapping[str, Any], name: str) -> Edges:
    word = _properties(feature).get("edges", "lonlat")
    if word not in _EDGES:
        raise _fault("not a sort of edge", "lonlat or geodesic", name, field="edges", value=str(word))
    return _EDGES[word]


def _circle(feature: Mapping[str, Any], name: str) -> Circle:
    (lon, lat), *_ = _positions([feature["geometry"].get("coordinates")], name, least=1).tolist()
    properties = _properties(feature)
    if "radius" not in properties:
        raise _fault(
            "a point without a radius is no area", 'a property radius, for example "5 km"', name, field="radius"
        )
    try:
        return Circle(lon, lat, read_length(properties["radius"]))
    except InputError as error:
        raise InputError([replace(one, feature=name, field="radius") for one in error.faults]) from None


def _polygon(rings: object, edges: Edges, name: str) -> Polygon:
    if not isinstance(rings, list) or not rings:
        raise _fault("not a polygon", "a list of rings", name)
    arrays = [_positions(ring, name, least=4) for ring in rings]
    faults = check_rings(arrays)
    if faults:
        raise InputError([replace(fault, feature=name) for fault in faults])
    return Polygon(tuple(arrays), edges)


def _positions(value: object, name: str, *, least: int) -> npt.NDArray[np.float64]:
    wanted = f"{least} or more positions of [longitude, latitude]"
    if not isinstance(value, Sequence) or isinstance(value, str) or not least <= len(value) <= MOST_POSITIONS:
        raise _fault("not a list of positions", f"{wanted}, at most {MOST_POSITIONS}", name)
    try:
        array = np.array([[float(one[0]), float(one[1])] for one in value], dtype=np.float64)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise _fault("not a list of positions", wanted, name) from None
    bad = ~((np.abs(array[:, 0]) <= 180.0) & (np.abs(array[:, 1]) <= 90.0))
    if bad.any():
        shown = str(array[int(np.argmax(bad))].tolist())
        right = "longitude from -180 to 180 first, then latitude from -90 to 90"
        raise _fault("longitude or latitude out of range", right, name, value=shown)
    return array


def _check_line(positions: npt.NDArray[np.float64], name: str) -> None:
    import shapely

    path = unwrapped(positions)
    if (np.diff(positions, axis=0) == 0.0).all(axis=1).any():
        raise _fault("the same position twice in a row", "each once", name)
    line = shapely.LineString(path)
    if not line.is_simple:
        right = "a line that does not cross itself: which side of it is which would not be clear"
        raise _fault("the line crosses or touches itself", right, name)


def _fault(problem: str, right: str, name: str, *, field: str = "coordinates", value: str = "") -> InputError:
    return InputError(Fault(problem, right, feature=name, field=field, value=value))
