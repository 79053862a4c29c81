"""What a node remembers of each other party's node: heartbeats and the channel, FLASH that is under way, forks told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Table, bindparam, delete, func, insert, select, update

from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.ready import Ready

__all__ = [
    "FlashCame",
    "FlashWaiting",
    "came_flashes",
    "flashes_since",
    "fork_told",
    "put_state",
    "queue_flash",
    "state_of",
    "states",
    "take_flash",
    "taken_flash",
    "tell_fork",
    "waiting_flashes",
]

_state = Table(
    "peer_state",
    facts,
    Column("line", WORDS, primary_key=True),
    Column("party", WORDS, primary_key=True),
    Column("state", STRUCTURE, nullable=False),
)
_out = Table(
    "flash_out",
    facts,
    Column("id", WORDS, primary_key=True),
    Column("party", WORDS, primary_key=True),
    Column("line", WORDS, nullable=False),
    Column("sent_s", SECONDS, nullable=False),
    Column("data", OCTETS, nullable=False),
    Column("taken_s", SECONDS),
    Index("flash_out_by_party", "line", "party", "taken_s"),
)
_in = Table(
    "flash_in",
    facts,
    Column("party", WORDS, primary_key=True),
    Column("id", WORDS, primary_key=True),
    Column("line", WORDS, nullable=False),
    Column("came_s", SECONDS, nullable=False),
    Column("data", OCTETS, nullable=False),
    Index("flash_in_by_line", "line", "came_s"),
)
_fork = Table(
    "fork_told",
    facts,
    Column("origin", WORDS, primary_key=True),
    Column("digest", OCTETS, primary_key=True),
    Column("told_s", SECONDS, nullable=False),
)
_s, _o, _i, _f = _state.c, _out.c, _in.c, _fork.c
_STATE = Ready(select(_s.state).where(_s.line == bindparam("on"), _s.party == bindparam("of")))
_WAITING = Ready(
    select(_out)
    .where(_o.line == bindparam("on"), _o.party == bindparam("to"), _o.taken_s.is_(None))
    .order_by(_o.sent_s, _o.id)
)


def state_of(conn: Connection, line: str, party: str) -> Mapping[str, Any] | None:
    """What was remembered of a party's node on a line."""
    found = _STATE.value(conn, on=line, of=party)
    return None if found is None else dict(found)


def states(conn: Connection, line: str) -> Mapping[str, Mapping[str, Any]]:
    """The same of all on a line, by party."""
    return {row.party: dict(row.state) for row in conn.execute(select(_state).where(_s.line == line))}


def put_state(conn: Connection, line: str, party: str, state: Mapping[str, Any]) -> None:
    """Remember this in the place of what was."""
    changed = conn.execute(update(_state).where(_s.line == line, _s.party == party).values(state=dict(state)))
    if not changed.rowcount:
        conn.execute(insert(_state), {"line": line, "party": party, "state": dict(state)})


@dataclass(frozen=True, slots=True)
class FlashWaiting:
    """A FLASH beside the log that a party's node has not taken yet."""

    id: str
    line: str
    party: str
    sent_s: float
    data: bytes


def queue_flash(conn: Connection, waiting: FlashWaiting) -> None:
    """Have it sent until it is taken."""
    row = {name: getattr(waiting, name) for name in ("id", "line", "party", "sent_s", "data")}
    conn.execute(insert(_out), row)


def waiting_flashes(conn: Connection, line: str, party: str) -> tuple[FlashWaiting, ...]:
    """What a party has not taken, oldest first."""
    rows = _WAITING.rows(conn, on=line, to=party)
    return tuple(FlashWaiting(r.id, r.line, r.party, r.sent_s, bytes(r.data)) for r in rows)


def taken_flash(conn: Connection, id: str, party: str, *, taken_s: float) -> None:  # noqa: A002  # as in the table
    """The party's node has taken it."""
    conn.execute(update(_out).where(_o.id == id, _o.party == party).values(taken_s=taken_s))


@dataclass(frozen=True, slots=True)
class FlashCame:
    """A FLASH that came beside the log, as it was signed."""

    party: str
    id: str
    line: str
    came_s: float
    data: bytes


def take_flash(conn: Connection, came: FlashCame) -> bool:
    """Keep one that came; False if it was there already."""
    if conn.execute(select(_i.id).where(_i.party == came.party, _i.id == came.id)).first() is not None:
        return False
    conn.execute(insert(_in), {name: getattr(came, name) for name in ("party", "id", "line", "came_s", "data")})
    return True


def flashes_since(conn: Connection, party: str, since_s: float) -> int:
    """How many a party has sent since then, on all lines."""
    wanted = select(func.count()).select_from(_in).where(_i.party == party, _i.came_s >= since_s)
    return int(conn.execute(wanted).scalar_one())


def came_flashes(conn: Connection, line: str, *, limit: int = 1000) -> tuple[FlashCame, ...]:
    """Those that came on a line, newest first."""
    wanted = select(_in).where(_i.line == line).order_by(_i.came_s.desc(), _i.id).limit(limit)
    return tuple(FlashCame(r.party, r.id, r.line, r.came_s, bytes(r.data)) for r in conn.execute(wanted))


def fork_told(conn: Connection, origin: str) -> frozenset[bytes]:
    """Which contradictions of a log people have been told of."""
    return frozenset(bytes(row.digest) for row in conn.execute(select(_f.digest).where(_f.origin == origin)))


def tell_fork(conn: Connection, origin: str, digest: bytes, *, told_s: float) -> None:
    """Note that they were."""
    conn.execute(delete(_fork).where(_f.origin == origin, _f.digest == digest))
    conn.execute(insert(_fork), {"origin": origin, "digest": digest, "told_s": told_s})
