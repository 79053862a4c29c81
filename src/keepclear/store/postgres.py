"""Logs in PostgreSQL, 15 or later: several processes of one node write them.

*One writer a log.* A transaction that writes first takes an advisory lock made of the log's origin, held to its end.
It runs READ COMMITTED, in which every statement sees what was committed before that statement: so what is read after
the lock was granted is what the last writer left. (In REPEATABLE READ the wait for the lock would already have fixed
the picture, and the log would be read as it was before the other wrote.) Two workers that append to one log take
turns; the second finds a greater size than it expected, signs nothing and is told so. The primary key of the
checkpoints would refuse a second one of a size even so. Reading is REPEATABLE READ: one picture for all its statements.

*A commit that was not confirmed* (the connection was lost, or a standby's answer was no longer waited for) may still
be going on in the server when we ask again. So `PostgresStore.reread` takes the log's lock before it looks: the
transaction is over then, one way or the other.

*The mark* (see `keepclear.store.marks`) is in a file of the node's own folder, beside the keys, which the node's
processes share: a database that was put back from a copy, or a standby that took over without the last commits, is
behind it. It is looked at when a log is opened, and again within each transaction before anything is signed, since a
server can be put back while we run. The database names the one file that counts, by a number: from another folder,
whose marks know less, nothing is signed, until `Log.confirm` has moved the marks there.

*What is durable* is what the server makes of it: `keepclear.store.postgres_server` refuses one that does not care.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, delete, insert, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from keepclear.errors import StoreError
from keepclear.record.merkle import EMPTY_ROOT
from keepclear.store import tables
from keepclear.store.files import sync_folder
from keepclear.store.foreign import Foreign, cause_of
from keepclear.store.log_store import DamagedError, Growth, Mark, SignedHead, UnknownOutcomeError
from keepclear.store.marks import SharedMarks
from keepclear.store.postgres_schema import settle_postgres
from keepclear.store.postgres_server import check_server, connected, postgres_url, server_name
from keepclear.store.sql_store import SqlLogStore

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresStore"]

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('keepclear log/' || current_schema() || '/' || :origin, 0))"
)
_MARKS = "marks"  # the setting that names the file of marks
_OWN = select(tables.log.c.own).where(tables.log.c.origin == bindparam("origin_"))
_NAMED = select(tables.setting.c.value).where(tables.setting.c.name == _MARKS)
_CHECKSUMS = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
# Damaged pages and indexes, files, tables and columns that are gone: our statements name no others.
_DAMAGE = ("XX001", "XX002", "58P01", "42P01", "42703")


class PostgresStore(SqlLogStore):
    """A `LogStore` in a PostgreSQL database.

    Parameters
    ----------
    url
        ``postgresql://USER@HOST:PORT/DATABASE``; what else libpq understands (``sslmode``, ``options`` …) may follow as
        a query. Sessions must last: a pooler that gives each transaction another one will not do.
    marks
        The file of marks, in the node's own folder. All processes that write share it, on one machine.
    readonly
        Nothing is changed; a standby will do.
    statement_timeout_s, lock_timeout_s
        How long the server may work on a statement, and let it wait for another writer.

    Raises
    ------
    InputError
        If `url` is no address of a PostgreSQL database.
    StoreError
        If the server cannot be reached or would lose what it acknowledges, if the tables are not ours or newer than
        this program, or if they must be migrated while others have them open.
    """

    def __init__(
        self,
        url: str,
        *,
        marks: Path,
        readonly: bool = False,
        statement_timeout_s: float = 60.0,
        lock_timeout_s: float = 30.0,
    ) -> None:
        super().__init__()
        self._url = postgres_url(url)
        self._name = server_name(self._url)
        self._marks_path = Path(marks)
        self._readonly = readonly
        self._timeouts = {"statement_timeout_s": statement_timeout_s, "lock_timeout_s": lock_timeout_s}
        self._guard = threading.RLock()
        self._generation = 0
        self._unknown = ""
        self._unsure: str | None = None  # the log whose commit was not confirmed
        self._closed = False
        self._pid = os.getpid()
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._driver: psycopg.Connection[Any] | None = None
        self._warnings: list[str] = []
        self._marks: SharedMarks | None = None
        self._bound = False
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The database's address, without passwords."""
        return self._name

    @property
    def generation(self) -> int:
        """See `LogStore.generation`; a new connection counts as well."""
        return self._generation

    def reread(self) -> None:
        """See `LogStore.reread`: what was going on in the server is over when this returns."""
        with self._guard, _FOREIGN.as_ours(self.name, "reread"):
            self._must_be_open()
            self._unknown = self._unknown or "it could not be reread"  # until it has been
            self._disconnect()
            connection = self._connect()
            if self._unsure is not None:
                try:
                    connection.exec_driver_sql(_WRITE)
                    _lock(connection, self._unsure)
                finally:
                    self._roll_back()
            self._unsure, self._unknown = None, ""

    def close(self) -> None:
        """See `LogStore.close`."""
        with self._guard:
            # Whatever was acknowledged is durable: a failure to tidy up has nothing to say to the caller.
            self._disconnect()
            marks, self._marks = self._marks, None
            if marks is not None:
                with suppress(OSError):
                    marks.close()
            self._closed = True

    # --- marks -----------------------------------------------------------------------------------------------------

    def mark(self, origin: str) -> Mark | None:
        """See `LogStore.mark`. None as well where the database names another file of marks than ours."""
        with self._guard, _FOREIGN.as_ours(self.name, "read"):
            if not self._bound:  # or another of our processes has seen to it since
                self._live()
                self._is_bound()
            return self._own_marks().get(origin) if self._bound else None

    def put_mark(self, origin: str, mark: Mark) -> None:
        """See `LogStore.put_mark`. Where the database names another file, ours, emptied, takes its place."""
        with self._guard:
            self._must_be_writable()
            if not self._bound:
                self._bind()
            try:
                self._own_marks().put(origin, mark)
            except OSError as error:
                self._unknown = f"the mark of {origin} could not be written ({error})"
                raise UnknownOutcomeError(f"{self.name}: {self._unknown}; reread before going on") from error

    def create(self, origin: str, *, key: str, own: bool, head: SignedHead | None = None) -> None:
        """See `LogStore.create`. The mark comes first: a log without one counts as restored."""
        with self._guard:
            logs = self.logs()
            if logs and not self._bound:
                raise self._marked_elsewhere()
            if all(log.origin != origin for log in logs):
                self.put_mark(origin, Mark(0, EMPTY_ROOT))
            super().create(origin, key=key, own=own, head=head)

    def append(
        self, origin: str, parts: Iterable[Growth], *, at: int, seal: Callable[[], SignedHead], brought: bool = False
    ) -> SignedHead:
        """See `LogStore.append`."""
        with self._guard:
            sealed = seal if brought else lambda: self._sealed(origin, at, seal)
            return super().append(origin, parts, at=at, seal=sealed)

    def _sealed(self, origin: str, at: int, seal: Callable[[], SignedHead]) -> SignedHead:
        """Sign, within the transaction, unless the database has been put back since it was looked at."""
        assert self._connection is not None
        if not self._is_bound():
            raise self._marked_elsewhere()
        mark = self._own_marks().get(origin)
        own = self._connection.execute(_OWN, {"origin_": origin}).scalar()
        if own and mark is None:
            raise StoreError(f"{self.name}: the mark of {origin} has gone; nothing is signed: open the log anew")
        if own and mark is not None and mark.size > at:
            raise DamagedError(
                f"{self.name}: {mark.size} entries of {origin} were signed, and only {at} are there: an older copy was "
                "put back, or a standby took over without the last commits. Nothing was signed"
            )
        return seal()

    def _is_bound(self) -> bool:
        """Whether the database names our file of marks, as the transaction sees it."""
        assert self._connection is not None
        named = self._connection.execute(_NAMED).scalar()
        self._bound = named is not None and named == self._own_marks().number
        return self._bound

    def _bind(self) -> None:
        """Let the database name our file, from now on; what stands in it may be old, and is forgotten first."""
        with self.writing() as connection:
            if self._is_bound():  # another of our processes has been here
                return
            row = {"name": _MARKS, "value": self._own_marks().renew()}
            connection.execute(delete(tables.setting).where(tables.setting.c.name == _MARKS))
            connection.execute(insert(tables.setting), row)
        self._bound = True

    def _marked_elsewhere(self) -> StoreError:
        return StoreError(
            f"{self.name}: what was signed last is remembered in another folder than {self._marks_path.parent}: "
            "write from there; or, if that is lost, confirm each log of your own here with a checkpoint that another "
            "party holds"
        )

    def _own_marks(self) -> SharedMarks:
        assert self._marks is not None
        return self._marks

    # --- erasing and looking for damage ----------------------------------------------------------------------------

    def erase_body(self, origin: str, number: int) -> None:
        """See `LogStore.erase_body`. The row is gone at once, its bytes not yet.

        PostgreSQL leaves them in the table's file until the space is used again or ``VACUUM FULL body, attachment``
        has been run, and in its write-ahead log, archives and standbys for as long as those are kept. Unlike SQLite
        it offers no way to overwrite them.
        """
        super().erase_body(origin, number)

    def faults(self) -> tuple[str, ...]:
        """See `LogStore.faults`: pages whose checksum failed, where the cluster has checksums."""
        try:
            with self.reading() as connection:
                failed = connection.exec_driver_sql(_CHECKSUMS).scalar()
        except DamagedError as error:
            return (str(error),)
        return (f"{failed} pages failed their checksum",) if failed else ()

    # --- transactions ----------------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `SqlLogStore.reading`. Within a transaction that writes (parts may be read from the store), in that."""
        with self._guard, _FOREIGN.as_ours(self.name, "read"):
            if self._connection is not None and self._driver is not None and not self._is_lost():
                within = self._driver.info.transaction_status.name == "INTRANS"
                if within and not self._unknown:
                    self._must_be_open()
                    yield self._connection
                    return
            try:
                yield self._begin(_READ)
            finally:
                self._roll_back()

    @contextmanager
    def writing(self, origin: str = "") -> Iterator[Connection]:
        """See `SqlLogStore.writing`."""
        with self._guard, _FOREIGN.as_ours(self.name, "write"):
            self._must_be_writable()
            try:
                yield self._begin_alone(origin)
            except BaseException:
                self._roll_back()
                raise
            self._commit(origin)

    def _begin_alone(self, origin: str) -> Connection:
        connection = self._begin(_WRITE)
        _lock(connection, origin)
        return connection

    def _begin(self, statement: str) -> Connection:
        """Begin a transaction, on a new connection if the server let go of the old one while nothing was going on."""
        connection = self._live()
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError:
            if not self._is_lost():
                raise
            self._disconnect()
            connection = self._live()
            connection.exec_driver_sql(statement)
        return connection

    def _commit(self, origin: str) -> None:
        assert self._driver is not None
        self._warnings.clear()
        # The server's own timeout does not count what it waits for a standby: we break that off.
        patience = threading.Timer(self._timeouts["statement_timeout_s"], self._driver.cancel)
        patience.daemon = True
        patience.start()
        try:
            done = self._driver.execute("COMMIT", prepare=False).statusmessage
        except BaseException as error:
            raise self._not_confirmed(origin, _reason(error)) from error
        finally:
            patience.cancel()
        if done != "COMMIT":  # what the server says when it has rolled back instead
            raise StoreError(f"{self.name}: the transaction had failed ({done}); nothing was kept")
        if self._warnings:  # waiting for a standby was broken off: the commit is here, and may not be there
            raise self._not_confirmed(origin, "; ".join(self._warnings))

    def _not_confirmed(self, origin: str, problem: str) -> UnknownOutcomeError:
        self._disconnect()
        self._unsure, self._unknown = origin, f"a commit was not confirmed ({problem})"
        return UnknownOutcomeError(
            f"{self.name}: {self._unknown}; whether it was kept is not known, reread before going on"
        )

    def _roll_back(self) -> None:
        """End a transaction without keeping it. Without a COMMIT nothing is kept, so where this fails we hang up."""
        if self._driver is None or self._connection is None:
            return
        try:
            if self._driver.info.transaction_status.name != "IDLE":
                self._driver.execute("ROLLBACK")
        except Exception:  # noqa: BLE001  # whatever it is, the server rolls back when the connection is gone
            self._disconnect()
        except BaseException:
            self._disconnect()
            raise

    # --- the connection --------------------------------------------------------------------------------------------

    def _live(self) -> Connection:
        self._must_be_open()
        if self._unknown:
            raise UnknownOutcomeError(f"{self.name}: {self._unknown}; reread before going on")
        if self._connection is None or self._is_lost():
            self._disconnect()
            return self._connect()
        return self._connection

    def _is_lost(self) -> bool:
        return self._driver is None or self._driver.closed

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self.name} is closed")
        if os.getpid() != self._pid:
            raise StoreError(f"{self.name} was opened in another process; each opens it for itself")

    def _must_be_writable(self) -> None:
        self._must_be_open()
        if self._readonly:
            raise StoreError(f"{self.name} is open for reading only")

    def _open(self) -> None:
        with _FOREIGN.as_ours(self.name, "open"):
            if not self._readonly and not self._marks_path.parent.is_dir():
                raise StoreError(f"{self._marks_path}: not a file in a folder that is there")
            # Marks are read before the database, which is then at or past them.
            self._marks = SharedMarks(self._marks_path, pid=None if self._readonly else os.getpid())
            self._connect()
            if not self._readonly:
                sync_folder(self._marks_path.parent)

    def _connect(self) -> Connection:
        """Connect, check the server and the tables, and see whether our marks are the ones that count."""
        self._generation += 1
        self._ids.clear()
        self._engine = create_engine(
            "postgresql+psycopg://", creator=self._driver_connection, poolclass=NullPool,
            isolation_level="AUTOCOMMIT", use_native_hstore=False,
        )  # fmt: skip
        try:
            self._connection = self._engine.connect()
            assert self._driver is not None
            check_server(self._connection, self.name, readonly=self._readonly)
            settle_postgres(self._connection, self.name, readonly=self._readonly)
            self._is_bound()
        except BaseException:
            self._disconnect()
            raise
        self._driver.add_notice_handler(lambda notice: self._warnings.append(notice.message_primary or "a warning"))
        return self._connection

    def _driver_connection(self) -> psycopg.Connection[Any]:
        self._driver = connected(self._url, **self._timeouts)
        return self._driver

    def _disconnect(self) -> None:
        """Hang up, without asking the server for anything first, which may be what fails."""
        connection, self._connection = self._connection, None
        driver, self._driver = self._driver, None
        engine, self._engine = self._engine, None
        if os.getpid() != self._pid:
            return  # it is our parent's, and in use there
        if driver is not None:
            driver.close()
        with suppress(*_FOREIGN.types):
            if connection is not None:
                connection.invalidate()
                connection.close()
        if engine is not None:
            engine.dispose()


def _lock(connection: Connection, origin: str) -> None:
    """Wait until nobody else writes the log, and keep others from it until the transaction ends."""
    connection.execute(_LOCK, {"origin": origin})


def _is_damage(error: BaseException) -> bool:
    cause = cause_of(error)
    if isinstance(cause, (OverflowError, MemoryError, UnicodeError)):
        return True
    return getattr(cause, "sqlstate", None) in _DAMAGE


def _reason(error: BaseException) -> str:
    cause = cause_of(error)
    # The driver's own text goes on with the row that was refused, and a body may be in it.
    told = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return " ".join(told.split()) or type(cause).__name__


_FOREIGN = Foreign(
    (SQLAlchemyError, OSError, OverflowError, MemoryError, UnicodeError), _is_damage, _reason, "the server's files"
)
