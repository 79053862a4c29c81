"""Who did what, when and from where. Rows are added and never changed: the database itself refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, event, insert, select

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = ["Act", "acts_before", "add_act"]

_act = Table(
    "act",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("at_s", SECONDS, nullable=False, index=True),
    Column("person", WORDS, nullable=False, index=True),
    Column("via", WORDS, nullable=False),
    Column("credential", WORDS, nullable=False),
    Column("address", WORDS, nullable=False),
    Column("what", WORDS, nullable=False),
    Column("ref", WORDS, nullable=False),
    Column("detail", STRUCTURE, nullable=False),
    Index("act_of_what", "what", "id"),
    sqlite_autoincrement=True,  # else the number of the last row would be given again if it were ever taken away
)

_COLUMNS = ("at_s", "person", "via", "credential", "address", "what", "ref", "detail")
_ADD = Ready(insert(_act).values(dict.fromkeys(_COLUMNS)).returning(_act.c.id))

_SQLITE = "CREATE TRIGGER act_never_{0} BEFORE {0} ON act BEGIN SELECT RAISE(ABORT, 'acts are never changed'); END"
_FUNCTION = """CREATE OR REPLACE FUNCTION act_never_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'acts are never changed'; END $$"""
_TRIGGER = """CREATE TRIGGER act_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON act
FOR EACH STATEMENT EXECUTE FUNCTION act_never_changed()"""


@event.listens_for(_act, "after_create")
def _guard(_table: Table, connection: Connection, **_: object) -> None:
    postgres = connection.dialect.name == "postgresql"
    for statement in (_FUNCTION, _TRIGGER) if postgres else map(_SQLITE.format, ("UPDATE", "DELETE")):
        connection.exec_driver_sql(statement)


@dataclass(frozen=True, slots=True)
class Act:
    """One act: see `keepclear.node.acts` for what the words are."""

    id: int
    at_s: float
    user: str
    via: str
    credential: str
    address: str
    what: str
    ref: str
    detail: Mapping[str, Any]


def add_act(
    conn: Connection,
    *,
    at_s: float,
    user: str,
    via: str,
    credential: str,
    address: str,
    what: str,
    ref: str,
    detail: Mapping[str, Any],
) -> int:
    """Add one; its number, which only grows."""
    return int(
        _ADD.value(
            conn, at_s=at_s, person=user, via=via, credential=credential, address=address, what=what, ref=ref,
            detail=dict(detail),
        )
    )  # fmt: skip


def acts_before(
    conn: Connection,
    before: int | None = None,
    *,
    limit: int,
    user: str | None = None,
    what: str | None = None,
    ref: str | None = None,
    from_s: float | None = None,
    to_s: float | None = None,
) -> list[Act]:
    """The newest first, those with smaller numbers than `before`; by user, by what was done, to what and when."""
    wanted = select(_act).order_by(_act.c.id.desc()).limit(limit)
    for column, value in ((_act.c.person, user), (_act.c.what, what), (_act.c.ref, ref)):
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(_act.c.id < before)
    if from_s is not None:
        wanted = wanted.where(_act.c.at_s >= from_s)
    if to_s is not None:
        wanted = wanted.where(_act.c.at_s < to_s)
    return [_act_of(row) for row in conn.execute(wanted)]


def _act_of(row: Row[tuple[object, ...]]) -> Act:
    return Act(
        row.id, row.at_s, row.person, row.via, row.credential, row.address, row.what, row.ref, row.detail
    )  # fmt: skip
