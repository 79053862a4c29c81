"""Bodies of line tests, advisories and accepted risks: what they refuse, and how they say so."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody, LineTestBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody
from tests.fuzz.record_entries import REF

ONE = EntryRefValue.of(REF)
OTHER = ONE.model_copy(update={"index": 8})


def advisory(**others):
    return AdvisoryBody(**({"about": [ONE, OTHER], "answer": "conflict", "sentence": "Too close."} | others))


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"about": [ONE]}, "about"),
        ({"about": [ONE, ONE]}, "about"),
        ({"answer": "clear"}, "answer"),
        ({"sentence": ""}, "sentence"),
        ({"intervals": [{"answer": "conflict", "start_s": 2.0, "end_s": 1.0}]}, "intervals[0].end_s"),
        ({"intervals": [{"answer": "clear"}]}, "intervals[0].answer"),
        ({"answer": "possible", "intervals": [{"answer": "conflict"}]}, "answer"),
        ({"closest": {"lon_deg": 181.0, "lat_deg": 0.0, "horizontal_m": 1.0}}, "closest.lon_deg"),
        ({"closest": {"lon_deg": 1.0, "lat_deg": 0.0, "horizontal_m": -1.0}}, "closest.horizontal_m"),
        ({"target": "x"}, "target"),
    ],
)
def test_an_advisory_that_is_none_is_refused_with_its_field(members, field):
    with pytest.raises(InputError) as caught:
        advisory(**members)
    assert [fault.field for fault in caught.value.faults] == [field]


def test_an_advisory_begins_with_its_first_interval_if_all_have_a_beginning():
    assert advisory().start_s is None
    starts = [{"answer": "possible", "start_s": 7.0}, {"answer": "conflict", "start_s": 5.0, "end_s": 6.0}]
    assert advisory(intervals=starts).start_s == 5.0
    assert advisory(intervals=[*starts, {"answer": "possible"}]).start_s is None


def test_there_is_no_advisory_that_says_clear():
    assert "clear" not in str(AdvisoryBody.model_json_schema()["properties"]["answer"])


def test_a_risk_is_accepted_with_a_reason():
    with pytest.raises(InputError) as caught:
        AcceptedRiskBody(advisory=ONE)
    assert [fault.field for fault in caught.value.faults] == ["reason"]


def test_a_line_test_tells_what_was_tried():
    test = LineTestBody(text="ab", tried=[{"channel": "pager", "worked": False}])
    assert LineTestBody.of_bytes(test.to_bytes()) == test
    with pytest.raises(InputError):
        LineTestBody(text="ab", tried=[{"channel": "pager", "worked": "yes"}])


@pytest.mark.parametrize("uncertainty_m", [-1.0, float("inf"), "wide"])
def test_a_read_back_is_uncertain_by_so_many_metres(uncertainty_m):
    place = {"lon_deg": 40.0, "lat_deg": 37.0, "time_s": 0.0, "uncertainty_m": uncertainty_m}
    with pytest.raises(InputError) as caught:
        AnswerBody(to=ONE, answer="read back", read_back=place)
    assert [fault.field for fault in caught.value.faults] == ["read_back.uncertainty_m"]
