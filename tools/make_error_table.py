"""Measure the errors of the geometry and write them into docs/design/0002-distances.md, between two markers.

Everything is measured on the code that checks run, against geodesics by PROJ (`pyproj.Geod`, which has them to
nanometres), in many random places and at the worst ones known: the equator, the poles, along and across the meridian.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyproj import Geod, Transformer

from keepclear import Circle, MinimaTable, Operation, OperationKind, Polygon, Track, Volume
from keepclear.geo.ellipsoid import lift, longest_leg_m, sag_limit_m, surface_points
from keepclear.model.footprints import Edges
from keepclear.separation.shapes import Shape, compile_shape
from keepclear.separation.world import compile_world

__all__ = ["BEGIN", "END", "TARGET", "page"]

TARGET = Path(__file__).parents[1] / "docs" / "design" / "0002-distances.md"
BEGIN, END = "<!-- measured by tools/make_error_table.py (make docs) -->", "<!-- end of what is measured -->"

Array = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
_FIVE_NM_M = 9260.0
_ROWS = ["| what | where | worst error |", "|---|---|--:|"]


def page(text: str) -> str:
    """The page with its table measured anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [f"| {what} | {where} | {_length(worst)} |" for what, where, worst in _measured()]
    return "\n".join([before + BEGIN, *_ROWS, *rows, END]) + after


def _measured() -> Iterator[tuple[str, str, float]]:
    random = np.random.default_rng(20260302)
    yield "a point of the surface, against PROJ", "everywhere", _point_error(random)
    for length in (1e3, 1e4, 1e5):
        yield "a chord, less than the geodesic", f"{length / 1000:g} km", _chord_error(random, length)
    for minimum in (500.0, _FIVE_NM_M):
        cut = f"legs cut for {minimum:,.0f} m, at {longest_leg_m(minimum):,.0f} m"
        sag, along = _leg_errors(random, minimum, 500.0, 30e3)
        yield "depth of a leg's chord below the surface", cut, sag
        yield "what that adds to the minimum", cut, math.hypot(minimum, sag) - minimum
        yield "place of a unit at a time, legs up to 30 km", cut, along
    _, along = _leg_errors(random, _FIVE_NM_M, 30e3, 10_000e3)
    yield "place of a unit at a time, legs up to 10,000 km", "cut at 10,000 m", along
    for edges in Edges:
        yield f"an edge, {edges.value}", "0.1° to 8°, up to 68° N, cut for 9,260 m", _edge_error(random, edges)
    stated, found = _capped_edge_error()
    yield "a lon/lat edge of 100° at 60° N for a minimum of 0, capped", f"stated: {_length(stated)}", found
    for radius in (1e3, 1e4, 1e5):
        stated, found = _circle_error(random, radius)
        yield "a circle's radius as a chord", f"{radius / 1000:g} km, stated: {_length(stated)}", found
    yield "a time, times 370 m/s", "in the year 2026", 370.0 * 0.5 * float(np.spacing(1.8e9))


def _places(random: np.random.Generator, many: int) -> tuple[Array, Array, Array]:
    """Longitudes, latitudes and azimuths; among the latitudes are the equator and nearly the poles."""
    lat = random.uniform(-90.0, 90.0, many)
    lat[: many // 10] = random.choice([0.0, 1e-6, 45.0, 89.999, -89.999], many // 10)
    azimuth = random.uniform(-180.0, 180.0, many)
    azimuth[::4] = random.choice([0.0, 90.0, 180.0, -90.0], len(azimuth[::4]))
    return random.uniform(-180.0, 180.0, many), lat, azimuth


def _vectors(lon: Array, lat: Array) -> Array:
    points = np.empty((len(lon), 3))
    surface_points(np.ascontiguousarray(lon), np.ascontiguousarray(lat), points)
    return points


def _lifted(points: Array) -> Array:
    return np.array([lift(*(float(number) for number in point)) for point in points])


def _point_error(random: np.random.Generator) -> float:
    lon, lat, _ = _places(random, 10_000)
    theirs = np.column_stack(Transformer.from_crs(4979, 4978, always_xy=True).transform(lon, lat, np.zeros(len(lon))))
    return float(np.linalg.norm(_vectors(lon, lat) - theirs, axis=1).max())


def _chord_error(random: np.random.Generator, length_m: float) -> float:
    lon, lat, azimuth = _places(random, 10_000)
    far_lon, far_lat, _ = _GEOD.fwd(lon, lat, azimuth, np.full(len(lon), length_m))
    chord = np.linalg.norm(_vectors(far_lon, far_lat) - _vectors(lon, lat), axis=1)
    assert (chord <= length_m + 1e-6).all(), "a chord is never longer: what is too close is never called clear for it"
    return float((length_m - chord).max())


def _leg_errors(random: np.random.Generator, minimum_m: float, least_m: float, most_m: float) -> tuple[float, float]:
    """Greatest depth of a cut leg below the surface, and greatest distance from where the unit is at that time."""
    lon, lat, azimuth = _places(random, 200)
    length = np.exp(random.uniform(math.log(least_m), math.log(most_m), len(lon)))
    far_lon, far_lat, _ = _GEOD.fwd(lon, lat, azimuth, length)
    depth = off = 0.0
    for k in range(len(lon)):
        track = Track(np.array([0.0, 1.0]), np.array([lon[k], far_lon[k]]), np.array([lat[k], far_lat[k]]), np.zeros(2))
        operation = Operation("A", "1", OperationKind.FLIGHT, tracks=(track,))
        world = compile_world([operation], [], minima=MinimaTable.single(minimum_m, 300.0), compare_own=False)
        points = world.legs.points[world.legs.piece_of.argmax() :]
        some = np.unique(random.integers(0, len(points) - 1, 20))
        share = random.uniform(0.0, 1.0, len(some))
        share[0] = 0.5
        there = points[some] + share[:, None] * (points[some + 1] - points[some])
        above = _lifted(there[:, :3])
        true_lon, true_lat, _ = _GEOD.fwd(
            *(np.full(len(some), x[k]) for x in (lon, lat, azimuth)), length[k] * there[:, 3]
        )
        depth = max(depth, float(np.linalg.norm(above - there[:, :3], axis=1).max()))
        off = max(off, float(np.linalg.norm(above - _vectors(true_lon, true_lat), axis=1).max()))
    assert depth <= sag_limit_m(minimum_m), "deeper than legs are cut for"
    assert off <= 0.001, f"{off} m further off than a cut leg may be"
    return depth, off


def _shape(footprint: Polygon | Circle, minimum_m: float) -> Shape:
    return compile_shape(Volume(footprint), owner=0, is_zone=True, on_ground=False, horizontal_m=minimum_m)


def _off_chords(edges: Array, points: Array) -> float:
    """Greatest distance to the side, along the surface, of points from the nearest of some chords."""
    worst = 0.0
    starts, along = edges[:, :3], edges[:, 3:] - edges[:, :3]
    squares = np.maximum((along**2).sum(axis=1), 1e-12)
    for point in points:
        share = np.clip(((point - starts) * along).sum(axis=1) / squares, 0.0, 1.0)
        nearest = starts + share[:, None] * along
        best = ((nearest - point) ** 2).sum(axis=1).argmin()
        off = _lifted(nearest[best][None])[0] - point
        off -= (off @ along[best]) / squares[best] * along[best]
        worst = max(worst, float(np.linalg.norm(off)))
    return worst


def _edge_error(random: np.random.Generator, edges: Edges) -> float:
    """Greatest distance of the first edge of a triangle from the chords that it became."""
    worst = 0.0
    for _ in range(40):
        lon, lat, wide = random.uniform(-180.0, 150.0), random.uniform(-60.0, 60.0), random.uniform(0.1, 8.0)
        end_lat = lat + random.uniform(-wide, wide)
        ring = np.array([[lon, lat], [lon + wide, end_lat], [lon + 0.5 * wide, lat - 9.0], [lon, lat]])
        shape = _shape(Polygon((ring,), edges), _FIVE_NM_M)
        share = random.uniform(0.0, 1.0, 50)
        if edges is Edges.LONLAT:
            true_lon, true_lat = lon + share * wide, lat + share * (end_lat - lat)
        else:
            azimuth, _, length = _GEOD.inv(lon, lat, lon + wide, end_lat)
            start = (np.full(50, number) for number in (lon, lat, azimuth))
            true_lon, true_lat, _ = _GEOD.fwd(*start, share * length)
        off = _off_chords(shape.edges, _vectors(true_lon, true_lat))
        assert off <= shape.bound_m, "further off than the shape says"
        worst = max(worst, off)
    return worst


def _capped_edge_error() -> tuple[float, float]:
    """The bound that a shape states which needs more vertices than are allowed, and how far off it is."""
    ring = np.array([[0.0, 60.0], [100.0, 60.0], [100.0, 10.0], [0.0, 10.0], [0.0, 60.0]])
    shape = _shape(Polygon((ring,), Edges.LONLAT), 0.0)
    lon = np.linspace(0.0, 100.0, 401)
    lon += 0.37 * (lon[1] - lon[0])
    found = _off_chords(shape.edges, _vectors(lon[:-1], np.full(400, 60.0)))
    assert found <= shape.bound_m, "further off than the shape says"
    return shape.bound_m, found


def _circle_error(random: np.random.Generator, radius_m: float) -> tuple[float, float]:
    worst = bound = 0.0
    lon, lat, _ = _places(random, 200)
    for k in range(len(lon)):
        shape = _shape(Circle(float(lon[k]), float(lat[k]), radius_m), 0.0)
        rim_lon, rim_lat, _ = _GEOD.fwd(
            np.full(36, lon[k]), np.full(36, lat[k]), np.arange(0.0, 360.0, 10.0), np.full(36, radius_m)
        )
        off = np.abs(np.linalg.norm(_vectors(rim_lon, rim_lat) - shape.edges[0, :3], axis=1) - shape.radius_m)
        assert off.max() <= shape.bound_m + 1e-8, "further off than the shape says"
        worst, bound = max(worst, float(off.max())), max(bound, shape.bound_m)
    return bound, worst


def _length(metres: float) -> str:
    """Two digits, rounded up, so that it holds; below a micrometre only the order of magnitude, which is rounding's."""
    if metres < 1e-6:
        return f"under {10.0 ** math.ceil(math.log10(max(metres, 1e-12)) + 9.0):g} nm"
    unit, name = next((u, n) for u, n in ((1.0, "m"), (1e-3, "mm"), (1e-6, "µm")) if metres >= u)
    value = metres / unit
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / step - 1e-6) * step:g} {name}"


if __name__ == "__main__":
    TARGET.write_text(page(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
    print(TARGET)
