"""Shapes: the volumes of operations and zones as arrays that the kernels read.

A footprint is edges with a radius: a polygon's rings (radius 0, and an inside), a corridor's line (its half-width), a
circle's centre (its radius). Edges are densified until the chord between two vertices is within a fraction of a
millimetre of the edge that was meant, straight in longitude and latitude or shortest path, and does not sag. Whether a
point is inside is decided on longitudes and latitudes, where such rings are what they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from keepclear.geo import heights as height_codes
from keepclear.geo.ellipsoid import (
    LEAST_RADIUS_M,
    chord_of_arc_m,
    geodesic_points,
    longest_leg_m,
    surface_lonlat,
    surface_points,
)
from keepclear.geo.heights import HEIGHT_SPANS
from keepclear.geo.kernel import kernel
from keepclear.model.extents import Volume
from keepclear.model.footprints import Corridor, Edges, Polygon
from keepclear.model.heights import Height
from keepclear.model.kinds import Domain
from keepclear.model.operations import Operation, Zone
from keepclear.separation.legs import HEIGHT_CODES
from keepclear.separation.minima import RVSM_CEILING_M

__all__ = ["BLOCK", "Band", "Shape", "Shapes", "compile_shape", "compile_shapes", "contains", "pack"]

Array = npt.NDArray[np.float64]

BLOCK = 32
"""Edges under one bounding sphere."""
_LATERAL_M = 0.0003
_MOST_VERTICES = 200_000
_EVERYWHERE_M = 3e7
_OPEN_M = 1e9


@dataclass(frozen=True, slots=True)
class Band:
    """Floor and ceiling: value, height code, and the least and greatest height above W84 that they can mean."""

    floor_m: float
    floor_code: int
    floor_w84: tuple[float, float]
    ceiling_m: float
    ceiling_code: int
    ceiling_w84: tuple[float, float]

    @property
    def is_thin(self) -> bool:
        """Whether the band has no thickness, so that nothing could overlap it by a millimetre."""
        return self.floor_code == self.ceiling_code <= height_codes.AGL and self.ceiling_m - self.floor_m < 0.002


@dataclass(frozen=True, slots=True)
class Shape:
    """One volume, compiled.

    Attributes
    ----------
    owner
        Index of the operation, or of the zone.
    edges
        Shape (n, 6): both ends of each edge as earth-centred metres.
    rings
        Tuples of longitudes and (guarded) latitudes for `contains`; empty unless the shape has an inside.
    radius_m, bound_m
        Half-width or radius as a chord; how far off the edges may be, numerically.
    centre, reach_m
        Bounding sphere.
    is_high
        Whether it is above FL410, where minima are wider.
    """

    owner: int
    is_zone: bool
    edges: Array
    rings: tuple[Array, ...]
    radius_m: float
    bound_m: float
    uncertainty_m: float
    start_s: float
    end_s: float
    is_timed: bool
    band: Band
    centre: tuple[float, float, float]
    reach_m: float
    is_high: bool = False

    @property
    def has_inside(self) -> bool:
        """Whether the footprint is an area with a border rather than a line with a width."""
        return bool(self.rings)


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes end to end: see `pack`."""

    edges: Array
    edge_first: npt.NDArray[np.int64]
    blocks: Array
    block_first: npt.NDArray[np.int64]
    rings: Array
    ring_first: npt.NDArray[np.int64]
    shape_ring_first: npt.NDArray[np.int64]


def compile_shapes(thing: Operation | Zone, *, owner: int, horizontal_m: float) -> list[Shape]:
    """All volumes of an operation or zone as shapes; a volume of aircraft that passes FL410 is two.

    Parameters
    ----------
    owner, horizontal_m
        See `compile_shape`.
    """
    is_zone, on_ground, in_air = isinstance(thing, Zone), False, False
    if isinstance(thing, Operation):
        on_ground, in_air = thing.domains <= {Domain.GROUND, Domain.SEA}, Domain.AIR in thing.domains
    shapes = []
    for volume in thing.volumes:
        for part, is_high in _by_level(volume) if in_air else ((volume, False),):
            shape = compile_shape(part, owner=owner, is_zone=is_zone, on_ground=on_ground, horizontal_m=horizontal_m)
            shapes.append(replace(shape, is_high=is_high))
    return shapes


def _by_level(volume: Volume) -> list[tuple[Volume, bool]]:
    """What of a volume is below FL410, and what is above it (True)."""
    floor, ceiling = volume.floor, volume.ceiling
    if ceiling is None or ceiling.value_m <= RVSM_CEILING_M + 0.001:
        return [(volume, False)]
    if floor is not None and floor.value_m >= RVSM_CEILING_M - 0.001:
        return [(volume, True)]
    level = Height(RVSM_CEILING_M, ceiling.reference)
    return [(replace(volume, ceiling=level), False), (replace(volume, floor=level), True)]


def compile_shape(volume: Volume, *, owner: int, is_zone: bool, on_ground: bool, horizontal_m: float) -> Shape:
    """One volume as a shape.

    Parameters
    ----------
    on_ground
        Whether heights that are not given are those of the ground.
    horizontal_m
        The least horizontal minimum that binds its owner: edges are cut so that sag does not matter at that distance.
    """
    footprint = volume.footprint
    radius, bound = 0.0, 0.0
    rings: tuple[Array, ...] = ()
    if isinstance(footprint, Polygon):
        lines = []
        for ring in footprint.rings:
            line, off = _densified(ring, footprint.edges, horizontal_m)
            lines.append(line)
            bound = max(bound, off)
            rings += (_guarded(ring if footprint.edges is Edges.LONLAT else line),)
    elif isinstance(footprint, Corridor):
        line, bound = _densified(footprint.line, footprint.edges, horizontal_m + footprint.half_width_m)
        lines, radius = [line], footprint.half_width_m
    else:
        lines = [np.array([[footprint.lon_deg, footprint.lat_deg]])]
        radius, bound = chord_of_arc_m(footprint.radius_m, footprint.lat_deg)
    edges = np.concatenate([_edges_of(line) for line in lines])
    centre, reach = _sphere(edges, rings)
    unknown = volume.start_s is None or volume.end_s is None
    return Shape(
        owner=owner,
        is_zone=is_zone,
        edges=edges,
        rings=rings,
        radius_m=radius,
        bound_m=bound,
        uncertainty_m=volume.uncertainty_m,
        start_s=-math.inf if volume.start_s is None else volume.start_s,
        end_s=math.inf if volume.end_s is None else volume.end_s,
        is_timed=is_zone or not unknown,
        band=_band(volume, is_zone=is_zone, on_ground=on_ground, lines=lines),
        centre=centre,
        reach_m=reach + radius + bound + volume.uncertainty_m,
    )


def pack(shapes: Sequence[Shape]) -> Shapes:
    """Arrays of all shapes end to end.

    ``edge_first[k]`` is the first edge of shape k, ``block_first`` its first block of `BLOCK` edges (rows: centre and
    radius of a bounding sphere), ``shape_ring_first`` its first ring and ``ring_first`` that ring's first vertex.
    """
    edge_counts = [len(shape.edges) for shape in shapes]
    block_counts = [-(-count // BLOCK) for count in edge_counts]
    all_rings = [ring for shape in shapes for ring in shape.rings]
    edges = np.concatenate([shape.edges for shape in shapes]) if shapes else np.empty((0, 6))
    blocks = np.empty((sum(block_counts), 4))
    edge_first, block_first = _first(edge_counts), _first(block_counts)
    _fill_blocks(edges, edge_first, block_first, blocks)
    return Shapes(
        edges,
        edge_first,
        blocks,
        block_first,
        np.concatenate(all_rings) if all_rings else np.empty((0, 2)),
        _first([len(ring) for ring in all_rings]),
        _first([len(shape.rings) for shape in shapes]),
    )


@kernel
def contains(rings: Array, ring_first: npt.NDArray[np.int64], low: int, high: int, lon: float, lat: float) -> bool:
    """Whether a point is inside rings ``low`` to ``high``: crossed an odd number of times on the way north.

    Rings are unwrapped, so the point is asked for on every turn of the Earth that they may lie on.
    """
    odd = False
    for turn in range(-2, 3):
        x = lon + 360.0 * turn
        for ring in range(low, high):
            begin, end = ring_first[ring], ring_first[ring + 1]
            for k in range(begin, end - 1):
                x0, x1 = rings[k, 0], rings[k + 1, 0]
                if (x0 > x) != (x1 > x):
                    y0, y1 = rings[k, 1], rings[k + 1, 1]
                    if y0 + (x - x0) / (x1 - x0) * (y1 - y0) > lat:
                        odd = not odd
    return odd


@kernel
def contains_point(
    rings: Array, ring_first: npt.NDArray[np.int64], low: int, high: int, x: float, y: float, z: float
) -> bool:
    """The same for an earth-centred point on or near the surface."""
    lon, lat = surface_lonlat(x, y, z)
    return contains(rings, ring_first, low, high, lon, lat)


@kernel
def _fill_blocks(edges, edge_first, block_first, blocks):  # type: ignore[no-untyped-def]
    for shape in range(edge_first.shape[0] - 1):
        for block in range(block_first[shape], block_first[shape + 1]):
            low = edge_first[shape] + (block - block_first[shape]) * BLOCK
            high = min(low + BLOCK, edge_first[shape + 1])
            for k in range(3):
                blocks[block, k] = 0.0
                for edge in range(low, high):
                    blocks[block, k] += 0.5 * (edges[edge, k] + edges[edge, k + 3]) / (high - low)
            widest = 0.0
            for edge in range(low, high):
                for end in (0, 3):
                    square = 0.0
                    for k in range(3):
                        square += (edges[edge, end + k] - blocks[block, k]) ** 2
                    widest = max(widest, square)
            blocks[block, 3] = math.sqrt(widest)


def _first(counts: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(np.array(counts, dtype=np.int64))))


def _edges_of(line: Array) -> Array:
    points = np.empty((len(line), 3))
    surface_points(np.ascontiguousarray(line[:, 0]), np.ascontiguousarray(line[:, 1]), points)
    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)
    return np.hstack((points[:-1], points[1:]))


def _sphere(edges: Array, rings: tuple[Array, ...]) -> tuple[tuple[float, float, float], float]:
    """Bounding sphere of a footprint; all of space for an area that is wide or holds a pole.

    The inside of a border that lies within less than a hemisphere lies within the same sphere, unless the area is the
    other side of that border; a narrow span of longitudes without a pole rules that out.
    """
    centre = edges.reshape(-1, 3).mean(axis=0)
    for ring in rings:
        if np.ptp(ring[:, 0]) > 90.0 or np.abs(ring[:, 1]).max() > 90.0:
            return (0.0, 0.0, 0.0), _EVERYWHERE_M
    reach = float(np.linalg.norm(edges.reshape(-1, 3) - centre, axis=1).max())
    return (float(centre[0]), float(centre[1]), float(centre[2])), reach


def _unwrapped(ring: Array) -> Array:
    """The line with each step of more than half a turn taken the short way; a full turn is left as it is."""
    lon = np.array(ring[:, 0])
    steps = np.diff(lon)
    turns = np.where(np.abs(np.abs(steps) - 360.0) < 1e-9, 0.0, np.round(steps / 360.0))
    lon[1:] -= 360.0 * np.cumsum(turns)
    return np.column_stack((lon, ring[:, 1]))


def _guarded(ring: Array) -> Array:
    """Ring for `contains`: unwrapped, closed over the nearer pole if it goes round one, poles put out of reach."""
    line = _unwrapped(ring)
    turn = line[-1, 0] - line[0, 0]
    if abs(turn) > 180.0:
        pole = 91.0 if line[:, 1].max() + line[:, 1].min() >= 0.0 else -91.0  # as `geo.rings.pole_inside`
        line = np.vstack((line, [[line[-1, 0], pole], [line[0, 0], pole], line[0]]))
    line[:, 1] = np.where(np.abs(line[:, 1]) >= 90.0, np.sign(line[:, 1]) * 91.0, line[:, 1])
    return np.ascontiguousarray(line)


def _densified(line: Array, edges: Edges, horizontal_m: float) -> tuple[Array, float]:
    """Line with vertices so close that its chords are its edges, and how far off they are at most (metres)."""
    if len(line) == 1:
        return np.array(line), 0.0
    if edges is Edges.LONLAT:
        line = _unwrapped(line)
    counts = np.array([_steps(a, b, edges, horizontal_m) for a, b in zip(line[:-1], line[1:], strict=True)])
    coarser = max(1.0, counts.sum() / _MOST_VERTICES)
    parts = []
    for (a, b), count in zip(zip(line[:-1], line[1:], strict=True), counts, strict=True):
        steps = max(1, math.ceil(count / coarser))
        if edges is Edges.LONLAT or steps == 1:
            fraction = np.linspace(0.0, 1.0, steps + 1)[:-1, None]
            parts.append(a + fraction * (b - a))
        else:
            lon, lat = geodesic_points(a[0], a[1], b[0], b[1], steps)
            parts.append(np.column_stack((lon, lat))[:-1])
    return np.concatenate([*parts, line[-1:]]), (_LATERAL_M + 0.0002) * coarser**2


def _steps(a: Array, b: Array, edges: Edges, horizontal_m: float) -> int:
    """How many chords an edge needs."""
    dlon, dlat = math.radians(abs(b[0] - a[0])), math.radians(abs(b[1] - a[1]))
    nearest = 0.0 if a[1] * b[1] <= 0.0 else math.radians(min(abs(a[1]), abs(b[1])))
    if edges is Edges.GEODESIC:
        dlon = min(dlon, 2.0 * math.pi - dlon)
        nearest = 0.0
    length = 6_400_000.0 * math.hypot(dlon * math.cos(nearest), dlat)
    by_sag = length / longest_leg_m(horizontal_m)
    if edges is Edges.GEODESIC:
        return math.ceil(by_sag)
    farthest = math.radians(max(abs(a[1]), abs(b[1])))
    bend = dlon * dlon * min(0.5, math.sin(farthest) * math.cos(nearest)) + 2.0 * dlon * dlat * math.sin(farthest)
    return max(1, math.ceil(by_sag), math.ceil(math.sqrt(LEAST_RADIUS_M * 1.01 * bend / (8.0 * _LATERAL_M))))


def _band(volume: Volume, *, is_zone: bool, on_ground: bool, lines: list[Array]) -> Band:
    missing = height_codes.GROUND_SPAN if on_ground else height_codes.NOTHING
    bounds: list[tuple[float, int, tuple[float, float]]] = []
    for height, open_m in ((volume.floor, -_OPEN_M), (volume.ceiling, _OPEN_M)):
        if height is not None:
            bounds.append(_bound(height, lines))
        elif is_zone:
            bounds.append((open_m, height_codes.W84, (open_m, open_m)))
        else:
            low, high = HEIGHT_SPANS[missing, 1], HEIGHT_SPANS[missing, 3]
            bounds.append((0.0, missing, (float(low), float(high))))
    return Band(*bounds[0], *bounds[1])


def _bound(height: Height, lines: list[Array]) -> tuple[float, int, tuple[float, float]]:
    code = HEIGHT_CODES[height.reference]
    value = height.value_m
    if code == height_codes.AMSL:
        from keepclear.geo.geoid import undulation_m

        vertices = np.concatenate(lines)
        undulation = undulation_m((vertices[:, 0] + 180.0) % 360.0 - 180.0, vertices[:, 1])
        spread = 0.1 * float(np.ptp(undulation))  # inside the border it may go a little beyond
        return value, code, (value + float(undulation.min()) - spread, value + float(undulation.max()) + spread)
    a_low, b_low, a_high, b_high = (float(number) for number in HEIGHT_SPANS[code])
    return value, code, (a_low * value + b_low, a_high * value + b_high)
