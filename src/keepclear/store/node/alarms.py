"""Alarms: what somebody must look at, shown at the desk until a named person has said that they have seen it.

An alarm of the same kind and key as one that nobody has acknowledged is the same alarm once more: it is counted, so
that a line that flaps does not bury a FLASH.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, delete, insert, select, update

from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = [
    "Alarm", "acknowledge", "add_alarm", "alarm_of", "alarms_before", "clear", "count_again", "open_alarm",
    "open_alarms", "open_alarms_of_entries", "prune_alarms",
]  # fmt: skip

_alarm = Table(
    "alarm",
    facts,
    Column("id", WHOLE, primary_key=True, autoincrement=True),
    Column("at_s", SECONDS, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("key", WORDS, nullable=False),
    Column("sentence", WORDS, nullable=False),
    Column("line", WORDS),
    Column("origin", WORDS),
    Column("number", WHOLE),
    Column("leaf_hash", OCTETS),
    Column("data", STRUCTURE, nullable=False),
    Column("times", WHOLE, nullable=False),
    Column("last_s", SECONDS, nullable=False),
    Column("over_s", SECONDS),
    Column("acknowledged_s", SECONDS),
    Column("acknowledged_by", WORDS),
    Column("note", WORDS),
    Index("alarm_by_key", "kind", "key", "acknowledged_s"),
    Index("alarm_open", "acknowledged_s", "id"),
    sqlite_autoincrement=True,
)
_a = _alarm.c


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm.

    Attributes
    ----------
    id, at_s, kind, key
        Its number, when it first sounded, what sort it is, and what it is about among those of its sort.
    sentence
        To be read out. It holds no text, name or position out of anybody's entry.
    line, ref
        The line and the entry that it is about, where it is about one.
    data
        What more there is to say, as JSON.
    times, last_s
        How often it has sounded, and when last.
    over_s
        When its cause had gone; None if it has not, or never does. It is shown all the same until acknowledged.
    acknowledged_s, acknowledged_by, note
        When who said that they have seen it, and what they wrote to it; None and empty before.
    """

    id: int
    at_s: float
    kind: str
    key: str
    sentence: str
    line: str | None
    ref: EntryRef | None
    data: Mapping[str, Any]
    times: int
    last_s: float
    over_s: float | None
    acknowledged_s: float | None
    acknowledged_by: str
    note: str


def add_alarm(
    conn: Connection,
    kind: str,
    key: str,
    sentence: str,
    *,
    at_s: float,
    line: str | None = None,
    ref: EntryRef | None = None,
    data: Mapping[str, Any] | None = None,
) -> int:
    """A new alarm; its number."""
    row: dict[str, Any] = {"at_s": at_s, "kind": kind, "key": key, "sentence": sentence, "line": line}
    row |= {"data": dict(data or {}), "times": 1, "last_s": at_s}
    if ref is not None:
        row |= {"origin": ref.origin, "number": ref.index, "leaf_hash": ref.leaf_hash}
    return int(conn.execute(insert(_alarm).values(row).returning(_a.id)).scalar_one())


def open_alarm(conn: Connection, kind: str, key: str) -> Alarm | None:
    """The alarm of that kind and key that nobody has acknowledged; None if there is none."""
    wanted = select(_alarm).where(_a.kind == kind, _a.key == key, _a.acknowledged_s.is_(None))
    row = conn.execute(wanted.order_by(_a.id.desc()).limit(1)).one_or_none()
    return None if row is None else _alarm_of(row)


def count_again(conn: Connection, id: int, sentence: str, *, at_s: float) -> None:  # noqa: A002  # as in the table
    """It has sounded once more: counted, with what it says now, and not over any more."""
    changed = {"times": _a.times + 1, "last_s": at_s, "sentence": sentence, "over_s": None}
    conn.execute(update(_alarm).where(_a.id == id).values(changed))


def clear(conn: Connection, kind: str, key: str, *, at_s: float) -> bool:
    """Note that the cause of an alarm has gone; whether there was one."""
    open_ = (_a.kind == kind, _a.key == key, _a.acknowledged_s.is_(None), _a.over_s.is_(None))
    return conn.execute(update(_alarm).where(*open_).values(over_s=at_s)).rowcount > 0


def acknowledge(conn: Connection, id: int, *, by: str, note: str, at_s: float) -> bool:  # noqa: A002  # as in the table
    """Note who has seen an alarm; False if somebody had before, and then theirs stays."""
    values = {"acknowledged_s": at_s, "acknowledged_by": by, "note": note}
    return conn.execute(update(_alarm).where(_a.id == id, _a.acknowledged_s.is_(None)).values(values)).rowcount > 0


def alarm_of(conn: Connection, id: int) -> Alarm | None:  # noqa: A002  # as in the table
    """An alarm by its number."""
    row = conn.execute(select(_alarm).where(_a.id == id)).one_or_none()
    return None if row is None else _alarm_of(row)


def alarms_before(conn: Connection, id: int | None, *, open_only: bool, limit: int) -> list[Alarm]:  # noqa: A002
    """Alarms, the newest first: those with a number below `id`."""
    wanted = select(_alarm).order_by(_a.id.desc()).limit(limit)
    if id is not None:
        wanted = wanted.where(_a.id < id)
    if open_only:
        wanted = wanted.where(_a.acknowledged_s.is_(None))
    return [_alarm_of(row) for row in conn.execute(wanted)]


def open_alarms(conn: Connection, kind: str, *, begins: str = "") -> list[Alarm]:
    """Alarms of a kind that nobody has acknowledged and whose cause has not gone, oldest first.

    Parameters
    ----------
    begins
        How their keys begin.
    """
    wanted = select(_alarm).where(_a.kind == kind, _a.acknowledged_s.is_(None), _a.over_s.is_(None))
    if begins:
        wanted = wanted.where(_a.key.startswith(begins, autoescape=True))
    return [_alarm_of(row) for row in conn.execute(wanted.order_by(_a.id))]


def open_alarms_of_entries(conn: Connection, kinds: Collection[str]) -> list[tuple[str, str, EntryRef]]:
    """Kind, key and entry of those that are about one: there may be thousands, of which few are to be looked at."""
    wanted = select(_a.kind, _a.key, _a.origin, _a.number, _a.leaf_hash).where(
        _a.kind.in_(sorted(kinds)), _a.origin.is_not(None), _a.acknowledged_s.is_(None), _a.over_s.is_(None)
    )
    rows = conn.execute(wanted.order_by(_a.id))
    return [(row.kind, row.key, EntryRef(row.origin, row.number, bytes(row.leaf_hash))) for row in rows]


def prune_alarms(conn: Connection, *, before_s: float) -> int:
    """Forget alarms that were acknowledged before a time; how many."""
    return conn.execute(delete(_alarm).where(_a.acknowledged_s < before_s)).rowcount


def _alarm_of(row: Row[Any]) -> Alarm:
    ref = None if row.origin is None else EntryRef(row.origin, row.number, bytes(row.leaf_hash))
    return Alarm(
        row.id, row.at_s, row.kind, row.key, row.sentence, row.line, ref, row.data, row.times, row.last_s, row.over_s,
        row.acknowledged_s, row.acknowledged_by or "", row.note or "",
    )  # fmt: skip
