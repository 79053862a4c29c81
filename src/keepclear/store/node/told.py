"""Who is to be told what outside of the machine, and what became of it.

A notice is written here, in the transaction that makes it necessary, before anybody is told. It is struck off when it
was told. Who cannot be sure whether it was (the machine stopped in between) tells it again and says so: something may
be told twice, and is never told not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, delete, func, insert, select, update

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = [
    "Notice", "NoticeState", "begin_notice", "due_notices", "finish_notice", "known_keys", "notices_of", "plan_notice",
    "postpone_notice", "prune_told", "take_up_again", "waiting_channels",
]  # fmt: skip

_told = Table(
    "told",
    facts,
    Column("id", WHOLE, primary_key=True, autoincrement=True),
    Column("key", WORDS, nullable=False, unique=True),
    Column("alarm", WHOLE),
    Column("at_s", SECONDS, nullable=False),
    Column("channel", WORDS, nullable=False),
    Column("urgent", WHOLE, nullable=False),
    Column("notice", STRUCTURE, nullable=False),
    Column("state", WORDS, nullable=False),
    Column("tries", WHOLE, nullable=False),
    Column("next_s", SECONDS),
    Column("ended_s", SECONDS),
    Column("note", WORDS),
    Index("told_due", "state", "channel", "next_s"),
    Index("told_alarm", "alarm"),
    sqlite_autoincrement=True,
)
_t = _told.c
_MANY = 500


class NoticeState(StrEnum):
    """What became of a notice."""

    WAITING = "waiting"
    BEGUN = "begun"
    """Somebody may have been told; where the machine stops now, nobody knows."""
    DONE = "done"
    OVERTAKEN = "overtaken"
    """A later step for the same person and channel was due as well: that was told, and this was not."""
    GIVEN_UP = "given up"


_WAITING = Ready(
    select(_t.channel, _t.urgent, func.min(_t.next_s).label("next_s"))
    .where(_t.state == NoticeState.WAITING)
    .group_by(_t.channel, _t.urgent)
)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell by one channel.

    Attributes
    ----------
    id, key
        Its number, and what makes it one: the same key is never planned twice.
    alarm
        The alarm that it tells of; None for a step that the desk shows otherwise.
    at_s
        When it was to be told.
    channel, urgent
        By what, and whether it goes before others.
    notice
        What is told, as JSON.
    state, tries, ended_s, note
        What became of it, how often it was tried, when it ended, and what was answered.
    """

    id: int
    key: str
    alarm: int | None
    at_s: float
    channel: str
    urgent: bool
    notice: Mapping[str, Any]
    state: NoticeState
    tries: int
    ended_s: float | None
    note: str


def known_keys(conn: Connection, keys: Iterable[str]) -> set[str]:
    """Those of the keys that were planned, or struck off, before."""
    wanted, found = list(keys), set[str]()
    for start in range(0, len(wanted), _MANY):
        rows = conn.execute(select(_t.key).where(_t.key.in_(wanted[start : start + _MANY])))
        found.update(row.key for row in rows)
    return found


def plan_notice(
    conn: Connection,
    key: str,
    channel: str,
    notice: Mapping[str, Any],
    *,
    at_s: float,
    urgent: bool,
    alarm: int | None,
    state: NoticeState = NoticeState.WAITING,
) -> None:
    """Plan a notice, or strike one off at once; its key must be new."""
    ended = None if state is NoticeState.WAITING else at_s
    row = {"key": key, "channel": channel, "notice": dict(notice), "at_s": at_s, "urgent": int(urgent), "alarm": alarm}
    row |= {"state": state, "tries": 0, "next_s": None if ended is not None else at_s, "ended_s": ended}
    conn.execute(insert(_told).values(row))


def waiting_channels(conn: Connection) -> dict[tuple[str, bool], float]:
    """Channels by which something is to be told, urgent or not, and when the first of it is due."""
    return {(row.channel, bool(row.urgent)): row.next_s for row in _WAITING.rows(conn)}


def due_notices(conn: Connection, channel: str, *, urgent: bool, at_s: float, limit: int = 20) -> list[Notice]:
    """What is to be told by a channel now, in the order in which it was to be told."""
    wanted = select(_told).where(
        _t.state == NoticeState.WAITING, _t.channel == channel, _t.urgent == int(urgent), _t.next_s <= at_s
    )
    return [_notice(row) for row in conn.execute(wanted.order_by(_t.at_s, _t.id).limit(limit))]


def begin_notice(conn: Connection, id: int) -> None:  # noqa: A002  # as in the table
    """Note, before it is tried, that somebody may have been told from now on."""
    conn.execute(update(_told).where(_t.id == id).values(state=NoticeState.BEGUN, tries=_t.tries + 1))


def finish_notice(conn: Connection, id: int, state: NoticeState, *, note: str, at_s: float) -> None:  # noqa: A002
    """Strike it off."""
    conn.execute(update(_told).where(_t.id == id).values(state=state, note=note, ended_s=at_s, next_s=None))


def postpone_notice(conn: Connection, id: int, *, note: str, next_s: float) -> None:  # noqa: A002  # as in the table
    """Try it again later."""
    conn.execute(update(_told).where(_t.id == id).values(state=NoticeState.WAITING, note=note, next_s=next_s))


def take_up_again(conn: Connection, *, at_s: float) -> int:
    """At a start: what had been begun is to be told again; how many."""
    begun = _t.state == NoticeState.BEGUN
    return conn.execute(update(_told).where(begun).values(state=NoticeState.WAITING, next_s=at_s)).rowcount


def notices_of(conn: Connection, alarm: int) -> list[Notice]:
    """Whom an alarm was told, or is to be."""
    return [_notice(row) for row in conn.execute(select(_told).where(_t.alarm == alarm).order_by(_t.id))]


def prune_told(conn: Connection, *, before_s: float) -> int:
    """Forget what ended before a time; how many. Not before what it was about can be owed no more."""
    return conn.execute(delete(_told).where(_t.ended_s < before_s)).rowcount


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        row.id, row.key, row.alarm, row.at_s, row.channel, bool(row.urgent), row.notice, NoticeState(row.state),
        row.tries, row.ended_s, row.note or "",
    )  # fmt: skip
