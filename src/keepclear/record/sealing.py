"""Private keys as they are kept in a file: encrypted with a passphrase, or plain in a file that only its owner reads.

Both are a few lines of text that begin with what they are, and name the public key, so that `sealed_verifier` can say
whose key a file holds without a passphrase. Why not PKCS #8: ``cryptography`` derives the key of an encrypted PKCS #8
with PBKDF2, which costs an attacker with graphics cards little per guess; it draws the salt itself, while nothing here
may; and it has no place for the key's name. scrypt (RFC 7914) at N = 2^17, r = 8, p = 1 takes 128 MiB and some tenths
of a second for each guess, which OWASP's password storage cheat sheet asks for; it is fixed by the version of the
format, so a file cannot ask for less, nor for all of the memory. ChaCha20-Poly1305 (RFC 8439) encrypts the 32 bytes and
authenticates all lines before them. The format is `docs/spec/keys.md`.
"""

from __future__ import annotations

import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.scalars import base64_bytes, base64_text

__all__ = ["NONCE_BYTES", "SALT_BYTES", "is_sealed", "seal", "sealed_verifier", "unseal"]

SALT_BYTES = 16
NONCE_BYTES = 12

_SEALED = "keepclear sealed key v1"
_PLAIN = "keepclear key v1"
_KDF = "scrypt n=131072 r=8 p=1"
_CIPHER = "chacha20-poly1305"
_MOST_BYTES = 10_000
_MOST_PASSPHRASE_BYTES = 10_000


def seal(key: SigningKey, passphrase: str | None, *, salt: bytes = b"", nonce: bytes = b"") -> bytes:
    """The private key as the bytes of a file.

    Parameters
    ----------
    passphrase
        None leaves the key plain: write it only where none but its owner can read.
    salt, nonce
        With a passphrase: `SALT_BYTES` and `NONCE_BYTES` from the operating system, fresh each time.

    Raises
    ------
    InputError
        If the passphrase is empty or cannot be written as UTF-8.
    ValueError
        If salt or nonce have the wrong length: the caller's bug.
    """
    named = f"key {key.verifier.text}\n"
    if passphrase is None:
        return f"{_PLAIN}\n{named}seed {base64_text(key.seed())}\n".encode()
    if (len(salt), len(nonce)) != (SALT_BYTES, NONCE_BYTES):
        raise ValueError(f"a sealed key needs {SALT_BYTES} bytes of salt and {NONCE_BYTES} of nonce")
    derivation = f"kdf {_KDF} salt={base64_text(salt)}\ncipher {_CIPHER} nonce={base64_text(nonce)}\n"
    header = f"{_SEALED}\n{named}{derivation}".encode()
    sealed = ChaCha20Poly1305(_derived(passphrase, salt)).encrypt(nonce, key.seed(), header)
    return header + f"sealed {base64_text(sealed)}\n".encode()


def unseal(data: bytes, passphrase: str | None) -> SigningKey:
    """The private key of a file's bytes.

    Raises
    ------
    InputError
        If the file is no key file of a version that is known, a passphrase is missing or given for a plain key, the
        passphrase is wrong or the file damaged (which of the two cannot be told), or private and public part differ.
    """
    lines = _lines(data)
    verifier = _verifier(lines)
    if lines[0] == _PLAIN:
        if passphrase is not None:
            raise InputError(Fault("the key file is not sealed with a passphrase", "leave the passphrase out"))
        seed = _bytes_after("seed ", lines[2], 32)
    else:
        if passphrase is None:
            raise InputError(Fault("the key file is sealed with a passphrase", "give the passphrase"))
        seed = _opened(lines, passphrase)
    key = SigningKey.of_seed(verifier.name, verifier.kind, seed)
    if key.verifier != verifier:
        raise InputError(Fault("the private part of the key file is not that of the public key it names", _RESTORE))
    return key


def sealed_verifier(data: bytes) -> VerifierKey:
    """The public key that a key file names; only `unseal` can say whether the private part is that of this key.

    Raises
    ------
    InputError
        If the file is no key file of a version that is known.
    """
    return _verifier(_lines(data))


def is_sealed(data: bytes) -> bool:
    """Whether a key file needs a passphrase.

    Raises
    ------
    InputError
        If the file is no key file of a version that is known.
    """
    return _lines(data)[0] == _SEALED


_RESTORE = "restore the file from a copy"


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode() if len(data) <= _MOST_BYTES else ""
    except UnicodeDecodeError:
        text = ""
    lines = text.split("\n")
    wanted = {_PLAIN: 4, _SEALED: 6}.get(lines[0])
    if wanted is None:
        right = f"it begins with the line {_SEALED!r} or {_PLAIN!r}, as `keepclear key new` writes it"
        raise InputError(Fault("not a key file, or one of a version that is not known", right))
    if len(lines) != wanted or lines[-1]:
        raise InputError(
            Fault(f"a key file of this version has {wanted - 1} lines, each ending in a newline", _RESTORE)
        )
    return lines[:-1]


def _verifier(lines: list[str]) -> VerifierKey:
    if not lines[1].startswith("key "):
        raise InputError(Fault("the second line of a key file is 'key' and the public key", _RESTORE))
    try:
        return VerifierKey.of_text(lines[1].removeprefix("key "))
    except PeerError as error:
        raise InputError(Fault(f"the second line of the key file: {error}", _RESTORE)) from None


def _opened(lines: list[str], passphrase: str) -> bytes:
    salt = _bytes_after(f"kdf {_KDF} salt=", lines[2], SALT_BYTES)
    nonce = _bytes_after(f"cipher {_CIPHER} nonce=", lines[3], NONCE_BYTES)
    sealed = _bytes_after("sealed ", lines[4], 32 + 16)
    header = "".join(f"{line}\n" for line in lines[:4]).encode()
    try:
        return ChaCha20Poly1305(_derived(passphrase, salt)).decrypt(nonce, sealed, header)
    except InvalidTag:
        problem = "the key cannot be opened: the passphrase is wrong, or the file has been changed"
        raise InputError(Fault(problem, "try the passphrase again, or restore the file from a copy")) from None


def _bytes_after(prefix: str, line: str, length: int) -> bytes:
    data = base64_bytes(line.removeprefix(prefix)) if line.startswith(prefix) else None
    if data is None or len(data) != length:
        # The line is not shown: it may be the private one.
        raise InputError(
            Fault(f"a line of the key file is not {prefix.strip()!r} with {length} bytes in base64", _RESTORE)
        )
    return data


def _derived(passphrase: str, salt: bytes) -> bytes:
    try:
        # NFKC, so that the same characters typed on another keyboard or system give the same key.
        secret = unicodedata.normalize("NFKC", passphrase).encode()
    except UnicodeEncodeError:
        raise InputError(Fault("the passphrase holds characters that cannot be written as UTF-8")) from None
    if not 0 < len(secret) <= _MOST_PASSPHRASE_BYTES:
        raise InputError(Fault("a passphrase is not empty, and not longer than 10,000 bytes"))
    return Scrypt(salt=salt, length=32, n=131072, r=8, p=1).derive(secret)
