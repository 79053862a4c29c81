"""Logs in one SQLite file: one process writes, others may read beside it.

Beside ``record.db`` stand SQLite's own ``-wal`` and ``-shm``, ``-lock`` (held by the writer), and ``-signed`` (see
`keepclear.store.marks`). They belong together: who copies a log away copies all of them, with the writer stopped.

*Write-ahead log, synchronous FULL*: a commit returns after one fsync. On opening for writing, and on `reread`, the
write-ahead log is first copied into the database and truncated, which syncs it: so what is read then is what is
durable, even where an fsync had failed and the operating system showed pages that never reached the disk.

*Transactions* are begun by us (``BEGIN IMMEDIATE`` to write, ``BEGIN`` to read). Python's driver would begin them
late, without the write lock, and only for some statements; it is put in autocommit mode and told every step.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from keepclear.errors import StoreError
from keepclear.record.merkle import EMPTY_ROOT
from keepclear.store.files import sync_folder
from keepclear.store.foreign import Foreign, cause_of
from keepclear.store.log_store import DamagedError, Mark, SignedHead, UnknownOutcomeError
from keepclear.store.marks import Marks, writer_pid
from keepclear.store.sql_store import SqlLogStore
from keepclear.store.sqlite_schema import settle_sqlite

__all__ = ["SqliteStore"]

_BUSY_MS = 5000
# What the driver raises when the bytes of the file are not those of a sound database.
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_MISMATCH)


class SqliteStore(SqlLogStore):
    """A `LogStore` in a SQLite file.

    Parameters
    ----------
    path
        The file. It is made if it is not there and may be written.
    readonly
        Open beside a writer; nothing is changed and no lock is taken.
    connect
        Opens the driver's connection; tests give one that fails on purpose.

    Raises
    ------
    StoreError
        If another process has it open for writing, if it is no file of ours, if its schema is newer than this program,
        or if the disk refuses.
    DamagedError
        If the file cannot be read as a database.
    """

    def __init__(
        self, path: Path, *, readonly: bool = False, connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    ) -> None:
        super().__init__()
        self._path = Path(path)
        self._readonly = readonly
        self._driver_connect = connect
        self._guard = threading.RLock()
        self._generation = 0
        self._unknown = ""
        self._closed = False
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._marks: Marks | None = None
        self._lock: FileLock | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def generation(self) -> int:
        """See `LogStore.generation`."""
        return self._generation

    def reread(self) -> None:
        """See `LogStore.reread`."""
        with self._guard:
            self._must_be_open()
            self._generation += 1
            self._ids.clear()
            self._unknown = "it could not be reread"  # until it has been
            with _FOREIGN.as_ours(self.name, "reread"):
                self._disconnect()
                self._connect()
            self._unknown = ""

    def close(self) -> None:
        """See `LogStore.close`."""
        with self._guard:
            # Whatever was acknowledged is durable: a failure to tidy up has nothing to say to the caller.
            with suppress(*_FOREIGN.types):
                self._disconnect()
            self._connection = None
            if self._lock is not None:
                lock, self._lock = self._lock, None
                lock.release()
            self._closed = True

    def mark(self, origin: str) -> Mark | None:
        """See `LogStore.mark`."""
        with self._guard:
            return self._marks.get(origin) if self._marks else None

    def put_mark(self, origin: str, mark: Mark) -> None:
        """See `LogStore.put_mark`."""
        with self._guard:
            self._must_be_open()
            if self._readonly or self._marks is None:
                raise StoreError(f"{self.name} is open for reading only")
            try:
                self._marks.put(origin, mark)
            except OSError as error:
                self._unknown = f"the mark of {origin} could not be written ({error})"
                raise UnknownOutcomeError(f"{self.name}: {self._unknown}; reread before going on") from error

    def create(self, origin: str, *, key: str, own: bool, head: SignedHead | None = None) -> None:
        """See `LogStore.create`. The mark comes first: a log without one counts as restored."""
        if all(log.origin != origin for log in self.logs()):
            self.put_mark(origin, Mark(0, EMPTY_ROOT))
        super().create(origin, key=key, own=own, head=head)

    def erase_body(self, origin: str, number: int) -> None:
        """See `LogStore.erase_body`: ``secure_delete`` blanks the pages, and the write-ahead log is emptied too."""
        super().erase_body(origin, number)
        with self._guard, _FOREIGN.as_ours(self.name, "erase a body"):
            self._empty_wal(self._live())

    def faults(self) -> tuple[str, ...]:
        """See `LogStore.faults`."""
        try:
            with self.reading() as connection:
                rows = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars()
                return tuple(line for line in map(str, rows) if line != "ok")
        except DamagedError as error:
            return (str(error),)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `SqlLogStore.reading`."""
        with self._guard, _FOREIGN.as_ours(self.name, "read"):
            connection = self._live()
            if _driver(connection).in_transaction:  # in the middle of `append`, by what gives it its parts
                yield connection
                return
            # Straight to the driver, here and below: SQLAlchemy takes ten times as long as SQLite.
            _driver(connection).execute("BEGIN").close()
            try:
                yield connection
            finally:
                self._roll_back(connection)

    @contextmanager
    def writing(self, origin: str = "") -> Iterator[Connection]:  # noqa: ARG002  # one writer for the whole file
        """See `SqlLogStore.writing`."""
        with self._guard, _FOREIGN.as_ours(self.name, "write"):
            connection = self._live()
            if self._readonly:
                raise StoreError(f"{self.name} is open for reading only")
            try:
                _driver(connection).execute("BEGIN IMMEDIATE").close()
                yield connection
            except BaseException:
                self._roll_back(connection)
                raise
            try:
                _driver(connection).execute("COMMIT").close()
            except BaseException as error:
                self._unknown = f"a commit was not confirmed ({_reason(error)})"
                raise UnknownOutcomeError(
                    f"{self.name}: {self._unknown}; whether it was kept is not known, reread before going on"
                ) from error

    def _roll_back(self, connection: Connection) -> None:
        """End a transaction without keeping it; where even that fails, nothing is known any more."""
        try:
            if _driver(connection).in_transaction:
                _driver(connection).execute("ROLLBACK").close()
        except BaseException as error:
            self._unknown = f"a transaction could not be ended ({_reason(error)})"
            raise UnknownOutcomeError(f"{self.name}: {self._unknown}; reread before going on") from error

    def _live(self) -> Connection:
        self._must_be_open()
        if self._unknown or self._connection is None:
            raise UnknownOutcomeError(f"{self.name}: {self._unknown}; reread before going on")
        return self._connection

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self.name} is closed")

    def _open(self) -> None:
        with _FOREIGN.as_ours(self.name, "open"):
            if self._readonly:
                if not self._path.is_file():
                    raise StoreError(f"{self.name}: there is no such file")
            else:
                # Looked at first: taking the lock would make the folders that are missing.
                if self._path.is_dir() or not self._path.parent.is_dir():
                    raise StoreError(f"{self.name}: not a file in a folder that is there")
                self._take_lock()
                # Bodies are nobody else's business: the file is its owner's alone from the beginning.
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connect()
            if not self._readonly:
                sync_folder(self._path.parent)

    def _take_lock(self) -> None:
        lock = FileLock(self._beside("-lock"), timeout=0, thread_local=False, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            pid = writer_pid(self._beside("-signed"))
            who = f"process {pid}" if pid else "another process"
            raise StoreError(
                f"{self.name} is open for writing in {who}; one process writes a store at a time, others may read it"
            ) from None
        self._lock = lock

    def _connect(self) -> None:
        # Marks are read before the database: a reader beside a writer then finds a database that is at or past its
        # marks.
        self._marks = Marks(self._beside("-signed"), pid=None if self._readonly else os.getpid())
        self._engine = create_engine(
            "sqlite://", creator=self._driver_connection, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        self._connection = self._engine.connect()
        if not self._readonly:
            self._empty_wal(self._connection)
        settle_sqlite(self._connection, self.name, readonly=self._readonly)

    def _driver_connection(self) -> sqlite3.Connection:
        mode = ("ro&immutable=1" if self._is_unwritable() else "ro") if self._readonly else "rw"
        uri = f"file:{quote(str(self._path.absolute()))}?mode={mode}"
        driver = self._driver_connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000
        )
        try:
            for pragma in _pragmas(readonly=self._readonly):
                driver.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            driver.close()
            raise
        return driver

    def _is_unwritable(self) -> bool:
        """Whether nobody writes here, as on a read-only medium: there SQLite's shared memory cannot be made either."""
        wal = self._beside("-wal")
        return not os.access(self._path.parent, os.W_OK) and not (wal.exists() and wal.stat().st_size)

    def _empty_wal(self, connection: Connection) -> None:
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
        if busy:
            raise StoreError(f"{self.name}: a reader keeps the write-ahead log from being emptied; close it, try again")

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        marks, self._marks = self._marks, None
        engine, self._engine = self._engine, None
        try:
            if connection is not None:
                # Closes the driver's connection without asking it for a roll-back first, which may be what fails;
                # closing ends a transaction anyway.
                connection.invalidate()
                connection.close()
        finally:
            if engine is not None:
                engine.dispose()
            if marks is not None:
                marks.close()

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)


def _pragmas(*, readonly: bool) -> tuple[str, ...]:
    both = ("foreign_keys = ON", f"busy_timeout = {_BUSY_MS}", "trusted_schema = OFF", "cell_size_check = ON")
    if readonly:
        return (*both, "query_only = ON")
    return (*both, "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "journal_size_limit = 4194304")


def _driver(connection: Connection) -> sqlite3.Connection:
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _is_damage(error: BaseException) -> bool:
    cause = cause_of(error)
    if isinstance(cause, (OverflowError, MemoryError, UnicodeError)):
        return True
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None:  # errors that Python's driver finds itself
        return "decode to UTF-8" in str(cause)
    # An extended code holds the primary one in its low byte. A table that is missing from the file is damage as well:
    # our statements do not name any other.
    return code & 0xFF in _DAMAGE or (code & 0xFF == sqlite3.SQLITE_ERROR and "no such" in str(cause))


def _reason(error: BaseException) -> str:
    cause = cause_of(error)
    return " ".join(str(cause).split()) or type(cause).__name__


_FOREIGN = Foreign(
    (SQLAlchemyError, sqlite3.Error, OSError, OverflowError, MemoryError, UnicodeError),
    _is_damage,
    _reason,
    "the file and its companions",
)
