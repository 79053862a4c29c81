"""Who is on duty: the posts of the party, who holds each, and by which channels they are reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Table, delete, insert, select

from keepclear.store.node.columns import STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.store.node.kept_values import keep_value, kept_value
from keepclear.store.ready import Ready

__all__ = ["KeptPost", "kept_roster", "put_roster"]

_post = Table(
    "roster_post",
    facts,
    Column("role", WORDS, primary_key=True),
    Column("rank", WHOLE, primary_key=True, autoincrement=False),
    Column("holder", WORDS, nullable=False),
    Column("channels", STRUCTURE, nullable=False),
)
_p = _post.c
_POSTS = Ready(select(_post).order_by(_p.role, _p.rank))
_VERSION = "roster version"


@dataclass(frozen=True, slots=True)
class KeptPost:
    """A post: role and rank (0 for its holder, 1 for the first deputy), who holds it, and the channels by name."""

    role: str
    rank: int
    holder: str = ""
    channels: tuple[str, ...] = ()


def kept_roster(conn: Connection) -> tuple[int, tuple[KeptPost, ...]]:
    """The version, which is one more with each change and 0 before the first, and the posts."""
    rows = _POSTS.rows(conn)
    posts = tuple(KeptPost(row.role, row.rank, row.holder, tuple(row.channels)) for row in rows)
    return int(kept_value(conn, _VERSION) or b"0"), posts


def put_roster(conn: Connection, posts: Iterable[KeptPost]) -> int:
    """Keep these posts in place of those before; the new version."""
    version = kept_roster(conn)[0] + 1
    conn.execute(delete(_post))
    for post in posts:
        values = {"role": post.role, "rank": post.rank, "holder": post.holder, "channels": list(post.channels)}
        conn.execute(insert(_post), values)
    keep_value(conn, _VERSION, str(version).encode())
    return version
