"""How many bodies are read together: as many as there is room for in memory, whatever their authors made of them."""

from __future__ import annotations

from keepclear.store.log_store import LogStore

__all__ = ["MOST_TOGETHER_BYTES", "together"]

MOST_TOGETHER_BYTES = 16 * 2**20
"""Bodies that are in memory together have no more than this; a single one may be as long."""


def together(store: LogStore, origin: str, start: int, stop: int) -> int:
    """Up to which entry, of those from `start` to before `stop`, bodies are read together; one at least."""
    if stop - start > 1:
        room = MOST_TOGETHER_BYTES
        for number, length in store.body_lengths(origin, start, stop):
            room -= length
            if room < 0 and number > start:
                return number
    return stop
