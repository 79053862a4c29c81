"""A member that makes up who is on a line, as much of it as it can."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from keepclear.node.actors import OPERATOR
from keepclear.node.membership_bodies import Item, write_items
from keepclear.record.canonical import canonical
from keepclear.record.entries import Entry, EntryRef
from keepclear.store.node import bodies_on_file
from keepclear.store.node.bodies_on_file import given_by
from tests.unit.node.lines_made import START_S, MadeNode, bring_in

LINE = "border"


def made_up(number: int, size: int) -> Item:
    body = canonical({"text": "x" * size})
    entry = Entry.said(
        "member-joined", 1, line=LINE, party="ghost", time_s=START_S, recipients=(), exercise=False, body=body,
        salt=secrets.token_bytes(32),
    )  # fmt: skip
    return Item(EntryRef(f"ghost/{LINE}/log", number, entry.leaf.hash), entry)


def test_what_is_made_up_takes_no_more_than_its_room_and_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies_on_file, "MOST_BYTES_ON_FILE", 300_000)
    a, b, c = (MadeNode(tmp_path / party, party) for party in ("a", "b", "c"))
    try:
        a.lines.new("Border", line=LINE, by=OPERATOR)
        bring_in(a, b, LINE)
        for first in range(0, 40, 10):
            a.cards.take(LINE, write_items([made_up(first + n, 20_000) for n in range(10)]))
        with a.database.reading() as conn:
            assert 200_000 < given_by(conn, "")[1] <= 300_000
        bring_in(a, c, LINE, b)
        for node in (a, b, c):
            assert set(node.lines.members(LINE).members) == {"a", "b", "c"}
    finally:
        for node in (a, b, c):
            node.close()


def test_what_is_handed_on_is_cut_where_no_more_may_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [made_up(number, 100) for number in range(5)]
    whole = write_items(items)
    monkeypatch.setattr("keepclear.node.membership_bodies.MOST_ITEMS", 3)
    assert write_items(items, cut=True) == b"".join(whole.splitlines(keepends=True)[:3])


def test_each_giver_has_room_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies_on_file, "MOST_BYTES_ON_FILE", 100_000)
    node = MadeNode(tmp_path / "a", "a")
    try:
        node.lines.new("Border", line=LINE, by=OPERATOR)
        assert 0 < node.cards.take(LINE, write_items([made_up(n, 20_000) for n in range(9)]), giver="liar") < 9
        assert node.cards.take(LINE, write_items([made_up(99, 20_000)]), giver="liar") == 0
        assert node.cards.take(LINE, write_items([made_up(99, 20_000)]), giver="honest") == 1
        with node.database.writing() as conn:
            bodies_on_file.drop_entries(conn, f"ghost/{LINE}/log", before=100)
            assert given_by(conn, "liar") == given_by(conn, "honest") == (0, 0)
        assert node.cards.take(LINE, write_items([made_up(99, 20_000)]), giver="liar") == 1
    finally:
        node.close()
