"""Limiting a check to an area: pairs of which some part lies in it."""

from __future__ import annotations

import numpy as np

from keepclear.separation.evidence import Evidence
from keepclear.separation.world import World

__all__ = ["within_area"]


def within_area(evidence: Evidence, world: World, area: tuple[float, float, float, float]) -> Evidence:
    """The evidence of which either side is in the area at its closest moment.

    Parameters
    ----------
    area
        West, south, east, north in degrees; a west greater than the east crosses the antimeridian.
    """
    del world
    keep = np.zeros(len(evidence.first), dtype=np.bool_)
    for k in range(len(keep)):
        closest = evidence.locate(int(evidence.row[k]), bool(evidence.certain[k]))
        keep[k] = _inside(closest.a, area) or _inside(closest.b, area)
    columns = ("first", "second", "certain", "start_s", "end_s", "distance_m", "reasons", "row")
    return Evidence(*(getattr(evidence, name)[keep] for name in columns), evidence.locate)


def _inside(position: tuple[float, float, float | None], area: tuple[float, float, float, float]) -> bool:
    west, south, east, north = area
    lon, lat, _ = position
    across = west <= lon <= east if west <= east else lon >= west or lon <= east
    return across and south <= lat <= north
