"""The one who is asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from keepclear.api.asking import TheNode
from keepclear.api.authentication import SignedInAs
from keepclear.node.actors import Actor, Via
from keepclear.values.users import MeTold, PasswordAsked

__all__ = ["router"]

router = APIRouter(tags=["sessions"])


@router.get("/me")
def me(node: TheNode, actor: Annotated[Actor, SignedInAs()]) -> MeTold:
    """Who you are here, and what you may do."""
    user = None if actor.via is Via.FOLDER else node.access.users.user(actor.user)
    return MeTold(
        user=actor.user, shown=user.shown if user else "", party=node.records.party, roles=sorted(actor.roles),
        scopes=sorted(actor.scopes), via=actor.via, must_change_password=user.must_change if user else False,
    )  # fmt: skip


@router.put("/me/password", status_code=204)
def change_password(asked: PasswordAsked, node: TheNode, actor: Annotated[Actor, SignedInAs()]) -> None:
    """Change your own password; your other sessions end."""
    node.access.users.change_own_password(actor, asked.old, asked.new)
