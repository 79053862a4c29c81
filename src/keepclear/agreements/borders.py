"""Borders: how far places are from a line, and how deep on one side of it.

The depth of a place is its geodesic distance to the nearest point of the line: positive on the left of the line as it
is drawn, negative on the right. Beyond the ends of the line there is no side, and nobody may guess one. All of it is
exact to `EXACT_M`, at the poles and across the antimeridian too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.agreements.border_coils import winds_round_an_end
from keepclear.agreements.border_kernel import BLOCK, measure
from keepclear.errors import Fault, InputError
from keepclear.geo.ellipsoid import geodesic_points, surface_points
from keepclear.geo.rings import pole_inside, unwrapped
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint

__all__ = ["EXACT_M", "Border", "Region", "Side", "densified", "on_surface", "side_named"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

EXACT_M = 10.0
"""Depths are exact to this, up to 10,000 km from the line."""
_LATERAL_M = 0.5
_LONGEST_EDGE_M = 10_000.0
_EARTH_M = 6_371_008.8
_MOST_EDGES = 400_000


class Side(StrEnum):
    """A side of a line, seen by who goes along it as it is drawn."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, eq=False)
class Border:
    """A line from which depth is counted.

    Parameters
    ----------
    positions
        Shape (n, 2), longitude and latitude in degrees, n ≥ 2. Where the last repeats the first it is closed, and has
        no ends.
    edges
        What runs between two positions.
    """

    positions: Array
    edges: Edges = Edges.LONLAT

    def depths(self, points: Array) -> tuple[Array, Array]:
        """Depth of each point, positive on the left, and how near it is to having no side.

        Parameters
        ----------
        points
            Shape (n, 3), earth-centred metres, as `on_surface` makes them.

        Returns
        -------
        depth, slack
            Metres. A slack of -1 says that the point lies beyond an end of the line and has no side; another is by how
            much an end is farther than the nearest point. No point has a side of a line that winds round its own end.
        """
        depth, slack = self.measured(points)
        if self.winds:
            slack[:] = -1.0
        return depth, slack

    @cached_property
    def winds(self) -> bool:
        """Whether it winds round one of its ends, so that it has no two sides."""
        return not self.is_closed and _winds(np.asarray(self.positions, dtype=np.float64).tobytes(), self.edges)

    def measured(self, points: Array) -> tuple[Array, Array]:
        """The same of the line as it is; where it winds round an end, the sign of a depth says nothing."""
        depth, slack = np.empty(len(points)), np.empty(len(points))
        measure(np.ascontiguousarray(points), self._edges, self._blocks, self.is_closed, depth, slack)
        return depth, slack

    @property
    def is_closed(self) -> bool:
        """Whether it ends where it begins."""
        return len(self.positions) > 2 and bool(np.array_equal(self.positions[0], self.positions[-1]))

    @cached_property
    def line(self) -> Array:
        """Longitudes and latitudes so close to each other that chords are the edges that were meant."""
        return densified(self.positions, self.edges)

    @cached_property
    def sphere(self) -> tuple[float, float, float, float]:
        """Centre and radius of a sphere round all of it, earth-centred metres."""
        return _sphere(np.concatenate((self._edges[:, :3], self._edges[-1:, 3:])))

    @cached_property
    def _edges(self) -> Array:
        points = on_surface(self.line)
        edges = np.hstack((points[:-1], points[1:]))
        long_enough = np.abs(edges[:, 3:] - edges[:, :3]).sum(axis=1) > 0.0
        return np.ascontiguousarray(edges[long_enough])

    @cached_property
    def _blocks(self) -> Array:
        edges = self._edges
        rows = [_sphere(edges[low : low + BLOCK].reshape(-1, 3)) for low in range(0, len(edges), BLOCK)]
        return np.array(rows, dtype=np.float64).reshape(-1, 4)


@lru_cache(maxsize=32)  # many terms are of one line
def _winds(positions: bytes, edges: Edges) -> bool:
    border = Border(np.frombuffer(positions, dtype=np.float64).reshape(-1, 2), edges)
    return winds_round_an_end(border.positions, border.measured, on_surface)


@dataclass(frozen=True, eq=False)
class Region:
    """Footprints as one area: how far each point is outside of it (negative: inside).

    Parameters
    ----------
    footprints
        Polygons, circles and corridors.
    """

    footprints: Sequence[Footprint]

    def outside(self, points: Array) -> Array:
        """Metres from the area, negative inside it; shape (n,) for points of shape (n, 3)."""
        return np.asarray(np.min([_outside(shape, points) for shape in self.shapes], axis=0))

    @classmethod
    def joined(cls, regions: Sequence[Region]) -> Region:
        """Several as one, with what each has worked out of its shapes."""
        made = cls([one for region in regions for one in region.footprints])
        made.__dict__["shapes"] = [shape for region in regions for shape in region.shapes]
        return made

    @cached_property
    def shapes(self) -> list[_Shape]:
        """Each footprint as lines with an inside."""
        return [_shape_of(one) for one in self.footprints]


@dataclass(frozen=True, eq=False)
class _Shape:
    """Lines with the side on which the inside is (0: none), and how far from them still counts as inside."""

    lines: tuple[tuple[Border, float], ...]
    reach_m: float


def side_named(positions: Array, name: str) -> Side:
    """The side of a line by its name: left, right, or the direction of the compass that it lies in.

    Raises
    ------
    InputError
        If the line runs that way itself, or the name is none.
    """
    folded = name.strip().casefold()
    if folded in ("left", "right"):
        return Side(folded)
    compass = {"north": 0.0, "east": 90.0, "south": 180.0, "west": 270.0}
    if folded not in compass:
        right = "left or right of the line as it is drawn, or north, east, south, west"
        raise InputError(Fault("not a side", right, value=name))
    path = unwrapped(positions)
    middle = math.radians(float(path[:, 1].mean()))
    dx, dy = (path[-1] - path[0]) * np.array([math.cos(middle), 1.0])
    if math.hypot(dx, dy) == 0.0:
        raise InputError(Fault("a closed line has no such side", "left or right of it as it is drawn", value=name))
    heading = math.degrees(math.atan2(dx, dy))
    off = (compass[folded] - heading) % 360.0
    if not (30.0 <= off <= 150.0 or 210.0 <= off <= 330.0):
        right = "left or right of it as it is drawn, from its first position to its last"
        raise InputError(Fault(f"the line itself runs towards the {folded}, or away from it", right, value=name))
    return Side.RIGHT if off <= 150.0 else Side.LEFT


def on_surface(lonlat: Array) -> Array:
    """Earth-centred metres of longitudes and latitudes; shape (n, 3) for (n, 2)."""
    points = np.empty((len(lonlat), 3))
    surface_points(np.ascontiguousarray(lonlat[:, 0]), np.ascontiguousarray(lonlat[:, 1]), points)
    return points


def densified(positions: Array, edges: Edges) -> Array:
    """Positions so close that the chords between them are within a metre of the edges that were meant.

    Longitudes may run on beyond 180°.
    """
    if len(positions) < 2:
        return np.array(positions)
    line = unwrapped(positions) if edges is Edges.LONLAT else positions
    counts = np.array([_pieces(a, b, edges) for a, b in pairwise(line)])
    coarser = max(1.0, counts.sum() / _MOST_EDGES)
    parts = []
    for (a, b), count in zip(pairwise(line), counts, strict=True):
        pieces = max(1, math.ceil(count / coarser))
        if edges is Edges.LONLAT or pieces == 1:
            parts.append(a + np.linspace(0.0, 1.0, pieces + 1)[:-1, None] * (b - a))
        else:
            lon, lat = geodesic_points(float(a[0]), float(a[1]), float(b[0]), float(b[1]), pieces)
            parts.append(np.column_stack((lon, lat))[:-1])
    return np.concatenate([*parts, line[-1:]])


def _pieces(a: Array, b: Array, edges: Edges) -> int:
    dlon = math.radians(abs(float(b[0] - a[0])))
    if edges is Edges.GEODESIC:
        dlon = min(dlon, 2.0 * math.pi - dlon)
    dlat = math.radians(abs(float(b[1] - a[1])))
    nearest = 0.0 if a[1] * b[1] <= 0.0 else math.radians(min(abs(float(a[1])), abs(float(b[1]))))
    farthest = math.radians(max(abs(float(a[1])), abs(float(b[1]))))
    by_length = _EARTH_M * 1.01 * math.hypot(dlon * math.cos(nearest), dlat) / _LONGEST_EDGE_M
    if edges is Edges.GEODESIC:
        return max(1, math.ceil(by_length))
    bend = dlon * dlon * min(0.5, math.sin(farthest) * math.cos(nearest)) + 2.0 * dlon * dlat * math.sin(farthest)
    return max(1, math.ceil(by_length), math.ceil(math.sqrt(_EARTH_M * 1.01 * bend / (8.0 * _LATERAL_M))))


def _shape_of(footprint: Footprint) -> _Shape:
    if isinstance(footprint, Circle):
        centre = np.array([[footprint.lon_deg, footprint.lat_deg]])
        return _Shape(((_dot(centre), 0.0),), footprint.radius_m)
    if isinstance(footprint, Corridor):
        line = footprint.line
        border = _dot(line) if len(np.unique(line, axis=0)) < 2 else Border(line, footprint.edges)
        return _Shape(((border, 0.0),), footprint.half_width_m)
    lines = [(Border(ring, footprint.edges), _inner_side(ring)) for ring in footprint.rings]
    return _Shape((lines[0], *((border, -side) for border, side in lines[1:])), 0.0)


def _outside(shape: _Shape, points: Array) -> Array:
    found = []
    for border, inner in shape.lines:
        depth = border.measured(points)[0]
        found.append(np.abs(depth) if inner == 0.0 else -inner * depth)
    return np.asarray(np.max(found, axis=0) - shape.reach_m)


def _dot(position: Array) -> Border:
    """A place as a line of a micrometre or so, since a line needs two ends."""
    lon, lat = (float(number) for number in position[0])
    step = -1e-11 if lat > 0.0 else 1e-11
    return Border(np.array([[lon, lat], [lon, lat + step]]), Edges.LONLAT)


def _inner_side(ring: Array) -> float:
    """1 if the inside of a ring is on its left, -1 if on its right."""
    path = unwrapped(ring)
    pole = pole_inside(ring)
    if pole:
        return float(pole) * (1.0 if path[-1, 0] > path[0, 0] else -1.0)
    x, y = path[:, 0] - path[0, 0], path[:, 1] - path[0, 1]
    return 1.0 if float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) > 0.0 else -1.0


def _sphere(points: Array) -> tuple[float, float, float, float]:
    centre = points.mean(axis=0)
    radius = float(np.linalg.norm(points - centre, axis=1).max())
    return float(centre[0]), float(centre[1]), float(centre[2]), radius
