import pytest

from tests.unit.agreements.terms.made_terms import HOUR, T0, filed, given, heard, only, patrol, record, results, term

SAMPLE = {"deadline": "12 h", "answers": ["seen", "read back"]}


def ack(**more):
    return term("ACK", **(SAMPLE | more))


COUNTS = T0 - 48 * HOUR


@pytest.mark.parametrize(
    ("answers", "at_s", "result"),
    [
        ([("tr", "seen", COUNTS + 11 * HOUR)], T0, "met"),
        ([("tr", "seen", COUNTS + 13 * HOUR)], T0, "breached"),
        ([("tr", "object", COUNTS + HOUR)], T0, "breached"),
        ([("ru", "seen", COUNTS + HOUR)], T0, "breached"),
        ([], T0, "breached"),
        ([], COUNTS + HOUR, "not yet"),
        ([("tr", "seen", COUNTS + 11 * HOUR)], COUNTS + HOUR, "not yet"),
        ([("tr", "object", COUNTS + HOUR), ("tr", "read back", COUNTS + 2 * HOUR)], T0, "met"),
    ],
)
def test_filings_are_answered_in_time(answers, at_s, result):
    plan = filed(patrol(), answers=tuple(given(*one) for one in answers))
    finding = only(ack(), [plan], at_s=at_s)
    assert (finding.result, finding.party, finding.due_s) == (result, "tr", COUNTS + 12 * HOUR)


def test_only_those_it_was_addressed_to_owe_an_answer():
    assert results(ack(), [filed(patrol(), recipients=frozenset({"us"}))]) == []
    assert results(ack(parties=["ru"]), [filed(patrol())]) == []
    assert results(ack(), [filed(patrol(), said=False)]) == []


def test_it_is_due_before_the_start_where_that_is_earlier_and_ahead():
    assert only(ack(deadline="47 h", before_start="24 h"), [filed(patrol())]).due_s == T0 - 24 * HOUR
    assert only(ack(before_start="60 h"), [filed(patrol())]).due_s == COUNTS + 12 * HOUR


def test_the_priority_of_a_filing_is_that_of_its_lead():
    routine, short, immediate = (filed(patrol(), lead_s=lead * HOUR) for lead in (49, 20, 1))
    assert len(results(ack(priority=["short"]), [routine, short, immediate])) == 1
    assert len(results(ack(priority=["immediate", "routine"]), [routine, short, immediate])) == 2


def test_what_was_superseded_before_an_answer_was_due_needs_none():
    assert results(ack(), [filed(patrol(), superseded_s=COUNTS + HOUR)]) == []
    assert results(ack(), [filed(patrol(), superseded_s=COUNTS + 20 * HOUR)]) == ["breached"]


def test_messages_are_answered_too():
    flash = ack(priority=["flash"], deadline="60 s", answers=["seen"], escalation=["general staff"])
    said = heard("message", "ru", T0, text="we are being hit", priority="flash")
    finding = only(flash, view=record(said))
    assert (finding.result, finding.party) == ("breached", "tr")
    assert "it goes on to general staff" in finding.sentence
    answered = heard("message", "ru", T0, [given("tr", "seen", T0 + 50)], text="help", priority="flash")
    assert results(flash, view=record(answered)) == ["met"]
    assert results(flash, view=record(heard("message", "ru", T0, text="good morning"))) == []
    three = term("ACK", of=("ru", "tr", "us"), deadline="60 s")
    assert results(three, view=record(said)) == ["possible"]
