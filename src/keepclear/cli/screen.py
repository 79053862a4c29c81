"""What may be shown on a terminal, and how wide it is.

Names come from other parties' files. A name that holds an escape sequence could move the cursor and paint over an
answer, and one that holds a direction mark could turn a sentence round; so nothing unprintable reaches the screen.
"""

from __future__ import annotations

import io
import shutil
import sys
import unicodedata
from typing import TextIO

from rich.console import Console

__all__ = ["PIPED_WIDTH", "console_for", "note", "plain", "plain_json", "rendered", "terminal_columns"]

# Wide enough that no line of a table is ever folded in a file or a pipe; tables take only what they need.
PIPED_WIDTH = 10_000


def plain(text: str) -> str:
    """`text` in one line of printable characters; everything else is shown as its code."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _shown(character) for character in text)


def plain_json(text: str) -> str:
    """JSON `text` in which what is not printable is escaped; JSON itself leaves most of it as it is."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in text)


def console_for(stream: TextIO, *, terminal: bool | None = None) -> Console:
    """A Rich console on `stream`: as wide as the terminal is, unbounded elsewhere, and never coloured."""
    terminal = stream.isatty() if terminal is None else terminal
    return Console(
        file=stream,
        width=terminal_columns() if terminal else PIPED_WIDTH,
        force_terminal=terminal,
        no_color=True,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def terminal_columns() -> int:
    """How many characters a line of the terminal holds."""
    return shutil.get_terminal_size().columns


def rendered(*things: object, terminal: bool) -> str:
    """What `things` look like on the terminal, or else in a file."""
    stream = io.StringIO()
    console = console_for(stream, terminal=terminal)
    for thing in things:
        console.print(thing)
    lines = stream.getvalue().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)  # Rich fills table cells with spaces


def note(sentence: str) -> None:
    """Tell the person at the terminal something that is not part of the answer."""
    sys.stderr.write(plain(sentence) + "\n")
    sys.stderr.flush()


def _shown(character: str) -> str:
    if unicodedata.category(character) == "Zs" or character in "\t\n\r":
        return " "
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
