"""A line carried by hand: files both ways do what the network would have done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.node import carrying
from keepclear.node.bundle_files import BundleHead, BundleReader, BundleWriter, Section
from keepclear.record.keys import SignatureKind, SigningKey
from tests.unit.node.exchange_made import FLASH, LINE, Talking, talking, until
from tests.unit.node.records_made import said


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[Talking, Talking]]:
    """Two on one line, whose network has ended."""
    with talking(tmp_path) as (a, b):
        for node in (a, b):
            origin = node.records.own_origin(LINE)
            until(lambda node=node, origin=origin: "member-invited" in _types(node, origin))
            until(lambda node=node: node.exchange.status(LINE)[0].behind == 0)
            node.exchange.stop()
        yield a, b


def _types(node: Talking, origin: str) -> list[str]:
    return [one.type for one in node.records.leaves(origin, 0, node.records.size(origin))]


def test_a_bundle_each_way_brings_entries_bodies_and_receipts(apart, tmp_path: Path) -> None:
    a, b = apart
    refs = [a.say(f"{n}", "B") for n in range(300)]
    back = b.say("mine", "A")
    there = a.exchange.bundle(LINE, "B", tmp_path / "to-b.bundle")
    assert (there.entries, there.bodies) == (300, 300)
    carried = b.exchange.take_bundle(tmp_path / "to-b.bundle")
    assert (carried.entries, carried.troubles) == ({refs[0].origin: 300}, ())
    assert all(b.holds(ref) for ref in refs)
    b.exchange.bundle(LINE, "A", tmp_path / "to-a.bundle")
    answer = a.exchange.take_bundle(tmp_path / "to-a.bundle")
    assert answer.troubles == ()
    assert answer.receipts == {refs[0].origin: refs[-1].index + 1}
    assert a.holds(back)
    assert a.exchange.bundle(LINE, "B", tmp_path / "again.bundle").entries == 0


def test_a_bundle_is_read_section_by_section_and_no_more_of_it_is_in_memory(
    apart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = apart
    refs = a.records.say(LINE, [said(f"{n}", "B") for n in range(2000)])
    a.exchange.bundle(LINE, "B", tmp_path / "bundle")
    taken, ahead = [0], [0]
    read, decoded = BundleReader.sections, carrying.decode_bundle

    def sections(reader: BundleReader) -> Iterator[tuple[Section, bytes]]:
        for found in read(reader):
            taken[0] += found[0] is Section.LEAVES
            yield found

    def decode(data: bytes, *, width: int) -> list[bytes]:
        ahead[0] = max(ahead[0], taken[0])
        taken[0] -= 1
        return decoded(data, width=width)

    monkeypatch.setattr(BundleReader, "sections", sections)
    monkeypatch.setattr(carrying, "decode_bundle", decode)
    assert b.exchange.take_bundle(tmp_path / "bundle").entries == {refs[0].origin: 2000}
    assert (taken, ahead) == ([0], [1])
    assert b.exchange.take_bundle(tmp_path / "bundle").troubles == ()  # of leaves that are there none is looked at
    assert all(b.holds(ref) for ref in refs[::100])


def test_a_bundle_may_be_read_twice_and_after_a_newer_one(apart, tmp_path: Path) -> None:
    a, b = apart
    first, second = tmp_path / "1", tmp_path / "2"
    a.say("one", "B")
    a.exchange.bundle(LINE, "B", first)
    ref = a.say("two", "B")
    a.exchange.bundle(LINE, "B", second)
    b.exchange.take_bundle(second)
    for path in (first, second, first):
        carried = b.exchange.take_bundle(path)
        assert (carried.entries, carried.troubles) == ({}, ())
    assert b.holds(ref)


def test_flash_goes_in_a_bundle(apart, tmp_path: Path) -> None:
    a, b = apart
    a.exchange.flash(LINE, FLASH)
    a.exchange.bundle(LINE, "B", tmp_path / "x")
    for _ in range(2):
        b.exchange.take_bundle(tmp_path / "x")
    assert len(b.exchange.flashes.came(LINE)) == 1


def test_a_bundle_cut_off_anywhere_gives_what_is_whole_and_says_so(apart, tmp_path: Path) -> None:
    a, b = apart
    refs = [a.say("text " * 40, "B") for _ in range(20)]
    a.exchange.bundle(LINE, "B", tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    cut = tmp_path / "cut"
    for length in (*range(0, len(data), max(1, len(data) // 40)), len(data) - 1):
        cut.write_bytes(data[:length])
        try:
            carried = b.exchange.take_bundle(cut)
        except (InputError, PeerError):
            assert length < 2000  # not even the head
            continue
        assert any("cut off" in one for one in carried.troubles)
    b.exchange.take_bundle(tmp_path / "x")
    assert all(b.holds(ref) for ref in refs)


def test_a_bundle_that_was_changed_is_not_believed(apart, tmp_path: Path) -> None:
    a, b = apart
    ref = a.say("a plan of ours", "B")
    a.exchange.bundle(LINE, "B", tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    changed = tmp_path / "changed"
    changed.write_bytes(data.replace(b"a plan of ours", b"a plan of mine"))
    carried = b.exchange.take_bundle(changed)
    assert any("damaged" in one for one in carried.troubles)
    assert not b.holds(ref)
    b.exchange.take_bundle(tmp_path / "x")
    assert b.holds(ref)


def test_whose_bundle_it_is_must_be_signed(apart, tmp_path: Path) -> None:
    a, b = apart
    forged = SigningKey.of_seed("A/transport", SignatureKind.ED25519, b"f" * 32)
    with (tmp_path / "x").open("wb") as file:
        BundleWriter(file, BundleHead("A", LINE, "B", 1.7e9), forged).end()
    with pytest.raises(PeerError, match="no transport key"):
        b.exchange.take_bundle(tmp_path / "x")
    a.exchange.bundle(LINE, "B", tmp_path / "y")
    with pytest.raises((InputError, PeerError)):
        a.exchange.take_bundle(tmp_path / "y")
    (tmp_path / "z").write_bytes(b"something else")
    with pytest.raises(InputError, match="not a bundle"):
        b.exchange.take_bundle(tmp_path / "z")
    with pytest.raises(InputError, match="not on the line"):
        a.exchange.bundle(LINE, "C", tmp_path / "w")


def test_one_that_begins_too_late_says_from_where_it_is_wanted(apart, tmp_path: Path) -> None:
    a, b = apart
    a.say("lost", "B")
    a.exchange.bundle(LINE, "B", tmp_path / "1")
    origin = a.records.own_origin(LINE)
    with a.records.sender(origin, a.peers.find(LINE, "B").mirrors, "B") as sender:
        from dataclasses import replace

        sender.uploading = replace(sender.uploading, cosigned=sender.size)  # as if B had it, and has lost it
    ref = a.say("later", "B")
    a.exchange.bundle(LINE, "B", tmp_path / "2")
    carried = b.exchange.take_bundle(tmp_path / "2")
    assert any("--whole" in one for one in carried.troubles)
    a.exchange.bundle(LINE, "B", tmp_path / "3", whole=True)
    assert b.exchange.take_bundle(tmp_path / "3").troubles == ()
    assert b.holds(ref)
