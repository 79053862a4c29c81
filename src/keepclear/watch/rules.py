"""The rules of labels, as a table: which facts make which label. The first row whose facts are all so is the label."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import StrEnum

__all__ = ["RULES", "Atom", "Flag", "Label", "first_match"]


class Label(StrEnum):
    """What an encounter was; the best known first, but for the first, which is none of them."""

    UNDETERMINED = "undetermined"
    """There are tracks, and their uncertainty straddles a threshold."""
    JOINT = "joint"
    """One plan, signed by every participant with its role, and each was there for at least half of its time."""
    JOINT_PLANNED = "joint-planned"
    """One plan, signed by every participant with its role; the tracks do not show that it was carried out."""
    COORDINATED = "coordinated"
    """Separate plans, a measure in which both sides concurred, and tracks that kept to the plans."""
    DECONFLICTED = "deconflicted"
    """Separate plans that the other side saw or read back in time, and no conflict left open."""
    NOTIFIED_ONLY = "notified-only"
    """Something was filed in time, by one side alone, or late, or unanswered."""
    COINCIDENTAL = "coincidental"
    """Close, and nothing was filed in time."""


class Flag(StrEnum):
    """What an encounter was besides."""

    UNSAFE = "unsafe"
    """Within the minima, and nobody had agreed to be."""
    TERM_BREACH = "term-breach"
    """A term in force was breached."""
    OBSTRUCTION = "obstruction"
    """One blocked, or hindered, the other, as a report on the record says."""
    LATE = "late"
    """Something was filed, or answered, later than it was due."""
    DISPUTED = "disputed"
    """The record holds statements that contradict each other."""


class Atom(StrEnum):
    """One fact that rules ask for. A and B are the sides of the encounter, in the order of their names."""

    JOINT_SIGNED = "every participant of one plan had signed it, with its role"
    JOINT_PRESENT = "every participant was there at least half of the plan's time"
    MET = "they were within the minima, or it is plans that are labelled"
    FILED_A = "A had filed"
    FILED_B = "B had filed"
    TOLD = "somebody had told the other side"
    ANSWERED_A = "B had seen or read back A's filing in time"
    ANSWERED_B = "A had seen or read back B's filing in time"
    NO_CONFLICT = "no conflict between the filings was left open"
    MEASURE = "both sides concurred in a measure"
    KEPT_A = "A kept to its plan"
    KEPT_B = "B kept to its plan"


_A = Atom

RULES: tuple[tuple[Label | None, frozenset[Atom], frozenset[Atom]], ...] = (
    (Label.JOINT, frozenset({_A.JOINT_SIGNED, _A.JOINT_PRESENT}), frozenset()),
    (Label.JOINT_PLANNED, frozenset({_A.JOINT_SIGNED}), frozenset()),
    (None, frozenset(), frozenset({_A.MET})),
    (Label.COORDINATED, frozenset({_A.FILED_A, _A.FILED_B, _A.MEASURE, _A.KEPT_A, _A.KEPT_B}), frozenset()),
    (
        Label.DECONFLICTED,
        frozenset({_A.FILED_A, _A.FILED_B, _A.ANSWERED_A, _A.ANSWERED_B, _A.NO_CONFLICT}),
        frozenset(),
    ),
    (Label.NOTIFIED_ONLY, frozenset({_A.TOLD}), frozenset()),
    (Label.COINCIDENTAL, frozenset(), frozenset()),
)
"""Label (None: no encounter), the facts that must be so, and those that must not. UNDETERMINED is in no row: it is what
it is called when the rows differ for the least and the greatest distances."""


def first_match(facts: AbstractSet[Atom]) -> Label | None:
    """The label of these facts."""
    return next(label for label, needs, without in RULES if needs <= facts and not without & facts)
