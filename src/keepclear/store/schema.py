"""Which tables a database has: made, stamped with their number, and migrated to the newest.

The number stands in a table of its own, which Alembic reads and writes. New tables are made as they are today, and not
by way of their history: so that Alembic, which is slow to import, is needed only where there is something to migrate.
The caller begins and ends the transaction: all of it is done, or nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from keepclear.errors import StoreError
from keepclear.store import tables

__all__ = ["VERSION_TABLE", "check_version", "make_tables", "migrate_tables", "stamp_tables", "table_version"]

VERSION_TABLE = "keepclear_schema"
_NUMBER = re.compile(r"[0-9]{1,9}")

# As Alembic makes it, with one row that names the revision.
_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


def table_version(connection: Connection, name: str) -> int | None:
    """The number of the tables that are there; None where none was written down. `name` is what to call the store.

    Raises
    ------
    StoreError
        If what was written down is no number of ours.
    """
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(select(_version.c.version_num)).scalars().all()
    # A damaged file gives whatever its bytes happen to be, not only text.
    if len(found) != 1 or not isinstance(found[0], str) or _NUMBER.fullmatch(found[0]) is None:
        told = ", ".join(repr(value)[:40] for value in found[:3]) or "nothing"
        raise StoreError(f"{name}: the table {VERSION_TABLE} should hold one number, and holds {told}")
    return int(found[0])


def check_version(version: int, name: str, *, readonly: bool, copy: str) -> None:
    """Refuse tables that this program can neither read as they are nor migrate.

    Parameters
    ----------
    name
        What to call the store in a message.
    copy
        How to make a copy of it before it is migrated.
    """
    if version > tables.SCHEMA_VERSION:
        raise StoreError(
            f"{name} was written by a newer keepclear (schema {version}; this one knows {tables.SCHEMA_VERSION}); "
            "use that version or a later one"
        )
    if readonly and version < tables.OLDEST_READABLE:
        raise StoreError(
            f"{name} was written by an older keepclear (schema {version}), and is migrated when it is opened for "
            f"writing; before that, {copy}"
        )


def make_tables(connection: Connection) -> None:
    """Make today's tables and write down their number."""
    for table in tables.metadata.sorted_tables:
        table.create(connection)
    stamp_tables(connection, tables.SCHEMA_VERSION)


def stamp_tables(connection: Connection, version: int) -> None:
    """Write down the number of tables that have none."""
    _version.create(connection)
    connection.execute(insert(_version), {"version_num": f"{version:04}"})


def migrate_tables(connection: Connection, name: str, *, version: int, copy: str) -> None:
    """Bring older tables up to date, within the caller's transaction.

    Parameters
    ----------
    name, copy
        As for `check_version`.
    version
        The number that they have.

    Raises
    ------
    StoreError
        If it cannot be done; the caller rolls back.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    try:
        command.upgrade(config, f"{tables.SCHEMA_VERSION:04}")
    except Exception as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(
            f"{name} could not be migrated from schema {version} to {tables.SCHEMA_VERSION}, and is as it was: {told}. "
            f"Before trying again, {copy}"
        ) from error
