import json

import pytest

from keepclear.agreements.contradictions import contradictions
from keepclear.agreements.terms.registry import read_terms
from tests.unit.agreements.terms.made_terms import ANNEXES, BORDER, FEATURES, PARTIES, feature, ring

WIDE = feature("wide", "Polygon", ring(39.0, 36.0, 43.5, 38.0))
NORTH_ROAD = feature("along", "LineString", BORDER[::-1])
FILES = ANNEXES | {"more.geojson": json.dumps({"type": "FeatureCollection", "features": [WIDE, NORTH_ROAD]}).encode()}
BAND = {"type": "DEPTH_BAND", "line": "map.geojson#border", "side": "south", "max": "10 km"}


def found(*members):
    listed = [{"id": f"T{number}", "clause": f"c{number}"} | one for number, one in enumerate(members, start=1)]
    return contradictions(read_terms(listed, FILES, parties=PARTIES))


@pytest.mark.parametrize(
    ("first", "second", "certain"),
    [
        (BAND, BAND | {"side": "north"}, True),
        (BAND, BAND | {"min": "12 km", "max": "20 km"}, True),
        (BAND, BAND | {"min": "5 km", "max": "20 km"}, None),
        (BAND, BAND | {"side": "north", "kinds": ["convoy"]}, True),
        (BAND | {"kinds": ["patrol"]}, BAND | {"side": "north", "kinds": ["convoy"]}, None),
        (BAND | {"parties": ["ru"]}, BAND | {"side": "north", "parties": ["tr"]}, None),
        (BAND | {"until": "2020-01-01T00:00Z"}, BAND | {"side": "north", "from": "2020-01-01T00:00Z"}, None),
        (BAND, {"type": "EXCLUSION_ZONE", "area": "more.geojson#wide"}, False),
        (BAND, {"type": "EXCLUSION_ZONE", "area": "map.geojson#west"}, None),
        (BAND, {"type": "EXCLUSION_ZONE", "area": "more.geojson#wide", "floor": "FL100"}, None),
        ({"type": "NOTIFY", "lead": "24 h"}, {"type": "NOTIFY", "lead": "48 h"}, False),
        ({"type": "NOTIFY", "lead": "24 h", "max_lead": "36 h"}, {"type": "NOTIFY", "lead": "48 h"}, True),
        ({"type": "NOTIFY", "lead": "24 h"}, {"type": "NOTIFY", "lead": "24 h"}, None),
        ({"type": "MIN_SEPARATION", "horizontal": "500 m"}, {"type": "MIN_SEPARATION", "horizontal": "1 km"}, False),
        (
            {"type": "JOINT_ACTIVITY", "participants": ["ru", "tr"]},
            {"type": "CEASE", "activity": "patrols", "kinds": ["patrol"], "from": "2019-11-01T00:00Z"},
            True,
        ),
        (
            {"type": "JOINT_ACTIVITY", "participants": ["ru", "tr"]},
            {"type": "CEASE", "activity": "convoys", "kinds": ["convoy"], "from": "2019-11-01T00:00Z"},
            None,
        ),
        ({"type": "DURATION", "months": "6 months"}, {"type": "DURATION", "months": "1 year"}, True),
        (
            {"type": "DURATION", "months": "6 months", "start": "2019-01-01T00:00Z"},
            BAND | {"from": "2019-08-01T00:00Z"},
            True,
        ),
        (
            {"type": "CORRIDOR", "axis": "map.geojson#road", "half_width_left": "6 km", "half_width_right": "6 km"},
            {"type": "CORRIDOR", "axis": "map.geojson#road", "half_width_left": "6 km", "half_width_right": "6 km",
             "rule": "stay outside"},
            False,
        ),
    ],
)  # fmt: skip
def test_two_terms_that_do_not_go_together_are_both_named(first, second, certain):
    for one, other in ((first, second), (second, first)):
        told = found(one, other)
        if certain is None:
            assert told == ()
        else:
            (only,) = told
            assert set(only.terms) == {"T1", "T2"}
            assert only.certain is certain
            assert "Clause c1" in only.sentence
            assert "Clause c2" in only.sentence


def exempt(*activities):
    return BAND | {"exemptions": [{"activity": one, "notice": "1 h"} for one in activities]}


def test_circles_of_exemptions():
    assert [one.terms for one in found(exempt("T1"))] == [("T1",)]
    assert [set(one.terms) for one in found(exempt("T2"), exempt("T1"))] == [{"T1", "T2"}]
    (circle,) = found(exempt("T2"), exempt("T3"), exempt("T1"))
    assert "T1 → T2 → T3 → T1" in circle.sentence
    assert found(exempt("T2"), exempt("T3"), BAND) == ()
    assert found(exempt("medevac")) == ()


def test_a_long_chain_of_exemptions_is_no_circle_and_no_trouble():
    chain = [exempt(f"T{number + 1}") for number in range(1, 120)]
    assert found(*chain, BAND) == ()


def test_the_line_drawn_the_other_way_is_not_the_same_line():
    assert FEATURES[0]["id"] == "border"
    assert found(BAND, BAND | {"line": "more.geojson#along", "side": "north"}) == ()
