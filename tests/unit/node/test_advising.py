from __future__ import annotations

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.node.advising import Advising
from keepclear.node.conflict_lives import CONFLICT_TRANSITIONS, ConflictEvent, ConflictState, life_of
from keepclear.node.own_log import Outgoing
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.entry_types import EntryType
from tests.unit.node.filings_made import LINE, Party, carry, convoy, line_of, meet, patrol, tables_of, zone


@pytest.fixture
def pair(tmp_path):
    with line_of(tmp_path, "RU", "TR") as nodes:
        yield nodes


def advisories(node: Party):
    origin = node.records.own_origin(LINE)
    entries = node.records.entries(origin, 0, node.records.size(origin))
    return [one for one in entries if one.leaf.type == EntryType.ADVISORY]


def in_conflict(ru, tr):
    ours = ru.file(convoy("RU", "c1"), "TR")
    theirs = tr.file(patrol("TR", "p1"), "RU")
    meet(LINE, ru, tr)
    ru.projector.catch_up()
    tr.projector.catch_up()
    return ours, theirs


def test_the_other_party_is_told_once_of_what_our_own_operation_comes_too_close_to(pair):
    ru, tr = pair
    ours, theirs = in_conflict(ru, tr)
    assert ru.advising.advise_all() == 1
    assert ru.advising.advise_all() == 0
    (entry,) = advisories(ru)
    body = body_of(entry)
    assert isinstance(body, AdvisoryBody)
    assert [one.ref() for one in body.about] == [ours, theirs]
    assert body.answer == "conflict"
    assert entry.leaf.recipients == ("TR",)
    (row,) = ru.conflicts()
    assert (row.state, row.advised_by, row.to_advise) == ("advised", ("RU",), 0)
    # The other side is told, so it has nothing more to tell.
    carry(ru, tr, LINE)
    assert tr.advising.advise_all() == 0
    assert [row.state for row in tr.conflicts()] == ["advised"]


def test_a_crash_between_saying_and_noting_says_nothing_twice(pair, monkeypatch):
    ru, tr = pair
    in_conflict(ru, tr)
    real, calls = ru.projector.catch_up_logs, []

    def dies():
        calls.append(1)
        if len(calls) == 2:  # said, and not projected
            raise KeyboardInterrupt
        return real()

    monkeypatch.setattr(ru.projector, "catch_up_logs", dies)
    with pytest.raises(KeyboardInterrupt):
        ru.advising.advise_all()
    monkeypatch.undo()
    assert len(advisories(ru)) == 1
    assert [row.state for row in ru.conflicts()] == ["found"]
    ru.begin()
    assert ru.advising.advise_all() == 0
    assert len(advisories(ru)) == 1
    ru.projector.rebuild()
    assert ru.advising.advise_all() == 0
    assert len(advisories(ru)) == 1


def test_while_the_node_is_being_stopped_nothing_is_said_twice(pair):
    ru, tr = pair
    in_conflict(ru, tr)
    ru.projector.start()
    try:
        ru.projector._stopping.set()  # it takes nothing into the tables any more
        assert ru.advising.advise_all() <= 1
    finally:
        ru.projector.stop()
    ru.projector.catch_up()
    assert ru.advising.advise_all() == 0
    assert len(advisories(ru)) == 1


def test_a_person_who_advises_again_gets_what_was_said(pair):
    ru, tr = pair
    in_conflict(ru, tr)
    (row,) = ru.conflicts()
    first = ru.advising.advise(row.id)
    assert ru.advising.advise(row.id) == first
    with pytest.raises(InputError, match="no such conflict"):
        ru.advising.advise(99)


def test_nobody_is_told_of_what_was_not_told_to_him(tmp_path):
    with line_of(tmp_path, "RU", "TR", "US") as (ru, tr, us):
        ru.file(convoy("RU", "c1"), "US")
        tr.file(patrol("TR", "p1"), "RU", "US")
        meet(LINE, ru, tr, us)
        for node in (ru, us):
            node.projector.catch_up()
        (row,) = ru.conflicts()
        assert "was not told to TR" in row.why_not_advised
        assert ru.advising.advise_all() == 0
        with pytest.raises(InputError, match="was not told to TR"):
            ru.advising.advise(row.id)
        (row,) = us.conflicts()
        assert row.own == 0
        assert us.advising.advise_all() == 0
        assert [row.own for row in us.conflicts(own=True)] == []


def test_our_own_zone_is_no_matter_for_an_advisory(pair):
    ru, _ = pair
    ru.file(zone("RU", "z1"), "TR")
    ru.file(convoy("RU", "c1"), "TR")
    assert ru.advising.advise_all() == 0


def test_accepted_by_one_it_stands_and_by_both_it_is_accepted_until_a_plan_changes(pair):
    ru, tr = pair
    ours, _ = in_conflict(ru, tr)
    (row,) = ru.conflicts()
    advisory = EntryRefValue.of(ru.advising.advise(row.id))
    for node, other, state in ((ru, "TR", "advised"), (tr, "RU", "accepted")):
        node.records.say(LINE, [Outgoing(AcceptedRiskBody(advisory=advisory, reason="seen"), (other,))])
        meet(LINE, ru, tr)
        for each in pair:
            each.projector.catch_up()
            assert [one.state for one in each.conflicts()] == [state]
    assert ru.conflicts()[0].accepted_by == ("RU", "TR")
    ru.file(convoy("RU", "c1", lat=38.0), "TR", supersedes=ours)
    assert [one.state for one in ru.conflicts()] == ["resolved"]


def test_an_advisory_taken_back_is_not_said_again(pair):
    ru, tr = pair
    in_conflict(ru, tr)
    (row,) = ru.conflicts()
    advisory = ru.advising.advise(row.id)
    ru.cancel(advisory, "TR")
    assert [one.state for one in ru.conflicts()] == ["found"]
    assert ru.advising.advise_all() == 0
    assert len(advisories(ru)) == 1


def test_what_only_the_other_side_finds_is_a_conflict_here_too(pair):
    ru, tr = pair
    ours = ru.file(convoy("RU", "c1"), "TR")
    theirs = tr.file(patrol("TR", "p1", lat=45.0), "RU")
    meet(LINE, ru, tr)
    about = [EntryRefValue.of(ours), EntryRefValue.of(theirs)]
    body = AdvisoryBody(about=about, answer="possible", sentence="The two come close by our own minima.")
    tr.records.say(LINE, [Outgoing(body, ("RU",))])
    carry(tr, ru, LINE)
    ru.projector.catch_up()
    (row,) = ru.conflicts()
    assert (row.state, row.answer, row.found_s, row.advised_by) == ("advised", "possible", None, ("TR",))
    before = tables_of(ru.database)
    ru.projector.rebuild()
    assert tables_of(ru.database) == before


def test_every_event_in_every_state_leads_where_the_table_says_or_nowhere():
    for state in ConflictState:
        for event in ConflictEvent:
            led = CONFLICT_TRANSITIONS.get((state, event))
            if state in (ConflictState.RESOLVED, ConflictState.ENDED):
                assert led in (None, ConflictState.DROPPED)
            if state is ConflictState.DROPPED:
                assert led is None
    assert life_of([]) is ConflictState.NEW
    assert life_of([ConflictEvent.FOUND, ConflictEvent.ACCEPTED]) is ConflictState.FOUND
    advised = [ConflictEvent.FOUND, ConflictEvent.ADVISED]
    assert life_of([*advised, ConflictEvent.ACCEPTED, ConflictEvent.OVER]) is ConflictState.ENDED
    assert life_of([*advised, ConflictEvent.CHANGED, ConflictEvent.OVER]) is ConflictState.RESOLVED


def test_who_files_a_flood_is_not_answered_by_one_and_an_alarm_says_that_advisories_wait(pair, monkeypatch):
    ru, tr = pair
    monkeypatch.setattr("keepclear.node.advising.MOST_PER_HOUR", 2)
    alarms = []
    ru.advising = Advising(
        ru.records, ru.database, ru.projector, clock=ru.clock, alarm=lambda *told, **more: alarms.append((told, more))
    )
    ru.file(convoy("RU", "c1"), "TR")
    for number in range(5):
        tr.file(patrol("TR", f"p{number}"), "RU")
    meet(LINE, ru, tr)
    assert ru.advising.advise_all() == 2
    assert ru.advising.advise_all() == 0
    assert len(advisories(ru)) == 2
    (((kind, sentence), more),) = alarms
    assert (kind, more["line"]) == ("guard", LINE)
    assert "3 conflicts more stand untold" in sentence
    ru.now_s += 3_601.0
    assert ru.advising.advise_all() == 2
    ru.now_s += 3_601.0
    assert ru.advising.advise_all() == 1
    assert len(advisories(ru)) == 5


def test_an_advisory_that_cannot_be_said_holds_up_no_other(pair, monkeypatch):
    ru, tr = pair
    ru.file(convoy("RU", "c1"), "TR")
    tr.file(patrol("TR", "p1"), "RU")
    tr.file(patrol("TR", "p2"), "RU")
    meet(LINE, ru, tr)
    real, calls = ru.records.say, []

    def fails_first(*told):
        calls.append(1)
        if len(calls) == 1:
            raise StoreError("the disk is full")
        return real(*told)

    monkeypatch.setattr(ru.records, "say", fails_first)
    assert ru.advising.advise_all() == 1
    assert ru.advising.advise_all() == 1
    assert len(advisories(ru)) == 2
