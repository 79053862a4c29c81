"""A real node behind a real server on a loopback port, for the tests of the API."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from keepclear.api.app import create_app
from keepclear.clock import now_s
from keepclear.node.actors import OPERATOR
from keepclear.node.folder import NodeFolder
from keepclear.node.roles import Role
from keepclear.node.running import Node
from keepclear.node.users import Change

PASSWORD = "harbour lantern seven mule"
NEW_PASSWORD = "quiet copper window of march"


@dataclass
class Clock:
    """The real clock, and how much later it is made."""

    later_s: float = 0.0

    def __call__(self) -> float:
        return now_s() + self.later_s


@dataclass
class Served:
    """A node, where it is, and people at it."""

    node: Node
    url: str
    clock: Clock
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, **options: Any) -> httpx.Client:
        client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30, **options)
        self.clients.append(client)
        return client

    def add(self, name: str, *roles: Role, password: str | None = NEW_PASSWORD) -> None:
        """A user who has changed the password that they were given."""
        users = self.node.access.users
        users.add(OPERATOR, name, roles=roles, password=password and PASSWORD)
        if password:
            signed_in = self.node.access.sign_ins.sign_in(name, PASSWORD, address="127.0.0.1")
            users.change_own_password(signed_in.actor, PASSWORD, password)

    def signed_in(self, name: str, *roles: Role, password: str = NEW_PASSWORD) -> httpx.Client:
        """A browser in which a user has signed in; the user is made if roles are given."""
        if roles:
            self.add(name, *roles, password=password)
        client = self.client()
        answer = client.post("/sessions", json={"name": name, "password": password})
        assert answer.status_code == 201, answer.text
        return client

    def with_token(self, name: str, *roles: Role, scopes: list[str]) -> httpx.Client:
        """A program that has a token of a user; the user is made if roles are given."""
        if roles:
            self.add(name, *roles, password=None)
        token, _ = self.node.access.tokens.make(OPERATOR, name, label="a test", scopes=scopes)
        return self.client(headers={"authorization": f"Bearer {token}"})

    def disable(self, name: str) -> None:
        self.node.access.users.change(OPERATOR, name, Change(disabled=True))


@contextmanager
def serving(path: Path, *, party: str = "RU") -> Iterator[Served]:
    """A node in a new folder, served until the block ends."""
    folder = NodeFolder.create(path / "node", party)
    clock = Clock()
    with Node.open(folder, clock=clock) as node:
        config = uvicorn.Config(create_app(node), host="127.0.0.1", port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, name="served", daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
            port = server.servers[0].sockets[0].getsockname()[1]
            served = Served(node, f"http://127.0.0.1:{port}", clock)
            yield served
            for client in served.clients:
                client.close()
        finally:
            server.should_exit = True
            thread.join()
