"""Users, and why no one person can make or take over an account that may sign."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.node.actors import OPERATOR
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError, NotSignedInError, StaleError
from keepclear.node.roles import Role, Scope
from keepclear.node.users import Change
from keepclear.store.node.two_person import KeptProposal
from keepclear.store.node.users import KeptUser
from tests.unit.node.access_made import GIVEN, HERE, OWN, Made

TRUSTED = [Role.PARTY_AUTHORITY, Role.KEY_CUSTODIAN]
OTHERS = [role for role in Role if role not in TRUSTED]


@pytest.fixture
def made(tmp_path):
    made = Made(tmp_path / "node.db")
    yield made
    made.database.close()


@pytest.fixture
def anna(made):
    return made.person("anna", Role.PARTY_AUTHORITY)


@pytest.fixture
def boris(made):
    return made.person("boris", Role.PARTY_AUTHORITY)


@pytest.mark.parametrize("role", OTHERS)
def test_one_who_keeps_users_adds_ordinary_ones_alone(made, anna, role):
    user = made.access.users.add(anna, "carl", roles=[role], shown="Carl, night watch")
    assert isinstance(user, KeptUser)
    assert made.access.users.user("carl") == user
    assert (user.roles, user.shown, user.password, user.must_change) == ((role,), "Carl, night watch", "", False)


@pytest.mark.parametrize("role", TRUSTED)
def test_a_trusted_user_is_made_by_two(made, anna, boris, role):
    proposal = made.access.users.add(anna, "carl", roles=[role, Role.FILER], password=GIVEN)
    assert isinstance(proposal, KeptProposal)
    assert "carl" in proposal.subject
    assert role in proposal.subject
    with pytest.raises(NotFoundError):
        made.access.users.user("carl")
    with pytest.raises(NotAllowedError, match="two persons"):
        made.access.two_persons.confirm(anna, proposal.id)
    assert made.access.two_persons.confirm(boris, proposal.id).state == "done"
    assert set(made.access.users.user("carl").roles) == {role, Role.FILER}
    assert made.access.sign_ins.sign_in("carl", GIVEN, address=HERE).must_change


def test_even_a_single_keeper_of_users_makes_no_second_one_alone(made, anna):
    assert isinstance(made.access.users.add(anna, "carl", roles=TRUSTED), KeptProposal)
    assert isinstance(made.access.users.add(OPERATOR, "carl", roles=TRUSTED), KeptUser)


@pytest.mark.parametrize(
    "change",
    [
        Change(roles=[Role.FILER]),
        Change(password="another one that boris does not know"),
        Change(shown="Somebody else"),
        Change(disabled=False),
        Change(disabled=True, password="another one that boris does not know"),
    ],
    ids=["roles", "password", "shown", "let in", "shut out with a new password"],
)
def test_a_trusted_user_is_changed_by_two(made, anna, boris, change):
    before = made.access.users.user("boris")
    assert isinstance(made.access.users.change(anna, "boris", change), KeptProposal)
    assert made.access.users.user("boris") == before


def test_shutting_out_is_done_at_once_by_one(made, anna, boris):
    after = made.access.users.change(anna, "boris", Change(disabled=True))
    assert isinstance(after, KeptUser)
    assert after.disabled_s == made.clock.now_s
    assert not made.access.sign_ins.still(boris)


def test_making_an_ordinary_user_trusted_takes_two(made, anna, boris):
    made.access.users.add(anna, "carl", roles=[Role.FILER])
    proposal = made.access.users.change(anna, "carl", Change(roles=[Role.KEY_CUSTODIAN]))
    assert isinstance(proposal, KeptProposal)
    assert proposal.subject == "user carl: roles filer become key-custodian"
    made.access.two_persons.confirm(boris, proposal.id)
    assert made.access.users.user("carl").roles == ("key-custodian",)


def test_a_proposal_about_a_user_who_was_changed_meanwhile_is_not_carried_out(made, anna, boris):
    made.access.users.add(anna, "carl", roles=[Role.FILER])
    proposal = made.access.users.change(anna, "carl", Change(roles=[Role.KEY_CUSTODIAN]))
    made.access.users.change(boris, "carl", Change(disabled=True))
    with pytest.raises(StaleError):
        made.access.two_persons.confirm(boris, proposal.id)
    user = made.access.users.user("carl")
    assert user.roles == ("filer",)
    assert user.disabled_s is not None
    assert made.access.two_persons.proposal(proposal.id).state == "open"  # nothing of it was kept


def test_nobody_changes_themselves_or_shuts_out_the_last_who_keeps_users(made, anna):
    with pytest.raises(NotAllowedError, match="their own"):
        made.access.users.change(anna, "anna", Change(roles=list(Role)))
    boris = made.person("boris", Role.PARTY_AUTHORITY)
    made.access.users.change(anna, "boris", Change(disabled=True))
    # boris's session has ended; but if two shut each other out at the same moment, the second finds this:
    with pytest.raises(ClashError, match="nobody would be left"):
        made.access.users.change(boris, "anna", Change(disabled=True))
    assert made.access.users.user("anna").disabled_s is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PARTY_AUTHORITY])
def test_who_does_not_keep_users_changes_none(made, role):
    actor = made.person("dora", role)
    for attempt in (
        lambda: made.access.users.add(actor, "carl", roles=[Role.FILER]),
        lambda: made.access.users.change(actor, "dora", Change(roles=[Role.PARTY_AUTHORITY])),
    ):
        with pytest.raises(NotAllowedError, match="scope users"):
            attempt()


def test_a_name_stays_one_persons(made, anna):
    made.access.users.add(anna, "carl", roles=[Role.FILER])
    made.access.users.change(anna, "carl", Change(disabled=True))
    with pytest.raises(ClashError, match="is or was"):
        made.access.users.add(anna, "carl", roles=[Role.FILER])


@pytest.mark.parametrize(
    "name", ["", "Carl", "carl smith", "-carl", "кarl", "c" * 64, "operator", "system", "me", "a/b", "a\n"]
)
def test_a_name_that_cannot_be_is_refused(made, anna, name):
    with pytest.raises(InputError) as raised:
        made.access.users.add(anna, name, roles=[Role.FILER])
    assert raised.value.faults[0].field == "name"


def test_all_that_is_wrong_is_told(made, anna):
    with pytest.raises(InputError) as raised:
        made.access.users.add(anna, "Carl", roles=[], shown="a\x07bell")
    assert [fault.field for fault in raised.value.faults] == ["name", "shown", "roles"]


def test_a_change_is_of_the_version_that_was_read(made, anna):
    made.access.users.add(anna, "carl", roles=[Role.FILER])
    version = made.access.users.user("carl").version
    after = made.access.users.change(anna, "carl", Change(shown="C"), version=version)
    assert isinstance(after, KeptUser)
    assert after.version == version + 1
    with pytest.raises(StaleError):
        made.access.users.change(anna, "carl", Change(shown="D"), version=version)


def test_a_new_password_ends_the_sessions(made, anna):
    carl = made.person("carl", Role.FILER)
    made.access.users.change(anna, "carl", Change(password="one that carl was told by telephone"))
    assert not made.access.sign_ins.still(carl)
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.sign_in("carl", OWN, address=HERE)


def test_changing_ones_own_password_ends_the_other_sessions(made):
    first = made.person("carl", Role.FILER)
    second = made.access.sign_ins.sign_in("carl", OWN, address=HERE).actor
    made.access.users.change_own_password(second, OWN, "something else that is long enough")
    assert made.access.sign_ins.still(second)
    assert not made.access.sign_ins.still(first)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", "something else that is long", "old"), (OWN, OWN, "new"), (OWN, "short", "new"),
        (OWN, "carl carl carl", "new"),
    ],
)  # fmt: skip
def test_a_bad_change_of_password_changes_nothing(made, old, new, field):
    carl = made.person("carl", Role.FILER)
    with pytest.raises(InputError) as raised:
        made.access.users.change_own_password(carl, old, new)
    assert {fault.field for fault in raised.value.faults} == {field}
    made.access.sign_ins.sign_in("carl", OWN, address=HERE)


def test_a_token_changes_no_password(made):
    made.person("carl", Role.FILER)
    token, _ = made.access.tokens.make(OPERATOR, "carl", label="t", scopes=[Scope.READ])
    actor = made.access.sign_ins.actor_of_token(token, address=HERE)
    with pytest.raises(NotAllowedError):
        made.access.users.change_own_password(actor, OWN, "something else that is long enough")


def test_users_are_listed_by_name(made, anna):
    for name in ("zoe", "carl", "bea"):
        made.access.users.add(anna, name, roles=[Role.FILER])
    assert [user.name for user in made.access.users.after(limit=3)] == ["anna", "bea", "carl"]
    assert [user.name for user in made.access.users.after("carl", limit=3)] == ["zoe"]


def test_each_change_is_recorded_in_words(made, anna):
    made.access.users.add(anna, "carl", roles=[Role.FILER])
    made.access.users.change(anna, "carl", Change(roles=[Role.LINGUIST], disabled=True))
    acts = made.access.acts.before(limit=2)
    assert acts[0].detail == {"change": "user carl: roles filer become linguist; shut out"}
    assert (acts[1].what, acts[1].user, acts[1].ref, acts[1].address) == ("user add", "anna", "user carl", HERE)
