"""Lines, their members and their channels, as answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepclear.errors import InputError
from keepclear.line.membership import Member, Membership
from keepclear.node.entry_ids import EntryId
from keepclear.node.exchange import PeerStatus
from keepclear.store.node.lines import KnownLine
from keepclear.values.base import moment_or_none
from keepclear.values.lines import (
    AskingTold,
    ChannelTold,
    LineStatusTold,
    LineTold,
    MembersTold,
    MemberTold,
    RemovalTold,
)

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["line_told", "members_told", "status_told"]


def line_told(node: Node, known: KnownLine) -> LineTold:
    """A line that we are on, have left, or asked to join."""
    try:
        members = list(node.lines.members(known.line).members)
    except InputError:
        members = []  # its founder's log has not come yet
    return LineTold(
        line=known.line,
        name=known.name,
        root=str(EntryId.of(known.root)),
        member=node.party in members,
        members=members,
    )


def members_told(line: str, found: Membership) -> MembersTold:
    """Who is on a line."""
    return MembersTold(
        line=line,
        name=found.name,
        members=[_member(one) for one in found.members.values()],
        asking=[AskingTold(party=one.party, identity=one.identity.text, why=one.why) for one in found.asking],
        removals=[
            RemovalTold(
                party=one.party, by=list(one.by), missing=list(one.missing), complete=one.complete, until=one.until
            )
            for one in found.removals
        ],
        unread=[f"{EntryId.of(one.ref)}: {one.reason}" for one in found.unread],
    )


def status_told(node: Node, line: str) -> LineStatusTold:
    """How the channels of a line are."""
    origin = node.records.own_origin(line)
    return LineStatusTold(
        line=line,
        party=node.party,
        log=origin,
        size=node.records.size(origin),
        channels=[_channel(one) for one in node.exchange.status(line)],
        forks=[one for one in node.records.origins(line) if node.records.forks(one)],
        silence=node.records.silence(line),
    )


def _member(member: Member) -> MemberTold:
    return MemberTold(
        party=member.party,
        name=member.card.name,
        identity=member.identity.text,
        since=moment_or_none(member.since_s),
        through=list(member.through),
        addresses=list(member.card.addresses),
        words_compared_by=sorted({one.by for one in member.invitations if one.words_compared}),
    )


def _channel(status: PeerStatus) -> ChannelTold:
    told, channel = status.channel, status.channel.channel
    return ChannelTold(
        party=told.party,
        state=channel.state.value,
        since=moment_or_none(channel.since_s),
        heard_at=moment_or_none(channel.heard_s),
        hears_us=channel.hears_us,
        test_failed=channel.test_failed,
        clock_ahead_s=None if told.clock is None else told.clock.ahead_s,
        behind=status.behind,
        trouble=status.trouble,
        versions=told.versions,
        stopped=told.stopped,
    )
