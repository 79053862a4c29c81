"""The tables that officers' work is kept in, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.drafts import add_draft, change_draft, draft_count, draft_of, drafts_after, drop_draft
from keepclear.store.node.guarded import add_guarded, guarded_before, guarded_entry, tie_guarded
from keepclear.store.node.intents import Intent, claim, intent_of, release, settle
from keepclear.store.node.readings import add_readings, read_since, readings_before
from keepclear.store.node.series import KeptDay, add_series, days_of, end_series, live_series, put_day, series_after

ORIGIN = "A/north/log"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    place = tmp_path / "node.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        place = server.url(server.new_schema())
    made = NodeDatabase.open(place)
    yield made
    made.close()


def test_a_draft_changes_only_from_the_version_that_was_read(database):
    content = {"operation": {"id": "Ω", "n": 1.5, "deep": [None, True]}}
    with database.writing() as conn:
        kept = add_draft(conn, content, by="anna", at_s=1.5, line="north")
        assert change_draft(conn, kept.id, {}, version=2, by="b", at_s=2.0, line=None) is None
        assert draft_of(conn, kept.id).content == content
        assert change_draft(conn, kept.id, {}, version=1, by="b", at_s=2.0, line=None).version == 2
        second = add_draft(conn, content, by="anna", at_s=3.0, line=None)
        assert [one.id for one in drafts_after(conn, None, limit=9)] == [kept.id, second.id]
        assert [one.id for one in drafts_after(conn, kept.id, limit=9)] == [second.id]
        assert not drop_draft(conn, kept.id, version=1)
        assert drop_draft(conn, second.id)
        assert draft_count(conn) == 1
        assert add_draft(conn, {}, by="anna", at_s=4.0, line=None).id > second.id  # a number is given once


def test_an_act_is_claimed_once_and_given_up_only_while_it_is_not_settled(database):
    mine, other = (Intent("change x", 1.0, by, ORIGIN, 7) for by in ("anna", "odo"))
    with database.writing() as conn:
        assert claim(conn, mine) is None
        assert claim(conn, other) == mine
        release(conn, "change x")
        assert claim(conn, other) is None
        settle(conn, "change x", origin=ORIGIN, index=9)
        release(conn, "change x")
        assert (intent_of(conn, "change x").index, intent_of(conn, "change x").by) == (9, "odo")


def test_a_day_of_a_series_is_put_in_place_of_what_was_said_before(database):
    with database.writing() as conn:
        kept = add_series(conn, line="north", by="anna", at_s=1.0, request={"a": 1}, recurrence={"days": [1]})
        put_day(conn, kept.id, KeptDay("2026-01-05", 5.0, "failed", note="why"))
        put_day(conn, kept.id, KeptDay("2026-01-05", 5.0, "filed", ORIGIN, 3))
        put_day(conn, kept.id, KeptDay("2026-01-04", 4.0, "cancelled"))
    with database.reading() as conn:
        days = days_of(conn, kept.id)
        assert list(days) == ["2026-01-04", "2026-01-05"]
        assert days["2026-01-05"] == KeptDay("2026-01-05", 5.0, "filed", ORIGIN, 3)
        assert live_series(conn) == [kept]
    with database.writing() as conn:
        assert end_series(conn, kept.id, by="odo", at_s=9.0)
        assert not end_series(conn, kept.id, by="odo", at_s=9.0)
        assert live_series(conn) == []
        assert [one.ended_by for one in series_after(conn, None, limit=9, line="north")] == ["odo"]
        assert series_after(conn, kept.id, limit=9) == []


def test_readings_are_found_by_person_and_by_entry(database):
    with database.writing() as conn:
        add_readings(conn, [(ORIGIN, 1), (ORIGIN, 2)], by="anna", address="::1", at_s=10.0)
        add_readings(conn, [(ORIGIN, 2)], by="mona", address="", at_s=20.0)
        add_readings(conn, [], by="mona", address="", at_s=30.0)
    with database.reading() as conn:
        assert read_since(conn, "anna", 10.0) == {(ORIGIN, 1), (ORIGIN, 2)}
        assert read_since(conn, "anna", 10.5) == set()
        assert [one.by for one in readings_before(conn, limit=9, place=(ORIGIN, 2))] == ["mona", "anna"]
        newest = readings_before(conn, limit=1)[0]
        assert [one.index for one in readings_before(conn, newest.id, limit=9, by="anna")] == [2, 1]


def test_what_the_guards_said_comes_back_and_is_tied_to_its_entry(database):
    with database.writing() as conn:
        first = add_guarded(
            conn, at_s=1.0, outcome="flag", guard="NO_SHARING", sentence="look", spans=[("text", 0, 5)], by="anna"
        )
        add_guarded(conn, at_s=2.0, outcome="refuse", guard="X", sentence="no", spans=[], place=(ORIGIN, 4))
        tie_guarded(conn, first, (ORIGIN, 4))
    with database.reading() as conn:
        assert [one.spans for one in guarded_entry(conn, ORIGIN, 4)] == [(("text", 0, 5),), ()]
        assert [one.guard for one in guarded_before(conn, limit=9)] == ["X", "NO_SHARING"]
        assert [one.id for one in guarded_before(conn, first + 1, limit=9)] == [first]
