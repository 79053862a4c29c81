from keepclear.times import parse_time
from tests.unit.agreements.terms.made_terms import DAY, HASH, heard, record, results, term

SAMPLE = {"period": "6 months", "start": "2019-10-22T00:00:00Z"}


def test_each_party_takes_part_in_each_review():
    review = term("REVIEW", **SAMPLE)
    due = parse_time("2020-04-22T00:00:00Z")
    gave = heard("deliverable", "ru", due - DAY, agreement="sochi", document=HASH, term="T1", what="review")
    assert results(review, view=record(gave), at_s=due + DAY) == ["met", "not yet", "breached", "not yet"]
    assert results(review, view=record(gave), at_s=due - 30 * DAY) == ["not yet", "not yet"]


def test_without_a_beginning_nothing_can_be_checked():
    assert results(term("REVIEW", period="1 year")) == ["no data"]
