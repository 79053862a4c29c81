"""What is written beside a step is written with it, or not at all."""

import threading

import pytest
from sqlalchemy import text

from keepclear.node.besides import Besides
from keepclear.store.node.database import NodeDatabase


@pytest.fixture
def database(tmp_path):
    opened = NodeDatabase.open(tmp_path / "node.db")
    with opened.writing() as conn:
        conn.execute(text("CREATE TABLE note (word TEXT)"))
    yield opened
    opened.close()


def words(database):
    with database.reading() as conn:
        return [row[0] for row in conn.execute(text("SELECT word FROM note ORDER BY rowid"))]


def putting(word):
    return lambda conn: conn.execute(text("INSERT INTO note VALUES (:word)"), {"word": word})


def test_what_waits_is_written_in_the_next_transaction(database):
    besides = Besides()
    first, second = besides.put(putting("first")), besides.put(putting("second"))
    with besides.written() as write, database.writing() as conn:
        write(conn)
        assert not first.over
    assert first.over
    assert first.kept()
    assert second.kept()
    assert words(database) == ["first", "second"]


def test_what_nobody_has_taken_is_taken_back(database):
    besides = Besides()
    one = besides.put(putting("one"))
    assert not one.kept()
    with besides.written() as write, database.writing() as conn:
        write(conn)
    assert words(database) == []


def test_of_a_transaction_that_fails_nothing_was_written(database):
    besides = Besides()
    one = besides.put(putting("one"))

    def fail():
        with besides.written() as write, database.writing() as conn:
            write(conn)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not one.kept()
    assert words(database) == []


def test_who_asks_while_it_is_being_written_is_told_how_it_ended(database):
    besides = Besides()
    one = besides.put(putting("one"))
    told = []
    asking = threading.Thread(target=lambda: told.append(one.kept()))
    with besides.written() as write, database.writing() as conn:
        write(conn)
        asking.start()
    asking.join()
    assert told == [True]


def test_what_is_put_meanwhile_waits_for_the_next(database):
    besides = Besides()
    with besides.written() as write, database.writing() as conn:
        write(conn)
        late = besides.put(putting("late"))
    assert not late.over
    assert not late.kept()
    assert words(database) == []
