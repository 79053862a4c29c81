from __future__ import annotations

import sqlite3

import pytest

from keepclear.store.examining import Examination, examine
from keepclear.store.log import Log
from keepclear.store.log_store import DamagedError
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import KEY, ORIGIN, said


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "record.db"
    store = SqliteStore(path)
    log = Log.create(store, KEY)
    for many in (100, 156, 300, 3):
        log.append([said(f"{log.size} {number}", attached=number == 7) for number in range(many)])
    store.close()
    return path


def changed(whole, tmp_path, *statements):
    """The store after somebody has changed it behind our back."""
    path = tmp_path / "record.db"
    path.write_bytes(whole.read_bytes())
    driver = sqlite3.connect(path)
    for statement in statements:
        driver.execute(statement)
    driver.commit()
    driver.close()
    return SqliteStore(path, readonly=True)


@pytest.mark.parametrize(
    ("statement", "damaged", "size", "said_so"),
    [
        ("UPDATE leaf SET leaf = x'00' WHERE number IN (7, 8, 300)", ((7, 8), (300, 300)), 559, "entries 7–8"),
        ("DELETE FROM attachment", (), 559, None),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 1", (), 559, "tile 1 of level 0"),
        ("DELETE FROM tile WHERE level = 0 AND number = 0", (), 559, "tile 0 of level 0"),
        ("UPDATE tile SET hashes = zeroblob(64) WHERE level = 1", (), 559, "tile 0 of level 1"),
        ("UPDATE body SET body = x'7b7d' WHERE number = 20", (), 559, "the body of entry 20 is damaged"),
        ("UPDATE body SET salt = NULL WHERE number = 20", (), 559, "the body of entry 20 is damaged"),
        ("UPDATE attachment SET data = x'00' WHERE number = 7", (), 559, "the body of entry 7 is damaged"),
        ("UPDATE checkpoint SET root = zeroblob(32) WHERE size = 256", (), 559, "the checkpoint of 256 entries"),
        ("UPDATE checkpoint SET note = x'00' WHERE size = 559", (), 556, "the checkpoint of 559 entries"),
        ("UPDATE checkpoint SET size = 558 WHERE size = 559", (), 556, "filed under another size"),
        ("DELETE FROM checkpoint WHERE size > 256", (), 256, "newest checkpoint is of 256 entries"),
        ("UPDATE log SET key = 'x'", (), 0, "key cannot be read"),
    ],
)
def test_it_says_what_is_damaged_and_what_is_safe(whole, tmp_path, statement, damaged, size, said_so):
    store = changed(whole, tmp_path, "PRAGMA foreign_keys = OFF", statement)
    found = examine(store, ORIGIN)
    assert found.size == size
    assert tuple(sorted(found.damaged)) == damaged
    if said_so is None:
        assert found.sound
    else:
        assert said_so in found.text
    store.close()


def test_entries_that_are_gone_are_named(whole, tmp_path):
    store = changed(whole, tmp_path, "PRAGMA foreign_keys = OFF", "DELETE FROM leaf WHERE number BETWEEN 10 AND 12")
    found = examine(store, ORIGIN)
    assert found.damaged == ((10, 12),)
    assert "entry 11 is missing" in found.sentences
    assert found.safe == ((0, 9), (13, 558))
    store.close()


def test_where_the_end_is_lost_an_older_checkpoint_says_how_far_it_is_whole(whole, tmp_path):
    gone = (
        "UPDATE leaf SET leaf = x'00' WHERE number > 400",
        "UPDATE tile SET hashes = zeroblob(1536) WHERE number = 2",
    )
    store = changed(whole, tmp_path, *gone)
    with pytest.raises(DamagedError, match="only the first 256 entries lead to a checkpoint that was signed"):
        Log(store, ORIGIN)
    assert examine(store, ORIGIN).safe == ((0, 255),)
    store.close()


def test_a_sound_log_is_said_to_be_sound(whole, tmp_path):
    store = changed(whole, tmp_path)
    shares = []
    found = examine(store, ORIGIN, progress=shares.append)
    assert found == Examination(ORIGIN, 559, (), ())
    assert found.text == "Nothing is wrong with the 559 entries of north/border/log"
    assert shares[-1] == 1.0
    store.close()
