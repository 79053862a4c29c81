"""Who did what, for the auditor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.paging import PageAsked
from keepclear.api.told_users import told_act
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.base import Listed, Time
from keepclear.values.users import ActTold

__all__ = ["router"]

router = APIRouter(tags=["acts"])


@router.get("/acts")
def list_acts(
    node: TheNode,
    page: PageAsked,
    actor: Annotated[Actor, Needs(Scope.AUDIT)],  # noqa: ARG001  # asked for to be checked
    user: Annotated[str | None, Query(max_length=63, description="By whom.")] = None,
    what: Annotated[str | None, Query(max_length=100, description="What was done.", examples=["sign-in"])] = None,
    ref: Annotated[str | None, Query(max_length=300, description="To what.")] = None,
    from_: Annotated[Time | None, Query(alias="from", description="Not before.")] = None,
    to: Annotated[Time | None, Query(description="Before.")] = None,
) -> Listed[ActTold]:
    """List what people did, the newest first."""
    acts = node.access.acts.before(
        page.number_after, limit=page.limit + 1, user=user, what=what, ref=ref,
        from_s=None if from_ is None else from_.timestamp(), to_s=None if to is None else to.timestamp(),
    )  # fmt: skip
    items, cursor = page.answer(acts, key=lambda act: [act.id])
    return Listed(items=[told_act(act) for act in items], next=cursor)
