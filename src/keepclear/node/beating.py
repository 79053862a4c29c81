"""Heartbeats as a node sends and takes them, and what follows: the channel, the clocks, the versions, the histories.

What is known of a peer stands in the database, so that a node that was started anew neither repeats a number nor takes
a heartbeat that it had before, and that several processes of a node know the same. Each heartbeat is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from keepclear.errors import InputError, PeerError
from keepclear.line.channel import Change, Channel, ChannelEvent, ChannelState, Timing
from keepclear.line.hearing import ClockDifference, Conclusion
from keepclear.line.heartbeats import MOST_CHECKPOINTS, Heartbeat, read_heartbeat, sign_heartbeat
from keepclear.line.signed_json import signed_members
from keepclear.node.bell import Bell
from keepclear.node.peer_states import PeerState
from keepclear.node.peers import Peer, Peers
from keepclear.record.notes import Note
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.kept_values import keep_value, kept_value
from keepclear.store.node.peers import put_state, state_of

if TYPE_CHECKING:
    from keepclear.node.comparing import Comparing
    from keepclear.node.records import Records

__all__ = ["Beating", "ChannelStatus", "SoundAlarm"]

SoundAlarm = Callable[..., Any]
"""Sounds an alarm: kind, sentence, and ``key`` and ``line`` by name (`keepclear.node.alarms`)."""

_SEQUENCE = "heartbeat sequence"


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """How the channel to a party's node is, for people.

    Attributes
    ----------
    line, party
        To whom.
    channel
        Its state, since when, and when something was last heard.
    clock
        How far its clock is ahead of ours; None where nothing is known of it.
    versions
        What is to be said of the version that it speaks.
    stopped
        Why nothing but FLASH is exchanged; empty where all is.
    """

    line: str
    party: str
    channel: Channel
    clock: ClockDifference | None
    versions: str
    stopped: str


class Beating:
    """Makes and takes heartbeats. Any thread may use it.

    Parameters
    ----------
    timing
        When silence is too long.
    comparing
        Looks at the checkpoints that heartbeats show.
    alarm, over
        Sound an alarm, and say that what it was about is over.
    """

    def __init__(
        self,
        records: Records,
        peers: Peers,
        database: NodeDatabase,
        bell: Bell,
        clock: Callable[[], float],
        *,
        comparing: Comparing,
        timing: Timing,
        alarm: SoundAlarm = lambda *_, **__: None,
        over: Callable[[str, str], Any] = lambda *_: None,
    ) -> None:
        self._records, self._peers, self._database = records, peers, database
        self._bell, self._clock, self.timing = bell, clock, timing
        self._comparing, self._alarm, self._over = comparing, alarm, over
        self._key = records.transport_key()

    def made(self, peer: Peer) -> bytes:
        """A heartbeat to send to a peer now."""
        checkpoints = self._checkpoints(peer.line)  # first: nobody asks for a log's lock within a transaction
        with self._database.writing() as conn:
            state = self._state(conn, peer.line, peer.party)
            sent_s = round(self._clock(), 3)
            sequence = self._next_sequence(conn, state, sent_s)
            heartbeat = Heartbeat(
                self._records.party, peer.line, peer.party, sent_s, sequence, checkpoints=checkpoints,
                heard=state.hearing.last,
            )  # fmt: skip
            hearing = state.hearing.sent(heartbeat)
            put_state(conn, peer.line, peer.party, replace(state, hearing=hearing).row())
        return sign_heartbeat(heartbeat, self._key)

    def line_of(self, data: bytes) -> str:
        """On which line a heartbeat says that it is; nothing is verified.

        Raises
        ------
        PeerError
            If it is none.
        """
        members, _ = signed_members(data, "keepclear heartbeat v1", limit=512 * 1024)
        return members.name("line")

    def take(self, peer: Peer, data: bytes) -> Conclusion:
        """Take a heartbeat of a peer, and do what follows from it.

        Raises
        ------
        PeerError
            If it is none, of another, or not newer than the last: then nothing follows from it.
        IntegrityError
            If the peer did not sign it.
        """
        heartbeat = self._read(peer, data)
        if heartbeat.party != peer.party:
            raise PeerError(f"a heartbeat of {heartbeat.party}, and {peer.party} sent it")
        received_s = self._clock()
        with self._database.writing() as conn:
            state = self._state(conn, peer.line, peer.party)
            hearing, conclusion = state.hearing.heard(heartbeat, received_s=received_s)
            hears_us = conclusion.fresh(self.timing.missed_s)
            channel, changes = state.channel.heard(received_s, hears_us=hears_us, timing=self.timing)
            after = PeerState(hearing, channel, conclusion.clock or state.clock, conclusion.agreed.sentence)
            put_state(conn, peer.line, peer.party, after.row())
            told = self._tell(conn, peer.line, peer.party, state, after, changes)
        self._rung(told, f"{peer.line}/{peer.party}")
        self._comparing.shown(peer, heartbeat.checkpoints)
        return conclusion

    def lately(self, peer: Peer) -> bool:
        """Whether the peer was heard so lately that the next heartbeat tells it that we hear it."""
        with self._database.reading() as conn:
            last = self._state(conn, peer.line, peer.party).hearing.last
        return last is not None and 0.0 <= self._clock() - last.received_s < self.timing.missed_s

    def look(self) -> None:
        """See where silence has become too long."""
        for line in self._peers.lines():
            for peer in self._peers.of(line):
                if peer.member:
                    self._change(line, peer.party, lambda channel, at_s: channel.at(at_s, timing=self.timing))

    def tested(self, line: str, party: str, event: ChannelEvent, at_s: float) -> None:
        """A line test was begun, or came back, or did not."""
        if event is ChannelEvent.TEST_BEGUN:
            self._change(line, party, lambda channel, _: channel.test_begun(at_s, timing=self.timing))
        else:
            whole = event is ChannelEvent.TEST_PASSED
            self._change(line, party, lambda channel, _: channel.test_returned(at_s, whole=whole, timing=self.timing))

    def status(self, line: str) -> tuple[ChannelStatus, ...]:
        """How the channels on a line are now, by party."""
        found = []
        with self._database.reading() as conn:
            for peer in sorted(self._peers.of(line), key=lambda peer: peer.party):
                state = self._state(conn, line, peer.party)
                channel, _ = state.channel.at(self._clock(), timing=self.timing)
                found.append(
                    ChannelStatus(
                        line, peer.party, channel, state.clock, state.versions, self._peers.stopped(line, peer.party)
                    )
                )
        return tuple(found)

    def pass_over(self, to_s: float) -> None:
        """Go on at a later time as if every heartbeat until then had come: for a replay, which steps over days.

        A channel that is not up stays as it is, and so does one whose node was cut off: silence there is silence.
        """
        for line in self._peers.lines():
            for peer in self._peers.of(line):
                with self._database.writing() as conn:
                    state = self._state(conn, line, peer.party)
                    if state.channel.state is ChannelState.UP:
                        channel = replace(state.channel, heard_s=to_s, looked_s=to_s)
                        put_state(conn, line, peer.party, replace(state, channel=channel).row())

    def reach(self, line: str) -> frozenset[str]:
        """The members with whom there is a channel, be it degraded."""
        there = (ChannelState.UP, ChannelState.DEGRADED, ChannelState.TESTING)
        return frozenset(one.party for one in self.status(line) if one.channel.state in there)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _read(self, peer: Peer, data: bytes) -> Heartbeat:
        """The heartbeat, under whichever of the peer's keys signed it: one may be following another."""
        signatures = Note.of_bytes(data).signatures
        keys = [key for key in peer.transports if any(one.is_by(key) for one in signatures)]
        return read_heartbeat(data, keys=keys or peer.transports, line=peer.line, to=self._records.party)

    def _change(
        self, line: str, party: str, change: Callable[[Channel, float], tuple[Channel, tuple[Change, ...]]]
    ) -> None:
        now_s = self._clock()
        with self._database.reading() as conn:
            state = self._state(conn, line, party)
        channel, changes = change(state.channel, now_s)
        if channel == replace(state.channel, looked_s=channel.looked_s) and not changes:
            return  # nothing but the time has changed
        with self._database.writing() as conn:
            state = self._state(conn, line, party)
            channel, changes = change(state.channel, now_s)
            after = replace(state, channel=channel)
            put_state(conn, line, party, after.row())
            told = self._tell(conn, line, party, state, after, changes)
        self._rung(told, f"{line}/{party}")

    def _state(self, conn: Connection, line: str, party: str) -> PeerState:
        return PeerState.of_row(line, party, state_of(conn, line, party))

    def _next_sequence(self, conn: Connection, state: PeerState, sent_s: float) -> int:
        kept = kept_value(conn, _SEQUENCE)
        last = 0 if kept is None else int(kept)
        sequence = max(state.hearing.next_sequence(sent_s), last + 1)
        keep_value(conn, _SEQUENCE, str(sequence).encode())
        return sequence

    def _checkpoints(self, line: str) -> tuple[bytes, ...]:
        """The newest of each log on the line, with the log's signature alone."""
        found = []
        for origin in sorted(self._records.origins(line))[:MOST_CHECKPOINTS]:
            try:
                with self._records.reading(origin) as log:
                    note, key = Note.of_bytes(log.checkpoint()), log.key
            except InputError:
                continue  # nothing of it is held yet
            own = tuple(one for one in note.signatures if one.is_by(key))[:1]
            found.append(Note(note.text, own).to_bytes())
        return tuple(found)

    def _tell(
        self, conn: Connection, line: str, party: str, before: PeerState, after: PeerState, changes: Sequence[Change]
    ) -> frozenset[str]:
        """Note what changed, for screens and for people; what of it is told, or is over (``-channel``)."""
        told = set()
        now_s, key = self._clock(), f"{line}/{party}"
        for change in changes:
            data = {"party": party, "before": change.before, "after": change.after, "why": change.event}
            events.say(conn, "channel", data, at_s=change.at_s, line=line)
            told.add("-channel" if change.after is ChannelState.UP else "channel")
            if change.after in (ChannelState.DEGRADED, ChannelState.DOWN) and change.before is not ChannelState.DOWN:
                sentence = f"the channel to {party} on {line} is {change.after}: {change.event}"
                self._alarm("channel", sentence, key=key, line=line, conn=conn)
        was, now = _flagged(before.clock), _flagged(after.clock)
        if was != now and after.clock is not None:
            clock: dict[str, Any] = {
                "party": party,
                "ahead_s": after.clock.ahead_s,
                "error_s": after.clock.error_s,
                "flagged": now,
            }
            events.say(conn, "clock", clock, at_s=now_s, line=line)
            told.add("clock" if now else "-clock")
            if now:
                self._alarm("clock", _clock_sentence(party, after.clock), key=key, line=line, conn=conn)
        if after.versions != before.versions:
            data = {"party": party, "versions": after.versions}
            events.say(conn, "channel", data, at_s=now_s, line=line)
            told.add("version")
            if after.versions:
                self._alarm("version", after.versions, key=key, line=line, conn=conn)
        return frozenset(told)

    def _rung(self, told: frozenset[str], key: str) -> None:
        """After the transaction: what is over has one of its own."""
        for kind in told:
            if kind.startswith("-"):
                self._over(kind[1:], key)
        if told:
            self._bell.ring("event")


def _flagged(clock: ClockDifference | None) -> bool:
    return clock is not None and clock.flagged


def _clock_sentence(party: str, clock: ClockDifference) -> str:
    way = "ahead of" if clock.ahead_s > 0 else "behind"
    sure = "" if clock.error_s is None else f", to within {clock.error_s:.1f} s"
    return f"the clock of {party} is {abs(clock.ahead_s):.1f} s {way} ours{sure}: look at both"
