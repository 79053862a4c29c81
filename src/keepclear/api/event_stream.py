"""One stream of events over HTTP, as browsers' EventSource and ``curl -N`` read it (server-sent events)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from keepclear.api.event_feed import EventFeed, Frame
from keepclear.clock import monotonic_s
from keepclear.node.entry_ids import EntryId
from keepclear.store.node.events import Event
from keepclear.values.base import moment
from keepclear.values.events import RESET, EventTold

__all__ = ["EventStream", "Wanted", "frame_of"]

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
_BEGIN = b"retry: 2000\n\n"
_log = logging.getLogger(__name__)


def frame_of(event: Event) -> Frame:
    """An event as it goes over the wire."""
    entry = None if event.ref is None else str(EntryId.of(event.ref))
    told = EventTold(
        id=event.id, at=moment(event.at_s), type=event.type, line=event.line, entry=entry, data=dict(event.data)
    )
    data = f"id: {event.id}\nevent: {event.type}\ndata: {told.model_dump_json()}\n\n".encode()
    return Frame(event.id, event.type, event.line, data)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stream is to have: of all types and lines where none is named."""

    types: Collection[str] = ()
    line: str | None = None

    def has(self, frame: Frame) -> bool:
        """Whether an event is among it."""
        return (not self.types or frame.type in self.types) and (self.line is None or frame.line in {None, self.line})


class EventStream(Response):
    """A response that ends when its reader goes away, reads too slowly, may no longer read, or the node stops.

    Whoever was cut off goes on with the number of the last event as ``Last-Event-ID``.

    Parameters
    ----------
    feed
        The reader of the table.
    after
        The number of the last event that the reader has seen; None to begin with what happens from now on.
    wanted
        What it is to have.
    may_still_read
        Asked every `recheck_s`, in a thread: a session may have ended meanwhile.
    heartbeat_s
        How often something is sent where nothing happens, so that both ends know that they are connected.
    most_blocked_s
        How long a reader may take none of what is sent to it.
    wait
        Whether it goes on with what happens from now on.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        feed: EventFeed,
        *,
        after: int | None,
        wanted: Wanted,
        may_still_read: Callable[[], bool],
        recheck_s: float = 60.0,
        heartbeat_s: float = 15.0,
        most_blocked_s: float = 30.0,
        wait: bool = True,
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]  # nobody knows
        self._feed = feed
        self._after = after
        self._wanted = wanted
        self._may_still_read = may_still_read
        self._recheck_s = recheck_s
        self._heartbeat_s = heartbeat_s
        self._most_blocked_s = most_blocked_s
        self._waits = wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        """Send events until something ends it."""
        now_at = self._feed.position  # before anything is awaited: what happens meanwhile is to be sent
        with self._feed.listening() as wake:
            gone = asyncio.ensure_future(_until_gone(receive))
            gone.add_done_callback(lambda _: wake.rung.set())
            try:
                await self._send(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await self._stream(send, await self._begin(send, now_at), wake.wait, gone)
                await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})
            except TimeoutError:
                _log.info("a stream of events was read too slowly, and ended")
            finally:
                gone.cancel()

    async def _stream(
        self, send: Send, after: int, wait: Callable[[float], Awaitable[bool]], gone: asyncio.Future[None]
    ) -> None:
        checked_s = monotonic_s()
        while not (gone.done() or self._feed.stopping):
            if monotonic_s() - checked_s >= self._recheck_s:
                if not await asyncio.to_thread(self._may_still_read):
                    return
                checked_s = monotonic_s()
            frames = self._feed.recent(after)
            if frames is None:
                frames = await asyncio.to_thread(self._feed.read, after)
            if frames:
                after = frames[-1].id
                data = b"".join(frame.data for frame in frames if self._wanted.has(frame))
                # The number goes on although nothing of it was wanted: who resumes need not read all that again.
                await self._write(send, data or f"id: {after}\n\n".encode())
            elif not self._waits:
                return
            elif not await wait(min(self._heartbeat_s, self._recheck_s)):
                await self._write(send, f"id: {after}\n: still here\n\n".encode())

    async def _begin(self, send: Send, now_at: int) -> int:
        if self._after is None:
            await self._write(send, _BEGIN)
            return now_at
        after, missing = await asyncio.to_thread(self._feed.resume, self._after)
        if missing:
            problem = '{"problem":"events were missed that are kept no longer: read anew what you show"}'
            await self._write(send, _BEGIN + f"id: {after}\nevent: {RESET}\ndata: {problem}\n\n".encode())
        else:
            await self._write(send, _BEGIN)
        return after

    async def _write(self, send: Send, data: bytes) -> None:
        await self._send(send, {"type": "http.response.body", "body": data, "more_body": True})

    async def _send(self, send: Send, message: dict[str, Any]) -> None:
        await asyncio.wait_for(send(message), self._most_blocked_s)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
