"""The folder of a party's node: what `PartyFolder` keeps, and what a running node has besides.

::

    settings.toml           what was set (`keepclear.node.settings`)
    keys/                   the party's keys (`keepclear.store.party_folder`)
    record.db …             the logs; on PostgreSQL only their marks, ``record-signed``
    node.db …               what the node keeps besides (`keepclear.store.node.database`)
    run/lock                held by the node that runs, and by a command that works in its place
    run/node.json           where it is reached, and its process; there while it runs
    run/local-token         lets the owner of the folder in from this machine
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from keepclear.errors import Fault, InputError, StoreError
from keepclear.node.settings import Settings, write_settings
from keepclear.store.files import write_whole
from keepclear.store.party_folder import PartyFolder
from keepclear.store.party_keys import Passphrase

if TYPE_CHECKING:
    from keepclear.store.log_store import LogStore
    from keepclear.store.node.database import NodeDatabase

__all__ = ["NodeFolder", "Running"]


@dataclass(frozen=True, slots=True)
class Running:
    """A node that runs.

    Attributes
    ----------
    url
        Where it is reached from this machine.
    pid
        The process that holds the lock.
    certificate
        The file of the certificate that it serves with; empty without TLS.
    """

    url: str
    pid: int
    certificate: str = ""


class NodeFolder(PartyFolder):
    """The folder of a node.

    Parameters
    ----------
    path
        Where it is.
    passphrase
        How to come by the passphrase of sealed keys; None: the first line of the file that the setting
        ``passphrase_file`` names.
    options
        Settings that were said on the command line.
    environment
        Of the process; None is its own.

    Raises
    ------
    InputError
        If it is no party's folder, or a setting is wrong.
    """

    def __init__(
        self,
        path: Path,
        *,
        passphrase: Passphrase | None = None,
        options: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        path = Path(path)
        self._options = dict(options or {})
        self._environment = dict(os.environ if environment is None else environment)
        if not (path / "keys" / "identity.vkey").exists():
            right = f"set one up: keepclear init {path} --party NAME"
            raise InputError(Fault("there is no node in this folder", right, str(path)))
        super().__init__(path, passphrase=passphrase or self._passphrase_of_file)

    @classmethod
    def create(cls, path: Path, party: str, *, sealed_with: str | None = None, name: str = "") -> Self:
        """Make a folder with a new identity, or go on from where that was cut off.

        Parameters
        ----------
        sealed_with
            The passphrase of the keys; None leaves them readable by their owner.
        name
            What people call the party.

        Raises
        ------
        InputError
            If a name is none, or there is a party's folder already.
        """
        PartyFolder.create(path, party, sealed_with=sealed_with)
        write_settings(path, {"name": name or party})
        return cls(path, passphrase=None if sealed_with is None else lambda _: sealed_with)

    @cached_property
    def settings(self) -> Settings:
        """The settings, read once."""
        return Settings.read(self.path, environment=self._environment, options=self._options)

    @property
    def run(self) -> Path:
        """Where the running node leaves what others on this machine need."""
        return self.path / "run"

    def open_records(self, *, readonly: bool = False) -> LogStore:
        """The store of the logs: SQLite's file, or PostgreSQL where the setting ``database`` says so."""
        if not self.settings.database:
            from keepclear.store.sqlite import SqliteStore

            return SqliteStore(self._store_path, readonly=readonly)
        from keepclear.store.postgres import PostgresStore

        return PostgresStore(self.settings.database, marks=self.path / "record-signed", readonly=readonly)

    def open_database(self, *, readonly: bool = False) -> NodeDatabase:
        """What the node keeps besides the logs."""
        from keepclear.store.node.database import NodeDatabase

        return NodeDatabase.open(self.settings.database or self.path / "node.db", readonly=readonly)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only node of this folder while the block lasts; its workers are part of it.

        Raises
        ------
        StoreError
            If another runs.
        """
        self._make_run()
        lock = FileLock(self.run / "lock", timeout=0, thread_local=False, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            running = self.running()
            who = f"process {running.pid}, at {running.url}" if running else "another process"
            raise StoreError(f"{self.path}: the node of this folder runs already: {who}") from None
        try:
            yield
        finally:
            with suppress(OSError):
                (self.run / "node.json").unlink(missing_ok=True)
            lock.release()

    def announce(self, url: str, *, certificate: Path | None = None) -> None:
        """Leave word where the node is reached from this machine; who holds the lock does this."""
        self._make_run()
        told = json.dumps(asdict(Running(url, os.getpid(), str(certificate.absolute()) if certificate else "")))
        write_whole(self.run / "node.json", told.encode(), mode=0o600)

    def running(self) -> Running | None:
        """The node that runs, as it was announced; None if none was, or its process has gone."""
        try:
            found: Any = json.loads((self.run / "node.json").read_bytes())
            running = Running(str(found["url"]), int(found["pid"]), str(found.get("certificate", "")))
            os.kill(running.pid, 0)
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None
        return running

    def local_token(self, *, make: bool = False) -> str | None:
        """The secret that lets the folder's owner in from this machine; made where asked for, and there is none."""
        path = self.run / "local-token"
        with suppress(OSError, UnicodeDecodeError):
            text = path.read_text(encoding="ascii").strip()
            if text:
                return text
        if not make:
            return None
        self._make_run()
        with suppress(FileExistsError):
            write_whole(path, f"kcl_{secrets.token_urlsafe(32)}\n".encode(), mode=0o600, replace=False)
        return self.local_token()

    def _make_run(self) -> None:
        try:
            self.run.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.run}: cannot be made: {error.strerror or error}") from error

    def _passphrase_of_file(self, key_file: Path) -> str:
        named = self.settings.passphrase_file
        right = "name the file that has the passphrase in its first line: passphrase_file"
        if not named:
            raise InputError(Fault("the key is sealed with a passphrase", right, file=str(key_file)))
        try:
            return (self.path / named).read_text(encoding="utf-8").split("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            told = getattr(error, "strerror", None) or str(error)
            raise InputError(
                Fault(f"the passphrase cannot be read: {told}", right, file=str(self.path / named))
            ) from None
