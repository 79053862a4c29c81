"""What a node forgets after a while: events that nobody follows any more, and what was told about alarms and tests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from keepclear.errors import StoreError
from keepclear.node.settings import Settings
from keepclear.store.node import events
from keepclear.store.node.alarms import prune_alarms
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.encounters_seen import prune_encounters
from keepclear.store.node.line_tests import prune_tests
from keepclear.store.node.positions import prune_positions
from keepclear.store.node.told import prune_told

__all__ = ["Housekeeping"]

_EVERY_S = 3600.0
_DAY_S = 86400.0
# What was told of is remembered so that nobody is told twice: longer than any answer can still be owed.
_TOLD_KEPT_DAYS = 90.0
_PRUNED = (prune_told, prune_alarms, prune_tests)
_WATCHED = (prune_positions, prune_encounters)
_log = logging.getLogger(__name__)


class Housekeeping:
    """A thread that tidies up once an hour.

    Parameters
    ----------
    database, settings, clock
        Of the node.
    """

    def __init__(self, database: NodeDatabase, settings: Settings, clock: Callable[[], float]) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="keepclear-housekeeping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def tidy(self) -> int:
        """Forget what is older than the settings say; how much that was."""
        now_s = self._clock()
        kept_days = self._settings.events_kept_days
        told_before_s = now_s - max(kept_days, _TOLD_KEPT_DAYS) * _DAY_S
        with self._database.writing() as conn:
            forgotten = events.prune(conn, before_s=now_s - kept_days * _DAY_S)
            forgotten += sum(prune(conn, before_s=told_before_s) for prune in _PRUNED)
            positions_before_s = now_s - self._settings.positions_kept_days * _DAY_S
            return forgotten + sum(prune(conn, before_s=positions_before_s) for prune in _WATCHED)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tidy()
            except StoreError as error:  # whoever has something to write says it louder
                _log.warning("nothing could be tidied up: %s", error)
            self._stopping.wait(_EVERY_S)
