"""Checks of polygon rings."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from keepclear.geo.rings import check_ring, check_rings, pole_inside, unwrapped

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
ANTIMERIDIAN = [[170, 0], [-170, 0], [-170, 10], [170, 10], [170, 0]]
ROUND_POLE = [[0, 80], [90, 80], [180, 80], [-90, 80], [0, 80]]


def box(west, south, east, north):
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def problems(faults):
    return [fault.problem for fault in faults]


def turned(ring, by):
    array = np.array(ring, dtype=float)
    array[:, 0] = (array[:, 0] + by + 180.0) % 360.0 - 180.0
    return array


@pytest.mark.parametrize(
    "ring", [SQUARE, ANTIMERIDIAN, ROUND_POLE, SQUARE[::-1], ROUND_POLE[::-1], box(-180, -90, 180, 90)]
)
def test_good_rings(ring):
    assert check_ring(ring) == []


@pytest.mark.parametrize("by", [0.0, 100.0, 178.0, 179.0, -179.5])
def test_a_crossing_is_found_and_its_place_named_wherever_it_lies(by):
    (fault,) = check_ring(turned([[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]], by))
    wanted = (2.0 + by + 180.0) % 360.0 - 180.0
    assert fault.problem.startswith("the ring crosses or runs back over itself")
    assert f"longitude {wanted:.6f}, latitude 2.000000" in fault.problem
    assert fault.field == "coordinates"
    assert fault.right


def test_touching_itself_is_told_from_crossing():
    (fault,) = check_ring([[0, 0], [2, 2], [4, 0], [4, 4], [2, 2], [0, 4], [0, 0]])
    assert "touches itself at longitude 2.000000, latitude 2.000000" in fault.problem


@pytest.mark.parametrize(
    ("ring", "says"),
    [
        ([[0, 0], [4, 0], [4, 4]], ["not closed"]),
        ([[0, 0], [4, 0], [0, 0]], ["three different positions"]),
        ([[0, 0], [4, 0]], ["not closed", "three different positions"]),
        ([[0, 0], [2, 0], [4, 0], [0, 0]], ["no area"]),
        (
            [[0, 0], [4, 0], [4, 91], [0, 0]],
            ["position 3 of the ring is out of range: latitude and longitude look swapped"],
        ),
        ([[0, 0], [4, 0], [4, 191], [0, 0]], ["position 3 of the ring is out of range"]),
        ([[0, 0], [181, 0], [4, 4], [0, 0]], ["position 2 of the ring is out of range"]),
        ([[0, 0], [float("nan"), 0], [4, 4], [0, 0]], ["position 2 of the ring is out of range"]),
        ([], ["not a list of positions"]),
        ([[0, 0, 1], [4, 0, 1], [4, 4, 1], [0, 0, 1]], ["not a list of positions"]),
        ([["a", 0], [1, 2]], ["not a list of positions"]),
        ([[0, 0], [4]], ["not a list of positions"]),
        ([[0, 0], [2, 0], [1, 0], [1, 1], [0, 0]], ["runs back over itself"]),
    ],
)
def test_what_is_wrong_is_said(ring, says):
    found = problems(check_ring(ring))
    assert len(found) == len(says)
    for problem, wanted in zip(found, says, strict=True):
        assert wanted in problem


@pytest.mark.parametrize("sign", [1, -1])
def test_which_pole_a_ring_goes_round(sign):
    ring = np.array(ROUND_POLE, dtype=float) * [1, sign]
    assert pole_inside(ring) == sign
    assert pole_inside(ring[::-1]) == sign
    assert pole_inside(np.array(SQUARE, dtype=float)) == 0
    assert pole_inside(np.array(ANTIMERIDIAN, dtype=float)) == 0


def test_a_ring_round_a_pole_that_crosses_itself_at_the_seam_is_found():
    ring = [[170, 80], [-170, 80], [-170, 70], [160, 85], [90, 80], [0, 80], [-90, 80], [170, 70], [170, 80]]
    assert "crosses" in problems(check_ring(ring))[0]


def test_a_ring_that_goes_round_a_pole_twice_is_refused():
    lon = np.arange(0.0, 721.0, 60.0)
    ring = np.column_stack(((lon + 180.0) % 360.0 - 180.0, 80.0 + np.abs(lon - 360.0) / 100.0))
    ring[-1] = ring[0]
    assert "2 times" in problems(check_ring(ring))[0]


def test_a_band_longer_than_the_way_round_that_meets_itself_is_refused():
    def band(rise):
        lon = np.arange(0.0, 401.0, 40.0)
        there = np.column_stack((lon, rise * lon))
        back = there[::-1] + np.array([0.0, 5.0])
        ring = np.vstack((there, back, there[:1]))
        ring[:, 0] = (ring[:, 0] + 180.0) % 360.0 - 180.0
        return ring

    assert "crosses" in problems(check_ring(band(0.0)))[0]
    assert check_ring(band(0.1)) == []  # a screw thread: one turn on, it is 36 degrees further north


def test_unwrapped_leaves_a_step_of_exactly_360_alone():
    np.testing.assert_array_equal(
        unwrapped(np.array(box(-180, 0, 180, 1), dtype=float))[:, 0], [-180, 180, 180, -180, -180]
    )
    np.testing.assert_array_equal(unwrapped(np.array(ANTIMERIDIAN, dtype=float))[:, 0], [170, 190, 190, 170, 170])


@pytest.mark.parametrize("by", [0.0, 178.0, -179.0])
@pytest.mark.parametrize(
    ("holes", "says"),
    [
        ([box(1, 1, 2, 2)], []),
        ([box(0, 1, 2, 2)], []),  # touches the outer ring
        ([box(1, 1, 2, 2), box(2, 1, 3, 2)], []),  # touch each other
        ([box(3, 3, 5, 5)], ["hole 1 reaches outside the outer ring"]),
        ([box(10, 10, 11, 11)], ["hole 1 reaches outside the outer ring"]),
        ([box(1, 1, 3, 3), box(2, 2, 3.5, 3.5)], ["hole 1 and hole 2 overlap"]),
        ([box(1, 1, 3, 3), box(1.5, 1.5, 2, 2)], ["hole 1 and hole 2 overlap"]),
        ([[[1, 1], [2, 2], [2, 1], [1, 2], [1, 1]]], ["the hole 1 crosses"]),
        ([box(3, 3, 5, 5), box(-1, -1, 1, 1)], ["hole 1 reaches outside", "hole 2 reaches outside"]),
    ],
)
def test_holes(holes, says, by):
    found = problems(check_rings([turned(ring, by) for ring in (SQUARE, *holes)]))
    assert len(found) == len(says)
    for problem, wanted in zip(found, says, strict=True):
        assert wanted in problem


def test_holes_round_a_pole():
    inner = [[0, 85], [120, 85], [-120, 85], [0, 85]]
    assert check_rings([ROUND_POLE, inner]) == []
    assert check_rings([ROUND_POLE, box(175, 82, -175, 84)]) == []
    assert "reaches outside" in problems(check_rings([inner, ROUND_POLE]))[0]
    assert "reaches outside" in problems(check_rings([SQUARE, inner]))[0]
    assert "reaches outside" in problems(check_rings([ROUND_POLE, box(10, 79, 20, 84)]))[0]


def test_a_belt_round_the_earth_has_no_ends():
    assert check_rings([box(-180, 60, 180, 90), box(175, 62, -175, 64)]) == []
    assert check_rings([box(-180, -90, 180, 90), [[0, 85], [120, 85], [-120, 85], [0, 85]]]) == []


def test_all_faults_are_named_not_only_the_first():
    found = problems(check_rings([SQUARE[:-1], [[1, 1], [2, 95], [1, 1]]]))
    assert len(found) == 3
    assert problems(check_rings([])) == ["a polygon without rings"]


def test_twenty_thousand_vertices_take_less_than_a_second():
    angle = np.linspace(0.0, 2.0 * np.pi, 20_001)
    radius = 1.0 + 0.3 * np.sin(50.0 * angle)
    ring = np.column_stack((40.0 + radius * np.cos(angle), 35.0 + radius * np.sin(angle)))
    ring[-1] = ring[0]
    started = time.thread_time()  # of this thread alone, whatever else runs
    assert check_ring(ring) == []
    ring[[5000, 15000]] = ring[[15000, 5000]]
    assert "crosses" in problems(check_ring(ring))[0]
    assert time.thread_time() - started < 1.0


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=3, max_size=9, unique=True),
    st.integers(-179, 179),
)
def test_turning_the_earth_changes_no_answer(positions, by):
    ring = np.array([*positions, positions[0]], dtype=float)
    there = check_ring(ring)
    assert bool(there) == bool(check_ring(turned(ring, by)))
    assert bool(there) == (not shapely.Polygon(ring).is_valid)
