"""Work that several threads have at once is done together, by one of them.

Who comes while nobody is at work does his own, and that of all who wait by then; who comes meanwhile waits, and is
served by the next. So what is the same for all of it (a picture of the tables, a sync of the disk, the others to be
woken) is done once for many, and few threads run at a time. Nobody waits for company: one who is alone is done at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from keepclear.errors import StoreError

__all__ = ["Together"]

_ItemT = TypeVar("_ItemT")


class _Waiting(Generic[_ItemT]):
    """Somebody with work; `woken` is let go of when it is done, or when it is theirs to go on with."""

    __slots__ = ("done", "error", "items", "leads", "woken")

    def __init__(self, items: Sequence[_ItemT]) -> None:
        self.items = items
        self.done = self.leads = False
        self.error: BaseException | None = None
        self.woken = threading.Lock()
        self.woken.acquire()


class Together(Generic[_ItemT]):
    """Does work together.

    Parameters
    ----------
    work
        Does it, for as many as it is given. It is to note with each what became of it, and to raise nothing.
    most
        How many at a time; who brings more than that has them done at once all the same.
    """

    def __init__(self, work: Callable[[Sequence[_ItemT]], object], *, most: int) -> None:
        self._work, self._most = work, most
        self._guard = threading.Lock()
        self._queue: deque[_Waiting[_ItemT]] = deque()
        self._is_busy = False

    def do(self, items: Sequence[_ItemT]) -> None:
        """Have these done, at one time; returns when they are.

        Raises
        ------
        StoreError
            If the work broke off: how far it came is not known.
        """
        mine = _Waiting(items)
        with self._guard:
            mine.leads, self._is_busy = not self._is_busy, True
            self._queue.append(mine)
        if not mine.leads:
            try:
                mine.woken.acquire()
            except BaseException:  # such as Ctrl-C
                self._leave(mine)
                raise
        if not mine.done:
            self._lead(mine)  # whoever is woken so stands first in the queue
        if mine.error is not None:
            raise mine.error

    def _lead(self, mine: _Waiting[_ItemT]) -> None:
        taken = self._taken()
        try:
            self._work([item for one in taken for item in one.items])
        except BaseException as error:
            for one in taken:
                one.error = StoreError(f"it broke off, and it is not known how far it came: {error!r}")
            raise
        finally:
            for one in taken:
                one.done = True
                if one is not mine:
                    one.woken.release()
            self._hand_on()

    def _hand_on(self) -> None:
        """Whoever waits longest goes on."""
        with self._guard:
            following = self._queue[0] if self._queue else None
            self._is_busy = following is not None
            if following is not None:
                following.leads = True
        if following is not None:
            following.woken.release()

    def _leave(self, mine: _Waiting[_ItemT]) -> None:
        """Somebody waits no longer: what nobody has begun is not begun, and another goes on in their place."""
        with self._guard:
            waits = mine in self._queue
            if waits:
                self._queue.remove(mine)
        if waits and mine.leads:
            self._hand_on()

    def _taken(self) -> list[_Waiting[_ItemT]]:
        taken: list[_Waiting[_ItemT]] = []
        many = 0
        with self._guard:
            while self._queue and (not taken or many + len(self._queue[0].items) <= self._most):
                taken.append(self._queue.popleft())
                many += len(taken[-1].items)
        return taken
