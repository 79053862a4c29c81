"""Alarms, who is on duty, and the ways by which alarms leave the machine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from keepclear.values.base import Asked, EntryId, LineName, Time, Told

__all__ = [
    "AcknowledgementAsked",
    "AlarmChannelAsked",
    "AlarmChannelTold",
    "AlarmTold",
    "ChannelTestsAsked",
    "ChannelTriedTold",
    "NoticeTold",
    "PostAsked",
    "PostTold",
    "RosterAsked",
    "RosterTold",
]

_Short = Annotated[str, Field(max_length=200)]


class NoticeTold(Told):
    """That somebody was told of an alarm, or is to be, and what became of it."""

    channel: str
    at: Time
    state: str
    tries: int = 0
    ended: Time | None = None
    note: str = ""


class AlarmTold(Told):
    """What somebody must look at, until a named person has said that they have seen it.

    Attributes
    ----------
    sentence
        To be read out. It holds no text, name or position out of anybody's entry.
    times, last
        How often it has sounded, and when last.
    over
        When its cause had gone; it is shown all the same until acknowledged.
    """

    id: int
    at: Time
    kind: str
    key: str
    sentence: str
    line: LineName | None = None
    entry: EntryId | None = None
    data: dict[str, Any] = Field(default={})
    times: int = 1
    last: Time | None = None
    over: Time | None = None
    acknowledged: Time | None = None
    acknowledged_by: str = ""
    note: str = ""
    notices: list[NoticeTold] = Field(default=[])


class AcknowledgementAsked(Asked):
    """That a person has seen an alarm."""

    note: Annotated[str, Field(max_length=2000)] = ""


class PostAsked(Asked):
    """A post: a role, its rank (0 for the holder, 1 for the first deputy …), and how its holder is reached."""

    role: Annotated[str, Field(min_length=1, max_length=63, examples=["duty officer"])]
    rank: Annotated[int, Field(ge=0, le=99)] = 0
    holder: _Short = ""
    channels: Annotated[list[Annotated[str, Field(min_length=1, max_length=63)]], Field(max_length=20)] = Field(
        default=[]
    )


class PostTold(Told):
    """A post of the roster."""

    role: str
    rank: int
    holder: str = ""
    channels: list[str] = Field(default=[])


class RosterAsked(Asked):
    """Who is on duty, in place of who was."""

    posts: Annotated[list[PostAsked], Field(min_length=1, max_length=100)]


class RosterTold(Told):
    """Who is on duty; `version` grows with each change."""

    version: int
    posts: list[PostTold]


class AlarmChannelAsked(Asked):
    """A way by which alarms leave the machine.

    Attributes
    ----------
    kind
        What it is; one that runs a command is only set up at the machine.
    settings
        As docs/howto has them for each kind.
    secret
        A password or key that goes with them; left out: as it was; empty: none. It is never given out.
    """

    kind: Literal["e-mail", "webhook", "command"]
    settings: Annotated[dict[str, Any], Field(max_length=50)]
    secret: Annotated[str, Field(max_length=4096)] | None = None


class AlarmChannelTold(Told):
    """A way by which alarms leave the machine, and whether it worked when it was last tried."""

    name: str
    kind: str
    settings: dict[str, Any]
    has_secret: bool
    version: int
    tried: Time | None = None
    worked: bool | None = None
    note: str = ""


class ChannelTestsAsked(Asked):
    """Which alarm channel is to be tried now; left out: all."""

    name: Annotated[str, Field(min_length=1, max_length=63)] | None = None


class ChannelTriedTold(Told):
    """Whether an alarm channel worked when it was tried."""

    channel: str
    worked: bool
    note: str = ""
