"""Cards of other parties that are on file before those are members.

They are of who invited us, of who answered an invitation, and of those whom a member says it has invited.

From them a node knows with whom to exchange logs until the logs themselves say who is on the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Column, Connection, Table, delete, insert, select

from keepclear.record.bodies.members import PartyCard
from keepclear.store.node.columns import SECONDS, STRUCTURE, WORDS
from keepclear.store.node.database import facts

__all__ = ["CardOnFile", "CardSource", "cards_on_file", "drop_card", "put_card"]

_card = Table(
    "card_on_file",
    facts,
    Column("line", WORDS, primary_key=True),
    Column("party", WORDS, primary_key=True),
    Column("identity", WORDS, nullable=False),
    Column("source", WORDS, nullable=False),
    Column("card", STRUCTURE, nullable=False),
    Column("at_s", SECONDS, nullable=False),
)
_c = _card.c


class CardSource(StrEnum):
    """Where a card came from."""

    INVITATION = "invitation"
    """It came with the invitation, and people of ours compared its words."""
    ACCEPTANCE = "acceptance"
    """The party answered our invitation, and people of ours compared its words."""
    MEMBER = "member"
    """A member says that it has invited the party."""


@dataclass(frozen=True, slots=True)
class CardOnFile:
    """A card, of whom and where it came from."""

    line: str
    card: PartyCard
    source: CardSource
    at_s: float


def put_card(conn: Connection, line: str, card: PartyCard, *, source: CardSource, at_s: float) -> bool:
    """Put a party's card on file in place of an older one; whether anything changed.

    What a member says does not take the place of a card whose words were compared here.
    """
    where = (_c.line == line, _c.party == card.party)
    row = conn.execute(select(_card).where(*where)).one_or_none()
    members = card.model_dump(mode="json", exclude_none=True)
    if row is not None:
        held = CardSource(row.source)
        if row.card == members and (held is source or source is CardSource.MEMBER):
            return False
        if source is CardSource.MEMBER and held is not source and row.identity != card.identity:
            return False
        source = held if source is CardSource.MEMBER else source
        conn.execute(delete(_card).where(*where))
    values = {"line": line, "party": card.party, "identity": card.identity, "source": str(source)}
    conn.execute(insert(_card), values | {"card": members, "at_s": at_s})
    return True


def cards_on_file(conn: Connection, line: str) -> tuple[CardOnFile, ...]:
    """The cards on file for a line, by party."""
    rows = conn.execute(select(_card).where(_c.line == line).order_by(_c.party))
    return tuple(CardOnFile(line, PartyCard.model_validate(row.card), CardSource(row.source), row.at_s) for row in rows)


def drop_card(conn: Connection, line: str, party: str) -> None:
    """Take a party's card off file."""
    conn.execute(delete(_card).where(_c.line == line, _c.party == party))
