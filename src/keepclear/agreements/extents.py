"""Bounding spheres of plans: where all of a plan is, roughly and never too small."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import densified, on_surface
from keepclear.geo.ellipsoid import SEMI_MAJOR_M, SEMI_MINOR_M
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Edges
from keepclear.model.operations import Operation, Zone

__all__ = ["Sphere", "sphere_of", "sphere_of_track", "sphere_of_volume"]

Array = npt.NDArray[np.float64]
_WIDEST_M = 2.0e6
"""Beyond it an area is taken to be everywhere: what its border goes round could be either part of the Earth."""


class Sphere(NamedTuple):
    """A place on the surface, earth-centred metres, and how far from it along the surface all of something is."""

    x: float
    y: float
    z: float
    reach_m: float


def sphere_of(plan: Operation | Zone) -> Sphere:
    """A sphere round all of a plan, uncertainty included."""
    spheres = [sphere_of_volume(one) for one in plan.volumes]
    if isinstance(plan, Operation):
        spheres += [sphere_of_track(one) for one in plan.tracks]
    if len(spheres) == 1:
        return spheres[0]
    centres = np.array([one[:3] for one in spheres])
    return _round(centres, np.array([one.reach_m for one in spheres]))


def sphere_of_volume(volume: Volume) -> Sphere:
    """A sphere round the footprint of a volume, uncertainty included."""
    shape = volume.footprint
    if isinstance(shape, Circle):
        x, y, z = on_surface(np.array([[shape.lon_deg, shape.lat_deg]]))[0].tolist()
        return Sphere(x, y, z, shape.radius_m + volume.uncertainty_m + 1.0)
    line = shape.line if isinstance(shape, Corridor) else shape.rings[0]
    corners = densified(line, shape.edges) if shape.edges is Edges.LONLAT and _is_long(line) else line
    wide = shape.half_width_m if isinstance(shape, Corridor) else 0.0
    sphere = _round(on_surface(corners), np.zeros(1))
    longest = _longest_step_m(corners)  # a shortest path between two corners goes off their sphere by less than this
    return Sphere(*sphere[:3], sphere.reach_m + wide + volume.uncertainty_m + longest * longest / SEMI_MAJOR_M)


def sphere_of_track(track: Track) -> Sphere:
    """A sphere round a track, uncertainty included."""
    lonlat = np.column_stack((track.lon_deg, track.lat_deg))
    sphere = _round(on_surface(lonlat), np.zeros(1))
    longest = _longest_step_m(lonlat)
    doubt = float(np.max(track.uncertainty_m))
    return Sphere(*sphere[:3], sphere.reach_m + doubt + longest * longest / SEMI_MAJOR_M)


def _round(points: Array, reaches_m: Array) -> Sphere:
    middle = points.mean(axis=0)
    size = math.sqrt((middle[0] ** 2 + middle[1] ** 2) / SEMI_MAJOR_M**2 + middle[2] ** 2 / SEMI_MINOR_M**2)
    if size < 0.5:  # all round the Earth
        return Sphere(SEMI_MAJOR_M, 0.0, 0.0, math.inf)
    centre = middle / size
    reach = float((_along(np.linalg.norm(points - centre, axis=1)) + reaches_m).max())
    x, y, z = centre.tolist()
    return Sphere(x, y, z, math.inf if reach > _WIDEST_M else reach + 1.0)


def _along(chords: Array) -> Array:
    """Not less than the way along the surface under chords of up to the Earth's diameter."""
    return 2.0 * SEMI_MAJOR_M * 1.004 * np.arcsin(np.minimum(1.0, chords / (2.0 * SEMI_MINOR_M * 0.996)))


def _is_long(line: Array) -> bool:
    steps = np.abs(np.diff(line, axis=0))
    return bool(len(steps) and (steps.max() > 0.2))


def _longest_step_m(lonlat: Array) -> float:
    if len(lonlat) < 2:
        return 0.0
    points = on_surface(lonlat)
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).max())
