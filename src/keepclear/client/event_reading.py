"""Following what happens at a node: server-sent events, from where one was cut off.

Lines are parted at the bytes, not in the text: JSON may hold characters that text has as ends of lines (U+2028).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event as Flag

import httpx
from pydantic import ValidationError

from keepclear.client.problems import RefusedError, error_of
from keepclear.client.requests import PREFIX, Requests
from keepclear.errors import PeerError, StoreError
from keepclear.values.events import RESET, EventTold

__all__ = ["Block", "blocks_of", "follow"]

_SILENT_S = 45.0
"""A node says something every 15 s; one that says nothing for so long is gone."""
_PAUSE_S = 2.0
_LONGEST_BLOCK = 16 * 2**20


@dataclass(slots=True)
class Block:
    """One event as it comes over the wire, or only a number to go on from."""

    id: str = ""
    event: str = ""
    data: list[str] = field(default_factory=list)


def blocks_of(pieces: Iterable[bytes]) -> Iterator[Block]:
    """The events of a stream, whole ones alone: what was cut off comes again.

    Raises
    ------
    PeerError
        If one is longer than any event is.
    """
    rest, block = b"", Block()
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _LONGEST_BLOCK:
            raise PeerError("an event is longer than any event is")
        for raw in lines:
            line = raw.removesuffix(b"\r").decode("utf-8", "replace")
            if not line:
                yield block
                block = Block()
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                block.data.append(value)
            elif name == "id":
                block.id = value
            elif name == "event":
                block.event = value


def follow(
    requests: Requests,
    *,
    after: int | None = None,
    types: Sequence[str] = (),
    line: str | None = None,
    stop: Flag | None = None,
    wait: bool = True,
) -> Iterator[EventTold]:
    """What happens at a node, for as long as it is wanted; goes on by itself after every interruption.

    While nothing happens that is wanted, it waits, for ever if need be.

    Parameters
    ----------
    after
        The number of the last event that was seen; None to begin with what happens from now on.
    types, line
        Only of these types, and of this line.
    stop
        When it is set, it ends, within a minute at most.
    wait
        Whether to wait for what happens from now on; without, it ends after what has happened so far.

    Yields
    ------
    EventTold
        Of the type ``reset`` where events were missed that are kept no longer.

    Raises
    ------
    RefusedError
        If the node does not let us read, or has no events of such a type.
    StoreError
        If it does not answer at all; only where it has never answered before.
    """
    stop, answered = stop or Flag(), False
    while not stop.is_set():
        try:
            for event in _once(requests, after, types, line, wait=wait):
                answered = True
                if event is not None:
                    after = event.id
                    if event.type:
                        yield event
                if stop.is_set():
                    return
            if not wait:
                return
        except (httpx.HTTPError, StoreError, RefusedError) as error:
            stop.wait(_pause_s(requests, error, answered=answered))
        stop.wait(_PAUSE_S)


def _pause_s(requests: Requests, error: Exception, *, answered: bool) -> float:
    """How much longer to wait before it is tried again; raises what waiting does not mend."""
    if isinstance(error, RefusedError):
        if error.retry_after_s is None:
            raise error
        return error.retry_after_s
    if not answered:
        raise requests.unreachable(error) if isinstance(error, httpx.HTTPError) else error
    return 0.0


def _once(
    requests: Requests, after: int | None, types: Sequence[str], line: str | None, *, wait: bool
) -> Iterator[EventTold | None]:
    """What one connection brings; first None, when the node has answered."""
    headers = {"accept": "text/event-stream"} | ({} if after is None else {"last-event-id": str(after)})
    asked = (("type", list(types) or None), ("line", line), ("wait", None if wait else "false"))
    params = {name: value for name, value in asked if value is not None}
    timeout = httpx.Timeout(_SILENT_S, connect=10.0)
    with requests.http.stream("GET", f"{PREFIX}/events", headers=headers, params=params, timeout=timeout) as answer:
        if answer.status_code >= 400:
            answer.read()
            raise error_of(answer)
        yield None
        for block in blocks_of(answer.iter_bytes()):
            if block.id.isascii() and block.id.isdigit():
                yield _event(block)


def _event(block: Block) -> EventTold:
    """The event; one without a type for a block that has only a number."""
    if block.event == RESET or not block.data:
        epoch = datetime.fromtimestamp(0, UTC)
        return EventTold(id=int(block.id), at=epoch, type=block.event if block.data else "")
    try:
        return EventTold.model_validate(json.loads("\n".join(block.data)))
    except (ValueError, ValidationError) as error:
        raise PeerError(f"an event that is none: {error}") from None
