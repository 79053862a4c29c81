"""DURATION: for how long an agreement runs, and whether it goes on after that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from keepclear.agreements.facts import Finding, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.quantities import months_after_s, said_moment

__all__ = ["Duration"]

AUTOMATIC = "automatic"


@dataclass(frozen=True, kw_only=True, eq=False)
class Duration(Term):
    """The agreement ends so many months after it came into force, unless it is renewed."""

    TYPE: ClassVar[str] = "DURATION"
    JUDGES_FILINGS: ClassVar[bool] = False

    months: int = field(metadata=p.months("how long it runs, in months of the calendar (UTC)", "months"))
    renewal: str = field(
        default="none",
        metadata=p.choice("how it is renewed; not at all if left out", ("none", "by a new signature", AUTOMATIC)),
    )
    start_s: float | None = field(
        default=None, metadata=p.moment("from when the months are counted; from when it is in force if left out")
    )

    def ends_s(self, since_s: float) -> float | None:
        """When an agreement ends that is in force since `since_s`; None where it renews itself."""
        if self.renewal == AUTOMATIC:
            return None
        return months_after_s(since_s if self.start_s is None else self.start_s, self.months)

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """When it runs out."""
        since = self.from_s if self.start_s is None else self.start_s
        if self.renewal == AUTOMATIC:
            return (self.finding(Result.NOT_YET, f"runs {self.months} months, and then goes on by itself."),)
        if since is None:
            sentence = f"runs {self.months} months from when the agreement is in force, which this term does not say."
            return (self.finding(Result.NO_DATA, sentence),)
        end = months_after_s(since, self.months)
        if scene.at_s < end:
            return (self.finding(Result.NOT_YET, f"runs until {said_moment(end)}.", due_s=end),)
        sentence = f"ran out at {said_moment(end)}; it goes on only if it was renewed ({self.renewal})."
        return (self.finding(Result.NO_DATA, sentence, due_s=end),)
