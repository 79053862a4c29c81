"""Who is on a line, read from the logs that are held here.

A log is long, and few of its entries say who is on the line: which ones is remembered, so that each leaf is looked at
once. The answer is worked out anew when one of them, or a body of one, has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keepclear.errors import KeepclearError
from keepclear.line.membership import Membership, membership
from keepclear.line.party_words import MEMBERSHIP_TYPES, LineLog
from keepclear.node.membership_bodies import Item
from keepclear.node.records import Records
from keepclear.record.bodies.members import MemberInvitedBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.record.keys import VerifierKey
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.lines import root_of

__all__ = ["MembershipReader"]


@dataclass(frozen=True, slots=True)
class _Scanned:
    """What was found in a log: how far it was looked at, and the entries that say who is on the line."""

    key: VerifierKey
    size: int
    items: Mapping[int, Item]
    lacking: frozenset[int]

    @property
    def mark(self) -> object:
        """What is another one when something has come that counts."""
        return self.key.text, len(self.items), len(self.lacking)


@dataclass(frozen=True, slots=True)
class _Known:
    mark: object
    ahead: tuple[EntryRef, ...]
    found: Membership


class MembershipReader:
    """Reads who is on a line. Any thread may use it.

    Parameters
    ----------
    records
        The logs.
    database
        Knows by which entry each line was founded.
    """

    def __init__(self, records: Records, database: NodeDatabase) -> None:
        self._records, self._database = records, database
        # No lock: who comes at the same time does the same work, and what either leaves here is right. A lock held
        # while a log is read would meet those who hold a log's lock and ask who is on the line.
        self._scanned: dict[str, _Scanned] = {}
        self._known: dict[str, _Known] = {}
        self._roots: dict[str, EntryRef] = {}

    def of(self, line: str) -> Membership | None:
        """Who is on the line; None where it is not known by which entry it was founded."""
        root = self._root(line)
        if root is None:
            return None
        scanned = [self._scan(origin) for origin in self._records.origins(line)]
        mark = (root, tuple(one.mark for one in scanned))
        known = self._known.get(line)
        sizes = {one.key.name: one.size for one in scanned}
        if known is not None and known.mark == mark and not any(_is_held(ref, sizes) for ref in known.ahead):
            return known.found
        logs = [LineLog(one.key, one.size, {n: item.entry for n, item in one.items.items()}) for one in scanned]
        found = membership(root, logs)
        named = (_joined(item.entry) for one in scanned for item in one.items.values())
        ahead = tuple(ref for ref in named if ref is not None and not _is_held(ref, sizes))
        self._known[line] = _Known(mark, ahead, found)
        return found

    def items(self, origin: str) -> Iterator[Item]:
        """The entries of a log that say who is on the line, in order, with those of their bodies that are held."""
        yield from self._scan(origin).items.values()

    def _root(self, line: str) -> EntryRef | None:
        found = self._roots.get(line)
        if found is None:
            with self._database.reading() as conn:
                found = root_of(conn, line)
            if found is not None:
                self._roots[line] = found  # a line's root never changes
        return found

    def _scan(self, origin: str) -> _Scanned:
        before = self._scanned.get(origin)
        done = 0 if before is None else before.size
        with self._records.reading(origin) as log:
            key, size = log.key, log.size
        places = [number for number, _ in self._records.leaves_of(origin, MEMBERSHIP_TYPES, done, size)]
        if before is not None and size == done and not before.lacking:
            return before
        items = {} if before is None else dict(before.items)
        for index in sorted({*places, *(() if before is None else before.lacking)}):
            entry = self._entry(origin, index)
            if entry is not None:
                items[index] = Item(EntryRef(origin, index, entry.leaf.hash), entry)
        lacking = frozenset(index for index, item in items.items() if item.entry.body is None)
        found = _Scanned(key, size, items, lacking)
        self._scanned[origin] = found
        return found

    def _entry(self, origin: str, index: int) -> Entry | None:
        try:
            entry = self._records.entry(origin, index)
        except KeepclearError:
            return None  # a leaf of no kind that we can read
        return entry if entry.leaf.type in MEMBERSHIP_TYPES and not entry.leaf.attachments else None


def _is_held(ref: EntryRef, sizes: Mapping[str, int]) -> bool:
    return ref.index < sizes.get(ref.origin, 0)


def _joined(entry: Entry) -> EntryRef | None:
    """Which entry an invitation names."""
    if entry.leaf.type != EntryType.MEMBER_INVITED or entry.body is None:
        return None
    try:
        body = body_of(entry)
    except KeepclearError:
        return None
    return body.joined.ref() if isinstance(body, MemberInvitedBody) else None
