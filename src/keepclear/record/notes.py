"""Signed notes (C2SP signed-note): a text, and lines by which keys say that they signed it.

A note is read strictly: UTF-8, no control characters but newline, the text parted from the signatures by the last empty
line, and each signature line of exactly one form. Signatures by unknown keys are ignored, as they must be; one that a
known key did not make has the whole note refused, which the specification recommends: a note that has been meddled with
is not to be trusted for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.names import is_key_name
from keepclear.record.scalars import base64_bytes, base64_text

__all__ = ["MOST_NOTE_BYTES", "MOST_SIGNATURES", "Note", "Signature", "signature_lines", "signed", "verified"]

MOST_SIGNATURES = 64
"""Signatures of one note. The specification asks for a limit, and for at least 16."""
MOST_NOTE_BYTES = 1_000_000

_DASH = "— "  # em dash and space
_CONTROL = bytes(set(range(32)) - {ord("\n")})


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes
    ----------
    name
        The name of the key that is said to have signed.
    key_id
        Four bytes: which key of that name.
    value
        The signature itself; its form is the key's matter. At least one byte.
    """

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {base64_text(self.key_id + self.value)}\n"

    @classmethod
    def of_line(cls, line: str) -> Signature:
        """Read a signature line, given without its newline.

        Raises
        ------
        PeerError
            If it has not that form.
        """
        if not line.startswith(_DASH):
            raise PeerError("a signature line of a note begins with an em dash and a space")
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not space or not is_key_name(name):
            raise PeerError("a signature line of a note has a key name without spaces or plus, a space, and base64")
        data = base64_bytes(encoded)
        if data is None or len(data) < 5:
            raise PeerError("a signature of a note is base64 of a key id of four bytes and a signature")
        return cls(name, data[:4], data[4:])

    def is_by(self, key: VerifierKey) -> bool:
        """Whether name and key id are those of `key`; whether the signature holds is another matter."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, none of them verified: do not use the text before `verified` has said by whom it is.

    Attributes
    ----------
    text
        The signed text, ending in a newline.
    signatures
        At least one, at most `MOST_SIGNATURES`.

    Raises
    ------
    InputError
        If the text cannot be that of a note, or there is no signature or too many.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        _check_text(self.text)
        if not 0 < len(self.signatures) <= MOST_SIGNATURES:
            raise InputError(Fault(f"a note has 1 to {MOST_SIGNATURES} signatures, not {len(self.signatures)}"))

    def to_bytes(self) -> bytes:
        """The note as it is stored and sent."""
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()

    @classmethod
    def of_bytes(cls, data: bytes) -> Note:
        """Read a note; ``to_bytes`` of what comes out gives `data` again, byte for byte.

        Raises
        ------
        PeerError
            If the bytes are not a signed note, or more than a note may have.
        """
        decoded = _decoded(data)
        text, parted, lines = decoded.rpartition("\n\n")  # the last empty line: texts may hold empty lines too
        if not parted:
            raise PeerError("a signed note has a text, an empty line, and signatures")
        return cls._of_checked(text + "\n", _signatures(lines))

    @classmethod
    def _of_checked(cls, text: str, signatures: tuple[Signature, ...]) -> Note:
        # What `_decoded` and `_signatures` looked at in the bytes need not be looked at again.
        note = object.__new__(cls)
        object.__setattr__(note, "text", text)
        object.__setattr__(note, "signatures", signatures)
        return note


def signed(text: str, *keys: SigningKey) -> Note:
    """A note of `text`, signed by each of the Ed25519 `keys` in turn.

    Raises
    ------
    InputError
        If the text cannot be that of a note, or there is no key.
    """
    _check_text(text)
    message = text.encode()
    return Note(text, tuple(Signature(k.verifier.name, k.verifier.key_id, k.sign(message)) for k in keys))


def verified(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Which of the trusted `keys` signed the note, each once, in the order of their signatures; at least one.

    Raises
    ------
    IntegrityError
        If a signature that names one of `keys` was not made by it, or none of `keys` signed.
    InputError
        If two different ones of `keys` have the same name and key id, so that no signature says which of them made it.
    """
    known = _by_name_and_id(keys)
    message = note.text.encode()
    signers: dict[VerifierKey, None] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verify(message, signature.value):
            raise IntegrityError(f"the signature of {key.name} ({key.key_id.hex()}) does not hold; the note is refused")
        signers[key] = None
    if not signers:
        raise IntegrityError("the note is not signed by any key that is trusted for it")
    return tuple(signers)


def signature_lines(data: bytes) -> tuple[Signature, ...]:
    """Read signature lines alone, as a witness answers ``add-checkpoint`` with them (C2SP tlog-witness).

    Raises
    ------
    PeerError
        If they are not one to `MOST_SIGNATURES` signature lines.
    """
    return _signatures(_decoded(data))


def _by_name_and_id(keys: Iterable[VerifierKey]) -> dict[tuple[str, bytes], VerifierKey]:
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        other = known.setdefault((key.name, key.key_id), key)
        if other != key:
            problem = f"two keys of {key.name} have the same key id, {key.key_id.hex()}"
            raise InputError(Fault(problem, "trust one of them"))
    return known


def _signatures(text: str) -> tuple[Signature, ...]:
    if not text.endswith("\n"):
        raise PeerError("the signatures of a note are one or more lines, each ending in a newline")
    # Counted before any is taken apart, so that a note of nothing but lines costs no more than its bytes.
    if text.count("\n") > MOST_SIGNATURES:
        raise PeerError(f"a note of more than {MOST_SIGNATURES} signatures is not read")
    return tuple(Signature.of_line(line) for line in text[:-1].split("\n"))


def _decoded(data: bytes) -> str:
    if len(data) > MOST_NOTE_BYTES:
        raise PeerError(f"a note of more than {MOST_NOTE_BYTES:,} bytes is not read")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise PeerError("a signed note is valid UTF-8") from None
    if _has_control(data):
        raise PeerError("a signed note has no control characters but newline")
    return text


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise InputError(Fault("the text of a note ends in a newline"))
    if len(text) > MOST_NOTE_BYTES:
        raise InputError(Fault(f"the text of a note has at most {MOST_NOTE_BYTES:,} characters"))
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise InputError(Fault("the text of a note can be written as UTF-8")) from None
    if _has_control(data):
        raise InputError(Fault("the text of a note has no control characters but newline"))


def _has_control(data: bytes) -> bool:
    # In UTF-8 these bytes are these characters and nothing else, and bytes are looked through many times as fast.
    return len(data.translate(None, _CONTROL)) != len(data)
