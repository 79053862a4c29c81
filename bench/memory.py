"""How much memory a call takes at its peak."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench.peers.outcome import NotRun

__all__ = ["peak_bytes"]

T = TypeVar("T")
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = 4096
_EVERY_S = 0.001


def peak_bytes(call: Callable[[], T]) -> tuple[T, int]:
    """What `call` returns, and by how much the process was larger at its largest than before; what it returns counts.

    The process is watched every millisecond by another thread, for which compiled kernels make room.

    Raises
    ------
    NotRun
        Where the system does not tell (only Linux does).
    """
    if not _STATM.exists():
        raise NotRun("resident memory is read from /proc/self/statm")
    _give_back()
    before = _resident_bytes()
    seen = [before]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY_S):
            seen.append(_resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = call()
    finally:
        seen.append(_resident_bytes())
        done.set()
        watcher.join()
    return result, max(seen) - before


def _give_back() -> None:
    """Return freed memory to the system, so that what is used again is seen."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc
    if trim is not None:
        trim(0)


def _resident_bytes() -> int:
    return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
