from tests.unit.agreements.terms.made_terms import T0, given, heard, only, record, results, term, value

SAMPLE = {"acts": ["lasing", "jamming"]}


def prohibit(**more):
    return term("PROHIBIT_ACT", **(SAMPLE | more))


def report(*acts, party="ru", answers=(), **more):
    members = {"id": "I1", "stage": "first", "detected_s": T0, "acts": list(acts), "parties": ["ru", "tr"]}
    return heard("incident", party, T0 + 60.0, answers, **(members | more))


def test_nothing_reported_shows_nothing():
    assert results(prohibit()) == ["no data"]
    assert results(prohibit(), view=record(report("close pass"))) == ["no data"]


def test_one_sides_report_is_possible_and_both_sides_make_it_a_breach():
    finding = only(prohibit(), view=record(report("Lasing of a cockpit")))
    assert (finding.result, finding.party) == ("possible", "tr")
    conceded = report("lasing", answers=[given("tr", "concur", T0 + 90.0)])
    assert only(prohibit(), view=record(conceded)).result == "breached"
    disputed = report("lasing", answers=[given("tr", "object", T0 + 90.0)])
    finding = only(prohibit(), view=record(disputed))
    assert (finding.result, finding.disputed_by) == ("possible", ("tr",))


def test_a_reply_disputes_and_a_later_report_takes_the_place_of_an_earlier():
    first = report("lasing")
    reply = report(party="tr", stage="reply", about=value(first.ref))
    assert only(prohibit(), view=record(first, reply)).disputed_by == ("tr",)
    full = report(stage="full", follows=value(first.ref))
    assert results(prohibit(), view=record(first, full)) == ["no data"]


def test_of_whom_it_is_said_is_not_guessed():
    third = report("lasing", parties=["nobody known"])
    assert only(prohibit(), view=record(third)).party == ""
