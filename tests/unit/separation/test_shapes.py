"""Volumes as shapes: their edges, what is inside, and what they become in the middle of nowhere."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from pyproj import Geod

from keepclear.geo.ellipsoid import surface_lonlat, surface_point
from keepclear.geo.heights import AMSL, FL, GROUND_SPAN, NOTHING, W84
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.minima import RVSM_CEILING_M
from keepclear.separation.shapes import BLOCK, Shape, Shapes, compile_shape, compile_shapes, contains_point, pack
from tests.reference.made import HOME, square
from tests.reference.shapes import Area
from tests.reference.worlds import PLACES, moved, ring

GEOD = Geod(ellps="WGS84")


def shape_of(footprint: Footprint, *, is_zone: bool = True, on_ground: bool = False, **more: object) -> Shape:
    volume = Volume(footprint, **more)
    return compile_shape(volume, owner=0, is_zone=is_zone, on_ground=on_ground, horizontal_m=0.0)


@functools.cache
def packed_of(footprint: Footprint) -> Shapes:
    return pack([shape_of(footprint)])


def contains(footprint: Footprint, lon: float, lat: float) -> bool:
    packed = packed_of(footprint)
    place = surface_point(lon, lat)
    return bool(contains_point(packed.rings, packed.ring_first, 0, packed.shape_ring_first[1], *place))


def box(west: float, south: float, east: float, north: float) -> np.ndarray:
    return np.array([[west, south], [east, south], [east, north], [west, north], [west, south]])


@pytest.mark.parametrize("edges", Edges)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_what_is_inside_is_inside_in_a_plane_too(edges: Edges, place) -> None:
    if edges is Edges.LONLAT and abs(place.lat) > 85.0:
        # In degrees a star round a pole is another shape; rings round poles have tests of their own.
        place = PLACES[0]
    rng = np.random.default_rng(20)
    for _ in range(3):
        lon, lat, _ = moved(place.lon, place.lat, rng.uniform(0, 360), 300.0)
        corners = int(rng.integers(3, 8))
        rings = (ring(lon, lat, rng.uniform(400.0, 2000.0, corners), turn_deg=rng.uniform(0, 360)),)
        if corners >= 5:
            rings += (ring(lon, lat, np.full(4, 100.0)),)
        polygon = Polygon(rings, edges)
        area, packed = Area.of(polygon), pack([shape_of(polygon)])
        points = [moved(lon, lat, rng.uniform(0, 360), rng.uniform(0, 2200.0))[:2] for _ in range(80)]
        expected = area.contains(*np.array(points).T)
        found = [contains_point(packed.rings, packed.ring_first, 0, len(rings), *surface_point(*p)) for p in points]
        assert found == expected.tolist()
        assert any(found)
        assert not all(found)


@pytest.mark.parametrize("edges", Edges)
def test_across_the_antimeridian(edges: Edges) -> None:
    polygon = Polygon((box(179.0, -1.0, -179.0, 1.0),), edges)
    for lon, inside in ((180.0, True), (-180.0, True), (179.5, True), (-179.5, True), (0.0, False), (178.9, False)):
        assert contains(polygon, lon, 0.5) is inside


@pytest.mark.parametrize("edges", Edges)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_round_a_pole(edges: Edges, sign: float) -> None:
    line = np.array([[lon, sign * 80.0] for lon in (0.0, 90.0, 180.0, -90.0, 0.0)])
    polygon = Polygon((line,), edges)
    assert contains(polygon, 0.0, sign * 90.0)
    assert contains(polygon, 123.0, sign * 89.0)
    assert contains(polygon, -20.0, sign * 85.5)
    assert not contains(polygon, 123.0, sign * 79.0)
    assert not contains(polygon, 0.0, -sign * 90.0)
    # Half way between corners the parallel is inside of the shortest path's ring only from further north.
    assert contains(polygon, 45.0, sign * 81.0) is (edges is Edges.LONLAT)
    hole = np.array([[lon, sign * 88.0] for lon in (0.0, 90.0, 180.0, -90.0, 0.0)])
    with_hole = Polygon((line, hole), edges)
    assert not contains(with_hole, 0.0, sign * 90.0)
    assert contains(with_hole, 0.0, sign * 86.0)


def test_the_whole_band_of_longitudes_in_degrees() -> None:
    polygon = Polygon((box(-180.0, -10.0, 180.0, 10.0),), Edges.LONLAT)
    for lon in (-180.0, -90.0, 0.0, 90.0, 180.0):
        assert contains(polygon, lon, 9.0)
        assert not contains(polygon, lon, 11.0)


def test_a_place_in_a_hole_is_outside() -> None:
    polygon = Polygon((square(1000.0), square(500.0)))
    assert not contains(polygon, *HOME)
    assert contains(polygon, *moved(*HOME, 90.0, 750.0)[:2])
    assert not contains(polygon, *moved(*HOME, 90.0, 1100.0)[:2])


def test_lines_and_circles_have_no_inside_but_a_radius() -> None:
    line = shape_of(Corridor(np.array([[41.0, 37.0], [41.01, 37.0]]), 50.0))
    assert not line.has_inside
    assert (line.radius_m, line.reach_of_edge_m) == (50.0, 50.0)
    circle = shape_of(Circle(*HOME, 1_000_000.0))
    assert len(circle.edges) == 1
    assert circle.reach_of_edge_m == 1_000_000.0
    end = moved(*HOME, 45.0, 1_000_000.0)
    assert math.dist(surface_point(*HOME), surface_point(*end[:2])) == pytest.approx(
        circle.radius_m, abs=circle.bound_m + 1e-6
    )


@pytest.mark.parametrize("edges", Edges)
@pytest.mark.parametrize("ends", [(41.0, 37.0, 42.0, 38.0), (179.5, 60.0, -179.5, 61.0), (0.0, 0.0, 3.0, 0.1)])
def test_chords_are_within_their_bound_of_the_edges_that_were_meant(edges: Edges, ends: tuple[float, ...]) -> None:
    shape = shape_of(Corridor(np.array(ends).reshape(2, 2), 0.0, edges))
    # Sag is what a minimum of 0 may be off by at most, half a millimetre; sideways it is less.
    azimuth, _, length = GEOD.inv(*ends)
    turn = (ends[2] - ends[0] + 540.0) % 360.0 - 180.0
    for edge in shape.edges[:: max(1, len(shape.edges) // 40)]:
        x, y, z = (0.5 * (edge[:3] + edge[3:])).tolist()
        lon, lat = surface_lonlat(x, y, z)
        assert math.dist((x, y, z), surface_point(lon, lat)) < 0.0006
        if edges is Edges.LONLAT:
            f = (lat - ends[1]) / (ends[3] - ends[1])
            meant = (ends[0] + f * turn + 540.0) % 360.0 - 180.0, lat
        else:
            meant = GEOD.fwd(*ends[:2], azimuth, GEOD.inv(*ends[:2], lon, lat)[2])[:2]
        # At an equal latitude, so up to the cosine of the course more than sideways.
        assert GEOD.inv(lon, lat, *meant)[2] < 30.0 * shape.bound_m if turn > 2.0 else 2.0 * shape.bound_m
    assert length > 0.0


def test_blocks_hold_their_edges() -> None:
    shapes = [
        shape_of(Circle(*HOME, 5.0)),
        shape_of(Polygon((ring(*HOME, np.full(100, 5e4)),))),
        shape_of(Circle(0, 0, 1)),
    ]
    packed = pack(shapes)
    assert packed.edge_first.tolist() == np.cumsum([0, *(len(shape.edges) for shape in shapes)]).tolist()
    assert packed.block_first.tolist() == np.cumsum([0, *(-(-len(s.edges) // BLOCK) for s in shapes)]).tolist()
    for k in range(3):
        for block in range(packed.block_first[k], packed.block_first[k + 1]):
            low = packed.edge_first[k] + (block - packed.block_first[k]) * BLOCK
            ends = packed.edges[low : min(low + BLOCK, packed.edge_first[k + 1])].reshape(-1, 3)
            apart = np.linalg.norm(ends - packed.blocks[block, :3], axis=1)
            assert apart.max() == pytest.approx(packed.blocks[block, 3], abs=1e-6)
    assert pack([]).edges.shape == (0, 6)


def test_the_bounding_sphere_holds_what_is_inside() -> None:
    rng = np.random.default_rng(21)
    for size, edges in ((1e3, Edges.GEODESIC), (1e5, Edges.GEODESIC), (2e6, Edges.LONLAT)):
        shape = shape_of(Polygon((ring(*HOME, rng.uniform(0.5, 1.0, 5) * size),), edges))
        packed, inside = pack([shape]), 0
        for _ in range(40):
            place = surface_point(*moved(*HOME, rng.uniform(0, 360), rng.uniform(0, size))[:2])
            if contains_point(packed.rings, packed.ring_first, 0, 1, *place):
                inside += 1
                assert math.dist(place, shape.centre) <= shape.reach_m
        assert inside > 5
    wide = shape_of(Polygon((box(-120.0, -50.0, 120.0, 50.0),)))
    assert math.dist(surface_point(180.0, 0.0), wide.centre) <= wide.reach_m


def test_bands_that_are_not_given() -> None:
    circle = Circle(*HOME, 5.0)
    zone = shape_of(circle).band
    assert (zone.floor_code, zone.ceiling_code) == (W84, W84)
    assert zone.floor_w84[1] <= -1e6
    assert zone.ceiling_w84[0] >= 1e6
    assert shape_of(circle, is_zone=False).band.floor_code == NOTHING
    assert shape_of(circle, is_zone=False, on_ground=True).band.ceiling_code == GROUND_SPAN


def test_bands_of_each_reference_hold_what_they_can_mean() -> None:
    circle = Circle(*HOME, 5.0)
    for reference, code in ((HeightReference.W84, W84), (HeightReference.AMSL, AMSL), (HeightReference.FL, FL)):
        band = shape_of(circle, floor=Height(100.0, reference), ceiling=Height(3000.0, reference)).band
        assert (band.floor_m, band.floor_code, band.ceiling_m, band.ceiling_code) == (100.0, code, 3000.0, code)
        assert band.floor_w84[0] <= band.floor_w84[1]
        assert not band.is_thin
    sea = shape_of(circle, floor=Height(100.0, HeightReference.AMSL), ceiling=Height(100.0, HeightReference.AMSL)).band
    assert sea.is_thin
    assert sea.floor_w84[0] == pytest.approx(122.5, abs=3.0), "EGM96 near 37 N, 41 E"


def test_a_volume_that_passes_fl410_is_two_for_aircraft_only() -> None:
    volume = Volume(Circle(*HOME, 5.0), Height(9000.0, HeightReference.FL), Height(15000.0, HeightReference.FL))
    parts = compile_shapes(Operation("A", "1", OperationKind.FLIGHT, (volume,)), owner=3, horizontal_m=0.0)
    assert [(part.is_high, part.owner) for part in parts] == [(False, 3), (True, 3)]
    assert [part.band.ceiling_m for part in parts] == pytest.approx([RVSM_CEILING_M, 15000.0])
    assert [part.band.floor_m for part in parts] == pytest.approx([9000.0, RVSM_CEILING_M])
    assert len(compile_shapes(Zone("Z", "1", ZoneKind.NO_GO_AREA, (volume,)), owner=0, horizontal_m=0.0)) == 1
    above = Volume(Circle(*HOME, 5.0), Height(13000.0, HeightReference.FL), Height(15000.0, HeightReference.FL))
    (only,) = compile_shapes(Operation("A", "1", OperationKind.FLIGHT, (above,)), owner=0, horizontal_m=0.0)
    assert only.is_high


def test_times_that_are_not_given_are_open_and_only_a_zone_means_it() -> None:
    shape = shape_of(Circle(*HOME, 5.0), is_zone=False)
    assert (shape.start_s, shape.end_s, shape.is_timed) == (-math.inf, math.inf, False)
    assert shape_of(Circle(*HOME, 5.0)).is_timed
    assert shape_of(Circle(*HOME, 5.0), is_zone=False, start_s=0.0, end_s=1.0).is_timed
