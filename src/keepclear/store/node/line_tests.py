"""Line tests of our own, and what came back of each from whom.

The entries say it all again; what is kept here is by when they were to come back, which no log tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, bindparam, delete, insert, select, update

from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = [
    "LineTest", "add_test", "end_test", "last_test_s", "note_returned", "open_tests", "past_tests", "prune_tests",
    "was_returned",
]  # fmt: skip

_test = Table(
    "line_test",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("party", WORDS, primary_key=True),
    Column("leaf_hash", OCTETS, nullable=False),
    Column("line", WORDS, nullable=False),
    Column("begun_s", SECONDS, nullable=False),
    Column("due_s", SECONDS, nullable=False),
    Column("overdue_s", SECONDS),
    Column("returned_s", SECONDS),
    Column("lost", STRUCTURE),
    Index("line_test_open", "returned_s", "overdue_s"),
    Index("line_test_line", "line", "begun_s"),
)
_returned = Table(
    "line_test_returned",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("at_s", SECONDS, nullable=False),
)
_t, _r = _test.c, _returned.c
_OPEN = Ready(select(_test).where(_t.returned_s.is_(None)).order_by(_t.begun_s, _t.party))
_LAST_S = Ready(select(_t.begun_s).where(_t.line == bindparam("on")).order_by(_t.begun_s.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class LineTest:
    """What one party was to give back.

    Attributes
    ----------
    ref, line, party
        The test, on which line, and who was to give it back.
    begun_s, due_s
        When it was said, and by when it was to come back.
    overdue_s
        When it was noted that it had not come back in time; None if it had.
    returned_s
        When it came back; None if it has not.
    lost
        The characters that did not come back, each with its name; empty if all did.
    """

    ref: EntryRef
    line: str
    party: str
    begun_s: float
    due_s: float
    overdue_s: float | None = None
    returned_s: float | None = None
    lost: tuple[str, ...] = ()

    @property
    def passed(self) -> bool | None:
        """Whether it came back whole and in time; None while that may still be."""
        if self.returned_s is None:
            return None if self.overdue_s is None else False
        return not self.lost and self.returned_s <= self.due_s


def add_test(
    conn: Connection, ref: EntryRef, line: str, parties: Iterable[str], *, begun_s: float, due_s: float
) -> None:
    """Note a test that was said."""
    shared = {"origin": ref.origin, "number": ref.index, "leaf_hash": ref.leaf_hash, "line": line}
    for party in parties:
        conn.execute(insert(_test), shared | {"party": party, "begun_s": begun_s, "due_s": due_s})


def end_test(
    conn: Connection, test: LineTest, *, returned_s: float | None = None, lost: Iterable[str] = (),
    overdue_s: float | None = None,
) -> None:  # fmt: skip
    """Note that it came back, or had not when it was due."""
    here = (_t.origin == test.ref.origin, _t.number == test.ref.index, _t.party == test.party)
    values: dict[str, Any] = {} if overdue_s is None else {"overdue_s": overdue_s}
    if returned_s is not None:
        values |= {"returned_s": returned_s, "lost": list(lost)}
    conn.execute(update(_test).where(*here).values(values))


def open_tests(conn: Connection) -> tuple[LineTest, ...]:
    """Tests that have not come back, those that are overdue too, oldest first."""
    return tuple(_kept(row) for row in _OPEN.rows(conn))


def past_tests(conn: Connection, line: str, *, limit: int = 50) -> tuple[LineTest, ...]:
    """The last tests of a line, newest first."""
    wanted = select(_test).where(_t.line == line).order_by(_t.begun_s.desc(), _t.party).limit(limit)
    return tuple(_kept(row) for row in conn.execute(wanted))


def note_returned(conn: Connection, ref: EntryRef, *, at_s: float) -> None:
    """Note that our log has given back a test of another party."""
    if not was_returned(conn, ref):
        conn.execute(insert(_returned), {"origin": ref.origin, "number": ref.index, "at_s": at_s})


def was_returned(conn: Connection, ref: EntryRef) -> bool:
    """Whether our log has given back a test of another party."""
    wanted = select(_r.number).where(_r.origin == ref.origin, _r.number == ref.index)
    return conn.execute(wanted).one_or_none() is not None


def last_test_s(conn: Connection, line: str) -> float | None:
    """When the line was last tested by us; None if never."""
    found: float | None = _LAST_S.value(conn, on=line)
    return found


def prune_tests(conn: Connection, *, before_s: float) -> int:
    """Forget tests that were begun before a time; how many."""
    conn.execute(delete(_returned).where(_r.at_s < before_s))
    return conn.execute(delete(_test).where(_t.begun_s < before_s)).rowcount


def _kept(row: Row[Any]) -> LineTest:
    ref = EntryRef(row.origin, row.number, bytes(row.leaf_hash))
    return LineTest(
        ref, row.line, row.party, row.begun_s, row.due_s, row.overdue_s, row.returned_s, tuple(row.lost or ())
    )  # fmt: skip
