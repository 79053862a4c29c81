"""Depths from borders against PROJ's geodesics to points every few metres of the line: another way to the same."""

from itertools import pairwise

import numpy as np
import pytest
from pyproj import Geod

from keepclear.agreements.borders import EXACT_M, Border, Region, Side, on_surface, side_named
from keepclear.errors import InputError
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon

GEOD = Geod(ellps="WGS84")
SYRIA = [
    (40.055, 36.845), (40.652, 37.082), (40.93, 37.117), (41.215, 37.065), (41.84, 37.13), (42.20, 37.30),
    (42.355, 37.110),
]  # fmt: skip
LINES = {
    "Syria": (SYRIA, Edges.LONLAT),
    "a parallel, as GeoJSON draws it": ([(5.0, 50.0), (25.0, 50.0)], Edges.LONLAT),
    "a shortest path": ([(5.0, 50.0), (25.0, 50.0)], Edges.GEODESIC),
    "across the antimeridian": ([(178.5, -17.0), (-179.0, -18.0), (-178.0, -16.0)], Edges.LONLAT),
    "near the north pole": ([(0.0, 88.0), (90.0, 89.0), (180.0, 88.5)], Edges.GEODESIC),
    "near the south pole": ([(-60.0, -89.0), (60.0, -88.0)], Edges.GEODESIC),
    "sharp corners": ([(10.0, 10.0), (10.5, 10.0), (10.05, 10.05), (10.4, 10.3)], Edges.LONLAT),
    "along the equator": ([(100.0, 0.0), (101.0, 0.0)], Edges.LONLAT),
    "a meridian": ([(30.0, -1.0), (30.0, 1.0)], Edges.GEODESIC),
}


def reference_m(positions, edges, lon, lat):
    """Least geodesic distance to points along the line: every 1,000 m, then every metre round the nearest."""
    best = np.inf
    for (lon0, lat0), (lon1, lat1) in pairwise(positions):
        if edges is Edges.LONLAT and abs(lon1 - lon0) > 180.0:
            lon1 += 360.0 * np.sign(lon0 - lon1)  # noqa: PLW2901 - the short way
        azimuth, _, length = GEOD.inv(lon0, lat0, lon1, lat1)

        def place(share):
            if edges is Edges.LONLAT:
                return lon0 + share * (lon1 - lon0), lat0 + share * (lat1 - lat0)  # noqa: B023 - called at once
            n = len(share)
            ahead = GEOD.fwd(np.full(n, lon0), np.full(n, lat0), np.full(n, azimuth), share * length)  # noqa: B023
            return ahead[0], ahead[1]

        low, high = 0.0, 1.0
        for count in (max(50, int(length / 1000.0)), 200, 200, 200):
            share = np.linspace(low, high, count + 1)
            x, y = place(share)
            far = GEOD.inv(np.full(count + 1, lon), np.full(count + 1, lat), x, y)[2]
            at, step = int(np.argmin(far)), (high - low) / count
            low, high = max(0.0, share[at] - step), min(1.0, share[at] + step)
            best = min(best, float(far.min()))
    return best


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("most_m", [3_000.0, 40_000.0, 300_000.0, 1_000_000.0])
def test_distances_from_a_line_are_those_of_the_geodesics_to_it(name, most_m):
    positions, edges = LINES[name]
    border = Border(np.array(positions), edges)
    random = np.random.default_rng(len(name))
    for _ in range(25):
        row = random.integers(len(positions) - 1)
        start = positions[row]
        lon, lat, _ = GEOD.fwd(*start, random.uniform(0, 360), random.uniform(0, most_m))
        depth, _ = border.depths(on_surface(np.array([[lon, lat]])))
        assert abs(depth[0]) == pytest.approx(reference_m(positions, edges, lon, lat), abs=EXACT_M / 2.0), (lon, lat)


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("distance_m", [30.0, 10_000.0, 40_000.0])
def test_a_point_put_beside_the_middle_of_an_edge_is_on_that_side_and_so_deep(name, distance_m):
    positions, edges = LINES[name]
    if name == "sharp corners" and distance_m > 100.0:
        positions = positions[:2]
    border = Border(np.array(positions), edges)
    line = border.line
    row = len(line) // 2 - 1
    azimuth, _, length = GEOD.inv(*line[row], *line[row + 1])
    middle = GEOD.fwd(*line[row], azimuth, length / 2.0)
    for turn, sign in ((-90.0, 1.0), (90.0, -1.0)):
        back = GEOD.inv(*middle[:2], *line[row + 1])[0]
        lon, lat, _ = GEOD.fwd(*middle[:2], back + turn, distance_m)
        depth, slack = border.depths(on_surface(np.array([[lon, lat]])))
        assert np.sign(depth[0]) == sign
        assert slack[0] >= 0.0
        if name != "Syria":  # where the line bends, another part of it can be nearer
            assert abs(depth[0]) == pytest.approx(distance_m, abs=EXACT_M)


def test_beyond_the_ends_there_is_no_side_and_beside_them_there_is():
    border = Border(np.array([(40.0, 37.0), (41.0, 37.0)]))
    beyond = on_surface(np.array([(39.5, 36.9), (41.2, 37.2), (39.0, 37.0), (41.00005, 37.0)]))
    assert (border.depths(beyond)[1] == -1.0).all()
    beside = on_surface(np.array([(40.01, 36.9), (40.99, 37.1), (40.5, 37.0), (40.0, 37.0)]))
    assert (border.depths(beside)[1] >= 0.0).all()


def test_beside_a_sharp_corner_the_outside_is_the_outside():
    # The tip points east: beyond it everything is on the right, though each edge alone says otherwise of half of it.
    border = Border(np.array([(10.0, 0.0), (10.5, 0.0), (10.0, 0.1)]))
    beyond_the_tip = on_surface(np.array([(10.6, 0.1), (10.6, 0.0), (10.6, -0.1), (10.51, 0.01), (10.51, -0.01)]))
    depth, slack = border.depths(beyond_the_tip)
    assert (depth < 0.0).all()
    assert (slack > 0.0).all()
    assert border.depths(on_surface(np.array([(10.3, 0.02)])))[0][0] > 0.0


def test_a_closed_line_has_no_ends():
    ring = np.array([(40.0, 37.0), (41.0, 37.0), (41.0, 38.0), (40.0, 37.0)])
    depth, slack = Border(ring).depths(on_surface(np.array([(40.7, 37.3), (39.9, 36.9), (41.1, 38.1)])))
    assert np.isinf(slack).all()
    assert depth[0] > 0.0
    assert (depth[1:] < 0.0).all()


def test_sides_are_named_by_the_compass_only_where_the_line_does_not_run_that_way():
    line = np.array(SYRIA)
    assert side_named(line, "south") is Side.RIGHT
    assert side_named(line, "North") is Side.LEFT
    assert side_named(line[::-1], "south") is Side.LEFT
    assert side_named(line, "left") is Side.LEFT
    for wrong in ("east", "west", "up", ""):
        with pytest.raises(InputError):
            side_named(line, wrong)
    with pytest.raises(InputError, match="closed line"):
        side_named(np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)]), "south")


@pytest.mark.parametrize(
    ("footprint", "inside", "outside"),
    [
        (Circle(41.22, 37.05, 5000.0), [(41.22, 37.05), (41.25, 37.06)], [(41.30, 37.05), (41.22, 37.10)]),
        (
            Polygon((np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0)]),)),
            [(1.0, 1.0), (0.01, 0.01)],
            [(2.1, 1.0), (-0.1, 1.0)],
        ),
        (
            Polygon(
                (
                    np.array([(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0), (0.0, 0.0)]),
                    np.array([(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5), (0.5, 0.5)]),
                )
            ),
            [(0.2, 1.0), (1.8, 1.8)],
            [(1.0, 1.0), (2.1, 1.0)],
        ),
        (
            Polygon((np.array([(0.0, 80.0), (90.0, 80.0), (180.0, 80.0), (-90.0, 80.0), (0.0, 80.0)]),)),
            [(12.0, 90.0), (45.0, 85.0)],
            [(45.0, 79.0)],
        ),
        (
            Polygon((np.array([(179.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (179.0, 1.0), (179.0, 0.0)]),)),
            [(180.0, 0.5), (-179.5, 0.5)],
            [(178.5, 0.5), (0.0, 0.5)],
        ),
        (Corridor(np.array([(10.0, 50.0), (11.0, 50.0)]), 6000.0), [(10.5, 50.05), (9.95, 50.0)], [(10.5, 50.06)]),
        (Corridor(np.array([(10.0, 50.0)]), 6000.0), [(10.0, 50.05)], [(10.0, 50.06)]),
    ],
)
def test_a_region_knows_its_inside(footprint, inside, outside):
    region = Region((footprint,))
    assert (region.outside(on_surface(np.array(inside))) < 0.0).all()
    assert (region.outside(on_surface(np.array(outside))) > 0.0).all()


def test_how_far_outside_is_the_geodesic_distance():
    region = Region((Circle(10.0, 50.0, 5000.0), Circle(20.0, 50.0, 5000.0)))
    lon, lat, _ = GEOD.fwd(10.0, 50.0, 33.0, 25_000.0)
    assert region.outside(on_surface(np.array([[lon, lat]])))[0] == pytest.approx(20_000.0, abs=1.0)


def test_a_line_that_winds_round_its_own_end_has_no_sides():
    turns = np.arange(14)
    steps = 0.02 * (1.0 - 0.055 * turns)
    spiral = np.column_stack(
        (41.0 + np.cumsum(steps * np.cos(0.9 * turns) / 0.8), 37.0 + np.cumsum(steps * np.sin(0.9 * turns)))
    )
    hook = np.array([[41.0, 37.0], [41.5, 37.0], [41.5, 37.1], [41.4, 37.1], [41.4, 37.05]])
    for line in (spiral, hook):
        assert Border(line).winds
        assert (Border(line).depths(on_surface(np.array([[41.0, 37.01]])))[1] == -1.0).all()


def test_lines_that_only_turn_have_their_sides():
    zigzag = np.array([[41.0 + 0.05 * n, 37.0 + 0.2 * (n % 2)] for n in range(20)])
    back = np.array([[41.0, 37.0], [41.5, 37.0], [41.5, 37.1], [41.0, 37.1], [41.0, 37.2], [41.5, 37.2]])
    bow = np.column_stack(
        [41.0 + 0.1 * np.cos(np.linspace(0.2, 6.0, 40)), 37.0 + 0.08 * np.sin(np.linspace(0.2, 6.0, 40))]
    )
    for line in (zigzag, back, bow, back - [221.3, 0.0]):
        assert not Border(line).winds
