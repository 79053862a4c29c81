from dataclasses import replace

import pytest

from keepclear.errors import InputError
from keepclear.model.kinds import OperationKind
from tests.unit.agreements.terms.made_terms import (
    HOUR,
    T0,
    area,
    filed,
    flown,
    only,
    patrol,
    record,
    results,
    term,
)

SAMPLE = {"lead": "24 h"}


def notify(**more):
    return term("NOTIFY", **(SAMPLE | more))


@pytest.mark.parametrize(("lead", "result"), [(26, "met"), (24, "met"), (23.99, "breached"), (-1, "breached")])
def test_what_counts_is_from_when_somebody_else_had_it(lead, result):
    finding = only(notify(), [filed(patrol(), lead_s=lead * HOUR)])
    assert finding.result == result
    assert finding.due_s == T0 - 24 * HOUR
    assert "24 h before it begins is asked" in finding.sentence


def test_what_nobody_is_known_to_have_had_is_never_met_and_never_breached():
    plan = replace(filed(patrol()), counts_from_s=None)
    assert results(notify(), [plan], at_s=T0 - 30 * HOUR) == ["not yet"]
    assert results(notify(), [plan], at_s=T0) == ["possible"]
    assert results(notify(), [replace(plan, said_s=T0 - 1000 * HOUR)], at_s=T0) == ["possible"]


def test_a_filing_that_does_not_say_when_it_begins_is_possible():
    plan = replace(filed(patrol()), start_s=None, plan=None, problem="no time")
    assert only(notify(), [plan]).result == "possible"


def test_before_it_is_filed_it_would_count_now():
    (finding,) = notify().warnings_for(filed(patrol(), said=False), record(), T0 - 23 * HOUR)
    assert finding.result == "breached"
    (finding,) = notify().warnings_for(filed(patrol(), said=False), record(), T0 - 25 * HOUR)
    assert finding.result == "met"
    assert "would be told 25 h before" in finding.sentence


def test_emergencies_have_a_lead_of_their_own():
    late = filed(patrol(kind=OperationKind.MEDEVAC), lead_s=2 * HOUR)
    assert results(notify(), [late]) == ["breached"]
    assert results(notify(emergency_lead="1 h"), [late]) == ["met"]
    assert results(notify(emergency_lead="1 h"), [filed(patrol(), lead_s=2 * HOUR)]) == ["breached"]


def test_too_early_is_told_too():
    assert results(notify(max_lead="90 d"), [filed(patrol(), lead_s=100 * 24 * HOUR)]) == ["breached"]


def test_what_it_has_to_say_at_least():
    asks = notify(minimum_fields=["place", "start", "platforms", "platform class"])
    assert "does not say platforms, platform class" in only(asks, [filed(patrol())]).sentence
    assert results(asks, [filed(patrol(platforms=[(5, "truck")]))]) == ["met"]
    blind = replace(filed(patrol()), plan=None, problem="no geometry")
    finding = only(asks, [blind])
    assert finding.result == "breached"
    assert "does not say place" in finding.sentence


def test_only_what_may_be_in_the_area_has_to_be_told():
    near = notify(trigger_area="map.geojson#west")
    assert results(near, [filed(area(lon=41.0), lead_s=HOUR)]) == []
    assert results(near, [filed(area(lon=40.0, lat=36.9), lead_s=HOUR)]) == ["breached"]
    blurred = filed(area(lon=40.3, lat=36.9, uncertainty_m=40_000.0), lead_s=HOUR)
    assert results(near, [blurred]) == ["breached"]


def test_a_track_without_a_filing_was_not_told():
    plan = filed(patrol())
    assert results(notify(), [plan], [flown(operation=plan.ref)]) == ["met"]
    assert results(notify(), [], [flown()]) == ["breached"]
    assert results(notify(), [plan], [flown()]) == ["met", "possible"]
    assert results(notify(), [plan], [flown(start_s=T0 + 90 * HOUR)]) == ["met", "breached"]


def test_a_track_of_a_filing_that_was_cancelled_before_was_not_told():
    plan = filed(patrol())
    gone = replace(plan, cancelled_s=T0 - HOUR)
    assert results(notify(), [gone], [flown(operation=plan.ref)]) == ["breached"]
    during = replace(plan, cancelled_s=T0 + HOUR)
    assert results(notify(), [during], [flown(operation=plan.ref)]) == ["met"]


def test_the_reason_for_being_late_is_told_but_changes_nothing():
    plan = filed(patrol(), lead_s=HOUR, reason_if_late="the bridge fell")
    finding = only(notify(), [plan])
    assert finding.result == "breached"
    assert "the bridge fell" in finding.sentence


@pytest.mark.parametrize(
    ("member", "given", "words"),
    [
        ("lead", "24", "without a unit"),
        ("lead", "24 km", "no unit of a duration"),
        ("lead", "1,000 h", "decimals or thousands"),
        ("lead", "-3 h", "out of range"),
        ("max_lead", "1 h", "not longer than lead"),
        ("emergency_lead", "48 h", "longer than lead"),
        ("minimum_fields", ["colour"], "not one of the choices"),
    ],
)
def test_bad_parameters(member, given, words):
    with pytest.raises(InputError, match=words):
        notify(**{member: given})
