"""Entries of agreements, joint plans and incidents on a line: what they are about, and what is owed because of them."""

from __future__ import annotations

import pytest

from keepclear.line.conversation import Conversation
from keepclear.line.deadlines import MessageClass, Owed
from keepclear.line.said import MOST_NAMED, said_of
from keepclear.line.threads import Void
from keepclear.record.bodies.agreements import TermQueryBody
from keepclear.record.bodies.joint import JointPlanBody, MeasureBody
from keepclear.record.bodies.talk import AnswerBody, CancelBody, MessageBody
from keepclear.record.bodies.watched import IncidentBody
from tests.fuzz.record_entries import agreement_bodies, plan, watched_bodies
from tests.reference.made_lines import MadeLine, ref

T0 = 1_772_442_000.0
HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture
def line():
    return MadeLine("east", "north", "south")


@pytest.fixture
def talk():
    return Conversation("north")


def said(line, talk, party, body, at_s, **others):
    heard = line.say(party, body, at_s, **others)
    talk.take(heard)
    return heard


def received(line, talk, heard, by, at_s):
    talk.take(line.receipt(heard, by, at_s))


def owed(talk, heard, party):
    thread = talk.thread(heard.ref, T0 + 30 * DAY)
    return {one.owed: one for one in thread.owed if one.party == party and one.owed is not Owed.RECEIPT}


def query(**others):
    return TermQueryBody(agreement="border-patrols", question="From which edge?", **others)


def report(**others):
    return IncidentBody(**({"id": "7", "stage": "first", "detected_s": T0 - 60.0} | others))


@pytest.mark.parametrize("body", [*agreement_bodies(), *watched_bodies()], ids=lambda body: str(body.TYPE))
def test_every_new_entry_is_read(line, body):
    heard = line.say("north", body, T0)
    if getattr(body, "attachments", ()):
        # The leaf of this line has no attachments: then the body is not what it notes.
        assert "attachments" in said_of(heard).problem
    else:
        assert said_of(heard).problem == ""


@pytest.mark.parametrize(("urgent", "days"), [(False, 7), (True, 2)])
@pytest.mark.parametrize("answer", ["concur", "object", "not ours", "unable"])
def test_a_question_about_a_term_is_owed_a_reply(line, talk, urgent, days, answer):
    heard = said(line, talk, "north", query(urgent=urgent), T0)
    assert owed(talk, heard, "south") == {}
    received(line, talk, heard, "south", T0 + 60.0)
    owing = owed(talk, heard, "south")[Owed.REPLY]
    assert owing.message_class is (MessageClass.URGENT_TERM_QUERY if urgent else MessageClass.TERM_QUERY)
    assert owing.due_s == T0 + 60.0 + days * DAY
    assert owing.is_overdue(owing.due_s + 1.0)
    seen = AnswerBody(to=ref(heard), answer="seen")
    said(line, talk, "south", seen, T0 + 90.0)
    assert owed(talk, heard, "south")[Owed.REPLY].met_s is None, "who has seen a question has not answered it"
    reason = {"reason": "no"} if answer == "object" else {}
    said(line, talk, "south", AnswerBody(to=ref(heard), answer=answer, **reason), T0 + 100.0)
    assert owed(talk, heard, "south")[Owed.REPLY].met_s == T0 + 100.0


def test_a_message_about_a_question_answers_it(line, talk):
    heard = said(line, talk, "north", query(), T0)
    received(line, talk, heard, "south", T0)
    said(line, talk, "south", MessageBody(text="Another thing."), T0 + 5.0)
    said(line, talk, "east", MessageBody(text="From the middle.", about=[ref(heard)]), T0 + 6.0)
    said(line, talk, "south", MessageBody(text="In practice.", about=[ref(heard)]), T0 + 7.0, exercise=True)
    assert owed(talk, heard, "south")[Owed.REPLY].met_s is None
    told = said(line, talk, "south", MessageBody(text="From the middle.", about=[ref(heard)]), T0 + 8.0)
    assert owed(talk, heard, "south")[Owed.REPLY].met_s == T0 + 8.0
    said(line, talk, "south", CancelBody(entry=ref(told)), T0 + 9.0)
    assert owed(talk, heard, "south")[Owed.REPLY].met_s is None


def test_the_same_is_read_in_whatever_order_it_comes(line):
    heard = line.say("north", query(), T0)
    answer = line.say("south", MessageBody(text="From the middle.", about=[ref(heard)]), T0 + 8.0)
    receipt = line.receipt(heard, "south", T0)
    for order in ([heard, answer, receipt], [answer, receipt, heard], [receipt, answer, heard]):
        talk = Conversation("north")
        for event in order:
            talk.take(event)
        assert owed(talk, heard, "south")[Owed.REPLY].met_s == T0 + 8.0


def test_who_told_of_an_incident_owes_the_full_report_and_the_others_a_reply(line, talk):
    first = said(line, talk, "south", report(), T0)
    received(line, talk, first, "east", T0 + 10.0)
    rows = owed(talk, first, "south")
    assert rows.keys() == {Owed.FULL_REPORT}
    assert rows[Owed.FULL_REPORT].due_s == T0 + DAY
    assert rows[Owed.FULL_REPORT].met_s is None
    assert owed(talk, first, "east")[Owed.REPLY].due_s == T0 + 10.0 + 2 * DAY
    assert owed(talk, first, "east").keys() == owed(talk, first, "north").keys() == {Owed.REPLY}
    full = said(line, talk, "south", report(stage="full", follows=ref(first)), T0 + HOUR)
    assert owed(talk, first, "south")[Owed.FULL_REPORT].met_s == T0 + HOUR
    assert owed(talk, first, "east")[Owed.REPLY].ended_s == T0 + HOUR, "it is the full one that is replied to"
    received(line, talk, full, "east", T0 + HOUR)
    assert owed(talk, full, "east")[Owed.REPLY].due_s == T0 + HOUR + 2 * DAY
    assert owed(talk, full, "south") == {}
    reply = said(line, talk, "east", report(stage="reply", about=ref(full)), T0 + 2 * HOUR)
    assert owed(talk, full, "east")[Owed.REPLY].met_s == T0 + 2 * HOUR
    assert talk.thread(reply.ref, T0 + DAY).owed[0].owed is Owed.RECEIPT
    assert owed(talk, reply, "south") == {}, "a reply asks for no reply"


def test_another_first_report_takes_the_place_of_one_and_is_owed_a_full_one_itself(line, talk):
    first = said(line, talk, "south", report(), T0)
    again = said(line, talk, "south", report(follows=ref(first)), T0 + 60.0)
    assert owed(talk, first, "south")[Owed.FULL_REPORT].ended_s == T0 + 60.0
    assert owed(talk, first, "south")[Owed.FULL_REPORT].met_s is None
    assert owed(talk, again, "south")[Owed.FULL_REPORT].due_s == T0 + 60.0 + DAY


def test_nobody_else_gives_the_full_report_and_what_is_cancelled_owes_none(line, talk):
    first = said(line, talk, "south", report(), T0)
    said(line, talk, "east", report(stage="full", follows=ref(first)), T0 + 60.0)
    assert owed(talk, first, "south")[Owed.FULL_REPORT].ended_s is None
    said(line, talk, "south", CancelBody(entry=ref(first)), T0 + 70.0)
    assert owed(talk, first, "south") == {}


def test_a_later_plan_takes_the_place_of_an_earlier_one_and_voids_its_answers(line, talk):
    first = said(line, talk, "north", JointPlanBody(plan=plan()), T0)
    said(line, talk, "south", AnswerBody(to=ref(first), answer="seen"), T0 + 5.0)
    said(line, talk, "north", JointPlanBody(plan=plan() | {"title": "Another"}, supersedes=ref(first)), T0 + 10.0)
    thread = talk.thread(first.ref, T0 + 20.0)
    assert thread.superseded_by is not None
    assert thread.standing("south").answers[0].void is Void.AMENDED
    assert (thread.start_s, thread.end_s) == (1.5e9, 1.6e9)


def test_a_plan_is_read_back_by_where_its_participants_meet(line, talk):
    plans = plan()
    heard = said(line, talk, "north", JointPlanBody(plan=plans), T0)
    meeting = plans["meetings"][0]
    place = {"lon_deg": meeting["lon_deg"], "lat_deg": meeting["lat_deg"] + 0.1, "time_s": meeting["time_s"]}
    said(line, talk, "south", AnswerBody(to=ref(heard), answer="read back", read_back=place), T0 + 5.0)
    blocked = talk.thread(heard.ref, T0 + 6.0).standing("south").blocked
    assert blocked is not None
    assert blocked.void is Void.DIFFERS


def test_a_concurrence_in_a_measure_is_an_answer_to_it(line, talk):
    filings = [line.say(party, report(id=party), T0) for party in ("north", "south")]
    heard = said(line, talk, "north", MeasureBody(filings=[ref(one) for one in filings], measure="level", text="a"), T0)
    said(line, talk, "south", AnswerBody(to=ref(heard), answer="concur"), T0 + 5.0)
    assert [one.answer for one in talk.thread(heard.ref, T0 + 6.0).standing("south").counted] == ["concur"]
    assert [one.ref for one in talk.about(filings[1].ref)] == [heard.ref]


def test_an_entry_is_found_under_so_many_of_those_that_it_names(line):
    named = [line.say("south", MessageBody(text=str(n)), T0) for n in range(MOST_NAMED + 3)]
    heard = line.say("north", MessageBody(text="all", about=[ref(one) for one in named]), T0)
    assert said_of(heard).about == tuple(one.ref for one in named[:MOST_NAMED])
