"""Evidence: every stretch of time in which two things are, or may be, too close; and how it adds up to one finding."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntFlag
from itertools import pairwise, repeat

import numpy as np
import numpy.typing as npt

from keepclear.model.bulk import made_of
from keepclear.model.findings import Answer, Closest, Interval
from keepclear.separation.area import Area

__all__ = ["Evidence", "Locate", "PairEvidence", "Reason", "collect", "one_by_one", "reason_texts"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Locate = Callable[[Ints, Flags], list[Closest]]
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
        Closest moments of rows; the flags say whether their stretches were certain.
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
    locate: Locate
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


def one_by_one(locate: Callable[[int, bool], Closest]) -> Locate:
    """What locates many rows, of what locates one."""

    def located(rows: Ints, certain: Flags) -> list[Closest]:
        return [locate(row, flag) for row, flag in zip(rows.tolist(), certain.tolist(), strict=True)]

    return located


def collect(parts: list[Evidence]) -> list[PairEvidence]:
    """One finding per pair of things, in the order of their numbers."""
    parts = [part for part in parts if len(part.first)]
    if not parts:
        return []
    source = np.repeat(np.arange(len(parts)), [len(part.first) for part in parts])
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS]
    order = np.lexsort((columns[3], columns[1], columns[0]))
    source = source[order]
    first, second, certain, start, end, distance, reasons, sorts, row = (column[order] for column in columns)
    breaks = np.flatnonzero((np.diff(first) != 0) | (np.diff(second) != 0)) + 1
    lows = np.concatenate(([0], breaks))
    pair_of = np.repeat(np.arange(len(lows)), np.diff(np.append(lows, len(order))))
    sure = np.logical_or.reduceat(certain, lows)
    best = _best(pair_of, lows, np.where(certain == sure[pair_of], distance, np.inf), certain == sure[pair_of])
    texts = {mask: reason_texts(mask) for mask in np.unique(np.bitwise_or.reduceat(reasons, lows)).tolist()}
    why = np.bitwise_or.reduceat(reasons, lows).tolist()
    flags = sure.tolist()
    conflict, possible = Answer.CONFLICT, Answer.POSSIBLE
    columns_of_pairs = {
        "first": first[lows].tolist(),
        "second": second[lows].tolist(),
        "sorts": map(tuple, sorts[best].tolist()),
        "answer": [conflict if is_sure else possible for is_sure in flags],
        "reasons": [() if is_sure else texts[mask] for is_sure, mask in zip(flags, why, strict=True)],
        "intervals": _intervals(pair_of, len(lows), start, end, certain),
        "closest": _located(parts, source[best], row[best], certain[best]),
    }
    return made_of(PairEvidence, len(lows), columns_of_pairs)


def _best(pair_of: Ints, lows: Ints, distance: Array, chosen: Flags) -> Ints:
    """The row of each pair that is the earliest of its nearest, among those chosen."""
    nearest = np.minimum.reduceat(distance, lows)
    rows = np.flatnonzero(chosen & (distance <= nearest[pair_of] + 1e-6))
    return rows[np.searchsorted(pair_of[rows], np.arange(len(lows)))]


def _located(parts: list[Evidence], source: Ints, row: Ints, certain: Flags) -> list[Closest]:
    """The closest moment of each row, asked of the part it is from, all rows of a part at once."""
    asked = [np.flatnonzero(source == k) for k in range(len(parts))]
    found = [part.locate(row[at], certain[at]) for part, at in zip(parts, asked, strict=True)]
    back = np.argsort(np.concatenate(asked)).tolist()
    together = [closest for some in found for closest in some]
    return [together[k] for k in back]


def _intervals(pair_of: Ints, pairs: int, start: Array, end: Array, certain: Flags) -> list[tuple[Interval, ...]]:
    """For each pair its conflict stretches merged, and the possible ones less those."""
    sure, sure_first = _merged(pair_of[certain], pairs, start[certain], end[certain])
    maybe, maybe_first = _merged(pair_of[~certain], pairs, start[~certain], end[~certain])
    told = _told(Answer.CONFLICT, sure)
    result = [tuple(told[low:high]) for low, high in pairwise(sure_first)]
    for pair in np.flatnonzero(np.diff(maybe_first)).tolist():
        those = sure[sure_first[pair] : sure_first[pair + 1]]
        others = maybe[maybe_first[pair] : maybe_first[pair + 1]]
        left = [part for stretch in others for part in _less(stretch, those)] if those else others
        found = [*result[pair], *_told(Answer.POSSIBLE, left)]
        found.sort(key=lambda interval: -math.inf if interval.start_s is None else interval.start_s)
        result[pair] = tuple(found)
    return result


def _told(answer: Answer, stretches: list[tuple[float, float]]) -> list[Interval]:
    starts, ends = ([_open(stretch[k]) for stretch in stretches] for k in (0, 1))
    many = len(stretches)
    return made_of(Interval, many, {"answer": repeat(answer, many), "start_s": starts, "end_s": ends})


def _merged(pair_of: Ints, pairs: int, start: Array, end: Array) -> tuple[list[tuple[float, float]], list[int]]:
    """Stretches, sorted by pair and start, that overlap or meet put together; and where those of each pair begin."""
    if len(start) == 0:
        return [], [0] * (pairs + 1)
    # The latest end so far within each pair: ranks can be set apart by pair exactly, as times cannot.
    ends, rank = np.unique(end, return_inverse=True)
    last = ends[np.maximum.accumulate(rank + pair_of * len(ends)) - pair_of * len(ends)]
    begins = np.concatenate(([True], (pair_of[1:] != pair_of[:-1]) | (start[1:] > last[:-1] + _MEET_S)))
    stops = np.concatenate((begins[1:], [True]))
    first = np.searchsorted(pair_of[begins], np.arange(pairs + 1))
    return list(zip(start[begins].tolist(), last[stops].tolist(), strict=True)), first.tolist()


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
    return time_s if math.isfinite(time_s) else None
