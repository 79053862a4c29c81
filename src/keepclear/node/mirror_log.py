"""A log of another party's that we mirror: what receives it, under the log's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from keepclear.node.kept_log import KeptLog
from keepclear.record.entries import Entry
from keepclear.record.keys import SigningKey
from keepclear.store.log_store import LogStore
from keepclear.store.mirror import Mirror
from keepclear.store.receiving import Receiver
from keepclear.store.receiving_bodies import BodyDesk

__all__ = ["Keeps", "MirrorLog"]

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
                    if self._log.size != size:
                        topics.append("came")
                    if self._kept != kept:
                        topics.append("body")
        finally:
            if topics:
                self._ring(*topics)

    def _is_kept(self, number: int, entry: Entry) -> bool:
        keeps = self._keeps(self.origin, number, entry)
        self._kept += keeps
        return keeps
