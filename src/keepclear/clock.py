"""The only file that reads the wall clock."""

from __future__ import annotations

import time

__all__ = ["monotonic_s", "now_s"]


def now_s() -> float:
    """Wall-clock time in seconds since the epoch."""
    return time.time()


def monotonic_s() -> float:
    """Seconds on a clock that never goes back, for measuring how long something took."""
    return time.monotonic()
