"""The two-person rule: every event in every state, and who may do what."""

from __future__ import annotations

import itertools

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.node.actors import OPERATOR
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError
from keepclear.node.roles import Role, Scope
from keepclear.node.two_person import DAY_S, TRANSITIONS, ProposalEvent, ProposalState, Rule
from tests.unit.node.access_made import Made

S, E = ProposalState, ProposalEvent


class Trying(Made):
    """With a kind of act whose doing can be watched, and made to fail."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.done: list[tuple[int, str]] = []
        self.failing = ""
        self.access.two_persons.add_rule("suspend", Rule(Scope.SIGN, beyond=self.do))
        self.access.two_persons.add_rule("note", Rule(Scope.SIGN, within=lambda _, one, actor: self.do(one, actor)))

    def do(self, proposal, actor):
        if self.failing:
            raise PeerError(self.failing)
        self.done.append((proposal.id, actor.user))

    def propose(self, actor, kind="suspend"):
        return self.access.two_persons.propose(actor, kind, "suspend the agreement of 2015", {"agreement": "a1"}).id

    def state(self, number):
        return self.access.two_persons.proposal(number).state


@pytest.fixture
def made(tmp_path):
    made = Trying(tmp_path / "node.db")
    yield made
    made.database.close()


@pytest.fixture
def anna(made):
    return made.person("anna", Role.PARTY_AUTHORITY)


@pytest.fixture
def boris(made):
    return made.person("boris", Role.PARTY_AUTHORITY)


def test_the_table_of_states_is_whole():
    ends = {S.DONE, S.FAILED, S.REFUSED, S.WITHDRAWN, S.EXPIRED}
    for state, event in itertools.product(S, E):
        after = TRANSITIONS.get((state, event))
        assert (after is None) == (state in ends or (state is S.OPEN) == (event in {E.SUCCEED, E.FAIL}))
    assert set(TRANSITIONS.values()) == ends | {S.CONFIRMED}


@pytest.mark.parametrize("kind", ["suspend", "note"])
def test_what_one_proposes_and_another_confirms_is_done_once(made, anna, boris, kind):
    number = made.propose(anna, kind)
    assert made.done == []
    assert made.access.two_persons.confirm(boris, number).state == S.DONE
    assert made.done == [(number, "boris")]
    assert made.access.two_persons.proposal(number).content == {}
    with pytest.raises(ClashError, match="done"):
        made.access.two_persons.confirm(boris, number)
    made.access.two_persons.resume()
    assert made.done == [(number, "boris")]
    assert made.whats()[-3:] == [f"{kind} propose", f"{kind} confirm", f"{kind} succeed"]


def test_the_same_person_twice_is_one_person(made, anna):
    number = made.propose(anna)
    again = made.access.sign_ins.sign_in("anna", "quiet copper window of march", address="203.0.113.1").actor
    for actor in (anna, again):
        with pytest.raises(NotAllowedError, match="two persons"):
            made.access.two_persons.confirm(actor, number)
    assert made.state(number) == S.OPEN


def test_the_folder_is_nobody(made, anna):
    number = made.propose(anna)
    for attempt in (
        lambda: made.access.two_persons.confirm(OPERATOR, number),
        lambda: made.access.two_persons.refuse(OPERATOR, number),
        lambda: made.propose(OPERATOR),
    ):
        with pytest.raises(NotAllowedError, match="nobody"):
            attempt()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PARTY_AUTHORITY])
def test_who_has_not_the_scope_takes_no_part(made, anna, role):
    number = made.propose(anna)
    other = made.person("dora", role)
    for attempt in (
        lambda: made.access.two_persons.confirm(other, number),
        lambda: made.access.two_persons.refuse(other, number),
        lambda: made.propose(other),
    ):
        with pytest.raises(NotAllowedError, match="scope sign"):
            attempt()


def test_a_proposal_is_refused_by_the_other_and_withdrawn_by_its_own(made, anna, boris):
    refused, withdrawn = made.propose(anna), made.propose(anna)
    assert made.access.two_persons.refuse(boris, refused).state == S.REFUSED
    assert made.access.two_persons.refuse(anna, withdrawn).state == S.WITHDRAWN
    for number in (refused, withdrawn):
        with pytest.raises(ClashError):
            made.access.two_persons.confirm(boris, number)
    assert made.done == []


def test_a_proposal_ends_by_itself(made, anna, boris):
    number = made.propose(anna)
    made.clock.now_s += DAY_S - 1
    assert made.state(number) == S.OPEN
    made.clock.now_s += 1
    assert made.state(number) == S.EXPIRED
    assert [one.state for one in made.access.two_persons.before(limit=5)] == [S.EXPIRED]
    for attempt in (made.access.two_persons.confirm, made.access.two_persons.refuse):
        with pytest.raises(ClashError, match="expired"):
            attempt(boris, number)


def test_what_fails_says_why_and_does_not_open_again(made, anna, boris):
    number = made.propose(anna)
    made.failing = "the other party did not answer"
    with pytest.raises(PeerError):
        made.access.two_persons.confirm(boris, number)
    proposal = made.access.two_persons.proposal(number)
    assert (proposal.state, proposal.outcome) == (S.FAILED, "the other party did not answer")
    assert (proposal.decided_by, proposal.decided_s) == ("boris", made.clock.now_s)


def test_what_fails_within_its_transaction_was_never_confirmed(made, anna, boris):
    number = made.propose(anna, "note")
    made.failing = "not now"
    with pytest.raises(PeerError):
        made.access.two_persons.confirm(boris, number)
    assert made.state(number) == S.OPEN
    assert made.whats()[-1] == "note propose"


def test_what_was_confirmed_before_the_node_stopped_is_done_when_it_starts(made, anna, boris):
    number = made.propose(anna)

    class Stopped(BaseException):
        """As a power cut between the confirmation and the act."""

    def stop(*_):
        raise Stopped

    rule = made.access.two_persons._rules["suspend"]
    made.access.two_persons._rules["suspend"] = Rule(rule.scope, beyond=stop)
    with pytest.raises(Stopped):
        made.access.two_persons.confirm(boris, number)
    assert made.state(number) == S.CONFIRMED
    made.database.close()
    later = Trying(made.path, made.clock)
    later.access.two_persons.resume()
    assert later.done == [(number, "system")]
    assert later.state(number) == S.DONE
    later.access.two_persons.resume()
    assert len(later.done) == 1
    later.database.close()


@pytest.mark.parametrize("subject", ["", "x" * 1001])
def test_what_nobody_can_read_is_not_proposed(made, anna, subject):
    with pytest.raises(InputError):
        made.access.two_persons.propose(anna, "suspend", subject, {})


def test_what_is_not_there_is_not_found(made, anna):
    for attempt in (
        lambda: made.access.two_persons.proposal(99),
        lambda: made.access.two_persons.confirm(anna, 99),
        lambda: made.access.two_persons.propose(anna, "launch", "no such kind of act", {}),
    ):
        with pytest.raises(NotFoundError):
            attempt()


def test_the_kinds_are_known(made):
    assert made.access.two_persons.kinds == ("note", "suspend", "user change")
