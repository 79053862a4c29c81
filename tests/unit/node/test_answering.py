import pytest

from keepclear.errors import InputError
from keepclear.line.threads import Void
from keepclear.node.answering import ReadBackError, ReadBackTyped
from keepclear.node.guarding import RefusedError
from keepclear.node.own_log import Outgoing
from keepclear.node.refusals import NotAllowedError, NotFoundError, StaleError
from keepclear.record.bodies.line_talk import AdvisoryBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerGiven, Priority
from keepclear.store.node.events import since
from keepclear.times import to_text
from tests.unit.node.officers_made import (
    CALM,
    LINE,
    NOON_S,
    OFFICER,
    ORDER,
    READER,
    asked,
    patrol,
    share,
    site,
    together,
)

NOON = to_text(NOON_S)
RIGHT = ReadBackTyped("37.06000N 40.65000E", NOON, "WGS84")
WRONG = ReadBackTyped("37.14000N 40.65000E", NOON, "WGS84")  # 8.9 km north


@pytest.fixture
def three(tmp_path):
    with together(tmp_path, "A", "B", "C") as made:
        yield made


@pytest.fixture
def filed(three):
    a, b, c = three
    found = a.filing.file(asked(patrol(), recipients=("B",)), by=OFFICER)
    share(a, b, c)
    return found.ref


def test_an_answer_reaches_the_author_and_nobody_else(three, filed):
    a, b, c = three
    said = b.answering.answer(filed, AnswerGiven.SEEN, by=OFFICER)
    share(a, b, c)
    assert a.body(said.ref).answer is AnswerGiven.SEEN
    assert c.body(said.ref) is None
    assert a.projector.thread(filed).standing("B").seen_s is not None
    assert b.did() == ["answer seen"]


def test_a_read_back_that_agrees_gives_what_is_owed(three, filed):
    a, b, c = three
    said = b.answering.answer(filed, AnswerGiven.READ_BACK, by=OFFICER, read_back=RIGHT)
    share(a, b, c)
    assert a.body(said.ref).read_back.entered == RIGHT.place
    (given,) = a.projector.thread(filed).standing("B").answers
    assert given.void is None
    assert given.comparison.agrees


def test_a_read_back_that_differs_is_not_said_and_the_person_is_told_by_how_much(three, filed):
    a, b, c = three
    before = b.records.size(b.records.own_origin(LINE))
    with pytest.raises(ReadBackError) as caught:
        b.answering.answer(filed, AnswerGiven.READ_BACK, by=OFFICER, read_back=WRONG)
    assert caught.value.comparison.distance_m == pytest.approx(8878.4, abs=0.2)
    assert "8.9 km north of the place filed" in str(caught.value)
    assert b.records.size(b.records.own_origin(LINE)) == before
    assert b.did() == ["read back blocked"]
    with b.database.reading() as conn:
        told = [one for one in since(conn, 0) if one.type == "answer"]
    assert told[-1].data["distance_m"] == 8878
    assert "37.14" not in str(told[-1].data)
    share(a, b, c)
    assert a.projector.thread(filed).standing("B").answers == ()


def test_who_insists_says_it_and_both_see_that_it_differs(three, filed):
    a, b, c = three
    said = b.answering.answer(filed, AnswerGiven.READ_BACK, by=OFFICER, read_back=WRONG, insist=True)
    assert any("gives nothing" in one for one in said.warnings)
    share(a, b, c)
    for node in (a, b):
        standing = node.projector.thread(filed).standing("B")
        assert standing.answers[0].void is Void.DIFFERS
        assert standing.blocked is not None
        assert standing.seen_s is None
    b.answering.answer(filed, AnswerGiven.READ_BACK, by=OFFICER, read_back=RIGHT)
    share(a, b, c)
    assert a.projector.thread(filed).standing("B").blocked is None


def test_a_place_typed_too_coarsely_is_not_taken_for_agreement(three, filed):
    _, b, _ = three
    with pytest.raises(ReadBackError, match="too coarse"):
        b.answering.answer(filed, AnswerGiven.READ_BACK, by=OFFICER, read_back=ReadBackTyped("37.1 40.7", NOON))


def test_what_cannot_be_read_is_told_with_place_and_time(three, filed):
    _, b, _ = three
    with pytest.raises(InputError) as caught:
        b.answering.answer(filed, AnswerGiven.READ_BACK, by=OFFICER, read_back=ReadBackTyped("the bridge", "11:00"))
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="missing"):
        b.answering.answer(filed, AnswerGiven.READ_BACK, by=OFFICER, read_back=ReadBackTyped(RIGHT.place))


def test_a_site_without_times_is_read_back_without_one(three):
    a, b, c = three
    filed = a.filing.file(asked(site()), by=OFFICER)
    share(a, b, c)
    typed = ReadBackTyped("37.06000N 40.65000E", None, "WGS84")
    b.answering.answer(filed.ref, AnswerGiven.READ_BACK, by=OFFICER, read_back=typed)
    share(a, b, c)
    assert a.projector.thread(filed.ref).standing("B").answers[0].void is None


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (AnswerGiven.RELAYED, {"unit": "patrol 4"}),
        (AnswerGiven.CONCUR, {}),
        (AnswerGiven.OBJECT, {"reason": "our convoy is there"}),
        (AnswerGiven.NOT_OURS, {}),
        (AnswerGiven.UNABLE, {"reason": "no radio"}),
    ],
)
def test_every_answer_can_be_given_and_is_what_it_is(three, filed, given, more):
    a, b, c = three
    said = b.answering.answer(filed, given, by=OFFICER, **more)
    share(a, b, c)
    body = a.body(said.ref)
    assert (body.answer, body.unit or "", body.reason or "") == (given, more.get("unit", ""), more.get("reason", ""))


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (AnswerGiven.RELAYED, {}),
        (AnswerGiven.OBJECT, {}),
        (AnswerGiven.READ_BACK, {}),
        (AnswerGiven.SEEN, {"unit": "patrol 4"}),
    ],
)
def test_an_answer_has_what_belongs_to_it_and_nothing_else(three, filed, given, more):
    _, b, _ = three
    with pytest.raises(InputError):
        b.answering.answer(filed, given, by=OFFICER, **more)


def test_only_those_addressed_answer_and_not_the_author(three, filed):
    a, b, c = three
    with pytest.raises(InputError, match="your own"):
        a.answering.answer(filed, AnswerGiven.SEEN, by=OFFICER)
    with pytest.raises(InputError, match="not said to you"):
        c.answering.answer(filed, AnswerGiven.SEEN, by=OFFICER)
    with pytest.raises(NotAllowedError):
        b.answering.answer(filed, AnswerGiven.SEEN, by=READER)
    said = b.answering.answer(filed, AnswerGiven.SEEN, by=OFFICER)
    share(a, b, c)
    with pytest.raises(InputError, match="not answered"):
        a.answering.answer(said.ref, AnswerGiven.SEEN, by=OFFICER)


def test_what_was_amended_is_answered_in_its_new_form(three, filed):
    a, b, c = three
    newer = a.filing.amend(filed, asked(patrol(lat=37.2)), by=OFFICER)
    share(a, b, c)
    with pytest.raises(StaleError, match=f"A:north:{newer.ref.index}"):
        b.answering.answer(filed, AnswerGiven.SEEN, by=OFFICER)
    b.answering.answer(newer.ref, AnswerGiven.SEEN, by=OFFICER)


def test_all_who_had_a_flash_are_told_that_it_was_answered(three):
    a, b, c = three
    flash = a.talking.say(LINE, by=OFFICER, priority=Priority.FLASH)
    share(a, b, c)
    said = b.answering.answer(flash.ref, AnswerGiven.CONCUR, by=OFFICER)
    share(a, b, c)
    assert c.body(said.ref).answer is AnswerGiven.CONCUR
    a.stopped["B"] = b.stopped["A"] = "its log has forked"
    again = b.answering.answer(flash.ref, AnswerGiven.UNABLE, by=OFFICER)
    assert "A" in b.records.entry(again.ref).leaf.recipients


def test_a_reason_that_a_guard_refuses_is_not_said(three, filed):
    _, b, _ = three
    with pytest.raises(RefusedError):
        b.answering.answer(filed, AnswerGiven.OBJECT, by=OFFICER, reason=ORDER)


def test_an_answer_in_an_exercise_is_one_of_it(three):
    a, b, c = three
    filed = a.filing.file(asked(patrol(), exercise=True), by=OFFICER)
    share(a, b, c)
    said = b.answering.answer(filed.ref, AnswerGiven.SEEN, by=OFFICER)
    assert b.records.entry(said.ref).leaf.exercise


def test_a_risk_is_accepted_by_each_for_itself(three, filed):
    a, b, c = three
    theirs = b.filing.file(asked(patrol("B", id="convoy"), recipients=("A",)), by=OFFICER)
    body = AdvisoryBody(
        about=[EntryRefValue.of(filed), EntryRefValue.of(theirs.ref)], answer="conflict", sentence="They cross."
    )
    (advisory,) = b.records.say(LINE, [Outgoing(body, ("A",))])
    share(a, b, c)
    with pytest.raises(InputError):
        c.answering.accept_risk(advisory, "we watch", by=OFFICER)
    said = a.answering.accept_risk(advisory, "one controller has both", by=OFFICER)
    b.answering.accept_risk(advisory, "agreed by voice", by=OFFICER)
    share(a, b, c)
    assert b.body(said.ref).reason == "one controller has both"
    (advised,) = [one for one in a.projector.thread(filed).advised if one.ref == advisory]
    assert advised.accepted_by == ("A", "B")
    with pytest.raises(NotFoundError):
        a.answering.accept_risk(filed, "x", by=OFFICER)
    with pytest.raises(RefusedError):
        a.answering.accept_risk(advisory, ORDER, by=OFFICER)
    assert CALM not in str(advised)
