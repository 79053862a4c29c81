"""Taking turns: a node that nobody can call (behind NAT) calls, and the answer is what the other wanted to send it.

The caller posts to ``turn``: what it answered to the request that the last turn brought, if it brought one. The answer
is the next request, as if it had been sent to the caller, or nothing (204) where there was none for `TURN_S`.
So a node behind NAT receives as any other does, by one connection that it keeps open. What only reads is asked of it
in the same way: a node that was restored must see what everybody holds of its log. The format is in
``docs/spec/nodes.md``.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keepclear.clock import monotonic_s
from keepclear.errors import PeerError
from keepclear.line.mirror_requests import Answer
from keepclear.node.bell import Bell, Waiter
from keepclear.node.calling import UnreachableError
from keepclear.record.notes import MOST_NOTE_BYTES
from keepclear.record.tiles import ENTRY_MOST_BYTES, TILE_WIDTH

if TYPE_CHECKING:
    from keepclear.node.outbound import Outbound, Outgoing

__all__ = [
    "MOST_READ_BYTES",
    "MOST_TURN_BYTES",
    "READ",
    "TURN_S",
    "TURN_TYPE",
    "TurnDesk",
    "TurnRequest",
    "answer_bytes",
    "parse_answer",
    "parse_turn",
]

TURN_S = 25.0
"""How long a turn waits for something to send: shorter than what proxies and NAT close silent connections after."""
MOST_READ_BYTES = TILE_WIDTH * (2 + ENTRY_MOST_BYTES)
"""The most that is read by a turn: a bundle of leaves."""
MOST_TURN_BYTES = MOST_READ_BYTES + MOST_NOTE_BYTES + 4096
"""The longest answer that the next turn brings: a bundle of leaves, where that was asked for."""
READ = "read"
"""The endpoint of what only reads; the body is a path below ``/line/v1/``."""
TURN_TYPE = "application/x.keepclear.turn"

_ANSWER = b"keepclear answer v1"
_REQUEST = b"keepclear turn v1"
_MOST_HEAD = 1024
_READ_S = 15.0


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A request that a turn brought: an id to answer it by, its endpoint, and its body."""

    id: str
    endpoint: str
    body: bytes

    def answer(self) -> Answer:
        """As the answer to a turn."""
        head = b"%b\nid %b\nendpoint %b\n\n" % (_REQUEST, self.id.encode(), self.endpoint.encode())
        return Answer(200, TURN_TYPE, head + self.body)


def parse_turn(answer: Answer) -> TurnRequest:
    """Read what a turn brought.

    Raises
    ------
    PeerError
        If it is no request.
    """
    head, body = _parted(answer.body, _REQUEST)
    if set(head) != {"id", "endpoint"}:
        raise PeerError("a turn has an id and an endpoint")
    return TurnRequest(head["id"], head["endpoint"], body)


def answer_bytes(id_: str, answer: Answer) -> bytes:
    """What was answered to a request that a turn brought, for the next turn to bring."""
    retry = "" if answer.retry_after_s is None else f"retry-after {answer.retry_after_s}\n"
    head = f"id {id_}\nstatus {answer.status}\ncontent-type {answer.content_type}\n{retry}\n"
    return _ANSWER + b"\n" + head.encode() + answer.body


def parse_answer(data: bytes) -> tuple[str, Answer]:
    """Read that: the id, and the answer.

    Raises
    ------
    PeerError
        If it is none.
    """
    head, body = _parted(data, _ANSWER)
    status, retry = head.get("status", ""), head.get("retry-after")
    if not {"id", "status"} <= set(head) or not (status.isascii() and status.isdecimal() and len(status) == 3):
        raise PeerError("an answer has an id and a status of three digits")
    after_s = int(retry) if retry is not None and retry.isascii() and retry.isdecimal() and len(retry) < 6 else None
    return head["id"], Answer(int(status), head.get("content-type", ""), body, after_s)


def _parted(data: bytes, first: bytes) -> tuple[dict[str, str], bytes]:
    head, parted, _ = data[:_MOST_HEAD].partition(b"\n\n")
    lines = head.split(b"\n")
    if not parted or lines[0] != first or not head.isascii():
        raise PeerError(f"not a {first.decode()}")
    found = {}
    for line in lines[1:]:
        name, _, value = line.decode("ascii").partition(" ")
        if name in found:
            raise PeerError(f"not a {first.decode()}: {name} twice")
        found[name] = value
    return found, data[len(head) + 2 :]


@dataclass(eq=False)
class _Read:
    """Something to be read at a party that calls us, and what it answered."""

    path: str
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None

    endpoint = READ

    @property
    def body(self) -> bytes:
        """As a turn brings it."""
        return self.path.encode()


@dataclass
class _Under:
    """A request that a party was given by a turn, and has not answered."""

    id: str
    outgoing: Outgoing | _Read

    def answered(self, outbound: Outbound, answer: Answer | None) -> None:
        """What it was answered; None where that was lost."""
        if isinstance(self.outgoing, _Read):
            self.outgoing.answer = answer
            self.outgoing.done.set()
        else:
            outbound.answered(self.outgoing, answer)


class TurnDesk:
    """Gives parties that call us what we want to send them.

    Parameters
    ----------
    outbound
        What is to be sent to a party on a line; None where there is nobody of that name.
    wait_s
        How long to wait for something to send.
    """

    def __init__(self, bell: Bell, outbound: Callable[[str, str], Outbound | None], *, wait_s: float = TURN_S) -> None:
        self._bell, self._outbound, self._wait_s = bell, outbound, wait_s
        self._guard = threading.Lock()
        self._under: dict[tuple[str, str], _Under] = {}
        self._turns: dict[tuple[str, str], int] = {}
        self._reads: dict[tuple[str, str], list[_Read]] = {}
        self._waiters: dict[tuple[str, str], Waiter] = {}
        self._stopping = False
        bell.listen(self._heard)

    def _heard(self, topics: frozenset[str]) -> None:
        # Rung before the server waits for the requests that it has: else it would wait for those who wait here.
        if "stop" in topics:
            self.stop()

    def stop(self) -> None:
        """Let go of those who wait."""
        self._stopping = True

    def get(self, line: str, party: str, path: str, *, timeout_s: float = _READ_S) -> Answer:
        """Have a party that calls us read something for us, as soon as it takes a turn.

        Raises
        ------
        UnreachableError
            If it does not in that time.
        """
        place, read = (line, party), _Read(path)
        with self._guard:
            self._reads.setdefault(place, []).append(read)
            waiter = self._waiters.get(place)
        if waiter is not None:
            waiter.rung()
        read.done.wait(timeout_s)
        with self._guard:
            if read in self._reads.get(place, ()):
                self._reads[place].remove(read)
        if read.answer is None:
            raise UnreachableError("it is not called but calls, and has not answered in a turn of its")
        return read.answer

    def turn(self, party: str, line: str, data: bytes) -> Answer:
        """Answer a turn; may take as long as `TURN_S`.

        A party that calls again while an earlier turn of its waits has given that one up: it gets nothing.
        """
        outbound = self._outbound(line, party)
        if outbound is None:
            return Answer.saying(404, "there is no such line, or not for you")
        try:
            self._answered(line, party, outbound, data)
        except PeerError as error:
            return Answer.saying(400, str(error))
        with self._guard:
            mine = self._turns[line, party] = self._turns.get((line, party), 0) + 1
        outbound.heard()
        found = self._waited((line, party), outbound, lambda: self._stopping or self._turns.get((line, party)) != mine)
        if found is None:
            return Answer(204)
        under = _Under(secrets.token_hex(8), found)
        with self._guard:
            self._under[line, party] = under
        return TurnRequest(under.id, found.endpoint, found.body).answer()

    def _answered(self, line: str, party: str, outbound: Outbound, data: bytes) -> None:
        with self._guard:
            under = self._under.pop((line, party), None)
        if not data:
            if under is not None:
                under.answered(outbound, None)  # it was lost on the way
            return
        id_, answer = parse_answer(data)
        if under is not None:
            under.answered(outbound, answer if under.id == id_ else None)

    def _waited(
        self, place: tuple[str, str], outbound: Outbound, over: Callable[[], bool]
    ) -> Outgoing | _Read | None:  # fmt: skip
        until_s = monotonic_s() + self._wait_s
        with self._bell.waiter("said", "line", "stop") as waiter:
            self._waiters[place] = waiter
            while not over():
                found = self._read_first(place) or outbound.next()
                if found is not None:
                    return found
                left_s = until_s - monotonic_s()
                if left_s <= 0.0:
                    return None
                waiter.wait(min(left_s, 5.0))
        return None

    def _read_first(self, place: tuple[str, str]) -> _Read | None:
        with self._guard:
            waiting = self._reads.get(place)
            return waiting.pop(0) if waiting else None
