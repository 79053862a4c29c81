"""What the processes do that share a PostgreSQL store. Imported by them, so it holds nothing but what they run."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from keepclear.errors import StoreError
from keepclear.store.log import Log
from keepclear.store.log_store import GrownElsewhereError, UnknownOutcomeError
from keepclear.store.postgres import PostgresStore
from tests.crash.saying import KEY, ORIGIN, head_of, said

T = TypeVar("T")
PATIENCE_S = 60.0  # a server that is started again after a crash takes a few seconds


def append_beside_others(url: str, marks: Path, name: str, count: int, told: Connection) -> None:
    """Append `count` entries one by one beside other writers; after each tell which, and the checkpoint."""
    # The server may be killed before a slow worker has opened its log.
    store = _patiently(lambda: PostgresStore(url, marks=marks))
    log = _patiently(lambda: Log(store, ORIGIN, key=KEY))
    for number in range(count):
        entry = said(f"{name} {number}")
        leaf = entry.leaf.to_bytes()
        unknown = False
        while True:
            try:
                if unknown and leaf in log.leaves():
                    break
                log.append([entry])
                break
            except GrownElsewhereError:
                _patiently(log.refresh)
            except UnknownOutcomeError:
                _patiently(log.reread)
                unknown = True
            except StoreError:
                _patiently(log.refresh)
        told.send((leaf, head_of(_patiently(log.checkpoint))))
    told.send(None)
    store.close()


def _patiently(do: Callable[[], T]) -> T:
    """Do it, again and again while the server cannot be reached."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return do()
        except StoreError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
