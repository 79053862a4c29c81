"""What is round every request, tried over a real server: who is let in, and what is refused before anything is done."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest

from keepclear.api.limits import MOST_BYTES
from keepclear.node.actors import OPERATOR
from keepclear.node.roles import Role
from tests.unit.api.nodes_served import NEW_PASSWORD, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as served:
        served.add("anna", Role.PARTY_AUTHORITY)
        served.add("audit", Role.AUDITOR, password=None)
        yield served


@pytest.fixture(scope="module")
def anna(served):
    return served.signed_in("anna")


@pytest.fixture
def operator(served):
    token = served.node.folder.local_token()
    return served.client(headers={"authorization": f"Bearer {token}"})


def problem(answer, status):
    """The problem that an answer is, which every one must be in the same way."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail", "instance", "faults"}
    assert (told["status"], told["type"]) == (status, f"urn:keepclear:{status}")
    assert told["instance"] == f"urn:keepclear:request:{answer.headers['x-request-id']}"
    assert told["faults"]
    assert all(fault["problem"] for fault in told["faults"])
    assert "Traceback" not in answer.text
    return told


def fields(told):
    return [fault["field"] for fault in told["faults"]]


# --- who is asking ---------------------------------------------------------------------------------------------------


def routes(served):
    described = served.client().get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def test_every_described_route_refuses_strangers_and_says_so_in_its_description(served):
    open_ones, stranger = [], served.client()
    for method, path, operation in routes(served):
        concrete = path.replace("{", "").replace("}", "")
        if "security" not in operation:
            open_ones.append((method, path))
            continue
        assert {"401", "403"} <= set(operation["responses"])
        for headers in (
            {},
            {"authorization": "Bearer kc_" + "0" * 16 + "_" + "0" * 64},
            {"authorization": "Basic YTpi"},
        ):
            answer = stranger.request(method, served.url + concrete, headers=headers)
            assert answer.status_code == 401, (method, path, headers, answer.text)
            assert answer.headers["www-authenticate"] == 'Bearer realm="keepclear"'
            problem(answer, 401)
    assert ("POST", "/api/v1/sessions") in open_ones
    assert all(path in {"/api/v1/sessions", "/healthz", "/readyz", "/metrics"} for _, path in open_ones)


def test_every_route_of_users_refuses_who_is_too_weak(served):
    weak = served.with_token("weak", Role.FILER, scopes=["read"])
    for method, path in [
        ("GET", "/users"), ("POST", "/users"), ("GET", "/users/anna"), ("PATCH", "/users/anna"), ("GET", "/acts"),
        ("GET", "/users/anna/tokens"),
    ]:  # fmt: skip
        body = {"name": "x", "roles": ["filer"]} if method == "POST" else {}
        told = problem(weak.request(method, path, json=body or None, headers={"if-match": "*"}), 403)
        assert "weak may not do this" in told["detail"]


def test_every_operation_of_the_description_tells_its_problems(served):
    for method, path, operation in routes(served):
        assert {"400", "422", "429", "500", "503"} <= set(operation["responses"]), (method, path)
        content = operation["responses"]["422"]["content"]
        assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert operation["description"], (method, path)


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(served):
    client = served.client()
    answer = client.post("/sessions", json={"name": "anna", "password": NEW_PASSWORD})
    (cookie,) = answer.headers.get_list("set-cookie")
    parts = [part.strip() for part in cookie.split(";")]
    assert parts[0].startswith("keepclear-RU=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(parts)
    assert "Secure" not in parts  # on loopback there is no TLS
    assert NEW_PASSWORD not in answer.text
    assert client.get("/me").json()["user"] == "anna"
    assert client.delete("/sessions/current").status_code == 204
    problem(client.get("/me"), 401)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:1"}, {"origin": "null"},
    ],
)  # fmt: skip
def test_another_site_does_nothing_in_my_name(anna, headers):
    told = problem(anna.post("/users", json={"name": "mallory", "roles": ["filer"]}, headers=headers), 403)
    assert "another site" in told["detail"]
    assert anna.get("/me", headers=headers).status_code == 200  # to read is no harm: it cannot see the answer


def test_my_own_page_is_let_through(anna, served):
    headers = {"sec-fetch-site": "same-origin", "origin": served.url}
    assert anna.post("/users", json={"name": "own", "roles": ["filer"]}, headers=headers).status_code == 201


def test_the_folders_token_is_the_operator(operator):
    assert operator.get("/me").json()["via"] == "folder"


def test_a_disabled_user_is_out_at_once(served):
    client = served.with_token("carl", Role.FILER, scopes=["read"])
    assert client.get("/me").status_code == 200
    served.disable("carl")
    problem(client.get("/me"), 401)


def test_guessing_is_told_when_to_come_again(served):
    client = served.client()
    for _ in range(5):
        told = problem(client.post("/sessions", json={"name": "nobody", "password": "x"}), 401)
        assert told["detail"].startswith("name and password do not belong together")
    answer = client.post("/sessions", json={"name": "nobody", "password": "x"})
    problem(answer, 429)
    assert 0 < int(answer.headers["retry-after"]) <= 901


# --- bodies ----------------------------------------------------------------------------------------------------------

JSON = {"content-type": "application/json"}
DEEP = b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{", 400, "not JSON"),
        (b"{}{}", 400, "not JSON"),
        (b'{"name": NaN}', 400, "NaN"),
        (b'{"name": Infinity}', 400, "Infinity"),
        (b'{"name": 1e999}', 400, "larger than a double"),
        (b'{"name": ' + b"9" * 5000 + b"}", 400, "beyond"),
        (b'{"name": 1, "name": 2}', 400, "twice"),
        (b'{"name": "\xff"}', 400, "UTF-8"),
        (b'{"name": "\\ud800"}', 400, "surrogate"),
        (b"\xef\xbb\xbf{}", 400, "byte order mark"),
        (b'{"name": "a\x00b"}', 400, "not JSON"),
        (b'{"name": "a\\u0000b"}', 422, "control character"),
        (b'{"roles": ["ok", "\\u001b[31m"]}', 422, "control character"),
        (b'{"a\\u0007": 1}', 422, "control character"),
        (DEEP, 400, "nested deeper"),
        (b"[" + b"[]," * 200_001 + b"[]]", 413, "lists and objects"),
        (b"[]", 422, ""),
        (b"null", 422, ""),
        (b'"text"', 422, ""),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_body_that_is_no_request_is_refused_before_anything_is_done(anna, body, status, says):
    told = problem(anna.post("/users", content=body, headers=JSON), status)
    assert says in told["detail"]


def test_where_a_control_character_stands_is_told(anna):
    told = problem(anna.post("/users", json={"name": "x", "roles": ["ok", "a\x01"]}), 422)
    assert fields(told) == ["roles[1]"]


def test_all_faults_of_a_body_are_told_with_what_would_be_right(anna):
    told = problem(anna.post("/users", json={"name": 7, "roles": "filer", "colour": "red"}), 422)
    assert sorted(fields(told)) == ["colour", "name", "roles"]
    assert {fault["field"]: fault["value"] for fault in told["faults"]} == {
        "name": "7",
        "roles": "filer",
        "colour": "red",
    }


def test_a_secret_is_in_no_answer(anna, served):
    secret = "a-secret-that-was-typed-in-the-wrong-type"
    for body in ({"name": "x", "password": [secret]}, {"name": secret * 40, "password": {"a": secret}}):
        told = problem(served.client().post("/sessions", json=body), 422)
        assert all(
            fault["value"] in {"", "a list", "an object"} for fault in told["faults"] if fault["field"] == "password"
        )
    answer = anna.put("/me/password", json={"old": 5, "new": secret + "\x00"})
    assert secret not in answer.text


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("", 415),
        ("application/json; charset=utf-16", 415),
        ("multipart/form-data; boundary=x", 415), ("application/json; charset=UTF-8", 201), ("Application/JSON", 201),
    ],
)  # fmt: skip
def test_a_body_must_be_said_to_be_json(anna, kind, status):
    name = f"t{abs(hash(kind)) % 10**9}"
    body = json.dumps({"name": name, "roles": ["filer"]}).encode()
    answer = anna.post("/users", content=body, headers={"content-type": kind} if kind else {})
    assert answer.status_code == status
    if status != 201:
        assert fields(problem(answer, 415)) == ["Content-Type"]


def test_a_packed_body_is_not_unpacked(anna):
    answer = anna.post("/users", content=b"x", headers={**JSON, "content-encoding": "gzip"})
    assert fields(problem(answer, 415)) == ["Content-Encoding"]


def test_a_body_that_is_too_long_is_refused_while_it_comes(anna, served):
    sent = 0

    def pieces():
        nonlocal sent
        for _ in range(64):
            sent += 2**20
            yield b" " * 2**20

    problem(anna.post("/users", content=b" " * (MOST_BYTES + 1), headers=JSON), 413)
    with suppress(httpx.TransportError):  # the node has answered and closed; the rest has nowhere to go
        problem(anna.post("/users", content=pieces(), headers=JSON), 413)
    assert sent < 60 * 2**20
    assert anna.get("/me").status_code == 200


def test_a_stranger_cannot_make_the_node_read_much(served):
    problem(served.client().post("/users", content=b" " * 20_000, headers=JSON), 401)
    problem(served.client().post("/sessions", content=b" " * 20_000, headers=JSON), 401)


def test_a_body_that_does_not_come_is_not_waited_for(served, monkeypatch):
    monkeypatch.setattr("keepclear.api.limits._WHOLE_WITHIN_S", 0.3)
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        head = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50"
        wire.sendall(f"{head}\r\n\r\n{{".encode())
        assert b" 408 " in wire.recv(4096).split(b"\r\n")[0]


def test_a_get_has_no_body(anna):
    told = problem(anna.request("GET", "/me", content=b"{}", headers=JSON), 400)
    assert "no body" in told["detail"]


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        ("/users?limt=5", 422, "no such parameter"),
        ("/users?limit=5&limit=6", 422, "twice"),
        ("/users?limit=0", 422, "greater than or equal"),
        ("/users?limit=501", 422, "less than or equal"),
        ("/users?limit=1e3", 422, "integer"),
        ("/users?limit=" + "9" * 5000, 422, ""),
        ("/users?cursor=%00", 400, "control character"),
        ("/users?cursor=abc", 422, "not a cursor"),
        ("/users?cursor=%ff", 400, "UTF-8"),
        ("/users/%00", 400, "control character"),
        ("/users/%0a", 400, "control character"),
        ("/users/%c3%28", 400, "UTF-8"),
        ("/users/" + "a" * 64, 422, "at most 63"),
        ("/users/" + "a" * 9000, 414, "too long"),
        ("/users/nobody", 404, "no such user"),
        ("/users/../users/nobody", 404, ""),
        ("/users/..%2f..%2fetc%2fpasswd", 404, ""),
        ("/proposals/0", 422, "greater than or equal"),
        ("/proposals/-1", 422, ""),
        ("/proposals/9007199254740992", 422, "less than or equal"),
        ("/proposals/9007199254740991", 404, "no such proposal"),
        ("/proposals/" + "9" * 4000, 422, ""),
        ("/proposals/1.5", 422, "integer"),
        ("/nothing", 404, "nothing at this path"),
        ("/users/", 404, "nothing at this path"),
        ("/users?" + "&".join(f"a{number}=1" for number in range(101)), 400, "too many"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_an_address_that_is_not_right_is_told_so(anna, served, target, status, says):
    # As raw bytes: a client library would mend some of these.
    cookie = "; ".join(f"{name}={value}" for name, value in anna.cookies.items())
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        request = (
            f"GET /api/v1{target} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        )
        wire.sendall(request.encode())
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status, answer[:500]
    assert b"application/problem+json" in head
    assert says in json.loads(body)["detail"]


def test_a_wrong_method_is_told_which_are_right(anna):
    answer = anna.put("/users", json={})
    problem(answer, 405)
    assert "GET" in answer.headers["allow"]


def test_times_without_a_zone_are_refused(served):
    auditor = served.with_token("audit", scopes=["audit"])
    told = problem(auditor.get("/acts", params={"from": "2026-01-01T00:00:00"}), 422)
    assert fields(told) == ["from"]
    assert "no zone" in told["detail"]
    for moment in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"):
        assert auditor.get("/acts", params={"from": moment}).status_code == 200


# --- round it --------------------------------------------------------------------------------------------------------


def test_every_answer_is_careful_and_has_an_id(anna, served):
    for answer in (anna.get("/me"), served.client().get("/me"), anna.get("/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert len(answer.headers["x-request-id"]) == 16
    assert anna.get("/me", headers={"x-request-id": "mine-12345678"}).headers["x-request-id"] == "mine-12345678"
    assert anna.get("/me", headers={"x-request-id": "a b\tc<script>"}).headers["x-request-id"] != "a b\tc<script>"


def test_each_request_is_one_line_in_the_log_and_no_secret_is_in_it(served, caplog):
    caplog.set_level(logging.INFO, logger="keepclear.api")
    client = served.client()
    asked = [
        client.post("/sessions", json={"name": "anna", "password": NEW_PASSWORD}),
        client.get("/me", params={"secret": "in-a-parameter"}),
    ]
    ours = {answer.headers["x-request-id"] for answer in asked}  # a line of the test before may only come now
    until_s = time.monotonic() + 10
    lines = []
    while len(lines) < 2 and time.monotonic() < until_s:  # it is written after the answer
        time.sleep(0.01)
        lines = [one for one in caplog.records if one.name == "keepclear.api" and one.request_id in ours]
    assert [(line.method, line.path, line.status) for line in lines] == [
        ("POST", "/api/v1/sessions", 201), ("GET", "/api/v1/me", 422)
    ]  # fmt: skip
    assert lines[1].user == "anna"
    assert lines[1].address == "127.0.0.1"
    told = json.dumps([{**vars(line), "args": str(line.args)} for line in lines], default=str)
    cookie = next(iter(client.cookies.values()))
    assert not any(secret in told for secret in (NEW_PASSWORD, cookie, "in-a-parameter"))


def test_a_fault_of_ours_is_told_without_its_inside_and_logged_with_it(served, anna, monkeypatch, caplog):
    def broken(*_args, **_options):
        raise RuntimeError("the inside of it")

    monkeypatch.setattr(served.node.access.users, "after", broken)
    answer = anna.get("/users")
    told = {**answer.json(), "faults": [1]}
    assert answer.status_code == told["status"] == 500
    assert "inside of it" not in answer.text
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.request_id == answer.headers["x-request-id"]
    assert "the inside of it" in str(record.exc_info)


def test_a_store_that_cannot_be_written_says_when_to_come_again(served, anna, monkeypatch):
    from keepclear.errors import StoreError

    def full(*_args, **_options):
        raise StoreError("node.db: could not write: the disk is full")

    monkeypatch.setattr(served.node.access.users, "after", full)
    answer = anna.get("/users")
    problem(answer, 503)
    assert answer.headers["retry-after"] == "5"


# --- pages, versions, keys -------------------------------------------------------------------------------------------


def test_pages_leave_nothing_out_though_items_come_between(served, operator):
    for number in range(0, 30, 2):
        served.add(f"page{number:02}", Role.FILER, password=None)
    seen, cursor, added = [], "", 1
    while cursor is not None:
        answer = operator.get("/users", params={"limit": 4, **({"cursor": cursor} if cursor else {})}).json()
        seen += [user["name"] for user in answer["items"]]
        assert len(answer["items"]) <= 4
        cursor = answer["next"]
        served.add(f"page{added:02}", Role.FILER, password=None)  # one before and one after where we are
        added += 2
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert {f"page{number:02}" for number in range(0, 30, 2)} <= set(seen)


def test_a_cursor_belongs_to_its_list_and_its_filters(served, operator):
    for number in range(3):
        served.node.access.acts.note(OPERATOR, "counted", ref=f"{number}")
    cursor = operator.get("/acts", params={"limit": 1, "what": "counted"}).json()["next"]
    following = operator.get("/acts", params={"limit": 1, "what": "counted", "cursor": cursor})
    assert following.json()["items"][0]["ref"] == "1"
    bad = {
        "/acts": {"what": "other", "cursor": cursor},
        "/proposals": {"cursor": cursor},
        "/users": {"cursor": cursor[:-1]},
    }
    for path, parameters in bad.items():
        assert fields(problem(operator.get(path, params=parameters), 422)) == ["cursor"]


def test_what_was_changed_meanwhile_is_not_overwritten(served, operator):
    served.add("etagged", Role.FILER, password=None)
    first = operator.get("/users/etagged").headers["etag"]
    problem(operator.patch("/users/etagged", json={"shown": "A"}), 428)
    after = operator.patch("/users/etagged", json={"shown": "A"}, headers={"if-match": first})
    assert after.status_code == 200
    assert after.headers["etag"] != first == operator.get("/users/etagged").headers["etag"] or after.headers["etag"]
    for tag, status in [
        (first, 412), ('"other"', 412), (f"W/{after.headers['etag']}", 412), ("not-quoted", 422), ('"', 422), ("", 422),
        (f'"other", {after.headers["etag"]}', 200), ("*", 200),
    ]:  # fmt: skip
        answer = operator.patch("/users/etagged", json={"shown": "B"}, headers={"if-match": tag})
        assert answer.status_code == status, (tag, answer.text)
        if status != 200:
            assert fields(problem(answer, status)) == ["If-Match"]


def count(operator, prefix):
    return sum(
        user["name"].startswith(prefix) for user in operator.get("/users", params={"limit": 500}).json()["items"]
    )


def test_a_request_sent_twice_with_a_key_is_done_once(operator):
    body = {"name": "once1", "roles": ["filer"]}
    first = operator.post("/users", json=body, headers={"idempotency-key": "k-1"})
    again = operator.post("/users", json=body, headers={"idempotency-key": "k-1"})
    assert first.status_code == again.status_code == 201
    assert (first.json(), first.headers["etag"]) == (again.json(), again.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    problem(operator.post("/users", json=body), 409)  # without the key it is a second request


def test_a_key_is_for_one_request(operator):
    operator.post("/users", json={"name": "once2", "roles": ["filer"]}, headers={"idempotency-key": "k-2"})
    other = operator.post("/users", json={"name": "once3", "roles": ["filer"]}, headers={"idempotency-key": "k-2"})
    assert fields(problem(other, 422)) == ["Idempotency-Key"]
    assert count(operator, "once3") == 0


def test_a_request_that_was_refused_gives_its_key_back(operator):
    bad = operator.post("/users", json={"name": "Once4", "roles": ["filer"]}, headers={"idempotency-key": "k-4"})
    problem(bad, 422)
    good = operator.post("/users", json={"name": "once4", "roles": ["filer"]}, headers={"idempotency-key": "k-4"})
    assert good.status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é".encode("latin-1")])
def test_what_is_no_key_is_refused(operator, key):
    answer = operator.post("/users", json={"name": "x", "roles": ["filer"]}, headers={"idempotency-key": key})
    assert fields(problem(answer, 400)) == ["Idempotency-Key"]


def test_the_same_request_at_the_same_moment_is_done_once(served, operator):
    users, real = served.node.access.users, served.node.access.users.add

    def slow(*args, **options):
        time.sleep(0.5)
        return real(*args, **options)

    users.add = slow
    answers = []
    try:

        def send():
            headers = {"idempotency-key": "k-5", "authorization": operator.headers["authorization"]}
            answers.append(
                httpx.post(
                    f"{served.url}/api/v1/users",
                    json={"name": "once5", "roles": ["filer"]},
                    headers=headers,
                    timeout=30,
                )
            )

        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        del users.add
    assert [answer.status_code for answer in answers] == [201] * 6
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5


def test_a_token_is_shown_once_and_kept_under_no_key(served, anna):
    body = {"label": "t", "scopes": ["read"]}
    first = anna.post("/users/anna/tokens", json=body, headers={"idempotency-key": "k-6"})
    second = anna.post("/users/anna/tokens", json=body, headers={"idempotency-key": "k-6"})
    assert first.status_code == second.status_code == 201
    assert first.json()["token"] != second.json()["token"]
    for file in served.node.folder.path.rglob("node.db*"):
        assert first.json()["token"].encode() not in file.read_bytes()


def test_two_persons_make_a_trusted_user(served, anna):
    boris = served.signed_in("boris", Role.PARTY_AUTHORITY)
    proposed = anna.post("/users", json={"name": "keys", "roles": ["key-custodian"]})
    assert proposed.status_code == 202
    number = proposed.json()["proposal"]["id"]
    assert proposed.json()["proposal"]["state"] == "open"
    assert "password" not in proposed.text.replace("must_change_password", "")
    problem(anna.post(f"/proposals/{number}/confirmation"), 403)
    assert boris.post(f"/proposals/{number}/confirmation").json()["state"] == "done"
    problem(boris.post(f"/proposals/{number}/confirmation"), 409)
    assert anna.get("/users/keys").json()["roles"] == ["key-custodian"]


def test_acts_are_read_by_the_auditor_and_tell_who_and_from_where(served):
    auditor = served.with_token("audit", scopes=["audit"])
    acts = auditor.get("/acts", params={"what": "sign-in", "user": "anna"}).json()["items"]
    assert acts
    assert all((act["user"], act["address"], act["via"]) == ("anna", "127.0.0.1", "session") for act in acts)
