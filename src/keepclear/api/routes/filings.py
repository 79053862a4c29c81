"""Filing many plans in one request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from keepclear.api import filing_desk
from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.problems import request_id_of
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.filings import FilingsAsked, FilingsTold

__all__ = ["router"]

router = APIRouter(tags=["filings"])


@router.post("/filings", response_model=FilingsTold)
def file_many(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    asked: FilingsAsked,
    request: Request,
    response: Response,
) -> Response:
    """File many plans, in their order; the answer says of each in the same place whether it was filed, or why not.

    What is wrong with one stops no other, unless `all_or_none` is asked: then the answer is a problem with the faults
    of all, and nothing was filed. Each obeys what a filing by itself obeys, and one is told of another of the list that
    it comes too close to. It is no request, and no answer to it is a permission.
    """
    told = filing_desk.filed_many(node, asked, actor, request_id_of(request))
    return filing_desk.sent(told, response, 200)
