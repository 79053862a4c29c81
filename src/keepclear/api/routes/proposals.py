"""What takes two persons: proposed by one, confirmed by another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.limits import RowId
from keepclear.api.paging import PageAsked
from keepclear.api.told_users import told_proposal
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.base import Listed
from keepclear.values.users import ProposalTold

__all__ = ["router"]

router = APIRouter(tags=["proposals"])
_Reader = Annotated[Actor, Needs(Scope.READ)]


@router.get("/proposals")
def list_proposals(node: TheNode, page: PageAsked, actor: _Reader) -> Listed[ProposalTold]:  # noqa: ARG001  # asked for to be checked
    """List what was proposed, the newest first."""
    proposals = node.access.two_persons.before(page.number_after, limit=page.limit + 1)
    items, cursor = page.answer(proposals, key=lambda proposal: [proposal.id])
    return Listed(items=[told_proposal(proposal) for proposal in items], next=cursor)


@router.get("/proposals/{number}")
def proposal(number: RowId, node: TheNode, actor: _Reader) -> ProposalTold:  # noqa: ARG001  # as above
    """One proposal."""
    return told_proposal(node.access.two_persons.proposal(number))


@router.post("/proposals/{number}/confirmation")
def confirm_proposal(number: RowId, node: TheNode, actor: _Reader) -> ProposalTold:
    """Confirm what another has proposed; it is then done. It takes the scope that the act takes."""
    return told_proposal(node.access.two_persons.confirm(actor, number))


@router.post("/proposals/{number}/refusal")
def refuse_proposal(number: RowId, node: TheNode, actor: _Reader) -> ProposalTold:
    """Refuse what another has proposed, or take back what you have."""
    return told_proposal(node.access.two_persons.refuse(actor, number))
