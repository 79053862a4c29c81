"""One log of those that a node keeps, used by many threads: each takes its lock for as long as it takes to look.

After a commit whose outcome was not known (`UnknownOutcomeError`) the store answers nobody until it has been reread;
whoever comes first does that here, and what he came for is then done once more.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from keepclear.errors import InputError, PeerError
from keepclear.line.party_words import MEMBERSHIP_TYPES
from keepclear.record.entries import Entry, EntryRef, Leaf
from keepclear.record.entry_types import EntryType
from keepclear.record.merkle import leaf_hash
from keepclear.record.names import KeyName
from keepclear.store.held import HeldLog
from keepclear.store.log_store import LogStore, UnknownOutcomeError

__all__ = ["SELDOM", "KeptLog"]

SELDOM = MEMBERSHIP_TYPES | {
    EntryType.KEY_CERTIFICATE, EntryType.KEY_REVOCATION, EntryType.IDENTITY_VOUCH, EntryType.LINE_TEST,
    EntryType.REFUSED,
}  # fmt: skip
"""Types of entries of which a log has few, and which are looked for among all of them."""
# A leaf is canonical JSON: there is one way to name its type.
_SELDOM = re.compile(f'"type":"(?:{"|".join(sorted(SELDOM))})"'.encode())
_AT_ONCE = 4096
Held = TypeVar("Held", bound=HeldLog)
Found = TypeVar("Found")


class KeptLog(Generic[Held]):
    """A log with a lock.

    Parameters
    ----------
    store, log
        The log, and where it is.
    shared
        Whether other processes write the store too: then what it has is looked up each time.
    """

    def __init__(self, store: LogStore, log: Held, *, shared: bool) -> None:
        self.store = store
        self.origin = log.origin
        name = KeyName.of_text(log.origin)
        assert name is not None
        assert name.line is not None
        self.party, self.line = name.party, name.line
        self._shared = shared
        self._log = log
        self._lock = threading.RLock()
        self._looked = 0
        self._seldom: list[int] = []

    @contextmanager
    def held(self) -> Iterator[Held]:
        """The log, to be used by this thread alone while the block lasts; as new as it is."""
        with self._lock:
            self._freshen()
            yield self._log

    def read(self, look: Callable[[Held], Found]) -> Found:
        """What a function finds in the log; it may be called twice."""
        with self._lock:
            try:
                self._freshen()
                return look(self._log)
            except UnknownOutcomeError:
                self._log.reread()
                return look(self._log)

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self.read(lambda log: log.size) if self._shared else self._log.size

    def ref(self, index: int) -> EntryRef:
        """The name of an entry."""
        return EntryRef(self.origin, index, leaf_hash(self.read(lambda log: log.leaf(index))))

    def entry(self, index: int) -> Entry:
        """An entry with what is held of its body."""
        return self.read(lambda log: log.entry(index))

    def entries(self, start: int, stop: int) -> list[Entry]:
        """Several; the lock is let go of between them."""
        return [self.entry(index) for index in range(start, stop)]

    def bodies(self, start: int, stop: int) -> list[Entry | None]:
        """Several, or fewer where bodies are long, without attachments; see `HeldLog.bodies`."""
        return self.read(lambda log: log.bodies(start, stop))

    def leaves(self, start: int, stop: int) -> list[Leaf | None]:
        """The leaves of several, None for one that cannot be read."""
        return [_leaf(data) for data in self.read(lambda log: list(log.leaves(start, stop)))]

    def may_be(self, types: Collection[str], start: int, stop: int) -> list[int]:
        """The numbers of entries, from `start` to before `stop`, that may be of one of these types: no other is.

        A log is long, and whoever looks for a few entries of it need not read all: each leaf is looked at once, for
        all who look.

        Parameters
        ----------
        types
            Some of `SELDOM`.
        """
        assert SELDOM.issuperset(types), "only what is seldom is remembered"
        while self._looked < stop:  # the lock is let go of in between
            self.read(lambda log: self._look_on(log, stop))
        with self._lock:
            return self._seldom[bisect_left(self._seldom, start) : bisect_left(self._seldom, stop)]

    def _look_on(self, log: Held, end: int) -> None:
        start, stop = self._looked, min(end, self._looked + _AT_ONCE)
        if start < stop:  # else somebody else was first
            leaves = enumerate(log.leaves(start, stop), start)
            self._seldom += [number for number, leaf in leaves if _SELDOM.search(leaf)]
            self._looked = stop

    def _freshen(self) -> None:
        if self._shared:
            head = self.store.head(self.origin)
            if head is not None and head.size != self._log.size:
                self._log.refresh()


def _leaf(data: bytes) -> Leaf | None:
    try:
        return Leaf.of_bytes(data)
    except (InputError, PeerError):
        return None
