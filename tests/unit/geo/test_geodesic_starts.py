"""Many shortest paths cut at once are cut as each of them alone."""

from __future__ import annotations

import numpy as np

from keepclear.geo.ellipsoid import geodesic_points, geodesic_starts


def test_many_paths_at_once_are_cut_as_each_alone():
    rng = np.random.default_rng(5)
    lon0, lon1 = rng.uniform(-180.0, 180.0, (2, 25))
    lat0, lat1 = rng.uniform(-89.0, 89.0, (2, 25))
    pieces = rng.integers(1, 9, 25)
    alone = [geodesic_points(*one, int(count)) for *one, count in zip(lon0, lat0, lon1, lat1, pieces, strict=True)]
    lon, lat = geodesic_starts(lon0, lat0, lon1, lat1, pieces)
    assert np.array_equal(lon, np.concatenate([one[:-1] for one, _ in alone]))
    assert np.array_equal(lat, np.concatenate([one[:-1] for _, one in alone]))
