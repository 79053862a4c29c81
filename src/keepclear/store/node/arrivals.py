"""When entries and their bodies arrived: facts of this node, which no log tells and nothing changes afterwards.

Entries of a log come in ranges, so one row tells of many. A body may come later than its leaf; then it has a row of
its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Column, Connection, Index, Table, bindparam, insert, select, tuple_

from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = ["body_came", "body_kept_s", "came", "end", "kept_between_s", "kept_s", "newest_first"]

_arrival = Table(
    "arrival",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("start", WHOLE, primary_key=True, autoincrement=False),
    Column("stop", WHOLE, nullable=False),
    Column("kept_s", SECONDS, nullable=False),
    Index("arrival_by_time", "kept_s", "origin", "start"),
)
_body_arrival = Table(
    "body_arrival",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("kept_s", SECONDS, nullable=False),
)
_a, _b = _arrival.c, _body_arrival.c
_END = Ready(select(_a.stop).where(_a.origin == bindparam("log")).order_by(_a.start.desc()).limit(1))
_CAME = Ready(insert(_arrival))


def came(conn: Connection, origin: str, stop: int, *, kept_s: float) -> range:
    """Note that entries up to before `stop` are kept; those that were not noted before get this time.

    Returns
    -------
    range
        Those entries; empty where all were noted before.
    """
    start = end(conn, origin)
    if stop > start:
        _CAME.run(conn, origin=origin, start=start, stop=stop, kept_s=kept_s)
    return range(start, max(start, stop))


def end(conn: Connection, origin: str) -> int:
    """One more than the number of the last entry whose arrival was noted."""
    return int(_END.value(conn, log=origin) or 0)


def kept_s(conn: Connection, origin: str, number: int) -> float | None:
    """When an entry's leaf was kept here; None where that was not noted."""
    wanted = select(_a.stop, _a.kept_s).where(_a.origin == origin, _a.start <= number).order_by(_a.start.desc())
    found = conn.execute(wanted.limit(1)).one_or_none()
    return found.kept_s if found is not None and number < found.stop else None


def kept_between_s(conn: Connection, origin: str, start: int, stop: int) -> Sequence[tuple[range, float]]:
    """The times of the entries from `start` to before `stop`, by ranges, in order."""
    wanted = select(_a.start, _a.stop, _a.kept_s).where(_a.origin == origin, _a.start < stop, _a.stop > start)
    rows = conn.execute(wanted.order_by(_a.start))
    return [(range(max(row.start, start), min(row.stop, stop)), row.kept_s) for row in rows]


def newest_first(
    conn: Connection, origins: Collection[str], *, before: tuple[float, str, int] | None = None, limit: int = 100
) -> Sequence[tuple[str, range, float]]:
    """Log, entries and time of what arrived in these logs, the newest first.

    Parameters
    ----------
    before
        Time, log and first entry of the arrival after which to go on; that one comes again.
    """
    key = (_a.kept_s, _a.origin, _a.start)
    wanted = select(_a.origin, _a.start, _a.stop, _a.kept_s).where(_a.origin.in_(sorted(origins)))
    if before is not None:
        wanted = wanted.where(tuple_(*key) <= before)
    rows = conn.execute(wanted.order_by(*(one.desc() for one in key)).limit(limit))
    return [(row.origin, range(row.start, row.stop), row.kept_s) for row in rows]


def body_came(conn: Connection, origin: str, number: int, *, kept_s: float) -> float:
    """Note that the body of an entry is kept; the time that counts, which is the first that was noted."""
    wanted = select(_b.kept_s).where(_b.origin == origin, _b.number == number)
    before = conn.execute(wanted).scalar()
    if before is not None:
        return float(before)
    conn.execute(insert(_body_arrival), {"origin": origin, "number": number, "kept_s": kept_s})
    return kept_s


def body_kept_s(conn: Connection, origin: str, start: int, stop: int) -> Mapping[int, float]:
    """When bodies of entries from `start` to before `stop` were kept, those that were noted."""
    wanted = select(_b.number, _b.kept_s).where(_b.origin == origin, _b.number >= start, _b.number < stop)
    return {row.number: row.kept_s for row in conn.execute(wanted)}
