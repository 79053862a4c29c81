"""What the party itself has said, as files: tiles that anybody can verify, its entries with their bodies, and receipts.

The receipts are all checkpoints that somebody has cosigned, since the oldest one that has an entry says from when it
counts. `keepclear encounter --record` reads such folders.

Only our own logs. What others told us was told to us: there is no way to take it away in bulk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keepclear.errors import Fault, InputError, PeerError, StoreError
from keepclear.record.canonical import canonical
from keepclear.record.entry_files import write_entry
from keepclear.store.files import sync_folder
from keepclear.store.held import HeldLog
from keepclear.store.log_store import LogStore
from keepclear.store.tile_directory import export_log

__all__ = ["Exported", "export_own"]

ENTRIES = "entries.jsonl"
RECEIPTS = "receipts.jsonl"


@dataclass(frozen=True, slots=True)
class Exported:
    """A log that was exported: which, where to, how many entries it has, and how many of them could not be read."""

    origin: str
    folder: Path
    entries: int
    unread: int


def export_own(store: LogStore, target: Path, *, line: str | None = None) -> tuple[Exported, ...]:
    """Write our own logs into a folder, each into one of its own; one that is there is brought up to date.

    Parameters
    ----------
    line
        Only those of this line; None: all.

    Raises
    ------
    InputError
        If there is none, or the folder has other logs.
    IntegrityError
        If what is there contradicts what would be written.
    StoreError
        If something cannot be written.
    """
    origins = [stored.origin for stored in store.logs() if stored.own and store.end(stored.origin)]
    wanted = [origin for origin in origins if line is None or origin.split("/")[1] == line]
    if not wanted:
        there = sorted({origin.split("/")[1] for origin in origins})
        right = f"one of: {', '.join(there)}" if there else "begin a line first: keepclear line new"
        raise InputError(Fault("there is no log of ours", right, field="line", value=line or ""))
    return tuple(_exported(store, HeldLog(store, origin), target) for origin in sorted(wanted))


def _exported(store: LogStore, log: HeldLog, target: Path) -> Exported:
    folder = target / log.origin.replace("/", ".")
    size = log.size
    export_log(log, folder)
    unread: list[int] = []
    _write(folder, RECEIPTS, _receipts(store, log, size))
    _write(folder, ENTRIES, _lines(log, size, unread))
    return Exported(log.origin, folder, size, len(unread))


def _write(folder: Path, name: str, lines: Iterator[bytes]) -> None:
    part, file = folder / f".{name}.part", folder / name
    try:
        with part.open("wb") as out:
            part.chmod(0o600)  # there are bodies in it
            for line in lines:
                out.write(line)
        part.rename(file)
        sync_folder(folder)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _receipts(store: LogStore, log: HeldLog, size: int) -> Iterator[bytes]:
    """All checkpoints that somebody has cosigned, with the cosignatures, newest first."""
    before: int | None = size + 1
    while some := store.checkpoints(log.origin, before=before):
        for head in some:
            if store.cosignatures(log.origin, head.size):
                yield canonical({"checkpoint": log.checkpoint(head.size).decode()}) + b"\n"
        before = some[-1].size


def _lines(log: HeldLog, size: int, unread: list[int]) -> Iterator[bytes]:
    for index in range(size):
        try:
            yield write_entry(log.entry(index)) + b"\n"
        except PeerError:
            unread.append(index)
