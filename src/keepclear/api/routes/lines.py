"""Lines: beginning and joining them, who is on them, and how their channels are."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.entry_pages import said_told
from keepclear.api.limits import RowId
from keepclear.api.parameters import LineInPath, lines_asked
from keepclear.api.shown.lines import line_told, members_told, status_told
from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.node.actors import Actor
from keepclear.node.inviting import Answered
from keepclear.node.roles import Scope
from keepclear.values.base import Listed, moment, moment_or_none
from keepclear.values.entries import EntrySaid
from keepclear.values.lines import (
    AcceptanceAsked,
    AcceptanceTold,
    AdmissionAsked,
    InvitationAsked,
    InvitationFileAsked,
    InvitationLookTold,
    InvitationTold,
    InvitedTold,
    JoinedTold,
    JoiningAsked,
    LeavingAsked,
    LineAsked,
    LineStatusTold,
    LineTold,
    MembersTold,
    RemovalAsked,
)

__all__ = ["router"]

router = APIRouter(tags=["lines"])
_Reader = Annotated[Actor, Needs(Scope.READ)]
_Keeper = Annotated[Actor, Needs(Scope.LINES)]


@router.get("/lines")
def list_lines(node: TheNode, actor: _Reader) -> Listed[LineTold]:  # noqa: ARG001  # asked for to be checked
    """The lines that this party is on, has left, or asked to join."""
    return Listed[LineTold](items=[line_told(node, one) for one in node.lines.all()])


@router.post("/lines", status_code=201)
def begin_line(node: TheNode, actor: _Keeper, asked: LineAsked, response: Response) -> LineTold:
    """Begin a line, with this party alone on it."""
    known = node.lines.new(asked.name, line=asked.line, by=actor)
    response.headers["location"] = f"/api/v1/lines/{known.line}"
    return line_told(node, known)


@router.post("/lines/joinings", status_code=201)
def join_line(node: TheNode, actor: _Keeper, asked: JoiningAsked) -> JoinedTold:
    """Answer an invitation, with the words that the inviting party's people read out over a telephone."""
    joined = node.lines.join(_file(asked.invitation, "invitation"), asked.words, by=actor)
    return JoinedTold(
        line=joined.line,
        inviter=joined.inviter,
        acceptance=_text(joined.acceptance),
        addresses=list(joined.addresses),
    )


@router.post("/lines/invitation-looks")
def look_at_invitation(node: TheNode, actor: _Reader, asked: InvitationFileAsked) -> InvitationLookTold:  # noqa: ARG001  # as above
    """What an invitation says, before anybody acts on it. Nothing proves it before the words are compared."""
    seen = node.lines.look(_file(asked.invitation, "invitation"))
    return InvitationLookTold(
        line=seen.line,
        name=seen.name,
        party=seen.party,
        party_name=seen.party_name,
        addresses=list(seen.addresses),
        expires=moment_or_none(seen.expires_s),
    )


@router.get("/lines/{line}")
def get_line(node: TheNode, actor: _Reader, line: LineInPath) -> LineTold:  # noqa: ARG001  # as above
    """One line."""
    return line_told(node, node.lines.known(line))


@router.get("/lines/{line}/members")
def list_members(node: TheNode, actor: _Reader, line: LineInPath) -> MembersTold:  # noqa: ARG001  # as above
    """Who is on a line, who asks to be, and who is to leave it, as the logs say that are held here."""
    return members_told(line, node.lines.members(line))


@router.get("/lines/{line}/status")
def get_line_status(node: TheNode, actor: _Reader, line: LineInPath) -> LineStatusTold:  # noqa: ARG001  # as above
    """How the channels of a line are. It says nothing about any agreement."""
    lines_asked(node, line)
    return status_told(node, line)


@router.get("/lines/{line}/invitations")
def list_invitations(node: TheNode, actor: _Keeper, line: LineInPath) -> Listed[InvitationTold]:  # noqa: ARG001  # as above
    """The invitations that were written here, and what came of each."""
    items = [
        InvitationTold(
            id=one.id,
            line=one.line,
            state=one.state.value,
            made_at=moment_or_none(one.made_s),
            expires=moment_or_none(one.expires_s),
            party=one.party,
        )
        for one in node.lines.invitations(line)
    ]
    return Listed[InvitationTold](items=items)


@router.post("/lines/{line}/invitations", status_code=201)
def invite(node: TheNode, actor: _Keeper, line: LineInPath, asked: InvitationAsked) -> InvitedTold:
    """Write an invitation, for one party: a file to hand over. It is shown this once."""
    invited = node.lines.invite(line, valid_s=asked.valid_s, by=actor)
    return InvitedTold(id=invited.id, invitation=_text(invited.data), expires=moment(invited.expires_s))


@router.delete("/lines/{line}/invitations/{number}", status_code=204)
def withdraw_invitation(node: TheNode, actor: _Keeper, line: LineInPath, number: RowId) -> None:
    """Take an invitation back; it can be answered no more."""
    node.lines.known(line)
    node.lines.withdraw(number, by=actor)


@router.get("/lines/{line}/acceptances")
def list_acceptances(node: TheNode, actor: _Keeper, line: LineInPath) -> Listed[AcceptanceTold]:  # noqa: ARG001  # as above
    """Parties that answered an invitation, and wait for the words to be compared."""
    return Listed[AcceptanceTold](items=[_answered(one) for one in node.lines.acceptances(line)])


@router.post("/lines/{line}/acceptances", status_code=201)
def take_acceptance(node: TheNode, actor: _Keeper, line: LineInPath, asked: AcceptanceAsked) -> AcceptanceTold:  # noqa: ARG001  # as above
    """Take in the answer to an invitation from a file, where it could not be sent."""
    node.lines.known(line)
    try:
        return _answered(node.lines.take_acceptance(_file(asked.acceptance, "acceptance")))
    except (PeerError, IntegrityError) as error:
        right = "the file that the invited party wrote, as it is"
        raise InputError(Fault(str(error), right, field="acceptance")) from None


@router.post("/lines/{line}/admissions", status_code=201)
def admit(node: TheNode, actor: _Keeper, line: LineInPath, asked: AdmissionAsked, response: Response) -> EntrySaid:
    """Say that a party is on the line, with the words that its people read out over a telephone."""
    ref = node.lines.admit(line, asked.party, asked.words, start=asked.start, by=actor)
    return said_told(node, ref, (), response)


@router.post("/lines/{line}/leaving", status_code=201)
def leave(node: TheNode, actor: _Keeper, line: LineInPath, asked: LeavingAsked, response: Response) -> EntrySaid:
    """Leave a line."""
    return said_told(node, node.lines.leave(line, asked.reason, by=actor), (), response)


@router.post("/lines/{line}/removals", status_code=201)
def remove(node: TheNode, actor: _Keeper, line: LineInPath, asked: RemovalAsked, response: Response) -> EntrySaid:
    """Say that a party is to be on the line no longer; it takes the word of all others."""
    return said_told(node, node.lines.remove(line, asked.party, asked.reason, by=actor), (), response)


@router.post("/lines/{line}/tests", status_code=201)
def begin_line_test(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.ROSTERS)], line: LineInPath, response: Response
) -> EntrySaid:
    """Test a line: every character that messages may need goes to all on it, and is to come back."""
    lines_asked(node, line)
    return said_told(node, node.line_tests.begin(line, by=actor), (), response)


def _answered(one: Answered) -> AcceptanceTold:
    return AcceptanceTold(
        id=one.id,
        party=one.party,
        party_name=one.party_name,
        addresses=list(one.addresses),
        came_at=moment_or_none(one.came_s),
    )


def _file(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InputError(Fault("not Base64", "the whole file in standard Base64", field=field)) from None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
