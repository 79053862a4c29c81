"""Threads as far as duties go: who owes what by when, without what searches came to.

What a search came to changes no duty, and working it out takes far longer than all the rest of a thread. Whoever looks
at thousands of threads for what is owed looks here.
"""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.line.threads import Thread
from keepclear.node.conversations import Conversations
from keepclear.record.entries import EntryRef
from keepclear.record.names import KeyName
from keepclear.store.node.database import NodeDatabase

__all__ = ["Duties"]

_AT_ONCE = 25  # threads that are read while others wait for the conversation: some milliseconds


class Duties:
    """What is owed on all lines. Any thread may use it.

    In the threads that it gives, `searched`, and the state that follows from it, may be of an earlier search, or
    missing.

    Parameters
    ----------
    database, conversations
        What was said, as the tables have it.
    """

    def __init__(self, database: NodeDatabase, conversations: Conversations) -> None:
        self._database, self._conversations = database, conversations

    def thread(self, ref: EntryRef, at_s: float) -> Thread:
        """How matters stand with an entry.

        Raises
        ------
        KeyError
            If it is not known here, or was not said by a member.
        """
        name = KeyName.of_text(ref.origin)
        if name is None or name.line is None:
            raise KeyError(ref)
        with self._database.reading() as conn:
            return self._conversations.thread(conn, ref, name.line, at_s, None)

    def threads_owing(self, line: str, at_s: float) -> list[Thread]:
        """Threads in which somebody owes something at that time, by log and place."""
        found = [thread for _, some in self.slices(line, at_s) for thread in some]
        found = [thread for thread in found if any(one.is_open(at_s) for one in thread.owed)]
        return sorted(found, key=lambda one: (one.ref.origin, one.ref.index))

    def slices(
        self, line: str, at_s: float, *, changed: bool | None = None
    ) -> Iterator[tuple[list[EntryRef], list[Thread]]]:  # fmt: skip
        """The same, and those in which somebody will, some at a time and what came last in front.

        Between them nobody waits for whoever asks.

        Parameters
        ----------
        changed
            See `Conversations.open`.

        Yields
        ------
        tuple[list[EntryRef], list[Thread]]
            Entries that were looked at, and the threads of those in which somebody owes something, or will.
        """
        with self._database.reading() as conn:
            refs = self._conversations.open(conn, line, changed=changed)
        for start in range(0, len(refs), _AT_ONCE):
            some = refs[start : start + _AT_ONCE]
            with self._database.reading() as conn:
                found = self._conversations.owing(conn, line, some, at_s)
            yield some, found
