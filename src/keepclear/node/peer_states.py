"""What is remembered of a peer's node between heartbeats, as it stands in the table and as the line's rules have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from keepclear.line.channel import Channel, ChannelState
from keepclear.line.hearing import ClockDifference, Hearing
from keepclear.line.heartbeats import Heard

__all__ = ["PeerState"]

_MOST_SENT = 32  # heartbeats of ours that an answer may speak of: half an hour, or more when they are seldom


@dataclass(frozen=True)
class PeerState:
    """What we know of a peer's node on a line.

    Attributes
    ----------
    hearing
        The heartbeats both ways.
    channel
        How the channel is.
    clock
        How far its clock is ahead of ours; None where nothing is known of it.
    versions
        What is to be said of the version that it speaks; empty where there is nothing.
    """

    hearing: Hearing
    channel: Channel = field(default_factory=Channel)
    clock: ClockDifference | None = None
    versions: str = ""

    @classmethod
    def of_row(cls, line: str, party: str, row: Mapping[str, Any] | None) -> PeerState:
        """As it was kept; None is a peer of which nothing was ever heard."""
        hearing = Hearing(party, line)
        if row is None:
            return cls(hearing)
        last = row.get("last")
        ours = {int(sequence): sent_s for sequence, sent_s in row.get("ours", ())}
        hearing = replace(hearing, last=None if last is None else Heard(*last), ours=ours)
        kept = dict(row.get("channel", {}))
        kept["state"] = ChannelState(kept.get("state", ChannelState.DOWN))
        clock = row.get("clock")
        difference = None if clock is None else ClockDifference(*clock)
        return cls(hearing, Channel(**kept), difference, row.get("versions", ""))

    def row(self) -> dict[str, Any]:
        """As it is kept."""
        channel, last, clock = self.channel, self.hearing.last, self.clock
        return {
            "last": None if last is None else [last.sequence, last.sent_s, last.received_s],
            "ours": [[sequence, self.hearing.ours[sequence]] for sequence in sorted(self.hearing.ours)[-_MOST_SENT:]],
            "channel": {
                "state": str(channel.state), "since_s": channel.since_s, "heard_s": channel.heard_s,
                "looked_s": channel.looked_s, "test_begun_s": channel.test_begun_s,
                "test_failed": channel.test_failed, "hears_us": channel.hears_us,
            },
            "clock": None if clock is None else [clock.ahead_s, clock.error_s],
            "versions": self.versions,
        }  # fmt: skip
