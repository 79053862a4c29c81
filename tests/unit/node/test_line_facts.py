"""Of what was said on a line only as much is read as a time can need, and what is said of it is the same."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from keepclear.node.line_bodies import LineBodies
from keepclear.node.line_facts import read_facts
from keepclear.node.records import Outgoing
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven, MessageBody
from keepclear.record.entry_types import EntryType
from keepclear.store import reading_bodies
from tests.unit.node.officers_made import patrol
from tests.unit.node.test_encounters import drive
from tests.unit.node.watch_made import LINE, NOON_S, share, watching

DAY_S = 86_400.0


@pytest.fixture
def two(tmp_path):
    with watching(tmp_path, "A", "B") as made:
        yield made


def say(node, body):
    (ref,) = node.records.say(LINE, [Outgoing(body, ("B",) if node.party == "A" else ("A",))])
    return ref


def file(node, name, *, days=0.0, before=None, **more):
    plan = patrol(node.party, id=name, start_s=NOON_S + days * DAY_S, **more)
    return say(node, OperationBody.of_model(plan, supersedes=None if before is None else EntryRefValue.of(before)))


def everything(node):
    node.projector.catch_up()
    return read_facts(
        partial(node.projector.conversation, LINE), node.bodies, LINE, node.clock(), lambda *_: True, said_by_clock=True
    )


def told(filed):
    return replace(filed, plan=None)


def test_of_filings_those_of_the_time_are_read_with_all_their_versions(two):
    a, b = two
    last_week, tomorrow = file(a, "early", days=-7.0), file(b, "late", days=1.0)
    first = file(a, "moved", radius_m=3000.0)
    away = file(a, "moved", days=3.0, before=first)
    back = file(a, "moved", hours=2.0, before=away)
    near = file(b, "near", days=0.1)
    share(a, b)
    say(b, AnswerBody(to=EntryRefValue.of(back), answer=AnswerGiven.SEEN))
    share(a, b)
    for node in two:
        record = node.encounters.record(LINE, NOON_S - 1800.0, NOON_S + 5400.0)
        assert {one.ref for one in record.filings} == {first, away, back, near}
        whole = everything(node)
        assert {one.ref for one in whole.filings} == {first, away, back, near, last_week, tomorrow}
        known = {one.ref: told(one) for one in whole.filings}
        assert all(known[one.ref] == told(one) for one in record.filings)
        assert [one.party for one in known[back].answers] == ["B"]


def test_labels_are_those_of_the_whole_record(two):
    a, b = two
    file(a, "a-1", radius_m=5000.0)
    moved = file(b, "b-1", days=2.0, radius_m=5000.0)
    file(b, "b-1", radius_m=5000.0, before=moved)
    file(b, "later", days=5.0)
    share(a, b)
    drive(a, b)
    for node in two:
        record = node.encounters.record(LINE, NOON_S - 2400.0, NOON_S + 5800.0)
        whole = replace(record, filings=everything(node).filings)
        assert len(whole.filings) == len(record.filings) + 1
        by_time, by_all = (
            list(node.encounters.labelled(one, NOON_S - 600.0, NOON_S + 4000.0)) for one in (record, whole)
        )
        assert [(one.label, one.flags, one.because) for one in by_time] == [
            (one.label, one.flags, one.because) for one in by_all
        ]
        assert len(by_time) == 1


def test_many_bodies_at_once_are_those_one_by_one(two, monkeypatch):
    a, b = two
    refs = [say(a, MessageBody(text=f"message {number}")) for number in range(70)]
    filed = file(a, "one")
    answers = [say(b, MessageBody(text=f"answer {number}")) for number in range(3)]
    share(a, b)
    a.records.erase(refs[3].origin, refs[3].index)
    fresh = LineBodies(a.records, a.projector.membership)
    wanted = [*refs[::2], filed, *answers, refs[3], refs[1]]
    found = fresh.of_these(wanted)
    assert refs[3] not in found
    assert list(found) == [one for one in wanted if one != refs[3]]
    assert found == {ref: body_of(a.records.entry(ref)) for ref in found}
    assert found == fresh.of_these(wanted)  # from memory
    assert found == LineBodies(b.records, b.projector.membership).of_these(found)
    monkeypatch.setattr(reading_bodies, "MOST_TOGETHER_BYTES", 100)  # two messages, or three
    assert LineBodies(a.records, a.projector.membership).of_these(wanted) == found
    monkeypatch.undo()
    assert EntryType.MESSAGE in fresh.types(LINE)
    for start in (0, refs[0].index):
        some = a.records.bodies(refs[0].origin, start, start + 8)
        alone = [a.records.entry(refs[0].origin, index) for index in range(start, start + 8)]
        assert [one and (one.leaf, one.body) for one in some] == [(one.leaf, one.body) for one in alone]


def test_whoever_has_only_answered_is_on_the_line(two):
    a, b = two
    filed = file(a, "one")
    share(a, b)
    say(b, AnswerBody(to=EntryRefValue.of(filed), answer=AnswerGiven.SEEN))
    share(a, b)
    assert everything(a).view.parties == {"A", "B"}
    assert everything(a).untold == 0
    file(a, "two")
    assert everything(a).untold == 1
