"""Where an answer goes: standard output, or a file that is either the old one or the whole new one."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from keepclear.errors import Fault, InputError

__all__ = ["check_output", "put"]


def check_output(path: Path | None, inputs: Iterable[str]) -> list[Fault]:
    """What is wrong with `path` as a place to write to, before any work is done for it."""
    if path is None:
        return []
    if path.is_dir():
        return [Fault("a folder, not a file", "name a file", field="--output", value=str(path))]
    if not path.parent.is_dir():
        return [Fault("its folder does not exist", "make the folder first", field="--output", value=str(path))]
    if path.exists() and any(_same(path, name) for name in inputs):
        return [Fault("it is one of the files to read", "name another file", field="--output", value=str(path))]
    return []


def put(pieces: Iterable[str], path: Path | None, *, private: bool = False) -> None:
    """Write text as UTF-8 to standard output, or to `path` all at once.

    Parameters
    ----------
    private
        Whether only its owner is to read a file that is not there yet.

    Raises
    ------
    InputError
        If the file cannot be written; then what was there before is still there.
    """
    if path is None and sys.stdout is None:  # as it is if it was closed before the program started
        raise OSError(errno.EBADF, "standard output is closed")
    if path is None:
        sys.stdout.flush()
        _write(sys.stdout.buffer, pieces)
        return
    try:
        _replace(path, pieces, private=private)
    except OSError as error:
        raise InputError(
            Fault(f"cannot be written: {error.strerror or error}", field="--output", value=str(path))
        ) from None


def _replace(path: Path, pieces: Iterable[str], *, private: bool) -> None:
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced, only written to
        with path.open("wb") as stream:
            _write(stream, pieces)
        return
    target = path.resolve()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _write(stream, pieces)
            os.fsync(stream.fileno())
        new_mode = 0o600 if private else 0o666 & ~_umask()
        Path(temporary).chmod(target.stat().st_mode & 0o777 if target.exists() else new_mode)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write(stream: BinaryIO, pieces: Iterable[str]) -> None:
    stream.writelines(piece.encode("utf-8", "backslashreplace") for piece in pieces)
    stream.flush()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _same(path: Path, name: str) -> bool:
    try:
        return path.samefile(name)
    except (OSError, ValueError):
        return False
