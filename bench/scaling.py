"""keepclear alone: how its cost grows, on one and two threads, beside the floor measured in the same run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench import ours
from bench.candidates import candidate_pairs
from bench.floor import sort_and_gather_s
from bench.memory import peak_bytes
from bench.peers.outcome import as_pairs
from bench.positions import HORIZONTAL_M, VERTICAL_M, read_positions
from bench.replicas import replica_file

__all__ = ["Growth", "Size", "exponent", "measure_sizes"]

_TURNS = 3  # for each run that is asked for


@dataclass(frozen=True, slots=True)
class Size:
    """One size measured. Times are the best of the repeats, in seconds."""

    name: str
    legs: int
    operations: int
    candidates: float
    leg_hits: int
    pairs: int
    compile_s: float
    join_s: float
    two_threads_s: float
    join_two_threads_s: float
    floor_s: float
    floor_two_threads_s: float
    input_bytes_per_leg: float
    working_bytes_per_leg: float
    bytes_per_pair: float

    @property
    def total_s(self) -> float:
        """Arrays to conflicts on one thread."""
        return self.compile_s + self.join_s

    def as_dict(self) -> dict[str, object]:
        """For the results file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Growth:
    """Least-squares fit of the cost at growing density: a seconds a leg and b seconds a candidate."""

    per_leg_s: float
    per_candidate_s: float

    @classmethod
    def of(cls, sizes: list[Size]) -> Growth:
        """Fit to measured sizes, each weighted by its own cost so that small ones count as much as large ones."""
        cost = np.array([size.total_s for size in sizes])
        terms = np.array([(size.legs, size.candidates) for size in sizes]) / cost[:, None]
        (a, b), *_ = np.linalg.lstsq(terms, np.ones(len(sizes)), rcond=None)
        return cls(float(a), float(b))


def exponent(sizes: list[Size]) -> float:
    """Slope of log cost over log legs, from the smallest to the largest size."""
    low, high = min(sizes, key=lambda s: s.legs), max(sizes, key=lambda s: s.legs)
    return float(np.log(high.total_s / low.total_s) / np.log(high.legs / low.legs))


def measure_sizes(sizes: list[int], *, growing: bool, repeats: int) -> list[Size]:
    """Measure replicas of these sizes, made where they are not there yet."""
    measured = [_Measured(replica_file(legs, growing=growing)) for legs in sizes]
    # By turns: a slow moment of the machine is none of one size, or of one number of threads.
    for _ in range(_TURNS * repeats):
        for one in measured:
            one.take_turn()
    return [one.size() for one in measured]


class _Measured:
    """One set, and how long it took each time."""

    def __init__(self, path: Path) -> None:
        self._name, self._positions = path.stem, read_positions(path)
        self._prepared = ours.Prepared(self._positions, HORIZONTAL_M, VERTICAL_M)
        self._legs = self._prepared.compile()
        self._hits, self._peak = peak_bytes(lambda: self._prepared.join(self._legs, 1))
        self._many = len(self._positions.legs())
        self._starts = self._positions.time_s[self._positions.legs().first]
        self._times: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        self._floors: dict[int, list[float]] = {1: [], 2: []}

    def take_turn(self) -> None:
        """Each once on one thread and on two, and the floor beside it."""
        for jobs in (1, 2):
            self._times[jobs].append(_times_s(self._prepared, jobs))
            rows = self._legs.points[: self._many]
            self._floors[jobs].append(sort_and_gather_s(self._starts, rows, threads=jobs))

    def size(self) -> Size:
        """What was measured."""
        best_one, best_two = (min(self._times[jobs], key=sum) for jobs in (1, 2))
        legs, hits = self._legs, self._hits
        operation = legs.operation[legs.piece_of[hits]].astype(np.int64)
        pairs = len(as_pairs(operation[:, 0], operation[:, 1]))
        return Size(
            name=self._name,
            legs=self._many,
            operations=len(self._positions.names),
            candidates=candidate_pairs(self._positions, HORIZONTAL_M),
            leg_hits=len(hits),
            pairs=pairs,
            compile_s=best_one[0],
            join_s=best_one[1],
            two_threads_s=sum(best_two),
            join_two_threads_s=min(join_s for _, join_s in self._times[2]),
            floor_s=min(self._floors[1]),
            floor_two_threads_s=min(self._floors[2]),
            input_bytes_per_leg=(legs.points.nbytes + legs.piece_of.nbytes) / self._many,
            working_bytes_per_leg=max(0, self._peak - hits.nbytes) / self._many,
            bytes_per_pair=hits.nbytes / max(1, pairs),
        )


def _times_s(prepared: ours.Prepared, jobs: int) -> tuple[float, float]:
    """Seconds to compile and to join. What was found is let go: memory that the process has had is quicker to fill."""
    stages = prepared.run(jobs)
    return stages.compile_s, stages.join_s
