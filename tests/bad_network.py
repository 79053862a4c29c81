"""A network that misbehaves: a proxy before a node that cuts, delays, doubles and repeats what goes to and fro.

It relays whole HTTP requests, as those between nodes are: one at a time on each connection, with a length.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

__all__ = ["BadNetwork", "Weather"]

_KEPT = 50  # requests that may come again later


@dataclass
class Weather:
    """How the network is just now; changed at any time.

    Attributes
    ----------
    cut
        Nothing gets through, and new connections are refused.
    deaf
        Requests get to the node, and no answer gets back.
    delay_s
        The longest time that a request, and its answer, is held up; each by another time.
    again
        The chance that a request comes twice, at once.
    replay
        The chance that an old one comes again besides.
    """

    cut: bool = False
    deaf: bool = False
    delay_s: float = 0.0
    again: float = 0.0
    replay: float = 0.0


@dataclass
class _Message:
    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body


@dataclass
class Counts:
    """What was done, so that a test knows that it was tried."""

    relayed: int = 0
    lost_answers: int = 0
    doubled: int = 0
    replayed: int = 0
    replayed_statuses: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often a repeated request to an endpoint, the last of its path, got what status."""


class BadNetwork:
    """What the others have to go through to reach a node.

    Parameters
    ----------
    target
        The port at which the node listens.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.weather = Weather()
        self.counts = Counts()
        self._chance = random.Random(target)
        self._old: deque[bytes] = deque(maxlen=_KEPT)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, name=f"network-{target}", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def change(self, weather: Weather) -> None:
        """Change the weather; a cut ends the connections that there are."""
        self.weather = weather
        if weather.cut:
            self._hang_up()

    def close(self) -> None:
        self._listening.close()
        self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hang_up(self) -> None:
        with self._guard:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.weather.cut:
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._guard:
            self._open.add(client)
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            with self._guard:
                self._open.add(server)
            try:
                incoming, answers = client.makefile("rb"), server.makefile("rb")
                while (request := _read(incoming)) is not None and self._relayed(request, client, server, answers):
                    pass
            finally:
                with self._guard:
                    self._open.discard(server)
        with self._guard:
            self._open.discard(client)

    def _relayed(self, request: _Message, client: socket.socket, server: socket.socket, answers: object) -> bool:
        """Relay one request and its answer; whether the connection goes on."""
        weather = self.weather
        self._hold_up(weather)
        if weather.cut:
            return False
        self._repeat(request, weather)
        server.sendall(request.whole)
        answer = _read(answers)  # type: ignore[arg-type]  # of the same server
        weather = self.weather
        self._hold_up(weather)
        if answer is None:
            return False
        if answer.head.split(b" ", 2)[1] in {b"200", b"202", b"204", b"409"}:
            self._old.append(request.whole)  # not before it was taken: a copy that overtakes it would be the first
        self.counts.relayed += 1
        if weather.deaf or weather.cut:
            self.counts.lost_answers += 1
            return False
        client.sendall(answer.whole)
        return True

    def _repeat(self, request: _Message, weather: Weather) -> None:
        if self._chance.random() < weather.again:
            self.counts.doubled += 1
            self._send_aside(request.whole)
        if self._old and self._chance.random() < weather.replay:
            self.counts.replayed += 1
            old = self._chance.choice(list(self._old))
            answer = self._send_aside(old)
            status = answer.head.split(b" ", 2)[1].decode() if answer else "none"
            got = old.split(b" ", 2)[1].rpartition(b"/")[2].decode(), status
            self.counts.replayed_statuses[got] = self.counts.replayed_statuses.get(got, 0) + 1

    def _send_aside(self, data: bytes) -> _Message | None:
        """Send a request over a connection of its own; its answer goes nowhere."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as aside:
            aside.sendall(data)
            return _read(aside.makefile("rb"))
        return None

    def _hold_up(self, weather: Weather) -> None:
        if weather.delay_s:
            time.sleep(self._chance.uniform(0.0, weather.delay_s))


def _read(stream: object) -> _Message | None:
    """The next message of a stream; None at its end."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()  # type: ignore[attr-defined]  # a file of bytes
        if not line:
            return None
        head += line
    fields = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in bytes(head).split(b"\r\n")[1:])
    }
    assert b"transfer-encoding" not in fields, bytes(head)
    length = int(fields.get(b"content-length", b"0"))
    body = stream.read(length)  # type: ignore[attr-defined]  # as above
    return _Message(bytes(head), body) if len(body) == length else None
