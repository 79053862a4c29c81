"""A log's end of the line in a store: makes the requests that `keepclear.line.uploading` says are due.

Nothing is kept but what the mirror has cosigned, so a kill loses nothing: the mirror says where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from keepclear.errors import InputError, PeerError
from keepclear.line.body_requests import MOST_ENTRY_BYTES, Gone, Piece, Wanted, format_bodies, pieces_of
from keepclear.line.entry_packages import MOST_PACKAGES, EntriesHeader, format_package, package_ranges
from keepclear.line.mirror_requests import AddCheckpoint, Answer
from keepclear.line.uploading import BodiesDue, CheckpointDue, Due, EntriesDue, Uploading
from keepclear.record.entries import Entry, Leaf
from keepclear.record.keys import VerifierKey
from keepclear.record.notes import Note
from keepclear.record.tiles import TILE_WIDTH
from keepclear.store.held import HeldLog
from keepclear.store.log_store import LogStore

__all__ = ["MOST_REQUEST_BYTES", "Request", "Sender"]

MOST_REQUEST_BYTES = 8 * 2**20
"""A request ends with the package or piece that makes it longer than this."""
_TOGETHER = 32  # entries whose bodies are in memory
_MOST_SCANNED = 8192  # entries looked through, for one request, for bodies that nobody has asked for


@dataclass(frozen=True, slots=True)
class Request:
    """What to send: the name of the endpoint, and the body, to be taken once."""

    endpoint: str
    body: Iterator[bytes]


class Sender:
    """Uploads a log that is held here to one mirror. One thread at a time uses it.

    Parameters
    ----------
    store, log
        The log, ours or one that we pass on, and where it is.
    keys
        The mirror's keys.
    party
        Whose mirror it is: it is given the bodies that are addressed to this party, and no others.
    """

    def __init__(self, store: LogStore, log: HeldLog, *, keys: tuple[VerifierKey, ...], party: str) -> None:
        self.log, self.party = log, party
        sizes = (store.last_cosigned(log.origin, key.text) for key in keys)
        self.uploading = Uploading(keys, max((size for size in sizes if size is not None), default=0))
        self._reached: tuple[Due, int] | None = None

    @property
    def size(self) -> int:
        """How many entries the log has (`keepclear.line.uploading.LogView`)."""
        return self.log.size

    def checkpoint_text(self, size: int) -> str | None:
        """The text of its checkpoint of that size, if there is one."""
        try:
            return Note.of_bytes(self.log.checkpoint(size)).text
        except InputError:
            return None

    def due(self) -> tuple[Due, Request] | None:
        """The next request, if there is one; `answered` wants the first of the two back."""
        due = self.uploading.due(self.log.size)
        if due is None:
            return None
        match due:
            case CheckpointDue():
                return due, Request("add-checkpoint", self._checkpoint(due))
            case EntriesDue():
                return due, Request("add-entries", self._entries(due))
            case BodiesDue():
                return due, Request("add-bodies", format_bodies(self.log.origin, self._bodies(due)))

    def answered(self, due: Due, answer: Answer | None) -> None:
        """Go on by an answer, or None where none came; a cosignature is kept before anything else is sent."""
        if isinstance(due, BodiesDue) and self._reached is not None and self._reached[0] is due:
            due = replace(due, until=self._reached[1])
        uploading, receipt = self.uploading.answered(due, answer, self)
        if receipt is not None:
            self.log.add_cosignatures(receipt.signatures, uploading.keys, size=receipt.size)
        self.uploading = uploading

    def retried(self) -> None:
        """See `Uploading.retried`."""
        self.uploading = self.uploading.retried()

    def _checkpoint(self, due: CheckpointDue) -> Iterator[bytes]:
        proof = self.log.consistency(due.old, due.size) if due.old else []
        yield AddCheckpoint(due.old, tuple(proof), self.log.checkpoint(due.size)).to_bytes()

    def _entries(self, due: EntriesDue) -> Iterator[bytes]:
        yield EntriesHeader(self.log.origin.encode(), due.start, due.end, due.ticket).to_bytes()
        sent = 0
        for count, (start, end) in enumerate(package_ranges(due.start, due.end)):
            if count == MOST_PACKAGES or sent > MOST_REQUEST_BYTES:
                return
            proof = self.log.subtree_consistency(start - start % TILE_WIDTH, end, due.end)
            package = format_package(self.log.leaves(start, end), proof)
            sent += len(package)
            yield package

    def _bodies(self, due: BodiesDue) -> Iterator[Piece | Gone]:
        if due.wanted is None:
            return _pieces(self._unasked(due))
        wanted = ((one, self._addressed(one.number)) for one in due.wanted)
        return _pieces((one, entry) for one, entry in wanted if entry is not None)

    def _unasked(self, due: BodiesDue) -> Iterator[tuple[Wanted, Entry]]:
        """Entries whose bodies nobody has named, read many together; how far they are taken is remembered."""
        end = min(due.until, due.since + _MOST_SCANNED)
        start = due.since
        while start < end:
            some = self.log.bodies(start, min(end, start + _TOGETHER))
            start += len(some)
            for number, entry in enumerate(some, start - len(some)):
                if entry is not None and self.party in entry.leaf.recipients:
                    self._reached = due, number + 1
                    yield Wanted(number), self.log.entry(number) if entry.leaf.attachments else entry
        self._reached = due, end

    def _addressed(self, number: int) -> Entry | None:
        """An entry, if it is for the mirror's party: whoever asks, others are not given its body."""
        if not 0 <= number < self.log.size:
            return None
        try:
            leaf = Leaf.of_bytes(self.log.leaf(number))
        except (PeerError, InputError):
            return None
        return self.log.entry(number) if self.party in leaf.recipients else None


def _pieces(wanted: Iterable[tuple[Wanted, Entry]]) -> Iterator[Piece | Gone]:
    """What is sent of these entries: as much as goes into one request."""
    room = MOST_REQUEST_BYTES
    for one, entry in wanted:
        if entry.body is None or _length(entry) > MOST_ENTRY_BYTES:
            yield Gone(one.number)
            continue
        for piece in pieces_of(entry, one, most_bytes=room):
            room -= len(piece.data)
            yield piece
        if room <= 0:
            return


def _length(entry: Entry) -> int:
    return len(entry.body or b"") + sum(len(file.data) for file in entry.attachments if file is not None)
