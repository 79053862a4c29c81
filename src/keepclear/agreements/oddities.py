"""What looks odd in the document of an agreement, and can be signed all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from keepclear.agreements.documents import Document, Text

__all__ = ["oddities_of"]

_BOM = "\ufeff"
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
# Characters that turn the order of what follows: what a reader sees may be another order than what was signed.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def oddities_of(document: Document) -> tuple[str, ...]:
    """Sentences for whoever checks it before it is proposed or signed."""
    return tuple(_oddities(document))


def _oddities(document: Document) -> Iterator[str]:
    for one in document.texts:
        yield from _of_text(one)
        lacking = [term.clause for term in document.terms if term.clause not in one.clauses]
        if lacking:
            yield f"The text in {one.language} has no clause {', '.join(dict.fromkeys(lacking))}, which terms name."
    if len(document.authentic) > 1:
        languages = ", ".join(one.language for one in document.authentic)
        yield f"Several texts are authentic ({languages}): a signature pins them all, and none prevails over another."
    if not document.terms:
        yield "There are no terms: nothing in it can be checked by a program."


def _of_text(text: Text) -> Iterator[str]:
    name = f"The text in {text.language}"
    if text.markdown.startswith(_BOM):
        yield f"{name} begins with a byte order mark, which is part of what is signed."
    ends = {found.group() for found in _LINE_ENDS.finditer(text.markdown)}
    if len(ends) > 1:
        yield f"{name} has line ends of several kinds; who makes them one changes the hash."
    elif ends and ends != {"\n"}:
        yield f"{name} has line ends with CR, which are part of what is signed; who changes them changes the hash."
    if not text.markdown.endswith(("\n", "\r")):
        yield f"{name} does not end with a line end; who adds one changes the hash."
    turned = _TURNS.search(text.markdown)
    if turned is not None:
        line = len(_LINE_ENDS.findall(text.markdown, 0, turned.start())) + 1
        yield f"{name} turns the direction of writing in line {line}, by a character that is not seen."
