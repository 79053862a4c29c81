"""Making the tables again from the logs: the same steps, in the same order, at the same times.

What the logs do not tell is when things came here; that is kept as facts. An entry that came without its body is taken
without it, and its body where that came, and so on. So what comes out is what was there before, row for row.

A body that was erased since is not there any more: what it said is not in the new tables either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from keepclear.errors import PeerError
from keepclear.node.conversations import Conversations
from keepclear.node.folding import Came, Fold
from keepclear.node.records import Records
from keepclear.node.searching import Search
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.names import KeyName
from keepclear.store.node.arrivals import body_kept_s, kept_between_s
from keepclear.store.node.counting import Counting, countings
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.projected import last_step_s, note_projected, projected_s

__all__ = ["make_up_leeway", "rebuild"]

_STEPS_AT_ONCE = 200
_ALL = 2**53


@dataclass(frozen=True, slots=True)
class _Step:
    """What happened at a time: entries came, or one body, or how entries count changed."""

    at_s: float
    origin: str
    start: int
    stop: int
    body: bool = False
    counting: Counting | None = None


def rebuild(
    records: Records,
    database: NodeDatabase,
    search: Search,
    conversations: Conversations,
    clock: Callable[[], float],
) -> int:
    """Drop the tables that can be made again, and make them again; the number of steps that it took.

    Nobody else may project meanwhile. If it is cut off, who projects next goes on with it.
    """
    database.rebuild_projections()
    return make_up_leeway(records, database, search, conversations, clock)


def make_up_leeway(
    records: Records,
    database: NodeDatabase,
    search: Search,
    conversations: Conversations,
    clock: Callable[[], float],
) -> int:
    """Do the steps that are not in the tables, if there are any; their number."""
    with database.reading() as conn:
        done_s = projected_s(conn)
        last_s = last_step_s(conn)
        if done_s >= last_s:
            return 0
        history = _History(conn, records)
        steps = [step for step in history.steps() if step.at_s > done_s]
    search.forget()
    conversations.forget()
    fold = Fold(records.party, search, conversations, history.entry, clock, quiet=True)
    for some in _groups(steps):
        try:
            with database.writing() as conn, fold.agreed.terms.held(conn):
                for step in some:
                    history.take(conn, fold, step)
                note_projected(conn, some[-1].at_s)
        except BaseException:
            conversations.forget()
            raise
    with database.writing() as conn:
        fold.pass_time(conn, last_s)
        note_projected(conn, last_s)
    return len(steps)


class _History:
    """The steps of a node, and what was held at the time of each."""

    def __init__(self, conn: Connection, records: Records) -> None:
        self._records = records
        self._origins = [origin for line in records.lines() for origin in records.origins(line)]
        self._arrived = {origin: kept_between_s(conn, origin, 0, _ALL) for origin in self._origins}
        self._bodies: Mapping[str, Mapping[int, float]] = {
            origin: body_kept_s(conn, origin, 0, _ALL) for origin in self._origins
        }
        self._countings = countings(conn)

    def steps(self) -> list[_Step]:
        """All steps, in order."""
        found = [
            _Step(kept_s, origin, numbers.start, numbers.stop)
            for origin, ranges in self._arrived.items()
            for numbers, kept_s in ranges
        ]
        came = {(one.origin, one.at_s) for one in found}
        found += [
            _Step(kept_s, origin, number, number + 1, body=True)
            for origin, bodies in self._bodies.items()
            for number, kept_s in bodies.items()
        ]
        found += [
            _Step(one.at_s, one.origin, one.start, one.stop, counting=one)
            for one in self._countings
            if (one.origin, one.at_s) not in came and one.origin in self._arrived
        ]
        return sorted(found, key=lambda one: (one.at_s, one.origin, one.start))

    def take(self, conn: Connection, fold: Fold, step: _Step) -> None:
        """Do a step."""
        name = KeyName.of_text(step.origin)
        assert name is not None
        assert name.line is not None
        if step.counting is not None:
            fold.count(conn, step.counting, name.line, name.party)
            return
        for index in range(step.start, step.stop):
            counted, kept_s = self._counted(step.origin, index, step.at_s), self._kept_s(step.origin, index)
            try:
                entry = self.entry(step.origin, index, step.at_s)
            except PeerError:
                missed = self._records.ref(step.origin, index)
                fold.miss(conn, name.line, missed, kept_s, step.at_s, counted=counted)
                continue
            ref = EntryRef(step.origin, index, entry.leaf.hash)
            fold.hear(conn, Came(name.line, ref, entry, kept_s, counted), step.at_s)

    def entry(self, origin: str, index: int, at_s: float) -> Entry:
        """An entry with what was held of its body at that time, as far as that is still held."""
        entry = self._records.entry(origin, index)
        later = self._bodies.get(origin, {}).get(index)
        return entry if later is None or later <= at_s else entry.without_body()

    def _kept_s(self, origin: str, index: int) -> float:
        ranges = self._arrived[origin]
        low, high = 0, len(ranges)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if ranges[middle][0].start <= index else (low, middle)
        return ranges[low][1]

    def _counted(self, origin: str, index: int, at_s: float) -> bool:
        counted = True
        for one in self._countings:
            if one.origin == origin and one.start <= index < one.stop and one.at_s <= at_s:
                counted = one.counted
        return counted


def _groups(steps: Sequence[_Step]) -> Iterator[Sequence[_Step]]:
    for start in range(0, len(steps), _STEPS_AT_ONCE):
        yield steps[start : start + _STEPS_AT_ONCE]
