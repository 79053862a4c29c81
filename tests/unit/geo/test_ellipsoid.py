"""Points on the ellipsoid and paths between them, against the C library and PROJ."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pyproj import Geod, Transformer

from keepclear.geo.ellipsoid import (
    LONGEST_LEG_M,
    chord_of_arc_m,
    geodesic_points,
    lift,
    longest_leg_m,
    sag_limit_m,
    sin_cos,
    surface_lonlat,
    surface_lonlats,
    surface_point,
    surface_points,
    towards,
)

GEOD = Geod(ellps="WGS84")
PLACES = [(0.0, 0.0), (41.9, 37.1), (179.999, -16.8), (-179.9, 71.0), (30.0, 89.999), (0.0, 90.0), (12.0, -90.0)]


def test_sines_and_cosines_are_those_of_the_c_library_to_two_units_in_the_last_place() -> None:
    for degrees in np.random.default_rng(1).uniform(-45.0, 45.0, 2000).tolist():
        sine, cosine = sin_cos(degrees)
        assert abs(sine - math.sin(math.radians(degrees))) <= 2.0 * math.ulp(math.sin(math.radians(degrees)))
        assert abs(cosine - math.cos(math.radians(degrees))) <= 2.0 * math.ulp(1.0)


def test_whole_quarter_turns_are_taken_off_exactly() -> None:
    for degrees in np.random.default_rng(2).uniform(-45.0, 45.0, 100).tolist():
        sine, cosine = sin_cos(degrees)
        for turns in range(-2, 3):
            # The sum is rounded, so what is compared is the angle that is left after it.
            far = degrees + 360.0 * turns
            near = sin_cos(far - 360.0 * turns)
            assert sin_cos(far) == near
            assert near == pytest.approx((sine, cosine), abs=1e-14)


@pytest.mark.parametrize(("degrees", "expected"), [(0, (0, 1)), (90, (1, 0)), (180, (0, -1)), (270, (-1, 0))])
def test_at_quarter_turns_they_are_exact(degrees: int, expected: tuple[int, int]) -> None:
    for turns in (-2, -1, 0, 1):
        assert sin_cos(degrees + 360.0 * turns) == expected


def test_points_and_back_are_those_of_proj() -> None:
    to_vectors = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-180.0, 180.0, 200), rng.uniform(-90.0, 90.0, 200)
    out = np.empty((200, 3))
    surface_points(lon, lat, out)
    assert np.abs(out - np.column_stack(to_vectors.transform(lon, lat, np.zeros(200)))).max() < 2e-8
    for k in range(200):
        assert surface_lonlat(*out[k].tolist()) == pytest.approx((lon[k], lat[k]), abs=1e-11)
    assert np.allclose(surface_lonlats(out), np.column_stack((lon, lat)), rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("height_m", [-900.0, -10.0, 0.0, 10.0, 900.0])
def test_lifting_goes_along_the_normal_to_the_nearest_point(place: tuple[float, float], height_m: float) -> None:
    to_vectors = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    off = math.dist(lift(*to_vectors.transform(*place, height_m)), surface_point(*place))
    assert off < 5e-4 * (height_m / 900.0) ** 2 + 1e-8


def test_a_chord_is_within_its_bound_of_every_arc_of_its_length() -> None:
    rng = np.random.default_rng(4)
    for _ in range(400):
        lon, lat, azimuth = rng.uniform(-180, 180), rng.uniform(-90, 90), rng.uniform(0, 360)
        arc = 10.0 ** rng.uniform(0.0, 6.3)
        chord, off = chord_of_arc_m(arc, lat)
        end = GEOD.fwd(lon, lat, azimuth, arc)[:2]
        assert abs(math.dist(surface_point(lon, lat), surface_point(*end)) - chord) <= off + 1e-8
        assert off <= 1e-9 + 0.01 * arc


def test_legs_are_so_short_that_their_sag_is_half_a_millimetre_of_the_minimum() -> None:
    for horizontal_m in (0.0, 1.0, 30.0, 500.0, 9260.0, 1e6):
        sag, leg = sag_limit_m(horizontal_m), longest_leg_m(horizontal_m)
        assert math.hypot(horizontal_m, sag) - horizontal_m <= 0.00050001
        assert leg <= LONGEST_LEG_M
        # The middle of the chord of the most bent leg there is: along the meridian at the equator.
        half = GEOD.fwd(0.0, 0.0, 0.0, 0.5 * leg)[:2]
        a, b, top = surface_point(half[0], -half[1]), surface_point(*half), surface_point(0.0, 0.0)
        assert math.dist([0.5 * (p + q) for p, q in zip(a, b, strict=True)], top) <= sag * 1.0001


def test_points_on_the_shortest_path_are_evenly_spaced_and_its_ends_are_exact() -> None:
    for ends in ((41.9, 37.1, 43.0, 38.0), (179.0, -16.0, -179.0, -17.0), (10.0, 89.0, -160.0, 88.0)):
        lon, lat = geodesic_points(*ends, 8)
        assert (lon[0], lat[0], lon[-1], lat[-1]) == ends
        whole = GEOD.inv(*ends)[2]
        for k in range(8):
            assert GEOD.inv(lon[k], lat[k], lon[k + 1], lat[k + 1])[2] == pytest.approx(whole / 8, abs=1e-5)
        assert GEOD.inv(lon[0], lat[0], lon[4], lat[4])[2] == pytest.approx(whole / 2, abs=1e-5)


def test_between_opposite_points_the_path_goes_over_a_pole() -> None:
    _, lat = geodesic_points(20.0, 0.0, -160.0, 0.0, 2)
    assert abs(lat[1]) == pytest.approx(90.0, abs=1e-6)


def test_towards_goes_the_distance_but_not_beyond() -> None:
    assert towards(1.0, 2.0, 3.0, 4.0, 0.0) == (1.0, 2.0)
    assert towards(1.0, 2.0, 3.0, 4.0, -5.0) == (1.0, 2.0)
    assert towards(1.0, 2.0, 1.001, 2.0, 1e6) == (1.001, 2.0)
    assert towards(1.0, 2.0, 1.0, 2.0, 10.0) == (1.0, 2.0)
    lon, lat = towards(179.99, 10.0, -179.0, 11.0, 5000.0)
    assert GEOD.inv(179.99, 10.0, lon, lat)[2] == pytest.approx(5000.0, abs=1e-6)
    assert sum(GEOD.inv(*a, *b)[2] for a, b in (((179.99, 10.0), (lon, lat)), ((lon, lat), (-179.0, 11.0)))) == (
        pytest.approx(GEOD.inv(179.99, 10.0, -179.0, 11.0)[2], abs=1e-5)
    )
