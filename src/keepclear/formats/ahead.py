"""Reading ahead: the next batch is fetched on a second thread while this one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

_T = TypeVar("_T")


def read_ahead(source: Iterator[_T]) -> Iterator[_T]:
    """The items of `source`, in order; one is fetched while the one before is used. Its errors are raised here."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        end = object()
        upcoming = thread.submit(next, source, end)
        while (item := upcoming.result()) is not end:
            upcoming = thread.submit(next, source, end)
            yield item  # type: ignore[misc]  # not the end, so an item
