"""What a competitor in the benchmark reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NotRun", "Outcome", "as_pairs"]


class NotRun(Exception):  # noqa: N818 - a result, not an error
    """A peer could not be run here; the message says why, and no number stands for it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Pairs found, and the time it took.

    Attributes
    ----------
    pairs
        Pairs of operation indices, the lower first.
    search_s
        The tool's own search, and whatever must be done with its answers to get pairs.
    prepare_s
        Bringing the arrays into the form it wants: its objects, its tables, its indexes.
    """

    pairs: frozenset[tuple[int, int]]
    search_s: float
    prepare_s: float


def as_pairs(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> frozenset[tuple[int, int]]:
    """Distinct unordered pairs of two arrays of indices."""
    keys = np.unique(np.minimum(a, b) << 32 | np.maximum(a, b))
    return frozenset(zip((keys >> 32).tolist(), (keys & 0xFFFFFFFF).tolist(), strict=True))
