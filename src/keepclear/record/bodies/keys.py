"""Statements about keys. The statement is a signed note; the log carries it, and its signatures alone make it true."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from keepclear.record.bodies.base import Body
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


class KeyRevocationBody(Body):
    """A key is no longer the party's.

    Attributes
    ----------
    note
        A revocation, signed by the party's identity key (C2SP signed-note).
    """

    TYPE: ClassVar[EntryType] = EntryType.KEY_REVOCATION

    note: _Note


class IdentityVouchBody(Body):
    """Another party, whose identity key is lost, has a new one.

    Attributes
    ----------
    note
        A vouch, signed by the identity key of the party that vouches (C2SP signed-note).
    """

    TYPE: ClassVar[EntryType] = EntryType.IDENTITY_VOUCH

    note: _Note
