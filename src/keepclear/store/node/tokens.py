"""Tokens with which programs act for a user. What is kept of each is a hash; the token itself is shown once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, ForeignKey, Row, Table, insert, select, update

from keepclear.store.node.columns import OCTETS, SECONDS, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptToken", "add_token", "end_token", "end_tokens", "token_of", "tokens_of_user", "touch_token"]

_token = Table(
    "token",
    facts,
    Column("id", WORDS, primary_key=True),
    Column("person", ForeignKey("person.name"), nullable=False, index=True),
    Column("label", WORDS, nullable=False),
    Column("secret_hash", OCTETS, nullable=False),
    Column("scopes", WORDS, nullable=False),
    Column("made_s", SECONDS, nullable=False),
    Column("ends_s", SECONDS, nullable=False),
    Column("used_s", SECONDS),
    Column("ended_s", SECONDS),
)


@dataclass(frozen=True, slots=True)
class KeptToken:
    """One token.

    Attributes
    ----------
    id
        The part of it that is no secret.
    user
        For whom it acts.
    label
        What it is for, in its owner's words.
    secret_hash
        SHA-256 of the part that is.
    scopes
        What it may do at most; its owner's roles bound it too.
    made_s, ends_s, used_s, ended_s
        When it was made, until when it is good, when it was last used, when it was ended before its time.
    """

    id: str
    user: str
    label: str
    secret_hash: bytes
    scopes: tuple[str, ...]
    made_s: float
    ends_s: float
    used_s: float | None = None
    ended_s: float | None = None


def add_token(conn: Connection, token: KeptToken) -> None:
    """Keep a new token."""
    conn.execute(
        insert(_token),
        {
            "id": token.id, "person": token.user, "label": token.label, "secret_hash": token.secret_hash,
            "scopes": " ".join(token.scopes), "made_s": token.made_s, "ends_s": token.ends_s,
        },
    )  # fmt: skip


def token_of(conn: Connection, token_id: str) -> KeptToken | None:
    """The token of that id, in force or not."""
    row = conn.execute(select(_token).where(_token.c.id == token_id)).one_or_none()
    return None if row is None else _token_of(row)


def tokens_of_user(conn: Connection, user: str, *, after: str = "", limit: int) -> list[KeptToken]:
    """A user's tokens in the order of their ids, those after `after`, in force or not."""
    found = select(_token).where(_token.c.person == user, _token.c.id > after).order_by(_token.c.id).limit(limit)
    return [_token_of(row) for row in conn.execute(found)]


def touch_token(conn: Connection, token_id: str, *, at_s: float) -> None:
    """Note that it was used."""
    conn.execute(update(_token).where(_token.c.id == token_id).values(used_s=at_s))


def end_token(conn: Connection, token_id: str, *, at_s: float) -> bool:
    """End one; False if there is none that had not ended."""
    ended = update(_token).where(_token.c.id == token_id, _token.c.ended_s.is_(None)).values(ended_s=at_s)
    return conn.execute(ended).rowcount > 0


def end_tokens(conn: Connection, user: str, *, at_s: float) -> int:
    """End all tokens of a user; how many had not ended."""
    ended = update(_token).where(_token.c.person == user, _token.c.ended_s.is_(None)).values(ended_s=at_s)
    return conn.execute(ended).rowcount


def _token_of(row: Row[tuple[object, ...]]) -> KeptToken:
    return KeptToken(
        row.id, row.person, row.label, bytes(row.secret_hash), tuple(row.scopes.split()), row.made_s, row.ends_s,
        row.used_s, row.ended_s,
    )  # fmt: skip
