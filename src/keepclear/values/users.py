"""Users, sessions, tokens, acts and what takes two persons, as they are asked for and told."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from keepclear.values.base import Asked, Time, Told

__all__ = [
    "ActTold",
    "MeTold",
    "PasswordAsked",
    "ProposalTold",
    "RoleName",
    "SessionAsked",
    "SessionTold",
    "TokenAsked",
    "TokenMadeTold",
    "TokenTold",
    "UserAddedTold",
    "UserAsked",
    "UserChangeAsked",
    "UserTold",
]

_Names = list[Annotated[str, Field(max_length=40)]]
RoleName = Annotated[str, Field(max_length=40, examples=["duty-officer"])]
_Password = Annotated[str, Field(max_length=1000, examples=["harbour lantern seven mule"])]
_UserName = Annotated[str, Field(min_length=1, max_length=63, examples=["anna.k"])]


class SessionAsked(Asked):
    """A person signs in."""

    name: Annotated[str, Field(max_length=1000, examples=["anna.k"])]
    password: _Password


class SessionTold(Told):
    """A session; the cookie that proves it comes in a header.

    Attributes
    ----------
    must_change_password
        Whether the password was given by another, and must be changed before anything else.
    """

    user: str
    roles: _Names
    scopes: _Names
    ends: Time
    must_change_password: bool


class MeTold(Told):
    """Who is asking, as the node sees it.

    Attributes
    ----------
    via
        By a session, a token, or the folder itself.
    """

    user: str
    shown: str = ""
    party: str
    roles: _Names
    scopes: _Names
    via: str
    must_change_password: bool = False


class PasswordAsked(Asked):
    """A person changes their own password."""

    old: _Password
    new: _Password


class UserAsked(Asked):
    """A user to be added.

    Attributes
    ----------
    name
        What they sign in with; nobody else may ever have had it.
    shown
        How people know them.
    roles
        What they are to the party.
    password
        Their first, which they must change; left out for a user who has only tokens.
    """

    name: _UserName
    shown: Annotated[str, Field(max_length=200)] = ""
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=20)]
    password: _Password | None = None


class UserChangeAsked(Asked):
    """What is to be otherwise with a user; what is left out stays."""

    shown: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=20)] | None = None
    password: _Password | None = None
    disabled: bool | None = None


class UserTold(Told):
    """A user."""

    name: str
    shown: str
    roles: _Names
    added: Time
    disabled: Time | None = None
    has_password: bool
    must_change_password: bool


class ProposalTold(Told):
    """An act that takes two persons.

    Attributes
    ----------
    kind, subject
        Which act, and what it does in words: to be read before it is confirmed.
    state
        open, confirmed, done, failed, refused, withdrawn or expired.
    outcome
        Why it could not be done, where it could not.
    """

    id: int
    kind: str
    subject: str
    state: str
    proposed_by: str
    proposed: Time
    ends: Time
    decided_by: str = ""
    decided: Time | None = None
    outcome: str = ""


class UserAddedTold(Told):
    """A user who was added or changed; or the proposal that another person must confirm first."""

    user: UserTold | None = None
    proposal: ProposalTold | None = None


class TokenAsked(Asked):
    """A token to be made.

    Attributes
    ----------
    label
        What it is for.
    scopes
        What it may do: some of what its owner may.
    good_for_s
        For how long, up to a year.
    """

    label: Annotated[str, Field(min_length=1, max_length=200, examples=["gateway of the drone desk"])]
    scopes: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=20)]
    good_for_s: Annotated[float, Field(ge=60.0, le=366 * 86_400.0)] = 90 * 86_400.0


class TokenTold(Told):
    """A token, without what proves it."""

    id: str
    user: str
    label: str
    scopes: _Names
    made: Time
    ends: Time
    used: Time | None = None
    ended: Time | None = None


class TokenMadeTold(Told):
    """A token that was just made: `token` is shown this once."""

    token: str
    made: TokenTold


class ActTold(Told):
    """Something that a person did.

    Attributes
    ----------
    via, credential, address
        How they showed who they are, by which session or token, and from where.
    what, ref, detail
        What was done, to what, and what else there is to say of it.
    """

    id: int
    at: Time
    user: str
    via: str
    credential: str
    address: str
    what: str
    ref: str
    detail: dict[str, Any]
