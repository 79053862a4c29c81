"""Conflicts: what a search found, and what became of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from keepclear.values.base import EntryId, LineName, Time, Told
from keepclear.values.term_findings import TermFindingTold

__all__ = ["ConflictTold", "FoundConflictTold", "FoundTold", "IntervalTold", "MinimaTold", "SideTold"]

AnswerText = Literal["conflict", "possible", "clear"]


class SideTold(Told):
    """One side of a pair; `entry` is null for a draft or a plan that was only tried."""

    entry: EntryId | None
    party: str
    id: str
    kind: str | None = None
    name: str = ""
    is_zone: bool = False


class MinimaTold(Told):
    """The least separation allowed, and by which rule; `vertical_m` null: height does not matter."""

    horizontal_m: float | None
    vertical_m: float | None
    time_s: float | None
    rule: str


class IntervalTold(Told):
    """When the two are too close (``conflict``) or may be (``possible``); null where it is open or not known."""

    answer: AnswerText
    start: Time | None
    end: Time | None


class FoundConflictTold(Told):
    """Two plans that come too close, or may."""

    answer: AnswerText
    sentence: str
    reasons: list[str] = Field(default=[])
    a: SideTold
    b: SideTold
    minima: MinimaTold | None = None
    intervals: list[IntervalTold] = Field(default=[])
    closest: dict[str, Any] | None = None


class FoundTold(Told):
    """What a search found: one of three answers.

    Attributes
    ----------
    answer
        ``clear`` says that no conflict was found in what is known, and is not a permission.
    conflicts
        Every pair that comes too close, or may.
    checked
        With how many plans it was compared.
    sentence
        The answer in words.
    reasons
        Why it is not clear where no pair is at fault.
    notes
        What was not compared because it is not known here: said to others alone, or kept back.
    terms
        Terms in force that the plan is not within, or may not be, each with its clause: told before anything is filed.
    warnings
        What a person should know if it is filed, where that was asked for.
    """

    answer: AnswerText
    sentence: str
    conflicts: list[FoundConflictTold]
    checked: int
    reasons: list[str] = Field(default=[])
    notes: list[str] = Field(default=[])
    terms: list[TermFindingTold] = Field(default=[])
    warnings: list[str] = Field(default=[])


class ConflictTold(Told):
    """A conflict between filings, and its life: found, advised of, then resolved, accepted as a risk, or ended.

    Attributes
    ----------
    found
        The pair.
    advised_by, advisories
        Which parties advised of it, and the entries in which they did.
    why_not_advised
        Why we cannot advise the other party of it, where we cannot.
    accepted_by
        Which parties go on knowingly, each for itself.
    """

    id: int
    line: LineName
    state: str
    answer: AnswerText
    found: FoundConflictTold
    found_at: Time | None
    changed_at: Time | None
    advised_by: list[str] = Field(default=[])
    advisories: list[EntryId] = Field(default=[])
    accepted_by: list[str] = Field(default=[])
    why_not_advised: str = ""
    exercise: bool = False
