"""What a PostgreSQL store does beyond the contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.store.log import Log
from keepclear.store.log_store import DamagedError, Growth, SignedHead
from keepclear.store.postgres import PostgresStore
from tests.crash.saying import KEY, ORIGIN, must_continue, said
from tests.postgres import Server


@pytest.fixture
def schema(postgres: Server) -> str:
    return postgres.new_schema()


@pytest.fixture
def url(postgres: Server, schema: str) -> str:
    return postgres.url(schema)


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[PostgresStore]:
    store = PostgresStore(url, marks=tmp_path / "record-signed")
    yield store
    store.close()


@pytest.fixture
def log(store: PostgresStore) -> Log:
    log = Log.create(store, KEY)
    log.append([said(n) for n in range(5)])
    return log


def test_a_session_waits_until_a_commit_is_on_the_disk(store):
    with store.reading() as connection:
        shown = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("synchronous_commit", "fsync")}
    assert shown == {"synchronous_commit": "on", "fsync": "on"}


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(postgres, url, tmp_path, setting):
    postgres.stop("fast")
    try:
        postgres.start(**{setting: "off"})
        with pytest.raises(StoreError, match=f"runs with {setting}=off.*Set {setting}=on"):
            PostgresStore(url, marks=tmp_path / "marks")
    finally:
        postgres.stop("fast")
        postgres.start()


@pytest.mark.parametrize("text", ["nonsense", "sqlite:///x.db", "postgresql://host", "mysql://u:secret@h/d", ""])
def test_what_is_no_address_of_postgresql_is_refused(text, tmp_path):
    with pytest.raises(InputError, match="postgresql://USER@HOST") as told:
        PostgresStore(text, marks=tmp_path / "marks")
    assert "secret" not in str(told.value)


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path):
    with pytest.raises(StoreError, match="could not open") as told:
        PostgresStore("postgresql://u:secret@127.0.0.1:1/d?password=secret", marks=tmp_path / "marks")
    assert "secret" not in str(told.value)


def test_other_programs_tables_are_refused(postgres, schema, url, tmp_path):
    with postgres.admin(schema) as admin:
        admin.execute("CREATE TABLE setting (x int)")
    with pytest.raises(StoreError, match="not a keepclear store, and has tables named setting"):
        PostgresStore(url, marks=tmp_path / "marks")
    with pytest.raises(StoreError, match="has no table keepclear_schema"):
        PostgresStore(url, marks=tmp_path / "marks", readonly=True)


def test_a_reader_reads_beside_a_writer_and_changes_nothing(log, url, tmp_path):
    reader = PostgresStore(url, marks=tmp_path / "record-signed", readonly=True)
    read = Log(reader, ORIGIN)
    log.append([said("more")])
    read.refresh()
    assert read.size == 6
    with pytest.raises(StoreError, match="for reading only"):
        reader.put_setting("name", b"value")
    reader.close()


def restored(postgres: Server, schema: str, url: str, after: Log) -> None:
    """Put back a copy that was made before the last things were said."""
    copy = postgres.folder / f"{schema}.sql"
    postgres.run("pg_dump", "--schema", schema, "--file", copy, url.partition("?")[0])
    after.append([said("lost 1"), said("lost 2")])
    with postgres.admin() as admin:
        admin.execute(f"DROP SCHEMA {schema} CASCADE")
    postgres.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", copy, url.partition("?")[0])


def test_a_database_that_was_put_back_signs_nothing(postgres, schema, url, store, log, tmp_path):
    restored(postgres, schema, url, log)
    with pytest.raises(StoreError, match="holds less than it did"):  # the log that was open meanwhile
        log.append([said("new")])
    signed: list[int] = []
    with pytest.raises(DamagedError, match=r"7 entries of .* were signed, and only 5 are there"):
        store.append(ORIGIN, [Growth([b"x"], {})], at=5, seal=lambda: signed.append(1) or SignedHead(6, b"r" * 32, b""))
    assert not signed
    again = PostgresStore(url, marks=tmp_path / "record-signed")
    with pytest.raises(DamagedError, match="7 entries were signed, and only 5 are here"):
        Log(again, ORIGIN, key=KEY)
    assert Log(again, ORIGIN).size == 5
    again.close()


def test_nothing_is_signed_by_the_marks_of_another_folder_until_a_peer_has_confirmed(log, store, url, tmp_path):
    (tmp_path / "other").mkdir()
    other = PostgresStore(url, marks=tmp_path / "other" / "record-signed")
    there = Log(other, ORIGIN, key=KEY)
    assert there.restored
    with pytest.raises(StoreError, match="its mark was lost"):
        there.append([said("new")])
    with pytest.raises(StoreError, match="remembered in another folder"):
        other.create("south/border/log", key="k", own=False)
    there.confirm(log.checkpoint())
    there.append([said("new")])
    with pytest.raises(StoreError, match="another handle has appended"):
        log.append([said("from the old folder")])
    log.refresh()
    with pytest.raises(StoreError, match="remembered in another folder"):
        log.append([said("from the old folder")])
    must_continue(there, {5: there.root_at(5)})
    other.close()
    # Coming back, what the old folder remembers counts for nothing.
    back = PostgresStore(url, marks=tmp_path / "record-signed")
    assert Log(back, ORIGIN, key=KEY).restored
    back.close()


def test_rows_that_are_missing_are_found(postgres, schema, log):
    with postgres.admin(schema) as admin:
        admin.execute("DELETE FROM body WHERE number = 3")
        admin.execute("DELETE FROM leaf WHERE number = 3")
    with pytest.raises(DamagedError, match=r"entry 3 of .* is damaged"):
        list(log.leaves())
    assert log.leaf(4) == said(4).leaf.to_bytes()
    assert not log.examine().sound
    with postgres.admin(schema) as admin:
        admin.execute("DELETE FROM tile")
    with pytest.raises(DamagedError):
        Log(log._store, ORIGIN, key=KEY)
    with postgres.admin(schema) as admin:
        admin.execute("DROP TABLE tile")
    with pytest.raises(DamagedError, match="is damaged"):
        log._store.tiles(ORIGIN, [(0, 0)])


def test_what_is_refused_is_not_repeated_in_the_message(log, store):
    from keepclear.store.log_store import BodyState, StoredBody

    with pytest.raises(StoreError, match="foreign key") as told:
        store.put_body(ORIGIN, StoredBody(99, BodyState.HELD, b"s", b"very private"))
    assert b"very private".hex() not in str(told.value)


def test_a_forked_process_cannot_use_its_parents_connection(store, log):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            log.append([said("child")])
            told = b"appended"
        except StoreError as error:
            told = str(error).encode()
        store.close()
        os.write(write, told)
        os._exit(0)
    os.waitpid(child, 0)
    assert b"opened in another process" in os.read(read, 1000)
    os.close(read)
    os.close(write)
    log.append([said("parent")])
