"""A plan that is filed past the routes is taken, refused, counted and answered just as the route does it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from keepclear.api import filing_front
from keepclear.node.actors import OPERATOR
from keepclear.node.roles import Role
from tests.pair_served import START_S, pair_served

ORDER = "Strike the house at 36.3705N 37.5157E at noon."
NUMBERS = count()


@pytest.fixture(scope="module")
def ru(tmp_path_factory):
    with pair_served(tmp_path_factory.mktemp("front")) as (ru, _):
        yield ru


@pytest.fixture(scope="module")
def client(ru):
    headers = {"authorization": f"Bearer {ru.node.folder.local_token()}"}
    with httpx.Client(base_url=f"{ru.url}/api/v1", headers=headers, timeout=30.0) as client:
        yield client


@pytest.fixture
def together(ru, monkeypatch):
    """How many were filed at a time by what is before the routes."""
    given, file_each = [], ru.node.filing.file_each

    def noted(wanted):
        given.append(len(wanted))
        return file_each(wanted)

    monkeypatch.setattr(ru.node.filing, "file_each", noted)
    return given


def volume(*, lat_deg=37.06, lon_deg=40.65):
    footprint = {"shape": "circle", "lon_deg": lon_deg, "lat_deg": lat_deg, "radius_m": 500.0}
    return {"footprint": footprint, "start_s": START_S, "end_s": START_S + 3600.0}


def patrol(**more):
    thing = {"party": "RU", "id": f"p-{next(NUMBERS)}", "kind": "patrol", "volumes": [volume()]}
    return {"operation": thing | {name: more.pop(name) for name in ("party", "id", "volumes") if name in more}, **more}


def zone(**more):
    return {
        "zone": {"party": "RU", "id": f"z-{next(NUMBERS)}", "kind": "protected site", "volumes": [volume()]},
        **more,
    }


SAME = patrol()
CASES = {
    "operation": ("/operations", patrol, {}, 201),
    "zone": ("/zones", zone, {}, 201),
    "for practice": ("/operations", lambda: patrol(exercise=True, remarks="Café, 18 h"), {}, 201),
    "told roughly": ("/operations", lambda: patrol(precision={"grid_km": 10}, recipients=["TR"]), {}, 201),
    "again": ("/operations", lambda: SAME, {}, 409),
    "theirs": ("/operations", lambda: patrol(party="TR"), {}, 422),
    "guarded": ("/operations", lambda: patrol(remarks=ORDER), {}, 422),
    "to a stranger": ("/operations", lambda: patrol(recipients=["XX"]), {}, 422),
    "no such line": ("/operations", lambda: patrol(line="south"), {}, 422),
    "nowhere": ("/zones", lambda: {"zone": zone()["zone"] | {"volumes": [volume(lat_deg=91.0)]}}, {}, 422),
    "unknown member": ("/operations", lambda: patrol(unknown=1), {}, 422),
    "wrong type": ("/operations", lambda: patrol(exercise="yes"), {}, 422),
    "of the other kind": ("/zones", patrol, {}, 422),
    "no object": ("/operations", lambda: [patrol()], {}, 422),
    "a parameter": ("/operations", patrol, {"params": {"line": "north"}}, 422),
    "long remarks": ("/operations", lambda: patrol(remarks="The convoy goes on. " * 40), {}, 201),
    "unsigned": ("/operations", patrol, {"headers": {"authorization": ""}}, 401),
    "packed": ("/operations", patrol, {"headers": {"content-encoding": "gzip"}}, 415),
}


def told(answer):
    """What an answer says, without what is another's each time."""
    text = re.sub(r"\b[pz]-\d+\b", "ID", answer.text)
    text = re.sub(r'"(index|leaf|id|entry|instance|leaf_hash|time_s|number)":\s*("[^"]*"|\d+)', r'"\1":0', text)
    value = json.loads(text)
    for which in ("found_before", "found_after"):  # others were filed before
        if which in value:
            value[which] = sorted(value[which])
    return answer.status_code, value, sorted(set(answer.headers) - {"date"}), answer.headers["content-type"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_answered_as_the_route_answers(client, monkeypatch, case):
    path, made, more, status = CASES[case]
    if case == "again":
        client.post("/operations", json=SAME)
    answers = [client.post(path, json=made(), **more)]
    monkeypatch.setattr(filing_front, "_LONGEST", 0)  # all are for the routes
    answers.append(client.post(path, json=made(), **more))
    assert answers[0].status_code == status, answers[0].text
    assert told(answers[0]) == told(answers[1])


def test_what_is_plain_is_filed_past_the_routes_and_what_is_not_is_not(client, together):
    assert client.post("/operations", json=patrol()).status_code == 201
    assert client.post("/zones", json=zone()).status_code == 201
    assert together == [1, 1]
    assert client.post("/operations", json=patrol(remarks="The convoy goes on. " * 40)).status_code == 201
    many = [volume(lat_deg=10.0 + number / 100.0) for number in range(200)]
    assert client.post("/operations", json=patrol(volumes=many)).status_code == 201
    assert together == [1, 1]


def test_who_may_only_read_is_refused_and_one_who_has_that_scope_may_file(ru, together):
    access = ru.node.access
    access.users.add(OPERATOR, "planner", roles=[Role.FILER], password=None)
    for scopes, status in ((["read"], 403), (["read", "file"], 201)):
        token, _ = access.tokens.make(OPERATOR, "planner", label="a test", scopes=scopes)
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.post(f"{ru.url}/api/v1/operations", json=patrol(), headers=headers).status_code == status
    assert together == [1]


def test_a_key_keeps_it_from_being_filed_twice(client, together):
    asked, headers = patrol(), {"idempotency-key": "front"}
    first, second = (client.post("/operations", json=asked, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["etag"] == first.headers["etag"]
    assert together == [1]


def test_its_tag_and_its_place_are_those_of_the_filing(client):
    answer = client.post("/operations", json=patrol())
    found = client.get(answer.headers["location"].removeprefix("/api/v1"))
    assert found.headers["etag"] == answer.headers["etag"]
    assert found.json()["id"] == answer.json()["id"]


def test_it_is_counted_as_what_the_route_answers(ru, client):
    def counted():
        text = httpx.get(f"{ru.url}/metrics", headers=client.headers).text
        found = re.findall(r'requests_total\{method="POST",route="/api/v1/zones",status="(\d+)"\} (\S+)', text)
        return {status: float(number) for status, number in found}

    client.post("/zones", json=zone())
    before = counted()
    client.post("/zones", json=zone())
    client.post("/zones", json=patrol())
    after = counted()
    assert {one: after[one] - before.get(one, 0.0) for one in ("201", "422")} == {"201": 1.0, "422": 1.0}


def test_those_that_come_at_once_are_each_told_of_the_others(client):
    lat_deg = -40.0
    things = []
    for number in range(12):
        made = patrol() if number % 2 else zone()
        made["operation" if number % 2 else "zone"]["volumes"] = [volume(lat_deg=lat_deg)]
        things.append(("/operations" if number % 2 else "/zones", made))
    things.append(("/operations", things[1][1]))  # of two with the same id one is refused
    with ThreadPoolExecutor(13) as pool:
        answers = list(pool.map(lambda one: client.post(one[0], json=one[1]), things))
    statuses = [one.status_code for one in answers]
    assert sorted([statuses[1], statuses[12]]) == [201, 409]
    assert [one for place, one in enumerate(statuses) if place not in {1, 12}] == [201] * 11
    filed = [one.json() for one in answers if one.status_code == 201]
    is_operation = ["operations" in one.headers["location"] for one in answers if one.is_success]
    operations = {one["id"] for one, is_one in zip(filed, is_operation, strict=True) if is_one}
    pairs = set()
    for one in filed:
        for found in one["found_after"]["conflicts"]:
            pairs.add(frozenset(found[side].get("entry") or one["id"] for side in "ab"))
    areas = {one["id"] for one in filed} - operations
    assert {frozenset({one, other}) for one in operations for other in areas} <= pairs
