"""Conflicts: pairs of filings that come too close to each other, or may, and what has become of each pair."""

from __future__ import annotations

import base64
import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Column, Connection, Index, Table, bindparam, func, insert, or_, select

from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import projections
from keepclear.store.ready import Ready

__all__ = [
    "ConflictRow",
    "add_conflict",
    "change_conflict",
    "conflict_between",
    "conflict_by_id",
    "conflicts_like",
    "conflicts_of_filing",
    "conflicts_to_advise",
    "drop_conflict",
    "open_conflicts",
]

_conflict = Table(
    "conflict",
    projections,
    Column("id", WHOLE, primary_key=True, autoincrement=False),
    Column("line", WORDS, nullable=False),
    Column("first", WHOLE, nullable=False),
    Column("second", WHOLE, nullable=False),
    Column("answer", WORDS, nullable=False),
    Column("finding", STRUCTURE),
    Column("found_s", SECONDS),
    Column("start_s", SECONDS),
    Column("end_s", SECONDS),
    Column("state", WORDS, nullable=False),
    Column("state_s", SECONDS, nullable=False),
    Column("own", WHOLE, nullable=False),
    Column("why_not_advised", WORDS, nullable=False),
    Column("advised_by", STRUCTURE, nullable=False),
    Column("accepted_by", STRUCTURE, nullable=False),
    Column("advisories", STRUCTURE, nullable=False),
    Column("to_advise", WHOLE, nullable=False),
    Index("conflict_by_pair", "first", "second", unique=True),
    Index("conflict_by_second", "second"),
    Index("conflict_to_advise", "to_advise", "id"),
    Index("conflict_by_state", "state", "end_s"),
)
_c = _conflict.c
_NUMBER = _c.id == bindparam("which")
_LAST = Ready(select(func.max(_c.id)))
_PUT = Ready(insert(_conflict))
_CHANGE = Ready(
    _conflict.update().where(_NUMBER).values({column.name: bindparam(f"new_{column.name}") for column in _c})
)
_PAIR = (_c.first == bindparam("one"), _c.second == bindparam("other"))
_TO_ADVISE = Ready(select(_conflict).where(_c.to_advise == 1).order_by(_c.id).limit(bindparam("most")))
_BETWEEN = Ready(select(_conflict).where(*_PAIR))
_OF_FILING = Ready(
    select(_conflict).where(or_(_c.first == bindparam("filing"), _c.second == bindparam("filing"))).order_by(_c.id)
)


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A pair of filings that come too close to each other, or may.

    Attributes
    ----------
    id, line
        Its number in this node's tables, and the line of the first filing.
    first, second
        The filings, by number; the one that came earlier first.
    answer
        Conflict or possible: what our own search found, else what was advised.
    finding
        What our own search found (`keepclear.node.findings_told`); None where only others advised of it.
    found_s, start_s, end_s
        When it was found, and from when to when the two are too close; None where not known.
    state, state_s
        How far it has come (`keepclear.node.conflict_lives`), and since when.
    own
        Whose: 0 neither filing is ours, 1 one of them, 2 both.
    why_not_advised
        Why we cannot advise the other party of it; empty if we can.
    advised_by, accepted_by
        Parties that advised of it, and those that accepted the risk.
    advisories
        The advisories, in order.
    to_advise
        1 while it is for us to advise of it, and we have not.
    """

    id: int
    line: str
    first: int
    second: int
    answer: str
    finding: Mapping[str, Any] | None
    found_s: float | None
    start_s: float | None
    end_s: float | None
    state: str
    state_s: float
    own: int
    why_not_advised: str
    advised_by: tuple[str, ...]
    accepted_by: tuple[str, ...]
    advisories: tuple[EntryRef, ...]
    to_advise: int


def add_conflict(conn: Connection, row: ConflictRow) -> ConflictRow:
    """Put a conflict in, with the next number instead of the one it has."""
    row = replace(row, id=int(_LAST.value(conn) or 0) + 1)
    _PUT.run(conn, **_values(row))
    return row


def change_conflict(conn: Connection, row: ConflictRow) -> None:
    """Put a conflict in place of the one of its number."""
    _CHANGE.run(conn, which=row.id, **{f"new_{name}": value for name, value in _values(row).items()})


def conflict_between(conn: Connection, one: int, other: int) -> ConflictRow | None:
    """The conflict of two filings, in either order."""
    first, second = sorted((one, other))
    row = _BETWEEN.one(conn, one=first, other=second)
    return None if row is None else _row(row)


def conflict_by_id(conn: Connection, number: int) -> ConflictRow | None:
    """The conflict of that number."""
    row = conn.execute(select(_conflict).where(_c.id == number)).one_or_none()
    return None if row is None else _row(row)


def conflicts_of_filing(conn: Connection, filing: int) -> list[ConflictRow]:
    """All conflicts of a filing, in the order in which they were noted."""
    return [_row(row) for row in _OF_FILING.rows(conn, filing=filing)]


def open_conflicts(
    conn: Connection, states: Collection[str], *, ended_before_s: float | None = None
) -> list[ConflictRow]:
    """Conflicts in these states; if a time is given, those that were over before then."""
    given = {} if ended_before_s is None else {"before": ended_before_s}
    return [_row(row) for row in _in_states(tuple(sorted(states)), *given).rows(conn, **given)]


@functools.cache
def _in_states(states: tuple[str, ...], *given: str) -> Ready:
    wanted = select(_conflict).where(or_(*(_c.state == one for one in states)))
    if given:
        wanted = wanted.where(_c.end_s < bindparam("before", 0.0))  # a value, since the list is written out
    return Ready(wanted.order_by(_c.id))


def drop_conflict(conn: Connection, number: int) -> None:
    """Take a conflict out: what found it is no longer here."""
    conn.execute(_conflict.delete().where(_c.id == number))


def conflicts_to_advise(conn: Connection, *, limit: int = 100) -> list[ConflictRow]:
    """What is for us to advise of, the oldest first."""
    return [_row(row) for row in _TO_ADVISE.rows(conn, most=limit)]


def conflicts_like(
    conn: Connection,
    *,
    line: str | None = None,
    states: Collection[str] = (),
    own: bool | None = None,
    from_s: float | None = None,
    to_s: float | None = None,
    below: int | None = None,
    limit: int = 100,
) -> list[ConflictRow]:
    """Conflicts that match, the newest first; `below` is the last number of the page before."""
    wanted: list[Any] = []
    if line is not None:
        filing = projections.tables["filing"].c
        # Two filings may have been told on different lines: the conflict belongs to both.
        wanted.append(or_(_c.line == line, _c.second.in_(select(filing.id).where(filing.line == line))))
    if states:
        wanted.append(_c.state.in_(sorted(states)))
    if own is not None:
        wanted.append(_c.own > 0 if own else _c.own == 0)
    if to_s is not None:
        wanted.append(or_(_c.start_s.is_(None), _c.start_s <= to_s))
    if from_s is not None:
        wanted.append(or_(_c.end_s.is_(None), _c.end_s >= from_s))
    if below is not None:
        wanted.append(_c.id < below)
    rows = conn.execute(select(_conflict).where(*wanted).order_by(_c.id.desc()).limit(limit))
    return [_row(row) for row in rows]


def _values(row: ConflictRow) -> dict[str, Any]:
    values = {one.name: getattr(row, one.name) for one in fields(row)}
    told = [[one.origin, one.index, base64.b64encode(one.leaf_hash).decode()] for one in row.advisories]
    return values | {"advised_by": list(row.advised_by), "accepted_by": list(row.accepted_by), "advisories": told}


def _row(row: Any) -> ConflictRow:
    values = {one.name: getattr(row, one.name) for one in fields(ConflictRow)}
    values["advised_by"], values["accepted_by"] = tuple(row.advised_by), tuple(row.accepted_by)
    values["advisories"] = tuple(EntryRef(one[0], one[1], base64.b64decode(one[2])) for one in row.advisories)
    return ConflictRow(**values)
