"""The node's own database: what it keeps besides the logs.

Two kinds of tables. *Facts* are what only this node knows: users, drafts, when something arrived, what was told to
whom. They are in backups, and migrated when a newer program opens them. *Projections* are what the logs and the facts
say, in a form that can be searched; they can be dropped and made again at any time, and are, by themselves, when this
program makes them otherwise than the one before (`NodeDatabase.stale` tells that they are empty for that reason).

One transaction writes at a time, in all of the node's processes: SQLite knows nothing else, and on PostgreSQL an
advisory lock sees to the same. So what is right on one is right on the other: numbers only grow in the order in which
they are seen, nothing deadlocks, and nobody overwrites what he has not read. Reading waits for nobody, and sees one
picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from keepclear.errors import KeepclearError, StoreError
from keepclear.store.node.backends import Backend, PostgresBackend, SqliteBackend

__all__ = ["NodeDatabase", "facts", "projections"]

facts = MetaData()
"""Tables of what only this node knows."""
projections = MetaData()
"""Tables of what can be made again from the logs and the facts."""


class NodeDatabase:
    """The node's tables. Any thread may use it; made by `open`.

    Parameters
    ----------
    backend
        SQLite's or PostgreSQL's part.
    readonly
        Nothing is changed.
    """

    def __init__(self, backend: Backend, *, readonly: bool) -> None:
        self._backend = backend
        self._errors: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, *backend.errors)
        self._readonly = readonly
        self._write_lock = threading.Lock()
        self._closed = False
        self.stale = False
        """Whether the projections were made anew, and empty, when this was opened."""

    @classmethod
    def open(cls, url_or_path: str | Path, *, readonly: bool = False) -> Self:
        """Open the database of a node, and make or migrate its tables.

        Parameters
        ----------
        url_or_path
            A SQLite file, made if it is not there and may be; or ``postgresql://…``, where the tables stand in the
            schema ``keepclear_node``.

        Raises
        ------
        InputError
            If the address is none.
        StoreError
            If it cannot be opened, is no database of a node, or is newer than this program.
        """
        backend: Backend
        if isinstance(url_or_path, str) and "://" in url_or_path:
            backend = PostgresBackend(url_or_path, readonly=readonly)
        else:
            backend = SqliteBackend(Path(url_or_path), readonly=readonly)
        database = cls(backend, readonly=readonly)
        try:
            database._settle()
        except BaseException:
            database.close()
            raise
        return database

    @property
    def name(self) -> str:
        """What to call it in a message: the file's path, or the server's address without passwords."""
        return self._backend.name

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which SQL it speaks."""
        return self._backend.dialect

    @property
    def backend(self) -> Backend:
        """SQLite's or PostgreSQL's part, for `keepclear.store.node.leading`."""
        return self._backend

    def reading(self) -> AbstractContextManager[Connection]:
        """One picture of the tables, whatever is written meanwhile. Many threads at once."""
        return _Reading(self._backend, self._must_be_open, self._errors, self._told)

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction that writes: kept when the block ends, and not at all if it raises. One at a time.

        It must be short, and must not wait for anybody: all others who write wait for it.

        Parameters
        ----------
        durable
            Return when it is on the disk. Without that it is kept whole or not at all all the same, but a power cut
            may take the last moment away: enough for what can be made again.

        Raises
        ------
        StoreError
            If it could not be kept.
        """
        with self._foreign("write"):
            with self._write_lock:
                self._must_be_open()
                if self._readonly:
                    raise StoreError(f"{self.name} is open for reading only")
                with self._backend.connection(writing=True) as connection:
                    self._backend.begin_writing(connection)
                    try:
                        yield connection
                    except BaseException:
                        self._backend.roll_back(connection)
                        raise
                    self._backend.commit(connection)
            if durable:
                self._backend.make_durable()

    def make_durable(self) -> None:
        """Return when all that was written before is on the disk.

        Raises
        ------
        StoreError
            If that cannot be.
        """
        with self._foreign("write"):
            self._backend.make_durable()

    def rebuild_projections(self) -> None:
        """Drop the projections and make them anew, empty; who fills them starts from the first entry."""
        from keepclear.store.node.schema import make_projections

        with self.writing() as connection:
            make_projections(connection)
        self.stale = True

    def close(self) -> None:
        """Let go of it; a second call does nothing."""
        self._closed = True
        with suppress(SQLAlchemyError, OSError, *self._backend.errors):
            self._backend.close()

    def _settle(self) -> None:
        from keepclear.store.node.schema import settle_tables

        with self._foreign("open"), self._backend.alone() as connection:
            self.stale = settle_tables(connection, self._backend, readonly=self._readonly)

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self.name} is closed")

    @contextmanager
    def _foreign(self, doing: str) -> Iterator[None]:
        """Give the errors of the driver and the operating system as ours."""
        try:
            yield
        except KeepclearError:
            raise
        except self._errors as error:
            raise self._told(error, doing) from error

    def _told(self, error: BaseException, doing: str) -> StoreError:
        return StoreError(f"{self.name}: could not {doing}: {_reason(error)}")


class _Reading:
    """What `NodeDatabase.reading` gives. A filing reads six times: generators would take as long as what is read."""

    __slots__ = ("_backend", "_check", "_connection", "_foreign", "_lent", "_told")

    def __init__(
        self,
        backend: Backend,
        check: Callable[[], None],
        foreign: tuple[type[Exception], ...],
        told: Callable[[BaseException, str], StoreError],
    ) -> None:
        self._backend, self._check, self._foreign, self._told = backend, check, foreign, told

    def __enter__(self) -> Connection:
        try:
            self._check()
            self._lent: AbstractContextManager[Connection] = self._backend.connection()
            connection: Connection = self._lent.__enter__()
            self._connection = connection
            try:
                self._backend.begin_reading(connection)
            except BaseException:
                self._end()
                raise
        except KeepclearError:
            raise
        except self._foreign as error:
            raise self._told(error, "read") from error
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end()
        except self._foreign as failed:
            raise self._told(failed, "read") from failed
        if isinstance(error, self._foreign) and not isinstance(error, KeepclearError):
            raise self._told(error, "read") from error

    def _end(self) -> None:
        try:
            self._backend.roll_back(self._connection)
        finally:
            self._lent.__exit__(None, None, None)


def _reason(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    # The driver's own text goes on with the row that was refused, and what is nobody's business may be in it.
    told = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return " ".join(told.split()) or type(cause).__name__
