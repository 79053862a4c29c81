from __future__ import annotations

import pytest

from keepclear.store.log_store import Mark
from keepclear.store.marks import Marks, writer_pid

A, B = Mark(5, b"a" * 32), Mark(2**63 - 1, bytes(range(32)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.db-signed"


def test_marks_are_there_after_reopening(path):
    marks = Marks(path, pid=17)
    marks.put("a/b/log", A)
    marks.put("c/d/log", B)
    marks.close()
    again = Marks(path, pid=None)
    assert (again.get("a/b/log"), again.get("c/d/log"), again.get("e/f/log")) == (A, B, None)
    assert writer_pid(path) == 17


def test_a_mark_does_not_go_back(path):
    marks = Marks(path, pid=1)
    marks.put("a/b/log", A)
    marks.put("a/b/log", Mark(4, b"x" * 32))
    marks.put("a/b/log", Mark(5, b"x" * 32))
    assert marks.get("a/b/log") == A
    marks.close()
    assert Marks(path, pid=None).get("a/b/log") == A


def test_a_slot_is_one_sector_half(path):
    marks = Marks(path, pid=1)
    marks.put("a" * 900, B)
    marks.put("b", A)
    marks.close()
    assert path.stat().st_size == 3 * 256
    assert path.read_bytes().count(b"\n") == 3


def test_no_damaged_slot_is_believed_and_the_others_are(path):
    marks = Marks(path, pid=1)
    marks.put("a/b/log", A)
    marks.put("c/d/log", B)
    marks.close()
    whole = path.read_bytes()
    for place in range(256, 512):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        damaged = Marks(path, pid=None)
        assert damaged.get("a/b/log") is None
        assert damaged.get("c/d/log") == B
    for length in range(256, 512):
        path.write_bytes(whole[:length])
        assert Marks(path, pid=None).get("a/b/log") is None


def test_a_new_mark_takes_no_damaged_ones_place(path):
    marks = Marks(path, pid=1)
    marks.put("a/b/log", A)
    marks.close()
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(data)
    again = Marks(path, pid=1)
    again.put("c/d/log", B)
    again.put("a/b/log", A)
    again.close()
    assert Marks(path, pid=None).get("a/b/log") == A
    assert Marks(path, pid=None).get("c/d/log") == B


@pytest.mark.parametrize("data", [b"", b"keepclear signed heads v1, writer x", b"\xff" * 300, b"something else"])
def test_a_file_that_names_no_writer_names_none(path, data):
    path.write_bytes(data)
    assert writer_pid(path) is None
