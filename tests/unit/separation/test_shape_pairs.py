"""Two standing shapes: how far apart, and whether they overlap at all."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from pyproj import Geod

from keepclear.geo.ellipsoid import surface_lonlat, surface_point
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint, Polygon
from keepclear.separation.shape_pairs import overlap_by_more, shape_distances
from keepclear.separation.shapes import Shape, compile_shape, pack
from tests.reference.made import HOME, at, square
from tests.reference.shapes import Area
from tests.reference.worlds import moved, ring

GEOD = Geod(ellps="WGS84")


def shape_of(footprint: Footprint) -> Shape:
    return compile_shape(Volume(footprint), owner=0, is_zone=True, on_ground=False, horizontal_m=0.0)


def area(*rings: np.ndarray) -> Shape:
    return shape_of(Polygon(rings, Edges.GEODESIC))


def apart(first: Shape, second: Shape, enough: float = 1e6) -> np.ndarray:
    p = pack([first, second])
    pair = np.array([[0, 1]])
    there, back = (
        shape_distances(
            which, p.edges, p.edge_first, p.blocks, p.block_first, p.rings, p.ring_first, p.shape_ring_first,
            np.array([enough]),
        )[0]
        for which in (pair, pair[:, ::-1].copy())
    )  # fmt: skip
    assert there[0] == pytest.approx(back[0], abs=1e-6)
    return there


def test_squares_beside_each_other() -> None:
    found = apart(area(square(1000.0)), area(square(1000.0, 3000.0)))
    assert found[0] == pytest.approx(1000.0, abs=0.6)  # their corners lie round a centre on a curved Earth
    assert math.dist(found[1:4], found[4:7]) == pytest.approx(found[0], abs=1e-6)


def test_beyond_enough_nothing_is_known() -> None:
    assert apart(area(square(1000.0)), area(square(1000.0, 3000.0)), enough=900.0)[0] == math.inf


def test_shapes_that_overlap_cross_or_hold_each_other_are_not_apart() -> None:
    for other in (area(square(1000.0, 1500.0)), area(square(100.0)), area(square(9000.0))):
        found = apart(area(square(1000.0)), other)
        assert found[0] == 0.0
        assert math.dist(found[1:4], found[4:7]) < 1e-3
    line = shape_of(Corridor(np.array([at(-5000.0, 10.0), at(5000.0, -20.0)]), 0.0, Edges.GEODESIC))
    assert apart(area(square(1000.0)), line)[0] == pytest.approx(0.0, abs=1e-4)


def test_in_a_hole_the_border_of_the_hole_is_what_is_near() -> None:
    found = apart(area(square(5000.0), square(1000.0)), area(square(100.0)))
    assert found[0] == pytest.approx(900.0, abs=0.1)


@pytest.mark.parametrize("place", [HOME, (179.999, -16.8), (10.0, 89.9)])
def test_two_circles_are_as_far_apart_as_their_centres(place: tuple[float, float]) -> None:
    other = moved(*place, 77.0, 1234.5)[:2]
    found = apart(shape_of(Circle(*place, 10.0)), shape_of(Circle(*other, 10.0)))
    assert found[0] == pytest.approx(1234.5, abs=1e-4)


def test_the_distance_of_two_stars_is_below_that_of_any_two_of_their_places() -> None:
    rng = np.random.default_rng(30)
    for _ in range(3):
        corners = [ring(*at(4000.0 * k, 0.0), rng.uniform(500.0, 1900.0, 6)) for k in range(2)]
        found = apart(*(area(one) for one in corners))
        borders = []
        for one in corners:
            places = [GEOD.npts(*a, *b, 20, initial_idx=0) for a, b in itertools.pairwise(one)]
            borders.append(np.array([surface_point(*p) for part in places for p in part]))
        sampled = np.linalg.norm(borders[0][:, None] - borders[1][None], axis=2).min()
        assert 0.0 < found[0] <= sampled + 0.01
        assert found[0] > sampled - 150.0
        assert math.dist(found[1:4], found[4:7]) == pytest.approx(found[0], abs=1e-6)


@pytest.mark.parametrize("place", [HOME, (179.999, -16.8), (10.0, 89.99), (0.0, -90.0)])
def test_an_overlap_is_shown_by_a_place_in_both(place: tuple[float, float]) -> None:
    other = moved(*place, 30.0, 1500.0)[:2]
    first, second = (Polygon((ring(*centre, np.full(5, 1000.0)),), Edges.GEODESIC) for centre in (place, other))
    found = overlap_by_more(shape_of(first), shape_of(second))
    assert found is not None
    for one in (first, second):
        assert Area.of(one).contains(*np.array([found]).T).all()


def test_touching_and_a_millimetre_are_no_overlap_but_a_centimetre_is() -> None:
    # Both have the meridian of home, or one a little west of it, as their border.
    west = np.array([[40.99, 36.99], [41.0, 36.99], [41.0, 37.01], [40.99, 37.01], [40.99, 36.99]])
    for off_m, overlaps in ((0.0, False), (0.0008, False), (0.01, True), (5.0, True), (-5.0, False)):
        east = west.copy()
        lon = 41.0 - off_m / (math.cos(math.radians(37.0)) * 111_320.0)
        east[:, 0] = [lon, 41.01, 41.01, lon, lon]
        for edges in Edges:
            found = overlap_by_more(shape_of(Polygon((west,), edges)), shape_of(Polygon((east,), edges)))
            assert (found is not None) is overlaps


def test_what_lies_in_a_hole_does_not_overlap() -> None:
    frame = area(square(5000.0), square(1000.0))
    assert overlap_by_more(frame, area(square(900.0))) is None
    assert overlap_by_more(frame, area(square(1100.0))) is not None
    assert overlap_by_more(area(square(900.0)), area(square(5000.0))) is not None


def test_an_overlap_with_the_greater_part_of_the_earth() -> None:
    # A step of more than half a turn takes the short way: so by corners at every quarter.
    lons = [-160.0, -80.0, 0.0, 80.0, 160.0]
    wide = np.array([*((lon, -80.0) for lon in lons), *((lon, 80.0) for lon in reversed(lons))])
    shape = shape_of(Polygon((np.vstack((wide, wide[:1])),)))
    found = overlap_by_more(shape, area(square(1000.0)))
    assert found is not None
    assert GEOD.inv(*found, *HOME)[2] < 1500.0
    pacific = Polygon((ring(180.0, 0.0, np.full(5, 1000.0)),), Edges.GEODESIC)
    assert overlap_by_more(shape, shape_of(pacific)) is None


def test_the_places_of_a_distance_are_on_the_surface() -> None:
    found = apart(area(square(1000.0)), area(square(1000.0, 3000.0)))
    for place in (found[1:4], found[4:7]):
        lon, lat = surface_lonlat(*place.tolist())
        assert math.dist(place, surface_point(lon, lat)) < 0.001
