"""The floor under any join: sorting the legs by time and gathering them in that order, and nothing else.

The legs are sorted in two halves, whatever the threads: two threads do what one does, no less. (Were one thread to sort
all in one go, it would do more than two that sort a half each, and two threads would seem more than twice as quick.)
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["sort_and_gather_s"]

Floats = npt.NDArray[np.float64]

_HALVES = 2


def sort_and_gather_s(start_s: Floats, points: Floats, *, threads: int) -> float:
    """Seconds to sort the starts of both halves of the legs and to gather their points.

    Parameters
    ----------
    start_s
        Shape (n,), in any order.
    points
        Shape (n, 6): 48 bytes a leg.
    """
    bounds = list(pairwise(len(start_s) * half // _HALVES for half in range(_HALVES + 1)))

    def one(bound: tuple[int, int]) -> int:
        low, high = bound
        return len(points[low:high].take(np.argsort(start_s[low:high]), axis=0))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: None, range(threads)))  # the threads are there before the clock starts
        began = time.perf_counter()
        list(pool.map(one, bounds))
        return time.perf_counter() - began
