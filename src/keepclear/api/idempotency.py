"""Requests that are sent twice and done once: the header ``Idempotency-Key`` of any POST.

What is kept is the answer to a request that was done. One that was refused did nothing, and gives its key back. After a
failure on our side (5xx) the key stays taken, as it is not known how far it had come.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepclear.api.answering import refused, refused_with, send_whole
from keepclear.errors import Fault, KeepclearError
from keepclear.node.actors import Actor
from keepclear.node.kept_answers import KeptAnswers, Standing
from keepclear.store.node.idempotency import KeptAnswer

__all__ = ["HEADER", "Idempotency"]

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WAIT_S = 10.0  # for the same request that is being done
_STEP_S = 0.05
_KEPT_HEADERS = frozenset({"content-type", "location", "etag"})
# Their answers hold secrets, which are kept nowhere; each makes something new, and a second one does no harm.
_NEVER = re.compile(r"/api/v1/(?:sessions|users/[^/]+/tokens|lines/[^/]+/invitations|lines/[^/]+/bundles)")


class Idempotency:
    """ASGI middleware that does no request twice.

    Parameters
    ----------
    app
        What comes after it.
    kept
        The answers.
    secret
        Keeps the hashes of requests from telling what was in them.
    """

    def __init__(self, app: ASGIApp, *, kept: KeptAnswers, secret: bytes) -> None:
        self._app = app
        self._kept = kept
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        actor = scope.get("state", {}).get("actor")
        keys = Headers(scope=scope).getlist(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else []
        if not keys or not isinstance(actor, Actor) or _NEVER.fullmatch(scope["path"]) or "body" not in scope["state"]:
            await self._app(scope, receive, send)
            return
        if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
            right = "once, 1 to 255 visible ASCII characters, such as a UUID"
            await refused_with(scope, send, 400, Fault("not a key", right, field=HEADER, value=keys[0]))
            return
        await self._once(actor.user, keys[0], scope, receive, send)

    async def _once(self, user: str, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        request_hash = self._hash(scope)
        try:
            found = await run_in_threadpool(self._kept.take, user, key, request_hash)
            waited_s = 0.0
            while found.standing is Standing.RUNNING and waited_s < _WAIT_S:
                await asyncio.sleep(_STEP_S)
                waited_s += _STEP_S
                found = await run_in_threadpool(self._kept.take, user, key, request_hash)
        except KeepclearError as error:
            await refused(scope, send, error)
            return
        if found.standing is Standing.RUNNING:
            fault = Fault("the same request is being done", "wait, and send it again with this key", field=HEADER)
            await refused_with(scope, send, 409, fault, {"retry-after": "1"})
        elif found.answer is not None:
            await _give_again(send, found.answer)
        else:
            await self._do(user, key, scope, receive, send)

    async def _do(self, user: str, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer.send)
        finally:
            # Not even a caller who has gone keeps this from being done: they come again, and must find it.
            await asyncio.shield(run_in_threadpool(self._settle(user, key, answer)))

    def _settle(self, user: str, key: str, answer: _Answer) -> Callable[[], None]:
        if answer.is_whole and 200 <= answer.status < 300:
            return lambda: self._kept.put(user, key, answer.status, answer.headers, answer.body)
        if answer.is_whole and 300 <= answer.status < 500:
            return lambda: self._kept.drop(user, key)
        return lambda: self._kept.leave(user, key)

    def _hash(self, scope: Scope) -> bytes:
        target = b"\0".join((scope["path"].encode(), scope.get("query_string", b""), scope["state"]["body"]))
        return hmac.digest(self._secret, target, "sha256")


class _Answer:
    """An answer on its way, and a copy of it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._parts: list[bytes] = []
        self.status = 0
        self.headers: tuple[tuple[str, str], ...] = ()
        self.is_whole = False

    @property
    def body(self) -> bytes:
        return b"".join(self._parts)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            lines: list[tuple[Any, Any]] = [
                (name.decode("latin-1").lower(), value) for name, value in message["headers"]
            ]
            self.headers = tuple((name, value.decode("latin-1")) for name, value in lines if name in _KEPT_HEADERS)
        elif message["type"] == "http.response.body":
            self._parts.append(bytes(message.get("body", b"")))
            self.is_whole = not message.get("more_body", False)
        await self._send(message)


async def _give_again(send: Send, answer: KeptAnswer) -> None:
    headers = dict(answer.headers)
    kind = headers.pop("content-type", "application/json")
    assert answer.status is not None
    again = {**headers, "idempotency-replayed": "true"}
    await send_whole(send, answer.status, answer.body, again, media_type=kind)
