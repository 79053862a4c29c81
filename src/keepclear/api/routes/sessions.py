"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import SignedInAs, address_of, drop_cookie, must_be_private, set_cookie
from keepclear.node.actors import Actor
from keepclear.node.sign_ins import LONGEST_SESSION_S
from keepclear.values.base import moment
from keepclear.values.users import SessionAsked, SessionTold

__all__ = ["router"]

router = APIRouter(tags=["sessions"])


@router.post("/sessions", status_code=201)
def sign_in(asked: SessionAsked, request: Request, response: Response, node: TheNode) -> SessionTold:
    """Sign in with name and password; the answer sets the session's cookie."""
    must_be_private(request.scope)
    signed_in = node.access.sign_ins.sign_in(asked.name, asked.password, address=address_of(request.scope))
    set_cookie(request, response, node.records.party, signed_in, for_s=LONGEST_SESSION_S)
    actor = signed_in.actor
    return SessionTold(
        user=actor.user, roles=sorted(actor.roles), scopes=sorted(actor.scopes), ends=moment(signed_in.ends_s),
        must_change_password=signed_in.must_change,
    )  # fmt: skip


@router.delete("/sessions/current", status_code=204)
def sign_out(request: Request, response: Response, node: TheNode, actor: Annotated[Actor, SignedInAs()]) -> None:
    """Sign out: the session ends at once."""
    node.access.sign_ins.sign_out(actor)
    drop_cookie(request, response, node.records.party)
