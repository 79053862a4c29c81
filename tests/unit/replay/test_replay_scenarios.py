"""Scenario files: what they say, and all that can be wrong with them, told at once with line, field and value."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.replay.doing import Names
from keepclear.replay.scenarios import read_scenario

HEAD = """scenario: tiny
title: Two parties
about: Nothing.
invented: All of it.
parties: {ONE: One, TWO: Two}
line: {id: tiny, name: Tiny}
begins: 2030-01-01T00:00:00Z
variants: {main: {title: the only one}, other: {title: another}}
steps:
"""


def _scenario(folder: Path, steps: str, head: str = HEAD) -> Path:
    (folder / "scenario.yaml").write_text(head + steps)
    return folder


def test_steps_are_of_variants_and_have_times(tmp_path: Path) -> None:
    steps = """
  - {at: 2030-01-02T00:00:00+03:00, who: ONE, say: {text: a}}
  - {after: 90 s, who: TWO, say: {text: b}, only: [other]}
  - {tell: the end, except: [other]}
"""
    found = read_scenario(_scenario(tmp_path, steps))
    first, last = found.of("main")
    assert (first.at_s, first.verb, first.line) == (1893531600.0, "say", 11)
    assert (last.verb, last.tell) == ("", "the end")
    assert [one.after_s for one in found.of("other")] == [None, 90.0]


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("  - {who: ONE, shout: {text: a}}", "nothing is done in it"),
        ("  - {who: ONE, say: {text: a}, answer: {entry: x, answer: seen}}", "say and answer in one step"),
        ("  - {who: THREE, say: {text: a}}", "no party of the scenario"),
        ("  - {say: {text: a}}", "it is not said who does it"),
        ("  - {who: ONE, say: {txt: a}}", "steps[0].say.txt"),
        ("  - {at: 2030-01-02T11:00, who: ONE, say: {text: a}}", "the time has no zone"),
        ("  - {after: soon, who: ONE, say: {text: a}}", "not a time to wait"),
        ("  - {at: 2029-01-01T00:00:00Z, who: ONE, say: {text: a}}", "before the step before it"),
        ("  - {who: ONE, say: {text: a}, only: [third]}", "no variant of the scenario"),
        ("  - {who: ONE, say: {text: a}, refused: {has: x}, expect: {id: x}}", "no result"),
        ("  - {at: 2030-01-02T00:00:00Z, after: 1 s, who: ONE, say: {text: a}}", "two times"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(steps: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_scenario(_scenario(tmp_path, steps + "\n"))
    sentences = [str(one) for one in caught.value.faults]
    assert any(told in one for one in sentences), sentences
    assert all("scenario.yaml" in one and "line 10" in one for one in sentences)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    steps = "  - {who: ONE, say: {txt: a}}\n  - {who: X, say: {text: a}}\n"
    head = HEAD.replace("main:", "first:").replace("00:00:00Z", "00:00")
    with pytest.raises(InputError) as caught:
        read_scenario(_scenario(tmp_path, steps, head))
    assert len(caught.value.faults) == 4


def test_results_are_named_in_later_steps() -> None:
    names = Names()
    names.keep("filed", {"id": "ONE:tiny:3", "list": [{"hash": "ab"}], "n": 3})
    assert names.put_in({"a": "$filed", "b": ["see $filed.list.0.hash now"], "c": "$filed.n"}) == {
        "a": "ONE:tiny:3", "b": ["see ab now"], "c": 3,
    }  # fmt: skip
    for wrong in ("$nothing", "$filed.list.7", "$filed.other"):
        with pytest.raises(InputError):
            names.put_in(wrong)
