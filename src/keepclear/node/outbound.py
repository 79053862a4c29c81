"""What is to be sent to one peer next, and what its answers come to; how it gets there is another's business.

FLASH goes first, then our log, oldest first where it was begun anew. The log is the outbox: what the peer's mirror has
not cosigned is still to be delivered, and each answer says where the mirror is. A mirror that will not have it is asked
again after a while, longer each time, and at once when there is something new or when the peer is heard again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keepclear.line.mirror_requests import Answer
from keepclear.line.uploading import Due, Stage
from keepclear.node.flashes import Flashes
from keepclear.node.peers import Peer, Peers
from keepclear.store.node.peers import FlashWaiting
from keepclear.store.sending import MOST_REQUEST_BYTES

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["Outbound", "Outgoing"]

_LEAST_BYTES = 64 * 1024
_LONGEST_REST_S = 60.0


@dataclass(frozen=True)
class Outgoing:
    """A request to be sent.

    Attributes
    ----------
    endpoint, body
        Where to, and what.
    due, origin
        For an upload: what the answer is to be given back with, and of which log.
    flash
        For a FLASH: which.
    """

    endpoint: str
    body: bytes = field(repr=False)
    due: Due | None = None
    origin: str = ""
    flash: FlashWaiting | None = None


@dataclass
class _Rest:
    """How long to leave a mirror alone that would not have it."""

    until_s: float
    length_s: float
    size: int


class Outbound:
    """Decides what is sent to one peer on one line. Any thread may use it.

    Parameters
    ----------
    clock
        Seconds on a clock that never goes back.
    disputed
        Called with the party, an origin and a sentence when its mirror has what our log never signed.
    """

    def __init__(
        self,
        records: Records,
        peers: Peers,
        flashes: Flashes,
        *,
        line: str,
        party: str,
        clock: Callable[[], float],
        disputed: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        self._records, self._peers, self._flashes = records, peers, flashes
        self.line, self.party = line, party
        self._clock, self._disputed = clock, disputed
        self._guard = threading.Lock()
        self._rests: dict[str, _Rest] = {}
        self._most_bytes = MOST_REQUEST_BYTES
        self.trouble = ""
        """Why our log does not get there, for people; empty where it does."""

    @property
    def peer(self) -> Peer | None:
        """The peer as it is known now."""
        return self._peers.find(self.line, self.party)

    def next(self) -> Outgoing | None:
        """What is to be sent now; None if nothing is."""
        peer = self.peer
        if peer is None or not peer.member:
            return None
        for waiting in self._flashes.waiting(self.line, self.party):
            if self._rested(waiting.id, 0):
                return Outgoing("flash", waiting.data, flash=waiting)
        if why := self._peers.stopped(self.line, self.party):
            self.trouble = why
            return None
        for origin in self._records.own_origins(self.line):
            if origin == self._records.own_origin(self.line) and self._records.restored(self.line):
                # That a mirror has more of it than we do is as it must be, and no dispute (`keepclear.node.restoring`).
                self.trouble = self._records.silence(self.line)
                continue
            outgoing = self._of_log(origin, peer)
            if outgoing is not None:
                return outgoing
        return None

    def answered(self, outgoing: Outgoing, answer: Answer | None) -> None:
        """Go on by an answer; None where none came."""
        if outgoing.flash is not None:
            self._flash_answered(outgoing.flash, answer)
            return
        peer = self.peer
        if outgoing.due is None or peer is None:
            return
        self._sized(answer)
        origin = outgoing.origin
        with self._records.sender(origin, peer.mirrors, self.party) as sender:
            before = sender.uploading.cosigned
            sender.answered(outgoing.due, answer)
            uploading, size = sender.uploading, sender.size
        self.trouble = uploading.trouble
        if uploading.cosigned > before:
            self._rests.pop(origin, None)
        if uploading.stage is Stage.RESTING:
            self._rest(origin, size)
        elif uploading.stage is Stage.DISPUTED:
            self._disputed(self.party, origin, uploading.trouble)

    def _flash_answered(self, flash: FlashWaiting, answer: Answer | None) -> None:
        if answer is None:
            return
        if answer.status == 200:
            self._flashes.taken(flash)
        elif answer.status in (400, 403, 404, 413, 422):
            self._flashes.refused(flash, answer.body[:200].decode(errors="replace").strip())
        else:  # it has a fault that may pass: nothing else waits for that, our log with the same words least of all
            self._rest(flash.id, 0)
            return
        with self._guard:
            self._rests.pop(flash.id, None)

    def heard(self) -> None:
        """The peer was heard again: what was resting is tried at once."""
        with self._guard:
            for rest in self._rests.values():
                rest.until_s = 0.0

    def rest_s(self) -> float | None:
        """In how many seconds something that rests is to be tried again; None if nothing rests."""
        with self._guard:
            until_s = min((rest.until_s for rest in self._rests.values()), default=None)
        return None if until_s is None else max(0.0, until_s - self._clock())

    def urgent(self) -> bool:
        """Whether there is a FLASH to be sent, which does not wait for a better time."""
        return bool(self._flashes.waiting(self.line, self.party))

    def behind(self) -> int:
        """How many entries of our logs the peer has not cosigned."""
        peer = self.peer
        if peer is None:
            return 0
        behind = 0
        for origin in self._records.own_origins(self.line):
            with self._records.sender(origin, peer.mirrors, self.party) as sender:
                behind += sender.size - sender.uploading.cosigned
        return behind

    def _of_log(self, origin: str, peer: Peer) -> Outgoing | None:
        with self._records.sender(origin, peer.mirrors, self.party) as sender:
            if sender.uploading.stage is Stage.RESTING and self._rested(origin, sender.size):
                sender.retried()
            found = sender.due()
            if found is None:
                return None
            due, request = found
            data = bytearray()
            for part in request.body:  # cut between packages or pieces, where the other side takes what it has
                data += part
                if len(data) >= self._most_bytes:
                    break
        return Outgoing(request.endpoint, bytes(data), due, origin)

    def _rested(self, origin: str, size: int) -> bool:
        with self._guard:
            rest = self._rests.get(origin)
            return rest is None or self._clock() >= rest.until_s or size > rest.size

    def _rest(self, origin: str, size: int) -> None:
        with self._guard:
            before = self._rests.get(origin)
            length_s = min(_LONGEST_REST_S, 1.0 if before is None else before.length_s * 2.0)
            jittered_s = length_s * random.uniform(0.75, 1.25)  # noqa: S311 - to part those who were cut off together
            self._rests[origin] = _Rest(self._clock() + jittered_s, length_s, size)

    def _sized(self, answer: Answer | None) -> None:
        """Over a bad line a long request never arrives: send shorter ones until one does."""
        if answer is None:
            self._most_bytes = max(_LEAST_BYTES, self._most_bytes // 2)
        elif self._most_bytes < MOST_REQUEST_BYTES:
            self._most_bytes = min(MOST_REQUEST_BYTES, self._most_bytes * 2)
