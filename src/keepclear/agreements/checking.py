"""An agreement looked at before it is proposed or signed: its terms read, and what does not fit together told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keepclear.agreements.documents import Document
from keepclear.agreements.oddities import oddities_of

if TYPE_CHECKING:
    from keepclear.agreements.contradictions import Contradiction
    from keepclear.agreements.terms.base import Term

__all__ = ["Checked", "check_document"]


@dataclass(frozen=True)
class Checked:
    """A document whose terms can be read.

    Attributes
    ----------
    document
        The document.
    terms
        Its terms, in its order; those of a type that is not known are among them, as what they are.
    oddities
        What looks odd, a sentence each.
    contradictions
        Terms that cannot all be kept.
    """

    document: Document
    terms: Sequence[Term]
    oddities: tuple[str, ...]
    contradictions: Sequence[Contradiction]


def check_document(document: Document, *, file: str = "") -> Checked:
    """Read the terms of a document, and compare them with each other.

    Raises
    ------
    InputError
        If a term of a known type cannot be read; all faults of all terms.
    """
    from keepclear.agreements.contradictions import contradictions
    from keepclear.agreements.terms.registry import UnknownTerm, read_terms

    listed = [one.members for one in document.terms]
    terms = read_terms(listed, document.annexes, parties=document.parties, file=file)
    unknown = [
        f"Term {one.id} is of a type that this version does not know ({one.written_type}): it is never checked."
        for one in terms
        if isinstance(one, UnknownTerm)
    ]
    return Checked(document, terms, (*oddities_of(document), *unknown), contradictions(terms))
