"""Memory that is used again: memory new from the system is cleared first, which can take longer than filling it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Kept"]


class Kept:
    """Arrays by name, each over memory that the one before of that name had, if it fits.

    For one user at a time: an array is as good as gone when the next of its name is asked for.

    Parameters
    ----------
    spare
        The share by which more is kept than is asked for, so that a little more can be asked for next time.
    """

    def __init__(self, spare: float = 0.0) -> None:
        self._spare = spare
        self._held: dict[str, npt.NDArray[np.uint8]] = {}

    def empty(self, name: str, shape: tuple[int, ...], kind: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
        """An array as `numpy.empty` makes it: contiguous, aligned, and with anything in it."""
        dtype = np.dtype(kind)
        size = math.prod(shape) * dtype.itemsize
        if name not in self._held or len(self._held[name]) < size:
            self._held.pop(name, None)  # before there is the next one
            self._held[name] = np.empty(size + int(size * self._spare), np.uint8)
        return self._held[name][:size].view(dtype).reshape(shape)
