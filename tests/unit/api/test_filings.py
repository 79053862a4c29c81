"""Many plans in one request: each is filed as by itself, or all of them or none."""

from __future__ import annotations

import httpx
import pytest

from keepclear.values.filings import MOST_FILINGS, FilingsAsked
from tests.pair_served import START_S, pair_served

ORDER = "Strike the house at 36.3705N 37.5157E at noon."


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with pair_served(tmp_path_factory.mktemp("filings")) as (ru, _):
        headers = {"authorization": f"Bearer {ru.node.folder.local_token()}"}
        with httpx.Client(base_url=f"{ru.url}/api/v1", headers=headers, timeout=30.0) as client:
            yield client


def circle(lat_deg):
    return {"shape": "circle", "lon_deg": 40.65, "lat_deg": lat_deg, "radius_m": 500.0}


def patrol(name, *, lat_deg=37.06, party="RU", **more):
    volume = {"footprint": circle(lat_deg), "start_s": START_S, "end_s": START_S + 3600.0}
    return {"operation": {"party": party, "id": name, "kind": "patrol", "volumes": [volume]}, **more}


def zone(name, *, lat_deg=37.06):
    return {"zone": {"party": "RU", "id": name, "kind": "protected site", "volumes": [{"footprint": circle(lat_deg)}]}}


def count(client):
    answers = [client.get(path, params={"limit": 500}) for path in ("/operations", "/zones")]
    return sum(len(one.json()["items"]) for one in answers)


def test_each_is_answered_in_its_place_and_one_that_is_wrong_stops_no_other(client):
    before = count(client)
    wrong = patrol("order", remarks=ORDER)
    asked = [patrol("p-1"), zone("z-1"), patrol("p-1"), wrong, {}, patrol("theirs", party="TR")]
    asked += [patrol("nowhere", lat_deg=91.0), patrol("p-2")]
    answer = client.post("/filings", json={"filings": asked})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [one["filed"] is not None for one in items] == [True, True, *[False] * 5, True]
    assert [one["problem"] and one["problem"]["status"] for one in items] == [None, None, 409, *[422] * 4, None]
    assert count(client) == before + 3
    crossing, area = items[0]["filed"], items[1]["filed"]
    assert crossing["found_after"]["conflicts"][0]["b"]["entry"] == area["id"]
    assert area["found_after"]["conflicts"][0]["a"]["entry"] in {crossing["id"], items[7]["filed"]["id"]}
    assert client.get(f"/operations/{crossing['id']}").json()["thing_id"] == "p-1"
    assert client.get(f"/zones/{area['id']}").json()["thing_id"] == "z-1"
    # What is wrong with one is told as it is told of one that is filed by itself.
    alone = client.post("/operations", json=wrong).json()
    assert {**alone, "instance": ""} == {**items[3]["problem"], "instance": ""}
    assert items[3]["problem"]["instance"].endswith(answer.headers["x-request-id"])
    assert "Strike" not in answer.text


def test_all_or_none_is_refused_whole_with_the_faults_of_all(client):
    before = count(client)
    asked = [patrol("n-1"), patrol("n-2", party="TR"), patrol("n-3"), patrol("n-4", remarks=ORDER)]
    answer = client.post("/filings", json={"filings": asked, "all_or_none": True})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    fields = [one["field"] for one in answer.json()["faults"]]
    assert {one.partition("]")[0] for one in fields} == {"filings[1", "filings[3"}
    assert count(client) == before
    assert client.post("/filings", json={"filings": [patrol("n-5")] * 2, "all_or_none": True}).status_code == 409
    answer = client.post("/filings", json={"filings": [patrol("n-1"), patrol("n-3")], "all_or_none": True})
    first, second = (one["filed"]["ref"]["index"] for one in answer.json()["items"])
    assert second == first + 1
    answer = client.post("/filings", json={"filings": [patrol("n-7"), patrol("n-1")], "all_or_none": True})
    assert answer.status_code == 409
    assert answer.json()["faults"][0]["field"] == "filings[1]"
    assert count(client) == before + 2


def test_a_list_that_is_sent_again_with_its_key_is_filed_once(client):
    before, asked = count(client), {"filings": [patrol("k-1"), patrol("k-1"), patrol("k-2")]}
    answers = [client.post("/filings", json=asked, headers={"idempotency-key": "many"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert count(client) == before + 2
    other = {"filings": [patrol("k-3")]}
    assert client.post("/filings", json=other, headers={"idempotency-key": "many"}).status_code == 422
    assert count(client) == before + 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filings"),
        ({"filings": []}, "filings"),
        ({"filings": [patrol("m")] * (MOST_FILINGS + 1)}, "filings"),
        ({"filings": [patrol("m"), {"operation": {"party": "RU"}}]}, "filings[1].operation.id"),
        ({"filings": [patrol("m"), patrol("m") | {"unknown": 1}]}, "filings[1].unknown"),
        ({"filings": [patrol("m", precision={"grid_km": "1"})]}, "filings[0].precision.grid_km"),
        ({"filings": [patrol("m")], "all_or_none": "yes"}, "all_or_none"),
        ({"filings": {"0": patrol("m")}}, "filings"),
    ],
    ids=["none", "empty", "too many", "missing", "unknown", "wrong type", "no flag", "no list"],
)
def test_what_is_not_of_the_form_is_refused_whole_and_named(client, body, field):
    before = count(client)
    answer = client.post("/filings", json=body)
    assert answer.status_code == 422, answer.text
    assert any(one["field"].startswith(field) for one in answer.json()["faults"]), answer.text
    assert count(client) == before


def test_a_list_that_is_too_long_is_refused_before_it_is_read(client):
    answer = client.post("/filings", json={"filings": [patrol("m", remarks="x" * 90_000)] * 50})
    assert answer.status_code == 413


def test_the_examples_are_such_lists():
    schema = FilingsAsked.model_json_schema()
    for example in schema["properties"]["filings"]["examples"]:
        assert len(FilingsAsked.model_validate({"filings": example}).filings) == len(example)
