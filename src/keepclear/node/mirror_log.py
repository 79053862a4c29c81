"""A log of another party's that we mirror: what receives it, under the log's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from keepclear.clock import monotonic_s
from keepclear.node.kept_log import KeptLog
from keepclear.record.entries import Entry
from keepclear.record.keys import SigningKey
from keepclear.store.log_store import LogStore
from keepclear.store.mirror import Mirror
from keepclear.store.receiving import Receiver
from keepclear.store.receiving_bodies import BodyDesk

__all__ = ["Keeps", "MirrorLog", "Pace"]

_MANY = 2_000
"""Leaves and bodies within a second or two: no party says so much, but one that was away has so much to tell."""
_WINDOW_S = 1.0
_QUIET_S = 1.5  # from one request to the next it may take so long
_LONGEST_S = 30.0
_REST_SHARE, _LONGEST_REST_S = 0.25, 8.0  # what came fast for long is let come again only after a pause
_URGENT = b'"priority":"flash"'
Keeps = Callable[[str, int, Entry], bool]
"""Whether a body that came, whole and proved, is kept: asked with the log's origin, the entry's number, and it."""


class MirrorLog(KeptLog[Mirror]):
    """A copy of another party's log.

    Parameters
    ----------
    store, log, shared
        See `KeptLog`.
    key
        What we cosign with.
    secret
        For tickets.
    keeps
        The guards. They are asked under this log's lock, and hold nobody up but who sends or reads this log.
    ring
        Called with what is new, after the lock was let go of: "came", "body".
    """

    def __init__(
        self,
        store: LogStore,
        log: Mirror,
        *,
        shared: bool,
        key: SigningKey,
        secret: bytes,
        keeps: Keeps,
        ring: Callable[..., None],
    ) -> None:
        super().__init__(store, log, shared=shared)
        self._ring = ring
        self._keeps = keeps
        self._kept = 0
        self._pace = Pace()
        self._receiver = Receiver(store, log, key=key, secret=secret)
        self._desk = BodyDesk(store, log, key=key, keeps=self._is_kept)

    @contextmanager
    def receiving(self) -> Iterator[tuple[Receiver, BodyDesk]]:
        """What takes uploads of this log, while the block lasts; it is the same each time.

        An upload may be begun in one block and go on in the next: nobody waits in it for the network.
        """
        topics = []
        try:
            with self._lock:
                self._freshen()
                size, kept = self._log.size, self._kept
                try:
                    yield self._receiver, self._desk
                finally:
                    self._pace.came(self._log.size - size + self._kept - kept)
                    if self._log.size != size:
                        topics.append("came")
                    if self._kept != kept:
                        topics.append("body")
        finally:
            if topics:
                self._ring(*topics)

    @property
    def comes_fast(self) -> bool:
        """Whether many leaves and bodies of it are coming just now."""
        return self._pace.is_fast

    def _is_kept(self, number: int, entry: Entry) -> bool:
        keeps = self._keeps(self.origin, number, entry)
        self._kept += keeps
        if keeps and _URGENT in (entry.body or b""):  # or something that looks like it: then we hurry for nothing
            self._pace.hurry()
        return keeps


class Pace:
    """Whether much has come lately. One thread at a time tells it what came; any may ask.

    Parameters
    ----------
    clock
        Seconds on a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = monotonic_s) -> None:
        self._clock = clock
        self._window_s, self._count, self._before = -_LONGEST_S, 0, 0
        self._fast_s = -_LONGEST_S
        self._began_s = 0.0

    def came(self, count: int) -> None:
        """So many have come now."""
        if count <= 0:
            return
        now_s = self._clock()
        if now_s >= self._window_s + _WINDOW_S:
            self._before = self._count if now_s < self._window_s + 2.0 * _WINDOW_S else 0
            self._window_s, self._count = now_s, 0
        self._count += count
        if self._before + self._count >= _MANY:
            # Or who pauses for a moment now and then would never be looked at: in the pause there must be time for it.
            lasted_s = self._fast_s - self._began_s
            if now_s >= self._fast_s + max(_QUIET_S, min(_REST_SHARE * lasted_s, _LONGEST_REST_S)):
                self._began_s = now_s
            self._fast_s = now_s

    def hurry(self) -> None:
        """Among what comes is something that cannot wait: what goes on coming does not count as fast any more."""
        self._began_s = self._clock() - _LONGEST_S

    @property
    def is_fast(self) -> bool:
        """Whether much comes just now; of what never ends that is not said for ever."""
        now_s = self._clock()
        return now_s < self._fast_s + _QUIET_S and now_s < self._began_s + _LONGEST_S
