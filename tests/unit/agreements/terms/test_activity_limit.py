import pytest

from keepclear.model.kinds import OperationKind
from tests.unit.agreements.terms.made_terms import area, filed, flown, results, term

SAMPLE = {"line": "map.geojson#border", "distance": "5 km", "echelon": "division"}


def limit(**more):
    return term("ACTIVITY_LIMIT", **(SAMPLE | more))


def exercise(*platforms, lat=37.08):
    return filed(area(lon=41.0, lat=lat, radius_m=100.0, kind=OperationKind.EXERCISE, platforms=platforms))


@pytest.mark.parametrize(
    ("filing", "found"),
    [
        (exercise((1, "division")), ["breached"]),
        (exercise((1, "Corps headquarters")), ["breached"]),
        (exercise((3, "battalion")), []),
        (exercise((3, "tank")), ["possible"]),
        (exercise(), ["possible"]),
        (exercise((1, "division"), lat=36.9), ["met"]),
        (exercise(lat=36.9), ["met"]),
        (filed(area(lon=41.0, lat=37.08)), []),
    ],
)
def test_exercises_of_a_size_stay_away(filing, found):
    assert results(limit(), [filing]) == found


def test_the_size_can_be_a_number_of_platforms():
    many = term("ACTIVITY_LIMIT", line="map.geojson#border", distance="5 km", platforms=100)
    assert results(many, [exercise((120, "tank"))]) == ["breached"]
    assert results(many, [exercise((20, "tank"))]) == []
    assert results(many, [exercise((None, "tank"))]) == ["possible"]
    assert results(many, [exercise((120, "tank"), (None, "truck"))]) == ["breached"]


def test_without_a_size_every_one_is_bound_and_tracks_too():
    every = term("ACTIVITY_LIMIT", line="map.geojson#border", distance="5 km", side="south")
    assert results(every, [exercise()]) == ["breached"]
    near = [(41.0, 37.09), (41.0, 37.08)]
    assert results(every, tracks=[flown(kind="exercise", positions=near)]) == ["breached"]
    assert results(limit(), tracks=[flown(kind="exercise", positions=near)]) == ["possible"]
