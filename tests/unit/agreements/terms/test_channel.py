from tests.unit.agreements.terms.made_terms import DAY, HOUR, PARTIES, heard, only, record, results, term, value

SAMPLE = {"primary": "the line", "tests_per_day": 2}
MIDNIGHT = 18_000 * DAY


def channel(**more):
    return term("CHANNEL", **(SAMPLE | more))


def line_tests(day, number, *, text="abc", returned="abc"):
    found = []
    for one in range(number):
        at_s = MIDNIGHT + day * DAY + (one + 1) * 6 * HOUR
        begun = heard("line-test", "ru", at_s, text=text)
        found += [begun, heard("line-test", "tr", at_s + 60.0, text=returned, returns=value(begun.ref))]
    return found


def test_two_tests_given_back_on_each_day():
    good = [entry for day in range(3) for entry in line_tests(day, 2)]
    from_ = {"from": "2019-04-14T00:00:00Z"}
    assert channel(**from_).from_s == MIDNIGHT
    assert results(channel(**from_), view=record(*good), at_s=MIDNIGHT + 3 * DAY) == ["met"]
    assert results(channel(**from_), view=record(*good), at_s=MIDNIGHT + HOUR * 30) == ["met"]
    finding = only(channel(**from_), view=record(*good), at_s=MIDNIGHT + 5 * DAY)
    assert finding.result == "breached"
    assert "fewer on 2 of 5 days: 2019-04-17 (0), 2019-04-18 (0)" in finding.sentence
    assert results(channel(**from_), view=record(*good[:2]), at_s=MIDNIGHT + 7 * HOUR) == ["not yet"]
    broken = [entry for day in range(3) for entry in line_tests(day, 2, returned="ab?")]
    assert results(channel(**from_), view=record(*broken), at_s=MIDNIGHT + 3 * DAY) == ["breached"]
    assert results(channel(**from_)) == ["no data"]


def test_an_echo_of_ones_own_is_no_test_and_one_given_back_twice_is_one():
    limit = channel(**{"from": "2019-04-14T00:00:00Z"})
    begun = [heard("line-test", "ru", MIDNIGHT + (n + 1) * HOUR, text="abc") for n in range(2)]
    own = [heard("line-test", "ru", MIDNIGHT + 5 * HOUR, text="abc", returns=value(one.ref)) for one in begun]
    assert results(limit, view=record(*begun, *own), at_s=MIDNIGHT + DAY) == ["breached"]
    twice = [heard("line-test", "tr", MIDNIGHT + 5 * HOUR, text="abc", returns=value(begun[0].ref)) for _ in range(2)]
    assert results(limit, view=record(*begun, *twice), at_s=MIDNIGHT + DAY) == ["breached"]


def test_outages_as_seen_here():
    kept = {"tr": [(MIDNIGHT, MIDNIGHT + HOUR, "up"), (MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR, "down")]}
    outage = term("CHANNEL", max_outage="1 h")
    assert results(outage, view=record(channel=kept), at_s=MIDNIGHT + DAY) == ["breached"]
    assert results(outage, view=record(channel=kept), at_s=MIDNIGHT + 1.5 * HOUR) == ["met"]
    assert results(outage) == ["no data"]


def test_languages():
    agreed = term("CHANNEL", languages=["ru", "tr"])
    said = [heard("message", "ru", MIDNIGHT, text="x", language=one) for one in ("ru", "ru-RU", "en")]
    findings = agreed.evaluate((), (), record(*said), MIDNIGHT + 1)
    assert [(str(one.result), one.party) for one in findings] == [("breached", "ru")]


def test_frequencies_alone_cannot_be_checked():
    assert results(term("CHANNEL", primary="radio", frequencies=["243.0 MHz"])) == ["no data"]
    assert PARTIES == ("ru", "tr")
