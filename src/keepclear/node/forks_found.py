"""Contradictions of a log that were found: each is told once, and the evidence is kept for ever.

The store of logs keeps the two checkpoints, whoever found them: the copy of the log, when it was sent something else;
or two members' heartbeats side by side. Here people are told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from keepclear.node.bell import Bell
from keepclear.record.forks import ForkEvidence
from keepclear.record.names import KeyName
from keepclear.store.log_store import Conflict
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.peers import fork_told, tell_fork

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["ForksFound"]


class ForksFound:
    """Tells of forks. Any thread may use it."""

    def __init__(
        self,
        records: Records,
        database: NodeDatabase,
        bell: Bell,
        clock: Callable[[], float],
        *,
        alarm: Callable[..., object] = lambda *_, **__: None,
    ) -> None:
        self._records, self._database, self._bell, self._clock = records, database, bell, clock
        self._alarm = alarm

    def look(self, origin: str) -> None:
        """Tell of what was found in a log and not told yet."""
        found = {_digest(one): one for one in self._records.conflicts(origin)}
        if not found:
            return
        with self._database.reading() as conn:
            told = fork_told(conn, origin)
        new = {digest: one for digest, one in found.items() if digest not in told}
        if not new:
            return
        name = KeyName.of_text(origin)
        with self._database.writing() as conn:
            already = fork_told(conn, origin)
            for digest, one in new.items():
                if digest in already:
                    continue
                tell_fork(conn, origin, digest, told_s=self._clock())
                data = {
                    "origin": origin,
                    "party": origin.partition("/")[0],
                    "proved": bool(one.evidence),
                    "detail": one.detail,
                }
                line = name.line if name else None
                events.say(conn, "fork", data, at_s=self._clock(), line=line)
                self._alarm("fork", _sentence(origin, one), key=origin, line=line, conn=conn)
        self._bell.ring("event", "line")

    def keep(self, origin: str, evidence: ForkEvidence, detail: str) -> None:
        """Keep evidence that came otherwise than by the log itself, and tell of it."""
        conflict = Conflict(evidence.smaller, evidence.larger, detail, evidence.to_bytes())
        self._records.add_conflict(origin, conflict)
        self.look(origin)


def _sentence(origin: str, one: Conflict) -> str:
    if one.evidence:
        return f"the log {origin} has forked: {one.detail}; the evidence is kept, and nothing but FLASH is exchanged"
    return f"the log {origin} may have forked: {one.detail}; both checkpoints are kept, and it is asked again"


def _digest(one: Conflict) -> bytes:
    made = hashlib.sha256()
    for part in (one.first, one.second, one.evidence):
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.digest()
