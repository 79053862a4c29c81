"""Answers kept under the caller's own keys, so that a request sent twice is done once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Row, Table, delete, insert, select, update

from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptAnswer", "answer_under", "begin_answer", "drop_answer", "prune_answers", "put_answer"]

_answer = Table(
    "kept_answer",
    facts,
    Column("person", WORDS, primary_key=True),
    Column("key", WORDS, primary_key=True),
    Column("request_hash", OCTETS, nullable=False),
    Column("worker", WORDS, nullable=False),
    Column("begun_s", SECONDS, nullable=False, index=True),
    Column("status", WHOLE),
    Column("headers", STRUCTURE),
    Column("body", OCTETS),
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What is known under a key: the request's hash, which process began it and when, and the answer if it came."""

    request_hash: bytes
    worker: str
    begun_s: float
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answer_under(conn: Connection, user: str, key: str) -> KeptAnswer | None:
    """What is kept under a user's key."""
    row = conn.execute(select(_answer).where(_answer.c.person == user, _answer.c.key == key)).one_or_none()
    return None if row is None else _answer_of(row)


def begin_answer(conn: Connection, user: str, key: str, *, request_hash: bytes, worker: str, at_s: float) -> None:
    """Take a key that is free for a request that is about to be done."""
    values = {"person": user, "key": key, "request_hash": request_hash, "worker": worker, "begun_s": at_s}
    conn.execute(insert(_answer), values)


def put_answer(
    conn: Connection, user: str, key: str, *, status: int, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    """Keep the answer."""
    values = {"status": status, "headers": [list(header) for header in headers], "body": body}
    conn.execute(update(_answer).where(_answer.c.person == user, _answer.c.key == key).values(values))


def drop_answer(conn: Connection, user: str, key: str) -> None:
    """Give a key back: what was asked with it was not done."""
    conn.execute(delete(_answer).where(_answer.c.person == user, _answer.c.key == key))


def prune_answers(conn: Connection, *, before_s: float) -> None:
    """Forget those begun before this time."""
    conn.execute(delete(_answer).where(_answer.c.begun_s < before_s))


def _answer_of(row: Row[tuple[object, ...]]) -> KeptAnswer:
    headers = tuple((name, value) for name, value in row.headers or ())
    return KeptAnswer(bytes(row.request_hash), row.worker, row.begun_s, row.status, headers, bytes(row.body or b""))
