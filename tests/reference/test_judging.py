"""The judge finds every sort of fault planted in a true report; one that let a fault pass would prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from keepclear.model.findings import Answer, Conflict, Report
from keepclear.model.operations import Operation
from keepclear.separation.checking import check
from tests.reference.judging import Rule, judge
from tests.reference.worlds import PLACES, SCALES, airborne, encounter

SCALE = SCALES[3]
RULE = Rule(SCALE.horizontal_m, SCALE.vertical_m)


@pytest.fixture(scope="module")
def world() -> tuple[list[Operation], list[Operation], Report]:
    rng = np.random.default_rng(3)
    met = [encounter(rng, PLACES[1], SCALE, (-0.5, -0.1, 0.1, 2.0)) for _ in range(12)]
    ours = [airborne("A", f"a{k}", a) for k, (a, _) in enumerate(met)]
    theirs = [airborne("B", f"b{k}", b) for k, (_, b) in enumerate(met)]
    return ours, theirs, check([*ours, *theirs], minima=RULE.table)


def _first(change: Callable[[Conflict], Conflict]) -> Callable[[Report], Report]:
    return lambda report: replace(report, conflicts=(change(report.conflicts[0]), *report.conflicts[1:]))


def _closest(**changes: Callable[[object], object]) -> Callable[[Report], Report]:
    def change(conflict: Conflict) -> Conflict:
        new = {name: how(getattr(conflict.closest, name)) for name, how in changes.items()}
        return replace(conflict, closest=replace(conflict.closest, **new))

    return _first(change)


def _interval(**changes: float) -> Callable[[Report], Report]:
    def change(conflict: Conflict) -> Conflict:
        first, *rest = conflict.intervals
        moved = replace(first, **{name: getattr(first, name) + by for name, by in changes.items()})
        return replace(conflict, intervals=(moved, *rest))

    return _first(change)


FAULTS: dict[str, Callable[[Report], Report]] = {
    "a conflict left out": lambda report: replace(report, conflicts=report.conflicts[1:]),
    "only possible": _first(lambda conflict: replace(conflict, answer=Answer.POSSIBLE)),
    "a conflict made up": _first(lambda conflict: replace(conflict, b=replace(conflict.b, id="b999"))),
    "no closest moment": _first(lambda conflict: replace(conflict, closest=None)),
    "closest too far": _closest(horizontal_m=lambda d: d + 5.0),
    "closest too near": _closest(horizontal_m=lambda d: d - 5.0),
    "closest not both broken": _closest(vertical_m=lambda _: SCALE.vertical_m + 1.0),
    "closest elsewhere": _closest(a=lambda p: (p[0] + 0.01, *p[1:])),
    "closest at another time": _closest(time_a_s=lambda t: t + 1.0),
    "interval too long": _interval(end_s=2.0),
    "interval too short": _interval(end_s=-2.0),
    "interval too early": _interval(start_s=-2.0),
    "no intervals": _first(lambda conflict: replace(conflict, intervals=())),
}


def test_a_true_report_has_no_faults(world) -> None:
    ours, theirs, report = world
    tally = judge(ours, theirs, RULE, report=report)
    assert tally.faults == []
    assert min(tally.conflict, tally.clear) > 3


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(world, fault) -> None:
    ours, theirs, report = world
    assert judge(ours, theirs, RULE, report=FAULTS[fault](report)).faults
