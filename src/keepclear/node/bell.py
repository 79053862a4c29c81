"""The bell by which the threads of a node tell each other that there is something to do.

Nothing is said with it but that something changed; what, is looked up. A `Waiter` counts, so a bell that was rung while
its owner was busy is not missed: the next `Waiter.wait` returns at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

__all__ = ["TOPICS", "Bell", "Waiter"]

TOPICS = ("said", "came", "body", "receipt", "projected", "event", "line", "stop")
"""Our log grew · a mirror grew · a body came · our log was cosigned · the tables have caught up · an event was noted ·
who is on a line or where changed · the node stops."""


class Bell:
    """Any thread may ring and wait."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiters: set[Waiter] = set()
        self._callbacks: list[Callable[[frozenset[str]], None]] = []

    def ring(self, *topics: str) -> None:
        """Wake all who wait for one of these. Callbacks are called in this thread."""
        assert set(topics) <= set(TOPICS), topics
        rung = frozenset(topics)
        with self._guard:
            waiters = [waiter for waiter in self._waiters if waiter.topics & rung]
            callbacks = list(self._callbacks)
        for waiter in waiters:
            waiter.rung()
        for callback in callbacks:
            callback(rung)

    def listen(self, callback: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Have a function called with the topics at each ring, until what is returned is called.

        It must be quick, and must not ring.
        """
        with self._guard:
            self._callbacks.append(callback)

        def stop() -> None:
            with self._guard:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return stop

    def waiter(self, *topics: str) -> Waiter:
        """Something to wait with for any of these topics; "stop" is always one of them. One thread uses it."""
        assert set(topics) <= set(TOPICS), topics
        waiter = Waiter(self, frozenset((*topics, "stop")))
        with self._guard:
            self._waiters.add(waiter)
        return waiter

    def forget(self, waiter: Waiter) -> None:
        """Do not wake it any more."""
        with self._guard:
            self._waiters.discard(waiter)


class Waiter:
    """Waits for a bell; made by `Bell.waiter`. As a context manager it is forgotten at the end."""

    def __init__(self, bell: Bell, topics: frozenset[str]) -> None:
        self.topics = topics
        self._bell = bell
        self._rung = threading.Event()

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until the bell was rung since the last time this returned, or for so long; whether it was rung."""
        found = self._rung.wait(None if timeout_s is None else max(0.0, timeout_s))
        # What is rung after this line is for the next wait; what was rung before it, the caller looks at now.
        self._rung.clear()
        return found

    def rung(self) -> None:
        """What the bell calls."""
        self._rung.set()

    def close(self) -> None:
        """Be forgotten by the bell."""
        self._bell.forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
