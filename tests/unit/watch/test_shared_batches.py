"""Batches of one unit that others share: one track, or each by itself where they contradict each other."""

from __future__ import annotations

from dataclasses import replace

from keepclear.watch.encounters import encounters
from keepclear.watch.shared_batches import joined_batches
from tests.unit.watch.encounters_made import HOUR, moved

FIRST_S = 1_900_000_000.0


def batch(name, lon_deg, from_s, to_s):
    points = [(lon_deg, 37.0), (lon_deg + 0.01, 37.0)]
    return replace(moved("TR", "t1", points, (FIRST_S + from_s, FIRST_S + to_s)), batches=(name * 64,))


def test_batches_that_follow_each_other_are_one_track():
    (track,) = joined_batches([batch("a", 41.0, 0.0, HOUR), batch("b", 41.01, HOUR + 10.0, 2.0 * HOUR)])
    assert track.unit == "t1"
    assert track.batches == ("a" * 64, "b" * 64)


def test_who_shares_another_place_besides_hides_no_encounter():
    ours = moved("RU", "r1", [(41.0, 37.0005), (41.01, 37.0005)], (FIRST_S, FIRST_S + HOUR))
    true, far = batch("a", 41.0, 0.0, HOUR), batch("b", 45.0, 0.0, 3.0 * HOUR)
    for shared in ([true, far], [far, true]):
        tracks = [ours, *joined_batches(shared)]
        assert len({one.unit for one in tracks}) == 3
        assert len(encounters(tracks)) == 1
