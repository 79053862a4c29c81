"""The tables in a PostgreSQL database: made and migrated while nobody else has them open.

Every process holds a shared lock for as long as it is connected; who makes or migrates the tables takes it alone. So no
process ever runs on tables that were changed under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from keepclear.errors import StoreError
from keepclear.store import tables
from keepclear.store.schema import VERSION_TABLE, check_version, make_tables, migrate_tables, table_version

__all__ = ["settle_postgres"]

# By schema: a database may hold several stores.
_KEY = "hashtextextended('keepclear tables/' || current_schema(), 0)"
_LOCK_NOT_AVAILABLE = "55P03"


def settle_postgres(connection: Connection, name: str, *, readonly: bool) -> None:
    """Make the tables where there are none, migrate older ones, refuse newer ones and other programs'.

    Afterwards the connection holds the shared lock.

    Raises
    ------
    StoreError
        If they are refused, others have them open, or they cannot be migrated; then they are as they were.
    """
    copy = f"make a copy with: pg_dump --format=custom --file=keepclear.dump {name}"
    while True:
        connection.execute(text(f"SELECT pg_advisory_lock_shared({_KEY})"))
        version = table_version(connection, name)
        if version is not None:
            check_version(version, name, readonly=readonly, copy=copy)
        if version == tables.SCHEMA_VERSION or (version is not None and readonly):
            return
        if readonly:
            raise StoreError(f"{name} is not a keepclear store: it has no table {VERSION_TABLE}")
        connection.execute(text(f"SELECT pg_advisory_unlock_shared({_KEY})"))
        with _alone(connection, name):
            version = table_version(connection, name)  # another may have been here first
            if version is None:
                _must_be_free(connection, name)
                make_tables(connection)
            elif version < tables.SCHEMA_VERSION:
                migrate_tables(connection, name, version=version, copy=copy)


@contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    # Where the block fails, the caller closes the connection, which rolls back.
    connection.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    try:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_KEY})"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            problem = "its tables must be made or migrated, and other processes have them open: stop those first"
            raise StoreError(f"{name}: {problem}") from error
        raise
    yield
    connection.exec_driver_sql("COMMIT")


def _must_be_free(connection: Connection, name: str) -> None:
    taken = sorted({table.name for table in tables.metadata.sorted_tables} & set(inspect(connection).get_table_names()))
    if taken:
        raise StoreError(
            f"{name} is not a keepclear store, and has tables named {', '.join(taken)}: give keepclear a database or a "
            "schema of its own"
        )
