"""How the processes of a node wake each other: NOTIFY of PostgreSQL, with words that say what is new.

A call can be missed, when a connection is lost; then all words are taken to have been called. So whoever is called
looks what there is, and does not rely on the call for more than being quick.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any

from keepclear.store.node.backends import PostgresBackend
from keepclear.store.node.database import NodeDatabase

__all__ = ["Calls"]

_LOOK_S = 1.0  # how soon a thread notices that it is to stop
_AGAIN_S = 1.0  # how long to wait before connecting anew


class Calls:
    """Calls to and from the other processes of a node; with SQLite there are none, and nothing is done.

    Parameters
    ----------
    database
        Of the node.
    words
        All that can be called.
    called
        What is done with the words of others, in a thread of its own.
    """

    def __init__(
        self, database: NodeDatabase, words: Collection[str], called: Callable[[Collection[str]], None]
    ) -> None:
        self._backend = database.backend
        self._words = frozenset(words)
        self._called = called
        self._us = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._due: set[str] = set()
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Listen, and be ready to call."""
        if isinstance(self._backend, PostgresBackend):
            for work in (self._listen, self._send):
                thread = threading.Thread(target=self._lasting, args=(work, self._backend), daemon=True)
                thread.name = f"keepclear-calls-{work.__name__}"
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Let go of the connections."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout=10.0)
        self._threads.clear()

    def call(self, words: Iterable[str]) -> None:
        """Call the others; it is done soon, and not waited for."""
        if self._threads:
            with self._guard:
                self._due |= self._words.intersection(words)
            self._wake.set()

    def _lasting(self, work: Callable[[Any, str], None], backend: PostgresBackend) -> None:
        """Do something on a connection, and on a new one when that is lost, until told to stop."""
        while not self._stopping.is_set():
            with suppress(Exception):  # of the driver, whatever it is: connect anew
                driver = backend.driver()
                try:
                    work(driver, f"{backend.schema}_calls")
                finally:
                    driver.close()
            self._stopping.wait(_AGAIN_S)

    def _listen(self, driver: Any, channel: str) -> None:
        from psycopg.sql import SQL, Identifier

        driver.execute(SQL("LISTEN {}").format(Identifier(channel)))
        self._called(self._words)  # whatever was missed before
        while not self._stopping.is_set():
            for call in driver.notifies(timeout=_LOOK_S):
                us, _, told = call.payload.partition(" ")
                if us != self._us:
                    self._called(self._words.intersection(told.split()))

    def _send(self, driver: Any, channel: str) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            with self._guard:
                due, self._due = self._due, set()
            if due:
                try:
                    driver.execute("SELECT pg_notify(%s, %s)", (channel, f"{self._us} {' '.join(sorted(due))}"))
                except Exception:
                    with self._guard:
                        self._due |= due
                    self._wake.set()
                    raise
