"""Writing a file so that it is there whole or not at all, whatever stops the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["sync_folder", "write_whole", "writing_whole"]


def write_whole(path: Path, data: bytes, *, mode: int = 0o644, replace: bool = True) -> None:
    """Write a file beside its place, sync it, and put it there; its folder is synced by `sync_folder`.

    Parameters
    ----------
    mode
        The file's permissions, less the user's mask.
    replace
        Whether a file that is there already gives way; otherwise it is left.

    Raises
    ------
    FileExistsError
        If it is there already and is not to be replaced.
    OSError
        If it cannot be written; then nothing is at its place that was not there before.
    """
    with writing_whole(path, mode=mode, replace=replace) as file:
        file.write(data)


@contextmanager
def writing_whole(path: Path, *, mode: int = 0o644, replace: bool = True) -> Iterator[IO[bytes]]:
    """A file open for writing, which is put in its place at the end of the block; parameters as `write_whole`.

    Raises
    ------
    OSError
        As `write_whole`; whatever else the block raises leaves nothing there either.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)  # left by one of our number that was stopped; in a container numbers come again soon
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            os.link(beside, path)  # unlike a rename, this fails if something is there
            beside.unlink()
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Make durable which files a folder has."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
