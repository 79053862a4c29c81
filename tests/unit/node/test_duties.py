"""What is owed, read some at a time, and only where something has changed: the same as if all were read at once."""

from __future__ import annotations

import random

import pytest

from keepclear.node.own_log import Outgoing
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody, CancelBody, MessageBody, Priority
from tests.unit.node.filings_made import LINE, carry, convoy, line_of, patrol

_PRIORITIES = (Priority.ROUTINE, Priority.IMMEDIATE, Priority.FLASH)


def _owed(node):
    """Of each entry what is owed, read at once, where not all of it has ended."""
    with node.projector.conversation(LINE) as talk:
        threads = [talk.thread(said.ref, node.now_s) for said in talk.everything()]
    open_ = [one for one in threads if any(owing.ended_s is None or owing.ended_s > node.now_s for owing in one.owed)]
    return {one.ref: one.owed for one in open_}


def _does(chance, node, other, refs):
    """A node says something, about what was said before or not."""
    what, name = chance.randrange(5), f"{node.records.party}{len(refs)}"
    if what == 0 or not refs:
        priority = chance.choice(_PRIORITIES)
        (ref,) = node.records.say(LINE, [Outgoing(MessageBody(text=name, priority=priority), (other.records.party,))])
    elif what == 1:
        east = 41.0 + 3.0 * chance.random()
        ref = node.file(chance.choice((convoy, patrol))(node.records.party, name, east), other.records.party)
    elif what == 2:
        own = [one for one in refs if one.origin.startswith(f"{node.records.party}/")]
        if not own:
            return
        (ref,) = node.records.say(
            LINE, [Outgoing(CancelBody(entry=EntryRefValue.of(chance.choice(own))), (other.records.party,))]
        )
    else:
        answer = AnswerBody(to=EntryRefValue.of(chance.choice(refs)), answer=chance.choice(("seen", "unable")))
        (ref,) = node.records.say(LINE, [Outgoing(answer, (other.records.party,))])
    refs.append(ref)


@pytest.mark.parametrize("seed", range(3))
def test_what_has_changed_is_all_that_is_owed_otherwise_than_before(tmp_path, seed):
    chance, refs = random.Random(seed), []
    with line_of(tmp_path, "RU", "TR") as (ru, tr):
        ru.projector.catch_up()
        duties, before = ru.projector.duties, {}
        for step in range(40):
            node, other = chance.choice(((ru, tr), (tr, ru)))
            _does(chance, node, other, refs)
            if chance.random() < 0.4:
                carry(ru, tr, LINE)
            if chance.random() < 0.4:
                carry(tr, ru, LINE)
            for one in (ru, tr):
                one.now_s += chance.choice((1.0, 400.0, 4000.0))
                one.projector.catch_up()
            after = _owed(ru)
            looked = [ref for some, _ in duties.slices(LINE, ru.now_s, changed=step > 0) for ref in some]
            missing = [ref for ref, owed in after.items() if ref not in looked and before.get(ref) != owed]
            assert not missing, step
            whole = [thread for _, some in duties.slices(LINE, ru.now_s) for thread in some]
            assert {one.ref: one.owed for one in whole} == after
            open_ = {ref for ref, owed in after.items() if any(one.is_open(ru.now_s) for one in owed)}
            listed = [thread.ref for thread in duties.threads_owing(LINE, ru.now_s)]
            assert listed == sorted(open_, key=lambda ref: (ref.origin, ref.index))
            before = after
        assert [some for some, _ in duties.slices(LINE, ru.now_s, changed=True)] == []


def test_what_came_last_is_in_front_and_few_are_read_at_a_time(tmp_path):
    with line_of(tmp_path, "RU", "TR") as (ru, _):
        said = []
        for number in range(60):
            ru.now_s += 1.0
            said += ru.records.say(LINE, [Outgoing(MessageBody(text=f"no {number}", priority="routine"), ("TR",))])
            ru.projector.catch_up()
        slices = [some for some, _ in ru.projector.duties.slices(LINE, ru.now_s)]
        assert [ref for some in slices for ref in some if ref in said] == said[::-1]
        assert len(slices) >= 3
