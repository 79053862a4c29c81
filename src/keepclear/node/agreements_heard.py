"""What was said of agreements, as the tables have it: from when our node had each entry, and each read once.

There may be many, and each may carry a document: whoever files is judged by what stands on the record, and must not
wait until all of it was read again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import replace

from sqlalchemy import Connection

from keepclear.agreements.facts import Heard, RecordView
from keepclear.errors import KeepclearError
from keepclear.node.agreement_documents import EntryOf
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import EntryRef
from keepclear.store.node.agreements import EntryRow, counted_entries
from keepclear.store.node.said_facts import said_at

__all__ = ["AgreementsHeard"]

_MOST_KEPT = 10_000


class AgreementsHeard:
    """Reads entries that agreements and terms look at. Any thread may use it.

    Parameters
    ----------
    entry_of
        Gives an entry as it was held at the step.
    """

    def __init__(self, entry_of: EntryOf) -> None:
        self._entry_of = entry_of
        self._kept: OrderedDict[EntryRef, Heard] = OrderedDict()
        self._lock = threading.Lock()

    def record_of(self, conn: Connection, line: str, parties: Collection[str]) -> RecordView:
        """What stands on a line's record of agreements, notices and the like, as terms look at it."""
        heard: dict[str, list[Heard]] = {}
        for kind, one in self._all(conn, line):
            heard.setdefault(kind, []).append(one)
        return RecordView(frozenset(parties), heard)

    def all(self, conn: Connection, line: str) -> list[Heard]:
        """The entries of a line that count, those that came first in front; what cannot be read is left out."""
        return [one for _, one in self._all(conn, line)]

    def one(self, conn: Connection, row: EntryRow) -> Heard | None:
        """One of them; None where it does not count or cannot be read."""
        said = said_at(conn, row.ref.origin, row.ref.index)
        return None if said is None or not said.counted else self._heard(row, is_held=not said.said.problem)

    def _all(self, conn: Connection, line: str) -> Iterator[tuple[str, Heard]]:
        for row, problem in counted_entries(conn, line):
            one = self._heard(row, is_held=not problem)
            if one is not None:
                yield row.type, one

    def _heard(self, row: EntryRow, *, is_held: bool) -> Heard | None:
        """An entry. One whose body is not held any more is not taken from memory: it was erased."""
        with self._lock:
            if not is_held:
                self._kept.pop(row.ref, None)
            known = self._kept.get(row.ref)
            if known is not None:
                self._kept.move_to_end(row.ref)
                return known if known.counts_from_s == row.kept_s else replace(known, counts_from_s=row.kept_s)
        try:
            entry = self._entry_of(row.ref.origin, row.ref.index)
            body = body_of(entry)
        except KeepclearError:
            return None
        if body is None:
            return None
        leaf = entry.leaf
        found = Heard(row.ref, leaf.party, body, leaf.time_s, row.kept_s, exercise=leaf.exercise)
        with self._lock:
            self._kept[row.ref] = found
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found
