"""Where a least time must lie between two units, who comes too soon after the other has come too near."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keepclear.separation.minima import MinimaTable
from keepclear.watch.encounters import encounters
from keepclear.watch.labels import Flag, Label
from tests.unit.watch.encounters_made import Story, at, moved

T = at("2026-06-01T12:00:00Z")
ROAD = [(42.0, 37.2), (42.02, 37.2)]
ONE_MINUTE = MinimaTable.single(100.0, 100.0, 60.0)
"""A hundred metres, or a minute."""


def driven(party, after_s, points=ROAD, **options):
    """Along the road in three minutes, some time after the hour."""
    return moved(party, f"{party}-1", points, [T + after_s, T + after_s + 180.0], **options)


def test_one_that_follows_another_too_soon_has_met_it():
    for after_s, count in ((30.0, 1), (59.0, 1), (75.0, 0)):
        tracks = [driven("blue", 0.0), driven("red", after_s)]
        assert encounters(tracks, MinimaTable.single(100.0, 100.0)) == ()  # at one time they never were so near
        found = encounters(tracks, ONE_MINUTE)
        assert len(found) == count
        for met in found:
            assert (met.from_s, met.certain_from_s) == (T, T)
            assert met.to_s == pytest.approx(T + 180.0 + after_s)
            assert met.approach.horizontal_m == pytest.approx(0.0, abs=1e-6)
            assert met.approach.to_s - met.approach.from_s == pytest.approx(after_s)
            assert met.nominal_is_within


def test_two_tracks_of_which_one_begins_where_the_other_ended_meet_if_there_was_too_little_time_between():
    """Without a least time between them there is no moment of which it is known where both were."""
    for after_s, count in ((5.0, 1), (120.0, 0)):
        tracks = [driven("blue", 0.0), driven("red", 180.0 + after_s, [(42.02, 37.2), (42.04, 37.2)])]
        assert encounters(tracks) == ()
        for some in (tracks, tracks[::-1]):
            found = encounters(some, ONE_MINUTE)
            assert [(one.a.party, one.b.party) for one in found] == [("blue", "red")] * count
            for met in found:
                assert met.certain_from_s is not None
                # Each is told where it was itself.
                assert met.approach.a[:2] == pytest.approx((42.02, 37.2))
                assert (met.approach.from_s, met.approach.time_s) == (T + 180.0, T + 180.0 + after_s)
                label = Story("blue", "red").label(met, tracks)
                assert (label.label, label.flags) == (Label.COINCIDENTAL, {Flag.UNSAFE})


def test_what_is_uncertain_of_the_positions_makes_it_only_possible():
    tracks = [driven("blue", 0.0, uncertainty_m=80.0), driven("red", 30.0, uncertainty_m=80.0)]
    (met,) = encounters(tracks, ONE_MINUTE)
    assert met.certain_from_s is None
    assert "the positions are uncertain" in met.reasons
    assert (met.approach.least_m, met.approach.greatest_m) == (0.0, pytest.approx(160.0))


def test_it_is_certain_where_even_the_uncertainty_leaves_it_no_room():
    tracks = [driven("blue", 0.0, uncertainty_m=20.0), driven("red", 30.0, uncertainty_m=20.0)]
    (met,) = encounters(tracks, ONE_MINUTE)
    assert met.from_s <= met.certain_from_s <= met.certain_to_s <= met.to_s
    assert met.reasons == ()


def test_times_that_are_uncertain_make_possible_what_was_not_so_by_the_times_as_reported():
    blue = driven("blue", 0.0)
    red = driven("red", 600.0, [(42.02, 37.2), (42.04, 37.2)])
    late = replace(blue, track=replace(blue.track, late_s=600.0))
    assert encounters([blue, red]) == ()
    (met,) = encounters([late, red])
    assert met.certain_from_s is None
    assert "the times of the positions are uncertain" in met.reasons


@pytest.mark.parametrize("seed", range(4))
def test_the_stretches_in_which_tracks_are_searched_lose_nothing_that_lies_across_their_edges(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    after = np.concatenate(([0.0], rng.uniform(20.0, 500.0, 5)))
    tracks = [driven(f"party-{k}", value, ROAD[:: 1 if k % 2 else -1]) for k, value in enumerate(after)]
    whole = encounters(tracks, ONE_MINUTE)
    assert len(whole) > 2
    monkeypatch.setattr("keepclear.watch.nearness._POSITIONS", 12)
    parts = encounters(tracks, ONE_MINUTE)
    assert [(one.a, one.b) for one in parts] == [(one.a, one.b) for one in whole]
    for one, other in zip(whole, parts, strict=True):
        assert (other.from_s, other.to_s) == (pytest.approx(one.from_s), pytest.approx(one.to_s))
        assert other.certain_from_s == pytest.approx(one.certain_from_s)
        assert other.approach.horizontal_m == pytest.approx(one.approach.horizontal_m, abs=1e-3)
