"""How a loop over arrays becomes machine code, and where that is kept.

numba keeps compiled code beside its source and looks only at that one file's date, so after an upgrade an unchanged
kernel could go on calling the old code of a changed one. Here compiled kernels are kept by the contents of all of
them: in ``NUMBA_CACHE_DIR`` where that is set, else in the user's cache directory.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config as _numba_config

__all__ = ["inlined_kernel", "kernel", "kernels_are_compiled"]

config: Any = _numba_config  # its settings are made while it is imported, so no checker knows them

_FunctionT = TypeVar("_FunctionT", bound=Callable[..., object])


def kernel(function: _FunctionT) -> _FunctionT:
    """Decorator for functions of numbers and arrays that run as machine code.

    nogil, since tiles run on threads. Serial, since numba's own threading layers are not safe under a server. numpy's
    error model: a division by zero is infinite instead of a branch and an exception in every loop; kernels guard their
    divisions. No fastmath: an answer must not depend on how a sum was reordered.
    """
    return _compiled(function, inlined=False)


def inlined_kernel(function: _FunctionT) -> _FunctionT:
    """The same, written out wherever it is called: only so can a loop that calls it do several at a time."""
    return _compiled(function, inlined=True)


def _compiled(function: _FunctionT, *, inlined: bool) -> _FunctionT:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_cache())  # read while decorating, and other users of numba keep theirs
    try:
        compiled = numba.njit(nogil=True, cache=True, error_model="numpy", forceinline=inlined)(function)
    finally:
        config.CACHE_DIR = before
    return cast("_FunctionT", compiled)


def kernels_are_compiled() -> bool:
    """Whether this machine has compiled kernels of this version before."""
    return bool(config.DISABLE_JIT) or any(_cache().rglob("*.nbi"))


@functools.cache
def _cache() -> Path:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version} {Path(__file__).parent}".encode())
    # Files without a kernel count too: their constants are compiled into the kernels of others.
    package = Path(__file__).parents[1]
    for path in sorted(path for room in ("geo", "separation") for path in (package / room).glob("*.py")):
        digest.update(path.read_bytes())
    folder = f"keepclear-kernels/{digest.hexdigest()[:16]}"
    for root in (config.CACHE_DIR, os.environ.get("XDG_CACHE_HOME"), Path.home() / ".cache"):
        if root and _is_writable(Path(root) / folder):
            return Path(root) / folder
    # Compiled code is loaded and run, so it is never taken from a place that others can write in: this one is new and
    # its owner's alone, and the next process compiles again.
    return Path(tempfile.mkdtemp(prefix="keepclear-kernels-"))


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
