"""How a loop over arrays becomes machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

__all__ = ["kernel"]

_FunctionT = TypeVar("_FunctionT", bound=Callable[..., object])

# nogil: tiles run on threads. cache: compiled once per machine. Serial: numba's own threading layers are not safe under
# a server. numpy's error model: a division by zero is infinite instead of a branch and an exception in every loop;
# kernels guard their divisions. No fastmath: an answer must not depend on how a sum was reordered.
kernel = cast("Callable[[_FunctionT], _FunctionT]", numba.njit(nogil=True, cache=True, error_model="numpy"))
"""Decorator for functions of numbers and arrays that run as machine code."""
