import pytest

from keepclear.line.deadlines import MessageClass, Owed
from keepclear.line.operation_states import OperationState
from keepclear.node.answering import ReadBackTyped
from keepclear.node.refusals import NotFoundError
from keepclear.record.bodies.talk import AnswerGiven, Priority
from keepclear.times import to_text
from tests.unit.node.officers_made import LINE, NOON_S, OFFICER, READER, START_S, asked, patrol, share, together


@pytest.fixture
def two(tmp_path):
    with together(tmp_path, "A", "B") as made:
        yield made


def test_a_flash_without_a_word_is_shown_as_that_and_no_other_message_is(two):
    a, b = two
    a.talking.say(LINE, by=OFFICER, priority=Priority.FLASH)
    a.talking.say(LINE, "FLASH", by=OFFICER, priority=Priority.IMMEDIATE)
    share(a, b)
    flash, immediate = b.inbox.items(by=READER).to_answer
    assert (flash.summary, immediate.summary) == ("FLASH, without a word", "IMMEDIATE: FLASH")


def test_what_came_is_to_be_answered_by_when_and_flash_comes_first(two):
    a, b = two
    filed = a.filing.file(asked(patrol(name="night patrol")), by=OFFICER)
    late = a.filing.file(asked(patrol(id="p2", start_s=START_S + 6000.0)), by=OFFICER)
    flash = a.talking.say(LINE, "we are being hit at the bridge", by=OFFICER, priority=Priority.FLASH)
    share(a, b)
    view = b.inbox.items(by=READER)
    assert [one.ref for one in view.to_answer] == [flash.ref, late.ref, filed.ref]
    assert [one.message_class for one in view.to_answer] == [
        MessageClass.FLASH, MessageClass.IMMEDIATE, MessageClass.ROUTINE,
    ]  # fmt: skip
    assert view.to_answer[0].summary == "FLASH: we are being hit at the bridge"
    assert view.to_answer[2].summary == "patrol night patrol"
    assert {one.owed for one in view.to_answer[2].owed} == {Owed.SEEN, Owed.READ_BACK}
    assert view.to_answer[1].due_s == pytest.approx(view.to_answer[1].kept_s + 300.0, abs=1.0)
    assert not any(one.overdue for one in view.to_answer)
    assert view.own == ()


def test_what_is_overdue_says_so_and_what_was_answered_goes(two):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    message = a.talking.say(LINE, "where are you", by=OFFICER, priority=Priority.SHORT)
    share(a, b)
    b.answering.answer(message.ref, AnswerGiven.SEEN, by=OFFICER)
    share(a, b)
    (left,) = b.inbox.items(LINE, by=READER).to_answer
    assert left.ref == filed.ref
    later = b.inbox.items(LINE, by=READER, at_s=START_S + 13 * 3600.0).to_answer
    assert [one.overdue for one in later] == [True]
    b.answering.answer(
        filed.ref, AnswerGiven.READ_BACK, by=OFFICER,
        read_back=ReadBackTyped("37.06000N 40.65000E", to_text(NOON_S), "WGS84"),
    )  # fmt: skip
    share(a, b)
    assert b.inbox.items(LINE, by=READER).to_answer == ()


def test_a_read_back_that_does_not_agree_blocks_on_both_sides(two):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    typed = ReadBackTyped("37.14000N 40.65000E", to_text(NOON_S), "WGS84")
    b.answering.answer(filed.ref, AnswerGiven.READ_BACK, by=OFFICER, read_back=typed, insist=True)
    share(a, b)
    (item,) = b.inbox.items(LINE, by=READER).to_answer
    assert "8.9 km north" in item.blocked
    (own,) = a.inbox.items(LINE, by=READER).own
    assert own.standings[0].blocked is not None


def test_own_filings_are_shown_echelon_by_echelon_and_never_as_approved(two):
    a, b = two
    b.filing.file(asked(patrol("B", id="far-away", lon=45.0)), by=OFFICER)  # something to compare with
    share(a, b)
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    (own,) = a.inbox.items(by=READER).own
    assert "not known to have it" in own.sentences[0]
    share(a, b)
    for given, more in (
        (AnswerGiven.SEEN, {}), (AnswerGiven.RELAYED, {"unit": "patrol 4"}), (AnswerGiven.CONCUR, {}),
    ):  # fmt: skip
        b.answering.answer(filed.ref, given, by=OFFICER, **more)
    share(a, b)
    view = a.inbox.items(by=READER)
    (own,) = view.own
    assert (own.id, own.state) == ("patrol-1", OperationState.NO_CONFLICT_FOUND)
    assert "relayed to patrol 4" in own.sentences[0]
    assert "approv" not in str(view).lower()
    assert "permit" not in str(view).lower()
    overdue = a.inbox.items(by=READER, at_s=NOON_S - 3600.0).own[0].overdue
    assert {one.owed for one in overdue} == {Owed.READ_BACK}


def test_there_is_more_than_is_shown_and_it_says_so(two):
    a, _ = two
    for number in range(3):
        a.filing.file(asked(patrol(id=f"p{number}", lat=30.0 + number)), by=OFFICER)
    view = a.inbox.items(by=READER, most_own=2)
    assert (len(view.own), view.more) == (2, True)
    assert not a.inbox.items(by=READER, most_own=3).more
    with pytest.raises(NotFoundError):
        a.inbox.items("south", by=READER)


def test_what_a_guard_flagged_is_marked(two):
    a, b = two
    text = "Strike the house at 36.3705N 37.5157E at noon."
    flash = a.talking.say(LINE, text, by=OFFICER, priority=Priority.FLASH)
    share(a, b)
    assert b.guards.keeps(flash.ref.origin, flash.ref.index, b.records.entry(flash.ref))  # as the body came in
    b.guards.flush()
    (item,) = b.inbox.items(by=READER).to_answer
    assert "flagged" in item.flagged
