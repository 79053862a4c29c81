"""The application makes its routes before it serves: what FastAPI does when it is first asked no two threads may do."""

from __future__ import annotations

import asyncio

import fastapi.routing
import pytest

from keepclear.api.app import create_app
from keepclear.node.folder import NodeFolder
from keepclear.node.running import Node


def ask(app, path):
    """The status of the answer, without a socket."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
        "raw_path": path.encode(), "root_path": "", "scheme": "http", "query_string": b"", "headers": [],
        "client": ("127.0.0.1", 9), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    told = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    asyncio.run(app(scope, receive, send))
    return told[0]["status"]


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/me"])
def test_the_first_requests_find_all_routes_made(tmp_path, monkeypatch, path):
    with Node.open(NodeFolder.create(tmp_path / "node", "RU")) as node:
        app = create_app(node)
        made = []
        making = fastapi.routing.get_dependant

        def noted(**given):
            made.append(given["path"])
            return making(**given)

        monkeypatch.setattr(fastapi.routing, "get_dependant", noted)
        assert ask(app, path) < 500
        assert made == []
