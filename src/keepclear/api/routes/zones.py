"""Zones: filing them, amending, cancelling and listing them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from keepclear.api import filing_desk
from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.etags import IfMatch
from keepclear.api.filing_desk import ExerciseFilter, StateFilter
from keepclear.api.paging import PageAsked
from keepclear.api.parameters import AreaAsked, EntryInPath, LineFilter, PartyFilter, SpanAsked
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.base import Listed
from keepclear.values.filings import CancelledTold, FiledTold, FilingTold, ZoneAsked

__all__ = ["router"]

router = APIRouter(tags=["filings"])


@router.get("/zones")
def list_zones(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # asked for to be checked
    page: PageAsked,
    span: SpanAsked,
    area: AreaAsked,
    line: LineFilter = None,
    party: PartyFilter = None,
    state: StateFilter = None,
    exercise: ExerciseFilter = None,
) -> Listed[FilingTold]:
    """Zones that are known here, the newest first. What is not known of one never leaves it out."""
    return filing_desk.filings_listed(
        node, "zone", page, line=line, party=party, states=state, span=span, area=area, exercise=exercise
    )


@router.post("/zones", status_code=201, response_model=FiledTold)
def file_zone(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.FILE)], asked: ZoneAsked, response: Response
) -> Response:
    """File a zone: tell it to the other parties. It is no request, and no answer to it is a permission."""
    return filing_desk.sent(filing_desk.filed(node, "zone", asked, actor, response), response)


@router.get("/zones/{id}")
def get_zone(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],
    entry_id: EntryInPath,
    response: Response,
) -> FilingTold:
    """One zone with its plan. That somebody read another party's plan is noted."""
    return filing_desk.filing_of_id(node, "zone", entry_id, actor, response)


@router.put("/zones/{id}")
def amend_zone(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    entry_id: EntryInPath,
    condition: IfMatch,
    asked: ZoneAsked,
    response: Response,
) -> FiledTold:
    """File a zone anew, in place of an earlier one; answers to that one no longer count."""
    return filing_desk.amended(node, "zone", entry_id, asked, condition, actor, response)


@router.delete("/zones/{id}")
def cancel_zone(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    entry_id: EntryInPath,
    condition: IfMatch,
    reason: Annotated[str | None, Query(min_length=1, max_length=1000, description="Why.")] = None,
) -> CancelledTold:
    """Cancel a zone: it no longer stands, and leaves the search at once. It stays on the record."""
    return filing_desk.cancelled(node, "zone", entry_id, reason, condition, actor)
