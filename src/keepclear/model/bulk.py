"""Many values at once: of a file that was checked as columns, and of all that a check found.

A value checks itself when it is made; two hundred thousand of them, each made of a few numbers that were checked
already, take a second to do so. Here they are made column by column, and nothing is checked.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat
from typing import Any, TypeVar

__all__ = ["collector_paused", "made_of"]

_T = TypeVar("_T")


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the search for cyclic garbage: it would look at a hundred thousand new objects again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def made_of(kind: type[_T], count: int, columns: Mapping[str, Iterable[Any]]) -> list[_T]:
    """`count` values of a class with slots, each attribute taken from its column: all of them must be given."""
    missing = set(kind.__slots__) ^ columns.keys()  # type: ignore[attr-defined]  # a class with slots has them
    assert not missing, f"not the attributes of {kind.__name__}: {missing}"
    values = list(map(object.__new__, repeat(kind, count)))
    for name, column in columns.items():
        put = getattr(kind, name).__set__  # what a slot itself is set by: a frozen class refuses assignments
        deque(map(put, values, column), maxlen=0)
    return values
