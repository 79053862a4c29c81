"""The inbox of whoever is on duty."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.parameters import LineFilter, lines_asked
from keepclear.api.shown.inbox import inbox_told
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.inbox import InboxTold

__all__ = ["router"]

router = APIRouter(tags=["inbox"])


@router.get("/inbox")
def get_inbox(node: TheNode, actor: Annotated[Actor, Needs(Scope.READ)], line: LineFilter = None) -> InboxTold:
    """What is to be answered, by when, and how matters stand with what we have filed."""
    if line is not None:
        lines_asked(node, line)
    return inbox_told(node.inbox.items(line, by=actor), us=node.party)
