"""When a document is over by its own terms."""

from __future__ import annotations

from keepclear.agreements.documents import Document
from keepclear.errors import KeepclearError

__all__ = ["expires_s"]

_DURATION = "DURATION"


def expires_s(document: Document, since_s: float) -> float | None:
    """The earliest time at which a DURATION term ends it, if it is in force since then; None where none does.

    A term that cannot be read ends nothing: what its clause says, people have to read.
    """
    found = []
    for text in document.terms:
        if text.type == _DURATION:
            from keepclear.agreements.terms.registry import read_term  # only where there is one: it is heavy

            try:
                term = read_term(text.members, document.annexes)
            except KeepclearError:
                continue
            ends_s = getattr(term, "ends_s", None)
            end_s = None if ends_s is None else ends_s(since_s)
            if end_s is not None:
                found.append(float(end_s))
    return min(found, default=None)
