"""LIAISON_BODY: who meets to talk about the agreement, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from keepclear.agreements.facts import Finding, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.deliverable import PERIOD_SCHEMA
from keepclear.agreements.terms.dues import Period, due_dates, judged_dues, read_period

__all__ = ["LiaisonBody"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LiaisonBody(Term):
    """A body in which the parties talk. Where it meets regularly, each says of each meeting that it took part."""

    TYPE: ClassVar[str] = "LIAISON_BODY"
    JUDGES_FILINGS: ClassVar[bool] = False

    body: str = field(metadata=p.text("what it is called", "name"))
    seat: str = field(default="", metadata=p.text("where it meets, or how it is reached"))
    members_named: tuple[str, ...] = field(default=(), metadata=p.names("who is in it, by role", "roles"))
    meets: Period | None = field(
        default=None, metadata=p.made("how long from one meeting to the next", read_period, PERIOD_SCHEMA)
    )
    start_s: float | None = field(
        default=None, metadata=p.moment("from when the periods are counted; from when the term binds if left out")
    )

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Whether it met as often as it is to; that it exists, no program can check."""
        start = self.from_s if self.start_s is None else self.start_s
        if self.meets is None or start is None:
            seat = f", {self.seat}" if self.seat else ""
            sentence = f"{self.body}{seat}: a body that the parties set up; there is nothing in it that can be checked."
            return (self.finding(Result.NO_DATA, sentence),)
        dues = list(due_dates(self.meets.after(start, 1), self.meets, scene.at_s, self.until_s))
        what = f"the meeting of {self.body}"
        return tuple(
            finding for party in sorted(self.parties) for finding in judged_dues(self, party, dues, scene, what)
        )
