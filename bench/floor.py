"""The floor under any join: sorting the legs by time and gathering them in that order, and nothing else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

__all__ = ["sort_and_gather_s"]

Floats = npt.NDArray[np.float64]


def sort_and_gather_s(start_s: Floats, points: Floats, *, threads: int, repeats: int = 3) -> float:
    """Seconds to sort the legs' starts and to gather their points, each thread its own share; best of `repeats`.

    Parameters
    ----------
    start_s
        Shape (n,), in any order.
    points
        Shape (n, 6): 48 bytes a leg.
    """
    shares = np.array_split(np.arange(len(start_s)), threads)
    bounds = [(int(share[0]), int(share[-1]) + 1) for share in shares if len(share)]

    def one(bound: tuple[int, int]) -> int:
        low, high = bound
        return len(points[low:high].take(np.argsort(start_s[low:high]), axis=0))

    best = np.inf
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: None, range(threads)))  # the threads are there before the clock starts
        for _ in range(repeats):
            began = time.perf_counter()
            list(pool.map(one, bounds))
            best = min(best, time.perf_counter() - began)
    return float(best)
