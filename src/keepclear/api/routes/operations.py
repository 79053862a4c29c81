"""Operations: filing them, amending, cancelling and listing them."""

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
from keepclear.values.filings import CancelledTold, FiledTold, FilingTold, OperationAsked

__all__ = ["router"]

router = APIRouter(tags=["filings"])


@router.get("/operations")
def list_operations(
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
    """Operations that are known here, the newest first. What is not known of one never leaves it out."""
    return filing_desk.filings_listed(
        node, "operation", page, line=line, party=party, states=state, span=span, area=area, exercise=exercise
    )


@router.post("/operations", status_code=201, response_model=FiledTold)
def file_operation(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.FILE)], asked: OperationAsked, response: Response
) -> Response:
    """File an operation: tell it to the other parties. It is no request, and no answer to it is a permission."""
    return filing_desk.sent(filing_desk.filed(node, "operation", asked, actor, response), response)


@router.get("/operations/{id}")
def get_operation(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],
    entry_id: EntryInPath,
    response: Response,
) -> FilingTold:
    """One operation with its plan. That somebody read another party's plan is noted."""
    return filing_desk.filing_of_id(node, "operation", entry_id, actor, response)


@router.put("/operations/{id}")
def amend_operation(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    entry_id: EntryInPath,
    condition: IfMatch,
    asked: OperationAsked,
    response: Response,
) -> FiledTold:
    """File an operation anew, in place of an earlier one; answers to that one no longer count."""
    return filing_desk.amended(node, "operation", entry_id, asked, condition, actor, response)


@router.delete("/operations/{id}")
def cancel_operation(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    entry_id: EntryInPath,
    condition: IfMatch,
    reason: Annotated[str | None, Query(min_length=1, max_length=1000, description="Why.")] = None,
) -> CancelledTold:
    """Cancel an operation: it no longer stands, and leaves the search at once. It stays on the record."""
    return filing_desk.cancelled(node, "operation", entry_id, reason, condition, actor)
