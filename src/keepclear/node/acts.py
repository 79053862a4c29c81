"""Who did what: every act of a person at this node, kept for the auditor.

An act is recorded in the transaction that does it, so that neither is there without the other. What was done is a few
words of a fixed form (``user add``, ``sign-in``, ``file``, ``read site``); what it was done to is its id; the detail
says the rest, and never holds a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from keepclear.node.actors import Actor
from keepclear.store.node.acts import Act, acts_before, add_act
from keepclear.store.node.database import NodeDatabase

__all__ = ["Acts"]


class Acts:
    """The record of acts.

    Parameters
    ----------
    database
        Where it is kept.
    clock
        Tells the time.
    """

    def __init__(self, database: NodeDatabase, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def record(
        self,
        conn: Connection,
        actor: Actor,
        what: str,
        *,
        ref: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> int:
        """Record an act in a transaction that is being written; its number.

        Parameters
        ----------
        conn
            The transaction that does what is recorded.
        what
            What was done, in a few words of a fixed form.
        ref
            What it was done to.
        detail
            What else an auditor asks; values that JSON has, and no secrets.
        """
        return add_act(
            conn, at_s=self._clock(), user=actor.user, via=actor.via, credential=actor.credential,
            address=actor.address, what=what, ref=ref, detail=detail or {},
        )  # fmt: skip

    def note(self, actor: Actor, what: str, *, ref: str = "", detail: Mapping[str, Any] | None = None) -> int:
        """Record an act in a transaction of its own; its number."""
        with self._database.writing() as conn:
            return self.record(conn, actor, what, ref=ref, detail=detail)

    def to_record(
        self, actor: Actor, what: str, *, ref: str = "", detail: Mapping[str, Any] | None = None
    ) -> Callable[[Connection], int]:
        """What records an act that was just done, in whatever transaction comes next."""
        at_s = self._clock()

        def record(conn: Connection) -> int:
            return add_act(
                conn, at_s=at_s, user=actor.user, via=actor.via, credential=actor.credential, address=actor.address,
                what=what, ref=ref, detail=detail or {},
            )  # fmt: skip

        return record

    def before(
        self,
        number: int | None = None,
        *,
        limit: int,
        user: str | None = None,
        what: str | None = None,
        ref: str | None = None,
        from_s: float | None = None,
        to_s: float | None = None,
    ) -> list[Act]:
        """Acts, the newest first: those before a number, by whom, what, to what, and when."""
        with self._database.reading() as conn:
            return acts_before(conn, number, limit=limit, user=user, what=what, ref=ref, from_s=from_s, to_s=to_s)
