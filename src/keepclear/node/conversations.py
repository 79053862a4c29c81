"""The conversations of all lines, in memory: filled from tables when they are first asked for, and kept up with them.

One process writes the tables and the others read them, so each keeps its own and takes up what has changed since.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from keepclear.line.conversation import Conversation, Event
from keepclear.line.said import Said
from keepclear.line.threads import Searched, Thread
from keepclear.record.entries import EntryRef
from keepclear.store.node.receipts import receipts_after
from keepclear.store.node.said_facts import said_after

__all__ = ["Conversations"]


@dataclass(slots=True)
class _Followed:
    """A conversation, how far the tables were read, and the entries that somebody may owe an answer to.

    Of these, `changed` are those whose threads may read otherwise since somebody asked for them.
    """

    conversation: Conversation
    change: int = 0
    receipt: int = 0
    open: set[EntryRef] = field(default_factory=set)
    changed: set[EntryRef] = field(default_factory=set)


class Conversations:
    """The conversation of each line. Any thread may use it; what is given out is used under `held`.

    Parameters
    ----------
    us
        The party whose node this is.
    """

    def __init__(self, us: str) -> None:
        self.us = us
        self._lines: dict[str, _Followed] = {}
        self._writer: Connection | None = None
        self._read: set[str] = set()  # by the writer, in its transaction
        self._lock = threading.RLock()

    @contextmanager
    def held(self, conn: Connection, line: str) -> Iterator[Conversation]:
        """The conversation of a line as the tables have it, for this thread alone while the block lasts."""
        with self._lock:
            yield self._followed(conn, line).conversation

    def take(self, conn: Connection, line: str, said: Said, change: int) -> frozenset[EntryRef]:
        """Take in what was written as this change by the caller; the entries whose threads may read otherwise now."""
        with self._lock:
            followed = self._followed(conn, line, before=change)
            changed = _take(followed, said)
            followed.change = change
            return changed

    def thread(self, conn: Connection, ref: EntryRef, line: str, at_s: float, searched: Searched | None) -> Thread:
        """How matters stand with an entry, as far as it was searched.

        Raises
        ------
        KeyError
            If it is not known here, or does not count.
        """
        with self._lock:
            conversation = self._followed(conn, line).conversation
            if searched is not None:
                conversation.take(searched)
            return conversation.thread(ref, at_s)

    def open(self, conn: Connection, line: str, *, changed: bool | None = None) -> list[EntryRef]:
        """The entries of a line to which somebody may owe something, what came last in front.

        Parameters
        ----------
        changed
            Only those whose threads may read otherwise since this was last said true or false here; with false, all,
            and with None all too, and what is remembered of that stays. One thread of the process says so.
        """
        with self._lock:
            followed = self._followed(conn, line)
            refs = followed.open & followed.changed if changed else followed.open
            said = [one for ref in refs if (one := followed.conversation.said(ref)) is not None]
            if changed is not None:
                followed.changed.clear()
            return [one.ref for one in sorted(said, key=lambda one: (-one.kept_s, one.ref.origin, one.ref.index))]

    def owing(self, conn: Connection, line: str, refs: Iterable[EntryRef], at_s: float) -> list[Thread]:
        """Threads of those in which somebody owes something at that time, or will, in their order.

        Whoever takes up what comes waits meanwhile: of thousands, let go of it in between.
        """
        with self._lock:
            followed = self._followed(conn, line)
            found: list[Thread] = []
            for ref in refs:
                if followed.conversation.said(ref) is None:  # it counts no longer
                    continue
                thread = followed.conversation.thread(ref, at_s)
                if any(one.ended_s is None or at_s < one.ended_s for one in thread.owed):
                    found.append(thread)
                else:
                    followed.open.discard(ref)
            return found

    def forget(self, line: str | None = None) -> None:
        """Forget what is in memory, of one line or of all: it is read again."""
        with self._lock:
            self._read.clear()
            if line is None:
                self._lines.clear()
            else:
                self._lines.pop(line, None)

    @contextmanager
    def only(self, conn: Connection) -> Iterator[None]:
        """While the caller writes what entries say, and nothing else of what is followed here: it is not read again."""
        self._writer, self._read = conn, set()
        try:
            yield
        finally:
            self._writer = None

    def _followed(self, conn: Connection, line: str, *, before: int | None = None) -> _Followed:
        followed = self._lines.get(line)
        if followed is not None and conn is self._writer and line in self._read:
            return followed
        if followed is None:
            followed = self._lines[line] = _Followed(Conversation(self.us))
        for row in said_after(conn, line, followed.change):
            if row.change == before:
                break
            if row.counted:
                _take(followed, row.said)
            elif followed.conversation.said(row.said.ref) is not None:
                # Nothing is taken back out of a conversation: it is made anew without what does not count.
                del self._lines[line]
                return self._followed(conn, line, before=before)
            followed.change = row.change
        for number, receipt in receipts_after(conn, line, followed.receipt):
            _take(followed, receipt)
            followed.receipt = number
        if conn is self._writer:
            self._read.add(line)
        return followed


def _take(followed: _Followed, event: Event) -> frozenset[EntryRef]:
    changed = followed.conversation.take(event)
    followed.open |= changed
    followed.changed |= changed
    return changed
