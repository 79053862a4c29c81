"""Checkpoints (C2SP tlog-checkpoint): what a log says its whole content is, as a signed note.

A log must never sign two checkpoints that contradict each other. Nothing here can see to that; the order of writes in
``store/`` does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.notes import Note, signed, verified
from keepclear.record.scalars import LARGEST, base64_bytes, base64_text, decimal_number

__all__ = ["Checkpoint", "open_checkpoint", "sign_checkpoint"]

_EMPTY_ROOT = hashlib.sha256().digest()  # RFC 6962 section 2.1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's size and root hash.

    Attributes
    ----------
    origin
        Which log. Any line of text that is not empty; keepclear's own are `keepclear.record.names.log_origin`.
    size
        How many leaves, from 0 to 2^63 - 1.
    root
        32 bytes: the RFC 6962 Merkle tree hash of them. That of an empty tree is SHA-256 of nothing.
    extensions
        Further lines, kept as they are; keepclear writes none.

    Raises
    ------
    InputError
        If any of these cannot be.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise InputError(
                    Fault("the origin and the extension lines of a checkpoint are lines, none of them empty")
                )
        if not 0 <= self.size <= LARGEST:
            raise InputError(Fault("the size of a log is from 0 to 2^63 - 1", field="size", value=str(self.size)))
        if len(self.root) != 32:
            raise InputError(Fault(f"the root hash of a log has 32 bytes, not {len(self.root)}", field="root"))
        if self.size == 0 and self.root != _EMPTY_ROOT:
            raise InputError(Fault("the root hash of an empty log is SHA-256 of nothing", field="root"))

    @property
    def text(self) -> str:
        """The note text, which is what log and cosigners sign."""
        lines = (self.origin, str(self.size), base64_text(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def of_text(cls, text: str) -> Checkpoint:
        """Read a note text; ``.text`` of what comes out is `text` again.

        Raises
        ------
        PeerError
            If it is not that of a checkpoint.
        """
        if not text.endswith("\n"):
            raise PeerError("a checkpoint is lines, each ending in a newline")
        lines = text[:-1].split("\n")
        if len(lines) < 3 or not all(lines):
            raise PeerError("a checkpoint is at least three lines, none of them empty: origin, size and root hash")
        origin, size_text, root_text, *extensions = lines
        size = decimal_number(size_text)
        if size is None:
            raise PeerError("the size in a checkpoint is a decimal number up to 2^63 - 1 without leading zeroes")
        root = base64_bytes(root_text)
        if root is None or len(root) != 32:
            raise PeerError("the root hash in a checkpoint is 32 bytes in base64")
        try:
            return cls(origin, size, root, tuple(extensions))
        except InputError as error:
            raise PeerError(error.faults[0].problem) from None


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The checkpoint as a note signed with the log's key, which is named as the log's origin.

    Raises
    ------
    InputError
        If the key is another log's.
    """
    if key.verifier.name != checkpoint.origin:
        problem = f"the key {key.verifier.name} does not sign for the log {checkpoint.origin}"
        raise InputError(Fault(problem, "a log's key is named as the log's origin"))
    return signed(checkpoint.text, key).to_bytes()


def open_checkpoint(data: bytes, log_key: VerifierKey) -> tuple[Checkpoint, Note]:
    """Read a checkpoint that `log_key` has signed. Cosignatures in the note are not looked at.

    Raises
    ------
    PeerError
        If the bytes are not a signed note, or what is signed is no checkpoint.
    IntegrityError
        If `log_key` did not sign it, or signed it for another log than its own.
    """
    note = Note.of_bytes(data)
    verified(note, [log_key])
    checkpoint = Checkpoint.of_text(note.text)
    if checkpoint.origin != log_key.name:
        raise IntegrityError(f"a checkpoint signed by {log_key.name} says it is of another log, {checkpoint.origin!r}")
    return checkpoint, note
