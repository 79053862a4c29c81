"""What of its own positions a party shares, with whom, how exactly and how late: its own choice, until it ends it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, insert, select, update

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptShare", "add_share", "end_share", "note_shared", "open_shares", "share_of", "shares"]

_share = Table(
    "position_share",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("line", WORDS, nullable=False),
    Column("recipients", STRUCTURE),
    Column("unit", WORDS, nullable=False),
    Column("grid_km", WHOLE),
    Column("delay_s", SECONDS, nullable=False),
    Column("every_s", SECONDS, nullable=False),
    Column("from_s", SECONDS, nullable=False),
    Column("until_s", SECONDS),
    Column("shared_to_s", SECONDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("at_s", SECONDS, nullable=False),
    Column("ended_by", WORDS),
    Column("ended_s", SECONDS),
    sqlite_autoincrement=True,
)
_s = _share.c


@dataclass(frozen=True, slots=True)
class KeptShare:
    """Something that is shared as time goes by.

    Attributes
    ----------
    id, line
        Its number, and on which line.
    recipients
        With whom; None: with all who are on the line.
    unit
        Which of our units.
    grid_km
        How roughly: kilometres of the grid; None: exactly.
    delay_s, every_s
        How much later than they were reported, and how often.
    from_s, until_s
        Positions from when on, and until when; None: until it is ended.
    shared_to_s
        Up to which time they were shared.
    person, at_s, ended_by, ended_s
        Who began and who ended it.
    """

    id: int
    line: str
    recipients: list[str] | None
    unit: str
    grid_km: int | None
    delay_s: float
    every_s: float
    from_s: float
    until_s: float | None
    shared_to_s: float
    person: str
    at_s: float
    ended_by: str | None = None
    ended_s: float | None = None


def add_share(conn: Connection, share: KeptShare) -> KeptShare:
    """Keep it; with its number."""
    values = asdict(share)
    del values["id"]
    number = conn.execute(insert(_share).returning(_s.id), values).scalar_one()
    return _kept(conn.execute(select(_share).where(_s.id == number)).one())


def share_of(conn: Connection, number: int) -> KeptShare | None:
    """The one of that number."""
    row = conn.execute(select(_share).where(_s.id == number)).first()
    return None if row is None else _kept(row)


def shares(conn: Connection) -> list[KeptShare]:
    """All, the oldest first."""
    return [_kept(row) for row in conn.execute(select(_share).order_by(_s.id))]


def open_shares(conn: Connection) -> list[KeptShare]:
    """Those that were not ended, the oldest first."""
    return [_kept(row) for row in conn.execute(select(_share).where(_s.ended_s.is_(None)).order_by(_s.id))]


def note_shared(conn: Connection, number: int, to_s: float) -> None:
    """Positions up to then were shared."""
    conn.execute(update(_share).where(_s.id == number).values(shared_to_s=to_s))


def end_share(conn: Connection, number: int, *, by: str, at_s: float) -> bool:
    """End it; whether it still went on."""
    wanted = update(_share).where(_s.id == number, _s.ended_s.is_(None))
    return conn.execute(wanted, {"ended_by": by, "ended_s": at_s}).rowcount > 0


def _kept(row: Row[Any]) -> KeptShare:
    return KeptShare(*list(row))
