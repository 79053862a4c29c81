"""ACK: what is filed or said is answered by those it is addressed to, in a way and by a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from keepclear.agreements.facts import Evidence, Filed, Finding, Given, Heard, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term, filed_name
from keepclear.agreements.terms.quantities import said_duration, said_moment
from keepclear.errors import Fault
from keepclear.line.deadlines import DEFAULT_DEADLINES
from keepclear.record.bodies.talk import AnswerGiven, Priority

__all__ = ["Ack"]

_PRIORITIES = tuple(one.value for one in Priority)
_ANSWERS = tuple(one.value for one in AnswerGiven)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ack(Term):
    """Those to whom something is addressed answer it. The time runs from when somebody else is known to have had it.

    None of the answers is an approval. That an answer is not on the record says that it is not there, and no more.
    """

    TYPE: ClassVar[str] = "ACK"
    JUDGES_FILINGS: ClassVar[bool] = False

    deadline_s: float = field(metadata=p.duration("how long after it was had an answer is due"))
    answers: tuple[str, ...] = field(
        default=_ANSWERS, metadata=p.names("which answers count; any if left out", allowed=_ANSWERS)
    )
    before_start_s: float | None = field(
        default=None, metadata=p.duration("how long before the start it is due, where that is still ahead and earlier")
    )
    priorities: tuple[str, ...] = field(
        default=_PRIORITIES,
        metadata=p.names(
            "which filings and messages: a filing's is by its lead; all if left out", "priority", allowed=_PRIORITIES
        ),
    )
    escalation: tuple[str, ...] = field(
        default=(), metadata=p.names("to whom it goes when there is no answer, in order")
    )

    def check(self) -> list[Fault]:
        """Check that the time is one."""
        return [] if self.deadline_s > 0.0 else [Fault("no time to answer", "more than 0 s", field="deadline")]

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """For each filing and message, and each party it is addressed to."""
        return (*self._of_filings(scene), *self._of_messages(scene))

    def _of_filings(self, scene: Scene) -> Iterator[Finding]:
        batch, parties = scene.batch, self.parties
        bound = [self.binds_plan(scene.filings[row].plan) is not False for row in batch.first_of_sort]
        sorts = batch.sort.tolist()
        counting = set(self.answers)
        for row, filed in enumerate(scene.filings):
            counts = filed.counts_from_s
            if filed.exercise or counts is None or counts > scene.at_s or not bound[sorts[row]]:
                continue
            if not self._is_in_time(counts) or self._is_of_another_priority(filed):
                continue
            due = self._due_s(counts, filed.start_s)
            over = [one for one in (filed.superseded_s, filed.cancelled_s) if one is not None]
            if over and min(over) <= due:
                continue  # what no longer stood when the answer was due need not be answered
            owing = {one for one in filed.recipients if one in parties and one != filed.party}
            if scene.is_brief and due <= scene.at_s:
                owing.difference_update(
                    one.party for one in filed.answers if one.at_s <= due and one.answer.value in counting
                )
            for party in sorted(owing):
                yield from self._judged(party, filed_name(filed), due, filed.answers, scene, filed=filed)

    def _is_of_another_priority(self, filed: Filed) -> bool:
        every = len(self.priorities) == len(_PRIORITIES)
        return not every and DEFAULT_DEADLINES.class_of_lead(filed.lead_s).value not in self.priorities

    def _of_messages(self, scene: Scene) -> Iterator[Finding]:
        for heard in scene.heard("message"):
            body: Any = heard.body
            assert heard.counts_from_s is not None  # of those that count by then
            if str(body.priority) not in self.priorities or not self._is_in_time(heard.counts_from_s):
                continue
            others = sorted(self.parties - {heard.party})
            due = heard.counts_from_s + self.deadline_s
            answered = [one for one in heard.answers if one.party in others and one.answer.value in self.answers]
            if len(others) > 1 and not answered:
                yield self._of_nobody(heard, due, scene)
                continue
            for party in sorted({one.party for one in answered}) or others:
                yield from self._judged(party, f"{heard.party}'s message", due, heard.answers, scene, heard=heard)

    def _judged(
        self,
        party: str,
        thing: str,
        due: float,
        answers: tuple[Given, ...],
        scene: Scene,
        *,
        filed: Filed | None = None,
        heard: Heard | None = None,
    ) -> Iterator[Finding]:
        mine = [
            one for one in answers if one.party == party and one.answer.value in self.answers and one.at_s <= scene.at_s
        ]
        ref = filed.ref if filed is not None else heard.ref if heard is not None else None
        evidence = [Evidence(ref=ref)] if ref is not None else []
        common: dict[str, Any] = {"party": party, "about": ref, "due_s": due}
        if mine:
            first = min(mine, key=lambda one: one.at_s)
            how = f"({first.answer.value}) at {said_moment(first.at_s)}"
            said = f"{party} answered {thing} {how}; due by {said_moment(due)}"
            common["evidence"] = (*evidence, Evidence(ref=first.ref, note=first.answer.value))
            if first.at_s > due:
                late = said_duration(first.at_s - due)
                yield self.finding(Result.BREACHED, f"{said}, so {late} late.", **common)
            elif not scene.is_brief:
                yield self.finding(Result.MET, f"{said}.", **common)
            return
        common["evidence"] = tuple(evidence)
        wanted = "an answer" if set(self.answers) == set(_ANSWERS) else f"an answer ({' or '.join(self.answers)})"
        if scene.at_s <= due:
            yield self.finding(
                Result.NOT_YET, f"{wanted} of {party} to {thing} is due by {said_moment(due)}.", **common
            )
            return
        next_to = f"; it goes on to {', then '.join(self.escalation)}" if self.escalation else ""
        said = f"{wanted} of {party} to {thing} was due by {said_moment(due)}, and none is on the record{next_to}."
        yield self.finding(Result.BREACHED, said, **common)

    def _of_nobody(self, heard: Heard, due: float, scene: Scene) -> Finding:
        common: dict[str, Any] = {"about": heard.ref, "due_s": due, "evidence": (Evidence(ref=heard.ref),)}
        thing = f"{heard.party}'s message"
        if scene.at_s <= due:
            return self.finding(Result.NOT_YET, f"an answer to {thing} is due by {said_moment(due)}.", **common)
        sentence = (
            f"an answer to {thing} was due by {said_moment(due)}, and none is on the record; who owed it is not known."
        )
        return self.finding(Result.POSSIBLE, sentence, **common)

    def _due_s(self, counts_s: float, start_s: float | None) -> float:
        due = counts_s + self.deadline_s
        if self.before_start_s is not None and start_s is not None and start_s - self.before_start_s > counts_s:
            return min(due, start_s - self.before_start_s)
        return due

    def _is_in_time(self, counts_s: float) -> bool:
        return (self.from_s is None or counts_s >= self.from_s) and (self.until_s is None or counts_s < self.until_s)
