"""Who met within the minima of agreements, for as long as these bound."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from keepclear.agreements.standing import Period
from keepclear.agreements.terms.min_separation import MinSeparation
from keepclear.separation.minima import MinimaTable
from keepclear.watch.bound_terms import Bound, encounters_by
from keepclear.watch.encounters import encounters
from tests.unit.watch.encounters_made import HOUR, moved

FIRST_S = 1_900_000_000.0


def bound(from_s, to_s):
    term = MinSeparation(
        id="apart", clause="c6", clause_hash="", parties=frozenset({"RU", "TR"}), members={}, horizontal_m=3000.0
    )  # fmt: skip
    return Bound("sochi", Period(SimpleNamespace(hash="0" * 64), FIRST_S + from_s, FIRST_S + to_s), (term,), ())


def beside(apart_deg):
    """Two units that drive beside each other for three hours."""
    times = (FIRST_S, FIRST_S + 3.0 * HOUR)
    return [
        moved(party, unit, [(41.0, lat), (41.2, lat)], times)
        for party, unit, lat in (("RU", "r1", 37.0), ("TR", "t1", 37.0 + apart_deg))
    ]


def test_minima_of_an_agreement_are_searched_for_while_it_bound_alone():
    tracks = beside(0.02)  # 2.2 km apart: clear by the table
    assert encounters_by(MinimaTable.default(), [], tracks) == ()
    (met,) = encounters_by(MinimaTable.default(), [bound(HOUR, 2.0 * HOUR)], tracks)
    assert (met.minima.horizontal_m, met.a.unit, met.b.unit) == (3000.0, "r1", "t1")
    assert encounters_by(MinimaTable.default(), [bound(-2.0 * HOUR, -HOUR)], tracks) == ()
    assert encounters_by(MinimaTable.default(), [bound(4.0 * HOUR, 5.0 * HOUR)], tracks) == ()


def test_nothing_that_is_found_by_one_table_is_left_out_and_nothing_is_told_twice():
    near = beside(0.001)
    (met,) = encounters_by(MinimaTable.default(), [bound(HOUR, 2.0 * HOUR)], near)
    assert met.to_s - met.from_s > 2.9 * HOUR
    doubtful = [near[0], replace(near[1], track=replace(near[1].track, uncertainty_m=20_000.0))]
    found = encounters(doubtful)
    assert encounters_by(MinimaTable.default(), [], doubtful) == found
