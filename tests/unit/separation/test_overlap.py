"""Bounding spheres swept along one axis, against all pairs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.separation.legs import Legs
from keepclear.separation.minima import MinimaTable
from keepclear.separation.overlap import RUN, legs_near, overlapping, runs_of_legs
from keepclear.separation.world import compile_world
from tests.reference.made import operation, track


def made_legs(rng: np.random.Generator) -> Legs:
    operations: list[Operation] = []
    for party, n in (("A", 2), ("B", 3 * RUN + 5), ("C", 1)):
        points = [(10.0 * k, *rng.uniform(-5000.0, 5000.0, 2), 100.0) for k in range(n)]
        more = {"early_s": 5.0, "late_s": 7.0, "uncertainty_m": 30.0} if party == "B" else {}
        operations.append(operation(party, track(*points, **more), kind=OperationKind.FLIGHT))
    return compile_world(operations, (), minima=MinimaTable.single(500, 100), compare_own=False).legs


def runs_of(legs: Legs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return runs_of_legs(
        legs.points, legs.piece_of, legs.operation, legs.early_s, legs.late_s, legs.uncertainty_m
    )  # fmt: skip


def test_runs_hold_every_leg_once_and_all_of_it() -> None:
    legs = made_legs(np.random.default_rng(50))
    runs, spheres, times = runs_of(legs)
    held = [i for begin, end, _ in runs.tolist() for i in range(begin, end)]
    assert held == np.flatnonzero(legs.piece_of >= 0).tolist()
    for (begin, end, op), sphere, (first, last) in zip(runs.tolist(), spheres, times.tolist(), strict=True):
        assert end - begin <= RUN
        for i in range(begin, end):
            piece = legs.piece_of[i]
            assert legs.operation[piece] == op
            for point in legs.points[i : i + 2]:
                assert np.linalg.norm(point[:3] - sphere[:3]) + legs.uncertainty_m[piece] <= sphere[3] + 1e-6
            assert first <= legs.points[i, 3] - legs.early_s[piece]
            assert legs.points[i + 1, 3] + legs.late_s[piece] <= last


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_overlapping_pairs_are_those_of_all_pairs(share: float) -> None:
    rng = np.random.default_rng(51)
    n = 70
    spheres = np.column_stack((rng.uniform(-100.0, 100.0, (n, 3)), rng.uniform(0.0, 50.0, n)))
    begin = rng.uniform(0.0, 100.0, n)
    times = np.column_stack((begin, begin + rng.uniform(0.0, 40.0, n)))
    sweeping = rng.random(n) < share
    order = np.argsort(spheres[:, 0] - spheres[:, 3], kind="stable")
    found = [tuple(pair) for pair in overlapping(spheres, times, sweeping, order).tolist()]
    expected = {
        (a, b)
        for a, b in itertools.combinations(range(n), 2)
        if (sweeping[a] or sweeping[b])
        and times[a, 0] <= times[b, 1]
        and times[b, 0] <= times[a, 1]
        and np.linalg.norm(spheres[a, :3] - spheres[b, :3]) <= spheres[a, 3] + spheres[b, 3]
    }
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert bool(expected) == (share > 0.0)


def test_more_pairs_than_there_is_room_for_at_first() -> None:
    n = 60
    spheres, times = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)), np.tile([0.0, 1.0], (n, 1))
    assert len(overlapping(spheres, times, np.ones(n, bool), np.arange(n))) == n * (n - 1) // 2


def test_legs_near_a_thing_are_all_that_could_touch_it() -> None:
    rng = np.random.default_rng(52)
    legs = made_legs(rng)
    runs, _, _ = runs_of(legs)
    spheres = np.column_stack((legs.points[rng.integers(len(legs.points), size=4), :3], [10.0, 400.0, 2000.0, 5e4]))
    middle = float(legs.points[:, 3].mean())
    times = np.array([[middle - 100.0, middle + 100.0]] * 4)
    pairs = np.array(list(itertools.product(range(len(runs)), range(4))))
    found = [
        tuple(pair)
        for pair in legs_near(
            pairs, legs.points, legs.piece_of, runs, legs.early_s, legs.late_s, legs.uncertainty_m, spheres, times
        ).tolist()
    ]
    assert len(found) == len(set(found))
    fractions = np.linspace(0.0, 1.0, 21)[:, None]
    for i in np.flatnonzero(legs.piece_of >= 0).tolist():
        piece = legs.piece_of[i]
        first, last = legs.points[i, 3] - legs.early_s[piece], legs.points[i + 1, 3] + legs.late_s[piece]
        places = legs.points[i, :3] + fractions * (legs.points[i + 1, :3] - legs.points[i, :3])
        for k in range(4):
            together = first <= times[k, 1] and times[k, 0] <= last
            gap = np.linalg.norm(places - spheres[k, :3], axis=1).min() - spheres[k, 3] - legs.uncertainty_m[piece]
            if together and gap <= 0.0:
                assert (i, k) in found
            if not together:
                assert (i, k) not in found
    assert 0 < len(found) < 4 * np.count_nonzero(legs.piece_of >= 0)
