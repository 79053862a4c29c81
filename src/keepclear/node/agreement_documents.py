"""The documents of agreements that are held here, read once and kept in memory by their hash."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from keepclear.agreements.documents import Document
from keepclear.errors import KeepclearError
from keepclear.record.entries import Entry, EntryRef

__all__ = ["Documents", "EntryOf"]

EntryOf = Callable[[str, int], Entry]
"""Gives an entry with what is held of it."""
_MOST = 1024
_MOST_BYTES = 64 * 2**20


class Documents:
    """Reads the documents that entries propose. Any thread may use it.

    Parameters
    ----------
    entry_of
        Gives an entry of a log.
    """

    def __init__(self, entry_of: EntryOf) -> None:
        self._entry_of = entry_of
        # By the entry's leaf, which says what is attached to it: what cannot be read is remembered too, as why.
        self._read: OrderedDict[bytes, tuple[Document | str, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def of(self, ref: EntryRef) -> Document | str:
        """The document that a proposal proposes; or why it cannot be had, as the end of a sentence."""
        with self._lock:
            known = self._read.get(ref.leaf_hash)
            if known is not None:
                self._read.move_to_end(ref.leaf_hash)
                return known[0]
        try:
            entry = self._entry_of(ref.origin, ref.index)
        except KeepclearError as error:
            return str(error)
        file = entry.attachments[0] if entry.attachments else None
        if file is None:
            return "the document is not held here"
        found: Document | str
        try:
            found = Document.of_bytes(file.data)
        except KeepclearError as error:
            found = str(error)
        self._keep(ref.leaf_hash, found, len(file.data))
        return found

    def by_hash(self, refs: Iterable[EntryRef]) -> Mapping[str, Document]:
        """Of these proposals the documents that can be read, by their hash."""
        found = (self.of(ref) for ref in refs)
        return {one.hash: one for one in found if isinstance(one, Document)}

    def forget(self) -> None:
        """Keep nothing in memory: a body was erased."""
        with self._lock:
            self._read.clear()
            self._bytes = 0

    def _keep(self, name: bytes, found: Document | str, size_bytes: int) -> None:
        with self._lock:
            if name in self._read:
                return
            self._read[name] = found, size_bytes
            self._bytes += size_bytes
            while len(self._read) > _MOST or (self._bytes > _MOST_BYTES and len(self._read) > 1):
                _, (_, gone) = self._read.popitem(last=False)
                self._bytes -= gone
