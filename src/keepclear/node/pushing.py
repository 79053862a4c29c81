"""The thread that talks to one peer that can be called: brings it what is new, and beats.

It waits for the bell, so what was said is on its way at once; the connection stays open. While the peer cannot be
reached it tries again after a while, longer each time up to half a minute, sooner for what was said just now; FLASH
at once; and when the peer calls us, at once too.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from keepclear.errors import KeepclearError, PeerError
from keepclear.line.mirror_requests import Answer
from keepclear.node.beating import Beating
from keepclear.node.bell import Bell
from keepclear.node.calling import MOST_ANSWER_BYTES, Caller, UnreachableError
from keepclear.node.comparing import Comparing
from keepclear.node.outbound import Outbound
from keepclear.node.peer_desk import PREFIX
from keepclear.node.peers import Peer
from keepclear.node.recovering import Recovering
from keepclear.node.remote_log import remote_tiles

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["Pushing"]

_LOG = logging.getLogger(__name__)
_FIRST_BACK_OFF_S = 0.25
_LONGEST_BACK_OFF_S = 30.0
_EAGER_S = 1.0  # what was said just now is tried at least so often
_CARDS_FIRST_S = 0.1
_CARDS_S = 10.0
_PROOFS_S = 30.0
_LACKING_S = 2.0


class Pushing:
    """Talks to one peer on one line, in a thread of its own.

    Parameters
    ----------
    outbound
        What is to be sent.
    caller
        Calls it; used by this thread alone.
    beat_s
        How often it is sent a heartbeat.
    clock
        Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        records: Records,
        outbound: Outbound,
        caller: Caller,
        *,
        beating: Beating,
        comparing: Comparing,
        recovering: Recovering,
        cards_wanted: Callable[[str], bool],
        take_cards: Callable[[str, bytes], object],
        give_cards: Callable[[str], bytes],
        bell: Bell,
        beat_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.outbound, self._caller, self._beating, self._comparing = outbound, caller, beating, comparing
        self._records, self._recovering = records, recovering
        self._cards_wanted, self._take_cards, self._give_cards = cards_wanted, take_cards, give_cards
        self._bell, self._beat_s, self._clock = bell, beat_s, clock
        self._next_beat_s = 0.0
        self._next_cards_s = 0.0
        self._cards_rest_s = _CARDS_FIRST_S
        self._next_proofs_s = 0.0
        self._back_off_s = 0.0
        self._again_s = 0.0
        self.unreachable = ""
        """Why it cannot be reached, for people; empty where it can."""
        self._stopping = threading.Event()
        self._waiter = bell.waiter("said", "line")
        name = f"keepclear-to-{outbound.party}-{outbound.line}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; does not wait (`join`)."""
        self._stopping.set()
        self._waiter.rung()

    def called(self) -> None:
        """The peer has called us: if it could not be reached, it is tried at once, and not after a longer wait."""
        if self.unreachable:
            self._back_off_s = min(self._back_off_s, _FIRST_BACK_OFF_S / 2.0)
            self._again_s = 0.0
            self._waiter.rung()

    def join(self, timeout_s: float) -> None:
        """Wait until it has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                wait_s = 1.0
                try:
                    wait_s = self._round()
                except UnreachableError as error:
                    wait_s = self._could_not(error)
                except KeepclearError as error:
                    self.unreachable = str(error)
                    _LOG.warning("to %s on %s: %s", self.outbound.party, self.outbound.line, error)
                    wait_s = _LONGEST_BACK_OFF_S
                except Exception:  # noqa: BLE001  # a fault of ours: the thread goes on, and the log has it
                    _LOG.exception("to %s on %s", self.outbound.party, self.outbound.line)
                    wait_s = _LONGEST_BACK_OFF_S
                if not self._stopping.is_set():
                    self._waiter.wait(wait_s)
        finally:
            self._waiter.close()
            self._caller.close()

    def _round(self) -> float:
        """Do what is to be done now; how long there is nothing more to do."""
        peer = self.outbound.peer
        if peer is None or not peer.member or not peer.addresses:
            return _LONGEST_BACK_OFF_S
        now_s = self._clock()
        if now_s < self._again_s and not self.outbound.urgent():
            return self._again_s - now_s
        while not self._stopping.is_set():
            self._beat_if_due(peer)
            if not self._sent_one(peer):
                break
        self._ask(peer)
        return self._wait_s()

    def _sent_one(self, peer: Peer) -> bool:
        outgoing = self.outbound.next()
        if outgoing is None:
            return False
        try:
            answer = self._post(peer, outgoing.endpoint, outgoing.body)
        except UnreachableError:
            self.outbound.answered(outgoing, None)
            raise
        if answer.status == 404 and outgoing.endpoint == "add-checkpoint":
            # It does not know this log: one that was begun anew, perhaps. Our cards say whose it is.
            given = self._give_cards(peer.line)
            if given:
                self._post(peer, f"lines/{peer.line}/cards", given)
        self.outbound.answered(outgoing, answer)
        return True

    def _beat_if_due(self, peer: Peer) -> None:
        if self._clock() < self._next_beat_s:
            return
        self._next_beat_s = self._clock() + self._beat_s
        # A first one answers nothing of theirs, and leaves them in doubt whether we hear them: then a second.
        for _ in range(1 if self._beating.lately(peer) else 2):
            answer = self._post(peer, "heartbeat", self._beating.made(peer))
            if answer.status != 200:
                return
            try:
                self._beating.take(peer, answer.body)
            except PeerError as error:
                _LOG.info("a heartbeat of %s on %s: %s", peer.party, peer.line, error)
                return
            self.outbound.heard()

    def _ask(self, peer: Peer) -> None:
        """Ask for what is lacking here: cards, and proofs that two histories agree."""
        now_s = self._clock()
        if now_s >= self._next_cards_s and self._cards_wanted(peer.line):
            answer = self._get(peer, f"lines/{peer.line}/cards")
            new = answer.status == 200 and self._take_cards(peer.line, answer.body)
            # Who has just joined may be known to others any moment; or never, where he is gone.
            self._cards_rest_s = _CARDS_FIRST_S if new else min(_CARDS_S, self._cards_rest_s * 2.0)
            self._next_cards_s = now_s + self._cards_rest_s
            if new:
                self._bell.ring("line")
        if self._recovering.busy(peer.line):
            self._recovering.step(peer, lambda path, most: self._get(peer, path, most=most))
        findings = self._comparing.asked(peer.line, peer.party) if now_s >= self._next_proofs_s else ()
        if findings:
            self._next_proofs_s = now_s + _PROOFS_S
        for finding in findings:
            tiles = remote_tiles(lambda path: self._get(peer, path), finding.origin)
            try:
                self._comparing.proved(peer.line, finding, tiles)
            except UnreachableError:
                raise
            except KeepclearError as error:
                _LOG.info("no proof of %s from %s: %s", finding.origin, peer.party, error)

    def _post(self, peer: Peer, endpoint: str, body: bytes) -> Answer:
        answer = self._caller.post(peer.addresses, f"{PREFIX}/{endpoint}", body, to=peer.party)
        self._reached(answer)
        return answer

    def _get(self, peer: Peer, path: str, *, most: int = MOST_ANSWER_BYTES) -> Answer:
        answer = self._caller.get(peer.addresses, f"{PREFIX}/{path}", to=peer.party, most=most)
        self._reached(answer)
        return answer

    def _reached(self, answer: Answer) -> None:
        if answer.status in (401, 429, 502, 503, 504):
            # Busy, or it does not know our key yet: the same as not there, but that there is a sentence.
            said = answer.body[:200].decode(errors="replace").strip()
            raise UnreachableError(f"it answered {answer.status}: {said!a}")
        if self._back_off_s:
            self._back_off_s = self._again_s = 0.0
            self.unreachable = ""
            self.outbound.heard()

    def _could_not(self, error: UnreachableError) -> float:
        self.unreachable = str(error)
        longer_s = max(_FIRST_BACK_OFF_S, self._back_off_s * 2.0)
        self._back_off_s = min(_LONGEST_BACK_OFF_S, longer_s)
        wait_s = self._back_off_s * random.uniform(0.75, 1.25)  # noqa: S311 - to part those who were cut off together
        self._again_s = self._clock() + min(wait_s, _EAGER_S)  # "said" wakes us; then so soon at the earliest
        return wait_s

    def _wait_s(self) -> float:
        wanted = [self._next_beat_s - self._clock(), _LONGEST_BACK_OFF_S]
        rest_s = self.outbound.rest_s()
        if rest_s is not None:
            wanted.append(rest_s)
        peer = self.outbound.peer
        if peer is not None and self._cards_wanted(peer.line):
            wanted.append(self._next_cards_s - self._clock())
        if peer is not None and self._recovering.busy(peer.line):
            wanted.append(_LACKING_S)
        return max(0.01, min(wanted))
