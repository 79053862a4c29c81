"""The reference itself, against formulas that it does not use."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.model.extents import Track
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from tests.reference.oracle import MILLIMETRE, closest, separation_at
from tests.reference.shapes import distance_m, place, shape_of
from tests.reference.worlds import EPOCH_S, GEOD, PLACES, encounter, footprint, moved, places, ring, scales, volume

SETTINGS = settings(derandomize=True, deadline=None, max_examples=40, database=None)


def _flat(
    points: list[tuple[float, float, float, float]], centre: tuple[float, float] = (0.0, 0.0), **more: float
) -> Track:
    """A track given by (t, east, north, height) in metres round a place, by the azimuthal equidistant projection."""
    lonlat = [
        moved(*centre, math.degrees(math.atan2(east, north)), math.hypot(east, north))[:2]
        for _, east, north, _ in points
    ]
    t, _, _, z = np.array(points).T
    lon, lat = np.array(lonlat).T
    return Track(EPOCH_S + t, lon, lat, z, **more)


def _one(a: object, b: object, **asked: float | None) -> float:
    return float(closest([shape_of(a), shape_of(b)], [(0, 1)], **({"vertical_m": None} | asked))[0])


@given(
    east=st.floats(-400, 400),
    north=st.floats(-400, 400),
    p=st.floats(-20, 20),
    q=st.floats(-20, 20),
    lat=st.floats(-80, 80),
)
@SETTINGS
def test_small_encounters_are_as_on_flat_ground(east: float, north: float, p: float, q: float, lat: float) -> None:
    centre = (12.0, lat)
    a = _flat([(0, 0, 0, 0), (60, 600, 0, 0)], centre)
    b = _flat([(0, east, north, 0), (60, east + 60 * p, north + 60 * q, 0)], centre)
    w = np.array([p - 10.0, q])
    d = np.array([east, north])
    t = 0.0 if not w.any() else float(np.clip(-(d @ w) / (w @ w), 0.0, 60.0))
    expected = float(np.hypot(*(d + t * w)))
    assert _one(a, b) == pytest.approx(expected, abs=5e-3)  # the projection's own error over 2 km


@given(slip=st.floats(0, 30), gap=st.floats(1, 60))
@SETTINGS
def test_slip_on_crossing_paths(slip: float, gap: float) -> None:
    # Crossing at right angles, both at 10 m/s; b is at the crossing `gap` seconds after a, and may be `slip` early.
    a = _flat([(-100, -1000, 0, 0), (100, 1000, 0, 0)])
    b = _flat([(-100 + gap, 0, -1000, 0), (100 + gap, 0, 1000, 0)], early_s=slip)
    left = max(0.0, gap - slip)
    assert _one(a, b) == pytest.approx(10.0 * left / math.sqrt(2.0), abs=2e-3)


def test_time_minimum_is_slip_by_another_name() -> None:
    a = _flat([(-100, -1000, 0, 0), (100, 1000, 0, 0)])
    b = _flat([(-60, 0, -1000, 0), (140, 0, 1000, 0)])
    assert _one(a, b) == pytest.approx(400.0 / math.sqrt(2.0), abs=2e-3)
    assert _one(a, b, time_s=15.0) == pytest.approx(250.0 / math.sqrt(2.0), abs=2e-3)


def test_heights_limit_when_the_distance_counts() -> None:
    # Head-on, each at 10 m/s; a climbs 1 m/s through 0 at t=0, b is level: |z| < 20 only within 20 s of t=0.
    a = _flat([(-100, -1500, 0, -100), (100, 500, 0, 100)])
    b = _flat([(-100, 1500, 0, 0), (100, -500, 0, 0)])
    # They are 1000 - 20 t apart at t; at t = 20: 600 m.
    assert _one(a, b) == pytest.approx(0.0, abs=1e-3)
    assert _one(a, b, vertical_m=20.0) == pytest.approx(600.0, abs=1e-2)
    assert _one(a, _flat([(-100, 1500, 0, 121), (100, -500, 0, 121)]), vertical_m=20.0) == math.inf


def test_parallel_tracks_never_together_in_time() -> None:
    a = _flat([(0, 0, 0, 0), (60, 600, 0, 0)])
    b = _flat([(61, 0, 5, 0), (120, 600, 5, 0)])
    assert _one(a, b) == math.inf
    b = _flat([(60, 600, 5, 0), (120, 1200, 5, 0)])
    assert _one(a, b) == pytest.approx(5.0, abs=1e-4)


@given(place_=places, scale=scales, seed=st.integers(0, 2**32 - 1))
@SETTINGS
def test_never_more_than_dense_sampling_and_never_much_less(place_, scale, seed: int) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    a, b = (shape_of(track) for track in encounter(rng, place_, scale))
    start = max(a.time_s[0, 0], b.time_s[0, 0])
    end = min(a.time_s[-1, 1], b.time_s[-1, 1])
    times = np.linspace(start, end, 4_001)
    horizontal, vertical = separation_at(a, b, times)
    for limit in (None, scale.vertical_m - MILLIMETRE):
        chosen = horizontal[vertical < limit] if limit is not None else horizontal
        sampled = chosen.min() if chosen.size else math.inf
        found = float(closest([a, b], [(0, 1)], vertical_m=limit)[0])
        assert found <= sampled + 1e-5
        step = 600.0 * (end - start) / 4_000  # neither is faster than 300 m/s
        if math.isfinite(sampled):
            assert found >= sampled - step - 1e-6
        else:
            assert found == math.inf or end - start < 1.0 or vertical.min() < limit + 0.1 * limit


@given(place_=places, seed=st.integers(0, 2**32 - 1))
@SETTINGS
def test_footprints_against_points_on_their_edges(place_, seed: int) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    shape = footprint(rng, place_, 3_000.0)
    start = moved(place_.lon, place_.lat, rng.uniform(0, 360), rng.uniform(0, 9_000))
    end = moved(*start[:2], rng.uniform(0, 360), rng.uniform(0, 6_000))
    track = Track(
        np.array([EPOCH_S, EPOCH_S + 100]), np.array([start[0], end[0]]), np.array([start[1], end[1]]), np.zeros(2)
    )
    a, b = shape_of(track), shape_of(volume(shape))
    found = float(closest([a, b], [(0, 1)], vertical_m=None)[0])
    sampled, _ = separation_at(a, b, np.linspace(EPOCH_S, EPOCH_S + 100, 301))
    assert found <= sampled.min() + 1e-6
    assert found >= sampled.min() - 6_000 / 300 or b.area is None
    if isinstance(shape, Polygon):
        # Every edge of the polygon sampled by hand.
        n = len(b.pieces.lon)
        k = np.repeat(np.arange(n), 400)
        edge = place(b.pieces, k, np.tile(np.linspace(0, 1, 400), n))
        at = place(a.pieces, np.zeros(60, dtype=int), np.linspace(0, 1, 60))
        least = min(distance_m((np.full(len(k), x), np.full(len(k), y)), edge).min() for x, y in zip(*at, strict=True))
        assert found <= least + 1e-6


def test_inside_outside_and_in_the_hole() -> None:
    rings = (ring(5.0, 50.0, np.full(4, 10_000.0)), ring(5.0, 50.0, np.full(4, 3_000.0)))
    shape = shape_of(volume(Polygon(rings)))
    at = [moved(5.0, 50.0, 45.0, r)[:2] for r in (0.0, 4_000.0, 20_000.0)]
    tracks = [
        shape_of(Track(np.array([EPOCH_S]), np.array([lon]), np.array([lat]), np.array([100.0]))) for lon, lat in at
    ]
    found = closest([*tracks, shape], [(0, 3), (1, 3), (2, 3)], vertical_m=None)
    assert found[1] == 0.0
    # The sides of a square are at cos(45 degrees) of its corners, which here are to the north, east, south and west.
    assert found[0] == pytest.approx(3_000.0 * math.cos(math.pi / 4), rel=2e-3)
    assert found[2] == pytest.approx(20_000.0 - 10_000.0 * math.cos(math.pi / 4), rel=2e-3)


def test_round_a_pole() -> None:
    ring_ = np.array([[float(lon), 80.0] for lon in [*range(-180, 180, 30), -180]])
    shape = shape_of(volume(Polygon((ring_,))))
    for lon, lat, expected in ((0.0, 90.0, 0.0), (77.0, 89.0, 0.0), (-179.0, 81.0, 0.0)):
        there = shape_of(Track(np.array([EPOCH_S]), np.array([lon]), np.array([lat]), np.array([100.0])))
        assert float(closest([there, shape], [(0, 1)], vertical_m=None)[0]) == expected
    outside = shape_of(Track(np.array([EPOCH_S]), np.array([15.0]), np.array([79.0]), np.array([100.0])))
    along = GEOD.inv(15.0, 79.0, 15.0, 80.0)[2]
    assert float(closest([outside, shape], [(0, 1)], vertical_m=None)[0]) == pytest.approx(along, abs=1e-3)


def test_edges_in_degrees_are_not_geodesics() -> None:
    line = np.array([[0.0, 60.0], [20.0, 60.0]])
    top = GEOD.inv(10.0, 60.0, 10.0, 61.0)[2]
    there = Track(np.array([EPOCH_S]), np.array([10.0]), np.array([61.0]), np.array([100.0]))
    assert _one(there, volume(Corridor(line, 0.0, Edges.LONLAT))) == pytest.approx(top, abs=1e-3)
    assert _one(there, volume(Corridor(line, 0.0, Edges.GEODESIC))) < top - 30_000.0


def test_circles_and_corridors_have_widths() -> None:
    circle = volume(Circle(0.0, 0.0, 1_000.0))
    corridor = volume(Corridor(np.array([[0.0, 0.0], [1.0, 0.0]]), 500.0))
    off = moved(0.5, 0.0, 0.0, 3_000.0)
    there = Track(np.array([EPOCH_S]), np.array([off[0]]), np.array([off[1]]), np.array([100.0]))
    assert _one(there, corridor) == pytest.approx(2_500.0, abs=1e-3)
    assert _one(there, circle) == pytest.approx(GEOD.inv(0.0, 0.0, *off[:2])[2] - 1_000.0, abs=1e-6)
    assert _one(circle, corridor) == -1_500.0


def test_every_place_is_used() -> None:
    assert {abs(place_.lat) == 90.0 for place_ in PLACES} == {True, False}
    assert any(abs(place_.lon) > 179.0 for place_ in PLACES)
