"""First reports of incidents that are due: who is told when, and that it ends when the report is sent."""

from __future__ import annotations

import pytest

from keepclear.node.incidents import FIRST_REPORT_S
from keepclear.node.report_watch import ReportWatch
from keepclear.store.node.rosters import KeptPost, put_roster
from keepclear.store.node.told import due_notices
from tests.unit.node.test_encounters import drive
from tests.unit.node.watch_made import OFFICER, watching


@pytest.fixture
def met(tmp_path):
    """A node that has found an encounter and drafted the report; its duty officer has a deputy and a commander."""
    with watching(tmp_path, "A", "B") as (a, b):
        drive(a, b)
        assert a.encounters.sweep() == 1
        yield a


def watch_of(node):
    return ReportWatch(node.database, node.alarms, node.bell, node.clock, every_s=0.0)


def told(node, channel):
    with node.database.reading() as conn:
        return [
            (one.notice["role"], one.notice["rank"], one.urgent)
            for urgent in (True, False)
            for one in due_notices(conn, channel, urgent=urgent, at_s=node.now_s)
        ]


def overdue(node):
    return [(one.sentence, one.over_s is not None) for one in node.alarms.listed() if one.kind == "overdue"]


def test_the_duty_officer_is_told_at_half_time_the_deputy_when_it_is_due_and_all_after_twice_the_time(met):
    posts = [("duty officer", 0, "pager"), ("duty officer", 1, "second"), ("party authority", 0, "chief")]
    with met.database.writing() as conn:
        put_roster(conn, [KeptPost(role, rank, "", (channel,)) for role, rank, channel in posts])
    (draft,) = met.incidents.drafts()
    watch = watch_of(met)
    met.now_s = draft.found_s + 0.4 * FIRST_REPORT_S
    assert watch.sweep() == 0
    seen = []
    for share in (0.5, 1.0, 2.0):
        met.now_s = draft.found_s + share * FIRST_REPORT_S + 1.0
        assert watch.sweep() == 1
        assert watch.sweep() == watch_of(met).sweep() == 0  # not again, nor after a start
        seen.append(([len(told(met, channel)) for _, _, channel in posts], len(overdue(met))))
    assert seen == [([1, 0, 0], 0), ([2, 1, 0], 1), ([3, 2, 1], 1)]
    assert told(met, "chief") == [("party authority", 0, True)]
    ((sentence, is_over),) = overdue(met)
    assert sentence.startswith(f"The first report of encounter {draft.id} was due at ")
    assert not is_over


def test_what_was_missed_while_the_machine_was_off_is_told_once_and_ends_with_the_report(met):
    (draft,) = met.incidents.drafts()
    watch = watch_of(met)
    met.now_s = draft.found_s + 5.0 * FIRST_REPORT_S
    assert watch.sweep() == 1  # the last step alone: those before it are overtaken
    assert [is_over for _, is_over in overdue(met)] == [False]
    met.incidents.report(None, {"narrative": "They came round the bend."}, by=OFFICER, encounter=draft.id)
    assert watch.sweep() == 0
    assert [is_over for _, is_over in overdue(met)] == [True]


def test_a_report_that_was_sent_in_time_is_told_to_nobody(met):
    (draft,) = met.incidents.drafts()
    met.incidents.report(None, {"narrative": "They came round the bend."}, by=OFFICER, encounter=draft.id)
    met.now_s = draft.found_s + 3.0 * FIRST_REPORT_S
    assert watch_of(met).sweep() == 0
    assert overdue(met) == []
