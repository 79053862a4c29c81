"""What others' nodes may not do: each tried over a real socket; nothing gets in, and the node goes on answering."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from keepclear.api import peers as peers_api
from keepclear.line.entry_packages import EntriesHeader
from keepclear.line.mirror_requests import AddCheckpoint, Answer, MirrorInfo
from keepclear.node.actors import OPERATOR
from keepclear.node.peer_desk import LIMITS
from keepclear.node.remote_log import origin_path
from keepclear.node.request_signatures import RequestSigner
from keepclear.record.keys import SignatureKind, SigningKey
from tests.unit.node.exchange_made import LINE, Talking, talking, until

CHECKPOINT, ENTRIES, BODIES = "/line/v1/add-checkpoint", "/line/v1/add-entries", "/line/v1/add-bodies"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Talking, Talking]]:
    """A, which listens, and B, whose key the tests have; B's own exchange has stopped. One pair for all of them."""
    yield from _two(tmp_path_factory.mktemp("two"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[Talking, Talking]]:
    """A pair for one test alone."""
    yield from _two(tmp_path)


def _two(path: Path) -> Iterator[tuple[Talking, Talking]]:
    with talking(path) as (a, b):
        b.say("known", "A")
        origin = b.records.own_origin(LINE)
        # Its node welcomes A by an entry of its own; then it is quiet.
        until(lambda: "member-invited" in [one.type for one in b.records.leaves(origin, 0, b.records.size(origin))])
        b.welcoming.stop()
        until(lambda: b.exchange.status(LINE)[0].behind == 0)
        b.exchange.stop()
        yield a, b


def signer(node: Talking, *, ahead_s: float = 0.0) -> RequestSigner:
    return RequestSigner(node.records.transport_key(), lambda: time.time() + ahead_s)


def stranger() -> RequestSigner:
    return RequestSigner(SigningKey.of_seed("B/transport", SignatureKind.ED25519, b"s" * 32), time.time)


def call(a: Talking, by: RequestSigner, path: str, body: bytes = b"", *, method: str = "POST", to: str = "A"):
    headers = by.headers(method, path, to=to, body=body)
    return httpx.request(method, a.address + path, content=body or None, headers=headers)


def raw(a: Talking, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """What is answered to these very bytes."""
    host, port = a.address.removeprefix("http://").split(":")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((host, int(port))) as one:
        one.settimeout(5)
        one.sendall(f"{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{head}\r\n".encode() + body)
        answer = b""
        while more := one.recv(65536):
            answer += more
    return answer


def still_answers(a: Talking, b: Talking) -> None:
    """A peer that behaves is served as ever, and nothing has changed in what is held."""
    probe = EntriesHeader(b.records.own_origin(LINE).encode(), 0, 0).to_bytes()
    answer = call(a, signer(b), ENTRIES, probe)
    assert answer.status_code in (200, 202, 409)
    assert a.records.size(b.records.own_origin(LINE)) == b.records.size(b.records.own_origin(LINE))
    assert a.records.conflicts(b.records.own_origin(LINE)) == ()


def said_checkpoint(b: Talking) -> bytes:
    origin = b.records.own_origin(LINE)
    return AddCheckpoint(b.records.size(origin), (), b.records.checkpoint(origin)).to_bytes()


def test_without_a_signature_nothing_is_answered(two) -> None:
    a, b = two
    for path in (CHECKPOINT, ENTRIES, BODIES, "/line/v1/heartbeat", "/line/v1/flash", f"/line/v1/turn/{LINE}"):
        assert httpx.post(a.address + path, content=said_checkpoint(b)).status_code == 401
    assert httpx.get(f"{a.address}/line/v1/lines/{LINE}/cards").status_code == 401
    assert httpx.get(f"{a.address}/line/v1/{origin_path('A/north-east/log')}/checkpoint").status_code == 401
    still_answers(a, b)


def test_a_stranger_with_a_members_name_is_nobody(two) -> None:
    a, b = two
    assert call(a, stranger(), CHECKPOINT, said_checkpoint(b)).status_code == 401
    still_answers(a, b)


def test_a_signature_of_another_key_under_a_members_key_id_does_not_hold(two) -> None:
    a, b = two
    headers = signer(b).headers("POST", CHECKPOINT, to="A", body=b"x")
    forged = stranger().headers("POST", CHECKPOINT, to="A", body=b"x")
    headers["signature"] = forged["signature"]
    answer = httpx.post(a.address + CHECKPOINT, content=b"x", headers=headers)
    assert (answer.status_code, "does not hold" in answer.text) == (401, True)
    still_answers(a, b)


@pytest.mark.parametrize("change", ["path", "method", "to", "query", "body", "digest"])
def test_what_was_signed_cannot_be_changed(two, change: str) -> None:
    a, b = two
    body = said_checkpoint(b)
    headers = signer(b).headers("POST", CHECKPOINT, to="C" if change == "to" else "A", body=body)
    path, method = CHECKPOINT, "POST"
    match change:
        case "path":
            path = BODIES
        case "method":
            path, method = f"/line/v1/lines/{LINE}/cards", "GET"
        case "to":
            headers["keepclear-to"] = "A"
        case "query":
            path += "?a=b"
        case "body":
            body = body.replace(b"old", b"olD")
        case "digest":
            body = body + b" "
            digest = hashlib.sha256(body).digest()
            headers["content-digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"
    answer = httpx.request(method, a.address + path, content=body, headers=headers)
    assert answer.status_code == (400 if change == "body" else 401)
    still_answers(a, b)


def test_a_request_for_another_party_is_refused(two) -> None:
    a, b = two
    answer = call(a, signer(b), CHECKPOINT, said_checkpoint(b), to="C")
    assert (answer.status_code, "not for A" in answer.text) == (401, True)


def test_a_request_is_taken_once(two) -> None:
    a, b = two
    body = said_checkpoint(b)
    headers = signer(b).headers("POST", CHECKPOINT, to="A", body=body)
    first, again = (httpx.post(a.address + CHECKPOINT, content=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 409)
    assert "made before" in again.text
    still_answers(a, b)


def test_a_heartbeat_is_taken_once_even_in_another_request(two) -> None:
    a, b = two
    beat = b.exchange.beating.made(b.peers.find(LINE, "A"))
    first, again = (call(a, signer(b), "/line/v1/heartbeat", beat) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 400)
    assert "replay" in again.text


@pytest.mark.parametrize(("ahead_s", "status"), [(-600, 200), (600, 200), (-3590, 200), (-3700, 401), (3700, 401)])
def test_requests_of_the_last_hour_are_taken(two, ahead_s: float, status: int) -> None:
    a, b = two
    assert call(a, signer(b, ahead_s=ahead_s), CHECKPOINT, said_checkpoint(b)).status_code == status


@pytest.mark.parametrize("endpoint", sorted(set(LIMITS) - {"cards"}))
def test_more_bytes_than_an_endpoint_takes_are_not_read(two, endpoint: str) -> None:
    a, b = two
    path, limit = f"/line/v1/{endpoint}", LIMITS[endpoint]
    headers = signer(b).headers("POST", path, to="A", body=b"")
    answer = raw(a, "POST", path, {**headers, "content-length": str(limit + 1)}, b"x")
    assert answer.split(b" ", 2)[1] == b"413"
    sent = [0]

    def chunks() -> Iterator[bytes]:
        while sent[0] < limit + 2**20 * 16:
            sent[0] += 2**20
            yield bytes(2**20)

    headers = signer(b).headers("POST", path, to="A", body=b"")
    with suppress(httpx.WriteError):  # the door may be closed while we push
        assert httpx.post(a.address + path, content=chunks(), headers=headers).status_code == 413
    assert sent[0] <= limit + 2**20 * 16
    still_answers(a, b)


def test_a_body_that_does_not_come_is_not_waited_for(two, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = two
    monkeypatch.setattr(peers_api, "_IDLE_S", 0.5)
    host, port = a.address.removeprefix("http://").split(":")
    headers = signer(b).headers("POST", ENTRIES, to="A", body=b"x" * 100)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    slow = [socket.create_connection((host, int(port))) for _ in range(4)]
    for one in slow:
        one.sendall(f"POST {ENTRIES} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n{head}\r\nx".encode())
    still_answers(a, b)  # while they dawdle
    for one in slow:
        one.settimeout(5)
        assert b" 408 " in one.recv(200)
        one.close()
    still_answers(a, b)


def test_a_party_has_so_many_requests_under_way_and_no_more(two) -> None:
    a, b = two
    host, port = a.address.removeprefix("http://").split(":")
    slow = []
    for _ in range(8):
        headers = signer(b).headers("POST", ENTRIES, to="A", body=b"x" * 100)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        one = socket.create_connection((host, int(port)))
        one.sendall(f"POST {ENTRIES} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n{head}\r\nx".encode())
        slow.append(one)
    until(lambda: call(a, signer(b), CHECKPOINT, said_checkpoint(b)).status_code == 429)
    for one in slow:
        one.close()
    until(lambda: call(a, signer(b), CHECKPOINT, said_checkpoint(b)).status_code == 200)


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint/..", "tile/0/../../checkpoint", "tile/0/000/../001", "tile/0/%2e%2e/%2e%2e/etc/passwd",
        "tile/64/000", "tile/0/x000/000", "tile/0/0", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/999",
        "tile/entries/999", "tile/-1/000", "tile/0/000%00", "..%2f..%2fkeys/identity.key", "body/0", "body/-1",
        "tile/0/" + "x999/" * 30 + "999",
    ],
)  # fmt: skip
def test_paths_lead_nowhere_else(two, path: str) -> None:
    a, b = two
    target = f"/line/v1/{origin_path(a.records.own_origin(LINE))}/{path}"
    answer = raw(a, "GET", target, signer(b).headers("GET", target, to="A", body=b""))
    assert answer.split(b" ", 2)[1] in (b"404", b"401", b"400")
    assert b"PRIVATE" not in answer


def test_the_tiled_interface_serves_what_is_held_to_members(two) -> None:
    a, b = two
    for origin in a.records.origins(LINE):
        got = call(a, signer(b), f"/line/v1/{origin_path(origin)}/checkpoint", method="GET")
        assert got.content.decode().split("\n")[0] == origin
        size = int(got.content.decode().split("\n")[1])
        tile = call(a, signer(b), f"/line/v1/{origin_path(origin)}/tile/entries/000.p/{size}", method="GET")
        assert tile.status_code == 200
        hashes = call(a, signer(b), f"/line/v1/{origin_path(origin)}/tile/0/000.p/{size - 1}", method="GET")
        assert len(hashes.content) == 32 * (size - 1)
    assert call(a, signer(b), "/line/v1/mirror/" + "0" * 64 + "/checkpoint", method="GET").status_code == 404


def test_a_log_that_is_not_on_the_line_is_not_mirrored(two) -> None:
    a, b = two
    for origin in ("B/elsewhere/log", "C/north-east/log", "A/north-east/log", "x", "B/north-east/mirror", "é"):
        probe = EntriesHeader(origin.encode(), 0, 0).to_bytes()
        assert call(a, signer(b), ENTRIES, probe).status_code in (400, 404)
        assert call(a, signer(b), BODIES, len(origin.encode()).to_bytes(2, "big") + origin.encode()).status_code in (
            400, 404,
        )  # fmt: skip
    still_answers(a, b)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"\xff\xff", b"\0\0", b"old 1\n", b"old -1\n\nx", b"{" * 5000, b"\0" * 70000]
)
def test_nonsense_is_answered_with_a_sentence(two, body: bytes) -> None:
    a, b = two
    for endpoint in LIMITS:
        path = f"/line/v1/lines/{LINE}/cards" if endpoint == "cards" else f"/line/v1/{endpoint}"
        answer = call(a, signer(b), path, body)
        assert answer.status_code in (200, 400, 404, 409, 413, 422), (endpoint, answer.status_code)
        assert answer.status_code != 200 or endpoint == "cards"
    assert call(a, signer(b), f"/line/v1/turn/{LINE}", b"x" + body).status_code == 400
    still_answers(a, b)


def test_entries_that_do_not_prove_themselves_are_not_kept(fresh) -> None:
    a, b = fresh
    origin = b.records.own_origin(LINE)
    before = b.records.size(origin)
    b.say("more", "A")
    with b.records.sender(origin, b.peers.find(LINE, "A").mirrors, "A") as sender:
        sender.retried()
        _, request = sender.due()
        body = b"".join(request.body)
        assert request.endpoint == "add-checkpoint"
    assert call(a, signer(b), CHECKPOINT, body).status_code == 200
    leaf = b.records.leaf(origin, before).to_bytes().replace(b"north-east", b"south-east")
    header = EntriesHeader(origin.encode(), before, before + 1).to_bytes()
    forged = header + len(leaf).to_bytes(2, "big") + leaf + b"\0"
    assert call(a, signer(b), ENTRIES, forged).status_code == 422
    assert a.records.size(origin) == before


def test_bodies_come_from_the_author_alone(tmp_path: Path) -> None:
    with talking(tmp_path, "ABC") as (a, b, c):
        origin = c.records.own_origin(LINE)
        gone = len(origin).to_bytes(2, "big") + origin.encode() + b"\1" + (0).to_bytes(8, "big")
        answer = call(a, signer(b), BODIES, gone)
        assert (answer.status_code, "whose log it is" in answer.text) == (403, True)


def test_who_left_reads_nothing_any_more(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        by, peer = signer(b), b.peers.find(LINE, "A")
        reads = [f"/line/v1/lines/{LINE}/cards", f"/line/v1/{origin_path(a.records.own_origin(LINE))}/checkpoint"]
        assert [call(a, by, path, method="GET").status_code for path in reads] == [200, 200]
        b.lines.leave(LINE, "we go", by=OPERATOR)
        until(lambda: "B" not in a.lines.members(LINE).members)
        until(lambda: [call(a, by, path, method="GET").status_code for path in reads] in ([404, 404], [401, 401]))
        assert call(a, by, "/line/v1/heartbeat", b.exchange.beating.made(peer)).status_code in (401, 403)
        a.say("not for you any more")
        assert a.exchange.status(LINE) == () or a.peers.find(LINE, "B") is None or not a.peers.find(LINE, "B").member


def test_a_mirror_that_answers_nonsense_is_left_to_rest(fresh) -> None:
    a, _ = fresh
    assert MirrorInfo(3, 2).answer(202).status == 202  # what a sound one says
    outbound = a.exchange._outbounds[LINE, "B"]
    a.say("x", "B")
    for _ in range(20):
        outgoing = outbound.next()
        if outgoing is None:
            break
        outbound.answered(outgoing, Answer(200, "text/plain", b"\xff\xfe nonsense"))
    assert outbound.next() is None
    assert outbound.trouble
    assert outbound.rest_s() > 0
