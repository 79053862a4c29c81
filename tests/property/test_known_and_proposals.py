"""The index answers as the check does, and every proposal that is said to work does, in worlds made at random."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.model.findings import Answer, Conflict
from keepclear.model.operations import Operation, Zone
from keepclear.separation.changes import apply_proposal
from keepclear.separation.checking import check
from keepclear.separation.known import Key, Known
from keepclear.separation.minima import MinimaTable
from keepclear.separation.proposals import proposals_for
from tests.property.test_metamorphic import _world
from tests.reference.judging import Rule
from tests.reference.worlds import PLACES, SCALES

pytestmark = pytest.mark.slow

# Areas drawn at the poles have so many corners that they would take all the time there is.
WORLD = {
    "seed": st.integers(0, 2**32 - 1),
    "place": st.sampled_from([place for place in PLACES if abs(place.lat) < 60.0]),
    "scale": st.sampled_from(SCALES),
}
RANK = {None: 0, Answer.POSSIBLE: 1, Answer.CONFLICT: 2}


def _pairs(operations: list[Operation], zones: list[Zone], minima: MinimaTable) -> dict[frozenset[Key], Conflict]:
    return {
        frozenset((side.is_zone, side.party, side.id) for side in (conflict.a, conflict.b)): conflict
        for conflict in check(operations, zones, minima=minima).conflicts
    }


@given(**WORLD)
@settings(max_examples=25, deadline=None)
def test_the_index_answers_as_the_check_does(seed: int, place, scale) -> None:
    operations, zones = _world(seed, place, scale)
    minima = Rule(scale.horizontal_m, scale.vertical_m).table
    pairs = _pairs(operations, zones, minima)
    known = Known(minima=minima)
    for thing in (*zones, *operations):
        own = isinstance(thing, Zone), thing.party, thing.id
        expected = {
            key: conflict.answer
            for pair, conflict in pairs.items()
            if own in pair
            for key in pair - {own}
            if key in known
        }
        assert known.answers_of(thing) == expected
        known.add(thing)
    for thing in operations:
        own = False, thing.party, thing.id
        for conflict in known.conflicts_of(thing):
            same = pairs[frozenset((side.is_zone, side.party, side.id) for side in (conflict.a, conflict.b))]
            assert conflict.answer is same.answer
            assert conflict.reasons == same.reasons
            assert conflict.closest.horizontal_m == pytest.approx(same.closest.horizontal_m, abs=0.01)
        assert {key for pair in pairs if own in pair for key in pair - {own}} == known.answers_of(thing).keys()


@given(**WORLD)
@settings(max_examples=10, deadline=None)
def test_what_is_said_to_work_works(seed: int, place, scale) -> None:
    operations, zones = _world(seed, place, scale)
    minima = Rule(scale.horizontal_m, scale.vertical_m).table
    before = _pairs(operations, zones, minima)
    known = Known(operations, zones, minima=minima)
    for pair, conflict in list(before.items())[seed % 3 :: max(1, len(before) // 3)]:
        for proposal in proposals_for(known, conflict):
            if not proposal.works:
                assert proposal.because
                continue
            side = conflict.a if proposal.side == "a" else conflict.b
            moved = [
                apply_proposal(one, proposal, conflict) if (one.party, one.id) == (side.party, side.id) else one
                for one in operations
            ]
            after = _pairs(moved, zones, minima)
            assert pair not in after, proposal
            for other, found in after.items():
                was = before[other].answer if other in before else None
                assert RANK[found.answer] <= RANK[was], (proposal, other)
