import pytest

from keepclear.errors import InputError
from keepclear.model.kinds import OperationKind
from keepclear.times import parse_time
from tests.unit.agreements.terms.made_terms import (
    PATROL,
    T0,
    area,
    filed,
    flown,
    heard,
    only,
    patrol,
    record,
    results,
    term,
    value,
)

SAMPLE = {"line": "map.geojson#border", "side": "south", "max": "10 km", "kinds": ["patrol"]}


def band(**more):
    return term("DEPTH_BAND", **(SAMPLE | more))


def at_12_km(**more):
    return patrol(positions=[*PATROL[:3], (40.25, 36.80), *PATROL[4:]], **more)


def test_the_patrol_of_the_scenario_is_within_and_a_waypoint_at_12_km_is_not():
    assert results(band(), [filed(patrol())]) == ["met"]
    finding = only(band(), [filed(at_12_km())])
    assert finding.result == "breached"
    assert "2,180 m outside 0 m to 10 km from map.geojson#border" in finding.sentence
    assert "36.8000N 40.2500E" in finding.sentence
    assert finding.from_s is not None
    assert T0 < finding.from_s < finding.to_s < T0 + 4 * 3600


def test_before_it_is_filed_the_same_is_told():
    (finding,) = band().warnings_for(filed(at_12_km(), said=False), record(), T0 - 86_400)
    assert (finding.result, finding.about, finding.clause) == ("breached", None, "c5")


def test_a_track_is_judged_as_it_was_flown():
    assert results(band(), tracks=[flown()]) == ["met"]
    assert results(band(), tracks=[flown(positions=[*PATROL[:3], (40.25, 36.80), *PATROL[4:]])]) == ["breached"]
    assert results(band(), tracks=[flown(uncertainty_m=6000.0)]) == ["possible"]
    assert results(band(), tracks=[flown(gap_s=10.0, every_s=600.0)]) == ["possible"]
    assert results(band(), tracks=[flown(party="us")]) == []


def test_where_the_exception_lies_the_term_says_nothing():
    plan = filed(area(lon=41.22, lat=37.05, radius_m=100.0))
    shallow = band(max="1 km")
    assert results(shallow, [plan]) == ["breached"]
    assert results(band(max="1 km", **{"except": ["map.geojson#qamishli"]}), [plan]) == ["met"]
    half = filed(area(lon=41.22, lat=37.0, radius_m=3000.0))
    assert results(band(max="1 km", **{"except": ["map.geojson#qamishli"]}), [half]) == ["breached"]


def test_the_kinds_and_parties_that_it_does_not_bind_have_no_finding():
    assert results(band(), [filed(patrol(kind=OperationKind.CONVOY))]) == []
    assert results(band(parties=["tr"]), [filed(at_12_km())]) == []
    unknown = only(band(), [filed(at_12_km(kind=None))])
    assert unknown.result == "possible"
    assert "its kind is not known" in unknown.sentence


def test_a_filing_without_a_place_is_possible_and_says_why():
    from dataclasses import replace

    blind = replace(filed(patrol()), plan=None, problem="no geometry")
    finding = only(band(kinds=["patrol"]), [blind])
    assert finding.result == "possible"
    assert "no geometry" in finding.sentence


def test_a_rough_filing_is_only_possible():
    from dataclasses import replace

    assert results(band(), [replace(filed(at_12_km()), is_rough=True)]) == ["possible"]
    assert results(band(), [replace(filed(patrol()), is_rough=True)]) == ["met"]


def test_what_is_over_before_the_term_binds_is_not_yet_and_what_begins_after_it_is_nothing():
    assert results(band(**{"from": "2019-11-02T00:00:00Z"}), [filed(at_12_km())]) == ["not yet"]
    assert results(band(until="2019-11-01T08:00:00Z"), [filed(at_12_km())]) == []
    # It binds from 12:00, when the patrol is back within the band.
    assert results(band(**{"from": "2019-11-01T12:00:00Z"}), [filed(at_12_km())]) == ["met"]


def test_superseded_and_cancelled_before_they_begin_they_are_not_judged():
    from dataclasses import replace

    plan = filed(at_12_km())
    assert results(band(), [replace(plan, superseded_s=T0 - 60.0)]) == []
    assert results(band(), [replace(plan, cancelled_s=T0 - 60.0)]) == []
    assert results(band(), [replace(plan, cancelled_s=T0 + 60.0)]) == ["breached"]
    assert results(band(), [replace(plan, exercise=True)]) == []
    assert results(band(), [plan], at_s=plan.counts_from_s - 1.0) == []


def notice(counts_from_s, **more):
    members = {
        "agreement": "sochi",
        "document": "ab" * 32,
        "term": "T1",
        "activity": "medevac",
        "filings": [],
        "from_s": T0,
        "to_s": T0 + 4 * 3600,
    }
    return heard("exemption-notice", "ru", counts_from_s, **(members | more))


@pytest.mark.parametrize(
    ("entry", "result", "words"),
    [
        (None, "breached", "needs notice of 1 h, and there is none"),
        (notice(T0 - 7200.0), "met", "its notice counted 2 h before"),
        (notice(T0 - 1200.0), "breached", "only 20 min before"),
        (notice(T0 + 600.0), "breached", "10 min after the beginning"),
        (notice(T0 - 7200.0, agreement="other"), "breached", "there is none"),
        (notice(T0 - 7200.0, term="T9"), "breached", "there is none"),
        (notice(T0 - 7200.0, to_s=T0 + 60.0), "breached", "there is none"),
        (notice(T0 - 7200.0, filings=[value(filed(patrol()).ref)]), "breached", "there is none"),
    ],
)
def test_an_exemption_needs_its_notice(entry, result, words):
    limits = band(kinds=["patrol", "medevac"], exemptions=[{"activity": "medevac", "notice": "1 h"}])
    plan = filed(at_12_km(kind=OperationKind.MEDEVAC))
    finding = only(limits, [plan], view=record(*([entry] if entry else [])))
    assert finding.result == result
    assert words in finding.sentence
    # What is not the exempt kind is not exempt by any notice.
    assert results(limits, [filed(at_12_km())], view=record(*([entry] if entry else []))) == ["breached"]


def test_a_term_from_a_time_and_a_duration_begins_in_utc():
    # 150 hours from 2019-10-23T09:00Z; clocks in Syria went back in between.
    limits = band(**{"from": "2019-10-23T09:00Z + 150 h"})
    assert limits.from_s == parse_time("2019-10-29T15:00:00Z")


@pytest.mark.parametrize(
    ("member", "given", "words"),
    [
        ("max", "10", "a number without a unit"),
        ("max", 10, "a number without a unit"),
        ("max", "10 kmh", "is a speed"),
        ("max", "0 km", "min is not below max"),
        ("max", "10 miles", "no unit of a length"),
        ("side", "east", "the line itself runs towards the east"),
        ("side", "up", "not one of the choices"),
        ("line", "map.geojson#nowhere", "not in the annex"),
        ("line", "other.geojson#border", "not in the annexes"),
        ("line", "map.geojson#west", "not a line"),
        ("line", "map.geojson#crossed", "crosses or touches itself"),
        ("except", [], "an empty list"),
        ("except", ["map.geojson#bow tie"], "crosses"),
        ("kinds", ["stroll"], "unknown kind"),
        ("classes", [], "an empty list"),
        ("from", "2019-02-30T09:00Z", "no such time"),
        ("from", "2019-02-03T09:00", "no zone"),
        ("width", "3 km", "no such member"),
        ("parties", ["ru", "mars"], "not a party of the agreement"),
    ],
)
def test_what_is_wrong_is_told_with_the_term_the_member_and_the_value(member, given, words):
    with pytest.raises(InputError) as raised:
        band(**{member: given})
    faults = [one for one in raised.value.faults if words in one.problem]
    assert faults, raised.value
    assert all(one.feature == "T1" and one.field.startswith(member) for one in faults), faults


def test_a_filing_for_somebody_of_whom_nothing_is_known_does_not_escape():
    finding = only(band(), [filed(at_12_km(), on_behalf_of="militia")])
    assert finding.result == "possible"
    assert "nobody has said whether militia is bound" in finding.sentence
    assert results(band(affiliates=["militia"]), [filed(at_12_km(), on_behalf_of="militia")]) == ["breached"]
