"""The thread of a node that nobody can call: it calls, and does what is asked of it then (`keepclear.node.turning`)."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from keepclear.errors import KeepclearError
from keepclear.line.mirror_requests import Answer
from keepclear.node.calling import Caller, UnreachableError
from keepclear.node.peer_desk import LIMITS, PREFIX, PeerDesk
from keepclear.node.peers import Peer
from keepclear.node.turning import MOST_READ_BYTES, READ, answer_bytes, parse_turn

__all__ = ["Pulling"]

_LOG = logging.getLogger(__name__)
_FIRST_BACK_OFF_S = 0.5
_LONGEST_BACK_OFF_S = 30.0


class Pulling:
    """Takes turns with one peer on one line, in a thread of its own."""

    def __init__(
        self, desk: PeerDesk, caller: Caller, peer: Callable[[], Peer | None], *, line: str, party: str
    ) -> None:
        self._desk, self._caller, self._peer, self._line = desk, caller, peer, line
        self._stopping = threading.Event()
        self._back_off_s = 0.0
        self.unreachable = ""
        """Why it cannot be reached, for people; empty where it can."""
        self._thread = threading.Thread(target=self._run, name=f"keepclear-from-{party}-{line}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the turn that is under way; does not wait."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait until it has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        said = b""
        while not self._stopping.is_set():
            try:
                said = self._turn(said)
                self._back_off_s, self.unreachable = 0.0, ""
            except KeepclearError as error:
                said = b""
                self.unreachable = str(error)
                self._rest()
            except Exception:  # noqa: BLE001  # a fault of ours: the thread goes on, and the log has it
                said = b""
                _LOG.exception("turns with %s", self._line)
                self._rest()
        self._caller.close()

    def _turn(self, said: bytes) -> bytes:
        """One turn; what to say with the next."""
        peer = self._peer()
        if peer is None or not peer.addresses:
            raise UnreachableError("it has no address, or is no peer")
        answer = self._caller.post(peer.addresses, f"{PREFIX}/turn/{self._line}", said, to=peer.party)
        if answer.status == 204:
            return b""
        if answer.status != 200:
            told = answer.body[:200].decode(errors="replace").strip()
            raise UnreachableError(f"it answered {answer.status}: {told!a}")
        asked = parse_turn(answer)
        if asked.endpoint == READ:
            return answer_bytes(asked.id, self._read(peer, asked.body))
        limit = LIMITS.get(asked.endpoint)
        if limit is None or len(asked.body) > limit:
            return answer_bytes(asked.id, Answer.saying(413 if limit else 404, "not taken by a turn"))
        return answer_bytes(asked.id, self._desk.post(peer.party, asked.endpoint, (asked.body,), line=self._line))

    def _read(self, peer: Peer, path: bytes) -> Answer:
        answer = self._desk.read_path(peer.party, path.decode("ascii", "replace"))
        if len(answer.body) > MOST_READ_BYTES:
            return Answer.saying(413, "too long for a turn: let it be carried by hand")
        return answer

    def _rest(self) -> None:
        self._back_off_s = min(_LONGEST_BACK_OFF_S, max(_FIRST_BACK_OFF_S, self._back_off_s * 2.0))
        self._stopping.wait(self._back_off_s * random.uniform(0.75, 1.25))  # noqa: S311 - to part those cut off together
