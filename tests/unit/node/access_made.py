"""Access to a node in a real database, with a clock that a test sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST

from keepclear.node.access import Access
from keepclear.node.actors import OPERATOR, Actor
from keepclear.node.passwords import Passwords
from keepclear.node.roles import Role
from keepclear.store.node.database import NodeDatabase

GIVEN = "harbour lantern seven mule"
OWN = "quiet copper window of march"
HERE = "192.0.2.7"
LOCAL_TOKEN = "kcl_a-token-that-only-the-owner-of-the-folder-reads"


@dataclass
class Clock:
    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Made:
    """A database, the access to it, and the clock."""

    path: Path | str
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.database = NodeDatabase.open(self.path)
        # What a hash costs is tested where hashes are; here it would only take time.
        self.access = Access(self.database, self.clock, local_token=LOCAL_TOKEN, passwords=Passwords(CHEAPEST))

    def again(self) -> Made:
        """The same after the node was started anew."""
        self.database.close()
        return Made(self.path, self.clock)

    def person(self, name: str, *roles: Role, address: str = HERE) -> Actor:
        """A user who has changed the password that they were given, in a session."""
        access = self.access
        access.users.add(OPERATOR, name, roles=roles, password=GIVEN)
        first = access.sign_ins.sign_in(name, GIVEN, address=address)
        access.users.change_own_password(first.actor, GIVEN, OWN)
        return access.sign_ins.actor_of_cookie(first.cookie, address=address)

    def whats(self) -> list[str]:
        """What was done, the oldest first."""
        return [act.what for act in reversed(self.access.acts.before(limit=1000))]


def place(request: pytest.FixtureRequest, folder: Path) -> Path | str:
    """Where the database that a fixture's parameter names can be."""
    if request.param == "sqlite":
        return folder / "node.db"
    server = request.getfixturevalue("postgres")
    return str(server.url(server.new_schema()))
