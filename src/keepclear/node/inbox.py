"""The inbox of an officer: what others said that we are to answer, by when, and how it stands with what we said.

Nothing here says that anything was approved, since nobody on a line approves anything. What a machine has received is
one thing, what a person there has seen another, and what the unit was told a third.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from keepclear.errors import InputError, PeerError
from keepclear.line.deadlines import MessageClass, Owed
from keepclear.line.operation_states import OperationState
from keepclear.line.threads import Owing, Standing, Thread
from keepclear.node.actors import Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.records import Records
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.node.talking import FLASH_TEXT
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.line_talk import AdvisoryBody
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import CancelBody, MessageBody, Priority
from keepclear.record.entries import Entry, EntryRef
from keepclear.store.node import filings
from keepclear.store.node.agreements import TermFindingRow, findings_since
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.guarded import guarded_entry
from keepclear.times import to_text

__all__ = ["Inbox", "InboxItem", "InboxView", "OwnFiling"]

_MACHINES = frozenset({Owed.RECEIPT})
_TYPES = ("operation", "zone")
_MOST_TERMS = 200
_SHOWN = 300  # characters of a text


class OwingThreads(Protocol):
    """What knows how matters stand: the projector."""

    def thread(self, ref: EntryRef, at_s: float) -> Thread:
        """How matters stand with an entry at that time."""

    def threads_owing(self, line: str, at_s: float) -> Iterable[Thread]:
        """Threads in which somebody owes something at that time."""


@dataclass(frozen=True, slots=True)
class InboxItem:
    """Something that another party said, and that we are to answer.

    Attributes
    ----------
    ref, line, party, type, exercise
        Which entry.
    kept_s
        When it came.
    message_class
        What sort of thing it is for us.
    owed
        What we are to give, the first due in front.
    due_s, overdue
        By when the first of it, and whether that has passed.
    summary
        What it says, in a line; not where, which is read in the entry itself.
    blocked
        Why our read-back does not count; empty if it does, or there was none.
    flagged
        What a guard had to say of it; empty if nothing.
    """

    ref: EntryRef
    line: str
    party: str
    type: str
    exercise: bool
    kept_s: float
    message_class: MessageClass | None
    owed: tuple[Owing, ...]
    due_s: float
    overdue: bool
    summary: str
    blocked: str = ""
    flagged: str = ""


@dataclass(frozen=True, slots=True)
class OwnFiling:
    """A filing of ours that stands, and how it stands with each addressee.

    Attributes
    ----------
    ref, line, type, exercise
        Which entry.
    id, name
        Of the operation or zone.
    start_s, end_s
        From when to when.
    state
        How far it has come; no state is a permission.
    standings
        Of each addressee.
    sentences
        The same, to be read out.
    overdue
        What others owe us of it, and was due before.
    """

    ref: EntryRef
    line: str
    type: str
    exercise: bool
    id: str
    name: str
    start_s: float | None
    end_s: float | None
    state: OperationState | None
    standings: tuple[Standing, ...]
    sentences: tuple[str, ...]
    overdue: tuple[Owing, ...]


@dataclass(frozen=True, slots=True)
class InboxView:
    """The inbox at one moment.

    Attributes
    ----------
    at_s
        Which.
    to_answer
        What we are to answer: FLASH first, then what is overdue, then what is due first.
    own
        Our filings that stand, the newest first.
    more
        Whether there are more of ours than were asked for.
    terms
        Filings that stand, of whomever, that are not within a term in force, or may not be; the newest first.
    """

    at_s: float
    to_answer: tuple[InboxItem, ...]
    own: tuple[OwnFiling, ...]
    more: bool
    terms: tuple[tuple[filings.Filing, TermFindingRow], ...] = ()


class Inbox:
    """Shows the inbox.

    Parameters
    ----------
    records, database, clock
        The node's.
    threads
        Knows what is owed.
    """

    def __init__(
        self, records: Records, threads: OwingThreads, database: NodeDatabase, clock: Callable[[], float]
    ) -> None:
        self._records, self._threads, self._database, self._clock = records, threads, database, clock

    def items(self, line: str | None = None, *, by: Actor, at_s: float | None = None, most_own: int = 200) -> InboxView:
        """What is to be answered on a line, or on all, and how it stands with our own filings.

        Parameters
        ----------
        most_own
            So many of our filings at most.

        Raises
        ------
        NotFoundError
            If there is no such line.
        """
        by.must(Scope.READ)
        at_s = self._clock() if at_s is None else at_s
        lines = self._records.lines()
        if line is not None and line not in lines:
            raise NotFoundError("line", field="line", value=line)
        lines = lines if line is None else (line,)
        waiting = [one for name in lines for one in self._to_answer(name, at_s)]
        own, more = self._own(line, at_s, most_own)
        return InboxView(at_s, tuple(sorted(waiting, key=_urgency)), own, more, self._terms(lines))

    def _terms(self, lines: Collection[str]) -> tuple[tuple[filings.Filing, TermFindingRow], ...]:
        with self._database.reading() as conn:
            rows = findings_since(conn, limit=_MOST_TERMS)
            found = filings.filings_by_id(conn, {row.filing for row in rows})
        told = [(found[row.filing], row) for row in rows if row.filing in found]
        return tuple(one for one in told if one[0].line in lines)

    def _to_answer(self, line: str, at_s: float) -> Iterator[InboxItem]:
        for thread in self._threads.threads_owing(line, at_s):
            owed = [
                one
                for one in thread.owed
                if one.party == self._records.party and one.owed not in _MACHINES and one.is_open(at_s)
            ]
            if owed:
                yield self._item(line, thread, sorted(owed, key=lambda one: one.due_s), at_s)

    def _item(self, line: str, thread: Thread, owed: list[Owing], at_s: float) -> InboxItem:
        own = thread.party == self._records.party  # and then nothing was read back by us
        blocked = None if own else thread.standing(self._records.party).blocked
        compared = None if blocked is None else blocked.comparison
        with self._database.reading() as conn:
            noted = guarded_entry(conn, thread.ref.origin, thread.ref.index)
        return InboxItem(
            thread.ref, line, thread.party, thread.type, thread.exercise, thread.kept_s, owed[0].message_class,
            tuple(owed), owed[0].due_s, any(one.is_overdue(at_s) for one in owed),
            self._summary(thread.ref) or thread.problem, "" if compared is None else compared.sentence,
            noted[-1].sentence if noted else "",
        )  # fmt: skip

    def _own(self, line: str | None, at_s: float, most: int) -> tuple[tuple[OwnFiling, ...], bool]:
        with self._database.reading() as conn:
            rows = filings.filings_like(
                conn, types=_TYPES, line=line, party=self._records.party, states=(filings.FilingState.ACTIVE,),
                limit=most + 1,
            )  # fmt: skip
        found = []
        for row in rows[:most]:
            try:
                thread = self._threads.thread(row.ref, at_s)
            except KeyError:
                continue  # it was said this moment
            found.append(
                OwnFiling(
                    row.ref, row.line, row.type, row.exercise, row.thing_id, row.name, row.start_s, row.end_s,
                    thread.state, thread.standings, tuple(one.sentence for one in thread.standings),
                    tuple(one for one in thread.owed if one.is_overdue(at_s)),
                )
            )  # fmt: skip
        return tuple(found), len(rows) > most

    def _summary(self, ref: EntryRef) -> str:
        try:
            entry = self._records.entry(ref)
            body = body_of(entry)
        except (InputError, PeerError):
            return ""
        return "" if body is None else _told(body, entry)


def _told(body: Body, entry: Entry) -> str:
    if isinstance(body, MessageBody):
        if body.priority is Priority.FLASH and body.text == FLASH_TEXT:
            return "FLASH, without a word"
        return f"{body.priority.upper()}: {_short(body.text)}"
    if isinstance(body, OperationBody):
        thing = body.operation
        return " ".join(part for part in (str(thing.kind or "operation"), thing.name or thing.id) if part)
    if isinstance(body, ZoneBody):
        return f"{body.zone.kind} {body.zone.name or body.zone.id}"
    if isinstance(body, AdvisoryBody):
        return _short(body.sentence)
    if isinstance(body, CancelBody):
        return f"cancels {EntryId.of(body.entry.ref())}" + (f": {_short(body.reason)}" if body.reason else "")
    return f"{entry.leaf.type} of {to_text(entry.leaf.time_s)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _urgency(item: InboxItem) -> tuple[bool, bool, float, str, int]:
    is_flash = item.message_class is MessageClass.FLASH
    return not is_flash, not item.overdue, item.due_s, item.ref.origin, item.ref.index
