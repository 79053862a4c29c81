import pytest

from keepclear.errors import InputError
from keepclear.times import parse_time
from tests.unit.agreements.terms.made_terms import HASH, area, filed, flown, given, heard, only, record, results, term

SAMPLE = {
    "force": "militia",
    "line": "map.geojson#border",
    "side": "south",
    "distance": "30 km",
    "start": "2019-10-23T12:00:00+03:00",
    "duration": "150 h",
    "parties": ["ru"],
}
DEADLINE = parse_time("2019-10-29T15:00:00Z")
HOUR = 3600.0


def withdraw(**more):
    return term("WITHDRAW", **(SAMPLE | more))


def done(counts_from_s, answers=(), **more):
    return heard(
        "deliverable", "ru", counts_from_s, answers, agreement="sochi", document=HASH, term="T1", what="done", **more
    )


def test_the_deadline_is_computed_in_utc_whatever_clocks_do_meanwhile():
    assert withdraw().deadline_s == DEADLINE
    finding = only(withdraw(), at_s=DEADLINE - HOUR)
    assert (finding.result, finding.due_s, finding.party) == ("not yet", DEADLINE, "ru")
    assert "2019-10-29 15:00:00Z" in finding.sentence


@pytest.mark.parametrize(
    ("entries", "result"),
    [
        ([], "no data"),
        ([done(DEADLINE - HOUR)], "possible"),
        ([done(DEADLINE - HOUR, [given("tr", "concur", DEADLINE)])], "met"),
        ([done(DEADLINE - HOUR, [given("tr", "object", DEADLINE)])], "possible"),
        ([done(DEADLINE + HOUR)], "breached"),
        ([done(DEADLINE + HOUR, done_s=DEADLINE - HOUR)], "possible"),
        ([done(DEADLINE - HOUR, done_s=DEADLINE + HOUR, answers=[given("tr", "concur", DEADLINE)])], "breached"),
    ],
)
def test_what_a_party_says_alone_is_only_its_word(entries, result):
    finding = only(withdraw(), view=record(*entries))
    assert finding.result == result
    if entries and entries[0].answers and result == "possible":
        assert finding.disputed_by == ("tr",)


def militia(lat, start_s):
    return filed(area("ru", lon=41.0, lat=lat, start_s=start_s), on_behalf_of="militia")


def test_the_force_in_the_strip_after_the_deadline_is_a_breach():
    late, early = DEADLINE + 24 * HOUR, DEADLINE - 24 * HOUR
    assert results(withdraw(), [militia(37.0, late)]) == ["no data", "breached"]
    assert results(withdraw(), [militia(36.7, late)]) == ["no data", "met"]
    assert results(withdraw(), [militia(37.0, early)]) == ["no data"]
    # The patrols of the party itself are not the force that withdraws.
    assert results(withdraw(), [filed(area("ru", lon=41.0, lat=37.0, start_s=late))]) == ["no data"]
    assert results(withdraw(force="all"), [filed(area("ru", lon=41.0, lat=37.0, start_s=late))]) == [
        "no data",
        "breached",
    ]


def test_its_units_are_judged_by_their_tracks():
    positions = [(41.0, 37.0), (41.0, 36.98)]
    assert (
        results(withdraw(), tracks=[flown("militia", positions=positions, start_s=DEADLINE + HOUR)])[-1] == "breached"
    )
    assert results(withdraw(), tracks=[flown("militia", positions=positions, start_s=DEADLINE - 9 * HOUR)]) == [
        "no data"
    ]
    out = [(41.0, 37.0), (41.0, 36.7)]
    assert results(withdraw(), tracks=[flown("militia", positions=out, start_s=DEADLINE - 4 * HOUR)])[-1] == "met"


@pytest.mark.parametrize(("member", "given_"), [("distance", "0 m"), ("side", "west"), ("duration", "150")])
def test_bad_parameters(member, given_):
    with pytest.raises(InputError):
        withdraw(**{member: given_})
