"""The whole of the node's HTTP: routes, and what is round them.

From outside to inside: an id and a line in the log (`frame`), who is asking (`authentication`), what no request may be
(`limits`), requests sent twice (`idempotency`), and the routes. Who is asking comes before the body is read, so that a
stranger cannot make the node read much.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from keepclear.api.authentication import Authentication
from keepclear.api.description import described_at, describing
from keepclear.api.entrance import Entrances, admitted
from keepclear.api.event_feed import EventFeed
from keepclear.api.event_stream import frame_of
from keepclear.api.filing_desk import FilingType
from keepclear.api.filing_front import FilingFront, Way
from keepclear.api.frame import Frame
from keepclear.api.idempotency import Idempotency
from keepclear.api.limits import Limits
from keepclear.api.metrics import Meters, RequestMeter
from keepclear.api.peers import peers_router
from keepclear.api.problems import add_handlers
from keepclear.clock import monotonic_s
from keepclear.values.filings import OperationAsked, ZoneAsked

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["ROUTES", "create_app"]

PREFIX = "/api/v1"
ROUTES = (
    "acts", "agreements", "alarms", "bundles", "checks", "conflicts", "drafts", "encounters", "entries", "events",
    "filings", "inbox", "joint_plans", "lines", "me", "messages", "operations", "positions", "proposals", "rosters",
    "series", "sessions", "tokens", "users", "zones",
)  # fmt: skip
"""Modules of `keepclear.api.routes` whose `router` is under ``/api/v1``."""
_BUSY = frozenset({"filings", "operations", "zones"})
_MAKING = threading.Lock()
OUTSIDE = ("health", "metrics")
"""Modules of `keepclear.api` whose `router` is where its paths say."""


def create_app(node: Node) -> FastAPI:
    """The HTTP application of a node.

    Parameters
    ----------
    node
        The node; it must be open, and is started and stopped by who opened it.
    """
    app = FastAPI(
        openapi_url=None,  # see `described_at`
        docs_url=None, redoc_url=None,  # their pages load scripts from elsewhere
        dependencies=[Depends(admitted)], generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.node = node
    app.state.cursor_secret = node.access.secret("cursors")
    app.state.event_feed = feed = EventFeed(node.database, node.bell, frame_of=frame_of)
    app.state.meters = meters = Meters(node, feed)
    feed.start()  # it ends when the node stops
    for name in sorted(ROUTES, key=_BUSY.__contains__, reverse=True):  # a request is held against one after another
        app.include_router(import_module(f"keepclear.api.routes.{name}").router, prefix=PREFIX)
    for name in OUTSIDE:
        app.include_router(import_module(f"keepclear.api.{name}").router)
    app.include_router(peers_router(node))
    add_handlers(app)
    app.openapi = describing(app)  # type: ignore[method-assign]  # as FastAPI's documentation has it
    described_at(app, f"{PREFIX}/openapi.json")
    app.state.entrances = Entrances()
    # The last is outermost.
    app.add_middleware(FilingFront, node=node, ways=_ways())
    app.add_middleware(Idempotency, kept=node.access.kept_answers, secret=node.access.secret("requests"))
    app.add_middleware(Limits)
    app.add_middleware(Authentication, sign_ins=node.access.sign_ins, party=node.records.party)
    app.add_middleware(Frame, stopwatch=monotonic_s)
    app.add_middleware(RequestMeter, meters=meters, stopwatch=monotonic_s)
    _made_ready(app)
    return app


def _ways() -> dict[str, Way]:
    """The routes that file one plan, by path."""
    kinds: tuple[tuple[FilingType, type[OperationAsked | ZoneAsked]], ...] = (
        ("operation", OperationAsked), ("zone", ZoneAsked),
    )  # fmt: skip
    found = {}
    for kind, form in kinds:
        routes = import_module(f"keepclear.api.routes.{kind}s").router.routes
        (route,) = (one for one in routes if isinstance(one, APIRoute) and one.name == f"file_{kind}")
        found[PREFIX + route.path] = Way(kind, form, route)
    return found


def _made_ready(app: FastAPI) -> None:
    """Have every route made now, by one thread, and not by the first requests.

    FastAPI makes the routes of a router when something is asked of them first. Several that do so at once, of one
    application or of several in a process, turn Pydantic's warnings off and on under each other's feet.
    """
    asked = {"type": "http", "method": "GET", "path": "/-", "root_path": "", "headers": [], "app": app}
    with _MAKING:
        for route in app.router.routes:
            route.matches(dict(asked))


def _operation_id(route: APIRoute) -> str:
    return route.name
