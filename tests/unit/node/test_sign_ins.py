"""Signing in, and who a cookie or a token speaks for."""

from __future__ import annotations

import pytest

from keepclear.node.access import Access
from keepclear.node.actors import OPERATOR, Via
from keepclear.node.refusals import NotSignedInError, TooManyTriesError
from keepclear.node.roles import SCOPES_OF, Role, Scope
from keepclear.node.sign_ins import (
    IDLE_S,
    LONGEST_SESSION_S,
    MOST_OF_ADDRESS,
    MOST_OF_BOTH,
    MOST_OF_NAME,
    WINDOW_S,
    is_loopback,
)
from keepclear.node.users import Change
from keepclear.store.node.sign_ins import failures
from tests.unit.node.access_made import GIVEN, HERE, LOCAL_TOKEN, OWN, Made


@pytest.fixture
def made(tmp_path):
    made = Made(tmp_path / "node.db")
    yield made
    made.database.close()


def wrong(made, name="anna", address=HERE):
    """One wrong try; whether it was looked at."""
    try:
        made.access.sign_ins.sign_in(name, "not the password of anybody", address=address)
    except NotSignedInError:
        return True
    except TooManyTriesError as error:
        return not 0 < error.retry_after_s <= WINDOW_S + 1
    raise AssertionError


def test_a_session_has_the_scopes_of_the_roles(made):
    actor = made.person("anna", Role.DUTY_OFFICER)
    assert (actor.user, actor.via, actor.address) == ("anna", Via.SESSION, HERE)
    assert actor.scopes == SCOPES_OF[Role.DUTY_OFFICER]


def test_a_password_that_another_set_is_good_for_nothing_but_changing_it(made):
    made.access.users.add(OPERATOR, "anna", roles=[Role.DUTY_OFFICER], password=GIVEN)
    signed_in = made.access.sign_ins.sign_in("anna", GIVEN, address=HERE)
    assert signed_in.must_change
    assert made.access.sign_ins.actor_of_cookie(signed_in.cookie, address=HERE).scopes == frozenset()
    made.access.users.change_own_password(signed_in.actor, GIVEN, OWN)
    actor = made.access.sign_ins.actor_of_cookie(signed_in.cookie, address=HERE)
    assert actor.scopes == SCOPES_OF[Role.DUTY_OFFICER]


def test_a_wrong_name_and_a_wrong_password_read_alike(made):
    made.person("anna", Role.FILER)
    told = set()
    for name, password in [("anna", "wrong"), ("nobody", OWN), ("anna", ""), ("anna", OWN + "x"), ("anna", "x" * 5000)]:
        with pytest.raises(NotSignedInError) as raised:
            made.access.sign_ins.sign_in(name, password, address=f"198.51.100.{len(password) % 200}")
        told.add(str(raised.value))
    assert len(told) == 1


def test_a_user_without_a_password_cannot_sign_in(made):
    made.access.users.add(OPERATOR, "robot", roles=[Role.FILER])
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.sign_in("robot", "", address=HERE)


def test_the_name_is_taken_as_people_type_it(made):
    made.person("anna", Role.FILER)
    assert made.access.sign_ins.sign_in(" Anna ", OWN, address=HERE).actor.user == "anna"


def test_signing_out_ends_the_session_at_once(made):
    made.person("anna", Role.FILER)
    signed_in = made.access.sign_ins.sign_in("anna", OWN, address=HERE)
    made.access.sign_ins.sign_out(signed_in.actor)
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.actor_of_cookie(signed_in.cookie, address=HERE)


def test_a_session_ends_with_the_watch_and_when_nobody_uses_it(made):
    made.person("anna", Role.FILER)
    sign_ins = made.access.sign_ins
    used = sign_ins.sign_in("anna", OWN, address=HERE)
    unused = sign_ins.sign_in("anna", OWN, address=HERE)
    begun_s = made.clock.now_s
    while made.clock.now_s + IDLE_S / 2 < begun_s + LONGEST_SESSION_S:
        made.clock.now_s += IDLE_S / 2
        sign_ins.actor_of_cookie(used.cookie, address=HERE)
    with pytest.raises(NotSignedInError):
        sign_ins.actor_of_cookie(unused.cookie, address=HERE)
    made.clock.now_s = begun_s + LONGEST_SESSION_S
    with pytest.raises(NotSignedInError):
        sign_ins.actor_of_cookie(used.cookie, address=HERE)


@pytest.mark.parametrize("change", ["secret", "id", "length", "case", "empty", "letters"])
def test_a_cookie_that_is_not_just_so_is_nobodys(made, change):
    made.person("anna", Role.FILER)
    cookie = made.access.sign_ins.sign_in("anna", OWN, address=HERE).cookie
    number, _, secret = cookie.partition(".")
    last = "0" if secret[-1] != "0" else "1"
    changed = {
        "secret": f"{number}.{secret[:-1]}{last}", "id": f"{number[::-1]}.{secret}", "length": cookie + "0",
        "case": cookie.upper(), "empty": "", "letters": "\u0661" * len(cookie),
    }[change]  # fmt: skip
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.actor_of_cookie(changed, address=HERE)
    made.access.sign_ins.actor_of_cookie(cookie, address=HERE)


def test_disabling_ends_sessions_and_tokens_at_once(made):
    made.person("anna", Role.FILER)
    cookie = made.access.sign_ins.sign_in("anna", OWN, address=HERE).cookie
    token, _ = made.access.tokens.make(OPERATOR, "anna", label="t", scopes=[Scope.READ])
    actor = made.access.sign_ins.actor_of_token(token, address=HERE)
    assert made.access.sign_ins.still(actor)
    made.access.users.change(OPERATOR, "anna", Change(disabled=True))
    for attempt in (
        lambda: made.access.sign_ins.actor_of_cookie(cookie, address=HERE),
        lambda: made.access.sign_ins.actor_of_token(token, address=HERE),
        lambda: made.access.sign_ins.sign_in("anna", OWN, address=HERE),
    ):
        with pytest.raises(NotSignedInError):
            attempt()
    assert not made.access.sign_ins.still(actor)
    # Let in again, they sign in anew; nothing that was ended comes back.
    made.access.users.change(OPERATOR, "anna", Change(disabled=False))
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.actor_of_token(token, address=HERE)
    made.access.sign_ins.sign_in("anna", OWN, address=HERE)


def test_losing_a_role_is_felt_by_the_session_that_is_open(made):
    actor = made.person("anna", Role.FILER, Role.LINGUIST)
    assert made.access.sign_ins.still(actor)
    made.access.users.change(OPERATOR, "anna", Change(roles=[Role.LINGUIST]))
    assert not made.access.sign_ins.still(actor)


def test_the_folders_token_is_the_operator_and_only_from_this_machine(made):
    for address in ("127.0.0.1", "::1"):
        actor = made.access.sign_ins.actor_of_token(LOCAL_TOKEN, address=address)
        assert (actor.user, actor.via, actor.scopes) == ("operator", Via.FOLDER, frozenset(Scope))
    for address in (HERE, "", "localhost"):
        with pytest.raises(NotSignedInError):
            made.access.sign_ins.actor_of_token(LOCAL_TOKEN, address=address)
    with pytest.raises(NotSignedInError):
        made.access.sign_ins.actor_of_token(LOCAL_TOKEN + "x", address="127.0.0.1")


# --- guessing --------------------------------------------------------------------------------------------------------


def test_guessing_from_one_address_stops_and_a_restart_does_not_clear_it(made):
    made.person("anna", Role.FILER)
    assert [wrong(made) for _ in range(MOST_OF_BOTH + 2)] == [True] * MOST_OF_BOTH + [False] * 2
    made = made.again()
    assert not wrong(made)
    with pytest.raises(TooManyTriesError):  # not even with the right one
        made.access.sign_ins.sign_in("anna", OWN, address=HERE)
    made.clock.now_s += WINDOW_S + 1
    made.access.sign_ins.sign_in("anna", OWN, address=HERE)
    made.database.close()


def test_a_right_password_clears_the_wrong_ones_of_that_name_and_address(made):
    made.person("anna", Role.FILER)
    for _ in range(3):
        assert [wrong(made) for _ in range(MOST_OF_BOTH - 1)] == [True] * (MOST_OF_BOTH - 1)
        made.access.sign_ins.sign_in("anna", OWN, address=HERE)


def test_a_stranger_who_guesses_from_everywhere_is_stopped_and_the_officer_is_not(made):
    made.person("anna", Role.FILER)  # who has signed in from HERE
    looked_at = [wrong(made, address=f"203.0.113.{number}") for number in range(MOST_OF_NAME + 5)]
    assert looked_at == [True] * MOST_OF_NAME + [False] * 5
    made.access.sign_ins.sign_in("anna", OWN, address=HERE)
    assert not wrong(made, address="203.0.113.99")


def test_an_address_that_tries_many_names_is_stopped(made):
    looked_at = [wrong(made, name=f"user{number}") for number in range(MOST_OF_ADDRESS + 3)]
    assert looked_at == [True] * MOST_OF_ADDRESS + [False] * 3
    assert wrong(made, name="user0", address="198.51.100.9")


def test_the_addresses_of_one_customer_count_as_one(made):
    looked_at = [wrong(made, address=f"2001:db8:1:2::{number:x}") for number in range(1, MOST_OF_BOTH + 3)]
    assert looked_at == [True] * MOST_OF_BOTH + [False] * 2
    assert wrong(made, address="2001:db8:1:3::1")


def test_what_was_typed_for_a_name_is_not_kept(made):
    made.person("anna", Role.FILER)
    typed = "harbour lantern typed in the wrong place"
    wrong(made, name=typed)
    with made.database.reading() as conn:
        assert failures(conn, since_s=0, name=typed)[0] == 1
    made.database.close()
    for file in made.path.parent.iterdir():
        assert typed.encode() not in file.read_bytes()
    assert "sign-in failed" not in Made(made.path).whats()  # nobody of that name


def test_sign_ins_are_recorded_with_who_and_from_where(made):
    made.person("anna", Role.FILER)
    wrong(made, address="198.51.100.3")
    acts = made.access.acts.before(limit=10)
    assert (acts[0].what, acts[0].user, acts[0].address) == ("sign-in failed", "anna", "198.51.100.3")
    assert [act.what for act in acts][1:3] == ["password change", "sign-in"]
    assert acts[2].credential == acts[1].credential != ""
    assert all(OWN not in str(act) and GIVEN not in str(act) for act in acts)


@pytest.mark.parametrize(
    ("address", "is_it"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("", False)]
)
def test_loopback(address, is_it):
    assert is_loopback(address) is is_it


def test_a_hash_made_at_another_cost_is_made_anew_at_the_next_sign_in(made):
    made.person("anna", Role.FILER)
    before = made.access.users.user("anna").password
    sign_ins = Access(made.database, made.clock).sign_ins  # at the usual cost
    sign_ins.sign_in("anna", OWN, address=HERE)
    after = made.access.users.user("anna").password
    assert "m=8," in before
    assert "m=65536," in after
    sign_ins.sign_in("anna", OWN, address=HERE)
    assert made.access.users.user("anna").password == after
