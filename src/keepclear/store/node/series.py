"""Operations that come again, and what became of each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Index, Row, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = [
    "KeptDay",
    "KeptSeries",
    "add_series",
    "days_of",
    "end_series",
    "live_series",
    "put_day",
    "series_after",
    "series_of",
]

_series = Table(
    "series",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("line", WORDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("begun_s", SECONDS, nullable=False),
    Column("request", STRUCTURE, nullable=False),
    Column("recurrence", STRUCTURE, nullable=False),
    Column("ended_s", SECONDS),
    Column("ended_by", WORDS),
    sqlite_autoincrement=True,
)
_day = Table(
    "series_day",
    facts,
    Column("series", ForeignKey("series.id"), primary_key=True),
    Column("day", WORDS, primary_key=True),
    Column("state", WORDS, nullable=False),
    Column("start_s", SECONDS, nullable=False),
    Column("origin", WORDS),
    Column("number", WHOLE),
    Column("note", WORDS, nullable=False),
    Index("series_day_of_entry", "origin", "number"),
)
_s, _d = _series.c, _day.c


@dataclass(frozen=True, slots=True)
class KeptSeries:
    """A series.

    Attributes
    ----------
    id, line
        Its number, and on which line it is filed.
    by, begun_s
        Who began it, and when.
    request, recurrence
        The first filing and when it comes again, as JSON.
    ended_s, ended_by
        When and by whom it was cancelled; None while it goes on.
    """

    id: int
    line: str
    by: str
    begun_s: float
    request: Mapping[str, Any]
    recurrence: Mapping[str, Any]
    ended_s: float | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class KeptDay:
    """One of a series.

    Attributes
    ----------
    day, start_s
        Its day, which names it, and when it starts.
    state
        ``filed``, ``cancelled`` (before or after it was filed), ``failed`` or ``missed``.
    origin, index
        The entry that files it; None where there is none.
    note
        Why it failed; what is odd about its time.
    """

    day: str
    start_s: float
    state: str
    origin: str | None = None
    index: int | None = None
    note: str = ""


def add_series(
    conn: Connection, *, line: str, by: str, at_s: float, request: Mapping[str, Any], recurrence: Mapping[str, Any]
) -> KeptSeries:
    """Keep a new series."""
    values = {
        "line": line, "person": by, "begun_s": at_s, "request": dict(request), "recurrence": dict(recurrence),
    }  # fmt: skip
    number = conn.execute(insert(_series).returning(_s.id), values).scalar_one()
    return KeptSeries(number, line, by, at_s, request, recurrence)


def end_series(conn: Connection, id: int, *, by: str, at_s: float) -> bool:  # noqa: A002  # as in the table
    """Let a series come no more; whether it still did."""
    wanted = update(_series).where(_s.id == id, _s.ended_s.is_(None))
    return conn.execute(wanted, {"ended_s": at_s, "ended_by": by}).rowcount > 0


def series_of(conn: Connection, id: int) -> KeptSeries | None:  # noqa: A002  # as in the table
    """The series of that number, or None."""
    row = conn.execute(select(_series).where(_s.id == id)).first()
    return None if row is None else _kept(row)


def series_after(conn: Connection, after: int | None, *, limit: int, line: str | None = None) -> list[KeptSeries]:
    """Series with greater numbers, oldest first, those that were cancelled too."""
    wanted = select(_series).order_by(_s.id).limit(limit)
    if after is not None:
        wanted = wanted.where(_s.id > after)
    return [_kept(row) for row in conn.execute(wanted if line is None else wanted.where(_s.line == line))]


def live_series(conn: Connection) -> list[KeptSeries]:
    """All that were not cancelled."""
    return [_kept(row) for row in conn.execute(select(_series).where(_s.ended_s.is_(None)).order_by(_s.id))]


def put_day(conn: Connection, series: int, day: KeptDay) -> None:
    """Say what became of one day, in place of what was said before."""
    values = {
        "series": series, "day": day.day, "state": day.state, "start_s": day.start_s, "origin": day.origin,
        "number": day.index, "note": day.note,
    }  # fmt: skip
    upsert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    changed = {name: value for name, value in values.items() if name not in {"series", "day"}}
    conn.execute(upsert(_day).values(values).on_conflict_do_update(index_elements=["series", "day"], set_=changed))


def days_of(conn: Connection, series: int) -> dict[str, KeptDay]:
    """What became of the days of a series, by day; those of which nothing is known yet are not there."""
    rows = conn.execute(select(_day).where(_d.series == series).order_by(_d.day))
    return {row.day: KeptDay(row.day, row.start_s, row.state, row.origin, row.number, row.note) for row in rows}


def _kept(row: Row[Any]) -> KeptSeries:
    return KeptSeries(
        row.id, row.line, row.person, row.begun_s, row.request, row.recurrence, row.ended_s, row.ended_by
    )  # fmt: skip
