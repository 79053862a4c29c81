"""Volumes against volumes of every form: every pair against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.model.extents import Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle, Edges, Polygon
from keepclear.separation.checking import check
from tests.reference.judging import Rule, Tally, answer_of, judge
from tests.reference.worlds import (
    EPOCH_S,
    NEAR_MISSES,
    PLACES,
    Place,
    airborne,
    footprint,
    moved,
    places,
    ring,
    volume,
)

EACH = 10
SIZES_M = (50.0, 2_000.0, 40_000.0)


def _volumes(rng: np.random.Generator, place: Place, size_m: float, rule: Rule) -> list[Volume]:
    made = []
    for _ in range(EACH):
        start = EPOCH_S + rng.uniform(0.0, 5_000.0)
        floor = rng.uniform(0.0, 1_000.0)
        made.append(volume(footprint(rng, place, size_m), (start, start + 3_000.0), (floor, floor + 500.0)))
    return made


def _world(seed: int, place: Place, size_m: float, time_s: float) -> Tally:
    rng = np.random.default_rng(seed)
    rule = Rule(size_m * rng.uniform(0.05, 1.0), 200.0, time_s)
    ours, theirs = (_volumes(rng, place, size_m, rule) for _ in range(2))
    return judge(
        [airborne("A", f"a{k}", one) for k, one in enumerate(ours)],
        [airborne("B", f"b{k}", one) for k, one in enumerate(theirs)],
        rule,
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    place=places,
    size_m=st.sampled_from(SIZES_M),
    time_s=st.sampled_from((0.0, 60.0, 1_800.0)),
)
@settings(max_examples=8)
def test_worlds_of_volumes(seed: int, place: Place, size_m: float, time_s: float) -> None:
    assert not _world(seed, place, size_m, time_s).faults


@pytest.mark.slow
@pytest.mark.parametrize(("n", "place"), list(enumerate(PLACES)), ids=[place.name for place in PLACES])
def test_every_place_at_every_size(n: int, place: Place) -> None:
    total = Tally()
    for m, size_m in enumerate(SIZES_M):
        total += _world(40_000 + 100 * n + m, place, size_m, (0.0, 60.0)[(n + m) % 2])
    assert not total.faults
    assert min(total.conflict, total.clear) > 50
    assert total.too_close_to_call < 0.05 * (total.conflict + total.clear)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
@pytest.mark.parametrize("near", NEAR_MISSES)
def test_circles_that_nearly_touch(place: Place, near: float) -> None:
    """The distance of two circles is known exactly: that of their centres less their radii."""
    horizontal_m = 5_000.0
    other = moved(place.lon, place.lat, 77.0, 3_000.0 + 4_000.0 + horizontal_m * (1.0 + near))
    a = airborne("A", "a", volume(Circle(place.lon, place.lat, 3_000.0)))
    b = airborne("B", "b", volume(Circle(*other[:2], 4_000.0)))
    report = check([a, b], minima=Rule(horizontal_m, 100.0).table)
    missing_m = -near * horizontal_m  # how much closer than the minimum
    if abs(missing_m - 1e-3) > 2.5e-3:
        assert answer_of(report, "a", "b") is (Answer.CONFLICT if missing_m > 1e-3 else Answer.CLEAR)
    if report.conflicts:
        assert report.conflicts[0].closest is not None
        expected = max(0.0, horizontal_m * (1.0 + near))
        assert abs(report.conflicts[0].closest.horizontal_m - expected) < 0.01


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
@pytest.mark.parametrize("gap_m", [-100.0, -1.0, -0.05, 0.05, 1.0, 100.0])
def test_squares_side_by_side(place: Place, gap_m: float) -> None:
    """A minimum of 0 means overlap by more than a millimetre; between volumes nothing has to move."""
    # Both squares hang on one geodesic: along it their corners are the gap apart.
    start = (place.lon, place.lat)
    near = ring(*moved(*start, 40.0, -1_000.0)[:2], np.full(4, 1_000.0), turn_deg=_azimuth(start, 40.0, -1_000.0))
    far_centre = moved(*start, 40.0, 1_000.0 + gap_m)
    far = ring(*far_centre[:2], np.full(4, 1_000.0), turn_deg=far_centre[2])
    a, b = (airborne(p, p, volume(Polygon((r,), Edges.GEODESIC))) for p, r in (("A", near), ("B", far)))
    report = check([a, b], minima=Rule(0.0, 0.0).table)
    assert answer_of(report, "A", "B") is (Answer.CONFLICT if gap_m < 0 else Answer.CLEAR)


def _azimuth(start: tuple[float, float], azimuth: float, metres: float) -> float:
    """The direction of a geodesic some way along it."""
    return moved(*start, azimuth, metres)[2]
