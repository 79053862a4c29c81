"""The squares that a question looks into are those that a slower way finds, and no part within reach lies outside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.store.node.cells import _HALF, _MOST_SQUARES, _SQUARES_M, _asked_squares, _squares

EARTH_M = 6_371_000.0


def spheres_of(seed, count, *, apart_m, radius_m):
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=3)
    middles = EARTH_M * middle / np.linalg.norm(middle) + rng.uniform(-apart_m, apart_m, (count, 3))
    return np.column_stack((middles, rng.uniform(0.0, radius_m, count)))


def slowly(width_m, spheres, reach_m):
    """Face by face and square by square."""
    found = set()
    for x, y, z, radius in spheres:
        far = radius + (reach_m + 0.5 * width_m + 2.0)
        for face in range(6):
            axis = face // 2
            at = (x, y, z)
            along, u, v = -at[axis] if face % 2 else at[axis], at[(axis + 1) % 3], at[(axis + 2) % 3]
            if along + 2.0 * far < max(abs(u), abs(v)):
                continue
            columns, rows = (
                range(int(np.floor((one - far) / width_m)), int(np.floor((one + far) / width_m)) + 1) for one in (u, v)
            )
            found |= {
                (face << 24)
                | (min(max(column, -_HALF), _HALF - 1) + _HALF) << 12
                | (min(max(row, -_HALF), _HALF - 1) + _HALF)
                for column in columns
                for row in rows
            }
    return sorted(found)


@given(
    seed=st.integers(0, 2**32 - 1), count=st.integers(1, 8), size=st.integers(0, len(_SQUARES_M) - 1),
    apart_m=st.sampled_from([0.0, 1e4, 1e6, 1e7]), reach_m=st.sampled_from([0.0, 9_260.0, 50_000.0]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_squares_are_those_of_the_slow_way(seed, count, size, apart_m, reach_m):
    spheres = spheres_of(seed, count, apart_m=apart_m, radius_m=20_000.0)
    found = _asked_squares(size, spheres, reach_m)
    assert found is not None
    assert found.tolist() == slowly(_SQUARES_M[size], spheres, reach_m)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, len(_SQUARES_M) - 1))
@settings(max_examples=60, deadline=None)
def test_whatever_is_within_reach_lies_in_one_of_them(seed, size):
    (asked,) = spheres_of(seed, 1, apart_m=0.0, radius_m=20_000.0)
    rng = np.random.default_rng(seed + 1)
    aside = rng.normal(size=3)
    other = asked[:3] + aside / np.linalg.norm(aside) * (asked[3] + 9_000.0 + 0.5 * _SQUARES_M[size]) * rng.random()
    found = _asked_squares(size, asked[None, :], 9_000.0)
    square = _squares(np.array([size << 3]), other[None, :]) & ((1 << 27) - 1)
    assert square[0] in found


@pytest.mark.parametrize("reach_m", [1e6, 1e9])
def test_too_many_are_none(reach_m):
    spheres = spheres_of(1, 2, apart_m=0.0, radius_m=1.0)
    assert (2.0 * reach_m / _SQUARES_M[0]) ** 2 > _MOST_SQUARES / 2
    assert _asked_squares(0, spheres, reach_m) is None
