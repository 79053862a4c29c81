"""The examples of a page: fenced blocks, in order, and how each kind is run.

``console``  every line that starts with ``$ `` is run by bash; what stands below it must be what it prints (standard
             output and error together), where ``...`` stands for anything
``py``       is shown; a test of its own runs it
``python``   is run, all blocks of a page in one namespace; with ``>>>`` the output is compared as by doctest
other        with a second word (``csv plan.csv``) it is the content of that file, written for the blocks below
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["INSTALLED", "Block", "blocks", "matches", "run_console", "run_python"]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLED = Path(sys.executable).parent
_MARK = "\x01end of output\x01"


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    file: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in _FENCE.finditer(page):
        language, _, file = match[1].strip().partition(" ")
        yield Block(language, file.strip(), match[2], page.count("\n", 0, match.start()) + 1)


def run_console(block: Block, folder: Path, programs: Path = INSTALLED) -> list[str]:
    """What is wrong with the outputs shown, one text for each command that prints something else.

    Parameters
    ----------
    block, folder
        What is run, and where.
    programs
        A folder for the front of ``PATH``, in which ``keepclear`` is.
    """
    asked = _commands(block.text)
    script = "".join(f"{{ {command}\n}} 2>&1; s=$?; printf '%s' '{_MARK}'; (exit $s)\n" for command, _ in asked)
    path = os.pathsep.join([str(programs), str(INSTALLED), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "120", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=240,
    )
    printed = done.stdout.decode("utf-8").split(_MARK)[:-1]
    if len(printed) != len(asked):
        return [f"line {block.line}: the shell stopped early: {done.stderr.decode('utf-8', 'replace')}"]
    return [
        f"line {block.line}: $ {command}\nshown:\n{expected}\nprinted:\n{got}"
        for (command, expected), got in zip(asked, printed, strict=True)
        if not _fine(expected, got)
    ]


def run_python(block: Block, names: dict[str, Any]) -> list[str]:
    """What is wrong with the outputs shown in a block with ``>>>``; any other block is just run."""
    if ">>> " not in block.text:
        exec(compile(block.text, f"line {block.line}", "exec", dont_inherit=True), names)
        return []
    told: list[str] = []
    test = doctest.DocTestParser().get_doctest(block.text, names, f"line {block.line}", None, block.line)
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append, clear_globs=False)
    names.update(test.globs)
    return ["".join(told)] if told else []


def matches(expected: str, got: str) -> bool:
    """Whether `got` is `expected`, with ``...`` for anything; spaces at the ends of lines do not matter."""
    pattern = ".*".join(re.escape(part) for part in _trimmed(expected).split("..."))
    return re.fullmatch(pattern, _trimmed(got), re.DOTALL) is not None


def _fine(expected: str, got: str) -> bool:
    # An example that shows no output still must not be one that fails.
    return matches(expected, got) if expected.strip() else "fault of keepclear's own" not in got


def _commands(text: str) -> list[tuple[str, str]]:
    asked: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            asked.append(([line[2:]], []))
        elif asked and asked[-1][0][-1].endswith("\\"):
            asked[-1][0].append(line.removeprefix("> "))
        else:
            asked[-1][1].append(line)
    return [("\n".join(command), "\n".join(output)) for command, output in asked]


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
