"""What is read, kept and examined together is bounded by its bytes: one body may have millions of them."""

from __future__ import annotations

import pytest

from keepclear.line.body_requests import MOST_PIECE_BYTES, format_bodies, pieces_of
from keepclear.line.body_requests import Wanted as Named
from keepclear.record.entries import Entry
from keepclear.store import reading_bodies, receiving_bodies
from keepclear.store.mirror import Mirror
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import ORIGIN, said
from tests.property.two_ends import Ends


@pytest.fixture
def ends(tmp_path):
    ends = Ends(tmp_path)
    yield ends
    ends.close()


def long_entries(lengths):
    """Entries to the mirror with bodies of about these lengths."""
    return [said(f"{n} {'x' * length}") for n, length in enumerate(lengths)]


def read_by(monkeypatch):
    """How many bytes of bodies each reading of several gave."""
    given, bodies = [], SqliteStore.bodies

    def noted(store, origin, start, stop):
        found = bodies(store, origin, start, stop)
        given.append(sum(len(one.body or b"") for one in found))
        return found

    monkeypatch.setattr(SqliteStore, "bodies", noted)
    return given


def test_as_many_bodies_are_read_together_as_there_is_room_for(ends, monkeypatch):
    ends.north.log.append(long_entries([3000, 3000, 3000, 30_000, 10, 10, 3000]))
    monkeypatch.setattr(reading_bodies, "MOST_TOGETHER_BYTES", 10_000)
    log = ends.north.log
    alone = [log.entry(index) for index in range(log.size)]
    ends_at = []
    at = 0
    while at < log.size:
        some = log.bodies(at, log.size)
        assert some == alone[at : at + len(some)]
        at += len(some)
        ends_at.append(at)
    assert ends_at == [3, 4, 7]
    assert log.bodies(2, 2) == []
    assert log.bodies(2, 4) == alone[2:3]


def test_an_examination_reads_few_long_bodies_at_a_time(ends, monkeypatch):
    ends.north.log.append(long_entries([4000] * 9))
    given = read_by(monkeypatch)
    monkeypatch.setattr(reading_bodies, "MOST_TOGETHER_BYTES", 10_000)
    assert ends.north.log.examine().sound
    assert max(given) < 10_000
    assert sum(given) > 9 * 4000


def test_long_bodies_are_sent_though_few_are_read_together(ends, monkeypatch):
    monkeypatch.setattr(reading_bodies, "MOST_TOGETHER_BYTES", 10_000)
    ends.north.log.append(long_entries([4000] * 9))
    given = read_by(monkeypatch)
    ends.settle()
    ends.must_agree()
    assert max(given) < 10_000


def test_a_few_bytes_that_make_many_long_bodies_whole_do_not_bring_all_of_them_into_memory(ends, monkeypatch):
    entries = long_entries([MOST_PIECE_BYTES] * 6)
    ends.north.log.append(entries)
    ends.exchange()
    ends.exchange()
    pieces = [list(pieces_of(one, Named(n), most_bytes=2**30)) for n, one in enumerate(entries)]
    firsts, lasts = [one[0] for one in pieces], [one[1] for one in pieces]
    assert all(len(one.data) < 500 for one in lasts)
    request = ends.south.desk.request()
    for data in format_bodies(ORIGIN, firsts):
        assert request.receive(data) is None
    kept, put = [], Mirror.put_bodies

    def noted(mirror, whole):
        kept.append(len(whole))
        return put(mirror, whole)

    monkeypatch.setattr(Mirror, "put_bodies", noted)
    monkeypatch.setattr(receiving_bodies, "MOST_TOGETHER_BYTES", 2 * MOST_PIECE_BYTES)
    request = ends.south.desk.request()
    assert request.receive(b"".join(format_bodies(ORIGIN, [*lasts, *lasts]))) is None
    assert max(kept) == 2
    assert sum(kept) == 6
    assert [ends.south.mirror.entry(n) for n in range(6)] == [Entry(*_parts(one)) for one in entries]


def _parts(entry):
    return entry.leaf, entry.salt, entry.body
