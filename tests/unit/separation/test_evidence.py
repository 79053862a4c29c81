"""How stretches of time add up to one finding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from keepclear.model.findings import Answer, Closest, Interval
from keepclear.separation.evidence import Evidence, Reason, collect, one_by_one, reason_texts


def evidence(*rows: tuple[int, int, bool, float, float, float], reasons: int = 0, name: str = "x") -> Evidence:
    """Rows of (first, second, certain, start, end, distance); the place found again names its row."""
    first, second, certain, start, end, distance = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)

    def locate(row, is_certain) -> Closest:
        return Closest(float(row), float(is_certain), 0.0, None, (0.0, 0.0, None), (0.0, 0.0, None))

    return Evidence(
        first, second, certain, start.astype(float), end.astype(float), distance.astype(float), np.full(n, reasons),
        np.column_stack((np.arange(n), np.arange(n) + 10)), np.arange(n), one_by_one(locate),
        lambda _area, row, _start, _end: row % 2 == 0,
    )  # fmt: skip


def intervals(*parts: Evidence) -> list[tuple[Any, ...]]:
    (pair,) = collect(list(parts))
    return [(interval.answer is Answer.CONFLICT, interval.start_s, interval.end_s) for interval in pair.intervals]


def test_nothing_adds_up_to_nothing() -> None:
    assert list(collect([])) == []


def test_stretches_that_overlap_or_meet_are_one() -> None:
    sure = evidence((0, 1, True, 5, 8, 1), (0, 1, True, 0, 5, 1), (0, 1, True, 1, 3, 1), (0, 1, True, 9, 10, 1))
    assert intervals(sure) == [(True, 0.0, 8.0), (True, 9.0, 10.0)]
    assert intervals(evidence((0, 1, True, 0, 5, 1)), evidence((0, 1, True, 5.001, 8, 1))) == [(True, 0.0, 8.0)]


def test_what_is_possible_is_less_what_is_certain() -> None:
    sure, maybe = evidence((0, 1, True, 2, 3, 1), (0, 1, True, 5, 6, 1)), evidence((0, 1, False, 0, 9, 1))
    assert intervals(maybe, sure) == [
        (False, 0.0, 2.0), (True, 2.0, 3.0), (False, 3.0, 5.0), (True, 5.0, 6.0), (False, 6.0, 9.0),
    ]  # fmt: skip
    assert intervals(evidence((0, 1, False, 2, 3, 1)), evidence((0, 1, True, 0, 9, 1))) == [(True, 0.0, 9.0)]


def test_an_instant_is_possible_only_where_it_is_not_certain() -> None:
    instant = evidence((0, 1, False, 7, 7, 1))
    assert intervals(instant) == [(False, 7.0, 7.0)]
    assert intervals(instant, evidence((0, 1, True, 7, 7, 1))) == [(True, 7.0, 7.0)]
    assert intervals(instant, evidence((0, 1, True, 8, 9, 1))) == [(False, 7.0, 7.0), (True, 8.0, 9.0)]


def test_what_is_open_stays_open() -> None:
    (pair,) = collect([evidence((0, 1, True, -math.inf, math.inf, 1))])
    assert pair.intervals == (Interval(Answer.CONFLICT, None, None),)
    assert intervals(evidence((0, 1, False, -math.inf, math.inf, 1)), evidence((0, 1, True, 2, 3, 1))) == [
        (False, None, 2.0), (True, 2.0, 3.0), (False, 3.0, None),
    ]  # fmt: skip


def test_pairs_come_apart_and_in_order() -> None:
    parts = [evidence((1, 2, False, 0, 1, 5), (0, 3, True, 0, 1, 5)), evidence((0, 1, True, 4, 5, 5))]
    found = list(collect(parts))
    assert [(pair.first, pair.second, pair.answer) for pair in found] == [
        (0, 1, Answer.CONFLICT), (0, 3, Answer.CONFLICT), (1, 2, Answer.POSSIBLE),
    ]  # fmt: skip


def test_the_closest_is_of_the_certain_ones_and_the_earliest_of_equals() -> None:
    sure = evidence((0, 1, True, 9, 10, 3.0), (0, 1, True, 4, 5, 3.0), (0, 1, True, 0, 1, 8.0))
    maybe = evidence((0, 1, False, 0, 20, 0.0))
    (pair,) = collect([maybe, sure])
    assert (pair.closest.time_a_s, pair.closest.time_b_s) == (1.0, 1.0)
    assert pair.sorts == (1, 11)
    (pair,) = collect([maybe])
    assert (pair.closest.time_a_s, pair.closest.time_b_s) == (0.0, 0.0)


def test_reasons_are_given_together_and_only_for_what_is_possible() -> None:
    a, b = Reason.POSITION, Reason.GAP
    (pair,) = collect([evidence((0, 1, False, 0, 1, 1), reasons=a), evidence((0, 1, False, 5, 6, 1), reasons=b)])
    assert pair.reasons == reason_texts(a | b)
    assert len(pair.reasons) == 2
    (pair,) = collect([evidence((0, 1, False, 0, 1, 1), reasons=a), evidence((0, 1, True, 5, 6, 1))])
    assert pair.reasons == ()


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason])
def test_every_reason_has_a_text(reason: Reason) -> None:
    assert len(reason_texts(reason)) == 1


def test_within_an_area_are_the_rows_that_have_a_part_in_it() -> None:
    part = evidence((0, 1, True, 0, 1, 1), (0, 2, True, 0, 1, 1), (0, 3, True, 0, 1, 1)).within((0.0, 0.0, 1.0, 1.0))
    assert [pair.second for pair in collect([part])] == [1, 3]
    assert part.sorts.tolist() == [[0, 10], [2, 12]]
