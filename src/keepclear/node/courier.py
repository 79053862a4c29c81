"""Carrying out what was planned: notices leave the machine here.

Each channel has two threads, one for what is urgent, so that a mail server that hangs holds up neither the siren nor a
FLASH. That a notice is being told is written down before, and that it was told after; what was begun when the machine
stopped is told again, and says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from keepclear.errors import KeepclearError
from keepclear.node.alarm_channels import AlarmChannels
from keepclear.node.alarms import AlarmKind, Alarms
from keepclear.node.bell import Bell
from keepclear.node.ways import NotToldError
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.told import (
    Notice,
    NoticeState,
    begin_notice,
    due_notices,
    finish_notice,
    postpone_notice,
    take_up_again,
    waiting_channels,
)

__all__ = ["RETRY_S", "Courier"]

_LOG = logging.getLogger(__name__)
RETRY_S = (5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0)
"""How long after each failure a notice is tried again; after the last it is given up, which the alarm says."""
_LOOK_S = 30.0
_TOGETHER_S = 0.05  # every entry is an event, and hardly any of them is an alarm
_MISHAP_S = 1.0


class Courier:
    """Tells what was planned. One process of a node runs it.

    Parameters
    ----------
    database
        Where it was planned.
    channels
        By which it is told.
    alarms
        Told of what was given up.
    bell
        Rung with "event" when something was planned.
    clock
        Tells the time.
    retry_s
        See `RETRY_S`.
    """

    def __init__(
        self,
        database: NodeDatabase,
        channels: AlarmChannels,
        alarms: Alarms,
        bell: Bell,
        clock: Callable[[], float],
        *,
        retry_s: tuple[float, ...] = RETRY_S,
    ) -> None:
        self._database, self._channels, self._alarms = database, channels, alarms
        self._bell, self._clock, self._retry_s = bell, clock, retry_s
        self._stopping = threading.Event()
        self._lanes: dict[tuple[str, bool], threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._watch: threading.Thread | None = None

    def start(self) -> None:
        """Take up what was left, and go on."""
        self._stopping.clear()
        with self._database.writing() as conn:
            take_up_again(conn, at_s=self._clock())
        self._watch = threading.Thread(target=self._watch_over, name="keepclear-courier", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Begin nothing more. What is being told is not waited for: it is told again at the next start."""
        self._stopping.set()
        self._bell.ring("stop")
        for wake in list(self._lanes.values()):
            wake.set()
        if self._watch is not None:
            self._watch.join()
        for thread in self._threads:
            thread.join(1.0)
        self._lanes.clear()
        self._threads.clear()

    def _watch_over(self) -> None:
        """See to it that each channel that has something to tell has a thread, and that it is awake in time."""
        with self._bell.waiter("event") as waiter:
            while not self._stopping.is_set():
                wait_s = _LOOK_S
                try:
                    with self._database.reading() as conn:
                        waiting = waiting_channels(conn)
                    now_s = self._clock()
                    for lane, due_s in waiting.items():
                        if due_s <= now_s:
                            self._wake(lane)
                        else:
                            wait_s = min(wait_s, due_s - now_s)
                except KeepclearError as error:
                    _LOG.error("alarms cannot be looked up: %s", error)
                    wait_s = _MISHAP_S
                waiter.wait(max(wait_s, 0.01))
                self._stopping.wait(_TOGETHER_S)

    def _wake(self, lane: tuple[str, bool]) -> None:
        if lane not in self._lanes:
            self._lanes[lane] = threading.Event()
            name = f"keepclear-tell-{lane[0]}{'-urgent' if lane[1] else ''}"
            thread = threading.Thread(target=self._run, args=(*lane, self._lanes[lane]), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._lanes[lane].set()

    def _run(self, channel: str, urgent: bool, wake: threading.Event) -> None:  # noqa: FBT001  # made by `_wake` alone
        while True:
            wake.wait()
            wake.clear()
            if self._stopping.is_set():
                return
            try:
                while not self._stopping.is_set() and self._tell_due(channel, urgent=urgent):
                    pass
            except KeepclearError as error:
                _LOG.error("alarms by %s: %s", channel, error)
                self._stopping.wait(_MISHAP_S)
                wake.set()  # nothing was struck off

    def _tell_due(self, channel: str, *, urgent: bool) -> int:
        with self._database.reading() as conn:
            due = due_notices(conn, channel, urgent=urgent, at_s=self._clock())
        for notice in due:
            if self._stopping.is_set():
                break
            self._tell(notice)
        return len(due)

    def _tell(self, notice: Notice) -> None:
        with self._database.writing() as conn:
            begin_notice(conn, notice.id)
        told = dict(notice.notice)
        if notice.tries:
            told["again"] = True  # a try that failed may have come through all the same
        try:
            answered = self._channels.tell(notice.channel, told, key=notice.key)
        except NotToldError as error:
            self._put_off(notice, str(error))
            return
        with self._database.writing() as conn:
            finish_notice(conn, notice.id, NoticeState.DONE, note=answered, at_s=self._clock())

    def _put_off(self, notice: Notice, why: str) -> None:
        at_s = self._clock()
        with self._database.writing() as conn:
            if notice.tries < len(self._retry_s):
                postpone_notice(conn, notice.id, note=why, next_s=at_s + self._retry_s[notice.tries])
            else:
                finish_notice(conn, notice.id, NoticeState.GIVEN_UP, note=why, at_s=at_s)
                sentence = f"Nobody could be told by {notice.channel} of alarm {notice.alarm}: {why}."
                self._alarms.sound(
                    AlarmKind.ALARM_CHANNEL, sentence, key=notice.channel, leaving_out=(notice.channel,), conn=conn
                )
        self._bell.ring("event")  # the watch sees when it is due
