"""The card of our own party on a line: what the others are told of it, certificates and addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keepclear.errors import Fault, InputError
from keepclear.node.tls import address_told
from keepclear.record.bodies.members import PartyCard
from keepclear.record.certificates import Certificate, read_statement
from keepclear.store.transport_key import transport_certificates

if TYPE_CHECKING:
    from keepclear.node.folder import NodeFolder
    from keepclear.node.records import Records

__all__ = ["own_card"]


def own_card(folder: NodeFolder, records: Records, line: str) -> PartyCard:
    """The card as it is now: all certificates of our keys on the line, and where our node is reached.

    Raises
    ------
    InputError
        If there is no transport key yet, or the settings say what no card can.
    """
    notes = transport_certificates(folder)
    if not notes:
        right = "make it: keepclear init DIR --party NAME, which goes on from what is there"
        raise InputError(Fault("this folder has no transport key", right, file=str(folder.path)))
    own: list[bytes] = []
    for origin in records.own_origins(line):
        own += [note for note in records.statements(origin) if _is_certificate(note)]
    settings = folder.settings
    return PartyCard(
        party=records.party,
        name=settings.name or records.party,
        identity=folder.identity.text,
        certificates=_texts([*own, *notes]),
        addresses=[address_told(folder.path, settings)] if settings.address else [],
    )


def _is_certificate(note: bytes) -> bool:
    statement, _ = read_statement(note)
    return isinstance(statement, Certificate)


def _texts(notes: Iterable[bytes]) -> list[str]:
    return [note.decode() for note in dict.fromkeys(notes)]
