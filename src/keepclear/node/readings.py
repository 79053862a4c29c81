"""Reading what others told us of their sites and routes: by named persons, for a time, and not in bulk.

Who is shown an entry of another party is logged, with the time and the entry. What is over is shown no longer, and
what has no end not longer than a setting says. Nobody reads more of them within an hour than watch-keeping takes. None
of this touches the record, or the search: a site that is not shown any more is still kept clear of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keepclear.errors import PeerError
from keepclear.line.said import Heard, said_of
from keepclear.node.actors import Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.filing_checks import time_bounds
from keepclear.node.records import Records
from keepclear.node.refusals import GoneError, TooManyTriesError
from keepclear.node.roles import Scope
from keepclear.record.bodies.joint import JointPlanBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.watched import PositionsBody
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.record.names import KeyName
from keepclear.store.node.arrivals import kept_s
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.readings import Reading, add_readings, read_since, readings_before

__all__ = ["Readings"]

_PLANS = frozenset(
    {EntryType.OPERATION, EntryType.ZONE, EntryType.OPENING, EntryType.POSITIONS, EntryType.JOINT_PLAN}
)  # fmt: skip
_ONE_READING_S, _HOUR_S, _DAY_S = 600.0, 3_600.0, 86_400.0


class Readings:
    """Shows entries, and logs who was shown them.

    Parameters
    ----------
    records, database, clock
        The node's.
    most_per_hour
        How many plans of others a person is shown within an hour, each counted once.
    shown_after_end_s
        How long after its end another's plan is shown.
    shown_without_end_s
        How long after it came, where it has no end.
    """

    def __init__(
        self,
        records: Records,
        database: NodeDatabase,
        clock: Callable[[], float],
        *,
        most_per_hour: int = 2000,
        shown_after_end_s: float = 7 * _DAY_S,
        shown_without_end_s: float = 365 * _DAY_S,
    ) -> None:
        self._records, self._database, self._clock = records, database, clock
        self._most_per_hour = most_per_hour
        self._after_end_s, self._without_end_s = shown_after_end_s, shown_without_end_s

    def read(self, ref: EntryRef, *, by: Actor) -> Entry:
        """An entry with its body, for a person to see; logged, if it tells another's plan.

        What has expired comes without its body.

        Raises
        ------
        InputError
            If there is no such entry.
        TooManyTriesError
            If the person has read more within the hour than watch-keeping takes.
        """
        return self.shown([ref], by=by)[0]

    def must_show(self, ref: EntryRef, *, by: Actor) -> Entry:
        """As `read`, but what has expired is refused.

        Raises
        ------
        GoneError
            If it is another's plan, and has expired.
        """
        entry = self.read(ref, by=by)
        if entry.body is None and self._records.entry(ref).body is not None:
            raise GoneError("plan that is still shown: it has expired", field="entry", value=str(EntryId.of(ref)))
        return entry

    def shown(self, refs: Iterable[EntryRef], *, by: Actor) -> list[Entry]:
        """Entries as they may be shown, in this order; those that tell another's plan are logged.

        Raises
        ------
        TooManyTriesError
            If that would be more than a person may read within an hour; then none is shown.
        """
        by.must(Scope.READ)
        entries = [(ref, self._records.entry(ref)) for ref in refs]
        found = [entry if self._is_shown(ref, entry) else entry.without_body() for ref, entry in entries]
        plans = [
            (ref.origin, ref.index)
            for (ref, _), entry in zip(entries, found, strict=True)
            if entry.body is not None and self._is_others_plan(ref, entry)
        ]
        if plans:
            self._log(plans, by)
        return found

    def log(
        self, before: int | None = None, *, by: Actor, limit: int = 100, person: str | None = None,
        ref: EntryRef | None = None,
    ) -> list[Reading]:  # fmt: skip
        """Who was shown what, the newest first."""
        by.must(Scope.AUDIT)
        place = None if ref is None else (ref.origin, ref.index)
        with self._database.reading() as conn:
            return readings_before(conn, before, limit=limit, by=person, place=place)

    def _log(self, plans: list[tuple[str, int]], by: Actor) -> None:
        now_s = self._clock()
        with self._database.reading() as conn:
            had = read_since(conn, by.user, now_s - _HOUR_S)
            # A screen that is drawn anew every few seconds is one reading.
            just_had = read_since(conn, by.user, now_s - _ONE_READING_S)
        if len(had | {*plans}) > self._most_per_hour:
            problem = f"{len(had)} plans of others were shown to {by.user} within an hour, and no more are"
            raise TooManyTriesError(problem, retry_after_s=int(_HOUR_S))
        fresh = [one for one in plans if one not in just_had]
        if fresh:
            with self._database.writing() as conn:
                add_readings(conn, fresh, by=by.user, address=by.address, at_s=now_s)

    def _is_others_plan(self, ref: EntryRef, entry: Entry) -> bool:
        name = KeyName.of_text(ref.origin)
        return (name is None or name.party != self._records.party) and entry.leaf.type in _PLANS

    def _is_shown(self, ref: EntryRef, entry: Entry) -> bool:
        if entry.body is None or not self._is_others_plan(ref, entry):
            return True
        with self._database.reading() as conn:
            came_s = kept_s(conn, ref.origin, ref.index)
        now_s, end_s = self._clock(), _end_s(ref, entry, 0.0 if came_s is None else came_s)
        if end_s is not None:
            return now_s <= end_s + self._after_end_s
        return now_s <= (entry.leaf.time_s if came_s is None else came_s) + self._without_end_s


def _end_s(ref: EntryRef, entry: Entry, came_s: float) -> float | None:
    """When what an entry tells of is over; None where it has no end."""
    if entry.leaf.type == EntryType.POSITIONS:
        try:
            body = body_of(entry)
        except PeerError:
            body = None
        return body.to_s if isinstance(body, PositionsBody) else None
    if entry.leaf.type == EntryType.JOINT_PLAN:
        return _plan_end_s(entry)
    return said_of(Heard(ref, entry, came_s)).end_s


def _plan_end_s(entry: Entry) -> float | None:
    """When the last operation of a joint plan is over."""
    try:
        body = body_of(entry)
    except PeerError:
        return None
    if not isinstance(body, JointPlanBody):
        return None
    ends = [time_bounds(one)[1] for one in body.plan.models()]
    return max((one for one in ends if one is not None), default=None) if None not in ends else None
