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
_TOGETHER, _SPARSE = 32, 4  # entries that are read at once, and of how many one at least is wanted
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

    def types(self, line: str) -> frozenset[str]:
        """The types of which there are entries."""
        return frozenset(kind for origin in self._records.origins(line) for kind in tuple(self._scan(origin)))

    def of(self, line: str, types: Collection[str] = ()) -> dict[EntryRef, Body]:
        """What those entries say whose body is held here and is known."""
        return self.of_these(self._refs(line, types))

    def of_these(
        self, refs: Iterable[EntryRef], *, each: Callable[[EntryRef, Body], None] | None = None
    ) -> dict[EntryRef, Body]:
        """What these entries say whose body is held here and is known, in their order.

        Neighbours in a log are read together: a report is of thousands.

        Parameters
        ----------
        each
            Is called with each body as soon as it is read, in any order.
        """
        wanted = list(refs)
        found = {ref: self._known(ref) for ref in wanted}
        for ref, known in found.items():
            if known is not None and each is not None:
                each(ref, known)
        for run in _runs([ref for ref, known in found.items() if known is None]):
            start, held = run[0].index, list[Entry | None]()
            for ref in run:
                if ref.index >= start + len(held):  # they are read together as far as they are short
                    start, held = ref.index, self._records.bodies(ref.origin, ref.index, run[-1].index + 1)
                entry = held[ref.index - start]
                if entry is not None and entry.leaf.hash != ref.leaf_hash:
                    entry = self._records.entry(ref)  # which says what is wrong
                read = found[ref] = None if entry is None else self._read(ref, entry)
                if read is not None and each is not None:
                    each(ref, read)
        return {ref: body for ref, body in found.items() if body is not None}

    def body(self, ref: EntryRef) -> Body | None:
        """What an entry says; None where that is not held here, or not known."""
        known = self._known(ref)
        return self._read(ref, self._records.entry(ref)) if known is None else known

    def _known(self, ref: EntryRef) -> Body | None:
        with self._lock:
            known = self._bodies.get(ref)
            if known is not None:
                self._bodies.move_to_end(ref)
            return known

    def _read(self, ref: EntryRef, entry: Entry) -> Body | None:
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


def _runs(refs: Iterable[EntryRef]) -> Iterator[list[EntryRef]]:
    """Entries of one log that are near each other, as they come."""
    run: list[EntryRef] = []
    for ref in refs:
        after = run and run[0].origin == ref.origin and run[-1].index < ref.index
        if after and ref.index < run[0].index + _TOGETHER and ref.index - run[-1].index <= _SPARSE:
            run.append(ref)
            continue
        if run:
            yield run
        run = [ref]
    if run:
        yield run
