"""What is expected of an answer, and what is said where it is not so."""

from __future__ import annotations

from typing import Any

import pytest

from keepclear.replay.matching import misses

GOT = {
    "label": "joint", "n": 3, "flags": ["late", "unsafe"], "since": None,
    "items": [{"party": "RU", "state": "up"}, {"party": "TR", "state": "down"}],
}  # fmt: skip


@pytest.mark.parametrize(
    "wanted",
    [
        {"label": "joint"},
        {"items": [{"party": "TR"}]},
        {"items": {"count": 2}},
        {"items": {"count": {"least": 2, "most": 3}}},
        {"items": {"none": {"party": "US"}}},
        {"items": {"where": {"party": "RU"}, "then": {"state": "up"}}},
        {"n": {"near": [3.4, 0.5]}, "since": None},
        {"n": {"least": 3, "most": 3}},
        {"label": {"has": "JOIN", "lacks": "planned", "not": "coordinated"}},
        {"flags": {"has": "unsafe"}},
    ],
)
def test_it_is_so(wanted: Any) -> None:
    assert misses(wanted, GOT) == []


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"label": "coordinated"}, 'label: expected "coordinated"; there was "joint"'),
        ({"other": 1}, "there is no 'other'"),
        ({"items": [{"party": "US"}]}, "expected an item like"),
        ({"items": {"count": 1}}, "items (how many): expected 1; there was 2"),
        ({"items": {"none": {"state": "down"}}}, "expected no item like"),
        ({"items": {"where": {"party": "US"}, "then": {"state": "up"}}}, "expected an item like"),
        ({"items": {"where": {"party": "TR"}, "then": {"state": "up"}}}, 'expected "up"; there was "down"'),
        ({"n": {"least": 4}}, "expected"),
        ({"n": {"near": [5, 1]}}, "expected"),
        ({"n": "3"}, "expected"),
        ({"since": 0}, "expected"),
        ({"label": {"has": "planned"}}, "expected"),
        ({"label": {"not": "joint"}}, "expected"),
        ({"label": {"least": 3}}, "expected"),
        ({"label": ["joint"]}, "expected"),
        ({"label": {"inner": 1}}, "expected"),
    ],
)
def test_it_is_not_so(wanted: Any, told: str) -> None:
    found = misses(wanted, GOT)
    assert found
    assert told in found[0]
