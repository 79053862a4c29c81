"""Drafts: plans that are not filed yet, and never leave this node."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.etags import IfMatch, etag
from keepclear.api.filing_desk import FilingType, filed_told
from keepclear.api.limits import RowId
from keepclear.api.paging import PageAsked
from keepclear.api.shown.filings import found_told
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.base import Listed, moment
from keepclear.values.conflicts import FoundTold
from keepclear.values.filings import DraftAsked, DraftTold, FiledTold

__all__ = ["router"]

router = APIRouter(tags=["drafts"])


@router.get("/drafts")
def list_drafts(node: TheNode, actor: Annotated[Actor, Needs(Scope.FILE)], page: PageAsked) -> Listed[DraftTold]:
    """The drafts of this party, the oldest first."""
    drafts = node.drafts.listed(by=actor, after=page.number_after, limit=page.limit + 1)
    shown, cursor = page.answer(drafts, key=lambda one: [one.id])
    return Listed[DraftTold](items=[_told(one) for one in shown], next=cursor)


@router.post("/drafts", status_code=201)
def keep_draft(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.FILE)], asked: DraftAsked, response: Response
) -> DraftTold:
    """Keep a plan that is not filed; it may be incomplete."""
    draft = node.drafts.keep(_members(asked), by=actor)
    response.headers["location"] = f"/api/v1/drafts/{draft.id}"
    return _with_etag(draft, response)


@router.get("/drafts/{number}")
def get_draft(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    number: RowId,
    response: Response,
) -> DraftTold:
    """One draft."""
    return _with_etag(node.drafts.get(number, by=actor), response)


@router.put("/drafts/{number}")
def change_draft(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    number: RowId,
    condition: IfMatch,
    asked: DraftAsked,
    response: Response,
) -> DraftTold:
    """Put another plan in place of a draft."""
    draft = node.drafts.get(number, by=actor)
    condition.must_fit(_etag(draft))
    return _with_etag(node.drafts.change(number, _members(asked), version=draft.version, by=actor), response)


@router.delete("/drafts/{number}", status_code=204)
def drop_draft(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    number: RowId,
    condition: IfMatch,
) -> None:
    """Drop a draft."""
    draft = node.drafts.get(number, by=actor)
    condition.must_fit(_etag(draft))
    node.drafts.drop(number, version=draft.version, by=actor)


@router.post("/drafts/{number}/checks")
def check_draft(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    number: RowId,
) -> FoundTold:
    """Try a draft against all that this node knows. Nobody is told."""
    return found_told(node.drafts.check(number, by=actor))


@router.post("/drafts/{number}/filing", status_code=201)
def file_draft(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    number: RowId,
    response: Response,
) -> FiledTold:
    """File a draft; then it is a draft no longer."""
    draft = node.drafts.get(number, by=actor)
    kind: FilingType = "zone" if draft.content.get("zone") is not None else "operation"
    return filed_told(node, kind, node.drafts.file(number, by=actor), response)


def _members(asked: DraftAsked) -> dict[str, Any]:
    return asked.model_dump(mode="json", exclude_unset=True)


def _told(draft: Any) -> DraftTold:
    return DraftTold(
        id=draft.id,
        version=draft.version,
        by=draft.by,
        changed_at=moment(draft.changed_s),
        line=draft.line,
        draft=dict(draft.content),
    )


def _etag(draft: Any) -> str:
    return etag("draft", draft.id, draft.version)


def _with_etag(draft: Any, response: Response) -> DraftTold:
    response.headers["etag"] = _etag(draft)
    return _told(draft)
