from __future__ import annotations

import time
from dataclasses import replace

import pytest

from keepclear.cli.report_table import answer_line, pieces
from keepclear.model.findings import (
    Answer,
    Closest,
    Conflict,
    Interval,
    Minima,
    Proposal,
    Report,
    Scope,
    Side,
)
from keepclear.model.kinds import OperationKind, ZoneKind

T0 = 1_572_599_524.0  # 2019-11-01T09:12:04Z

CONFLICT = Conflict(
    answer=Answer.CONFLICT,
    reasons=(),
    a=Side("RU", "patrol-1", OperationKind.PATROL),
    b=Side("TR", "convoy-7", None, name="Convoy \x1b[31mseven"),
    minima=Minima(500.0, None, 0.0, "ground – ground"),
    intervals=(Interval(Answer.CONFLICT, T0, T0 + 600.0),),
    closest=Closest(T0 + 60.0, T0 + 60.0, 499.9, None, (40.65194, 37.07278, None), (-40.65, -37.07, 350.0)),
    sentence="They meet.",
    proposals=(
        Proposal("a", "delay", 900.0, "s", works=True, cost=900.0, sentence="RU starts 15 min later."),
        Proposal("b", "level", 300.0, "m", works=False, cost=300.0, sentence="TR climbs.", because="a convoy cannot."),
    ),
)
POSSIBLE = replace(
    CONFLICT,
    answer=Answer.POSSIBLE,
    reasons=("no height is known",),
    b=Side("UN", "site", ZoneKind.PROTECTED_SITE, is_zone=True),
    intervals=tuple(
        Interval(Answer.POSSIBLE, T0 + 100.0 * k, None if k == 4 else T0 + 100.0 * k + 9.0) for k in range(5)
    ),
    closest=None,
    proposals=(),
)
CLEAR = Report(Answer.CLEAR, Scope(), 2, 0, 40, 0.1, (), (), pairs_compared=1)


def shown(report: Report, *, terminal: bool = False) -> str:
    return "".join(pieces(report, terminal=terminal))


def test_clear_is_no_permission() -> None:
    assert shown(CLEAR) == (
        "Looked at 2 operations, 0 zones, 40 legs; all times; everywhere; 1 pair compared.\n"
        "CLEAR: no conflict found in what is known; not a permission.\n"
    )


def test_the_worst_comes_first_and_the_answer_last() -> None:
    report = replace(CLEAR, answer=Answer.CONFLICT, conflicts=(POSSIBLE, CONFLICT))
    lines = shown(report).splitlines()
    assert [line.split()[1] for line in lines if line.lstrip()[:2] in ("1 ", "2 ")] == ["CONFLICT", "POSSIBLE"]
    assert lines[-1] == "CONFLICT: 1 pair comes too close, and 1 pair may."


def test_everything_an_officer_needs_is_there() -> None:
    text = shown(replace(CLEAR, answer=Answer.CONFLICT, conflicts=(CONFLICT,), warnings=("heights are barometric",)))
    for needed in (
        "RU patrol-1 (patrol)",
        "TR convoy-7 (kind not known)",
        "convoy-7 is: Convoy",
        "2019-11-01",
        "09:12:04–09:22:04",
        "499.9 m apart",
        "500 m apart",
        "1. They meet.",
        "RU patrol-1 at 2019-11-01T09:13:04.000Z at 37.07278° N 40.65194° E;",
        "at 37.07000° S 40.65000° W, 350 m above WGS84.",
        "Rule: ground – ground.",
        "Would part them: RU starts 15 min later.",
        "Tried, no help: TR climbs – a convoy cannot.",
        "Note: heights are barometric",
    ):
        assert needed in text


def test_what_is_left_out_is_counted() -> None:
    text = shown(replace(CLEAR, answer=Answer.POSSIBLE, conflicts=(POSSIBLE,)))
    assert "and 2 more (--format json has all)" in text
    assert "Because: no height is known." in text


def test_names_cannot_paint_the_screen() -> None:
    report = replace(CLEAR, answer=Answer.CONFLICT, conflicts=(CONFLICT,))
    assert "\x1b[31m" not in shown(report, terminal=True)
    assert "Convoy \\x1b[31mseven" in shown(report)


def test_nothing_is_folded_or_coloured_in_a_pipe() -> None:
    long = replace(CONFLICT, sentence="word " * 200)
    text = shown(replace(CLEAR, answer=Answer.CONFLICT, conflicts=(long,)))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) >= 1000
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_a_terminal_gets_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = shown(replace(CLEAR, answer=Answer.CONFLICT, conflicts=(CONFLICT,)), terminal=True)
    assert max(map(len, text.splitlines())) <= 80
    assert "499.9 m" in text


@pytest.mark.parametrize("columns", [50, 60, 79])
def test_no_clock_time_is_folded_in_its_middle(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    table = shown(replace(CLEAR, answer=Answer.CONFLICT, conflicts=(CONFLICT,)), terminal=True).split("\n1. ")[0]
    assert "09:12:04–" in table
    assert "09:22:04" in table


def test_a_table_that_no_line_holds_is_left_out_and_the_sentences_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = shown(replace(CLEAR, answer=Answer.CONFLICT, conflicts=(CONFLICT,)), terminal=True)
    assert text.startswith("\n1. They meet.")
    assert text.endswith("CONFLICT: 1 pair comes too close.\n")


def test_thousands_of_pairs_take_no_noticeable_time() -> None:
    many = replace(CLEAR, answer=Answer.CONFLICT, conflicts=(CONFLICT,) * 10_000)
    start = time.thread_time()
    text = shown(many, terminal=True)
    assert time.thread_time() - start < 5.0
    assert text.count("They meet.") == 10_000


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            replace(CLEAR, answer=Answer.POSSIBLE, reasons=("nothing could be compared",)),
            "POSSIBLE: nothing could be compared.",
        ),
        (
            replace(CLEAR, answer=Answer.POSSIBLE, conflicts=(POSSIBLE, POSSIBLE)),
            "POSSIBLE: 2 pairs may come too close.",
        ),
        (replace(CLEAR, answer=Answer.CONFLICT, conflicts=(CONFLICT, CONFLICT)), "CONFLICT: 2 pairs come too close."),
    ],
)
def test_the_answer_in_one_line(report: Report, line: str) -> None:
    assert answer_line(report) == line


def test_the_scope_is_repeated() -> None:
    scope = Scope(T0, None, (40.0, 36.5, 42.0, 37.5))
    assert "from 2019-11-01T09:12:04.000Z to the end; in the area 40,36.5,42,37.5;" in shown(
        replace(CLEAR, scope=scope)
    )


def test_an_answer_about_less_than_everything_says_so_even_in_one_line() -> None:
    scope = Scope(None, T0, (40.0, 36.5, 42.0, 37.5))
    assert answer_line(replace(CLEAR, scope=scope)) == (
        "CLEAR: no conflict found in what is known; not a permission. Looked only at: "
        "from the beginning to 2019-11-01T09:12:04.000Z; in the area 40,36.5,42,37.5."
    )
