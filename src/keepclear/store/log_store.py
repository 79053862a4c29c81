"""What a store of logs can do: bytes in, bytes out, and every change all or nothing.

This interface is what `Log` and `Mirror` are written against; SQLite implements it, and the contract suite in
``tests/contract`` says what any other backend has to do. A store knows nothing of signatures or hashes. It holds what
it is given, and refuses the two things that can never be taken back: a second checkpoint of a size it already has, and
a checkpoint smaller than one it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from keepclear.errors import IntegrityError, StoreError

__all__ = [
    "BodyState",
    "Conflict",
    "DamagedError",
    "GapError",
    "GrownElsewhereError",
    "Growth",
    "LogStore",
    "Mark",
    "SignedHead",
    "StoredAttachment",
    "StoredBody",
    "StoredLog",
    "StoredPiece",
    "UnknownOutcomeError",
]


class UnknownOutcomeError(StoreError):
    """A write failed so that only the disk knows whether it was done; `LogStore.reread` before anything else."""


class GrownElsewhereError(StoreError):
    """Another handle or process has appended to the log meanwhile: nothing was done; refresh, and say it again."""


class GapError(StoreError):
    """Leaves would not follow those that are kept: nothing was done."""


class DamagedError(IntegrityError):
    """What the store holds is not what was put into it, or cannot be read any more."""


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A log that the store holds: its origin, the log key's verifier text, and whether it is our own."""

    origin: str
    key: str
    own: bool


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A signed checkpoint beside its size and root; `note` is the log's note, without cosignatures."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest head that may have been shown to someone, remembered outside the database."""

    size: int
    root: bytes


class BodyState(IntEnum):
    """What became of the body of an entry."""

    WANTED = 0  # addressed to us, and not here yet
    HELD = 1
    REFUSED = 2  # an entry in our own log names it and says that we do not keep it
    ERASED = 3  # was held once


@dataclass(frozen=True, slots=True)
class StoredBody:
    """The body of entry `number`, with its salt; both are None unless the state is HELD.

    `refusal` is the number of the entry in our own log that refuses it, where the state is REFUSED.
    """

    number: int
    state: BodyState
    salt: bytes | None = None
    body: bytes | None = None
    refusal: int | None = None


@dataclass(frozen=True, slots=True)
class StoredAttachment:
    """A file that belongs to entry `number`: the one in this place in its leaf's list, with the salt of its hash."""

    number: int
    place: int
    salt: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """Some bytes of a part of entry `number` that is not whole yet: part 0 is the body, part n the n-th attachment."""

    number: int
    part: int
    offset: int
    total: int
    salt: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two signed checkpoints of one log that do not agree.

    `evidence` is the file that proves it to others (`keepclear.record.forks`); empty where the other side merely gave
    no proof that the two agree.
    """

    first: bytes
    second: bytes
    detail: str
    evidence: bytes = b""


@dataclass(frozen=True, slots=True)
class Growth:
    """Some entries to append.

    Attributes
    ----------
    leaves
        The new leaves, in order.
    tiles
        For (level, number) of a tile: how many hashes it must hold already, and the hashes that follow those.
    bodies, attachments
        What is kept beside the leaves.
    """

    leaves: Sequence[bytes]
    tiles: Mapping[tuple[int, int], tuple[int, bytes]]
    bodies: Sequence[StoredBody] = ()
    attachments: Sequence[StoredAttachment] = ()


class LogStore(Protocol):
    """Keeps logs. Every method that changes something is durable when it returns, or raises.

    Raises
    ------
    StoreError
        If it could not be done, and nothing changed.
    UnknownOutcomeError
        If it may have been done: every later call fails with this until `reread`.
    DamagedError
        If what is there cannot be read.
    """

    @property
    def generation(self) -> int:
        """Counts the calls of `reread`: whoever remembers something from before must read it anew."""

    @property
    def name(self) -> str:
        """What to call the store in a message: the file's path."""

    def reread(self) -> None:
        """Forget everything and go by what is durable."""

    def close(self) -> None:
        """Let go of the store; a second call does nothing."""

    def create(self, origin: str, *, key: str, own: bool, head: SignedHead | None = None) -> None:
        """Begin an empty log, with its checkpoint of size 0 if there is one."""

    def logs(self) -> tuple[StoredLog, ...]:
        """All logs, by origin."""

    def append(
        self, origin: str, parts: Iterable[Growth], *, at: int, seal: Callable[[], SignedHead], brought: bool = False
    ) -> SignedHead:
        """Add leaves, tiles, bodies and the signed checkpoint in one transaction.

        Parameters
        ----------
        parts
            Taken one at a time, within the transaction, and may be read from the store while they are; if taking one
            raises, nothing is kept.
        at
            The size that the log must have before: where it has another, nothing is taken and nothing written.
        seal
            Makes the new head. It is called within the transaction, when the size is known to be free and all parts
            have been written: so nothing is ever signed for a size that is taken.
        brought
            Nothing is signed: `seal` gives a checkpoint of ours that another party had kept. Marks may be ahead.
        """

    def head(self, origin: str) -> SignedHead | None:
        """The greatest checkpoint, or None where there is none yet."""

    def mark(self, origin: str) -> Mark | None:
        """The newest head that may have been shown; None if it is lost, as after a restore."""

    def put_mark(self, origin: str, mark: Mark) -> None:
        """Move the mark forward; one that is not greater changes nothing."""

    def checkpoint(self, origin: str, size: int) -> SignedHead | None:
        """The checkpoint of that very size, if one was signed."""

    def checkpoints(self, origin: str, *, before: int | None = None, limit: int = 100) -> tuple[SignedHead, ...]:
        """Checkpoints below a size, greatest first."""

    def end(self, origin: str) -> int:
        """One more than the number of the last leaf."""

    def leaves(self, origin: str, start: int, stop: int) -> list[bytes | None]:
        """Leaves from `start` to before `stop`; None for each that is missing."""

    def tiles(self, origin: str, wanted: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """Hashes of tiles (level, number), each as wide as it has become; None where there is none. One query."""

    def add_cosignatures(self, origin: str, size: int, lines: Mapping[str, str]) -> None:
        """Keep cosignature lines of a checkpoint, by key; a newer line of the same key takes the older one's place."""

    def cosignatures(self, origin: str, size: int) -> tuple[tuple[str, str], ...]:
        """Keys and cosignature lines of a checkpoint, by key."""

    def first_cosigned(self, origin: str, *, above: int) -> tuple[tuple[str, int], ...]:
        """Each key that has cosigned a checkpoint of more than `above` entries, and the smallest size that it has."""

    def last_cosigned(self, origin: str, key: str) -> int | None:
        """The size of the greatest checkpoint that a key has cosigned."""

    def put_pending(self, origin: str, head: SignedHead, *, after: int | None, keep: int) -> None:
        """Keep a checkpoint whose leaves have not all come.

        Parameters
        ----------
        after
            The size of the greatest one that is kept, these and those of `checkpoint` together; None if there is none.
            Where it is another, nothing is written.
        keep
            How many of them to keep; the smallest go.
        """

    def pending(self, origin: str) -> tuple[SignedHead, ...]:
        """Those that were kept, smallest first."""

    def put_coming(self, origin: str, start: int, leaves: Sequence[bytes]) -> int:
        """Keep leaves that come before their checkpoint, those that are not there yet; say which one is next.

        Raises
        ------
        GapError
            If there would be one; then none is kept.
        """

    def next_entry(self, origin: str) -> int:
        """The first entry that is neither in the log nor kept for it."""

    def coming(self, origin: str, start: int, stop: int) -> list[bytes]:
        """Leaves that are kept for the log, from `start` to before `stop` or the first that is missing."""

    def drop_coming(self, origin: str, *, since: int) -> None:
        """Remove the leaves that are kept for the log from entry `since` on."""

    def settle_pending(self, origin: str, size: int) -> None:
        """The log has become `size` entries long: remove what was kept for that."""

    def drop_pending(self, origin: str) -> None:
        """Remove all checkpoints and leaves that were kept for the log."""

    def put_piece(self, origin: str, piece: StoredPiece) -> None:
        """Keep a piece of a body, in place of one that stood there. `put_body` and `erase_body` remove all of them."""

    def pieces(self, origin: str, number: int) -> tuple[StoredPiece, ...]:
        """The pieces of an entry's parts, in order."""

    def piece_ends(self, origin: str) -> tuple[tuple[int, int, int, int], ...]:
        """For each part of which there are pieces: entry, part, how many bytes are there, and of how many; in order."""

    def drop_pieces(self, origin: str, number: int, *, part: int | None = None) -> None:
        """Remove the pieces of one part of an entry, or of all."""

    def body(self, origin: str, number: int) -> StoredBody | None:
        """The body of an entry, or what became of it; None where there never was one for us."""

    def bodies(self, origin: str, start: int, stop: int) -> tuple[StoredBody, ...]:
        """What is known of the bodies of entries from `start` to before `stop`."""

    def body_numbers(self, origin: str, start: int, stop: int) -> tuple[int, ...]:
        """Of which entries from `start` to before `stop` something is known of the body, without reading any."""

    def body_lengths(self, origin: str, start: int, stop: int) -> tuple[tuple[int, int], ...]:
        """The bodies that are held of entries from `start` to before `stop`, and their bytes, without reading any."""

    def put_body(self, origin: str, body: StoredBody, attachments: Sequence[StoredAttachment] = ()) -> None:
        """Keep what is known of a body, in place of what was known before."""

    def put_bodies(
        self, origin: str, bodies: Sequence[StoredBody], attachments: Sequence[StoredAttachment] = ()
    ) -> None:
        """As `put_body`, for several in one transaction."""

    def erase_body(self, origin: str, number: int) -> None:
        """Remove the body, its salt and its attachments, so that their bytes are in none of the store's files."""

    def wanted(self, origin: str, *, before: int, since: int = 0, limit: int = 1000) -> tuple[int, ...]:
        """Numbers of entries, from `since` to below `before`, whose body is addressed to us and not held or refused."""

    def attachments(self, origin: str, number: int) -> tuple[StoredAttachment, ...]:
        """The files that belong to an entry, those that are held, by place."""

    def setting(self, name: str) -> bytes | None:
        """A small value kept under a name."""

    def put_setting(self, name: str, value: bytes) -> None:
        """Keep a small value under a name."""

    def add_conflict(self, origin: str, conflict: Conflict) -> None:
        """Keep two checkpoints that do not agree; the same two are kept once."""

    def conflicts(self, origin: str) -> tuple[Conflict, ...]:
        """All that were kept, oldest first."""

    def faults(self) -> tuple[str, ...]:
        """What the database itself finds wrong with its file; empty if nothing."""
