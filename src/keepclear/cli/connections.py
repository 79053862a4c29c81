"""Connections to the node: how long one may take to ask something, and how many there may be.

A connection costs a descriptor, and whoever opens many and sends a byte now and then would have them all. So the head
of a request has to come within `HEAD_S`, and where there are as many connections as the node can have, the one that has
gone longest without asking anything makes room for the next. Bodies have limits of their own, which depend on who sends
them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from keepclear.clock import monotonic_s

__all__ = ["HEAD_S", "Patient", "most_connections"]

HEAD_S = 20.0
"""How long the head of a request may take, from the connection or from its first byte on."""
_MOST = 4096
_KEPT_BACK = 192  # descriptors for files, databases, and calls of our own
_LEAST = 64


class Patient(H11Protocol):
    """A connection that is closed if nothing is asked by it in time."""

    most = _MOST

    def connection_made(self, transport: Any) -> None:
        """It has been made."""
        super().connection_made(transport)
        self.since_s = monotonic_s()
        self._timer: asyncio.TimerHandle | None = None
        self._wait()
        if len(self.connections) > self.most:
            idle = [one for one in self.connections if isinstance(one, Patient) and not one.is_asking]
            min(idle, key=lambda one: one.since_s, default=self).transport.close()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        super().data_received(data)
        if self.is_asking:
            self.since_s = monotonic_s()
            self._stop_waiting()
        elif self._timer is None:
            self._wait()

    def on_response_complete(self) -> None:
        """A request has been answered."""
        super().on_response_complete()
        self.since_s = monotonic_s()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._stop_waiting()
        super().connection_lost(exc)

    @property
    def is_asking(self) -> bool:
        """Whether a request is under way, whose head has come."""
        cycle = self._cycle()
        return cycle is not None and not cycle.response_complete

    def _cycle(self) -> RequestResponseCycle | None:
        """The newest request; None before the first, which uvicorn's own annotation passes over."""
        return self.cycle

    def _wait(self) -> None:
        self._timer = self.loop.call_later(HEAD_S, self._too_late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        begun = self._cycle() is None or bool(self.conn.trailing_data[0])  # or it rests between two requests
        if not self.is_asking and self.conn.their_state is h11.IDLE and begun:
            self.transport.close()


def most_connections() -> int:
    """How many this process can have, after it has asked the system for as many as it may."""
    try:
        import resource
    except ImportError:  # a system that has other limits
        return _MOST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + _KEPT_BACK
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST if soft == resource.RLIM_INFINITY else max(_LEAST, min(_MOST, soft - _KEPT_BACK))
