"""What happens at a node, for screens and scripts that follow it: durable, numbered, and the numbers only grow.

An event is written in the transaction that makes it true, so whoever reads it finds what it speaks of. Events are not
the record: they may be pruned, and a rebuild does not make them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Table, bindparam, delete, func, insert, select

from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = ["TYPES", "Event", "newest", "oldest", "prune", "say", "since"]

TYPES = (
    "agreement", "alarm", "answer", "channel", "claim", "clock", "conflict", "draft", "encounter", "entry", "filing",
    "fork", "incident", "joint", "line", "member", "message", "receipt", "term", "track",
)  # fmt: skip
"""What an event can be about."""

event = Table(
    "event",
    facts,
    Column("id", WHOLE, primary_key=True, autoincrement=True),
    Column("at_s", SECONDS, nullable=False),
    Column("type", WORDS, nullable=False),
    Column("line", WORDS),
    Column("origin", WORDS),
    Column("number", WHOLE),
    Column("leaf_hash", OCTETS),
    Column("data", STRUCTURE, nullable=False),
    Index("event_by_time", "at_s"),
    sqlite_autoincrement=True,  # a number is never given twice, even when the last events are pruned
)
_e = event.c
_SAY = Ready(
    insert(event)
    .values(dict.fromkeys(("at_s", "type", "line", "origin", "number", "leaf_hash", "data")))
    .returning(_e.id)
)
_NEWEST = Ready(select(func.coalesce(func.max(_e.id), 0)))
_SINCE = Ready(select(event).where(_e.id > bindparam("after")).order_by(_e.id).limit(bindparam("most")))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes
    ----------
    id
        Grows, with gaps.
    at_s
        When the node noted it.
    type
        One of `TYPES`.
    line, ref
        The line and the entry that it is about, where it is about one.
    data
        What more there is to say, as JSON.
    """

    id: int
    at_s: float
    type: str
    line: str | None
    ref: EntryRef | None
    data: Mapping[str, Any]


def say(
    conn: Connection,
    type: str,  # noqa: A002  # the name that it has in the table
    data: Mapping[str, Any],
    *,
    at_s: float,
    line: str | None = None,
    ref: EntryRef | None = None,
) -> int:
    """Note an event; its number. Ring "event" when the transaction has been kept."""
    assert type in TYPES, type
    about = (None, None, None) if ref is None else (ref.origin, ref.index, ref.leaf_hash)
    origin, number, leaf_hash = about
    return int(
        _SAY.value(
            conn, at_s=at_s, type=type, line=line, data=dict(data), origin=origin, number=number, leaf_hash=leaf_hash
        )
    )


def since(conn: Connection, id: int, *, limit: int = 500) -> list[Event]:  # noqa: A002  # as in the table
    """The first events after number `id`, oldest first."""
    return [_event(row) for row in _SINCE.rows(conn, after=id, most=limit)]


def newest(conn: Connection) -> int:
    """The number of the newest event; 0 before the first."""
    return int(_NEWEST.value(conn))


def oldest(conn: Connection) -> int:
    """The number of the oldest event that is kept; 0 where there is none."""
    return int(conn.execute(select(func.coalesce(func.min(_e.id), 0))).scalar_one())


def prune(conn: Connection, *, before_s: float) -> int:
    """Forget events noted before a time, and say how many; the newest always stays, so that numbers go on from it."""
    last = newest(conn)
    return conn.execute(delete(event).where(_e.at_s < before_s, _e.id < last)).rowcount


def _event(row: Any) -> Event:
    ref = None if row.origin is None else EntryRef(row.origin, row.number, bytes(row.leaf_hash))
    return Event(row.id, row.at_s, row.type, row.line, ref, row.data)
