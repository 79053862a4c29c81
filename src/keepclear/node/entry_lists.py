"""Lists of entries, the newest arrival first: all that came into this node's logs, whatever it says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from keepclear.node.records import Records
from keepclear.record.entries import EntryRef
from keepclear.record.leaves import Leaf
from keepclear.record.names import KeyName
from keepclear.store.node.arrivals import newest_first
from keepclear.store.node.database import NodeDatabase

__all__ = ["EntryLists", "Place"]

_ARRIVALS = 200
_LEAVES = 512


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in the lists.

    Attributes
    ----------
    kept_s, origin, start
        The arrival that it came with: when, in which log, and the first entry that came with it.
    index
        In its log.
    """

    kept_s: float
    origin: str
    start: int
    index: int


class EntryLists:
    """Lists entries out of the logs and the times at which they arrived.

    Parameters
    ----------
    records, database
        Of the node.
    """

    def __init__(self, records: Records, database: NodeDatabase) -> None:
        self._records = records
        self._database = database

    def listed(
        self,
        lines: Collection[str],
        *,
        party: str | None = None,
        types: Collection[str] = (),
        after: Place | None = None,
        limit: int,
    ) -> list[tuple[Place, EntryRef]]:
        """Entries of these lines, the newest first.

        Parameters
        ----------
        party
            Those that it said; None: everybody.
        types
            Of these types; of all where none is named.
        after
            Those that come after this one in the list.
        limit
            How many at most.
        """
        origins = [one for line in lines for one in self._records.origins(line) if party in {None, _party(one)}]
        found: list[tuple[Place, EntryRef]] = []
        for place, leaf in self._leaves(origins, after):
            if not types or leaf.type in types:
                found.append((place, EntryRef(place.origin, place.index, leaf.hash)))
                if len(found) == limit:
                    break
        return found

    def _leaves(self, origins: Collection[str], after: Place | None) -> Iterator[tuple[Place, Leaf]]:
        for origin, numbers, kept_s in self._arrivals(origins, after):
            stop = numbers.stop
            if after is not None and (kept_s, origin, numbers.start) == (after.kept_s, after.origin, after.start):
                stop = after.index
            for end in range(stop, numbers.start, -_LEAVES):
                begin = max(numbers.start, end - _LEAVES)
                leaves = self._records.leaves(origin, begin, end)
                for index in range(end - 1, begin - 1, -1):
                    leaf = leaves[index - begin]
                    if leaf is not None:  # what is no leaf has no type; it is in the log all the same
                        yield Place(kept_s, origin, numbers.start, index), leaf

    def _arrivals(self, origins: Collection[str], after: Place | None) -> Iterator[tuple[str, range, float]]:
        before = None if after is None else (after.kept_s, after.origin, after.start)
        first = True
        while True:
            with self._database.reading() as conn:
                rows = newest_first(conn, origins, before=before, limit=_ARRIVALS)
            yield from rows if first else rows[1:]  # each page but the first begins with the last of the one before
            if len(rows) < _ARRIVALS:
                return
            origin, numbers, kept_s = rows[-1]
            before, first = (kept_s, origin, numbers.start), False


def _party(origin: str) -> str | None:
    name = KeyName.of_text(origin)
    return None if name is None else name.party
