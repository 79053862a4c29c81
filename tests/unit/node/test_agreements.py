"""Agreements at two real nodes: proposed, signed by two persons of each party, and binding what is filed."""

from __future__ import annotations

import pytest

from keepclear.client.problems import RefusedError
from keepclear.values.agreements import (
    AffiliateAsked,
    AgreementProposalAsked,
    ChangeAsked,
    QueryAsked,
    SignatureAsked,
)
from keepclear.values.filings import CheckAsked, OperationAsked
from tests.pair_served import LINE, pair_served, wait_for
from tests.unit.node.agreements_made import (
    AGREEMENT,
    APART,
    ZONE,
    document,
    in_force,
    members,
    patrol_at,
    people,
    sign,
    wait_until_proposed,
)
from tests.unit.node.filings_made import tables_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bound(tmp_path_factory):
    """Two nodes with an agreement in force, and two persons of each."""
    with pair_served(tmp_path_factory.mktemp("bound")) as (ru, tr):
        made = document()
        ours, theirs = in_force(ru, tr, made)
        yield ru, tr, ours, theirs, made


def filing(party, number, depth_km, **more):
    asked = {name: more.pop(name) for name in ("despite_terms", "reason_if_late") if name in more}
    operation = patrol_at(party, number, depth_km, **more)
    return OperationAsked.model_validate({"line": LINE, "operation": operation, **asked})


def test_what_is_within_is_filed_and_what_is_not_is_told_before_with_the_clause(bound):
    ru, tr, *_ = bound
    inside = ru.client.file(filing("RU", "inside", 8.0))
    assert inside.found_before.terms == []
    deep = patrol_at("RU", "deep", 12.0, lon_deg=40.8)
    told = ru.client.check(CheckAsked.model_validate({"operation": deep, "line": LINE}))
    assert [(one.agreement, one.term, one.clause, one.result) for one in told.terms] == [
        (AGREEMENT, "depth", "c5", "breached")
    ]
    assert "10 km" in told.terms[0].sentence
    with pytest.raises(RefusedError) as refused:
        ru.client.file(filing("RU", "deep", 12.0, lon_deg=40.8))
    assert refused.value.status == 409
    assert "c5" in str(refused.value)
    assert all(one.thing_id != "deep" for one in ru.client.operations())
    filed = ru.client.file(filing("RU", "deep", 12.0, lon_deg=40.8, despite_terms="a bridge is out"))
    for place in (ru, tr):
        events = wait_for(lambda place=place: [one for one in _events(place) if one.type == "term"])
        assert events[0].data["term"] == "depth"
        assert events[0].data["own"] is (place is ru)
    assert filed.id
    act = next(act for act in ru.node.acts.before(limit=100) if act.what == "file" and act.detail.get("despite_terms"))
    assert act.detail == {"id": "deep", "despite_terms": "a bridge is out", "terms": ["sochi depth"]}


def test_of_a_list_what_is_not_within_a_term_is_refused_with_the_clause_and_the_others_are_filed(bound):
    ru, *_ = bound
    wanted = [filing("RU", "list-in", 7.0, lon_deg=41.1), filing("RU", "list-deep", 13.0, lon_deg=41.1)]
    with pytest.raises(RefusedError) as refused:
        ru.client.file_all(wanted, all_or_none=True)
    assert refused.value.status == 409
    assert "c5" in str(refused.value)
    assert not {"list-in", "list-deep"} & {one.thing_id for one in ru.client.operations()}
    inside, deep = ru.client.file_all(wanted)
    assert inside.filed is not None
    assert deep.problem is not None
    assert deep.problem.status == 409
    assert "c5" in deep.problem.detail
    assert {"list-in", "list-deep"} & {one.thing_id for one in ru.client.operations()} == {"list-in"}
    told, knowing = ru.client.file_all(
        [filing("RU", "list-knowing", 13.0, lon_deg=41.1, despite_terms="a bridge is out"), wanted[1]]
    )
    assert told.filed is not None
    assert knowing.problem is not None
    # A filing is in the report from when another party is known to have it.
    wait_for(lambda: ru.node.compliance.report(AGREEMENT).counts["breached"])
    report = ru.node.compliance.report(AGREEMENT)
    assert report.counts["breached"] == 1
    (row,) = [row for row in report.rows if row.kind == "breached"]
    assert (row.finding.clause, row.finding.party) == ("c5", "RU")


def test_suspending_takes_two_and_ends_what_binds(bound):
    ru, tr, ours, theirs, made = bound
    proposed = theirs[0].change_agreement(AGREEMENT, ChangeAsked(change="suspend", reason="shots fired"))
    assert proposed.entry is None
    with pytest.raises(RefusedError) as alone:
        theirs[0].confirm(proposed.proposal.id)
    assert alone.value.status == 403
    assert tr.client.agreement(AGREEMENT).state == "in force"
    assert theirs[1].confirm(proposed.proposal.id).state == "done"
    wait_for(lambda: ru.client.agreement(AGREEMENT).state == "suspended")
    assert ru.client.check(CheckAsked.model_validate({"operation": patrol_at("RU", "x", 12.0)})).terms == []
    assert ru.client.status(LINE).channels[0].state == "up"
    # RU says that it goes on: it stays suspended, and that is a dispute for both to see.
    told = ours[0].change_agreement(AGREEMENT, ChangeAsked(change="resume"))
    ours[1].confirm(told.proposal.id)
    wait_for(lambda: "disputed" in tr.client.agreement(AGREEMENT).flags)
    assert tr.client.agreement(AGREEMENT).state == "suspended"
    told = theirs[0].change_agreement(AGREEMENT, ChangeAsked(change="resume"))
    theirs[1].confirm(told.proposal.id)
    wait_for(lambda: ru.client.agreement(AGREEMENT).state == "resumed")
    told = ru.client.check(CheckAsked.model_validate({"operation": patrol_at("RU", "x", 12.0)}))
    assert [one.term for one in told.terms] == ["depth"]
    assert made.hash == ru.client.agreement(AGREEMENT).document


def test_queries_and_affiliates_are_said(bound):
    ru, tr, ours, theirs, _ = bound
    ours[0].ask_about_agreement(AGREEMENT, QueryAsked(question="From which bank?", term="depth"))
    ours[0].say_affiliate(AGREEMENT, AffiliateAsked(affiliate="Local council"))
    told = wait_for(lambda: tr.client.agreement(AGREEMENT).affiliates)
    assert [(one.affiliate, one.standing) for one in told] == [
        ("Local council", "cover of Local council by RU: asserted by RU, unconfirmed")
    ]
    theirs[0].say_affiliate(AGREEMENT, AffiliateAsked(affiliate="Local council", by="RU", stance="denies"))
    wait_for(lambda: "denied by TR" in ru.client.agreement(AGREEMENT).affiliates[0].standing)


def test_the_operator_at_the_folder_signs_nothing(bound):
    ru, _, _, _, made = bound
    with pytest.raises(RefusedError) as refused:
        ru.client.change_agreement(AGREEMENT, ChangeAsked(change="suspend"))
    assert refused.value.status == 403
    assert "two persons" in str(refused.value)
    assert made.hash


def test_a_counter_proposal_and_a_signature_of_another_version(tmp_path):
    with pair_served(tmp_path) as (ru, tr):
        first, second = document(), document("2", depth="8 km")
        ours, theirs = people(ru, "anna", "boris"), people(tr, "cem", "derya")
        said = ours[0].propose_agreement(AgreementProposalAsked(document=members(first)))
        wait_until_proposed(ru, tr)
        theirs[0].counter_agreement(AGREEMENT, AgreementProposalAsked(document=members(second), counters=said.id))
        wait_for(lambda: ru.client.agreement(AGREEMENT).state == "countered")
        told = ru.client.agreement_difference(AGREEMENT, first.hash, second.hash)
        assert [one.name for one in told.clauses] == ["c5 (en)"]
        assert [one.name for one in told.terms] == ["depth"]
        assert "km²" in told.ground[0]
        sign(*ours, first)
        sign(*theirs, second)
        for place in (ru, tr):
            standing = wait_for(lambda place=place: (found := place.client.agreement(AGREEMENT)).disputes and found)
            assert standing.document == ""
            assert "RU" in standing.disputes[0]
            assert (
                place.client.check(CheckAsked.model_validate({"operation": patrol_at(place.party, "x", 12.0)})).terms
                == []
            )
        with pytest.raises(RefusedError) as refused:
            ours[0].sign_agreement(AGREEMENT, SignatureAsked(document="0" * 64))
        assert refused.value.status == 404


def is_the_same_rebuilt(node):
    before = tables_of(node.database)
    node.projector.rebuild()
    return tables_of(node.database) == before


def _events(place):
    from keepclear.store.node.events import since

    with place.node.database.reading() as conn:
        return since(conn, 0, limit=10_000)


def test_minima_and_areas_of_an_agreement_are_searched_for_while_it_is_in_force(tmp_path):
    with pair_served(tmp_path) as (ru, tr):
        # 1.8 km apart: clear by the table of minima (500 m), and too close by clause 6 (3 km).
        west = ru.client.file(filing("RU", "west", 5.0, lon_deg=40.50)).id
        tr.client.file(filing("TR", "east", 5.0, lon_deg=40.52))
        wait_for(lambda: len(list(ru.client.operations())) == 2)
        assert list(ru.client.conflicts()) == []
        asked = CheckAsked.model_validate({"operation": patrol_at("RU", "third", 5.0, lon_deg=40.54)})
        assert ru.client.check(asked).answer == "clear"
        made = document(more=APART + ZONE)
        ours, theirs = in_force(ru, tr, made)
        for place in (ru, tr):
            (conflict,) = wait_for(lambda place=place: list(place.client.conflicts()))
            assert conflict.answer == "conflict"
            assert "clause c6 of sochi" in conflict.found.minima.rule
            assert conflict.found.minima.horizontal_m == 3000.0
        told = ru.client.check(asked)
        assert (told.answer, [one.b.id for one in told.conflicts]) == ("conflict", ["east"])
        inside = CheckAsked.model_validate({"operation": patrol_at("RU", "inside", 5.0, lon_deg=41.2)})
        told = ru.client.check(inside)
        assert told.answer == "conflict"
        assert "clause c7 of sochi" in told.conflicts[0].minima.rule
        assert {one.term for one in told.terms} == {"town"}
        for place in (ru, tr):
            wait_for(lambda place=place: list(place.client.conflicts(states=["advised"])))
            # Tried again, since what the other node still sends may come in between.
            wait_for(lambda place=place: is_the_same_rebuilt(place.node), timeout_s=10.0)
        proposed = ours[0].change_agreement(AGREEMENT, ChangeAsked(change="terminate"))
        ours[1].confirm(proposed.proposal.id)
        wait_for(lambda: tr.client.agreement(AGREEMENT).state == "terminated")
        for place in (ru, tr):
            # An advisory stays on the record; what our own search finds no longer is not found any more.
            wait_for(lambda place=place: list(place.client.conflicts(states=["found"])) == [])
            wait_for(lambda place=place: place.client.operation(west).value.answer == "clear")
        assert ru.client.check(asked).answer == "clear"
        assert theirs
