"""Memory that is used again."""

from __future__ import annotations

import numpy as np
import pytest

from keepclear.separation.kept import Kept


@pytest.mark.parametrize(
    ("shape", "kind"), [((7,), np.int32), ((3, 5), np.float64), ((0, 6), np.float64), ((1,), "i1")]
)
@pytest.mark.parametrize("spare", [0.0, 0.125])
def test_an_array_is_as_numpy_makes_it(shape: tuple[int, ...], kind: type, spare: float) -> None:
    kept = Kept(spare)
    for _ in range(2):
        made, fresh = kept.empty("points", shape, kind), np.empty(shape, kind)
        assert (made.shape, made.dtype, made.flags.carray) == (fresh.shape, fresh.dtype, True)


def test_what_fits_has_the_memory_of_the_one_before() -> None:
    kept = Kept()
    first = kept.empty("points", (100, 6))
    assert np.shares_memory(first, kept.empty("points", (600,)))
    assert np.shares_memory(first, kept.empty("points", (10, 6)))
    assert np.shares_memory(first, kept.empty("points", (1200,), np.int32))
    assert not np.shares_memory(first, kept.empty("pieces", (100, 6)))


def test_what_does_not_fit_has_memory_of_its_own_and_what_was_there_is_let_go() -> None:
    kept = Kept()
    first = kept.empty("points", (100,))
    larger = kept.empty("points", (101,))
    assert not np.shares_memory(first, larger)
    assert np.shares_memory(larger, kept.empty("points", (100,)))


def test_with_some_to_spare_a_little_more_fits() -> None:
    kept = Kept(0.125)
    first = kept.empty("points", (100,))
    assert np.shares_memory(first, kept.empty("points", (112,)))
    assert not np.shares_memory(first, kept.empty("points", (113,)))
