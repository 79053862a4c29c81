"""What was said on a line, by type: which entries there are is remembered, what they say is read when it is asked for.

Only what a member said counts. An entry whose body comes later is there from then on; one whose body was erased is not.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from keepclear.errors import PeerError
from keepclear.line.membership import Membership
from keepclear.node.records import Records
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef

__all__ = ["LineBodies"]

_AT_ONCE = 4096
_MOST_KEPT = 4096
_MOST_KEPT_BYTES = 8192


class LineBodies:
    """Reads entries of a line by their type. Any thread may use it.

    Parameters
    ----------
    records
        The logs.
    membership
        Who is on a line: what a stranger said does not count.
    """

    def __init__(self, records: Records, membership: Callable[[str], Membership | None]) -> None:
        self._records, self._membership = records, membership
        # Of each log how far it was looked at, and its entries by type: only ever added to, under the lock.
        self._scanned: dict[str, tuple[int, dict[str, list[EntryRef]]]] = {}
        self._times: dict[EntryRef, float] = {}
        self._bodies: OrderedDict[EntryRef, Body | None] = OrderedDict()
        self._lock = threading.Lock()

    def refs(self, line: str, types: Collection[str] = ()) -> tuple[EntryRef, ...]:
        """The entries of these types (of all, where none is named) that count, log after log."""
        return tuple(self._refs(line, types))

    def of(self, line: str, types: Collection[str] = ()) -> dict[EntryRef, Body]:
        """What those entries say whose body is held here and is known."""
        read = ((ref, self.body(ref)) for ref in self._refs(line, types))
        return {ref: body for ref, body in read if body is not None}

    def body(self, ref: EntryRef) -> Body | None:
        """What an entry says; None where that is not held here, or not known."""
        with self._lock:
            known = self._bodies.get(ref)
            if known is not None:
                self._bodies.move_to_end(ref)
                return known
        entry = self._records.entry(ref)
        try:
            body = body_of(entry)
        except PeerError:
            return None
        if body is not None and entry.body is not None and len(entry.body) <= _MOST_KEPT_BYTES:
            with self._lock:
                self._bodies[ref] = body
                while len(self._bodies) > _MOST_KEPT:
                    self._bodies.popitem(last=False)
        return body

    def said_s(self, refs: Iterable[EntryRef]) -> dict[EntryRef, float]:
        """When entries that `refs` or `of` gave were said, by their authors' clocks."""
        return {ref: self._times[ref] for ref in refs if ref in self._times}

    def entry(self, ref: EntryRef) -> Entry:
        """The entry itself."""
        return self._records.entry(ref)

    def forget(self) -> None:
        """Keep nothing that was read: a body was erased."""
        with self._lock:
            self._bodies.clear()

    def _refs(self, line: str, types: Collection[str]) -> Iterator[EntryRef]:
        members: Membership | None = None
        for origin in self._records.origins(line):
            own = self._records.is_own(origin)
            scanned = self._scan(origin)
            for kind in tuple(scanned):
                if types and kind not in types:
                    continue
                for ref in tuple(scanned[kind]):
                    if not own:
                        members = members or self._membership(line)
                        if members is None or not members.spoke_as_member(origin, ref.index):
                            continue
                    yield ref

    def refs_here(self, line: str, kind: str) -> list[EntryRef]:
        """The entries of a type that are held, whether they count or not: to see whether there are more."""
        return [ref for origin in self._records.origins(line) for ref in self._scan(origin).get(kind, ())]

    def _scan(self, origin: str) -> Mapping[str, Sequence[EntryRef]]:
        size = self._records.size(origin)
        with self._lock:
            start, found = self._scanned.setdefault(origin, (0, {}))
            if size <= start:
                return found
        fresh = []
        for at in range(start, size, _AT_ONCE):
            leaves = self._records.leaves(origin, at, min(at + _AT_ONCE, size))
            fresh += [(index, leaf) for index, leaf in enumerate(leaves, start=at) if leaf is not None]
        with self._lock:
            start, found = self._scanned[origin]
            for index, leaf in fresh:
                if index >= start:  # else somebody else was first
                    ref = EntryRef(origin, index, leaf.hash)
                    found.setdefault(leaf.type, []).append(ref)
                    self._times[ref] = leaf.time_s
            self._scanned[origin] = (max(start, size), found)
            return found
