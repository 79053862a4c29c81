"""Joint plans: partial signatures shown, the parts one operation once all have signed, and never before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keepclear.errors import InputError
from keepclear.model.findings import Answer
from keepclear.model.operations import JointPlan
from keepclear.node.conflict_lives import ConflictState
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.joint_planning import PlanState
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError
from keepclear.record.bodies.joint import JointPlanSignedBody, PlanValue
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.store.node.conflicts import conflicts_like
from tests.unit.node.officers_made import asked, patrol
from tests.unit.node.watch_made import CHIEF, DEPUTY, LINE, NOON_S, OFFICER, share, watching


@pytest.fixture
def two(tmp_path):
    with watching(tmp_path, "A", "B") as made:
        yield made


@pytest.fixture
def three(tmp_path):
    with watching(tmp_path, "A", "B", "C") as made:
        yield made


def value(operation):
    return OperationBody.of_model(operation).operation


def plan(*parties, title="Joint patrol", **more):
    parts = [value(patrol(party, id=f"joint-{party}", **more)) for party in parties]
    return PlanValue(
        id="jp-1", title=title, start_s=NOON_S, end_s=NOON_S + 3600.0,
        participants=[{"party": party, "role": f"patrol of {party}", "platforms": 4} for party in parties],
        operations=[one.model_dump() for one in parts],
    )  # fmt: skip


def part(of, party):
    """A party's part of a plan, as it would be filed."""
    own = next(one for one in of.models() if one.party == party)
    return replace(own, joint=JointPlan(of.hash, frozenset(one.id for one in of.operations if one.id != own.id)))


def conflicts(node):
    with node.database.reading() as conn:
        rows = conflicts_like(conn, limit=100)
    return [row.state for row in rows]


def answer(node, thing):
    with node.projector.asked() as (conn, doubts):
        return node.search.conflicts_of(thing, conn=conn, doubts=doubts).answer


def test_each_participant_signs_and_what_is_missing_is_shown(two):
    a, b = two
    wanted = plan("A", "B")
    a.joint.propose(None, wanted, by=OFFICER)
    share(a, b)
    assert a.joint.view(wanted.hash).state is PlanState.PROPOSED
    a.sign(wanted.hash[:12])
    share(a, b)
    for one in (a, b):
        view = one.joint.view(wanted.hash)
        assert (view.state, view.missing) == (PlanState.PARTLY_SIGNED, ("B",))
        assert "not by B" in view.sentence
    assert b.joint.view(wanted.hash).signatures[0].persons == (CHIEF.user, DEPUTY.user)
    b.sign(wanted.hash)
    share(a, b)
    assert {one.joint.view(wanted.hash).state for one in (a, b)} == {PlanState.SIGNED}
    with pytest.raises(ClashError, match="A has signed it"):
        a.joint.sign(wanted.hash, by=CHIEF)


def test_one_person_signs_nothing(two):
    a, _ = two
    wanted = plan("A", "B")
    a.joint.propose(None, wanted, by=OFFICER)
    proposal = a.joint.sign(wanted.hash, by=CHIEF)
    assert a.joint.view(wanted.hash).signatures == ()
    with pytest.raises(NotAllowedError, match="two persons"):
        a.two_persons.confirm(CHIEF, proposal.id)
    with pytest.raises(NotAllowedError):
        a.joint.sign(wanted.hash, by=OFFICER)  # an officer on duty does not sign
    assert a.joint.view(wanted.hash).signatures == ()


def test_parts_of_a_plan_are_in_conflict_until_the_last_has_signed_and_then_not(two):
    a, b = two
    wanted = plan("A", "B")
    a.joint.propose(None, wanted, by=OFFICER)
    a.filing.file(FilingRequest(thing=part(wanted, "A")), by=OFFICER)
    share(a, b)
    b.filing.file(FilingRequest(thing=part(wanted, "B")), by=OFFICER)
    share(a, b)
    assert conflicts(a) == conflicts(b) == [ConflictState.FOUND]
    a.sign(wanted.hash)
    share(a, b)
    assert conflicts(a) == conflicts(b) == [ConflictState.FOUND]
    b.sign(wanted.hash)
    share(a, b)
    assert conflicts(a) == conflicts(b) == [ConflictState.RESOLVED]
    assert len(a.happened("joint")) == 1
    # And both are still compared with everything else.
    assert answer(a, patrol("C", id="other")) is Answer.CONFLICT


def test_parts_that_are_filed_after_the_last_signature_are_one_operation_at_once(two):
    a, b = two
    wanted = plan("A", "B")
    a.joint.propose(None, wanted, by=OFFICER)
    share(a, b)
    a.sign(wanted.hash)
    b.joint.view(wanted.hash)
    b.sign(wanted.hash)
    share(a, b)
    assert [one.joint.file_due() for one in (a, b)] == [1, 1]
    share(a, b)
    assert [one.joint.file_due() for one in (a, b)] == [0, 0]
    assert conflicts(a) == conflicts(b) == []


@pytest.mark.parametrize("signed_by", [(), ("A",), ("B",)])
def test_saying_that_one_is_part_of_a_plan_is_not_enough(two, signed_by):
    a, b = two
    wanted = plan("A", "B")
    a.joint.propose(None, wanted, by=OFFICER)
    share(a, b)
    for node in two:
        if node.party in signed_by:
            node.sign(wanted.hash)
    share(a, b)
    a.filing.file(FilingRequest(thing=part(wanted, "A")), by=OFFICER)
    share(a, b)
    assert answer(b, part(wanted, "B")) is Answer.CONFLICT
    found = b.filing.file(FilingRequest(thing=part(wanted, "B")), by=OFFICER)
    assert found.found_before.answer is Answer.CONFLICT
    share(a, b)
    assert conflicts(a) == [ConflictState.FOUND]


def test_an_operation_other_than_the_plan_s_is_no_part_of_it(two):
    a, b = two
    wanted = plan("A", "B")
    a.joint.propose(None, wanted, by=OFFICER)
    share(a, b)
    for node in two:
        node.sign(wanted.hash)
    share(a, b)
    a.joint.file(wanted.hash, by=OFFICER)
    share(a, b)
    assert answer(b, part(wanted, "B")) is not Answer.CONFLICT
    moved = patrol("B", id="joint-B", radius_m=600.0, joint=part(wanted, "B").joint)
    assert answer(b, moved) is Answer.CONFLICT
    stranger = patrol("C", id="joint-B", joint=part(wanted, "B").joint)
    assert answer(b, stranger) is Answer.CONFLICT


def test_another_plan_is_another_hash_and_is_signed_anew(two):
    a, b = two
    old, new = plan("A", "B"), plan("A", "B", radius_m=700.0)
    said = a.joint.propose(None, old, by=OFFICER)
    share(a, b)
    for node in two:
        node.sign(old.hash)
    share(a, b)
    b.joint.propose(None, new, by=OFFICER, supersedes=said.ref)
    share(a, b)
    assert (a.joint.view(old.hash).state, a.joint.view(new.hash).state) == (PlanState.SIGNED, PlanState.PROPOSED)
    for node in two:
        node.sign(new.hash)
    share(a, b)
    assert (a.joint.view(old.hash).state, a.joint.view(new.hash).state) == (PlanState.SUPERSEDED, PlanState.SIGNED)
    with pytest.raises(ClashError):
        a.joint.propose(None, new, by=OFFICER)


def test_a_signature_in_another_role_or_of_nobody_who_takes_part_does_not_count(three):
    a, b, c = three
    wanted = plan("A", "B")
    said = a.joint.propose(None, wanted, by=OFFICER)
    share(*three)
    for node, role in ((b, "commander"), (c, "patrol of B")):
        body = JointPlanSignedBody(
            plan=wanted.hash, entry=EntryRefValue.of(said.ref), role=role, persons=["one", "another"]
        )
        node.records.say(LINE, [outgoing(body, {"A", "B", "C"} - {node.party})])
    a.sign(wanted.hash)
    share(*three)
    view = a.joint.view(wanted.hash)
    assert view.state is PlanState.PARTLY_SIGNED
    assert {one.party: one.problem for one in view.void} == {
        "B": "signed as commander, and the plan has it as patrol of B", "C": "takes no part in the plan",
    }  # fmt: skip
    with pytest.raises(ClashError, match="takes no part"):
        c.joint.sign(wanted.hash, by=CHIEF)


def outgoing(body, to):
    from keepclear.node.records import Outgoing

    return Outgoing(body, sorted(to))


def test_a_plan_that_cannot_be_is_refused(two):
    a, _ = two
    with pytest.raises(InputError, match="is not on the line"):
        a.joint.propose(None, plan("A", "X"), by=OFFICER)
    with pytest.raises(InputError, match="takes no part in it"):
        a.joint.propose(None, plan("B", "X"), by=OFFICER)
    with pytest.raises(NotFoundError):
        a.joint.view("0" * 64)
    a.filing.file(asked(patrol("A")), by=OFFICER)


def test_a_rebuild_gives_the_same_tables(two):
    from tests.unit.node.filings_made import tables_of

    a, b = two
    wanted = plan("A", "B")
    a.joint.propose(None, wanted, by=OFFICER)
    a.filing.file(FilingRequest(thing=part(wanted, "A")), by=OFFICER)
    share(a, b)
    b.filing.file(FilingRequest(thing=part(wanted, "B")), by=OFFICER)
    for node in two:
        node.sign(wanted.hash)
    share(a, b)
    before = tables_of(a.database)
    assert before["joint_part"]
    assert before["joint_signature"]
    a.projector.rebuild()
    assert tables_of(a.database) == before
