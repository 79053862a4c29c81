"""Small plans on flat ground, for tests that are about one thing each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keepclear.model.extents import Track, Volume
from keepclear.model.findings import Answer, Report
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.checking import check
from tests.reference.worlds import EPOCH_S, moved

__all__ = ["HOME", "answer", "at", "operation", "square", "track", "zone"]

HOME = (41.0, 37.0)


def at(east_m: float, north_m: float, centre: tuple[float, float] = HOME) -> tuple[float, float]:
    """Longitude and latitude of a point some metres from a centre."""
    return moved(*centre, math.degrees(math.atan2(east_m, north_m)), math.hypot(east_m, north_m))[:2]


def track(*points: tuple[float, float, float, float], centre: tuple[float, float] = HOME, **more: Any) -> Track:
    """A track of (seconds, east, north, height) round a centre."""
    lon, lat = np.array([at(east, north, centre) for _, east, north, _ in points]).T
    seconds, _, _, height = np.array(points, dtype=float).T
    return Track(EPOCH_S + seconds, lon, lat, height, **more)


def square(half_m: float, east_m: float = 0.0, north_m: float = 0.0) -> np.ndarray:
    """A closed ring, with its sides to the north, east, south and west of a point near home."""
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return np.array([at(east_m + x * half_m, north_m + y * half_m) for x, y in corners])


def operation(
    party: str, *extents: Track | Volume, kind: OperationKind | None = OperationKind.FLIGHT, **more: Any
) -> Operation:
    """An operation named after its party."""
    tracks = tuple(extent for extent in extents if isinstance(extent, Track))
    volumes = tuple(extent for extent in extents if isinstance(extent, Volume))
    return Operation(party, f"{party}1", kind, volumes=volumes, tracks=tracks, **more)


def zone(kind: ZoneKind, *volumes: Volume, party: str = "Z", **more: Any) -> Zone:
    """A zone of a party of its own."""
    return Zone(party, f"{party}-{kind.value}", kind, volumes, **more)


def answer(*known: Operation | Zone, **options: Any) -> Answer:
    """What the check of a few operations and zones says, which all its parts must agree with."""
    operations = [one for one in known if isinstance(one, Operation)]
    report = check(operations, [one for one in known if isinstance(one, Zone)], **options)
    _agrees(report)
    return report.answer


def _agrees(report: Report) -> None:
    found = {conflict.answer for conflict in report.conflicts}
    assert Answer.CLEAR not in found
    for worst in (Answer.CONFLICT, Answer.POSSIBLE):
        if worst in found:
            assert report.answer is worst
            break
    else:
        assert report.answer is Answer.CLEAR or report.reasons, "possible, and no reason given"
    for conflict in report.conflicts:
        assert conflict.sentence
        if conflict.answer is Answer.POSSIBLE:
            assert conflict.reasons, "possible, and no reason given"
