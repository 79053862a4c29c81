"""Conflicts between filings, and what became of each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.entry_pages import said_told
from keepclear.api.limits import RowId
from keepclear.api.paging import PageAsked
from keepclear.api.parameters import LineFilter, SpanAsked, lines_asked
from keepclear.api.shown.conflicts import conflicts_told
from keepclear.errors import Fault
from keepclear.node.actors import Actor
from keepclear.node.conflict_lives import ConflictState
from keepclear.node.entry_ids import EntryId
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.node.roles import Scope
from keepclear.store.node.conflicts import ConflictRow, conflict_by_id, conflicts_like
from keepclear.values.base import Listed
from keepclear.values.conflicts import ConflictTold
from keepclear.values.entries import AcceptedRiskAsked, EntrySaid

__all__ = ["router"]

router = APIRouter(tags=["conflicts"])


@router.get("/conflicts")
def list_conflicts(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # asked for to be checked
    page: PageAsked,
    span: SpanAsked,
    line: LineFilter = None,
    state: Annotated[list[ConflictState] | None, Query(description="Only in these states.")] = None,
    own: Annotated[bool | None, Query(description="Only where a filing is ours, or only where none is.")] = None,
) -> Listed[ConflictTold]:
    """Pairs of filings that come too close to each other, or may, the newest first."""
    if line is not None:
        lines_asked(node, line)
    with node.database.reading() as conn:
        rows = conflicts_like(
            conn,
            line=line,
            states=state or (),
            own=own,
            from_s=span.from_s,
            to_s=span.to_s,
            below=page.number_after,
            limit=page.limit + 1,
        )
        shown, cursor = page.answer(rows, key=lambda row: [row.id])
        return Listed[ConflictTold](items=conflicts_told(conn, shown), next=cursor)


@router.get("/conflicts/{number}")
def get_conflict(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # as above
    number: RowId,
) -> ConflictTold:
    """One conflict."""
    with node.database.reading() as conn:
        row = conflict_by_id(conn, number)
        if row is None:
            raise _none(number)
        return conflicts_told(conn, [row])[0]


@router.post("/conflicts/{number}/advisory", status_code=201)
def advise_of_conflict(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.SAY)], number: RowId, response: Response
) -> EntrySaid:
    """Tell the other party of a conflict with a filing of ours. An advisory asks for an answer, and allows nothing."""
    row = _row(node, number)
    ref = node.advising.advise(row.id)
    node.acts.note(actor, "advise", ref=str(EntryId.of(ref)), detail={"conflict": row.id})
    return said_told(node, ref, (), response)


@router.post("/conflicts/{number}/accepted-risk", status_code=201)
def accept_risk(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.ANSWER)],
    number: RowId,
    asked: AcceptedRiskAsked,
    response: Response,
) -> EntrySaid:
    """Say that we go on although the conflict stands. We speak for ourselves alone, and permit nobody."""
    row = _row(node, number)
    if not row.advisories:
        raise ClashError(Fault("nobody has advised of this conflict", "send an advisory first", value=str(number)))
    said = node.answering.accept_risk(row.advisories[-1], asked.reason, by=actor)
    return said_told(node, said.ref, said.warnings, response)


def _row(node: TheNode, number: int) -> ConflictRow:
    with node.database.reading() as conn:
        row = conflict_by_id(conn, number)
    if row is None:
        raise _none(number)
    return row


def _none(number: int) -> NotFoundError:
    return NotFoundError("conflict", field="number", value=str(number))
