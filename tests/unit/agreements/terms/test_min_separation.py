from dataclasses import replace

import pytest

from keepclear.errors import InputError
from keepclear.model.operations import JointPlan
from keepclear.record.bodies.plans import OperationBody
from tests.unit.agreements.terms.made_terms import (
    HOUR,
    T0,
    filed,
    flown,
    given,
    heard,
    only,
    patrol,
    record,
    results,
    term,
    value,
)
from tests.unit.agreements.terms.test_joint_activity import plan_entry, signature

SAMPLE = {"horizontal": "500 m", "domains": ["ground"]}
NEAR = [(41.0, 37.0), (41.1, 37.0)]
FAR = [(41.0, 37.02), (41.1, 37.02)]


def separation(**more):
    return term("MIN_SEPARATION", **(SAMPLE | more))


def test_filings_of_two_parties_are_held_apart():
    ru = filed(patrol("ru", positions=NEAR))
    assert results(separation(), [ru]) == ["no data"]
    assert results(separation(), [ru, filed(patrol("tr", positions=FAR))]) == ["met"]
    finding = only(separation(), [ru, filed(patrol("tr", positions=NEAR))])
    assert finding.result == "breached"
    assert "come within 0 m of each other, as filed" in finding.sentence
    assert {one.ref for one in finding.evidence} >= {ru.ref}
    assert results(separation(), [ru, filed(patrol("ru", ident="P2", positions=NEAR))]) == ["no data"]
    assert results(separation(), [ru, filed(patrol("us", positions=NEAR))]) == ["no data"]


def test_tracks_are_held_apart_even_where_the_plans_were():
    filings = [filed(patrol("ru", positions=NEAR)), filed(patrol("tr", positions=FAR))]
    tracks = [flown("ru", positions=NEAR), flown("tr", positions=NEAR)]
    assert results(separation(), filings, tracks) == ["met", "breached"]
    blurred = [flown("ru", positions=NEAR), flown("tr", positions=FAR, uncertainty_m=15_000.0)]
    assert results(separation(), filings, blurred) == ["met", "possible"]
    # Sixty metres apart by what was reported, but nobody knows either place better than to 15 km.
    together = [flown("ru", positions=NEAR), flown("tr", positions=NEAR, uncertainty_m=15_000.0)]
    assert results(separation(), filings, together) == ["met", "possible"]
    fine = [flown("ru", positions=NEAR, uncertainty_m=20.0), flown("tr", positions=NEAR, uncertainty_m=20.0)]
    assert results(separation(), filings, fine) == ["met", "breached"]


def test_a_rough_or_incomplete_filing_is_possible():
    near = [filed(patrol("ru", positions=NEAR)), filed(patrol("tr", positions=NEAR))]
    assert results(separation(), [near[0], replace(near[1], is_rough=True)]) == ["possible"]
    blind = replace(near[1], plan=None, problem="no geometry")
    assert results(separation(domains=["ground", "air"]), [near[0], blind]) == ["possible"]


def measure(ru, tr, kind="meeting", concur_s=T0 - HOUR, by="tr"):
    answers = [given(by, "concur", concur_s)] if concur_s else []
    members = {"filings": [value(ru.ref), value(tr.ref)], "measure": kind, "text": "to meet at the bridge"}
    return heard("measure", "ru", T0 - 2 * HOUR, answers, **members)


@pytest.mark.parametrize(
    ("more", "result"),
    [
        ({}, "met"),
        ({"kind": "time"}, "breached"),
        ({"concur_s": None}, "breached"),
        ({"concur_s": T0 + HOUR}, "breached"),
        ({"by": "ru"}, "breached"),
    ],
)
def test_a_mutual_measure_to_meet_takes_its_place(more, result):
    ru, tr = filed(patrol("ru", positions=NEAR)), filed(patrol("tr", positions=NEAR))
    finding = only(separation(), [ru, tr], view=record(measure(ru, tr, **more)))
    assert finding.result == result
    tracks = [flown("ru", positions=NEAR, operation=ru.ref), flown("tr", positions=NEAR, operation=tr.ref)]
    assert results(separation(), [ru, tr], tracks, record(measure(ru, tr, **more))) == [result, result]


def test_a_measure_that_was_taken_back_or_objected_to_before_does_not():
    ru, tr = filed(patrol("ru", positions=NEAR)), filed(patrol("tr", positions=NEAR))
    agreed = measure(ru, tr)
    for at_s, result in ((T0 - HOUR / 2, "breached"), (T0 + HOUR, "met")):
        back = heard("cancel", "ru", at_s, entry=value(agreed.ref))
        assert results(separation(), [ru, tr], view=record(agreed, back)) == [result]
        objected = replace(agreed, answers=(*agreed.answers, given("tr", "object", at_s)))
        assert results(separation(), [ru, tr], view=record(objected)) == [result]


def test_parts_of_one_joint_plan_are_not_held_apart():
    def part(party, other):
        return replace(
            patrol(party, f"of {party}", positions=NEAR), joint=JointPlan("plan", frozenset({f"of {other}"}))
        )

    joint = [filed(part("ru", "tr")), filed(part("tr", "ru"))]
    tracks = [flown("ru", positions=NEAR, operation=joint[0].ref), flown("tr", positions=NEAR, operation=joint[1].ref)]
    # Each names the other, but there is no plan that both have signed.
    assert results(separation(), joint, tracks) == ["possible", "possible"]


def test_tracks_of_one_signed_joint_plan_are_one_operation():
    plan = plan_entry()
    both = record(plan, signature("ru", plan), signature("tr", plan))
    tracks = [flown("ru"), flown("tr")]
    assert results(separation(), [], tracks, both) == ["met"]
    assert results(separation(), [], tracks, record(plan, signature("ru", plan))) == ["breached"]
    filings = [filed(patrol("ru", "P1")), filed(patrol("tr", "P1"))]
    of_them = [flown("ru", operation=filings[0].ref), flown("tr", operation=filings[1].ref)]
    assert results(separation(), filings, of_them, both) == ["met", "met"]
    other = [flown("ru", operation=filings[0].ref), flown("tr", operation=filed(patrol("tr", "P2")).ref)]
    assert "breached" in results(separation(), filings, other, both)


def test_a_signature_taken_back_or_of_only_some_leaves_them_apart():
    plan = plan_entry()
    signed = [signature("ru", plan), signature("tr", plan)]
    tracks = [flown("ru"), flown("tr")]
    back = heard("cancel", "tr", T0 - HOUR, entry=value(signed[1].ref))
    assert results(separation(), [], tracks, record(plan, *signed, back)) == ["breached"]
    of_three = plan_entry(
        participants=[{"party": one, "role": "r"} for one in ("ru", "tr", "us")],
        operations=[OperationBody.of_model(patrol(one, "P1")).members()["operation"] for one in ("ru", "tr", "us")],
    )
    some = [signature("ru", of_three), signature("tr", of_three)]
    assert results(separation(), [], tracks, record(of_three, *some)) == ["breached"]
    assert results(separation(), [], tracks, record(of_three, *some, signature("us", of_three))) == ["met"]


def test_tracks_far_from_a_signed_plan_are_no_part_of_it():
    plan = plan_entry()
    both = record(plan, signature("ru", plan), signature("tr", plan))
    away = [(41.9, 36.5), (42.0, 36.5)]
    assert results(separation(), [], [flown("ru", positions=away), flown("tr", positions=away)], both) == ["breached"]


def test_it_contributes_its_rule():
    (bound,) = separation().contributes().minima
    assert (bound.rule.name, bound.rule.horizontal_m, bound.rule.vertical_m) == ("ground – ground", 500.0, None)
    assert "sochi" in bound.rule.source


def test_no_separation_is_none():
    with pytest.raises(InputError, match="no separation"):
        separation(horizontal="0 m")
