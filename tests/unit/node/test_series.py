import time
from datetime import date

import pytest

from keepclear.errors import InputError
from keepclear.model.operations import Operation
from keepclear.node.guarding import RefusedError
from keepclear.node.recurrence import Recurrence
from keepclear.node.refusals import NotAllowedError, NotFoundError, StaleError
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.talk import CancelBody
from keepclear.times import to_text
from tests.unit.node.officers_made import LINE, NOON_S, OFFICER, ORDER, READER, asked, patrol, share, site, together

DAY_S = 86_400.0
# NOON_S is 2023-11-17T22:13:20Z, a Friday (in Beirut a Saturday).
NIGHTLY = Recurrence(
    zone="Asia/Beirut", days=frozenset(range(1, 8)) - {5}, until_s=NOON_S + 20 * DAY_S, ahead_s=4 * DAY_S
)


@pytest.fixture
def two(tmp_path):
    with together(tmp_path, "A", "B") as made:
        yield made


def filed_by(node):
    origin = node.records.own_origin(LINE)
    bodies = [node.body(node.records.ref(origin, n)) for n in range(node.records.size(origin))]
    return [one.operation.id for one in bodies if isinstance(one, OperationBody)]


def states(node, series):
    return {one.occurrence.day.isoformat(): one.state for one in node.series.days(series.id, by=READER)}


def test_what_is_due_is_filed_a_horizon_ahead_and_once(two):
    a, b = two
    series = a.series.begin(asked(patrol()), NIGHTLY, by=OFFICER)
    assert a.series.file_due() == 2  # it is three days before the first
    assert filed_by(a) == ["patrol-1/2023-11-18", "patrol-1/2023-11-19"]
    assert a.series.file_due() == 0
    a.now_s += 3 * DAY_S
    assert a.series.file_due() == 3
    assert filed_by(a)[2:] == ["patrol-1/2023-11-20", "patrol-1/2023-11-21", "patrol-1/2023-11-22"]
    share(a, b)
    last = a.series.days(series.id, by=READER)[4]
    assert b.body(last.ref).to_model().volumes[0].start_s == NOON_S + 4 * DAY_S
    assert "2023-11-24" not in states(a, series)  # a Friday
    assert states(a, series)["2023-11-25"] == "due"
    assert a.acts.before(limit=1)[0].user == "anna"


def test_nothing_is_filed_twice_by_a_node_that_starts_again(two):
    a, _ = two
    a.series.begin(asked(patrol()), NIGHTLY, by=OFFICER)
    a.series.file_due()
    a.projector.stop()
    a.guards.stop()
    a.make()
    a.projector.start()
    assert a.series.file_due() == 0
    assert len(filed_by(a)) == 2


@pytest.mark.parametrize("said", [True, False])
def test_a_crash_in_the_middle_of_filing_neither_doubles_nor_loses_a_day(two, monkeypatch, said):
    a, _ = two
    series = a.series.begin(asked(patrol()), NIGHTLY, by=OFFICER)
    say = a.records.say_each

    def killed(line, wanted):
        if said:
            say(line, wanted)
        raise KeyboardInterrupt

    monkeypatch.setattr(a.records, "say_each", killed)
    with pytest.raises(KeyboardInterrupt):
        a.series.file_due()
    monkeypatch.undo()
    a.projector.stop()
    a.guards.stop()
    a.make()
    a.projector.start()
    a.series.file_due()
    assert filed_by(a) == ["patrol-1/2023-11-18", "patrol-1/2023-11-19"]
    assert list(states(a, series).values())[:3] == ["filed", "filed", "due"]


def test_one_day_is_cancelled_before_or_after_it_was_filed(two):
    a, _ = two
    series = a.series.begin(asked(patrol()), NIGHTLY, by=OFFICER)
    a.series.file_due()
    (said,) = a.series.cancel_one(series.id, date(2023, 11, 19), "the bridge is closed", by=OFFICER)
    assert isinstance(a.body(said), CancelBody)
    assert a.series.cancel_one(series.id, date(2023, 11, 20), by=OFFICER) == ()
    a.now_s += 2 * DAY_S
    a.series.file_due()
    assert filed_by(a) == ["patrol-1/2023-11-18", "patrol-1/2023-11-19", "patrol-1/2023-11-21"]
    assert list(states(a, series).values())[:4] == ["filed", "cancelled", "cancelled", "filed"]
    with pytest.raises(StaleError):
        a.series.cancel_one(series.id, date(2023, 11, 19), by=OFFICER)
    with pytest.raises(NotFoundError):
        a.series.cancel_one(series.id, date(2023, 11, 24), by=OFFICER)


def test_all_that_is_to_come_is_cancelled_at_once_amended_or_not(two):
    a, _ = two
    series = a.series.begin(asked(patrol()), NIGHTLY, by=OFFICER)
    a.series.file_due()
    first = a.series.days(series.id, by=READER)[0]
    newer = a.filing.amend(first.ref, asked(patrol(id=first.id, lat=37.2)), by=OFFICER)
    said = a.series.cancel(series.id, "ordered back", by=OFFICER)
    assert len(said) == 2
    assert newer.ref in {a.body(one).entry.ref() for one in said}
    with pytest.raises(StaleError):
        a.series.cancel(series.id, by=OFFICER)
    a.now_s += 5 * DAY_S
    assert a.series.file_due() == 0
    assert a.series.get(series.id, by=READER).ended_by == "anna"


def test_what_could_not_be_filed_is_told_once_and_tried_again(two):
    a, b = two
    series = a.series.begin(asked(patrol(), recipients=("B",)), NIGHTLY, by=OFFICER)
    a.stopped["B"] = "its log has forked"
    a.series.file_due()
    a.series.file_due()
    days = a.series.days(series.id, by=READER)
    assert (days[0].state, days[0].note.count("forked")) == ("failed", 1)
    a.stopped.clear()
    assert a.series.file_due() == 2
    assert states(a, series)["2023-11-18"] == "filed"
    share(a, b)


def test_a_day_whose_time_came_first_is_missed_and_not_filed_late(two):
    a, _ = two
    series = a.series.begin(asked(patrol()), NIGHTLY, by=OFFICER)
    a.now_s = NOON_S + 1.5 * DAY_S
    a.series.file_due()
    found = list(states(a, series).values())
    assert found[:3] == ["missed", "missed", "filed"]
    with pytest.raises(StaleError):
        a.series.cancel_one(series.id, date(2023, 11, 18), by=OFFICER)


def test_the_thread_files_what_was_begun(two):
    a, _ = two
    a.series.start()
    a.series.begin(asked(patrol()), NIGHTLY, by=OFFICER)
    until = time.monotonic() + 20.0
    while len(filed_by(a)) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    a.series.stop()
    assert len(filed_by(a)) == 2


def test_what_can_not_come_again_is_refused_before_anything_is_kept(two):
    a, _ = two
    volume = patrol().volumes[0]
    endless = Operation("A", "x", None, (type(volume)(volume.footprint),))
    for wrong in (asked(site()), asked(endless), asked(patrol("B")), asked(patrol(), line="south")):
        with pytest.raises(InputError):
            a.series.begin(wrong, NIGHTLY, by=OFFICER)
    with pytest.raises(RefusedError):
        a.series.begin(asked(patrol(), remarks=ORDER), NIGHTLY, by=OFFICER)
    with pytest.raises(NotAllowedError):
        a.series.begin(asked(patrol()), NIGHTLY, by=READER)
    assert a.series.listed(by=READER) == []
    assert to_text(NOON_S)[:10] == "2023-11-17"
