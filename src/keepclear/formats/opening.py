"""Opening what a person named: a path, standard input or a stream, and faults for what cannot be opened."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from keepclear.errors import Fault, InputError
from keepclear.formats.bounded import size_text

__all__ = ["STANDARD_INPUT", "Source", "opened", "peeked", "seekable_copy", "unopened"]

STANDARD_INPUT = "standard input"

Source = str | Path | BinaryIO

_CHUNK_BYTES = 1 << 20


@contextmanager
def opened(source: Source) -> Iterator[tuple[BinaryIO, str]]:
    """The stream of a source, and its name for messages; a file is closed afterwards, other streams are not.

    Raises
    ------
    InputError
        If there is no such file, it is a directory, or it may not be read.
    """
    if source == "-":
        yield sys.stdin.buffer, STANDARD_INPUT
    elif isinstance(source, str | Path):
        try:
            stream = Path(source).open("rb")  # noqa: SIM115 - closed below; opening itself must be inside the try
        except (OSError, ValueError) as error:
            raise InputError(unopened(str(source), error)) from None
        with stream:
            yield stream, str(source)
    else:
        name = getattr(source, "name", None)
        yield source, name if isinstance(name, str) else "stream"


def unopened(name: str, error: OSError | ValueError) -> Fault:
    """What is wrong with a file that the operating system will not open."""
    if isinstance(error, FileNotFoundError):
        return Fault("no such file", "check the path", name)
    if isinstance(error, IsADirectoryError):
        return Fault("a directory, not a file", "name the files in it", name)
    if isinstance(error, PermissionError):
        return Fault("may not be read: permission denied", "ask its owner, or copy it", name)
    return Fault(f"cannot be opened: {getattr(error, 'strerror', None) or error}", file=name)


def peeked(stream: BinaryIO, count_bytes: int) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, and a stream that stands at the beginning still."""
    head = b""
    while len(head) < count_bytes and (more := stream.read(count_bytes - len(head))):
        head += more
    if stream.seekable():
        stream.seek(-len(head), io.SEEK_CUR)
        return head, stream
    return head, cast("BinaryIO", io.BufferedReader(_Rejoined(head, stream)))


class _Rejoined(io.RawIOBase):
    """A stream whose beginning was already read, whole again."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = io.BytesIO(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's buffer type is wider
        part = self._head.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


@contextmanager
def seekable_copy(stream: BinaryIO, name: str, cap_bytes: int) -> Iterator[BinaryIO]:
    """The stream itself if one can move about in it, else a copy on disk of what comes through the pipe.

    Raises
    ------
    InputError
        If more than `cap_bytes` come.
    """
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        copied = 0
        while part := stream.read(_CHUNK_BYTES):
            copied += len(part)
            if copied > cap_bytes:
                raise InputError(Fault(f"larger than {size_text(cap_bytes)}", "give it as a file", name))
            copy.write(part)
        copy.seek(0)
        yield cast("BinaryIO", copy)
