import pytest

from keepclear.errors import InputError
from tests.unit.agreements.terms.made_terms import T0, given, heard, only, record, results, term

SAMPLE = {"steps": ["radio call", "second call", "warning shot"]}


def ladder(**more):
    return term("WARNING_LADDER", **(SAMPLE | more))


def report(*acts, answers=()):
    return heard("incident", "ru", T0, answers, id="I1", stage="first", detected_s=T0, acts=list(acts))


@pytest.mark.parametrize(
    ("acts", "answers", "result", "words"),
    [
        (["a radio call", "second call"], [], "possible", "one side's report"),
        (["a radio call", "second call"], [given("tr", "concur", T0 + 1)], "met", "in order"),
        (["a radio call", "warning shot"], [given("tr", "concur", T0 + 1)], "possible", "without second call"),
        (["second call", "radio call"], [given("tr", "concur", T0 + 1)], "possible", "in another order"),
    ],
)
def test_steps_are_taken_in_order(acts, answers, result, words):
    finding = only(ladder(), view=record(report(*acts, answers=answers)))
    assert finding.result == result
    assert words in finding.sentence


def test_without_a_report_there_is_no_data():
    assert results(ladder()) == ["no data"]
    assert results(ladder(), view=record(report("jamming"))) == ["no data"]


def test_steps_can_be_told_apart():
    with pytest.raises(InputError, match="told apart"):
        ladder(steps=["call", "second call"])
