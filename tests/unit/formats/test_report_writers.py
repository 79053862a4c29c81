"""Reports as JSON, GeoJSON and KML: the contract of ``check/1``, and what no colour or text may suggest."""

from __future__ import annotations

import io
import json
import math

import pytest
from defusedxml.ElementTree import fromstring

from keepclear.formats import geojson, kml
from keepclear.formats.reading import Reading
from keepclear.formats.report_geojson import COLOURS, report_to_geojson
from keepclear.formats.report_json import report_to_json
from keepclear.formats.report_kml import report_to_kml
from keepclear.model.extents import Volume
from keepclear.model.findings import (
    CLEAR_SENTENCE,
    Answer,
    Closest,
    Conflict,
    Interval,
    Minima,
    Proposal,
    Report,
    Scope,
    Side,
)
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import Operation, Plans, Zone

PLANS = Plans(
    (
        Operation("red", "p<1>", OperationKind.PATROL, (Volume(Circle(10, 50, 100), start_s=0.0, end_s=9.0),)),
        Operation("red", "elsewhere", OperationKind.PATROL, (Volume(Circle(20, 50, 100)),)),
    ),
    (Zone("blue", "z&1", ZoneKind.GEO_ZONE, (Volume(Circle(10, 50, 100)),), ZoneRule.CONDITIONAL, "Site & field"),),
)
CONFLICT = Conflict(
    Answer.CONFLICT,
    ("because",),
    Side("red", "p<1>", OperationKind.PATROL),
    Side("blue", "z&1", ZoneKind.GEO_ZONE, is_zone=True, name="Site & field"),
    Minima(500.0, None, 0.0, "ground–ground"),
    (Interval(Answer.POSSIBLE, None, 1.0), Interval(Answer.CONFLICT, 2.0, 3.0005)),
    Closest(2.5, 2.5, 120.0, math.inf, (10.0, 50.0, 7.0), (10.0, 50.001, None)),
    "The two come within 120 m & that is <close>.",
    (
        Proposal("a", "delay", 60.0, "s", True, 1.0, "Start a minute later."),
        Proposal("b", "level", 100.0, "m", False, math.inf, "Climb.", "enters a zone"),
    ),
)


def report(*conflicts: Conflict, answer: Answer = Answer.CONFLICT, reasons: tuple[str, ...] = ()) -> Report:
    scope = Scope(0.0, None, (-1.0, -2.0, 3.0, 4.0))
    return Report(answer, scope, 2, 1, 0, 0.25, conflicts, ("look here",), reasons, 1)


def test_the_json_is_the_contract_to_the_letter():
    written = report_to_json(report(CONFLICT))
    assert json.dumps(written, ensure_ascii=False, allow_nan=False) == (
        '{"keepclear": "check/1", "answer": "conflict", '
        '"scope": {"from": "1970-01-01T00:00:00.000Z", "to": null, "area": [-1.0, -2.0, 3.0, 4.0]}, '
        '"operations": 2, "zones": 1, "legs": 0, "elapsed_s": 0.25, '
        '"conflicts": [{"answer": "conflict", "reasons": ["because"], '
        '"a": {"party": "red", "operation": "p<1>", "kind": "patrol", "name": ""}, '
        '"b": {"party": "blue", "zone": "z&1", "kind": "geo-zone", "name": "Site & field"}, '
        '"minima": {"horizontal_m": 500.0, "vertical_m": null, "time_s": 0.0, "rule": "ground–ground"}, '
        '"intervals": [{"answer": "possible", "start": null, "end": "1970-01-01T00:00:01.000Z"}, '
        '{"answer": "conflict", "start": "1970-01-01T00:00:02.000Z", "end": "1970-01-01T00:00:03.000Z"}], '
        '"closest": {"time_a": "1970-01-01T00:00:02.500Z", "time_b": "1970-01-01T00:00:02.500Z", '
        '"horizontal_m": 120.0, "vertical_m": null, "a": [10.0, 50.0, 7.0], "b": [10.0, 50.001, null]}, '
        '"sentence": "The two come within 120 m & that is <close>.", '
        '"proposals": [{"side": "a", "change": "delay", "amount": 60.0, "unit": "s", "works": true, "cost": 1.0, '
        '"sentence": "Start a minute later.", "because": ""}, '
        '{"side": "b", "change": "level", "amount": 100.0, "unit": "m", "works": false, "cost": null, '
        '"sentence": "Climb.", "because": "enters a zone"}]}], '
        '"warnings": ["look here"], "reasons": [], "pairs_compared": 1, "sentence": "1 pair comes too close"}'
    )


@pytest.mark.parametrize(
    ("answer", "conflicts", "reasons", "sentence"),
    [
        (Answer.CLEAR, (), (), CLEAR_SENTENCE),
        (Answer.POSSIBLE, (), ("nothing could be compared",), "nothing could be compared"),
        (Answer.POSSIBLE, (), (), "not enough is known to say"),
        (Answer.CONFLICT, (CONFLICT, CONFLICT), (), "2 pairs come too close"),
    ],
)
def test_the_answer_in_one_sentence(answer, conflicts, reasons, sentence):
    whole = report(*conflicts, answer=answer, reasons=reasons)
    assert report_to_json(whole)["sentence"] == sentence
    assert report_to_geojson(whole, PLANS)["sentence"] == sentence
    assert sentence in report_to_kml(whole, PLANS)


def test_the_geojson_has_the_pair_and_the_plans_of_both():
    written = report_to_geojson(report(CONFLICT), PLANS)
    json.dumps(written, allow_nan=False)
    conflict, operation, zone = written["features"]
    assert conflict["geometry"] == {"type": "LineString", "coordinates": [[10.0, 50.0, 7.0], [10.0, 50.001]]}
    assert conflict["properties"]["sentence"] == CONFLICT.sentence
    assert (operation["properties"]["role"], operation["properties"]["id"]) == ("operation", "p<1>")
    assert (zone["properties"]["role"], zone["properties"]["id"]) == ("zone", "z&1")
    assert len(report_to_geojson(report(CONFLICT), PLANS, extents=False)["features"]) == 1


def with_closest(a, b):
    changed = Closest(None, None, 0.0, None, a, b)
    return Conflict(*(getattr(CONFLICT, name) for name in CONFLICT.__slots__[:6]), changed, "s")


def test_closest_positions_over_the_antimeridian_are_two_lines_and_at_one_place_a_point():
    features = report_to_geojson(
        report(
            with_closest((179.0, 10.0, None), (-178.0, 13.0, None)), with_closest((1.0, 1.0, None), (1.0, 1.0, None))
        ),
        PLANS,
        extents=False,
    )["features"]
    assert features[0]["geometry"] == {
        "type": "MultiLineString",
        "coordinates": [[[179.0, 10.0], [180.0, 11.0]], [[-180.0, 11.0], [-178.0, 13.0]]],
    }
    assert features[1]["geometry"] == {"type": "Point", "coordinates": [1.0, 1.0]}


def test_the_kml_is_well_formed_and_its_plans_read_back():
    text = report_to_kml(report(CONFLICT), PLANS)
    root = fromstring(text)
    space = "{http://www.opengis.net/kml/2.2}"
    names = [one.findtext(f"{space}name") for one in root.iter(f"{space}Placemark")]
    assert names == ["conflict: p<1> (red) and Site & field (blue)", "p<1>", "Site & field"]
    (first, *_) = root.iter(f"{space}Placemark")
    assert CONFLICT.sentence in first.findtext(f"{space}description")
    # One interval is open at its start, so the whole is; its end is that of the last.
    assert first.find(f"{space}TimeSpan/{space}begin") is None
    assert first.findtext(f"{space}TimeSpan/{space}end") == "1970-01-01T00:00:03.000Z"
    assert kml.read(io.BytesIO(text.encode()), Reading("report.kml", "x")).zones[0].id == "z&1"


def test_the_extents_of_a_geojson_report_are_plans_again():
    written = report_to_geojson(report(CONFLICT), PLANS)
    written["features"] = [one for one in written["features"] if one["properties"]["role"] != "conflict"]
    plans = geojson.read(io.BytesIO(json.dumps(written).encode()), Reading("report", "x"))
    assert [one.id for one in (*plans.operations, *plans.zones)] == ["p<1>", "z&1"]


def test_the_conflicts_of_a_map_are_not_read_as_plans():
    written = report_to_geojson(report(CONFLICT, CONFLICT), PLANS)
    as_geojson = geojson.read(io.BytesIO(json.dumps(written).encode()), Reading("report", "x"))
    as_kml = kml.read(io.BytesIO(report_to_kml(report(CONFLICT, CONFLICT), PLANS).encode()), Reading("report", "x"))
    for plans in (as_geojson, as_kml):
        assert [one.id for one in (*plans.operations, *plans.zones)] == ["p<1>", "z&1"]
        assert [one for one in plans.warnings if "no plan and was left aside" in one and "(2 times)" in one]


def test_a_plan_that_calls_itself_a_conflict_is_still_a_plan():
    written = report_to_geojson(report(CONFLICT), PLANS)
    del written["keepclear"]  # nobody's answer
    plans = geojson.read(io.BytesIO(json.dumps(written).encode()), Reading("report", "x"))
    assert len(plans.operations) == 2


def test_a_proposal_on_a_map_does_not_read_like_a_fact():
    root = fromstring(report_to_kml(report(CONFLICT), PLANS))
    lines = root.findtext(".//{*}Placemark/{*}description").splitlines()
    assert lines == [CONFLICT.sentence, "Because: because", "Would part them: Start a minute later."]


def test_no_colour_is_green_and_nothing_is_said_to_be_allowed():
    for colour in (*COLOURS.values(), "#54607a"):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        assert green < max(red, blue)
    assert Answer.CLEAR not in COLOURS
    text = report_to_kml(report(answer=Answer.CLEAR), PLANS).casefold()
    assert "not a permission" in text
    assert not any(word in text for word in ("approved", "permitted", "safe", "authorised"))
