"""Our own operations against their tracks, while they are under way: conforming, not conforming, or lost.

::

    ACTIVE ─▶ CONFORMING ◀──▶ NONCONFORMING
                  ▲                 ▲
                  └─▶ TRACK_LOST ◀──┘

Nothing is taken for conforming that was not seen to be: a silence longer than its source allows is TRACK_LOST.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from keepclear.agreements.facts import Flown
from keepclear.errors import KeepclearError
from keepclear.model.operations import Operation
from keepclear.node.alarms import AlarmKind, Alarms
from keepclear.node.bell import Bell
from keepclear.node.entry_ids import EntryId
from keepclear.node.line_bodies import LineBodies
from keepclear.node.positions import Positions
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.entries import EntryRef
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import filing_of
from keepclear.times import to_text
from keepclear.watch.conformance import CONFORMANCE_SHARE, Conformance, Keeping, conformance

__all__ = ["TrackWatch", "UnitState"]

_BEFORE_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class UnitState:
    """How a unit of ours stands to its operation.

    Attributes
    ----------
    unit, operation, line
        Which unit, the filing that it is on, and the line that it was told on.
    keeping, since_s
        How it stands, and since when.
    outside_m, outside_height_m
        How far outside it is; 0 where it is not.
    heard_s
        The time of its last position.
    share, share_most
        The share of the time so far in which it kept to the operation, at least and at most.
    reasons
        What could not be told.
    """

    unit: str
    operation: EntryRef
    line: str
    keeping: Keeping
    since_s: float
    outside_m: float
    outside_height_m: float
    heard_s: float
    share: float
    share_most: float
    reasons: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The same in words."""
        since = to_text(self.since_s)
        match self.keeping:
            case Keeping.CONFORMING:
                return f"{self.unit} keeps to its operation, since {since}."
            case Keeping.NONCONFORMING:
                high = f" and {self.outside_height_m:.0f} m in height" if self.outside_height_m else ""
                return f"{self.unit} is outside its operation since {since}, by up to {self.outside_m:.0f} m{high}."
            case Keeping.TRACK_LOST:
                return f"{self.unit} has not been heard of since {to_text(self.heard_s)}: where it is is not known."
            case _:
                return f"Whether {self.unit} keeps to its operation is not known, since {since}."


class TrackWatch:
    """Watches our own units. Any thread may use it.

    Parameters
    ----------
    us
        The party whose node it is.
    positions, bodies
        Tracks, and what was filed.
    database, alarms, bell, clock
        The node's.
    """

    def __init__(
        self,
        us: str,
        positions: Positions,
        bodies: LineBodies,
        database: NodeDatabase,
        alarms: Alarms,
        bell: Bell,
        clock: Callable[[], float],
    ) -> None:
        self._us, self._positions, self._bodies = us, positions, bodies
        self._database, self._alarms, self._bell, self._clock = database, alarms, bell, clock
        self._told: dict[tuple[str, EntryRef], Keeping] = {}
        self._lock = threading.Lock()

    def states(self, at_s: float | None = None) -> list[UnitState]:
        """Our units whose operations are under way, and how each stands, by name."""
        now_s = self._clock() if at_s is None else at_s
        found = []
        for flown in self._positions.flown(now_s - _BEFORE_S, now_s):
            if flown.party == self._us and flown.operation is not None:
                state = self._state(flown, flown.operation, now_s)
                if state is not None:
                    found.append(state)
        return sorted(found, key=lambda one: (one.unit, one.operation.index))

    def sweep(self) -> int:
        """Tell what has changed since the last time; how many units that was of."""
        changed = 0
        with self._lock:
            if not self._told and not self._positions.any:
                return 0
            states = self.states()
            for one in states:
                changed += self._tell(one)
            under_way = {(one.unit, one.operation) for one in states}
            for name in self._told.keys() - under_way:
                del self._told[name]
                self._alarms.clear(AlarmKind.TRACK, _key(*name))
        if changed:
            self._bell.ring("event")
        return changed

    def conformance_of(self, ref: EntryRef, from_s: float, to_s: float) -> list[tuple[Flown, Conformance]]:
        """How the tracks of an operation kept to it."""
        operation = self._operation(ref)
        if operation is None:
            return []
        flown = [one for one in self._positions.flown(from_s, to_s) if one.operation == ref]
        judged = [(one, conformance(operation, one)) for one in flown]
        return [(one, found) for one, found in judged if found is not None]

    def _operation(self, ref: EntryRef) -> Operation | None:
        body = self._bodies.body(ref)
        try:
            return body.to_model() if isinstance(body, OperationBody) else None
        except KeepclearError:
            return None

    def _state(self, flown: Flown, ref: EntryRef, now_s: float) -> UnitState | None:
        with self._database.reading() as conn:
            filing = filing_of(conn, ref)
        if filing is None or (filing.start_s or now_s) > now_s or (filing.end_s or now_s) < now_s:
            return None
        operation = self._operation(ref)
        if operation is None:
            return None
        found, heard_s = conformance(operation, flown), float(flown.track.time_s[-1])
        line = EntryId.of(ref).line
        share, most = (0.0, 1.0) if found is None else (found.share.least, found.share.greatest)
        reasons = () if found is None else found.reasons
        if now_s - heard_s > flown.gap_s:
            return UnitState(
                flown.unit, ref, line, Keeping.TRACK_LOST, heard_s, 0.0, 0.0, heard_s, share, most, reasons
            )
        if found is None or not found.stretches:
            reasons = (*reasons, "no position of it lies within the operation's time yet")
            return UnitState(flown.unit, ref, line, Keeping.UNKNOWN, heard_s, 0.0, 0.0, heard_s, share, most, reasons)
        last = found.stretches[-1]
        return UnitState(
            flown.unit, ref, line, last.keeping, last.from_s, last.outside_m, last.outside_height_m, heard_s, share,
            most, reasons,
        )  # fmt: skip

    def _tell(self, one: UnitState) -> bool:
        name = (one.unit, one.operation)
        before = self._told.get(name)
        if before is one.keeping:
            return False
        self._told[name] = one.keeping
        data = {"unit": one.unit, "state": str(one.keeping), "before": None if before is None else str(before),
                "outside_m": round(one.outside_m), "share": round(one.share, 4),
                "least": CONFORMANCE_SHARE}  # fmt: skip
        with self._database.writing() as conn:
            events.say(conn, "track", data, at_s=self._clock(), line=one.line, ref=one.operation)
            if one.keeping in (Keeping.NONCONFORMING, Keeping.TRACK_LOST):
                what = (
                    "is outside its operation" if one.keeping is Keeping.NONCONFORMING else "is not heard of any more"
                )
                sentence = (
                    f"The unit {one.unit} {what} ({EntryId.of(one.operation)}): tell the others, and look for it."
                )
                self._alarms.sound(
                    AlarmKind.TRACK, sentence, key=_key(*name), line=one.line, ref=one.operation, conn=conn
                )
            else:
                self._alarms.clear(AlarmKind.TRACK, _key(*name), conn=conn)
        return True


def _key(unit: str, operation: EntryRef) -> str:
    return f"{unit} {EntryId.of(operation)}"
