"""One reader of the event table for all streams of this process.

It reads what is new once, keeps the last few thousand events in memory, and wakes the streams. Each stream has a
cursor of its own and takes from there what it has not sent yet, so that every stream sees every event once and in
order, whenever it began. One that lags behind what is in memory reads the table itself; nobody waits for it, and
nothing piles up for it.
"""

from __future__ import annotations

import asyncio
import bisect
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from keepclear.errors import StoreError
from keepclear.node.bell import Bell
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.events import Event, newest, oldest, since

__all__ = ["EventFeed", "Frame", "Wake"]

_PAGE = 500
_RECENT = 4_096
_TOGETHER_S, _NOBODY_S = 0.01, 0.1  # what comes within that is read together; longer where nobody listens
_POLL_S = {"sqlite": 2.0, "postgresql": 0.5}
"""How long at most until events are looked for that nobody rang for: other processes cannot ring here."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as it goes over the wire; made once for all streams."""

    id: int
    type: str
    line: str | None
    data: bytes


@dataclass(eq=False, slots=True)
class Wake:
    """What one stream waits for; made by `EventFeed.listening`, in the event loop of the stream."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, timeout_s: float) -> bool:
        """Wait until something is new, or for so long; whether something is."""
        try:
            await asyncio.wait_for(self.rung.wait(), timeout_s)
        except TimeoutError:
            return False
        self.rung.clear()
        return True


class EventFeed:
    """Reads the event table, in a thread of its own, and wakes all streams of this process.

    Parameters
    ----------
    database, bell
        Of the node.
    frame_of
        How an event goes over the wire.
    """

    def __init__(self, database: NodeDatabase, bell: Bell, *, frame_of: Callable[[Event], Frame]) -> None:
        self._database = database
        self._frame_of = frame_of
        self._bell = bell
        self._poll_s = _POLL_S[database.dialect]
        self._guard = threading.Lock()
        self._wakes: set[Wake] = set()
        self._recent: list[Frame] = []
        with database.reading() as conn:
            self._from = self._position = newest(conn)
        self._forget = bell.listen(self._heard)
        self._waiter = bell.waiter("event")
        self._thread = threading.Thread(target=self._run, name="event-feed", daemon=True)
        self._ending = threading.Event()
        self.stopping = False
        """Whether the streams are to end."""

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End all streams, and stop reading."""
        self._end()
        self._forget()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def streams(self) -> int:
        """How many streams there are."""
        return len(self._wakes)

    @property
    def position(self) -> int:
        """The number of the last event that was read."""
        return self._position

    @contextmanager
    def listening(self) -> Iterator[Wake]:
        """Be woken when something is new; within an event loop."""
        wake = Wake()
        with self._guard:
            self._wakes.add(wake)
        try:
            yield wake
        finally:
            with self._guard:
                self._wakes.discard(wake)

    def recent(self, after: int) -> list[Frame] | None:
        """What is in memory of the events after a number; None if some of them are not, and are to be `read`."""
        with self._guard:
            if after < self._from:
                return None
            return self._recent[bisect.bisect_right(self._recent, after, key=lambda frame: frame.id) :]

    def read(self, after: int) -> list[Frame]:
        """The first events after a number, from the table."""
        with self._database.reading() as conn:
            return [self._frame_of(event) for event in since(conn, after, limit=_PAGE)]

    def resume(self, after: int) -> tuple[int, bool]:
        """From where to go on for who has seen number `after`; and whether events are missing between.

        They are where `after` is older than what is kept, or newer than anything that ever happened here, as after a
        restore from a backup.
        """
        with self._database.reading() as conn:
            first, last = oldest(conn), newest(conn)
        if after > last:
            return last, True
        return (after, False) if after >= first - 1 else (first - 1, True)

    def _heard(self, topics: frozenset[str]) -> None:
        if "stop" in topics:
            self._end()

    def _end(self) -> None:
        self.stopping = True
        self._ending.set()
        self._waiter.rung()
        self._wake_all()

    def _run(self) -> None:
        while not self.stopping:
            if self._waiter.wait(self._poll_s):
                self._ending.wait(_TOGETHER_S if self._wakes else _NOBODY_S)
            try:
                self._take()
            except StoreError:
                if not self.stopping:  # or the database has been closed
                    _log.exception("the events could not be read")
        self._waiter.close()

    def _take(self) -> None:
        if not self._wakes:
            self._pass_over()
        while not self.stopping:
            frames = self.read(self._position)
            if frames:
                self._keep(frames)
                self._wake_all()
            if len(frames) < _PAGE:
                return

    def _pass_over(self) -> None:
        """Nobody listens: what happened is in the table, for who asks for it later."""
        with self._database.reading() as conn:
            last = newest(conn)
        with self._guard:
            if last > self._position and not self._wakes:
                self._from = self._position = last
                self._recent.clear()

    def _keep(self, frames: list[Frame]) -> None:
        with self._guard:
            self._recent += frames
            self._position = frames[-1].id
            if len(self._recent) > 2 * _RECENT:
                self._from = self._recent[-_RECENT - 1].id
                del self._recent[:-_RECENT]

    def _wake_all(self) -> None:
        with self._guard:
            by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Event]] = {}
            for wake in self._wakes:
                by_loop.setdefault(wake.loop, []).append(wake.rung)
        for loop, rung in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_set_all, rung)


def _set_all(rung: list[asyncio.Event]) -> None:
    for one in rung:
        one.set()
