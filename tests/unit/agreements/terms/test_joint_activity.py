from dataclasses import replace

import pytest

from keepclear.errors import InputError
from keepclear.model.operations import JointPlan
from keepclear.record.bodies.plans import OperationBody
from tests.unit.agreements.terms.made_terms import HOUR, T0, filed, heard, only, patrol, record, results, term, value

SAMPLE = {"participants": ["ru", "tr"], "start": "2019-10-29T15:00:00Z"}


def joint(**more):
    return term("JOINT_ACTIVITY", **(SAMPLE | more))


def plan_entry(counts_from_s=T0 - 30 * HOUR, **more):
    operations = [OperationBody.of_model(patrol(party, "P1")).members()["operation"] for party in ("ru", "tr")]
    plan = {
        "id": "first", "title": "First joint patrol", "start_s": T0, "end_s": T0 + 4 * HOUR, "operations": operations,
        "participants": [{"party": "ru", "role": "lead"}, {"party": "tr", "role": "second"}],
    }  # fmt: skip
    return heard("joint-plan", "ru", counts_from_s, plan=plan | more)


def signature(party, plan, counts_from_s=T0 - 20 * HOUR, digest=None, role=None):
    roles = {one.party: one.role for one in plan.body.plan.participants}
    members = {"plan": digest or plan.body.plan.hash, "entry": value(plan.ref), "persons": ["a", "b"]}
    return heard("joint-plan-signed", party, counts_from_s, role=role or roles.get(party, "lead"), **members)


def test_it_is_joint_when_every_participant_signed_before_it_began():
    plan = plan_entry()
    both = record(plan, signature("ru", plan), signature("tr", plan))
    assert results(joint(), [filed(patrol())], view=both) == ["met"]
    one = record(plan, signature("ru", plan))
    assert results(joint(), [filed(patrol())], view=one, at_s=T0 - HOUR) == ["not yet"]
    finding = only(joint(), [filed(patrol())], view=one)
    assert finding.result == "breached"
    assert "the signature of tr" in finding.sentence
    late = record(plan, signature("ru", plan), signature("tr", plan, T0 + HOUR))
    assert results(joint(), [filed(patrol())], view=late) == ["breached"]
    other = record(plan, signature("ru", plan), signature("tr", plan, digest="cd" * 32))
    assert results(joint(), [filed(patrol())], view=other) == ["breached"]


def test_what_was_taken_back_or_signed_in_another_role_is_no_signature():
    plan = plan_entry()
    signed = [signature("ru", plan), signature("tr", plan)]
    back = heard("cancel", "tr", T0 - HOUR, entry=value(signed[1].ref))
    assert results(joint(), [filed(patrol())], view=record(plan, *signed, back)) == ["breached"]
    withdrawn = heard("cancel", "ru", T0 - HOUR, entry=value(plan.ref))
    assert results(joint(), [filed(patrol())], view=record(plan, *signed, withdrawn)) == ["breached"]
    afterwards = heard("cancel", "tr", T0 + HOUR, entry=value(signed[1].ref))
    assert results(joint(), [filed(patrol())], view=record(plan, *signed, afterwards)) == ["met"]
    others = heard("cancel", "ru", T0 - HOUR, entry=value(signed[1].ref))
    assert results(joint(), [filed(patrol())], view=record(plan, *signed, others)) == ["met"]
    role = signature("tr", plan, role="observer")
    assert results(joint(), [filed(patrol())], view=record(plan, signed[0], role)) == ["breached"]


def test_naming_a_signed_plan_makes_a_filing_no_part_of_it():
    plan = plan_entry()
    both = record(plan, signature("ru", plan), signature("tr", plan))
    other = replace(patrol("ru", "P9"), joint=JointPlan("first", frozenset({"P1"})))
    assert results(joint(), [filed(other)], view=both) == ["breached"]


def test_without_a_plan_it_is_not_joint():
    assert results(joint(), [filed(patrol("ru", "other"))], view=record(plan_entry())) == ["breached"]


def test_before_its_start_there_is_none():
    finding = only(joint(start="2019-11-05T00:00:00Z"), [filed(patrol())])
    assert finding.result == "breached"
    assert "not to begin before 2019-11-05 00:00:00Z" in finding.sentence


def test_it_can_be_bound_to_an_area():
    assert results(joint(area="map.geojson#west"), [filed(patrol())]) == []


@pytest.mark.parametrize(("participants", "words"), [(["ru"], "fewer than two"), (["ru", "mars"], "not a party")])
def test_bad_participants(participants, words):
    with pytest.raises(InputError, match=words):
        joint(participants=participants)
