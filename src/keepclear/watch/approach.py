"""How close two units came: measured along their legs, with what the uncertainty of the positions leaves open.

Between two moments at which either of them was reported both move evenly, so the distance is the root of a quadratic in
time, and the difference of heights lies between two straight lines. Nothing is sampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.geo import heights as height_codes
from keepclear.geo.ellipsoid import surface_lonlat
from keepclear.model.findings import Closest, Minima
from keepclear.watch.sampling import Path, Samples

__all__ = [
    "Apart",
    "Approach",
    "Span",
    "apart_of",
    "approach_at_two_times",
    "approach_of",
    "horizontal_shares",
    "merged",
    "merged_by_row",
    "spans_within",
    "vertical_shares",
    "why_not_certain",
]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Span = tuple[float, float]
Position = tuple[float, float, float | None]

_MEET_S = 0.0015
"""Stretches with no more time between them are one."""


@dataclass(frozen=True, slots=True)
class Approach:
    """The closest approach, and what the uncertainty of the positions leaves open.

    Attributes
    ----------
    time_s
        When, by the positions as they were reported; None where plans do not say it.
    from_s, to_s
        Between which times it was, by what is uncertain.
    horizontal_m
        How far apart they were then at the ellipsoid's surface, by the positions as they were reported.
    least_m, greatest_m
        How close they can have come, and at least came: the true least distance lies between.
    vertical_m
        Difference of heights then; None where heights are not known or do not compare.
    vertical_least_m, vertical_greatest_m
        Between what it lies; None where nothing is known of it.
    a, b
        Longitude, latitude, height above WGS84 (None where not known) of each.
    """

    time_s: float | None
    from_s: float | None
    to_s: float | None
    horizontal_m: float
    least_m: float
    greatest_m: float
    vertical_m: float | None
    vertical_least_m: float | None
    vertical_greatest_m: float | None
    a: Position
    b: Position


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Two units, moment by moment: rows are the times from one report of either to the next, shape (n,).

    Attributes
    ----------
    start_s, end_s
        When.
    square, slope, curve
        Of the square of the distance at the share s of the row: square + slope · s + curve · s².
    doubt_m
        How far off the distance may be.
    low0_m, low1_m, high0_m, high1_m
        The least and the greatest that the one may be above the other, at the start and at the end.
    level0_m, level1_m
        The difference of heights by the positions as reported; NaN where they do not compare.
    a, b
        Where they are, at the starts and at the ends.
    """

    start_s: Array
    end_s: Array
    square: Array
    slope: Array
    curve: Array
    doubt_m: Array
    low0_m: Array
    low1_m: Array
    high0_m: Array
    high1_m: Array
    level0_m: Array
    level1_m: Array
    a: tuple[Array, Array, Array, Array]
    b: tuple[Array, Array, Array, Array]

    def __len__(self) -> int:
        return len(self.start_s)

    def distance_m(self, share: Array) -> Array:
        """How far apart they are at a share of each row."""
        return np.sqrt(np.maximum(self.square + share * (self.slope + share * self.curve), 0.0))

    def place(self, row: int, share: float, side: str) -> Position:
        """Where one of them is."""
        xyz0, xyz1, w0, w1 = getattr(self, side)
        x, y, z = (float(v) for v in xyz0[row] + share * (xyz1[row] - xyz0[row]))
        lon, lat = surface_lonlat(x, y, z)
        height = float(w0[row] + share * (w1[row] - w0[row]))
        return float(lon), float(lat), height if math.isfinite(height) else None


def apart_of(a: Path, b: Path, from_s: float, to_s: float) -> Apart | None:
    """Two paths, moment by moment, in the time that both tell of; None if there is no such time."""
    low = max(from_s, float(a.time_s[0]), float(b.time_s[0]))
    high = min(to_s, float(a.time_s[-1]), float(b.time_s[-1]))
    if low > high:
        return None
    moments = np.concatenate((a.time_s, b.time_s, [low, high]))
    moments = np.unique(moments[(moments >= low) & (moments <= high)])
    if len(moments) == 1:
        moments = np.repeat(moments, 2)
    middle = 0.5 * (moments[:-1] + moments[1:])
    (known_a, doubt_a), (known_b, doubt_b) = a.known_at(middle), b.known_at(middle)
    known = known_a & known_b
    one, other = a.at(moments), b.at(moments)
    begin = np.flatnonzero(known)
    end, doubt = begin + 1, (doubt_a + doubt_b)[known]
    if not known.all():
        # A position between two silences is known for that moment.
        alone = np.flatnonzero(one.known & other.known & ~np.append(known, False) & ~np.append(False, known))
        begin, end = np.append(begin, alone), np.append(end, alone)
        doubt = np.append(doubt, (one.doubt_m + other.doubt_m)[alone])
    if len(begin) == 0:
        return None
    return _rows(a, b, one, other, moments, doubt, (begin, end))


def _rows(
    a: Path, b: Path, one: Samples, other: Samples, moments: Array, doubt: Array, ends: tuple[Ints, Ints]
) -> Apart:
    begin, end = ends
    here, there = (one.xyz_m - other.xyz_m)[begin], (one.xyz_m - other.xyz_m)[end]
    move = there - here
    low, high = _height_gaps(a, b, one, other)
    level = one.own_m - other.own_m if a.code == b.code <= height_codes.AGL else one.w84_m - other.w84_m
    comparable = (a.code == b.code <= height_codes.AGL) or max(a.code, b.code) <= height_codes.AMSL
    if not comparable:
        level = np.full(len(moments), math.nan)

    def side(path: Path, samples: Samples) -> tuple[Array, Array, Array, Array]:
        told = samples.w84_m if path.code <= height_codes.AMSL else np.full(len(moments), math.nan)
        return samples.xyz_m[begin], samples.xyz_m[end], told[begin], told[end]

    return Apart(
        moments[begin], moments[end],
        (here * here).sum(axis=1), 2.0 * (here * move).sum(axis=1), (move * move).sum(axis=1), doubt,
        low[begin], low[end], high[begin], high[end], level[begin], level[end], side(a, one), side(b, other),
    )  # fmt: skip


def _height_gaps(a: Path, b: Path, one: Samples, other: Samples) -> tuple[Array, Array]:
    """The least and the greatest that the one may be above the other."""
    if a.code == b.code <= height_codes.FL:
        level = one.own_m - other.own_m
        unknown = np.isnan(level)
        return np.where(unknown, -math.inf, level), np.where(unknown, math.inf, level)
    with np.errstate(invalid="ignore"):
        return one.low_m - other.high_m, one.high_m - other.low_m


def _shares(start: Array, end: Array, below: float) -> tuple[Array, Array]:
    """Between which shares of each row a straight line from start to end is below a value.

    Minus infinity is a least, and infinity a greatest, of which nothing is known.
    """
    low, high = np.zeros(len(start)), np.ones(len(start))
    with np.errstate(invalid="ignore", divide="ignore"):
        rise = end - start
        root = np.where(np.isfinite(rise) & (rise != 0.0), (below - start) / np.where(rise == 0.0, 1.0, rise), 0.0)
    up, down = rise > 0.0, rise < 0.0
    high = np.where(up, np.minimum(high, root), high)
    low = np.where(down, np.maximum(low, root), low)
    never = ~(up | down) & ~(start < below)
    # Where an end is not known at all nothing is known between them: all of it may be below, or nothing but the other
    # end is for certain.
    is_open = np.isneginf(start) | np.isneginf(end)
    low, high = np.where(is_open, 0.0, low), np.where(is_open, 1.0, np.where(never, -1.0, high))
    from_nowhere, to_nowhere = np.isposinf(start), np.isposinf(end)
    low = np.where(from_nowhere, 1.0, np.where(to_nowhere, 0.0, low))
    high = np.where(from_nowhere, np.where(end < below, 1.0, -1.0), high)
    return low, np.where(to_nowhere & ~from_nowhere, np.where(start < below, 0.0, -1.0), high)


def vertical_shares(apart: Apart, vertical_m: float | None, *, certain: bool) -> tuple[Array, Array]:
    """Between which shares of each row heights differ by less than the minimum: surely, or possibly."""
    count = len(apart)
    if vertical_m is None:
        return np.zeros(count), np.ones(count)
    if certain:  # even the greatest difference is less, either way
        first = _shares(apart.high0_m, apart.high1_m, vertical_m)
        second = _shares(-apart.low0_m, -apart.low1_m, vertical_m)
    else:
        first = _shares(apart.low0_m, apart.low1_m, vertical_m)
        second = _shares(-apart.high0_m, -apart.high1_m, vertical_m)
    return np.maximum(first[0], second[0]), np.minimum(first[1], second[1])


def horizontal_shares(apart: Apart, reach_m: Array) -> tuple[Array, Array]:
    """Between which shares of each row the distance is less than a reach; nowhere where the second is the less."""
    limit = np.where(reach_m > 0.0, reach_m * reach_m, -1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        root = apart.slope * apart.slope - 4.0 * apart.curve * (apart.square - limit)
        still = apart.curve <= 1e-12
        half = np.sqrt(np.maximum(root, 0.0))
        scale = np.where(still, 1.0, 2.0 * apart.curve)
        low = np.where(still, 0.0, (-apart.slope - half) / scale)
        high = np.where(still, 1.0, (-apart.slope + half) / scale)
    nowhere = np.where(still, ~(apart.square < limit), ~(root > 0.0))
    return np.maximum(low, 0.0), np.where(nowhere, -1.0, np.minimum(high, 1.0))


def spans_within(apart: Apart, horizontal_m: float, vertical_m: float | None, *, certain: bool) -> list[Span]:
    """When they were within the minima: surely, whatever the uncertainty, or possibly."""
    reach = horizontal_m + (-apart.doubt_m if certain else apart.doubt_m)
    low_h, high_h = horizontal_shares(apart, reach)
    low_v, high_v = vertical_shares(apart, vertical_m, certain=certain)
    low, high = np.maximum(low_h, low_v), np.minimum(high_h, high_v)
    rows = np.flatnonzero(low <= high)
    length = apart.end_s - apart.start_s
    starts = (apart.start_s + low * length)[rows]
    ends = (apart.start_s + high * length)[rows]
    return merged(list(zip(starts.tolist(), ends.tolist(), strict=True)), _MEET_S)


def merged(spans: list[Span], apart_s: float) -> list[Span]:
    """Stretches with no more time than that between them, put together."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1] + apart_s:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def merged_by_row(row_of: Ints, start_s: Array, end_s: Array, apart_s: float) -> tuple[Array, Array, list[int]]:
    """The same for many rows at once: starts and ends row by row, and where those of each row begin and end.

    Every row from 0 to the greatest has a stretch.
    """
    order = np.lexsort((start_s, row_of))
    row, start = row_of[order], start_s[order]
    # The latest end so far in each row: ranks can be set apart by row exactly, as times cannot.
    ends, rank = np.unique(end_s[order], return_inverse=True)
    last = ends[np.maximum.accumulate(rank.ravel() + row * len(ends)) - row * len(ends)]
    begins = np.concatenate(([True], (row[1:] != row[:-1]) | (start[1:] > last[:-1] + apart_s)))
    stops = np.append(begins[1:], True)
    first = np.searchsorted(row[begins], np.arange(int(row[-1]) + 2))
    return start[begins], last[stops], first.tolist()


def approach_of(apart: Apart, minima: Minima) -> Approach:
    """The closest approach: of the moments at which heights may differ by less than the minimum, if there are any."""
    low, high = vertical_shares(apart, minima.vertical_m, certain=False)
    if not (low <= high).any():
        low, high = np.zeros(len(apart)), np.ones(len(apart))
    with np.errstate(invalid="ignore", divide="ignore"):
        lowest = np.where(
            apart.curve > 1e-12, -0.5 * apart.slope / np.where(apart.curve > 1e-12, apart.curve, 1.0), low
        )
    share = np.clip(lowest, low, high)
    distance = np.where(low <= high, apart.distance_m(share), math.inf)
    row = int(np.argmin(distance))
    s = float(share[row])
    greatest = float((distance + apart.doubt_m).min())
    least = max(0.0, float((distance - apart.doubt_m).min()))
    start, end = horizontal_shares(apart, greatest + apart.doubt_m + 1e-3)
    rows = np.flatnonzero((start <= end) & (low <= high))
    length = apart.end_s - apart.start_s
    level = float(apart.level0_m[row] + s * (apart.level1_m[row] - apart.level0_m[row]))
    low_m = float(apart.low0_m[row] + s * _rise(apart.low0_m[row], apart.low1_m[row]))
    high_m = float(apart.high0_m[row] + s * _rise(apart.high0_m[row], apart.high1_m[row]))
    is_known = math.isfinite(low_m) and math.isfinite(high_m)
    return Approach(
        time_s=float(apart.start_s[row] + s * length[row]),
        from_s=float((apart.start_s + start * length)[rows].min()),
        to_s=float((apart.start_s + end * length)[rows].max()),
        horizontal_m=float(distance[row]), least_m=least, greatest_m=greatest,
        vertical_m=abs(level) if math.isfinite(level) else None,
        vertical_least_m=max(0.0, low_m, -high_m) if is_known else None,
        vertical_greatest_m=max(abs(low_m), abs(high_m)) if is_known else None,
        a=apart.place(row, s, "a"), b=apart.place(row, s, "b"),
    )  # fmt: skip


def approach_at_two_times(closest: Closest, doubt_m: float) -> Approach:
    """The closest approach of two that were there one after the other; the time is that of the later."""
    times = sorted(time for time in (closest.time_a_s, closest.time_b_s) if time is not None)
    metres, height = closest.horizontal_m, closest.vertical_m
    return Approach(
        times[-1] if times else None, times[0] if times else None, times[-1] if times else None,
        metres, max(0.0, metres - doubt_m), metres + doubt_m, height, height, height, closest.a, closest.b,
    )  # fmt: skip


def _rise(start: float, end: float) -> float:
    return float(end - start) if math.isfinite(start) and math.isfinite(end) else 0.0


def why_not_certain(apart: Apart, minima: Minima) -> list[str]:
    """Why it cannot be told whether they came within the minima."""
    reasons = []
    if (apart.doubt_m > 0.0).any():
        reasons.append("the positions are uncertain")
    vertical_m = minima.vertical_m
    if vertical_m is not None and bool((apart.high0_m - apart.low0_m > 0.0).any()):
        reasons.append("the heights are known only within limits")
    return reasons
