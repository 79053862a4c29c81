"""``.tlog-proof`` files (C2SP tlog-proof): that an entry is in a log, for anyone to check without a network.

Here they are only read and written. What one proves, `keepclear.record.merkle` and the keys of a policy say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.notes import MOST_NOTE_BYTES, Note
from keepclear.record.scalars import LARGEST, base64_bytes, base64_hashes, base64_text, decimal_number

__all__ = ["MOST_EXTRA_BYTES", "MOST_HASHES", "TlogProof"]

MOST_HASHES = 63
"""Hashes of an inclusion proof in a tree of the largest size there is."""
MOST_EXTRA_BYTES = 1_000_000

_HEADER = "c2sp.org/tlog-proof@v1"
_MOST_BYTES = MOST_NOTE_BYTES + MOST_EXTRA_BYTES * 4 // 3 + 10_000


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Where an entry is in a log, and what proves it.

    Attributes
    ----------
    index
        The entry's place, from 0 to 2^63 - 1.
    hashes
        The RFC 6962 inclusion proof, from the leaf's sibling up; 32 bytes each.
    checkpoint
        The log's checkpoint with its cosignatures: the signed note, byte for byte, not verified.
    extra
        Bytes of the application's own, which nobody has signed; None if there are none.
    note, head
        The checkpoint taken apart, so that nobody need do it again: the signed note, and what its text says. Not
        verified either.

    Raises
    ------
    InputError
        If any of these cannot be.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None
    note: Note = field(init=False, repr=False, compare=False)
    head: Checkpoint = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.index <= LARGEST:
            raise InputError(Fault("an index is from 0 to 2^63 - 1", field="index", value=str(self.index)))
        if len(self.hashes) > MOST_HASHES or not {32}.issuperset(map(len, self.hashes)):
            raise InputError(Fault(f"an inclusion proof is at most {MOST_HASHES} hashes of 32 bytes", field="hashes"))
        if self.extra is not None and not 0 < len(self.extra) <= MOST_EXTRA_BYTES:
            raise InputError(Fault(f"extra data are 1 to {MOST_EXTRA_BYTES:,} bytes, or None", field="extra"))
        try:
            note = Note.of_bytes(self.checkpoint)
            head = Checkpoint.of_text(note.text)
        except PeerError as error:
            raise InputError(Fault(str(error), field="checkpoint")) from None
        object.__setattr__(self, "note", note)
        object.__setattr__(self, "head", head)

    def to_bytes(self) -> bytes:
        """The proof as a file."""
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64_text(self.extra)}")
        lines += [f"index {self.index}", *(base64_text(one) for one in self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def of_bytes(cls, data: bytes) -> TlogProof:
        """Read a proof; ``to_bytes`` of what comes out gives `data` again, byte for byte.

        Raises
        ------
        PeerError
            If the bytes are not a proof with a checkpoint, or more than a proof may have.
        """
        if len(data) > _MOST_BYTES:
            raise PeerError(f"a proof of more than {_MOST_BYTES:,} bytes is not read")
        head, parted, checkpoint = data.partition(b"\n\n")
        lines = _ascii_lines(head)
        if not parted or lines.pop(0) != _HEADER:
            raise PeerError(f"a proof begins with the line {_HEADER!r} and has an empty line before the checkpoint")
        extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index "):
            raise PeerError("the line 'index' is missing from the proof, or not in its place")
        index = decimal_number(lines.pop(0).removeprefix("index "))
        if index is None:
            raise PeerError("the index in a proof is a decimal number up to 2^63 - 1 without leading zeroes")
        try:
            return cls(index, _hashes(lines), checkpoint, extra)
        except InputError as error:
            raise PeerError(error.faults[0].problem) from None


def _ascii_lines(head: bytes) -> list[str]:
    try:
        return head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise PeerError("the lines of a proof before its checkpoint are ASCII") from None


def _extra(line: str) -> bytes:
    extra = base64_bytes(line.removeprefix("extra "))
    if not extra:
        raise PeerError("the extra data of a proof are base64 of at least one byte, or the line is left out")
    return extra


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > MOST_HASHES:
        raise PeerError(f"an inclusion proof has at most {MOST_HASHES} hashes")
    hashes = base64_hashes(lines)
    if hashes is None:
        raise PeerError("a line of the inclusion proof is not 32 bytes in base64")
    return hashes
