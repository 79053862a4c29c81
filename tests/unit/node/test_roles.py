"""Who may do what: the table of roles again, as a person would write it down, and not taken from the program."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.node.actors import OPERATOR, SYSTEM, Actor, Via
from keepclear.node.refusals import NotAllowedError
from keepclear.node.roles import SCOPES_OF, TRUSTED_SCOPES, Role, Scope, roles_of_texts, scopes_of, scopes_of_texts

# One column for each role, in this order; one row for each scope.
ROLES = [
    "party-authority", "duty-officer", "filer", "linguist", "liaison", "monitor", "humanitarian-notifier", "affiliate",
    "auditor", "key-custodian",
]  # fmt: skip
TABLE = """
read        x x x x x x x x x x
file        . x x . . . x x . .
answer      x x . . . . . . . .
say         x x . x x . x . . .
say-flash   x x x x x . x x . .
sign        x . . . . . . . . .
lines       x . . . . . . . . .
rosters     x x . . . . . . . .
users       x . . . . . . . . .
audit       . . . . . . . . x .
proofs      x x . . x x . . x x
keys        . . . . . . . . . x
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(role, row[0], row[1 + at] == "x") for row in ROWS for at, role in enumerate(ROLES)]


def test_the_table_has_every_role_and_every_scope():
    assert set(ROLES) == {role.value for role in Role} == {role.value for role in SCOPES_OF}
    assert {row[0] for row in ROWS} == {scope.value for scope in Scope}
    assert len(CELLS) == len(Role) * len(Scope)


@pytest.mark.parametrize(("role", "scope", "may"), CELLS, ids=[f"{role}-{scope}" for role, scope, _ in CELLS])
def test_a_role_may_do_what_the_table_says_and_no_more(role, scope, may):
    actor = Actor("anna", frozenset({Role(role)}), scopes_of([Role(role)]))
    assert actor.may(Scope(scope)) is may
    if may:
        actor.must(Scope(scope))
    else:
        with pytest.raises(NotAllowedError, match=rf"anna may not do this: it takes the scope {scope}$"):
            actor.must(Scope(scope))


def test_an_auditor_changes_nothing():
    assert scopes_of([Role.AUDITOR]) <= {Scope.READ, Scope.AUDIT, Scope.PROOFS}


def test_who_may_say_anything_may_say_flash():
    assert all(Scope.SAY_FLASH in scopes for scopes in SCOPES_OF.values() if scopes & {Scope.SAY, Scope.FILE})


def test_nobody_who_binds_the_party_also_keeps_its_keys():
    assert not any({Scope.SIGN, Scope.KEYS} <= scopes for scopes in SCOPES_OF.values())
    assert {Scope.SIGN, Scope.USERS, Scope.KEYS} == TRUSTED_SCOPES


def test_several_roles_may_do_what_any_of_them_may():
    assert scopes_of([Role.FILER, Role.AUDITOR]) == SCOPES_OF[Role.FILER] | SCOPES_OF[Role.AUDITOR]
    assert scopes_of([]) == frozenset()


def test_the_operator_has_all_scopes_and_the_system_only_what_a_node_says_by_itself():
    assert OPERATOR.scopes == frozenset(Scope)
    assert OPERATOR.via is Via.FOLDER
    assert SYSTEM.scopes == {Scope.READ, Scope.SAY, Scope.SAY_FLASH}


def test_names_are_read_and_all_that_are_none_are_told():
    assert roles_of_texts(["filer", "auditor"]) == (Role.FILER, Role.AUDITOR)
    assert scopes_of_texts(["say-flash"]) == (Scope.SAY_FLASH,)
    with pytest.raises(InputError) as raised:
        roles_of_texts(["filer", "Filer", "king"])
    assert [(fault.field, fault.value) for fault in raised.value.faults] == [("roles", "Filer"), ("roles", "king")]
    assert "party-authority" in raised.value.faults[0].right
