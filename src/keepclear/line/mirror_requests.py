"""What goes over the wire between a log and its mirror, in text (C2SP tlog-mirror and tlog-witness).

``add-checkpoint`` in both directions, and the answers to ``add-entries``. The body of an ``add-entries`` request is
binary and of unbounded length; `keepclear.line.entry_packages` has it.

Each parser takes exactly one spelling and gives a value or a `PeerError`; each has its limit, so that a caller knows
how many bytes to read before it stops listening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.merkle import HASH_BYTES
from keepclear.record.notes import MOST_NOTE_BYTES, Note, Signature, signature_lines
from keepclear.record.scalars import base64_bytes, base64_text, decimal_number

__all__ = [
    "INFO_TYPE",
    "MOST_ADD_CHECKPOINT_BYTES",
    "MOST_ANSWER_BYTES",
    "MOST_PROOF_HASHES",
    "MOST_TICKET_BYTES",
    "SIZE_TYPE",
    "AddCheckpoint",
    "Answer",
    "MirrorInfo",
    "cosignatures_answer",
    "parse_cosignatures",
    "parse_size",
    "size_answer",
]

MOST_PROOF_HASHES = 63
"""Of a consistency proof in ``add-checkpoint``, and of a subtree consistency proof in ``add-entries``."""
MOST_TICKET_BYTES = 65_535
"""What the length before a ticket can say."""
MOST_ADD_CHECKPOINT_BYTES = MOST_NOTE_BYTES + MOST_PROOF_HASHES * 45 + 64
"""The longest body of ``add-checkpoint`` that is read."""
MOST_ANSWER_BYTES = MOST_NOTE_BYTES
"""The longest answer that is read."""

SIZE_TYPE = "text/x.tlog.size"
INFO_TYPE = "text/x.tlog.mirror-info"
_TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a request.

    Attributes
    ----------
    status
        The HTTP status code.
    content_type
        Of the body; empty where there is no body.
    body
        The bytes.
    retry_after_s
        How long the asker should wait before it asks the same again; None where that is not said.
    """

    status: int
    content_type: str = ""
    body: bytes = b""
    retry_after_s: int | None = None

    @classmethod
    def saying(cls, status: int, sentence: str) -> Answer:
        """An answer whose body is a sentence for whoever reads the other side's logs."""
        return cls(status, _TEXT_TYPE, f"{sentence}\n".encode())


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The body of an ``add-checkpoint`` request. Nothing in it is verified.

    Attributes
    ----------
    old_size
        The size that the receiver is believed to have.
    proof
        The consistency proof from there, at most `MOST_PROOF_HASHES` hashes.
    checkpoint
        The signed checkpoint, byte for byte.

    Raises
    ------
    InputError
        If there are more hashes than may be sent, or one has not 32 bytes.
    """

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def __post_init__(self) -> None:
        if len(self.proof) > MOST_PROOF_HASHES or any(len(one) != HASH_BYTES for one in self.proof):
            right = f"at most {MOST_PROOF_HASHES} hashes of {HASH_BYTES} bytes"
            raise InputError(Fault("not a consistency proof", right, value=f"{len(self.proof)} hashes"))

    def to_bytes(self) -> bytes:
        """The body."""
        lines = [f"old {self.old_size}", *map(base64_text, self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint

    @classmethod
    def of_bytes(cls, data: bytes) -> AddCheckpoint:
        """Read the body of a request.

        Raises
        ------
        PeerError
            If it is not one: whatever is wrong with its form, that of the note included.
        """
        if len(data) > MOST_ADD_CHECKPOINT_BYTES:
            raise PeerError(f"add-checkpoint of more than {MOST_ADD_CHECKPOINT_BYTES:,} bytes is not read")
        head, parted, checkpoint = data.partition(b"\n\n")
        lines = _lines(head + b"\n") if parted else []
        size = decimal_number(lines[0].removeprefix("old ")) if lines and lines[0].startswith("old ") else None
        if size is None:
            raise PeerError('add-checkpoint begins with "old", a size, hashes a line each, and an empty line')
        if len(lines) - 1 > MOST_PROOF_HASHES:
            raise PeerError(f"a consistency proof has at most {MOST_PROOF_HASHES} hashes")
        proof = [base64_bytes(line) for line in lines[1:]]
        if any(one is None or len(one) != HASH_BYTES for one in proof):
            raise PeerError("a line of a consistency proof is 32 bytes in base64")
        Note.of_bytes(checkpoint)
        return cls(size, tuple(one for one in proof if one is not None), checkpoint)


@dataclass(frozen=True, slots=True)
class MirrorInfo:
    """Where a mirror is: the body of its 202 and 409 answers to ``add-entries``.

    Attributes
    ----------
    size
        The tree size of a valid pending checkpoint.
    next_entry
        The first entry that it does not have.
    ticket
        To be given back with the next request.
    """

    size: int
    next_entry: int
    ticket: bytes = b""

    def answer(self, status: int, *, retry_after_s: int | None = None) -> Answer:
        """As an answer."""
        body = f"{self.size}\n{self.next_entry}\n{base64_text(self.ticket)}\n".encode()
        return Answer(status, INFO_TYPE, body, retry_after_s)

    @classmethod
    def of_answer(cls, answer: Answer) -> MirrorInfo:
        """Read it from an answer.

        Raises
        ------
        PeerError
            If the answer is not one.
        """
        lines = _answered(answer, INFO_TYPE)
        if len(lines) != 3:
            raise PeerError("mirror information is three lines: a tree size, the next entry, and a ticket")
        size, next_entry = decimal_number(lines[0]), decimal_number(lines[1])
        ticket = base64_bytes(lines[2])
        if size is None or next_entry is None or ticket is None or len(ticket) > MOST_TICKET_BYTES:
            raise PeerError("mirror information is two numbers in decimal and a ticket in base64")
        return cls(size, next_entry, ticket)


def size_answer(size: int) -> Answer:
    """409 to ``add-checkpoint``: the size that we have."""
    return Answer(409, SIZE_TYPE, f"{size}\n".encode())


def parse_size(answer: Answer) -> int:
    """The size in a 409 to ``add-checkpoint``.

    Raises
    ------
    PeerError
        If the answer does not have one.
    """
    lines = _answered(answer, SIZE_TYPE)
    size = decimal_number(lines[0]) if len(lines) == 1 else None
    if size is None:
        raise PeerError("a tree size is one line, a number in decimal")
    return size


def cosignatures_answer(signatures: Sequence[Signature]) -> Answer:
    """200 to ``add-entries``: what the mirror's keys signed, at least one."""
    assert signatures
    return Answer(200, _TEXT_TYPE, "".join(signature.line for signature in signatures).encode())


def parse_cosignatures(answer: Answer) -> tuple[Signature, ...]:
    """The signatures in a 200 to ``add-entries``, none verified; the specification names no content type for them.

    Raises
    ------
    PeerError
        If they are not signature lines.
    """
    return signature_lines(answer.body)


def _answered(answer: Answer, content_type: str) -> list[str]:
    said = answer.content_type.partition(";")[0].strip().lower()
    if said != content_type:
        raise PeerError(f"the answer {answer.status} is of type {said[:60]!r}, not {content_type}")
    if len(answer.body) > MOST_ANSWER_BYTES:
        raise PeerError(f"an answer of more than {MOST_ANSWER_BYTES:,} bytes is not read")
    return _lines(answer.body)


def _lines(data: bytes) -> list[str]:
    """ASCII lines, each ending in a newline."""
    if not data.isascii() or not data.endswith(b"\n"):
        raise PeerError("lines of ASCII, each ending in a newline, were expected")
    return data[:-1].decode("ascii").split("\n")
