"""What a search of the node found, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keepclear.cli.screen import plain

__all__ = ["STATUS_OF", "found_text", "worst"]

STATUS_OF = {"clear": 0, "conflict": 1, "possible": 3}
"""Exit status of each answer, as of ``keepclear check``."""


def found_text(found: Mapping[str, Any]) -> Iterator[str]:
    """The answer, and below it each pair that comes too close, or may."""
    yield plain(found["sentence"]) + "\n"
    for one in found["conflicts"]:
        yield f"  {one['answer'].upper()}: {plain(one['sentence'])}\n"
        for reason in one.get("reasons", ()):
            yield f"    because {plain(reason)}\n"
    for term in found.get("terms", ()):
        what = "NOT WITHIN A TERM" if term["result"] == "breached" else "MAY NOT BE WITHIN A TERM"
        yield f"  {what} of {term['agreement']}: {plain(term['sentence'])}\n"
    for told in (*found.get("reasons", ()), *found.get("notes", ()), *found.get("warnings", ())):
        if told not in found["sentence"]:  # where it is the only reason, it stands in the answer
            yield f"  {plain(told)}\n"


def worst(answers: list[str]) -> str:
    """The answer that counts where there are several."""
    return next((one for one in ("conflict", "possible") if one in answers), "clear")
