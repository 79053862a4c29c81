"""Older tables are migrated whole or not at all, and end up as the ones that are made today."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.pool import NullPool

from keepclear.errors import StoreError
from keepclear.store import tables
from keepclear.store.log import Log
from keepclear.store.log_store import BodyState, Mark
from keepclear.store.marks import Marks
from keepclear.store.postgres import PostgresStore
from keepclear.store.schema import make_tables, migrate_tables, stamp_tables, table_version
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import KEY, ORIGIN, must_continue, said, tree
from tests.postgres import Server

OLD = Path(__file__).parents[2] / "vectors" / "store" / "schema-1.sql"
LEAVES = [said(n, attached=n == 1).leaf.to_bytes() for n in range(4)]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file as the first program wrote it, with its mark."""
    path = tmp_path / "record.db"
    driver = sqlite3.connect(path)
    driver.executescript(OLD.read_text())
    driver.close()
    marks = Marks(tmp_path / "record.db-signed", pid=1)
    marks.put(ORIGIN, Mark(4, tree(LEAVES)))
    marks.close()
    return path


def version_of(path: Path) -> tuple[Any, set[str]]:
    driver = sqlite3.connect(path)
    found = driver.execute("PRAGMA user_version").fetchone()[0]
    names = {row[0] for row in driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    driver.close()
    return found, names


def described(connection: Connection) -> dict[str, Any]:
    """What the database says that the tables are."""
    found = inspect(connection)
    found.clear_cache()
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((k["constrained_columns"], k["referred_table"]) for k in found.get_foreign_keys(name)),
            sorted(u["column_names"] for u in found.get_unique_constraints(name)),
            [c["sqltext"] for c in found.get_check_constraints(name)],
        )
        for name in sorted(found.get_table_names())
    }


def test_an_old_file_is_migrated_and_goes_on(old):
    store = SqliteStore(old)
    log = Log(store, ORIGIN, key=KEY)
    assert list(log.leaves()) == LEAVES
    assert log.body_state(2) is BodyState.ERASED
    assert log.entry(1).body == b'{"said":"1"}'
    assert store.setting("name") == b"\0value"
    log.append([said("after")])
    must_continue(log, {4: tree(LEAVES)})
    store.close()
    version, names = version_of(old)
    assert version == tables.SCHEMA_VERSION
    assert {"keepclear_schema", "pending"} <= names
    SqliteStore(old).close()


def test_an_old_file_is_read_as_it_is_where_it_may_not_be_written(old):
    before = old.read_bytes()
    store = SqliteStore(old, readonly=True)
    log = Log(store, ORIGIN)
    assert list(log.leaves()) == LEAVES
    assert log.examine().sound
    store.close()
    assert old.read_bytes() == before


def test_a_migration_that_fails_leaves_all_as_it_was(old):
    driver = sqlite3.connect(old)
    driver.execute("CREATE TABLE piece (in_the_way INTEGER)")
    driver.close()
    with pytest.raises(
        StoreError, match=r"migrated from schema 1 to .* as it was: .*piece.*Before .*, copy .*record\.db"
    ):
        SqliteStore(old)
    version, names = version_of(old)
    assert version == 1
    assert not {"keepclear_schema", "pending", "coming"} & names


def test_a_header_and_tables_that_differ_are_refused(old):
    SqliteStore(old).close()
    driver = sqlite3.connect(old)
    driver.execute("UPDATE keepclear_schema SET version_num = '0001'")
    driver.commit()
    driver.close()
    with pytest.raises(StoreError, match=f"header that its schema is {tables.SCHEMA_VERSION}, and in its tables 1"):
        SqliteStore(old)


def migrated_and_made(old: Connection, new: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
    """Migrate from the first tables in one database, make today's in the other."""
    stamp_tables(old, 0)
    old.exec_driver_sql("DELETE FROM keepclear_schema")  # before the first revision
    migrate_tables(old, "old", version=0, copy="")
    make_tables(new)
    assert table_version(old, "old") == table_version(new, "new") == tables.SCHEMA_VERSION
    return described(old), described(new)


def test_migrated_tables_are_those_of_today_in_sqlite():
    one, other = (create_engine("sqlite://") for _ in range(2))
    with one.connect() as old, other.connect() as new:
        migrated, made = migrated_and_made(old, new)
    assert migrated == made
    assert len(made) == len(tables.metadata.tables) + 1


def test_migrated_tables_are_those_of_today_in_postgresql(postgres: Server):
    one, other = (_engine(postgres, postgres.new_schema()) for _ in range(2))
    with one.connect() as old, other.connect() as new:
        migrated, made = migrated_and_made(old, new)
    assert migrated == made
    assert len(made) == len(tables.metadata.tables) + 1


def _engine(postgres: Server, schema: str) -> Engine:
    return create_engine("postgresql+psycopg://", creator=lambda: postgres.admin(schema), poolclass=NullPool)


def test_nobody_migrates_what_others_have_open(postgres: Server, tmp_path: Path):
    url, marks = postgres.url(postgres.new_schema()), tmp_path / "marks"
    PostgresStore(url, marks=marks).close()
    first = PostgresStore(url, marks=marks)
    with first.writing() as connection:
        for name in ("piece", "coming", "pending"):
            connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.exec_driver_sql("UPDATE keepclear_schema SET version_num = '0001'")
    with pytest.raises(StoreError, match="other processes have them open"):
        PostgresStore(url, marks=marks, lock_timeout_s=0.2)
    first.close()
    second = PostgresStore(url, marks=marks)
    second.create(ORIGIN, key="k", own=False)
    assert second.pending(ORIGIN) == ()
    with second.writing() as connection:
        connection.exec_driver_sql(f"UPDATE keepclear_schema SET version_num = '{tables.SCHEMA_VERSION + 1:04}'")
    second.close()
    for readonly in (False, True):
        with pytest.raises(StoreError, match="written by a newer keepclear"):
            PostgresStore(url, marks=marks, readonly=readonly)
