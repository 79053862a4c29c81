"""Whose words people of this party compared, over a telephone: for each identity, when and who did it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Table, insert, select

from keepclear.record.keys import VerifierKey
from keepclear.store.node.columns import SECONDS, WORDS
from keepclear.store.node.database import facts

__all__ = ["ComparedIdentity", "compared_identities", "note_compared"]

_compared = Table(
    "compared",
    facts,
    Column("identity", WORDS, primary_key=True),
    Column("at_s", SECONDS, nullable=False),
    Column("person", WORDS, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ComparedIdentity:
    """An identity whose words somebody of ours compared.

    Attributes
    ----------
    identity
        Which.
    at_s, user
        When first, and who.
    """

    identity: VerifierKey
    at_s: float
    user: str


def note_compared(conn: Connection, identity: VerifierKey, *, user: str, at_s: float) -> None:
    """Note that the words of an identity were compared; the first time is what stays."""
    held = conn.execute(select(_compared.c.at_s).where(_compared.c.identity == identity.text)).scalar()
    if held is None:
        conn.execute(insert(_compared), {"identity": identity.text, "at_s": at_s, "person": user})


def compared_identities(conn: Connection) -> tuple[ComparedIdentity, ...]:
    """All of them, the first compared first."""
    rows = conn.execute(select(_compared).order_by(_compared.c.at_s, _compared.c.identity))
    return tuple(ComparedIdentity(VerifierKey.of_text(row.identity), row.at_s, row.person) for row in rows)
