"""Bodies as they come to a recipient (``docs/spec/bodies.md``): pieces become parts, parts become the body of an entry.

A piece is durable when the answer to its request has been given, and often earlier; a part is checked against the leaf
when it is whole, and dropped if it is not what was said. What is not wanted, or does not follow what is there, is
passed over: so requests may be repeated and come in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.line.body_requests import (
    MOST_ENTRY_BYTES,
    MOST_WANTED,
    BodiesAnswer,
    Gone,
    Piece,
    PieceReader,
    Wanted,
    check_part,
    parts_of,
    whole_entry,
)
from keepclear.line.mirror_requests import Answer
from keepclear.record.entries import Entry, Leaf
from keepclear.record.keys import SigningKey
from keepclear.record.notes import Note
from keepclear.store.log_store import BodyState, LogStore, StoredPiece
from keepclear.store.mirror import Mirror
from keepclear.store.reading_bodies import MOST_TOGETHER_BYTES

__all__ = ["BodiesReceiver", "BodyDesk", "Undelivered"]


_MOST_LOOKED_AT = 100_000  # entries whose body is wanted, among those between the first and the last of a request


class Undelivered(Enum):
    """Why a body that was wanted will not be kept; our own log has to say so before anything after it is cosigned."""

    REFUSED = auto()  # a guard refused it
    GONE = auto()  # the sender says that it will not come
    TOO_LONG = auto()


class BodyDesk:
    """Takes the bodies of one log that are addressed to us.

    Parameters
    ----------
    store, mirror
        The copy of the log, and where it is.
    key
        What we cosign with.
    keeps
        Whether the body of an entry, which is whole and proved, is to be kept: the guards.
    """

    def __init__(
        self, store: LogStore, mirror: Mirror, *, key: SigningKey, keeps: Callable[[int, Entry], bool] = lambda *_: True
    ) -> None:
        self.store, self.mirror = store, mirror
        self._key, self._keeps = key, keeps
        self._undelivered: dict[int, Undelivered] = {}

    @property
    def undelivered(self) -> dict[int, Undelivered]:
        """Entries whose body will not be kept, and that nobody has refused yet (`Mirror.refuse_body`)."""
        wanted = BodyState.WANTED
        self._undelivered = {n: why for n, why in self._undelivered.items() if self.mirror.body_state(n) is wanted}
        return dict(self._undelivered)

    def request(self) -> BodiesReceiver:
        """Begin to receive an ``add-bodies`` request."""
        return BodiesReceiver(self)

    def take(self, items: Sequence[Piece | Gone]) -> None:
        """Keep those that are wanted and come next.

        Raises
        ------
        IntegrityError
            If one makes a part whole that is not what was said: the part is dropped, and what follows not looked at.
        """
        numbers = sorted({item.number for item in items if item.number < self.mirror.size})
        if not numbers:
            return
        wanted = set(self.mirror.wanted(since=numbers[0], before=numbers[-1] + 1, limit=_MOST_LOOKED_AT))
        held = self.mirror.leaves_at(number for number in numbers if number in wanted)
        leaves = {number: Leaf.of_bytes(data) for number, data in held.items()}
        begun = set(self._ends())
        whole: dict[int, Entry] = {}
        room = MOST_TOGETHER_BYTES
        try:
            for item in items:
                if item.number not in leaves:
                    continue
                if isinstance(item, Gone):
                    self._undelivered.setdefault(item.number, Undelivered.GONE)
                    continue
                there = self.store.pieces(self.mirror.origin, item.number) if item.number in begun else ()
                if self._follows(item, there, leaves[item.number]):
                    entry = self._take_next(item, there, leaves[item.number])
                    begun.add(item.number)
                    if entry is not None:
                        del leaves[item.number]
                        whole[item.number] = entry
                        room -= sum(len(part) for part in _parts_of(entry))
                if room <= 0:  # few bytes may make many entries whole of which most has been here for long
                    kept, whole, room = whole, {}, MOST_TOGETHER_BYTES
                    self.mirror.put_bodies(kept)
        finally:
            self.mirror.put_bodies(whole)

    def answer(self, *, time_s: int) -> Answer:
        """What is wanted, and the newest cosignature, which is made now if it can be.

        Parameters
        ----------
        time_s
            Now, for the cosignature.
        """
        passed = self.undelivered
        wanted = self.mirror.wanted(limit=MOST_WANTED + 1 + len(passed))
        asked = [number for number in wanted if number not in passed]
        ends = self._ends()
        named = tuple(self._next(number, ends) for number in asked[:MOST_WANTED])
        self._cosign_before(wanted[0] if wanted else self.mirror.size, time_s)
        size = self.store.last_cosigned(self.mirror.origin, self._key.verifier.text)
        receipt = None
        if size is not None:
            lines = Note.of_bytes(self.mirror.checkpoint(size)).signatures
            receipt = (size, tuple(line for line in lines if line.is_by(self._key.verifier)))
        return BodiesAnswer(named, len(asked) > MOST_WANTED, receipt).answer()

    def _cosign_before(self, first: int, time_s: int) -> None:
        """Cosign the greatest checkpoint before the first entry whose body is missing."""
        found = self.store.checkpoints(self.mirror.origin, before=first + 1, limit=1)
        last = self.store.last_cosigned(self.mirror.origin, self._key.verifier.text)
        if found and (last is None or last < found[0].size):
            self.mirror.cosign(self._key, time_s=time_s, size=found[0].size)

    def _ends(self) -> dict[int, list[tuple[int, int, int]]]:
        ends: dict[int, list[tuple[int, int, int]]] = {}
        for number, part, there, total in self.store.piece_ends(self.mirror.origin):
            ends.setdefault(number, []).append((part, there, total))
        return ends

    def _next(self, number: int, ends: dict[int, list[tuple[int, int, int]]]) -> Wanted:
        part, there, total = max(ends.get(number, [(0, 0, -1)]))
        return Wanted(number, part + 1, 0) if there == total else Wanted(number, part, there)

    def _follows(self, piece: Piece, held: tuple[StoredPiece, ...], leaf: Leaf) -> bool:
        place = Wanted(piece.number)
        if held:
            last = held[-1]
            there = sum(len(one.data) for one in held if one.part == last.part)
            whole = there == last.total
            place = Wanted(piece.number, last.part + 1) if whole else Wanted(piece.number, last.part, there)
            if place.part == piece.part == last.part and (last.salt, last.total) != (piece.salt, piece.total):
                self.store.drop_pieces(self.mirror.origin, piece.number, part=piece.part)
                return False
        totals = {one.part: one.total for one in held} | {piece.part: piece.total}
        if sum(totals.values()) > MOST_ENTRY_BYTES:
            self._undelivered.setdefault(piece.number, Undelivered.TOO_LONG)
            return False
        return (piece.part, piece.offset) == (place.part, place.offset) and piece.part < parts_of(leaf)

    def _take_next(self, piece: Piece, held: tuple[StoredPiece, ...], leaf: Leaf) -> Entry | None:
        """Keep a piece; the entry, if it is whole by it."""
        number, origin = piece.number, self.mirror.origin
        kept = StoredPiece(number, piece.part, piece.offset, piece.total, piece.salt, piece.data)
        if piece.end < piece.total:
            self.store.put_piece(origin, kept)
            return None
        parts = _joined((*held, kept))
        try:
            check_part(leaf, piece.part, *parts[piece.part])
        except IntegrityError:
            if held:
                self.store.drop_pieces(origin, number, part=piece.part)
            raise
        if len(parts) < parts_of(leaf):
            self.store.put_piece(origin, kept)
            return None
        entry = whole_entry(leaf, parts)
        if self._keeps(number, entry):
            self._undelivered.pop(number, None)
            return entry
        self._undelivered[number] = Undelivered.REFUSED
        if held:
            self.store.drop_pieces(origin, number)
        return None


class BodiesReceiver:
    """One ``add-bodies`` request: `receive` its bytes, and answer with `end` when they have ended."""

    def __init__(self, desk: BodyDesk) -> None:
        self._desk = desk
        self._reader = PieceReader()
        self._refusal: Answer | None = None

    def receive(self, data: bytes) -> Answer | None:
        """Take some bytes; an answer, if there is no need to wait for the rest."""
        if self._refusal is None:
            self._reader.feed(data)
            self._refusal = self._taken()
        return self._refusal

    def end(self, *, time_s: int) -> Answer:
        """The body has ended, whole or cut off.

        Parameters
        ----------
        time_s
            Now, for the cosignature.
        """
        if self._refusal is not None:
            return self._refusal
        if not self._reader.empty:
            return Answer.saying(400, "the body breaks off; what was whole is kept")
        return self._desk.answer(time_s=time_s)

    def _taken(self) -> Answer | None:
        origin = self._reader.origin()
        if origin is None:
            return None
        if origin != self._desk.mirror.origin.encode():
            return Answer.saying(404, "no such log is mirrored here")
        try:
            items: list[Piece | Gone] = []
            try:
                items.extend(self._reader.items())
            finally:
                self._desk.take(items)
        except IntegrityError as error:
            return Answer.saying(422, str(error))
        except (PeerError, InputError) as error:
            return Answer.saying(400, str(error))
        return None


def _parts_of(entry: Entry) -> list[bytes]:
    """The body of an entry that is whole, and its attachments."""
    assert entry.body is not None
    return [entry.body, *(file.data for file in entry.attachments if file is not None)]


def _joined(pieces: tuple[StoredPiece, ...]) -> list[tuple[bytes, bytes]]:
    """Salt and bytes of each part, in order."""
    data: dict[int, list[bytes]] = {}
    salts = {}
    for piece in pieces:
        data.setdefault(piece.part, []).append(piece.data)
        salts[piece.part] = piece.salt
    return [(salts[part], b"".join(data[part])) for part in sorted(data)]
