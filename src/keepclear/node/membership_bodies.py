"""Entries that say who is on a line, handed on with their bodies to whoever was not there when they were said.

Such an entry is addressed to those who were members then. Who comes later has its leaf, and is given the body by any
member: the leaf proves it. So this is how a line's own founding reaches its third party.

The form is JSON lines, each an object of ``origin``, ``index`` and ``entry``, an entry file
(`keepclear.record.entry_files`); it is ``docs/spec/cards.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from keepclear.errors import InputError, KeepclearError, PeerError
from keepclear.line.party_words import MEMBERSHIP_TYPES
from keepclear.record.canonical import MOST_INTEGER, canonical, parse
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_files import read_entry, write_entry
from keepclear.record.names import KeyName, is_origin

__all__ = ["MOST_BYTES", "MOST_ITEMS", "Item", "read_items", "write_items"]

MOST_BYTES = 16 * 2**20
MOST_ITEMS = 10_000
_MOST_LINE = 2 * 2**20


@dataclass(frozen=True, slots=True)
class Item:
    """An entry, and where it stands; that it stands there, only the log itself proves."""

    ref: EntryRef
    entry: Entry = field(repr=False)


def write_items(items: Iterable[Item], *, cut: bool = False) -> bytes:
    """The items as JSON lines; with `cut`, as many of the first ones as may be sent.

    Raises
    ------
    InputError
        If they are more than may be sent, and not to be cut.
    """
    lines = []
    size = 0
    for item in items:
        members = {
            "origin": item.ref.origin, "index": item.ref.index,
            "entry": parse(write_entry(item.entry), limit=_MOST_LINE),
        }  # fmt: skip
        lines.append(canonical(members) + b"\n")
        size += len(lines[-1])
        if size > MOST_BYTES or len(lines) > MOST_ITEMS:
            if cut:
                return b"".join(lines[:-1])
            raise InputError(
                f"more than {MOST_ITEMS:,} entries say who is on the line, or {MOST_BYTES:,} bytes of them"
            )
    return b"".join(lines)


def read_items(line: str, data: bytes) -> Iterator[Item]:
    """Read what `write_items` wrote of a line: entries with bodies, each of which fits its leaf.

    Raises
    ------
    PeerError
        If it is something else, naming the place.
    """
    if len(data) > MOST_BYTES:
        raise PeerError(f"cards: {len(data):,} bytes, more than {MOST_BYTES:,}")
    texts = data.split(b"\n")
    if texts[-1] or len(texts) - 1 > MOST_ITEMS:
        raise PeerError("cards: cut off, or too many")
    for number, text in enumerate(texts[:-1], 1):
        try:
            yield _item(line, text)
        except KeepclearError as error:
            raise PeerError(f"cards: line {number}: {error}") from None


def _item(line: str, text: bytes) -> Item:
    members = parse(text, limit=_MOST_LINE)
    if not isinstance(members, dict) or members.keys() != {"origin", "index", "entry"}:
        raise PeerError("not an object of origin, index and entry")
    origin, index = members["origin"], members["index"]
    if not isinstance(origin, str) or not is_origin(origin) or type(index) is not int or not 0 <= index < MOST_INTEGER:
        raise PeerError("not a place in a log")
    entry = read_entry(canonical(members["entry"]))
    name = KeyName.of_text(origin)
    leaf = entry.leaf
    if name is None or name.line != line or (leaf.line, leaf.party) != (line, name.party):
        raise PeerError(f"not of a party on {line}")
    if leaf.type not in MEMBERSHIP_TYPES or leaf.attachments or entry.body is None:
        raise PeerError("not an entry, with its body, that says who is on a line")
    entry.check()
    return Item(EntryRef(origin, index, leaf.hash), entry)
