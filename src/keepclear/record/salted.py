"""Salted hashes: they bind whoever publishes them to a body or an attachment, and tell nothing of it."""

from __future__ import annotations

import hashlib
import re

from keepclear.errors import Fault, InputError

__all__ = ["HASH_PATTERN", "HASH_RIGHT", "SALT_BYTES", "attachment_hash", "body_hash", "check_salt", "is_hash_text"]

SALT_BYTES = 32
# RFC 4648 base64 of 32 bytes. The last character has two bits to spare, which are zero: one value, one text.
_HASH = "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
HASH_PATTERN = f"^{_HASH}$"
"""Pattern of a hash or a salt as text."""
HASH_RIGHT = "base64 of 32 bytes, 44 characters"
_HASH_WHOLE = re.compile(_HASH, re.ASCII)


def body_hash(salt: bytes, body: bytes) -> bytes:
    """Salted SHA-256 of a body: of ``keepclear body v1``, a line feed, the salt of 32 bytes, and the body.

    Raises
    ------
    InputError
        If the salt has another length: the border between salt and body would be open to argument.
    """
    return _salted(b"keepclear body v1\n", salt, body)


def attachment_hash(salt: bytes, data: bytes) -> bytes:
    """Salted SHA-256 of an attachment: as `body_hash`, but of ``keepclear attachment v1``.

    Raises
    ------
    InputError
        If the salt has another length than 32.
    """
    return _salted(b"keepclear attachment v1\n", salt, data)


def _salted(domain: bytes, salt: bytes, data: bytes) -> bytes:
    check_salt(salt)
    digest = hashlib.sha256(domain + salt)
    digest.update(data)
    return digest.digest()


def check_salt(salt: bytes) -> None:
    """Refuse what has not the length of a salt.

    Raises
    ------
    InputError
        If it has another length than `SALT_BYTES`.
    """
    if len(salt) != SALT_BYTES:
        raise InputError(Fault("not a salt", f"{SALT_BYTES} random bytes", field="salt", value=f"{len(salt)} bytes"))


def is_hash_text(value: object) -> bool:
    """Whether `value` is the text of 32 bytes."""
    return isinstance(value, str) and _HASH_WHOLE.fullmatch(value) is not None
