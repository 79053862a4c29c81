"""What terms and labels are judged by, taken from a conversation: only what counts, from when it counts."""

from __future__ import annotations

import pytest

from keepclear.agreements.heard import documents_in, filed_in, record_of
from keepclear.line.conversation import Conversation
from keepclear.line.threads import Searched
from keepclear.model.findings import Answer
from keepclear.record.bodies.agreements import TermQueryBody
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import AnswerBody, CancelBody, MessageBody
from keepclear.record.entries import Attachment, Entry
from tests.reference.made_lines import MadeLine, operation_body, ref
from tests.unit.agreements.made_agreements import document, proposed

T0 = 1_772_442_000.0
START, END = T0 + 50_000.0, T0 + 60_000.0
LATER = T0 + 1e6


class Story:
    """A line as one party's node has it."""

    def __init__(self, us: str = "north") -> None:
        self.line = MadeLine("east", "north", "south")
        self.talk = Conversation(us)
        self.bodies = {}

    def say(self, party, body, at_s, **others):
        heard = self.line.say(party, body, at_s, **others)
        self.talk.take(heard)
        if others.get("held", True):
            self.bodies[heard.ref] = body_of(heard.entry)
        return heard

    def file(self, party, at_s=T0, **others):
        more = {name: others.pop(name) for name in ("supersedes",) if name in others}
        return self.say(party, operation_body(party, "c1", 40.6, 37.07, START, END, **more), at_s, **others)

    def receive(self, heard, by, at_s):
        self.talk.take(self.line.receipt(heard, by, at_s))

    def filed(self, at_s=LATER, **others):
        return {one.ref: one for one in filed_in(self.talk, self.bodies, at_s, **others)}

    def record(self, at_s=LATER, **others):
        return record_of(self.talk, self.bodies, at_s, **others)


@pytest.fixture
def story():
    return Story()


def test_a_filing_counts_from_when_somebody_else_had_it(story):
    own, other = story.file("north", T0), story.file("south", T0 + 7.0)
    found = story.filed()
    assert found[own.ref].counts_from_s is None
    assert found[other.ref].counts_from_s == T0 + 7.0, "our own store shows that"
    story.receive(own, "east", T0 + 20.0)
    found = story.filed()
    assert found[own.ref].counts_from_s == T0 + 20.0
    assert found[own.ref].lead_s == START - T0 - 20.0
    assert [one.ref for one in filed_in(story.talk, story.bodies, LATER)] == [other.ref, own.ref]
    assert story.filed(T0 + 19.0).keys() == {other.ref}, "it does not count yet"


def test_a_filing_has_what_it_says(story):
    heard = story.file("south", T0)
    (found,) = story.filed(said_s={heard.ref: T0 - 5.0}).values()
    assert (found.party, found.recipients, found.start_s, found.end_s) == ("south", {"east", "north"}, START, END)
    assert (found.said_s, found.problem, found.exercise, found.is_rough) == (T0 - 5.0, "", False, False)
    assert found.plan.id == "c1"
    assert next(iter(story.filed().values())).said_s == T0


def test_a_filing_says_for_whom_why_so_late_and_how_roughly(story):
    body = operation_body("south", "c1", 40.6, 37.07, START, END)
    members = body.members() | {
        "on_behalf_of": "council", "reason_if_late": "a fall", "precision": {"grid_km": 5, "time_s": 60},
    }  # fmt: skip
    story.say("south", OperationBody.of_members(members), T0, exercise=True)
    (found,) = story.filed().values()
    assert (found.on_behalf_of, found.reason_if_late, found.is_rough, found.exercise) == (
        "council",
        "a fall",
        True,
        True,
    )


def test_what_cannot_be_read_is_a_filing_with_its_problem(story):
    heard = story.file("south", T0, held=False)
    found = story.filed()[heard.ref]
    assert (found.plan, found.problem, found.start_s) == (None, "the body is not held", None)


def test_an_amendment_ends_a_version_and_what_was_answered_before_was_answered(story):
    first = story.file("south", T0)
    story.say("north", AnswerBody(to=ref(first), answer="seen"), T0 + 5.0)
    story.receive(story.line.logs["north"][0], "south", T0 + 6.0)
    second = story.file("south", T0 + 50.0, supersedes=first)
    found = story.filed()
    assert (found[first.ref].superseded_s, found[first.ref].superseded_by) == (T0 + 50.0, second.ref)
    assert [(one.party, one.answer, one.at_s) for one in found[first.ref].answers] == [("north", "seen", T0 + 6.0)]
    assert found[second.ref].answers == ()
    assert found[first.ref].stood_at(T0 + 49.0)
    assert not found[first.ref].stood_at(T0 + 50.0)
    before = story.filed(T0 + 49.0)
    assert before.keys() == {first.ref}
    assert before[first.ref].superseded_s is None
    assert before[first.ref].superseded_by is None


def test_a_cancellation_ends_it_when_it_counts(story):
    own = story.file("north", T0)
    story.receive(own, "south", T0 + 1.0)
    cancel = story.say("north", CancelBody(entry=ref(own)), T0 + 5.0)
    assert story.filed()[own.ref].cancelled_s is None, "nobody is known to have had it"
    story.receive(cancel, "south", T0 + 9.0)
    assert story.filed()[own.ref].cancelled_s == T0 + 9.0
    assert story.filed(T0 + 8.0)[own.ref].cancelled_s is None


def test_only_answers_that_count_are_told(story):
    heard = story.file("south", T0, to=["north"])
    own = story.say("north", AnswerBody(to=ref(heard), answer="seen"), T0 + 5.0)
    story.say("east", AnswerBody(to=ref(heard), answer="seen"), T0 + 6.0)  # it was not asked
    wrong = {"lon_deg": 41.6, "lat_deg": 37.07, "time_s": START}
    story.say("north", AnswerBody(to=ref(heard), answer="read back", read_back=wrong), T0 + 7.0)
    assert story.filed()[heard.ref].answers == ()
    story.receive(own, "east", T0 + 30.0)
    assert [(one.ref, one.at_s) for one in story.filed()[heard.ref].answers] == [(own.ref, T0 + 30.0)]
    assert story.filed(T0 + 29.0)[heard.ref].answers == ()


def test_a_withdrawn_answer_counts_until_it_was_withdrawn(story):
    heard = story.file("north", T0)
    story.receive(heard, "south", T0)
    answer = story.say("south", AnswerBody(to=ref(heard), answer="concur"), T0 + 5.0)
    story.say("south", CancelBody(entry=ref(answer)), T0 + 50.0)
    assert len(story.filed(T0 + 49.0)[heard.ref].answers) == 1
    assert story.filed(T0 + 50.0)[heard.ref].answers == ()


def test_conflicts_are_told_until_they_are_settled(story):
    one, other = story.file("north", T0), story.file("south", T0)
    for heard in (one, other):
        story.receive(heard, "east", T0)
    advice = AdvisoryBody(about=[ref(one), ref(other)], answer="conflict", sentence="Too close.")
    advisory = story.say("south", advice, T0 + 10.0)
    assert story.filed()[one.ref].conflicts == (other.ref,)
    assert story.filed()[other.ref].conflicts == (one.ref,)
    assert story.filed(T0 + 9.0)[one.ref].conflicts == ()
    for party in ("north", "south"):
        story.say(party, AcceptedRiskBody(advisory=ref(advisory), reason="in contact"), T0 + 20.0)
    assert story.filed()[one.ref].conflicts == ()
    assert story.filed()[one.ref].settled == ((other.ref, T0 + 20.0),)
    before = story.filed(T0 + 19.0)[one.ref]
    assert (before.conflicts, before.settled) == ((other.ref,), ()), "it was open then"
    # What our own search finds counts too, unless it is what was accepted.
    story.talk.take(Searched(one.ref, T0 + 30.0, Answer.POSSIBLE, (other.ref,)))
    assert story.filed()[one.ref].conflicts == ()
    third = story.file("east", T0 + 5.0)
    story.talk.take(Searched(one.ref, T0 + 40.0, Answer.CONFLICT, (other.ref, third.ref)))
    assert story.filed()[one.ref].conflicts == (third.ref,)
    assert story.filed(T0 + 39.0)[one.ref].conflicts == ()


def test_all_other_entries_are_in_the_view_of_the_record(story):
    question = story.say("south", TermQueryBody(agreement="a", question="Why?"), T0 + 3.0)
    story.say("east", MessageBody(text="one"), T0 + 2.0)
    own = story.say("north", MessageBody(text="two"), T0 + 1.0, exercise=True)
    story.file("south", T0 + 4.0)
    story.say("east", AnswerBody(to=ref(question), answer="concur"), T0 + 5.0)
    record = story.record(parties=["west"], channel={"south": ((T0, LATER, "up"),)})
    assert record.parties == {"east", "north", "south", "west"}
    assert set(record.heard) == {"message", "term-query"}, "filings and answers are told otherwise"
    assert [(one.party, one.counts_from_s, one.exercise) for one in record.of("message")] == [
        ("east", T0 + 2.0, False), ("north", None, True),
    ]  # fmt: skip
    assert [(one.party, one.at_s) for one in record.of("term-query")[0].answers] == [("east", T0 + 5.0)]
    assert record.of("claim") == ()
    assert record.channel["south"][0][2] == "up"
    assert own.ref in {one.ref for one in record.of("message")}
    assert story.record(T0 + 2.5).of("term-query") == ()


def _proposal(data: bytes, body) -> Entry:
    return Entry.said(
        body.TYPE, 1, line="border", party="ru", time_s=T0, recipients=["tr"], exercise=False, body=body.to_bytes(),
        salt=bytes(32), attachments=[Attachment(bytes(32), data)],
    )  # fmt: skip


def test_documents_come_with_proposals_under_the_hash_that_they_have():
    made, other = document("1"), document("2")
    entries = [
        _proposal(made.canonical(), proposed(made)),
        _proposal(b"{}", proposed(other)),  # none at all
        _proposal(made.canonical(), proposed(other)),  # another one than is said
    ]
    entries += [entries[0].without_body(), Entry(entries[0].leaf, entries[0].salt, entries[0].body)]
    found = documents_in(entries)
    assert found.keys() == {made.hash}
    assert found[made.hash].canonical() == made.canonical()
    assert documents_in(entries[1:2]) == {}
