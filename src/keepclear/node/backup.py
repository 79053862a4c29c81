"""A copy of a node in one file, made while the node runs.

What is in it: the logs, the node's database, the settings, and the keys unless they are left out. What is not: the
marks of what was signed last. So a node that is restored knows that it is, and says nothing on a line before the others
have shown what they hold of its log (`keepclear.node.restoring`).

The node's database is copied before the logs: what it says of the logs is then never ahead of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from keepclear import __version__
from keepclear.errors import Fault, InputError, StoreError
from keepclear.node.backup_sealing import Sealer
from keepclear.node.folder import NodeFolder
from keepclear.node.settings import FILE as SETTINGS
from keepclear.store.files import sync_folder
from keepclear.times import to_text

__all__ = ["MANIFEST", "Made", "back_up"]

MANIFEST = "manifest.json"
_DATABASES = ("node.db", "record.db")  # in this order
_AT_ONCE = 2**20


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made: the names of what is in it, its size, and whether keys are."""

    members: tuple[str, ...]
    size_bytes: int
    has_keys: bool


def back_up(folder: NodeFolder, file: Path, *, passphrase: str | None, at_s: float, with_keys: bool = True) -> Made:
    """Copy a node into a file. The node may run meanwhile.

    Parameters
    ----------
    file
        The file that is made. It takes its place when it is whole.
    passphrase
        What it is sealed with; it must be there where the keys are in it.
    at_s
        The time now.

    Raises
    ------
    InputError
        If there would be keys in a file that is not sealed, the file is there already, or the node's databases are on
        a PostgreSQL server.
    StoreError
        If something cannot be read or written.
    """
    _must_be_possible(folder, file, sealed=passphrase is not None, with_keys=with_keys)
    part = file.with_name(f".{file.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as copies:
            members = dict(_members(folder, Path(copies), with_keys=with_keys))
            with _made(part) as out:
                _write(out, members, folder.party, passphrase, at_s=at_s, with_keys=with_keys)
        part.rename(file)
        sync_folder(file.parent)
        return Made(tuple(members), file.stat().st_size, with_keys)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{file}: the backup could not be made: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _must_be_possible(folder: NodeFolder, file: Path, *, sealed: bool, with_keys: bool) -> None:
    faults = []
    if with_keys and not sealed:
        right = "give a passphrase, or leave the keys out: --without-keys"
        faults.append(Fault("there are private keys in it, and it is not sealed", right, field="passphrase"))
    if file.exists():
        faults.append(Fault("it is there already, and a backup is never written over", "another name", file=str(file)))
    if not file.parent.is_dir():
        faults.append(Fault("there is no such folder", "a folder that is there", file=str(file.parent)))
    elif file.parent.resolve().is_relative_to(folder.path.resolve()):
        right = "another disk, or another machine"
        faults.append(Fault("a backup in the node's own folder is lost with it", right, file=str(file)))
    if folder.settings.database:
        right = "back that up with pg_dump, and copy the folder of keys and settings"
        faults.append(Fault("the logs are on a PostgreSQL server", right, field="database"))
    if faults:
        raise InputError(faults)


def _members(folder: NodeFolder, copies: Path, *, with_keys: bool) -> Iterator[tuple[str, Path]]:
    for name in _DATABASES:
        source = folder.path / name
        if source.exists():
            _copy(source, copies / name)
            yield name, copies / name
    if not with_keys and (copies / "node.db").exists():
        _forget_secrets(copies / "node.db")
    if (folder.path / SETTINGS).exists():
        yield SETTINGS, folder.path / SETTINGS
    for path in sorted((folder.path / "keys").iterdir()):
        public = path.suffix in {".vkey", ".crt"}
        if path.is_file() and not path.name.startswith(".") and (with_keys or public):
            yield f"keys/{path.name}", path


def _copy(source: Path, target: Path) -> None:
    """A copy of a database at one moment, whatever is written meanwhile; writers do not wait for it."""
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=30.0)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        target.chmod(0o600)
        reading.backup(writing, pages=-1)
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, whole in itself


def _forget_secrets(copy: Path) -> None:
    """What opens doors elsewhere, or here: passwords of mail servers, shared secrets, sessions and tokens."""
    with closing(sqlite3.connect(copy)) as database:
        database.execute("PRAGMA secure_delete = ON")
        there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for statement, table in (
            ("UPDATE alarm_channel SET secret = NULL", "alarm_channel"),
            ("DELETE FROM kept_value WHERE name LIKE 'secret %'", "kept_value"),
            ("DELETE FROM session", "session"),
            ("DELETE FROM token", "token"),
        ):
            if table in there:
                database.execute(statement)
        database.commit()
        database.execute("VACUUM")


@contextmanager
def _made(part: Path) -> Iterator[IO[bytes]]:
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def _write(
    out: IO[bytes], members: dict[str, Path], party: str, passphrase: str | None, *, at_s: float, with_keys: bool
) -> None:
    sizes = {name: path.stat().st_size for name, path in members.items()}
    hashes = {name: _hash(path) for name, path in members.items()}
    manifest = {
        "format": "keepclear backup", "version": 1, "party": party, "made": to_text(at_s), "program": __version__,
        "has_keys": with_keys,
        "members": [{"name": name, "size": sizes[name], "sha256": hashes[name]} for name in members],
    }  # fmt: skip
    sealer = Sealer(out, passphrase)
    with tarfile.open(fileobj=sealer, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        told = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
        tar.addfile(_info(MANIFEST, len(told)), io.BytesIO(told))
        for name, path in members.items():
            with path.open("rb") as source:
                tar.addfile(_info(name, sizes[name]), source)
    sealer.finish()


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while part := source.read(_AT_ONCE):
            digest.update(part)
    return digest.hexdigest()
