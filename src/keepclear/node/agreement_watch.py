"""Telling those who follow events when an agreement stands otherwise than before: in force, suspended, in dispute.

It is told once, from what counts on the record; no alarm is sounded, since nobody need wake up for a signature.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from keepclear.errors import KeepclearError
from keepclear.node.agreement_reading import Agreements, AgreementView
from keepclear.node.bell import Bell
from keepclear.store.node import events
from keepclear.store.node.agreements import agreement_entries, next_change_s
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.kept_values import keep_value, kept_value

__all__ = ["AgreementWatch"]


class AgreementWatch:
    """Looks whenever something came. Any thread may use it.

    Parameters
    ----------
    agreements
        How they stand.
    database, bell, clock
        The node's.
    lines
        The lines that the party is on.
    leads
        Whether this process is the one that tells.
    """

    def __init__(
        self,
        agreements: Agreements,
        database: NodeDatabase,
        bell: Bell,
        clock: Callable[[], float],
        *,
        lines: Callable[[], tuple[str, ...]],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._agreements, self._database, self._bell, self._clock = agreements, database, bell, clock
        self._lines, self._leads = lines, leads
        self._seen: dict[str, object] = {}

    def look(self) -> int:
        """Tell of what stands otherwise than was told; how much that was."""
        if not self._leads():
            return 0
        told = 0
        for line in self._lines():
            mark = self._mark(line)
            if mark is None or self._seen.get(line) == mark:
                continue
            told += sum(self._tell(view) for view in self._agreements.views(line))
            self._seen[line] = mark
        if told:
            self._bell.ring("event")
        return told

    def _mark(self, line: str) -> object:
        """What is another one when something may stand otherwise; None where nobody has spoken of any agreement."""
        with self._database.reading() as conn:
            rows = agreement_entries(conn, line)
            due_s = next_change_s(conn)
        if not rows:
            return None
        pending = due_s is not None and due_s <= self._clock()
        return (len(rows), self._agreements.mark(line, rows), due_s, pending)

    def _tell(self, view: AgreementView) -> int:
        standing = view.standing
        told: dict[str, Any] = {
            "agreement": view.id, "state": str(standing.state), "document": view.document,
            "sentence": standing.sentence, "disputes": [one.sentence for one in standing.disputes],
        }  # fmt: skip
        name, value = f"agreement {view.line} {view.id}", json.dumps({**told, "sentence": ""}).encode()
        with self._database.writing() as conn:
            if kept_value(conn, name) == value:
                return 0
            keep_value(conn, name, value)
            events.say(conn, "agreement", told, at_s=self._clock(), line=view.line, ref=view.main.ref)
        return 1

    def safely(self) -> None:
        """`look`, for a thread that must go on."""
        try:
            self.look()
        except KeepclearError:
            self._seen.clear()  # it is tried again with what comes next
