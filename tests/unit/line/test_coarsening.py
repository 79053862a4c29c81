"""Coarse shapes contain the exact ones, always, and say nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.errors import InputError
from keepclear.line.coarse_grid import GRIDS_KM
from keepclear.line.coarsening import MOST_VOLUMES, Precision, coarse_footprint, coarse_track, coarse_volume
from keepclear.line.guards import Outcome
from keepclear.line.hazard_areas import guard_hazard, published_hazard
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Zone
from keepclear.record.bodies.plans import ZoneBody

GEOD = Geod(ellps="WGS84")
lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 179.9999, 0.0]))
lats = st.one_of(st.floats(-90, 90), st.sampled_from([90.0, -90.0, 89.999, 59.4, -86.4, 0.0]))
grids = st.sampled_from(GRIDS_KM)
shares = st.lists(st.floats(0, 1), min_size=3, max_size=3)
azimuths = st.floats(-180, 180)
edges = st.sampled_from(Edges)


def _covers(rectangles, lon, lat) -> bool:
    low, high = (np.array([edge(one.rings[0], axis=0) for one in rectangles]) for edge in (np.min, np.max))
    near = (low[:, 1] <= lat + 1e-9) & (high[:, 1] >= lat - 1e-9)  # so that few rectangles are looked at
    rectangles = [one for one, is_near in zip(rectangles, near, strict=True) if is_near]
    if not rectangles:
        return False
    boxes = shapely.box(*np.array([[*one.rings[0].min(axis=0), *one.rings[0].max(axis=0)] for one in rectangles]).T)
    points = shapely.points([(lon + turn, lat) for turn in (-360.0, 0.0, 360.0)])
    return bool((shapely.distance(shapely.union_all(boxes), points) < 1e-10).any())


def _between(a, b, share, kind):
    if kind is Edges.GEODESIC:
        azimuth, _, length = GEOD.inv(*a, *b)
        return GEOD.fwd(*a, azimuth, length * share)[:2]
    step = b[0] - a[0]
    step -= 360.0 * np.sign(step) if abs(step) > 180.0 and abs(step) != 360.0 else 0.0
    return a[0] + step * share, a[1] + (b[1] - a[1]) * share


@given(lons, lats, st.floats(0, 1e7), st.floats(0, 20_000), grids, azimuths, st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_circles_are_contained(lon, lat, radius_m, uncertainty_m, grid, azimuth, share):
    rectangles = coarse_footprint(Circle(lon, lat, radius_m), grid_km=grid, uncertainty_m=uncertainty_m)
    for part in (share, 1.0):
        x, y, _ = GEOD.fwd(lon, lat, azimuth, (radius_m + uncertainty_m) * part)
        assert _covers(rectangles, x, y)


@given(st.lists(st.tuples(lons, lats), min_size=2, max_size=4), st.floats(0, 50_000), grids, edges, azimuths, shares)
@settings(deadline=None, max_examples=25)
def test_corridors_are_contained(points, half_width_m, grid, kind, azimuth, parts):
    rectangles = coarse_footprint(Corridor(np.array(points), half_width_m, kind), grid_km=grid, uncertainty_m=30.0)
    for a, b in pairwise(points):
        for share in parts:
            x, y, _ = GEOD.fwd(*_between(a, b, share, kind), azimuth, half_width_m + 30.0)
            assert _covers(rectangles, x, y)


@given(lons, lats, st.floats(0.001, 30.0), grids, edges, st.lists(st.floats(0.2, 1), min_size=3, max_size=9), azimuths)
@settings(deadline=None, max_examples=50)
def test_polygons_are_contained_and_holes_filled(lon, lat, size, grid, kind, radii, azimuth):
    turns = np.linspace(0.0, 2.0 * np.pi, len(radii), endpoint=False)
    ring = np.column_stack((lon + size * np.cos(turns) * radii, np.clip(lat + size * np.sin(turns) * radii, -90, 90)))
    ring = np.vstack([ring, ring[:1]])
    ring[:, 0] = (ring[:, 0] + 180.0) % 360.0 - 180.0
    if len(np.unique(ring, axis=0)) < 3:
        return
    rectangles = coarse_footprint(Polygon((ring,), kind), grid_km=grid, uncertainty_m=500.0)
    if kind is Edges.LONLAT:
        assert _covers(rectangles, lon, lat)  # the middle, which a star-shaped ring sees
    for a, b in pairwise(ring):
        x, y, _ = GEOD.fwd(*_between(a, b, 0.37, kind), azimuth, 500.0)
        assert _covers(rectangles, x, y)


def test_a_ring_round_a_pole_is_contained_with_the_pole():
    ring = np.array([[-170.0, 80.0], [-50.0, 75.0], [70.0, 80.0], [-170.0, 80.0]])
    rectangles = coarse_footprint(Polygon((ring,)), grid_km=10)
    assert all(_covers(rectangles, lon, lat) for lon, lat in ((0, 90), (10, 89.9), (-120, 80), (179.9, 85)))
    assert not _covers(rectangles, 0.0, 70.0)


def test_cells_of_a_coarse_grid_are_whole_cells_of_the_finer():
    for lat in (-89.0, -75.0, -60.0, -0.004, 35.28, 59.39, 59.41, 82.9, 86.5):
        for fine, coarse in pairwise(GRIDS_KM):
            inner, outer = (coarse_footprint(Circle(40.15, lat, 0.0), grid_km=grid) for grid in (fine, coarse))
            assert _covers(outer, *inner[0].rings[0].mean(axis=0))
            low, high = inner[0].rings[0].min(axis=0), inner[-1].rings[0].max(axis=0)
            assert (outer[0].rings[0].min(axis=0) <= low).all()
            assert (outer[-1].rings[0].max(axis=0) >= high).all()


def test_nothing_is_learned_by_asking_again_or_moving_within_a_cell():
    rng = np.random.default_rng(4)
    told = {
        tuple(map(tuple, np.vstack([one.rings[0] for one in coarse_footprint(Circle(*at, 500.0), grid_km=10)])))
        for at in rng.uniform([40.02, 35.21], [40.12, 35.26], (60, 2))
        for _ in range(2)
    }
    assert len(told) == 1


def test_times_and_heights_are_rounded_outwards_and_what_is_open_stays_open():
    band = Height(1234.0, HeightReference.AMSL), Height(1235.0, HeightReference.AMSL)
    (volume,) = coarse_volume(Volume(Circle(40.1, 35.2, 1.0), *band, 1001.0, 1801.0, 5.0), Precision(10, 600, 100.0))
    assert (volume.start_s, volume.end_s, volume.floor.value_m, volume.ceiling.value_m) == (600, 2400, 1200, 1300)
    (volume,) = coarse_volume(Volume(Circle(40.1, 35.2, 1.0)), Precision())
    assert (volume.start_s, volume.end_s, volume.floor, volume.ceiling) == (None, None, None, None)


@given(
    st.tuples(lons, st.floats(-87, 87)),
    st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 7200)), min_size=1, max_size=4),
    st.floats(0, 900),
    st.sampled_from(GRIDS_KM[1:]),
    shares,
)
@settings(deadline=None, max_examples=25)
def test_wherever_a_unit_may_be_at_a_time_is_in_a_volume_of_that_time(around, points, slip_s, grid, parts):
    lon, lat = (np.array([point[:2] for point in points]) + around).T
    lon = (lon + 180.0) % 360.0 - 180.0
    time_s = np.cumsum([point[2] for point in points]) + 1e9
    track = Track(time_s, lon, lat, np.zeros(len(lon)), uncertainty_m=100.0, early_s=slip_s, late_s=2.0 * slip_s)
    volumes = coarse_track(track, Precision(grid, 1800))
    assert len(volumes) <= MOST_VOLUMES
    for i, share in enumerate(parts[: len(points) - 1]):
        x, y = _between((lon[i], lat[i]), (lon[i + 1], lat[i + 1]), share, Edges.GEODESIC)
        planned_s = time_s[i] + share * (time_s[i + 1] - time_s[i])
        for at_s in (planned_s - slip_s * 0.999, planned_s, planned_s + 1.998 * slip_s):
            then = [one.footprint for one in volumes if one.start_s - 1e-6 <= at_s <= one.end_s + 1e-6]
            assert then
            assert _covers(then, x, y)


def test_unlimited_slip_leaves_the_time_open():
    track = Track([0.0, 60.0], [40.0, 40.1], [35.0, 35.0], [np.nan, 5.0], late_s=np.inf)
    volumes = coarse_track(track, Precision())
    assert {(one.start_s, one.end_s, one.floor) for one in volumes} == {(0.0, None, None)}


def test_a_flown_track_is_refused_and_so_is_a_grid_that_there_is_not():
    with pytest.raises(InputError, match="flown"):
        coarse_track(Track([0.0], [0.0], [0.0], [0.0], basis=TrackBasis.FLOWN), Precision())
    with pytest.raises(InputError) as refused:
        Precision(3, 1, 0.0)
    assert len(refused.value.faults) == 3


def _hazard(footprint, uncertainty_m=0.0):
    return Zone("A", "1", ZoneKind.HAZARD_AREA, (Volume(footprint, uncertainty_m=uncertainty_m),))


@given(lons, st.floats(-89, 89), st.floats(0, 60_000), azimuths)
@settings(deadline=None, max_examples=50)
def test_a_published_hazard_is_wide_rounded_and_contains_the_exact_one(lon, lat, radius_m, azimuth):
    made = published_hazard(_hazard(Circle(lon, lat, radius_m), 50.0))
    assert guard_hazard(made).outcome is Outcome.PASS
    circle = made.volumes[0].footprint
    x, y, _ = GEOD.fwd(lon, lat, azimuth, radius_m + 50.0)
    assert GEOD.inv(circle.lon_deg, circle.lat_deg, x, y)[2] <= circle.radius_m + 1e-6


def test_a_hazard_that_points_at_something_is_refused():
    square = np.array([[40.0, 35.0], [40.01, 35.0], [40.01, 35.01], [40.0, 35.01], [40.0, 35.0]])
    for shape in (Circle(40.15, 35.28, 100.0), Circle(40.1512, 35.2812, 5000.0), Polygon((square,))):
        assert guard_hazard(_hazard(shape)).outcome is Outcome.REFUSE
        assert guard_hazard(published_hazard(_hazard(shape))).outcome is Outcome.PASS
    site = Zone("A", "1", ZoneKind.PROTECTED_SITE, (Volume(Circle(40.1512, 35.2812, 10.0)),))
    assert guard_hazard(site).outcome is Outcome.PASS
    assert published_hazard(site) is site


def test_coarse_shapes_are_bodies_like_any_other():
    volumes = tuple(Volume(one) for at in (0.0, 90.0) for one in coarse_footprint(Circle(179.9, at, 9e3), grid_km=10))
    body = ZoneBody.of_model(Zone("A", "1", ZoneKind.NO_GO_AREA, volumes))
    assert ZoneBody.of_bytes(body.to_bytes()) == body
