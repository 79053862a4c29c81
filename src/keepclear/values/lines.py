"""Lines: who shares one, how one is joined, and how the channels to its members are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keepclear.values.base import Asked, EntryId, LineName, PartyName, ShortText, Time, Told

__all__ = [
    "AcceptanceAsked",
    "AcceptanceTold",
    "AdmissionAsked",
    "AskingTold",
    "CarriedTold",
    "ChannelTold",
    "InvitationAsked",
    "InvitationFileAsked",
    "InvitationLookTold",
    "InvitationTold",
    "InvitedTold",
    "JoinedTold",
    "JoiningAsked",
    "LeavingAsked",
    "LineAsked",
    "LineStatusTold",
    "LineTold",
    "MemberTold",
    "MembersTold",
    "RemovalAsked",
    "RemovalTold",
]

_Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$", min_length=4, max_length=1_400_000)]
Words = Annotated[
    str, Field(min_length=1, max_length=1000, examples=["the words that the other party read out over the telephone"])
]


class LineAsked(Asked):
    """A line to begin, with one party on it: this one."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["North-east"])]
    line: LineName | None = None


class LineTold(Told):
    """A line that this party is on, or has asked to join."""

    line: LineName
    name: str = ""
    root: EntryId
    member: bool
    members: list[PartyName] = Field(default=[])


class MemberTold(Told):
    """A party on a line; `identity` is the fingerprint of its identity key."""

    party: PartyName
    name: str = ""
    identity: str
    since: Time | None
    through: list[PartyName] = Field(default=[])
    addresses: list[str] = Field(default=[])
    words_compared_by: list[PartyName] = Field(default=[])


class AskingTold(Told):
    """A party that has said that it joins, and is no member, and why not."""

    party: PartyName
    identity: str
    why: str


class RemovalTold(Told):
    """What members said of removing another: who has said so, who is still to, and whether it is removed by this."""

    party: PartyName
    by: list[PartyName]
    missing: list[PartyName]
    complete: bool
    until: int


class MembersTold(Told):
    """Who is on a line, who asks to be, and who is to leave it."""

    line: LineName
    name: str
    members: list[MemberTold]
    asking: list[AskingTold] = Field(default=[])
    removals: list[RemovalTold] = Field(default=[])
    unread: list[str] = Field(default=[])


class InvitationAsked(Asked):
    """For how long an invitation is to be good."""

    valid_s: Annotated[float, Field(ge=60.0, le=366 * 86_400.0)] = 7 * 86_400.0


class InvitedTold(Told):
    """An invitation to hand over: `invitation` is the file in Base64."""

    id: int
    invitation: str
    expires: Time


class InvitationTold(Told):
    """An invitation that was made here."""

    id: int
    line: LineName
    state: str
    made_at: Time | None = None
    expires: Time | None
    party: PartyName | None = None


class InvitationLookTold(Told):
    """What an invitation says, before anybody acts on it."""

    line: LineName
    name: str
    party: PartyName
    party_name: str = ""
    addresses: list[str] = Field(default=[])
    expires: Time | None


class JoiningAsked(Asked):
    """To join a line.

    Attributes
    ----------
    invitation
        The file that the inviting party handed over, in Base64.
    words
        What the inviting party's people read out over the telephone, typed as it was heard.
    """

    invitation: _Base64
    words: Words


class InvitationFileAsked(Asked):
    """An invitation to be looked at: the file that the inviting party handed over, in Base64."""

    invitation: _Base64


class JoinedTold(Told):
    """That we ask to be on a line: `acceptance` is the file for the inviting party, in Base64."""

    line: LineName
    inviter: PartyName
    acceptance: str
    addresses: list[str] = Field(default=[])


class AcceptanceAsked(Asked):
    """The file with which a party accepted an invitation of ours, in Base64."""

    acceptance: _Base64


class AcceptanceTold(Told):
    """A party that accepted an invitation of ours, and waits to be admitted."""

    id: int
    party: PartyName
    party_name: str = ""
    addresses: list[str] = Field(default=[])
    came_at: Time | None


class AdmissionAsked(Asked):
    """To admit a party that accepted.

    Attributes
    ----------
    words
        What its people read out over the telephone, typed as it was heard.
    start
        From which index of our log it gets what was said: 0, the start, or left out. Anything else is refused.
    """

    party: PartyName
    words: Words
    start: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class LeavingAsked(Asked):
    """To leave a line."""

    reason: ShortText | None = None


class RemovalAsked(Asked):
    """That a party is to be on the line no longer; it takes the word of all others."""

    party: PartyName
    reason: ShortText | None = None


class ChannelTold(Told):
    """The channel to one party. It says nothing about any agreement.

    Attributes
    ----------
    clock_ahead_s
        By how much its clock is ahead of ours; null where that is not known.
    behind
        How many entries of ours it has not given a receipt for, which proves nothing; null where that is not known.
    trouble
        Why our log does not get there, or it cannot be reached.
    stopped
        Why nothing ordinary is filed with it, where that is so: its log forked.
    """

    party: PartyName
    state: str
    since: Time | None = None
    heard_at: Time | None = None
    hears_us: bool = False
    test_failed: bool = False
    clock_ahead_s: float | None = None
    behind: int | None = None
    trouble: str = ""
    versions: str = ""
    stopped: str = ""


class LineStatusTold(Told):
    """How the channels of a line are; `silence` says why nothing can be said on it at present."""

    line: LineName
    party: PartyName
    log: str
    size: int
    channels: list[ChannelTold]
    forks: list[str] = Field(default=[])
    silence: str = ""


class CarriedTold(Told):
    """What came of a bundle: new entries by log, how far the party has stored our logs, and what was not taken."""

    line: LineName
    party: PartyName
    made_at: Time | None
    entries: dict[str, int]
    receipts: dict[str, int]
    troubles: list[str]
