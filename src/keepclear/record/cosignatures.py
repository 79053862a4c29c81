"""Cosignatures v1 (C2SP tlog-cosignature): that someone else saw a checkpoint, and when they say they did.

A cosigner states that at that time the checkpoint was of the largest consistent tree it had seen of that log. A mirror
of keepclear states besides that it held every leaf up to there (C2SP tlog-mirror). That a cosignature is missing states
nothing at all.

ML-DSA-44 cosignatures (type 6) are ignored, as those of unknown keys are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keepclear.errors import Fault, InputError, IntegrityError
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.notes import Note, Signature

__all__ = ["Cosignature", "cosign", "cosignatures", "cosignatures_of_checkpoint", "cosigned_at"]


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that holds.

    Attributes
    ----------
    key
        Whose it is.
    time_s
        When the cosigner says it was made, in whole seconds since the epoch. It may be in the future: clocks err.
    signature
        The line of the note that says so.
    """

    key: VerifierKey
    time_s: int
    signature: Signature


def cosign(checkpoint_text: str, key: SigningKey, *, time_s: int) -> Signature:
    """Cosign the note text of a checkpoint, which must be consistent with all that `key` has cosigned of that log.

    Raises
    ------
    PeerError
        If it is not the text of a checkpoint: nothing else may be cosigned.
    InputError
        If `key` is not a cosigner's key.
    """
    if key.verifier.kind is not SignatureKind.COSIGNATURE:
        raise InputError(
            Fault(f"the key {key.verifier.name} is not a cosigner's key", "use the mirror key of the line")
        )
    Checkpoint.of_text(checkpoint_text)
    value = key.sign(checkpoint_text.encode(), time_s=time_s)
    return Signature(key.verifier.name, key.verifier.key_id, value)


def cosigned_at(checkpoint_text: str, signature: Signature, key: VerifierKey) -> int:
    """When `key` says it cosigned the checkpoint, in seconds since the epoch.

    Raises
    ------
    IntegrityError
        If the signature is not by `key`, or does not hold, or `key` is not a cosigner's key.
    """
    if key.kind is not SignatureKind.COSIGNATURE or not signature.is_by(key):
        raise IntegrityError(f"the signature of {signature.name} is not a cosignature by the key {key.text}")
    if not key.verify(checkpoint_text.encode(), signature.value):
        raise IntegrityError(f"the cosignature of {key.name} ({key.key_id.hex()}) does not hold")
    return int.from_bytes(signature.value[:8], "big")


def cosignatures(note: Note, keys: Iterable[VerifierKey]) -> tuple[Cosignature, ...]:
    """The cosignatures by any of `keys` that a checkpoint carries, in the note's order; maybe none.

    A cosigner may have cosigned one checkpoint more than once, and then there are as many.

    Raises
    ------
    PeerError
        If the note is not a checkpoint.
    IntegrityError
        If one that names one of `keys` does not hold.
    """
    Checkpoint.of_text(note.text)
    return cosignatures_of_checkpoint(note, keys)


def cosignatures_of_checkpoint(note: Note, keys: Iterable[VerifierKey]) -> tuple[Cosignature, ...]:
    """As `cosignatures`, of a note whose text has been read as a `Checkpoint` already.

    Raises
    ------
    IntegrityError
        If one that names one of `keys` does not hold.
    """
    cosigners = {(key.name, key.key_id): key for key in keys if key.kind is SignatureKind.COSIGNATURE}
    found = []
    for signature in note.signatures:
        key = cosigners.get((signature.name, signature.key_id))
        if key is not None:
            found.append(Cosignature(key, cosigned_at(note.text, signature, key), signature))
    return tuple(found)
