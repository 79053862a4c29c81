"""Filings that come one to a request, and many at once: taken, filed together and answered, past what routes need.

Such a request has gone through everything that stands before the routes. What is served here is only what is plain: the
path of a route that files one plan, no parameters, somebody who may file, a short body that is a filing of that form.
Whatever else there is goes on to the route, which takes the same, and says what is wrong where something is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from keepclear.api.answering import send_whole
from keepclear.api.filing_desk import Answer, FilingType, Wanted, filed_each
from keepclear.api.problems import response_to
from keepclear.api.turns import Turns
from keepclear.errors import KeepclearError
from keepclear.node.actors import Actor
from keepclear.node.guarding import judged_at_once
from keepclear.node.roles import Scope as Allowed
from keepclear.values.filings import OperationAsked, ZoneAsked

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["FilingFront", "Way"]

_LONGEST = 16 * 2**10  # bytes: what is longer may take long, and holds up nobody else in a thread of its own
_MOST_AT_ONCE, _ABREAST = 32, 2


class Way(NamedTuple):
    """A route that files one plan."""

    kind: FilingType
    form: type[OperationAsked | ZoneAsked]
    route: BaseRoute


class FilingFront:
    """ASGI middleware that is inside all others.

    Parameters
    ----------
    app
        What comes after it.
    node
        Where is filed.
    ways
        What it serves, by path.
    """

    def __init__(self, app: ASGIApp, *, node: Node, ways: Mapping[str, Way]) -> None:
        self._app, self._ways = app, ways
        self._turns: Turns[Wanted, Answer] = Turns(
            lambda every: filed_each(node, every), most=_MOST_AT_ONCE, abreast=_ABREAST
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        way = self._ways.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        wanted = None if way is None else _wanted(scope, way)
        if way is None or wanted is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = way.route  # under which it is counted
        try:
            answer = await self._turns.do(wanted)
        except KeepclearError as error:
            await response_to(error, scope["state"]["request_id"])(scope, receive, send)
            return
        await send_whole(send, 201, answer.body, answer.headers, media_type="application/json")


def _wanted(scope: Scope, way: Way) -> Wanted | None:
    """What is to be filed; None where that is for the route to look at."""
    actor, body = scope["state"].get("actor"), scope["state"].get("body")
    may = isinstance(actor, Actor) and Allowed.FILE in actor.scopes
    if not may or not body or len(body) > _LONGEST or scope["query_string"]:
        return None
    try:
        members = json.loads(body)
        asked = way.form.model_validate(members)
    except ValueError:
        return None
    # What a guard takes long to judge would hold up the others.
    return Wanted(way.kind, asked, actor) if judged_at_once(members) else None
