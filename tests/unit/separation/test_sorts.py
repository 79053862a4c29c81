"""Sorts of operations and zones, and the minima between them as matrices."""

from __future__ import annotations

import math

import pytest

from keepclear.errors import InputError
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.separation.minima import MinimaTable, Rule
from keepclear.separation.sorts import NO_RULE, sort_out
from tests.reference.made import HOME, operation, track, zone

PLACE = Volume(Circle(*HOME, 100.0))
MOVE = track((0, 0, 0, 100), (10, 100, 0, 100))
DEFAULT = MinimaTable.default()


def flight(party: str, **more):
    return operation(party, MOVE, **{"kind": OperationKind.FLIGHT, **more})


def test_operations_of_one_kind_and_domain_share_a_row() -> None:
    things = [
        flight("A"),
        flight("B"),
        flight("C", kind=OperationKind.CONVOY),
        flight("D", domains=frozenset({Domain.UAS})),
    ]
    sorts = sort_out(things, (), DEFAULT)
    a, b, c, d = sorts.of_operation.tolist()
    assert a == b
    assert len({a, c, d}) == 3
    assert sorts.minima(a, c).rule == "ground – air"
    assert sorts.minima(d, d).rule == "uas – uas"


def test_only_aircraft_have_a_row_for_high_legs() -> None:
    sorts = sort_out([flight("A"), flight("B", kind=OperationKind.CONVOY)], (), DEFAULT)
    low, high = sorts.of_operation.tolist(), sorts.of_high_legs.tolist()
    assert high[0] != low[0]
    assert high[1] == low[1]
    assert sorts.vertical_m[high[0], high[0]] == pytest.approx(609.6)
    assert sorts.vertical_m[low[0], low[0]] == pytest.approx(304.8)


def test_matrices_say_what_the_bindings_say_both_ways() -> None:
    zones = [zone(kind, PLACE) for kind in ZoneKind]
    things = [flight(kind.value, kind=kind) for kind in OperationKind]
    sorts = sort_out(things, zones, DEFAULT)
    rows = len(sorts.bindings)
    for a in range(rows):
        for b in range(rows):
            binding = sorts.bindings[a][b]
            cell = sorts.horizontal_m[a, b], sorts.vertical_m[a, b], sorts.time_s[a, b]
            assert cell == (sorts.horizontal_m[b, a], sorts.vertical_m[b, a], sorts.time_s[b, a])
            assert sorts.is_conflict[a, b] == sorts.is_conflict[b, a]
            if binding is None:
                assert cell == (NO_RULE, NO_RULE, 0.0)
                with pytest.raises(AssertionError):
                    sorts.minima(a, b)
            else:
                minima = binding.minima
                vertical = math.inf if minima.vertical_m is None else minima.vertical_m
                assert cell == (minima.horizontal_m, vertical, minima.time_s)
                assert sorts.minima(a, b) == minima


def test_a_geo_zone_binds_by_its_rule() -> None:
    rules = [ZoneRule.PROHIBITED, ZoneRule.REQ_AUTHORIZATION, ZoneRule.CONDITIONAL, ZoneRule.NO_RESTRICTION]
    zones = [zone(ZoneKind.GEO_ZONE, PLACE, rule=rule, party=rule.value) for rule in rules]
    sorts = sort_out([flight("A")], zones, DEFAULT)
    row = sorts.of_operation[0]
    assert [bool(sorts.is_conflict[row, k]) for k in sorts.of_zone] == [True, False, False, False]
    assert [bool(sorts.horizontal_m[row, k] >= 0.0) for k in sorts.of_zone] == [True, True, True, False]


def test_a_minimum_of_nothing_between_units_that_move_is_refused() -> None:
    for numbers in ((0.0, 100.0), (500.0, 0.0), (0.0005, 100.0)):
        with pytest.raises(InputError, match="must be greater than 0"):
            sort_out([flight("A"), flight("B")], (), MinimaTable.single(*numbers))
    nothing = DEFAULT.with_rules([Rule("ground", "ground", 0.0, None, 0.0, "a test")])
    with pytest.raises(InputError, match="ground – ground"):
        sort_out([flight(party, kind=OperationKind.CONVOY) for party in "AB"], (), nothing)


def test_between_standing_volumes_it_is_not() -> None:
    standing = [operation(party, PLACE, kind=OperationKind.FLIGHT) for party in "AB"]
    sorts = sort_out(standing, (), MinimaTable.single(0.0, 0.0))
    assert sorts.horizontal_m[0, 0] == 0.0


def test_nothing_to_sort() -> None:
    sorts = sort_out((), (), DEFAULT)
    assert sorts.horizontal_m.shape == (0, 0)
    assert sorts.of_operation.tolist() == []
