"""Drafts: filings that nobody but this party has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, func, insert, select, update

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptDraft", "add_draft", "change_draft", "draft_count", "draft_of", "drafts_after", "drop_draft"]

_draft = Table(
    "draft",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("version", WHOLE, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("changed_s", SECONDS, nullable=False),
    Column("line", WORDS),
    Column("content", STRUCTURE, nullable=False),
    sqlite_autoincrement=True,
)
_d = _draft.c


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A draft.

    Attributes
    ----------
    id, version
        Its number, and how often it was changed, from 1.
    by, changed_s
        Who changed it last, and when.
    line
        For which line it is, where that is said.
    content
        What it says so far, as `keepclear.node.filing_requests.FilingRequest.of_json` reads it; maybe incomplete.
    """

    id: int
    version: int
    by: str
    changed_s: float
    line: str | None
    content: Mapping[str, Any]


def add_draft(conn: Connection, content: Mapping[str, Any], *, by: str, at_s: float, line: str | None) -> KeptDraft:
    """Keep a new draft."""
    values = {"version": 1, "person": by, "changed_s": at_s, "line": line, "content": dict(content)}
    number = conn.execute(insert(_draft).returning(_d.id), values).scalar_one()
    return KeptDraft(number, 1, by, at_s, line, content)


def change_draft(
    conn: Connection,
    id: int,  # noqa: A002  # the name that it has in the table
    content: Mapping[str, Any],
    *,
    version: int,
    by: str,
    at_s: float,
    line: str | None,
) -> KeptDraft | None:
    """Put another content in place of that of this version; None if there is no such draft in that version."""
    values = {"version": version + 1, "person": by, "changed_s": at_s, "line": line, "content": dict(content)}
    changed = conn.execute(update(_draft).where(_d.id == id, _d.version == version), values).rowcount
    return KeptDraft(id, version + 1, by, at_s, line, content) if changed else None


def drop_draft(conn: Connection, id: int, *, version: int | None = None) -> bool:  # noqa: A002  # as in the table
    """Remove a draft, of that version if one is given; whether it was there."""
    wanted = delete(_draft).where(_d.id == id)
    return conn.execute(wanted if version is None else wanted.where(_d.version == version)).rowcount > 0


def draft_of(conn: Connection, id: int) -> KeptDraft | None:  # noqa: A002  # as in the table
    """The draft of that number, or None."""
    row = conn.execute(select(_draft).where(_d.id == id)).first()
    return None if row is None else _kept(row)


def drafts_after(conn: Connection, after: int | None, *, limit: int, line: str | None = None) -> list[KeptDraft]:
    """Drafts with greater numbers, oldest first."""
    wanted = select(_draft).order_by(_d.id).limit(limit)
    if after is not None:
        wanted = wanted.where(_d.id > after)
    return [_kept(row) for row in conn.execute(wanted if line is None else wanted.where(_d.line == line))]


def draft_count(conn: Connection) -> int:
    """How many there are."""
    return int(conn.execute(select(func.count()).select_from(_draft)).scalar_one())


def _kept(row: Row[Any]) -> KeptDraft:
    return KeptDraft(row.id, row.version, row.person, row.changed_s, row.line, row.content)
