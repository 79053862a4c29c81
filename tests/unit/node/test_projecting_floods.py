"""Who says very much, or sends long bodies or late ones, holds up neither others nor what else there is to do."""

from __future__ import annotations

import pytest

from keepclear.node import projecting
from keepclear.node.own_log import Outgoing
from keepclear.node.projecting import Projector
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.talk import AttachmentNote, MessageBody, Priority
from keepclear.store import reading_bodies
from tests.unit.node.filings_made import LINE, carry, convoy, line_of, patrol


@pytest.fixture
def pair(tmp_path):
    with line_of(tmp_path, "RU", "TR") as nodes:
        yield nodes


def plans(count, *, start=0, to="TR"):
    """Plans that are apart from each other, to be said."""
    things = [convoy("RU", f"c{n}", lat=-10.0 - 0.5 * n) for n in range(start, start + count)]
    return [Outgoing(OperationBody.of_model(thing), (to,)) for thing in things]


def leaves_alone(giver, taker):
    """Bring what was said without its bodies, which are given back by number."""
    origin = giver.records.own_origin(LINE)
    with giver.records.reading(origin) as theirs, taker.records.reading(origin) as mirror:
        before = mirror.size
        mirror.extend(theirs.checkpoint(), list(theirs.leaves(before)))
        return origin, {n: theirs.entry(n) for n in range(before, theirs.size)}


def test_who_goes_on_saying_things_does_not_keep_the_tables_from_all_else(pair, monkeypatch):
    ru, tr = pair
    origin, take, more = ru.records.own_origin(LINE), Projector._take_entries, iter(range(100, 120))

    def goes_on(projector, conn, line, of, taken, at_s):
        number = next(more, None) if of == origin else None
        if number is not None:
            ru.records.say(LINE, plans(1, start=number))
            carry(ru, tr, LINE)
        return take(projector, conn, line, of, taken, at_s)

    ru.records.say(LINE, plans(1))
    carry(ru, tr, LINE)
    monkeypatch.setattr(Projector, "_take_entries", goes_on)
    tr.projector.catch_up()
    assert next(more) == 101, "what came meanwhile is for the next time"
    tr.projector.catch_up()
    assert next(more) == 103


def test_our_own_thread_breaks_off_to_look_at_bodies_receipts_and_time(pair, monkeypatch):
    ru, tr = pair
    monkeypatch.setattr(projecting, "_LONG_S", -1.0)
    monkeypatch.setattr(projecting, "_AT_ONCE", 2)
    looked, receipts = [], Projector._take_receipts

    def looks(projector):
        looked.append(projector._taken[origin])
        return receipts(projector)

    origin = ru.records.own_origin(LINE)
    refs = ru.records.say(LINE, plans(8))
    carry(ru, tr, LINE)
    monkeypatch.setattr(Projector, "_take_receipts", looks)
    tr.projector.start()
    try:
        assert tr.projector.wait_for(refs[-1], 30.0)
    finally:
        tr.projector.stop()
    assert any(refs[0].index < size <= refs[-1].index for size in looked), "in the midst of it"


def test_who_has_said_something_need_not_take_up_all_that_others_have_said(pair, monkeypatch):
    ru, tr = pair
    monkeypatch.setattr(projecting, "_LONG_S", -1.0)
    monkeypatch.setattr(projecting, "_AT_ONCE", 2)
    theirs = ru.records.say(LINE, plans(9))
    carry(ru, tr, LINE)
    own = tr.records.say(LINE, [Outgoing(OperationBody.of_model(patrol("TR", f"p{n}")), ("RU",)) for n in range(5)])
    tr.projector.catch_up(own[-1])
    assert tr.projector.wait_for(own[-1], 0.0), "however many of our own stand before it"
    assert not tr.projector.wait_for(theirs[-1], 0.0)
    tr.projector.catch_up()
    assert tr.projector.wait_for(theirs[-1], 0.0)


def test_late_bodies_are_taken_some_at_a_time_and_all_in_the_end(pair, monkeypatch):
    ru, tr = pair
    monkeypatch.setattr(projecting, "_LONG_S", -1.0)
    ru.records.say(LINE, plans(6))
    origin, bodies = leaves_alone(ru, tr)
    tr.projector.catch_up()
    tr.records.put_bodies(origin, bodies)
    left, receipts = [], Projector._take_receipts

    def looks(projector):
        with tr.database.reading() as conn:
            left.append(len(projecting.awaiting(conn)))
        return receipts(projector)

    monkeypatch.setattr(Projector, "_take_receipts", looks)
    tr.projector.start()
    try:
        with tr.bell.waiter("projected") as waiter:
            while not left or left[-1]:
                assert waiter.wait(30.0)
    finally:
        tr.projector.stop()
    assert left[:6] == [5, 4, 3, 2, 1, 0]


def test_who_sends_many_late_bodies_does_not_hold_up_the_late_bodies_of_others(tmp_path):
    with line_of(tmp_path, "RU", "TR", "US") as (ru, tr, us):
        ru.records.say(LINE, plans(9, to="US"))
        tr.records.say(LINE, [Outgoing(OperationBody.of_model(patrol("TR", "p1")), ("US",))])
        late = [leaves_alone(giver, us) for giver in (ru, tr)]
        us.projector.catch_up()
        for origin, bodies in late:
            us.records.put_bodies(origin, bodies)
        with us.database.reading() as conn:
            waiting = projecting.awaiting(conn)
        assert len({origin for origin, _ in waiting[:5]}) == 1
        in_turn = list(us.projector._no_longer_wanted(waiting))
        assert {origin for origin, _ in in_turn[:2]} == {origin for origin, _ in late}
        assert sorted(in_turn) == waiting


def test_bodies_that_do_not_come_are_not_looked_for_one_by_one(pair, monkeypatch):
    ru, tr = pair
    monkeypatch.setattr(projecting, "_MOST_WANTED", 7)
    ru.records.say(LINE, plans(30))
    origin, bodies = leaves_alone(ru, tr)
    tr.projector.catch_up()
    asked, state = [], tr.records.body_state
    monkeypatch.setattr(tr.records, "body_state", lambda *place: (asked.append(place), state(*place))[1])
    tr.projector.catch_up()
    assert asked == []
    came = sorted(bodies)[3::11]
    tr.records.put_bodies(origin, {number: bodies[number] for number in came})
    tr.projector.catch_up()
    assert asked == [(origin, number) for number in came]
    with tr.database.reading() as conn:
        assert projecting.awaiting(conn) == [(origin, number) for number in sorted(bodies) if number not in came]


def test_long_bodies_and_attachments_are_not_in_memory_together(pair, monkeypatch):
    ru, tr = pair
    for module in (reading_bodies, projecting):
        monkeypatch.setattr(module, "MOST_TOGETHER_BYTES", 20_000)
    files = [bytes([n]) * 9_000 for n in range(6)]
    note = AttachmentNote(name="a.bin", media_type="application/octet-stream", size_bytes=9_000)
    long = [MessageBody(text=f"{n}" * 3_900, priority=Priority.ROUTINE) for n in range(12)]
    with_file = [MessageBody(text="See it.", priority=Priority.ROUTINE, attachments=[note]) for _ in files]
    said = [*(Outgoing(one, ("TR",)) for one in long)]
    said += [Outgoing(one, ("TR",), attachments=[data]) for one, data in zip(with_file, files, strict=True)]
    refs = ru.records.say(LINE, said)
    carry(ru, tr, LINE)
    together, take = [], Projector._take_entries

    def noted(projector, conn, line, of, taken, at_s):
        entries = [entry for _, entry in taken if entry is not None]
        parts = [len(one.body or b"") + sum(len(file.data) for file in one.attachments) for one in entries]
        together.append((sum(parts), max(parts)))
        return take(projector, conn, line, of, taken, at_s)

    monkeypatch.setattr(Projector, "_take_entries", noted)
    tr.projector.catch_up()
    assert tr.projector.wait_for(refs[-1], 0.0)
    assert all(whole <= 20_000 + longest for whole, longest in together)
    assert len(together) > 4
    for ref in refs:
        assert tr.projector.thread(ref, tr.now_s).ref == ref
