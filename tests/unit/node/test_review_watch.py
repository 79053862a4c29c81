"""What others may say or send must not keep a node from seeing an encounter, or share more or less than was chosen."""

from __future__ import annotations

import pytest

from keepclear.api.routes.encounters import _as_shown
from keepclear.line.guards import Outcome
from keepclear.node.guard_worker import GuardTask, judged
from keepclear.node.records import Outgoing
from keepclear.node.refusals import GoneError
from keepclear.record.bodies.watched import PositionsBody
from keepclear.store.node.position_shares import open_shares
from tests.unit.node.officers_made import AUDITOR
from tests.unit.node.test_encounters import drive
from tests.unit.node.test_joint_planning import plan
from tests.unit.node.watch_made import LINE, NOON_S, OFFICER, line_text, share, watching

DAY_S = 86_400.0


@pytest.fixture
def two(tmp_path):
    with watching(tmp_path, "A", "B") as made:
        yield made


def lie(node, to, *, from_s, to_s):
    """Say positions of a time, without a batch."""
    body = PositionsBody.of_members(
        {"batch": "0" * 64, "source": {"name": "gps", "owner": node.party, "accuracy_m": 1.0, "max_age_s": 60.0},
         "from_s": from_s, "to_s": to_s, "count": 1}
    )  # fmt: skip
    node.records.say(LINE, [Outgoing(body, (to,))])


def test_positions_of_a_time_that_is_not_yet_keep_nobody_from_seeing_an_encounter(two):
    a, b = two
    lie(b, "A", from_s=NOON_S, to_s=NOON_S + 1000 * DAY_S)
    drive(a, b)
    assert a.encounters.sweep() == 1


def test_an_encounter_of_which_a_party_tells_only_weeks_later_is_found(two):
    a, b = two
    drive(a, b, present="A")
    a.encounters.sweep()
    for node in two:
        node.now_s = NOON_S + 30 * DAY_S
    rows = [(NOON_S + 30.0 * n, 40.65 + 0.00001 * n, 37.06054) for n in range(121)]
    b.post(line_text("b-1", *rows))
    b.sharing.share(LINE, "b-1", by=OFFICER, from_s=NOON_S, to_s=NOON_S + DAY_S, grid_km=None)
    lie(b, "A", from_s=0.0, to_s=1.0)
    share(a, b)
    found = sum(a.encounters.sweep() for _ in range(10))
    assert found == 1
    assert not a.encounters.waits


def test_each_batch_that_was_shared_is_looked_at_once(two):
    a, b = two
    drive(a, b)
    assert len(list(a.sharing.spans(LINE))) == 2
    assert list(a.sharing.spans(LINE)) == []


def test_sharing_that_cannot_be_said_keeps_no_other_back(two):
    a, b = two
    for unit in ("p-1", "p-2"):
        a.sharing.begin(LINE, unit, by=OFFICER, grid_km=None, every_s=30.0, recipients=["B"])
    from sqlalchemy import text

    with a.database.writing() as conn:
        first = open_shares(conn)[0]
        conn.execute(text("UPDATE position_share SET recipients = '[\"C\"]' WHERE id = :id"), {"id": first.id})
    a.now_s += 40.0
    for unit in ("p-1", "p-2"):
        a.post(line_text(unit, (a.now_s - 10.0, 41.0, 37.0)))
    a.watch.make_due()
    share(a, b)
    assert [one.body.unit for one in b.sharing.tracks(LINE)] == ["p-2"]


def test_positions_that_come_late_are_shared_all_the_same(two):
    a, b = two
    a.sharing.begin(LINE, "p-1", by=OFFICER, grid_km=None, every_s=30.0)
    start_s = a.now_s
    for step in range(1, 7):
        a.now_s = start_s + 40.0 * step
        if step % 3 == 0:  # the tracker sends every two minutes what it had since
            a.post(line_text("p-1", *((a.now_s - 100.0 + 20.0 * n, 41.0 + 0.0001 * n, 37.0) for n in range(5))))
        a.sharing.make_due()
    b.now_s = a.now_s
    share(a, b)
    told = [time for shared in b.sharing.tracks(LINE) for flown in shared.flown for time in flown.track.time_s]
    assert len(told) == len(set(told)) == 10


def test_the_area_of_what_is_told_roughly_contains_where_the_unit_was(two):
    a, b = two
    lon, lat = 41.0321, 37.0123
    a.post(line_text("p-1", (a.now_s - 100.0, lon, lat)))
    a.sharing.share(None, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s, grid_km=10)
    share(a, b)
    (shared,) = b.sharing.tracks(LINE)
    area = shared.body.area
    assert area.west_deg < lon < area.east_deg
    assert area.south_deg < lat < area.north_deg


def batch(unit, count, **more):
    rows = ((1.0e9 + n, 41.0 + n * 1e-5, 37.0) for n in range(count))
    return [("positions.ndjson", line_text(unit, *rows, uncertainty_m=25.0, **more))]


def test_a_long_batch_is_judged_whole_and_whatever_is_no_position_in_it_as_text():
    assert judged(GuardTask({}, batch("patrol-3", 10_000))).outcome is Outcome.PASS
    assert judged(GuardTask({}, batch("strike the depot at 36.37050, 37.51570", 2))).outcome is Outcome.REFUSE
    name, data = batch("patrol-3", 3)[0]
    hidden = data + b'\n{"note":"strike the depot at 36.37050, 37.51570"}'
    assert judged(GuardTask({}, [(name, hidden)])).outcome is Outcome.REFUSE


@pytest.mark.parametrize("what", ["narrative", "harm", "immediate_action", "attribution"])
def test_a_report_of_what_was_suffered_gets_through_and_an_aim_does_not(what):
    suffered = "Our convoy was struck by two shells at 36.37050, 37.51570, three injured."
    assert judged(GuardTask({what: suffered})).outcome is Outcome.PASS
    for aim in ("Two shells at 36.37050, 37.51570.", "It was hit by two shells; hit it again at 36.37050, 37.51570."):
        assert judged(GuardTask({what: aim})).outcome is Outcome.REFUSE


def test_who_reads_the_batch_of_another_is_logged_and_gets_none_that_has_expired(two):
    a, b = two
    a.post(line_text("p-1", (a.now_s - 100.0, 41.0, 37.0)))
    (said,) = a.sharing.share(None, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s, grid_km=None)
    share(a, b)
    assert b.sharing.prove(said.ref, by=OFFICER).batch
    assert [one.index for one in b.readings.log(by=AUDITOR)] == [said.ref.index]
    b.now_s += 8 * DAY_S
    with pytest.raises(GoneError, match="expired"):
        b.sharing.prove(said.ref, by=OFFICER)


def test_who_reads_the_joint_plan_of_another_is_logged_and_it_is_not_shown_for_ever(two):
    a, b = two
    said = a.joint.propose(None, plan("A", "B"), by=OFFICER)
    share(a, b)
    assert b.readings.read(said.ref, by=OFFICER).body is not None
    assert [one.index for one in b.readings.log(by=AUDITOR)] == [said.ref.index]
    b.now_s = NOON_S + 9 * DAY_S
    assert b.readings.read(said.ref, by=OFFICER).body is None


def test_who_looks_at_an_encounter_has_read_where_the_other_was_and_that_expires(two):
    a, b = two
    drive(a, b)
    (found,) = a.encounters.found(LINE, NOON_S - 600.0, NOON_S + 4000.0)
    assert _as_shown(a, OFFICER, LINE, found)["closest"] is not None
    (read,) = a.readings.log(by=AUDITOR)
    assert (read.by, read.origin.split("/")[0]) == (OFFICER.user, "B")
    a.now_s += 8 * DAY_S
    assert _as_shown(a, OFFICER, LINE, found)["closest"] is None
