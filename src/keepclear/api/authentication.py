"""Who is asking: a session's cookie or a bearer token, looked up once, before anything else of a request is believed.

A cookie comes with a request whoever caused it, so that with one nothing is changed on behalf of another site: browsers
say where a request comes from (``Sec-Fetch-Site``, ``Origin``), and what is not of this origin is refused. The cookie
is besides ``SameSite=Strict``, and no form can send JSON.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any

from fastapi import Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from keepclear.api.answering import refused
from keepclear.errors import KeepclearError
from keepclear.node.actors import Actor
from keepclear.node.refusals import NotAllowedError, NotSignedInError
from keepclear.node.roles import Scope as Allowed
from keepclear.node.sign_ins import SignedIn, SignIns, is_loopback

__all__ = ["Authentication", "Needs", "SignedInAs", "actor_of", "address_of", "cookie_name", "drop_cookie"]
__all__ += ["must_be_private", "set_cookie"]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="An API token: `Authorization: Bearer kc_…`")
_COOKIE = APIKeyCookie(
    name="keepclear", auto_error=False, scheme_name="session",
    description="A session, begun with POST /api/v1/sessions. The cookie's name ends in the party's name.",
)  # fmt: skip

_Bearer = Annotated[Any, Security(_BEARER)]  # these two are for the description: the middleware has looked already
_Cookie = Annotated[Any, Security(_COOKIE)]


class Authentication:
    """ASGI middleware that finds out who is asking, and leaves an `Actor` or the reason why there is none.

    Parameters
    ----------
    app
        What comes after it.
    sign_ins
        Knows sessions and tokens.
    party
        Whose node this is: part of the cookie's name, since two nodes may be at one host.
    """

    def __init__(self, app: ASGIApp, *, sign_ins: SignIns, party: str) -> None:
        self._app = app
        self._sign_ins = sign_ins
        self._party = party

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state, headers = scope.setdefault("state", {}), Headers(scope=scope)
        try:
            # Peers, who sign their requests, and strangers bring neither: nothing has to be looked up for them.
            known = "authorization" in headers or "cookie" in headers
            if known and self._is_owner(headers):  # for whom no table is asked
                state["actor"] = self._actor(scope)
            else:
                state["actor"] = await run_in_threadpool(self._actor, scope) if known else NotSignedInError()
        except NotSignedInError as error:
            state["actor"] = error
        except KeepclearError as error:
            await refused(scope, send, error)
            return
        await self._app(scope, receive, send)

    def _is_owner(self, headers: Headers) -> bool:
        given = headers.getlist("authorization")
        return len(given) == 1 and self._sign_ins.is_local(given[0].partition(" ")[2].strip())

    def _actor(self, scope: Scope) -> Actor:
        headers, address = Headers(scope=scope), address_of(scope)
        authorization = headers.getlist("authorization")
        cookie = _cookie(headers, cookie_name(scope, self._party))
        if not authorization and cookie is None:
            raise NotSignedInError
        must_be_private(scope)
        if authorization:
            kind, _, token = authorization[0].partition(" ")
            if len(authorization) > 1 or kind.lower() != "bearer":
                raise NotSignedInError("not how one signs in here", "Authorization: Bearer kc_…")
            return self._sign_ins.actor_of_token(token.strip(), address=address)
        assert cookie is not None
        if scope["method"] not in _SAFE:
            _must_be_of_this_origin(headers)
        return self._sign_ins.actor_of_cookie(cookie, address=address)


def SignedInAs() -> Any:  # noqa: N802  # reads as what it is in a signature: Annotated[Actor, SignedInAs()]
    """Marks a parameter of an endpoint that takes whoever has signed in."""
    return Security(_NeedsAll(()))


def Needs(*scopes: Allowed) -> Any:  # noqa: N802  # as above: Annotated[Actor, Needs(Scope.FILE)]
    """Marks a parameter of an endpoint that takes who has signed in, and has all these scopes."""
    return Security(_NeedsAll(scopes), scopes=[str(scope) for scope in scopes])


def set_cookie(request: Request, response: Response, party: str, signed_in: SignedIn, *, for_s: float) -> None:
    """Give a session's cookie to a browser."""
    response.set_cookie(
        cookie_name(request.scope, party), signed_in.cookie, max_age=int(for_s), path="/",
        secure=_is_to_be_secure(request.scope), httponly=True, samesite="strict",
    )  # fmt: skip


def drop_cookie(request: Request, response: Response, party: str) -> None:
    """Take it from the browser."""
    response.delete_cookie(
        cookie_name(request.scope, party), path="/", secure=_is_to_be_secure(request.scope), httponly=True,
        samesite="strict",
    )  # fmt: skip


def cookie_name(scope: Scope, party: str) -> str:
    """What the session's cookie is called; over TLS so that no other site can have set it (RFC 6265bis)."""
    return f"{'__Host-' if _is_to_be_secure(scope) else ''}keepclear-{party}"


def actor_of(request: Request) -> Actor:
    """Who is asking.

    Raises
    ------
    NotSignedInError
        If nobody knows.
    """
    found = request.scope.get("state", {}).get("actor")
    if isinstance(found, Actor):
        return found
    raise found if isinstance(found, NotSignedInError) else NotSignedInError()


def address_of(scope: Scope) -> str:
    """Where a request comes from; the server has looked through the proxies that its settings name."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def must_be_private(scope: Scope) -> None:
    """Take what proves who somebody is only over TLS, or from this machine.

    Raises
    ------
    NotAllowedError
        If it came in the clear: it must be held to be known to others.
    """
    if scope.get("scheme") != "https" and not is_loopback(address_of(scope)):
        problem = "this came in the clear, where others can read it"
        raise NotAllowedError(problem, right="https, and a new password or token, since this one may be known")


class _NeedsAll:
    """A dependency: who has signed in, if they have all these scopes."""

    def __init__(self, scopes: tuple[Allowed, ...]) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request, _bearer: _Bearer, _cookie: _Cookie) -> Actor:
        actor = actor_of(request)
        for scope in self.scopes:
            actor.must(scope)
        return actor


def _cookie(headers: Headers, name: str) -> str | None:
    for line in headers.getlist("cookie"):
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(line)
        except CookieError:
            continue
        if name in jar:
            return jar[name].value
    return None


def _must_be_of_this_origin(headers: Headers) -> None:
    site, origin, host = headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host", "")
    foreign = site not in {None, "same-origin", "none"} or (
        origin is not None and origin.partition("://")[2].lower() != host.lower()
    )
    if foreign:
        raise NotAllowedError("another site sent this in your name", right="use the node's own pages, or a token")


def _is_to_be_secure(scope: Scope) -> bool:
    return scope.get("scheme") == "https" or not is_loopback(address_of(scope))
