"""Carrying out the ladders of `keepclear.line.escalation`: looking who has to be told what, and planning it.

What had to be told by now is the same whenever it is asked; what was planned before is known by its key, which is
durable, so that nothing is told twice on purpose and nothing is left out. An entry that comes is looked at by itself,
at once, and so is what is due. Whatever else may be owed otherwise than before is looked at when something was heard;
and all that is owed after a start, when posts or those whom we reach are others, and now and then: some at a time,
what came last in front, since while thousands of threads are read at a stretch all else in the process waits.

Where the machine was off and several steps for the same person, channel and answer are due at once, the last is told
and the others are struck off as overtaken.
"""

from __future__ import annotations

import heapq
import logging
import math
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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
from keepclear.store.node.alarms import open_alarms_of_entries
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.events import newest, since
from keepclear.store.node.told import NoticeState, known_keys, plan_notice
from keepclear.times import to_text

__all__ = ["Escalating", "Threads"]

_LOG = logging.getLogger(__name__)
_SWEEP_S = 60.0
_LEAST_SWEEP_S = 0.5
_WHOLE_S = 600.0  # all that is owed is looked at so often, although nothing should come of it
_SHARE = 25.0  # looking takes at most one part in so many of the time
_MISHAP_S = 1.0
_SLICE_S, _BETWEEN_S = 0.005, 0.02  # so long at a stretch, and then so long not, while everything is looked at
_TOGETHER_S = 0.05  # what comes within that is looked at together: looking costs more than what is looked at
_MOST_KNOWN = 200_000
_AT_ONCE = 100  # alarms that are over, in one transaction
_OWN_ALARMS = (AlarmKind.FLASH, AlarmKind.OVERDUE, AlarmKind.RELAY)
_AT_THE_DESK = frozenset(
    {Reason.NOT_DELIVERED, Reason.UNANSWERED, Reason.NOBODY_ABLE, Reason.RELAY, Reason.WAITING}
)  # the others are what the inbox is for


class Threads(Protocol):
    """What is owed on the lines (`keepclear.node.duties.Duties`)."""

    def thread(self, ref: EntryRef, at_s: float) -> Thread:
        """How matters stand with an entry; KeyError where it is not known."""

    def slices(
        self, line: str, at_s: float, *, changed: bool | None = None
    ) -> Iterator[tuple[Sequence[EntryRef], Sequence[Thread]]]:  # fmt: skip
        """Those of a line to which somebody owes something, some at a time, and which were looked at."""


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
        self._meanwhile: set[EntryRef] = set()  # what was looked at by itself while everything is
        self._whole_s = -math.inf  # when everything was looked at for the last time, and until then it took its share
        self._rest_s = -math.inf
        self._seen: object = None  # the posts and those whom we reached then
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
        return sum(self._sweeping(whole=True))

    def _sweeping(self, *, whole: bool) -> Iterator[int]:
        """The same, some at a time, or only of what has changed; how much was planned of each.

        What is looked at by itself in between is as it was seen there.
        """
        self._meanwhile.clear()
        before, looked, open_ = self._due.refs(), set[EntryRef](), set[EntryRef]()
        for line in self._lines():
            reach = self._reach(line)
            for refs, threads in self._threads.slices(line, self._clock(), changed=not whole):
                for ref in refs:
                    self._due.drop(ref)
                looked.update(refs)
                open_.update(thread.ref for thread in threads)
                yield self._plan(line, threads, self._clock(), reach=reach)
        open_ |= self._meanwhile
        for ref in before - open_ if whole else ():
            self._due.drop(ref)
        if whole:
            yield from self._end(lambda ref: ref not in open_)
        elif looked - open_:
            yield from self._end(lambda ref: ref in looked and ref not in open_)

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
            self._meanwhile.add(ref)
            by_line.setdefault(EntryId.of(ref).line, []).append(thread)
        return sum(self._plan(line, threads, at_s, reach=self._reach(line)) for line, threads in by_line.items())

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        sweep_s = 0.0
        sweeping: Iterator[float] | None = None
        with self._bell.waiter("projected", "receipt", "line") as waiter:
            rung = True
            while not self._stopping.is_set():
                try:
                    self.look_at([*self._new(), *self._due_by(self._clock())])
                    due_s = sweep_s - _SWEEP_S + self._pause_s if rung else sweep_s
                    if sweeping is None and monotonic_s() >= due_s:
                        sweeping, rung = self._sweep_by_turns(), False
                    if sweeping is not None and next(sweeping, None) is None:
                        sweeping, sweep_s = None, monotonic_s() + max(_SWEEP_S, self._pause_s)
                    wait_s = _BETWEEN_S if sweeping is not None else self._wait_s(sweep_s, rung=rung)
                except KeepclearError as error:
                    _LOG.error("what has to be told cannot be looked up: %s", error)
                    sweeping, sweep_s, wait_s = self._after_mishap()
                except Exception:  # noqa: BLE001  # whatever it is, the next alarm must still be looked for
                    _LOG.exception("escalating")
                    sweeping, sweep_s, wait_s = self._after_mishap()
                rung = waiter.wait(wait_s) or rung
                self._stopping.wait(_TOGETHER_S if sweeping is None else _BETWEEN_S)

    def _after_mishap(self) -> tuple[None, float, float]:
        """Everything is looked at next, and soon: what was due just now is not noted as due any more."""
        self._whole_s = -math.inf
        return None, 0.0, _MISHAP_S

    def _sweep_by_turns(self) -> Iterator[float]:
        """Look at what has changed, or where it is time at everything, for a moment at each turn; how long that took.

        If it does not come to its end, everything is looked at the next time: what has changed is told only once.
        """
        begun_s, taken_s = monotonic_s(), 0.0
        seen = self._posts_and_reach()
        whole = begun_s >= self._whole_s + _WHOLE_S or (seen != self._seen and begun_s >= self._rest_s)
        if whole:
            self._seen = seen
        self._whole_s, last_s = -math.inf, self._whole_s
        turn_s = begun_s
        for _ in self._sweeping(whole=whole):
            if monotonic_s() >= turn_s + _SLICE_S:
                taken_s += monotonic_s() - turn_s
                yield taken_s
                turn_s = monotonic_s()
        taken_s += monotonic_s() - turn_s
        if whole:
            self._whole_s, self._rest_s = begun_s, monotonic_s() + _SHARE * taken_s
        else:
            self._whole_s, self._pause_s = last_s, max(_LEAST_SWEEP_S, _SHARE * taken_s)

    def _posts_and_reach(self) -> object:
        """What else than threads and the time decides who is to be told."""
        with self._database.reading() as conn:
            roster = roster_in(conn)
        return roster, {line: frozenset(self._reach(line)) for line in self._lines()}

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

    def _plan(self, line: str, threads: Iterable[Thread], at_s: float, *, reach: Collection[str]) -> int:
        by_ref = {thread.ref: thread for thread in threads}
        owed = [one for thread in by_ref.values() for one in thread.owed]
        for ref, thread in by_ref.items():
            due_s = next_s(thread.owed, after_s=at_s)
            if due_s is not None:
                self._due.put(ref, due_s)
        if not owed:
            return 0
        with self._database.reading() as conn:
            tells = [tell for tell in self._tells(conn, owed, at_s, reach) if _key(tell) not in self._known]
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

    def _tells(self, conn: Connection, owed: Iterable[Owing], at_s: float, reach: Collection[str]) -> list[Tell]:
        us = self._alarms.party
        found = to_tell(owed, {us: roster_in(conn)}, until_s=at_s, reach={us: reach})
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

    def _end(self, is_over: Callable[[EntryRef], bool]) -> Iterator[int]:
        """Note of alarms about what is owed no more that their cause has gone: many at once, since each is synced."""
        with self._database.reading() as conn:
            open_ = open_alarms_of_entries(conn, _OWN_ALARMS)
        gone = [(kind, key) for kind, key, ref in open_ if is_over(ref)]
        for start in range(0, len(gone), _AT_ONCE):
            with self._database.writing() as conn:
                for kind, key in gone[start : start + _AT_ONCE]:
                    self._alarms.clear(kind, key, conn=conn)
            self._bell.ring("event")
            yield 0


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

    def refs(self) -> set[EntryRef]:
        """All that are to be looked at again."""
        return set(self._times)

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
