"""Threads: what counts as an answer, what is owed by whom, and how far a filing has come."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear import Circle, Operation, OperationKind, Track, Volume, Zone, ZoneKind
from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.line.conversation import MOST_ABOUT, Conversation, Receipt
from keepclear.line.deadlines import DEFAULT_DEADLINES, MessageClass, Owed, Rule
from keepclear.line.operation_states import OperationState as State
from keepclear.line.said import Heard
from keepclear.line.threads import AdvisoryStatus, Searched, Void
from keepclear.model.findings import Answer
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody, LineTestBody
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.talk import AnswerBody, CancelBody, MessageBody, RefusedBody
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.names import log_origin
from tests.reference.made_lines import MadeLine, operation_body, ref

HOUR = 3_600.0
T0 = 1_772_442_000.0
START, END = T0 + 72 * HOUR, T0 + 75 * HOUR
LON, LAT = 40.65194, 37.07278


@pytest.fixture
def line():
    return MadeLine("east", "north", "south")


@pytest.fixture
def talk():
    return Conversation("north")


def filed(line, talk, *, party="north", at_s=T0, start_s=START, end_s=END, identifier="c1", **others):
    to = others.pop("to", None)
    exercise = others.pop("exercise", False)
    body = operation_body(party, identifier, LON, LAT, start_s, end_s, **others)
    heard = line.say(party, body, at_s, to=to, exercise=exercise)
    talk.take(heard)
    return heard


def said(line, talk, party, body, at_s, **others):
    heard = line.say(party, body, at_s, **others)
    talk.take(heard)
    return heard


def answered(line, talk, party, to, answer, at_s, *, exercise=False, **members):
    return said(line, talk, party, AnswerBody(to=ref(to), answer=answer, **members), at_s, exercise=exercise)


def received(line, talk, heard, by, at_s):
    return talk.take(line.receipt(heard, by, at_s))


def read_back(lon=LON, lat=LAT, time_s=START, **others):
    return {"lon_deg": lon, "lat_deg": lat, "time_s": time_s, **others}


def owed(talk, heard, party, at_s):
    return {one.owed: one for one in talk.thread(heard.ref, at_s).standing(party).owed}


def state(talk, heard, at_s=T0 + HOUR):
    return talk.thread(heard.ref, at_s).state


def test_a_filing_comes_from_filed_to_delivered_to_acknowledged(line, talk):
    heard = filed(line, talk)
    assert state(talk, heard) is State.FILED
    received(line, talk, heard, "south", T0 + 1.0)
    assert state(talk, heard) is State.FILED, "east has not shown that it has it"
    received(line, talk, heard, "east", T0 + 2.0)
    assert state(talk, heard) is State.DELIVERED
    answered(line, talk, "south", heard, "seen", T0 + 60.0)
    assert state(talk, heard) is State.DELIVERED, "nobody in the east has seen it"
    answered(line, talk, "east", heard, "seen", T0 + 90.0)
    assert state(talk, heard) is State.ACKNOWLEDGED


def test_seen_never_means_approval(line, talk):
    heard = filed(line, talk)
    for party in ("south", "east"):
        received(line, talk, heard, party, T0 + 1.0)
        answered(line, talk, party, heard, "seen", T0 + 60.0)
    assert state(talk, heard) is State.ACKNOWLEDGED
    assert not [one for one in State if "approv" in one.value or "permi" in one.value or one.value == "clear"]
    # Seen is not read back, and not concurred.
    assert owed(talk, heard, "south", T0)[Owed.READ_BACK].met_s is None
    assert talk.thread(heard.ref, T0).standing("south").blocked is None


def test_a_deadline_runs_from_the_addressees_receipt_never_from_the_authors_clock(line, talk):
    heard = filed(line, talk)
    assert owed(talk, heard, "south", T0).keys() == {Owed.RECEIPT}
    assert owed(talk, heard, "south", T0)[Owed.RECEIPT].due_s == T0 + 5.0
    received(line, talk, heard, "south", T0 + 100.0)
    rows = owed(talk, heard, "south", T0)
    assert (rows[Owed.SEEN].from_s, rows[Owed.SEEN].due_s) == (T0 + 100.0, T0 + 100.0 + 12 * HOUR)
    assert rows[Owed.READ_BACK].due_s == START - 24 * HOUR
    assert rows[Owed.RECEIPT].late_s == 95.0
    assert owed(talk, heard, "east", T0).keys() == {Owed.RECEIPT}


def test_on_the_addressees_own_node_the_clock_runs_from_its_own_store(line):
    talk = Conversation("south")
    heard = filed(line, talk, at_s=T0 + 7.0)
    assert owed(talk, heard, "south", T0)[Owed.SEEN].from_s == T0 + 7.0
    received(line, talk, heard, "south", T0 + 6.0)
    assert owed(talk, heard, "south", T0)[Owed.SEEN].from_s == T0 + 6.0


@pytest.mark.parametrize(
    ("lead_s", "message_class"),
    [(49 * HOUR, MessageClass.ROUTINE), (3 * HOUR, MessageClass.SHORT), (HOUR, MessageClass.IMMEDIATE)],
)
def test_the_class_is_by_the_lead_that_the_addressee_had(line, talk, lead_s, message_class):
    heard = filed(line, talk)
    received(line, talk, heard, "south", START - lead_s)
    assert {one.message_class for one in owed(talk, heard, "south", T0).values()} == {message_class}


def test_what_nobody_knows_the_start_of_is_immediate_but_a_site_that_was_always_there_is_not(line, talk):
    unknown = filed(line, talk, start_s=None, end_s=None)
    zones = {}
    for kind in (ZoneKind.PROTECTED_SITE, ZoneKind.HAZARD_AREA):
        zone = Zone("north", kind.value, kind, (Volume(Circle(LON, LAT, 500.0)),))
        zones[kind] = said(line, talk, "north", ZoneBody.of_model(zone), T0)
    last = zones[ZoneKind.HAZARD_AREA]
    received(line, talk, last, "south", T0)
    assert owed(talk, unknown, "south", T0)[Owed.READ_BACK].due_s == T0 + 300.0
    assert owed(talk, last, "south", T0)[Owed.READ_BACK].due_s == T0 + 300.0
    site = owed(talk, zones[ZoneKind.PROTECTED_SITE], "south", T0)
    assert site.keys() == {Owed.RECEIPT, Owed.SEEN}
    assert site[Owed.SEEN].due_s == T0 + 12 * HOUR
    assert state(talk, last) is State.ACTIVE, "a zone without a start is there always"
    assert state(talk, unknown) is State.FILED, "nobody knows whether it is under way"


@pytest.mark.parametrize("answer", ["seen", "concur", "not ours", "unable"])
def test_any_answer_of_a_person_shows_that_it_was_seen_and_none_but_a_read_back_is_one(line, talk, answer):
    heard = filed(line, talk)
    received(line, talk, heard, "south", T0 + 1.0)
    answered(line, talk, "south", heard, answer, T0 + 50.0)
    rows = owed(talk, heard, "south", T0)
    assert rows[Owed.SEEN].met_s == T0 + 50.0
    assert rows[Owed.READ_BACK].met_s is None
    answered(line, talk, "south", heard, "read back", T0 + 70.0, read_back=read_back())
    assert owed(talk, heard, "south", T0)[Owed.READ_BACK].met_s == T0 + 70.0
    assert owed(talk, heard, "south", T0)[Owed.SEEN].met_s == T0 + 50.0


def test_a_read_back_that_differs_gives_nothing_until_it_is_corrected(line, talk):
    heard = filed(line, talk)
    received(line, talk, heard, "south", T0 + 1.0)
    answered(line, talk, "south", heard, "read back", T0 + 50.0, read_back=read_back(lat=LAT + 1 / 60))
    standing = talk.thread(heard.ref, T0).standing("south")
    assert standing.blocked.void is Void.DIFFERS
    assert "one minute of arc" in standing.blocked.comparison.sentence
    assert standing.seen_s is None
    assert all(one.met_s is None for one in standing.owed if one.owed is not Owed.RECEIPT)
    answered(line, talk, "south", heard, "read back", T0 + 60.0, read_back=read_back(uncertainty_m=500.0))
    assert talk.thread(heard.ref, T0).standing("south").blocked.void is Void.TOO_COARSE
    answered(line, talk, "south", heard, "read back", T0 + 70.0, read_back=read_back())
    standing = talk.thread(heard.ref, T0).standing("south")
    assert standing.blocked is None
    assert standing.seen_s == T0 + 70.0
    answered(line, talk, "south", heard, "read back", T0 + 80.0, read_back=read_back(time_s=START + HOUR))
    assert talk.thread(heard.ref, T0).standing("south").blocked is not None, "what it said last is what it believes"


def test_an_amendment_voids_earlier_answers_and_begins_anew(line, talk):
    first = filed(line, talk)
    for party in ("south", "east"):
        received(line, talk, first, party, T0 + 1.0)
        answered(line, talk, party, first, "seen", T0 + 60.0)
    answered(line, talk, "south", first, "concur", T0 + 61.0)
    second = filed(line, talk, at_s=T0 + 100.0, start_s=START + HOUR, supersedes=first)
    old, new = talk.thread(first.ref, T0 + 200.0), talk.thread(second.ref, T0 + 200.0)
    assert (old.state, old.superseded_by) == (State.SUPERSEDED, second.ref)
    assert {one.void for standing in old.standings for one in standing.answers} == {Void.AMENDED}
    assert all(not one.is_open(T0 + 200.0) for one in old.owed)
    assert (new.state, new.supersedes) == (State.FILED, first.ref)
    assert [standing.answers for standing in new.standings] == [(), ()]
    received(line, talk, second, "south", T0 + 101.0)
    assert owed(talk, second, "south", T0)[Owed.SEEN].met_s is None
    # An answer to the old version that comes later is one to the old version still.
    answered(line, talk, "south", first, "concur", T0 + 150.0)
    assert talk.thread(second.ref, T0 + 200.0).standing("south").answers == ()


def test_nobody_changes_anothers_filing(line, talk):
    heard = filed(line, talk)
    theirs = filed(line, talk, party="south", supersedes=heard)
    cancel = said(line, talk, "south", CancelBody(entry=ref(heard)), T0 + 9.0)
    thread = talk.thread(heard.ref, T0 + 10.0)
    assert (thread.state, thread.superseded_by, thread.cancelled_by) == (State.FILED, None, None)
    assert {one.ref for one in thread.odd} == {theirs.ref, cancel.ref}
    assert all("another party" in one.why for one in thread.odd)
    assert talk.thread(theirs.ref, T0).supersedes is None


def test_of_two_amendments_of_one_filing_both_stand_and_it_is_said(line, talk):
    first = filed(line, talk)
    second = filed(line, talk, at_s=T0 + 1.0, supersedes=first)
    third = filed(line, talk, at_s=T0 + 2.0, supersedes=first)
    thread = talk.thread(first.ref, T0 + 9.0)
    assert thread.superseded_by == second.ref
    assert [(one.ref, "both of them stand" in one.why) for one in thread.odd] == [(third.ref, True)]
    assert [state(talk, one, T0 + 9.0) for one in (second, third)] == [State.FILED, State.FILED]


def test_an_amendment_is_of_the_same_type_and_for_the_same_purpose(line, talk):
    heard = filed(line, talk)
    zone = Zone("north", "z", ZoneKind.HAZARD_AREA, (Volume(Circle(LON, LAT, 500.0)),))
    said(line, talk, "north", ZoneBody.of_model(zone, supersedes=ref(heard)), T0 + 1.0)
    filed(line, talk, at_s=T0 + 2.0, supersedes=heard, exercise=True)
    said(line, talk, "north", CancelBody(entry=ref(heard)), T0 + 3.0, exercise=True)
    thread = talk.thread(heard.ref, T0 + 9.0)
    assert (thread.state, len(thread.odd)) == (State.FILED, 3)


def test_cancelled_before_it_began_aborted_after_expired_at_the_end(line, talk):
    cancelled, aborted, over = (filed(line, talk, identifier=name) for name in "abc")
    said(line, talk, "north", CancelBody(entry=ref(cancelled)), T0 + 10.0)
    said(line, talk, "north", CancelBody(entry=ref(aborted)), START + 10.0)
    assert state(talk, cancelled, END + 1.0) is State.CANCELLED
    assert state(talk, aborted, END + 1.0) is State.ABORTED
    assert state(talk, over, START - 0.001) is State.FILED
    assert state(talk, over, START) is State.ACTIVE
    assert state(talk, over, END - 0.001) is State.ACTIVE
    assert state(talk, over, END) is State.EXPIRED


def test_what_was_cancelled_does_not_come_back(line, talk):
    heard = filed(line, talk)
    cancel = said(line, talk, "north", CancelBody(entry=ref(heard)), T0 + 10.0)
    said(line, talk, "north", CancelBody(entry=ref(cancel)), T0 + 20.0)
    assert state(talk, heard) is State.CANCELLED
    assert talk.thread(cancel.ref, T0 + 30.0).odd[0].why == "what was cancelled does not come back"


def test_an_answer_that_was_withdrawn_does_not_count(line, talk):
    heard = filed(line, talk)
    answer = answered(line, talk, "south", heard, "concur", T0 + 10.0)
    said(line, talk, "south", CancelBody(entry=ref(answer)), T0 + 20.0)
    (given,) = talk.thread(heard.ref, T0 + 30.0).standing("south").answers
    assert given.void is Void.WITHDRAWN


def test_an_answer_by_somebody_who_was_not_addressed_does_not_count_and_is_shown(line, talk):
    heard = filed(line, talk, to=["south"])
    received(line, talk, heard, "south", T0 + 1.0)
    stranger = answered(line, talk, "east", heard, "concur", T0 + 10.0)
    own = answered(line, talk, "north", heard, "seen", T0 + 11.0)
    thread = talk.thread(heard.ref, T0 + 30.0)
    assert [standing.party for standing in thread.standings] == ["south"]
    assert {(one.ref, one.void) for one in thread.strangers} == {
        (stranger.ref, Void.NOT_ADDRESSED),
        (own.ref, Void.NOT_ADDRESSED),
    }
    assert owed(talk, heard, "south", T0)[Owed.SEEN].met_s is None
    assert thread.state is State.DELIVERED


def test_an_answer_in_an_exercise_is_none_to_what_is_real(line, talk):
    heard = filed(line, talk)
    answered(line, talk, "south", heard, "seen", T0 + 10.0, exercise=True)
    assert talk.thread(heard.ref, T0).standing("south").answers[0].void is Void.EXERCISE


def test_an_answer_to_what_we_do_not_have_waits_for_it(line, talk):
    heard = line.say("south", operation_body("south", "c1", LON, LAT, START, END), T0)
    answer = answered(line, talk, "east", heard, "seen", T0 + 10.0)
    assert talk.unknown() == ((answer.ref, heard.ref),)
    with pytest.raises(KeyError):
        talk.thread(heard.ref, T0)
    assert heard.ref in talk.take(heard)
    assert talk.unknown() == ()
    assert talk.thread(heard.ref, T0).standing("east").seen_s == T0 + 10.0


def test_a_reference_with_another_hash_is_to_another_entry(line, talk):
    heard = filed(line, talk)
    wrong = ref(Heard(EntryRef(heard.ref.origin, heard.ref.index, bytes(32)), heard.entry, T0))
    said(line, talk, "south", AnswerBody(to=wrong, answer="concur"), T0 + 1.0)
    assert talk.thread(heard.ref, T0).standing("south").answers == ()
    assert len(talk.unknown()) == 1


def test_the_same_answer_again_is_marked_and_moves_nothing(line, talk):
    heard = filed(line, talk)
    received(line, talk, heard, "south", T0 + 1.0)
    for at_s in (T0 + 10.0, T0 + 20.0):
        answered(line, talk, "south", heard, "seen", at_s)
    answered(line, talk, "south", heard, "concur", T0 + 30.0)
    standing = talk.thread(heard.ref, T0).standing("south")
    assert [one.repeats for one in standing.answers] == [False, True, False]
    assert standing.seen_s == T0 + 10.0


def test_taking_an_event_twice_changes_nothing(line, talk):
    heard = filed(line, talk)
    answer = answered(line, talk, "south", heard, "seen", T0 + 10.0)
    receipt = line.receipt(heard, "south", T0 + 1.0)
    assert talk.take(receipt)
    searched = Searched(heard.ref, T0 + 5.0, Answer.CLEAR)
    assert talk.take(searched)
    for event in (heard, answer, receipt, searched, Receipt(receipt.origin, 1, "south", T0 + 5.0)):
        assert talk.take(event) == frozenset()


def test_an_entry_counts_from_when_another_had_it(line, talk):
    heard = filed(line, talk)
    thread = talk.thread(heard.ref, T0)
    assert (thread.counts_from_s, thread.lead_s) == (None, None), "nobody but its author has shown it"
    received(line, talk, heard, "witness.example", T0 + 40.0)
    received(line, talk, heard, "north", T0 + 2.0)  # its own author's
    received(line, talk, heard, "south", T0 + 90.0)
    assert talk.thread(heard.ref, T0).counts_from_s == T0 + 40.0
    assert talk.thread(heard.ref, T0).lead_s == 72 * HOUR - 40.0


def test_a_receipt_is_for_all_entries_before_it(line, talk):
    first, second, third = (filed(line, talk, identifier=name) for name in "abc")
    assert received(line, talk, second, "south", T0 + 9.0) >= {first.ref, second.ref}
    assert received(line, talk, third, "south", T0 + 20.0) == {third.ref}
    assert received(line, talk, first, "south", T0 + 3.0) == {first.ref}
    had = [talk.received_s(talk.said(one.ref), "south") for one in (first, second, third)]
    assert had == [T0 + 3.0, T0 + 9.0, T0 + 20.0]
    # A later receipt that names an earlier time says the same of all before it.
    assert received(line, talk, third, "south", T0 + 1.0) == {first.ref, second.ref, third.ref}
    assert {talk.received_s(talk.said(one.ref), "south") for one in (first, second, third)} == {T0 + 1.0}


def test_good_news_waits_and_bad_news_does_not(line, talk):
    heard = filed(line, talk)
    assert talk.take(Searched(heard.ref, T0 + 1.0, Answer.CLEAR)) == {heard.ref}
    assert state(talk, heard) is State.FILED
    for party in ("south", "east"):
        received(line, talk, heard, party, T0 + 2.0)
        answered(line, talk, party, heard, "seen", T0 + 60.0)
    assert state(talk, heard) is State.NO_CONFLICT_FOUND
    talk.take(Searched(heard.ref, T0 + 70.0, Answer.POSSIBLE))
    assert state(talk, heard) is State.POSSIBLE
    other = filed(line, talk, identifier="c2")
    talk.take(Searched(other.ref, T0 + 1.0, Answer.CONFLICT))
    assert state(talk, other) is State.CONFLICT


def conflict(line, talk):
    ours = filed(line, talk)
    theirs = filed(line, talk, party="south", at_s=T0 + 1.0)
    body = AdvisoryBody(about=[ref(ours), ref(theirs)], answer="conflict", sentence="Too close.")
    advisory = said(line, talk, "south", body, T0 + 5.0)
    return ours, theirs, advisory


def status(talk, heard):
    return [one.status for one in talk.thread(heard.ref, T0 + HOUR).advised]


def test_an_advisory_puts_both_filings_in_conflict_and_asks_for_an_answer(line, talk):
    ours, theirs, advisory = conflict(line, talk)
    assert [state(talk, one) for one in (ours, theirs)] == [State.CONFLICT] * 2
    received(line, talk, advisory, "north", T0 + 6.0)
    row = owed(talk, advisory, "north", T0)[Owed.ANSWER]
    assert (row.message_class, row.due_s) == (MessageClass.CONFLICT_ADVISORY, T0 + 5.0 + 900.0)


def test_an_amendment_does_not_resolve_a_conflict_before_it_was_searched_again(line, talk):
    ours, theirs, advisory = conflict(line, talk)
    filed(line, talk, party="south", at_s=T0 + 50.0, supersedes=theirs)
    assert status(talk, ours) == [AdvisoryStatus.TO_BE_SEARCHED]
    assert state(talk, ours) is State.POSSIBLE
    talk.take(Searched(ours.ref, T0 + 49.0, Answer.CLEAR))
    assert state(talk, ours) is State.POSSIBLE, "searched before the amendment"
    talk.take(Searched(ours.ref, T0 + 51.0, Answer.CONFLICT))
    assert state(talk, ours) is State.CONFLICT
    talk.take(Searched(ours.ref, T0 + 52.0, Answer.CLEAR))
    assert (state(talk, ours), status(talk, ours)) == (State.RESOLVED, [AdvisoryStatus.RESOLVED])
    assert not owed(talk, advisory, "north", T0)[Owed.ANSWER].is_open(T0 + 60.0)


def test_a_conflict_is_resolved_if_one_side_cancels_or_the_advisory_is_withdrawn(line, talk):
    ours, theirs, _ = conflict(line, talk)
    said(line, talk, "south", CancelBody(entry=ref(theirs)), T0 + 50.0)
    assert state(talk, ours) is State.RESOLVED
    ours, _, advisory = conflict(line, talk)
    said(line, talk, "south", CancelBody(entry=ref(advisory)), T0 + 50.0)
    assert state(talk, ours) is State.RESOLVED
    talk.take(Searched(ours.ref, T0 + 51.0, Answer.CONFLICT))
    assert state(talk, ours) is State.CONFLICT, "we see it still"


def test_a_risk_is_accepted_only_by_all_parties_concerned(line, talk):
    ours, theirs, advisory = conflict(line, talk)
    talk.take(Searched(ours.ref, T0 + 2.0, Answer.CONFLICT, (theirs.ref,)))
    accept = AcceptedRiskBody(advisory=ref(advisory), reason="in contact on 40.100")
    said(line, talk, "north", accept, T0 + 20.0)
    said(line, talk, "east", accept, T0 + 21.0)
    assert state(talk, ours) is State.CONFLICT
    last = said(line, talk, "south", accept, T0 + 30.0)
    assert [state(talk, one) for one in (ours, theirs)] == [State.ACCEPTED_RISK] * 2
    (advised,) = talk.thread(ours.ref, T0 + HOUR).advised
    assert (advised.status, advised.status_s) == (AdvisoryStatus.ACCEPTED, T0 + 30.0)
    talk.take(Searched(ours.ref, T0 + 31.0, Answer.CONFLICT, (theirs.ref, last.ref)))
    assert state(talk, ours) is State.CONFLICT, "one more than was accepted"
    said(line, talk, "south", CancelBody(entry=ref(last)), T0 + 40.0)
    assert status(talk, ours) == [AdvisoryStatus.STANDING]


def test_an_advisory_of_a_party_without_a_part_counts_and_is_shown_as_odd(line, talk):
    ours, theirs = filed(line, talk), filed(line, talk, party="south")
    body = AdvisoryBody(about=[ref(ours), ref(theirs)], answer="possible", sentence="Too close?")
    said(line, talk, "east", body, T0 + 5.0)
    thread = talk.thread(ours.ref, T0 + 9.0)
    assert thread.state is State.POSSIBLE
    assert len(thread.odd) == 1


def test_a_refused_body_is_shown_and_asks_for_no_more(line, talk):
    heard = filed(line, talk)
    received(line, talk, heard, "south", T0 + 1.0)
    said(line, talk, "south", RefusedBody(entry=ref(heard), guard="NO_SHARING"), T0 + 2.0)
    standing = talk.thread(heard.ref, T0 + 9.0).standing("south")
    assert standing.refused == "NO_SHARING"
    assert standing.seen_s is None
    assert not owed(talk, heard, "south", T0)[Owed.SEEN].is_open(T0 + 9.0)


def test_messages_cancellations_and_tests_have_their_own_deadlines(line, talk):
    immediate = said(line, talk, "north", MessageBody(text="Stop.", priority="immediate"), T0)
    heard = filed(line, talk, start_s=T0 + HOUR, end_s=T0 + 2 * HOUR)
    cancel = said(line, talk, "north", CancelBody(entry=ref(heard)), T0)
    lost = said(line, talk, "north", CancelBody(entry=ref(line.logs["north"][0])), T0)
    test = said(line, talk, "north", LineTestBody(text="A"), T0)
    answer = answered(line, talk, "south", heard, "seen", T0)
    received(line, talk, test, "south", T0 + 1.0)
    received(line, talk, answer, "north", T0 + 1.0)
    assert owed(talk, immediate, "south", T0)[Owed.READ_BACK].due_s == T0 + 301.0
    assert owed(talk, cancel, "south", T0)[Owed.READ_BACK].due_s == T0 + 301.0
    assert owed(talk, lost, "south", T0)[Owed.SEEN].due_s == T0 + 1_801.0
    assert owed(talk, test, "south", T0).keys() == {Owed.RECEIPT}
    assert owed(talk, answer, "north", T0).keys() == {Owed.RECEIPT}
    # There is no place in a message: any answer of a person is what is owed.
    answered(line, talk, "south", immediate, "seen", T0 + 20.0)
    assert owed(talk, immediate, "south", T0)[Owed.READ_BACK].met_s == T0 + 20.0


def test_what_is_owed_is_listed_with_what_is_due_first(line, talk):
    heard = filed(line, talk)
    flash = said(line, talk, "north", MessageBody(text="Hit.", priority="flash"), T0 + 10.0)
    received(line, talk, flash, "south", T0 + 11.0)
    rows = talk.owed(T0 + 12.0)
    assert [(one.party, one.owed) for one in rows] == [
        ("east", Owed.RECEIPT),  # of the filing
        ("east", Owed.RECEIPT),
        ("east", Owed.ANSWER),
        ("south", Owed.ANSWER),
        ("east", Owed.ABLE),
        ("south", Owed.ABLE),
        ("south", Owed.SEEN),
        ("south", Owed.READ_BACK),
    ]
    assert [one.about for one in rows[:2]] == [heard.ref, flash.ref]
    assert not rows[2].is_overdue(T0 + 70.0)
    assert rows[2].is_overdue(T0 + 70.001)


def test_an_agreement_may_ask_that_it_be_relayed(line):
    deadlines = DEFAULT_DEADLINES.agreed({MessageClass.ROUTINE: [Rule(Owed.RELAYED, HOUR)]})
    talk = Conversation("north", deadlines=deadlines)
    heard = filed(line, talk)
    received(line, talk, heard, "south", T0)
    answered(line, talk, "south", heard, "concur", T0 + 10.0)
    assert owed(talk, heard, "south", T0)[Owed.RELAYED].met_s is None
    answered(line, talk, "south", heard, "relayed", T0 + 20.0, unit="checkpoint 4")
    assert owed(talk, heard, "south", T0)[Owed.RELAYED].met_s == T0 + 20.0


def test_an_entry_whose_body_we_do_not_have_asks_for_nothing_and_is_read_when_it_comes(line, talk):
    body = operation_body("south", "c1", LON, LAT, START, END)
    leaf_only = line.say("south", body, T0, to=["east"], held=False)
    talk.take(leaf_only)
    thread = talk.thread(leaf_only.ref, START)
    assert thread.problem == "the body is not held"
    assert thread.state is State.FILED, "when it begins is not known"
    assert [one.owed for one in thread.owed] == [Owed.RECEIPT]
    line.logs["south"].clear()
    whole = line.say("south", body, T0 + 5.0, to=["east"])
    whole = Heard(leaf_only.ref, type(whole.entry)(leaf_only.entry.leaf, whole.entry.salt, whole.entry.body), T0 + 5.0)
    assert talk.take(whole) == {leaf_only.ref}
    assert talk.thread(leaf_only.ref, START).state is State.ACTIVE
    assert talk.thread(leaf_only.ref, START).kept_s == T0
    assert talk.take(leaf_only) == frozenset(), "erased since: what it said is known"


def test_a_malformed_body_is_kept_with_its_problem(line, talk):
    heard = filed(line, talk)
    bad = Entry.said("answer", 1, line="border", party="south", time_s=T0, recipients=["north"], exercise=False,
                     body=b'{"answer":"yes"}', salt=bytes(32))  # fmt: skip
    place = EntryRef(log_origin("south", "border"), 0, bad.leaf.hash)
    assert talk.take(Heard(place, bad, T0)) == {place}
    assert "not a body of type answer" in talk.thread(place, T0).problem
    assert talk.thread(heard.ref, T0).standing("south").answers == ()


def test_what_does_not_belong_in_a_log_is_refused(line, talk):
    heard = line.say("south", MessageBody(text="Hello."), T0)
    for origin in (log_origin("north", "border"), log_origin("south", "other")):
        with pytest.raises(PeerError, match="an entry of south on border in the log"):
            talk.take(Heard(EntryRef(origin, 0, heard.ref.leaf_hash), heard.entry, T0))
    with pytest.raises(PeerError):
        talk.take(Heard(EntryRef(heard.ref.origin, 0, bytes(32)), heard.entry, T0))
    assert list(talk.threads(T0)) == []


def test_two_entries_in_one_place_are_a_fork(line, talk):
    said(line, talk, "south", MessageBody(text="Hello."), T0)
    line.logs["south"].clear()
    other = line.say("south", MessageBody(text="Good-bye."), T0)
    with pytest.raises(IntegrityError, match="forked"):
        talk.take(other)


def test_a_log_begun_anew_goes_on_from_the_old_one(line, talk):
    first = filed(line, talk)
    body = operation_body("north", "c1", LON, LAT, START, END, supersedes=first)
    again = line.say("north", body, T0 + 9.0)
    renewed = Heard(EntryRef(log_origin("north", "border") + "/2", 0, again.ref.leaf_hash), again.entry, T0 + 9.0)
    talk.take(renewed)
    assert talk.thread(first.ref, T0 + 10.0).superseded_by == renewed.ref


def test_slip_without_limit_leaves_the_start_unknown(line, talk):
    where = np.array([LON, LON + 0.1]), np.array([LAT, LAT]), np.zeros(2)
    times = {}
    for early_s, late_s in ((math.inf, math.inf), (60.0, 90.0)):
        track = Track(np.array([START, END]), *where, early_s=early_s, late_s=late_s)
        operation = Operation("north", f"{early_s}", OperationKind.CONVOY, (), (track,))
        thread = talk.thread(said(line, talk, "north", OperationBody.of_model(operation), T0).ref, T0)
        times[early_s] = (thread.start_s, thread.end_s)
    assert times == {math.inf: (None, None), 60.0: (START - 60.0, END + 90.0)}


def test_who_writes_to_itself_owes_itself_nothing(line, talk):
    heard = filed(line, talk, to=["north", "south"])
    assert [standing.party for standing in talk.thread(heard.ref, T0).standings] == ["south"]


def test_nothing_is_owed_before_the_clock_starts(line, talk):
    heard = filed(line, talk)
    received(line, talk, heard, "south", T0 + 100.0)
    row = owed(talk, heard, "south", T0)[Owed.SEEN]
    assert [row.is_open(T0 + at_s) for at_s in (99.9, 100.0)] == [False, True]


def test_an_entry_cannot_amend_or_cancel_what_its_log_says_later(line, talk):
    line.say("north", MessageBody(text="Its place is taken below."), T0)
    later = filed(line, talk)
    line.logs["north"].clear()
    cancel = said(line, talk, "north", CancelBody(entry=ref(later)), T0)
    thread = talk.thread(later.ref, T0 + 1.0)
    assert (thread.state, thread.cancelled_by) == (State.FILED, None)
    assert [(one.ref, one.why) for one in thread.odd] == [(cancel.ref, "said before what it is about")]


def test_of_what_one_party_says_of_one_entry_without_end_the_first_counts(line, talk):
    heard = filed(line, talk)
    changed = [
        talk.take(line.say("south", AnswerBody(to=ref(heard), answer="seen", reason=f"{n}"), T0 + n))
        for n in range(MOST_ABOUT + 50)
    ]
    assert max(map(len, changed)) == 2  # the answer and what it answers: not all that were before it
    own = talk.thread(heard.ref, T0 + HOUR).standing("south").answers
    assert [one.reason for one in own] == [f"{n}" for n in range(MOST_ABOUT)]


def test_an_advisory_of_more_filings_than_anybody_reads_is_none():
    about = [{"origin": "south/east/log", "index": n, "leaf": "A" * 43 + "="} for n in range(65)]
    AdvisoryBody.of_members({"about": about[:64], "answer": "possible", "sentence": "all"})
    with pytest.raises(InputError, match="about"):
        AdvisoryBody.of_members({"about": about, "answer": "possible", "sentence": "all"})
