"""The ways by which an alarm leaves the machine: e-mail, webhook, a command of the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, insert, select, update

from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptChannel", "channel_of", "channels_of", "drop_channel", "forget_secrets", "note_tried", "put_channel"]

_channel = Table(
    "alarm_channel",
    facts,
    Column("name", WORDS, primary_key=True),
    Column("kind", WORDS, nullable=False),
    Column("settings", STRUCTURE, nullable=False),
    Column("secret", OCTETS),
    Column("version", WHOLE, nullable=False),
    Column("tried_s", SECONDS),
    Column("worked", WHOLE),
    Column("note", WORDS),
)
_c = _channel.c


@dataclass(frozen=True, slots=True)
class KeptChannel:
    """A channel as it is kept.

    Attributes
    ----------
    name, kind, settings
        What it is called, of what kind it is, and what that kind must know.
    secret
        A password, or what is shared with the other side; None where there is none. Never shown.
    version
        One more with each change.
    tried_s, worked, note
        When it was last tried, whether it worked, and what was answered; None and empty before the first time.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    secret: bytes | None
    version: int
    tried_s: float | None = None
    worked: bool | None = None
    note: str = ""

    def __repr__(self) -> str:
        return f"KeptChannel({self.name!r}, {self.kind!r}, version={self.version})"


def channels_of(conn: Connection) -> tuple[KeptChannel, ...]:
    """All channels, by name."""
    return tuple(_kept(row) for row in conn.execute(select(_channel).order_by(_c.name)))


def channel_of(conn: Connection, name: str) -> KeptChannel | None:
    """The channel of that name."""
    row = conn.execute(select(_channel).where(_c.name == name)).one_or_none()
    return None if row is None else _kept(row)


def put_channel(conn: Connection, channel: KeptChannel) -> None:
    """Keep a channel in place of the one of that name; it has not been tried as it is now."""
    conn.execute(delete(_channel).where(_c.name == channel.name))
    values = {"name": channel.name, "kind": channel.kind, "settings": dict(channel.settings)}
    conn.execute(insert(_channel).values(values | {"secret": channel.secret, "version": channel.version}))


def drop_channel(conn: Connection, name: str) -> bool:
    """Forget a channel; whether it was there."""
    return conn.execute(delete(_channel).where(_c.name == name)).rowcount > 0


def note_tried(conn: Connection, name: str, *, worked: bool, note: str, at_s: float) -> None:
    """Note how it was when it was last used or tried."""
    conn.execute(update(_channel).where(_c.name == name).values(tried_s=at_s, worked=int(worked), note=note))


def forget_secrets(conn: Connection) -> None:
    """Forget all passwords and shared secrets: for a copy that is not sealed."""
    conn.execute(update(_channel).values(secret=None))


def _kept(row: Row[Any]) -> KeptChannel:
    worked = None if row.worked is None else bool(row.worked)
    secret = None if row.secret is None else bytes(row.secret)
    return KeptChannel(row.name, row.kind, row.settings, secret, row.version, row.tried_s, worked, row.note or "")
