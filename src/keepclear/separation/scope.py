"""What was looked at: which things lie in the window and the area, and how many pairs of them there are to compare.

An answer about nothing must not read clear: a wrong year, or an area with its corners mixed up, leaves nothing.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import numpy.typing as npt

from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Polygon
from keepclear.model.operations import Operation, Zone
from keepclear.separation.world import World

__all__ = ["pairs_compared"]

Area = tuple[float, float, float, float]
_METRES_PER_DEGREE = 110_500.0


def pairs_compared(world: World, area: Area | None) -> int:
    """How many pairs of things that some rule binds have both parts in the window and one of them in the area."""
    if world.window == (-math.inf, math.inf):
        in_window = np.ones(len(world.operations) + len(world.zones), np.bool_)
    else:
        in_window = _mask(world, lambda extent: _is_in_window(extent, world.window))
    pairs = _pairs(world, in_window)
    if area is None:
        return pairs
    in_area = _mask(world, lambda extent: _may_be_in_area(extent, area))
    return pairs - _pairs(world, in_window & ~in_area)


def _mask(world: World, holds) -> npt.NDArray[np.bool_]:  # type: ignore[no-untyped-def]
    things: list[Operation | Zone] = [*world.operations, *world.zones]
    return np.fromiter((any(holds(extent) for extent in _extents(thing)) for thing in things), np.bool_, len(things))


def _extents(thing: Operation | Zone) -> tuple[Track | Volume, ...]:
    return (*thing.tracks, *thing.volumes) if isinstance(thing, Operation) else thing.volumes


def _is_in_window(extent: Track | Volume, window: tuple[float, float]) -> bool:
    if isinstance(extent, Volume):
        start = -math.inf if extent.start_s is None else extent.start_s
        end = math.inf if extent.end_s is None else extent.end_s
        return start <= window[1] and window[0] <= end
    start = float(extent.time_s[0]) - _most(extent.early_s)
    return start <= window[1] and window[0] <= float(extent.time_s[-1]) + _most(extent.late_s)


def _most(tolerance: float | npt.NDArray[np.float64]) -> float:
    return tolerance if isinstance(tolerance, float) else float(np.max(tolerance))


def _may_be_in_area(extent: Track | Volume, area: Area) -> bool:
    """Whether the box round an extent meets the area; what spans more than half the Earth is taken to."""
    lon, lat, margin_m = _box(extent)
    west, south, east, north = area
    up = margin_m / _METRES_PER_DEGREE
    if lat.max() + up < south or lat.min() - up > north:
        return False
    widest = math.cos(math.radians(min(89.0, float(np.abs(lat).max()) + up)))
    side = up / widest
    low, high = float(lon.min()) - side, float(lon.max()) + side
    if high - low >= 180.0:
        return True
    end = east if east >= west else east + 360.0
    return any(low + turn <= end and west <= high + turn for turn in (-360.0, 0.0, 360.0))


def _box(extent: Track | Volume) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    if isinstance(extent, Track):
        return extent.lon_deg, extent.lat_deg, _most(extent.uncertainty_m)
    footprint = extent.footprint
    if isinstance(footprint, Circle):
        return np.array([footprint.lon_deg]), np.array([footprint.lat_deg]), footprint.radius_m + extent.uncertainty_m
    if isinstance(footprint, Polygon):
        return footprint.rings[0][:, 0], footprint.rings[0][:, 1], extent.uncertainty_m
    return footprint.line[:, 0], footprint.line[:, 1], footprint.half_width_m + extent.uncertainty_m


def _pairs(world: World, chosen: npt.NDArray[np.bool_]) -> int:
    """Pairs of chosen things that a rule binds."""
    n = len(world.operations)
    kept, zones = np.flatnonzero(chosen[:n]), np.flatnonzero(chosen[n:])
    pairs = len(kept) * (len(kept) - 1) // 2
    if not world.compare_own:
        pairs -= sum(k * (k - 1) // 2 for k in Counter(world.limits.party[kept].tolist()).values())
    party = world.limits.party
    joint = [(a, b) for a, b in world.joint if chosen[a] and chosen[b]]
    pairs -= sum(bool(world.compare_own or party[a] != party[b]) for a, b in joint) // 2
    rows = Counter(world.sorts.of_operation[kept].tolist())
    zone_rows = list(Counter(world.sorts.of_zone[zones].tolist()).items())
    bound = world.sorts.horizontal_m >= 0.0
    for k, (first, count) in enumerate(zone_rows):
        pairs += sum(count * other for row, other in rows.items() if bound[first, row])
        pairs += sum(count * other for second, other in zone_rows[k + 1 :] if bound[first, second])
        pairs += count * (count - 1) // 2 if bound[first, first] else 0
    return pairs
