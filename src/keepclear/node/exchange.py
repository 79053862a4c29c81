"""The exchange with all other nodes: one thread for each peer that can be called, one more where we cannot be.

Who there is comes from `keepclear.node.peers`, and is looked at again when the bell rings "line".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from keepclear.clock import monotonic_s
from keepclear.errors import KeepclearError
from keepclear.line.channel import ChannelEvent, Timing
from keepclear.line.mirror_requests import Answer
from keepclear.node.beating import Beating, ChannelStatus, SoundAlarm
from keepclear.node.bell import Bell
from keepclear.node.calling import Caller, UnreachableError
from keepclear.node.carrying import Carried, Carrying, Written
from keepclear.node.comparing import Comparing
from keepclear.node.flashes import Flashes
from keepclear.node.forks_found import ForksFound
from keepclear.node.outbound import Outbound
from keepclear.node.peer_desk import PREFIX, PeerDesk
from keepclear.node.peers import Peer, Peers
from keepclear.node.pulling import Pulling
from keepclear.node.pushing import Pushing
from keepclear.node.recovering import Recovering
from keepclear.node.request_signatures import RequestSigner
from keepclear.node.settings import Settings
from keepclear.node.turning import TurnDesk
from keepclear.record.bodies.talk import MessageBody
from keepclear.store.node.database import NodeDatabase

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["Exchange", "PeerStatus"]

_LOG = logging.getLogger(__name__)
_LOOK_S = 5.0
_JOIN_S = 10.0
_TURN_S = 3.0


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """How the exchange with a peer stands, for people.

    Attributes
    ----------
    channel
        By its heartbeats.
    behind
        How many of our entries it has not given a receipt for; None while that is not known, as just after a start.
    trouble
        Why our log does not get there, or it cannot be reached; empty where all is well.
    """

    channel: ChannelStatus
    behind: int | None
    trouble: str


class Joining(Protocol):
    """What has to be sent to those who invited us."""

    def acceptance_to_send(self, line: str) -> tuple[tuple[str, ...], bytes] | None:
        """Where to, and what, until it was sent."""

    def acceptance_sent(self, line: str) -> None:
        """It was taken."""


class Exchange:
    """Talks to all peers. Made by the node; `start` begins it.

    Parameters
    ----------
    alarm, over
        See `keepclear.node.beating.Beating`.
    guard_of
        See `keepclear.node.peer_desk.PeerDesk`.
    joining
        What has to be sent to those who invited us (`keepclear.node.lines.Lines`).
    """

    def __init__(
        self,
        records: Records,
        peers: Peers,
        database: NodeDatabase,
        bell: Bell,
        settings: Settings,
        clock: Callable[[], float],
        *,
        alarm: SoundAlarm = lambda *_, **__: None,
        over: Callable[[str, str], Any] = lambda *_: None,
        guard_of: Callable[[str, int], str] = lambda *_: "",
        joining: Joining | None = None,
    ) -> None:
        self._records, self.peers, self._bell, self._settings = records, peers, bell, settings
        self._clock, self._alarm, self._joining = clock, alarm, joining
        self.forks = ForksFound(records, database, bell, clock, alarm=alarm)
        self.comparing = Comparing(records, peers, self.forks)
        self.beating = Beating(
            records, peers, database, bell, clock, comparing=self.comparing,
            timing=Timing(heartbeat_s=settings.heartbeat_s, silent_s=15.0 * settings.heartbeat_s),
            alarm=alarm, over=over,
        )  # fmt: skip
        self.flashes = Flashes(records, peers, database, bell, clock, alarm=alarm)
        self.desk = PeerDesk(
            records, peers, beating=self.beating, flashes=self.flashes, forks=self.forks, bell=bell, clock=clock,
            guard_of=guard_of, called=self._called,
        )  # fmt: skip
        self.recovering = Recovering(records)
        self.carrying = Carrying(
            records,
            peers,
            desk=self.desk,
            flashes=self.flashes,
            comparing=self.comparing,
            forks=self.forks,
            clock=clock,
        )
        self.turn_desk = TurnDesk(bell, self._outbound_of)
        self._signer = RequestSigner(records.transport_key(), clock)
        self._guard = threading.Lock()
        self._outbounds: dict[tuple[str, str], Outbound] = {}
        self._pushing: dict[tuple[str, str], Pushing] = {}
        self._pulling: dict[tuple[str, str], Pulling] = {}
        self._disputed: set[tuple[str, str]] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # --- for the node ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to talk."""
        self._thread = threading.Thread(target=self._run, name="keepclear-exchange", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; requests that are under way are finished, or given up after a while."""
        self._stopping.set()
        self.turn_desk.stop()
        self._bell.ring("line")
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        with self._guard:
            threads: list[Pushing | Pulling] = [*self._pushing.values(), *self._pulling.values()]
            self._pushing.clear()
            self._pulling.clear()
        for one in threads:
            one.stop()
        for one in threads:
            if isinstance(one, Pushing):  # a turn that waits is left to itself: nothing is lost with it
                one.join(_JOIN_S)

    # --- for the use cases -----------------------------------------------------------------------------------------

    def flash(self, line: str, message: MessageBody, *, to: Iterable[str] | None = None) -> str:
        """Send a FLASH beside the log; see `Flashes.send`."""
        return self.flashes.send(line, message, to=to)

    def status(self, line: str) -> tuple[PeerStatus, ...]:
        """How it stands with all on a line, by party."""
        found = []
        for channel in self.beating.status(line):
            place = (line, channel.party)
            with self._guard:
                outbound, pushing = self._outbounds.get(place), self._pushing.get(place)
            trouble = channel.stopped or (pushing.unreachable if pushing else "")
            trouble = trouble or (outbound.trouble if outbound else "")
            found.append(PeerStatus(channel, None if outbound is None else outbound.behind(), trouble))
        return tuple(found)

    def bundle(self, line: str, party: str, path: Path, *, whole: bool = False) -> Written:
        """Write a bundle for a party, to be carried to it by hand; see `Carrying.write`."""
        return self.carrying.write(line, party, path, whole=whole)

    def take_bundle(self, path: Path) -> Carried:
        """Take in a bundle that was carried here; see `Carrying.read`."""
        return self.carrying.read(path)

    def reach(self, line: str) -> frozenset[str]:
        """See `Beating.reach`."""
        return self.beating.reach(line)

    def tested(self, line: str, party: str, event: ChannelEvent, at_s: float) -> None:
        """See `Beating.tested`."""
        self.beating.tested(line, party, event, at_s)

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        next_s = 0.0
        with self._bell.waiter("line", "said", "came", "body") as waiter:
            while not self._stopping.is_set():
                try:
                    if self.peers.refreshed():
                        self._bell.ring("line")
                        next_s = 0.0
                    if monotonic_s() >= next_s:
                        next_s = monotonic_s() + _LOOK_S
                        self._settle()
                        self.beating.look()
                        self._accept()
                        self._look_at_own()
                        self._recover()
                except KeepclearError as error:
                    _LOG.warning("the exchange: %s", error)
                except Exception:  # noqa: BLE001  # a fault of ours: the thread goes on, and the log has it
                    _LOG.exception("the exchange")
                waiter.wait(max(0.0, next_s - monotonic_s()))

    def _accept(self) -> None:
        """Send what answers invitations; whoever gets it knows us by no key yet, and looks at its tag."""
        if self._joining is None:
            return
        for line in self._records.lines():
            found = self._joining.acceptance_to_send(line)
            if found is None:
                continue
            addresses, data = found
            caller = self._caller()
            try:
                answer = caller.post(addresses, f"{PREFIX}/acceptance", data, to="")
            except UnreachableError:
                continue  # it is looked at again in a while
            finally:
                caller.close()
            if answer.status == 200:
                self._joining.acceptance_sent(line)

    def _look_at_own(self) -> None:
        """Where somebody shows more of our log than is here, this node was put back from a copy, or is not alone."""
        for line in self._records.lines():
            origin = self._records.own_origin(line)
            found = self.comparing.larger_own(origin)
            if found is not None and found[0] > self._records.size(origin):
                self._dispute(found[1], origin, f"{found[0]} entries, and {self._records.size(origin)} are here")

    def _recover(self) -> None:
        """Ask bodies of our own back from those who call us; from the others their threads do."""
        for line in self._records.lines():
            if not self.recovering.busy(line):
                continue
            for peer in self.peers.of(line):
                if peer.member and not peer.addresses:
                    self._recover_from(peer)

    def _recover_from(self, peer: Peer) -> None:
        def get(path: str, _: int) -> Answer:
            return self.turn_desk.get(peer.line, peer.party, path, timeout_s=_TURN_S)

        try:
            self.recovering.step(peer, get)
        except UnreachableError as error:
            _LOG.info("to %s on %s: %s", peer.party, peer.line, error)

    def _settle(self) -> None:
        """Have a thread for each peer that there is, and none for others."""
        wanted = {
            (peer.line, peer.party)
            for line in self.peers.lines()
            for peer in self.peers.of(line)
            if peer.member and peer.addresses
        }
        with self._guard:
            gone = [place for place in self._pushing if place not in wanted]
            over: list[Pushing | Pulling] = [self._pushing.pop(place) for place in gone]
            over += [self._pulling.pop(place) for place in list(self._pulling) if place not in wanted]
            pushing = {place: self._made_pushing(*place) for place in sorted(wanted - set(self._pushing))}
            missing = wanted - set(self._pulling) if self._calls_only else set()
            pulling = {place: self._made_pulling(*place) for place in sorted(missing)}
            self._pushing.update(pushing)
            self._pulling.update(pulling)
        for one in over:
            one.stop()
        begun: list[Pushing | Pulling] = [*pushing.values(), *pulling.values()]
        for thread in begun:
            thread.start()

    @property
    def _calls_only(self) -> bool:
        """Whether nobody can call us."""
        return not self._settings.address

    def _made_pushing(self, line: str, party: str) -> Pushing:
        cards = self.peers.cards
        return Pushing(
            self._records, self._outbound_known(line, party), self._caller(), beating=self.beating,
            comparing=self.comparing, recovering=self.recovering, cards_wanted=self.peers.cards_wanted,
            take_cards=lambda line, data: cards.take(line, data, giver=party), give_cards=cards.give, bell=self._bell,
            beat_s=self._settings.heartbeat_s, clock=monotonic_s,
        )  # fmt: skip

    def _called(self, line: str, party: str) -> None:
        """A peer is there, and the way to it may be open again."""
        with self._guard:
            pushing = self._pushing.get((line, party))
        if pushing is not None:
            pushing.called()

    def _made_pulling(self, line: str, party: str) -> Pulling:
        # A turn waits for an answer as long as the other side waits for something to say.
        caller = Caller(self._signer, authorities=self._settings.peer_authorities, idle_s=60.0)
        return Pulling(self.desk, caller, lambda: self.peers.find(line, party), line=line, party=party)

    def _caller(self) -> Caller:
        return Caller(self._signer, authorities=self._settings.peer_authorities)

    def _outbound_of(self, line: str, party: str) -> Outbound | None:
        """For a party that takes turns; only where we do not call it ourselves."""
        peer = self.peers.find(line, party)
        if peer is None or not peer.member:
            return None
        with self._guard:
            return self._outbound_known(line, party)

    def _outbound_known(self, line: str, party: str) -> Outbound:
        found = self._outbounds.get((line, party))
        if found is None:
            found = self._outbounds[line, party] = Outbound(
                self._records, self.peers, self.flashes, line=line, party=party, clock=monotonic_s,
                disputed=self._dispute,
            )  # fmt: skip
        return found

    def _dispute(self, party: str, origin: str, why: str) -> None:
        """A mirror has what our log never signed, as far as we know: say nothing more until people have looked."""
        line = origin.split("/")[1]
        if origin == self._records.own_origin(line) and self._records.restored(line):
            return  # that others have more of it is as it must be: `keepclear.node.restoring` asks them
        with self._guard:
            if (party, origin) in self._disputed:
                return
            self._disputed.add((party, origin))
        sentence = f"{party} holds another history of {origin} than this node does: {why}"
        if origin == self._records.own_origin(line):
            self._records.stop_saying(line, sentence)
        self._alarm("restore", sentence, key=origin, line=line)
