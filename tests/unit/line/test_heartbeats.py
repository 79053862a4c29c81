"""Heartbeats on the wire: what comes back, what is refused, and what a newer node may add."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.line.heartbeats import MOST_CHECKPOINTS, Heard, Heartbeat, read_heartbeat, sign_heartbeat
from keepclear.line.signed_json import sign_json
from keepclear.line.versions import OURS, Versions, agreed
from keepclear.record.canonical import parse_canonical
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.names import Purpose
from keepclear.record.notes import Note
from tests.unit.line.parties_made import MadeParty, signing_key

A, B, C = MadeParty("a"), MadeParty("b"), MadeParty("c")
KEYS = [party.transport.verifier for party in (A, B, C)]


def checkpoint(party, size, root=bytes(32)):
    return sign_checkpoint(Checkpoint(party.log_key.verifier.name, size, root), party.log_key)


HEARTBEAT = Heartbeat(
    "a", "border", "b", 1772442000.123, 7, (checkpoint(A, 3), checkpoint(B, 4)), Heard(5, 1772441940.0, 1772441941.5)
)
FILE = sign_heartbeat(HEARTBEAT, A.transport)


def read(data, *, line="border", to="b"):
    return read_heartbeat(data, keys=KEYS, line=line, to=to)


def changed(key=A.transport, **members):
    value = parse_canonical(Note.of_bytes(FILE).text.splitlines()[1].encode()) | members
    return sign_json("keepclear heartbeat v1", {name: one for name, one in value.items() if one is not ...}, key)


def test_a_heartbeat_comes_back_as_it_was():
    assert read(FILE) == HEARTBEAT
    bare = Heartbeat("a", "border", "b", 0.0, 1)
    assert read(sign_heartbeat(bare, A.transport)) == bare


def test_what_a_newer_node_adds_is_passed_over_and_named():
    found = read(changed(weather="rain", versions=[1, 3]))
    assert found.unknown == ("weather",)
    said = agreed(found.versions, party="a")
    assert (said.version, said.newer) == (1, True)
    assert "newer" in said.sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"party": "a b"}, "party"),
        ({"party": ...}, "party: missing"),
        ({"party": "d"}, "no transport key"),
        ({"to": "c"}, "to c on border"),
        ({"line": "other"}, "on other"),
        ({"sent": 7}, "sent"),
        ({"sent": "2026-03-02T09:00:00.1234Z"}, "sent"),
        ({"sequence": 0}, "sequence"),
        ({"sequence": 1.5}, "sequence"),
        ({"sequence": True}, "sequence"),
        ({"checkpoints": {}}, "checkpoints"),
        ({"checkpoints": [7]}, "checkpoints"),
        ({"checkpoints": ["x"]}, "checkpoints"),
        ({"checkpoints": ["x" * 20_000]}, "checkpoints"),
        ({"checkpoints": [checkpoint(B, 4).decode(), checkpoint(A, 3).decode()]}, "sorted"),
        ({"checkpoints": [checkpoint(A, 4).decode(), checkpoint(A, 3).decode()]}, "sorted"),
        ({"checkpoints": [checkpoint(A, 4).decode()] * (MOST_CHECKPOINTS + 1)}, "checkpoints"),
        ({"versions": []}, "versions"),
        ({"versions": [1, 70_000]}, "versions"),
        ({"heard": []}, "heard"),
        ({"heard": {"sequence": 1}}, "heard: sent"),
    ],
)
def test_what_is_not_a_heartbeat_is_refused(changes, words):
    with pytest.raises(PeerError, match=words):
        read(changed(**changes))


def test_a_heartbeat_that_its_party_did_not_sign_is_refused():
    with pytest.raises(IntegrityError):
        read(changed(key=B.transport))
    with pytest.raises(IntegrityError):
        read(changed(key=signing_key("a", Purpose.TRANSPORT, 9)))
    with pytest.raises(IntegrityError):
        read(FILE.replace(b'"sequence":7', b'"sequence":8'))


def test_our_own_mistakes_are_told():
    with pytest.raises(InputError, match="a/transport"):
        sign_heartbeat(HEARTBEAT, B.transport)
    with pytest.raises(InputError, match="oneself"):
        Heartbeat("a", "border", "a", 0.0, 1)
    with pytest.raises(InputError, match="sequence"):
        Heartbeat("a", "border", "b", 0.0, 0)
    elsewhere = sign_checkpoint(Checkpoint("a/identity", 1, bytes(32)), signing_key("a", Purpose.IDENTITY))
    with pytest.raises(InputError, match="none of a line"):
        Heartbeat("a", "border", "b", 0.0, 1, (elsewhere,))


@pytest.mark.parametrize(
    ("theirs", "version", "newer", "words"),
    [
        (Versions(2, 3), 3, False, ""),
        (Versions(1, 2), 2, False, "older than ours: version 2"),
        (Versions(3, 9), 3, True, "newer than ours"),
        (Versions(4, 9), None, True, "this node must be updated"),
        (Versions(1, 1), None, False, "the node of a must be updated"),
    ],
)
def test_the_highest_common_version_is_spoken(theirs, version, newer, words):
    said = agreed(theirs, party="a", ours=Versions(2, 3))
    assert (said.version, said.newer) == (version, newer)
    assert words in said.sentence
    assert bool(words) == bool(said.sentence)


@pytest.mark.parametrize("numbers", [(0, 1), (2, 1), (1, 65_536)])
def test_versions_are_in_order(numbers):
    with pytest.raises(InputError):
        Versions(*numbers)
    assert Versions(1, 1) == OURS
