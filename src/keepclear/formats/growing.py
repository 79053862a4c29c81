"""A column that grows while a file is read, without ever being there twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["GrowingColumn"]

_MOST_SET_ASIDE = 1 << 26  # rows; what a file says of its own size is a hint, not a reason to fill the memory
_LEAST = 1 << 16


class GrowingColumn:
    """Values one batch after another.

    Batches are copied in: the arrays in which they arrive are small, many, and better used again for the next batch.

    Parameters
    ----------
    expected
        How many values are likely to come.
    """

    def __init__(self, dtype: npt.DTypeLike, expected: int = 0) -> None:
        self._values: npt.NDArray[Any] = np.empty(max(_LEAST, min(expected, _MOST_SET_ASIDE)), dtype)
        self._count = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        """Put `values` at the end."""
        end = self._count + len(values)
        if end > len(self._values):
            # In place: the system moves a large block by its page table, and nothing is copied.
            self._values.resize(max(end, len(self._values) + len(self._values) // 4), refcheck=False)
        self._values[self._count : end] = values
        self._count = end

    def whole(self) -> npt.NDArray[Any]:
        """All values; nothing can be put at the end afterwards."""
        self._values.resize(self._count, refcheck=False)
        return self._values
