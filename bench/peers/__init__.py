"""Other tools put to the same question.

Which pairs of operations come closer than both minima at one and the same time?

Each module has one function, ``find(positions, horizontal_m, vertical_m) -> Outcome``, and a docstring that says what
the tool judges and what it does not. Turning the arrays into what a tool wants to be given is timed apart from its
search and never counted against it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from bench.peers.outcome import NotRun, Outcome
from bench.positions import Positions

__all__ = ["PEERS", "Finder", "NotRun", "Outcome", "finder"]

# Name on the command line -> module, and the most legs it is given: beyond that it takes too long, or too much memory.
PEERS = {
    "bluesky": ("bench.peers.bluesky_cpp", 2_000_000),
    "scipy-sampled": ("bench.peers.scipy_sampled", 2_000_000),
    "scipy-exact": ("bench.peers.scipy_exact", 2_000_000),
    "meos": ("bench.peers.meos", 150_000),
    "postgis": ("bench.peers.postgis", 1_000_000),
    "traffic": ("bench.peers.traffic_cpa", 13_000),
}


class Finder(Protocol):
    """What every peer's module offers."""

    def __call__(self, positions: Positions, horizontal_m: float, vertical_m: float) -> Outcome:
        """Pairs found and the time taken."""


def finder(name: str) -> Finder:
    """The function of a peer.

    Raises
    ------
    NotRun
        If what the peer needs is not installed.
    """
    try:
        return cast("Finder", import_module(PEERS[name][0]).find)
    except ImportError as error:
        raise NotRun(f"{error.name or error} is not installed") from error
