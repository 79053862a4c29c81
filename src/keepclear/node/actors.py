"""Who is acting: made once where a request comes in, and handed to every use case.

`Actor.must` is the check that a use case makes for itself, whatever the route asked for already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from keepclear.node.refusals import NotAllowedError
from keepclear.node.roles import Role, Scope, scopes_of

__all__ = ["OPERATOR", "SYSTEM", "Actor", "Via"]


class Via(StrEnum):
    """How the actor showed who they are."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105  # the word itself
    FOLDER = "folder"
    """At the machine, with the party's folder in hand: the operator."""
    SYSTEM = "system"
    """Nobody: the node, by a setting of its party."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the node itself, who is about to do something.

    Attributes
    ----------
    user
        The user's name.
    roles
        What they are to the party.
    scopes
        What they may do here: that of the roles, or less where they came with a token.
    address
        Where from: an IP address; empty for the folder and the system.
    via
        How they showed who they are.
    credential
        The id (not the secret) of the session or token; empty for the others.
    """

    user: str
    roles: frozenset[Role]
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    address: str = ""
    via: Via = Via.SESSION
    credential: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether the actor may do this."""
        return scope in self.scopes

    def must(self, scope: Scope) -> None:
        """Go no further without this scope.

        Raises
        ------
        NotAllowedError
            If the actor has it not.
        """
        if scope not in self.scopes:
            raise NotAllowedError(scope, user=self.user)


_EVERY_ROLE = frozenset(Role)
OPERATOR = Actor("operator", _EVERY_ROLE, scopes_of(_EVERY_ROLE), via=Via.FOLDER)
"""Who works at the machine on the folder itself, where there is nobody to sign in to."""
SYSTEM = Actor("system", frozenset(), frozenset({Scope.READ, Scope.SAY, Scope.SAY_FLASH}), via=Via.SYSTEM)
"""The node, where it acts by itself: advisories, line tests, receipts."""
