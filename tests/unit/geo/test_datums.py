"""The way from a datum to WGS84."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from keepclear.errors import InputError
from keepclear.geo import datums
from keepclear.geo.datums import MISSING_DATUM_M, OUTSIDE_AREA_M, datum_named, to_wgs84

GEOD = Geod(ellps="WGS84")


def moved_m(lon, lat, name):
    shifted = to_wgs84(lon, lat, datum_named(name))
    return GEOD.inv(lon, lat, shifted.lon_deg, shifted.lat_deg)[2]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("WGS84", 4326), ("WGS 84", 4326), ("wgs-1984", 4326), ("SK-42", 4284), ("sk42", 4284), ("СК-42", 4284),
        ("Pulkovo 1942", 4284), ("Пулково-42", 4284), ("SK-95", 4200), ("PZ-90.11", 9475), ("ПЗ-90.11", 9475),
        ("PZ-90.02", 9474), ("PZ-90", 4740), ("GSK-2011", 7683), ("ГСК-2011", 7683), ("ED50", 4230),
        ("EPSG:4284", 4284), ("EPSG:4267", 4267),
    ],
)  # fmt: skip
def test_names(name, code):
    assert datum_named(name).code == code


@pytest.mark.parametrize(
    "name", ["", "foo", "EPSG:9999", "EPSG:999999", "EPSG:", "EPSG:32637", "EPSG:7679", "EPSG:4807", "42"]
)
def test_what_is_no_datum_of_degrees_is_refused(name):
    with pytest.raises(InputError) as caught:
        datum_named(name)
    assert caught.value.faults[0].field == "datum"


def test_wgs84_stays():
    shifted = to_wgs84(40.15, 35.28, datum_named("WGS84"))
    assert (shifted.lon_deg, shifted.lat_deg, shifted.accuracy_m, shifted.uncertainty_m) == (40.15, 35.28, 0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "lon", "lat", "metres", "within"),
    [
        ("SK-42", 40.15, 35.28, 113.0, 0.5),
        ("SK-42", 37.6, 55.7, 118.0, 1.0),
        ("GSK-2011", 37.6, 55.7, 0.05, 0.05),
        ("PZ-90.11", 40.15, 35.28, 2.6, 0.1),
        ("ED50", 40.15, 35.28, 117.5, 1.0),
    ],
)
def test_how_far_places_move(name, lon, lat, metres, within):
    assert moved_m(lon, lat, name) == pytest.approx(metres, abs=within)


def test_the_best_operation_for_the_place_is_taken():
    moscow = to_wgs84(37.6, 55.7, datum_named("SK-42"))
    assert moscow.operation == "Pulkovo 1942 to WGS 84 (20)"
    assert moscow.accuracy_m == 3.0
    assert moscow.uncertainty_m > 3.0  # the operation for the wider area gives a place some metres off
    assert moscow.warnings == ()


@pytest.mark.parametrize(
    ("name", "lon", "lat"), [("SK-42", 36.3, 33.5), ("GSK-2011", 40.15, 35.28), ("ED50", -100.0, 40.0)]
)
def test_outside_the_area_of_use_is_said_and_widened(name, lon, lat):
    shifted = to_wgs84(lon, lat, datum_named(name))
    assert shifted.uncertainty_m == shifted.accuracy_m + OUTSIDE_AREA_M
    assert "outside the area of use" in shifted.warnings[0]
    assert "allpark" not in shifted.operation


def test_a_datum_without_any_way_to_wgs84_is_refused_instead_of_not_moved():
    # EPSG:4004, an unknown datum on Bessel's ellipsoid: PROJ would offer a ballpark that moves nothing.
    with pytest.raises(InputError, match="no known way from"):
        to_wgs84(40.15, 35.28, datum_named("EPSG:4004"))


def test_a_better_way_that_wants_a_grid_is_named():
    shifted = to_wgs84(-100.0, 40.0, datum_named("EPSG:4267"))
    assert shifted.accuracy_m == 7.0
    assert "us_noaa_conus.tif" in shifted.warnings[-1]


@pytest.mark.parametrize(("lon", "lat"), [(180.0, 65.0), (-180.0, 65.0), (0.0, 90.0), (0.0, -90.0), (180.0, -90.0)])
def test_edges_of_the_world_are_no_edges(lon, lat):
    assert moved_m(lon, lat, "SK-42") < MISSING_DATUM_M


@pytest.mark.parametrize("code", [4284, 4230, 4200, 9475, 7683])
def test_no_named_datum_moves_a_place_further_than_a_missing_datum_allows(code):
    random = np.random.default_rng(code)
    operations, _ = datums._operations(code, None, None)
    assert operations
    for operation in operations:
        area = operation.area_of_use
        east = area.east + (360.0 if area.east < area.west else 0.0)
        lon, lat = random.uniform(area.west, east, 200), random.uniform(area.south, area.north, 200)
        lon = (lon + 180.0) % 360.0 - 180.0
        moved = GEOD.inv(lon, lat, *operation.transform(lon, lat))[2]
        assert moved.max() < MISSING_DATUM_M
