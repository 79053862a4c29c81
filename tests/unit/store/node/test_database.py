"""The node's database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from keepclear.errors import InputError, StoreError
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase, facts, projections
from keepclear.store.node.kept_values import keep_value, kept_value
from keepclear.store.node.leading import lead


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    if request.param == "sqlite":
        return tmp_path / "node.db"
    server = request.getfixturevalue("postgres")
    return server.url(server.new_schema())


@pytest.fixture
def database(place):
    database = NodeDatabase.open(place)
    yield database
    database.close()


def test_what_was_written_is_there_when_it_is_opened_again(place):
    database = NodeDatabase.open(place)
    with database.writing() as conn:
        keep_value(conn, "name", b"\x00value")
    database.close()
    again = NodeDatabase.open(place)
    with again.reading() as conn:
        assert kept_value(conn, "name") == b"\x00value"
    assert not again.stale
    again.close()
    with pytest.raises(StoreError, match="closed"), again.reading():
        pass


def test_a_transaction_that_fails_leaves_nothing(database):
    def half(conn):
        keep_value(conn, "name", b"value")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.writing() as conn:
        half(conn)
    with database.writing() as conn:
        assert kept_value(conn, "name") is None
        keep_value(conn, "name", b"second")
    with database.reading() as conn:
        assert kept_value(conn, "name") == b"second"


def test_the_drivers_errors_come_as_ours_and_name_the_database(database):
    with pytest.raises(StoreError) as caught, database.writing() as conn:
        conn.execute(text("INSERT INTO no_such_table VALUES ('a secret')"))
    assert database.name in str(caught.value)
    assert "a secret" not in str(caught.value)
    with pytest.raises(StoreError), database.reading() as conn:
        conn.execute(text("SELECT * FROM no_such_table"))
    with database.writing() as conn:  # and it goes on
        keep_value(conn, "name", b"value")


def test_reading_sees_one_picture_whatever_is_written_meanwhile(database):
    with database.reading() as conn:
        assert kept_value(conn, "name") is None
        with database.writing() as other:
            keep_value(other, "name", b"value")
        assert kept_value(conn, "name") is None
    with database.reading() as conn:
        assert kept_value(conn, "name") == b"value"


def test_who_reads_cannot_write(database):
    with pytest.raises(StoreError), database.reading() as conn:
        keep_value(conn, "name", b"value")
    with database.reading() as conn:
        assert kept_value(conn, "name") is None


def test_writers_in_many_threads_and_two_handles_take_turns_and_lose_nothing(place):
    databases = [NodeDatabase.open(place), NodeDatabase.open(place)]
    seen: list[int] = []
    faults: list[Exception] = []

    def count(database: NodeDatabase) -> None:
        try:
            for _ in range(25):
                with database.writing() as conn:
                    number = int(kept_value(conn, "count") or b"0")
                    keep_value(conn, "count", str(number + 1).encode())
                    seen.append(events.say(conn, "entry", {"n": number}, at_s=1.0))
        except Exception as error:  # noqa: BLE001  # raised again by the test
            faults.append(error)

    def follow(database: NodeDatabase) -> None:
        last = 0
        while last < 200 and not faults:
            with database.reading() as conn:
                found = events.since(conn, last)
            # Nothing appears later below a number that was seen: the events are in the order in which they were noted.
            numbers = [event.data["n"] for event in found]
            start = followed[-1] + 1 if followed else 0
            assert numbers == list(range(start, start + len(numbers)))
            followed.extend(numbers)
            if found:
                last = found[-1].id
            if followed and followed[-1] == 199:
                return

    followed: list[int] = []
    threads = [threading.Thread(target=count, args=(databases[n % 2],)) for n in range(8)]
    threads.append(threading.Thread(target=follow, args=(databases[0],)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with databases[1].reading() as conn:
        assert kept_value(conn, "count") == b"200"
    assert followed == list(range(200))
    for database in databases:
        database.close()


def test_more_readers_than_connections_wait_their_turn(database):
    inside = threading.Semaphore(0)
    faults = []

    def read() -> None:
        try:
            with database.reading() as conn:
                kept_value(conn, "name")
                inside.release()
        except Exception as error:  # noqa: BLE001  # raised again by the test
            faults.append(error)

    threads = [threading.Thread(target=read) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_projections_are_dropped_and_facts_stay_when_they_are_made_anew(database):
    table = next(iter(projections.tables), None)
    with database.writing() as conn:
        keep_value(conn, "name", b"value")
        conn.execute(text("CREATE TABLE left_by_an_older_program (a INTEGER)"))
    database.rebuild_projections()
    assert database.stale
    with database.reading() as conn:
        assert kept_value(conn, "name") == b"value"
        if table is not None:
            assert conn.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    with pytest.raises(StoreError), database.reading() as conn:
        conn.execute(text("SELECT * FROM left_by_an_older_program"))


def test_projections_of_another_shape_are_made_anew_at_opening(place):
    database = NodeDatabase.open(place)
    assert database.stale
    with database.writing() as conn:
        keep_value(conn, "projections made as", b"otherwise")
        keep_value(conn, "name", b"value")
    database.close()
    again = NodeDatabase.open(place)
    assert again.stale
    with again.reading() as conn:
        assert kept_value(conn, "name") == b"value"
    again.close()
    third = NodeDatabase.open(place)
    assert not third.stale
    third.close()


def test_tables_of_a_newer_program_are_refused_and_left_alone(place):
    database = NodeDatabase.open(place)
    with database.writing() as conn:
        conn.execute(text("UPDATE keepclear_schema SET version_num = '0999'"))
    database.close()
    with pytest.raises(StoreError, match="newer keepclear"):
        NodeDatabase.open(place)


def test_opened_for_reading_it_cannot_be_written(place):
    NodeDatabase.open(place).close()
    database = NodeDatabase.open(place, readonly=True)
    with database.reading() as conn:
        assert kept_value(conn, "name") is None
    with pytest.raises(StoreError, match="reading only"), database.writing():
        pass
    database.close()


def test_many_that_open_a_new_database_at_once_all_find_it_made(place):
    faults = []
    opened = []

    def open_it() -> None:
        try:
            opened.append(NodeDatabase.open(place))
        except Exception as error:  # noqa: BLE001  # raised again by the test
            faults.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    for database in opened:
        database.close()


def test_other_programs_databases_are_refused(tmp_path):
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE theirs (a)")
    other.close()
    with pytest.raises(StoreError, match="theirs"):
        NodeDatabase.open(tmp_path / "other.db")
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at as one" * 20)
    with pytest.raises(StoreError):
        NodeDatabase.open(tmp_path / "text")
    with pytest.raises(StoreError, match="no such file"):
        NodeDatabase.open(tmp_path / "nothing", readonly=True)
    with pytest.raises(StoreError, match="folder"):
        NodeDatabase.open(tmp_path / "nowhere" / "node.db")
    with pytest.raises(InputError):
        NodeDatabase.open("mysql://host/database")


def test_one_process_leads_and_another_takes_over_when_it_is_gone(postgres):
    place = postgres.url(postgres.new_schema())
    first, second = NodeDatabase.open(place), NodeDatabase.open(place)
    leading = lead(first)
    assert leading is not None
    assert leading.holds()
    assert lead(second) is None
    with postgres.admin() as admin:  # its session ends, as when the machine is gone
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )
    assert not leading.holds()
    follows = lead(second)
    assert follows is not None
    assert follows.holds()
    follows.close()
    first.close()
    second.close()


def test_with_sqlite_there_is_nobody_else_to_lead(tmp_path):
    database = NodeDatabase.open(tmp_path / "node.db")
    leading = lead(database)
    assert leading is not None
    assert leading.holds()
    database.close()


def test_no_table_is_both_a_fact_and_a_projection(database):
    assert not set(facts.tables) & set(projections.tables)


def test_what_is_kept_is_synced_before_anybody_is_told_and_many_share_a_sync(tmp_path, monkeypatch):
    database = NodeDatabase.open(tmp_path / "node.db")
    synced: list[str] = []
    written: list[str] = []
    real, all_wrote = os.fsync, threading.Event()
    all_wrote.set()

    def counted(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        assert all_wrote.wait(60)  # the first of many takes as long as the others need to come
        real(handle)

    monkeypatch.setattr(os, "fsync", counted)
    with database.writing() as conn:
        keep_value(conn, "name", b"value")
    assert synced == [f"{tmp_path / 'node.db'}-wal"]
    with database.writing(durable=False) as conn:
        keep_value(conn, "name", b"other")
    assert len(synced) == 1

    def write(name: str) -> None:
        with database.writing() as conn:
            keep_value(conn, name, b"value")
            written.append(name)
            if len(written) == 10:
                all_wrote.set()

    all_wrote.clear()
    threads = [threading.Thread(target=write, args=(f"thread {n}",)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 <= len(synced) <= 4  # the first's, and one or two for all that came meanwhile
    database.close()


def test_a_sync_that_fails_is_told_and_nothing_is_written_any_more(tmp_path, monkeypatch):
    database = NodeDatabase.open(tmp_path / "node.db")

    def failing(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    for _ in range(2):
        with pytest.raises(StoreError, match="could not be synced"), database.writing() as conn:
            keep_value(conn, "name", b"value")
    monkeypatch.undo()
    # A disk that says yes after it has said no is not believed.
    with pytest.raises(StoreError, match="could not be synced"), database.writing() as conn:
        keep_value(conn, "name", b"value")
    database.close()
    again = NodeDatabase.open(tmp_path / "node.db")
    with again.writing() as conn:
        keep_value(conn, "name", b"value")
    again.close()
