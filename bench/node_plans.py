"""What the nodes file in the measurements of them: plans as officers draw them, from a seed.

Over a theatre of 2,000 by 1,500 km and the days to come: of a hundred, 45 patrols and convoys on routes of 4 to 12
points, 20 flights, 30 areas of drones and helicopters, and 5 zones. So dense that, of 10,000 at a time, a new one comes
too close to another now and then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.record.bodies.plans import OperationBody, ZoneBody

__all__ = ["body_of_plan", "plans", "request_of"]

_WEST, _SOUTH, _WIDE, _HIGH = 30.0, 28.0, 22.0, 14.0
_DAYS_S = 25 * 86_400.0


def plans(count: int, party: str, *, seed: int, begin_s: float, zones: bool = True) -> Iterator[Operation | Zone]:
    """Plans of a party, each with an id of its own.

    Parameters
    ----------
    begin_s
        None begins before an hour after this, and none later than 25 days after it.
    zones
        Whether there are zones among them.
    """
    rng = np.random.default_rng([seed, *party.encode()])
    for number in range(count):
        share = rng.random() * (1.0 if zones else 0.95)
        lon, lat = _WEST + _WIDE * rng.random(), _SOUTH + _HIGH * rng.random()
        start_s = float(np.round(begin_s + 3600.0 + _DAYS_S * rng.random()))
        name = f"{party.lower()}-{seed}-{number}"
        if share < 0.45:
            kind = OperationKind.PATROL if share < 0.25 else OperationKind.CONVOY
            yield Operation(party, name, kind, tracks=(_route(rng, lon, lat, start_s),))
        elif share < 0.65:
            yield Operation(party, name, OperationKind.FLIGHT, tracks=(_flight(rng, lon, lat, start_s),))
        elif share < 0.95:
            yield Operation(party, name, OperationKind.UAS, (_area(rng, lon, lat, start_s),))
        else:
            yield Zone(party, name, ZoneKind.NO_GO_AREA, (_zone(rng, lon, lat, start_s),))


def body_of_plan(plan: Operation | Zone) -> OperationBody | ZoneBody:
    """The entry's body that tells it."""
    return ZoneBody.of_model(plan) if isinstance(plan, Zone) else OperationBody.of_model(plan)


def request_of(plan: Operation | Zone, line: str) -> tuple[str, dict[str, Any]]:
    """Path and JSON of the request that files it."""
    kind = "zone" if isinstance(plan, Zone) else "operation"
    return f"/api/v1/{kind}s", {"line": line, kind: body_of_plan(plan).members()[kind]}


def _route(rng: np.random.Generator, lon: float, lat: float, start_s: float) -> Track:
    """On the ground: waypoints some kilometres apart, with slip as such plans have it."""
    points = int(rng.integers(4, 13))
    course = np.cumsum(rng.normal(0.0, 0.4, points)) + rng.uniform(0.0, 6.28)
    steps_m = rng.uniform(2e3, 8e3, points)
    lons = np.round(lon + np.cumsum(np.sin(course) * steps_m) / 90_000.0, 5)
    lats = np.round(lat + np.cumsum(np.cos(course) * steps_m) / 111_000.0, 5)
    times = np.round(start_s + np.cumsum(steps_m) / 10.0)
    return Track(times, lons, lats, np.full(points, np.nan), HeightReference.UNKNOWN, early_s=300.0, late_s=1_800.0)


def _flight(rng: np.random.Generator, lon: float, lat: float, start_s: float) -> Track:
    points, speed_m_s = int(rng.integers(4, 10)), rng.uniform(120.0, 240.0)
    course, length_m = rng.uniform(0.0, 6.28), rng.uniform(100e3, 600e3)
    along = np.linspace(0.0, length_m, points)
    lons = np.round(lon + along * np.sin(course) / 90_000.0, 5)
    lats = np.round(lat + along * np.cos(course) / 111_000.0, 5)
    heights = np.minimum(304.8 * float(rng.integers(5, 40)), 0.05 * np.minimum(along, along[::-1]) + 300.0)
    return Track(
        np.round(start_s + along / speed_m_s), lons, lats, np.round(heights), HeightReference.AMSL, late_s=600.0
    )


def _area(rng: np.random.Generator, lon: float, lat: float, start_s: float) -> Volume:
    low, high = (Height(value, HeightReference.AGL) for value in (0.0, 120.0))
    end_s = start_s + float(np.round(rng.uniform(1_800.0, 14_400.0)))
    circle = Circle(round(lon, 5), round(lat, 5), float(np.round(rng.uniform(200.0, 3_000.0))))
    return Volume(circle, low, high, start_s, end_s)


def _zone(rng: np.random.Generator, lon: float, lat: float, start_s: float) -> Volume:
    turns = np.linspace(0.0, 2.0 * np.pi, 9)
    size = rng.uniform(0.02, 0.2)
    ring = np.round(np.column_stack((lon + size * np.cos(turns), lat + size * np.sin(turns))), 5)
    ring[-1] = ring[0]
    end_s = start_s + float(np.round(rng.uniform(0.2, 3.0) * 86_400.0))
    return Volume(Polygon((ring,)), None, Height(3_000.0, HeightReference.AMSL), start_s, end_s)
