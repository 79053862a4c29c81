"""Which of a node's processes does the work in the background: one, and never two.

With SQLite there is one process. On PostgreSQL it is the one that holds an advisory lock, in a session of its own: the
server lets go of it when the session ends, whatever became of the process, and another takes it.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from keepclear.errors import StoreError
from keepclear.store.node.backends import PostgresBackend
from keepclear.store.node.database import NodeDatabase

__all__ = ["Leadership", "lead"]

_TAKE = "SELECT pg_try_advisory_lock(hashtextextended('keepclear node leader/' || %s, 0))"


class Leadership:
    """That this process leads; made by `lead`.

    Parameters
    ----------
    driver
        The session that has the lock; None where there are no others.
    """

    def __init__(self, driver: Any = None) -> None:
        self._driver = driver
        self._guard = threading.Lock()

    def holds(self) -> bool:
        """Whether it still does. Who finds that it does not stops at once: another may have begun."""
        with self._guard:
            if self._driver is None:
                return True
            try:
                self._driver.execute("SELECT 1")
            except Exception:  # noqa: BLE001  # whatever it is: who cannot ask the server cannot know
                return False
            return True

    def close(self) -> None:
        """Lead no more."""
        with self._guard, suppress(Exception):
            if self._driver is not None:
                self._driver.close()


def lead(database: NodeDatabase) -> Leadership | None:
    """Lead, if no other process of this node does.

    Raises
    ------
    StoreError
        If the server cannot be reached.
    """
    backend = database.backend
    if not isinstance(backend, PostgresBackend):
        return Leadership()
    try:
        driver = backend.driver()
    except Exception as error:
        raise StoreError(f"{database.name}: {error}") from error
    try:
        (taken,) = driver.execute(_TAKE, (backend.schema,)).fetchone()
    except BaseException:
        driver.close()
        raise
    if taken:
        return Leadership(driver)
    driver.close()
    return None
