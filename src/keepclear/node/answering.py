"""Answers of persons to what others said. None of them is an approval, and none can be.

A read-back is compared with what was filed before it is said: what does not agree is not said, and the person is told
by how much it is off and which slip would explain it. Who has looked again and stands by it can say it all the same;
then both sides see that it differs, and it gives nothing of what is owed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from keepclear.errors import Fault, InputError
from keepclear.line.read_back import DEFAULT_TOLERANCE, Comparison, Reentered, Tolerance, compare, reenter
from keepclear.line.said import Heard, said_of
from keepclear.line.threads import Thread
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.audience import Audience
from keepclear.node.entry_ids import EntryId
from keepclear.node.guarding import Guards
from keepclear.node.records import Outgoing, Records
from keepclear.node.refusals import NotFoundError, StaleError
from keepclear.node.roles import Scope
from keepclear.node.talking import Said
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven, MessageBody, Priority, ReadBack
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.events import say as say_event
from keepclear.times import to_text

__all__ = ["Answering", "ReadBackError", "ReadBackTyped", "Threads"]

_WITHOUT_ANSWERS = {
    EntryType.ANSWER: "an answer is not answered; say a message about it",
    EntryType.REFUSED: "that a body was refused is not answered; say a message about it",
    EntryType.LINE_TEST: "a test is given back, not answered",
}


class Threads(Protocol):
    """What knows how matters stand with an entry: the projector."""

    def thread(self, ref: EntryRef, at_s: float) -> Thread:
        """How matters stand with an entry at that time."""


@dataclass(frozen=True, slots=True)
class ReadBackTyped:
    """Place and time as a person typed them anew; a filing without a time is read back without one."""

    place: str
    time: str | None = None
    datum: str | None = None


class ReadBackError(InputError):
    """A read-back does not agree with what was filed, and was not said.

    Attributes
    ----------
    comparison
        By how much, in which direction, and which slips would lead there.
    """

    def __init__(self, comparison: Comparison, typed: ReadBackTyped) -> None:
        self.comparison = comparison
        right = "look again at what was filed, and enter it anew; or insist, and both sides see that it differs"
        super().__init__(Fault(f"not said: {comparison.sentence}", right, field="read_back", value=typed.place))


class Answering:
    """Gives answers.

    Parameters
    ----------
    records, database, acts, clock
        The node's.
    threads
        Knows what was amended.
    guards
        Judge what is said.
    audience
        Who is on the line.
    tolerance
        How far a read-back may be off.
    """

    def __init__(
        self,
        records: Records,
        threads: Threads,
        database: NodeDatabase,
        guards: Guards,
        audience: Audience,
        acts: Acts,
        clock: Callable[[], float],
        *,
        tolerance: Tolerance = DEFAULT_TOLERANCE,
    ) -> None:
        self._records, self._threads, self._database = records, threads, database
        self._guards, self._audience, self._acts, self._clock = guards, audience, acts, clock
        self._tolerance = tolerance

    def answer(
        self,
        ref: EntryRef,
        given: AnswerGiven,
        *,
        by: Actor,
        read_back: ReadBackTyped | None = None,
        unit: str | None = None,
        reason: str | None = None,
        insist: bool = False,
    ) -> Said:
        """Answer an entry for our party.

        Parameters
        ----------
        read_back, unit, reason
            As the answer asks for them: ``read back``, ``relayed`` and ``object`` do.
        insist
            Say a read-back although it does not agree.

        Raises
        ------
        ReadBackError
            If a read-back does not agree; nothing was said.
        StaleError
            If the entry was amended: the amendment is to be answered.
        InputError
            If it was not addressed to us, or the answer lacks what belongs to it.
        """
        by.must(Scope.ANSWER)
        place, entry = EntryId.of(ref), self._addressed(ref)
        warnings: list[str] = []
        told = None
        if read_back is not None and given is AnswerGiven.READ_BACK:
            told = self._read_back(ref, entry, read_back, by, warnings, insist=insist)
        body = AnswerBody(
            to=EntryRefValue.of(ref), answer=given, read_back=told, unit=unit or None, reason=reason or None
        )  # fmt: skip
        return self._said(place.line, entry, body, self._who(place, entry), by, f"answer {given}", warnings)

    def accept_risk(self, ref: EntryRef, reason: str, *, by: Actor) -> Said:
        """Say that we go on knowingly although a conflict was advised of. We speak for ourselves alone.

        Parameters
        ----------
        ref
            The advisory.
        reason
            Why, and what we do about it.

        Raises
        ------
        InputError
            If it is no advisory about a filing of ours.
        """
        by.must(Scope.ANSWER)
        place, entry = EntryId.of(ref), self._records.entry(ref)
        advisory = body_of(entry)
        if not isinstance(advisory, AdvisoryBody):
            raise NotFoundError("advisory", field="entry", value=str(place))
        parties = {EntryId.of(one.ref()).party for one in advisory.about} | {place.party}
        if self._records.party not in parties:
            right = "those accept a risk whose filings they are"
            raise InputError(Fault("none of the filings is ours", right, field="entry", value=str(place)))
        body = AcceptedRiskBody(advisory=EntryRefValue.of(ref), reason=reason)
        others = tuple(sorted(parties - {self._records.party}))
        return self._said(place.line, entry, body, others, by, "accept risk", [])

    def _said(
        self, line: str, entry: Entry, body: Body, parties: tuple[str, ...], by: Actor, what: str, warnings: list[str]
    ) -> Said:
        told = self._audience.told(line, parties, flash=_is_flash(entry))
        verdict = self._guards.judge(body, by=by, line=line)
        (said,) = self._records.say(line, [Outgoing(body, told.parties, entry.leaf.exercise)])
        self._acts.note(by, what, ref=str(EntryId.of(said)))
        self._guards.flag(verdict, said, by=by.user)
        return Said(said, (*warnings, *told.warnings, *([verdict.sentence] if verdict.sentence else [])))

    def _addressed(self, ref: EntryRef) -> Entry:
        """An entry that we are to answer."""
        place, entry = EntryId.of(ref), self._records.entry(ref)
        if place.party == self._records.party:
            raise InputError(
                Fault("it is your own", "those answer to whom it was said", field="entry", value=str(place))
            )
        if self._records.party not in entry.leaf.recipients:
            problem = "it was not said to you, and no answer of yours would count"
            raise InputError(Fault(problem, "an entry that names you", field="entry", value=str(place)))
        why = _WITHOUT_ANSWERS.get(EntryType(entry.leaf.type)) if entry.leaf.type in set(EntryType) else None
        if why is not None:
            raise InputError(Fault("not to be answered", why, field="entry", value=str(place)))
        if entry.body is None:
            right = "wait until it has come; what was refused is answered by saying so, which was done"
            raise InputError(Fault("nobody here has what it says", right, field="entry", value=str(place)))
        amended = self._threads.thread(ref, self._clock()).superseded_by
        if amended is not None:
            raise StaleError(f"{place} was amended, and no answer to it counts: answer {EntryId.of(amended)}")
        return entry

    def _who(self, place: EntryId, entry: Entry) -> tuple[str, ...]:
        """Who is told of an answer: the author; of one to a FLASH all who had it, so that nobody waits for nobody."""
        if not _is_flash(entry):
            return (place.party,)
        there = {*entry.leaf.recipients, place.party} & {*self._audience.others(place.line)}
        return tuple(sorted(there))

    def _read_back(
        self, ref: EntryRef, entry: Entry, typed: ReadBackTyped, by: Actor, warnings: list[str], *, insist: bool
    ) -> ReadBack:
        filed = said_of(Heard(ref, entry, 0.0)).place
        if filed is None:
            right = "another answer, such as seen"
            raise InputError(Fault("there is no place in it to be read back", right, field="read_back"))
        got = self._reentered(typed, timed=filed.time_s is not None)
        compared = compare(filed, got, tolerance=self._tolerance)
        if not compared.agrees:
            if not insist:
                self._note_wrong(ref, compared, by)
                raise ReadBackError(compared, typed)
            warnings.append(f"Said, and it gives nothing of what is owed: {compared.sentence}.")
        return ReadBack(
            lon_deg=got.lon_deg, lat_deg=got.lat_deg, time_s=got.time_s, entered=typed.place,
            uncertainty_m=got.uncertainty_m,
        )  # fmt: skip

    def _reentered(self, typed: ReadBackTyped, *, timed: bool) -> Reentered:
        if not typed.time and timed:
            raise InputError(Fault("missing", "the time that was filed, with its zone", field="read_back.time"))
        return reenter(typed.place, typed.time or to_text(self._clock()), datum=typed.datum)

    def _note_wrong(self, ref: EntryRef, compared: Comparison, by: Actor) -> None:
        """A read-back that was blocked is remembered here: that the place was misread once is worth knowing."""
        place = EntryId.of(ref)
        told = {"outcome": str(compared.outcome), "distance_m": round(compared.distance_m), "late_s": compared.late_s}
        with self._database.writing() as conn:
            self._acts.record(conn, by, "read back blocked", ref=str(place), detail=told)
            say_event(conn, "answer", {"blocked": True, **told}, at_s=self._clock(), line=place.line, ref=ref)


def _is_flash(entry: Entry) -> bool:
    body = body_of(entry) if entry.leaf.type == EntryType.MESSAGE else None
    return isinstance(body, MessageBody) and body.priority is Priority.FLASH
