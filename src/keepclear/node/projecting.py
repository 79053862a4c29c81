"""From the logs to tables: what came is put into them exactly once, by whoever is first.

What is new is found by comparing the logs with the arrivals that are noted; the note and all that follows from it are
one transaction, and one is written at a time in all of a node's processes. So nothing is projected twice and nothing is
left out, whatever is killed when; and who has just said something need not wait for the thread that does this in the
background, but can call `Projector.catch_up` himself.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection

from keepclear.clock import monotonic_s
from keepclear.errors import IntegrityError, KeepclearError
from keepclear.line.conversation import Conversation, Receipt
from keepclear.line.membership import Member, Membership
from keepclear.line.threads import Thread
from keepclear.node.bell import Bell
from keepclear.node.besides import Beside, Besides
from keepclear.node.conversations import Conversations
from keepclear.node.duties import Duties
from keepclear.node.folding import AWAITED_TYPES, Came, Fold, searched_of
from keepclear.node.membership_reading import MembershipReader
from keepclear.node.rebuilding import make_up_leeway, rebuild
from keepclear.node.records import Records
from keepclear.node.searching import Search
from keepclear.node.terms_in_force import TermsInForce
from keepclear.record.cosignatures import cosigned_at
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.keys import VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.record.notes import Note
from keepclear.store.log_store import BodyState
from keepclear.store.node import events
from keepclear.store.node.arrivals import body_came, came, end, kept_s
from keepclear.store.node.counting import Counting, note_counting
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import ended_too_early, filing_of
from keepclear.store.node.projected import last_step_s, note_projected, note_step
from keepclear.store.node.receipts import newest_receipts, note_receipt
from keepclear.store.node.said_facts import awaiting, said_at, said_in_log
from keepclear.store.reading_bodies import MOST_TOGETHER_BYTES

__all__ = ["Projector"]

_AT_ONCE = 64
_LOOK_S = 1.0
_TURN_S = 0.2
_WORKS_S = 10.0
_LONG_S = 1.0  # so long the thread looks at one kind of thing while others wait
_MOST_WANTED = 10_000
_OURS_S = 0.1  # who has said something puts it into the tables himself, and need not be raced
_OF_OURS = frozenset({"said", "projected", "event"})
_OF_WHOLE = frozenset({"body", "line", "receipt"})
_log = logging.getLogger(__name__)


class Projector:
    """Makes the tables, and answers from them. Any thread may use it.

    Parameters
    ----------
    records, database
        From where to where.
    search
        What conflicts are found by.
    memberships
        Says who is on which line: only what members said counts.
    """

    def __init__(
        self,
        records: Records,
        database: NodeDatabase,
        search: Search,
        memberships: MembershipReader,
        bell: Bell,
        clock: Callable[[], float],
    ) -> None:
        self.records, self.database, self.search = records, database, search
        self.conversations = Conversations(records.party)
        self.duties = Duties(database, self.conversations)
        self.besides = Besides()
        """What is to be written with the next entries."""
        self.problem = ""
        """Why it could not go on; empty while it can."""
        self._memberships, self._bell, self._clock = memberships, bell, clock
        self._fold = Fold(
            records.party, search, self.conversations, lambda origin, index, _: records.entry(origin, index), clock
        )
        self._lock = threading.RLock()
        self._members: dict[str, Membership | None] = {}
        self._doubtful: set[str] = set()
        # Whether bodies may have come that are not in the tables: they may have, before this process was there.
        self._bodies_came = True
        self._rung_for: frozenset[str] = frozenset()
        self._is_whole = False
        self._goes_on = False  # whether our own thread has broken off, and has more to do
        # How far each log is in the tables at least. It is never taken back: a rebuild gives the same rows in the end.
        self._taken: dict[str, int] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._after: list[Callable[[], object]] = []
        bell.listen(self._heard)

    # --- the thread ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to catch up in the background."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="keepclear-projecting", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it; what has begun is finished."""
        self._stopping.set()
        self._bell.ring("said")  # wakes it; nobody minds
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def then(self, work: Callable[[], object]) -> None:
        """Have the thread do this each time after it has caught up."""
        self._after.append(work)

    def _run(self) -> None:
        whole_s = works_s = 0.0
        with self._bell.waiter("said", "came", "body", "line", "receipt") as waiter:
            while not self._stopping.is_set():
                whole = bool(self._rung_for & _OF_WHOLE) or self._bodies_came or monotonic_s() >= whole_s
                self._rung_for = frozenset()
                try:
                    if whole:
                        self.catch_up()
                        whole_s = monotonic_s() + _LOOK_S / 2.0
                    else:
                        self.catch_up_logs()
                    if not self._goes_on or monotonic_s() >= works_s:  # better when all is there; but not never
                        for work in self._after:
                            work()
                        works_s = monotonic_s() + _WORKS_S
                    self.problem = ""
                except KeepclearError as error:
                    if str(error) != self.problem:
                        _log.error("projecting stopped, and is tried again: %s", error)
                    self.problem = str(error)
                goes_on = (self._goes_on or self._bodies_came) and not self.problem
                if waiter.wait(0.0 if goes_on else _LOOK_S) and self._rung_for <= _OF_OURS:
                    self._stopping.wait(_OURS_S)

    def _heard(self, topics: frozenset[str]) -> None:
        self._rung_for |= topics
        if topics & {"line", "body"}:
            self._doubtful.update(self.records.lines())
        if "body" in topics:
            self._bodies_came = True

    # --- catching up -----------------------------------------------------------------------------------------------

    def catch_up(self, ref: EntryRef | None = None, *, beside: Beside | None = None) -> int:
        """Put all that came into the tables; the number of entries and bodies.

        Parameters
        ----------
        ref
            What the caller has just said. Of many who come at once the first takes what all of them have said, and
            nothing is left to do for the others.
        beside
            What the caller has given to be written beside it (`besides`): that is done too, if it can be.

        Raises
        ------
        StoreError
            If the tables cannot be written.
        """
        while not self._lock.acquire(timeout=_LOOK_S if ref is None else _TURN_S / 4.0):
            if ref is not None and self._has(ref) and (beside is None or beside.over):
                self.database.make_durable()
                return 0  # whoever is at it has done it, and has more to do
        try:
            done = 0
            if ref is None or not self._has(ref):
                done = self._catch_up(whole=ref is None, patient=ref is not None or self._is_ours, ref=ref)
            if beside is not None and not beside.over:  # somebody else has just taken the entry
                with self.besides.written() as write, self.database.writing(durable=False) as conn:
                    write(conn)
        finally:
            self._lock.release()
        return self._kept(done)

    def catch_up_logs(self) -> int:
        """Put what came in the logs into the tables, and leave the rest (late bodies, receipts, time) to `catch_up`."""
        with self._lock:
            done = self._catch_up(whole=False, patient=self._is_ours)
        return self._kept(done)

    def _kept(self, done: int) -> int:
        """With the lock let go of, so that others can go on meanwhile: have it on the disk, and only then say so."""
        self.database.make_durable()
        if done:
            self._bell.ring("projected", "event")
        return done

    @property
    def _is_ours(self) -> bool:
        """Whether it is our own thread that asks."""
        return threading.current_thread() is self._thread

    def _catch_up(self, *, whole: bool, patient: bool, ref: EntryRef | None = None) -> int:
        """Put what came into the tables.

        Parameters
        ----------
        whole
            Not what came in the logs alone.
        patient
            Let a log come of which much comes just now: a peer that was away brings leaves first, and then bodies.
        ref
            What the caller waits for.
        """
        # Other processes may have dropped the tables since; where there are none, only a step that failed leaves
        # leeway.
        whole = whole or not self._is_whole
        done, self._is_whole = 0, False
        try:
            if whole or self.database.dialect != "sqlite":
                done += make_up_leeway(self.records, self.database, self.search, self.conversations, self._clock)
            done += self._take_logs(patient=patient, ref=ref)
            if whole:
                done += self._take_bodies()
            for line in sorted(self._doubtful & set(self.records.lines())):
                done += self._count_again(line)
            if whole:
                done += self._take_receipts()
                done += self._pass_time()
        except BaseException:
            # What was taken into memory may not be in the tables.
            self.conversations.forget()
            raise
        self._is_whole = True
        return done

    def _has(self, ref: EntryRef) -> bool:
        return self._taken.get(ref.origin, 0) > ref.index

    def wait_for(self, ref: EntryRef, timeout_s: float) -> bool:
        """Wait until an entry is in the tables; whether it is."""
        if self._has(ref):
            return True
        until_s = monotonic_s() + timeout_s
        with self._bell.waiter("projected") as waiter:
            while True:
                with self.database.reading() as conn:
                    if end(conn, ref.origin) > ref.index:
                        return True
                left_s = until_s - monotonic_s()
                if left_s <= 0.0 or self._stopping.is_set():
                    return False
                waiter.wait(left_s)

    def rebuild(self) -> int:
        """Make all tables again; the number of steps."""
        with self._lock:
            self._is_whole = False
            return rebuild(self.records, self.database, self.search, self.conversations, self._clock)

    def look_again(self, ref: EntryRef) -> None:
        """An entry's body was erased: what was known by it is forgotten."""
        name = KeyName.of_text(ref.origin)
        assert name is not None
        assert name.line is not None
        with self._lock, self._writing() as (conn, at_s):
            known = said_at(conn, ref.origin, ref.index)
            entry = self.records.entry(ref)
            if known is not None and entry.body is None:
                came_s = kept_s(conn, ref.origin, ref.index) or at_s
                self._fold.forget_body(conn, Came(name.line, ref, entry, came_s, known.counted), at_s)
        self.search.forget()
        self.conversations.forget(name.line)
        self._bell.ring("projected", "event")

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[tuple[Connection, float]]:
        """A transaction in which one step is done, and its time; see `NodeDatabase.writing`."""
        with self.database.writing(durable=durable) as conn:
            at_s = note_step(conn, self._clock())
            self._fold.begin_step()
            with self.terms.held(conn):
                yield conn, at_s
            note_projected(conn, at_s)

    def _logs(self) -> list[tuple[str, str]]:
        """All logs by line, our own first: what we said comes before the answers to it."""
        return [
            (line, origin)
            for line in self.records.lines()
            for origin in sorted(self.records.origins(line), key=lambda one: (not self.records.is_own(one), one))
        ]

    def _take_logs(self, *, patient: bool = False, ref: EntryRef | None = None) -> int:
        """Some of each log in turn, until nothing is left of what was there: who says much holds up only himself.

        Of others' logs, what comes meanwhile is left: who never stops would keep us from all else. For the same reason
        our thread breaks off after a while, and goes on when it has looked at the rest; and who waits for `ref` breaks
        off when that is there, and leaves the rest to the thread.
        """
        done, until_s, self._goes_on = 0, self._until_s(), False
        there = {origin: self.records.size(origin) for _, origin in self._logs() if not self.records.is_own(origin)}
        while not self._stopping.is_set() or self._thread is None:
            taken = sum(
                self._take_some(line, origin, None if self.records.is_own(origin) else there.get(origin, 0))
                for line, origin in self._logs()
                if not (patient and self.records.comes_fast(origin))
            )
            if not taken:
                break
            done += taken
            may_leave = self._is_ours if ref is None else self._has(ref)
            if may_leave and monotonic_s() > until_s:
                self._goes_on = True
                break
        return done

    def _until_s(self) -> float:
        return monotonic_s() + _LONG_S

    def _take_some(self, line: str, origin: str, most: int | None) -> int:
        size = self.records.size(origin) if most is None else most
        if self._taken.get(origin, 0) >= size:
            return 0
        with self.database.reading() as conn:
            start = end(conn, origin)
        stop = min(size, start + _AT_ONCE)
        if stop <= start:
            self._taken[origin] = max(start, self._taken.get(origin, 0))
            return 0
        taken = self._read(origin, start, stop)
        with self.besides.written() as write, self._writing(durable=False) as (conn, at_s):
            if end(conn, origin) != start:
                return 1  # another process was first: look again
            with self.conversations.only(conn):
                stop = self._take_entries(conn, line, origin, taken, at_s)
            write(conn)
        self._taken[origin] = stop
        return stop - start

    def _take_entries(
        self, conn: Connection, line: str, origin: str, taken: list[tuple[int, Entry | None]], at_s: float
    ) -> int:
        """Take up as many as a turn has time for, one at least; the index after the last."""
        stop, until_s = taken[0][0], monotonic_s() + _TURN_S
        for index, entry in taken:
            if index > taken[0][0] and monotonic_s() > until_s:
                break
            stop = index + 1
            counted = self._counts(line, origin, index)
            if not counted:
                note_counting(conn, Counting(at_s, origin, index, index + 1, counted=False))
            if entry is None:
                missed = self.records.ref(origin, index)
                self._fold.miss(conn, line, missed, at_s, at_s, counted=counted)
                continue
            ref = EntryRef(origin, index, entry.leaf.hash)
            self._fold.hear(conn, Came(line, ref, entry, at_s, counted), at_s)
            if entry.leaf.type in AWAITED_TYPES:
                self._doubtful.add(line)
        came(conn, origin, stop, kept_s=at_s)
        return stop

    def _read(self, origin: str, start: int, stop: int) -> list[tuple[int, Entry | None]]:
        """Entries, read together, as many as there is room for.

        None for one whose leaf cannot be read: it stays in the log, and counts as unread.
        """
        found: list[tuple[int, Entry | None]] = []
        room = MOST_TOGETHER_BYTES
        for index, entry in enumerate(self.records.bodies(origin, start, stop), start):
            whole = entry is None or not entry.leaf.attachments
            read = entry if whole else self.records.entry(origin, index)
            found.append((index, read))
            room -= 0 if read is None else _bytes_of(read)
            if room < 0:
                break
        return found

    def _take_bodies(self) -> int:
        self._bodies_came = False  # before looking: what comes meanwhile is looked at again
        with self.database.reading() as conn:
            waiting = awaiting(conn)
        done, until_s = 0, self._until_s()
        for origin, index in self._no_longer_wanted(waiting):
            if self._thread is not None and done and monotonic_s() > until_s:
                self._bodies_came = self._goes_on = True
                break
            name = KeyName.of_text(origin)
            if name is None or name.line is None or self.records.body_state(origin, index) is not BodyState.HELD:
                continue
            entry = self.records.entry(origin, index)
            ref = EntryRef(origin, index, entry.leaf.hash)
            with self._writing() as (conn, at_s):
                known = said_at(conn, origin, index)
                if known is None or not known.said.problem or body_came(conn, origin, index, kept_s=at_s) != at_s:
                    continue
                first_s = kept_s(conn, origin, index)
                assert first_s is not None, "its leaf came before"
                self._fold.hear(conn, Came(name.line, ref, entry, first_s, known.counted), at_s)
            if entry.leaf.type in AWAITED_TYPES:
                self._doubtful.add(name.line)
            done += 1
        return done

    def _no_longer_wanted(self, waiting: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """Those of which something has become, of each log in turn: who sends many holds up only himself."""
        logs = deque(
            self._of_log_no_longer_wanted(origin, [number for _, number in some])
            for origin, some in groupby(waiting, key=itemgetter(0))
        )
        while logs:
            log = logs.popleft()
            found = next(log, None)
            if found is not None:
                logs.append(log)
                yield found

    def _of_log_no_longer_wanted(self, origin: str, numbers: Sequence[int]) -> Iterator[tuple[str, int]]:
        """The same of one log; of very many that are waited for we do not ask one by one."""
        for at in range(0, len(numbers), _MOST_WANTED):
            asked = numbers[at : at + _MOST_WANTED]
            wanted = self.records.wanted_of(origin, asked[0], asked[-1] + 1)
            yield from ((origin, number) for number in asked if number not in wanted)

    # --- who counts ------------------------------------------------------------------------------------------------

    def _counts(self, line: str, origin: str, index: int) -> bool:
        if self.records.is_own(origin):
            return True
        if line not in self._members:
            self._members[line] = self._memberships.of(line)
        members = self._members[line]
        return members is not None and members.spoke_as_member(origin, index)

    def _count_again(self, line: str) -> int:
        """Who is on the line may have changed: entries that were projected may count now, or do so no longer."""
        self._doubtful.discard(line)
        before = self._members.get(line)
        members = self._members[line] = self._memberships.of(line)
        if members is before and before is not None:
            return 0
        done = 0
        for origin in self.records.origins(line):
            if self.records.is_own(origin):
                continue
            name = KeyName.of_text(origin)
            assert name is not None
            with self.database.reading() as conn:
                known = list(said_in_log(conn, origin))
            counts = {n: members is not None and members.spoke_as_member(origin, n) for n, _ in known}
            for start, stop, counted in _runs([(n, counts[n]) for n, was in known if was != counts[n]]):
                with self._writing() as (conn, at_s):
                    step = Counting(at_s, origin, start, stop, counted)
                    note_counting(conn, step)
                    self._fold.count(conn, step, line, name.party)
                done += stop - start
        for listener in list(self._listeners):
            listener(line)
        return done

    def membership(self, line: str) -> Membership | None:
        """Who is on a line, by all that is held here; None where it is not known what line it is."""
        return self._memberships.of(line)

    def members(self, line: str) -> tuple[Member, ...]:
        """The members of a line, the senior first."""
        found = self.membership(line)
        return () if found is None else tuple(found.members.values())

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Have a function called with a line when who is on it may have changed; it must be quick."""
        self._listeners.append(listener)

    # --- receipts --------------------------------------------------------------------------------------------------

    def _take_receipts(self) -> int:
        with self.database.reading() as conn:
            known = newest_receipts(conn)
        fresh = [
            (line, origin, key, size)
            for line, origin in self._logs()
            for key, size in self.records.receipts(origin)
            if size > known.get((origin, key), -1)
        ]
        if not fresh:
            return 0
        read = [
            (line, key, receipt)
            for line, origin, key, size in fresh
            if (receipt := self._receipt(origin, key, size)) is not None
        ]
        with self.database.writing() as conn:
            there = newest_receipts(conn)
            for line, key, receipt in read:
                if receipt.size <= there.get((receipt.origin, key), -1):
                    continue
                note_receipt(conn, line, key, receipt)
                told = {"origin": receipt.origin, "size": receipt.size, "by": receipt.by}
                events.say(conn, "receipt", told, at_s=self._clock(), line=line)
        return len(read)

    def _receipt(self, origin: str, key: str, size: int) -> Receipt | None:
        """Who gave a cosignature, and when: as it says, but not later than now."""
        verifier = VerifierKey.of_text(key)
        note = Note.of_bytes(self.records.checkpoint(origin, size))
        name = KeyName.of_text(verifier.name)
        by = name.party if name is not None and name.purpose is Purpose.MIRROR else verifier.name
        for signature in note.signatures:
            if (signature.name, signature.key_id) != (verifier.name, verifier.key_id):
                continue
            try:
                at_s = float(cosigned_at(note.text, signature, verifier))
            except IntegrityError:
                return None
            return Receipt(origin, size, by, min(at_s, self._clock()))
        return None

    def _pass_time(self) -> int:
        now_s = self._clock()
        with self.database.reading() as conn:
            too_early = bool(ended_too_early(conn, now_s))
            if not too_early and not self._fold.is_over(conn, now_s):
                return 0
        with self._writing() as (conn, at_s):
            # Not kept as a step: the next one would end what is over just the same, since all that ends by itself ends
            # at its own time. But no later step may have an earlier time.
            if too_early:
                self._fold.revive(conn, at_s)
            else:
                self._fold.pass_time(conn, at_s)
        return 1

    # --- what the tables lack --------------------------------------------------------------------------------------

    @property
    def terms(self) -> TermsInForce:
        """The terms in force, as the tables have them."""
        return self._fold.agreed.terms

    @contextmanager
    def asked(self) -> Iterator[tuple[Connection, tuple[str, ...]]]:
        """The tables, for a question that is asked now: with all that is held now; and what they lack all the same.

        Whoever asks is given an answer of all that has come, not only of what the thread in the background has got to.
        Where that takes long, or cannot be done, it is not waited for: the answer says what is missing.
        """
        held = {origin: self.records.size(origin) for _, origin in self._logs()}
        with self.database.reading() as conn:
            missing = _missing(conn, self._not_taken(held))
            is_over = self._fold.is_over(conn, self._clock())
        behind = missing or self._doubtful or self._bodies_came or is_over
        if behind and missing <= _AT_ONCE and self._lock.acquire(timeout=_LOOK_S):
            try:
                self.catch_up()
                is_over = False
            except KeepclearError as error:
                _log.warning("the tables do not catch up: %s", error)
            finally:
                self._lock.release()
        not_taken = self._not_taken(held)  # before the picture: what is in the tables by now is in it too
        with self.database.reading() as conn:
            lacking = tuple(self._lacking(conn, not_taken))
            # Else what is over would count as something that could be compared.
            yield conn, ("plans that are over by now still count as if they were not", *lacking) if is_over else lacking

    def _not_taken(self, held: Mapping[str, int]) -> Mapping[str, int]:
        """The sizes of those logs of which it is not known, without looking, that they are in the tables."""
        return {origin: size for origin, size in held.items() if self._taken.get(origin, 0) < size}

    def _lacking(self, conn: Connection, held: Mapping[str, int]) -> Iterator[str]:
        missing = _missing(conn, held)
        if missing:
            many = "1 entry has" if missing == 1 else f"{missing} entries have"
            yield f"{many} come that this node has not looked at yet"
        if ended_too_early(conn, self._clock()):
            yield "the clock of this node was ahead: plans that it took to be over are not, and are not compared yet"
        for origin in sorted(self.records.unreadable()):
            yield f"the log {origin} cannot be opened here: what it says is not known"
        for line in self.records.lines():
            strangers = [one for one in self.records.origins(line) if not self.records.is_own(one)]
            if strangers and self._memberships.of(line) is None:
                yield f"it is not known here who is on {line}: what others say there does not count yet"

    # --- answers ---------------------------------------------------------------------------------------------------

    @contextmanager
    def conversation(self, line: str) -> Iterator[Conversation]:
        """All that was said on a line, for this thread alone while the block lasts."""
        with self.database.reading() as conn, self.conversations.held(conn, line) as talk:
            yield talk

    def thread(self, ref: EntryRef, at_s: float | None = None) -> Thread:
        """How matters stand with an entry.

        Raises
        ------
        KeyError
            If it is not known here, or was not said by a member.
        """
        name = KeyName.of_text(ref.origin)
        if name is None or name.line is None:
            raise KeyError(ref)
        now_s = self._clock() if at_s is None else at_s
        with self.database.reading() as conn:
            filing = filing_of(conn, ref)
            searched = None if filing is None else searched_of(conn, filing, last_step_s(conn))
            return self.conversations.thread(conn, ref, name.line, now_s, searched)

    def threads_owing(self, line: str, at_s: float | None = None) -> list[Thread]:
        """Threads in which somebody owes something at that time, as `duties` has them, by log and place."""
        now_s = self._clock() if at_s is None else at_s
        return self.duties.threads_owing(line, now_s)


def _missing(conn: Connection, held: Mapping[str, int]) -> int:
    """How many entries of logs of these sizes are not in the tables."""
    return sum(max(0, size - end(conn, origin)) for origin, size in held.items())


def _bytes_of(entry: Entry) -> int:
    return len(entry.body or b"") + sum(len(file.data) for file in entry.attachments if file is not None)


def _runs(numbers: list[tuple[int, bool]]) -> list[tuple[int, int, bool]]:
    """Neighbouring numbers of which the same is said, put together: first, one past the last, and what."""
    found: list[tuple[int, int, bool]] = []
    for number, counted in numbers:
        if found and found[-1][1] == number and found[-1][2] == counted:
            found[-1] = (found[-1][0], number + 1, counted)
        else:
            found.append((number, number + 1, counted))
    return found
