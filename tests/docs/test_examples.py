"""Every example in the documentation runs and prints what the page says."""

from __future__ import annotations

import doctest
import json
import os
import pkgutil
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import keepclear
from tests.docs.examples import INSTALLED, Block, blocks, matches, run_console, run_python

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Run by the program as it is installed; the others by forks of it.
AS_INSTALLED = (ROOT / "README.md", ROOT / "docs" / "tutorial.md", ROOT / "docs" / "howto" / "node.md")
MODULES = [
    module.name
    for module in pkgutil.walk_packages(keepclear.__path__, "keepclear.")
    if not module.name.endswith(".migrations.env")  # they run inside Alembic alone
]
LANGUAGES = {"console", "csv", "gpx", "ini", "json", "kml", "make", "py", "python", "sh", "text", "toml", "xml", "yaml"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(autouse=True)
def nothing_runs_on(tmp_path: Path) -> Iterator[None]:
    """End the nodes that a page has started and, where it failed half way, not stopped."""
    yield
    for told in tmp_path.glob("*/run/node.json"):
        with suppress(ProcessLookupError):
            os.kill(json.loads(told.read_text())["pid"], signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_examples_print_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: Path
) -> None:
    programs = INSTALLED if page in AS_INSTALLED else forked
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    if page in AS_INSTALLED:  # or the first command after a change would say that it compiles, which no page shows
        small = sorted((tmp_path / "examples" / "two-parties").glob("*.geojson"))
        subprocess.run([INSTALLED / "keepclear", "check", *small, "--quiet"], capture_output=True, check=False)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    wrong = []
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "console":
            wrong += run_console(block, tmp_path, programs)
        elif block.language == "python":
            wrong += run_python(block, names)
        elif block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_block_says_what_it_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = list(blocks(text))
    assert text.count("```") == 2 * len(found)
    assert [block.line for block in found if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    if name != "keepclear.cli.__main__":
        assert doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


def test_an_example_that_lies_is_found(tmp_path: Path) -> None:
    assert run_console(Block("console", "", "$ echo one\ntwo\n", 1), tmp_path)
    assert run_console(Block("console", "", "$ echo one; echo two\n...two\n$ false\n$ echo $?\n0\n", 1), tmp_path)
    assert run_console(Block("console", "", "$ (exit 3)\n$ echo $?\n3\n$ exit 4\n", 1), tmp_path)
    assert run_python(Block("python", "", ">>> 1 + 1\n3\n", 1), {})
    assert not run_python(Block("python", "", ">>> 1 + 1\n2\n", 1), {})


def test_dots_stand_for_anything() -> None:
    assert matches("a ... c", "a b\nb c  ")
    assert not matches("a ... c", "a b")
    assert not matches("a.c", "abc")
