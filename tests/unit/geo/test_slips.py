"""Slips of the pen."""

from __future__ import annotations

import numpy as np
import pytest

from keepclear.geo.slips import SlipKind, find_slips, looks_swapped, range_fault

LON, LAT = 40.15, 35 + 17 / 60 + 7 / 3600  # Deir ez-Zor


def around(n, spread_deg=0.02, seed=1):
    random = np.random.default_rng(seed)
    return np.column_stack((LON + random.normal(0, spread_deg, n), LAT + random.normal(0, spread_deg, n)))


@pytest.mark.parametrize(
    ("lon", "lat", "kind", "km"),
    [
        (LAT, LON, SlipKind.SWAPPED, 693),
        (LON, 35.1707, SlipKind.SEXAGESIMAL, 13),
        (LON, LAT + 1.0, SlipKind.ONE_DEGREE, 111),
        (LON - 1.0, LAT, SlipKind.ONE_DEGREE, 91),
        (-LON, LAT, SlipKind.HEMISPHERE, 6900),
        (LON, -LAT, SlipKind.HEMISPHERE, 7800),
        (10.0, 50.0, SlipKind.UNEXPLAINED, 2950),
    ],
)
def test_the_slip_that_explains_a_far_position_is_named(lon, lat, kind, km):
    places = np.vstack((around(10), [[lon, lat]]))
    (slip,) = find_slips(places)
    assert slip.index == 10
    assert slip.kind is kind
    assert slip.distance_m / 1000 == pytest.approx(km, rel=0.05, abs=3)
    assert slip.sentence.startswith("position 11 (latitude ")
    assert f"lies {slip.distance_m / 1000:,.0f} km from the rest" in slip.sentence


def test_the_sentence_says_what_was_meant():
    (slip,) = find_slips(np.vstack((around(10), [[LON, 35.1707]])), names=[f"P{i}" for i in range(11)])
    assert slip.sentence.startswith("P10 ")
    assert "35°17′07″, typed as 35.1707" in slip.sentence


def test_nothing_is_asked_about_places_that_belong_together():
    assert find_slips(around(50)) == []
    assert find_slips(around(50, spread_deg=3.0)) == []
    assert find_slips(np.column_stack((np.linspace(30, 40, 100), np.linspace(35, 36, 100)))) == []
    assert find_slips(np.tile([[LON, LAT]], (5, 1))) == []


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_to_tell(n):
    assert find_slips(np.array([[0.0, 0.0], [90.0, 45.0]])[:n]) == []


def test_the_same_slip_made_twice_in_twenty_is_found():
    swapped = [[LAT, LON], [LAT + 0.001, LON]]
    assert [slip.index for slip in find_slips(np.vstack((around(30), swapped)))] == [30, 31]


def test_many_positions_are_compared_with_a_sample_in_bounded_time():
    places = np.vstack((around(20_000), [[LAT, LON]]))
    assert [slip.index for slip in find_slips(places)] == [20_000]


def test_looks_swapped():
    assert looks_swapped(LAT, LON, around(10))
    assert not looks_swapped(LON, LAT, around(10))
    assert not looks_swapped(10.0, 50.0, around(10))
    assert not looks_swapped(LAT, LON, np.empty((0, 2)))
    assert not looks_swapped(120.0, LAT, around(10))


def test_a_latitude_that_cannot_be_is_a_fault_and_says_where_swapping_would_help():
    assert range_fault(LON, LAT) is None
    assert range_fault(-180.0, 90.0) is None
    assert "look swapped" in range_fault(35.28, 140.15).right
    assert "look swapped" not in range_fault(100.0, 140.15).right
    for lon, lat in ((181.0, 0.0), (0.0, float("nan")), (float("inf"), 0.0), (0.0, -90.001)):
        assert range_fault(lon, lat) is not None
