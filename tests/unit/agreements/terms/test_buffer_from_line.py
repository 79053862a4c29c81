import pytest

from keepclear.errors import InputError
from keepclear.model.kinds import OperationKind
from tests.unit.agreements.terms.made_terms import area, filed, flown, only, results, term

SAMPLE = {"line": "map.geojson#border", "distance": {"fixed wing": "40 km", "rotary wing": "10 km", "*": "20 km"}}


def buffer(**more):
    return term("BUFFER_FROM_LINE", **(SAMPLE | more))


def flight(lat, *classes, **more):
    platforms = [(1, name) for name in classes]
    return filed(area(lon=41.0, lat=lat, radius_m=100.0, kind=OperationKind.FLIGHT, platforms=platforms, **more))


@pytest.mark.parametrize(
    ("lat", "classes", "result"),
    [
        (36.85, ["fixed wing"], "breached"),
        (36.65, ["Fixed Wing"], "met"),
        (36.95, ["rotary wing"], "met"),
        (37.05, ["rotary wing"], "breached"),
        (36.95, ["balloon"], "breached"),
        (36.85, ["balloon"], "met"),
        (36.95, ["rotary wing", "balloon"], "breached"),
        (36.85, [""], "possible"),
        (36.85, [], "possible"),
        (37.05, [], "breached"),
        (36.65, [], "met"),
    ],
)
def test_the_distance_depends_on_the_class(lat, classes, result):
    assert results(buffer(), [flight(lat, *classes)]) == [result]


def test_it_says_by_how_much_and_how_much_was_asked():
    finding = only(buffer(), [flight(36.85, "fixed wing")])
    assert "outside the asked 40 km from map.geojson#border" in finding.sentence


def test_one_side_alone_or_both():
    one = {"distance": "10 km"}
    assert results(buffer(**one, side="south"), [flight(37.15)]) == ["met"]
    assert results(buffer(**one), [flight(37.15)]) == ["breached"]
    assert results(buffer(**one, side="south"), [flight(37.05)]) == ["breached"]


def test_only_in_its_segment():
    east = buffer(distance="10 km", segment="map.geojson#east")
    assert results(east, [flight(37.05)]) == ["met"]
    there = filed(area(lon=42.3, lat=36.99, radius_m=1.0, kind=OperationKind.FLIGHT))
    assert results(buffer(distance="40 km", segment="map.geojson#east"), [there]) == ["breached"]


def test_tracks_with_and_without_a_class():
    assert results(buffer(), tracks=[flown(platform_class="rotary wing", kind="flight")]) == ["breached"]
    assert results(buffer(distance="1 m"), tracks=[flown(positions=[(41.0, 37.0), (41.0, 36.95)])]) == ["met"]
    assert results(buffer(), tracks=[flown(positions=[(41.0, 36.8), (41.0, 36.85)])]) == ["possible"]


def test_it_contributes_a_buffer_of_the_largest_distance():
    (bound,) = buffer().contributes().zones
    assert bound.zone.volumes[0].footprint.half_width_m == 40_000.0
    assert len(buffer(side="south").contributes().zones[0].zone.volumes) >= 1
    assert len(buffer().ground()) == 3


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        ("0 km", "no distance"),
        ({}, "not what belongs here"),
        ({"a": "3"}, "without a unit"),
        ({"a": 3}, "without a unit"),
    ],
)
def test_bad_distances(distance, words):
    with pytest.raises(InputError, match=words):
        buffer(distance=distance)
