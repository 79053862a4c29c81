"""Bodies of entries that say who is on a line, which came before the logs in which those entries stand.

A log whose bodies these are may not be mirrored yet, so they cannot be kept in its copy. They are gone from here once
they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Connection, Table, delete, func, insert, select

from keepclear.record.entries import Entry
from keepclear.record.entry_files import read_entry, write_entry
from keepclear.store.node.columns import OCTETS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = [
    "MOST_BYTES_ON_FILE",
    "MOST_ON_FILE",
    "bytes_on_file",
    "count_on_file",
    "drop_entries",
    "entries_on_file",
    "origins_on_file",
    "put_entry",
]

MOST_ON_FILE = 10_000
"""How many are kept at most: a peer can name logs that there are not."""
MOST_BYTES_ON_FILE = 32 * 2**20
"""And how much they may come to."""

_body = Table(
    "body_on_file",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("leaf_hash", OCTETS, primary_key=True),
    Column("entry", OCTETS, nullable=False),
)
_b = _body.c


def put_entry(conn: Connection, origin: str, index: int, entry: Entry) -> bool:
    """Keep an entry with its body; whether it was not there, and there is room."""
    where = (_b.origin == origin, _b.number == index, _b.leaf_hash == entry.leaf.hash)
    if conn.execute(select(_b.number).where(*where)).first() is not None:
        return False
    data = write_entry(entry)
    if count_on_file(conn) >= MOST_ON_FILE or bytes_on_file(conn) + len(data) > MOST_BYTES_ON_FILE:
        return False
    row = {"origin": origin, "number": index, "leaf_hash": entry.leaf.hash, "entry": data}
    conn.execute(insert(_body), row)
    return True


def count_on_file(conn: Connection) -> int:
    """How many there are."""
    return int(conn.execute(select(func.count()).select_from(_body)).scalar_one())


def bytes_on_file(conn: Connection) -> int:
    """How many bytes they have."""
    return int(conn.execute(select(func.coalesce(func.sum(func.length(_b.entry)), 0))).scalar_one())


def origins_on_file(conn: Connection, line: str) -> tuple[str, ...]:
    """Logs on a line of which there are any."""
    rows = conn.execute(select(_b.origin).distinct().order_by(_b.origin))
    return tuple(row.origin for row in rows if row.origin.split("/")[1] == line)


def entries_on_file(conn: Connection, origin: str) -> Mapping[int, tuple[Entry, ...]]:
    """What there is of a log, by index: more than one only if somebody made it up."""
    found: dict[int, tuple[Entry, ...]] = {}
    for row in conn.execute(select(_body).where(_b.origin == origin).order_by(_b.number, _b.leaf_hash)):
        found[row.number] = (*found.get(row.number, ()), read_entry(bytes(row.entry)))
    return found


def drop_entries(conn: Connection, origin: str, *, before: int) -> None:
    """Forget those of a log below an index: their leaves are held now, and so is what was right of these."""
    conn.execute(delete(_body).where(_b.origin == origin, _b.number < before))
