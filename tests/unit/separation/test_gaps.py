"""What is not known of a unit in a silence: it may be wherever it could reach."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Answer, Conflict
from keepclear.model.footprints import Circle
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.checking import findings
from keepclear.separation.gaps import _lens_distance, gap_spheres
from keepclear.separation.minima import MinimaTable
from keepclear.separation.world import compile_world
from tests.reference.made import at, operation, track, zone
from tests.reference.worlds import EPOCH_S

TABLE = MinimaTable.single(500.0, 100.0)
SPEED = 50.0


def silent(*, seconds: float = 100.0, **more: object) -> Operation:
    """A unit heard at 0 s 2 km west of home and again 2 km east of it; at 50 m/s it has 1 km to spare."""
    points = (0, -2000, 0, 1000), (seconds, 2000, 0, 1000)
    return operation("A", track(*points, basis=TrackBasis.FLOWN, **more), top_speed_m_s=SPEED)


def possible(*things: Operation | Zone) -> list[Conflict]:
    operations = [thing for thing in things if isinstance(thing, Operation)]
    zones = [thing for thing in things if isinstance(thing, Zone)]
    found = findings(compile_world(operations, zones, minima=TABLE, compare_own=False))
    for conflict in found:
        assert conflict.answer is Answer.POSSIBLE, "of a silence nothing is certain"
        assert "nothing is known of a unit during a gap in its track" in conflict.reasons
    return list(found)


def standing(east_m: float, north_m: float, height_m: float = 1000.0, start: float = 0.0, end: float = 100.0) -> Track:
    return track((start, east_m, north_m, height_m), (end, east_m, north_m, height_m))


def test_the_nearest_of_two_balls_common_part_is_that_of_many_points_of_it() -> None:
    rng = np.random.default_rng(40)
    for _ in range(150):
        apart, r0 = rng.uniform(0.0, 10.0), rng.uniform(0.5, 12.0)
        r1 = rng.uniform(max(0.3, apart - r0 + 0.05), 14.0)
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        ends = np.zeros((2, 6))
        ends[1, :3] = apart * direction
        place = rng.uniform(-15.0, 15.0, 3)
        found = _lens_distance(ends, 0, r0, r1, *place)
        # In the plane of the ends and the place, which holds the nearest point.
        axis = np.linspace(-26.0, 26.0, 521)
        x, y = np.meshgrid(axis, axis)
        along = float(place @ direction)
        across = float(np.linalg.norm(place - along * direction))
        common = (np.hypot(x, y) <= r0) & (np.hypot(x - apart, y) <= r1)
        if common.any():
            sampled = np.hypot(x - along, y - across)[common].min()
            assert found <= sampled + 1e-9
            assert found >= sampled - 1.5  # a thin lens holds few points of the grid
            if common.sum() > 400:
                assert found >= sampled - 0.5


def test_spheres_hold_whatever_can_be_reached() -> None:
    rng = np.random.default_rng(41)
    ends = np.zeros((2, 6))
    ends[:, :3] = rng.uniform(-1000.0, 1000.0, (2, 3))
    ends[1, 3] = 100.0
    speed, tolerance = np.array([60.0]), np.array([[25.0, 2.0, 3.0]])
    spheres, times = gap_spheres(ends, speed, tolerance)
    assert times.tolist() == [[-2.0, 103.0]]
    for _ in range(200):
        place = rng.uniform(-6000.0, 6000.0, 3)
        way = sum(np.linalg.norm(place - ends[k, :3]) for k in range(2))
        if way <= 60.0 * 100.0:
            assert np.linalg.norm(place - spheres[0, :3]) + 25.0 <= spheres[0, 3] + 1e-6


def test_whoever_stands_where_it_could_have_been_is_possibly_too_close() -> None:
    # To the side the unit reaches √(2500² - 2000²) = 1500 m, and 500 m more are too close.
    (conflict,) = possible(silent(), operation("B", standing(0.0, 1950.0)))
    (interval,) = conflict.intervals
    assert 40.0 < interval.start_s - EPOCH_S < 50.0 < interval.end_s - EPOCH_S < 60.0
    assert possible(silent(), operation("B", standing(0.0, 2050.0))) == []


def test_a_slower_silence_reaches_further() -> None:
    assert possible(silent(seconds=200.0), operation("B", standing(0.0, 4500.0)))
    assert possible(silent(seconds=200.0), operation("B", standing(0.0, 5300.0))) == []


def test_only_during_the_silence() -> None:
    assert possible(silent(), operation("B", standing(0.0, 1000.0, start=60.0, end=300.0)))
    assert possible(silent(), operation("B", standing(0.0, 1000.0, start=101.0, end=300.0))) == []


def test_uncertainty_and_slip_reach_further() -> None:
    assert possible(silent(uncertainty_m=200.0), operation("B", standing(0.0, 2150.0)))
    assert possible(silent(late_s=30.0), operation("B", standing(0.0, 2400.0)))
    assert possible(silent(), operation("B", track((0, 0, 2150, 1000), (100, 0, 2150, 1000), uncertainty_m=200.0)))


def test_heights_count_as_far_as_a_unit_can_climb() -> None:
    # An aircraft climbs at most 150 m/s: 7,500 m in half of the silence, and 100 m more are too close.
    assert possible(silent(), operation("B", standing(0.0, 0.0, 8500.0)))
    assert possible(silent(), operation("B", standing(0.0, 0.0, 8700.0))) == []
    assert possible(silent(), operation("B", standing(0.0, 0.0, math.nan)))


def test_two_silences() -> None:
    def other(north_m: float) -> Operation:
        points = (0, -2000, north_m, 1000), (100, 2000, north_m, 1000)
        return operation("B", track(*points, basis=TrackBasis.FLOWN), top_speed_m_s=SPEED)

    assert possible(silent(), other(3400.0))
    assert possible(silent(), other(9000.0)) == []


@pytest.mark.parametrize(("north_m", "reached"), [(1400.0, True), (1590.0, True), (1700.0, False), (0.0, True)])
def test_a_silence_beside_a_zone(north_m: float, reached: bool) -> None:  # noqa: FBT001
    area = zone(ZoneKind.NO_GO_AREA, Volume(Circle(*at(0.0, north_m), 100.0)))
    assert bool(possible(silent(), area)) is reached


def test_a_zone_at_another_time_is_not_reached() -> None:
    later = Volume(Circle(*at(0.0, 0.0), 100.0), start_s=EPOCH_S + 101.0, end_s=EPOCH_S + 500.0)
    assert possible(silent(), zone(ZoneKind.NO_GO_AREA, later)) == []


def test_what_was_faster_than_it_could_be_is_still_on_its_way() -> None:
    hasty = operation(
        "A", track((0, -20_000, 0, 1000), (100, 20_000, 0, 1000), basis=TrackBasis.FLOWN), top_speed_m_s=SPEED
    )
    assert possible(hasty, operation("B", standing(0.0, 0.0)))


def test_heights_of_another_reference_are_intervals() -> None:
    pressure = silent(height_reference=HeightReference.FL)
    assert possible(pressure, operation("B", standing(0.0, 0.0, 1000.0)))
