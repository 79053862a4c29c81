"""What peers send goes to one of a node's processes: the one that leads.

It alone talks to them, and remembers what it has asked of whom. Where several processes share the sockets, any of them
may be given a peer's request; it hands it on as it came. The peer has signed it, so nothing is trusted on the way.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from keepclear.node.peer_desk import PREFIX

__all__ = ["HandingOn"]

# A turn waits for as long as there is nothing to say, and an upload for as long as it takes.
_PATIENCE = httpx.Timeout(90.0, connect=2.0)
_OF_CONNECTION = {b"connection", b"keep-alive", b"transfer-encoding", b"te", b"trailer", b"upgrade"}


class HandingOn:
    """An ASGI application around another one.

    Parameters
    ----------
    app
        What is served here.
    leads
        Whether this process leads.
    leader
        Where the one that leads is reached; None if it is not known.
    """

    def __init__(self, app: Any, *, leads: Callable[[], bool], leader: Callable[[], str | None]) -> None:
        self._app, self._leads, self._leader = app, leads, leader
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request here, or hand it on."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/") or self._leads():
            await self._app(scope, receive, send)
            return
        url = self._leader()
        if url is None:
            await _not_now(send)
            return
        await self._hand_on(url, scope, receive, send)

    async def _hand_on(self, url: str, scope: Any, receive: Any, send: Any) -> None:
        if self._client is None:
            # Over loopback, and what comes is signed: whose certificate it is does not matter.
            self._client = httpx.AsyncClient(verify=False, timeout=_PATIENCE, trust_env=False)  # noqa: S501
        query = scope["query_string"].decode("ascii")
        target = f"{url}{scope['raw_path'].decode('ascii')}{'?' if query else ''}{query}"
        headers = [(name, value) for name, value in scope["headers"] if name not in _OF_CONNECTION]
        request = httpx.Request(scope["method"], target, headers=headers, content=_body(receive))
        begun = False
        try:
            answer = await self._client.send(request, stream=True)
            try:
                kept = [(name, value) for name, value in answer.headers.raw if name.lower() not in _OF_CONNECTION]
                await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
                begun = True
                async for data in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": data, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                await answer.aclose()
        except (httpx.HTTPError, _GoneError):
            if begun:
                raise  # half an answer: the connection is closed, and the peer asks again
            await _not_now(send)


class _GoneError(Exception):
    """Whoever asked has gone."""


async def _body(receive: Any) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _not_now(send: Any) -> None:
    """Nobody leads at the moment; the peer asks again."""
    told = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "ask again in a moment"}
    headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"2")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
