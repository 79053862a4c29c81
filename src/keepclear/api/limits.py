"""What no request may be, whatever it is for: checked before an endpoint sees any of it.

Bodies are JSON in UTF-8, read strictly (RFC 7493: no name twice, no number that a double does not hold, nesting of at
most 64), of bounded length, and whole within half a minute. Paths and parameters are UTF-8 without control characters.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import Path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepclear.api.answering import refused_with
from keepclear.errors import Fault, InputError, PeerError
from keepclear.node.actors import Actor
from keepclear.record.canonical import MOST_INTEGER, parse

__all__ = ["LONG", "MOST_BYTES", "RAW", "Limits", "RowId"]

MOST_BYTES = 4 * 2**20
"""Bytes of a request's body, where `RAW` says nothing else."""
LONG: Mapping[str, int] = {r"/api/v1/agreements(?:/[^/]+/versions)?": 24 * 2**20}
"""Paths whose JSON may be longer, and by how much: the document of an agreement, with its maps."""
RAW: Mapping[str, int] = {r"/api/v1/lines/[^/]+/bundles": 2**36}
"""Paths whose bodies are no JSON and are read piece by piece by what they are for; and how many bytes they may have."""

LINES = frozenset({"/api/v1/positions"})
"""Paths whose bodies may be lines of JSON (``application/x-ndjson``), each read by what they are for."""

RowId = Annotated[int, Path(ge=1, le=MOST_INTEGER, description="The number of it.")]
"""Parameter of a path that is the number of a row."""

_OURS = ("/api/", "/healthz", "/readyz", "/metrics")  # what peers send at /line/ has limits of its own
_STRANGERS_BYTES = 16 * 2**10
_MOST_CONTAINERS = 200_000
_LONGEST_TARGET = 8 * 2**10
_WHOLE_WITHIN_S = 30.0
_LARGE = 64 * 2**10  # from here on reading takes long enough to be done beside the event loop
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # lines and tabs are for people
_JSON = re.compile(r"application/json\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)
_LONG = tuple((re.compile(pattern), most) for pattern, most in LONG.items())
_LINES = re.compile(r"application/x-ndjson\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)
_RAW = tuple((re.compile(pattern), most) for pattern, most in RAW.items())


class _RefusedError(Exception):
    """Why a request goes no further."""

    def __init__(self, status: int, fault: Fault | None) -> None:
        super().__init__(status)
        self.status = status
        self.fault = fault  # None where nobody is there any more to be told


class Limits:
    """ASGI middleware that lets through only what can be a request; it leaves the body whole as ``state["body"]``.

    Parameters
    ----------
    app
        What comes after it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http" or not scope["path"].startswith(_OURS):
            await self._app(scope, receive, send)
            return
        try:
            _check_target(scope)
            most = next((most for pattern, most in _RAW if pattern.fullmatch(scope["path"])), None)
            if most is not None and scope["method"] == "POST":
                receive = _bounded(receive, _checked_length(scope, most))
            else:
                receive = _again(await _checked_body(scope, receive), receive)
        except _RefusedError as refusal:
            if refusal.fault is not None:
                # What is left of the body is not waited for, so that the connection cannot be used again.
                await refused_with(scope, send, refusal.status, refusal.fault, {"connection": "close"})
            return
        await self._app(scope, receive, send)


def _check_target(scope: Scope) -> None:
    """Refuse a path or parameters that are too long, no UTF-8, or have control characters."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    if len(raw) + len(query) > _LONGEST_TARGET:
        raise _RefusedError(414, Fault("the address is too long", f"at most {_LONGEST_TARGET} bytes"))
    try:
        path = unquote_to_bytes(raw.partition(b"?")[0]).decode()
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except UnicodeDecodeError:
        raise _RefusedError(400, Fault("the address is not UTF-8", "percent-encoded UTF-8")) from None
    except ValueError:
        raise _RefusedError(400, Fault("too many parameters", "at most 100")) from None
    if _CONTROL.search(path):
        raise _RefusedError(400, Fault("the path has a control character", "a path without"))
    for name, value in pairs:
        if _CONTROL.search(name) or _CONTROL.search(value):
            fault = Fault("the parameter has a control character", "text without", field=_CONTROL.sub("", name))
            raise _RefusedError(400, fault)


async def _checked_body(scope: Scope, receive: Receive) -> bytes:
    signed_in = isinstance(scope["state"].get("actor"), Actor)
    longest = next((most for pattern, most in _LONG if pattern.fullmatch(scope["path"])), MOST_BYTES)
    most = _checked_length(scope, longest)
    if not signed_in and _content_length(scope) > _STRANGERS_BYTES:
        raise _RefusedError(401, Fault("sign in first", "a session or a token that is in force"))
    try:
        async with asyncio.timeout(_WHOLE_WITHIN_S):
            body = await _whole(receive, most if signed_in else _STRANGERS_BYTES)
    except TimeoutError:
        fault = Fault("the body did not come whole", f"all of it within {_WHOLE_WITHIN_S:.0f} s")
        raise _RefusedError(408, fault) from None
    if body and _is_lines(scope):
        scope["state"]["body"] = body
        return body
    if body:
        _check_type(scope)
        await (run_in_threadpool(_check_json, body, most) if len(body) > _LARGE else _at_once(body))
    scope["state"]["body"] = body
    return body


async def _at_once(body: bytes) -> None:
    _check_json(body, MOST_BYTES)


def _checked_length(scope: Scope, most: int) -> int:
    if _content_length(scope) > most:
        raise _too_long(most)
    if scope["method"] in {"GET", "HEAD"} and (_content_length(scope) or Headers(scope=scope).get("transfer-encoding")):
        raise _RefusedError(400, Fault(f"a {scope['method']} has no body", "leave it out"))
    return most


def _content_length(scope: Scope) -> int:
    # The server has refused lengths that are no numbers, or are said twice.
    text = Headers(scope=scope).get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 2**62


async def _whole(receive: Receive, most: int) -> bytes:
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _RefusedError(400, None)
        part = message.get("body", b"")
        length += len(part)
        if length > most:
            raise _too_long(most)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _is_lines(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    plain = headers.get("content-encoding", "identity").lower() == "identity"
    kinds = headers.getlist("content-type")
    return scope["path"] in LINES and plain and len(kinds) == 1 and _LINES.fullmatch(kinds[0].strip()) is not None


def _check_type(scope: Scope) -> None:
    headers = Headers(scope=scope)
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        fault = Fault("the body is packed", "leave it as it is", field="Content-Encoding", value=encoding)
        raise _RefusedError(415, fault)
    kind = headers.get("content-type", "")
    if len(headers.getlist("content-type")) != 1 or not _JSON.fullmatch(kind.strip()):
        fault = Fault("the body is not said to be JSON", "application/json", field="Content-Type", value=kind)
        raise _RefusedError(415, fault)


def _check_json(body: bytes, most: int) -> None:
    if body.count(b"[") + body.count(b"{") > _MOST_CONTAINERS:
        raise _RefusedError(413, Fault(f"more than {_MOST_CONTAINERS} lists and objects", "send it in parts"))
    try:
        value = parse(body, limit=most)
    except PeerError as error:
        raise _RefusedError(400, Fault(f"the body cannot be read: {error}", "JSON as RFC 7493 has it")) from None
    if b"\\" in body or b"\x7f" in body or not body.isascii():
        for place, text in _texts(value, ""):
            if _CONTROL_IN_TEXT.search(text):
                right = "text without; lines and tabs are taken"
                raise _RefusedError(422, Fault("a control character in a text", right, field=place or "body"))


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """All texts of a value, names of members too, and where each is."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield place, name
            yield from _texts(member, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, f"{place}[{number}]")


def _again(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """What gives a body that was read already, and then what the connection says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _bounded(receive: Receive, most: int) -> Callable[[], Awaitable[Message]]:
    """What passes a body on piece by piece, and no more than `most` bytes of it."""
    length = 0

    async def bounded() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > most:
            raise InputError(Fault(f"the body is longer than {most} bytes", "send it in parts"))
        return message

    return bounded


def _too_long(most: int) -> _RefusedError:
    return _RefusedError(413, Fault("the body is too long", f"at most {most} bytes"))
