"""Who has read which entry of another party: its sites and routes are shown to named persons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, insert, select

from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["Reading", "add_readings", "read_since", "readings_before"]

_reading = Table(
    "reading",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("at_s", SECONDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("address", WORDS, nullable=False),
    Column("origin", WORDS, nullable=False),
    Column("number", WHOLE, nullable=False),
    Index("reading_by_person", "person", "at_s"),
    Index("reading_of_entry", "origin", "number"),
    sqlite_autoincrement=True,
)
_r = _reading.c


@dataclass(frozen=True, slots=True)
class Reading:
    """Somebody was shown an entry.

    Attributes
    ----------
    id, at_s
        Grows; and when.
    by, address
        Who, and where from.
    origin, index
        Which entry.
    """

    id: int
    at_s: float
    by: str
    address: str
    origin: str
    index: int


def add_readings(conn: Connection, places: Iterable[tuple[str, int]], *, by: str, address: str, at_s: float) -> None:
    """Note that a person was shown these entries."""
    rows = [
        {"at_s": at_s, "person": by, "address": address, "origin": origin, "number": index} for origin, index in places
    ]
    if rows:
        conn.execute(insert(_reading), rows)


def read_since(conn: Connection, by: str, since_s: float) -> set[tuple[str, int]]:
    """The entries that a person was shown since then, each once."""
    wanted = select(_r.origin, _r.number).distinct().where(_r.person == by, _r.at_s >= since_s)
    return {(row[0], row[1]) for row in conn.execute(wanted)}


def readings_before(
    conn: Connection,
    before: int | None = None,
    *,
    limit: int,
    by: str | None = None,
    place: tuple[str, int] | None = None,
) -> list[Reading]:
    """The newest first, those with smaller numbers than `before`; by a person, or of an entry."""
    wanted = select(_reading).order_by(_r.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(_r.id < before)
    if by is not None:
        wanted = wanted.where(_r.person == by)
    if place is not None:
        wanted = wanted.where(_r.origin == place[0], _r.number == place[1])
    return [_kept(row) for row in conn.execute(wanted)]


def _kept(row: Row[Any]) -> Reading:
    return Reading(row.id, row.at_s, row.person, row.address, row.origin, row.number)
