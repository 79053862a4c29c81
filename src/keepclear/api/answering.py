"""Answers of what stands before FastAPI: problems, sent by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.types import Scope, Send

from keepclear.api.problems import MEDIA_TYPE, problem_bytes, problem_of
from keepclear.errors import Fault, KeepclearError

__all__ = ["refused", "refused_with", "send_whole"]


async def refused(scope: Scope, send: Send, error: KeepclearError) -> None:
    """Answer with the problem that an error is."""
    problem, headers = problem_of(error, _request_id(scope))
    await send_whole(send, problem.status, json.dumps(problem.model_dump()).encode(), headers)


async def refused_with(
    scope: Scope, send: Send, status: int, fault: Fault, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a status, and the one fault that is the reason."""
    await send_whole(send, status, problem_bytes(status, fault, _request_id(scope)), headers or {})


async def send_whole(
    send: Send, status: int, body: bytes, headers: Mapping[str, str], *, media_type: str = MEDIA_TYPE
) -> None:
    """Send a whole answer."""
    lines = {"content-type": media_type, "content-length": str(len(body)), **headers}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _request_id(scope: Scope) -> str:
    return str(scope.get("state", {}).get("request_id", ""))
