"""Long legs are cut into pieces that a unit passes at even speed, as it would along the shortest path."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from keepclear import MinimaTable, Operation, OperationKind, Track
from keepclear.geo.ellipsoid import surface_point
from keepclear.separation.world import compile_world

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize("length_m", [12e3, 29e3, 31e3, 3000e3])
@pytest.mark.parametrize(("lat", "azimuth"), [(0.0, 0.0), (0.0, 90.0), (46.0, 45.0), (-70.0, 120.0), (89.99, 10.0)])
def test_a_cut_leg_is_where_the_geodesic_is(lat, azimuth, length_m):
    lon_to, lat_to, _ = GEOD.fwd(7.0, lat, azimuth, length_m)
    track = Track(np.array([0.0, 1.0]), np.array([7.0, lon_to]), np.array([lat, lat_to]), np.zeros(2))
    operation = Operation("A", "1", OperationKind.FLIGHT, tracks=(track,))
    legs = compile_world([operation], [], minima=MinimaTable.single(9260.0, 300.0), compare_own=False).legs
    assert len(legs.points) > 2
    for point in legs.points:
        lon, there, _ = GEOD.fwd(7.0, lat, azimuth, length_m * point[3])
        assert np.linalg.norm(point[:3] - surface_point(lon, there)) < 2e-4
