"""Which passwords are good enough, and what is kept of them."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from keepclear.errors import InputError
from keepclear.node.passwords import Passwords, check_password
from keepclear.node.refusals import TooManyTriesError

GOOD = "harbour lantern seven mule"


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "fewer than 12"),
        ("elevenchars", "fewer than 12"),
        ("x" * 300 + "abcdef", "more than 256"),
        ("aaaaaaaaaaaaaaaa", "over and over"),
        ("abababababababab", "over and over"),
        ("anna anna anna!", "hardly more than a name"),
        ("AnnaKowalski2026", "hardly more than a name"),
        ("with a null \0 in it", "nobody can type"),
        ("half a pair \ud800 of it", "nobody can type"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password, problem):
    with pytest.raises(InputError) as raised:
        check_password(password, names=["anna", "Anna Kowalski"], field="new")
    assert any(problem in fault.problem for fault in raised.value.faults)
    assert {fault.field for fault in raised.value.faults} == {"new"}
    assert not any(fault.value for fault in raised.value.faults)
    assert password == "" or password not in str(raised.value)


@pytest.mark.parametrize(
    "password", [GOOD, "тихая медная гавань", "anna went to the harbour twice", "١٢٣٤٥٦ نافذة هادئة"]
)
def test_a_long_password_in_any_script_is_taken(password):
    assert check_password(password, names=["anna"]) == password


def test_a_hash_says_nothing_of_the_password_and_no_two_are_alike():
    passwords = Passwords()
    first, second = passwords.hashed(GOOD), passwords.hashed(GOOD)
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second
    assert passwords.match(first, GOOD)
    assert not passwords.match(first, GOOD + " ")
    assert not passwords.is_outdated(first)
    assert passwords.is_outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")


def test_without_a_hash_nothing_matches():
    passwords = Passwords()
    assert not passwords.match("", "")
    assert not passwords.match("", "a password that nobody has")
    assert not passwords.match("no hash at all", GOOD)


@pytest.mark.parametrize("cost", [RFC_9106_LOW_MEMORY, CHEAPEST])
def test_where_there_is_no_hash_just_as_much_is_computed(cost):
    of_nobody = Passwords(cost)._nobodys
    assert extract_parameters(of_nobody) == cost
    with pytest.raises(VerifyMismatchError):  # it was computed and compared, and not refused for its form
        PasswordHasher().verify(of_nobody, GOOD)


def test_one_password_typed_on_two_machines_is_one():
    passwords = Passwords()
    assert passwords.match(passwords.hashed("café of the old port"), "cafe\u0301 of the old port")


def test_who_comes_while_many_wait_is_asked_to_come_again():
    passwords = Passwords()
    outcomes: list[object] = []

    def attempt():
        try:
            outcomes.append(passwords.match("", GOOD))
        except TooManyTriesError as error:
            outcomes.append(error.retry_after_s)

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(False) >= 20
    assert outcomes.count(5) == 40 - outcomes.count(False) > 0
