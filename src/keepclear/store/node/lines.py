"""The lines that a node is on, or asked to be: which entry founded each, and what is still to be sent about it.

What a line is follows from its root alone. Ours stands in our own log; that of a line we joined came with the
invitation, and nothing else here tells it, so it is a fact.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Row, Table, insert, select, update

from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import OCTETS, SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = [
    "Joining",
    "KnownLine",
    "add_line",
    "joining_of",
    "line_of",
    "lines_of",
    "note_sent",
    "put_joining",
    "root_of",
]

_line = Table(
    "line",
    facts,
    Column("line", WORDS, primary_key=True),
    Column("name", WORDS, nullable=False),
    Column("origin", WORDS, nullable=False),
    Column("number", WHOLE, nullable=False),
    Column("leaf_hash", OCTETS, nullable=False),
    Column("since_s", SECONDS, nullable=False),
)
_joining = Table(
    "joining",
    facts,
    Column("line", WORDS, primary_key=True),
    Column("inviter", WORDS, nullable=False),
    Column("identity", WORDS, nullable=False),
    Column("acceptance", OCTETS, nullable=False),
    Column("expires_s", SECONDS, nullable=False),
    Column("sent_s", SECONDS),
)
_l, _j = _line.c, _joining.c


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line that this node is on, or asked to be.

    Attributes
    ----------
    line, name
        Its name in the record, and what it is called.
    root
        The entry that founded it.
    """

    line: str
    name: str
    root: EntryRef


@dataclass(frozen=True, slots=True)
class Joining:
    """Our answer to an invitation.

    Attributes
    ----------
    line
        Of which line.
    inviter, identity
        The party that invited us, and its identity, whose words were compared.
    acceptance
        The answer, to be sent to it until it has it.
    expires_s
        Until when it can be sent, by the inviter's clock.
    sent_s
        When the inviter's node took it; None while it has not.
    """

    line: str
    inviter: str
    identity: str
    acceptance: bytes
    expires_s: float
    sent_s: float | None


def add_line(conn: Connection, known: KnownLine, *, at_s: float) -> None:
    """Note a line; one that is noted already stays as it is."""
    if line_of(conn, known.line) is None:
        root = known.root
        values = {"origin": root.origin, "number": root.index, "leaf_hash": root.leaf_hash}
        conn.execute(insert(_line), {"line": known.line, "name": known.name, "since_s": at_s} | values)


def line_of(conn: Connection, line: str) -> KnownLine | None:
    """The line of that name in the record; None if it is not known."""
    row = conn.execute(select(_line).where(_l.line == line)).one_or_none()
    return None if row is None else _known(row)


def lines_of(conn: Connection) -> tuple[KnownLine, ...]:
    """All lines, by name."""
    return tuple(_known(row) for row in conn.execute(select(_line).order_by(_l.line)))


def root_of(conn: Connection, line: str) -> EntryRef | None:
    """The entry that founded a line; None if it is not known."""
    found = line_of(conn, line)
    return None if found is None else found.root


def put_joining(conn: Connection, joining: Joining) -> None:
    """Note our answer to an invitation, in place of an earlier one to the same line."""
    conn.execute(_joining.delete().where(_j.line == joining.line))
    values = {
        "line": joining.line, "inviter": joining.inviter, "identity": joining.identity,
        "acceptance": joining.acceptance, "expires_s": joining.expires_s, "sent_s": joining.sent_s,
    }  # fmt: skip
    conn.execute(insert(_joining), values)


def joining_of(conn: Connection, line: str) -> Joining | None:
    """Our answer to the invitation onto a line; None if we founded it, or have not answered."""
    row = conn.execute(select(_joining).where(_j.line == line)).one_or_none()
    if row is None:
        return None
    return Joining(row.line, row.inviter, row.identity, bytes(row.acceptance), row.expires_s, row.sent_s)


def note_sent(conn: Connection, line: str, *, at_s: float) -> None:
    """Note that the inviter's node took our answer; the first time is what stays."""
    conn.execute(update(_joining).where(_j.line == line, _j.sent_s.is_(None)).values(sent_s=at_s))


def _known(row: Row[tuple[object, ...]]) -> KnownLine:
    return KnownLine(row.line, row.name, EntryRef(row.origin, row.number, bytes(row.leaf_hash)))
