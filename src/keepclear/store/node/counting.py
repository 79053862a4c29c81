"""From when on entries counted, or no longer did: when it became known here that their author was a member, or was not.

An entry counts unless a row says otherwise, and of several rows the last does. These are facts: what is on record in
the logs today does not tell when this node learned it, and what it has found since depends on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Connection, Table, insert, select

from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["Counting", "countings", "note_counting"]

_counting = Table(
    "counting",
    facts,
    Column("id", WHOLE, primary_key=True, autoincrement=True),
    Column("at_s", SECONDS, nullable=False),
    Column("origin", WORDS, nullable=False),
    Column("start", WHOLE, nullable=False),
    Column("stop", WHOLE, nullable=False),
    Column("counted", Boolean, nullable=False),
)
_c = _counting.c


@dataclass(frozen=True, slots=True)
class Counting:
    """That entries of a log from `start` to before `stop` counted from then on, or did not."""

    at_s: float
    origin: str
    start: int
    stop: int
    counted: bool


def note_counting(conn: Connection, counting: Counting) -> None:
    """Keep it."""
    values = {"start": counting.start, "stop": counting.stop, "counted": counting.counted}
    conn.execute(insert(_counting), {"at_s": counting.at_s, "origin": counting.origin, **values})


def countings(conn: Connection) -> Sequence[Counting]:
    """All of them, in the order of their times."""
    rows = conn.execute(select(_counting).order_by(_c.at_s, _c.id))
    return [Counting(row.at_s, row.origin, row.start, row.stop, row.counted) for row in rows]
