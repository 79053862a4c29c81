"""Threads for the stages of a check: the kernels release the lock, so shares of a stage run side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

__all__ = ["SHARES_PER_THREAD", "workers"]

SHARES_PER_THREAD = 4
"""A stage is cut into more shares than there are threads: whoever is done first takes another."""


@contextmanager
def workers(jobs: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """What applies a function to each of many: on threads, which begin at once, or here where one is all there is.

    Starting a thread costs more than compiling or searching the legs of a few operations, which is what a node does
    all day; so the stages of one call share their threads, and one job has none.
    """
    if jobs <= 1:
        yield map
        return
    with ThreadPoolExecutor(jobs) as pool:
        yield pool.map
