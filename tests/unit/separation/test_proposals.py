"""The smallest changes that part two: each kind of change, what forbids it, and in which words it is put."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Answer, Conflict, Proposal
from keepclear.model.footprints import Circle
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.changes import Impossible, apply_proposal
from keepclear.separation.checking import check
from keepclear.separation.minima import MinimaTable
from tests.reference.made import HOME, at, operation, track, zone
from tests.reference.worlds import EPOCH_S, volume

MINIMA = MinimaTable.single(500.0, 100.0)
EAST = track((0, -60_000, 0, 2000), (600, 0, 0, 2000), (1200, 60_000, 0, 2000))
NORTH = track((0, 0, -60_000, 2000), (600, 0, 0, 2000), (1200, 0, 60_000, 2000))


def proposals(*things: Operation | Zone, **options: object) -> tuple[Conflict, dict[tuple[str, str], Proposal]]:
    """The first finding and its proposals, by party and change."""
    operations = [one for one in things if isinstance(one, Operation)]
    zones = [one for one in things if isinstance(one, Zone)]
    conflict = check(operations, zones, minima=MINIMA, propose=True, **options).conflicts[0]
    by_change = {((conflict.a if one.side == "a" else conflict.b).party, one.change): one for one in conflict.proposals}
    assert len(by_change) == len(conflict.proposals)
    return conflict, by_change


def answer_after(conflict: Conflict, proposal: Proposal, *things: Operation | Zone) -> Answer:
    side = conflict.a if proposal.side == "a" else conflict.b
    operations = [
        apply_proposal(one, proposal, conflict) if (one.party, one.id) == (side.party, side.id) else one
        for one in things
        if isinstance(one, Operation)
    ]
    return check(operations, [one for one in things if isinstance(one, Zone)], minima=MINIMA).answer


def test_two_that_cross_can_be_parted_in_every_way() -> None:
    a, b = operation("A", EAST), operation("B", NORTH)
    conflict, found = proposals(a, b)
    assert found.keys() == set(itertools.product("AB", ("delay", "earlier", "level", "shift", "detour")))
    for proposal in found.values():
        assert proposal.works, proposal
        assert proposal.because == ""
        assert math.isfinite(proposal.cost)
        assert answer_after(conflict, proposal, a, b) is Answer.CLEAR
    costs = [proposal.cost for proposal in conflict.proposals]
    assert costs == sorted(costs)


def test_amounts_are_the_smallest_of_their_step() -> None:
    # At 100 m/s on a square crossing the two are least apart when one is 7.07 s late: 500 m / 100 m/s * √2.
    a, b = operation("A", EAST), operation("B", NORTH)
    conflict, found = proposals(a, b)
    assert found["A", "delay"].amount == 8.0
    assert found["A", "earlier"].amount == 8.0
    assert abs(found["A", "level"].amount) == 100.0
    assert abs(found["A", "shift"].amount) == pytest.approx(710.0, abs=10.0)
    for change, step in (("delay", 1.0), ("level", 10.0), ("shift", 10.0)):
        one = found["A", change]
        less = replace(one, amount=one.amount - math.copysign(step, one.amount))
        assert answer_after(conflict, less, a, b) is Answer.CONFLICT, change


def test_words() -> None:
    _, found = proposals(operation("A", EAST), operation("B", NORTH, kind=OperationKind.UAS))
    assert found["A", "delay"].sentence == "A flight A1 starts 8 s later (00:00:08Z)"
    assert found["A", "earlier"].sentence == "A flight A1 starts 8 s earlier (2025-12-31 23:59:52Z)"
    assert re.fullmatch(r"B uas B1 goes higher by 100 m", found["B", "level"].sentence)
    assert re.fullmatch(r"A flight A1 moves its whole route \d+ m to the right \(south\)", found["A", "shift"].sentence)
    assert re.fullmatch(
        r"A flight A1 goes round, [\d,]+ m to the (right|left) of its route \((south|north)\) from [\d:]+Z to [\d:]+Z",
        found["A", "detour"].sentence,
    )
    for proposal in found.values():
        for forbidden in ("approv", "safe", "clear", "permi", "allowed to"):
            assert forbidden not in proposal.sentence.lower()


def test_on_the_ground_nobody_climbs() -> None:
    a = operation("A", track((0, -3000, 0, 0), (600, 3000, 0, 0)), kind=OperationKind.CONVOY)
    b = operation("B", track((0, 0, -3000, 0), (600, 0, 3000, 0)), kind=OperationKind.CONVOY)
    _, found = proposals(a, b)
    assert not found["A", "level"].works
    assert "in the air" in found["A", "level"].because
    assert "roads" in found["A", "shift"].sentence
    assert found["A", "delay"].works


def test_what_was_flown_stays() -> None:
    steps = [(60 * k, -60_000 + 6000 * k, 0, 2000) for k in range(21)]
    flown = operation("A", track(*steps, basis=TrackBasis.FLOWN))
    conflict, found = proposals(flown, operation("B", NORTH))
    assert not found["A", "delay"].works
    assert "flown" in found["A", "delay"].because
    assert [party for party, _ in found].count("A") == 1
    assert found["B", "delay"].works
    with pytest.raises(Impossible, match="flown"):
        apply_proposal(flown, found["B", "delay"], replace(conflict, a=conflict.b, b=conflict.a))


def test_flight_levels_change_in_steps_of_500_feet() -> None:
    level = replace(EAST, height_reference=HeightReference.FL)
    _, found = proposals(operation("A", level), operation("B", replace(NORTH, height_reference=HeightReference.FL)))
    assert abs(found["A", "level"].amount) == pytest.approx(152.4)
    assert "(500 ft)" in found["A", "level"].sentence


@pytest.mark.parametrize(
    ("height", "why"), [(math.nan, "not known"), (18_250.0, "above 18,288 m"), (20.0, "below 0 m")]
)
def test_heights_that_cannot_be(height: float, why: str) -> None:
    a = operation("A", replace(EAST, height_m=np.full(3, height)))
    b = operation("B", replace(NORTH, height_m=np.full(3, height)))
    _, found = proposals(a, b)
    level = found["A", "level"]
    if math.isnan(height):
        assert not level.works
        assert why in level.because
    else:  # one of the two ways is shut
        assert level.works
        assert level.amount == math.copysign(100.0, 1_000.0 - height)


def test_drones_stay_low() -> None:
    low = {"height_reference": HeightReference.AGL, "height_m": np.full(3, 60.0)}
    a = operation("A", replace(EAST, **low), kind=OperationKind.UAS)
    b = operation("B", replace(NORTH, **low), kind=OperationKind.UAS)
    _, found = proposals(a, b)
    assert not found["A", "level"].works
    assert "above 120 m" in found["A", "level"].because or "below the ground" in found["A", "level"].because


def test_a_third_one_is_not_run_into() -> None:
    a, b = operation("A", EAST), operation("B", NORTH)
    # Crossing A's route just where it would be 8 s later, and so on up to 21 s; and above it.
    third = operation("C", replace(NORTH, time_s=NORTH.time_s + 14.0), replace(NORTH, height_m=NORTH.height_m + 150.0))
    conflict, found = proposals(a, b, third)
    assert {conflict.a.party, conflict.b.party} == {"A", "B"}
    assert found["A", "delay"].amount > 14.0 + 7.0
    assert found["A", "level"].amount < 0.0
    for proposal in found.values():
        if proposal.works:
            assert answer_after(conflict, proposal, a, b, third) is Answer.CLEAR


def test_what_stays_is_said() -> None:
    a, b = operation("A", EAST), operation("B", NORTH)
    third = operation("C", track((0, 30_000, -30_000, 2000), (600, 30_000, 0, 2000), (1200, 30_000, 30_000, 2000)))
    other = operation("D", track((0, -60_300, 0, 2000), (600, -300, 0, 2000), (1200, 59_700, 0, 2000)))
    report = check([a, b, third, other], minima=MINIMA, propose=True)
    conflict = next(one for one in report.conflicts if {one.a.party, one.b.party} == {"A", "B"})
    delays = [one for one in conflict.proposals if one.change == "earlier" and one.works]
    assert any("it stays too close to D flight D1" in one.sentence for one in conflict.proposals if one.works), delays


def test_round_a_zone_that_never_ends() -> None:
    shut = zone(ZoneKind.NO_GO_AREA, Volume(Circle(*HOME, 3000.0)))
    a = operation("A", EAST)
    conflict, found = proposals(a, shut)
    assert {party for party, _ in found} == {"A"}, "zones do not move"
    for change in ("delay", "earlier", "level"):
        assert not found["A", change].works
        assert "does not part it from Z no-go area" in found["A", change].because
    detour = found["A", "detour"]
    assert 3000.0 < abs(detour.amount) < 3600.0
    assert answer_after(conflict, detour, a, shut) is Answer.CLEAR
    bent = apply_proposal(a, detour, conflict).tracks[0]
    assert bent.time_s[0] == EAST.time_s[0]
    np.testing.assert_allclose([bent.lon_deg[0], bent.lat_deg[-1]], [EAST.lon_deg[0], EAST.lat_deg[-1]], atol=1e-12)


def test_until_a_zone_opens() -> None:
    shut = zone(ZoneKind.NO_GO_AREA, Volume(Circle(*HOME, 3000.0), start_s=EPOCH_S, end_s=EPOCH_S + 1800.0))
    conflict, found = proposals(operation("A", EAST), shut)
    # It reaches the zone after 570 s, so it must start 1,230 s later: 21 whole minutes.
    assert found["A", "delay"].amount == 21 * 60.0
    assert found["A", "delay"].sentence == "A flight A1 starts 21 min later (00:21:00Z)"
    assert answer_after(conflict, found["A", "delay"], operation("A", EAST), shut) is Answer.CLEAR


def test_no_way_round_where_it_begins() -> None:
    shut = zone(ZoneKind.NO_GO_AREA, Volume(Circle(float(EAST.lon_deg[0]), float(EAST.lat_deg[0]), 3000.0)))
    _, found = proposals(operation("A", EAST), shut)
    assert not found["A", "detour"].works
    assert "begins or ends" in found["A", "detour"].because


def test_too_fast_to_go_round() -> None:
    shut = zone(ZoneKind.NO_GO_AREA, Volume(Circle(*HOME, 3000.0)))
    _, found = proposals(operation("A", EAST, top_speed_m_s=101.0), shut)
    assert not found["A", "detour"].works
    assert "m/s" in found["A", "detour"].because


def test_an_area_moves_away() -> None:
    area = operation("A", volume(Circle(*HOME, 2000.0), (EPOCH_S, EPOCH_S + 3600.0), (1000.0, 3000.0)))
    conflict, found = proposals(area, operation("B", NORTH))
    assert found["A", "shift"].works
    assert found["A", "shift"].sentence.startswith("A flight A1 moves its area ")
    assert not found["A", "detour"].works
    assert answer_after(conflict, found["A", "shift"], area, operation("B", NORTH)) is Answer.CLEAR
    assert found["A", "delay"].works


def test_an_area_without_times_or_heights() -> None:
    known = Volume(Circle(*HOME, 2000.0), Height(0.0, HeightReference.W84), Height(3000.0, HeightReference.W84))
    _, found = proposals(operation("A", known), operation("B", NORTH))
    assert "times are not known" in found["A", "delay"].because
    bare = Volume(Circle(*HOME, 2000.0), start_s=EPOCH_S, end_s=EPOCH_S + 60.0)
    _, found = proposals(operation("A", replace(bare, end_s=EPOCH_S + 3600.0)), operation("B", NORTH))
    assert "heights are not known" in found["A", "level"].because


def test_tolerances_by_position_go_along() -> None:
    by_position = replace(EAST, late_s=np.array([0.0, 2.0, 4.0]), uncertainty_m=np.array([0.0, 10.0, 20.0]))
    a, b = operation("A", by_position), operation("B", NORTH)
    conflict, found = proposals(a, b)
    detour = apply_proposal(a, found["A", "detour"], conflict).tracks[0]
    assert len(detour.late_s) == len(detour.time_s) > 3
    assert detour.late_s[-1] == 4.0
    assert answer_after(conflict, found["A", "detour"], a, b) is Answer.CLEAR


def test_a_window_does_not_hide_what_a_delay_would_run_into() -> None:
    a, b = operation("A", EAST), operation("B", NORTH)
    window = (EPOCH_S + 590.0, EPOCH_S + 610.0)
    third = operation("C", replace(NORTH, time_s=NORTH.time_s + 14.0))
    _, found = proposals(a, b, third, window=window)
    assert found["A", "delay"].amount > 14.0 + 7.0


def test_the_order_of_the_files_does_not_matter() -> None:
    a, b = operation("A", EAST), operation("B", replace(NORTH, late_s=5.0))
    one, other = (proposals(*both)[0] for both in ((a, b), (b, a)))
    assert [(p.change, p.amount, p.sentence, p.cost) for p in one.proposals] == [
        (p.change, p.amount, p.sentence, p.cost) for p in other.proposals
    ]


def test_parked_beside_a_route() -> None:
    parked = operation(
        "A", Track(EPOCH_S + np.array([0.0, 1200.0]), *np.array([at(200.0, 0.0)] * 2).T, np.full(2, 2e3))
    )
    other = operation("B", NORTH)
    conflict, found = proposals(parked, other)
    assert found["A", "shift"].works
    assert found["A", "shift"].amount in (300.0, 310.0)
    assert found["A", "shift"].sentence.endswith(" m to the right (east)")
    for proposal in found.values():
        if proposal.works:
            assert answer_after(conflict, proposal, parked, other) is Answer.CLEAR
