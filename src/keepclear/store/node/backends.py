"""How a transaction of the node's database begins and ends, on SQLite and on PostgreSQL.

As in the store of logs, the drivers are in autocommit mode and told every step: left to themselves they begin late,
without the lock for writing. Each thread has a connection of its own from a pool while it has a transaction.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.pool import QueuePool

from keepclear.errors import StoreError
from keepclear.store.files import sync_folder
from keepclear.store.postgres_server import check_server, connected, postgres_url, server_name

__all__ = ["Backend", "PostgresBackend", "SqliteBackend"]

_BUSY_S = 30.0  # how long to wait for another process that writes
_KEPT = 8  # connections kept open while nobody uses them
_MOST = 64  # connections at once; the threads of a server are fewer
_WAIT_S = 30.0
_STATEMENT_S = 60.0


class Backend(ABC):
    """What differs between the two."""

    dialect: Literal["sqlite", "postgresql"]
    name: str
    errors: tuple[type[Exception], ...]
    """What the driver itself raises."""

    @property
    @abstractmethod
    def copy(self) -> str:
        """How to make a copy of the database, for a message."""

    @abstractmethod
    def connection(self, *, writing: bool = False) -> Any:
        """A connection while the block lasts."""

    @abstractmethod
    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction that sees one picture."""

    @abstractmethod
    def begin_writing(self, connection: Connection) -> None:
        """Begin a transaction that writes, when nobody else has one."""

    @abstractmethod
    def alone(self) -> Any:
        """A connection while the block lasts, for making and migrating tables, in autocommit mode."""

    def make_durable(self) -> None:  # noqa: B027  # where a commit is durable by itself, there is nothing to do
        """Return when all that was committed before is on the disk."""

    def commit(self, connection: Connection) -> None:
        """Keep what was written; `make_durable` is to follow, without the lock for writing."""
        try:
            # Straight to the driver, here and in the others: SQLAlchemy takes ten times as long as SQLite.
            _driver(connection).execute("COMMIT").close()
        except BaseException:
            self.roll_back(connection)
            raise

    def roll_back(self, connection: Connection) -> None:
        """End a transaction without keeping it; a connection that cannot even do that is thrown away."""
        try:
            if self._is_within(connection):
                _driver(connection).execute("ROLLBACK").close()
        except Exception:  # noqa: BLE001  # whatever it is: closing the connection ends the transaction
            connection.invalidate()

    @abstractmethod
    def _is_within(self, connection: Connection) -> bool: ...

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""


class _Sync:
    """One sync of SQLite's write-ahead log for all who wait for it.

    SQLite itself (``synchronous = FULL``) would sync within each commit, and the next writer waits meanwhile. It is
    told not to (``NORMAL``), and the same file is synced here when the lock for writing has been let go of: who comes
    while a sync goes on shares the next one. Nobody is told that something was kept before it is durable; readers may
    see it a moment earlier.
    """

    def __init__(self, path: Path) -> None:
        self._wal = path.with_name(f"{path.name}-wal")
        self._counting, self._syncing = threading.Lock(), threading.Lock()
        self._commits = self._done = 0
        self._failed = ""
        self._folder_synced = False

    def committed(self) -> None:
        """Note that something was committed, before anybody waits for it."""
        with self._counting:
            self._commits += 1

    def wait(self) -> None:
        """Return when all that was committed before this was called is durable."""
        with self._counting:
            mine = self._commits
        with self._syncing:
            if self._failed:
                raise StoreError(self._failed)
            if self._done >= mine:
                return
            with self._counting:
                covered = self._commits
            try:
                self._sync()
            except OSError as error:
                # A second try would report success for pages that the system has thrown away.
                self._failed = (
                    f"what was written could not be synced ({error.strerror or error}): stop, look at the disk"
                )
                raise StoreError(self._failed) from error
            self._done = covered

    def _sync(self) -> None:
        handle = os.open(self._wal, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if not self._folder_synced:
            sync_folder(self._wal.parent)
            self._folder_synced = True


class _Lent:
    """A connection while a block lasts."""

    __slots__ = ("_backend", "_connection", "_writing")

    def __init__(self, backend: SqliteBackend, *, writing: bool) -> None:
        self._backend, self._writing = backend, writing

    def __enter__(self) -> Connection:
        self._connection = self._backend.lend(writing=self._writing)
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._backend.give_back(self._connection, writing=self._writing)


class SqliteBackend(Backend):
    """A SQLite file: write-ahead log, so that reading and writing do not wait for each other."""

    dialect = "sqlite"
    errors = (sqlite3.Error,)

    def __init__(self, path: Path, *, readonly: bool) -> None:
        self.name = str(path)
        self._path, self._readonly = path, readonly
        if readonly and not path.is_file():
            raise StoreError(f"{path}: there is no such file")
        if path.is_dir() or not path.parent.is_dir():
            raise StoreError(f"{path}: not a file in a folder that is there")
        if not readonly:
            try:
                # Its owner's alone from the beginning.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                sync_folder(path.parent)
            except OSError as error:
                raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
        self._sync = _Sync(path)
        self._readers = self._engine(query_only=True, most=_MOST)
        self._writer = self._engine(query_only=False, most=1) if not readonly else self._readers
        self._free: dict[bool, deque[Connection]] = {False: deque(), True: deque()}
        self._closed = False

    @property
    def copy(self) -> str:
        """See `Backend.copy`."""
        return f"copy {self.name} and the files beside it whose names begin so"

    def connection(self, *, writing: bool = False) -> _Lent:
        """See `Backend.connection`; one that was used before, if one is free: to make one takes longer than to ask."""
        writing = writing and not self._readonly
        return _Lent(self, writing=writing)

    def lend(self, *, writing: bool) -> Connection:
        """A connection that is to be given back."""
        try:
            return self._free[writing].pop()
        except IndexError:
            return (self._writer if writing else self._readers).connect()

    def give_back(self, connection: Connection, *, writing: bool) -> None:
        """Take it back."""
        free = self._free[writing]
        if self._closed or connection.invalidated or len(free) >= _KEPT or self._is_within(connection):
            connection.close()
        else:
            free.append(connection)

    def begin_reading(self, connection: Connection) -> None:
        """See `Backend.begin_reading`."""
        _driver(connection).execute("BEGIN").close()

    def begin_writing(self, connection: Connection) -> None:
        """See `Backend.begin_writing`."""
        _driver(connection).execute("BEGIN IMMEDIATE").close()

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """See `Backend.alone`: the file's own lock is enough."""
        with self.connection(writing=True) as connection:
            yield connection
        if not self._readonly:
            self._sync.committed()
            self.make_durable()

    def commit(self, connection: Connection) -> None:
        """See `Backend.commit`."""
        super().commit(connection)
        self._sync.committed()

    def make_durable(self) -> None:
        """See `Backend.make_durable`."""
        self._sync.wait()

    def close(self) -> None:
        """See `Backend.close`."""
        self._closed = True
        for free in self._free.values():
            while free:
                free.pop().close()
        self._readers.dispose()
        self._writer.dispose()

    def _is_within(self, connection: Connection) -> bool:
        return bool(_driver(connection).in_transaction)

    def _engine(self, *, query_only: bool, most: int) -> Engine:
        mode = "ro" if self._readonly else "rw"
        uri = f"file:{quote(str(self._path.absolute()))}?mode={mode}"

        def connect() -> sqlite3.Connection:
            driver = sqlite3.connect(
                uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_S,
                cached_statements=512,
            )  # fmt: skip
            try:
                for pragma in _pragmas(readonly=self._readonly, query_only=query_only):
                    driver.execute(f"PRAGMA {pragma}").close()
            except BaseException:
                driver.close()
                raise
            return driver

        return create_engine(
            "sqlite://", creator=connect, poolclass=QueuePool, isolation_level="AUTOCOMMIT",
            pool_size=min(_KEPT, most), max_overflow=most - min(_KEPT, most), pool_timeout=_WAIT_S,
            pool_reset_on_return=None, query_cache_size=2000,
        )  # fmt: skip


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _pragmas(*, readonly: bool, query_only: bool) -> tuple[str, ...]:
    limits = (f"busy_timeout = {_BUSY_S * 1000:.0f}", "cache_size = -16000")
    both = ("foreign_keys = ON", "trusted_schema = OFF", *limits)
    if readonly:
        return (*both, "query_only = ON")
    writes = ("journal_mode = WAL", "synchronous = NORMAL", "journal_size_limit = 67108864")
    return (*both, *writes, "query_only = ON") if query_only else (*both, *writes)


class PostgresBackend(Backend):
    """A schema of its own in a PostgreSQL database, which may be the one that has the logs."""

    dialect = "postgresql"

    def __init__(self, url: str, *, readonly: bool) -> None:
        self._url: URL = postgres_url(url)
        try:
            import psycopg  # who uses SQLite need not have it
        except ImportError as error:
            raise StoreError(f"PostgreSQL needs a driver: pip install 'keepclear[postgres]' ({error})") from error
        self.errors = (psycopg.Error,)
        self.name = server_name(self._url)
        self._readonly = readonly
        self.schema = ""
        self._engine = create_engine(
            "postgresql+psycopg://", creator=self._driver, poolclass=QueuePool, isolation_level="AUTOCOMMIT",
            pool_size=_KEPT, max_overflow=_MOST - _KEPT, pool_timeout=_WAIT_S, pool_pre_ping=True,
            pool_reset_on_return=None, use_native_hstore=False, query_cache_size=2000,
        )  # fmt: skip
        event.listen(self._engine, "connect", self._first_steps)

    @property
    def copy(self) -> str:
        """See `Backend.copy`."""
        return f"make a copy with: pg_dump --format=custom --schema={self.schema} --file=keepclear.dump {self.name}"

    @contextmanager
    def connection(self, *, writing: bool = False) -> Iterator[Connection]:  # noqa: ARG002  # one pool for both
        """See `Backend.connection`."""
        with self._engine.connect() as connection:
            yield connection

    def begin_reading(self, connection: Connection) -> None:
        """See `Backend.begin_reading`."""
        _driver(connection).execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").close()

    def begin_writing(self, connection: Connection) -> None:
        """See `Backend.begin_writing`.

        READ COMMITTED, so that what is read after the wait for the lock is what the last writer left.
        """
        _driver(connection).execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").close()
        self._take(connection, "writer")

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """See `Backend.alone`: others who open the database wait."""
        with self._engine.connect() as connection:
            connection.execute(text(f"SELECT pg_advisory_lock({_key('tables')})"), {"schema": self.schema})
            try:
                if not self._readonly:
                    connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
                check_server(connection, self.name, readonly=self._readonly)
                yield connection
            finally:
                connection.execute(text(f"SELECT pg_advisory_unlock({_key('tables')})"), {"schema": self.schema})

    def close(self) -> None:
        """See `Backend.close`."""
        self._engine.dispose()

    def driver(self) -> Any:
        """A connection of its own, outside the pool, for who listens or leads."""
        driver = connected(self._url, statement_timeout_s=_STATEMENT_S, lock_timeout_s=_WAIT_S)
        self._first_steps(driver)
        return driver

    def _driver(self) -> Any:
        return connected(self._url, statement_timeout_s=_STATEMENT_S, lock_timeout_s=_WAIT_S)

    def _first_steps(self, driver: Any, _record: object = None) -> None:
        (given,) = driver.execute("SELECT current_schema()").fetchone()
        # A store in a schema of its own has the node's tables beside it.
        self.schema = "keepclear_node" if given in (None, "public", "keepclear_node") else f"{given}_node"
        driver.execute("SELECT set_config('search_path', %s, false)", (f'"{self.schema}"',))
        driver.execute("SELECT set_config('synchronous_commit', 'on', false)")

    def _take(self, connection: Connection, what: str) -> None:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_key(what)})"), {"schema": self.schema})

    def _is_within(self, connection: Connection) -> bool:
        driver = _driver(connection)
        return bool(driver.closed or driver.info.transaction_status.name != "IDLE")


def _key(what: str) -> str:
    return f"hashtextextended('keepclear node {what}/' || :schema, 0)"
