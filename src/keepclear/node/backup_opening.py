"""Making a node's folder from a backup. Nothing in the file is trusted: not its names, not its sizes.

The folder takes its place when all of it is there and is what the manifest says; a file that is damaged leaves nothing
behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from keepclear.errors import Fault, InputError, StoreError
from keepclear.node.backup import MANIFEST
from keepclear.node.backup_sealing import Opener
from keepclear.store.files import sync_folder

__all__ = ["Restored", "restore"]

_NAME = re.compile(r"record\.db|node\.db|settings\.toml|keys/[^/\\\x00-\x1f.][^/\\\x00-\x1f]{0,199}")
_MOST_MANIFEST = 2**22
_MOST_MEMBERS = 10_000
_AT_ONCE = 2**20
_RIGHT = "a file that keepclear backup has written, whole"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: whose node, when the backup was made, and whether its keys are in it."""

    party: str
    made: str
    has_keys: bool


@dataclass(frozen=True, slots=True)
class _Manifest:
    party: str
    made: str
    has_keys: bool
    members: dict[str, tuple[int, str]]


def restore(file: Path, folder: Path, *, passphrase: Callable[[], str]) -> Restored:
    """Make a node's folder from a backup. The folder must not be there, or be empty.

    Parameters
    ----------
    passphrase
        Asked where the backup is sealed.

    Raises
    ------
    InputError
        If it is no backup, or damaged, the passphrase is wrong, or there is something in the folder.
    StoreError
        If it cannot be read or written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        right = "a folder that is not there; move the old one elsewhere, and keep it"
        raise InputError(Fault("there is something there already", right, file=str(folder)))
    part = folder.with_name(f".{folder.name}.part")
    try:
        with file.open("rb") as source:
            opener = Opener(source, str(file))
            if opener.is_sealed:
                opener.unseal(passphrase())
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700, parents=True)
            manifest = _taken(opener, part, str(file))
        sync_folder(part / "keys")
        sync_folder(part)
        part.rename(folder)
        sync_folder(folder.parent)
    except (OSError, EOFError) as error:
        raise StoreError(f"{file}: it could not be restored: {error}") from error
    except tarfile.TarError as error:
        raise _damaged(str(file), str(error)) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Restored(manifest.party, manifest.made, manifest.has_keys)


def _taken(opener: Opener, part: Path, name: str) -> _Manifest:
    (part / "keys").mkdir(mode=0o700)
    with tarfile.open(fileobj=opener, mode="r|") as tar:  # type: ignore[call-overload]
        first = tar.next()
        if first is None or first.name != MANIFEST or not first.isreg() or first.size > _MOST_MANIFEST:
            raise _damaged(name, "it does not begin with a manifest")
        manifest = _manifest(tar.extractfile(first), name)
        needed, free = sum(size for size, _ in manifest.members.values()), shutil.disk_usage(part).free
        if needed > free:
            raise InputError(Fault(f"it takes {needed:,} bytes, and {free:,} are free", "a larger disk", file=name))
        found = set()
        while (member := tar.next()) is not None:
            if member.name in found or member.name not in manifest.members or not member.isreg():
                raise _damaged(name, f"there is something in it that the manifest does not say: {member.name!r:.100}")
            _take(tar.extractfile(member), part / member.name, manifest.members[member.name], name)
            found.add(member.name)
    if missing := sorted(set(manifest.members) - found):
        raise _damaged(name, f"not in it is {', '.join(missing)}")
    while rest := opener.read(_AT_ONCE):  # to the end, which is authenticated
        if rest.strip(b"\0"):
            raise _damaged(name, "there is something after its end")
    return manifest


def _take(source: IO[bytes] | None, target: Path, expected: tuple[int, str], name: str) -> None:
    size, digest, taken = expected[0], hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while source is not None and (data := source.read(_AT_ONCE)):
            taken += len(data)
            if taken > size:
                break
            digest.update(data)
            out.write(data)
        out.flush()
        os.fsync(out.fileno())
    if (taken, digest.hexdigest()) != expected:
        raise _damaged(name, f"{target.name} is not what the manifest says")


def _manifest(source: IO[bytes] | None, name: str) -> _Manifest:
    found: _Manifest | None = None
    try:
        told: Any = json.loads(b"" if source is None else source.read())
        members = {one["name"]: (one["size"], one["sha256"]) for one in told["members"]}
        known = (told["format"], told["version"]) == ("keepclear backup", 1) and "keys/identity.vkey" in members
        each_once = len(members) == len(told["members"]) <= _MOST_MEMBERS
        fine = all(
            _NAME.fullmatch(member) and type(size) is int and size >= 0 and isinstance(digest, str)
            for member, (size, digest) in members.items()
        )
        if known and each_once and fine:
            found = _Manifest(str(told["party"]), str(told["made"]), bool(told["has_keys"]), members)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # said below, as whatever else is wrong with it
    if found is None:
        raise _damaged(name, "its manifest is none, or of a newer keepclear")
    return found


def _damaged(name: str, why: str) -> InputError:
    return InputError(Fault(f"not a whole backup: {why}", _RIGHT, file=name))
