"""What proves who somebody is, on a connection that others can read and on one that they cannot."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import Response

from keepclear.api.authentication import Authentication, cookie_name, drop_cookie, must_be_private, set_cookie
from keepclear.node.actors import Actor
from keepclear.node.refusals import NotAllowedError, NotSignedInError
from keepclear.node.roles import Role, Scope
from tests.unit.node.access_made import LOCAL_TOKEN, OWN, Made

ABROAD, AT_HOME = "192.0.2.9", "127.0.0.1"


def scope_of(*, scheme="https", address=ABROAD, method="GET", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http", "scheme": scheme, "client": (address, 5000), "method": method, "path": "/api/v1/me",
        "headers": raw, "query_string": b"",
    }  # fmt: skip


@pytest.fixture
def made(tmp_path):
    made = Made(tmp_path / "node.db")
    yield made
    made.database.close()


def found(made, scope):
    """What the middleware leaves for the endpoints; or the status with which it answers itself."""
    sent = []

    async def app(scope, receive, send):
        sent.append(scope["state"]["actor"])

    async def send(message):
        sent.append(message)

    middleware = Authentication(app, sign_ins=made.access.sign_ins, party="RU")
    asyncio.run(middleware(scope, None, send))
    return sent[0] if not isinstance(sent[0], dict) else sent[0]["status"]


@pytest.mark.parametrize(
    ("scheme", "address", "is_private"),
    [("https", ABROAD, True), ("https", AT_HOME, True), ("http", AT_HOME, True), ("http", "::1", True),
     ("http", ABROAD, False), ("http", "", False), ("http", "10.0.0.1", False)],
)  # fmt: skip
def test_credentials_are_taken_over_tls_or_from_this_machine(made, scheme, address, is_private):
    made.person("anna", Role.FILER)
    token, _ = made.access.tokens.make(made.person("bea", Role.FILER), "bea", label="t", scopes=[Scope.READ])
    scope = scope_of(scheme=scheme, address=address, authorization=f"Bearer {token}")
    if is_private:
        must_be_private(scope)
        assert found(made, scope).user == "bea"
    else:
        with pytest.raises(NotAllowedError, match="in the clear"):
            must_be_private(scope)
        assert found(made, scope) == 403


def test_a_cookie_abroad_is_secure_and_no_other_site_can_have_set_it(made):
    made.person("anna", Role.FILER)
    signed_in = made.access.sign_ins.sign_in("anna", OWN, address=ABROAD)
    response = Response()
    set_cookie(Request(scope_of()), response, "RU", signed_in, for_s=3600)
    parts = [part.strip() for part in response.headers["set-cookie"].split(";")]
    assert parts[0] == f"__Host-keepclear-RU={signed_in.cookie}"
    assert {"HttpOnly", "SameSite=strict", "Secure", "Path=/", "Max-Age=3600"} <= set(parts)
    assert not any(part.startswith("Domain") for part in parts)
    gone = Response()
    drop_cookie(Request(scope_of()), gone, "RU")
    assert gone.headers["set-cookie"].startswith('__Host-keepclear-RU=""; ')
    # In the clear it is marked as well, so that no browser keeps it; and the prefix cannot be got round.
    assert cookie_name(scope_of(scheme="http"), "RU") == "__Host-keepclear-RU"
    assert found(made, scope_of(cookie=f"keepclear-RU={signed_in.cookie}")).__class__ is NotSignedInError
    assert found(made, scope_of(cookie=f"__Host-keepclear-RU={signed_in.cookie}")).user == "anna"
    assert found(made, scope_of(cookie=f"__Host-keepclear-TR={signed_in.cookie}")).__class__ is NotSignedInError


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer kc_x", "Digest x=1", "bearer\u00a0kc", "Bearer " * 99],
)
def test_what_is_no_token_is_nobody(made, authorization):
    assert isinstance(found(made, scope_of(authorization=authorization)), NotSignedInError)


def test_two_tokens_are_nobody(made):
    scope = scope_of(address=AT_HOME, authorization=f"Bearer {LOCAL_TOKEN}")
    assert isinstance(found(made, scope), Actor)
    twice = {**scope, "headers": scope["headers"] * 2, "state": {}}
    assert isinstance(found(made, twice), NotSignedInError)


def test_a_token_counts_before_a_cookie(made):
    made.person("anna", Role.FILER)
    cookie = made.access.sign_ins.sign_in("anna", OWN, address=AT_HOME).cookie
    scope = scope_of(address=AT_HOME, cookie=f"__Host-keepclear-RU={cookie}", authorization=f"Bearer {LOCAL_TOKEN}")
    assert found(made, scope).user == "operator"
    # And a wrong token is not made good by a cookie.
    scope = scope_of(address=AT_HOME, cookie=f"__Host-keepclear-RU={cookie}", authorization="Bearer kc_wrong")
    assert isinstance(found(made, scope), NotSignedInError)


@pytest.mark.parametrize(
    "cookie", ["=;=;", "a" * 5000, "keepclear-RU", "__Host-keepclear-RU=", '__Host-keepclear-RU="\\']
)
def test_a_strange_cookie_is_nobody(made, cookie):
    assert isinstance(found(made, scope_of(cookie=cookie)), NotSignedInError)
