"""The reference is what the code says, and it leaves nothing out."""

from __future__ import annotations

from typing import Any

import pytest
import typer

import keepclear
from keepclear.cli.app import app
from keepclear.node.settings import rows
from tools import make_reference

PAGES = make_reference.pages()
COMMANDS: dict[str, Any] = dict(make_reference.commands(typer.main.get_command(app())))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_reference_is_up_to_date(name: str) -> None:
    assert (make_reference.FOLDER / name).read_text(encoding="utf-8") == PAGES[name], "run make docs"


def test_there_is_no_other_page() -> None:
    assert {path.name for path in make_reference.FOLDER.iterdir()} == set(PAGES)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_explained(name: str) -> None:
    page = PAGES["command-line.md"]
    assert f"## keepclear {name}\n" in page
    for parameter in COMMANDS[name].params:
        assert parameter.help
        if parameter.param_type_name == "option":
            assert all(option in page for option in parameter.opts)


def test_the_contract_of_the_command_line_is_kept() -> None:
    options = {option for parameter in COMMANDS["check"].params for option in parameter.opts}
    assert options >= {
        "--minima", "--between", "--propose", "--from", "--to", "--area", "--format", "--output", "--jobs", "--quiet",
        "--scheduler",
    }  # fmt: skip
    assert {name.split()[0] for name in COMMANDS} == {
        "agreement", "alarm", "amend", "answer", "audit", "backup", "cancel", "check", "claim", "conflict", "convert",
        "demo", "draft", "encounter", "encounters", "export", "file", "formats", "inbox", "incident", "init", "joint",
        "key", "line", "log", "measure", "minima", "positions", "proof", "rebuild", "replay", "restore", "say",
        "series", "serve", "stop", "user", "verify",
    }  # fmt: skip


@pytest.mark.parametrize("name", keepclear.__all__)
def test_every_public_name_is_explained(name: str) -> None:
    text = getattr(keepclear, name).__doc__ or ""
    assert text.strip()
    assert not text.startswith(f"{name}(")  # what dataclass makes where nobody wrote a word
    assert f"## keepclear.{name}\n" in PAGES["api.md"]


@pytest.mark.parametrize(("name", "sentence"), [(name, sentence) for name, _, _, sentence in rows()])
def test_every_setting_is_explained(name: str, sentence: str) -> None:
    assert len(sentence.split()) >= 3
    assert f"| `{name}` |" in PAGES["settings.md"]
