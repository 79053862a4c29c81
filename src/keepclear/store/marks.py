"""The newest head of each log, remembered outside the database.

A database file whose end was cut off, or a copy of last week put back, opens without complaint: it is merely older.
Whoever signed on from there would say two different things under one number. So after each commit, and before
anyone is shown the checkpoint, its size and root are written here too; a database that is behind its mark is found out
when it is opened, and a database without any mark counts as restored.

The write is not synced (the commit was): a machine that stops may leave an older mark behind, which does no harm. Each
mark has a slot of its own within one sector and a check, so that a torn one is not believed. Text, so that a person
can read it.

`SharedMarks` are the same file written by several processes on one machine, one at a time. Such a file has a number of
its own, by which the database can name it: so that nobody signs by the marks of another folder, which know less.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keepclear.store.log_store import Mark

__all__ = ["Marks", "SharedMarks", "writer_pid"]

_SLOT = 256
_HEADER = "keepclear signed heads v1, writer "
_NUMBER = "number of this file"  # stands where an origin would; no log can be called so


class Marks:
    """The marks in one file, one slot of 256 bytes each, after a first one that names the writing process.

    Parameters
    ----------
    path
        The file; made, readable by its owner only, if it is not there and `pid` is given.
    pid
        The process that is about to write; None to read only.
    """

    def __init__(self, path: Path, *, pid: int | None) -> None:
        self._path = path
        self._file = -1
        if pid is not None:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if pid is not None:
                self._write(0, f"{_HEADER}{pid}")
            self._read()
        except BaseException:
            # On a full disk this is tried again and again: each time would cost a descriptor.
            if self._file >= 0:
                os.close(self._file)
            raise

    def _read(self) -> None:
        self._slots: dict[bytes, tuple[int, Mark]] = {}
        self._next = 1
        data = self._path.read_bytes() if self._path.exists() else b""
        for place in range(1, -(-len(data) // _SLOT)):
            self._next = place + 1
            read = _parsed(data[place * _SLOT : (place + 1) * _SLOT])
            if read is not None:
                self._slots[read[0]] = (place, read[1])

    def get(self, origin: str) -> Mark | None:
        """The mark of a log, or None if there is none that can be believed."""
        slot = self._slots.get(_digest(origin))
        return slot and slot[1]

    def put(self, origin: str, mark: Mark) -> None:
        """Move a mark forward; one that is not greater changes nothing. A log's first mark is made durable.

        Raises
        ------
        OSError
            If it could not be written.
        """
        digest = _digest(origin)
        place, held = self._slots.get(digest, (self._next, None))
        if held is not None and held.size >= mark.size:
            return
        self._write(place, _line(digest, mark))
        if held is None:
            os.fsync(self._file)
            self._next += 1
        self._slots[digest] = (place, mark)

    def close(self) -> None:
        """Make what was written durable and let go of the file.

        Raises
        ------
        OSError
            If it could not be made durable.
        """
        if self._file >= 0:
            file, self._file = self._file, -1
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def _write(self, place: int, text: str) -> None:
        data = text.encode().ljust(_SLOT - 1) + b"\n"
        if os.pwrite(self._file, data, place * _SLOT) != _SLOT:
            raise OSError("the mark was written only in part")


class SharedMarks(Marks):
    """The marks of several processes, each of which sees what the others have written.

    Parameters
    ----------
    path, pid
        As for `Marks`.
    """

    @property
    def number(self) -> bytes | None:
        """The file's own number, 32 random bytes; None if it has none yet."""
        held = self.get(_NUMBER)
        return None if held is None else held.root

    def renew(self) -> bytes:
        """Forget every mark, and give the file another number, durably.

        Raises
        ------
        OSError
            If it could not be written.
        """
        with self._alone():
            os.ftruncate(self._file, _SLOT)
            self._read()
            number = secrets.token_bytes(32)
            super().put(_NUMBER, Mark(0, number))
            return number

    def get(self, origin: str) -> Mark | None:
        """See `Marks.get`."""
        with self._alone():
            self._read()
            return super().get(origin)

    def put(self, origin: str, mark: Mark) -> None:
        """See `Marks.put`."""
        with self._alone():
            self._read()
            super().put(origin, mark)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes, and other handles of this one, from reading or writing meanwhile."""
        if self._file < 0:  # opened to read only: the slots have checks
            yield
            return
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def writer_pid(path: Path) -> int | None:
    """The process that last opened the marks for writing, if the file says."""
    try:
        first = path.read_bytes()[:_SLOT].decode("ascii").rstrip()
        return int(first.removeprefix(_HEADER)) if first.startswith(_HEADER) else None
    except (OSError, ValueError):
        return None


def _digest(origin: str) -> bytes:
    return hashlib.sha256(origin.encode()).digest()


def _line(digest: bytes, mark: Mark) -> str:
    told = f"{digest.hex()} {mark.size:020d} {mark.root.hex()}"
    return f"{told} {hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _parsed(slot: bytes) -> tuple[bytes, Mark] | None:
    try:
        digest, size, root, _ = slot.decode("ascii").split()
        read = bytes.fromhex(digest), Mark(int(size), bytes.fromhex(root))
    except ValueError:
        return None
    return read if slot == _line(*read).encode().ljust(_SLOT - 1) + b"\n" else None
