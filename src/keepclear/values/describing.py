"""Descriptions of members, out of the docstrings in which people read them, for the API's description of itself."""

from __future__ import annotations

import inspect
import re

__all__ = ["members_of", "summary_of"]

_SECTION = "\n\nAttributes\n----------\n"


def summary_of(docstring: str) -> str:
    """What a docstring says before its sections, in one paragraph."""
    before, _, _ = inspect.cleandoc(docstring).partition(_SECTION)
    return _plain(re.split(r"\n\n(?:Raises|Parameters)\n", before)[0])


def members_of(docstring: str) -> dict[str, str]:
    """What a docstring says of each member."""
    _, _, rest = inspect.cleandoc(docstring).partition(_SECTION)
    told: dict[str, str] = {}
    names: list[str] = []
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            names = line.split(", ")
        for name in names if line.startswith(" ") else ():
            told[name] = _plain(f"{told.get(name, '')} {line}")
    return told


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")
