"""keepclear and its peers on the same sets in the same run: time, and which pairs each found, missed and added."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any

from bench import ours
from bench.brute_force import sweep
from bench.peers import PEERS, NotRun, Outcome, finder
from bench.positions import HORIZONTAL_M, VERTICAL_M, Positions

__all__ = ["Entry", "Set", "contest"]

PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One competitor on one set; ``not_run`` says why there are no numbers."""

    name: str
    search_s: float = 0.0
    prepare_s: float = 0.0
    found: int = 0
    missed: int = 0
    extra: int = 0
    examples: tuple[str, ...] = ()
    not_run: str = ""


@dataclass(frozen=True, slots=True)
class Set:
    """One set with what everybody made of it."""

    name: str
    legs: int
    operations: int
    pairs: int
    touching: int
    tested: int
    sweep_s: float
    entries: tuple[Entry, ...]

    def as_dict(self) -> dict[str, object]:
        """For the results file."""
        return asdict(self)


def contest(name: str, positions: Positions, peers: list[str], *, repeats: int) -> Set:
    """Run the brute-force reference, keepclear on one and two threads, and the peers."""
    began = time.perf_counter()
    reference = sweep(positions)
    sweep_s = time.perf_counter() - began
    entries = [
        _entry(own, _ours(positions, jobs, repeats), positions, reference.pairs)
        for jobs, own in enumerate(("keepclear, 1 thread", "keepclear, 2 threads"), start=1)
    ]
    for peer in peers:
        print(f"  {name}: {peer}", file=sys.stderr, flush=True)
        try:
            entries.append(_entry(peer, _peer(peer, positions, repeats), positions, reference.pairs))
        except NotRun as error:
            entries.append(Entry(peer, not_run=str(error)))
    return Set(
        name, len(positions.legs()), len(positions.names), len(reference.pairs), len(reference.touching),
        reference.tested, sweep_s, tuple(entries),
    )  # fmt: skip


def _ours(positions: Positions, jobs: int, repeats: int) -> Outcome:
    outcomes = [ours.find(positions, HORIZONTAL_M, VERTICAL_M, jobs=jobs) for _ in range(repeats)]
    return min(outcomes, key=lambda outcome: outcome.search_s)


def _entry(name: str, outcome: Outcome, positions: Positions, expected: frozenset[tuple[int, int]]) -> Entry:
    wrong = sorted(expected ^ outcome.pairs)[:5]
    examples = tuple(
        f"{'missed' if pair in expected else 'extra'} {positions.names[pair[0]]} – {positions.names[pair[1]]}"
        for pair in wrong
    )
    both = len(outcome.pairs & expected)
    return Entry(
        name, outcome.search_s, outcome.prepare_s, both, len(expected) - both, len(outcome.pairs) - both, examples
    )


def _peer(name: str, positions: Positions, repeats: int) -> Outcome:
    """Run a peer in a child process, so that its crash or its endlessness is its own.

    Raises
    ------
    NotRun
        If it is not installed, the set is too large for it, it crashed, or patience ran out.
    """
    most = PEERS[name][1]
    if len(positions.legs()) > most:
        raise NotRun(f"not given more than {most:,} legs")
    fork = multiprocessing.get_context("fork")  # the child sees the positions without a copy
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_in_child, args=(there, name, positions, repeats))
    child.start()
    there.close()
    try:
        if not here.poll(PATIENCE_S):
            raise NotRun(f"stopped after {PATIENCE_S:.0f} s")
        answer = here.recv()
    except EOFError:
        child.join()
        raise NotRun(f"crashed (exit status {child.exitcode})") from None
    finally:
        _end(child)
    if isinstance(answer, str):
        raise NotRun(answer)
    outcome: Outcome = answer
    return outcome


def _in_child(pipe: Connection, name: str, positions: Positions, repeats: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whatever the peer started is stopped
    try:
        find = finder(name)
        best = find(positions, HORIZONTAL_M, VERTICAL_M)
        for _ in range(repeats - 1 if best.search_s < 5.0 else 0):
            again = find(positions, HORIZONTAL_M, VERTICAL_M)
            best = min(best, again, key=lambda outcome: outcome.search_s)
        pipe.send(best)
    except NotRun as error:
        pipe.send(str(error))
    except Exception as error:  # noqa: BLE001 - a peer's failure is a result, not ours to handle
        pipe.send(f"failed: {type(error).__name__}: {str(error)[:200]}")


def _end(child: Any) -> None:
    child.join(5.0)
    if child.is_alive():
        child.terminate()
        child.join(60.0)
    if child.is_alive():
        child.kill()
        child.join()
