"""Two parties on one line: two real nodes, each behind a real server on loopback, in the process of the tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keepclear.api.app import create_app
from keepclear.client.client import Client
from keepclear.clock import now_s
from keepclear.node.actors import OPERATOR
from keepclear.node.folder import NodeFolder
from keepclear.node.roles import Role
from keepclear.node.running import Node
from keepclear.record.fingerprints import words
from keepclear.values.filings import OperationAsked
from tests.nodes import free_port
from tests.serving import serving

__all__ = ["LINE", "START_S", "Place", "pair_served", "patrol", "wait_for"]

LINE = "north"
START_S = now_s() // 60.0 * 60.0 + 3 * 86_400.0
"""When what is filed here begins: in three days."""


@dataclass
class Place:
    """A node, where it is, and a client of the owner of its folder."""

    node: Node
    url: str
    client: Client
    clients: list[Client] = field(default_factory=list)

    @property
    def party(self) -> str:
        return self.node.party

    @property
    def words(self) -> str:
        """What its people read out over the telephone."""
        return " ".join(words(self.node.folder.identity))

    def with_scopes(self, name: str, *scopes: str, role: Role = Role.DUTY_OFFICER) -> Client:
        """A client with a token that may do just this; the user is made if need be."""
        if all(one.name != name for one in self.client.users()):
            self.node.access.users.add(OPERATOR, name, roles=[role], password=None)
        token, _ = self.node.access.tokens.make(OPERATOR, name, label="a test", scopes=list(scopes))
        client = Client(self.url, token=token)
        self.clients.append(client)
        return client


@contextmanager
def pair_served(path: Path, *, databases: Mapping[str, str] | None = None) -> Iterator[tuple[Place, Place]]:
    """RU, which began the line, and TR, which it invited; `databases`: the addresses of theirs, else files."""
    kept = databases or {}
    with ExitStack() as stack:
        ru, tr = (stack.enter_context(_served(path / party, party, kept.get(party))) for party in ("RU", "TR"))
        join(ru, tr)
        yield ru, tr


def join(one: Place, other: Place) -> None:
    """Bring the other party onto the line, as their people would."""
    one.client.begin_line("North", line=LINE)
    _, invitation = one.client.invite(LINE)
    assert other.client.look(invitation).party == one.party
    other.client.join(invitation, one.words)
    wait_for(lambda: [found.party for found in one.client.acceptances(LINE)] == [other.party])
    one.client.admit(LINE, other.party, other.words)
    for place in (one, other):
        wait_for(lambda place=place: len(place.client.line(LINE).members) == 2)
        wait_for(lambda place=place: place.client.status(LINE).channels[0].state == "up")


def patrol(party: str, number: str, *, lon_deg: float = 40.6, minutes: float = 0.0, **more: Any) -> OperationAsked:
    """An operation to be filed; of the same longitude and time they come too close."""
    start_s = START_S + minutes * 60.0
    circle = {"shape": "circle", "lon_deg": lon_deg, "lat_deg": 37.0, "radius_m": 500.0}
    volume = {"footprint": circle, "start_s": start_s, "end_s": start_s + 3600.0}
    plan = {"party": party, "id": number, "kind": "patrol", "volumes": [volume], "name": f"patrol {number}"}
    return OperationAsked.model_validate({"line": LINE, "operation": plan, **more})


def wait_for(found: Callable[[], object], *, timeout_s: float = 60.0) -> Any:
    """What is found as soon as it is anything."""
    tick = threading.Event()
    for _ in range(int(timeout_s / 0.05)):
        if one := found():
            return one
        tick.wait(0.05)
    raise AssertionError("it did not come")


@contextmanager
def _served(path: Path, party: str, database: str | None) -> Iterator[Place]:
    port = free_port()
    options = {"address": f"http://127.0.0.1:{port}", "port": port, "heartbeat_s": 1.0, "database": database}
    NodeFolder.create(path, party)
    with Node.open(NodeFolder(path, options=options)) as node, serving(create_app(node), port=port) as url:
        node.start()
        with Client(url, token=node.folder.local_token()) as client:
            place = Place(node, url, client)
            try:
                yield place
            finally:
                for one in place.clients:
                    one.close()
                node.stop()  # before the server, which waits for its streams
