"""By how much an area is out of a field: cells are cut in four until what is left cannot matter."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Region, densified, on_surface
from keepclear.agreements.excess_answers import (
    BEYOND,
    EDGE,
    LOST_M,
    NUMERIC_M,
    UNCERTAIN,
    Excess,
    Field,
    Standing,
    Window,
    place_of,
)
from keepclear.agreements.extents import sphere_of_volume
from keepclear.geo.rings import pole_inside, unwrapped
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle, Corridor, Footprint

__all__ = ["excess_of_volume"]

Array = npt.NDArray[np.float64]

_MOST_CELLS = 4_096
_FLATTEST_M = 6_400_000.0


def excess_of_volume(volume: Volume, field: Field, window: Window = (None, None)) -> Excess | None:
    """How far a volume is out; None where it is not in the window."""
    low, high = window
    if (low is not None and volume.end_s is not None and volume.end_s < low) or (
        high is not None and volume.start_s is not None and volume.start_s > high
    ):
        return None
    found = _over_footprint(volume, field)
    if found.standing is Standing.WITHIN:
        return found
    start = volume.start_s if low is None or volume.start_s is None else max(volume.start_s, low)
    end = volume.end_s if high is None or volume.end_s is None else min(volume.end_s, high)
    return replace(found, spans=((start, end),))


def _over_footprint(volume: Volume, field: Field) -> Excess:
    doubt = volume.uncertainty_m
    x, y, z, reach = sphere_of_volume(volume)
    centre = np.array([[x, y, z]])
    at, slack = field(centre)
    if math.isfinite(reach) and slack[0] > 2.0 * reach and at[0] + reach <= NUMERIC_M:  # reach holds the uncertainty
        return Excess(Standing.WITHIN, float(at[0] + reach - doubt), place_of(centre[0]))
    shape = volume.footprint
    points, thickness = _skeleton(shape)
    at, slack = field(points)
    known = slack >= 0.0
    best = float(at[known].max()) if known.any() else -math.inf
    place = place_of(points[known][int(np.argmax(at[known]))]) if known.any() else place_of(points[0])
    if thickness == 0.0 and len(points) == 1:
        return _decided(best, best, place, doubt, lost=not known.all())
    return _searched(shape, field, doubt, best, place, lost=not known.all())


def _skeleton(shape: Footprint) -> tuple[Array, float]:
    """Points of a footprint that are in it for certain, and how much of it may be round them."""
    if isinstance(shape, Circle):
        return on_surface(np.array([[shape.lon_deg, shape.lat_deg]])), shape.radius_m
    lines = [shape.line] if isinstance(shape, Corridor) else list(shape.rings)
    line = np.concatenate([densified(one, shape.edges) for one in lines])
    step = max(1, len(line) // 5000)
    return on_surface(line[::step]), 1.0


def _searched(
    shape: Footprint, field: Field, doubt: float, best: float, place: tuple[float, float], *, lost: bool
) -> Excess:
    """The greatest excess over an area: cells that cannot hold it are left aside, the others are cut in four."""
    region = Region((_thick(shape),))
    cells = _first_cells(shape)
    left_m = -math.inf  # the most that can be in what was not looked at any closer
    while len(cells):
        points, radius = on_surface(cells[:, :2]), _radius_m(cells)
        at, slack = field(points)
        outside = region.outside(points)
        inside = outside <= 0.0
        lost = lost or bool((inside & (slack < 0.0)).any())
        known = np.where(inside & (slack >= 0.0), at, -math.inf)
        if (top := int(np.argmax(known))) >= 0 and known[top] > best:
            best, place = float(known[top]), place_of(points[top])
        near_end = slack < 2.0 * radius
        bound = np.where(near_end, math.inf, at + radius)
        keep = (outside <= radius + 1e-3) & (bound > max(best + 1.0, NUMERIC_M - doubt))
        small = keep & near_end & (radius <= LOST_M)
        lost = lost or bool(small.any())
        keep &= ~small
        if best - doubt > NUMERIC_M:  # it is out: only how far is of interest
            keep &= at + radius > best + max(10.0, 0.005 * best)
        if not keep.any():
            break
        fine = keep & (radius <= 1.0)
        if fine.any() or 4 * int(keep.sum()) > _MOST_CELLS:
            rest = bound[keep]
            left_m = float(rest[np.isfinite(rest)].max(initial=best))
            lost = lost or bool((~np.isfinite(rest)).any())
            break
        cells = _quartered(cells[keep])
    return _decided(best, max(best, left_m), place, doubt, lost=lost)


def _decided(best: float, bound: float, place: tuple[float, float], doubt: float, *, lost: bool) -> Excess:
    shown = best if math.isfinite(best) else 0.0
    if best - doubt > NUMERIC_M:
        return Excess(Standing.OUT, shown, place)
    # What was looked at to a metre is as good as known.
    if not lost and (bound if bound > best + 2.5 else best) + doubt <= NUMERIC_M:
        return Excess(Standing.WITHIN, shown, place)
    because = [BEYOND] if lost else []
    if best + doubt > NUMERIC_M and doubt > 0.0:
        because.append(UNCERTAIN.format(metres=doubt))
    return Excess(Standing.MAYBE, shown, place, (), tuple(because or [EDGE]))


def _thick(shape: Footprint) -> Footprint:
    """A footprint with an inside: a line or a point without width gets the width of what is not told apart."""
    if isinstance(shape, Corridor) and shape.half_width_m < 0.5:
        return Corridor(shape.line, 0.5, shape.edges)
    return Circle(shape.lon_deg, shape.lat_deg, max(shape.radius_m, 0.5)) if isinstance(shape, Circle) else shape


def _first_cells(shape: Footprint) -> Array:
    """Cells over a footprint, rows of longitude, latitude and half of each side in degrees."""
    if isinstance(shape, Circle):
        line, wide = np.array([[shape.lon_deg, shape.lat_deg]]), shape.radius_m + 1.0
    elif isinstance(shape, Corridor):
        line, wide = unwrapped(densified(shape.line, shape.edges)), shape.half_width_m + 1.0
    else:
        line, wide = unwrapped(densified(shape.rings[0], shape.edges)), 1.0
    high = math.degrees(wide / 6_330_000.0)
    south, north = float(line[:, 1].min()) - high, float(line[:, 1].max()) + high
    pole = pole_inside(shape.rings[0]) if not isinstance(shape, Circle | Corridor) else 0
    south, north = -90.0 if pole < 0 else max(south, -90.0), 90.0 if pole > 0 else min(north, 90.0)
    farthest = max(abs(south), abs(north))
    across = 360.0 if farthest > 89.5 else math.degrees(wide / (6_330_000.0 * math.cos(math.radians(farthest))))
    west, east = float(line[:, 0].min()) - across, float(line[:, 0].max()) + across
    if pole or east - west >= 360.0:
        west, east = -180.0, 180.0
    rows, columns = 4, 4
    lon_half, lat_half = (east - west) / (2 * columns), (north - south) / (2 * rows)
    lon = west + lon_half * (2 * np.arange(columns) + 1)
    lat = south + lat_half * (2 * np.arange(rows) + 1)
    grid = np.array(np.meshgrid(lon, lat)).reshape(2, -1).T
    return np.column_stack((grid, np.full(len(grid), lon_half), np.full(len(grid), lat_half)))


def _radius_m(cells: Array) -> Array:
    nearest = np.maximum(np.abs(cells[:, 1]) - cells[:, 3], 0.0)
    across = np.radians(cells[:, 2]) * np.cos(np.radians(nearest))
    return np.asarray(_FLATTEST_M * np.hypot(np.radians(cells[:, 3]), across))


def _quartered(cells: Array) -> Array:
    lon_half, lat_half = cells[:, 2] / 2.0, cells[:, 3] / 2.0
    parts = [
        np.column_stack((cells[:, 0] + i * lon_half, cells[:, 1] + j * lat_half, lon_half, lat_half))
        for i in (-1, 1)
        for j in (-1, 1)
    ]
    return np.concatenate(parts)
