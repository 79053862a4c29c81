"""How far plans and tracks are out of a band, held against many places looked at one by one."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.agreements.borders import Border, Side, on_surface
from keepclear.agreements.excess import (
    BEYOND,
    GAP,
    ROUGH,
    Standing,
    excess_of_plan,
    excess_of_track,
    excess_of_volume,
)
from keepclear.agreements.terms.fields import band, corridor, strip
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Polygon
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation

GEOD = Geod(ellps="WGS84")
LINE = np.array(
    [
        (40.055, 36.845), (40.652, 37.082), (40.93, 37.117), (41.215, 37.065), (41.84, 37.13), (42.20, 37.30),
        (42.355, 37.110),
    ]
)  # fmt: skip
BORDER = Border(LINE)
BAND = band(BORDER, Side.RIGHT, 0.0, 10_000.0)
RANK = {Standing.WITHIN: 0, Standing.MAYBE: 1, Standing.OUT: 2}


def _beside(share, depth_m):
    """A place so deep beside the line, about: measured from one of its edges alone."""
    at = share * (len(LINE) - 1)
    row = min(int(at), len(LINE) - 2)
    a, b = LINE[row], LINE[row + 1]
    lon, lat = a + (at - row) * (b - a)
    azimuth = GEOD.inv(*a, *b)[0]
    x, y, _ = GEOD.fwd(lon, lat, azimuth + 90.0, depth_m)
    return x, y


# Enough places south of the border and north of it, some beyond its ends, at depths near both edges of the band.
SPOTS = st.tuples(st.floats(40.0, 42.5), st.floats(36.7, 37.4))
NEAR = st.builds(
    _beside,
    st.floats(0.02, 0.98),
    st.sampled_from([-500.0, -25.0, 25.0, 9_975.0]) | st.floats(-2e3, 12e3),
)


def track_of(positions, *, uncertainty=0.0, basis=TrackBasis.PLANNED, step_s=600.0, **more):
    lonlat = np.array(positions, dtype=float).reshape(-1, 2)
    times = 1.5e9 + step_s * np.arange(len(lonlat))
    nan = np.full(len(lonlat), math.nan)
    return Track(times, lonlat[:, 0], lonlat[:, 1], nan, basis=basis, uncertainty_m=uncertainty, **more)


def dense(positions):
    """Every 20 m or so along the shortest paths between positions."""
    found = [tuple(positions[0])]
    for a, b in pairwise(positions):
        count = int(GEOD.inv(*a, *b)[2] / 20.0) + 1
        found += GEOD.npts(*a, *b, count, terminus_idx=0)
    return on_surface(np.array(found))


@settings(max_examples=60, deadline=None)
@given(positions=st.lists(SPOTS | NEAR, min_size=1, max_size=4), uncertainty=st.sampled_from([0.0, 5.0, 200.0, 3000.0]))
def test_a_track_is_within_only_if_all_of_it_is_and_out_only_if_some_of_it_is(positions, uncertainty):
    found = excess_of_track(track_of(positions, uncertainty=uncertainty), BAND)
    excess, slack = BAND(dense(positions))
    if (slack < 0.0).any():
        assert found.standing is not Standing.WITHIN
        known = excess[slack >= 0.0]
    else:
        known = excess
    if len(known) and known.max() > 20.0 + uncertainty:
        assert found.standing is Standing.OUT
        assert found.most_m >= known.max() - 20.0 - 0.01 * known.max()
    if len(known) == len(excess) and excess.max() < -20.0 - uncertainty and slack.min() > 200.0:
        assert found.standing is Standing.WITHIN
    if len(known) == 0 or known.max() < uncertainty - 20.0:
        assert found.standing is not Standing.OUT


@settings(max_examples=40, deadline=None)
@given(
    centre=NEAR,
    size=st.floats(0.0005, 0.2),
    turn=st.floats(0, 6.28),
    sides=st.integers(3, 7),
    uncertainty=st.sampled_from([0.0, 500.0]),
)
def test_an_area_is_within_only_if_all_of_it_is(centre, size, turn, sides, uncertainty):
    import shapely

    angles = turn + np.linspace(0.0, 2.0 * math.pi, sides + 1)
    ring = np.column_stack((centre[0] + size * np.cos(angles), centre[1] + 0.8 * size * np.sin(angles)))
    ring[-1] = ring[0]
    volume = Volume(Polygon((ring,)), uncertainty_m=uncertainty)
    found = excess_of_volume(volume, BAND)
    random = np.random.default_rng(7)
    places = shapely.points(random.uniform(ring.min(axis=0), ring.max(axis=0), (4000, 2)))
    inside = shapely.get_coordinates(places[shapely.contains(shapely.Polygon(ring), places)])
    excess, slack = BAND(on_surface(np.vstack((inside, ring))))
    known = excess[slack >= 0.0]
    assume(len(known))
    if (slack < 0.0).any():
        assert found.standing is not Standing.WITHIN
    if known.max() > 20.0 + uncertainty:
        assert found.standing is Standing.OUT
        assert found.most_m >= known.max() - 20.0 - 0.01 * known.max()
    if found.standing is Standing.OUT:
        # 4,000 places leave gaps of a few hundredths of its size between them.
        assert known.max() > uncertainty - 0.1 * size * 111_000.0


@settings(max_examples=60, deadline=None)
@given(
    positions=st.lists(NEAR, min_size=1, max_size=4),
    doubts=st.lists(st.sampled_from([0.0, 3.0, 30.0, 300.0, 3000.0, 30_000.0]), min_size=2, max_size=2).map(sorted),
    as_area=st.booleans(),
)
def test_less_certainty_never_makes_anything_within(positions, doubts, as_area):
    def standing(doubt):
        if as_area:
            volume = Volume(Corridor(np.array(positions), 100.0), uncertainty_m=doubt)
            return RANK[excess_of_volume(volume, BAND).standing]
        return RANK[excess_of_track(track_of(positions, uncertainty=doubt), BAND).standing]

    before, after = standing(doubts[0]), standing(doubts[1])
    if before > 0:
        assert after > 0


@pytest.mark.parametrize(
    ("depth", "standing"), [(9_970.0, "within"), (10_030.0, "out"), (-30.0, "out"), (30.0, "within")]
)
@pytest.mark.parametrize("shape", ["point", "path", "circle", "polygon"])
def test_the_edges_of_the_band_are_where_they_are_for_every_shape(depth, standing, shape):
    border = Border(np.array([(40.0, 37.0), (42.0, 37.0)]))
    lon, lat, _ = GEOD.fwd(41.0, 37.0 + 0.00423, 180.0, depth)  # what the parallel is off a shortest path is small here
    shift = border.depths(on_surface(np.array([[lon, lat]])))[0][0] + depth
    lon, lat, _ = GEOD.fwd(lon, lat, 180.0, shift)
    field = band(border, Side.RIGHT, 0.0, 10_000.0)
    tiny = 1e-5
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=float) * tiny + (lon, lat)
    shapes = {
        "circle": Circle(lon, lat, 5.0),
        "polygon": Polygon((square,)),
        "point": Circle(lon, lat, 0.0),
        "path": Corridor(np.array([(lon, lat), (lon + tiny, lat)]), 0.0),
    }
    assert excess_of_volume(Volume(shapes[shape]), field).standing.value == standing


def test_what_is_deepest_between_two_positions_is_found():
    # Both ends are on the border; the shortest path between them bulges away from the parallel, so its middle is north.
    border = Border(np.array([(0.0, 60.0), (20.0, 60.0)]))
    track = track_of([(5.0, 60.0), (15.0, 60.0)])
    found = excess_of_track(track, band(border, Side.LEFT, 0.0, 5_000.0))
    assert found.standing is Standing.OUT
    middle = np.array(GEOD.npts(5.0, 60.0, 15.0, 60.0, 1))
    assert found.most_m == pytest.approx(border.depths(on_surface(middle))[0][0] - 5_000.0, rel=0.01)


def test_the_deepest_place_of_an_area_is_found_even_inside_it():
    # Within a bay of the border the deepest place is in the middle of the area, not on its outline.
    bay = Border(np.array([(40.0, 37.0), (40.0, 37.4), (40.5, 37.4), (40.5, 37.0), (40.0, 37.0)]))
    ring = np.array([(40.05, 37.05), (40.45, 37.05), (40.45, 37.35), (40.05, 37.35), (40.05, 37.05)])
    middle = abs(bay.depths(on_surface(np.array([(40.25, 37.2)])))[0][0])
    found = excess_of_volume(Volume(Polygon((ring,))), band(bay, Side.RIGHT, 0.0, 20_000.0))
    assert found.standing is Standing.OUT
    assert found.most_m == pytest.approx(middle - 20_000.0, rel=0.02)


def test_only_what_is_in_the_window_counts_slip_included():
    out_at_first = track_of([(41.0, 36.9), (41.0, 37.05), (41.05, 37.05)])
    assert excess_of_track(out_at_first, BAND).standing is Standing.OUT
    start = float(out_at_first.time_s[0])
    assert excess_of_track(out_at_first, BAND, (start + 590.0, None)).standing is Standing.WITHIN
    late = track_of([(41.0, 36.9), (41.0, 37.05), (41.05, 37.05)], late_s=600.0)
    assert excess_of_track(late, BAND, (start + 590.0, None)).standing is Standing.OUT
    assert excess_of_track(out_at_first, BAND, (None, start - 10.0)) is None
    found = excess_of_track(out_at_first, BAND)
    assert found.spans[0][0] == start
    assert start + 100.0 < found.spans[-1][1] < start + 500.0


def test_a_gap_in_a_flown_track_may_hide_what_it_leaves_room_for():
    positions = [(41.0, 37.03), (41.0, 37.031)]
    field = BAND
    for gap, speed, standing in (
        (60.0, 45.0, Standing.MAYBE),
        (60.0, 5.0, Standing.WITHIN),
        (900.0, 45.0, Standing.WITHIN),
    ):
        track = track_of(positions, basis=TrackBasis.FLOWN)
        found = excess_of_track(track, field, gap_s=gap, top_speed_m_s=speed)
        assert found.standing is standing
        if standing is Standing.MAYBE:
            assert found.because == (GAP,)
    planned = track_of(positions)
    assert excess_of_track(planned, field, gap_s=60.0).standing is Standing.WITHIN


def test_beyond_the_end_of_the_line_nothing_is_certain_and_it_says_so():
    found = excess_of_track(track_of([(40.1, 36.84), (40.0, 36.80)]), BAND)
    assert found.standing is Standing.MAYBE
    assert found.because == (BEYOND,)
    volume = Volume(Circle(40.0, 36.80, 1000.0))
    assert excess_of_volume(volume, BAND).because == (BEYOND,)


def test_a_rough_plan_is_never_out_for_certain():
    volume = Volume(Circle(41.0, 36.8, 1000.0))
    plan = Operation("RU", "P1", OperationKind.PATROL, (volume,))
    assert excess_of_plan(plan, BAND).standing is Standing.OUT
    rough = excess_of_plan(plan, BAND, rough=True)
    assert (rough.standing, rough.because) == (Standing.MAYBE, (ROUGH,))


def test_corridors_have_half_widths_and_end_where_their_axis_ends():
    axis = Border(np.array([(36.0, 35.8), (36.8, 35.8)]))
    field = corridor(axis, 6_000.0, 2_000.0)

    def standing(lon, lat, which=field):
        return excess_of_volume(Volume(Circle(lon, lat, 0.0)), which).standing

    assert standing(36.4, 35.85) is Standing.WITHIN
    assert standing(36.4, 35.86) is Standing.OUT
    assert standing(36.4, 35.785) is Standing.WITHIN
    assert standing(36.4, 35.775) is Standing.OUT
    assert standing(36.82, 35.8) is Standing.MAYBE
    assert standing(36.9, 35.8) is Standing.OUT
    outside = corridor(axis, 6_000.0, 2_000.0, keep_out=True)
    assert standing(36.4, 35.85, outside) is Standing.OUT
    assert standing(36.9, 35.8, outside) is Standing.WITHIN


def test_a_strip_on_one_side_does_not_bind_the_other():
    border = Border(np.array([(40.0, 37.0), (42.0, 37.0)]))

    def standing(lat, side, lon=41.0):
        return excess_of_volume(Volume(Circle(lon, lat, 0.0)), strip(border, side, 10_000.0)).standing

    assert standing(36.95, Side.RIGHT) is Standing.OUT
    assert standing(37.05, Side.RIGHT) is Standing.WITHIN
    assert standing(37.05, None) is Standing.OUT
    assert standing(36.85, None) is Standing.WITHIN
    assert standing(37.0, Side.RIGHT, lon=42.05) is Standing.MAYBE  # beyond the end, and near enough to matter
    assert standing(37.0, Side.RIGHT, lon=42.5) is Standing.WITHIN


@pytest.mark.parametrize(
    "shape",
    [
        Polygon((np.array([(0.0, 80.0), (90.0, 80.0), (180.0, 80.0), (-90.0, 80.0), (0.0, 80.0)]),)),
        Polygon((np.array([(-170.0, -60.0), (170.0, -60.0), (170.0, 60.0), (-170.0, 60.0), (-170.0, -60.0)]),)),
        Circle(0.0, 0.0, 9e6),
        Corridor(np.array([(-170.0, 10.0), (170.0, 10.0), (0.0, -80.0)]), 1e6),
        Corridor(np.array([(0.0, 0.0)]), 1000.0),
    ],
)
def test_huge_and_odd_shapes_are_judged_too(shape):
    found = excess_of_volume(Volume(shape), BAND)
    assert found.standing is not Standing.WITHIN
