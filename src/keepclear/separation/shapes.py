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
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.geo import heights as height_codes
from keepclear.geo.ellipsoid import (
    chord_of_arc_m,
    geodesic_points,
    longest_leg_m,
    surface_lonlat,
    surface_point,
    surface_points,
)
from keepclear.geo.heights import HEIGHT_SPANS
from keepclear.geo.kernel import kernel
from keepclear.geo.rings import pole_inside
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height
from keepclear.model.kinds import SURFACE, Domain
from keepclear.model.operations import Operation, Zone
from keepclear.separation.legs import HEIGHT_CODES
from keepclear.separation.minima import RVSM_CEILING_M

__all__ = [
    "BLOCK",
    "Band",
    "Shape",
    "Shapes",
    "blocks_of",
    "compile_shape",
    "compile_shapes",
    "contains_point",
    "pack",
]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLOCK = 32
"""Edges under one bounding sphere."""
_LATERAL_M = 0.0003
_MOST_VERTICES = 20_000
_EVERYWHERE_M = 3e7
_EARTH_M = 6_371_008.8
_SMALL_M = 3e6
_LONLAT_RING, _GEODESIC_RING = 0.0, 1.0
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


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One volume, compiled.

    Attributes
    ----------
    owner
        Index of the operation, or of the zone.
    edges
        Shape (n, 6): both ends of each edge as earth-centred metres.
    rings
        For `contains_point`; empty unless the shape has an inside.
    radius_m, bound_m
        Half-width or radius as a chord; how far off the edges may be, numerically.
    reach_of_edge_m
        Half-width or radius along the surface.
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
    reach_of_edge_m: float
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
        on_ground, in_air = thing.domains <= SURFACE, Domain.AIR in thing.domains
    shapes = []
    for volume in thing.volumes:
        for part, is_high in _by_level(volume) if in_air else ((volume, False),):
            shape = compile_shape(part, owner=owner, is_zone=is_zone, on_ground=on_ground, horizontal_m=horizontal_m)
            shapes.append(replace(shape, is_high=True) if is_high else shape)
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
            rings += (_guarded(ring) if footprint.edges is Edges.LONLAT else _chords(ring, line),)
    elif isinstance(footprint, Corridor):
        line, bound = _densified(footprint.line, footprint.edges, horizontal_m + footprint.half_width_m)
        lines, radius = [line], footprint.half_width_m
    else:
        lines = [np.array([[footprint.lon_deg, footprint.lat_deg]])]
        radius, bound = chord_of_arc_m(footprint.radius_m, footprint.lat_deg)
    edges = np.concatenate([_edges_of(line) for line in lines])
    centre, reach = _sphere(edges)
    unknown = volume.start_s is None or volume.end_s is None
    return Shape(
        owner=owner,
        is_zone=is_zone,
        edges=edges,
        rings=rings,
        radius_m=radius,
        bound_m=bound,
        reach_of_edge_m=footprint.radius_m if isinstance(footprint, Circle) else radius,
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
    all_rings = [ring for shape in shapes for ring in shape.rings]
    edges = np.concatenate([shape.edges for shape in shapes]) if shapes else np.empty((0, 6))
    edge_first = _first([len(shape.edges) for shape in shapes])
    blocks, block_first = blocks_of(edges, edge_first)
    return Shapes(
        edges,
        edge_first,
        blocks,
        block_first,
        np.concatenate(all_rings) if all_rings else np.empty((0, 3)),
        _first([len(ring) for ring in all_rings]),
        _first([len(shape.rings) for shape in shapes]),
    )


@kernel
def contains_point(rings, ring_first, low, high, x, y, z):  # type: ignore[no-untyped-def]
    """Whether a point near the surface is inside rings ``low`` to ``high``: on the inner side of an odd number.

    The first row of a ring is a heading: whether its vertices are vectors (edges are shortest paths) or longitudes and
    latitudes (edges are straight in those), and whether its pole is inside. A ring of vectors has a frame of its own,
    the next three rows, of which the last points to its pole.
    """
    lon = lat = math.nan
    odd = False
    for ring in range(low, high):
        begin, end = ring_first[ring], ring_first[ring + 1]
        if rings[begin, 0] == _GEODESIC_RING:
            crossed = _crossed_by_meridian(
                rings, begin + 4, end,
                rings[begin + 1, 0] * x + rings[begin + 1, 1] * y + rings[begin + 1, 2] * z,
                rings[begin + 2, 0] * x + rings[begin + 2, 1] * y + rings[begin + 2, 2] * z,
                rings[begin + 3, 0] * x + rings[begin + 3, 1] * y + rings[begin + 3, 2] * z,
            )  # fmt: skip
        else:
            if math.isnan(lon):
                lon, lat = surface_lonlat(x, y, z)
            crossed = _crossed_going_north(rings, begin + 1, end, lon, lat)
        if crossed != (rings[begin, 1] > 0.0):
            odd = not odd
    return odd


@kernel
def _crossed_going_north(rings, begin, end, lon, lat):  # type: ignore[no-untyped-def]
    """Whether a way straight north crosses an unwrapped ring of degrees an odd number of times, on any turn."""
    odd = False
    for turn in range(-2, 3):
        x = lon + 360.0 * turn
        for k in range(begin, end - 1):
            x0, x1 = rings[k, 0], rings[k + 1, 0]
            if (x0 > x) != (x1 > x):
                y0, y1 = rings[k, 1], rings[k + 1, 1]
                if y0 + (x - x0) / (x1 - x0) * (y1 - y0) > lat:
                    odd = not odd
    return odd


@kernel
def _crossed_by_meridian(rings, begin, end, x, y, z):  # type: ignore[no-untyped-def]
    """Whether the meridian from a point to the pole of the frame crosses a ring of chords an odd number of times."""
    if x * x + y * y < 1e-6:
        x = 1e-3  # at a pole any meridian will do
    odd, across = False, math.sqrt(x * x + y * y)
    for k in range(begin, end - 1):
        s0, s1 = x * rings[k, 1] - y * rings[k, 0], x * rings[k + 1, 1] - y * rings[k + 1, 0]
        if (s0 > 0.0) == (s1 > 0.0):
            continue
        f = s0 / (s0 - s1)
        qx = rings[k, 0] + f * (rings[k + 1, 0] - rings[k, 0])
        qy = rings[k, 1] + f * (rings[k + 1, 1] - rings[k, 1])
        qz = rings[k, 2] + f * (rings[k + 1, 2] - rings[k, 2])
        if qx * x + qy * y > 0.0 and qz * across > z * math.sqrt(qx * qx + qy * qy):
            odd = not odd
    return odd


@kernel
def _fill_blocks(edges, edge_first, block_first, size, blocks):  # type: ignore[no-untyped-def]
    for shape in range(edge_first.shape[0] - 1):
        for block in range(block_first[shape], block_first[shape + 1]):
            low = edge_first[shape] + (block - block_first[shape]) * size
            high = min(low + size, edge_first[shape + 1])
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
    edges = np.empty((max(1, len(points) - 1), 6))
    edges[:, :3], edges[:, 3:] = points[: len(edges)], points[-len(edges) :]
    return edges


def blocks_of(
    edges: Array, edge_first: npt.NDArray[np.int64], size: int = BLOCK
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Bounding spheres of runs of edges, shape (blocks, 4), `size` edges under each, and the first of each run."""
    block_first = _first([-(-count // size) for count in np.diff(edge_first).tolist()])
    blocks = np.empty((int(block_first[-1]), 4))
    _fill_blocks(edges, edge_first, block_first, size, blocks)
    return blocks, block_first


def _sphere(edges: Array) -> tuple[tuple[float, float, float], float]:
    """Bounding sphere of a footprint; all of space if its border is not within 3,000 km of one place.

    The inside of a border that is, lies within the same sphere: the other side of the Earth could only be inside if the
    border went round the farther pole or along the whole of a meridian.
    """
    ends = edges.reshape(-1, 3)
    centre = ends.mean(axis=0)
    away = ends - centre
    away *= away
    reach = math.sqrt(float((away[:, 0] + away[:, 1] + away[:, 2]).max()))
    if reach > _SMALL_M:
        return (0.0, 0.0, 0.0), _EVERYWHERE_M
    # Within the border the surface bulges out of the sphere by its height over the border's plane.
    return (float(centre[0]), float(centre[1]), float(centre[2])), reach + reach * reach / _EARTH_M


def _unwrapped(ring: Array) -> Array:
    """The line with each step of more than half a turn taken the short way; a full turn is left as it is."""
    steps = ring[1:, 0] - ring[:-1, 0]
    if np.abs(steps).max(initial=0.0) <= 180.0:
        return np.array(ring)  # of half a turn the even number of turns is none
    lon = np.array(ring[:, 0])
    turns = np.where(np.abs(np.abs(steps) - 360.0) < 1e-9, 0.0, np.round(steps / 360.0))
    lon[1:] -= 360.0 * np.cumsum(turns)
    return np.column_stack((lon, ring[:, 1]))


def _guarded(ring: Array) -> Array:
    """Ring of degrees for `contains_point`: unwrapped, closed over its pole if it goes round one, no pole in reach."""
    line = _unwrapped(ring)
    if abs(line[-1, 0] - line[0, 0]) > 180.0:
        pole = 91.0 * pole_inside(ring)
        line = np.vstack((line, [[line[-1, 0], pole], [line[0, 0], pole], line[0]]))
    line[:, 1] = np.where(np.abs(line[:, 1]) >= 90.0, np.sign(line[:, 1]) * 91.0, line[:, 1])
    return np.vstack(([[_LONLAT_RING, 0.0, 0.0]], np.column_stack((line, np.zeros(len(line))))))


def _chords(ring: Array, line: Array) -> Array:
    """Ring of vectors for `contains_point`.

    The pole of a ring that is not wide is opposite its middle, where it cannot be inside; the Earth's own pole could
    lie on the border, and then neither answer would do. A wide ring has the Earth's.
    """
    points = np.empty((len(line), 3))
    surface_points(np.ascontiguousarray(line[:, 0]), np.ascontiguousarray(line[:, 1]), points)
    frame, pole_is_inside = np.eye(3), pole_inside(ring) > 0
    middle = points[:-1].mean(axis=0)
    if np.linalg.norm(points - middle, axis=1).max() <= _SMALL_M:
        pole = -middle / np.linalg.norm(middle)
        across = np.cross(pole, np.eye(3)[np.argmin(np.abs(pole))])
        across /= np.linalg.norm(across)
        frame, pole_is_inside = np.vstack((across, np.cross(pole, across), pole)), False
    return np.vstack(([[_GEODESIC_RING, float(pole_is_inside), 0.0]], frame, points @ frame.T))


def _densified(line: Array, edges: Edges, horizontal_m: float) -> tuple[Array, float]:
    """Line with vertices so close that its chords are its edges, and how far off they are at most (metres)."""
    if len(line) == 1:
        return np.array(line), 0.0
    if edges is Edges.LONLAT:
        line = _unwrapped(line)
    longest_m = longest_leg_m(horizontal_m)
    counts = [_steps(a, b, edges, longest_m) for a, b in pairwise(line.tolist())]
    coarser = max(1.0, sum(counts) / _MOST_VERTICES)
    steps = [max(1, math.ceil(count / coarser)) for count in counts]
    off_m = (_LATERAL_M + 0.0002) * coarser**2
    if edges is Edges.LONLAT or max(steps) == 1:
        return _evenly(line, np.array(steps)), off_m
    parts = []
    for a, b, count in zip(line[:-1], line[1:], steps, strict=True):
        if count == 1:
            parts.append(a[None])
        else:
            lon, lat = geodesic_points(a[0], a[1], b[0], b[1], count)
            parts.append(np.column_stack((lon, lat))[:-1])
    return np.concatenate([*parts, line[-1:]]), off_m


def _evenly(line: Array, steps: Ints) -> Array:
    """The line with each edge cut into so many parts of the same difference in degrees."""
    last = np.cumsum(steps)
    edge = np.repeat(np.arange(len(steps)), steps)
    fraction = (np.arange(last[-1]) - (last - steps)[edge]) * (1.0 / steps)[edge]
    cut = np.empty((len(edge) + 1, 2))
    cut[:-1], cut[-1] = line[edge] + fraction[:, None] * np.diff(line, axis=0)[edge], line[-1]
    return cut


def _steps(a: Sequence[float], b: Sequence[float], edges: Edges, longest_m: float) -> int:
    """How many chords an edge needs."""
    if edges is Edges.GEODESIC:
        chord = math.dist(surface_point(a[0], a[1]), surface_point(b[0], b[1]))
        arc = 2.0 * _EARTH_M * math.asin(min(1.0, chord / (2.0 * _EARTH_M)))
        return max(1, math.ceil(1.01 * arc / longest_m))
    dlon, dlat = math.radians(abs(b[0] - a[0])), math.radians(abs(b[1] - a[1]))
    nearest = 0.0 if a[1] * b[1] <= 0.0 else math.radians(min(abs(a[1]), abs(b[1])))
    farthest = math.radians(max(abs(a[1]), abs(b[1])))
    by_sag = _EARTH_M * 1.01 * math.hypot(dlon * math.cos(nearest), dlat) / longest_m
    bend = dlon * dlon * min(0.5, math.sin(farthest) * math.cos(nearest)) + 2.0 * dlon * dlat * math.sin(farthest)
    return max(1, math.ceil(by_sag), math.ceil(math.sqrt(_EARTH_M * 1.01 * bend / (8.0 * _LATERAL_M))))


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
