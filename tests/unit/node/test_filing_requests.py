import pytest

from keepclear.errors import InputError
from keepclear.line.coarsening import Precision
from keepclear.node.filing_requests import FilingRequest

CIRCLE = {"shape": "circle", "lon_deg": 40.65, "lat_deg": 37.06, "radius_m": 500.0}
OPERATION = {
    "party": "RU",
    "id": "patrol-1",
    "kind": "patrol",
    "volumes": [{"footprint": CIRCLE, "start_s": 1.8e9, "end_s": 1.8e9 + 3600.0}],
}
ZONE = {"party": "RU", "id": "clinic", "kind": "protected site", "volumes": [{"footprint": CIRCLE}]}


def test_a_request_goes_to_json_and_back():
    request = FilingRequest.of_json(
        {
            "line": "north",
            "operation": OPERATION,
            "recipients": ["TR", "US"],
            "precision": {"grid_km": 10, "time_s": 3600},
            "precision_for": {"TR": None},
            "exercise": True,
            "on_behalf_of": "AF",
            "remarks": "slow",
            "reason_if_late": "ordered an hour ago",
            "commit_exact": False,
        }
    )
    assert request.recipients == ("TR", "US")
    assert request.precision == Precision(10, 3600)
    assert request.precision_for == {"TR": None}
    again = FilingRequest.of_json(request.to_json())
    assert again == request
    assert again.model().id == "patrol-1"


def test_who_names_nobody_tells_all_and_exactly():
    request = FilingRequest.of_json({"zone": ZONE})
    assert (request.line, request.recipients, request.precision, request.is_zone) == (None, None, None, True)
    assert FilingRequest.of_json(request.to_json()) == request


def test_models_do_as_well_as_values():
    model = FilingRequest.of_json({"operation": OPERATION}).model()
    told = FilingRequest(thing=model).to_json()
    assert FilingRequest.of_json(told).to_json() == told
    assert told["operation"]["volumes"][0]["footprint"] == CIRCLE


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as caught:
        FilingRequest.of_json(
            {
                "line": 7,
                "operation": {**OPERATION, "volumes": [{"footprint": {**CIRCLE, "radius_m": "wide"}}]},
                "recipients": "TR",
                "precision": {"grid_km": 3},
                "precision_for": {"US": {"time_s": 1.5}},
                "exercise": "no",
                "targets": [],
            }
        )
    fields = {fault.field for fault in caught.value.faults}
    assert fields == {
        "line", "operation.volumes[0].footprint.radius_m", "recipients", "precision.grid_km",
        "precision_for.US.time_s", "exercise", "targets",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({}, "operation"),
        ({"operation": OPERATION, "zone": ZONE}, "operation"),
        ({"operation": OPERATION, "recipients": ["T R"]}, "recipients"),
        ({"operation": OPERATION, "recipients": ["TR"], "precision_for": {"US": None}}, "precision_for"),
        ({"operation": OPERATION, "precision": {"grid_km": True}}, "precision.grid_km"),
        ({"operation": OPERATION, "precision": [10]}, "precision"),
        ({"operation": OPERATION, "recipients": ["TR"] * 1001}, "recipients"),
        ({"operation": OPERATION, "line": "a/b"}, "line"),
        ({"operation": []}, "operation"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_member(members, field):
    with pytest.raises(InputError) as caught:
        FilingRequest.of_json(members)
    assert field in {fault.field for fault in caught.value.faults}


@pytest.mark.parametrize("value", [None, [], "x", 3, True])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(InputError):
        FilingRequest.of_json(value)
