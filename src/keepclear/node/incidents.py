"""Incident reports: drafted by the node, completed and sent by an officer; each party's own, never merged.

The first report is due one hour after the incident was noticed, the full one after 24 hours, and a reply to another's
after 48 (``docs/spec/entries.md``). What another party reports is answered by a report of ours beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.line_bodies import LineBodies
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.node.roles import Scope
from keepclear.node.saying import Saying
from keepclear.node.talking import Said
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.watched import IncidentBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.encounters_seen import SeenEncounter, encounter_of, encounters_open, put_encounter

__all__ = ["FIRST_REPORT_S", "FULL_REPORT_S", "REPLY_S", "Incidents"]

FIRST_REPORT_S = 3_600.0
"""After it was noticed."""
FULL_REPORT_S = 24 * 3_600.0
REPLY_S = 48 * 3_600.0
"""After the other party's report came."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report on the record.

    Attributes
    ----------
    ref, line, party, body
        The entry.
    """

    ref: EntryRef
    line: str
    party: str
    body: IncidentBody


class Incidents:
    """Keeps drafts of reports, and sends them.

    Parameters
    ----------
    saying, bodies
        Say entries, and know what was said.
    database, clock
        The node's.
    """

    def __init__(self, saying: Saying, bodies: LineBodies, database: NodeDatabase, clock: Callable[[], float]) -> None:
        self._saying, self._bodies, self._database, self._clock = saying, bodies, database, clock

    def drafts(self) -> list[SeenEncounter]:
        """Encounters for which a report was drafted and none was sent, the oldest first."""
        with self._database.reading() as conn:
            return encounters_open(conn)

    def draft(self, number: int) -> Mapping[str, Any]:
        """The report that was drafted for an encounter: the members of an incident entry.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        return self._drafted(number)[1]

    def report(
        self,
        line: str | None,
        members: Mapping[str, Any],
        *,
        by: Actor,
        encounter: int | None = None,
        recipients: Iterable[str] | None = None,
    ) -> Said:
        """Send a report; of an encounter, the draft with these members in place of its own.

        Raises
        ------
        NotFoundError
            If there is no such draft.
        ClashError
            If a report of this encounter was sent: a full one follows it by naming it.
        InputError
            With all that is wrong.
        """
        by.must(Scope.SAY)
        given: dict[str, Any] = {name: one for name, one in members.items() if one is not None}
        seen: SeenEncounter | None = None
        if encounter is not None:
            seen, draft = self._drafted(encounter)
            if seen.reported_origin is not None and given.get("follows") is None:
                problem = (
                    f"encounter {encounter} was reported in entry {seen.reported_number} of {seen.reported_origin}"
                )
                raise ClashError(Fault(problem, "a full report that follows it, naming it", field="follows"))
            given = {**draft, **given}
            line = line or seen.line or None
        given.setdefault("detected_s", self._clock())
        given.setdefault("stage", "first")
        body = IncidentBody.of_members(given)
        line = self._saying.line(line)
        self._check(body, line)
        if not body.persons:
            body = body.model_copy(update={"persons": [by.user]})
        said = self._saying.say(line, body, by=by, what=f"incident {body.stage}", recipients=recipients)
        assert said.ref is not None
        with self._database.writing() as conn:
            data = {"stage": body.stage, "incident": body.id, "own": True}
            events.say(conn, "incident", data, at_s=self._clock(), line=line, ref=said.ref)
            if seen is not None:
                put_encounter(
                    conn, replace(seen, reported_origin=said.ref.origin, reported_number=said.ref.index)
                )  # fmt: skip
        return said

    def reply(self, ref: EntryRef, members: Mapping[str, Any], *, by: Actor) -> Said:
        """Report our own side of what another party has reported. Neither narrative changes the other.

        Raises
        ------
        NotFoundError
            If it is no report of another party.
        InputError
            With all that is wrong.
        """
        by.must(Scope.SAY)
        place, about = EntryId.of(ref), self._bodies.body(ref)
        if not isinstance(about, IncidentBody) or place.party == self._saying.party:
            right = "the entry of an incident report that another party has sent"
            raise NotFoundError("report of another party", field="id", value=str(place), right=right)
        same = {"id": about.id, "from_s": about.from_s, "to_s": about.to_s, "parties": about.parties}
        given = {name: one for name, one in same.items() if one is not None} | {
            name: one for name, one in members.items() if one is not None
        }
        given |= {"stage": "reply", "about": EntryRefValue.of(ref).model_dump()}
        return self.report(place.line, given, by=by)

    def reports(self, line: str) -> list[Report]:
        """All reports on the record of a line, each party's in its order."""
        found = self._bodies.of(line, (EntryType.INCIDENT,))
        return [
            Report(ref, line, EntryId.of(ref).party, body)
            for ref, body in found.items()
            if isinstance(body, IncidentBody)
        ]

    def _drafted(self, number: int) -> tuple[SeenEncounter, Mapping[str, Any]]:
        with self._database.reading() as conn:
            seen = encounter_of(conn, number=number)
        if seen is None or seen.incident is None:
            right = "an encounter for which a report was drafted"
            raise NotFoundError("draft of a report", field="encounter", value=str(number), right=right)
        return seen, seen.incident

    def _check(self, body: IncidentBody, line: str) -> None:
        faults = []
        if body.follows is not None:
            place = EntryId.of(body.follows.ref())
            if (place.party, place.line) != (self._saying.party, line):
                right = f"an earlier report of ours on {line}"
                faults.append(Fault("not a report of ours", right, field="follows", value=str(place)))
        if body.stage == "full" and body.follows is None:
            earlier = [one for one in self.reports(line) if one.party == self._saying.party and one.body.id == body.id]
            if earlier:
                right = str(EntryId.of(earlier[-1].ref))
                faults.append(Fault("which report it follows is not said", right, field="follows"))
        if faults:
            raise InputError(faults)
