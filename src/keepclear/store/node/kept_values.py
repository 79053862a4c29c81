"""Small values that a node keeps under a name: secrets, cursors, the number of its projections."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Table, bindparam, delete, insert, select

from keepclear.store.node.columns import OCTETS, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = ["keep_value", "kept_value"]

_kept = Table(
    "kept_value",
    facts,
    Column("name", WORDS, primary_key=True),
    Column("value", OCTETS, nullable=False),
)
_NAMED = _kept.c.name == bindparam("named")
_GET = Ready(select(_kept.c.value).where(_NAMED))
_DROP = Ready(delete(_kept).where(_NAMED))
_PUT = Ready(insert(_kept))


def kept_value(conn: Connection, name: str) -> bytes | None:
    """The value of that name, or None."""
    found = _GET.value(conn, named=name)
    return None if found is None else bytes(found)


def keep_value(conn: Connection, name: str, value: bytes | None) -> None:
    """Keep a value in place of the one before; None removes it."""
    _DROP.run(conn, named=name)
    if value is not None:
        _PUT.run(conn, name=name, value=value)
