"""What is written beside the next step of the tables, in its transaction: one commit and one sync of the disk for both.

Whoever gives it waits for nothing here. Afterwards he asks whether it was written (`Beside.kept`); what was not, for
whatever reason, he writes himself, in a transaction of his own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

__all__ = ["Beside", "Besides"]


class Beside:
    """Something to be written; made by `Besides.put`."""

    __slots__ = ("_besides", "_over", "_written", "write")

    def __init__(self, besides: Besides, write: Callable[[Connection], object]) -> None:
        self.write = write
        self._besides = besides
        self._over = threading.Event()
        self._written = False

    def kept(self) -> bool:
        """Whether it was written, in a transaction that was committed; if not, it is not written any more."""
        if self._besides.withdrawn(self):
            return False
        self._over.wait()  # whoever has taken it is writing
        return self._written

    @property
    def over(self) -> bool:
        """Whether the transaction that was to write it has ended."""
        return self._over.is_set()

    def ended(self, *, written: bool) -> None:
        """The transaction is over."""
        self._written = written
        self._over.set()


class Besides:
    """What waits to be written beside a step. Any thread may use it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[Beside] = deque()

    def put(self, write: Callable[[Connection], object]) -> Beside:
        """Have something written in the next transaction that makes tables; it must be quick, and read no clock."""
        one = Beside(self, write)
        with self._guard:
            self._waiting.append(one)
        return one

    def withdrawn(self, one: Beside) -> bool:
        """Take something back that nobody has taken yet; whether it was there."""
        with self._guard:
            try:
                self._waiting.remove(one)
            except ValueError:
                return False
        return True

    @property
    def any(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    @contextmanager
    def written(self) -> Iterator[Callable[[Connection], None]]:
        """Round a transaction: gives what writes all that waits by then, and tells afterwards how it ended."""
        taken: list[Beside] = []

        def write(conn: Connection) -> None:
            with self._guard:
                taken.extend(self._waiting)
                self._waiting.clear()
            for one in taken:
                one.write(conn)

        written = False
        try:
            yield write
            written = True
        finally:
            for one in taken:
                one.ended(written=written)
