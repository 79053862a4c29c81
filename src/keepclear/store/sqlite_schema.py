"""The tables in a SQLite file: whose file it is, and how new.

The file's header says both (``application_id``, ``user_version``), so that a program that knows nothing of the table
in which Alembic keeps the number can tell too. The two are changed in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from keepclear.errors import StoreError
from keepclear.store import tables
from keepclear.store.schema import check_version, make_tables, migrate_tables, stamp_tables, table_version

__all__ = ["settle_sqlite"]

_APPLICATION_ID = 0x6B636C72  # "kclr": tells our files from other programs' databases


def settle_sqlite(connection: Connection, name: str, *, readonly: bool) -> None:
    """Make the tables in an empty file, migrate older ones, and refuse a file that is not ours or newer than this.

    Raises
    ------
    StoreError
        If it is refused, or cannot be migrated; then it is as it was.
    """
    application = connection.exec_driver_sql("PRAGMA application_id").scalar()
    version = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if application == _APPLICATION_ID and isinstance(version, int) and version > 0:
        copy = f"copy {name} and the files beside it whose names begin so"
        check_version(version, name, readonly=readonly, copy=copy)
        if readonly:
            return
        stamped = table_version(connection, name)
        if stamped not in (None, version):
            raise StoreError(f"{name} says in its header that its schema is {version}, and in its tables {stamped}")
        if version == tables.SCHEMA_VERSION == stamped:
            return
        with _transaction(connection):
            if stamped is None:  # from before there was anything to migrate
                stamp_tables(connection, version)
            if version != tables.SCHEMA_VERSION:
                migrate_tables(connection, name, version=version, copy=copy)
                connection.exec_driver_sql(f"PRAGMA user_version = {tables.SCHEMA_VERSION}")
        return
    found = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
    if found or application or version or readonly:
        raise StoreError(f"{name} is not a keepclear store (application id {application}, schema {version})")
    with _transaction(connection):
        make_tables(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {tables.SCHEMA_VERSION}")


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    # Where the block fails, the caller closes the connection, which rolls back.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    yield
    connection.exec_driver_sql("COMMIT")
