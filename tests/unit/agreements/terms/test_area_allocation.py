import pytest

from keepclear.errors import InputError
from tests.unit.agreements.terms.made_terms import area, filed, flown, only, patrol, results, term

SAMPLE = {"areas": {"ru": "map.geojson#east", "tr": "map.geojson#west"}}


def allocation(**more):
    return term("AREA_ALLOCATION", **(SAMPLE | more))


def test_each_keeps_out_of_the_area_of_the_other_and_not_out_of_its_own():
    assert results(allocation(), [filed(area("ru", lon=42.0, lat=36.8))]) == ["met"]
    assert results(allocation(), [filed(area("tr", lon=42.0, lat=36.8))]) == ["breached"]
    assert only(allocation(), [filed(area("ru", lon=39.8, lat=36.8))]).result == "breached"
    assert results(allocation(), tracks=[flown("tr", positions=[(41.6, 36.8), (41.7, 36.8)])]) == ["breached"]
    assert results(allocation(areas={"ru": "map.geojson#east"}), [filed(area("ru", lon=42.0, lat=36.8))]) == ["met"]


def test_the_zones_it_contributes_bind_the_others():
    east, west = allocation().contributes().zones
    assert (east.binds(patrol("ru")), east.binds(patrol("tr"))) == (False, True)
    assert (west.binds(patrol("ru")), west.binds(patrol("tr"))) == (True, False)


def test_only_parties_have_areas():
    with pytest.raises(InputError, match="not a party of the agreement"):
        allocation(areas={"mars": "map.geojson#east"})
