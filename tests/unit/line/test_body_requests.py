from __future__ import annotations

import pytest

from keepclear.errors import IntegrityError, PeerError
from keepclear.line.body_requests import (
    BODIES_TYPE,
    MOST_PIECE_BYTES,
    BodiesAnswer,
    Gone,
    Piece,
    PieceReader,
    Wanted,
    check_part,
    format_bodies,
    pieces_of,
    whole_entry,
)
from keepclear.line.mirror_requests import Answer
from keepclear.record.cosignatures import cosign
from tests.crash.saying import MIRROR_KEY, ORIGIN, said, signed

MIB = MOST_PIECE_BYTES
SALT = bytes(32)
ITEMS = [
    Piece(3, 0, 0, 5, SALT, b"hello"),
    Gone(7),
    Piece(2**63 - 1, 65_535, MIB, MIB + 2, SALT, b"hi"),
    Piece(8, 1, 0, 0, SALT, b""),
]


def read(data: bytes, step: int):
    reader, items = PieceReader(), []
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
        if reader.origin() is not None:
            items += reader.items()
    return reader, items


def test_the_worked_request_of_the_specification():
    worked = (
        "0010 6e6f7274682f626f726465722f6c6f67 00 0000000000000003 0000"
        + "00" * 32
        + "00000005 00000000 00000005 68656c6c6f"
    )
    assert b"".join(format_bodies(ORIGIN, ITEMS[:1])) == bytes.fromhex(worked)


def test_a_request_cut_off_anywhere_gives_what_was_whole():
    data = b"".join(format_bodies(ORIGIN, ITEMS))
    ends = [len(b"".join(format_bodies(ORIGIN, ITEMS[:count]))) for count in range(5)]
    for cut in range(len(data) + 1):
        reader, items = read(data[:cut], 3)
        assert items == ITEMS[: sum(cut >= end for end in ends[1:])]
        assert reader.empty == (cut in ends)


@pytest.mark.parametrize(
    "item",
    [
        b"\x02",
        Piece(1, 0, 0, 16 * MIB + 1, SALT, b"x" * MIB).to_bytes(),
        Piece(1, 0, 1, 5, SALT, b"ello").to_bytes(),
        Piece(1, 0, 0, 5, SALT, b"hell").to_bytes(),
        Piece(1, 0, 0, 5, SALT, b"hello!").to_bytes(),
        Piece(1, 0, MIB, MIB, SALT, b"").to_bytes(),
        Piece(1, 0, 0, MIB + 1, SALT, b"x" * (MIB + 1)).to_bytes(),
        Piece(2**63, 0, 0, 1, SALT, b"x").to_bytes(),
        Gone(2**64 - 1).to_bytes(),
    ],
)
def test_what_is_no_item_is_refused(item):
    with pytest.raises(PeerError):
        read(b"\0\1a" + item, 10**7)


def test_the_pieces_of_an_entry_make_it_whole_again_from_anywhere():
    entry = said(1, attached=2)
    pieces = list(pieces_of(entry, Wanted(4), most_bytes=10**9))
    assert [(one.number, one.part, one.offset) for one in pieces] == [(4, 0, 0), (4, 1, 0), (4, 2, 0)]
    assert list(pieces_of(entry, Wanted(4, 2), most_bytes=10**9)) == pieces[2:]
    assert list(pieces_of(entry, Wanted(4), most_bytes=1)) == pieces[:1]
    assert whole_entry(entry.leaf, [(one.salt, one.data) for one in pieces]) == entry
    for one in pieces:
        check_part(entry.leaf, one.part, one.salt, one.data)
        with pytest.raises(IntegrityError):
            check_part(entry.leaf, one.part, one.salt, one.data + b"x")
    with pytest.raises(IntegrityError):
        check_part(entry.leaf, 3, SALT, b"")


LINES = (cosign(signed([b"a"]).decode().split("\n\n")[0] + "\n", MIRROR_KEY, time_s=1),)


@pytest.mark.parametrize(
    "said_",
    [
        BodiesAnswer(),
        BodiesAnswer((Wanted(3, 1, MIB), Wanted(4)), more=True),
        BodiesAnswer((), receipt=(1, LINES)),
        BodiesAnswer((Wanted(0),), more=True, receipt=(2**63 - 1, LINES * 3)),
    ],
)
def test_an_answer_is_read_as_it_was_written(said_):
    assert BodiesAnswer.of_answer(said_.answer()) == said_


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"keepclear bodies v1",
        b"keepclear bodies v2\n",
        b"keepclear bodies v1\n\n",
        b"keepclear bodies v1\nwanted 1 0\n",
        b"keepclear bodies v1\nwanted 01 0 0\n",
        b"keepclear bodies v1\nwanted 1 0 5\n",
        b"keepclear bodies v1\nwanted 1 65536 0\n",
        b"keepclear bodies v1\nwanted 2 0 0\nwanted 2 0 0\n",
        b"keepclear bodies v1\nwanted 2 0 0\nwanted 1 0 0\n",
        b"keepclear bodies v1\nmore\nwanted 1 0 0\n",
        b"keepclear bodies v1\nreceipt 5\n",
        b"keepclear bodies v1\nreceipt x\n" + LINES[0].line.encode(),
        b"keepclear bodies v1\n" + LINES[0].line.encode(),
        b"keepclear bodies v1\nreceipt 5\n" + LINES[0].line.encode() * 65,
        b"keepclear bodies v1\n" + b"".join(b"wanted %d 0 0\n" % n for n in range(101)),
        b"\xff",
        b"keepclear bodies v1\n" + b"x" * 300_000,
    ],
)
def test_what_is_no_answer_is_refused(body):
    with pytest.raises(PeerError):
        BodiesAnswer.of_answer(Answer(200, BODIES_TYPE, body))


def test_another_content_type_is_refused():
    with pytest.raises(PeerError):
        BodiesAnswer.of_answer(Answer(200, "text/plain", b"keepclear bodies v1\n"))
