"""The keys of a party's card: which ones its identity certified for a line.

The identity is what people compare over a telephone; all else on the card follows from it, or the card is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.errors import IntegrityError
from keepclear.record.bodies.members import PartyCard
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import VerifierKey
from keepclear.record.names import Purpose

__all__ = ["CardKeys", "keys_of_card"]


@dataclass(frozen=True, slots=True)
class CardKeys:
    """The keys with which a party begins on a line, its newest where it had several."""

    identity: VerifierKey
    log: VerifierKey
    mirror: VerifierKey
    transport: VerifierKey


def keys_of_card(card: PartyCard, line: str) -> CardKeys:
    """The keys that the identity on a card certified for a line.

    Raises
    ------
    IntegrityError
        If a certificate on the card does not hold, or there is none for the log, mirror or transport key.
    """
    ring = KeyRing.founded([card.identity_key()]).taking(note.encode() for note in card.certificates)
    if ring.refused:
        raise IntegrityError(f"a certificate on the card of {card.party} does not hold: {ring.refused[0].reason}")
    found = []
    for purpose in (Purpose.LOG, Purpose.MIRROR, Purpose.TRANSPORT):
        periods = ring.periods(card.party, purpose, line if purpose.of_line else None)
        if not periods:
            where = f" on {line}" if purpose.of_line else ""
            raise IntegrityError(f"the card of {card.party} has no certificate for a {purpose} key{where}")
        found.append(periods[-1].key)
    return CardKeys(card.identity_key(), *found)
