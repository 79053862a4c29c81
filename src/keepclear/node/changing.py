"""Changing what was said: of two who amend or cancel the same entry, one does, and the other is told.

Who changes an entry claims it first, in the node's tables, where all processes of the node see it. A claim that a crash
left behind is looked into: our own log tells whether what was claimed was said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from keepclear.errors import PeerError
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.entry_ids import EntryId
from keepclear.node.records import Outgoing, Records
from keepclear.node.refusals import ClashError, StaleError
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.entries import EntryRef
from keepclear.store.log_store import UnknownOutcomeError
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.intents import Intent, claim, release, settle

__all__ = ["Changing", "changed_by"]

_CLAIM_S = 60.0  # after so long nobody is still about to say it: the process that claimed it is no more
_AT_ONCE = 1024


class Changing:
    """Says what may be said once.

    Parameters
    ----------
    records, database, acts, clock
        The node's.
    """

    def __init__(self, records: Records, database: NodeDatabase, acts: Acts, clock: Callable[[], float]) -> None:
        self._records, self._database, self._acts, self._clock = records, database, acts, clock

    def say(
        self, line: str, outgoing: Sequence[Outgoing], *, changes: Iterable[EntryRef], by: Actor, what: str
    ) -> tuple[EntryRef, ...]:
        """Say what changes these entries, if nobody has changed them or is about to; and record the act.

        Raises
        ------
        StaleError
            If one of them was changed already.
        ClashError
            If somebody else is changing one of them at this moment.
        """
        keys = [f"change {ref.origin} {ref.index}" for ref in changes]
        found = [(key, ref) for key, ref in zip(keys, changes, strict=True)]
        origin = self._records.own_origin(line)
        self._claim(found, origin, by)
        try:
            refs = self._records.say(line, outgoing)
        except UnknownOutcomeError:
            raise  # the claim stays, and whoever comes next looks at the log
        except BaseException:
            with self._database.writing() as conn:
                for key in keys:
                    release(conn, key)
            raise
        with self._database.writing() as conn:
            for key in keys:
                settle(conn, key, origin=refs[0].origin, index=refs[0].index)
            self._acts.record(
                conn,
                by,
                what,
                ref=str(EntryId.of(refs[0])),
                detail={"changes": [str(EntryId.of(ref)) for _, ref in found]},
            )
        return refs

    def _claim(self, wanted: Sequence[tuple[str, EntryRef]], origin: str, by: Actor) -> None:
        for _ in range(3):
            stale = self._claimed(wanted, origin, by)
            if stale is None:
                return
            self._look_into(*stale)
        raise ClashError(f"{EntryId.of(wanted[0][1])} is being changed by somebody else at this moment; look again")

    def _claimed(
        self, wanted: Sequence[tuple[str, EntryRef]], origin: str, by: Actor
    ) -> tuple[Intent, EntryRef] | None:
        """Claim all of them, or none: then the claim that is in the way."""
        intents = [Intent(key, self._clock(), by.user, origin, self._records.size(origin)) for key, _ in wanted]
        with self._database.writing() as conn:
            for number, intent in enumerate(intents):
                there = claim(conn, intent)
                if there is not None:
                    for mine in intents[:number]:
                        release(conn, mine.key)
                    return there, wanted[number][1]
        return None

    def _look_into(self, there: Intent, ref: EntryRef) -> None:
        """Find out what became of a claim; give it up, if it was left behind by a process that is no more.

        Raises
        ------
        StaleError
            If what was claimed was said.
        ClashError
            If it may be said any moment.
        """
        if there.index is not None:
            raise StaleError(f"{EntryId.of(ref)} was changed by entry {there.index} of {there.origin}")
        found = changed_by(self._records, ref, origin=there.origin, start=there.size)
        if found is not None:
            with self._database.writing() as conn:
                settle(conn, there.key, origin=found.origin, index=found.index)
            raise StaleError(f"{EntryId.of(ref)} was changed by {EntryId.of(found)}")
        if self._clock() < there.at_s + _CLAIM_S:
            raise ClashError(f"{EntryId.of(ref)} is being changed by {there.by} at this moment; look again")
        with self._database.writing() as conn:
            release(conn, there.key)


def changed_by(records: Records, ref: EntryRef, *, origin: str, start: int) -> EntryRef | None:
    """The entry of our own log that amends or cancels an entry, looked for from a place in the log on."""
    for at in range(start, records.size(origin), _AT_ONCE):
        for index, entry in enumerate(records.entries(origin, at, min(at + _AT_ONCE, records.size(origin))), at):
            try:
                body = body_of(entry)
            except PeerError:
                continue
            if body is not None and _changes(body) == ref:
                return EntryRef(origin, index, entry.leaf.hash)
    return None


def _changes(body: Body) -> EntryRef | None:
    if isinstance(body, OperationBody | ZoneBody):
        return None if body.supersedes is None else body.supersedes.ref()
    return body.entry.ref() if isinstance(body, CancelBody) else None
