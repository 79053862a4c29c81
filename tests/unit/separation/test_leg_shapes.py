"""A unit that passes a standing shape: from when to when it is too close."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from keepclear.model.extents import Track, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.separation.checking import findings
from keepclear.separation.minima import MinimaTable
from keepclear.separation.world import compile_world
from tests.reference.made import HOME, at, operation, square, track, zone
from tests.reference.shapes import Area
from tests.reference.worlds import EPOCH_S, moved, ring

PASSING = track((0, -5000, 0, 1000), (1000, 5000, 0, 1000))  # east at 10 m/s, over the middle at 500 s


def stretches(unit: Track, volume: Volume, *, zoned: bool = True, minima: MinimaTable | None = None, **options: Any):
    """(answer, start, end) of the findings of a flight and a zone, or a flight and another's volume."""
    operations, zones = [operation("A", unit)], []
    if zoned:
        zones = [zone(ZoneKind.NO_GO_AREA, volume)]
    else:
        operations.append(operation("B", volume))
    table = minima or MinimaTable.default()
    world = compile_world(operations, zones, minima=table, compare_own=False, **options)
    return [
        (interval.answer, interval.start_s - EPOCH_S, interval.end_s - EPOCH_S)
        for conflict in findings(world)
        for interval in conflict.intervals
    ]


def assert_are(found, *expected: tuple[float, float], within_s: float = 0.05) -> None:
    assert [answer for answer, *_ in found] == [Answer.CONFLICT] * len(expected)
    assert np.array([times for _, *times in found]) == pytest.approx(np.array(expected), abs=within_s)


def area(*rings: np.ndarray, **more: Any) -> Volume:
    return Volume(Polygon(rings or (square(1000.0),), Edges.GEODESIC), **more)


def test_through_an_area() -> None:
    assert_are(stretches(PASSING, area()), (400.0, 600.0))


def test_round_a_hole() -> None:
    assert_are(stretches(PASSING, area(square(1000.0), square(300.0))), (400.0, 470.0), (530.0, 600.0))


def test_beside_an_area_and_along_its_border() -> None:
    assert stretches(PASSING, area(square(1000.0, 0.0, 1001.0))) == []
    assert stretches(track((0, -900, 1000, 9), (9, 900, 1000, 9)), area()) == []
    assert_are(stretches(PASSING, area(square(1000.0, 0.0, 999.0))), (400.0, 600.0))


def test_wholly_inside_without_a_border_near() -> None:
    assert_are(stretches(track((0, -10, 0, 9), (10, 10, 0, 9)), area()), (0.0, 10.0))
    assert_are(stretches(track((7, 0, 0, 9)), area()), (7.0, 7.0))


def test_within_the_shapes_time_and_the_window() -> None:
    timed = area(start_s=EPOCH_S + 450.0, end_s=EPOCH_S + 900.0)
    assert_are(stretches(PASSING, timed), (450.0, 600.0))
    assert_are(stretches(PASSING, timed, window=(EPOCH_S, EPOCH_S + 500.0)), (450.0, 500.0))
    assert stretches(PASSING, area(start_s=EPOCH_S + 601.0, end_s=EPOCH_S + 900.0)) == []


def test_slip_widens_the_times() -> None:
    slipping = track((0, -5000, 0, 1000), (1000, 5000, 0, 1000), early_s=20.0, late_s=50.0)
    assert_are(stretches(slipping, area()), (380.0, 650.0))
    assert_are(stretches(slipping, area(start_s=EPOCH_S + 640.0, end_s=EPOCH_S + 900.0)), (640.0, 650.0))


def test_climbing_through_a_band() -> None:
    climbing = track((0, -5000, 0, 0), (1000, 5000, 0, 1000))
    band = {"floor": Height(450.0, HeightReference.W84), "ceiling": Height(520.0, HeightReference.W84)}
    assert_are(stretches(climbing, area(**band)), (450.0, 520.0))
    assert stretches(PASSING, area(**band)) == []
    open_above = area(floor=Height(550.0, HeightReference.W84))
    assert_are(stretches(climbing, open_above), (550.0, 600.0))


def test_a_minimum_reaches_beyond_area_line_and_circle() -> None:
    table = MinimaTable.single(500.0, 100.0)
    always = {
        "floor": Height(0.0, HeightReference.W84), "ceiling": Height(2000.0, HeightReference.W84),
        "start_s": EPOCH_S - 9000.0, "end_s": EPOCH_S + 9000.0,
    }  # fmt: skip
    assert_are(stretches(PASSING, area(**always), zoned=False, minima=table), (350.0, 650.0))
    circle = Volume(Circle(*HOME, 700.0), **always)
    assert_are(stretches(PASSING, circle, zoned=False, minima=table), (380.0, 620.0))
    line = np.array([at(0.0, -3000.0), at(0.0, 3000.0)])
    corridor = Volume(Corridor(line, 100.0, Edges.GEODESIC), **always)
    assert_are(stretches(PASSING, corridor, zoned=False, minima=table), (440.0, 560.0))
    passing_by = track((0, -5000, 1000, 1000), (1000, 5000, 1000, 1000))
    half = math.sqrt(1200.0**2 - 1000.0**2) / 10.0
    assert_are(stretches(passing_by, circle, zoned=False, minima=table), (500.0 - half, 500.0 + half))


@pytest.mark.parametrize("place", [HOME, (179.99, -16.8), (10.0, 89.5), (-70.0, -60.0)])
def test_entering_and_leaving_a_star_is_when_many_moments_say(place: tuple[float, float]) -> None:
    rng = np.random.default_rng(23)
    for _ in range(4):
        corners = ring(*place, rng.uniform(400.0, 3000.0, 7))
        points = [
            (0, *rng.uniform(-4000, 4000, 2), 9),
            (600, *rng.uniform(-500, 500, 2), 9),
            (1200, *rng.uniform(-4000, 4000, 2), 9),
        ]
        unit = track(*points, centre=place)
        found = stretches(unit, area(corners))
        seconds = np.linspace(0.0, 1200.0, 1201)
        places = []
        for second in seconds:
            leg = 0 if second < 600.0 else 1
            lon0, lat0, lon1, lat1 = unit.lon_deg[leg], unit.lat_deg[leg], unit.lon_deg[leg + 1], unit.lat_deg[leg + 1]
            places.append(_between(lon0, lat0, lon1, lat1, second / 600.0 - leg))
        inside = Area.of(Polygon((corners,), Edges.GEODESIC)).contains(*np.array(places).T)
        assert inside.any()
        for second, is_in in zip(seconds, inside, strict=True):
            margin = min((min(abs(second - start), abs(second - end)) for _, start, end in found), default=99.0)
            if margin > 0.01:
                assert is_in == any(start <= second <= end for _, start, end in found)
        assert {answer for answer, *_ in found} == {Answer.CONFLICT}


def _between(lon0: float, lat0: float, lon1: float, lat1: float, fraction: float) -> tuple[float, float]:
    from tests.reference.worlds import GEOD

    azimuth, _, length = GEOD.inv(lon0, lat0, lon1, lat1)
    return GEOD.fwd(lon0, lat0, azimuth, fraction * length)[:2]


def test_a_position_that_is_uncertain_is_only_possibly_inside() -> None:
    beside = track((0, -5000, 1050, 1000), (1000, 5000, 1050, 1000), uncertainty_m=100.0)
    found = stretches(beside, area())
    assert {answer for answer, *_ in found} == {Answer.POSSIBLE}
    through = track((0, -5000, 0, 1000), (1000, 5000, 0, 1000), uncertainty_m=100.0)
    found = stretches(through, area())
    assert [answer for answer, *_ in found] == [Answer.POSSIBLE, Answer.CONFLICT, Answer.POSSIBLE]
    assert found[0][1] == pytest.approx(390.0, abs=0.05)
    assert found[-1][2] == pytest.approx(610.0, abs=0.05)


def test_ground_units_are_in_an_area_whose_heights_are_open() -> None:
    convoy = operation("A", track((0, -5000, 0, math.nan), (1000, 5000, 0, math.nan)), kind=OperationKind.CONVOY)
    world = compile_world(
        [convoy], [zone(ZoneKind.NO_GO_AREA, area())], minima=MinimaTable.default(), compare_own=False
    )
    (conflict,) = findings(world)
    assert conflict.answer is Answer.CONFLICT
    assert moved(*HOME, 270.0, 1000.0)[0] - 1e-6 <= conflict.closest.a[0] <= moved(*HOME, 90.0, 1000.0)[0] + 1e-6
