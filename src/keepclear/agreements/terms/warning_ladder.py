"""WARNING_LADDER: warnings are given step by step, none of them left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from keepclear.agreements.facts import Finding, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.reported import incidents, reply_evidence, stances
from keepclear.errors import Fault

__all__ = ["WarningLadder"]


@dataclass(frozen=True, kw_only=True, eq=False)
class WarningLadder(Term):
    """Warnings go up a ladder of steps. Incident reports tell in `acts` which were given, in their order."""

    TYPE: ClassVar[str] = "WARNING_LADDER"
    JUDGES_FILINGS: ClassVar[bool] = False

    steps: tuple[str, ...] = field(metadata=p.names("the steps, from the first, in the words that reports use"))

    def check(self) -> list[Fault]:
        """Check that the steps can be told apart."""
        folded = [one.casefold() for one in self.steps]
        alike = [a for a in folded for b in folded if a != b and a in b]
        if len(set(folded)) == len(folded) and not alike:
            return []
        value = ", ".join(alike[:3])
        return [
            Fault(
                "steps that cannot be told apart", "words that are not part of each other", field="steps", value=value
            )
        ]

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Each report in which a step was taken."""
        found = []
        for heard in incidents(self, scene):
            body: Any = heard.body
            taken = [
                number
                for act in body.acts
                for number, step in enumerate(self.steps)
                if step.casefold() in act.casefold()
            ]
            if not taken:
                continue
            concur, against = stances(heard, scene)
            missing = [self.steps[number] for number in range(max(taken)) if number not in taken]
            if missing:
                said, result = f"goes to {self.steps[max(taken)]!r} without {' and '.join(missing)}", Result.POSSIBLE
            elif taken != sorted(taken):
                said, result = "takes the steps in another order", Result.POSSIBLE
            else:
                said = f"takes the steps in order, as far as {self.steps[max(taken)]!r}"
                result = Result.MET if concur and not against else Result.POSSIBLE
            whose = f"concurred in by {' and '.join(sorted(concur))}" if concur else "one side's report"
            disputed = f", disputed by {' and '.join(against)}" if against else ""
            evidence = reply_evidence(heard, scene, "the steps reported")
            sentence = f"the report of {heard.party} {said}; {whose}{disputed}."
            found.append(self.finding(result, sentence, about=heard.ref, evidence=evidence, disputed_by=against))
        if found:
            return tuple(found)
        return (self.finding(Result.NO_DATA, "no report of a warning is on the record."),)
