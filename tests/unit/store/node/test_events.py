from __future__ import annotations

import pytest

from keepclear.record.entries import EntryRef
from keepclear.store.node import arrivals, events
from keepclear.store.node.database import NodeDatabase

REF = EntryRef("RU/north/log", 3, b"\x01" * 32)


@pytest.fixture
def database(tmp_path):
    database = NodeDatabase.open(tmp_path / "node.db")
    yield database
    database.close()


def test_events_come_back_as_they_were_said_oldest_first(database):
    with database.writing() as conn:
        first = events.say(conn, "conflict", {"with": ["a", 1, None]}, at_s=10.5, line="north", ref=REF)
        second = events.say(conn, "clock", {}, at_s=9.0)
    with database.reading() as conn:
        one, two = events.since(conn, 0)
        assert one == events.Event(first, 10.5, "conflict", "north", REF, {"with": ["a", 1, None]})
        assert two == events.Event(second, 9.0, "clock", None, None, {})
        assert events.since(conn, first) == [two]
        assert events.since(conn, 0, limit=1) == [one]
        assert (events.oldest(conn), events.newest(conn)) == (first, second)


def test_a_number_is_never_given_twice_even_when_all_were_pruned(database):
    with database.writing() as conn:
        numbers = [events.say(conn, "entry", {}, at_s=float(n)) for n in range(5)]
        assert events.prune(conn, before_s=3.0) == 3
        assert [event.id for event in events.since(conn, 0)] == numbers[3:]
        assert events.prune(conn, before_s=100.0) == 1  # the newest stays
        assert events.say(conn, "entry", {}, at_s=9.0) > numbers[-1]


def test_a_type_that_there_is_not_is_our_own_mistake(database):
    with pytest.raises(AssertionError), database.writing() as conn:
        events.say(conn, "gossip", {}, at_s=1.0)


def test_an_arrival_is_noted_once_and_never_changes(database):
    with database.writing() as conn:
        assert arrivals.came(conn, "a/x/log", 3, kept_s=10.0) == range(3)
        assert arrivals.came(conn, "a/x/log", 3, kept_s=11.0) == range(3, 3)
        assert arrivals.came(conn, "a/x/log", 2, kept_s=12.0) == range(3, 3)
        assert arrivals.came(conn, "a/x/log", 7, kept_s=13.0) == range(3, 7)
        assert arrivals.came(conn, "b/x/log", 1, kept_s=14.0) == range(1)
    with database.reading() as conn:
        assert [arrivals.kept_s(conn, "a/x/log", n) for n in (0, 2, 3, 6, 7)] == [10.0, 10.0, 13.0, 13.0, None]
        assert arrivals.kept_s(conn, "c/x/log", 0) is None
        assert arrivals.end(conn, "a/x/log") == 7
        assert arrivals.end(conn, "c/x/log") == 0
        assert arrivals.kept_between_s(conn, "a/x/log", 2, 5) == [(range(2, 3), 10.0), (range(3, 5), 13.0)]


def test_the_first_time_that_a_body_was_noted_counts(database):
    with database.writing() as conn:
        assert arrivals.body_came(conn, "a/x/log", 5, kept_s=20.0) == 20.0
        assert arrivals.body_came(conn, "a/x/log", 5, kept_s=30.0) == 20.0
        assert arrivals.body_kept_s(conn, "a/x/log", 0, 6) == {5: 20.0}
        assert arrivals.body_kept_s(conn, "a/x/log", 0, 5) == {}
