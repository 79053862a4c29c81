"""The envelope of a backup: plain, or encrypted with a passphrase, piece by piece, however large it is.

Two lines of text say what it is; the rest is a tar. Sealed, it is cut into pieces of 64 KiB, each encrypted with
ChaCha20-Poly1305 (RFC 8439) under a key that scrypt (RFC 7914) makes of the passphrase. The nonce of a piece has its
number and whether it is the last, so that pieces cannot be left out, put elsewhere, or cut off at the end; the two
lines are authenticated with each (the construction is STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keepclear.errors import Fault, InputError

__all__ = ["Opener", "Sealer"]

_MAGIC = b"keepclear backup v1\n"
_PLAIN = b"plain\n"
_SEALED = b"sealed scrypt n=131072 r=8 p=1 chacha20-poly1305 "
_PIECE = 65_536
_TAG = 16
_SALT, _PREFIX = 16, 7
_MOST_PIECES = 2**32


class Sealer:
    """Writes the envelope round what is written to it. A file that can be written, for `tarfile`.

    Parameters
    ----------
    file
        Where it goes.
    passphrase
        None leaves it plain.
    """

    def __init__(self, file: IO[bytes], passphrase: str | None) -> None:
        self._file, self._pieces, self._waiting = file, 0, bytearray()
        self._cipher: ChaCha20Poly1305 | None = None
        self._header, self._prefix = _MAGIC + _PLAIN, b""
        if passphrase is not None:
            salt, self._prefix = secrets.token_bytes(_SALT), secrets.token_bytes(_PREFIX)
            self._header = _MAGIC + _SEALED + base64.b64encode(salt + self._prefix) + b"\n"
            self._cipher = ChaCha20Poly1305(_key(passphrase, salt))
        file.write(self._header)

    def write(self, data: bytes) -> int:
        """Take more."""
        if self._cipher is None:
            return self._file.write(data)
        self._waiting += data
        while len(self._waiting) > _PIECE:  # never the last piece: that has a mark of its own
            piece = bytes(self._waiting[:_PIECE])
            del self._waiting[:_PIECE]
            self._put(piece, last=False)
        return len(data)

    def finish(self) -> None:
        """That was all."""
        if self._cipher is not None:
            self._put(bytes(self._waiting), last=True)
            self._waiting.clear()

    def _put(self, piece: bytes, *, last: bool) -> None:
        assert self._cipher is not None
        if self._pieces >= _MOST_PIECES:
            raise InputError("a backup of more than 256 TiB cannot be sealed")
        self._file.write(self._cipher.encrypt(_nonce(self._prefix, self._pieces, last=last), piece, self._header))
        self._pieces += 1


class Opener:
    """Reads what is in an envelope. A file that can be read, for `tarfile`.

    Parameters
    ----------
    file
        The backup.
    name
        What to call it in a message.

    Raises
    ------
    InputError
        If it is no backup, or one of a version that is not known.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self._pieces, self._ready, self._over = 0, bytearray(), False
        self._cipher: ChaCha20Poly1305 | None = None
        magic, kind = file.readline(len(_MAGIC)), file.readline(200)
        self._header, self._prefix, self._salt = magic + kind, b"", b""
        if magic != _MAGIC:
            newer = magic.startswith(b"keepclear backup v")
            problem = "a backup of a version that is not known" if newer else "not a backup of a keepclear node"
            raise InputError(Fault(problem, "a file that keepclear backup has written", file=name))
        if kind != _PLAIN:
            try:
                nonces = base64.b64decode(kind.removeprefix(_SEALED).rstrip(b"\n"), validate=True)
            except ValueError:
                nonces = b""
            if not kind.startswith(_SEALED) or len(nonces) != _SALT + _PREFIX:
                raise InputError(Fault("sealed in a way that is not known", "a newer keepclear", file=name))
            self._salt, self._prefix = nonces[:_SALT], nonces[_SALT:]

    @property
    def is_sealed(self) -> bool:
        """Whether there is a passphrase to it; then `unseal` comes before `read`."""
        return bool(self._salt)

    def unseal(self, passphrase: str) -> None:
        """Take the passphrase; whether it is right shows when the first piece is read."""
        self._cipher = ChaCha20Poly1305(_key(passphrase, self._salt))

    def read(self, size: int = -1) -> bytes:
        """As much as is asked for, or what is left.

        Raises
        ------
        InputError
            If the passphrase is wrong, or the file is damaged or cut off.
        """
        if not self.is_sealed:
            return self._file.read(size)
        while not self._over and (size < 0 or len(self._ready) < size):
            self._ready += self._next()
        taken = bytes(self._ready if size < 0 else self._ready[:size])
        del self._ready[: len(taken)]
        return taken

    def _next(self) -> bytes:
        assert self._cipher is not None, "sealed, and `unseal` was not called"
        data = self._file.read(_PIECE + _TAG)
        ahead = self._file.read(1)
        self._over = not ahead
        if ahead:
            self._file.seek(-1, 1)
        try:
            piece = self._cipher.decrypt(_nonce(self._prefix, self._pieces, last=self._over), data, self._header)
        except InvalidTag:
            problem = "damaged, or cut off" if self._pieces else "the passphrase is wrong, or the file is damaged"
            raise InputError(Fault(problem, "the passphrase that it was sealed with", file=self._name)) from None
        self._pieces += 1
        return piece


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\1" if last else b"\0")


def _key(passphrase: str, salt: bytes) -> bytes:
    words = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    if not words:
        raise InputError(Fault("the passphrase is empty", "one that is not", field="passphrase"))
    return Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(words)
