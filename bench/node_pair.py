"""Two real nodes on this machine that are on one line, and what is put into their logs while they do not run."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from keepclear.cli.demo_nodes import DemoNode
from keepclear.clock import now_s
from keepclear.node.own_log import Outgoing
from keepclear.node.running import Node

__all__ = ["LINE", "Pair", "asked", "memory_mb", "until"]

LINE = "bench"
_LONGEST_S = 600.0
_AT_ONCE = 500


class Pair:
    """NORTH and SOUTH, each a process that serves a folder of its own.

    Parameters
    ----------
    folder
        Where both are set up.
    """

    def __init__(self, folder: Path) -> None:
        self.north, self.south = (DemoNode(folder / name.lower(), name, name, time_s=now_s()) for name in _NAMES)

    def __enter__(self) -> Self:
        self.start()
        north, south = self.north.ask.requests, self.south.ask.requests
        north.post("/lines", {"name": "Bench", "line": LINE})
        invitation = north.post(f"/lines/{LINE}/invitations", {})["invitation"]
        south.post("/lines/joinings", {"invitation": invitation, "words": self.north.words})
        until(lambda: bool(list(self.north.ask.acceptances(LINE))))
        north.post(f"/lines/{LINE}/admissions", {"party": self.south.party, "words": self.south.words})
        for node in self.both:
            until(lambda node=node: len(node.ask.members(LINE).members) == len(_NAMES))  # type: ignore[misc]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def both(self) -> tuple[DemoNode, DemoNode]:
        """The two."""
        return self.north, self.south

    def start(self) -> None:
        """Start both, and wait until they answer."""
        for node in self.both:
            node.start()
        for node in self.both:
            node.wait()

    def stop(self) -> None:
        """Stop whichever runs."""
        for node in self.both:
            node.stop()

    def say(self, node: DemoNode, outgoing: Iterable[Outgoing], *, project: bool) -> None:
        """Put entries into the log of a node that does not run, many to a commit; and into its tables if asked."""
        with Node.open(node.folder) as opened:
            waiting: list[Outgoing] = []
            for one in outgoing:
                waiting.append(one)
                if len(waiting) == _AT_ONCE:
                    opened.records.say(LINE, waiting)
                    waiting = []
            if waiting:
                opened.records.say(LINE, waiting)
            if project:
                opened.projector.catch_up()


_NAMES = ("NORTH", "SOUTH")


def until(is_so: Callable[[], bool], *, step_s: float = 0.05) -> float:
    """Wait until something is so; the seconds that it took."""
    began = time.perf_counter()
    while not is_so():
        if time.perf_counter() - began > _LONGEST_S:
            raise TimeoutError(f"not within {_LONGEST_S:.0f} s")
        time.sleep(step_s)
    return time.perf_counter() - began


def asked(node: DemoNode, database: str, question: str) -> int:
    """A number from one of a node's databases, read beside the node."""
    with closing(sqlite3.connect(f"file:{node.folder.path / database}?mode=ro", uri=True, timeout=30.0)) as connection:
        return int(connection.execute(question).fetchone()[0] or 0)


def memory_mb(node: DemoNode) -> float:
    """What a node's process holds in memory, and its children."""
    assert node.pid is not None
    return sum(_resident_mb(pid) for pid in (node.pid, *_children(node.pid)))


def _children(pid: int) -> list[int]:
    found = [int(word) for one in Path(f"/proc/{pid}/task").glob("*/children") for word in one.read_text().split()]
    return found + [again for one in found for again in _children(one)]


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024.0
