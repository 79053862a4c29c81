"""What a node forgets, and what it must not."""

from __future__ import annotations

import pytest

from keepclear.node.housekeeping import Housekeeping
from keepclear.node.settings import Settings
from keepclear.record.entries import EntryRef
from keepclear.store.node import events
from keepclear.store.node.alarms import acknowledge, add_alarm, alarms_before
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.line_tests import add_test, past_tests
from keepclear.store.node.told import NoticeState, known_keys, plan_notice

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0
ENDED = NoticeState.DONE


@pytest.fixture
def database(tmp_path):
    database = NodeDatabase.open(tmp_path / "node.db")
    yield database
    database.close()


def filled(database):
    with database.writing() as conn:
        for days in (100, 80, 40, 1):
            at_s = NOW_S - days * DAY_S
            events.say(conn, "message", {"days": days}, at_s=at_s)
            for name, state in (("ended", ENDED), ("waits", NoticeState.WAITING)):
                plan_notice(
                    conn, f"{name} {days}", "mail", {}, at_s=at_s, urgent=False, alarm=None, state=state
                )  # fmt: skip
            seen = add_alarm(conn, "disk", f"seen {days}", "s", at_s=at_s)
            assert acknowledge(conn, seen, by="anna", note="", at_s=at_s)
            add_alarm(conn, "disk", f"open {days}", "s", at_s=at_s)
            add_test(conn, EntryRef("RU/north/log", days, bytes(32)), "north", ["TR"], begun_s=at_s, due_s=at_s)


def left(database):
    with database.reading() as conn:
        return {
            "events": [event.data["days"] for event in events.since(conn, 0)],
            "told": known_keys(conn, [f"{name} {days}" for name in ("ended", "waits") for days in (100, 80, 40, 1)]),
            "alarms": {alarm.key for alarm in alarms_before(conn, None, open_only=False, limit=100)},
            "tests": [test.ref.index for test in past_tests(conn, "north")],
        }


@pytest.mark.parametrize(("kept_days", "most_days"), [(30.0, 90), (85.0, 90), (200.0, 200)])
def test_what_is_old_and_over_is_forgotten_and_what_is_not_over_never(database, kept_days, most_days):
    filled(database)
    keeping = Housekeeping(database, Settings(events_kept_days=kept_days), lambda: NOW_S)
    forgotten = keeping.tidy()
    found = left(database)
    kept = [days for days in (100, 80, 40, 1) if days < most_days]
    assert found["events"] == [days for days in (100, 80, 40, 1) if days < kept_days]
    assert found["told"] == {f"ended {days}" for days in kept} | {f"waits {days}" for days in (100, 80, 40, 1)}
    assert found["alarms"] == {f"seen {days}" for days in kept} | {f"open {days}" for days in (100, 80, 40, 1)}
    assert found["tests"] == sorted(kept)
    assert forgotten == 4 - len(found["events"]) + 3 * (4 - len(kept))
    assert keeping.tidy() == 0
