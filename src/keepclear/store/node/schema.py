"""Making, migrating and checking the node's tables.

Facts have a number, and a migration leads from each number to the next. Projections have none: what they look like is
hashed, and where that is not what the database was made with, they are dropped and made anew, empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from keepclear.errors import StoreError
from keepclear.store.node.backends import Backend
from keepclear.store.node.database import facts, projections
from keepclear.store.node.kept_values import keep_value, kept_value
from keepclear.store.node.tables import FACTS_VERSION
from keepclear.store.schema import VERSION_TABLE, stamp_tables, table_version

__all__ = ["PROJECTIONS_VERSION", "make_projections", "migrate_facts", "settle_tables"]

PROJECTIONS_VERSION = 2
"""One more whenever the same tables are filled otherwise than before."""

_MIGRATIONS = Path(__file__).with_name("migrations")
_MADE_AS = "projections made as"


def settle_tables(connection: Connection, backend: Backend, *, readonly: bool) -> bool:
    """Make the tables where there are none, migrate older facts, refuse newer ones; whether projections are empty now.

    The connection is in autocommit mode. All is done in one transaction, or nothing.

    Raises
    ------
    StoreError
        If they are refused, or cannot be migrated; then they are as they were.
    """
    if readonly:
        _check(connection, backend, readonly=True)
        return False
    with _transaction(connection, backend):
        version = _check(connection, backend, readonly=False)
        if version == FACTS_VERSION and kept_value(connection, _MADE_AS) == _shape():
            return False
        if version is None:
            facts.create_all(connection, checkfirst=False)
            stamp_tables(connection, FACTS_VERSION)
        elif version < FACTS_VERSION:
            migrate_facts(connection, backend, version)
        make_projections(connection)
    return True


def _check(connection: Connection, backend: Backend, *, readonly: bool) -> int | None:
    """The number of the facts that are there, None where the database is empty; refuses what is not for us."""
    version = table_version(connection, backend.name)
    if version is None:
        found = set(inspect(connection).get_table_names())
        if readonly or found:
            has = f"it has tables named {', '.join(sorted(found)[:5])}" if found else "it has no tables"
            raise StoreError(f"{backend.name} is not the database of a keepclear node: {has}")
    elif version > FACTS_VERSION:
        raise StoreError(
            f"{backend.name} was written by a newer keepclear (tables {version}; this one knows {FACTS_VERSION}); "
            "use that version or a later one"
        )
    elif version < FACTS_VERSION and readonly:
        raise StoreError(f"{backend.name} was written by an older keepclear; it is migrated when the node is started")
    return version


def make_projections(connection: Connection) -> None:
    """Drop all that is not a fact, and make the projections of today; within the caller's transaction."""
    there = set(inspect(connection).get_table_names()) - set(facts.tables) - {VERSION_TABLE}
    old = MetaData()
    old.reflect(connection, only=sorted(name for name in there if not name.startswith("sqlite_")))
    old.drop_all(connection)
    projections.create_all(connection, checkfirst=False)
    keep_value(connection, _MADE_AS, _shape())


def _shape() -> bytes:
    """What the projections are made as: their statements, and how they are filled."""
    told = [f"filled as {PROJECTIONS_VERSION}"]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in projections.sorted_tables:
        told.append(str(CreateTable(table).compile(dialect=dialect)))
        told += sorted(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
    return hashlib.sha256("\n".join(told).encode()).digest()


def migrate_facts(connection: Connection, backend: Backend, version: int) -> None:
    """Bring older facts up to date, within the caller's transaction; `version` is the number that they have.

    Raises
    ------
    StoreError
        If it cannot be done; the caller rolls back.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    try:
        command.upgrade(config, f"{FACTS_VERSION:04}")
    except Exception as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(
            f"{backend.name} could not be migrated from tables {version} to {FACTS_VERSION}, and is as it was: {told}. "
            f"Before trying again, {backend.copy}"
        ) from error


@contextmanager
def _transaction(connection: Connection, backend: Backend) -> Iterator[None]:
    backend.begin_writing(connection)
    try:
        yield
    except BaseException:
        backend.roll_back(connection)
        raise
    backend.commit(connection)
