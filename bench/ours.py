"""keepclear, put to the questions that the benchmark asks: the only file here that knows its inner names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.peers.outcome import NotRun, Outcome, as_pairs
from bench.positions import GAP_S, Positions
from keepclear.formats.registry import read
from keepclear.geo.ellipsoid import longest_leg_m
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.findings import Report
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import GAP_LIMIT_S, OperationKind
from keepclear.model.operations import Operation
from keepclear.separation.checking import check, findings
from keepclear.separation.index import LegIndex, Rules
from keepclear.separation.legs import HEIGHT_CODES, Legs, TrackColumns, columns_of, compile_legs
from keepclear.separation.minima import MinimaTable
from keepclear.separation.search import Limits, join
from keepclear.separation.world import compile_world

__all__ = [
    "IndexInUse",
    "Prepared",
    "Stages",
    "check_file",
    "columns",
    "find",
    "operations_of",
    "proposal_times_s",
]


@dataclass(frozen=True, slots=True)
class Stages:
    """One run from arrays to conflicting pairs of legs, by stage.

    Attributes
    ----------
    compile_s
        From latitudes and longitudes to legs.
    join_s
        From legs to pairs of legs.
    hits
        Shape (hits, 2): first points of the legs that are too close.
    legs
        What was compiled.
    """

    compile_s: float
    join_s: float
    hits: npt.NDArray[np.int32]
    legs: Legs


def operations_of(positions: Positions) -> list[Operation]:
    """Operations as a reader would have made them, one flown track each."""
    firsts = _firsts(positions)
    operations = []
    for index, (name, party) in enumerate(zip(positions.names, positions.parties, strict=True)):
        part = slice(firsts[index], firsts[index + 1])
        track = Track.of_checked(
            positions.time_s[part], positions.lon_deg[part], positions.lat_deg[part], positions.height_m[part],
            HeightReference.W84, TrackBasis.FLOWN,
        )  # fmt: skip
        operations.append(Operation(party, name, OperationKind.FLIGHT, tracks=(track,)))
    return operations


def columns(positions: Positions) -> TrackColumns:
    """The positions as the compiler of legs takes them; nothing is copied."""
    many = len(positions.names)
    zero = np.zeros(many)
    return TrackColumns(
        positions.time_s, positions.lon_deg, positions.lat_deg, positions.height_m, _firsts(positions),
        np.arange(many, dtype=np.int32), np.full(many, HEIGHT_CODES[HeightReference.W84], np.int8),
        np.full(many, GAP_S), np.zeros(many, np.bool_), zero, zero, zero,
    )  # fmt: skip


class Prepared:
    """A set ready to be timed: arrays in, pairs of legs out, all operations compared with all others."""

    def __init__(self, positions: Positions, horizontal_m: float, vertical_m: float) -> None:
        self._operations, self._arrays = operations_of(positions), columns(positions)
        self._rows = np.zeros(len(self._operations), np.int32)
        self._longest_m = np.array([longest_leg_m(horizontal_m)])
        party = np.arange(len(self._operations), dtype=np.int32)
        self._limits = Limits(
            np.array([[horizontal_m]]), np.array([[vertical_m]]), np.zeros((1, 1)), party, compare_own=True
        )

    def compile(self, jobs: int = 1) -> Legs:
        """From latitudes and longitudes to legs."""
        return compile_legs(self._arrays, self._rows, self._rows, self._longest_m, jobs=jobs)

    def join(self, legs: Legs, jobs: int) -> npt.NDArray[np.int32]:
        """From legs to pairs of legs."""
        return join(legs, self._limits, jobs=jobs)

    def run(self, jobs: int) -> Stages:
        """Both, with the time each took."""
        began = time.perf_counter()
        legs = self.compile(jobs)
        compiled = time.perf_counter()
        hits = self.join(legs, jobs)
        return Stages(compiled - began, time.perf_counter() - compiled, hits, legs)


def find(positions: Positions, horizontal_m: float, vertical_m: float, *, jobs: int = 1) -> Outcome:
    """The peers' question: pairs of operations closer than both minima."""
    began = time.perf_counter()
    prepared = Prepared(positions, horizontal_m, vertical_m)
    ready = time.perf_counter()
    stages = prepared.run(jobs)
    operation = stages.legs.operation[stages.legs.piece_of[stages.hits]].astype(np.int64)
    pairs = as_pairs(operation[:, 0], operation[:, 1])
    return Outcome(pairs, time.perf_counter() - ready, ready - began)


def check_file(path: Path, horizontal_m: float, vertical_m: float) -> Report:
    """What ``keepclear check PATH --minima H,V`` answers, in this process."""
    plans = read(path)
    return check(plans.operations, plans.zones, minima=MinimaTable.single(horizontal_m, vertical_m))


class IndexInUse:
    """An index in memory of these operations, to ask about one more."""

    def __init__(self, operations: Sequence[Operation], horizontal_m: float, vertical_m: float) -> None:
        many = len(operations)
        self._longest_m = np.array([longest_leg_m(horizontal_m)])
        self._own_m = np.array([horizontal_m])
        self._new = many
        legs = self._compiled(operations)
        self._index = LegIndex(len(legs.points))
        self._index.insert(legs, np.arange(many, dtype=np.int64), self._own_m)
        self._rules = Rules(
            np.array([[horizontal_m]]), np.array([[vertical_m]]), np.zeros((1, 1)),
            np.arange(many + 1, dtype=np.int64), compare_own=True,
        )  # fmt: skip

    def times_s(self, operation: Operation) -> tuple[float, float, float]:
        """Seconds to ask what a new operation comes too close to, to insert it, and to remove it again."""
        began = time.perf_counter()
        legs = self._compiled([operation])
        self._index.near(legs, party=self._new, leaving_out=-1, rules=self._rules)
        asked = time.perf_counter()
        blocks, _ = self._index.insert(legs, np.array([self._new]), self._own_m)
        inserted = time.perf_counter()
        self._index.remove(blocks)
        return asked - began, inserted - asked, time.perf_counter() - inserted

    def _compiled(self, operations: Sequence[Operation]) -> Legs:
        rows = np.zeros(len(operations), np.int32)
        return compile_legs(columns_of(operations, GAP_LIMIT_S), rows, rows, self._longest_m)


def proposal_times_s(operations: Sequence[Operation], horizontal_m: float, vertical_m: float) -> list[float]:
    """Seconds for the proposals of one conflict, for a few conflicts, everything else being known already.

    Raises
    ------
    NotRun
        If this version of keepclear makes none.
    """
    try:
        with_proposals = import_module("keepclear.separation.proposals").with_proposals
    except ImportError as error:
        raise NotRun("this version of keepclear makes no proposals") from error
    minima = MinimaTable.single(horizontal_m, vertical_m)
    world = compile_world(operations, (), minima=minima, compare_own=True)
    conflicts = findings(world)
    times = []
    for conflict in conflicts[:: max(1, len(conflicts) // 10)]:
        began = time.perf_counter()
        with_proposals(world, (conflict,))
        times.append(time.perf_counter() - began)
    return times[1:]  # the first one compiles


def _firsts(positions: Positions) -> npt.NDArray[np.int64]:
    return np.searchsorted(positions.operation, np.arange(len(positions.names) + 1)).astype(np.int64)
