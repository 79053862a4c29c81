from dataclasses import replace

import pytest

from keepclear.agreements.terms.geometry import Annexes
from keepclear.errors import InputError
from keepclear.model.kinds import OperationKind
from tests.unit.agreements.terms.made_terms import ANNEXES, PATROL, area, filed, flown, only, patrol, results, term

SAMPLE = {"area": "map.geojson#west"}


def zone(**more):
    return term("EXCLUSION_ZONE", **(SAMPLE | more))


def test_a_straight_leg_55_km_to_the_west_is_in_the_zone():
    assert results(zone(), [filed(patrol())]) == ["met"]
    finding = only(zone(), [filed(patrol(positions=[(40.652, 37.065), (40.03, 36.95)]))])
    assert finding.result == "breached"
    assert "is inside map.geojson#west, as filed" in finding.sentence
    assert finding.from_s < finding.to_s


def test_tracks_are_judged_too_and_gaps_are_not_passed_over():
    assert results(zone(), tracks=[flown()]) == ["met"]
    assert results(zone(), tracks=[flown(positions=[*PATROL[:3], (40.05, 36.9)])]) == ["breached"]
    assert results(zone(), tracks=[flown(every_s=1800.0, gap_s=600.0)]) == ["possible"]


def test_heights_bound_it():
    high = zone(floor="FL250", ceiling="FL350")

    def flight(low, high_):
        return filed(area(lon=40.0, lat=36.9, kind=OperationKind.FLIGHT, heights=(low, high_)))

    assert results(high, [flight(100, 200)]) == ["met"]
    assert results(high, [flight(200, 300)]) == ["breached"]
    assert results(high, [filed(area(lon=40.0, lat=36.9, kind=OperationKind.FLIGHT))]) == ["possible"]


def test_uncertainty_and_roughness_are_only_possible():
    assert results(zone(), [filed(area(lon=40.12, lat=36.9, uncertainty_m=5000.0))]) == ["possible"]
    assert results(zone(), [filed(area(lon=40.09, lat=36.9, uncertainty_m=5000.0))]) == ["possible"]
    assert results(zone(), [filed(area(lon=39.8, lat=36.9, uncertainty_m=5000.0))]) == ["breached"]
    inside = filed(area(lon=40.0, lat=36.9))
    assert results(zone(), [inside]) == ["breached"]
    assert results(zone(), [replace(inside, is_rough=True)]) == ["possible"]
    assert results(zone(), [replace(inside, plan=None, problem="the body is not held")]) == ["possible"]


def test_it_contributes_its_zone_to_those_whom_it_binds():
    (bound,) = zone(parties=["ru"], kinds=["patrol"]).contributes().zones
    assert bound.binds(patrol("ru"))
    assert not bound.binds(patrol("tr"))
    assert not bound.binds(patrol("ru", kind=OperationKind.CONVOY))
    assert bound.binds(patrol("ru", kind=None))
    assert not bound.binds(patrol("ru"), on_behalf_of="militia")
    assert zone(affiliates=["militia"]).contributes().zones[0].binds(patrol("ru"), on_behalf_of="militia")


@pytest.mark.parametrize(
    ("member", "given", "words"),
    [
        ("floor", "FL", "a flight level without a number"),
        ("floor", "100", "not a height"),
        ("floor", "100 m", "not a height"),
        ("floor", "100 m FL", "not a height"),
        ("ceiling", "100 m MOON", "unknown height reference"),
        ("area", "map.geojson#border", "not an area"),
        ("area", "map.geojson#bow tie", "crosses"),
        ("area", 7, "not the name of a geometry"),
    ],
)
def test_bad_parameters(member, given, words):
    with pytest.raises(InputError, match=words):
        zone(**{member: given})


def test_the_ceiling_is_above_the_floor():
    with pytest.raises(InputError, match="the ceiling is not above the floor"):
        zone(floor="3000 m AMSL", ceiling="9000 ft AMSL")


def test_terms_of_one_area_share_what_is_worked_out_of_it():
    annexes = Annexes(ANNEXES)
    assert annexes.area("map.geojson#east") is annexes.area("map.geojson#east")
    assert annexes.area("map.geojson#east").region is annexes.area("map.geojson#east").region
    assert annexes.line("map.geojson#border").border is annexes.line("map.geojson#border").border
    with pytest.raises(InputError):
        annexes.line("map.geojson#east")
    with pytest.raises(InputError):
        annexes.area("map.geojson#border")
