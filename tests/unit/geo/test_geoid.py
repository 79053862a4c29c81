"""EGM96 undulations against values of the full 5-minute grid (PyPI egm96 0.3.0, in whole centimetres)."""

from __future__ import annotations

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.geo.geoid import GEOID_ERROR_M, undulation_m

# Longitude and latitude in units of 5 minutes, undulation in metres: drawn at random once, then the poles, the
# antimeridian, the Indian Ocean low, and the worst node of all (Tenerife).
NODES = [
    (417, 437, 23.86), (-473, 542, 40.68), (632, -687, 35.94), (-1982, -892, -65.01), (1176, -399, -32.32),
    (-1448, 208, -46.08), (617, -36, -44.91), (100, 382, 28.91), (1971, -541, -3.02), (1757, -1034, -34.6),
    (1486, 899, -3.05), (-166, 221, 34.88), (2037, 339, -5.8), (-1929, 244, 7.69), (-1660, -407, -10.63),
    (1424, -570, -24.77), (-418, 989, 29.57), (-1602, 445, -38.38), (-1227, -532, -7.41), (-39, 159, 27.07),
    (-571, -46, -25.22), (1187, 693, -40.29), (100, -881, 17.14), (753, 999, 13.73), (1172, 656, -36.95),
    (-500, -699, 19.39), (401, 828, 17.22), (-1827, -175, 3.72), (-1101, 176, -0.67), (-746, -152, 18.62),
    (1333, 122, 14.61), (1856, -1007, -35.41), (-780, -532, 12.21), (-2135, -809, -59.48), (140, 792, 37.81),
    (-793, -1054, -25.81), (0, 1080, 13.61), (0, -1080, -29.53), (2160, 0, 21.15), (-2160, 0, 21.15),
    (944, 0, -102.8), (482, 423, 20.13), (498, 446, 21.06), (-201, 339, 50.47),
]  # fmt: skip


def test_nodes_of_the_full_grid_are_met_within_the_stated_error():
    nodes = np.array(NODES)
    error = np.abs(undulation_m(nodes[:, 0] / 12.0, nodes[:, 1] / 12.0) - nodes[:, 2])
    assert error.max() <= GEOID_ERROR_M
    assert np.median(error) < 0.005


def test_munich_is_45_and_a_half_metres_up():
    assert undulation_m(11.58, 48.14) == pytest.approx(45.476, abs=GEOID_ERROR_M)


@pytest.mark.parametrize("turns", [-720.0, -360.0, 360.0, 3600.0])
def test_longitude_wraps(turns):
    lon = np.linspace(-180.0, 180.0, 97)
    lat = np.linspace(-89.0, 89.0, 97)
    np.testing.assert_allclose(undulation_m(lon + turns, lat), undulation_m(lon, lat), atol=1e-9)


def test_nothing_jumps_at_the_antimeridian():
    lat = np.linspace(-90.0, 90.0, 181)
    step = 1e-7
    np.testing.assert_allclose(undulation_m(180.0 - step, lat), undulation_m(-180.0 + step, lat), atol=1e-4)


@pytest.mark.parametrize("lat", [-90.0, 90.0])
def test_a_pole_has_one_value_whatever_the_longitude(lat):
    values = undulation_m(np.linspace(-180.0, 180.0, 1441), lat)
    assert np.ptp(values) < 0.02


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_nothing_jumps_across_a_pole(sign):
    lon = np.linspace(-180.0, 0.0, 91)
    beside = undulation_m(lon, sign * 89.9999)
    beyond = undulation_m(lon + 180.0, sign * 89.9999)
    np.testing.assert_allclose(beside, beyond, atol=0.02)


def test_scalars_and_shapes_broadcast():
    assert undulation_m(10.0, 50.0).shape == ()
    grid = undulation_m(np.arange(4.0)[None, :], np.arange(3.0)[:, None])
    assert grid.shape == (3, 4)
    assert grid[2, 3] == undulation_m(3.0, 2.0)
    assert undulation_m([], []).shape == (0,)


def test_chunks_make_no_difference():
    lon = np.linspace(-180.0, 180.0, 70_001)
    lat = np.linspace(-90.0, 90.0, 70_001)
    picked = [0, 32_767, 32_768, 65_536, 70_000]
    np.testing.assert_array_equal(undulation_m(lon, lat)[picked], undulation_m(lon[picked], lat[picked]))


def test_the_largest_longitude_below_the_seam_is_read_like_the_seam():
    assert undulation_m(np.nextafter(180.0, 0.0), 0.0) == pytest.approx(float(undulation_m(180.0, 0.0)), abs=1e-6)
    assert undulation_m(np.nextafter(-180.0, -181.0), 0.0) == pytest.approx(float(undulation_m(180.0, 0.0)), abs=1e-6)


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 90.1), (0.0, -91.0), (0.0, np.nan), (np.nan, 0.0), (np.inf, 0.0)])
def test_a_place_that_does_not_exist_is_refused(lon, lat):
    with pytest.raises(InputError, match="no such place"):
        undulation_m([10.0, lon], [50.0, lat])
