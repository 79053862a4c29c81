"""A command line loads its own command alone, and is the same as in the whole program."""

from __future__ import annotations

import sys

import pytest
import typer

from keepclear.cli.app import app, run

NAMES = tuple(typer.main.get_command(app()).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_has_the_help_that_it_has_in_the_whole_program(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    alone = capsys.readouterr().out
    monkeypatch.setattr(sys.modules["keepclear.cli.app"], "_program_of", lambda _: app())
    assert run([name, "--help"]) == 0
    assert capsys.readouterr().out == alone
    assert alone.startswith(f"Usage: keepclear {name} ")


def test_what_is_no_command_is_told_and_no_command_shows_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chekc", "a.csv"]) == 2
    assert "chekc" in capsys.readouterr().err
    assert run([]) == 2
    shown = capsys.readouterr().out
    assert all(f" {name} " in shown for name in NAMES)
