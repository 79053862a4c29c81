"""The API's description of itself (OpenAPI): what FastAPI writes, and the problems that every route can answer with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from keepclear import __version__
from keepclear.api.idempotency import HEADER
from keepclear.api.problems import MEDIA_TYPE, Problem

__all__ = ["described_at", "describing"]

_TEXT = """Files what a party plans to do, tells what comes too close, and carries the direct line between parties.

No answer of this API is a permission, and no acknowledgement an approval: *clear* means that no conflict was found in
what is known."""

_ALWAYS = (400, 404, 414, 422, 429, 500, 503)
_METHODS = frozenset({"get", "put", "post", "patch", "delete"})
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same request sent again with the same key is done once; kept for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def describing(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What gives the description of `app`, made once."""
    making = threading.Lock()

    def described() -> dict[str, Any]:
        with making:
            if app.openapi_schema is None:
                app.openapi_schema = _described(app)
            return app.openapi_schema

    return described


def described_at(app: FastAPI, path: str) -> None:
    """Give the description at a path.

    FastAPI's own endpoint makes it in the event loop, and nothing else is answered for the second that this takes.
    """

    def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    app.add_api_route(path, description, include_in_schema=False)


def _described(app: FastAPI) -> dict[str, Any]:
    told = get_openapi(title="keepclear", version=__version__, description=_TEXT, routes=app.routes)
    schemas = told.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    for method, operation in _operations(told):
        parameters = operation.get("parameters", [])
        if method == "post" and "security" in operation:
            operation["parameters"] = [*parameters, _KEY]
        responses = operation.setdefault("responses", {})
        for status in _statuses(method, operation, parameters):
            content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    return told


def _operations(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in told.get("paths", {}).values():
        for method, operation in path.items():
            if method in _METHODS:
                yield method, operation


def _statuses(method: str, operation: dict[str, Any], parameters: list[dict[str, Any]]) -> Iterator[int]:
    yield from _ALWAYS
    if "security" in operation:
        yield from (401, 403)
    if any(one["in"] == "path" for one in parameters):
        yield 410
    if any(one["name"].lower() == "if-match" for one in parameters):
        yield from (412, 428)
    if method != "get":
        yield from (401, 403, 408, 409, 410, 413, 415, 502)
