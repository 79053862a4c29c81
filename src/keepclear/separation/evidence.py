"""Evidence: every stretch of time in which two things are, or may be, too close; and how it adds up to one finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntFlag
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.model.findings import Answer, Closest, Interval
from keepclear.separation.area import Area

__all__ = ["Evidence", "PairEvidence", "Reason", "collect", "reason_texts"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_MEET_S = 0.0015


class Reason(IntFlag):
    """Why an answer is only possible."""

    NONE = 0
    POSITION = 1
    HEIGHT = 2
    GAP = 4
    TIME = 8
    RULE = 16
    BOUND = 32
    THIN = 64


_TEXTS = {
    Reason.POSITION: "the positions are uncertain",
    Reason.HEIGHT: "the heights are known only within limits",
    Reason.GAP: "nothing is known of a unit during a gap in its track",
    Reason.TIME: "the times are not known",
    Reason.RULE: "the rule asks for a condition or an authorisation that is not known here",
    Reason.BOUND: "the distance lies within the numerical error of the test",
    Reason.THIN: "the volume has no thickness, so an overlap cannot be measured",
}


def reason_texts(reasons: int) -> tuple[str, ...]:
    """The reasons as text."""
    return tuple(text for reason, text in _TEXTS.items() if reasons & reason)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One test's findings as columns, each of shape (n,).

    Attributes
    ----------
    first, second
        Numbers of the two things, the lower first.
    certain
        Whether the stretch is a conflict or only possible.
    start_s, end_s
        Actual times; infinite where open.
    distance_m
        Least horizontal distance in it.
    reasons
        `Reason` bits, for what is only possible.
    sorts
        Shape (n, 2): rows in the minima whose rule was broken.
    row
        Row by which `locate` and `inside` find the pair again.
    locate
        Closest moment of a row; the flag says whether the stretch was certain.
    inside
        Which rows, between start and end, have a part in an area.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    certain: npt.NDArray[np.bool_]
    start_s: Array
    end_s: Array
    distance_m: Array
    reasons: npt.NDArray[np.int64]
    sorts: Ints
    row: npt.NDArray[np.int64]
    locate: Callable[[int, bool], Closest]
    inside: Callable[[Area, Ints, Array, Array], npt.NDArray[np.bool_]]

    def within(self, area: Area) -> Evidence:
        """What of this has a part in the area."""
        keep = self.inside(area, self.row, self.start_s, self.end_s)
        return replace(self, **{name: getattr(self, name)[keep] for name in _COLUMNS})


_COLUMNS = ("first", "second", "certain", "start_s", "end_s", "distance_m", "reasons", "sorts", "row")


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """All that was found of one pair; ``sorts`` are the rows in the minima that bound it at its closest."""

    first: int
    second: int
    sorts: tuple[int, int]
    answer: Answer
    reasons: tuple[str, ...]
    intervals: tuple[Interval, ...]
    closest: Closest


def collect(parts: list[Evidence]) -> Iterator[PairEvidence]:
    """One finding per pair of things, in the order of their numbers."""
    parts = [part for part in parts if len(part.first)]
    if not parts:
        return
    source = np.concatenate([np.full(len(part.first), k) for k, part in enumerate(parts)])
    first, second, certain, start, end, distance, reasons, sorts, row = (
        np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
    )
    order = np.lexsort((start, second, first))
    first, second = first[order], second[order]
    breaks = np.flatnonzero((np.diff(first) != 0) | (np.diff(second) != 0)) + 1
    edges = np.concatenate(([0], breaks, [len(order)]))
    for low, high in pairwise(edges.tolist()):
        rows = order[low:high]
        sure = certain[rows].any()
        chosen = rows[certain[rows]] if sure else rows
        nearest = distance[chosen].min()
        best = next(k for k in chosen if distance[k] <= nearest + 1e-6)
        yield PairEvidence(
            int(first[low]),
            int(second[low]),
            (int(sorts[best, 0]), int(sorts[best, 1])),
            Answer.CONFLICT if sure else Answer.POSSIBLE,
            () if sure else reason_texts(int(np.bitwise_or.reduce(reasons[rows]))),
            _intervals(start[rows], end[rows], certain[rows]),
            parts[source[best]].locate(int(row[best]), bool(certain[best])),
        )


def _intervals(start: Array, end: Array, certain: npt.NDArray[np.bool_]) -> tuple[Interval, ...]:
    """Conflict stretches merged, and the possible ones less those."""
    sure = _merged(start[certain], end[certain])
    maybe = [part for stretch in _merged(start[~certain], end[~certain]) for part in _less(stretch, sure)]
    found = [Interval(Answer.CONFLICT, _open(a), _open(b)) for a, b in sure]
    found += [Interval(Answer.POSSIBLE, _open(a), _open(b)) for a, b in maybe]
    return tuple(sorted(found, key=lambda i: -np.inf if i.start_s is None else i.start_s))


def _merged(start: Array, end: Array) -> list[tuple[float, float]]:
    """Stretches, sorted by start, that overlap or meet put together."""
    if len(start) == 0:
        return []
    last = np.maximum.accumulate(end)
    begins = np.concatenate(([True], start[1:] > last[:-1] + _MEET_S))
    ends = np.concatenate((begins[1:], [True]))
    return list(zip(start[begins].tolist(), last[ends].tolist(), strict=True))


def _less(stretch: tuple[float, float], others: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is left of a stretch without the others; an instant is left only if none of them holds it."""
    low, high = stretch
    parts, untouched = [], True
    for start, end in others:
        if end < low or start > high:
            continue
        untouched = False
        if start - low > _MEET_S:
            parts.append((low, start))
        low = max(low, end)
    if untouched or high - low > _MEET_S:
        parts.append((low, high))
    return parts


def _open(time_s: float) -> float | None:
    return time_s if np.isfinite(time_s) else None
