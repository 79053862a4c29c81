"""Conversations: the same threads in whatever order logs arrive, and every change told."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.line.conversation import Conversation, Receipt
from keepclear.line.threads import Searched
from keepclear.model.findings import Answer
from keepclear.record.bodies.agreements import TermQueryBody
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven, CancelBody, MessageBody, Priority, RefusedBody
from keepclear.record.bodies.watched import IncidentBody
from keepclear.record.names import log_origin
from tests.reference.made_lines import MadeLine, operation_body, ref

PARTIES = ("east", "north", "south")
T0 = 1_772_442_000.0
LON, LAT = 40.0, 37.0

parties = st.sampled_from(PARTIES)
steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "file",
                "amend",
                "cancel",
                "answer",
                "answer",
                "answer",
                "advise",
                "accept",
                "refuse",
                "say",
                "ask",
                "report",
            ]
        ),
        parties,
        st.integers(0, 40),
        st.integers(0, 40),
        st.sampled_from(AnswerGiven),
        st.sampled_from([None, 1_000.0, 400_000.0]),
        st.booleans(),
    ),
    min_size=2,
    max_size=18,
)
receipts = st.lists(
    st.tuples(parties, st.sampled_from([*PARTIES, "witness"]), st.integers(1, 8), st.integers(-5, 60)), max_size=12
)
searches = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60), st.sampled_from(Answer)), max_size=4)


def body_of_step(step, line, told, party):
    what, _, first, second, answer, lead_s, is_odd = step
    if what == "file" or not told:
        start = None if lead_s is None else T0 + lead_s
        return operation_body(party, "c", LON, LAT, start, None if start is None else start + 3_600.0)
    target = told[first % len(told)]
    match what:
        case "amend":
            return operation_body(party, "c", LON + 0.1, LAT, T0 + 5_000.0, T0 + 9_000.0, supersedes=target)
        case "cancel":
            return CancelBody(entry=ref(target))
        case "answer":
            place = {"lon_deg": LON + is_odd, "lat_deg": LAT, "time_s": T0 + (lead_s or 0.0)}
            members = {
                AnswerGiven.READ_BACK: {"read_back": place},
                AnswerGiven.RELAYED: {"unit": "post 4"},
                AnswerGiven.OBJECT: {"reason": "too near"},
            }
            return AnswerBody(to=ref(target), answer=answer, **members.get(answer, {}))
        case "advise" if told[second % len(told)] is not target:
            about = [ref(target), ref(told[second % len(told)])]
            return AdvisoryBody(about=about, answer="conflict" if is_odd else "possible", sentence="Too close.")
        case "accept":
            return AcceptedRiskBody(advisory=ref(target), reason="in contact")
        case "refuse":
            return RefusedBody(entry=ref(target), guard="NO_SHARING")
    return words_of_step(what, ref(target), ref(told[second % len(told)]), second, is_odd=is_odd)


def words_of_step(what, target, other, number, *, is_odd):
    if what == "ask":
        return TermQueryBody(agreement="a", question="Why?", urgent=is_odd)
    if what == "report":
        stage = ("first", "full", "reply")[number % 3]
        return IncidentBody(id="1", stage=stage, detected_s=T0, about=target, follows=other)
    return MessageBody(text="Hello.", priority=list(Priority)[number % 4], about=[target] if is_odd else [])


def made(script, given_receipts, given_searches):
    """The events: for each party those of its log in order, and others that may come at any time."""
    line, told = MadeLine(*PARTIES), []
    for number, step in enumerate(script):
        party = step[1]
        told.append(line.say(party, body_of_step(step, line, told, party), T0 + number, exercise=step[2] % 9 == 0))
    loose = [Receipt(log_origin(origin, "border"), size, by, T0 + at_s) for origin, by, size, at_s in given_receipts]
    loose += [
        Searched(told[n % len(told)].ref, T0 + at_s, answer, (told[-1].ref,)) for n, at_s, answer in given_searches
    ]
    return [line.logs[party] for party in PARTIES], loose


def interleaved(draw, queues):
    """One of the orders in which the queues can come, each in its own order."""
    waiting, order = [list(queue) for queue in queues if queue], []
    while waiting:
        queue = waiting[draw(st.integers(0, len(waiting) - 1))]
        order.append(queue.pop(0))
        waiting = [one for one in waiting if one]
    return order


def shown(talk):
    return list(talk.threads(T0 + 2_000.0)), talk.unknown(), talk.owed(T0 + 30.0)


@given(steps, receipts, searches, st.data())
def test_the_order_in_which_logs_come_does_not_matter(script, given_receipts, given_searches, data):
    logs, loose = made(script, given_receipts, given_searches)
    plain = Conversation("north")
    for event in [*(one for log in logs for one in log), *loose]:
        plain.take(event)
    other = Conversation("north")
    order = interleaved(data.draw, [*logs, *([one] for one in loose)])
    for event in order:
        other.take(event)
    assert shown(other) == shown(plain)
    for event in order:  # all of it once more
        assert other.take(event) == frozenset()
    assert shown(other) == shown(plain)


@settings(max_examples=60)
@given(steps, receipts, searches, st.data())
def test_every_thread_that_changes_is_named(script, given_receipts, given_searches, data):
    logs, loose = made(script, given_receipts, given_searches)
    talk = Conversation("north")
    before: dict[object, object] = {}
    for event in interleaved(data.draw, [*logs, *([one] for one in loose)]):
        changed = talk.take(event)
        after = {thread.ref: thread for thread in talk.threads(T0 + 2_000.0)}
        assert {one for one in after if before.get(one) != after[one]} <= changed
        assert changed <= after.keys()
        before = after


@given(steps, receipts, searches)
def test_no_answer_is_owed_that_nobody_was_asked_for(script, given_receipts, given_searches):
    logs, loose = made(script, given_receipts, given_searches)
    talk = Conversation("south")
    for event in [*loose, *(one for log in logs for one in log)]:
        talk.take(event)
    for thread in talk.threads(T0 + 2_000.0):
        said = talk.said(thread.ref)
        assert {standing.party for standing in thread.standings} == set(said.recipients)
        assert thread.party not in {standing.party for standing in thread.standings}
        for standing in thread.standings:
            counted = {one.ref for one in standing.counted}
            assert counted <= {one.ref for one in standing.answers}
            assert all(one.met_s is None for one in standing.owed if one.owed != "receipt") or counted
            assert all(one.party == standing.party for one in standing.owed)
