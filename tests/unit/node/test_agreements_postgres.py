"""Agreements, positions, encounters, claims and joint plans at a node that keeps its tables in PostgreSQL."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from keepclear.client.problems import RefusedError
from keepclear.clock import now_s
from keepclear.node.agreeing import Changing, Signing
from keepclear.values.agreements import AgreementProposalAsked
from keepclear.values.encounters import ClaimAsked, IncidentAsked
from keepclear.values.filings import OperationAsked
from keepclear.values.joint_plans import JointPlanAsked
from tests.pair_served import LINE, START_S, pair_served, wait_for
from tests.unit.node.agreements_made import AGREEMENT, APART, document, members, patrol_at
from tests.unit.node.filings_made import tables_of
from tests.unit.node.watch_made import CHIEF, DEPUTY, OFFICER, line_text

pytestmark = pytest.mark.slow
PASSED_S = 2.0  # how long units take that pass each other


@pytest.fixture(scope="module")
def bound(tmp_path_factory, postgres):
    """Two nodes with an agreement in force, the first in PostgreSQL."""
    databases = {"RU": postgres.url(postgres.new_schema())}
    with pair_served(tmp_path_factory.mktemp("bound"), databases=databases) as (ru, tr):
        assert [place.node.database.dialect for place in (ru, tr)] == ["postgresql", "sqlite"]
        made = document(more=APART)
        ru.client.propose_agreement(AgreementProposalAsked(document=members(made)))
        wait_for(lambda: all(list(place.client.agreements()) for place in (ru, tr)))
        for place in (ru, tr):
            asked = Signing(line=LINE, agreement=AGREEMENT, document=made.hash)
            proposal = place.node.agreeing.sign(asked, by=CHIEF)
            place.node.access.two_persons.confirm(DEPUTY, proposal.id)
        for place in (ru, tr):
            wait_for(lambda place=place: place.client.agreement(AGREEMENT).state == "in force")
        began_s = now_s() + 1.0
        time.sleep(PASSED_S + 1.0)  # nobody tells where a unit will have been
        yield ru, tr, began_s


def drive(place, unit, lat_deg, began_s):
    """A unit of a party drives past, and the other party is told exactly where it was."""
    rows = [(began_s + 0.1 * n, 40.65 + 0.00001 * n, lat_deg) for n in range(21)]
    positions, sharing = place.node.positions, place.node.sharing
    positions.register("gps", by=OFFICER, accuracy_m=1.0, max_age_s=120.0)
    positions.bind("unit", unit, by=OFFICER, unit=unit, domain="ground", kind_of_operation="patrol")
    assert positions.post("gps", line_text(unit, *rows), by=OFFICER).batch.count == 21
    assert positions.post("gps", line_text(unit, *rows), by=OFFICER).again
    (said,) = sharing.share(LINE, unit, by=OFFICER, from_s=began_s - 1.0, to_s=began_s + 3600.0, grid_km=None)
    assert said.count == 21


def test_what_breaks_a_term_is_told_before_it_is_filed_and_in_the_report(bound):
    ru, tr, began_s = bound
    deep = {"line": LINE, "operation": patrol_at("RU", "deep", 12.0)}
    with pytest.raises(RefusedError, match="c5"):
        ru.client.file(OperationAsked.model_validate(deep))
    ru.client.file(OperationAsked.model_validate(deep | {"despite_terms": "a bridge is out"}))
    for place in (ru, tr):
        wait_for(lambda place=place: [one for one in place.client.operations() if one.thing_id == "deep"])
        day = {"from_": datetime.fromtimestamp(began_s, UTC), "to": datetime.fromtimestamp(START_S + 7200.0, UTC)}
        report = place.client.agreement_report(AGREEMENT, **day).report
        assert report["counts"]["breached"] == 1, report


def test_units_that_met_are_found_by_both_and_told_claimed_and_reported(bound):
    ru, tr, began_s = bound
    drive(ru, "ru-1", 36.95, began_s)
    drive(tr, "tr-1", 36.9505, began_s)
    found = {}
    for place in (ru, tr):
        (found[place.party],) = wait_for(lambda place=place: list(place.client.encounters(line=LINE)))
    assert found["RU"].label == found["TR"].label == "coincidental"
    seen = wait_for(lambda: [one for one in ru.client.encounters(line=LINE) if "term-breach" in one.flags])[0]
    assert ru.client.encounter(seen.number).closest.horizontal_m < 60.0
    said = ru.client.report_incident(
        IncidentAsked.model_validate({"encounter": seen.number, "report": {"narrative": "They came round the bend."}})
    )
    assert [one.id for one in wait_for(lambda: list(tr.client.incidents(line=LINE)))] == [said.id]
    assert list(ru.client.incident_drafts()) == []
    claim = {
        "subject": {"parties": ["RU", "TR"], "from_s": began_s, "to_s": began_s + PASSED_S}, "said_by": "a spokesman",
        "said_s": began_s + PASSED_S, "where": "a paper", "words_ref": "a joint patrol", "asserts": "joint",
    }  # fmt: skip
    added = tr.client.add_claim(ClaimAsked.model_validate({"claim": claim, "line": LINE}))
    assert tr.client.claim(added.id).weighed.weight == "unsupported"


def test_a_joint_plan_is_signed_by_two_of_each_and_its_parts_are_filed(bound):
    ru, tr, _ = bound
    plan = {
        "id": "jp-1", "title": "Joint patrol", "start_s": START_S, "end_s": START_S + 3600.0,
        "participants": [{"party": party, "role": f"patrol of {party}"} for party in ("RU", "TR")],
        "operations": [patrol_at(party, f"joint-{party}", 5.0, lon_deg=41.2) for party in ("RU", "TR")],
    }  # fmt: skip
    ru.client.propose_joint_plan(JointPlanAsked.model_validate({"plan": plan, "line": LINE}))
    for place in (ru, tr):
        (told,) = wait_for(lambda place=place: list(place.client.joint_plans()))
        proposal = place.node.joint_planning.sign(told.hash, by=CHIEF)
        place.node.access.two_persons.confirm(DEPUTY, proposal.id)
    for place in (ru, tr):
        wait_for(lambda place=place: [one for one in place.client.joint_plans() if one.state == "signed by all"])
        wait_for(
            lambda place=place: [one for one in place.client.operations() if one.thing_id == f"joint-{place.party}"]
        )


def test_who_ends_an_agreement_undoes_no_breach_of_it(bound):
    ru, tr, began_s = bound
    proposal = tr.node.agreeing.change(Changing(line=LINE, agreement=AGREEMENT, change="suspend"), by=CHIEF)
    tr.node.access.two_persons.confirm(DEPUTY, proposal.id)
    wait_for(lambda: ru.client.agreement(AGREEMENT).state == "suspended")
    (known,) = ru.node.encounters.found(LINE, began_s, began_s + PASSED_S)
    assert "term-breach" in known.flags
    ended_s = now_s()
    time.sleep(1.0)
    before = ru.node.encounters.record(LINE, began_s - 60.0, began_s - 50.0)
    after = ru.node.encounters.record(LINE, ended_s + 0.5, ended_s + 0.6)
    assert not before.bound
    assert not after.bound


def test_all_of_it_is_the_same_when_it_is_made_anew_from_the_logs(bound):
    for place in bound[:2]:
        place.node.stop()  # nothing comes while the tables are compared
        projector = place.node.projector
        projector.catch_up()
        before = tables_of(place.node.database)
        projector.rebuild()
        after = tables_of(place.node.database)
        assert {name for name, rows in before.items() if after[name] != rows} == set()
        assert before["agreement"]
