"""Line tests: twice a day on each line, with every character that messages may need, given back by the other node.

Our test says which ways out of the machine were tried with it, and whether they worked. What another party tests is
given back as our node has read it, once: our own log says which were. A test that does not come back in time, or not
whole, is an alarm, and the channel's state knows of it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator

from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.line.channel import CHARACTERS, DEFAULT_TIMING, ChannelEvent, Timing, lost_characters, next_test_s
from keepclear.node.actors import SYSTEM, Actor
from keepclear.node.acts import Acts
from keepclear.node.alarm_channels import AlarmChannels
from keepclear.node.alarms import AlarmKind, Alarms
from keepclear.node.bell import Bell
from keepclear.node.entry_ids import EntryId
from keepclear.node.records import Outgoing, Records
from keepclear.node.roles import Scope
from keepclear.record.bodies.line_talk import ChannelTried, LineTestBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.log_store import BodyState
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.kept_values import keep_value, kept_value
from keepclear.store.node.line_tests import (
    LineTest,
    add_test,
    end_test,
    last_test_s,
    note_returned,
    open_tests,
    past_tests,
    was_returned,
)

__all__ = ["LineTests"]

_LOG = logging.getLogger(__name__)
_AT_ONCE = 2000
_LOOK_S = 60.0
_AGAIN_S = 600.0
_OLDEST_S = 12 * 3600.0
"""A test that is older is not given back: the next has come, and tells how the line is now."""
_MOST_NAMED = 5

Tested = Callable[[str, str, ChannelEvent, float], None]
"""Hands an event to the channel of a party: line, party, event, when."""


class LineTests:
    """Tests the lines, and gives back what others test. One process of a node runs it; any may begin a test.

    Parameters
    ----------
    records
        The logs.
    members
        The other members of a line.
    database
        Knows which tests are to come back.
    channels, alarms
        The ways that are tried, and who is told what does not work.
    acts
        Who asked for a test.
    bell
        Rung with "came" and "body" when something has come.
    clock
        Tells the time.
    tested
        Told of what a test did to the channel of each party.
    timing
        When the lines are tested, and how long it may take.
    """

    def __init__(
        self,
        records: Records,
        members: Callable[[str], Iterable[str]],
        database: NodeDatabase,
        channels: AlarmChannels,
        alarms: Alarms,
        acts: Acts,
        bell: Bell,
        clock: Callable[[], float],
        *,
        tested: Tested = lambda *_: None,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self._records, self._members, self._database = records, members, database
        self._channels, self._alarms, self._acts = channels, alarms, acts
        self._bell, self._clock, self._tested, self._timing = bell, clock, tested, timing
        self._not_before: dict[str, float] = {}
        self._read: dict[str, tuple[int, int]] = {}  # of each log: how far it was read, and how far that was noted
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="keepclear-line-tests", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._bell.ring("stop")
        if self._thread is not None:
            self._thread.join()

    def begin(self, line: str, *, by: Actor = SYSTEM) -> EntryRef:
        """Test a line now.

        Raises
        ------
        NotAllowedError
            If the actor may not.
        InputError
            If there is nobody else on the line, or nothing can be said on it now.
        """
        if by is not SYSTEM:
            by.must(Scope.ROSTERS)
        return self._say(line, self._channels.try_now(), by)

    def listed(self, line: str, *, limit: int = 50) -> tuple[LineTest, ...]:
        """The last tests of a line, newest first."""
        with self._database.reading() as conn:
            return past_tests(conn, line, limit=limit)

    def look(self) -> float:
        """Read what has come, note what has not, test what is due, and say when to look again, at the latest."""
        for line in self._records.lines():
            self._read_line(line)
        at_s = self._clock()
        self._note_overdue(at_s)
        return self._test_due(at_s)

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with self._bell.waiter("came", "body", "said", "line") as waiter:
            while not self._stopping.is_set():
                wait_s = _LOOK_S
                try:
                    wait_s = self.look() - self._clock()
                except KeepclearError as error:
                    _LOG.warning("line tests: %s", error)
                except Exception:  # noqa: BLE001  # whatever it is, others' tests must still be given back
                    _LOG.exception("line tests")
                # Rung with every entry: a test that is given back a second later is given back in time.
                waiter.wait(min(max(wait_s, 0.05), _LOOK_S))
                self._stopping.wait(0.2)

    # --- testing ---------------------------------------------------------------------------------------------------

    def _test_due(self, at_s: float) -> float:
        """Test all lines whose time has come; when the next one is."""
        due, next_s = [], at_s + _LOOK_S
        for line in self._records.lines():
            line_due_s = max(
                next_test_s(self._last_s(line, at_s), timing=self._timing), self._not_before.get(line, 0.0)
            )
            if line_due_s > at_s:
                next_s = min(next_s, line_due_s)
            elif self._others(line):
                due.append(line)
        if due:
            tried = self._channels.try_now()
            for line in due:
                try:
                    self._say(line, tried, SYSTEM)
                except KeepclearError as error:
                    self._not_before[line] = at_s + _AGAIN_S
                    self._alarms.sound(
                        AlarmKind.LINE_TEST, f"The line {line} could not be tested: {error}", key=line, line=line
                    )
        return next_s

    def _last_s(self, line: str, at_s: float) -> float:
        """When the line was last tested, or came to be."""
        name = f"line tests since {line}"
        with self._database.reading() as conn:
            last_s, since = last_test_s(conn, line), kept_value(conn, name)
        if last_s is not None:
            return last_s
        if since is None:
            with self._database.writing() as conn:
                keep_value(conn, name, repr(at_s).encode())
            return at_s
        return float(since)

    def _others(self, line: str) -> list[str]:
        return sorted(set(self._members(line)) - {self._records.party})

    def _say(self, line: str, tried: Iterable[ChannelTried], by: Actor) -> EntryRef:
        parties = self._others(line)
        if not parties:
            raise InputError(
                Fault("there is nobody else on the line", "a test goes to its members", field="line", value=line)
            )
        # What was answered on the way may name servers and files, which are nobody's business on the line.
        shown = [ChannelTried(channel=one.channel, worked=one.worked) for one in tried]
        (ref,) = self._records.say(line, [Outgoing(LineTestBody(text=CHARACTERS, tried=shown), parties)])
        at_s = self._clock()
        with self._database.writing() as conn:
            add_test(conn, ref, line, parties, begun_s=at_s, due_s=at_s + self._timing.test_within_s)
            self._acts.record(conn, by, "test line", ref=str(EntryId.of(ref)))
        for party in parties:
            self._tested(line, party, ChannelEvent.TEST_BEGUN, at_s)
        return ref

    def _note_overdue(self, at_s: float) -> None:
        with self._database.reading() as conn:
            overdue = [test for test in open_tests(conn) if test.due_s < at_s and test.overdue_s is None]
        for test in overdue:
            with self._database.writing() as conn:
                end_test(conn, test, overdue_s=at_s)
                self._alarm(test, f"{test.party} has not given back the test of {test.line} in time", conn=conn)
            self._bell.ring("event")
            self._tested(test.line, test.party, ChannelEvent.TEST_FAILED, at_s)

    def _alarm(self, test: LineTest, sentence: str, **others: object) -> None:
        key = f"{test.line}/{test.party}"
        self._alarms.sound(AlarmKind.LINE_TEST, f"{sentence}.", key=key, line=test.line, ref=test.ref, **others)  # type: ignore[arg-type]

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read_line(self, line: str) -> None:
        own = self._records.own_origins(line)
        others = self._others(line)
        for origin in (*own, *(one for one in self._records.origins(line) if one not in own)):
            if origin in own or EntryId.parse(_id_of(origin)).party in others:
                self._read_log(line, origin, is_own=origin in own)

    def _read_log(self, line: str, origin: str, *, is_own: bool) -> None:
        name = f"line tests read {origin}"
        if origin not in self._read:
            with self._database.reading() as conn:
                at = int(kept_value(conn, name) or b"0")
            self._read[origin] = at, at
        start, kept = self._read[origin]
        size, found, waiting = self._records.size(origin), False, None
        for entry, index in self._tests(origin, start, size):
            found = True
            ready = self._take(line, EntryRef(origin, index, entry.leaf.hash), entry, is_own=is_own)
            if not ready and waiting is None:
                waiting = index
        done = size if waiting is None else waiting
        # Read twice does no harm: how far it was read is written down where it matters, and now and then.
        if done > kept and (found or done - kept >= _AT_ONCE):
            with self._database.writing() as conn:
                keep_value(conn, name, str(done).encode())
            kept = done
        self._read[origin] = done, kept

    def _tests(self, origin: str, start: int, stop: int) -> Iterator[tuple[Entry, int]]:
        for index, _ in self._records.leaves_of(origin, {EntryType.LINE_TEST}, start, stop):
            yield self._records.entry(origin, index), index

    def _take(self, line: str, ref: EntryRef, entry: Entry, *, is_own: bool) -> bool:
        """Take a test, or one given back; False while its body may still come."""
        us, old = self._records.party, self._clock() - entry.leaf.time_s > _OLDEST_S
        if not is_own and us not in entry.leaf.recipients:
            return True
        if entry.body is None:
            gone = self._records.body_state(ref.origin, ref.index) in {BodyState.REFUSED, BodyState.ERASED}
            return old or gone or is_own
        body = _body_of(entry)
        if body is None:
            return True
        if body.returns is None:
            if not is_own and not old:
                self._give_back(line, ref, body, entry.leaf.party)
        elif is_own:
            with self._database.writing() as conn:
                note_returned(conn, body.returns.ref(), at_s=self._clock())
        else:
            self._came_back(body.returns.ref(), body.text, entry.leaf.party)
        return True

    def _give_back(self, line: str, ref: EntryRef, body: LineTestBody, party: str) -> None:
        with self._database.reading() as conn:
            if was_returned(conn, ref):
                return
        self._records.say(line, [Outgoing(LineTestBody(text=body.text, returns=EntryRefValue.of(ref)), (party,))])
        with self._database.writing() as conn:
            note_returned(conn, ref, at_s=self._clock())

    def _came_back(self, ref: EntryRef, text: str, party: str) -> None:
        with self._database.reading() as conn:
            found = [test for test in open_tests(conn) if test.ref == ref and test.party == party]
        for test in found:
            sent = _body_of(self._records.entry(ref))
            at_s = self._clock()
            lost = lost_characters(CHARACTERS if sent is None else sent.text, text)
            with self._database.writing() as conn:
                end_test(conn, test, returned_s=at_s, lost=lost)
                if lost:
                    named = ", ".join(lost[:_MOST_NAMED]) + (", …" if len(lost) > _MOST_NAMED else "")
                    problem = (
                        f"{len(lost)} characters of the test of {test.line} did not come back from {party}: {named}"
                    )
                    self._alarm(test, problem, conn=conn)
                else:
                    self._alarms.clear(AlarmKind.LINE_TEST, f"{test.line}/{party}", conn=conn)
            self._bell.ring("event")
            self._tested(test.line, party, ChannelEvent.TEST_FAILED if lost else ChannelEvent.TEST_PASSED, at_s)


def _body_of(entry: Entry) -> LineTestBody | None:
    """What a test says; None where it cannot be read."""
    try:
        body = body_of(entry)
    except KeepclearError:
        return None
    return body if isinstance(body, LineTestBody) else None


def _id_of(origin: str) -> str:
    return str(EntryId.of(EntryRef(origin, 0, bytes(32))))
