"""REVIEW: the parties look at the agreement again, at set times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from keepclear.agreements.facts import Finding, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.deliverable import PERIOD_SCHEMA
from keepclear.agreements.terms.dues import Period, due_dates, judged_dues, read_period

__all__ = ["Review"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Review(Term):
    """Each party that is bound says, for each review, that it took part: an entry of the type deliverable."""

    TYPE: ClassVar[str] = "REVIEW"
    JUDGES_FILINGS: ClassVar[bool] = False

    period: Period = field(metadata=p.made("how long from one review to the next", read_period, PERIOD_SCHEMA))
    start_s: float | None = field(
        default=None, metadata=p.moment("from when the periods are counted; from when the term binds if left out")
    )

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Whether each party took part in each review."""
        start = self.from_s if self.start_s is None else self.start_s
        if start is None:
            sentence = "a review is due each period, but neither start nor from says from when: nothing can be checked."
            return (self.finding(Result.NO_DATA, sentence),)
        dues = list(due_dates(self.period.after(start, 1), self.period, scene.at_s, self.until_s))
        return tuple(
            finding for party in sorted(self.parties) for finding in judged_dues(self, party, dues, scene, "the review")
        )
