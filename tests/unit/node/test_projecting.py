from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from keepclear.errors import StoreError
from keepclear.model.findings import Answer
from keepclear.model.footprints import Corridor
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.node import projecting
from keepclear.node.folding import Fold
from keepclear.node.own_log import Outgoing
from keepclear.node.searching import NOTHING_COMPARED
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody
from keepclear.store.node import events
from keepclear.store.node.arrivals import kept_s
from keepclear.store.node.cells import held_parts
from keepclear.store.node.filings import FilingState, filings_like
from tests.unit.node.filings_made import LINE, START_S, carry, convoy, line_of, meet, patrol, tables_of, zone


@pytest.fixture
def pair(tmp_path):
    with line_of(tmp_path, "RU", "TR") as nodes:
        yield nodes


def states(node):
    return [row.state for row in reversed(node.conflicts())]


def test_what_is_filed_is_found_on_both_sides_and_once(pair):
    ru, tr = pair
    ours = ru.file(convoy("RU", "c1"), "TR")
    assert ru.filing(ours).state is FilingState.ACTIVE
    assert ru.conflicts() == []
    theirs = tr.file(patrol("TR", "p1"), "RU")
    meet(LINE, ru, tr)
    for node in pair:
        node.projector.catch_up()
        node.projector.catch_up()
        (row,) = node.conflicts()
        assert (row.answer, row.state, row.own) == ("conflict", "found", 1)
        assert row.finding["sentence"]
        assert node.filing(ours).thing_id == "c1"
        assert node.filing(theirs).thing_id == "p1"


def test_a_cancelled_operation_leaves_the_search_at_once(pair):
    ru, tr = pair
    ru.file(convoy("RU", "far", lat=-10.0), "TR")
    carry(ru, tr, LINE)
    tr.projector.catch_up()
    with tr.database.reading() as conn:
        far = held_parts(conn)
    ours = ru.file(convoy("RU", "c1"), "TR")
    carry(ru, tr, LINE)
    tr.projector.catch_up()
    with tr.database.reading() as conn:
        before = tr.search.conflicts_of(patrol("TR", "p1"), conn=conn)
    assert before.answer is Answer.CONFLICT
    assert [one.filing.ref for one in before.conflicts] == [ours]
    ru.cancel(ours, "TR")
    carry(ru, tr, LINE)
    tr.projector.catch_up()
    for node in pair:
        assert node.filing(ours).state is FilingState.CANCELLED
        with node.database.reading() as conn:
            assert held_parts(conn) == far
            assert node.search.conflicts_of(patrol("TR", "p1"), conn=conn).answer is Answer.CLEAR


def test_an_amendment_is_searched_again_on_both_sides(pair):
    ru, tr = pair
    first = ru.file(convoy("RU", "c1"), "TR")
    tr.file(patrol("TR", "p1"), "RU")
    meet(LINE, ru, tr)
    for node in pair:
        node.projector.catch_up()
        assert states(node) == ["found"]
    second = ru.file(convoy("RU", "c1", lat=37.01), "TR", supersedes=first)
    third = ru.file(convoy("RU", "c1", lat=38.0), "TR", supersedes=second)
    carry(ru, tr, LINE)
    tr.projector.catch_up()
    for node in pair:
        assert states(node) == ["resolved", "resolved"]
        assert node.filing(first).state is FilingState.AMENDED
        assert node.filing(first).changed_by == second
        assert node.filing(third).state is FilingState.ACTIVE
        assert node.projector.thread(third, START_S).searched.answer is Answer.CLEAR


def test_what_is_over_is_found_no_longer_and_conflicts_end_with_it(pair):
    ru, tr = pair
    ours = ru.file(convoy("RU", "c1", hours=1.0), "TR")
    tr.file(patrol("TR", "p1"), "RU")
    meet(LINE, ru, tr)
    tr.projector.catch_up()
    tr.now_s = START_S + 86_400.0 + 3_601.0
    tr.projector.catch_up()
    (row,) = tr.conflicts()
    assert (row.state, row.state_s) == ("ended", row.end_s)
    assert START_S + 86_400.0 < row.end_s <= START_S + 86_400.0 + 3_600.0
    assert tr.filing(ours).state is FilingState.EXPIRED


def test_what_was_said_to_others_alone_is_told_and_the_answer_stands(tmp_path):
    with line_of(tmp_path, "RU", "TR", "US") as (ru, tr, us):
        assert us.file(convoy("US", "far", lat=10.0), "RU", "TR")
        ru.file(convoy("RU", "near", lat=10.0), "US")
        hidden = ru.file(convoy("RU", "c1"), "TR")
        meet(LINE, ru, tr, us)
        for node in (tr, us):
            node.projector.catch_up()
        with us.database.reading() as conn:
            found = us.search.conflicts_of(convoy("US", "x", lat=-30.0), conn=conn)
        assert found.answer is Answer.CLEAR
        assert found.unread == found.reasons == ()
        assert found.notes == ("one entry on border was not said to us or is kept back, and was not compared",)
        assert us.filing(hidden).problem
        assert not us.filing(hidden).for_us
        with tr.database.reading() as conn:
            found = tr.search.conflicts_of(convoy("TR", "x", lat=-30.0), conn=conn)
        assert (found.answer, found.notes) == (
            Answer.CLEAR, ("one entry on border was not said to us or is kept back, and was not compared",)
        )  # fmt: skip


def test_what_was_said_to_us_and_cannot_be_read_makes_every_answer_possible_and_says_whose(tmp_path):
    with line_of(tmp_path, "RU", "TR", "US") as (ru, tr, us):
        us.file(convoy("US", "far", lat=10.0), "RU", "TR")
        ours = ru.file(convoy("RU", "c1"), "TR")
        meet(LINE, ru, tr, us)
        tr.projector.catch_up()
        tr.records.erase(ours.origin, ours.index)
        tr.projector.look_again(ours)
        with tr.database.reading() as conn:
            found = tr.search.conflicts_of(convoy("TR", "x", lat=-30.0), conn=conn)
        assert found.answer is Answer.POSSIBLE
        assert [(one.party, one.count) for one in found.unread] == [("RU", 1)]
        assert "RU" in found.reasons[0]


def test_where_nothing_of_others_is_known_no_answer_is_clear(pair):
    ru, _ = pair
    ours = ru.file(convoy("RU", "c1"), "TR")
    ru.file(convoy("RU", "drill", lat=-5.0), "TR", exercise=True)
    with ru.database.reading() as conn:
        found = ru.search.conflicts_of(convoy("RU", "x", lat=-30.0), conn=conn)
    assert (found.answer, found.reasons) == (Answer.POSSIBLE, (NOTHING_COMPARED,))
    assert ru.projector.thread(ours, START_S).searched.answer is Answer.POSSIBLE
    z = ru.file(zone("RU", "z1", lat=-20.0), "TR")
    with ru.database.reading() as conn:
        assert ru.search.conflicts_of(convoy("RU", "x", lat=-30.0), conn=conn).answer is Answer.CLEAR
        assert ru.search.conflicts_of(zone("RU", "z", lat=-30.0), conn=conn).answer is Answer.CLEAR
    ru.cancel(ours, "TR")
    with ru.database.reading() as conn:
        found = ru.search.conflicts_of(zone("RU", "z1", lat=-20.0), conn=conn, leaving_out=[z])
    assert (found.answer, found.reasons) == (Answer.POSSIBLE, (NOTHING_COMPARED,))


def test_a_body_that_comes_later_is_searched_when_it_comes(pair):
    ru, tr = pair
    tr.file(patrol("TR", "p1"), "RU")
    ru.file(convoy("RU", "far", lat=10.0), "TR")
    carry(ru, tr, LINE)
    ours = ru.file(convoy("RU", "c1"), "TR")
    origin = ru.records.own_origin(LINE)
    with ru.records.reading(origin) as theirs, tr.records.reading(origin) as mirror:
        before = mirror.size
        mirror.extend(theirs.checkpoint(), list(theirs.leaves(before)))
        tr_bodies = {n: theirs.entry(n) for n in range(before, theirs.size)}
    tr.projector.catch_up()
    assert tr.filing(ours).problem
    assert tr.conflicts() == []
    with tr.database.reading() as conn:
        assert tr.search.conflicts_of(convoy("TR", "x", lat=-30.0), conn=conn).answer is Answer.POSSIBLE
    tr.records.put_bodies(origin, tr_bodies)
    tr.projector.catch_up()
    assert not tr.filing(ours).problem
    assert states(tr) == ["found"]
    with tr.database.reading() as conn:
        assert tr.search.conflicts_of(convoy("TR", "x", lat=-30.0), conn=conn).answer is Answer.CLEAR


def test_a_log_that_comes_fast_is_let_come_by_the_thread_and_by_who_files(pair):
    ru, tr = pair
    pace = tr.records._mirrors[ru.records.own_origin(LINE)]._pace
    pace.came(10_000)
    pace._fast_s += 60.0
    first = ru.file(convoy("RU", "c1"), "TR")
    carry(ru, tr, LINE)
    (own,) = tr.records.say(LINE, [Outgoing(AnswerBody(to=EntryRefValue.of(first), answer="seen"), ("RU",))])
    tr.projector.catch_up(own)
    assert tr.projector.wait_for(own, 0.0)
    assert not tr.projector.wait_for(first, 0.0)
    tr.projector.start()
    try:
        assert not tr.projector.wait_for(first, 1.2)  # it looks each second
        tr.projector.catch_up()
        assert tr.filing(first).thing_id == "c1"
        second = ru.file(convoy("RU", "c2"), "TR")
        carry(ru, tr, LINE)
        pace._fast_s -= 120.0  # it has been quiet
        assert tr.projector.wait_for(second, 30.0)
    finally:
        tr.projector.stop()


def test_a_body_that_came_before_a_start_is_in_the_first_answer_after_it(pair):
    ru, tr = pair
    ours = ru.file(convoy("RU", "c1"), "TR")
    origin = ru.records.own_origin(LINE)
    with ru.records.reading(origin) as theirs, tr.records.reading(origin) as mirror:
        before = mirror.size
        mirror.extend(theirs.checkpoint(), list(theirs.leaves(before)))
        bodies = {n: theirs.entry(n) for n in range(before, theirs.size)}
    tr.projector.catch_up()
    tr.records.put_bodies(origin, bodies)
    tr.begin()
    with tr.projector.asked() as (conn, doubts):
        found = tr.search.conflicts_of(patrol("TR", "p1"), conn=conn, doubts=doubts)
    assert [one.filing.ref for one in found.conflicts] == [ours]


def test_a_plan_that_is_over_is_nothing_that_could_be_compared(pair):
    ru, tr = pair
    ru.file(convoy("RU", "c1"), "TR")
    carry(ru, tr, LINE)
    tr.projector.catch_up()
    asked = zone("TR", "z1", lat=-20.0)
    with tr.projector.asked() as (conn, doubts):
        assert tr.search.conflicts_of(asked, conn=conn, doubts=doubts).answer is Answer.CLEAR
    tr.now_s += 500_000.0  # and nobody has looked since
    with tr.projector.asked() as (conn, doubts):
        found = tr.search.conflicts_of(asked, conn=conn, doubts=doubts)
    assert (found.answer, found.reasons) == (Answer.POSSIBLE, (NOTHING_COMPARED,))


def test_practice_meets_practice_alone(pair):
    ru, tr = pair
    ru.file(convoy("RU", "c1"), "TR", exercise=True)
    tr.file(patrol("TR", "p1"), "RU")
    meet(LINE, ru, tr)
    for node in pair:
        node.projector.catch_up()
        assert node.conflicts() == []
    tr.file(patrol("TR", "p2"), "RU", exercise=True)
    assert states(tr) == ["found"]


def test_nobody_hides_a_plan_by_writing_the_other_sides_name_on_it(pair):
    ru, tr = pair
    tr.file(patrol("TR", "p1"), "RU")
    ru.file(convoy("TR", "c1"), "TR")
    meet(LINE, ru, tr)
    tr.projector.catch_up()
    assert states(tr) == ["found"]


def test_what_a_party_says_before_it_is_a_member_does_not_count_until_then(tmp_path):
    with line_of(tmp_path, "RU", "TR") as (ru, tr):
        origin = tr.records.own_origin(LINE)
        ref = tr.file(patrol("TR", "p1"), "RU")
        carry(tr, ru, LINE)
        ru.projector.catch_up()
        assert ru.filing(ref).state is FilingState.ACTIVE
        # As if nobody knew any more who is on the line, and then did again.
        known, ru.reader.of = ru.reader.of, lambda _: None
        ru.bell.ring("line")
        ru.projector.catch_up()
        assert ru.filing(ref).state is FilingState.NOT_COUNTED
        with ru.database.reading() as conn:
            assert held_parts(conn) == 0
            assert ru.search.conflicts_of(convoy("RU", "c1"), conn=conn).answer is Answer.POSSIBLE
        with ru.projector.asked() as (_, doubts):
            assert doubts == ("it is not known here who is on border: what others say there does not count yet",)
        ru.reader.of = known
        ru.bell.ring("line")
        ru.projector.catch_up()
        assert ru.filing(ref).state is FilingState.ACTIVE
        assert ru.records.size(origin) > 0
        with ru.database.reading() as conn:
            assert ru.search.conflicts_of(convoy("RU", "c1"), conn=conn).answer is Answer.CONFLICT


def test_events_tell_of_everything_once_and_not_again_after_a_rebuild(pair):
    ru, tr = pair
    ref = ru.file(convoy("RU", "c1"), "TR")
    tr.file(patrol("TR", "p1"), "RU")
    meet(LINE, ru, tr)
    tr.projector.catch_up()
    with tr.database.reading() as conn:
        told = events.since(conn, 0, limit=10_000)
    assert [one.type for one in told if one.ref == ref and one.type == "filing"] == ["filing"]
    assert [one.data["state"] for one in told if one.type == "conflict"] == ["found"]
    tr.projector.rebuild()
    tr.projector.catch_up()
    with tr.database.reading() as conn:
        assert events.since(conn, 0, limit=10_000) == told


def test_a_step_that_is_cut_off_is_done_again_whole(pair, monkeypatch):
    ru, _ = pair
    first = ru.file(convoy("RU", "c1"), "TR")
    before = tables_of(ru.database)
    ru.records.say(LINE, [Outgoing(OperationBody.of_model(convoy("RU", "c2", lat=38.0)), ("TR",))])
    monkeypatch.setattr("keepclear.node.projecting.note_projected", _fails)
    with pytest.raises(StoreError, match="no space"):
        ru.projector.catch_up()
    assert tables_of(ru.database) == before
    monkeypatch.undo()
    ru.projector.catch_up()
    with ru.database.reading() as conn:
        assert [row.thing_id for row in filings_like(conn)] == ["c2", "c1"]
    ru.cancel(first, "TR")
    assert ru.filing(first).state is FilingState.CANCELLED


def _fails(*_):
    raise OSError("no space left on device")


def test_zones_bind_their_issuer_and_what_is_kept_back_counts_as_unread(pair):
    ru, tr = pair
    ru.file(zone("RU", "z1"), "TR")
    ru.file(convoy("RU", "c1"), "TR")
    (row,) = ru.conflicts()
    assert (row.own, row.state) == (2, "found")
    assert row.why_not_advised
    assert tr.conflicts() == []


def test_what_no_database_keeps_in_a_name_does_not_stop_the_tables(pair):
    ru, tr = pair
    theirs = tr.file(replace(patrol("TR", "p\x00"), name="a\x00b"), "RU")
    carry(tr, ru, LINE)
    ru.projector.catch_up()
    row = ru.filing(theirs)
    assert (row.thing_id, row.name, row.problem) == ("p\ufffd", "a\ufffdb", "")


def test_ever_more_answers_to_one_filing_cost_no_more_each(pair, monkeypatch):
    ru, tr = pair
    ours = ru.file(convoy("RU", "c1"), "TR")
    carry(ru, tr, LINE)
    to = EntryRefValue.of(ours)
    answers = [Outgoing(AnswerBody(to=to, answer="seen", reason=f"{n}"), ("RU",)) for n in range(300)]
    tr.records.say(LINE, answers)
    carry(tr, ru, LINE)
    looked = []
    before = Fold._refresh
    monkeypatch.setattr(Fold, "_refresh", lambda fold, conn, *of: (looked.append(of), before(fold, conn, *of)))
    ru.projector.catch_up()
    assert len(looked) < 300
    assert ru.filing(ours).state is FilingState.ACTIVE


def test_plans_that_a_clock_ahead_of_time_took_to_be_over_are_found_again(pair):
    ru, tr = pair
    tr.file(patrol("TR", "p1"), "RU")
    carry(tr, ru, LINE)
    ru.projector.catch_up()
    ru.now_s += 1e8
    ru.projector.catch_up()
    ru.now_s -= 1e8
    with ru.projector.asked() as (conn, doubts):
        found = ru.search.conflicts_of(convoy("RU", "x"), conn=conn, doubts=doubts)
    assert found.answer is Answer.POSSIBLE
    assert any("was ahead" in one for one in found.reasons)
    ru.projector.catch_up()
    with ru.projector.asked() as (conn, doubts):
        found = ru.search.conflicts_of(convoy("RU", "x"), conn=conn, doubts=doubts)
    assert (found.answer, doubts) == (Answer.CONFLICT, ())
    # What comes now is not over at once, although the step before it was years later.
    tr.file(patrol("TR", "p2", lat=38.0), "RU")
    carry(tr, ru, LINE)
    ru.projector.catch_up()
    with ru.projector.asked() as (conn, _):
        assert ru.search.conflicts_of(convoy("RU", "y", lat=38.0), conn=conn).answer is Answer.CONFLICT


def test_while_the_tables_are_made_again_nothing_is_clear(pair):
    ru, tr = pair
    tr.file(patrol("TR", "p1"), "RU")
    carry(tr, ru, LINE)
    ru.projector.catch_up()
    ru.file(zone("RU", "z1", lat=5.0), "TR")
    ru.database.rebuild_projections()  # and cut off there
    with ru.database.reading() as conn:
        found = ru.search.conflicts_of(convoy("RU", "x"), conn=conn)
    assert found.answer is Answer.POSSIBLE
    assert any("made again" in one for one in found.reasons)


def test_a_question_is_answered_with_what_has_come_although_nobody_projected_it(pair):
    ru, tr = pair
    tr.file(patrol("TR", "p1"), "RU")
    carry(tr, ru, LINE)
    with ru.projector.asked() as (conn, doubts):
        assert ru.search.conflicts_of(convoy("RU", "x"), conn=conn, doubts=doubts).answer is Answer.CONFLICT
        assert not doubts


def test_a_conflict_between_filings_of_two_lines_is_listed_for_either(pair):
    ru, tr = pair
    ru.file(convoy("RU", "c1"), "TR")
    tr.file(patrol("TR", "p1"), "RU")
    meet(LINE, ru, tr)
    tr.projector.catch_up()
    (row,) = tr.conflicts()
    with tr.database.writing() as conn:  # as if the one of them had been told on another line
        conn.execute(text("UPDATE filing SET line = 'coast' WHERE id = :id"), {"id": row.second})
        conn.execute(text("UPDATE conflict SET line = :line"), {"line": LINE})
    assert [one.id for one in tr.conflicts(line=LINE)] == [row.id]
    assert [one.id for one in tr.conflicts(line="coast")] == [row.id]
    assert tr.conflicts(line="elsewhere") == []


def test_who_says_much_does_not_hold_up_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(projecting, "_AT_ONCE", 4)
    with line_of(tmp_path, "RU", "TR", "US") as (ru, tr, us):
        many = [Outgoing(OperationBody.of_model(convoy("TR", f"c{n}", lat=n)), ("RU",)) for n in range(20)]
        flood = tr.records.say(LINE, many)
        urgent = us.file(convoy("US", "u1"), "RU")
        carry(tr, ru, LINE)
        carry(us, ru, LINE)
        said = ru.records.say(LINE, [Outgoing(OperationBody.of_model(convoy("RU", "r1", lat=-10.0)), ("TR",))])
        ru.projector.catch_up()
        with ru.database.reading() as conn:
            last_s = kept_s(conn, flood[-1].origin, flood[-1].index)
            for ref in (urgent, *said):
                assert kept_s(conn, ref.origin, ref.index) < last_s


def test_a_turn_ends_when_its_time_is_over_and_a_rebuild_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(projecting, "_TURN_S", 0.0)
    with line_of(tmp_path, "RU", "TR") as (ru, tr):
        flood = tr.records.say(
            LINE, [Outgoing(OperationBody.of_model(convoy("TR", f"c{n}")), ("RU",)) for n in range(5)]
        )
        ru.file(patrol("RU", "p1"), "TR")
        carry(tr, ru, LINE)
        ru.projector.catch_up()
        with ru.database.reading() as conn:
            assert len({kept_s(conn, ref.origin, ref.index) for ref in flood}) == 5
        before = tables_of(ru.database)
        assert len(ru.conflicts()) == 5
        ru.projector.rebuild()
        assert tables_of(ru.database) == before


def test_who_has_just_said_something_waits_for_that_and_not_for_all_that_others_said(pair):
    ru, _ = pair
    done, go_on = threading.Event(), threading.Event()
    first = ru.file(convoy("RU", "c1"), "TR")

    def long_one():
        with ru.projector._lock:
            ru.projector._take_logs()
            done.set()
            assert go_on.wait(10.0)

    (ref,) = ru.records.say(LINE, [Outgoing(OperationBody.of_model(convoy("RU", "c2", lat=-10.0)), ("TR",))])
    at_it = threading.Thread(target=long_one)
    at_it.start()
    try:
        assert done.wait(10.0)
        assert ru.projector.catch_up(ref) == 0
        assert at_it.is_alive()
        assert ru.filing(ref).state is FilingState.ACTIVE is ru.filing(first).state
    finally:
        go_on.set()
        at_it.join()


def test_a_plan_as_large_as_may_be_is_projected_within_a_second_or_so(pair):
    ru, tr = pair
    ru.file(patrol("RU", "p1"), "TR")
    there = patrol("TR", "big").volumes[0]
    ways = np.stack([np.linspace(40.0, 41.0, 20), np.linspace(36.0, 37.0, 20)], axis=1)
    volumes = [replace(there, footprint=Corridor(ways + n * 1e-4, 1000.0)) for n in range(900)]
    large = Operation("TR", "big", OperationKind.PATROL, tuple(volumes))
    (ref,) = tr.records.say(LINE, [Outgoing(OperationBody.of_model(large), ("RU",))])
    carry(tr, ru, LINE)
    ru.projector.search.asking.conflicts_of(patrol("RU", "p1"), [patrol("TR", "p2")])  # whatever is compiled, is
    before_s = time.thread_time()
    ru.projector.catch_up()
    assert time.thread_time() - before_s < 4.0  # 0.8 s where nothing else runs; 10 s before plans had a bound
    assert ru.filing(ref).state is FilingState.ACTIVE
    assert len(ru.conflicts()) == 1
