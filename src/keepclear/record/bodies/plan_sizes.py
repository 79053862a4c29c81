"""How much may be in one plan: everybody who is told it works out what it comes too close to.

What a plan costs to compare grows with its volumes and tracks, with its positions (which the bytes of the body bound),
and with the way from each to the next, which is cut into pieces short enough to be taken for straight. Without a bound
on each, one entry could keep every node on a line busy for minutes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.model.footprints import Circle, Footprint, Polygon
from keepclear.model.operations import Operation, Zone
from keepclear.record.bodies.extents import PolygonValue, VolumeValue

__all__ = ["MOST_EXTENTS", "MOST_LENGTH_KM", "MOST_RINGS", "check_length", "check_rings_count"]

MOST_EXTENTS = 1000
"""The most volumes, and the most tracks, of one plan."""
MOST_RINGS = 1000
"""The most rings of all polygons of one plan; each is compared with the others of its polygon."""
MOST_LENGTH_KM = 200_000
"""All tracks, lines and rings of a plan together: five times round the Earth."""

_RADIUS_KM = 6371.0
Array = npt.NDArray[np.float64]


def check_rings_count(volumes: Iterable[VolumeValue]) -> None:
    """Check that a plan has no more than `MOST_RINGS`, before they are looked at.

    Raises
    ------
    InputError
        If it has.
    """
    count = sum(len(one.footprint.rings) for one in volumes if isinstance(one.footprint, PolygonValue))
    if count > MOST_RINGS:
        right = f"at most {MOST_RINGS:,}: file it in parts, or leave small holes out"
        raise InputError(Fault(f"its polygons have together {count:,} rings", right, field="volumes"))


def check_length(thing: Operation | Zone) -> None:
    """Check that the tracks, lines and rings of a plan are together no longer than `MOST_LENGTH_KM`.

    Tracks go by great circles of a sphere of 6,371 km, lines and rings straight in degrees, as far east as they say.

    Raises
    ------
    InputError
        If they are longer.
    """
    tracks = thing.tracks if isinstance(thing, Operation) else ()
    length_km = sum(_chords_km(np.stack([one.lon_deg, one.lat_deg], axis=1)) for one in tracks)
    length_km += sum(_degrees_km(line) for volume in thing.volumes for line in _lines_of(volume.footprint))
    if length_km > MOST_LENGTH_KM:
        what = "zone" if isinstance(thing, Zone) else "operation"
        problem = f"its tracks, lines and rings are together {length_km:,.0f} km long"
        raise InputError(Fault(problem, f"at most {MOST_LENGTH_KM:,} km: file it in parts", field=what))


def _lines_of(footprint: Footprint) -> tuple[Array, ...]:
    if isinstance(footprint, Circle):
        return ()
    return footprint.rings if isinstance(footprint, Polygon) else (footprint.line,)


def _chords_km(line: Array) -> float:
    lon, lat = np.radians(line).T
    level = np.cos(lat)
    points = np.stack([level * np.cos(lon), level * np.sin(lon), np.sin(lat)], axis=1)
    chords = np.sqrt(((points[1:] - points[:-1]) ** 2).sum(axis=1))
    return float(2.0 * _RADIUS_KM * np.arcsin(np.minimum(1.0, 0.5 * chords)).sum())


def _degrees_km(line: Array) -> float:
    lon, lat = np.radians(line).T
    level = np.maximum(np.cos(lat[1:]), np.cos(lat[:-1]))
    return float(_RADIUS_KM * np.hypot(np.diff(lon) * level, np.diff(lat)).sum())
