"""Who is on duty, and the ways by which they are alarmed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.etags import IfMatch, etag
from keepclear.api.shown.duty import channel_told, roster_told, tried_told
from keepclear.node.actors import Actor
from keepclear.node.alarm_channels import ChannelView
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.node.rosters import RosterView
from keepclear.store.node.rosters import KeptPost
from keepclear.values.alarms import (
    AlarmChannelAsked,
    AlarmChannelTold,
    ChannelTestsAsked,
    ChannelTriedTold,
    RosterAsked,
    RosterTold,
)
from keepclear.values.base import Listed

__all__ = ["router"]

router = APIRouter(tags=["duty"])
_Reader = Annotated[Actor, Needs(Scope.READ)]
_Keeper = Annotated[Actor, Needs(Scope.ROSTERS)]
_Name = Annotated[str, Path(min_length=1, max_length=40, description="The channel's name.", examples=["siren"])]


@router.get("/roster")
def get_roster(node: TheNode, actor: _Reader, response: Response) -> RosterTold:  # noqa: ARG001  # asked for to be checked
    """Who is on duty."""
    return _roster(node.rosters.get(), response)


@router.put("/roster")
def put_roster(node: TheNode, actor: _Keeper, condition: IfMatch, asked: RosterAsked, response: Response) -> RosterTold:
    """Say who is on duty, in place of who was."""
    before = node.rosters.get()
    condition.must_fit(_roster_etag(before))
    posts = [KeptPost(one.role, one.rank, one.holder, tuple(one.channels)) for one in asked.posts]
    return _roster(node.rosters.put(posts, actor, if_version=before.version), response)


@router.get("/alarm-channels")
def list_alarm_channels(node: TheNode, actor: _Keeper) -> Listed[AlarmChannelTold]:  # noqa: ARG001  # as above
    """The ways by which alarms leave the machine, without their secrets."""
    return Listed[AlarmChannelTold](items=[channel_told(one) for one in node.alarm_channels.all()])


@router.get("/alarm-channels/{name}")
def get_alarm_channel(node: TheNode, actor: _Keeper, name: _Name, response: Response) -> AlarmChannelTold:  # noqa: ARG001  # as above
    """One way by which alarms leave the machine, without its secret."""
    return _channel(node.alarm_channels.one(name), response)


@router.put("/alarm-channels/{name}")
def put_alarm_channel(
    node: TheNode, actor: _Keeper, name: _Name, condition: IfMatch, asked: AlarmChannelAsked, response: Response
) -> AlarmChannelTold:
    """Set up a way by which alarms leave the machine, or change one (`If-Match: *`); it is tried at once."""
    before = _before(node, name)
    condition.must_fit(etag("alarm channel", name, 0) if before is None else _channel_etag(before))
    version = 0 if before is None else before.version
    made = node.alarm_channels.put(name, asked.kind, asked.settings, by=actor, secret=asked.secret, if_version=version)
    return _channel(made, response)


@router.delete("/alarm-channels/{name}", status_code=204)
def drop_alarm_channel(node: TheNode, actor: _Keeper, name: _Name, condition: IfMatch) -> None:
    """Forget a way by which alarms leave the machine."""
    condition.must_fit(_channel_etag(node.alarm_channels.one(name)))
    node.alarm_channels.drop(name, by=actor)


@router.post("/alarm-channel-tests")
def test_alarm_channels(node: TheNode, actor: _Keeper, asked: ChannelTestsAsked) -> Listed[ChannelTriedTold]:
    """Send a test by one way or all, and say what became of it."""
    return Listed[ChannelTriedTold](
        items=[tried_told(one) for one in node.alarm_channels.try_now(asked.name, by=actor)]
    )


def _before(node: TheNode, name: str) -> ChannelView | None:
    try:
        return node.alarm_channels.one(name)
    except NotFoundError:
        return None


def _roster(view: RosterView, response: Response) -> RosterTold:
    response.headers["etag"] = _roster_etag(view)
    return roster_told(view)


def _channel(view: ChannelView, response: Response) -> AlarmChannelTold:
    response.headers["etag"] = _channel_etag(view)
    return channel_told(view)


def _roster_etag(view: RosterView) -> str:
    return etag("roster", view.version)


def _channel_etag(view: ChannelView) -> str:
    return etag("alarm channel", view.name, view.version)
