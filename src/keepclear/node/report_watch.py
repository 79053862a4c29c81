"""Incident reports that were drafted and not sent: who is told as the hour of the first report runs out, and after it.

The ladder is the one of all that is owed (`keepclear.line.escalation`): when half the time has gone, when it is due,
when twice the time has gone. A draft is no entry on a line yet, so it has no thread there; once the report is sent it
has one, and the full report is seen to with everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from keepclear.clock import monotonic_s
from keepclear.line.escalation import DESK, Reason
from keepclear.node.alarms import AlarmKind, Alarms, notice_of, reached
from keepclear.node.bell import Bell
from keepclear.node.incidents import FIRST_REPORT_S
from keepclear.node.rosters import roster_in
from keepclear.store.node.alarms import open_alarms
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.encounters_seen import Drafted, drafts_unsent
from keepclear.store.node.told import NoticeState, known_keys, plan_notice
from keepclear.times import to_text

__all__ = ["ReportWatch"]

_EVERY_S = 10.0
_KEY = "first report of encounter "


@dataclass(frozen=True, slots=True)
class _Step:
    share: float
    reason: Reason
    depth: int | None


_STEPS = (
    _Step(0.5, Reason.DUE_SOON, 0),
    _Step(1.0, Reason.UNANSWERED, 1),
    _Step(2.0, Reason.UNANSWERED, None),
)


class ReportWatch:
    """Looks for first reports that are due.

    Parameters
    ----------
    database, alarms, bell, clock
        The node's.
    every_s
        How often it looks, at most.
    """

    def __init__(
        self,
        database: NodeDatabase,
        alarms: Alarms,
        bell: Bell,
        clock: Callable[[], float],
        *,
        every_s: float = _EVERY_S,
    ) -> None:
        self._database, self._alarms, self._bell, self._clock = database, alarms, bell, clock
        self._every_s, self._looked_s = every_s, -1e9

    def sweep(self) -> int:
        """Tell whoever is to be told by now; how many steps were taken."""
        if monotonic_s() - self._looked_s < self._every_s:
            return 0
        self._looked_s = monotonic_s()
        now_s = self._clock()
        with self._database.reading() as conn:
            drafts = drafts_unsent(conn)
            due = [(one, step) for one in drafts if (step := _step(one, now_s)) is not None]
            known = known_keys(conn, [_mark(one, step) for one, step in due])
            over = self._over(conn, {f"{_KEY}{one.number}" for one in drafts})
        for key in over:
            self._alarms.clear(AlarmKind.OVERDUE, key)
        fresh = [(one, step) for one, step in due if _mark(one, step) not in known]
        if fresh:
            with self._database.writing() as conn:
                for one, step in fresh:
                    self._tell(conn, one, step, now_s)
            self._bell.ring("event")
        return len(fresh)

    def _over(self, conn: Connection, waiting: set[str]) -> list[str]:
        """The alarms of reports that were sent since."""
        return [
            alarm.key
            for alarm in open_alarms(conn, AlarmKind.OVERDUE, begins=_KEY)  # of other kinds there may be thousands
            if alarm.key not in waiting
        ]

    def _tell(self, conn: Connection, one: Drafted, step: _Step, now_s: float) -> None:
        """Tell the desk once it is overdue, and those whom the step names by their channels."""
        due = to_text(one.found_s + FIRST_REPORT_S)
        late = step.reason is not Reason.DUE_SOON
        told = f"The first report of encounter {one.number} {'was' if late else 'is'} due at {due}"
        sentence = f"{told}{', and was not sent' if late else ''}: keepclear incident report."
        line = one.line or None
        alarm = None
        if late:
            key, data = f"{_KEY}{one.number}", {"encounter": one.number}
            alarm = self._alarms.sound(
                AlarmKind.OVERDUE, sentence, key=key, line=line, data=data, outside=False, conn=conn
            )
        # The mark is kept whether or not anybody has a channel: what was told is told once, also after a start.
        marks = [(DESK, None), *((channel, post) for post, channel in reached(roster_in(conn), step.depth))]
        for channel, post in marks:
            notice = notice_of(
                self._alarms.party, alarm, AlarmKind.OVERDUE, sentence, at_s=now_s, line=line, post=post,
                reason=step.reason,
            )  # fmt: skip
            key = _mark(one, step) if post is None else f"{_mark(one, step)}|{channel}"
            state = NoticeState.DONE if post is None else NoticeState.WAITING
            plan_notice(conn, key, channel, notice, at_s=now_s, urgent=late, alarm=alarm, state=state)


def _step(one: Drafted, now_s: float) -> _Step | None:
    """The last step whose time has come; those before it are overtaken."""
    return next((step for step in reversed(_STEPS) if one.found_s + step.share * FIRST_REPORT_S <= now_s), None)


def _mark(one: Drafted, step: _Step) -> str:
    return f"{_KEY}{one.number}|{step.share:g}"
