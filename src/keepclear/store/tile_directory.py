"""A log as a folder of files that any web server can publish, and back (C2SP tlog-tiles).

Tiles and bundles are written first and synced; the checkpoint comes last and takes the older one's place in one step.
So whoever reads beside us, or after a crash, finds a checkpoint and every file that it needs. Only what is new since
the checkpoint that is there is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from keepclear.errors import Fault, InputError, IntegrityError, PeerError, StoreError
from keepclear.record.checkpoints import open_checkpoint
from keepclear.record.notes import MOST_NOTE_BYTES
from keepclear.record.tiles import (
    ENTRY_MOST_BYTES,
    TILE_WIDTH,
    Bundle,
    Tile,
    bundles_between,
    decode_bundle,
    encode_bundle,
    parse_path,
    tiles_between,
)
from keepclear.store.files import sync_folder, write_whole
from keepclear.store.held import HeldLog
from keepclear.store.log_store import SignedHead
from keepclear.store.mirror import Mirror

__all__ = ["TileDirectory", "export_log", "import_log"]

_MOST_BUNDLE_BYTES = TILE_WIDTH * (2 + ENTRY_MOST_BYTES)


class TileDirectory:
    """A folder with a log in it; nothing that is read from it is verified."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkpoint(self) -> bytes:
        """The signed checkpoint.

        Raises
        ------
        InputError
            If there is none.
        """
        data = self._read("checkpoint", MOST_NOTE_BYTES)
        if data is None:
            raise InputError(Fault("there is no checkpoint", "the folder of a log", str(self._folder)))
        return data

    def fetch(self, path: str) -> bytes | None:
        """What stands at the path of a tile or bundle; None if nothing does.

        Raises
        ------
        PeerError
            If it is no such path, or the file is larger than a tile or bundle can be.
        """
        return self._read(path, _MOST_BUNDLE_BYTES if isinstance(parse_path(path), Bundle) else TILE_WIDTH * 32)

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """The leaves of the log of `stop` entries from `start` on.

        Raises
        ------
        PeerError
            If a bundle is missing or malformed.
        """
        for bundle in bundles_between(start, stop):
            data, width = self.fetch(bundle.path), bundle.width
            if data is None:  # tlog-tiles lets a partial one go when there is the full one
                data, width = self.fetch(Bundle(bundle.number).path), TILE_WIDTH
            if data is None:
                raise PeerError(f"{self._folder}: {bundle.path} is missing")
            yield from decode_bundle(data, width=width)[max(start - bundle.start, 0) : bundle.width]

    def _read(self, path: str, most: int) -> bytes | None:
        place = self._folder / path
        try:
            with place.open("rb") as file:
                data = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PeerError(f"{place} cannot be read: {error.strerror or error}") from error
        if len(data) > most:
            raise PeerError(f"{place} has more than {most} bytes")
        return data


def export_log(log: HeldLog, folder: Path) -> int:
    """Publish a log as a folder, or bring the folder up to date.

    Returns
    -------
    int
        How many files were written.

    Raises
    ------
    InputError
        If the folder holds another log, or one that is ahead of this.
    IntegrityError
        If it holds a checkpoint that contradicts this log, or what is to be published is damaged.
    StoreError
        If the files cannot be written.
    """
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    checkpoint, size = log.checkpoint(), log.size
    old_size = _published(log, folder)
    folders = {folder}
    written = 1
    places: Iterator[Tile | Bundle] = chain(tiles_between(old_size, size), bundles_between(old_size, size))
    for place in places:
        if isinstance(place, Bundle):
            data = encode_bundle(list(log.leaves(place.start, place.start + place.width)))
        else:
            data = log.tile(place)
        with _writing(folder):
            path = folder / place.path
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        folders.update(above for above in path.parents if above.is_relative_to(folder))
        written += 1
    with _writing(folder):
        for changed in sorted(folders, reverse=True):
            sync_folder(changed)
        write_whole(folder / "checkpoint", checkpoint)
        sync_folder(folder)
    return written


def import_log(mirror: Mirror, folder: Path) -> SignedHead:
    """Extend a mirror by what is published in a folder; `Mirror.extend` says what is verified and raised."""
    directory = TileDirectory(folder)
    data = directory.checkpoint()
    checkpoint, _ = open_checkpoint(data, mirror.key)
    return mirror.extend(data, directory.leaves(min(mirror.size, checkpoint.size), checkpoint.size))


def _published(log: HeldLog, folder: Path) -> int:
    """The size of the log that is in the folder; 0 if there is none."""
    directory = TileDirectory(folder)
    if not (folder / "checkpoint").exists():
        return 0
    try:
        old, _ = open_checkpoint(directory.checkpoint(), log.key)
    except (PeerError, IntegrityError) as error:
        fault = Fault(f"the folder holds something else than {log.origin}: {error}", "an empty folder", str(folder))
        raise InputError(fault) from None
    if old.size > log.size:
        problem = f"the folder holds {old.size} entries of {log.origin}, and the log to be published {log.size}"
        raise InputError(Fault(problem, "the newer copy of the log", str(folder)))
    if log.root_at(old.size) != old.root:
        raise IntegrityError(
            f"{folder}: the checkpoint there is signed for {log.origin} and contradicts this copy of the log"
        )
    return old.size


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{folder}: could not be written: {error.strerror or error}") from error
