"""Every route, tried without credentials, with wrong ones, and with too weak ones: made from the application itself.

A route that is added is tried here at once, and fails if anybody may use it without having been let in on purpose.
"""

from __future__ import annotations

import re
from itertools import chain

import pytest

from keepclear.api.app import create_app
from keepclear.node.folder import NodeFolder
from keepclear.node.roles import SCOPES_OF, Role, Scope
from keepclear.node.running import Node
from tests.unit.api.nodes_served import serving

FOR_ANYBODY = {("POST", "/api/v1/sessions"), ("GET", "/healthz"), ("GET", "/readyz")}
"""What strangers may ask: to sign in, and whether the node is well."""
NO_SCOPE = {
    ("GET", "/api/v1/me"),
    ("PUT", "/api/v1/me/password"),
    ("DELETE", "/api/v1/sessions/current"),
    ("POST", "/api/v1/messages"),  # FLASH and the rest take different ones
    ("GET", "/api/v1/users/{name}/tokens"),
    ("POST", "/api/v1/users/{name}/tokens"),
    ("DELETE", "/api/v1/tokens/{id}"),
}
"""What takes no scope of its own, or one that depends on what is asked."""
NO_TOKENS = frozenset({Scope.SIGN})
"""What no program does for a person."""
VALUES = {
    "id": "RU:north:0", "line": "north", "number": "1", "name": "anna", "party": "TR", "day": "2026-01-31",
    "agreement": "sochi", "document": "9f" * 32, "plan": "9f" * 32, "source": "radar",
}  # fmt: skip


def described(folder):
    """Method, path and scopes of every route that is described; None where strangers may."""
    with Node.open(NodeFolder.create(folder / "described", "RU")) as node:
        app = create_app(node)
        for path, operations in app.openapi()["paths"].items():
            for method, operation in operations.items():
                security = operation.get("security")
                scopes = None if security is None else frozenset(chain.from_iterable(security[0].values()))
                yield method.upper(), path, scopes


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    found = list(described(tmp_path_factory.mktemp("routes")))
    assert len(found) > 60
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as served:
        served.client()  # one without credentials: the first
        yield served


def address(path):
    return re.sub(r"\{(\w+)\}", lambda match: VALUES[match[1]], path)


def asked(served, method, path, **headers):
    body = None if method in {"GET", "DELETE"} else {}
    return served.clients[0].request(
        method, f"{served.url}{address(path)}", json=body, headers={"if-match": "*", **headers}
    )


def test_only_what_is_meant_for_anybody_takes_no_credentials(routes):
    assert {(method, path) for method, path, scopes in routes if scopes is None} == FOR_ANYBODY


def test_whatever_has_no_scope_of_its_own_is_known(routes):
    assert {(method, path) for method, path, scopes in routes if scopes is not None and not scopes} == NO_SCOPE


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer kc_abcdefgh_wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Basic YW5uYTpwYXNz"},
        {"cookie": "keepclear-RU=abcdef.0123456789"},
        {"authorization": "Bearer " + "x" * 3000},
    ],
    ids=["none", "wrong token", "no token", "another scheme", "wrong cookie", "long token"],
)
def test_nobody_comes_in_without_credentials_that_hold(served, routes, headers):
    for method, path, scopes in routes:
        if scopes is not None:
            answer = asked(served, method, path, **headers)
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "bearer" in answer.headers["www-authenticate"].lower()


def test_a_token_that_ended_and_a_user_who_was_disabled_come_in_nowhere(served, routes):
    client = served.with_token("gone", Role.DUTY_OFFICER, scopes=["read"])
    token = client.headers["authorization"]
    assert client.get("/me").status_code == 200
    served.disable("gone")
    for method, path, scopes in routes:
        if scopes is not None:
            assert asked(served, method, path, authorization=token).status_code == 401, (method, path)


@pytest.mark.parametrize("role", list(Role))
def test_nobody_does_what_their_roles_do_not_allow(served, routes, role):
    has = {str(scope) for scope in SCOPES_OF[role] - NO_TOKENS}
    client = served.with_token(f"only-{role}", role, scopes=sorted(has))
    token = client.headers["authorization"]
    tried = 0
    for method, path, scopes in routes:
        if scopes and not scopes <= has:
            answer = asked(served, method, path, authorization=token)
            assert answer.status_code == 403, (method, path, answer.status_code, answer.text)
            tried += 1
    assert tried


@pytest.mark.parametrize("scope", [one for one in Scope if one not in NO_TOKENS])
def test_a_token_does_no_more_than_its_scopes(served, routes, scope):
    role = next(role for role in Role if scope in SCOPES_OF[role])
    client = served.with_token(f"narrow-{scope}", role, scopes=[str(scope)])
    token = client.headers["authorization"]
    for method, path, scopes in routes:
        if scopes and not scopes <= {str(scope)}:
            assert asked(served, method, path, authorization=token).status_code == 403, (method, path)
