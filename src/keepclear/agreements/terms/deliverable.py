"""DELIVERABLE: something is to be given by a time: a list, a map, a report; once, or again and again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from keepclear.agreements.facts import Finding
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.dues import Period, due_dates, judged_dues, read_period

__all__ = ["Deliverable"]

PERIOD_SCHEMA = {"type": "string", "examples": ["6 months", "7 d"]}


@dataclass(frozen=True, kw_only=True, eq=False)
class Deliverable(Term):
    """Each party that is bound gives something by a time. It counts from when somebody else had the entry."""

    TYPE: ClassVar[str] = "DELIVERABLE"
    JUDGES_FILINGS: ClassVar[bool] = False

    what: str = field(metadata=p.text("what is to be given"))
    due_s: float = field(metadata=p.moment("by when; the first time, where it is due again and again"))
    every: Period | None = field(
        default=None,
        metadata=p.made("how long from one due date to the next; once if left out", read_period, PERIOD_SCHEMA),
    )

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Whether each party gave it, for each due date."""
        dues = list(due_dates(self.due_s, self.every, scene.at_s, self.until_s))
        return tuple(
            finding for party in sorted(self.parties) for finding in judged_dues(self, party, dues, scene, self.what)
        )
