"""Alarms: what somebody must look at, and who has."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.limits import RowId
from keepclear.api.paging import PageAsked
from keepclear.api.shown.duty import alarm_told
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.alarms import AcknowledgementAsked, AlarmTold
from keepclear.values.base import Listed

__all__ = ["router"]

router = APIRouter(tags=["alarms"])


@router.get("/alarms")
def list_alarms(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # asked for to be checked
    page: PageAsked,
    all: Annotated[bool, Query(description="Those too that were acknowledged.")] = False,  # noqa: A002, FBT002  # a parameter of the address
) -> Listed[AlarmTold]:
    """Alarms, the newest first: those that nobody has acknowledged, or all."""
    alarms = node.alarms.listed(open_only=not all, after=page.number_after, limit=page.limit + 1)
    shown, cursor = page.answer(alarms, key=lambda one: [one.id])
    return Listed[AlarmTold](items=[alarm_told(one) for one in shown], next=cursor)


@router.get("/alarms/{number}")
def get_alarm(node: TheNode, actor: Annotated[Actor, Needs(Scope.READ)], number: RowId) -> AlarmTold:  # noqa: ARG001  # as above
    """One alarm, and whom it was told."""
    alarm, notices = node.alarms.one(number)
    return alarm_told(alarm, notices)


@router.post("/alarms/{number}/acknowledgement")
def acknowledge_alarm(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.ROSTERS)], number: RowId, asked: AcknowledgementAsked
) -> AlarmTold:
    """Say that you have seen an alarm. Who was first stays."""
    return alarm_told(node.alarms.acknowledge(number, actor, asked.note))
