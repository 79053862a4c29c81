"""Logs as ``keepclear export`` writes them, read as a record: verified from end to end, with the keys of a policy.

Nothing in such a folder is believed for lying there. Every checkpoint is signed by a log that the policy names, every
leaf is in its tree, every body has its hash in its leaf; and an entry counts from the first cosignature of a cosigner
that the policy names, as in a party's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keepclear.errors import Fault, InputError, IntegrityError, PeerError

if TYPE_CHECKING:
    from keepclear.line.conversation import Receipt
    from keepclear.record.entries import Entry, EntryRef
    from keepclear.record.keys import VerifierKey
    from keepclear.record.names import KeyName
    from keepclear.record.policies import Policy

__all__ = ["ExportedLog", "exported_folders", "policy_of", "read_export"]

_ENTRIES, _RECEIPTS = "entries.jsonl", "receipts.jsonl"
_RIGHT = "the folder of a log as keepclear export writes it"
_MOST_FOLDERS = 1000


@dataclass(frozen=True, slots=True)
class ExportedLog:
    """A log out of an export: whose it is, its entries with their bodies, and who is known to have had them when."""

    name: KeyName
    entries: tuple[tuple[EntryRef, Entry], ...]
    receipts: tuple[Receipt, ...]


def exported_folders(directory: Path) -> list[Path]:
    """The folders of logs in a folder: itself, or those beside each other in it."""
    if (directory / "checkpoint").is_file():
        return [directory]
    try:
        inside = sorted(one for one in directory.iterdir() if (one / "checkpoint").is_file())
    except OSError:
        return []
    if len(inside) > _MOST_FOLDERS:
        raise InputError(Fault(f"{len(inside)} logs", f"at most {_MOST_FOLDERS}", str(directory), field="--record"))
    return inside


def policy_of(files: list[str], directory: Path) -> list[Policy]:
    """The policies of `files`; without one nothing in an export can be believed."""
    from keepclear.cli.record_files import read_policy

    if not files:
        problem = "whose keys are believed is not said, and exported logs prove nothing without"
        right = "--policy FILE (keepclear log policy writes one), once for each"
        raise InputError(Fault(problem, right, str(directory), field="--policy"))
    return [read_policy(one) for one in files]


def read_export(folder: Path, policies: list[Policy]) -> ExportedLog:
    """A log, all of it verified.

    Raises
    ------
    InputError
        If it is none, or no policy names it.
    IntegrityError
        If something does not hold.
    """
    from keepclear.record.checkpoints import open_checkpoint
    from keepclear.record.names import KeyName
    from keepclear.store.tile_directory import TileDirectory

    try:
        directory = TileDirectory(folder)
        newest = directory.checkpoint()
        key = _key_of(newest, policies, folder)
        checkpoint, _ = open_checkpoint(newest, key)
        leaves = list(directory.leaves(0, checkpoint.size))
        name = KeyName.of_text(checkpoint.origin)
        if name is None:
            raise InputError(Fault(f"{checkpoint.origin} is no log of a party on a line", _RIGHT, str(folder)))
        notes = [newest, *_older(folder)]
        receipts = tuple(_receipts(folder, notes, key, leaves, policies))
        return ExportedLog(name, tuple(_entries(folder, checkpoint.origin, leaves)), receipts)
    except PeerError as error:
        raise InputError(Fault(str(error), _RIGHT, str(folder))) from None


def _key_of(checkpoint: bytes, policies: list[Policy], folder: Path) -> VerifierKey:
    from keepclear.record.checkpoints import Checkpoint
    from keepclear.record.notes import Note

    origin = Checkpoint.of_text(Note.of_bytes(checkpoint).text).origin
    keys = [key for policy in policies for key in policy.log_keys]
    found = next((key for key in keys if key.name == origin), None)
    if found is None:
        known = ", ".join(sorted({key.name for key in keys})) or "no log"
        raise InputError(Fault(f"no policy names the log {origin}: they name {known}", "a policy with its key",
                               str(folder), field="--policy"))  # fmt: skip
    return found


def _older(folder: Path) -> Iterator[bytes]:
    """The earlier checkpoints, which say how soon others had what."""
    from keepclear.record.canonical import parse
    from keepclear.record.notes import MOST_NOTE_BYTES

    for number, line in _numbered(folder / _RECEIPTS, 2 * MOST_NOTE_BYTES):
        members = parse(line, limit=2 * MOST_NOTE_BYTES)
        text = members.get("checkpoint") if isinstance(members, dict) else None
        if not isinstance(text, str):
            raise PeerError(f"{_RECEIPTS}, line {number}: no signed checkpoint")
        yield text.encode()


def _receipts(
    folder: Path, notes: list[bytes], key: VerifierKey, leaves: list[bytes], policies: list[Policy]
) -> Iterator[Receipt]:
    """Who has cosigned what, each checkpoint proved to be of this very tree."""
    from keepclear.line.conversation import Receipt
    from keepclear.record.checkpoints import open_checkpoint
    from keepclear.record.cosignatures import cosignatures_of_checkpoint
    from keepclear.record.names import KeyName, Purpose

    opened = [open_checkpoint(one, key) for one in notes]
    roots = _roots(leaves, {checkpoint.size for checkpoint, _ in opened})
    witnesses = [one for policy in policies for one in policy.witness_keys]
    for checkpoint, note in opened:
        if roots.get(checkpoint.size) != checkpoint.root:
            raise IntegrityError(
                f"{folder}: the checkpoint of {checkpoint.size} entries signed by {key.name} is not of the entries here"
            )
        for one in cosignatures_of_checkpoint(note, witnesses):
            name = KeyName.of_text(one.key.name)
            by = name.party if name is not None and name.purpose is Purpose.MIRROR else one.key.name
            yield Receipt(checkpoint.origin, checkpoint.size, by, float(one.time_s))


def _roots(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """The roots of the trees of the first so many leaves: complete subtrees as they come, joined where one is asked."""
    from keepclear.record.merkle import EMPTY_ROOT, leaf_hash, node_hash

    found = {0: EMPTY_ROOT}
    trees: list[tuple[int, bytes]] = []
    for size, leaf in enumerate(leaves, start=1):
        trees.append((1, leaf_hash(leaf)))
        while len(trees) > 1 and trees[-2][0] == trees[-1][0]:
            (width, right), (_, left) = trees.pop(), trees.pop()
            trees.append((2 * width, node_hash(left, right)))
        if size in sizes:
            root = trees[-1][1]
            for _, left in reversed(trees[:-1]):
                root = node_hash(left, root)
            found[size] = root
    return found


def _entries(folder: Path, origin: str, leaves: list[bytes]) -> Iterator[tuple[EntryRef, Entry]]:
    """Every leaf as an entry, with the body and the attachments that the folder has of it."""
    from keepclear.record.entries import Entry, EntryRef
    from keepclear.record.entry_files import MOST_FILE_BYTES, read_entry
    from keepclear.record.leaves import Leaf
    from keepclear.record.merkle import leaf_hash

    waiting = _numbered(folder / _ENTRIES, MOST_FILE_BYTES)
    line = next(waiting, None)
    for index, raw in enumerate(leaves):
        try:
            plain = Entry(Leaf.of_bytes(raw))
        except PeerError:
            continue  # of a kind that this version cannot read: an export leaves it out too
        entry = None if line is None else read_entry(line[1])
        if entry is not None and entry.leaf.raw == raw:
            entry.check()
            plain, line = entry, next(waiting, None)
        yield EntryRef(origin, index, leaf_hash(raw)), plain
    if line is not None:
        raise IntegrityError(f"{folder}: {_ENTRIES}, line {line[0]}: an entry that is not in the log at that place")


def _numbered(path: Path, most: int) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers; none where there is no such file."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(most + 2):
                number += 1
                if len(line) > most + 1:
                    raise PeerError(f"{path.name}, line {number}: longer than {most:,} bytes")
                if line.strip():
                    yield number, line.rstrip(b"\r\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise PeerError(f"{path.name} cannot be read: {error.strerror or error}") from None
