"""Sessions of people who have signed in. What is kept of each is a hash, from which nobody gets the secret back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, ForeignKey, Row, Table, delete, insert, select, update

from keepclear.store.node.columns import OCTETS, SECONDS, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptSession", "add_session", "end_session", "end_sessions", "prune_sessions", "session_of", "touch_session"]

_session = Table(
    "session",
    facts,
    Column("id", WORDS, primary_key=True),
    Column("person", ForeignKey("person.name"), nullable=False, index=True),
    Column("secret_hash", OCTETS, nullable=False),
    Column("address", WORDS, nullable=False),
    Column("begun_s", SECONDS, nullable=False),
    Column("used_s", SECONDS, nullable=False),
    Column("ends_s", SECONDS, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class KeptSession:
    """One session: whose, proved by what, from where, since when, last used and until when at most."""

    id: str
    user: str
    secret_hash: bytes
    address: str
    begun_s: float
    used_s: float
    ends_s: float


def add_session(conn: Connection, session: KeptSession) -> None:
    """Keep a new session."""
    conn.execute(
        insert(_session),
        {
            "id": session.id, "person": session.user, "secret_hash": session.secret_hash, "address": session.address,
            "begun_s": session.begun_s, "used_s": session.used_s, "ends_s": session.ends_s,
        },
    )  # fmt: skip


def session_of(conn: Connection, session_id: str) -> KeptSession | None:
    """The session of that id, over or not."""
    row = conn.execute(select(_session).where(_session.c.id == session_id)).one_or_none()
    return None if row is None else _session_of(row)


def touch_session(conn: Connection, session_id: str, *, at_s: float) -> None:
    """Note that it was used."""
    conn.execute(update(_session).where(_session.c.id == session_id).values(used_s=at_s))


def end_session(conn: Connection, session_id: str) -> bool:
    """End one; False if there was none."""
    return conn.execute(delete(_session).where(_session.c.id == session_id)).rowcount > 0


def end_sessions(conn: Connection, user: str, *, but: str = "") -> int:
    """End all sessions of a user, but the one of that id; how many there were."""
    return conn.execute(delete(_session).where(_session.c.person == user, _session.c.id != but)).rowcount


def prune_sessions(conn: Connection, *, before_s: float) -> None:
    """Forget those that were over before this time."""
    conn.execute(delete(_session).where(_session.c.ends_s < before_s))


def _session_of(row: Row[tuple[object, ...]]) -> KeptSession:
    return KeptSession(row.id, row.person, bytes(row.secret_hash), row.address, row.begun_s, row.used_s, row.ends_s)
