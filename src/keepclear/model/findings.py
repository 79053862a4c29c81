"""Findings: what a check says. Plain values that every writer and screen renders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keepclear.model.kinds import OperationKind, ZoneKind

__all__ = [
    "CLEAR_SENTENCE",
    "Answer",
    "Closest",
    "Conflict",
    "Interval",
    "Minima",
    "Proposal",
    "Report",
    "Scope",
    "Side",
]

CLEAR_SENTENCE = "no conflict found in what is known; not a permission"


class Answer(StrEnum):
    """The three answers. Clear means no conflict found in what is known; it is not a permission."""

    CONFLICT = "conflict"
    POSSIBLE = "possible"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Scope:
    """What was looked at: times in seconds since the epoch and (west, south, east, north) in degrees; None is all."""

    from_s: float | None = None
    to_s: float | None = None
    area: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a pair."""

    party: str
    id: str
    kind: OperationKind | ZoneKind | None
    is_zone: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Minima:
    """The least separation allowed: metres (``vertical_m`` None: height does not matter), seconds, and which rule."""

    horizontal_m: float
    vertical_m: float | None
    time_s: float
    rule: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A time during which the two are too close (``answer`` conflict) or may be (possible); None is open-ended."""

    answer: Answer
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True)
class Closest:
    """The moment of least horizontal distance while both minima are broken.

    ``a`` and ``b`` are (longitude, latitude, height above WGS84 or None); distances in metres at the ellipsoid's
    surface; ``vertical_m`` is None where no height is known. Times are None where they are not known.
    """

    time_a_s: float | None
    time_b_s: float | None
    horizontal_m: float
    vertical_m: float | None
    a: tuple[float, float, float | None]
    b: tuple[float, float, float | None]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change that parts a pair, checked against everything known, or one that was tried and failed.

    Attributes
    ----------
    side
        ``"a"`` or ``"b"``: who would change.
    change
        ``"delay"``, ``"earlier"``, ``"level"``, ``"shift"`` or ``"detour"``.
    amount, unit
        How much: seconds or metres.
    works
        Whether it parts the pair and makes no new conflict.
    cost
        What it costs, comparable between proposals; lower is better.
    sentence
        One sentence for a person.
    because
        Why it failed, where it did.
    """

    side: str
    change: str
    amount: float
    unit: str
    works: bool
    cost: float
    sentence: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One pair of operations, or of operation and zone, that come too close or may do."""

    answer: Answer
    reasons: tuple[str, ...]
    a: Side
    b: Side
    minima: Minima
    intervals: tuple[Interval, ...]
    closest: Closest | None
    sentence: str
    proposals: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to a check, with everything it rests on.

    Attributes
    ----------
    answer
        Conflict if any pair conflicts; else possible if any pair may, or nothing could be compared; else clear.
    legs
        How many legs the input tracks have.
    pairs_compared
        How many pairs of operations (or with zones) were comparable at all; 0 makes the answer possible.
    """

    answer: Answer
    scope: Scope
    operations: int
    zones: int
    legs: int
    elapsed_s: float
    conflicts: tuple[Conflict, ...]
    warnings: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    pairs_compared: int = 0
