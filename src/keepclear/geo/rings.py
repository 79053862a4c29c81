"""Checks of polygon rings in longitude and latitude, as readers of files need them.

The plane of longitude and latitude is where GeoJSON's edges are straight, so crossings are looked for there, after the
jumps at the antimeridian are undone. For edges that are shortest paths this finds what a person drew wrongly,
not a crossing that only their curvature makes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from keepclear.errors import Fault

__all__ = ["check_ring", "check_rings", "pole_inside", "unwrapped"]

_CROSSES = "crosses or runs back over itself"

_Floats = npt.NDArray[np.float64]


def unwrapped(ring: _Floats) -> _Floats:
    """The ring with longitudes that run on across the antimeridian instead of jumping.

    Between two positions whose longitudes differ by more than 180°, but not by exactly 360°, the edge takes the short
    way. A closed ring round a pole ends 360° from where it began.

    Parameters
    ----------
    ring
        Shape (n, 2), longitude and latitude in degrees.
    """
    steps = np.diff(ring[:, 0])
    jumps = (np.abs(steps) > 180.0) & (np.abs(steps) != 360.0)
    turns = np.zeros(len(ring))
    turns[1:] = np.cumsum(np.where(jumps, -np.sign(steps), 0.0))
    return np.column_stack((ring[:, 0] + 360.0 * turns, ring[:, 1]))


def pole_inside(ring: _Floats) -> int:
    """1 if the closed ring goes round the north pole, -1 round the south pole, 0 if round none.

    A ring that goes round contains the pole nearer to its nearest position; the north pole if both are as near.
    """
    path = unwrapped(ring)
    if path[-1, 0] == path[0, 0]:
        return 0
    return 1 if path[:, 1].max() + path[:, 1].min() >= 0.0 else -1


def check_ring(ring: npt.ArrayLike, *, name: str = "ring") -> list[Fault]:
    """What is wrong with one ring; an empty list if nothing is.

    Parameters
    ----------
    ring
        Shape (n, 2), longitude and latitude in degrees.
    name
        What to call it in the faults, for example ``hole 2``.

    Returns
    -------
    list of Fault
        Not numbers, out of range, not closed, fewer than three different positions, no area, or touching or crossing
        itself, with the place where it does. Later checks are left out where an earlier one makes them pointless.
    """
    try:
        array = np.asarray(ring, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        return [_fault(f"the {name} is not a list of positions", "[longitude, latitude] for each")]
    faults = _range_faults(array, name)
    if not np.array_equal(array[0], array[-1]):
        ends = f"{_place(array[0])} … {_place(array[-1])}"
        faults.append(_fault(f"the {name} is not closed", "repeat the first position at the end", ends))
    if len(np.unique(array, axis=0)) < 3:
        right = "at least four positions, of which the last repeats the first"
        faults.append(_fault(f"the {name} needs three different positions", right))
    return faults or _crossing_faults(array, name)


def check_rings(rings: Sequence[npt.ArrayLike]) -> list[Fault]:
    """What is wrong with a polygon: its outer ring, its holes, and how they lie to each other.

    Parameters
    ----------
    rings
        The outer ring first, then the holes.

    Returns
    -------
    list of Fault
        Those of `check_ring` for each ring; if there are none, each hole that reaches outside the outer ring and each
        pair of holes that overlap. Holes may touch the outer ring and each other.
    """
    if not rings:
        return [_fault("a polygon without rings", "at least one ring of four or more positions")]
    names = ["outer ring", *(f"hole {i}" for i in range(1, len(rings)))]
    faults = [fault for ring, name in zip(rings, names, strict=True) for fault in check_ring(ring, name=name)]
    if faults or len(rings) == 1:
        return faults
    shell, *holes = (np.asarray(ring, dtype=np.float64) for ring in rings)
    return _hole_faults(shell, holes)


def _range_faults(array: _Floats, name: str) -> list[Fault]:
    bad = ~((np.abs(array[:, 0]) <= 180.0) & (np.abs(array[:, 1]) <= 90.0))
    if not bad.any():
        return []
    at = int(np.argmax(bad))
    lon, lat = array[at]
    swapped = ": latitude and longitude look swapped" if 90.0 < abs(lat) <= 180.0 and abs(lon) <= 90.0 else ""
    problem = f"position {at + 1} of the {name} is out of range{swapped}"
    return [_fault(problem, "longitude from -180 to 180 first, then latitude from -90 to 90", _place(array[at]))]


def _crossing_faults(ring: _Floats, name: str) -> list[Fault]:
    path = unwrapped(ring)
    turns = round((path[-1, 0] - path[0, 0]) / 360.0)
    if abs(turns) > 1:
        return [_fault(f"the {name} goes round a pole {abs(turns)} times", "a ring that goes round once")]
    polygon = _round_pole(ring, beyond=1.0) if turns else shapely.Polygon(path)
    if shapely.convex_hull(polygon).area == 0.0:  # not the polygon's own: that of a bow tie cancels out
        return [_fault(f"the {name} has no area: its positions lie on one line", "", _place(ring[0]))]
    reason = shapely.is_valid_reason(polygon)
    match = re.fullmatch(r"(.*)\[(\S+) (\S+)\]", reason)
    if match:
        how = "touches itself" if match[1].startswith("Ring") else _CROSSES
        return [_crossing(f"the {name} {how}", float(match[2]), float(match[3]))]
    if reason != "Valid Geometry":
        return [_fault(f"the {name} is not a simple ring: {reason.lower()}")]
    if not turns and np.ptp(path[:, 0]) > 360.0:
        # Longer than the way round the Earth: it may meet itself one turn on.
        line = shapely.LineString(path)
        meeting = line.intersection(_shifted(line, 360.0))
        if not meeting.is_empty:
            point = meeting.representative_point()
            return [_crossing(f"the {name} {_CROSSES}", point.x, point.y)]
    return []


def _crossing(problem: str, lon: float, lat: float) -> Fault:
    right = "order the positions along the outline, or split it into several polygons"
    return _fault(f"{problem} at {_at(lon, lat)}", right)


def _round_pole(ring: _Floats, *, beyond: float) -> shapely.Polygon:
    """Three turns of a ring round a pole, closed along a line `beyond` degrees past the pole.

    Three, because what meets at a seam meets undisturbed in the middle one. The seam is where the ring is nearest to
    the pole: nothing else of it lies between there and the pole.
    """
    pole = pole_inside(ring)
    body = ring[:-1]
    first = int(np.argmax(body[:, 1] * pole))
    turned = np.roll(body, -first, axis=0)
    path = unwrapped(np.vstack([turned, turned[:1]]))
    turn = path[-1, 0] - path[0, 0]
    one_turn = np.array([turn, 0.0])
    three = np.vstack([path[:-1] - one_turn, path[:-1], path + one_turn])
    top = pole * (90.0 + beyond)
    return shapely.Polygon(np.vstack([three, [[three[-1, 0], top], [three[0, 0], top]]]))


def _area(ring: _Floats) -> shapely.Geometry:
    """Region of a good ring in the plane of longitude and latitude."""
    if pole_inside(ring):
        return shapely.intersection(_round_pole(ring, beyond=1.0), shapely.box(-2000.0, -90.0, 2000.0, 90.0))
    return shapely.Polygon(unwrapped(ring))


def _hole_faults(shell: _Floats, holes: list[_Floats]) -> list[Fault]:
    outside = _area(shell)
    if outside.bounds[2] - outside.bounds[0] >= 360.0 and not pole_inside(shell):
        # A belt round the Earth has no ends.
        outside = shapely.union_all([_shifted(outside, turn) for turn in (-360.0, 0.0, 360.0)])
    shapely.prepare(outside)
    faults, areas = [], []
    for number, hole in enumerate(holes, start=1):
        area = _one_turn(hole)
        shifted = [_shifted(area, turn) for turn in (0.0, -360.0, 360.0)]
        inside = next((area for area in shifted if outside.covers(area)), None)
        if inside is None:
            nearest = max(shifted, key=lambda area: area.intersection(outside).area)
            place = nearest.difference(outside).representative_point()
            faults.append(
                _fault(
                    f"hole {number} reaches outside the outer ring, at {_at(place.x, place.y)}",
                    "a hole lies within the outer ring",
                )
            )
        else:
            areas.append((number, inside))
    return faults + _overlap_faults(areas)


def _one_turn(ring: _Floats) -> shapely.Geometry:
    area = _area(ring)
    if not pole_inside(ring):
        return area
    middle = (area.bounds[0] + area.bounds[2]) / 2.0
    return shapely.intersection(area, shapely.box(middle - 180.0, -90.0, middle + 180.0, 90.0))


def _overlap_faults(areas: list[tuple[int, shapely.Geometry]]) -> list[Fault]:
    if len(areas) < 2:
        return []
    shapes = [area for _, area in areas]
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    faults = []
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if i < j and shapely.area(common := shapes[i].intersection(shapes[j])) > 0.0:
            point = common.representative_point()
            faults.append(
                _fault(
                    f"hole {areas[i][0]} and hole {areas[j][0]} overlap at {_at(point.x, point.y)}",
                    "join them into one hole",
                )
            )
    return faults


def _shifted(area: shapely.Geometry, degrees: float) -> shapely.Geometry:
    return shapely.transform(area, lambda coordinates: coordinates + np.array([degrees, 0.0]))


def _fault(problem: str, right: str = "", value: str = "") -> Fault:
    return Fault(problem, right, field="coordinates", value=value)


def _place(position: _Floats) -> str:
    return f"[{position[0]:g}, {position[1]:g}]"


def _at(lon: float, lat: float) -> str:
    return f"longitude {(lon + 180.0) % 360.0 - 180.0:.6f}, latitude {lat:.6f}"
