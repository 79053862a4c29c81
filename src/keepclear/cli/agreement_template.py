"""What a new agreement begins with: files that can be checked as they are, and say where to write what."""

from __future__ import annotations

import json
from collections.abc import Sequence

__all__ = ["template"]

_MAIN = """\
# An agreement. What parties sign is the text of the files below, these terms and the annexes: keepclear makes one
# document of them, with one hash. Change anything, and it is another one.
agreement: {agreement}
title: {title}
version: 1
parties: {parties}

# One text is authentic, or several; the others are translations.
texts:
{texts}

# Files that belong to it: maps, lists. A border is a line in a map of yours, never one from elsewhere.
annexes:
#  - border.geojson

# What a program can check. Each term belongs to a clause: `clause` is its anchor in the text. Every type of term is
# described in docs/spec/terms. Distances and times have their unit and their zone: "10 km", 2026-01-31T09:00:00Z.
terms:
#  - id: depth
#    type: DEPTH_BAND
#    clause: c2
#    line: border.geojson#border    # the feature of that id in the map
#    side: south
#    max: 10 km
"""

_TEXT = """\
# {title}

## 1. Purpose {{#c1}}
The parties to this agreement keep out of each other's way. It allows nobody anything.

## 2. First clause {{#c2}}
Write here what is agreed.

## 3. Questions {{#c3}}
A question about this agreement is asked on the line, and answered there.
"""


def template(agreement: str, title: str, parties: Sequence[str], languages: Sequence[str]) -> dict[str, bytes]:
    """The files of a new agreement by name; the first language is the authentic one."""
    rows = [
        f"  - {{language: {_quoted(language)}, authentic: {_yes(number == 0)}, file: {_quoted(_file(language))}}}"
        for number, language in enumerate(languages)
    ]
    main = _MAIN.format(
        agreement=_quoted(agreement),
        title=_quoted(title),
        parties=json.dumps(list(parties), ensure_ascii=False),
        texts="\n".join(rows),
    )
    texts = {_file(language): _TEXT.format(title=" ".join(title.split())).encode() for language in languages}
    return {"agreement.yaml": main.encode(), **texts}


def _file(language: str) -> str:
    # What is no language is told by the reader, and must be no path before that.
    return f"text.{''.join(one for one in language if one.isalnum() or one == '-')}.md"


def _quoted(text: str) -> str:
    """As JSON, which is YAML too, where it could be read as something else than text."""
    is_plain = text.isascii() and text.replace("-", "").isalpha() and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def _yes(value: bool) -> str:
    return "true" if value else "false"
