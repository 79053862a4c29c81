"""Conformance: whether a track keeps to its operation's own extent, volume by volume in time.

The numbers are those of ASTM F3548-21: 95 % of the time, excursions of at most 10 s, 60 s to come back. A silence is
TRACK_LOST, never conforming.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Flown
from keepclear.model.operations import Operation
from keepclear.watch.extent import Extent, Outside, Tolerance
from keepclear.watch.sampling import path_of

__all__ = [
    "CONFORMANCE_SHARE",
    "EXCURSION_S",
    "RECOVERY_S",
    "Conformance",
    "Keeping",
    "Share",
    "Stretch",
    "Tolerance",
    "conformance",
    "kept_share",
    "time_inside",
]

Array = npt.NDArray[np.float64]
_STEP_S = 10.0
"""A leg is looked at this often, since an excursion that is longer counts."""

CONFORMANCE_SHARE = 0.95
"""Of the time, that a track keeps to its operation."""
EXCURSION_S = 10.0
"""An excursion that is no longer is none."""
RECOVERY_S = 60.0
"""Who is outside for longer has left the plan."""


class Keeping(StrEnum):
    """How a track stands to its operation at a time."""

    CONFORMING = "conforming"
    NONCONFORMING = "nonconforming"
    TRACK_LOST = "track lost"
    UNKNOWN = "unknown"
    """The uncertainty of the positions leaves it open whether it was inside."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time during which a track stood to its operation in one way.

    Attributes
    ----------
    keeping
        How.
    from_s, to_s
        When.
    outside_m
        How far outside it was at most, by the positions as reported, at the surface; 0 where it was inside.
    outside_height_m
        How far above or below at most; 0 where it was inside or height is not known.
    unrecovered
        Whether it was outside for longer than `RECOVERY_S`.
    """

    keeping: Keeping
    from_s: float
    to_s: float
    outside_m: float = 0.0
    outside_height_m: float = 0.0
    unrecovered: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A share of time by the positions as reported, and what their uncertainty leaves open: 0 to 1."""

    reported: float
    least: float
    greatest: float

    def reaches(self, share: float) -> bool | None:
        """Whether it is at least so much; None if the uncertainty leaves it open."""
        if self.least >= share:
            return True
        return None if self.greatest >= share else False


@dataclass(frozen=True, slots=True)
class Conformance:
    """How a track kept to its operation.

    Attributes
    ----------
    stretches
        One after the other, from the first position within the operation's time to the last.
    share
        The share of that time in which it was inside; lost and unknown time counts as outside in ``least``, lost time
        in both.
    farthest_m, farthest_height_m
        How far outside it was at most.
    left_s
        Since when it was outside for longer than `RECOVERY_S`; None if it never was.
    reasons
        What could not be told, in words.
    """

    stretches: tuple[Stretch, ...]
    share: Share
    farthest_m: float
    farthest_height_m: float
    left_s: float | None
    reasons: tuple[str, ...] = ()


def conformance(
    operation: Operation, flown: Flown, *, tolerance: Tolerance | None = None, extent: Extent | None = None
) -> Conformance | None:
    """How a track kept to an operation; None if it has no position in the operation's time.

    Parameters
    ----------
    tolerance
        For planned tracks that state none; by the operation's domain where it is not given.
    extent
        The operation's, where the caller has it already.
    """
    looked = _looked(extent or Extent(operation, tolerance), flown)
    if looked is None:
        return None
    moments, outside, known = looked
    stretches = tuple(_stretches(moments, outside, known))
    left = min((one.from_s for one in stretches if one.unrecovered), default=None)
    return Conformance(
        stretches, _share(moments, outside, known), max((one.outside_m for one in stretches), default=0.0),
        max((one.outside_height_m for one in stretches), default=0.0), left, _reasons(outside, stretches),
    )  # fmt: skip


def kept_share(extent: Extent, flown: Flown) -> tuple[Share, float] | None:
    """The share of its time in which a track kept to an extent, and how far outside it was: `conformance` in short."""
    looked = _looked(extent, flown)
    if looked is None:
        return None
    moments, outside, known = looked
    at_ends = np.append(known, False) | np.append(False, known)
    beside = np.where(at_ends & np.isfinite(outside.beside_m), outside.beside_m, 0.0)
    return _share(moments, outside, known), float(beside.max(initial=0.0))


def _looked(extent: Extent, flown: Flown) -> tuple[Array, Outside, npt.NDArray[np.bool_]] | None:
    """The moments that are looked at, how far outside it was at each, and what is known between them."""
    low, high = extent.window
    path = path_of(flown, low, high)
    if path is None:
        return None
    low, high = max(low, float(path.time_s[0])), min(high, float(path.time_s[-1]))
    moments = _moments(path.time_s, extent.moments, low, high)
    outside = extent.outside(path, path.at(moments))
    known = path.at(0.5 * (moments[:-1] + moments[1:])).known if len(moments) > 1 else np.zeros(0, np.bool_)
    return moments, outside, known


def time_inside(moments: Array, values: Array, known: npt.NDArray[np.bool_]) -> float:
    """Seconds in which a value, even between moments, is 0 or less; only the intervals that are known count."""
    return float((_inside_of(moments, values) * known).sum())


def _inside_of(moments: Array, values: Array) -> Array:
    """Of each interval between moments, the seconds in which a value that goes evenly between them is not above 0.

    Where it is infinite at an end all of the interval is outside, or inside: what is due begins and ends at a moment.
    """
    length, start, end = np.diff(moments), values[:-1], values[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(start <= 0.0, np.where(end <= 0.0, 1.0, -start / (end - start)), 0.0)
        share = np.where((start > 0.0) & (end <= 0.0), -end / (start - end), share)
    share = np.where(np.isposinf(start) | np.isposinf(end), 0.0, share)
    share = np.where(np.isnan(share), 0.5, share)  # from minus infinity to a number: somewhere on the way
    return np.asarray(share * length)


def _moments(time_s: Array, borders: Array, low: float, high: float) -> Array:
    """The times of the positions, those at which something begins or ends to be due, and some between them."""
    inner = time_s[(time_s >= low) & (time_s <= high)]
    some = np.concatenate((inner, borders[(borders >= low) & (borders <= high)], [low, high]))
    some = np.unique(some)
    steps = np.diff(some)
    long = np.flatnonzero((steps > _STEP_S) & (steps <= 3600.0))
    extra = [np.linspace(some[k], some[k + 1], math.ceil(steps[k] / _STEP_S) + 1)[1:-1] for k in long.tolist()]
    return np.unique(np.concatenate([some, *extra]))


def _share(moments: Array, outside: Outside, known: npt.NDArray[np.bool_]) -> Share:
    total = float(moments[-1] - moments[0])
    columns = outside.metres, outside.greatest, outside.least
    if total <= 0.0:
        return Share(*(float(column[0] <= 0.0) for column in columns))
    reported, least, most = (min(time_inside(moments, column, known) / total, 1.0) for column in columns)
    return Share(reported, min(least, reported), max(most, reported))


def _stretches(moments: Array, outside: Outside, known: npt.NDArray[np.bool_]) -> Iterator[Stretch]:
    """The intervals put together that are alike, and short excursions with what is round them."""
    found: list[Stretch] = []
    for one in _intervals(moments, outside, known):
        if found and found[-1].keeping is one.keeping and one.from_s <= found[-1].to_s:
            before = found[-1]
            found[-1] = replace(
                before, to_s=one.to_s, outside_m=max(before.outside_m, one.outside_m),
                outside_height_m=max(before.outside_height_m, one.outside_height_m),
            )  # fmt: skip
        else:
            found.append(one)
    for one in _without_excursions(found):
        lasting = one.keeping is Keeping.NONCONFORMING and one.to_s - one.from_s > RECOVERY_S
        yield replace(one, unrecovered=lasting)


def _intervals(moments: Array, outside: Outside, known: npt.NDArray[np.bool_]) -> Iterator[Stretch]:
    """Runs of intervals between moments that are alike; those in which the track crosses the border, cut there."""
    inside = _inside_of(moments, outside.metres)
    within = outside.metres <= 0.0
    doubtful = (outside.least <= 0.0) & (outside.greatest > 0.0)
    codes = np.where(within[:-1] & within[1:], _IN, np.where(within[:-1] | within[1:], _ACROSS, _OUT))
    codes = np.where(doubtful[:-1] & doubtful[1:], _OPEN, codes)
    codes = np.where(known, codes, _LOST)
    breaks = np.flatnonzero((codes[1:] != codes[:-1]) | (codes[1:] == _ACROSS)) + 1
    for first, stop in pairwise([0, *breaks.tolist(), len(codes)] if len(codes) else []):
        low, high = float(moments[first]), float(moments[stop])
        ends = slice(first, stop + 1)
        far = _farthest(outside.beside_m[ends]), _farthest(outside.above_m[ends])
        if codes[first] != _ACROSS:
            keeping = _KEEPING[int(codes[first])]
            yield Stretch(keeping, low, high, *((0.0, 0.0) if keeping in _NOT_OUTSIDE else far))
            continue
        leaves = bool(within[first])
        cut = low + float(inside[first]) if leaves else high - float(inside[first])
        within_it, beyond = (low, cut), (cut, high)
        if not leaves:
            within_it, beyond = beyond, within_it
        two = [Stretch(Keeping.CONFORMING, *within_it), Stretch(Keeping.NONCONFORMING, *beyond, *far)]
        yield from (one for one in (two if leaves else two[::-1]) if one.to_s > one.from_s)


_IN, _OUT, _ACROSS, _LOST, _OPEN = range(5)
_KEEPING = {
    _IN: Keeping.CONFORMING,
    _OUT: Keeping.NONCONFORMING,
    _LOST: Keeping.TRACK_LOST,
    _OPEN: Keeping.UNKNOWN,
}
_NOT_OUTSIDE = frozenset({Keeping.CONFORMING, Keeping.TRACK_LOST})


def _farthest(values: Array) -> float:
    return float(values[np.isfinite(values)].max(initial=0.0))


def _without_excursions(stretches: list[Stretch]) -> list[Stretch]:
    """Short times outside, between two inside, are part of them; how far outside is still said."""
    result: list[Stretch] = []
    for number, one in enumerate(stretches):
        after = stretches[number + 1] if number + 1 < len(stretches) else None
        short = one.keeping is Keeping.NONCONFORMING and one.to_s - one.from_s <= EXCURSION_S
        back = result and result[-1].keeping is Keeping.CONFORMING and after and after.keeping is Keeping.CONFORMING
        kept = replace(one, keeping=Keeping.CONFORMING) if short and back else one
        if result and result[-1].keeping is kept.keeping is Keeping.CONFORMING:
            before = result.pop()
            kept = replace(
                before, to_s=kept.to_s, outside_m=max(before.outside_m, kept.outside_m),
                outside_height_m=max(before.outside_height_m, kept.outside_height_m),
            )  # fmt: skip
        result.append(kept)
    return result


def _reasons(outside: Outside, stretches: tuple[Stretch, ...]) -> tuple[str, ...]:
    reasons = []
    if any(one.keeping is Keeping.TRACK_LOST for one in stretches):
        reasons.append("nothing is known of the unit during a silence in its track")
    if any(one.keeping is Keeping.UNKNOWN for one in stretches):
        reasons.append("the uncertainty of the positions leaves open whether it was inside")
    if np.isposinf(outside.metres).any():
        reasons.append("for some of the time nothing of the operation was due")
    return tuple(reasons)
