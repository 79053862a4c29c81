"""Drawn strips hold all that a term means by them, and hardly more."""

import numpy as np
import pytest
from pyproj import Geod

from keepclear.agreements.borders import Border, Region, Side, on_surface
from keepclear.agreements.strips import strip_beside
from keepclear.model.footprints import Edges
from tests.unit.agreements.terms.made_terms import BORDER

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("near", "far"), [(0.0, 10_000.0), (5_000.0, 30_000.0)])
@pytest.mark.parametrize(
    "positions", [BORDER, [(179.5, 60.0), (-179.5, 60.2), (-179.0, 59.8)], [(10.0, 0.0), (10.3, 0.1)]]
)
def test_what_is_so_deep_is_in_the_strip_and_what_is_not_is_out(side, near, far, positions):
    border = Border(np.array(positions, dtype=float), Edges.GEODESIC)
    region = Region(strip_beside(border, side, near, far))
    random = np.random.default_rng(3)
    sign = 1.0 if side is Side.LEFT else -1.0
    checked = 0
    for _ in range(400):
        start = positions[random.integers(len(positions))]
        lon, lat, _ = GEOD.fwd(*start, random.uniform(0, 360), random.uniform(0, 2 * far))
        point = on_surface(np.array([[lon, lat]]))
        depth, slack = border.depths(point)
        deep, outside = sign * depth[0], region.outside(point)[0]
        if slack[0] < 1000.0:
            continue
        if near + 20.0 < deep < far:
            assert outside < 20.0
            checked += 1
        if deep > far * 1.002 + 20.0 or deep < near - 20.0:
            assert outside > 0.0
            checked += 1
    assert checked > 100


def test_near_a_pole_nothing_is_drawn():
    assert strip_beside(Border(np.array([(0.0, 88.0), (90.0, 88.0)])), Side.LEFT, 0.0, 1e4) == ()
    assert strip_beside(Border(np.array([(0.0, 10.0), (1.0, 10.0)])), Side.LEFT, 0.0, 5e6) == ()
