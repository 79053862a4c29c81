"""Bodies beside the log: what is sent to one recipient, and what it says it still wants (``docs/spec/bodies.md``).

A body, and each attachment, is a *part* of an entry: part 0 is the body, part n the n-th attachment. Parts travel in
*pieces*, so that a long one over a bad line goes on where it broke off. A part that is whole is checked against the
hash in the leaf that the recipient holds already, so it does not matter who sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from keepclear.errors import Fault, InputError, PeerError
from keepclear.line.mirror_requests import Answer
from keepclear.record.entries import MOST_ATTACHMENT_BYTES, MOST_BODY_BYTES, Attachment, Entry, Leaf
from keepclear.record.notes import MOST_SIGNATURES, Signature
from keepclear.record.salted import SALT_BYTES
from keepclear.record.scalars import LARGEST, decimal_number

__all__ = [
    "BODIES_TYPE",
    "MOST_ENTRY_BYTES",
    "MOST_PIECE_BYTES",
    "MOST_WANTED",
    "BodiesAnswer",
    "Gone",
    "Piece",
    "PieceReader",
    "Wanted",
    "check_part",
    "format_bodies",
    "parts_of",
    "pieces_of",
    "whole_entry",
]

BODIES_TYPE = "text/x.keepclear.bodies"
MOST_PIECE_BYTES = 2**20
MOST_PART_BYTES = max(MOST_BODY_BYTES, MOST_ATTACHMENT_BYTES)
MOST_ENTRY_BYTES = 64 * 2**20
"""Body and attachments of one entry together; what has more is carried by hand."""
MOST_WANTED = 100
"""How many entries an answer names."""

_PIECE, _GONE = 0, 1
_HEAD_BYTES = 9  # kind and number
_PIECE_HEAD_BYTES = _HEAD_BYTES + 2 + SALT_BYTES + 12
_VERSION = "keepclear bodies v1"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a part.

    Attributes
    ----------
    number, part
        Of which entry, and which part of it.
    offset
        Where in the part they stand.
    total
        How long the whole part is.
    salt
        The salt of the part's hash.
    data
        `MOST_PIECE_BYTES`, or what is left of the part: so every offset is a multiple of that.
    """

    number: int
    part: int
    offset: int
    total: int
    salt: bytes
    data: bytes

    @property
    def end(self) -> int:
        """Where in the part the next piece begins."""
        return self.offset + len(self.data)

    def to_bytes(self) -> bytes:
        """The piece in a request."""
        return b"".join(
            (
                bytes([_PIECE]),
                self.number.to_bytes(8, "big"),
                self.part.to_bytes(2, "big"),
                self.salt,
                self.total.to_bytes(4, "big"),
                self.offset.to_bytes(4, "big"),
                len(self.data).to_bytes(4, "big"),
                self.data,
            )
        )


@dataclass(frozen=True, slots=True)
class Gone:
    """The sender has not the body any more, or it is too long for this way: it will not come by it."""

    number: int

    def to_bytes(self) -> bytes:
        """What stands for it in a request."""
        return bytes([_GONE]) + self.number.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a recipient asks for next of an entry: this part, from this byte on."""

    number: int
    part: int = 0
    offset: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the entry is there yet."""
        return self.part == self.offset == 0


@dataclass(frozen=True, slots=True)
class BodiesAnswer:
    """What a recipient answers.

    Attributes
    ----------
    wanted
        What it asks for, by number of the entry, at most `MOST_WANTED`.
    more
        Whether it wants other entries besides.
    receipt
        The size of the newest checkpoint that it cosigned, with its cosignatures; None where there is none.
    """

    wanted: tuple[Wanted, ...] = ()
    more: bool = False
    receipt: tuple[int, tuple[Signature, ...]] | None = None

    def answer(self, status: int = 200) -> Answer:
        """As an answer."""
        lines = [_VERSION, *(f"wanted {one.number} {one.part} {one.offset}" for one in self.wanted)]
        if self.more:
            lines.append("more")
        text = "".join(f"{line}\n" for line in lines)
        if self.receipt is not None:
            size, signatures = self.receipt
            text += f"receipt {size}\n" + "".join(signature.line for signature in signatures)
        return Answer(status, BODIES_TYPE, text.encode())

    @classmethod
    def of_answer(cls, answer: Answer) -> BodiesAnswer:
        """Read it.

        Raises
        ------
        PeerError
            If the answer is not one.
        """
        if answer.content_type.partition(";")[0].strip().lower() != BODIES_TYPE:
            raise PeerError(f"the answer {answer.status} is not of type {BODIES_TYPE}")
        if len(answer.body) > _MOST_ANSWER_BYTES:
            raise PeerError(f"an answer of more than {_MOST_ANSWER_BYTES:,} bytes is not read")
        try:
            text = answer.body.decode()
        except UnicodeDecodeError:
            raise PeerError("an answer about bodies is UTF-8") from None
        version, *lines = text.split("\n")
        if version != _VERSION or not lines or lines.pop() != "":
            raise PeerError(f"an answer about bodies is lines, each ending in a newline, the first {_VERSION!r}")
        return cls._of_lines(lines)

    @classmethod
    def _of_lines(cls, lines: list[str]) -> BodiesAnswer:
        count = sum(line.startswith("wanted ") for line in lines)
        wanted = tuple(map(_wanted, lines[:count]))
        rest = lines[count:]
        more = rest[:1] == ["more"]
        rest = rest[more:]
        if len(wanted) > MOST_WANTED or any(a.number >= b.number for a, b in pairwise(wanted)):
            raise PeerError(f"at most {MOST_WANTED} entries are named, in order, none twice")
        if not rest:
            return cls(wanted, more)
        size = decimal_number(rest[0].removeprefix("receipt ")) if rest[0].startswith("receipt ") else None
        if size is None or not 1 <= len(rest) - 1 <= MOST_SIGNATURES:
            raise PeerError("after what is wanted stands nothing, or a receipt with its signatures")
        return cls(wanted, more, (size, tuple(map(Signature.of_line, rest[1:]))))


_MOST_ANSWER_BYTES = 256 * 1024


def format_bodies(origin: str, items: Iterable[Piece | Gone]) -> Iterator[bytes]:
    """The body of an ``add-bodies`` request, one part at a time; without items it only asks what is wanted."""
    name = origin.encode()
    yield len(name).to_bytes(2, "big") + name
    for item in items:
        yield item.to_bytes()


class PieceReader:
    """Takes the bytes of an ``add-bodies`` request as they come, and gives what is whole.

    Call `feed`, then `origin` until it gives one, then `items`. No more is buffered than is fed at a time and one piece
    besides.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._origin: bytes | None = None

    @property
    def empty(self) -> bool:
        """Whether everything that was fed has been given: at the end, whether nothing was cut off."""
        return self._origin is not None and not self._data

    def feed(self, data: bytes) -> None:
        """Take some bytes."""
        self._data += data

    def origin(self) -> bytes | None:
        """Which log, as soon as it is there."""
        if self._origin is None and len(self._data) >= 2:
            end = 2 + int.from_bytes(self._data[:2], "big")
            if len(self._data) >= end:
                self._origin = bytes(self._data[2:end])
                del self._data[:end]
        return self._origin

    def items(self) -> Iterator[Piece | Gone]:
        """What has become whole.

        Raises
        ------
        PeerError
            If what is there is neither a piece nor what stands for one that is gone.
        """
        while self._data:
            item, length = self._item()
            if item is None:
                return
            del self._data[:length]
            yield item

    def _item(self) -> tuple[Piece | Gone | None, int]:
        data = self._data
        kind, number = data[0], int.from_bytes(data[1:_HEAD_BYTES], "big")
        if kind not in (_PIECE, _GONE):
            raise PeerError(f"{kind} is no kind of item")
        if kind == _GONE:
            return (Gone(_number(number)) if len(data) >= _HEAD_BYTES else None), _HEAD_BYTES
        if len(data) < _PIECE_HEAD_BYTES:
            return None, 0
        total, offset, length = (int.from_bytes(data[at : at + 4], "big") for at in (43, 47, 51))
        if total > MOST_PART_BYTES or offset % MOST_PIECE_BYTES or offset >= max(total, 1):
            raise PeerError(f"no part of {total} bytes has a piece at {offset}")
        if length != min(total - offset, MOST_PIECE_BYTES):
            raise PeerError(f"the piece at {offset} of {total} bytes has not {length} bytes")
        end = _PIECE_HEAD_BYTES + length
        if len(data) < end:
            return None, 0
        part, salt = int.from_bytes(data[9:11], "big"), bytes(data[11:43])
        return Piece(_number(number), part, offset, total, salt, bytes(data[_PIECE_HEAD_BYTES:end])), end


# --- parts ---------------------------------------------------------------------------------------------------------


def parts_of(leaf: Leaf) -> int:
    """How many parts an entry has."""
    return 1 + len(leaf.attachments)


def check_part(leaf: Leaf, part: int, salt: bytes, data: bytes) -> None:
    """Prove that a whole part is what was said.

    Raises
    ------
    IntegrityError
        If it has not the hash in the leaf, or there is no such part.
    """
    if part == 0:
        leaf.check_body(salt, data)
    else:
        leaf.check_attachment(part - 1, salt, data)


def whole_entry(leaf: Leaf, parts: Sequence[tuple[bytes, bytes]]) -> Entry:
    """The entry made of all its parts, each with its salt.

    Raises
    ------
    InputError
        If there are not as many parts as the leaf says.
    """
    if len(parts) != parts_of(leaf):
        raise InputError(Fault(f"{len(parts)} parts, and the leaf has {parts_of(leaf)}"))
    (salt, body), *files = parts
    return Entry(leaf, salt, body, tuple(Attachment(*file) for file in files))


def pieces_of(entry: Entry, wanted: Wanted, *, most_bytes: int) -> Iterator[Piece]:
    """The pieces of an entry that is held whole, from what is wanted on, until `most_bytes` have been given."""
    assert entry.salt is not None
    assert entry.body is not None
    parts = [(entry.salt, entry.body), *((file.salt, file.data) for file in entry.attachments if file is not None)]
    given, offset = 0, wanted.offset
    for part, (salt, data) in enumerate(parts[wanted.part :], wanted.part):
        while given < most_bytes and (offset < len(data) or (offset == 0 == len(data))):
            piece = Piece(wanted.number, part, offset, len(data), salt, data[offset : offset + MOST_PIECE_BYTES])
            yield piece
            given += len(piece.data) + _PIECE_HEAD_BYTES
            if not data:
                break
            offset = piece.end
        if given >= most_bytes:
            return
        offset = 0


def _wanted(line: str) -> Wanted:
    words = line.split(" ")
    numbers = [decimal_number(word) for word in words[1:]]
    if len(words) != 4 or any(number is None for number in numbers):
        raise PeerError('a line of what is wanted is "wanted", an entry, a part and an offset')
    number, part, offset = (0 if one is None else one for one in numbers)
    if part > 65_535 or offset >= MOST_PART_BYTES or offset % MOST_PIECE_BYTES:
        raise PeerError("no entry has such a part")
    return Wanted(number, part, offset)


def _number(number: int) -> int:
    if number > LARGEST:
        raise PeerError("no log has such an entry")
    return number
