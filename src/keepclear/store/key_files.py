"""Private keys in files that only their owner can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from keepclear.errors import Fault, InputError, StoreError
from keepclear.record.keys import SigningKey
from keepclear.record.sealing import seal, unseal
from keepclear.store.files import sync_folder, write_whole

__all__ = ["read_key_file", "write_key_file"]

_MOST_BYTES = 10_000


def write_key_file(
    path: Path, key: SigningKey, *, passphrase: str | None = None, salt: bytes = b"", nonce: bytes = b""
) -> None:
    """Write a private key to a new file with mode 0600; a file that is there is never replaced.

    Parameters
    ----------
    passphrase, salt, nonce
        As for `keepclear.record.sealing.seal`.

    Raises
    ------
    InputError
        If there is a file already, or the passphrase cannot be used.
    StoreError
        If it cannot be written.
    """
    data = seal(key, passphrase, salt=salt, nonce=nonce)
    try:
        write_whole(path, data, mode=0o600, replace=False)
        sync_folder(path.parent)
    except FileExistsError:
        fault = Fault("there is a file already, and a key is never written over", "give another name", str(path))
        raise InputError(fault) from None
    except OSError as error:
        raise StoreError(f"{path}: the key could not be written: {error.strerror or error}") from error


def read_key_file(path: Path, *, passphrase: str | None = None) -> SigningKey:
    """Read a private key from a file that its owner alone can read.

    Raises
    ------
    InputError
        If there is no such file, others can read or change it, or it is no key file that the passphrase opens.
    """
    try:
        # Not following what waits for a writer (a pipe) and looking at what was opened, not at what the name means
        # later.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            found = os.fstat(file.fileno())
            _must_be_private(path, found)
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(Fault(f"the key cannot be read: {error.strerror or error}", file=str(path))) from None
    try:
        return unseal(data, passphrase)
    except InputError as error:
        raise InputError(
            [Fault(f.problem, f.right, str(path), f.feature, f.field, f.value) for f in error.faults]
        ) from None


def _must_be_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InputError(Fault("not a file", "name the key file", str(path)))
    if found.st_mode & 0o077:
        mode = stat.filemode(found.st_mode)
        problem = f"others than the owner can read or change the key ({mode})"
        raise InputError(Fault(problem, f"chmod 600 {path}, and think about who has seen it", str(path)))
    if found.st_size > _MOST_BYTES:
        raise InputError(Fault(f"{found.st_size} bytes are more than any key file has", "name the key file", str(path)))
