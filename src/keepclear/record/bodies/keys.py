"""Statements about keys. The statement is a signed note; the log carries it, and its signatures alone make it true.

A body holds a statement of its own kind or is refused. Whether the statement is signed by who it says, and is to be
believed, is for `keepclear.record.key_ring` to say.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.bodies.base import Body
from keepclear.record.certificates import Certificate, Revocation, Statement, Vouch, read_statement
from keepclear.record.entry_types import EntryType

__all__ = ["IdentityVouchBody", "KeyCertificateBody", "KeyRevocationBody"]

_Note = Annotated[str, Field(min_length=1, max_length=16_384)]


class KeyCertificateBody(Body):
    """Which key is the party's, and for what.

    Attributes
    ----------
    note
        A certificate, signed by the party's identity key (C2SP signed-note).
    """

    TYPE: ClassVar[EntryType] = EntryType.KEY_CERTIFICATE

    note: _Note

    def check(self) -> None:
        """Check that the note is a certificate."""
        _check(self.note, Certificate, "a certificate, as an identity signs it")


class KeyRevocationBody(Body):
    """A key is no longer the party's.

    Attributes
    ----------
    note
        A revocation, signed by the party's identity key (C2SP signed-note).
    """

    TYPE: ClassVar[EntryType] = EntryType.KEY_REVOCATION

    note: _Note

    def check(self) -> None:
        """Check that the note is a revocation."""
        _check(self.note, Revocation, "a revocation, as an identity signs it")


class IdentityVouchBody(Body):
    """Another party, whose identity key is lost, has a new one.

    Attributes
    ----------
    note
        A vouch, signed by the identity key of the party that vouches (C2SP signed-note).
    """

    TYPE: ClassVar[EntryType] = EntryType.IDENTITY_VOUCH

    note: _Note

    def check(self) -> None:
        """Check that the note is a vouch."""
        _check(self.note, Vouch, "a vouch, as an identity signs it")


def _check(note: str, kind: type[Statement], right: str) -> None:
    try:
        statement, _ = read_statement(note.encode())
    except PeerError as error:
        raise InputError(Fault(str(error), right, field="note")) from None
    if not isinstance(statement, kind):
        problem = f"another statement about keys: {statement.text.partition(chr(10))[0]}"
        raise InputError(Fault(problem, right, field="note"))
