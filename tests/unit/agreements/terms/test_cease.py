import pytest

from keepclear.errors import InputError
from keepclear.model.kinds import OperationKind
from tests.unit.agreements.terms.made_terms import T0, area, filed, flown, results, term

SAMPLE = {"activity": "exercises", "kinds": ["exercise"], "from": "2019-10-30T00:00:00Z"}


def cease(**more):
    return term("CEASE", **(SAMPLE | more))


def exercise(**more):
    return filed(area(kind=OperationKind.EXERCISE, **more))


def test_before_its_time_nothing_is_due_and_after_it_silence_shows_nothing():
    assert results(cease(), at_s=T0 - 10 * 86_400) == ["not yet"]
    assert results(cease()) == ["no data"]


def test_what_takes_place_after_it_is_a_breach_and_what_does_before_is_not():
    assert results(cease(), [exercise()]) == ["no data", "breached"]
    assert results(cease(), [exercise(start_s=T0 - 10 * 86_400)]) == ["no data", "not yet"]
    assert results(cease(), tracks=[flown(kind="exercise")]) == ["no data", "breached"]
    assert results(cease(), tracks=[flown(kind="patrol")]) == ["no data"]


def test_in_an_area_alone():
    west = cease(area="map.geojson#west")
    assert results(west, [exercise()]) == ["no data", "met"]
    assert results(west, [exercise(lon=39.9, lat=36.9)]) == ["no data", "breached"]
    assert results(west, tracks=[flown(kind="exercise", positions=[(40.0, 36.9), (40.0, 36.8)])])[-1] == "breached"


def test_an_unknown_kind_is_only_possible():
    assert results(cease(), [filed(area(kind=None))]) == ["no data", "possible"]


def test_it_says_from_when_and_what():
    with pytest.raises(InputError) as raised:
        term("CEASE", activity="exercises")
    assert {one.field for one in raised.value.faults} == {"from", "kinds"}
