"""The nodes of a replay: real ones, each with its folder, its record and its HTTP server on this machine.

All share one clock that is stepped. What nodes do as time goes by (line tests, reminders, looking at the disk) does not
run by itself here: it is done at the moments that the clock comes to, so that a replay is the same each time.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from argon2.profiles import CHEAPEST

from keepclear.client.client import Client
from keepclear.clock import monotonic_s
from keepclear.errors import StoreError
from keepclear.line.escalation import next_s
from keepclear.node.actors import OPERATOR
from keepclear.node.folder import NodeFolder
from keepclear.node.passwords import Passwords
from keepclear.node.roles import SCOPES_OF, Role
from keepclear.node.running import Node
from keepclear.record.fingerprints import words
from keepclear.replay.stepped_clock import SteppedClock

__all__ = ["AUTHORITIES", "OFFICER", "OWNER", "Serve", "Server", "Stage", "Stand"]

OFFICER = "officer"
"""The duty officer of each party, who does what the scenario does not give to another."""
AUTHORITIES = ("authority-1", "authority-2")
"""The two persons who bind each party."""
OWNER = "owner"
"""Whoever has the folder: may look at all of it."""
_PATIENCE_S = 120.0
_LOOK_S = 0.1
_TICK_S = 0.001
"""What a node notes in one moment has times a few microseconds apart; a deadline of 60 s is passed at 60.00002 s."""
_HEARTBEAT_S = 600.0
_SESSION_S = 3600.0
_PASSWORDS = Passwords(CHEAPEST)  # those of a replay keep nobody out of anything
_TOKEN_S = 7 * 86_400.0
_PASSWORD = "seven quiet rivers"  # noqa: S105  # of nodes that are reached from this machine alone


class Server(Protocol):
    """Serves a node on a socket that listens (`keepclear.cli.node_server.NodeServer`)."""

    def start(self) -> None:
        """Begin; it answers when this returns."""

    def end(self) -> None:
        """End; what has begun is answered first."""


Serve = Callable[[Node, socket.socket], Server]


@dataclass
class Stand:
    """A party's place in the replay: its node, and its people's ways to it.

    Attributes
    ----------
    node, url
        The node, and where it is served.
    owner
        A client of the folder's owner, who sets it up.
    """

    node: Node
    url: str
    owner: Client
    clock: SteppedClock
    _begun_s: dict[str, float] = field(default_factory=dict, repr=False)
    _clients: dict[str, Client] = field(default_factory=dict, repr=False)

    @property
    def party(self) -> str:
        """Whose it is."""
        return self.node.party

    @property
    def words(self) -> str:
        """What its people read out over the telephone."""
        return " ".join(words(self.node.folder.identity))

    def client(self, person: str = OFFICER) -> Client:
        """The client of one of its people, who signs in anew where their session or token is over."""
        if person == OWNER:
            return self.owner
        client = self._clients.get(person)
        lasts_s = _TOKEN_S if person == OFFICER else _SESSION_S
        if client is not None and self.clock() - self._begun_s[person] < lasts_s:
            return client
        self._begun_s[person] = self.clock()
        if person == OFFICER:
            client = self._clients[person] = self._with_token(client)
        else:  # no token may bind the party
            client = self._clients[person] = self._signed_in(person, client)
        return client

    def _with_token(self, before: Client | None) -> Client:
        """The duty officer."""
        if before is None:
            self.node.access.users.add(OPERATOR, OFFICER, roles=(Role.DUTY_OFFICER,))
        else:
            before.close()
        scopes = sorted(SCOPES_OF[Role.DUTY_OFFICER])
        token, _ = self.node.access.tokens.make(OPERATOR, OFFICER, label="the replay", scopes=scopes)
        return Client(self.url, token=token)

    def _signed_in(self, person: str, before: Client | None) -> Client:
        """One who binds the party."""
        password = f"{_PASSWORD} of {person}"
        client = before
        if client is None:
            client, first = Client(self.url), f"first {password}"
            self.node.access.users.add(OPERATOR, person, roles=(Role.PARTY_AUTHORITY,), password=first)
            client.sign_in(person, first)
            client.change_password(first, password)
        client.sign_in(person, password)
        return client

    def close(self) -> None:
        """Close the clients."""
        for one in (self.owner, *self._clients.values()):
            one.close()


class Stage:
    """All nodes of a replay, brought onto one line. As a context manager it stops them at the end.

    Parameters
    ----------
    folder
        Where each node gets a folder.
    parties
        Names by party; the first begins the line.
    line, line_name
        The line.
    begins_s
        When the clock stands at the beginning.
    serve
        Serves a node.
    """

    def __init__(
        self, folder: Path, parties: Mapping[str, str], *, line: str, line_name: str, begins_s: float, serve: Serve
    ) -> None:
        self.line, self.clock = line, SteppedClock(begins_s)
        self.stands: dict[str, Stand] = {}
        self._line_name, self._serve = line_name, serve
        self._rung = threading.Event()
        with ExitStack() as stack:
            for party, name in parties.items():
                self.stands[party] = self._opened(stack, folder / party.lower(), party, name)
            self._join()
            self._ending = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    @property
    def now_s(self) -> float:
        """What the clock shows."""
        return self.clock()

    def settle(self) -> None:
        """Wait until all that was said is delivered and looked at, and the nodes have said what they say by themselves.

        Raises
        ------
        StoreError
            If it is not within two minutes.
        """
        while True:
            self.until("all is delivered", self._is_still)
            if not any(stand.node.advising.advise_all() for stand in self.stands.values()):
                return

    def look(self) -> None:
        """Settle, do what is due at this time, and settle again."""
        self.settle()
        self._pass_time()
        self.settle()

    def step_to(self, to_s: float) -> None:
        """Let time go by: every moment at which somebody has to be told something is stopped at."""
        while self.now_s < (moment_s := self.next_moment_s(to_s)):
            with self.clock.stepped(moment_s):
                for stand in self.stands.values():
                    stand.node.exchange.beating.pass_over(moment_s)
            self.look()

    def next_moment_s(self, to_s: float) -> float:
        """The next moment to stop at on the way to a time; the present one where it has been reached."""
        ahead = [one for one in (to_s, *self._moments()) if self.now_s < one < to_s + _TICK_S]
        return min(ahead, default=self.now_s)

    def until(self, what: str, found: Callable[[], Any]) -> Any:
        """Wait until something is so, and say what was found; all bells are listened to meanwhile.

        Raises
        ------
        StoreError
            If it is not so within two minutes.
        """
        until_s = monotonic_s() + _PATIENCE_S
        while True:
            self._rung.clear()
            if one := found():
                return one
            if monotonic_s() > until_s:
                raise StoreError(f"the replay waited {_PATIENCE_S:.0f} s in vain until {what}")
            self._rung.wait(_LOOK_S)

    # --- setting up ------------------------------------------------------------------------------------------------

    def _opened(self, stack: ExitStack, path: Path, party: str, name: str) -> Stand:
        listening = socket.create_server(("127.0.0.1", 0))
        stack.callback(listening.close)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms
        port = listening.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        NodeFolder.create(path, party, name=name)
        # Beats go by real seconds, and a replay takes few: those at the beginning are all. Advisories are said as ever,
        # but by one node after the other: who is first must not hang on how fast this machine is today.
        options: dict[str, object] = {
            "address": url,
            "port": port,
            "heartbeat_s": _HEARTBEAT_S,
            "name": name,
            "advisories": "ask",
        }
        node = stack.enter_context(
            Node.open(NodeFolder(path, options=options, environment={}), clock=self.clock, passwords=_PASSWORDS)
        )
        server = self._serve(node, listening)
        server.start()
        stack.callback(server.end)
        # The routes are made at the first request that passes them all; made by several threads at once, some fail.
        owner = Client(url, token=node.folder.local_token())
        owner.requests.http.get("/of-no-route")
        node.start(leaving_out=_timed_parts(node))
        stack.callback(node.stop)
        stack.callback(node.bell.listen(lambda _: self._rung.set()))
        stand = Stand(node, url, owner, self.clock)
        stack.callback(stand.close)
        return stand

    def _join(self) -> None:
        """Bring all onto the line, as their people would: by invitations, and words that are read out."""
        host, *guests = self.stands.values()
        host.owner.begin_line(self._line_name, line=self.line)
        for guest in guests:
            _, invitation = host.owner.invite(self.line)
            guest.owner.join(invitation, host.words)
            guest.node.bell.ring("line")
            self.until(f"{guest.party} has answered", partial(self._has_answered, host, guest.party))
            host.owner.admit(self.line, guest.party, guest.words)
        for stand in self.stands.values():
            self.until(f"{stand.party} knows all", partial(self._knows_all, stand))
        self.settle()

    def _has_answered(self, host: Stand, party: str) -> bool:
        return party in [one.party for one in host.owner.acceptances(self.line)]

    def _knows_all(self, stand: Stand) -> bool:
        members = sorted(one.party for one in stand.owner.members(self.line).members)
        channels = stand.owner.status(self.line).channels
        return members == sorted(self.stands) and all(one.state == "up" for one in channels)

    # --- whether all is still --------------------------------------------------------------------------------------

    def _is_still(self) -> bool:
        before = self._sizes()
        for stand in self.stands.values():
            node = stand.node
            if node.projector.catch_up():
                return False
            if any(one.behind != 0 for one in node.exchange.status(self.line)):
                return False
        for stand in self.stands.values():
            records = stand.node.records
            for origin, size in before.items():
                if records.size(origin) != size or (not records.is_own(origin) and records.wanted(origin)):
                    return False
        return self._sizes() == before

    def _sizes(self) -> dict[str, int]:
        """How much each party has said."""
        found = {}
        for stand in self.stands.values():
            origin = stand.node.records.own_origin(self.line)
            found[origin] = stand.node.records.size(origin)
        return found

    # --- time ------------------------------------------------------------------------------------------------------

    def _moments(self) -> Iterator[float]:
        """When somebody is to be told something, unless something happens before."""
        for stand in self.stands.values():
            for thread in stand.node.projector.threads_owing(self.line, self.now_s):
                moment_s = next_s(thread.owed, after_s=self.now_s)
                if moment_s is not None:
                    yield moment_s

    def _pass_time(self) -> None:
        for stand in self.stands.values():
            stand.node.projector.catch_up()
            stand.node.watching.make_due()
            stand.node.escalating.sweep()


def _timed_parts(node: Node) -> Sequence[object]:
    """What acts as time goes by."""
    return node.escalating, node.line_tests, node.series, node.disk_watch, node.compliance, node.watching
