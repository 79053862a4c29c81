"""API tokens."""

from __future__ import annotations

import re
import string

import pytest

from keepclear.errors import InputError
from keepclear.node.actors import OPERATOR, Via
from keepclear.node.bearer_proofs import new_proof, proof_of_token
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError, NotSignedInError
from keepclear.node.roles import Role, Scope
from keepclear.node.tokens import LONGEST_S, MOST
from keepclear.node.users import Change
from tests.unit.node.access_made import HERE, Made


@pytest.fixture
def made(tmp_path):
    made = Made(tmp_path / "node.db")
    yield made
    made.database.close()


@pytest.fixture
def anna(made):
    return made.person("anna", Role.PARTY_AUTHORITY)


def test_a_token_does_what_it_was_made_for_and_no_more(made, anna):
    text, kept = made.access.tokens.make(anna, "anna", label="gateway", scopes=[Scope.READ, Scope.SAY])
    assert re.fullmatch(r"kc_[a-z0-9]{16}_[A-Za-z0-9]{64}", text)
    assert kept.id in text
    actor = made.access.sign_ins.actor_of_token(text, address=HERE)
    assert (actor.user, actor.via, actor.credential) == ("anna", Via.TOKEN, kept.id)
    assert actor.scopes == {Scope.READ, Scope.SAY}


def test_the_token_itself_is_kept_nowhere(made, anna):
    text, _ = made.access.tokens.make(anna, "anna", label="gateway", scopes=[Scope.READ])
    secret = text.rpartition("_")[2].encode()
    assert all(secret not in file.read_bytes() for file in made.path.parent.iterdir())
    assert secret.decode() not in repr(proof_of_token(text))


def test_an_owner_who_loses_a_role_takes_it_from_the_token(made):
    made.person("carl", Role.FILER, Role.LINGUIST)
    text, _ = made.access.tokens.make(OPERATOR, "carl", label="t", scopes=[Scope.READ, Scope.FILE, Scope.SAY])
    made.access.users.change(OPERATOR, "carl", Change(roles=[Role.LINGUIST]))
    assert made.access.sign_ins.actor_of_token(text, address=HERE).scopes == {Scope.READ, Scope.SAY}


def test_a_token_ends_on_its_day(made, anna):
    text, _ = made.access.tokens.make(anna, "anna", label="t", scopes=[Scope.READ], good_for_s=3600.0)
    made.clock.now_s += 3599.0
    made.access.sign_ins.actor_of_token(text, address=HERE)
    made.clock.now_s += 1.0
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.actor_of_token(text, address=HERE)


def test_a_token_is_ended_by_its_owner_or_who_keeps_users(made, anna):
    carl = made.person("carl", Role.FILER)
    dora = made.person("dora", Role.FILER)
    for by in (carl, anna):
        text, kept = made.access.tokens.make(carl, "carl", label="t", scopes=[Scope.READ])
        with pytest.raises(NotFoundError):
            made.access.tokens.end(dora, kept.id)
        made.access.sign_ins.actor_of_token(text, address=HERE)
        made.access.tokens.end(by, kept.id)
        with pytest.raises(NotSignedInError):
            made.access.sign_ins.actor_of_token(text, address=HERE)
        with pytest.raises(NotFoundError):
            made.access.tokens.end(by, kept.id)


def test_nobody_makes_a_token_for_another_and_no_token_makes_one(made, anna):
    carl = made.person("carl", Role.FILER)
    with pytest.raises(NotAllowedError, match="by its owner"):
        made.access.tokens.make(anna, "carl", label="t", scopes=[Scope.READ])
    text, _ = made.access.tokens.make(carl, "carl", label="t", scopes=[Scope.READ])
    token = made.access.sign_ins.actor_of_token(text, address=HERE)
    with pytest.raises(NotAllowedError):
        made.access.tokens.make(token, "carl", label="t", scopes=[Scope.READ])


@pytest.mark.parametrize(
    ("label", "scopes", "good_for_s", "field"),
    [
        ("", [Scope.READ], 3600.0, "label"), ("a\x1bb", [Scope.READ], 3600.0, "label"), ("t", [], 3600.0, "scopes"),
        ("t", [Scope.SIGN], 3600.0, "scopes"), ("t", [Scope.KEYS], 3600.0, "scopes"),
        ("t", [Scope.READ], 59.0, "good_for_s"), ("t", [Scope.READ], LONGEST_S + 1, "good_for_s"),
        ("t", [Scope.READ], float("nan"), "good_for_s"),
    ],
)  # fmt: skip
def test_what_a_token_cannot_be_is_refused(made, anna, label, scopes, good_for_s, field):
    with pytest.raises(InputError) as raised:
        made.access.tokens.make(anna, "anna", label=label, scopes=scopes, good_for_s=good_for_s)
    assert {fault.field for fault in raised.value.faults} == {field}
    assert made.access.tokens.of(anna, "anna", limit=10) == []


def test_a_user_has_no_more_tokens_than_can_be_looked_through(made, anna):
    for _ in range(MOST):
        _, last = made.access.tokens.make(anna, "anna", label="t", scopes=[Scope.READ])
    with pytest.raises(ClashError, match="end some"):
        made.access.tokens.make(anna, "anna", label="t", scopes=[Scope.READ])
    made.access.tokens.end(anna, last.id)
    made.access.tokens.make(anna, "anna", label="t", scopes=[Scope.READ])


def test_tokens_are_listed_for_their_owner_and_who_keeps_users(made, anna):
    carl = made.person("carl", Role.FILER)
    made.access.tokens.make(carl, "carl", label="mine", scopes=[Scope.READ])
    assert [token.label for token in made.access.tokens.of(carl, "carl", limit=5)] == ["mine"]
    assert [token.label for token in made.access.tokens.of(anna, "carl", limit=5)] == ["mine"]
    with pytest.raises(NotAllowedError):
        made.access.tokens.of(carl, "anna", limit=5)


@pytest.mark.parametrize("text", ["", "kc_", "kc__", "kc_" + "a" * 16, "Bearer x", "kc_" + "a" * 16 + "_" + "b" * 63])
def test_what_is_no_token_is_nobodys(made, text):
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.actor_of_token(text, address=HERE)


def test_secrets_are_long_and_none_comes_twice():
    proofs = {new_proof().secret for _ in range(1000)}
    assert len(proofs) == 1000
    assert all(len(secret) == 64 and set(secret) <= set(string.hexdigits) for secret in proofs)
