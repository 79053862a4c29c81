"""Who may come in and what they may do: the parts of it, put together for a node."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from keepclear.node.acts import Acts
from keepclear.node.kept_answers import KeptAnswers
from keepclear.node.passwords import Passwords
from keepclear.node.sign_ins import SignIns
from keepclear.node.tokens import Tokens
from keepclear.node.two_person import TwoPersons
from keepclear.node.users import Users
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.kept_values import keep_value, kept_value

__all__ = ["Access"]


class Access:
    """The users of a node and what belongs to them.

    Parameters
    ----------
    database
        The node's own.
    clock
        Tells the time in seconds since the epoch.
    local_token
        Lets the owner of the folder in from this machine; None lets nobody in so.
    passwords
        Makes and compares their hashes, if not at the usual cost.

    Attributes
    ----------
    acts, two_persons, users, sign_ins, tokens, kept_answers
        See the modules of these names.
    """

    def __init__(
        self,
        database: NodeDatabase,
        clock: Callable[[], float],
        *,
        local_token: str | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        passwords = passwords or Passwords()
        self._database = database
        self.acts = Acts(database, clock)
        self.two_persons = TwoPersons(database, clock, self.acts)
        self.users = Users(database, clock, self.acts, self.two_persons, passwords)
        self.sign_ins = SignIns(database, clock, self.acts, passwords, local_token=local_token)
        self.tokens = Tokens(database, clock, self.acts, self.users)
        self.kept_answers = KeptAnswers(database, clock)

    def secret(self, name: str) -> bytes:
        """A secret of 32 random bytes that is kept under a name; made when it is first asked for."""
        key = f"secret {name}"
        with self._database.reading() as conn:
            kept = kept_value(conn, key)
        if kept is None:
            with self._database.writing() as conn:
                kept = kept_value(conn, key) or secrets.token_bytes(32)
                keep_value(conn, key, kept)
        return kept
