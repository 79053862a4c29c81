"""What is round every request: an id, a line in the log, careful headers, and an answer even where we went wrong."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepclear.api.answering import send_whole
from keepclear.api.problems import problem_of
from keepclear.node.actors import Actor

__all__ = ["Frame"]

_LOG = logging.getLogger("keepclear.api")
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_CAREFUL = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class Frame:
    """ASGI middleware that is outside all others.

    Parameters
    ----------
    app
        What comes after it.
    stopwatch
        Seconds on a clock that never goes back.
    """

    def __init__(self, app: ASGIApp, *, stopwatch: Callable[[], float]) -> None:
        self._app = app
        self._stopwatch = stopwatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        begun_s, status = self._stopwatch(), 0

        async def careful(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, MutableHeaders(raw=message.setdefault("headers", [])), request_id)
            await send(message)

        try:
            await self._app(scope, receive, careful)
        except Exception as error:  # noqa: BLE001  # logged with all it says; a server has to answer
            # Whatever it was is ours to mend; the caller is told only where to find it.
            _LOG.exception("request failed", extra={"request_id": request_id})
            if status == 0:
                problem, headers = problem_of(error, request_id)
                await send_whole(careful, problem.status, problem.model_dump_json().encode(), headers)
        finally:
            self._log(scope, request_id, status, self._stopwatch() - begun_s)

    @staticmethod
    def _log(scope: Scope, request_id: str, status: int, took_s: float) -> None:
        actor = scope["state"].get("actor")
        told = {
            "request_id": request_id,
            "method": scope["method"],
            "path": scope["path"][:500],
            "status": status,
            "took_ms": round(took_s * 1000, 1),
            "address": (scope.get("client") or ("",))[0],
            "user": actor.user if isinstance(actor, Actor) else "",
        }
        # Parameters, headers and bodies are left out: they say where people are, and what proves who they are.
        _LOG.info("%s %s %s", told["method"], told["path"], status, extra=told)


def _add_headers(scope: Scope, headers: MutableHeaders, request_id: str) -> None:
    headers["x-request-id"] = request_id
    for name, value in _CAREFUL.items():
        headers.setdefault(name, value)
    if scope.get("scheme") == "https":
        headers.setdefault("strict-transport-security", "max-age=31536000")
