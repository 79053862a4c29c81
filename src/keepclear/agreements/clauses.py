"""Clauses of a text in Markdown: where each begins and ends, what it is called, and the hash of what it says.

A clause begins at a line that carries an anchor, ``{#c5}``, or at a heading that is numbered in digits of any script:
``## 5. Depth``, ``## Article 5``, ``## Статья 5``, ``## 第5条``, ``## المادة ٥``. A heading's clause goes as far as the
next heading of the same rank or a higher one; that of any other line, as far as the next anchor or heading. So the
clause ``5`` holds ``5.1``, and each can be named.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from keepclear.errors import Fault, InputError

__all__ = ["ANCHOR_RIGHT", "MOST_MARKED_LINES", "Clause", "clauses_of", "clauses_twice", "is_anchor", "pieces_of"]

ANCHOR_RIGHT = "a letter or digit, then letters, digits, dots, hyphens or underscores: c5, 5.1"

_ANCHOR = re.compile(r"\{#([^\s{}]{1,64})\}")
_NAME = re.compile(r"\w[\w.-]{0,63}")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
# A word before the number at most: "Article 5", "§ 5", "第5条". The number may have dots, and one after it.
_NUMBER = re.compile(r"(?:[^\W\d_]+\.?[ \t\u00a0]*|§[ \t\u00a0]*)?(\d{1,4}(?:\.\d{1,4}){0,5})(?![\d.]*\d)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
MOST_MARKED_LINES = 50_000
"""The most headings, anchored lines and fences in one text: fifty on each of a thousand pages."""
_PARAGRAPH = 7
"""The rank of an anchored line that is no heading: below all headings."""
_INTERESTING = re.compile(r"\{#|(?:^\ufeff?|(?<=\r)) {0,3}(?:#|```|~~~)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a text.

    Attributes
    ----------
    anchor
        What it is called.
    text
        What stands there, as it stands: from the start of its first line to the end of the last that says something.
    line
        In which line it begins, from 1.
    """

    anchor: str
    text: str
    line: int

    @property
    def sha256(self) -> str:
        """Of the text in UTF-8, in lower-case hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def title(self) -> str:
        """Its first line without marks, for people."""
        first = self.text.splitlines()[0] if self.text else ""
        return _ANCHOR.sub("", first).strip(" \t#").strip()


@dataclass(frozen=True, slots=True)
class _Begin:
    rank: int
    names: tuple[str, ...]
    offset: int
    line: int


def is_anchor(text: object) -> bool:
    """Whether a clause can be called so."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def clauses_of(markdown: str) -> Mapping[str, Clause]:
    """The clauses of a text by what they are called, in their order.

    Of two that are called the same the first is told; `clauses_twice` says which those are.

    Raises
    ------
    InputError
        If the text has more than `MOST_MARKED_LINES`.
    """
    begins = list(_begins(markdown))
    ends = _ends(begins, len(markdown))
    found: dict[str, Clause] = {}
    for begin, end in zip(begins, ends, strict=True):
        text = markdown[begin.offset : end].rstrip()
        for name in begin.names:
            found.setdefault(name, Clause(name, text, begin.line))
    return found


def pieces_of(markdown: str) -> tuple[Clause, ...]:
    """All of a text, cut at each clause and each heading: nothing is left out, and nothing is there twice.

    What has no anchor is called by its heading in quotes; what stands before all of them, by nothing.
    """
    begins = list(_begins(markdown))
    ends = [*(begin.offset for begin in begins), len(markdown)]
    found = [Clause("", markdown[: ends[0]], 1)] if ends[0] else []
    for begin, end in zip(begins, ends[1:], strict=True):
        piece = Clause(begin.names[0] if begin.names else "", markdown[begin.offset : end], begin.line)
        found.append(piece if piece.anchor else replace(piece, anchor=f"“{piece.title[:80]}”"))
    return tuple(found)


def clauses_twice(markdown: str) -> frozenset[str]:
    """What two clauses of a text are called, or more."""
    seen: set[str] = set()
    twice: set[str] = set()
    for begin in _begins(markdown):
        twice |= seen & set(begin.names)
        seen |= set(begin.names)
    return frozenset(twice)


def _begins(markdown: str) -> Iterator[_Begin]:
    """Headings and anchored lines. What stands between fences is an example, and no clause."""
    fence = ""
    line, counted = 1, 0
    offset = 0
    looked_at = 0
    while (near := _INTERESTING.search(markdown, offset)) is not None:
        looked_at += 1
        if looked_at > MOST_MARKED_LINES:
            raise InputError(Fault(f"more than {MOST_MARKED_LINES} headings and anchors in one text", "fewer"))
        # Only lines that may be one are looked at: of a thousand pages most are not.
        before = (markdown.rfind(end, offset, near.start()) for end in "\n\r")
        start = max(offset - 1, *before) + 1  # `offset` is the start of a line
        whole = _LINE.match(markdown, start)
        assert whole is not None  # it matches anything
        line += _line_ends(markdown, counted, start)
        counted = start
        offset = whole.end()
        text = whole.group().rstrip("\r\n")
        fenced = _FENCE.match(text)
        if fenced is not None and (not fence or (fenced[1].startswith(fence) and not text[fenced.end() :].strip())):
            fence = "" if fence else fenced[1]
        elif not fence:
            begin = _begin(text, start, line)
            if begin is not None:
                yield begin


def _begin(text: str, offset: int, line: int) -> _Begin | None:
    text = text.removeprefix("\ufeff")
    names = tuple(name for name in _ANCHOR.findall(text) if is_anchor(name))
    heading = _HEADING.match(text)
    if heading is None:
        return _Begin(_PARAGRAPH, names, offset, line) if names else None
    if not names:
        numbered = _NUMBER.match((heading[2] or "").strip())
        names = () if numbered is None else (_in_ascii(numbered[1]),)
    return _Begin(len(heading[1]), names, offset, line)


def _in_ascii(number: str) -> str:
    """Digits of any script as those of ASCII: ٥ is 5."""
    return "".join(one if one == "." else str(unicodedata.decimal(one)) for one in number)


def _line_ends(text: str, start: int, stop: int) -> int:
    return text.count("\n", start, stop) + text.count("\r", start, stop) - text.count("\r\n", start, stop)


def _ends(begins: list[_Begin], length: int) -> list[int]:
    """Where each ends: where the next begins that is of the same rank or a higher one; a paragraph, at any."""
    ends = [length] * len(begins)
    open_: list[int] = []
    for number, begin in enumerate(begins):
        while open_ and begins[open_[-1]].rank >= begin.rank:
            ends[open_.pop()] = begin.offset
        open_.append(number)
    return ends
