"""A member of a line whose node is hostile: nothing of it gets in, and nothing goes down.

Two honest nodes are real processes; the third was killed when it had joined, and the tests have its keys.
What a stranger, or one request alone, cannot do is in ``tests/unit/api/test_peers.py`` and
``tests/unit/node/test_lying.py``. After each attack the two honest ones go on talking to each other.
"""

from __future__ import annotations

import gzip
import io
import re
import secrets
import socket
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keepclear.clock import now_s
from keepclear.line.heartbeats import Heartbeat, sign_heartbeat
from keepclear.line.mirror_requests import AddCheckpoint
from keepclear.line.signed_json import sign_json
from keepclear.node.flashes import Flash, sign_flash
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.times import to_text
from tests.hostile import Hostile, hostile, named
from tests.line_of_nodes import LINE, joined, until
from tests.load import operation
from tests.nodes import NodeProcess, nodes_in

MOST_MB = 500
ESCAPES = "\x1b[2J\x1b]0;owned\x07\u202e\u2066 all clear \x9b31m"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass
class Three:
    """RU and SY are honest, and TR is not."""

    ru: NodeProcess
    sy: NodeProcess
    tr: Hostile
    said: int = 0

    def go_on(self) -> None:
        """The honest ones serve their people, and exchange."""
        for giver, taker in ((self.ru, self.sy), (self.sy, self.ru)):
            self.said += 1
            text = f"Word {self.said} of the day."
            told = giver.asked("POST", "/messages", {"line": LINE, "text": text, "recipients": [taker.party]})
            until(lambda: self.has(taker, told["id"]), f"{taker.party} has {told['id']}")  # noqa: B023
        for node in (self.ru, self.sy):
            assert node.process is not None
            assert node.process.poll() is None
            assert node.asked("GET", "/../../healthz") is not None
            assert memory_mb(node) < MOST_MB
            assert "Traceback" not in node.log, node.log[-4000:]

    @staticmethod
    def has(node: NodeProcess, entry: str) -> bool:
        with node.client() as client:
            answer = client.get(f"/entries/{entry}")
        return answer.status_code == 200 and answer.json()["body_state"] == "held"

    def taken(self) -> None:
        """RU has all that TR has said, and has put it into its tables."""
        assert self.tr.push(self.ru, packed=True) == ""  # as C2SP has it
        last = f"TR:{LINE}:{self.tr.size - 1}"
        until(lambda: entry_of(self.ru, last) is not None, f"RU shows {last}", timeout_s=120.0)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    with ExitStack() as stack:
        nodes = stack.enter_context(nodes_in(tmp_path_factory.mktemp("three")))
        all_of_them = [nodes.new(party) for party in ("RU", "SY", "TR")]
        for node in all_of_them:
            node.start(wait=False)
        for node in all_of_them:
            node.wait_ready()
        joined(all_of_them)
        ru, sy, tr = all_of_them
        tr.kill()
        yield Three(ru, sy, stack.enter_context(hostile(tr)))


def entry_of(node: NodeProcess, entry: str) -> Any:
    with node.client() as client:
        answer = client.get(f"/entries/{entry}")
    return answer.json() if answer.status_code == 200 else None


def memory_mb(node: NodeProcess) -> float:
    assert node.process is not None
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024.0


def filed(node: NodeProcess, number: str, *to: str) -> dict[str, Any]:
    asked = {"line": LINE, "operation": operation(node.party, number), "recipients": list(to)}
    told: dict[str, Any] = node.asked("POST", "/operations", asked)
    return told


def plan(party: str, number: str, **more: Any) -> dict[str, Any]:
    return {"operation": operation(party, number) | more}


def test_nobody_speaks_for_another(three: Three) -> None:
    ru, sy, tr = three.ru, three.sy, three.tr
    ours = filed(ru, "ours", "SY", "TR")
    theirs = filed(sy, "theirs", "RU", "TR")
    until(lambda: three.has(ru, theirs["id"]), "RU has SY's plan")
    (own,) = tr.say(tr.entry("operation", plan("TR", "mine"), "RU", "SY"))
    risk = {"about": [ours["ref"], theirs["ref"]], "answer": "conflict", "sentence": "They collide."}
    (advisory,) = tr.say(tr.entry("advisory", risk, "RU", "SY"))
    to = ("RU", "SY")
    tr.say(
        tr.entry("cancel", {"entry": ours["ref"]}, *to),
        tr.entry("cancel", {"entry": theirs["ref"]}, *to),
        tr.entry("operation", plan("RU", "ours", name="amended") | {"supersedes": ours["ref"]}, *to),
        tr.entry("operation", plan("SY", "theirs"), *to),
        tr.entry("answer", {"to": theirs["ref"], "answer": "seen", "reason": "RU has seen it"}, *to),
        tr.entry("accepted-risk", {"advisory": named(advisory), "reason": "RU accepts"}, *to),
        tr.entry("opening", {"entry": ours["ref"], "content": {"type": "operation", "v": 1, "body": {}}}, *to),
        tr.entry("refused", {"entry": theirs["ref"], "guard": "NO_SHARING"}, *to),
        tr.entry("member-left", {"root": named(own), "reason": "RU leaves"}, *to),
    )
    three.taken()
    for one in (ours, theirs):
        found = ru.asked("GET", f"/operations/{one['id']}")
        assert found["state"] not in ("amended", "cancelled", "ended"), found
        thread = ru.asked("GET", f"/entries/{one['id']}/thread")
        assert (thread["superseded_by"], thread["cancelled_by"]) == (None, None)
        for standing in thread["standings"]:
            assert not [given for given in standing["answers"] if standing["party"] != "TR"]
            assert standing["party"] == "TR" or not standing["refused"]
    listed = ru.asked("GET", f"/operations?line={LINE}")["items"]
    claims = [one for one in listed if one["id"].startswith("TR:")]
    assert claims
    assert {one["party"] for one in claims} == {"TR"}
    between = [one for one in ru.asked("GET", f"/conflicts?line={LINE}")["items"] if "TR" in one["advised_by"]]
    assert not [one for one in between if {ours["id"], theirs["id"]} <= {part["id"] for part in one["between"]}]
    assert sorted(one["party"] for one in ru.asked("GET", f"/lines/{LINE}/members")["members"]) == ["RU", "SY", "TR"]
    three.go_on()


def test_whatever_is_in_an_entry_stops_nothing_and_paints_no_screen(three: Three) -> None:
    tr = three.tr
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("map.kml", b"\0" * (200 * 2**20))
    note = {"name": "map.kmz", "media_type": "application/vnd.google-earth.kmz", "size_bytes": len(zipped.getvalue())}
    tr.say(
        tr.entry("operation", b"\xff\xfe\xfd", "RU"),
        tr.entry("message", b"[" * 200_000, "RU"),
        tr.entry("message", b'{"text":"' + b"\\u001b" * 9 + b'"}', "RU"),
        tr.entry("operation", plan("TR", "newer") | {"altitude_class": "new"}, "RU", version=7),
        tr.entry("strike-list", {"text": "what is not known"}, "RU"),
        tr.entry("answer", {"to": "nothing", "answer": "approved"}, "RU"),
        tr.entry("operation", plan("TR", "far", kind="bombardment"), "RU"),
        tr.entry("operation", plan("TR\x1b[2J", ESCAPES, name=f"{ESCAPES}\x00"), "RU"),
        tr.entry("message", {"text": f"{ESCAPES}\x00\r\nRU: cleared", "priority": "immediate"}, "RU"),
        tr.entry("message", {"text": "see the map", "attachments": [note]}, "RU", attachments=[zipped.getvalue()]),
        tr.entry("message", {"text": "from the future", "priority": "short"}, "RU", time_s=253402300799.0),
    )
    tr.put_leaf(secrets.token_bytes(65_535))
    tr.put_leaf(b"")
    tr.put_leaf(b'{"' * 32_000)
    tr.say(tr.entry("message", {"text": "after all that"}, "RU"))
    three.taken()
    for shown in (three.ru.run("inbox"), three.ru.run("inbox", "--format", "json"), three.ru.run("line members")):
        assert not [one for one in shown if not one.isprintable() and one != "\n"], ascii(shown)
    listed = three.ru.asked("GET", f"/entries?line={LINE}&party=TR&limit=500")["items"]
    assert [bool(one["problem"]) for one in listed if one["version"] == 7] == [True]
    three.go_on()


def test_floods_are_taken_and_hold_up_nobody(three: Three) -> None:
    ru, tr = three.ru, three.tr
    ours = filed(ru, "asked about", "SY", "TR")
    answers = [tr.entry("answer", {"to": ours["ref"], "answer": "seen", "reason": f"{n}"}, "RU") for n in range(1500)]
    tr.say(*answers)
    names = [dict(ours["ref"], index=n) for n in range(10_000)]
    tr.say(tr.entry("advisory", {"about": names, "answer": "possible", "sentence": "all"}, "RU"))
    flashes = tr.say(*(tr.entry("message", {"text": f"help {n}", "priority": "flash"}, "RU") for n in range(150)))
    message, key = MessageBody(text="harm", priority=Priority.FLASH), tr.node.records.transport_key()
    for _ in range(50):
        beside = Flash("TR", LINE, "RU", secrets.token_hex(16), round(now_s(), 3), message)
        assert tr.call(ru, "/line/v1/flash", sign_flash(beside, key)).status_code == 200
    three.taken()
    three.go_on()
    for ref in (flashes[0], flashes[-1]):
        assert three.has(ru, f"TR:{LINE}:{ref.index}")

    def first() -> list[str]:
        return [one["summary"] for one in ru.asked("GET", f"/inbox?line={LINE}")["to_answer"][:150]]

    until(lambda: sum(one.startswith("FLASH") for one in first()) == 150, "FLASH stands in front of all else")
    standing = next(
        one for one in ru.asked("GET", f"/entries/{ours['id']}/thread")["standings"] if one["party"] == "TR"
    )
    assert 0 < len(standing["answers"]) <= 200


def test_bodies_without_end_and_of_any_size_are_not_read(three: Three) -> None:
    ru, tr = three.ru, three.tr
    before_mb = memory_mb(ru)
    path = "/line/v1/add-entries"
    headers = tr.signer.headers("POST", path, to="RU", body=b"")
    assert b" 413 " in raw(ru, path, {**headers, "content-length": str(2**30)}, b"x")
    headers = tr.signer.headers("POST", path, to="RU", body=b"")
    endless = b"".join(b"%x\r\n%b\r\n" % (2**16, bytes(2**16)) for _ in range(500))
    assert b" 413 " in raw(ru, path, {**headers, "transfer-encoding": "chunked"}, endless)
    name = tr.origin.encode()
    bomb = gzip.compress(len(name).to_bytes(2, "big") + name + bytes(2**28))
    assert tr.call(ru, path, bomb, content_encoding="gzip").status_code in (400, 413, 422)
    assert tr.call(ru, "/line/v1/flash", bomb, content_encoding="gzip").status_code == 415
    assert tr.call(ru, path, b"no gzip", content_encoding="gzip").status_code == 400
    # What each of many strangers sends of a head, or of an answer to an invitation, comes too slowly.
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", ru.port))) for _ in range(200)]
        for number, one in enumerate(slow):
            begun = b"POST /line/v1/acceptance HTTP/1.1\r\nhost: ru\r\ncontent-length: 1000\r\n"
            one.sendall(begun + (b"\r\n{" if number % 2 else b"x-slow: "))
        three.go_on()
        for one in slow[::2]:
            one.sendall(b"x")
        three.go_on()
    assert memory_mb(ru) < before_mb + 150.0


def raw(node: NodeProcess, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """What is answered to these very bytes, whether or not all of them are taken."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", node.port)) as one:
        one.settimeout(20)
        with suppress(OSError):  # the door may be closed while we push
            one.sendall(f"POST {path} HTTP/1.1\r\nhost: ru\r\n{head}\r\n".encode() + body)
        try:
            return one.recv(65536)
        except ConnectionResetError:
            return b" 413 "


def test_heartbeats_say_nothing_but_of_who_signed_them(three: Three) -> None:
    ru, tr = three.ru, three.tr
    key, sent_s = tr.node.records.transport_key(), round(now_s(), 3)
    checkpoint = tr.node.records.checkpoint(tr.origin).decode()
    base = {
        "party": "TR", "line": LINE, "to": "RU", "sent": to_text(sent_s), "checkpoints": [], "versions": [1, 1],
        "sequence": round(sent_s * 1000.0) + 60_000,
    }  # fmt: skip
    for wrong in (
        {"checkpoints": [checkpoint] * 10_000}, {"checkpoints": [checkpoint] * 2}, {"checkpoints": ["x"]},
        {"line": "other"}, {"to": "SY"}, {"party": "SY"}, {"sequence": 2**53}, {"sequence": -1}, {"sent": "never"},
        {"versions": [0, 0]}, {"versions": "1"}, {"checkpoints": checkpoint},
    ):  # fmt: skip
        try:
            beat = sign_json("keepclear heartbeat v1", base | wrong, key)
        except Exception:  # noqa: BLE001  # longer than a note, or no JSON: what cannot be signed is sent as it is
            beat = repr(wrong).encode()
        assert tr.call(ru, "/line/v1/heartbeat", beat).status_code in (400, 403, 404, 413, 422), wrong
    ahead_s = sent_s + 10 * 365 * 86_400.0
    future = Heartbeat("TR", LINE, "RU", ahead_s, 2**53 - 2, checkpoints=(checkpoint.encode(),))
    assert tr.call(ru, "/line/v1/heartbeat", sign_heartbeat(future, key)).status_code == 200
    channels = {one["party"]: one for one in ru.asked("GET", f"/lines/{LINE}/status")["channels"]}
    assert channels["TR"]["clock_ahead_s"] > 5.0
    assert channels["SY"]["state"] == "up"
    assert abs(channels["SY"]["clock_ahead_s"] or 0.0) < 5.0
    three.go_on()


def test_a_log_with_two_histories_is_shut_out_and_the_evidence_kept(three: Three) -> None:
    ru, tr = three.ru, three.tr
    assert tr.push(ru) == ""
    back = AddCheckpoint(tr.size, (), tr.other_tree(tr.size - 2)).to_bytes()
    assert tr.call(ru, "/line/v1/add-checkpoint", back).status_code in (400, 409, 422)
    other = AddCheckpoint(tr.size, (), tr.other_tree(tr.size)).to_bytes()
    assert tr.call(ru, "/line/v1/add-checkpoint", other).status_code == 409
    until(lambda: ru.asked("GET", f"/lines/{LINE}/status")["forks"], "RU tells of the fork")
    alarms = ru.asked("GET", "/alarms?limit=500")["items"]
    assert [one for one in alarms if one["kind"] == "fork"]
    (after,) = tr.say(tr.entry("message", {"text": "as if nothing had been"}, "RU"))
    assert tr.push(ru, most=20) != ""
    assert entry_of(ru, f"TR:{LINE}:{after.index}") is None
    message, key = MessageBody(text="harm all the same", priority=Priority.FLASH), tr.node.records.transport_key()
    flash = Flash("TR", LINE, "RU", secrets.token_hex(16), round(now_s(), 3), message)
    assert tr.call(ru, "/line/v1/flash", sign_flash(flash, key)).status_code == 200
    three.go_on()
    begun_s = time.monotonic()
    ru.restart()
    three.go_on()
    assert ru.asked("GET", f"/lines/{LINE}/status")["forks"], f"after {time.monotonic() - begun_s:.0f} s"
