"""What the guards refused or flagged: that they did, never what was said.

A refusal is kept before anybody is told of it, so that what stands in our log as refused has its reason here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, insert, select

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["Guarded", "add_guarded", "guarded_before", "guarded_entry", "tie_guarded"]

_guarded = Table(
    "guarded",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("at_s", SECONDS, nullable=False),
    Column("outcome", WORDS, nullable=False),
    Column("guard", WORDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("line", WORDS),
    Column("origin", WORDS),
    Column("number", WHOLE),
    Column("spans", STRUCTURE, nullable=False),
    Column("sentence", WORDS, nullable=False),
    Index("guarded_entry", "origin", "number"),
    sqlite_autoincrement=True,
)
_g = _guarded.c


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guard had something to say.

    Attributes
    ----------
    id, at_s
        Grows; and when.
    outcome, guard, sentence
        ``refuse`` or ``flag``, which guard, and what the person was told; it repeats nothing.
    by
        Who wanted to say it; empty where it came from another party.
    line, origin, index
        On which line; the entry, where there is one: what we refuse to say ourselves becomes none.
    spans
        Member, start and end of each place that was found.
    """

    id: int
    at_s: float
    outcome: str
    guard: str
    sentence: str
    by: str
    line: str | None
    origin: str | None
    index: int | None
    spans: tuple[tuple[str, int, int], ...]


def add_guarded(
    conn: Connection,
    *,
    at_s: float,
    outcome: str,
    guard: str,
    sentence: str,
    spans: Sequence[tuple[str, int, int]],
    by: str = "",
    line: str | None = None,
    place: tuple[str, int] | None = None,
) -> int:
    """Note it; its number."""
    values = {
        "at_s": at_s, "outcome": outcome, "guard": guard, "person": by, "line": line,
        "origin": place and place[0], "number": place and place[1], "spans": [list(one) for one in spans],
        "sentence": sentence,
    }  # fmt: skip
    return int(conn.execute(insert(_guarded).returning(_g.id), values).scalar_one())


def tie_guarded(conn: Connection, id: int, place: tuple[str, int]) -> None:  # noqa: A002  # as in the table
    """Say which entry it became, once there is one."""
    conn.execute(_guarded.update().where(_g.id == id), {"origin": place[0], "number": place[1]})


def guarded_entry(conn: Connection, origin: str, index: int) -> list[Guarded]:
    """What the guards had to say of an entry, oldest first."""
    wanted = select(_guarded).where(_g.origin == origin, _g.number == index).order_by(_g.id)
    return [_kept(row) for row in conn.execute(wanted)]


def guarded_before(conn: Connection, before: int | None = None, *, limit: int) -> list[Guarded]:
    """The newest first, those with smaller numbers than `before`."""
    wanted = select(_guarded).order_by(_g.id.desc()).limit(limit)
    return [_kept(row) for row in conn.execute(wanted if before is None else wanted.where(_g.id < before))]


def _kept(row: Row[Any]) -> Guarded:
    spans = tuple((one[0], one[1], one[2]) for one in row.spans)
    return Guarded(
        row.id, row.at_s, row.outcome, row.guard, row.sentence, row.person, row.line, row.origin, row.number, spans
    )  # fmt: skip
