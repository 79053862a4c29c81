"""Advisories: our node tells the other party of a conflict with one of our own operations, and of no other.

Said once: what was said stands in our own log, and before anything more is said the tables are caught up with it. So a
crash between finding and saying says it afterwards, and a crash between saying and noting it says it no second time.

One advisory for each pair of filings, and at most so many in an hour to one party: who files a flood is not answered by
one. What waits is in the tables as found, is said when the hour allows it, and an alarm tells that it waits.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Protocol

from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.node.findings_told import advisory_of, finding_of
from keepclear.node.projecting import Projector
from keepclear.node.records import Outgoing, Records
from keepclear.record.entries import EntryRef
from keepclear.store.node.arrivals import end
from keepclear.store.node.conflicts import ConflictRow, conflict_by_id, conflicts_to_advise
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import filings_by_id

__all__ = ["MOST_PER_HOUR", "Advising"]

MOST_PER_HOUR = 600
"""Advisories that are said to one party by themselves; what a person decides on is said at once."""
_HOUR_S = 3600.0
_MOST_AT_ONCE = 50
_LOOKED_AT = 2_000
_log = logging.getLogger(__name__)


class _Alarm(Protocol):
    """`keepclear.node.alarms.Alarms.sound`."""

    def __call__(self, kind: str, sentence: str, *, key: str = "", line: str | None = None) -> object: ...


class Advising:
    """Says advisories. Any thread may use it; what is said by itself, the process that leads says.

    Parameters
    ----------
    mode
        ``automatic``: found conflicts are told at once. ``ask``: a person decides on each (`advise`).
    leads
        Whether this process is the one that does such work.
    clock
        Without it advisories are not limited in number.
    alarm
        Told when advisories wait because there are too many.
    """

    def __init__(
        self,
        records: Records,
        database: NodeDatabase,
        projector: Projector,
        *,
        mode: str = "automatic",
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] | None = None,
        alarm: _Alarm | None = None,
    ) -> None:
        self._records, self._database, self._projector = records, database, projector
        self._mode, self._leads = mode, leads
        self._clock, self._alarm = clock, alarm
        self._lock = threading.Lock()
        self._said_s: defaultdict[str, deque[float]] = defaultdict(deque)
        self._said: dict[str, int] = {}  # of each own log how much may hold advisories
        self._failed: set[int] = set()
        self._late: set[tuple[str, str]] = set()
        if mode == "automatic":
            projector.then(self.advise_all)

    def advise_all(self) -> int:
        """Tell of all that was found and nobody told of; how many advisories that were."""
        said = 0
        while self._leads():
            with self._lock:
                self._projector.catch_up_logs()
                rows = self._waiting()
                told = sum(self._tried(row) for row in rows)
                if not told:
                    return said
                self._projector.catch_up_logs()
                said += told
        return said

    def _waiting(self) -> list[ConflictRow]:
        """What can be said now, a few at once. What waits for its hour, or failed, is in nobody's way.

        Nothing, while the tables lack what was said before: they do while the node is being stopped.
        """
        for line in self._records.lines():
            origin = self._records.own_origin(line)
            if origin not in self._said:
                self._said[origin] = self._records.size(origin)
        with self._database.reading() as conn:
            if any(end(conn, origin) < size for origin, size in self._said.items()):
                return []
            rows = conflicts_to_advise(conn, limit=_LOOKED_AT)
            filings = filings_by_id(conn, {number for row in rows for number in (row.first, row.second)})
        found, late = [], dict[tuple[str, str], int]()
        for row in rows:
            theirs = next(
                one.party for n in (row.first, row.second) if (one := filings[n]).party != self._records.party
            )
            if row.id in self._failed or self._silence(row.line):
                continue
            if self._may_tell(theirs):
                found.append(row)
            else:
                late[theirs, row.line] = late.get((theirs, row.line), 0) + 1
            if len(found) == _MOST_AT_ONCE:
                break
        self._failed.clear()  # it is tried again the next time
        self._tell_of(late)
        return found

    def _may_tell(self, party: str) -> bool:
        if self._clock is None:
            return True
        said, now_s = self._said_s[party], self._clock()
        while said and not now_s - _HOUR_S < said[0] <= now_s:
            said.popleft()
        if len(said) >= MOST_PER_HOUR:
            return False
        said.append(now_s)
        return True

    def _tell_of(self, late: Mapping[tuple[str, str], int]) -> None:
        fresh, self._late = {pair: late[pair] for pair in late if pair not in self._late}, set(late)
        for (party, line), count in fresh.items():
            what = "one conflict" if count == 1 else f"{count} conflicts"
            sentence = (
                f"{party} was told of {MOST_PER_HOUR} conflicts on {line} within the hour, and {what} more "
                "stand untold: look at what it files, and tell it what matters."
            )
            if self._alarm is not None:
                self._alarm("guard", sentence, key=f"advisories/{line}/{party}", line=line)
            _log.warning("advisories wait: %s", sentence)

    def _tried(self, row: ConflictRow) -> bool:
        try:
            self._say(row)
        except KeepclearError as error:
            self._failed.add(row.id)
            _log.error("an advisory on %s could not be said, and is tried again: %s", row.line, error)
            return False
        return True

    def advise(self, conflict: int) -> EntryRef:
        """Tell the other party of a conflict; the advisory. One that we have told of is told no second time.

        Raises
        ------
        InputError
            If there is no such conflict, or it is not for us to tell, with the reason.
        """
        with self._lock:
            self._projector.catch_up()
            with self._database.reading() as conn:
                row = conflict_by_id(conn, conflict)
            if row is None:
                raise InputError(Fault("there is no such conflict", field="conflict", value=str(conflict)))
            if self._records.party in row.advised_by:
                return next(one for one in row.advisories if self._records.is_own(one.origin))
            if row.finding is None or row.own != 1 or row.why_not_advised:
                why = row.why_not_advised or "neither filing is ours, or our own search does not find it"
                raise InputError(Fault(f"it is not for us to advise of: {why}", field="conflict", value=str(conflict)))
            if row.state not in ("found", "advised"):
                raise InputError(Fault(f"it is {row.state}", "one that stands", field="conflict", value=str(conflict)))
            said = self._say(row)
            self._projector.catch_up()
            return said

    def _say(self, row: ConflictRow) -> EntryRef:
        with self._database.reading() as conn:
            both = filings_by_id(conn, (row.first, row.second))
        first, second = both[row.first], both[row.second]
        ours, theirs = (first, second) if first.party == self._records.party else (second, first)
        assert row.finding is not None, "it was found by our own search"
        body = advisory_of(finding_of(row.finding), ours.ref, theirs.ref)
        (said,) = self._records.say(ours.line, [Outgoing(body, (theirs.party,), exercise=ours.exercise)])
        self._said[said.origin] = max(said.index + 1, self._said.get(said.origin, 0))
        return said

    def _silence(self, line: str) -> str:
        """Why nothing can be said on the line now: then it is tried again later."""
        return self._records.silence(line)
