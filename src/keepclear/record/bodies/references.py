"""References to entries, as bodies have them."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import Field

from keepclear.record.bodies.base import HashText, Origin, Value
from keepclear.record.canonical import MOST_INTEGER
from keepclear.record.entries import EntryRef

__all__ = ["EntryRefValue"]


class EntryRefValue(Value):
    """Names one entry: the log, the place in it, and the RFC 6962 hash of its leaf."""

    origin: Origin
    index: Annotated[int, Field(ge=0, le=MOST_INTEGER)]
    leaf: HashText

    @classmethod
    def of(cls, ref: EntryRef) -> EntryRefValue:
        """The value of a reference."""
        return cls(origin=ref.origin, index=ref.index, leaf=base64.b64encode(ref.leaf_hash).decode("ascii"))

    def ref(self) -> EntryRef:
        """The reference."""
        return EntryRef(self.origin, self.index, base64.b64decode(self.leaf))
