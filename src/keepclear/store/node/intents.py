"""Acts that may be done once: amending an entry, filing one day of a series.

An act of that sort is claimed under its key before it is said, and settled with the entry that says it. Of two who
claim the same, in whatever process, one gets it. A claim that was never settled was cut off by a crash; where our log
stood when it was claimed tells from where on to look whether it was said all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, insert, select, update

from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["Intent", "claim", "intent_of", "release", "settle"]

_intent = Table(
    "intent",
    facts,
    Column("key", WORDS, primary_key=True),
    Column("at_s", SECONDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("origin", WORDS, nullable=False),
    Column("size", WHOLE, nullable=False),
    Column("number", WHOLE),
)
_i = _intent.c


@dataclass(frozen=True, slots=True)
class Intent:
    """A claim.

    Attributes
    ----------
    key
        What is claimed.
    at_s, by
        When, and by whom.
    origin, size
        Our log in which it is to be said, and how many entries that had.
    index
        The entry that says it; None while that is not known.
    """

    key: str
    at_s: float
    by: str
    origin: str
    size: int
    index: int | None = None


def claim(conn: Connection, intent: Intent) -> Intent | None:
    """Claim an act; None if it is ours now, else the claim that there is."""
    there = intent_of(conn, intent.key)
    if there is not None:
        return there
    values = {
        "key": intent.key, "at_s": intent.at_s, "person": intent.by, "origin": intent.origin, "size": intent.size,
        "number": intent.index,
    }  # fmt: skip
    conn.execute(insert(_intent), values)
    return None


def settle(conn: Connection, key: str, *, origin: str, index: int) -> None:
    """Note the entry that says what was claimed."""
    conn.execute(update(_intent).where(_i.key == key), {"origin": origin, "number": index})


def release(conn: Connection, key: str) -> None:
    """Give up a claim: nothing was said."""
    conn.execute(delete(_intent).where(_i.key == key, _i.number.is_(None)))


def intent_of(conn: Connection, key: str) -> Intent | None:
    """The claim under that key, or None."""
    row: Row[Any] | None = conn.execute(select(_intent).where(_i.key == key)).first()
    if row is None:
        return None
    return Intent(row.key, row.at_s, row.person, row.origin, row.size, row.number)
