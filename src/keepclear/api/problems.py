"""Every failure as one shape: problem details (RFC 9457), with all faults that a caller can mend.

``faults`` lists what is wrong as `keepclear.errors.Fault` says it: which field, what was given (shortened, and never
what a secret field held), and what would be right. Nothing of the program's inside is told: what happened there is in
the log, under the same request id.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from keepclear.errors import Fault, InputError, IntegrityError, KeepclearError, PeerError, StoreError
from keepclear.node.refusals import (
    ClashError,
    GoneError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    StaleError,
    TooManyTriesError,
    UnconditionalError,
)
from keepclear.values.faults import fault_of
from keepclear.values.problems import FaultTold, Problem

__all__ = ["MEDIA_TYPE", "FaultTold", "Problem", "problem_bytes", "problem_of", "problem_response"]
__all__ += ["add_handlers", "request_id_of", "response_to"]

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger("keepclear.api")
_MOST_FAULTS = 100
_SHOWN = 80
_SECRET = frozenset(
    {"password", "old", "new", "secret", "token", "words", "invitation", "passphrase", "authorization", "cookie"}
)

# The first that fits counts.
_STATUS_OF: Mapping[type[KeepclearError], HTTPStatus] = {
    NotSignedInError: HTTPStatus.UNAUTHORIZED,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    GoneError: HTTPStatus.GONE,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ClashError: HTTPStatus.CONFLICT,
    StaleError: HTTPStatus.PRECONDITION_FAILED,
    UnconditionalError: HTTPStatus.PRECONDITION_REQUIRED,
    TooManyTriesError: HTTPStatus.TOO_MANY_REQUESTS,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PeerError: HTTPStatus.BAD_GATEWAY,
    IntegrityError: HTTPStatus.CONFLICT,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_TITLE_OF: Mapping[type[KeepclearError], str] = {
    NotSignedInError: "Not signed in",
    NotAllowedError: "Not allowed",
    GoneError: "No longer there",
    NotFoundError: "Not found",
    ClashError: "What is there does not allow it",
    StaleError: "Changed meanwhile",
    UnconditionalError: "Say which version",
    TooManyTriesError: "Too often",
    InputError: "The request cannot be taken as it stands",
    PeerError: "Another party's node did not answer as it should",
    IntegrityError: "The record does not allow it",
    StoreError: "It cannot be kept now",
}
_RETRY_S = 5


def problem_of(error: Exception, request_id: str) -> tuple[Problem, dict[str, str]]:
    """The problem that an error is to its caller, and headers that go with it."""
    if not isinstance(error, KeepclearError):
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        detail = "A fault of keepclear's own. What happened is in the node's log, under this request's id."
        return _problem(status, "keepclear went wrong", detail, request_id, []), {}
    kind = next(kind for kind in _STATUS_OF if isinstance(error, kind))
    faults = error.faults if isinstance(error, InputError) else [Fault(" ".join(str(error).split())[:1000])]
    problem = _problem(_STATUS_OF[kind], _TITLE_OF[kind], "", request_id, faults)
    headers = {}
    if isinstance(error, TooManyTriesError):
        headers["retry-after"] = str(error.retry_after_s)
    elif isinstance(error, StoreError):
        headers["retry-after"] = str(_RETRY_S)
    elif isinstance(error, NotSignedInError):
        headers["www-authenticate"] = 'Bearer realm="keepclear"'
    return problem, headers


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem as the answer to a request."""
    return JSONResponse(problem.model_dump(), problem.status, headers=headers, media_type=MEDIA_TYPE)


def problem_bytes(status: int, fault: Fault, request_id: str, *, title: str = "") -> bytes:
    """A problem of which only one fault is known, for what answers outside FastAPI."""
    known = HTTPStatus(status)
    return json.dumps(_problem(known, title or known.phrase, "", request_id, [fault]).model_dump()).encode()


def add_handlers(app: FastAPI) -> None:
    """Make everything that an endpoint can raise a problem."""
    app.add_exception_handler(KeepclearError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def request_id_of(request: Request) -> str:
    """The id under which this request is logged."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def response_to(error: KeepclearError, request_id: str) -> JSONResponse:
    """The answer to a request of which this error came; what a person should look into is logged."""
    problem, headers = problem_of(error, request_id)
    if problem.status >= 500 or isinstance(error, IntegrityError):
        _LOG.error("%s", error, extra={"request_id": request_id})
    return problem_response(problem, headers)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KeepclearError)
    return response_to(error, request_id_of(request))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [fault_of(one) for one in error.errors()[:_MOST_FAULTS]]
    status, title = HTTPStatus.UNPROCESSABLE_ENTITY, _TITLE_OF[InputError]
    return problem_response(_problem(status, title, "", request_id_of(request), faults))


async def _http(request: Request, error: Exception) -> JSONResponse:
    """What the router itself says: no such path, no such method."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    told = {
        HTTPStatus.NOT_FOUND: Fault(
            "there is nothing at this path", "a path of the description at /api/v1/openapi.json"
        ),
        HTTPStatus.METHOD_NOT_ALLOWED: Fault(
            "this path has no such method", f"one of {headers.get('Allow', headers.get('allow', ''))}"
        ),
    }
    fault = told.get(status, Fault(str(error.detail)))
    return problem_response(_problem(status, status.phrase, "", request_id_of(request), [fault]), headers)


def _problem(status: HTTPStatus, title: str, detail: str, request_id: str, faults: Iterable[Fault]) -> Problem:
    every = list(faults)
    told = [_told(fault) for fault in every[:_MOST_FAULTS]]
    if len(every) > _MOST_FAULTS:
        told.append(FaultTold(problem=f"and {len(every) - _MOST_FAULTS} more"))
    sentences = [f"{one.problem}; {one.right}" if one.right else one.problem for one in told[:3]]
    return Problem(
        type=f"urn:keepclear:{status.value}", title=title, status=status.value, detail=detail or ". ".join(sentences),
        instance=f"urn:keepclear:request:{request_id}", faults=told,
    )  # fmt: skip


def _told(fault: Fault) -> FaultTold:
    return FaultTold(
        problem=_short(fault.problem, 500), right=_short(fault.right, 1000), field=_short(fault.field, 200),
        value="" if _is_secret(fault.field.replace("[", ".").split(".")) else _short(fault.value, _SHOWN),
        feature=_short(fault.feature, 200),
    )  # fmt: skip


def _is_secret(parts: Iterable[str]) -> bool:
    return any(part.lower() in _SECRET for part in parts)


def _short(text: str, most: int) -> str:
    # Lone surrogates, which JSON can write, have no UTF-8.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= most else text[: most - 1] + "…"
