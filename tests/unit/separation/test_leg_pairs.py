"""Two legs: the exact test against the same legs looked at in many places."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear.geo.heights import AGL, AMSL, FL, HEIGHT_SPANS, NOTHING, UNKNOWN, W84
from keepclear.separation.closest import CORNERS
from keepclear.separation.leg_pairs import describe_pair, height_gaps, near, quick_near

FINE = np.linspace(0.0, 1.0, 401)


def legs(*rows: tuple[float, ...]) -> np.ndarray:
    """Two legs, each two rows of (x, y, z, time, height); heights above the ellipsoid."""
    return np.array([(*row, row[4]) for row in rows], dtype=float)


def is_near(points, horizontal_m, vertical_m=math.inf, *, slip=(0.0, 0.0), refs=(W84, W84), certain=True):
    return near(
        points, 0, 2, *refs, *slip, horizontal_m, vertical_m, certain, HEIGHT_SPANS,
        np.empty((CORNERS, 2)), np.empty((CORNERS, 2)),
    )  # fmt: skip


def described(
    points, horizontal_m, vertical_m=math.inf, *, early=(0.0, 0.0), late=(0.0, 0.0), time_s=0.0,
    window=(-math.inf, math.inf), refs=(W84, W84), certain=True,
):  # fmt: skip
    out = np.empty(5)
    found = describe_pair(
        points, 0, 2, *refs, early[0], late[0], early[1], late[1], time_s, horizontal_m, vertical_m, certain,
        HEIGHT_SPANS, *window, np.empty((CORNERS, 2)), np.empty((CORNERS, 2)), out,
    )  # fmt: skip
    return out if found else None


def random_legs(rng: np.random.Generator) -> np.ndarray:
    start, end = rng.uniform(-1000.0, 1000.0, (2, 4, 3))
    points = np.zeros((4, 6))
    points[:, :3] = np.where(np.arange(4)[:, None] % 2 == 0, start, end)
    for k in (0, 2):
        points[k, 3] = rng.uniform(0.0, 50.0)
        points[k + 1, 3] = points[k, 3] + rng.uniform(10.0, 100.0)
    points[:, 4] = points[:, 5] = rng.uniform(0.0, 300.0, 4)
    return points


def on(points: np.ndarray, k: int, fraction: np.ndarray) -> np.ndarray:
    return points[k] + fraction[..., None] * (points[k + 1] - points[k])


def test_without_slip_the_least_distance_is_that_of_many_moments() -> None:
    rng = np.random.default_rng(7)
    met = 0
    for _ in range(150):
        points, vertical_m = random_legs(rng), float(rng.choice([50.0, math.inf]))
        low, high = max(points[0, 3], points[2, 3]), min(points[1, 3], points[3, 3])
        found = described(points, 1e9, vertical_m)
        if low > high:
            assert found is None
            continue
        moments = np.linspace(low, high, 2001)
        a, b = (on(points, k, (moments - points[k, 3]) / (points[k + 1, 3] - points[k, 3])) for k in (0, 2))
        apart = np.linalg.norm(a[:, :3] - b[:, :3], axis=1)
        allowed = np.abs(a[:, 4] - b[:, 4]) < vertical_m
        if not allowed.any():
            assert found is None or found[2] >= apart.min() - 1e-6
            continue
        met += 1
        assert found is not None
        assert found[2] <= apart[allowed].min() + 1e-6
        assert found[2] >= apart[allowed].min() - np.abs(np.diff(apart)).max() - 1e-6
        limit = found[2] + 20.0
        assert is_near(points, limit, vertical_m)
        assert quick_near(points, 0, 2, 4, limit, vertical_m)
        assert not is_near(points, found[2] - 1e-6, vertical_m)
        assert not quick_near(points, 0, 2, 4, found[2] - 1e-6, vertical_m)
        span = described(points, limit, vertical_m)
        close = moments[allowed & (apart < limit)]
        step = moments[1] - moments[0]
        if len(close):
            assert span[0] - 1e-6 <= close[0] <= span[0] + 1.01 * step
            assert span[1] - 1.01 * step <= close[-1] <= span[1] + 1e-6
    assert met > 50


def test_with_slip_the_least_distance_is_that_of_all_pairs_of_times() -> None:
    rng = np.random.default_rng(8)
    met = 0
    for _ in range(60):
        points = random_legs(rng)
        early, late = rng.uniform(0.0, 20.0, 2), rng.uniform(0.0, 20.0, 2)
        time_s = float(rng.choice([0.0, 15.0]))
        u, w = np.meshgrid(FINE, FINE, indexing="ij")
        a, b = on(points, 0, u), on(points, 2, w)
        between = a[..., 3] - b[..., 3]
        allowed = (between >= -time_s - late[0] - early[1]) & (between <= time_s + early[0] + late[1])
        found = described(points, 1e9, early=early, late=late, time_s=time_s)
        if not allowed.any():
            assert found is None or found[2] >= 0.0
            continue
        met += 1
        apart = np.linalg.norm(a[..., :3] - b[..., :3], axis=-1)
        step = sum(float(np.linalg.norm(points[k + 1, :3] - points[k, :3])) for k in (0, 2)) / 400
        assert apart[allowed].min() - 2.0 * step <= found[2] <= apart[allowed].min() + 1e-6
        # Where it says that they are closest is a place that slip allows, and is that far apart.
        p, q = on(points, 0, np.array(found[3])), on(points, 2, np.array(found[4]))
        assert np.linalg.norm(p[:3] - q[:3]) == pytest.approx(found[2], abs=1e-6)
        assert -time_s - late[0] - early[1] - 1e-6 <= p[3] - q[3] <= time_s + early[0] + late[1] + 1e-6
        limit = found[2] + 30.0
        close = allowed & (apart < limit)
        span = described(points, limit, early=early, late=late, time_s=time_s)
        # Either may be where the pair is too close: the span holds a moment of every such pair, and all they share.
        for pa, pb in zip(a[close][::97], b[close][::97], strict=True):
            for plan, slips in ((pa[3], (early[0], late[0])), (pb[3], (early[1], late[1]))):
                assert span[0] <= plan + slips[1] + 1e-3
                assert plan - slips[0] - 1e-3 <= span[1]
        if time_s == 0.0:
            first = np.maximum(a[..., 3] - early[0], b[..., 3] - early[1])[close].min()
            last = np.minimum(a[..., 3] + late[0], b[..., 3] + late[1])[close].max()
            assert span[0] <= first + 1e-3
            assert last - 1e-3 <= span[1]
    assert met > 30


def test_unlimited_slip_is_the_distance_of_two_paths() -> None:
    points = legs((0, 0, 0, 0, 0), (100, 0, 0, 10, 0), (50, -10, 0, 9000, 0), (50, 10, 0, 9001, 0))
    assert described(points, 5.0) is None
    out = described(points, 5.0, early=(0.0, math.inf))
    assert out[2] == pytest.approx(0.0, abs=1e-9)
    assert (out[3], out[4]) == pytest.approx((0.5, 0.5))
    assert out[0] == pytest.approx(4.5, abs=1e-3), (
        "from when the one that keeps to its plan is 5 m before the other's path"
    )
    both = described(points, 5.0, early=(math.inf, math.inf), late=(math.inf, math.inf))
    assert (both[0], both[1]) == (-math.inf, math.inf)


def test_legs_that_share_one_instant_meet() -> None:
    points = legs((0, 0, 0, 0, 0), (10, 0, 0, 10, 0), (10, 1, 0, 10, 0), (20, 1, 0, 20, 0))
    assert is_near(points, 1.5)
    assert quick_near(points, 0, 2, 4, 1.5, math.inf)
    points[2:, 3] += 1e-3
    assert not is_near(points, 1.5)
    assert not quick_near(points, 0, 2, 4, 1.5, math.inf)


def test_a_leg_without_duration_is_everywhere_on_its_path_at_once() -> None:
    points = legs((0, 0, 0, 5, 0), (100, 0, 0, 5, 0), (70, 3, 0, 0, 0), (70, 3, 0, 9, 0))
    assert is_near(points, 3.1)
    assert not is_near(points, 2.9)
    assert is_near(points[[2, 3, 0, 1]], 3.1)
    both = legs((0, 0, 0, 5, 0), (100, 0, 0, 5, 0), (70, 3, 0, 5, 0), (70, 90, 0, 5, 0))
    assert is_near(both, 3.1)
    both[2:, 3] = 5.5
    assert not is_near(both, 3.1)


def test_a_window_cuts_the_violation() -> None:
    points = legs((0, 0, 0, 0, 0), (100, 0, 0, 100, 0), (0, 1, 0, 0, 0), (100, 1, 0, 100, 0))
    assert described(points, 5.0)[:2] == pytest.approx((0.0, 100.0))
    assert described(points, 5.0, window=(20.0, 30.0))[:2] == pytest.approx((20.0, 30.0), abs=1e-5)
    assert described(points, 5.0, window=(100.5, 130.0)) is None
    assert described(points, 5.0, window=(40.0, 40.0))[:2] == pytest.approx((40.0, 40.0), abs=1e-5)


def test_heights_above_ground_compare_when_asked_what_is_certain_only() -> None:
    points = legs((0, 0, 0, 0, 100), (9, 0, 0, 9, 100), (0, 1, 0, 0, 500), (9, 1, 0, 9, 500))
    assert not is_near(points, 5.0, 300.0, refs=(AGL, AGL), certain=True)
    assert is_near(points, 5.0, 300.0, refs=(AGL, AGL), certain=False), "the ground is not level"
    assert is_near(points, 5.0, 450.0, refs=(AGL, AGL), certain=True)
    assert not is_near(points, 5.0, 300.0, refs=(FL, FL), certain=False), "the pressure is the same for both"


@pytest.mark.parametrize("other", [FL, AGL, UNKNOWN, NOTHING])
def test_heights_that_do_not_compare_are_intervals(other: int) -> None:
    for h in (-100.0, 0.0, 3000.0):
        low, high = height_gaps(HEIGHT_SPANS, True, W84, 1000.0, 1000.0, other, h, h)
        a_low, b_low, a_high, b_high = HEIGHT_SPANS[other]
        assert (low, high) == pytest.approx((1000.0 - a_high * h - b_high, 1000.0 - a_low * h - b_low))
        back = height_gaps(HEIGHT_SPANS, True, other, h, h, W84, 1000.0, 1000.0)
        assert back == pytest.approx((-high, -low))


def test_sea_level_and_ellipsoid_compare_through_the_geoid() -> None:
    assert height_gaps(HEIGHT_SPANS, True, AMSL, 100.0, 130.0, W84, 90.0, 90.0) == (40.0, 40.0)
    assert height_gaps(HEIGHT_SPANS, True, AMSL, 100.0, 130.0, AMSL, 90.0, 121.0) == (10.0, 10.0)


def test_what_is_certain_is_possible() -> None:
    rng = np.random.default_rng(9)
    certain = possible = 0
    for _ in range(200):
        points = random_legs(rng)
        refs = tuple(rng.choice([W84, FL, AGL, UNKNOWN], 2))
        sure = is_near(points, 400.0, 1000.0, refs=refs, certain=True)
        maybe = is_near(points, 400.0, 1000.0, refs=refs, certain=False)
        assert maybe or not sure
        certain, possible = certain + sure, possible + maybe
    assert 0 < certain < possible < 200
