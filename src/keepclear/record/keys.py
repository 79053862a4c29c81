"""Ed25519 keys that sign notes and cosign checkpoints (C2SP signed-note and tlog-cosignature).

A key has a name, a kind and 32 public bytes; its key id is the first four bytes of SHA-256 over these three, and a vkey
is all of it as text. The cryptography is PyCA ``cryptography``'s; nothing here computes on curves.

Two kinds are spoken: plain Ed25519 (type 1), which logs, identities and nodes use, and timestamped Ed25519
cosignatures v1 (type 4), which mirrors and witnesses use. The ML-DSA-44 cosignatures (type 6) that tlog-cosignature
prefers for new deployments are recognised and not verified: their signatures count as those of unknown keys, which the
specification has ignored, so a note that carries them is read and they prove nothing here.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.names import is_key_name
from keepclear.record.scalars import LARGEST, base64_bytes, base64_text

__all__ = ["SignatureKind", "SigningKey", "VerifierKey", "cosignature_message", "key_id_of", "vkey_parts"]

_KEY_ID_HEX = re.compile(r"[0-9A-Fa-f]{8}")
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_WANTED_NAME = "a key name is not empty and has no spaces, control characters or plus"

_PRIME = 2**255 - 19
# Under a public key of small order one signature holds for many messages, so such a key proves nothing, and libraries
# that follow RFC 8032 alone accept it. These are the y coordinates of the eight points whose order divides 8 (two
# points of order 8 share each of the long ones, by sign); tests/unit/record/test_keys.py computes them again.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        _PRIME - 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)


class SignatureKind(IntEnum):
    """How a key signs: the signature type identifier byte of C2SP signed-note."""

    ED25519 = 1
    COSIGNATURE = 4


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a key, by which anyone can check what it signed.

    Attributes
    ----------
    name
        The key name: for a log's key, the log's origin.
    kind
        How the key signs.
    public
        32 bytes, the public key as RFC 8032 encodes it.

    Raises
    ------
    InputError
        If the name cannot stand in a note, or the public bytes are not 32, not a canonical encoding, or a point of
        small order. Bytes that are no point of the curve at all make a key under which no signature holds.
    """

    name: str
    kind: SignatureKind
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise InputError(Fault("not a name that a key can have", _WANTED_NAME, field="name", value=self.name))
        if len(self.public) != 32:
            raise InputError(Fault(f"an Ed25519 public key has 32 bytes, not {len(self.public)}", field="key"))
        y = int.from_bytes(self.public, "little") & (2**255 - 1)  # the top bit is the sign of x
        if y >= _PRIME or y in _SMALL_ORDER_Y:
            problem = "the public key is one under which anybody's signature holds, or is not encoded as it must be"
            raise InputError(Fault(problem, "ask for a key that was made by a key generator", field="key"))

    @cached_property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart; an identifier, not a fingerprint."""
        return key_id_of(self.name, self.kind, self.public)

    @property
    def text(self) -> str:
        """The vkey: name, key id in hex, and kind with public bytes in base64, with plus between."""
        return f"{self.name}+{self.key_id.hex()}+{base64_text(bytes([self.kind]) + self.public)}"

    @classmethod
    def of_text(cls, text: str) -> VerifierKey:
        """Read a vkey.

        Raises
        ------
        PeerError
            If it is not a vkey, its key id is not that of its key, its kind is none that keepclear verifies, or the
            key is one that `VerifierKey` refuses.
        """
        name, key_id, kind, public = vkey_parts(text)
        if kind not in SignatureKind.__members__.values():
            raise PeerError(f"the key {_shown(name)} is of type {kind}, which keepclear does not verify")
        try:
            key = cls(name, SignatureKind(kind), public)
        except InputError as error:
            raise PeerError(f"the key {_shown(name)}: {error.faults[0].problem}") from None
        if key.key_id != key_id:
            raise PeerError(f"the key id of {_shown(name)} should be {key.key_id.hex()}, not {key_id.hex()}")
        return key

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed `message`.

        Parameters
        ----------
        message
            The note text, as UTF-8.
        signature
            What a signature line carries after the key id: 64 bytes of an Ed25519 key; 8 bytes of time and 64 of
            signature of a cosigner's key.
        """
        if self.kind is SignatureKind.COSIGNATURE:
            time_s = int.from_bytes(signature[:_TIME_BYTES], "big")
            if len(signature) != _TIME_BYTES + _SIGNATURE_BYTES or time_s > LARGEST:
                return False
            message, signature = cosignature_message(message, time_s=time_s), signature[_TIME_BYTES:]
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            self._loaded.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _loaded(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public)


@dataclass(frozen=True, eq=False)
class SigningKey:
    """The private half of a key. Neither ``repr`` nor an error ever shows its bytes.

    Attributes
    ----------
    verifier
        The public half.
    """

    verifier: VerifierKey
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of_seed(cls, name: str, kind: SignatureKind, seed: bytes) -> SigningKey:
        """The key of 32 secret bytes, which the caller drew from the operating system (RFC 8032 section 5.1.5).

        Raises
        ------
        InputError
            If the name cannot stand in a note, or the seed has not 32 bytes.
        """
        if len(seed) != 32:
            raise InputError(Fault(f"the seed of a key has 32 bytes, not {len(seed)}", field="seed"))
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(VerifierKey(name, kind, private.public_key().public_bytes_raw()), private)

    def seed(self) -> bytes:
        """The 32 secret bytes, for `keepclear.record.sealing` alone."""
        return self._private.private_bytes_raw()

    def sign(self, message: bytes, *, time_s: int | None = None) -> bytes:
        """What a signature line carries after the key id, so that ``verifier.verify(message, …)`` holds.

        Parameters
        ----------
        message
            The note text, as UTF-8.
        time_s
            For a cosigner's key, and only for that: when it cosigns, in whole seconds since the epoch.

        Raises
        ------
        ValueError
            If the time is missing, not wanted, or outside 0 to 2^63 - 1: the caller's bug.
        """
        if (time_s is not None) != (self.verifier.kind is SignatureKind.COSIGNATURE):
            raise ValueError("a cosigner's key signs with a time, any other without")
        if time_s is None:
            return self._private.sign(message)
        signature = self._private.sign(cosignature_message(message, time_s=time_s))
        return time_s.to_bytes(_TIME_BYTES, "big") + signature


def cosignature_message(text: bytes, *, time_s: int) -> bytes:
    """What a cosignature v1 signs: a header line, the time, and the whole note text of the checkpoint.

    Raises
    ------
    ValueError
        If the time is outside 0 to 2^63 - 1.
    """
    if not 0 <= time_s <= LARGEST:
        raise ValueError(f"a cosignature's time is from 0 to 2^63 - 1, not {time_s}")
    return b"cosignature/v1\ntime %d\n%b" % (time_s, text)


def key_id_of(name: str, kind: int, public: bytes) -> bytes:
    """The key id that C2SP signed-note recommends and tlog-cosignature requires."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey_parts(text: str) -> tuple[str, bytes, int, bytes]:
    """Name, key id, signature type and public bytes of any vkey, also of a type that keepclear does not verify.

    Raises
    ------
    PeerError
        If it does not have the form of a vkey.
    """
    parts = text.split("+", 2)  # base64 may hold plus itself
    if len(parts) != 3:
        raise PeerError("not a vkey: it is NAME+KEYID+KEY, with plus between")
    name, key_id, encoded = parts
    if not is_key_name(name):
        raise PeerError(f"not a vkey: {_WANTED_NAME}")
    if _KEY_ID_HEX.fullmatch(key_id) is None:
        raise PeerError(f"not a vkey: the key id of {_shown(name)} is not 8 hexadecimal digits")
    data = base64_bytes(encoded)
    if data is None or len(data) < 2:
        raise PeerError(f"not a vkey: the key of {_shown(name)} is not a type and a key in base64")
    return name, bytes.fromhex(key_id), data[0], data[1:]


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:59] + "…")
