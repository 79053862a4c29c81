"""What is known and what one more comes too close to: the same as a check of everything, as things come and go."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import JointPlan, Operation, Zone
from keepclear.separation.checking import check
from keepclear.separation.index import BLOCK
from keepclear.separation.known import Key, Known
from tests.reference.made import HOME, operation, track, zone
from tests.reference.worlds import EPOCH_S, volume

EAST = track((0, -5000, 0, 1000), (100, 5000, 0, 1000))
NORTH = track((0, 0, -5000, 1000), (100, 0, 5000, 1000))


def answers(known: Known, thing: Operation | Zone) -> dict[Key, Answer]:
    """What the index says, which must be the same asked in full and asked for answers alone."""
    found = {}
    own = isinstance(thing, Zone), thing.party, thing.id
    for conflict in known.conflicts_of(thing):
        sides = [(side.is_zone, side.party, side.id) for side in (conflict.a, conflict.b)]
        assert own in sides
        found[sides[0] if sides[1] == own else sides[1]] = conflict.answer
    assert found == known.answers_of(thing)
    return found


def from_check(things: list[Operation | Zone], thing: Operation | Zone) -> dict[Key, Answer]:
    operations = [one for one in things if isinstance(one, Operation)]
    zones = [one for one in things if isinstance(one, Zone)]
    own = isinstance(thing, Zone), thing.party, thing.id
    found = {}
    for conflict in check(operations, zones).conflicts:
        sides = [(side.is_zone, side.party, side.id) for side in (conflict.a, conflict.b)]
        if own in sides:
            found[sides[0] if sides[1] == own else sides[1]] = conflict.answer
    return found


def test_nothing_is_known_at_first() -> None:
    assert answers(Known(), operation("A", EAST)) == {}


def test_one_that_is_known_and_need_not_be() -> None:
    known = Known([operation("A", EAST)])
    assert answers(known, operation("B", NORTH)) == {(False, "A", "A1"): Answer.CONFLICT}
    assert len(known) == 1, "asking makes nothing known"
    assert (False, "A", "A1") in known


def test_it_replaces_the_one_of_its_name() -> None:
    known = Known([operation("A", EAST), operation("B", NORTH)], between="all")
    assert answers(known, operation("A", EAST)) == {(False, "B", "B1"): Answer.CONFLICT}


def test_own_operations_only_if_asked() -> None:
    own = Operation("A", "other", OperationKind.FLIGHT, tracks=(NORTH,))
    assert answers(Known([operation("A", EAST)]), own) == {}
    assert answers(Known([operation("A", EAST)], between="all"), own) == {(False, "A", "A1"): Answer.CONFLICT}


def test_joint_operations_are_not_in_conflict() -> None:
    one = operation("A", EAST, joint=JointPlan("P", frozenset({"B1"})))
    other = operation("B", NORTH, joint=JointPlan("P", frozenset({"A1"})))
    assert answers(Known([one]), other) == {}


def test_gone_is_gone() -> None:
    known = Known([operation("A", EAST), operation("C", EAST)])
    known.remove("A", "A1")
    assert answers(known, operation("B", NORTH)) == {(False, "C", "C1"): Answer.CONFLICT}
    known.add(operation("D", EAST))
    assert answers(known, operation("B", NORTH)).keys() == {(False, "C", "C1"), (False, "D", "D1")}
    known.remove("C", "C1")
    known.remove("D", "D1")
    assert answers(known, operation("B", NORTH)) == {}
    assert len(known) == 0


def test_zones_come_and_go() -> None:
    circle = Volume(Circle(*HOME, 2000.0), start_s=EPOCH_S, end_s=EPOCH_S + 100.0)
    known = Known([operation("A", EAST)])
    closed = zone(ZoneKind.NO_GO_AREA, circle)
    assert answers(known, closed) == {(False, "A", "A1"): Answer.CONFLICT}
    known.add(closed)
    assert answers(known, operation("B", NORTH)).keys() == {(False, "A", "A1"), (True, "Z", closed.id)}
    known.remove("Z", closed.id, zone=True)
    assert answers(known, operation("B", NORTH)).keys() == {(False, "A", "A1")}


def test_two_zones() -> None:
    hazard = zone(ZoneKind.HAZARD_AREA, volume(Circle(*HOME, 500.0)))
    site = zone(ZoneKind.PROTECTED_SITE, volume(Circle(*HOME, 500.0)))
    assert answers(Known([], [site]), hazard) == {(True, "Z", site.id): Answer.CONFLICT}


@pytest.mark.parametrize("kind", [None, *OperationKind])
def test_kinds_that_come_later(kind: OperationKind | None) -> None:
    first = [operation("A", EAST), operation("B", NORTH, kind=OperationKind.CONVOY)]
    later = operation("C", track((0, 400, -5000, 1000), (100, 400, 5000, 1000)), kind=kind)
    known = Known(first)
    known.add(later)
    for thing in (*first, later):
        assert answers(known, thing) == from_check([*first, later], thing)


@pytest.mark.parametrize(
    "asked",
    [
        track((0, 0, -5000, 1000), (100, 0, 5000, 1000), early_s=math.inf, late_s=math.inf),
        track((4000, 0, -5000, 1000), (4100, 0, 5000, 1000), early_s=math.inf),
        track((4000, 0, -5000, 1000), (4100, 0, 5000, 1000), late_s=math.inf),
        track((0, 0, -5000, math.nan), (100, 0, 5000, math.nan)),
        track((0, 0, -5000, 1000), (100, 0, 5000, 1000), uncertainty_m=300_000.0),
        track((0, 0, 0, 1000)),
        track((0, 0, 0, 1000), (0, 0, 0, 1000), (9000, 0, 0, 1000)),
        track((-1e6, 100, 0, 1000), (1e6, 100, 0, 1000)),
        track((0, 0, -5000, 1000), (100, 0, 5000, 1000), (7000, 0, 60_000, 1000), basis=TrackBasis.FLOWN),
    ],
    ids=["any time", "much earlier", "much later", "no height", "anywhere", "instant", "parked", "for weeks", "silent"],
)
def test_odd_ones(asked: Track) -> None:
    crowd = [
        Operation(f"P{k}", str(k), OperationKind.FLIGHT, tracks=(track((t, e, 0, 1000), (t + 60, e + 9000, 0, 1000)),))
        for k, (t, e) in enumerate([(0, -5000), (50, -4000), (3000, -5000), (-4000, -5000), (0, 300_000), (90_000, 0)])
    ]
    one = operation("X", asked)
    expected = from_check([*crowd, one], one)
    assert answers(Known(crowd), one) == expected
    known = Known([one])
    for other in crowd:
        assert answers(known, other) == from_check([one, other], other)


@pytest.mark.slow  # two minutes without the compiler
def test_many_come_and_go_in_any_order() -> None:
    rng = np.random.default_rng(5)

    def made(k: int) -> Operation:
        n = int(rng.integers(1, 3 * BLOCK))
        t, e, north = np.cumsum(rng.uniform(-1, 1, (3, n)) * [[0], [900], [900]], axis=1)
        t = np.sort(rng.uniform(0, 3000, n))
        points = [(t[i], 2e4 * np.sin(k) + e[i], 2e4 * np.cos(k) + north[i], 1000.0) for i in range(n)]
        more = {"late_s": 60.0} if k % 5 == 0 else {}
        kind = OperationKind.UAS if k % 3 else OperationKind.FLIGHT
        return Operation("AB"[k % 2], str(k), kind, tracks=(track(*points, **more),))

    things = {k: made(k) for k in range(400)}
    known = Known()
    here: set[int] = set()
    for k in rng.integers(0, 400, 1500).tolist():
        if k in here:
            known.remove(things[k].party, things[k].id)
        else:
            known.add(things[k])
        here ^= {k}
    left = [things[k] for k in sorted(here)]
    assert 100 < len(left) < 300
    found = 0
    for thing in left[::10]:
        same = answers(known, thing)
        assert same == from_check(left, thing)
        found += len(same)
    assert found > 20


def test_closest_and_intervals_are_those_of_the_check() -> None:
    report = check([operation("A", EAST), operation("B", NORTH)])
    (found,) = Known([operation("B", NORTH)]).conflicts_of(operation("A", EAST))
    (expected,) = report.conflicts
    assert found.sentence == expected.sentence
    assert found.minima == expected.minima
    for one, other in zip(found.intervals, expected.intervals, strict=True):
        assert one.start_s == pytest.approx(other.start_s, abs=1e-3)
        assert one.end_s == pytest.approx(other.end_s, abs=1e-3)


def test_twice_the_same() -> None:
    known = Known([operation("A", EAST)])
    with pytest.raises(InputError, match="have this id"):
        known.add(operation("A", NORTH))
    with pytest.raises(InputError, match="have this id"):
        Known([operation("B", EAST), operation("B", NORTH)])
    assert len(known) == 1


def test_what_is_not_there_cannot_go() -> None:
    known = Known([operation("A", EAST)])
    for options in ({"zone": True}, {}):
        with pytest.raises(InputError, match="of this id"):
            known.remove("A", "A2" if not options else "A1", **options)
    assert answers(known, operation("B", NORTH)) == {(False, "A", "A1"): Answer.CONFLICT}


def test_no_such_choice() -> None:
    with pytest.raises(InputError, match="not a choice"):
        Known(between="friends")
