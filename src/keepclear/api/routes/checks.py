"""Checks: what a plan would come too close to. Nobody is told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from keepclear.api import filing_desk
from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.conflicts import FoundTold
from keepclear.values.filings import CheckAsked

__all__ = ["router"]

router = APIRouter(tags=["filings"])


@router.post("/checks")
def check(node: TheNode, actor: Annotated[Actor, Needs(Scope.READ)], asked: CheckAsked) -> FoundTold:
    """Try a plan against all that this node knows, filed and drafted. Nobody is told, and nothing is kept."""
    return filing_desk.checked(node, asked, actor)
