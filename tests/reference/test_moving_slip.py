"""Two tracks that may be early or late, and minima in time: every pair of thousands against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.model.extents import Track
from tests.reference.judging import Rule, Tally, judge
from tests.reference.worlds import PLACES, SCALES, Place, Scale, airborne, encounter, places, scales

PAIRS_A_SIDE = 14


def _slip(rng: np.random.Generator, track: Track) -> Track:
    """The same track with slip of any size, from none to unlimited, for the whole or for each position."""
    span = track.time_s[-1] - track.time_s[0]
    amounts = [0.0, 0.01, 0.1, 0.5, 2.0]
    early, late = rng.choice(amounts, 2) * span
    if rng.random() < 0.1:
        late = np.inf
    if rng.random() < 0.3:
        late = rng.choice(amounts, len(track.time_s)) * span
    return Track(track.time_s, track.lon_deg, track.lat_deg, track.height_m, early_s=early, late_s=late)


def _world(seed: int, place: Place, scale: Scale, time_s: float) -> Tally:
    rng = np.random.default_rng(seed)
    met = [encounter(rng, place, scale) for _ in range(PAIRS_A_SIDE)]
    # Some keep to their times, so that slip on one side only is judged too.
    ours = [airborne("A", f"a{k}", a if k % 4 == 0 else _slip(rng, a)) for k, (a, _) in enumerate(met)]
    theirs = [airborne("B", f"b{k}", b if k % 4 == 1 else _slip(rng, b)) for k, (_, b) in enumerate(met)]
    return judge(ours, theirs, Rule(scale.horizontal_m, scale.vertical_m, time_s), intervals=False)


@given(seed=st.integers(0, 2**32 - 1), place=places, scale=scales, time_s=st.sampled_from((0.0, 1.0, 30.0, 900.0)))
@settings(max_examples=8)
def test_worlds_with_slip(seed: int, place: Place, scale: Scale, time_s: float) -> None:
    assert not _world(seed, place, scale, time_s).faults


@pytest.mark.slow
@pytest.mark.parametrize(("n", "place"), list(enumerate(PLACES)), ids=[place.name for place in PLACES])
def test_every_place_at_every_scale_with_slip(n: int, place: Place) -> None:
    total = Tally()
    for m, scale in enumerate(SCALES):
        total += _world(7_000 + 100 * n + m, place, scale, (0.0, 20.0)[(n + m) % 2])
    assert not total.faults
    # Many of both, and few that neither side can call, or the suite would prove little.
    assert min(total.conflict, total.clear) > 80
    assert total.too_close_to_call < 0.05 * (total.conflict + total.clear)
