"""Every scenario in every variant, played by real nodes: all that it expects is so, and what it is known for.

Those that a page of the documentation shows are played by the test of that page (`tests/docs/test_examples.py`), by the
command that stands there; here it is only looked at what the page shows. The others are played here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from keepclear.cli.app import run
from keepclear.cli.replay import serve_at
from keepclear.replay.player import Played, Player
from keepclear.replay.scenarios import read_scenario

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "examples" / "scenarios"
_SHOWN = re.compile(
    r"^\$ keepclear replay examples/scenarios/(?P<name>[a-z-]+)(?: --variant (?P<variant>[a-z-]+))?(?: \|.*)?\n"
    r"(?P<story>(?:(?!\$ |```).*\n)*)", re.MULTILINE,
)  # fmt: skip

# What each comes to, said here too: a scenario whose expectations were weakened would be found.
LABELS: dict[tuple[str, str], tuple[set[str], set[str]]] = {
    ("al-bab", "main"): ({"joint"}, {"supported"}),
    ("al-bab", "next-day"): ({"deconflicted"}, {"contradicted", "supported"}),
    ("al-bab", "one-signature"): ({"notified-only"}, {"unsupported"}),
    ("al-bab", "refusals"): (set(), set()),
    ("darbasiyah", "absent"): ({"joint-planned"}, {"unsupported"}),
    ("darbasiyah", "main"): ({"joint"}, {"supported"}),
    ("darbasiyah", "one-signature"): ({"notified-only"}, {"unsupported"}),
    ("darbasiyah", "too-deep"): (set(), set()),
    ("darbasiyah", "west"): (set(), set()),
    ("deir-gusun", "coarse"): ({"undetermined"}, {"unsupported"}),
    ("deir-gusun", "main"): ({"deconflicted"}, {"contradicted", "supported"}),
    ("deir-gusun", "meeting"): ({"coordinated"}, {"contradicted", "supported"}),
    ("deir-gusun", "one-plan"): ({"joint"}, {"contradicted", "supported"}),
    ("deir-gusun", "unfiled"): ({"coincidental"}, {"unsupported"}),
    ("flight-safety", "deir-ez-zor"): (set(), set()),
    ("flight-safety", "main"): (set(), set()),
    ("raqqa", "concur"): ({"coordinated"}, {"unsupported", "supported"}),
    ("raqqa", "main"): ({"deconflicted"}, {"unsupported"}),
}

TINY = """
scenario: tiny
title: Two parties
about: Nothing.
invented: All of it.
parties: {ONE: One, TWO: Two}
line: {id: tiny, name: Tiny}
begins: 2030-01-01T00:00:00Z
variants: {main: {title: the only one}}
steps:
  - {who: ONE, say: {text: Good morning}, as: said}
  - {who: TWO, entry: {entry: $said}, expect: {body: {text: Good evening}}}
"""


# What the pages show, by scenario and variant.
SHOWN = {
    (found["name"], found["variant"] or "main"): found["story"]
    for page in (ROOT / "docs" / "scenarios").glob("*.md")
    for found in _SHOWN.finditer(page.read_text(encoding="utf-8"))
}


def _results(played: Played, verb: str) -> list[Any]:
    return [one.result for one in played.steps if one.verb == verb]


def test_every_variant_is_known_here() -> None:
    found = {
        (one.parent.name, variant)
        for one in SCENARIOS.glob("*/scenario.yaml")
        for variant in read_scenario(one.parent).variants
    }
    assert found == set(LABELS)


@pytest.mark.parametrize(("name", "variant"), sorted(SHOWN))
def test_a_page_shows_what_its_scenario_comes_to(name: str, variant: str) -> None:
    story = SHOWN[name, variant]
    assert story.splitlines()[-1] == "All ... expectations were met."
    labels, weights = LABELS[name, variant]
    assert set(re.findall(r" sees ([A-Z-]+)(?= \(by| \.\.\.)", story)) == {one.upper() for one in labels}
    assert set(re.findall(r" weighs \S+: ([A-Z]+)", story)) == {one.upper() for one in weights}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), sorted(set(LABELS) - set(SHOWN)))
def test_a_scenario_goes_as_it_says(name: str, variant: str, tmp_path: Path) -> None:
    lines: list[str] = []
    player = Player(read_scenario(SCENARIOS / name), variant, tmp_path, serve=serve_at, tell=lines.append)
    with player.stage:
        played = player.play()
    assert not played.failures, "\n".join([*map(str, played.failures), *lines])
    assert played.expectations >= 2
    labels = {item["label"] for found in _results(played, "label") for item in found}
    weights = {found["weight"] for found in _results(played, "weigh")}
    assert (labels, weights) == LABELS[name, variant]


@pytest.mark.slow
def test_what_is_not_as_expected_is_told_with_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    (tmp_path / "scenario.yaml").write_text(TINY)
    assert run(["replay", str(tmp_path), "--keep", str(tmp_path / "kept")]) == 1
    printed = capsys.readouterr().out
    assert 'line 12, entry of TWO at 2030-01-01T00:00:00Z: body.text: expected "Good evening"' in printed
    assert 'there was "Good morning"' in printed
    assert (tmp_path / "kept" / "two" / "record.db").exists()


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(SCENARIOS), "--list"]) == 0
    printed = capsys.readouterr().out
    assert all(variant in printed for _, variant in LABELS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "which scenario is not said"),
        (["nowhere"], "cannot be read"),
        ([str(SCENARIOS / "raqqa"), "--variant", "other"], "one of: main, concur"),
    ],
)
def test_what_cannot_be_played_is_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert run(["replay", *arguments]) == 2
    assert told in capsys.readouterr().err
