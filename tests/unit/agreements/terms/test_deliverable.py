import pytest

from keepclear.errors import InputError
from tests.unit.agreements.terms.made_terms import DAY, HASH, HOUR, T0, given, heard, record, results, term, value

SAMPLE = {"what": "the list of posts", "due": "2019-11-01T09:00:00Z", "parties": ["ru"]}


def deliverable(**more):
    return term("DELIVERABLE", **(SAMPLE | more))


def gave(counts_from_s, answers=(), party="ru", **more):
    members = {"agreement": "sochi", "document": HASH, "term": "T1", "what": "the list"} | more
    return heard("deliverable", party, counts_from_s, answers, **members)


@pytest.mark.parametrize(
    ("entries", "at_s", "result"),
    [
        ([], T0 - 1, "not yet"),
        ([], T0 + 1, "breached"),
        ([gave(T0 - HOUR)], T0 + 1, "met"),
        ([gave(T0 + HOUR)], T0 + DAY, "breached"),
        ([gave(T0 - HOUR, party="tr")], T0 + 1, "breached"),
        ([gave(T0 - HOUR, term="T2")], T0 + 1, "breached"),
        ([gave(T0 - HOUR, agreement="other")], T0 + 1, "breached"),
        ([gave(T0 - HOUR, [given("tr", "object", T0)])], T0 + 1, "possible"),
        ([gave(T0 - HOUR, [given("tr", "object", T0), given("tr", "seen", T0 + 0.5)])], T0 + 1, "possible"),
        ([gave(T0 - HOUR, [given("tr", "object", T0), given("tr", "concur", T0 + 0.5)])], T0 + 1, "met"),
    ],
)
def test_once(entries, at_s, result):
    assert results(deliverable(), view=record(*entries), at_s=at_s) == [result]


def test_what_was_taken_back_was_not_given():
    entry = gave(T0 - HOUR)
    back = heard("cancel", "ru", T0 - HOUR / 2, entry=value(entry.ref))
    assert results(deliverable(), view=record(entry, back), at_s=T0 + 1) == ["breached"]
    others = heard("cancel", "tr", T0 - HOUR / 2, entry=value(entry.ref))
    assert results(deliverable(), view=record(entry, others), at_s=T0 + 1) == ["met"]


def test_again_and_again_each_for_its_own_time():
    weekly = deliverable(every="7 d")
    entries = [gave(T0 - HOUR), gave(T0 + 13 * DAY), gave(T0 + 15 * DAY, for_s=T0 + 7 * DAY)]
    found = results(weekly, view=record(*entries), at_s=T0 + 20 * DAY)
    assert found == ["met", "breached", "met", "not yet"]


def test_months_are_those_of_the_calendar():
    monthly = deliverable(due="2020-01-31T00:00:00Z", every="1 month")
    dues = [one.due_s for one in monthly.evaluate((), (), record(), T0 + 160 * DAY)]
    from keepclear.times import to_text

    assert [to_text(one)[:10] for one in dues] == ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]


def test_a_thousand_due_dates_are_not_cut_short_silently():
    hourly = deliverable(every="1 h")
    found = hourly.evaluate((), (), record(), T0 + 3000 * HOUR)
    assert len(found) == 2001
    assert "1002 earlier due dates" in found[0].sentence


@pytest.mark.parametrize("every", ["1 s", "7", "0 months"])
def test_bad_periods(every):
    with pytest.raises(InputError):
        deliverable(every=every)
