"""Encounters: units of two parties that came within the minima that bind them, or may have.

A search over all tracks finds who may have met (`keepclear.separation`); then each pair is measured along its legs,
with what the positions' uncertainty leaves open. A silence is not bridged: where a unit may have been in it, it may
have met another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keepclear.agreements.facts import Flown
from keepclear.model.findings import Answer, Minima
from keepclear.record.entries import EntryRef
from keepclear.separation.minima import MinimaTable
from keepclear.watch.approach import (
    Approach,
    Span,
    apart_of,
    approach_at_two_times,
    approach_of,
    merged,
    spans_within,
    why_not_certain,
)
from keepclear.watch.nearness import Following, Near, search
from keepclear.watch.sampling import path_of

__all__ = ["APART_S", "SILENT", "Approach", "Basis", "Encounter", "Met", "encounters"]

SILENT = "nothing is known of a unit during a silence in its track"

APART_S = 600.0
"""Two stretches of one pair with more time than this between them are two encounters."""


class Basis(StrEnum):
    """What a label is about."""

    TRACKS = "tracks"
    """Where the units were, as reported."""
    PLANS = "plans"
    """What was filed: there are no tracks."""


@dataclass(frozen=True, slots=True, order=True)
class Met:
    """One side of an encounter: whose unit, and which. Of plans, the unit is the operation's id."""

    party: str
    unit: str

    @property
    def name(self) -> str:
        """How it is called in sentences."""
        return f"{self.party or 'nobody known'} {self.unit}"


@dataclass(frozen=True, slots=True)
class Encounter:
    """Two units that came within the minima that bind them, or may have.

    Attributes
    ----------
    a, b
        The two sides, in the order of their names.
    basis
        Whether tracks say so, or plans.
    from_s, to_s
        From when to when they were within the minima, or may have been.
    certain_from_s, certain_to_s
        The same for what is certain, whatever the uncertainty of the positions; None where nothing is.
    minima
        What binds the two.
    approach
        The closest approach; None where no positions tell it, as in a gap.
    reasons
        Why it is only possible; empty where it is certain.
    filing_a, filing_b
        The filings that the two were flown or driven for; None where that is not known.
    """

    a: Met
    b: Met
    basis: Basis
    from_s: float
    to_s: float
    certain_from_s: float | None
    certain_to_s: float | None
    minima: Minima
    approach: Approach | None
    reasons: tuple[str, ...] = ()
    filing_a: EntryRef | None = None
    filing_b: EntryRef | None = None

    @property
    def nominal_is_within(self) -> bool:
        """Whether they were within the minima by the positions as they were reported, uncertainty left aside."""
        one = self.approach
        if self.certain_from_s is not None or one is None:
            return self.certain_from_s is not None
        level = self.minima.vertical_m is None or one.vertical_m is None or one.vertical_m < self.minima.vertical_m
        return level and one.horizontal_m < self.minima.horizontal_m

    @property
    def answer(self) -> Answer:
        """Conflict if it is certain that they came within the minima, else possible."""
        return Answer.POSSIBLE if self.certain_from_s is None else Answer.CONFLICT

    @property
    def parties(self) -> tuple[str, str]:
        """The two parties."""
        return self.a.party, self.b.party

    @property
    def units(self) -> tuple[str, str]:
        """The two units, in the order of the parties."""
        return self.a.unit, self.b.unit


def encounters(
    tracks: Sequence[Flown],
    minima: MinimaTable | None = None,
    *,
    window: tuple[float, float] | None = None,
    apart_s: float = APART_S,
    jobs: int = 1,
) -> tuple[Encounter, ...]:
    """Every encounter of units of different parties, in the order in which they began.

    Units of nobody known are of no party: they are held against everybody, each other too.

    Two are compared at one moment, and where the minima ask for a time between them, at moments with less between.
    Before its first position and after its last a track says nothing of where its unit was.

    Parameters
    ----------
    minima
        What binds them, terms in force included; the documented table where it is not given.
    window
        From and to, seconds since the epoch: only what happened then is looked at.
    apart_s
        More time than this between two stretches of one pair makes them two encounters; and a silence that is longer is
        one of its own, if they may have met in it.
    jobs
        Threads.

    Raises
    ------
    InputError
        If two tracks are of one party and unit and are there at one time, or the minima between units are 0.
    """
    pairs = search(tracks, minima or MinimaTable.default(), window=window, jobs=jobs)
    found = [one for pair in pairs for one in _of_pair(tracks, pair, apart_s)]
    return tuple(sorted(found, key=lambda one: (one.from_s, one.a, one.b)))


def _of_pair(tracks: Sequence[Flown], pair: Near, apart_s: float) -> Iterator[Encounter]:
    """The encounters of one pair of tracks."""
    first, second = tracks[pair.first], tracks[pair.second]
    following = pair.following
    if _side(second) < _side(first):
        first, second, following = second, first, tuple(one.swapped() for one in following)
    short = [one for one in pair.silent if one[1] - one[0] <= apart_s]
    long = [one for one in pair.silent if one[1] - one[0] > apart_s]
    for span in merged([*pair.spans, *short], apart_s):
        during = [one for one in following if one.from_s <= span[1] and one.to_s >= span[0]]
        one = _measured(first, second, pair.minima, span, short, during)
        if one is not None:
            yield one
    for span in long:  # what may have been in a long silence is no part of what is known before and after it
        yield _encounter(first, second, pair.minima, [span], [], None, [SILENT])


def _measured(
    first: Flown, second: Flown, minima: Minima, span: Span, silent: list[Span], following: list[Following]
) -> Encounter | None:
    """What the legs say of one stretch in which the two were near; None if they were not so near after all."""
    start, end = span
    a, b = path_of(first, start, end), path_of(second, start, end)
    apart = None if a is None or b is None else apart_of(a, b, start, end)
    within = [one for one in silent if one[0] <= end and one[1] >= start]
    reasons = [SILENT] if within else []
    together: list[Span] = []
    certain: list[Span] = []
    if apart is not None:
        together = spans_within(apart, minima.horizontal_m, minima.vertical_m, certain=False)
        certain = spans_within(apart, minima.horizontal_m, minima.vertical_m, certain=True)
    # Where the one came so soon after the other that there was too little time between, they were never that near.
    within = merged([*within, *together, *((one.from_s, one.to_s) for one in following)], 0.0)
    doubt_m = sum(math.inf if path is None else float(path.doubt_m.max()) for path in (a, b))
    certain = merged([*certain, *(span for one in following for span in _sure(one, minima, doubt_m))], 0.0)
    if not within:
        return None
    if not certain:
        reasons += [] if apart is None else why_not_certain(apart, minima)
        reasons += [text for one in following for text in one.reasons]
    approach = None if apart is None else approach_of(apart, minima)
    if following and not together:
        nearest = min(following, key=lambda one: (not one.certain, one.closest.horizontal_m))
        approach = approach_at_two_times(nearest.closest, doubt_m)
    return _encounter(first, second, minima, within, certain, approach, reasons)


def _sure(one: Following, minima: Minima, doubt_m: float) -> Iterator[Span]:
    """When it is certain, whatever the uncertainty of the positions, that the one came too soon after the other."""
    times = [time for time in (one.closest.time_a_s, one.closest.time_b_s) if time is not None]
    if one.certain and doubt_m == 0.0:
        yield one.from_s, one.to_s
    elif one.certain and times and one.closest.horizontal_m + doubt_m < minima.horizontal_m:
        yield min(times), max(times)


def _encounter(
    first: Flown,
    second: Flown,
    minima: Minima,
    within: list[Span],
    certain: list[Span],
    approach: Approach | None,
    reasons: list[str],
) -> Encounter:
    return Encounter(
        a=_side(first), b=_side(second), basis=Basis.TRACKS,
        from_s=within[0][0], to_s=max(one[1] for one in within),
        certain_from_s=certain[0][0] if certain else None, certain_to_s=certain[-1][1] if certain else None,
        minima=minima, approach=approach, reasons=() if certain else tuple(dict.fromkeys(reasons)),
        filing_a=first.operation,
        filing_b=second.operation,
    )  # fmt: skip


def _side(flown: Flown) -> Met:
    return Met(flown.party, flown.unit)
