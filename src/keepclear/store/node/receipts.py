"""Receipts: who has shown that he holds a log up to where, and when that became known here.

A cosignature names its own time; what counts is that or the time at which it came, whichever is earlier, and the latter
no log tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Table, bindparam, func, insert, select

from keepclear.line.conversation import Receipt
from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = ["newest_receipts", "note_receipt", "receipts_after"]

_receipt = Table(
    "receipt",
    facts,
    Column("id", WHOLE, primary_key=True, autoincrement=True),
    Column("line", WORDS, nullable=False),
    Column("origin", WORDS, nullable=False),
    Column("key", WORDS, nullable=False),
    Column("size", WHOLE, nullable=False),
    Column("by", WORDS, nullable=False),
    Column("at_s", SECONDS, nullable=False),
)
_r = _receipt.c
_NEWEST = Ready(select(_r.origin, _r.key, func.max(_r.size)).group_by(_r.origin, _r.key))
_AFTER = Ready(select(_receipt).where(_r.line == bindparam("on"), _r.id > bindparam("after")).order_by(_r.id))


def note_receipt(conn: Connection, line: str, key: str, receipt: Receipt) -> None:
    """Keep a receipt that a key gave."""
    values = {"origin": receipt.origin, "size": receipt.size, "by": receipt.by, "at_s": receipt.at_s}
    conn.execute(insert(_receipt), {"line": line, "key": key, **values})


def newest_receipts(conn: Connection) -> dict[tuple[str, str], int]:
    """The greatest size by log and key."""
    return {(row[0], row[1]): row[2] for row in _NEWEST.rows(conn)}


def receipts_after(conn: Connection, line: str, number: int) -> Sequence[tuple[int, Receipt]]:
    """The receipts on a line that were kept after the one of this number, each with its own."""
    rows = _AFTER.rows(conn, on=line, after=number)
    return [(row.id, Receipt(row.origin, row.size, row.by, row.at_s)) for row in rows]
