"""Alarms, the roster and the alarm channels, as answers."""

from __future__ import annotations

from collections.abc import Iterable

from keepclear.api.shown.entries import id_or_none
from keepclear.node.alarm_channels import ChannelView
from keepclear.node.rosters import RosterView
from keepclear.record.bodies.line_talk import ChannelTried
from keepclear.store.node.alarms import Alarm
from keepclear.store.node.told import Notice
from keepclear.values.alarms import (
    AlarmChannelTold,
    AlarmTold,
    ChannelTriedTold,
    NoticeTold,
    PostTold,
    RosterTold,
)
from keepclear.values.base import moment, moment_or_none

__all__ = ["alarm_told", "channel_told", "roster_told", "tried_told"]


def alarm_told(alarm: Alarm, notices: Iterable[Notice] = ()) -> AlarmTold:
    """An alarm, and whom it was told."""
    return AlarmTold(
        id=alarm.id,
        at=moment(alarm.at_s),
        kind=alarm.kind,
        key=alarm.key,
        sentence=alarm.sentence,
        line=alarm.line,
        entry=id_or_none(alarm.ref),
        data=dict(alarm.data),
        times=alarm.times,
        last=moment_or_none(alarm.last_s),
        over=moment_or_none(alarm.over_s),
        acknowledged=moment_or_none(alarm.acknowledged_s),
        acknowledged_by=alarm.acknowledged_by or "",
        note=alarm.note or "",
        notices=[_notice(one) for one in notices],
    )


def roster_told(view: RosterView) -> RosterTold:
    """Who is on duty."""
    posts = [
        PostTold(role=one.role, rank=one.rank, holder=one.holder, channels=list(one.channels)) for one in view.posts
    ]
    return RosterTold(version=view.version, posts=posts)


def channel_told(view: ChannelView) -> AlarmChannelTold:
    """A way by which alarms leave the machine."""
    return AlarmChannelTold(
        name=view.name,
        kind=view.kind,
        settings=dict(view.settings),
        has_secret=view.has_secret,
        version=view.version,
        tried=moment_or_none(view.tried_s),
        worked=view.worked,
        note=view.note,
    )


def tried_told(tried: ChannelTried) -> ChannelTriedTold:
    """Whether it worked when it was tried."""
    return ChannelTriedTold(channel=tried.channel, worked=tried.worked, note=tried.note or "")


def _notice(notice: Notice) -> NoticeTold:
    return NoticeTold(
        channel=notice.channel,
        at=moment(notice.at_s),
        state=notice.state.value,
        tries=notice.tries,
        ended=moment_or_none(notice.ended_s),
        note=notice.note,
    )
