"""Two tracks without slip: every pair of thousands against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.judging import Rule, Tally, judge
from tests.reference.worlds import PLACES, SCALES, Place, Scale, airborne, encounter, places, scales

PAIRS_A_SIDE = 20


def _world(seed: int, place: Place, scale: Scale) -> Tally:
    rng = np.random.default_rng(seed)
    met = [encounter(rng, place, scale) for _ in range(PAIRS_A_SIDE)]
    ours = [airborne("A", f"a{k}", a) for k, (a, _) in enumerate(met)]
    theirs = [airborne("B", f"b{k}", b) for k, (_, b) in enumerate(met)]
    return judge(ours, theirs, Rule(scale.horizontal_m, scale.vertical_m))


@given(seed=st.integers(0, 2**32 - 1), place=places, scale=scales)
@settings(max_examples=12)
def test_worlds_of_encounters(seed: int, place: Place, scale: Scale) -> None:
    assert not _world(seed, place, scale).faults


@pytest.mark.slow
@pytest.mark.parametrize(("n", "place"), list(enumerate(PLACES)), ids=[place.name for place in PLACES])
def test_every_place_at_every_scale(n: int, place: Place) -> None:
    total = Tally()
    for m, scale in enumerate(SCALES):
        total += _world(1000 * n + m, place, scale)
    assert not total.faults
    # Many of both, and few that neither side can call, or the suite would prove little.
    assert min(total.conflict, total.clear) > 80
    assert total.too_close_to_call < 0.05 * (total.conflict + total.clear)
