"""Positions over HTTP: batches as JSON and as lines, refused with the place of what is wrong."""

from __future__ import annotations

import pytest

from keepclear.clock import now_s
from keepclear.node.roles import Role
from keepclear.times import to_text
from tests.unit.api.nodes_served import serving

LINES = {"content-type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("positions")) as served:
        yield served


@pytest.fixture(scope="module")
def client(served):
    client = served.with_token("tracker", Role.DUTY_OFFICER, scopes=["read", "file", "say", "answer", "proofs"])
    answer = client.put("/positions/sources/gps", json={"accuracy_m": 5, "max_age_s": 120})
    assert answer.status_code == 200, answer.text
    return client


def line(unit="p-1", ago_s=60.0, lon=41.0, **more):
    import json

    return json.dumps({"unit": unit, "time": to_text(now_s() - ago_s), "lon_deg": lon, "lat_deg": 37.0, **more})


def test_lines_and_json_are_the_same_batch(client):
    import json

    lines = [line(ago_s=90.0), line(ago_s=80.0)]
    first = client.post("/positions?source=gps", content="\n".join(lines), headers=LINES)
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["count"], told["again"], told["units"][0]["party"]) == (2, False, "RU")
    again = client.post("/positions", json={"source": "gps", "positions": [json.loads(one) for one in lines]})
    assert (again.json()["batch"], again.json()["again"]) == (told["batch"], True)
    assert [one["batch"] for one in client.get("/positions/batches").json()["items"]] == [told["batch"]]
    track = client.get(
        "/positions/tracks", params={"unit": "p-1", "from": to_text(now_s() - 600), "to": to_text(now_s())}
    )
    assert track.status_code == 200, track.text
    assert track.json()["items"][0]["uncertainty_m"] == [5.0, 5.0]


def test_what_is_wrong_is_told_with_its_line_or_its_member(client):
    wrong = client.post("/positions?source=gps", content=line("q") + "\n" + line("q", lon=200), headers=LINES)
    assert wrong.status_code == 422
    assert "line 2" in wrong.text
    import json

    wrong = client.post("/positions", json={"source": "gps", "positions": [json.loads(line("q", lon=200))]})
    assert wrong.status_code == 422
    assert "positions[0].lon_deg" in wrong.text
    ahead = client.post("/positions?source=gps", content=line("q", ago_s=-60.0), headers=LINES)
    assert ahead.status_code == 422
    assert "ahead of this node's clock" in ahead.text


@pytest.mark.parametrize(
    ("path", "content", "kind", "status"),
    [
        ("/positions?source=none", "{}", "application/x-ndjson", 404),
        ("/positions", "{}", "application/x-ndjson", 422),
        ("/positions?source=gps", "", "application/x-ndjson", 422),
        ("/positions", "[]", "application/json", 422),
        ("/positions", "{", "application/json", 400),
        ("/positions", "{}", "text/plain", 415),
        ("/positions?source=gps", "x" * (5 * 2**20), "application/x-ndjson", 413),
        ("/messages", "{}", "application/x-ndjson", 415),
    ],
)
def test_what_is_no_batch_is_refused(client, path, content, kind, status):
    answer = client.post(path, content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text


def test_bindings_and_units(client):
    made = client.post("/positions/bindings", json={"by": "unit", "value": "p-9", "unit": "nine", "kind": "patrol"})
    assert made.status_code == 201, made.text
    client.post("/positions?source=gps", content=line("p-9"), headers=LINES)
    units = {one["bound"]["unit"]: one for one in client.get("/positions/units").json()["items"]}
    assert units["nine"]["said"] == {"unit": "p-9"}
    assert client.delete(f"/positions/bindings/{made.json()['number']}").status_code == 204
    assert client.delete(f"/positions/bindings/{made.json()['number']}").status_code == 404


def test_a_reader_posts_nothing(served):
    reader = served.with_token("reader", Role.MONITOR, scopes=["read"])
    assert reader.post("/positions?source=gps", content=line("r"), headers=LINES).status_code == 403
    assert reader.get("/positions/sources").status_code == 200


def test_lists_of_what_is_not_there_are_empty(client):
    for path in ("/encounters", "/incidents", "/incidents/drafts", "/claims", "/joint-plans", "/positions/sharing"):
        assert client.get(path).json()["items"] == [], path
    assert client.get("/encounters/1").status_code == 404
    assert client.get("/joint-plans/" + "0" * 64).status_code == 404


def test_a_measure_a_plan_or_a_claim_that_cannot_be_is_refused(client):
    plan = {"id": "x", "title": "x", "start_s": 0, "end_s": 1, "participants": [], "operations": []}
    assert client.post("/joint-plans", json={"plan": plan}).status_code == 422
    assert client.post("/measures", json={"filings": ["RU:north:0"], "measure": "time", "text": "x"}).status_code == 422
    assert client.post("/claims", json={"claim": {}}).status_code == 422
    assert client.post("/incidents", json={"encounter": 1}).status_code == 404
