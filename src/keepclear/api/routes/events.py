"""The stream of events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.event_stream import EventStream, Wanted
from keepclear.api.parameters import LineFilter, lines_asked
from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.record.canonical import MOST_INTEGER
from keepclear.store.node.events import TYPES

__all__ = ["router"]

router = APIRouter(tags=["events"])
_EXAMPLE = 'id: 17\nevent: filing\ndata: {"id":17,"at":"2026-01-31T09:00:00.000Z","type":"filing","line":"north",…}\n\n'


@router.get(
    "/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}}}},
)
def follow_events(
    request: Request,
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],
    last_event_id: Annotated[
        str | None, Header(max_length=16, description="The number of the last event seen, to go on from there.")
    ] = None,
    after: Annotated[
        int | None, Query(ge=0, le=MOST_INTEGER, description="The same, for who cannot send that header.")
    ] = None,
    type: Annotated[  # noqa: A002  # the name of the parameter
        list[Annotated[str, Query(min_length=1, max_length=40)]] | None, Query(description="Only of these types.")
    ] = None,
    line: LineFilter = None,
    wait: Annotated[  # noqa: FBT002  # a parameter of the query
        bool, Query(description="Whether to go on with what happens from now on; false: it ends after what has been.")
    ] = True,
) -> Response:
    """What happens at this node, as server-sent events, from now on or from the event after the one that is named.

    An event of the type `reset` comes first where events were missed that are kept no longer. The stream ends when
    the node stops, the session ends, or it is read too slowly; go on with the number of the last event.
    """
    if line is not None:
        lines_asked(node, line)
    strangers = [one for one in type or () if one not in TYPES]
    if strangers:
        right = f"one of: {', '.join(sorted(TYPES))}"
        raise InputError([Fault("no event is of this type", right, field="type", value=one) for one in strangers])
    seen = after if last_event_id is None else _number(last_event_id)
    return EventStream(
        request.app.state.event_feed,
        after=seen,
        wanted=Wanted(tuple(type or ()), line),
        may_still_read=lambda: node.access.sign_ins.still(actor),
        recheck_s=30.0,
        wait=wait,
    )


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= MOST_INTEGER:
        return int(text)
    raise InputError(Fault("not the number of an event", "the `id` of an event", field="Last-Event-ID", value=text))
