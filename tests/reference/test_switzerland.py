"""Real traffic: the same pairs as a brute-force sweep over all pairs of legs that shares no code with keepclear."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest

from bench import ours
from bench.brute_force import Sweep, pair_names, sweep
from bench.positions import HORIZONTAL_M, VERTICAL_M, Positions, read_positions, swiss_day
from keepclear.model.findings import Answer

SLICE = Path(__file__).parents[2] / "examples" / "switzerland" / "busiest-hour.parquet"

# Pairs in conflict, and pairs exactly at the vertical minimum. The whole day comes with the `bench` extra.
COUNTED = {"hour": (16, 36), "day": (163, 281)}
SETS = ["hour", "day"] if importlib.util.find_spec("traffic") else ["hour"]


@cache
def _positions(name: str) -> Positions:
    return read_positions(SLICE) if name == "hour" else swiss_day()


@cache
def _swept(name: str) -> Sweep:
    return sweep(_positions(name))


@pytest.mark.parametrize("name", SETS)
def test_the_sweep_finds_what_was_counted_before(name: str) -> None:
    assert (len(_swept(name).pairs), len(_swept(name).touching)) == COUNTED[name]


@pytest.mark.parametrize("name", SETS)
def test_no_verdict_hangs_on_the_error_of_the_geometry(name: str) -> None:
    # A chord of 9,260 m is less than 1 mm shorter than its arc; the closest call is half a metre away.
    assert _swept(name).closest_call_m > 0.5


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", SETS)
def test_the_join_finds_the_same_pairs(name: str, jobs: int) -> None:
    assert ours.find(_positions(name), HORIZONTAL_M, VERTICAL_M, jobs=jobs).pairs == _swept(name).pairs


@pytest.mark.parametrize("name", SETS)
def test_levels_that_touch_are_found_once_the_minimum_is_wider_than_the_margin(name: str) -> None:
    # So the tests above can tell: 2 mm more, and every pair at the vertical minimum is in conflict.
    found = ours.find(_positions(name), HORIZONTAL_M, VERTICAL_M + 0.002).pairs
    assert _swept(name).touching <= found


def test_a_check_of_the_file_finds_the_same_pairs() -> None:
    positions = _positions("hour")
    expected = pair_names(positions, sweep(positions, parties=True).pairs)
    report = ours.check_file(SLICE, HORIZONTAL_M, VERTICAL_M)
    found = {frozenset((pair.a.id, pair.b.id)) for pair in report.conflicts if pair.answer is Answer.CONFLICT}
    assert found == expected
    assert report.legs == len(positions.legs())
