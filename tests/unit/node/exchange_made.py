"""Whole nodes as far as they exchange logs: real files, real sockets on loopback, no screens and no tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI

from keepclear.api.peers import peers_router
from keepclear.clock import now_s
from keepclear.node.actors import OPERATOR
from keepclear.node.exchange import Exchange
from keepclear.node.own_log import Outgoing
from keepclear.node.peers import Peers
from keepclear.node.settings import write_settings
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.record.entries import EntryRef
from keepclear.store.node.events import Event, since
from tests.serving import serving
from tests.unit.node.lines_made import MadeNode

LINE = "north-east"


class Talking(MadeNode):
    """A node that talks to others.

    Parameters
    ----------
    heartbeat_s
        Often, where a test is about heartbeats.
    ahead_s
        How far its clock is ahead.
    """

    def __init__(self, path: Path, party: str, *, heartbeat_s: float = 60.0, ahead_s: float = 0.0) -> None:
        self.ahead_s, self.heartbeat_s = ahead_s, heartbeat_s
        super().__init__(path, party)
        self.party = party
        self.alarms: list[tuple[str, str]] = []
        self.over: list[tuple[str, str]] = []
        self.peers = Peers(self.records, self.cards, self.bell, membership_of=self.reader.of)
        self._stack = ExitStack()
        self.address = ""
        self.make_exchange()

    def clock(self) -> float:
        return now_s() + self.ahead_s

    def make_exchange(self) -> None:
        self.settings = replace(self.folder.settings, heartbeat_s=self.heartbeat_s, address=self.address)
        self.exchange = Exchange(
            self.records, self.peers, self.database, self.bell, self.settings, self.clock,
            alarm=lambda kind, sentence, **_: self.alarms.append((str(kind), sentence)),
            over=lambda kind, key: self.over.append((kind, key)), joining=self.lines,
        )  # fmt: skip
        self.desk = self.exchange.desk

    def open_door(self) -> None:
        """Listen, and say on the card where."""
        app = FastAPI()
        app.include_router(peers_router(self))
        self.address = self._stack.enter_context(serving(app))
        write_settings(self.folder.path, {"address": self.address})
        self.folder.__dict__.pop("settings", None)  # it is read once
        self.exchange._settings = replace(self.settings, address=self.address)

    def close_door(self) -> None:
        """Listen no more; nobody can call."""
        self._stack.close()

    def start(self) -> None:
        self.welcoming.start()
        self.exchange.start()

    def say(self, text: str, *to: str, attachments: tuple[bytes, ...] = ()) -> EntryRef:
        (ref,) = self.records.say(LINE, [Outgoing(MessageBody(text=text), tuple(to), attachments=attachments)])
        return ref

    def events(self, kind: str) -> list[Event]:
        with self.database.reading() as conn:
            return [one for one in since(conn, 0, limit=10_000) if one.type == kind]

    def holds(self, ref: EntryRef) -> bool:
        """Whether an entry is here with its body."""
        there = ref.origin in self.records.origins(LINE) and self.records.size(ref.origin) > ref.index
        return there and self.records.entry(ref.origin, ref.index).body is not None

    def close(self) -> None:
        self.exchange.stop()
        self.welcoming.stop()
        self.close_door()
        super().close()


def until(found: Callable[[], object], *, within_s: float = 60.0) -> float:
    """Wait until something is so; how long it took."""
    begun = time.perf_counter()
    while not found():
        assert time.perf_counter() - begun < within_s, "it did not happen in time"
        time.sleep(0.005)
    return time.perf_counter() - begun


def introduce(a: Talking, b: Talking) -> None:
    """Bring b onto the line of a, over the network."""
    written = a.lines.invite(LINE, by=OPERATOR)
    b.lines.join(written.data, a.words, by=OPERATOR)
    until(lambda: any(one.party == b.party for one in a.lines.acceptances(LINE)))
    a.lines.admit(LINE, b.party, b.words, by=OPERATOR)
    for node in (a, b):
        until(lambda node=node: set(node.lines.members(LINE).members) >= {a.party, b.party})


@contextmanager
def talking(
    path: Path,
    parties: str = "AB",
    *,
    behind_nat: str = "",
    heartbeat_s: float = 60.0,
    ahead: dict[str, float] | None = None,
) -> Iterator[tuple[Talking, ...]]:
    """Nodes on one line, the first its founder, talking; those behind NAT cannot be called."""
    with ExitStack() as stack:
        nodes = []
        for party in parties:
            node = Talking(path / party, party, heartbeat_s=heartbeat_s, ahead_s=(ahead or {}).get(party, 0.0))
            stack.callback(node.close)
            nodes.append(node)
            if party not in behind_nat:
                node.open_door()
        first, *others = nodes
        first.lines.new(LINE, by=OPERATOR)
        for node in nodes:
            node.start()
        for node in others:
            introduce(first, node)
        for node in nodes:
            until(lambda node=node: set(node.lines.members(LINE).members) == set(parties))
        yield tuple(nodes)


FLASH = MessageBody(text="we are being hit", priority=Priority.FLASH)
