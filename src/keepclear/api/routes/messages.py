"""Messages: what is said in words."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.entry_pages import entries_listed, said_told
from keepclear.api.paging import PageAsked
from keepclear.api.parameters import LineFilter, PartyFilter, refs_of
from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.node.talking import Attached
from keepclear.record.bodies.talk import Priority
from keepclear.record.entry_types import EntryType
from keepclear.values.base import Listed
from keepclear.values.entries import AttachmentAsked, EntryTold, MessageAsked, MessageSaid

__all__ = ["router"]

router = APIRouter(tags=["messages"])


@router.get("/messages")
def list_messages(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # asked for to be checked
    page: PageAsked,
    line: LineFilter = None,
    party: PartyFilter = None,
) -> Listed[EntryTold]:
    """Messages, the newest first, with what they say where that is held here."""
    return entries_listed(node, page, line=line, party=party, types=(EntryType.MESSAGE,), with_bodies=True)


@router.post("/messages", status_code=201)
def say_message(
    node: TheNode, actor: Annotated[Actor, Needs()], asked: MessageAsked, response: Response
) -> MessageSaid:
    """Say something. FLASH, for harm in progress, needs no text, is never refused, and takes the scope say-flash."""
    actor.must(Scope.SAY_FLASH if asked.priority is Priority.FLASH else Scope.SAY)
    said = node.talking.say(
        asked.line,
        asked.text,
        by=actor,
        priority=asked.priority,
        recipients=asked.recipients,
        language=asked.language,
        about=refs_of(node, asked.about, field="about"),
        attachments=_attached(asked.attachments),
        exercise=asked.exercise,
    )
    if said.ref is None:
        return MessageSaid(id=None, ref=None, warnings=list(said.warnings), beside=dict(said.beside))
    told = said_told(node, said.ref, said.warnings, response)
    return MessageSaid(id=told.id, ref=told.ref, warnings=told.warnings, beside=dict(said.beside))


def _attached(asked: list[AttachmentAsked]) -> list[Attached]:
    found, faults = [], list[Fault]()
    for number, one in enumerate(asked):
        try:
            found.append(Attached(one.name, one.media_type, base64.b64decode(one.content, validate=True)))
        except binascii.Error:
            faults.append(Fault("not Base64", "standard Base64 with padding", field=f"attachments[{number}].content"))
    if faults:
        raise InputError(faults)
    return found
