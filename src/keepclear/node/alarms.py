"""Alarms: sounding them, showing them until a named person has seen them, and planning who is told outside.

Who is told what is one table (`TOLD`). An alarm and the notices that it makes necessary are written in one transaction;
`keepclear.node.courier` carries the notices out. What is said outside names parties, lines and entries, and never what
an entry says: an alarm goes over other people's machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from keepclear.errors import Fault, InputError
from keepclear.line.escalation import DESK, Post, Role, Roster
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.bell import Bell
from keepclear.node.entry_ids import EntryId
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.node.rosters import roster_in
from keepclear.record.entries import EntryRef
from keepclear.store.node import alarms as kept
from keepclear.store.node import events
from keepclear.store.node.alarms import Alarm
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.told import Notice, notices_of, plan_notice
from keepclear.times import to_text

__all__ = ["TOLD", "AlarmKind", "Alarms", "Whom", "notice_of"]

_MOST_NOTE = 2000
_MOST_SENTENCE = 1000


class AlarmKind(StrEnum):
    """What sort of thing somebody must look at."""

    FLASH = "flash"
    """Harm in progress, reported by another party."""
    OVERDUE = "overdue"
    """An answer is owed and has not been given in time, by us or to us."""
    RELAY = "relay"
    """We are asked to relay something to a party that others cannot reach."""
    CHANNEL = "channel"
    """The channel to a party has changed its state."""
    FORK = "fork"
    """Somebody's log has two histories."""
    CLOCK = "clock"
    """Our clock and a peer's are more than 5 s apart."""
    GUARD = "guard"
    """A guard has refused something, of ours or of another party."""
    VERSION = "version"
    """A peer speaks a newer version of the protocol."""
    DISK = "disk"
    """The disk is nearly full."""
    STORE = "store"
    """Something could not be kept."""
    RESTORE = "restore"
    """The node was restored, and says nothing on a line until a peer has shown its newest checkpoint."""
    ALARM_CHANNEL = "alarm-channel"
    """A way by which alarms leave the machine does not work."""
    LINE_TEST = "line-test"
    """A line test did not come back, or not whole."""
    TRACK = "track"
    """A unit of ours is outside its own plan, or has not been heard of for too long."""
    ENCOUNTER = "encounter"
    """Two parties' units came too close, or a term was broken: an incident report is due."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is told of an alarm, besides the desk.

    Attributes
    ----------
    depth
        The duty officer and so many deputies; None: every post.
    channels
        Whether all their channels are used; otherwise the desk alone.
    urgent
        Whether it goes before others.
    """

    depth: int | None = 0
    channels: bool = True
    urgent: bool = False


TOLD: Mapping[AlarmKind, Whom] = MappingProxyType(
    {
        # Of the first three, those in a log come from the ladders of keepclear.line.escalation, which say whom to tell.
        AlarmKind.FLASH: Whom(urgent=True),
        AlarmKind.OVERDUE: Whom(channels=False),
        AlarmKind.RELAY: Whom(channels=False),
        AlarmKind.CHANNEL: Whom(),
        AlarmKind.FORK: Whom(depth=None, urgent=True),
        AlarmKind.CLOCK: Whom(),
        AlarmKind.GUARD: Whom(),
        AlarmKind.VERSION: Whom(channels=False),
        AlarmKind.DISK: Whom(depth=1, urgent=True),
        AlarmKind.STORE: Whom(depth=1, urgent=True),
        AlarmKind.RESTORE: Whom(depth=None),
        AlarmKind.ALARM_CHANNEL: Whom(depth=1),
        AlarmKind.LINE_TEST: Whom(),
        AlarmKind.TRACK: Whom(),
        AlarmKind.ENCOUNTER: Whom(depth=1, urgent=True),
    }
)
"""Whom each sort of alarm is told."""


class Alarms:
    """The alarms of a node. Any thread may use it.

    Parameters
    ----------
    database, acts
        Where they are kept, and who acknowledged them.
    bell
        Rung when there is a new one.
    clock
        Tells the time.
    party
        Whose node it is.
    """

    def __init__(
        self, database: NodeDatabase, acts: Acts, bell: Bell, clock: Callable[[], float], *, party: str
    ) -> None:
        self._database, self._acts, self._bell, self._clock = database, acts, bell, clock
        self.party = party

    def sound(
        self,
        kind: AlarmKind | str,
        sentence: str,
        *,
        key: str = "",
        line: str | None = None,
        ref: EntryRef | None = None,
        data: Mapping[str, Any] | None = None,
        leaving_out: Iterable[str] = (),
        outside: bool = True,
        conn: Connection | None = None,
    ) -> int | None:
        """Sound an alarm, and plan who is told.

        Parameters
        ----------
        kind
            What sort.
        sentence
            To be read out: who, which line, which entry, what is to be done; no text, place or time of an entry.
        key
            What it is about among those of its sort. While one of the same sort and key is not acknowledged, it is
            that one again.
        leaving_out
            Channels that cannot be used to tell of it.
        outside
            Whether it is told by channels; False where the caller sees to that.
        conn
            A transaction that is being written; then ring "event" when it has been kept. None: one of its own.

        Returns
        -------
        int or None
            Its number; None if it was there already.
        """
        kind = AlarmKind(kind)
        sentence = " ".join(sentence.split())[:_MOST_SENTENCE]
        at_s = self._clock()
        with self._writing(conn) as writing:
            before = kept.open_alarm(writing, kind, key)
            if before is not None:
                was_over = before.over_s is not None
                kept.count_again(writing, before.id, sentence, at_s=at_s)
                if was_over:  # it is there again: that is news
                    self._say(writing, before.id, kind, sentence, line, ref, at_s)
                number = None
            else:
                number = kept.add_alarm(writing, kind, key, sentence, at_s=at_s, line=line, ref=ref, data=data)
                self._say(writing, number, kind, sentence, line, ref, at_s)
                if outside:
                    self._plan(writing, number, kind, sentence, line, ref, at_s, frozenset(leaving_out))
        if conn is None:
            self._bell.ring("event")
        return number

    def clear(self, kind: AlarmKind | str, key: str, *, conn: Connection | None = None) -> bool:
        """Note that the cause of an alarm has gone; it stays on the desk until it is acknowledged."""
        with self._writing(conn) as writing:
            found = kept.clear(writing, AlarmKind(kind), key, at_s=self._clock())
        if found and conn is None:
            self._bell.ring("event")
        return found

    def acknowledge(self, id: int, by: Actor, note: str = "") -> Alarm:  # noqa: A002  # as in the API
        """Note that a named person has seen it; who was first stays.

        Raises
        ------
        NotAllowedError
            If the actor may not.
        NotFoundError
            If there is no such alarm.
        """
        by.must(Scope.ROSTERS)
        if len(note) > _MOST_NOTE:
            raise InputError(Fault("too long", f"at most {_MOST_NOTE} characters", field="note"))
        at_s = self._clock()
        with self._database.writing() as conn:
            alarm = kept.alarm_of(conn, id)
            if alarm is None:
                raise NotFoundError("alarm", field="id", value=str(id))
            if kept.acknowledge(conn, id, by=by.user, note=note, at_s=at_s):
                self._acts.record(conn, by, "acknowledge alarm", ref=str(id), detail={"kind": alarm.kind})
                self._say(conn, id, AlarmKind(alarm.kind), alarm.sentence, alarm.line, alarm.ref, at_s, by=by.user)
            found = kept.alarm_of(conn, id)
        self._bell.ring("event")
        assert found is not None
        return found

    def listed(self, *, open_only: bool = True, after: int | None = None, limit: int = 100) -> tuple[Alarm, ...]:
        """Alarms, the newest first; `after`: those that come after the one of this number in the list."""
        with self._database.reading() as conn:
            return tuple(kept.alarms_before(conn, after, open_only=open_only, limit=limit))

    def one(self, id: int) -> tuple[Alarm, tuple[Notice, ...]]:  # noqa: A002  # as in the API
        """An alarm, and whom it was told.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        with self._database.reading() as conn:
            alarm = kept.alarm_of(conn, id)
            if alarm is None:
                raise NotFoundError("alarm", field="id", value=str(id))
            return alarm, tuple(notices_of(conn, id))

    def _plan(
        self, conn: Connection, number: int, kind: AlarmKind, sentence: str, line: str | None, ref: EntryRef | None,
        at_s: float, leaving_out: frozenset[str],
    ) -> None:  # fmt: skip
        whom = TOLD[kind]
        if not whom.channels:
            return
        for post, channel in reached(roster_in(conn), whom.depth):
            if channel not in leaving_out:
                told = notice_of(self.party, number, kind, sentence, at_s=at_s, line=line, ref=ref, post=post)
                key = f"alarm {number}|{channel}"
                plan_notice(conn, key, channel, told, at_s=at_s, urgent=whom.urgent, alarm=number)

    def _say(
        self, conn: Connection, number: int, kind: AlarmKind, sentence: str, line: str | None, ref: EntryRef | None,
        at_s: float, *, by: str = "",
    ) -> None:  # fmt: skip
        data: dict[str, Any] = {"alarm": number, "kind": kind, "sentence": sentence}
        if by:
            data["acknowledged_by"] = by
        events.say(conn, "alarm", data, at_s=at_s, line=line, ref=ref)

    @contextmanager
    def _writing(self, conn: Connection | None) -> Any:
        with self._database.writing() if conn is None else nullcontext(conn) as writing:
            yield writing


def reached(roster: Roster, depth: int | None) -> tuple[tuple[Post, str], ...]:
    """The posts down to that depth, each with its channels; a channel that several have is used once."""
    found: dict[str, Post] = {}
    for post in sorted(roster.up_to(depth), key=lambda one: (one.role is not Role.DUTY_OFFICER, one.role, one.rank)):
        for channel in post.channels:
            if channel != DESK:
                found.setdefault(channel, post)
    return tuple((post, channel) for channel, post in found.items())


def notice_of(
    party: str,
    alarm: int | None,
    kind: str,
    sentence: str,
    *,
    at_s: float,
    line: str | None = None,
    ref: EntryRef | None = None,
    post: Post | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """What is told outside, as JSON: the same for every kind of channel."""
    told: dict[str, Any] = {"party": party, "kind": str(kind), "sentence": sentence, "at": to_text(at_s)}
    if alarm is not None:
        told["alarm"] = alarm
    if line is not None:
        told["line"] = line
    if ref is not None:
        told["entry"] = str(EntryId.of(ref))
    if post is not None:
        told |= {"role": str(post.role), "rank": post.rank}
    if reason:
        told["reason"] = reason
    return told
