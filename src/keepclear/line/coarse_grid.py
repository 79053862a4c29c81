"""The grid on which shapes are made coarse: cells of the Earth, and which of them a shape touches.

Rows are nine thousandths of a degree of latitude per kilometre asked for, about as many kilometres high. A cell is
as many rows wide as a power of two, doubled where meridians run together, so that it is at least as wide as high, to
2 %. Edges depend on nothing but the grid: whatever touches the same cells looks the same, however often it is told.
The cells of a coarse grid are made of whole cells of each finer one, so that recipients of different grids who compare
theirs learn no more than the finer one says.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely

from keepclear.geo.ellipsoid import LEAST_RADIUS_M
from keepclear.model.footprints import Polygon

__all__ = ["GRIDS_KM", "Cover"]

GRIDS_KM = (1, 5, 10, 50, 100)
"""The grids there are: each a multiple of those before it."""

_THOUSANDTHS_PER_KM = 9
# Where meridians run together: from these latitudes on, cells are so many times as many degrees wide as high. They
# are whole rows of the coarsest grid. Beyond the last a row is one cell.
_WIDER = ((59.4, 2), (74.7, 4), (82.8, 8), (86.4, 16))
_SLACK_DEG = 1e-9  # 0.1 mm, more than arithmetic in degrees is ever off: what ends at an edge is in both cells
_ARC_SLACK_DEG = 2e-6  # 0.2 m: an arc cosine near 1 is off by the root of a rounding error
_WIDEST_DEG = 90.0  # of one rectangle; an edge of more than 180° would be taken the other way round

Array = npt.NDArray[np.float64]


@dataclass
class Cover:
    """Cells that have been touched. Add shapes, then ask for the rectangles.

    Attributes
    ----------
    grid_km
        One of `GRIDS_KM`.
    """

    grid_km: int
    _spans: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def add_discs(self, lon_deg: Array, lat_deg: Array, radius_m: Array) -> None:
        """Touch all that lies within `radius_m` of any of these points, along the ellipsoid.

        On the ellipsoid ds² = M²dφ² + N²cos²φ dλ² with M, N ≥ `LEAST_RADIUS_M`. So points at a distance s are at most
        s / `LEAST_RADIUS_M` apart on the unit sphere with the same longitudes and latitudes, and a cap of that angle
        has all of the disc.
        """
        angle = np.degrees(radius_m / LEAST_RADIUS_M)
        low = self._rows(np.maximum(lat_deg - angle, -90.0) - _SLACK_DEG)
        high = self._rows(np.minimum(lat_deg + angle, 90.0) + _SLACK_DEG)
        for one in range(len(lon_deg)):
            for row in range(int(low[one]), int(high[one]) + 1):
                half = self._half_width(row, float(lat_deg[one]), float(angle[one]))
                self._add(row, float(lon_deg[one]) - half, float(lon_deg[one]) + half)

    def add_cap(self, lat_deg: float, *, pole: int) -> None:
        """Touch all from a latitude to a pole (1 north, -1 south)."""
        rows = self._rows(np.array([lat_deg - pole * _SLACK_DEG, 90.0 * pole]))
        for row in range(int(rows.min()), int(rows.max()) + 1):
            self._add(row, -180.0, 180.0)

    def add_area(self, ring: Array) -> None:
        """Touch all inside a ring in the plane of longitude and latitude, whose longitudes run on beyond ±180."""
        area = shapely.Polygon(ring)
        if not area.is_valid:
            area = area.convex_hull  # has all of it, whatever a ring that crosses itself was meant to be
        west, south, east, north = area.bounds
        rows = self._rows(np.array([south - _SLACK_DEG, north + _SLACK_DEG]))
        for row in range(int(rows[0]), int(rows[1]) + 1):
            low, high = self._latitudes(row)
            strip = shapely.clip_by_rect(area, west - 1.0, low - _SLACK_DEG, east + 1.0, high + _SLACK_DEG)
            for part in shapely.get_parts(strip):
                if not part.is_empty:
                    self._add(row, part.bounds[0], part.bounds[2])

    def fill_rows(self) -> None:
        """Touch all between the first and the last cell of each row, for shapes of too many pieces."""
        for row, spans in self._spans.items():
            self._spans[row] = [(min(first for first, _ in spans), max(last for _, last in spans))]

    def rectangles(self) -> list[Polygon]:
        """The cells, those beside each other in one row together, from south to north and from west to east."""
        return [
            shape for row in sorted(self._spans) for run in self._runs(row) for shape in self._rectangles(row, *run)
        ]

    def count(self) -> int:
        """How many rectangles there are."""
        return sum(self._parts(row, *run) for row in self._spans for run in self._runs(row))

    def _rows(self, lat_deg: Array) -> npt.NDArray[np.int64]:
        rows = np.floor((lat_deg + 90.0) * 1000.0 / (self.grid_km * _THOUSANDTHS_PER_KM)).astype(np.int64)
        return np.clip(rows, 0, 180_000 // (self.grid_km * _THOUSANDTHS_PER_KM) - 1)

    def _latitudes(self, row: int) -> tuple[float, float]:
        step = self.grid_km * _THOUSANDTHS_PER_KM
        return row * step / 1000.0 - 90.0, (row + 1) * step / 1000.0 - 90.0

    def _width_thousandths(self, row: int) -> int:
        low, high = self._latitudes(row)
        nearest_equator = max(0.0, min(abs(low), abs(high)) + _SLACK_DEG)
        if nearest_equator >= _WIDER[-1][0]:
            return 360_000
        # Twice what the row's height would be, so that a cell is as wide as high up to the latitude where it doubles.
        times = 2 * max((times for lat, times in _WIDER if nearest_equator >= lat), default=1)
        return self.grid_km * _THOUSANDTHS_PER_KM * times

    def _half_width(self, row: int, lat_deg: float, angle_deg: float) -> float:
        """Half of the most degrees of longitude that a cap takes up in a row; 180 where it goes round."""
        low, high = self._latitudes(row)
        angle, at = math.radians(angle_deg), math.radians(lat_deg)
        if abs(lat_deg) + angle_deg >= 90.0 - 1e-6:
            return 180.0  # a pole is inside: taken whole, where it matters little
        widest = math.degrees(math.asin(math.sin(at) / math.cos(angle)))
        here = math.radians(min(max(widest, low), high))
        cosine = (math.cos(angle) - math.sin(here) * math.sin(at)) / (math.cos(here) * math.cos(at))
        return math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) + _ARC_SLACK_DEG

    def _add(self, row: int, west: float, east: float) -> None:
        width = self._width_thousandths(row)
        columns = 360_000 // width
        first = math.floor((west - _SLACK_DEG + 180.0) * 1000.0 / width)
        last = math.floor((east + _SLACK_DEG + 180.0) * 1000.0 / width)
        if last - first + 1 >= columns:
            self._spans[row] = [(0, columns - 1)]
            return
        first, last = first % columns, last % columns
        spans = self._spans[row]
        new = [(first, last)] if first <= last else [(first, columns - 1), (0, last)]
        spans += [span for span in new if span not in spans[-4:]]  # neighbours along a line touch the same

    def _runs(self, row: int) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        for first, last in sorted(self._spans[row]):
            if runs and first <= runs[-1][1] + 1:
                runs[-1] = (runs[-1][0], max(runs[-1][1], last))
            else:
                runs.append((first, last))
        return runs

    def _parts(self, row: int, first: int, last: int) -> int:
        return math.ceil((last - first + 1) * self._width_thousandths(row) / (1000.0 * _WIDEST_DEG))

    def _rectangles(self, row: int, first: int, last: int) -> list[Polygon]:
        width = self._width_thousandths(row)
        south, north = self._latitudes(row)
        edges = np.linspace(
            first * width / 1000.0 - 180.0, (last + 1) * width / 1000.0 - 180.0, self._parts(row, first, last) + 1
        )
        return [
            Polygon((np.array([[west, south], [east, south], [east, north], [west, north], [west, south]]),))
            for west, east in pairwise(edges)
        ]
