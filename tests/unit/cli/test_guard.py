"""Every failure ends in one line and in a status that is no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keepclear.cli import __main__ as program


def failing(error: BaseException) -> Callable[..., Any]:
    def run(arguments: list[str], *, debug: bool) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyboardInterrupt(), 130, "stopped before there was an answer"),
        (ZeroDivisionError("float\ndivision"), 70, "ZeroDivisionError: float division"),
        (MemoryError(), 70, "not enough memory"),
    ],
)
def test_a_failure_is_one_line(
    error: BaseException, status: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "_run", failing(error))
    assert program._guarded(["check"]) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert told in shown.err


def test_debug_shows_where_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_run", failing(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        program._guarded(["--debug", "check"])


@pytest.mark.parametrize("status", [program.INTERNAL, program.INTERRUPTED, program.PIPE_CLOSED])
def test_no_failure_looks_like_an_answer(status: int) -> None:
    assert status not in (0, 1, 2, 3)
