"""Encounters at a node: found in what is known of tracks, and labelled by the record of the line that both are on.

What is found is kept, so that each is told once; what it was is worked out anew whenever something more is known. Where
two came too close, or a term was broken, the incident report is drafted: an officer sends it, or does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from keepclear.agreements.facts import Filed, Finding, Flown, RecordView, Result
from keepclear.line.said import Said
from keepclear.node.alarms import AlarmKind, Alarms
from keepclear.node.bell import Bell
from keepclear.node.encounter_words import told_of
from keepclear.node.line_bodies import LineBodies
from keepclear.node.line_facts import read_facts
from keepclear.node.position_sharing import PositionSharing
from keepclear.node.positions import Positions
from keepclear.node.projecting import Projector
from keepclear.node.refusals import NotFoundError
from keepclear.node.terms_in_force import TermsInForce, terms_of
from keepclear.record.bodies.joint import JointPlanBody
from keepclear.record.entry_types import EntryType
from keepclear.separation.minima import MinimaTable
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.encounters_seen import SeenEncounter, encounter_of, encounters_before, put_encounter
from keepclear.times import to_text
from keepclear.watch.bound_terms import Bound, bound_in, encounters_by, findings_of, stricter
from keepclear.watch.encounters import Encounter
from keepclear.watch.extent import RELATED, TOLERANCES
from keepclear.watch.incidents import draft
from keepclear.watch.labels import Labelled, Labelling
from keepclear.watch.planned import encounter_of_parties, planned_encounters, planned_together
from keepclear.watch.rules import Flag
from keepclear.watch.shared_batches import joined_batches

__all__ = ["Encounters", "LineRecord", "Told"]

GRAVE = frozenset({Flag.UNSAFE, Flag.TERM_BREACH})
"""What calls for an incident report."""

_DAY_S = 86_400.0
_LONGEST_S = 7 * _DAY_S
_OLDEST_S = 366 * _DAY_S
_MARGIN_S = 1800.0  # tracks begin before what is looked at, so that an encounter is not cut in two
_SLACK_S = RELATED * max(one.time_s for one in TOLERANCES.values())


@dataclass(frozen=True, slots=True)
class LineRecord:
    """What stands on a line's record at a time.

    Attributes
    ----------
    line, at_s
        Which line, and when.
    filings, view
        The filings that anything of the time that was asked for can be about, and all else.
    tracks
        Those that are known on the line: ours, those of nobody known, and what others share there.
    bound
        The agreements that bound anybody there in that time.
    findings
        What their terms say of all this.
    """

    line: str
    at_s: float
    filings: tuple[Filed, ...]
    view: RecordView
    tracks: tuple[Flown, ...]
    bound: tuple[Bound, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """An encounter with its label.

    Attributes
    ----------
    seen
        As it is kept, with its number.
    labelled
        What it was.
    """

    seen: SeenEncounter
    labelled: Labelled


class Encounters:
    """Finds encounters, and says what they were. Any thread may use it.

    Parameters
    ----------
    us
        The party whose node it is.
    positions, sharing
        Tracks: ours, and what is shared.
    bodies, projector
        What was said.
    lines
        The lines that we are on.
    terms
        Knows which agreements bind, and did.
    database, alarms, bell, clock
        The node's.
    """

    def __init__(
        self,
        us: str,
        positions: Positions,
        sharing: PositionSharing,
        bodies: LineBodies,
        projector: Projector,
        lines: Callable[[], tuple[str, ...]],
        terms: TermsInForce | None,
        database: NodeDatabase,
        alarms: Alarms,
        bell: Bell,
        clock: Callable[[], float],
    ) -> None:
        self._us, self._positions, self._sharing, self._bodies = us, positions, sharing, bodies
        self._projector, self._lines, self._terms = projector, lines, terms
        self._database, self._alarms, self._bell, self._clock = database, alarms, bell, clock
        self._lock = threading.Lock()
        self._window: tuple[float, float] | None = None
        self._older: tuple[float, float] | None = None  # further back than the last days
        self._looked: dict[str, int] = {}
        positions.on_new(self.look_at)

    # --- what is known ---------------------------------------------------------------------------------------------

    def record(
        self, line: str, from_s: float, to_s: float, *, at_s: float | None = None,
        tracks: tuple[Flown, ...] | None = None,
    ) -> LineRecord:  # fmt: skip
        """What stands on the record of a line, and the tracks known there from one time to another.

        Of filings those that an encounter of that time can be about, with all their versions.

        Parameters
        ----------
        tracks
            Those of that time, where they are known already.
        """
        now_s = self._clock() if at_s is None else at_s
        tracks = tuple(self.tracks(line, from_s, to_s)) if tracks is None else tracks
        # Whose track it is, and what it was flown for, is known of whatever time its filing is.
        bound = {one.operation for one in tracks if one.operation is not None}
        spans = [(from_s, to_s), *self._planned_together(line, from_s, to_s)]
        facts = read_facts(
            lambda: self._projector.conversation(line), self._bodies, line, now_s,
            lambda said, _: any(_may_be_of(said, *span) for span in spans),
            also=bound, all_versions=True, parties=[one.party for one in self._projector.members(line)],
            said_by_clock=True,
        )  # fmt: skip
        agreed = tuple(self._bound(line, min(start for start, _ in spans), max(end for _, end in spans), now_s))
        findings = tuple(one for _, one in findings_of(agreed, facts.filings, tracks, facts.view, at_s=now_s))
        return LineRecord(line, now_s, facts.filings, facts.view, tracks, agreed, findings)

    def _planned_together(self, line: str, from_s: float, to_s: float) -> Iterator[tuple[float, float]]:
        """When the joint plans of a time begin and end: whether those who plan it met, is asked of all of that."""
        for body in self._bodies.of(line, (EntryType.JOINT_PLAN,)).values():
            if isinstance(body, JointPlanBody) and body.plan.start_s <= to_s and body.plan.end_s >= from_s:
                yield body.plan.start_s, body.plan.end_s

    def tracks(self, line: str, from_s: float, to_s: float) -> Iterator[Flown]:
        """The tracks known on a line: one of each unit from each who reports it."""
        ours = self._positions.flown(from_s, to_s)
        theirs: dict[tuple[str, str], list[Flown]] = {}
        for shared in self._sharing.tracks(line, from_s=from_s, to_s=to_s):
            if shared.party != self._us:
                for one in shared.flown:
                    theirs.setdefault((one.party, one.unit), []).append(one)
        own_hashes = self._committed(line, from_s, to_s)
        for one in ours:
            if one.party == self._us:
                yield replace(one, batches=own_hashes.get(one.unit, ()))
            elif (one.party, one.unit) in theirs:  # its own party says where it was, and so do we: each by itself
                yield replace(one, unit=f"{one.unit} as seen by {one.source_owner}")
            else:
                yield one
        for flown in theirs.values():
            yield from joined_batches(flown)

    def _committed(self, line: str, from_s: float, to_s: float) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for shared in self._sharing.tracks(line, from_s=from_s, to_s=to_s):
            if shared.party == self._us and shared.body.unit is not None:
                found[shared.body.unit] = (*found.get(shared.body.unit, ()), shared.body.batch)
        return found

    def _bound(self, line: str, from_s: float, to_s: float, at_s: float) -> Iterator[Bound]:
        """The agreements that bound anybody on a line in a time, by what is known now."""
        if self._terms is None:
            return
        with self._database.reading() as conn:
            standings = self._terms.standings(conn, line, at_s)
        for standing in standings.values():
            yield from bound_in(standing, terms_of, from_s, to_s)

    # --- asking ----------------------------------------------------------------------------------------------------

    def found(self, line: str, from_s: float, to_s: float) -> tuple[Labelled, ...]:
        """All encounters on a line that began in a time, labelled by what is known now."""
        record = self.record(line, from_s - _MARGIN_S, to_s + _MARGIN_S)
        return tuple(self.labelled(record, from_s, to_s))

    def labelled(self, record: LineRecord, from_s: float, to_s: float) -> Iterator[Labelled]:
        """The encounters among tracks, each with its label."""
        if len(record.tracks) >= 2:
            found = encounters_by(MinimaTable.default(), record.bound, record.tracks, window=(from_s, to_s))
            yield from _labelled(record, found)

    def of_parties(
        self, line: str, parties: tuple[str, str], from_s: float, to_s: float
    ) -> tuple[Labelled, ...]:  # fmt: skip
        """What two parties did with each other in a time: by tracks, or else by plans, or by what else was said."""
        return tuple(self.between(self.record(line, from_s - _MARGIN_S, to_s + _MARGIN_S), parties, from_s, to_s))

    def between(
        self, record: LineRecord, parties: Sequence[str], from_s: float, to_s: float
    ) -> tuple[Labelled, ...]:  # fmt: skip
        """The same of a record that was read already."""
        first, second = sorted(parties)
        found = [one for one in self.labelled(record, from_s, to_s) if set(one.encounter.parties) == {first, second}]
        if found:
            return tuple(found)
        plans = [one for one in self._planned(record, ()) if _is_of(one, (first, second), from_s, to_s)]
        return tuple(_labelled(record, plans or [encounter_of_parties((first, second), from_s, to_s)]))

    def _planned(self, record: LineRecord, met: Sequence[Encounter]) -> list[Encounter]:
        plans = list(planned_encounters(record.filings, stricter(MinimaTable.default(), record.bound)))
        return [*plans, *planned_together(record.view, [*met, *plans])]

    def one(self, number: int) -> Told:
        """One encounter that was found, labelled by what is known now.

        Raises
        ------
        NotFoundError
            If none has that number, or its tracks are not known any more.
        """
        with self._database.reading() as conn:
            seen = encounter_of(conn, number=number)
        if seen is None:
            raise NotFoundError("encounter", field="number", value=str(number))
        for line in [seen.line] if seen.line else self._lines():
            record = self.record(line, seen.from_s - _MARGIN_S, seen.to_s + _MARGIN_S)
            for one in self.labelled(record, seen.from_s - _MARGIN_S, seen.to_s + _MARGIN_S):
                if _same(one.encounter, seen):
                    return Told(seen, one)
        right = "one whose tracks are still known here"
        raise NotFoundError("encounter", field="number", value=str(number), right=right)

    def listed(
        self, before: int | None = None, *, limit: int = 100, line: str | None = None, from_s: float | None = None,
        to_s: float | None = None,
    ) -> list[SeenEncounter]:  # fmt: skip
        """Encounters that were found, the newest first, as they were last labelled."""
        with self._database.reading() as conn:
            return encounters_before(conn, before, limit=limit, line=line, from_s=from_s, to_s=to_s)

    # --- as time goes by -------------------------------------------------------------------------------------------

    def look_at(self, from_s: float, to_s: float) -> None:
        """Something more is known of this time: look at it again."""
        with self._lock:
            self._window = _spanned(self._window, (from_s, to_s))

    def look_at_all(self) -> None:
        """Look again at the last days: after a start nothing is known of what was looked at."""
        now_s = self._clock()
        self.look_at(now_s - _LONGEST_S, now_s)

    def sweep(self) -> int:
        """Look at all of which more is known since the last time; how many encounters are new, or other than before."""
        if not self.waits:
            return 0
        self._take_shared()
        with self._lock:
            window, self._window = self._window, None
        changed = 0
        try:
            if window is not None:
                changed += sum(self._sweep(line, *window) for line in self._lines())
        except BaseException:
            if window is not None:
                self.look_at(*window)
            raise
        changed += self._sweep_older()
        if changed:
            self._bell.ring("event")
        return changed

    @property
    def waits(self) -> bool:
        """Whether something is known of which nobody has looked what it says; cheap to ask."""
        return (
            self._window is not None
            or self._older is not None
            or any(
                len(self._bodies.refs_here(line, EntryType.POSITIONS)) != self._looked.get(line, 0)
                for line in self._lines()
            )
        )

    def _take_shared(self) -> None:
        """What others have shared since, and whatever else was said: it may be labelled otherwise now."""
        now_s = self._clock()
        for line in self._lines():
            count = len(self._bodies.refs_here(line, EntryType.POSITIONS))
            if count == self._looked.get(line, 0):
                continue
            self._looked[line] = count
            for span in self._sharing.spans(line):
                # Whoever names a time that is not yet must not keep us from looking at the time that is.
                from_s, to_s = max(span[0], now_s - _OLDEST_S), min(span[1], now_s)
                if from_s > to_s:
                    continue
                if to_s >= now_s - _LONGEST_S:
                    self.look_at(max(from_s, now_s - _LONGEST_S), to_s)
                if from_s < now_s - _LONGEST_S:  # who was away tells late where they were: it is looked at all the same
                    self._older = _spanned(self._older, (from_s, min(to_s, now_s - _LONGEST_S)))

    def _sweep_older(self) -> int:
        """Look at the last days of what lies further back; the rest waits for the next time."""
        if self._older is None:
            return 0
        from_s, to_s = self._older
        changed = sum(self._sweep(line, from_s, to_s) for line in self._lines())
        self._older = (from_s, to_s - _LONGEST_S) if to_s - from_s > _LONGEST_S else None
        return changed

    def _sweep(self, line: str, from_s: float, to_s: float) -> int:
        changed = 0
        to_s = min(to_s, self._clock())
        start_s = max(from_s, to_s - _LONGEST_S) - _MARGIN_S
        tracks = tuple(self.tracks(line, start_s - _MARGIN_S, to_s + 2 * _MARGIN_S))
        if len(tracks) < 2:  # nobody can have met: of thousands of filings none need be read
            return 0
        record = self.record(line, start_s - _MARGIN_S, to_s + 2 * _MARGIN_S, tracks=tracks)
        for one in self.labelled(record, start_s, to_s + _MARGIN_S):
            with self._database.writing() as conn:
                changed += self._keep(conn, record, one)
        return changed

    def _keep(self, conn: Connection, record: LineRecord, one: Labelled) -> bool:
        """Keep what an encounter is now; whether that is news."""
        before = _known(conn, one.encounter)
        key = _key(one.encounter) if before is None else before.key
        grave = bool(GRAVE & one.flags)
        told = told_of(one)
        if before is not None and (before.told, before.line) == (told, record.line):
            return False
        incident: Mapping[str, Any] | None = before.incident if before is not None else None
        if grave and self._us in one.encounter.parties and (before is None or before.reported_origin is None):
            detected_s = self._clock() if before is None else before.found_s
            incident = draft(
                one, detected_s=detected_s, report_id=self._report_id(one.encounter), tracks=record.tracks
            ).members()  # fmt: skip
        flags = sorted(str(flag) for flag in one.flags)
        news = before is None or (before.label, before.flags) != (str(one.label), flags)
        seen = SeenEncounter(
            0, key, record.line, self._clock(), one.encounter.from_s, one.encounter.to_s, str(one.label), flags, told,
            incident, None if before is None else before.reported_origin,
            None if before is None else before.reported_number,
        )  # fmt: skip
        seen = put_encounter(conn, seen)
        if news:
            data = {"encounter": seen.id, "label": seen.label, "flags": flags, "parties": list(one.encounter.parties)}
            events.say(conn, "encounter", data, at_s=self._clock(), line=record.line)
            if grave:
                self._alarm(conn, record.line, seen, one)
        return news

    def _report_id(self, encounter: Encounter) -> str:
        day = to_text(encounter.from_s)[:16].replace(":", "").replace("-", "")
        return f"{self._us}-{day}Z-{encounter.a.unit}-{encounter.b.unit}"[:200]

    def _alarm(self, conn: Connection, line: str, seen: SeenEncounter, one: Labelled) -> None:
        what = "came too close" if Flag.UNSAFE in one.flags else "met, and a term in force was broken"
        parties = " and ".join(party or "nobody known" for party in one.encounter.parties)
        drafted = "" if seen.incident is None else (
            " An incident report is drafted: the first one is due within an hour of its being noticed."
        )  # fmt: skip
        self._alarms.sound(
            AlarmKind.ENCOUNTER, f"Units of {parties} {what} at {to_text(one.encounter.from_s)} (encounter {seen.id})."
            f"{drafted}", key=seen.key, line=line, data={"encounter": seen.id}, conn=conn,
        )  # fmt: skip


def _may_be_of(said: Said, from_s: float, to_s: float) -> bool:
    """Whether a filing can be about something of that time: units are late, and what says no time may be of any."""
    begins = said.start_s is None or said.start_s - _SLACK_S <= to_s
    return begins and (said.end_s is None or said.end_s + _SLACK_S >= from_s)


def _spanned(before: tuple[float, float] | None, more: tuple[float, float]) -> tuple[float, float]:
    return more if before is None else (min(before[0], more[0]), max(before[1], more[1]))


def _labelled(record: LineRecord, found: Iterable[Encounter]) -> Iterator[Labelled]:
    for one in found:
        about = _about(one, record.findings)
        yield Labelling(record.filings, record.view, record.tracks, findings=about).label(one)


def _is_of(one: Encounter, pair: Sequence[str], from_s: float, to_s: float) -> bool:
    return set(one.parties) == set(pair) and one.from_s <= to_s and one.to_s >= from_s


def _key(one: Encounter) -> str:
    """What makes it the same encounter when it is found again."""
    return f"{one.a.party}/{one.a.unit}|{one.b.party}/{one.b.unit}|{round(one.from_s)}"


def _known(conn: Connection, one: Encounter) -> SeenEncounter | None:
    """The same one as it was kept before: its edges may have moved since with what is known of it."""
    exact = encounter_of(conn, key=_key(one))
    if exact is not None:
        return exact
    near = encounters_before(conn, None, limit=1000, from_s=one.from_s - 1.0, to_s=one.to_s + 1.0)
    return next((seen for seen in near if _same(one, seen)), None)


def _same(one: Encounter, seen: SeenEncounter) -> bool:
    units = f"{one.a.party}/{one.a.unit}|{one.b.party}/{one.b.unit}|"
    return seen.key.startswith(units) and one.from_s <= seen.to_s + 1.0 and seen.from_s <= one.to_s + 1.0


def _about(one: Encounter, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What terms say of those who met, while they did."""
    wanted = (Result.BREACHED, Result.POSSIBLE)
    return tuple(
        found
        for found in findings
        if found.result in wanted
        and (not found.party or found.party in one.parties)
        and (found.from_s is None or found.from_s <= one.to_s)
        and (found.to_s is None or found.to_s >= one.from_s)
    )
