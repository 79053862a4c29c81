"""What a node concludes from a heartbeat: that it is new, how fresh it is, and how far the two clocks are apart.

**New.** The sequence is greater than any heard of that party before; otherwise it is a replay, or came late, and
nothing is concluded from it.

**Fresh.** A heartbeat that says which of ours its sender heard was sent after that one. So by our own clock alone we
know how old it can be at most; whatever the sender's clock says is not needed, and a recorded one cannot pass for new.

**Clocks.** With the four times of a round trip (ours sent, theirs received, theirs sent, ours received) the difference
is the mean of the two apparent delays, wrong by at most half of the round trip (as in NTP, RFC 5905 section 8). With
one way alone only this is known: nothing arrives before it was sent, so a heartbeat from the future shows how far
ahead its sender's clock is at least.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from keepclear.errors import PeerError
from keepclear.line.heartbeats import Heard, Heartbeat
from keepclear.line.versions import OURS, Agreed, Versions, agreed
from keepclear.times import to_text

__all__ = ["CLOCK_LIMIT_S", "MOST_SENT", "ClockDifference", "Conclusion", "Hearing"]

CLOCK_LIMIT_S = 5.0
"""Clocks further apart than this are flagged: the limit of F3548, and of what deadlines of a minute stand."""
MOST_SENT = 256
"""How many heartbeats that we sent are remembered, to know an answer to one: some four hours."""
_ROUNDED_S = 0.002  # times are sent in milliseconds: what two of them are wrong by, and the floats


@dataclass(frozen=True, slots=True)
class ClockDifference:
    """How far the peer's clock is ahead of ours.

    Attributes
    ----------
    ahead_s
        Negative where it is behind.
    error_s
        How far off that may be; None where it is only known that it is at least so far ahead.
    """

    ahead_s: float
    error_s: float | None

    @property
    def flagged(self) -> bool:
        """Whether somebody must look: the clocks seem to be more than `CLOCK_LIMIT_S` apart."""
        return abs(self.ahead_s) > CLOCK_LIMIT_S

    @property
    def certain(self) -> bool:
        """Whether they are that far apart whatever the delays were."""
        return abs(self.ahead_s) - (self.error_s or 0.0) > CLOCK_LIMIT_S


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a heartbeat told us of its sender.

    Attributes
    ----------
    heartbeat
        It.
    received_s
        When it came, by our clock.
    oldest_s
        How long ago it was sent at most, by our clock alone; None where it answers none of ours.
    clock
        How far the clocks are apart; None where nothing is known of it.
    agreed
        Which version of the protocol is spoken, and what to say of it.
    """

    heartbeat: Heartbeat
    received_s: float
    oldest_s: float | None
    clock: ClockDifference | None
    agreed: Agreed

    def fresh(self, within_s: float) -> bool:
        """Whether it is certain that it was sent less than so long ago."""
        return self.oldest_s is not None and self.oldest_s <= within_s


@dataclass(frozen=True)
class Hearing:
    """What is remembered of a peer between heartbeats. Frozen: `sent` and `heard` give the next.

    Attributes
    ----------
    party, line
        The peer, and the line.
    last
        The last heartbeat of the peer, as ours tells it back; None if there was none. Its sequence must outlive a
        restart of the node: without it, a replay is known only by not being fresh.
    ours
        When those that we sent went out, by sequence; the last `MOST_SENT`.
    """

    party: str
    line: str
    last: Heard | None = None
    ours: Mapping[int, float] = field(default_factory=dict, repr=False)

    def sent(self, heartbeat: Heartbeat) -> Hearing:
        """After a heartbeat of ours to this peer."""
        ours = {**self.ours, heartbeat.sequence: heartbeat.sent_s}
        for sequence in sorted(ours)[:-MOST_SENT]:
            del ours[sequence]
        return replace(self, ours=MappingProxyType(ours))

    def next_sequence(self, now_s: float) -> int:
        """One that is greater than all before it, those before a restart too unless the clock was put back."""
        return max(round(now_s * 1000.0), max(self.ours, default=0) + 1, 1)

    def heard(self, heartbeat: Heartbeat, *, received_s: float, ours: Versions = OURS) -> tuple[Hearing, Conclusion]:
        """After a heartbeat of this peer, whose signature has been verified.

        Raises
        ------
        PeerError
            If it is of another party or line, is not newer than the last one, or says of a heartbeat of ours
            that it was sent when it was not: then nothing is concluded, and nothing changes.
        """
        if (heartbeat.party, heartbeat.line) != (self.party, self.line):
            raise PeerError(f"a heartbeat of {heartbeat.party} on {heartbeat.line} for one of {self.party}")
        if self.last is not None and heartbeat.sequence <= self.last.sequence:
            raise PeerError(
                f"heartbeat {heartbeat.sequence} of {self.party} is not after {self.last.sequence}: a replay, or late"
            )
        echo = self._echo(heartbeat)
        oldest_s = None if echo is None else max(0.0, received_s - echo.sent_s)
        clock = _difference(heartbeat, echo, received_s)
        last = Heard(heartbeat.sequence, heartbeat.sent_s, received_s)
        said = agreed(heartbeat.versions, party=self.party, ours=ours)
        return replace(self, last=last), Conclusion(heartbeat, received_s, oldest_s, clock, said)

    def _echo(self, heartbeat: Heartbeat) -> Heard | None:
        """What the peer heard of us, where we remember having sent it."""
        heard = heartbeat.heard
        # One that we do not remember says nothing: it may be from before we were started anew.
        if heard is None or heard.sequence not in self.ours:
            return None
        if to_text(self.ours[heard.sequence]) != to_text(heard.sent_s):  # to the millisecond, as it was written
            raise PeerError(f"{self.party} says that our heartbeat {heard.sequence} was sent when it was not")
        return heard


def _difference(heartbeat: Heartbeat, echo: Heard | None, received_s: float) -> ClockDifference | None:
    if echo is not None:
        there_s, back_s = echo.received_s - echo.sent_s, received_s - heartbeat.sent_s
        round_trip_s = there_s + back_s
        # Negative: the peer held it for longer than it was away, so one of its times is wrong, or a clock was put back.
        if round_trip_s >= -_ROUNDED_S:
            return ClockDifference((there_s - back_s) / 2.0, max(round_trip_s, 0.0) / 2.0 + _ROUNDED_S)
    ahead_s = heartbeat.sent_s - received_s
    return ClockDifference(ahead_s, None) if ahead_s > 0.0 else None
