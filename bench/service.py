"""What a node will ask of the library while a duty officer waits: one operation among a million legs, one proposal."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import numpy as np

from bench import ours
from bench.commands import Figure
from bench.peers.outcome import NotRun
from bench.positions import HORIZONTAL_M, VERTICAL_M, Positions, read_positions
from bench.replicas import replica_file

__all__ = ["service_figures"]

INDEXED_LEGS = 1_000_000
LEGS_OF_ONE = 100
OPERATIONS = 10_000
SEED = 11


def service_figures(repeats: int) -> list[Figure]:
    """Query, insert and remove on the index; proposals for one conflict."""
    figures: list[Figure] = []
    names = (
        f"one operation of {LEGS_OF_ONE} legs against {INDEXED_LEGS:,} indexed legs",
        "inserting it into the index",
        "removing it from the index",
    )
    figures += _measured([(name, 0.002) for name in names], lambda: _index_times(max(20, repeats)))
    name = f"proposals for one conflict among {OPERATIONS:,} operations"
    return figures + _measured([(name, 1.0)], lambda: [_proposal_time()])


def _index_times(repeats: int) -> list[float]:
    everyone = read_positions(replica_file(INDEXED_LEGS, growing=False))
    operations = ours.operations_of(everyone)
    index = ours.IndexInUse(operations, HORIZONTAL_M, VERTICAL_M)
    random = np.random.default_rng(SEED)
    times = []
    for number in range(repeats + 1):
        shift_s = float(random.uniform(-600.0, 600.0))
        one = ours.operations_of(_one(everyone, number, shift_s))[0]
        times.append(index.times_s(one))
    return [statistics.median(column) for column in zip(*times[1:], strict=True)]  # the first one compiles


def _one(everyone: Positions, number: int, shift_s: float) -> Positions:
    """The longest-tracked flights, one after another, at another time and of exactly `LEGS_OF_ONE` legs."""
    counts = np.bincount(everyone.operation)
    chosen = np.argsort(-counts, kind="stable")[number]
    only = everyone.only(everyone.operation == chosen)
    resampled = np.linspace(only.time_s[0], only.time_s[-1], LEGS_OF_ONE + 1)
    lat_deg, lon_deg, height_m = (
        np.interp(resampled, only.time_s, column) for column in (only.lat_deg, only.lon_deg, only.height_m)
    )
    operation = np.zeros(len(resampled), np.int64)
    return Positions(operation, resampled + shift_s, lat_deg, lon_deg, height_m, (f"new-{number}",), ("new",))


def _proposal_time() -> float:
    everyone = read_positions(replica_file(INDEXED_LEGS, growing=False))
    some = everyone.only(everyone.operation < OPERATIONS)
    return statistics.median(ours.proposal_times_s(ours.operations_of(some), HORIZONTAL_M, VERTICAL_M))


def _measured(names: list[tuple[str, float]], measure: Callable[[], list[float]]) -> list[Figure]:
    print(f"  {names[0][0]}", file=sys.stderr, flush=True)
    try:
        values: list[float | str] = [*measure()]
    except NotRun as error:
        values = [f"not run: {error}"] * len(names)
    return [(name, value, limit, "s") for (name, limit), value in zip(names, values, strict=True)]
