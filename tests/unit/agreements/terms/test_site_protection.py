from keepclear.model.kinds import OperationKind, ZoneKind
from tests.unit.agreements.terms.made_terms import area, filed, flown, results, term

SAMPLE = {"site": "map.geojson#qamishli", "buffer": "10 km"}


def site(**more):
    return term("SITE_PROTECTION", **(SAMPLE | more))


def test_hazards_and_exercises_stay_away_and_others_are_not_asked():
    near, far = {"lon": 41.22, "lat": 36.95}, {"lon": 41.22, "lat": 36.5}
    assert results(site(), [filed(area(kind=ZoneKind.HAZARD_AREA, **near))]) == ["breached"]
    assert results(site(), [filed(area(kind=ZoneKind.HAZARD_AREA, **far))]) == ["met"]
    assert results(site(), [filed(area(kind=OperationKind.EXERCISE, **near))]) == ["breached"]
    assert results(site(), [filed(area(kind=OperationKind.PATROL, **near))]) == []
    assert results(site(kinds=["patrol"]), [filed(area(kind=OperationKind.PATROL, **near))]) == ["breached"]
    assert results(site(), [filed(area(kind=ZoneKind.PROTECTED_SITE, **near))]) == []


def test_the_buffer_of_a_polygon_goes_all_round_it():
    west = site(site="map.geojson#west", buffer="5 km")
    assert results(west, [filed(area(lon=40.15, lat=36.9, radius_m=10.0, kind=OperationKind.EXERCISE))]) == ["breached"]
    assert results(west, [filed(area(lon=40.18, lat=36.9, radius_m=10.0, kind=OperationKind.EXERCISE))]) == ["met"]
    assert results(west, [filed(area(lon=39.8, lat=36.9, radius_m=10.0, kind=OperationKind.EXERCISE))]) == ["breached"]


def test_tracks_and_the_zone_it_contributes():
    assert results(site(kinds=["patrol"]), tracks=[flown(positions=[(41.1, 37.05), (41.2, 37.05)])]) == ["breached"]
    assert site().contributes().zones[0].zone.volumes[0].footprint.radius_m == 15_000.0
