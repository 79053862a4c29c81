"""The texts of turns: one spelling each, and a limit."""

from __future__ import annotations

import pytest

from keepclear.errors import PeerError
from keepclear.line.mirror_requests import Answer
from keepclear.node.turning import TurnRequest, answer_bytes, parse_answer, parse_turn


@pytest.mark.parametrize("body", [b"", b"x", b"\n\n\n", bytes(range(256)) * 300])
def test_what_a_turn_brings_is_read_back(body: bytes) -> None:
    asked = TurnRequest("0123456789abcdef", "add-entries", body)
    assert parse_turn(asked.answer()) == asked
    for answer in (Answer(200), Answer(202, "text/x.tlog.mirror-info", body, 5), Answer(409, "a/b", body)):
        assert parse_answer(answer_bytes("ab", answer)) == ("ab", answer)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n\n", b"keepclear answer v1", b"keepclear answer v1\n\n", b"keepclear answer v2\nid a\nstatus 200\n\n",
        b"keepclear answer v1\nid a\nstatus 20\n\n", b"keepclear answer v1\nid a\nid b\nstatus 200\n\n",
        b"keepclear answer v1\nstatus 200\n\n", b"keepclear answer v1\nid \xff\nstatus 200\n\n",
        b"keepclear answer v1\nid " + b"a" * 2000 + b"\nstatus 200\n\n", b"keepclear turn v1\nid a\nendpoint x\n\n",
    ],
)  # fmt: skip
def test_nothing_else_is_an_answer(data: bytes) -> None:
    with pytest.raises(PeerError):
        parse_answer(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"keepclear turn v1\n\n", b"keepclear turn v1\nid a\n\n", b"keepclear turn v1\nid a\nendpoint x\nmore y\n\n"],
)
def test_nothing_else_is_a_turn(data: bytes) -> None:
    with pytest.raises(PeerError):
        parse_turn(Answer(200, "", data))
