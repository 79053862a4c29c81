"""What is due: once, or again and again; who gave it, when, and who disputes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from keepclear.agreements.facts import Evidence, Finding, Heard, Result
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.on_record import standing
from keepclear.agreements.terms.quantities import months_after_s, read_duration, read_months, said_duration, said_moment
from keepclear.errors import Fault, InputError
from keepclear.record.bodies.talk import AnswerGiven

__all__ = ["Due", "Period", "deliveries", "disputed_by", "due_dates", "judged_dues", "read_period"]

MOST_TOLD = 2_000
"""Due dates told one by one; of more, the earlier ones are told in one sentence."""
LEAST_PERIOD_S = 3_600.0
_DECIDING = frozenset({AnswerGiven.CONCUR, AnswerGiven.OBJECT, AnswerGiven.UNABLE, AnswerGiven.NOT_OURS})


@dataclass(frozen=True, slots=True)
class Period:
    """How long it is from one due date to the next: months of the calendar, or seconds."""

    months: int = 0
    seconds: float = 0.0

    def after(self, first_s: float, times: int) -> float:
        """The due date so many periods after the first."""
        return months_after_s(first_s, self.months * times) if self.months and times else first_s + self.seconds * times


@dataclass(frozen=True, slots=True)
class Due:
    """A due date, and the one before it, from which on what is given can be for it."""

    at_s: float
    after_s: float | None = None


def read_period(value: object) -> Period:
    """A period as it is written: ``"6 months"``, ``"7 d"``; an hour at least.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        return Period(months=read_months(value))
    except InputError:
        seconds = read_duration(value)
    if seconds < LEAST_PERIOD_S:
        raise InputError(Fault("too short for a period", "an hour or more", value=str(value)))
    return Period(seconds=seconds)


def due_dates(first_s: float, every: Period | None, at_s: float, until_s: float | None) -> Iterator[Due]:
    """The due dates up to a time, and the next one after it."""
    before: float | None = None
    number = 0
    while True:
        due_s = first_s if every is None else every.after(first_s, number)
        if until_s is not None and due_s > until_s and number:
            return
        yield Due(due_s, before)
        if every is None or due_s > at_s:
            return
        before, number = due_s, number + 1


def deliveries(term: Term, party: str, scene: Scene) -> list[Heard]:
    """What a party gave for a term and has not taken back, in the order in which it counts."""
    found = [one for one in standing(scene, "deliverable") if one.party == party and term.is_meant_by(one.body)]
    return sorted(found, key=lambda one: one.counts_from_s or 0.0)


def disputed_by(heard: Heard, at_s: float) -> tuple[str, ...]:
    """The parties that object to an entry, by their last word on it: who objected and then saw it still objects."""
    last: dict[str, AnswerGiven] = {}
    for given in heard.answers:
        if given.at_s <= at_s and given.answer in _DECIDING:
            last[given.party] = given.answer
    return tuple(sorted(party for party, answer in last.items() if answer is AnswerGiven.OBJECT))


def judged_dues(term: Term, party: str, dues: Sequence[Due], scene: Scene, what: str) -> tuple[Finding, ...]:
    """What a term says of each due date of a party; `what` is what is due."""
    given = deliveries(term, party, scene)
    told = dues[-MOST_TOLD:]
    findings = [_judged(term, party, due, given, scene, what) for due in told]
    left = len(dues) - len(told)
    if left:
        sentence = f"{left} earlier due dates of {what} by {party}, before {said_moment(told[0].at_s)}, are not listed."
        findings.insert(0, term.finding(Result.NO_DATA, sentence, party=party, to_s=told[0].at_s))
    return tuple(findings)


def _judged(term: Term, party: str, due: Due, given: Sequence[Heard], scene: Scene, what: str) -> Finding:
    found = next((one for one in given if _is_for(one, due)), None)
    late = found is None
    if found is None:
        found = next((one for one in given if _is_late_for(one, due)), None)
    common: dict[str, Any] = {"party": party, "due_s": due.at_s, "from_s": due.after_s, "to_s": due.at_s}
    if found is None:
        if scene.at_s <= due.at_s:
            sentence = f"{what} by {party} is due at {said_moment(due.at_s)}."
            return term.finding(Result.NOT_YET, sentence, **common)
        sentence = f"{what} by {party} was due at {said_moment(due.at_s)}, and none is on the record."
        return term.finding(Result.BREACHED, sentence, **common)
    assert found.counts_from_s is not None  # of those that count by then
    said = f"{what} by {party}, due at {said_moment(due.at_s)}, was given at {said_moment(found.counts_from_s)}"
    disputes = disputed_by(found, scene.at_s)
    common |= {"evidence": (Evidence(ref=found.ref, note=said),), "disputed_by": disputes}
    if late:
        by = said_duration(found.counts_from_s - due.at_s)
        return term.finding(Result.BREACHED, f"{said}, {by} late.", **common)
    if disputes:
        return term.finding(Result.POSSIBLE, f"{said}; disputed by {' and '.join(disputes)}.", **common)
    return term.finding(Result.MET, f"{said}.", **common)


def _is_for(heard: Heard, due: Due) -> bool:
    counts_s = heard.counts_from_s
    if counts_s is None or counts_s > due.at_s:
        return False
    for_s = getattr(heard.body, "for_s", None)
    if for_s is not None:
        return bool(abs(for_s - due.at_s) < 1.0)
    return due.after_s is None or counts_s > due.after_s


def _is_late_for(heard: Heard, due: Due) -> bool:
    counts_s, for_s = heard.counts_from_s, getattr(heard.body, "for_s", None)
    if counts_s is None or counts_s <= due.at_s:
        return False
    return due.after_s is None if for_s is None else bool(abs(for_s - due.at_s) < 1.0)
