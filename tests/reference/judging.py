"""Holds a report of the product against the reference: verdicts, closest moments and intervals of every pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from keepclear.model.extents import Track, Volume
from keepclear.model.findings import Answer, Closest, Conflict, Report
from keepclear.model.operations import Operation
from keepclear.separation.checking import check
from keepclear.separation.minima import MinimaTable
from tests.reference.oracle import MILLIMETRE, closest, off_footprint_m, separation_at, tolerance_m
from tests.reference.shapes import GEOD, Array, Shape, place, shape_of

__all__ = ["Rule", "Tally", "answer_of", "found", "judge", "verdict"]

# Heights are linear in time on both sides: only rounding can part the two.
_HEIGHT_ROUNDING_M = 1e-4
_TIME_ROUNDING_S = 2e-3  # a minimum in time is strict, which leaves its last millisecond open
_END_M = 0.01  # promised: at each end of an interval a distance within 1 cm of the minima


@dataclass(frozen=True)
class Rule:
    """The minima of a world: metres, metres and seconds."""

    horizontal_m: float
    vertical_m: float
    time_s: float = 0.0

    @property
    def table(self) -> MinimaTable:
        return MinimaTable.single(self.horizontal_m, self.vertical_m, self.time_s)


@dataclass
class Tally:
    """How many pairs were judged and what they were; a suite that judged nothing would prove nothing."""

    conflict: int = 0
    clear: int = 0
    too_close_to_call: int = 0
    faults: list[str] = field(default_factory=list)

    def __iadd__(self, other: Tally) -> Self:
        self.conflict += other.conflict
        self.clear += other.clear
        self.too_close_to_call += other.too_close_to_call
        self.faults += other.faults
        return self


def found(report: Report) -> dict[tuple[str, str], Conflict]:
    """The conflicts of a report by the ids of their sides, in alphabetical order; each pair comes once."""
    pairs = [tuple(sorted((conflict.a.id, conflict.b.id))) for conflict in report.conflicts]
    assert len(set(pairs)) == len(pairs), "a pair is reported twice"
    return dict(zip(pairs, report.conflicts, strict=True))  # type: ignore[arg-type]


def answer_of(report: Report, a: str, b: str) -> Answer:
    """What the report says of one pair."""
    conflict = found(report).get((min(a, b), max(a, b)))
    return conflict.answer if conflict else Answer.CLEAR


def judge(
    ours: Sequence[Operation],
    theirs: Sequence[Operation],
    rule: Rule,
    *,
    intervals: bool = True,
    report: Report | None = None,
) -> Tally:
    """Check two parties' operations, each with one extent, and compare every pair across with the reference."""
    report = report or check([*ours, *theirs], minima=rule.table)
    conflicts = found(report)
    shapes = [shape_of(_extent(operation)) for operation in (*ours, *theirs)]
    pairs = [(i, len(ours) + j) for i in range(len(ours)) for j in range(len(theirs))]
    names = [(ours[i].id, theirs[j - len(ours)].id) for i, j in pairs]
    tally = Tally()

    def distances(vertical_m: float, time_s: float) -> Array:
        within = 3.0 * rule.horizontal_m + 10.0
        return closest(shapes, pairs, vertical_m=vertical_m, time_s=time_s, within_m=within)

    # The reference's distance with other minima a little more and a little less than the product's.
    shorter_s = max(0.0, rule.time_s - _TIME_ROUNDING_S)
    least = distances(rule.vertical_m - MILLIMETRE + _HEIGHT_ROUNDING_M, rule.time_s)
    most = distances(rule.vertical_m - MILLIMETRE - _HEIGHT_ROUNDING_M, shorter_s)
    least_of_all = distances(rule.vertical_m + _HEIGHT_ROUNDING_M, rule.time_s)
    wanted = rule.horizontal_m - MILLIMETRE
    for k, (pair, name) in enumerate(zip(pairs, names, strict=True)):
        conflict = conflicts.get((min(name), max(name)))
        answer = conflict.answer if conflict else Answer.CLEAR
        say = _complaint(tally, name, least[k], most[k], rule)
        band = _band_m(rule, *(shapes[n] for n in pair))
        if most[k] < wanted - band:
            tally.conflict += 1
            if answer is not Answer.CONFLICT:
                say(f"must be a conflict, is {answer.value}")
        elif least[k] > wanted + band:
            tally.clear += 1
            if answer is not Answer.CLEAR:
                say(f"must be clear, is {answer.value}")
        else:
            tally.too_close_to_call += 1
        if conflict is not None and answer is Answer.CONFLICT:
            a, b = (shapes[n] for n in pair)
            if conflict.a.id != name[0]:
                a, b = b, a
            _judge_closest(conflict.closest, a, b, rule, (least_of_all[k], most[k]), say)
            if intervals:
                _judge_intervals(conflict, *((a, b) if a.moving else (b, a)), rule, say)
    return tally


def verdict(a: Track | Volume, b: Track | Volume, rule: Rule) -> Answer | None:
    """What the reference says of two extents; None where it is too close to call."""
    shapes = [shape_of(a), shape_of(b)]
    height = rule.vertical_m - MILLIMETRE
    band = _band_m(rule, *shapes)
    least, most = (
        float(closest(shapes, [(0, 1)], vertical_m=height + sign * _HEIGHT_ROUNDING_M, time_s=rule.time_s)[0])
        for sign in (1.0, -1.0)
    )
    if most < rule.horizontal_m - MILLIMETRE - band:
        return Answer.CONFLICT
    return Answer.CLEAR if least > rule.horizontal_m - MILLIMETRE + band else None


def _extent(operation: Operation) -> Track | Volume:
    (extent,) = (*operation.tracks, *operation.volumes)
    return extent


def _complaint(tally: Tally, name: tuple[str, str], least: float, most: float, rule: Rule) -> Callable[[str], None]:
    where = f"{name[0]} and {name[1]}: the reference says {least:.4f} to {most:.4f} m, {rule}"
    return lambda text: tally.faults.append(f"{where}: {text}")


def _band_m(rule: Rule, *shapes: Shape) -> float:
    """Within this of the minimum a pair is too close to call: what is measured goes to the middle of a circle."""
    return tolerance_m(rule.horizontal_m + sum(shape.radius_m for shape in shapes))


def _reach_m(distance: float, *shapes: Shape) -> float:
    """How far off a reported distance may be, metres.

    What is promised is 0.1 % or 1 m. Held here is a centimetre and a millionth besides the difference of chord and
    geodesic, and the 1 m only where two units all but meet: there a sag of the legs counts in full.
    """
    if math.isinf(distance):
        return 0.0
    to_middle = distance + sum(shape.radius_m for shape in shapes)
    return tolerance_m(to_middle, 0.01 + 1e-6 * to_middle) + math.hypot(distance, 1.0) - distance


def _judge_closest(
    given: Closest | None, a: Shape, b: Shape, rule: Rule, bounds: tuple[float, float], say: Callable[[str], None]
) -> None:
    if given is None:
        say("a conflict without its closest moment")
        return
    low, high = (max(bound, 0.0) for bound in bounds)
    if not low - _reach_m(low, a, b) <= given.horizontal_m <= high + _reach_m(high, a, b):
        say(f"closest {given.horizontal_m:.4f} m")
    apart = GEOD.inv(*given.a[:2], *given.b[:2])[2]
    if abs(apart - given.horizontal_m) > _reach_m(apart, a, b) + _END_M:
        say(f"closest says {given.horizontal_m:.4f} m, but its positions are {apart:.4f} m apart")
    if given.vertical_m is None or given.vertical_m > rule.vertical_m:
        say(f"closest has a vertical distance of {given.vertical_m}")
    for shape, position, time_s in ((a, given.a, given.time_a_s), (b, given.b, given.time_b_s)):
        if shape.moving:
            off = _off_track_m(shape, position, time_s)
            if off > _reach_m(0.0) + _END_M:
                say(f"the position at the closest moment is {off:.3f} m from where the track is then")
        elif (off := off_footprint_m(shape, *position[:2])) > _reach_m(0.0) + _END_M:
            say(f"the position at the closest moment is {off:.3f} m outside the footprint")


def _off_track_m(shape: Shape, position: tuple[float, float, float | None], time_s: float | None) -> float:
    """How far a position is from where its track may be at a time, whatever its slip."""
    if time_s is None:
        return math.inf
    best = math.inf
    for k, (start, end) in enumerate(shape.time_s):
        # Planned times that slip allows at this moment.
        low, high = max(start, time_s - shape.late_s[k]), min(end, time_s + shape.early_s[k])
        if low > high + 1e-3:
            continue
        span = np.linspace(low, high, 2001 if high > low else 1)
        fraction = np.clip((span - start) / (end - start) if end > start else np.zeros(len(span)), 0.0, 1.0)
        lon, lat = place(shape.pieces, np.full(len(span), k), fraction)
        n = len(span)
        off = GEOD.inv(lon, lat, np.full(n, position[0]), np.full(n, position[1]))[2].min()
        step = shape.pieces.length_m[k] * (fraction[-1] - fraction[0]) / max(n - 1, 1)
        best = min(best, float(off) - step)
    return best


def _judge_intervals(conflict: Conflict, a: Shape, b: Shape, rule: Rule, say: Callable[[str], None]) -> None:
    """Every sampled moment that is surely too close is in an interval, no moment surely apart is; the ends are ends."""
    if not a.moving:
        _judge_static_intervals(conflict, a, b, rule, say)
        return
    spans = [(span.start_s, span.end_s) for span in conflict.intervals if span.answer is Answer.CONFLICT]
    if not spans or any(start is None or end is None or start > end for start, end in spans):
        say(f"intervals {spans}")
        return
    starts, ends = np.array(spans, dtype=float).T
    if (starts[1:] < ends[:-1]).any():
        say("intervals overlap or are out of order")
    borders = np.unique(np.concatenate([a.time_s.ravel(), b.time_s.ravel() if b.moving else np.array(b.window_s)]))
    low, high = max(a.time_s[0, 0], borders[0]), min(a.time_s[-1, 1], borders[-1])
    times = np.unique(np.concatenate([np.linspace(low, high, 301), borders, (starts + ends) / 2.0]))
    horizontal, vertical = separation_at(a, b, times)
    band, slack = _band_m(rule, a, b), 1e-3
    surely = (horizontal < rule.horizontal_m - MILLIMETRE - band) & (vertical < rule.vertical_m - 1.1 * MILLIMETRE)
    never = (horizontal > rule.horizontal_m + _END_M + band) | (vertical > rule.vertical_m + _END_M)
    covered = ((times[:, None] >= starts - slack) & (times[:, None] <= ends + slack)).any(axis=1)
    within = ((times[:, None] > starts + slack) & (times[:, None] < ends - slack)).any(axis=1)
    if (surely & ~covered).any():
        say(f"too close at {float(times[surely & ~covered][0])!r}, outside the intervals {spans}")
    if (never & within).any():
        say(f"apart at {float(times[never & within][0])!r}, inside the intervals {spans}")
    ends_at = np.concatenate([starts, ends])
    horizontal, vertical = separation_at(a, b, np.clip(ends_at, low, high))
    near = (np.abs(horizontal - rule.horizontal_m) <= _END_M + band) | (np.abs(vertical - rule.vertical_m) <= _END_M)
    near |= (np.abs(ends_at[:, None] - borders) <= slack).any(axis=1)
    for k in np.flatnonzero(~near):
        say(f"an interval ends at {float(ends_at[k])!r}, {horizontal[k]:.4f} m and {vertical[k]:.4f} m apart")


def _judge_static_intervals(conflict: Conflict, a: Shape, b: Shape, rule: Rule, say: Callable[[str], None]) -> None:
    """Two volumes are too close for as long as both are there; within the minimum in time, near to it."""
    if rule.time_s > 0.0:
        return
    start, end = max(a.window_s[0], b.window_s[0]), min(a.window_s[1], b.window_s[1])
    spans = [(span.start_s, span.end_s) for span in conflict.intervals]
    if len(spans) != 1 or spans[0][0] is None or spans[0][1] is None:
        say(f"intervals {spans}")
    elif max(abs(spans[0][0] - start), abs(spans[0][1] - end)) > 1e-3:
        say(f"interval {spans[0]}, both are there from {start} to {end}")
