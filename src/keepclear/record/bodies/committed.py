"""Bodies of commitments and of their openings."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.record.bodies.base import Body, Faults, HashText, Value
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import canonical
from keepclear.record.entry_types import EntryType

__all__ = ["CommitmentBody", "Content", "OpeningBody"]

_Type = Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,62}$")]
_Version = Annotated[int, Field(ge=1, le=65_535)]
_MOST_BYTES = Body.MOST_BYTES + 2**14
"""Whatever can be said can be committed to, and shown."""
_ABOUT_ITSELF = frozenset({EntryType.COMMITMENT, EntryType.OPENING})


class Content(Value):
    """What is committed to: a body, with its type and version. One of a type that is not known is kept as it is."""

    type: _Type
    v: _Version
    body: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the commitment's hash is of."""
        return canonical({"type": self.type, "v": self.v, "body": self.body})

    def check(self) -> None:
        """Check that the body is one, where its type is known.

        Raises
        ------
        InputError
            If it is not, or is itself a commitment or an opening.
        """
        from keepclear.record.bodies.registry import BODIES  # which has this module in its list

        if self.type in _ABOUT_ITSELF:
            raise InputError(Fault("a commitment to a commitment", "what it is about", field="type", value=self.type))
        known = BODIES.get((self.type, self.v))
        if known is not None:
            faults = Faults()
            faults.attempt("body", partial(known.of_members, self.body))
            faults.raise_any()


class CommitmentBody(Body):
    """A body that nobody is shown now. Only its author holds it; opened, it proves what was planned at the time.

    Attributes
    ----------
    type, v
        What the body is.
    body
        Its members.
    """

    TYPE: ClassVar[EntryType] = EntryType.COMMITMENT
    MOST_BYTES: ClassVar[int] = _MOST_BYTES

    type: _Type
    v: _Version
    body: dict[str, Any]

    def check(self) -> None:
        """Check the content."""
        Content(type=self.type, v=self.v, body=self.body).check()


class OpeningBody(Body):
    """What an earlier commitment of the same log held.

    Attributes
    ----------
    entry
        The commitment.
    salt
        That of its hash.
    content
        What it held.
    """

    TYPE: ClassVar[EntryType] = EntryType.OPENING
    MOST_BYTES: ClassVar[int] = _MOST_BYTES + 2**12

    entry: EntryRefValue
    salt: HashText
    content: Content

    def check(self) -> None:
        """Check the content."""
        faults = Faults()
        faults.attempt("content", self.content.check)
        faults.raise_any()
