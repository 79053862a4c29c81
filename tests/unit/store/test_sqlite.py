from __future__ import annotations

import sqlite3
import stat

import pytest

from keepclear.errors import KeepclearError, StoreError
from keepclear.store.log import Log
from keepclear.store.log_store import DamagedError
from keepclear.store.sqlite import SqliteStore
from keepclear.store.tables import SCHEMA_VERSION
from tests.crash.saying import KEY, ORIGIN, said


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.db"


def filled(path):
    store = SqliteStore(path)
    Log.create(store, KEY).append([said(number) for number in range(5)])
    store.close()


def test_the_files_are_their_owners_alone(path, tmp_path):
    store = SqliteStore(path)
    Log.create(store, KEY)
    assert {found.name for found in tmp_path.iterdir()} == {
        "record.db",
        "record.db-wal",
        "record.db-shm",
        "record.db-lock",
        "record.db-signed",
    }
    assert {stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()} == {0o600}
    store.close()


def test_every_commit_is_synced_in_full_and_references_are_held_to(path):
    store = SqliteStore(path)
    asked = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
    with store.reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert found == ["wal", 2, 1, 1, 0]
    store.close()


def test_a_newer_schema_is_refused_and_not_touched(path):
    filled(path)
    with sqlite3.connect(path) as driver:
        driver.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    driver.close()
    before = path.read_bytes()
    for readonly in (False, True):
        told = rf"newer keepclear \(schema {SCHEMA_VERSION + 1}; this one knows {SCHEMA_VERSION}\)"
        with pytest.raises(StoreError, match=told):
            SqliteStore(path, readonly=readonly)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_not_touched(path):
    driver = sqlite3.connect(path)
    driver.execute("CREATE TABLE theirs (x)")
    driver.commit()
    driver.close()
    for readonly in (False, True):
        with pytest.raises(StoreError, match="is not a keepclear store"):
            SqliteStore(path, readonly=readonly)
    driver = sqlite3.connect(path)
    assert driver.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    driver.close()


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"a letter to somebody\n" * 500)
    with pytest.raises(DamagedError, match="not a database"):
        SqliteStore(path)
    assert path.read_bytes().startswith(b"a letter")


def test_a_reader_makes_no_file(path, tmp_path):
    with pytest.raises(StoreError, match="there is no such file"):
        SqliteStore(path, readonly=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["with space.db", "per%cent.db", "quest?ion.db", "ha#sh.db", "ünïcode.db"])
def test_any_name_of_a_file_will_do(tmp_path, name):
    filled(tmp_path / name)
    store = SqliteStore(tmp_path / name, readonly=True)
    assert Log(store, ORIGIN).size == 5
    store.close()
    assert {found.name.split(".db")[0] + ".db" for found in tmp_path.iterdir()} == {name}


def test_a_folder_that_is_not_there_or_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "nowhere" / "record.db", tmp_path / "file" / "record.db", tmp_path):
        with pytest.raises(KeepclearError) as caught:
            SqliteStore(path)
        assert isinstance(caught.value, StoreError)
        assert str(path) in str(caught.value)


def test_the_lock_is_let_go_when_opening_fails(path):
    path.write_bytes(b"a letter to somebody\n" * 500)
    for _ in range(2):
        with pytest.raises(DamagedError):
            SqliteStore(path)
    path.unlink()
    SqliteStore(path).close()


def test_a_reader_that_keeps_reading_does_not_stop_the_writer(path):
    filled(path)
    writer, reader = SqliteStore(path), SqliteStore(path, readonly=True)
    log = Log(writer, ORIGIN, key=KEY)
    with reader.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM leaf").scalar()
        log.append([said("while it reads")])
    assert reader.end(ORIGIN) == 6
    reader.close()
    writer.close()


def test_a_value_of_another_type_is_damage(path):
    filled(path)
    driver = sqlite3.connect(path)
    driver.execute("UPDATE leaf SET leaf = 1000000000000 WHERE number = 2")
    driver.execute("UPDATE leaf SET leaf = 'text' WHERE number = 3")
    driver.commit()
    driver.close()
    store = SqliteStore(path)
    for number in (2, 3):
        with pytest.raises(DamagedError, match="where bytes was written"):
            store.leaves(ORIGIN, number, number + 1)
    assert store.leaves(ORIGIN, 4, 5) == [said(4).leaf.raw]
    store.close()
