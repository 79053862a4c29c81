"""Requests that are sent twice and done once: answers kept under the caller's own keys for a day.

A key is taken before the request is done, and the answer put under it afterwards. Who comes with the same key meanwhile
is told so; who comes later gets the same answer. If the process ended in between, whether it was done is not known:
the key stays taken, and the caller is told to look, since doing it again might do it twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from keepclear.errors import Fault, InputError, StoreError
from keepclear.node.refusals import ClashError
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.idempotency import (
    KeptAnswer,
    answer_under,
    begin_answer,
    drop_answer,
    prune_answers,
    put_answer,
)

__all__ = ["KEPT_S", "KeptAnswers", "Standing", "Under"]

KEPT_S = 86_400.0
"""How long an answer is kept."""
MOST_KEPT_BYTES = 2**20
"""A longer answer is not kept; its key stays taken."""


class Standing(StrEnum):
    """How matters stand with a key."""

    OURS = "ours"
    """It was free, and is taken for this request now."""
    RUNNING = "running"
    """The same request is being done."""
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Under:
    """What is under a key: how it stands, and the answer if there is one."""

    standing: Standing
    answer: KeptAnswer | None = None


class KeptAnswers:
    """Answers under keys.

    Parameters
    ----------
    database, clock
        Where they are kept, and what tells the time.
    """

    def __init__(self, database: NodeDatabase, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._worker = secrets.token_hex(8)  # of this process: what another left unfinished may never be finished
        self._running: set[tuple[str, str]] = set()

    def take(self, user: str, key: str, request_hash: bytes) -> Under:
        """Take a key for a request, or say what is under it.

        Raises
        ------
        InputError
            If it was used for another request.
        ClashError
            If the process that began the request has gone, so that nobody knows whether it was done.
        """
        at_s = self._clock()
        with self._database.writing() as conn:
            prune_answers(conn, before_s=at_s - KEPT_S)
            found = answer_under(conn, user, key)
            if found is None:
                begin_answer(conn, user, key, request_hash=request_hash, worker=self._worker, at_s=at_s)
                self._running.add((user, key))
                return Under(Standing.OURS)
            is_running = self._is_running(user, key, found, at_s)
        if found.request_hash != request_hash:
            problem = "the key was used for another request"
            raise InputError(Fault(problem, "a new key for each request", field="Idempotency-Key"))
        if found.status is not None:
            return Under(Standing.ANSWERED, found)
        if is_running:
            return Under(Standing.RUNNING)
        problem = "a request with this key was begun, and whether it was done is not known"
        raise ClashError(Fault(problem, "look whether it was; if not, send it with a new key", field="Idempotency-Key"))

    def put(self, user: str, key: str, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
        """Keep the answer of a request for which the key was taken."""
        if len(body) > MOST_KEPT_BYTES:
            self.leave(user, key)
            return
        with self._ending(user, key) as conn:
            put_answer(conn, user, key, status=status, headers=headers, body=body)

    def drop(self, user: str, key: str) -> None:
        """Give the key back: nothing was done."""
        with self._ending(user, key) as conn:
            drop_answer(conn, user, key)

    def leave(self, user: str, key: str) -> None:
        """Leave the key taken: whether anything was done is not known."""
        self._running.discard((user, key))

    @contextmanager
    def _ending(self, user: str, key: str) -> Iterator[Connection]:
        """A transaction after which the request that has a key no longer runs.

        What runs here is changed, and asked for, while nobody else writes: else a request that has just ended would for
        a moment look like one that nobody knows about.
        """
        try:
            with self._database.writing() as conn:
                yield conn
                self._running.discard((user, key))
        except StoreError:
            self._running.discard((user, key))  # the database tells how it stands, if anything does
            raise

    def _is_running(self, user: str, key: str, found: KeptAnswer, at_s: float) -> bool:
        if found.worker == self._worker:
            return (user, key) in self._running
        # Another worker's: it may be at it still. On SQLite there is one process at a time, and that one has ended.
        return self._database.dialect == "postgresql" and at_s - found.begun_s < 60.0
