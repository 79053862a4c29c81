"""Bodies of entries that say who is on a line, which came before the logs in which those entries stand.

A log whose bodies these are may not be mirrored yet, so they cannot be kept in its copy. They are gone from here once
they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Connection, Index, Table, delete, func, insert, select

from keepclear.record.entries import Entry
from keepclear.record.entry_files import read_entry, write_entry
from keepclear.store.node.columns import OCTETS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = [
    "MOST_BYTES_ON_FILE",
    "MOST_ON_FILE",
    "drop_entries",
    "entries_on_file",
    "given_by",
    "origins_on_file",
    "put_entry",
]

MOST_ON_FILE = 2_500
"""How many are kept at most of what one party gave: it can name logs that there are not."""
MOST_BYTES_ON_FILE = 8 * 2**20
"""And how much they may come to."""

_body = Table(
    "body_on_file",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("leaf_hash", OCTETS, primary_key=True),
    Column("entry", OCTETS, nullable=False),
)
_given = Table(
    "body_given",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("leaf_hash", OCTETS, primary_key=True),
    Column("giver", WORDS, nullable=False),
    Column("bytes", WHOLE, nullable=False),
    Index("body_given_by", "giver"),
)
_b, _g = _body.c, _given.c


def put_entry(conn: Connection, origin: str, index: int, entry: Entry, *, giver: str = "") -> bool:
    """Keep an entry with its body; whether it was not there, and there is room for what this party gives."""
    where = (_b.origin == origin, _b.number == index, _b.leaf_hash == entry.leaf.hash)
    if conn.execute(select(_b.number).where(*where)).first() is not None:
        return False
    data = write_entry(entry)
    count, size = given_by(conn, giver)
    if count >= MOST_ON_FILE or size + len(data) > MOST_BYTES_ON_FILE:
        return False
    key = {"origin": origin, "number": index, "leaf_hash": entry.leaf.hash}
    conn.execute(insert(_body), key | {"entry": data})
    conn.execute(insert(_given), key | {"giver": giver, "bytes": len(data)})
    return True


def given_by(conn: Connection, giver: str) -> tuple[int, int]:
    """How many there are of what a party gave, and how many bytes they have."""
    wanted = select(func.count(), func.coalesce(func.sum(_g.bytes), 0)).where(_g.giver == giver)
    count, size = conn.execute(wanted).one()
    return int(count), int(size)


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
    conn.execute(delete(_given).where(_g.origin == origin, _g.number < before))
