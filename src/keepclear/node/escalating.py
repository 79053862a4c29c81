"""Carrying out the ladders of `keepclear.line.escalation`: looking who has to be told what, and planning it.

What had to be told by now is the same whenever it is asked; what was planned before is known by its key, which is
durable, so that nothing is told twice on purpose and nothing is left out. An entry that comes is looked at by itself,
at once; all that is owed is looked at when somebody was heard of, and now and then.

Where the machine was off and several steps for the same person, channel and answer are due at once, the last is told
and the others are struck off as overtaken.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from keepclear.clock import monotonic_s
from keepclear.errors import KeepclearError
from keepclear.line.deadlines import MessageClass
from keepclear.line.escalation import DESK, Reason, Tell, next_s, to_tell
from keepclear.line.threads import Owing, Thread
from keepclear.node.alarms import AlarmKind, Alarms, notice_of
from keepclear.node.bell import Bell
from keepclear.node.entry_ids import EntryId
from keepclear.node.rosters import roster_in
from keepclear.record.entries import EntryRef
from keepclear.store.node.alarms import open_alarms
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.events import newest, since
from keepclear.store.node.told import NoticeState, known_keys, plan_notice
from keepclear.times import to_text

__all__ = ["Escalating", "Threads"]

_LOG = logging.getLogger(__name__)
_SWEEP_S = 60.0
_LEAST_SWEEP_S = 0.5
_SHARE = 25.0  # looking at everything takes at most one part in so many of the time
_MISHAP_S = 1.0
_TOGETHER_S = 0.05  # what comes within that is looked at together: looking costs more than what is looked at
_MOST_KNOWN = 200_000
_OWN_ALARMS = (AlarmKind.FLASH, AlarmKind.OVERDUE, AlarmKind.RELAY)
_AT_THE_DESK = frozenset(
    {Reason.NOT_DELIVERED, Reason.UNANSWERED, Reason.NOBODY_ABLE, Reason.RELAY, Reason.WAITING}
)  # the others are what the inbox is for


class Threads(Protocol):
    """What is owed on the lines (`keepclear.node.duties.Duties`)."""

    def thread(self, ref: EntryRef, at_s: float) -> Thread:
        """How matters stand with an entry; KeyError where it is not known."""

    def threads_owing(self, line: str, at_s: float) -> Iterable[Thread]:
        """Those of a line to which somebody owes something."""


class Escalating:
    """Plans what has to be told. One process of a node runs it.

    Parameters
    ----------
    threads
        What is owed.
    lines
        The lines there are.
    database, alarms
        Where it is planned.
    bell
        Rung when there is something new.
    clock
        Tells the time.
    reach
        The members of a line that our node can reach now, for what we are asked to relay.
    """

    def __init__(
        self,
        threads: Threads,
        lines: Callable[[], Sequence[str]],
        database: NodeDatabase,
        alarms: Alarms,
        bell: Bell,
        clock: Callable[[], float],
        *,
        reach: Callable[[str], Collection[str]] = lambda _: frozenset(),
    ) -> None:
        self._threads, self._lines, self._database, self._alarms = threads, lines, database, alarms
        self._bell, self._clock, self._reach = bell, clock, reach
        self._event = 0
        self._due = _Due()
        self._known: set[str] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        with self._database.reading() as conn:
            self._event = newest(conn)
        self._thread = threading.Thread(target=self._run, name="keepclear-escalating", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, when what is being planned is planned."""
        self._stopping.set()
        self._bell.ring("stop")
        if self._thread is not None:
            self._thread.join()

    def sweep(self) -> int:
        """Look at everything that is owed, plan what has to be told by now, and say how much that was."""
        at_s, told, open_ = self._clock(), 0, set[EntryRef]()
        self._due.clear()
        for line in self._lines():
            threads = tuple(self._threads.threads_owing(line, at_s))
            told += self._plan(line, threads, at_s)
            open_.update(thread.ref for thread in threads)
        self._end(open_)
        return told

    def look_at(self, refs: Iterable[EntryRef]) -> int:
        """Look at these entries alone, plan what has to be told of them by now, and say how much that was."""
        at_s = self._clock()
        by_line: dict[str, list[Thread]] = {}
        for ref in dict.fromkeys(refs):
            self._due.drop(ref)
            try:
                thread = self._threads.thread(ref, at_s)
            except (KeyError, KeepclearError):  # nothing that anybody answers, or not known any more
                continue
            by_line.setdefault(EntryId.of(ref).line, []).append(thread)
        return sum(self._plan(line, threads, at_s) for line, threads in by_line.items())

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        sweep_s = 0.0
        with self._bell.waiter("projected", "receipt", "line") as waiter:
            rung = True
            while not self._stopping.is_set():
                try:
                    self.look_at([*self._new(), *self._due_by(self._clock())])
                    if monotonic_s() >= sweep_s or (rung and monotonic_s() >= sweep_s - _SWEEP_S + self._pause_s):
                        begun_s = monotonic_s()
                        self.sweep()
                        self._pause_s = max(_LEAST_SWEEP_S, _SHARE * (monotonic_s() - begun_s))
                        sweep_s = monotonic_s() + max(_SWEEP_S, self._pause_s)
                        rung = False
                    wait_s = self._wait_s(sweep_s, rung=rung)
                except KeepclearError as error:
                    _LOG.error("what has to be told cannot be looked up: %s", error)
                    wait_s = _MISHAP_S
                except Exception:  # noqa: BLE001  # whatever it is, the next alarm must still be looked for
                    _LOG.exception("escalating")
                    wait_s = _MISHAP_S
                rung = waiter.wait(wait_s) or rung
                self._stopping.wait(_TOGETHER_S)

    _pause_s = _LEAST_SWEEP_S

    def _wait_s(self, sweep_s: float, *, rung: bool) -> float:
        until_sweep_s = sweep_s - monotonic_s() - (_SWEEP_S - self._pause_s if rung else 0.0)
        until_due_s = self._due.next_s(self._clock() + _SWEEP_S) - self._clock()
        return max(0.01, min(until_sweep_s, until_due_s))

    def _new(self) -> list[EntryRef]:
        with self._database.reading() as conn:
            came = since(conn, self._event)
        if came:
            self._event = came[-1].id
        return [event.ref for event in came if event.ref is not None]

    def _due_by(self, at_s: float) -> list[EntryRef]:
        return self._due.by(at_s)

    # --- planning --------------------------------------------------------------------------------------------------

    def _plan(self, line: str, threads: Iterable[Thread], at_s: float) -> int:
        by_ref = {thread.ref: thread for thread in threads}
        owed = [one for thread in by_ref.values() for one in thread.owed]
        for ref, thread in by_ref.items():
            due_s = next_s(thread.owed, after_s=at_s)
            if due_s is not None:
                self._due.put(ref, due_s)
        if not owed:
            return 0
        with self._database.reading() as conn:
            tells = [tell for tell in self._tells(conn, line, owed, at_s) if _key(tell) not in self._known]
            new = _unknown(conn, tells)
        if new:
            with self._database.writing() as conn:
                new = _unknown(conn, new)  # nobody else plans, unless a worker has just ceased to lead
                self._write(conn, line, by_ref, owed, new)
            self._bell.ring("event")
        self._remember(tells)
        return len(new)

    def _remember(self, tells: Iterable[Tell]) -> None:
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.update(map(_key, tells))

    def _tells(self, conn: Connection, line: str, owed: Iterable[Owing], at_s: float) -> list[Tell]:
        us = self._alarms.party
        found = to_tell(owed, {us: roster_in(conn)}, until_s=at_s, reach={us: self._reach(line)})
        return [tell for tell in found if tell.party == us]

    def _write(
        self, conn: Connection, line: str, threads: dict[EntryRef, Thread], owed: Iterable[Owing], tells: list[Tell]
    ) -> None:
        owings = {(one.about, one.party, one.owed): one for one in owed}
        last = {_slot(tell): tell for tell in tells}  # they are in order: the last stays
        sounded: dict[tuple[str, str], int | None] = {}
        for tell in tells:
            owing = owings[tell.ref, tell.owed_by, tell.owed]
            kind, urgent = _kind(tell, owing), owing.message_class is MessageClass.FLASH
            if last[_slot(tell)] is not tell:
                plan_notice(
                    conn, _key(tell), tell.channel, {}, at_s=tell.at_s, urgent=urgent, alarm=None,
                    state=NoticeState.OVERTAKEN,
                )  # fmt: skip
                continue
            thread = threads[tell.ref]
            sentence = self._sentence(tell, owing, line, exercise=thread.exercise)
            place = (kind, f"{EntryId.of(tell.ref)} {tell.owed_by}")
            if place not in sounded and (urgent or tell.reason in _AT_THE_DESK):
                sounded[place] = self._alarms.sound(
                    kind, sentence, key=place[1], line=line, ref=tell.ref, conn=conn, outside=False
                )
            notice = self._notice(tell, kind, sentence, line, sounded.get(place), exercise=thread.exercise)
            state = NoticeState.DONE if tell.channel == DESK else NoticeState.WAITING
            plan_notice(
                conn, _key(tell), tell.channel, notice, at_s=tell.at_s, urgent=urgent, alarm=sounded.get(place),
                state=state,
            )  # fmt: skip

    def _notice(
        self, tell: Tell, kind: AlarmKind, sentence: str, line: str, alarm: int | None, *, exercise: bool
    ) -> dict[str, Any]:
        notice = notice_of(
            self._alarms.party, alarm, kind, sentence, at_s=tell.at_s, line=line, ref=tell.ref, reason=tell.reason
        )
        notice |= {"role": str(tell.role), "rank": tell.rank}
        return notice | {"exercise": True} if exercise else notice

    def _sentence(self, tell: Tell, owing: Owing, line: str, *, exercise: bool) -> str:
        entry, us = EntryId.of(tell.ref), self._alarms.party
        whose = "our" if owing.author == us else f"{owing.author}'s"
        what = f"{whose} {'FLASH' if _is_flash(owing) else owing.message_class} {entry} on {line}"
        due = f"{owing.owed} was due at {to_text(owing.due_s)}"
        told = f"{what} has come: answer it at the desk{' at once' if _is_flash(owing) else ''}"  # Reason.ARRIVED
        match tell.reason:
            case Reason.DUE_SOON:
                told = f"{what}: {owing.owed} is due at {to_text(owing.due_s)}"
            case Reason.NOT_DELIVERED:
                told = f"{owing.party}'s machine has not shown that it has {what}"
            case Reason.UNANSWERED:
                told = f"{what} was not answered in time: {due}"
            case Reason.NOBODY_ABLE:
                told = f"{what}: nobody who can act has answered"
            case Reason.RELAY:
                told = f"{owing.party} has not answered {what}, and we can reach it: relay it, by any means"
            case Reason.WAITING:
                told = f"{owing.party} has not answered {what} in time: {due}. Call them by other means"
        if told.startswith("our "):  # a party's name stays as it is
            told = f"O{told[1:]}"
        return f"{'EXERCISE: ' if exercise else ''}{told}."

    def _end(self, open_: Collection[EntryRef]) -> None:
        """Note of alarms about what is owed no more that their cause has gone."""
        with self._database.reading() as conn:
            gone = [
                (kind, alarm.key)
                for kind in _OWN_ALARMS
                for alarm in open_alarms(conn, kind)
                if alarm.ref is not None and alarm.ref not in open_
            ]
        for kind, key in gone:
            self._alarms.clear(kind, key)


class _Due:
    """When entries are to be looked at again, of thousands the next one first."""

    def __init__(self) -> None:
        self._times: dict[EntryRef, float] = {}
        self._order: list[tuple[float, int, EntryRef]] = []  # a heap; what is not of the time above is old
        self._count = 0

    def put(self, ref: EntryRef, due_s: float) -> None:
        """Look at it then, and not at the time before."""
        if self._times.get(ref) != due_s:
            self._times[ref] = due_s
            self._count += 1
            heapq.heappush(self._order, (due_s, self._count, ref))

    def drop(self, ref: EntryRef) -> None:
        """Do not look at it."""
        self._times.pop(ref, None)

    def clear(self) -> None:
        """Look at none."""
        self._times.clear()
        self._order.clear()

    def next_s(self, most_s: float) -> float:
        """When the next one is due; at most that."""
        while self._order and self._times.get(self._order[0][2]) != self._order[0][0]:
            heapq.heappop(self._order)
        return min(self._order[0][0], most_s) if self._order else most_s

    def by(self, at_s: float) -> list[EntryRef]:
        """Those that are due by then; they stay, until they are put again or dropped."""
        found = []
        while self._order and self._order[0][0] <= at_s:
            due_s, number, ref = heapq.heappop(self._order)
            if self._times.get(ref) == due_s:
                found.append((due_s, number, ref))
        for one in found:
            heapq.heappush(self._order, one)
        return [ref for _, _, ref in found]


def _unknown(conn: Connection, tells: list[Tell]) -> list[Tell]:
    known = known_keys(conn, (_key(tell) for tell in tells))
    return [tell for tell in tells if _key(tell) not in known]


def _key(tell: Tell) -> str:
    """What makes it this one; the same whenever it is asked."""
    origin, index, leaf_hash = tell.about
    parts = (
        origin, index, leaf_hash.hex()[:16], tell.owed_by, tell.owed.name, tell.reason.name, tell.role, tell.rank,
        tell.channel, round(tell.at_s * 1000.0),
    )  # fmt: skip
    return "|".join(map(str, parts))


def _slot(tell: Tell) -> tuple[Any, ...]:
    return tell.about, tell.owed_by, tell.owed, tell.role, tell.rank, tell.channel


def _kind(tell: Tell, owing: Owing) -> AlarmKind:
    if _is_flash(owing):
        return AlarmKind.FLASH
    return AlarmKind.RELAY if tell.reason is Reason.RELAY else AlarmKind.OVERDUE


def _is_flash(owing: Owing) -> bool:
    return owing.message_class is MessageClass.FLASH
