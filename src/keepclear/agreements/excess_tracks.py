"""By how much a track is out of a field: legs are halved until each is decided, or too short to matter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import on_surface
from keepclear.agreements.excess_answers import (
    BEYOND,
    EDGE,
    GAP,
    LOST_M,
    NUMERIC_M,
    UNCERTAIN,
    Excess,
    Field,
    Standing,
    Window,
    place_of,
)
from keepclear.geo.ellipsoid import geodesic_points, surface_lonlat
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.kinds import SPEED_LIMIT_M_S, Domain

__all__ = ["excess_of_track"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_FINE_M, _COARSE_M = 2.0, 20.0
_LONGEST_LEG_M = 100_000.0
_MOST_SAMPLES = 200_000


def excess_of_track(
    track: Track,
    field: Field,
    window: Window = (None, None),
    *,
    gap_s: float = math.inf,
    top_speed_m_s: float = SPEED_LIMIT_M_S[Domain.AIR],
) -> Excess | None:
    """How far a track is out, between its positions too; None where nothing of it is in the window.

    Parameters
    ----------
    gap_s
        A longer silence in a flown track is a gap: there it may have gone as far as `top_speed_m_s` allows.
    """
    cut = _in_window(_pieces_of(track, gap_s, top_speed_m_s), window, track)
    if cut is None:
        return None
    return _judged(_refined(cut, field), track)


@dataclass(slots=True)
class _Legs:
    """Legs as columns: both ends (m, 3), times, how far the unit may have gone, uncertainty, what the field says."""

    a: Array
    b: Array
    start_s: Array
    end_s: Array
    length_m: Array
    doubt_m: Array
    is_gap: Flags
    at_a: Array
    at_b: Array
    slack_a: Array
    slack_b: Array

    def of(self, rows: npt.NDArray[np.intp] | Flags) -> _Legs:
        return _Legs(*(getattr(self, name)[rows] for name in self.__slots__))


def _joined(parts: list[_Legs]) -> _Legs:
    names = _Legs.__slots__
    return _Legs(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _pieces_of(track: Track, gap_s: float, top_speed_m_s: float) -> _Legs:
    """The legs of a track, none longer than 100 km."""
    lonlat = np.column_stack((track.lon_deg, track.lat_deg))
    times = np.asarray(track.time_s)
    if len(times) == 1:
        lonlat, times = np.repeat(lonlat, 2, axis=0), np.repeat(times, 2)
    doubt = np.broadcast_to(np.asarray(track.uncertainty_m), track.time_s.shape)
    doubt = np.repeat(doubt, 2) if len(doubt) == 1 else doubt
    doubts = np.maximum(doubt[:-1], doubt[1:])
    points = on_surface(lonlat)
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    gaps = (np.diff(times) > gap_s) & (track.basis is TrackBasis.FLOWN)
    a, b, start, end = points[:-1], points[1:], times[:-1], times[1:]
    reach = np.where(gaps, np.maximum(lengths * 1.0001, np.diff(times) * top_speed_m_s), lengths * 1.0001 + 1e-3)
    nothing = np.zeros(len(a))
    legs = _Legs(a, b, start, end, reach, doubts, gaps, nothing, nothing, nothing, nothing)
    long = np.flatnonzero((lengths > _LONGEST_LEG_M) & ~gaps)
    return (
        legs if not len(long) else _joined([legs.of(np.setdiff1d(np.arange(len(a)), long)), _cut(legs, lonlat, long)])
    )


def _cut(legs: _Legs, lonlat: Array, long: npt.NDArray[np.intp]) -> _Legs:
    parts = []
    for row in long.tolist():
        count = math.ceil(legs.length_m[row] * 1.05 / _LONGEST_LEG_M) + 1
        (lon0, lat0), (lon1, lat1) = lonlat[row].tolist(), lonlat[row + 1].tolist()
        lon, lat = geodesic_points(lon0, lat0, lon1, lat1, count)
        points, times = (
            on_surface(np.column_stack((lon, lat))),
            np.linspace(legs.start_s[row], legs.end_s[row], count + 1),
        )
        lengths = np.linalg.norm(np.diff(points, axis=0), axis=1) * 1.0001
        doubt, none = np.full(count, legs.doubt_m[row]), np.zeros(count)
        gap = np.zeros(count, np.bool_)
        parts.append(_Legs(points[:-1], points[1:], times[:-1], times[1:], lengths, doubt, gap, none, none, none, none))
    return _joined(parts)


def _in_window(legs: _Legs, window: Window, track: Track) -> _Legs | None:
    """What of the legs can be in the window: the unit may come earlier or later than planned."""
    early, late = float(np.max(track.early_s)), float(np.max(track.late_s))
    low = -math.inf if window[0] is None else window[0] - late
    high = math.inf if window[1] is None else window[1] + early
    rows = (legs.end_s >= low) & (legs.start_s <= high)
    if not rows.any():
        return None
    kept = legs.of(rows)
    duration = np.maximum(kept.end_s - kept.start_s, 1e-9)
    first = np.clip((low - kept.start_s) / duration, 0.0, 1.0)
    last = np.clip((high - kept.start_s) / duration, 0.0, 1.0)
    whole = ((first <= 0.0) & (last >= 1.0)) | kept.is_gap
    if whole.all():
        return kept
    first, last = np.where(whole, 0.0, first), np.where(whole, 1.0, last)
    way = kept.b - kept.a
    kept.a, kept.b = _lifted(kept.a + first[:, None] * way), _lifted(kept.a + last[:, None] * way)
    kept.end_s = kept.start_s + last * (kept.end_s - kept.start_s)
    kept.start_s = kept.start_s + first * duration
    return kept


def _lifted(points: Array) -> Array:
    """Points a little below the surface, put on it."""
    lonlat = np.array([surface_lonlat(x, y, z) for x, y, z in points.tolist()]).reshape(-1, 2)
    return on_surface(lonlat)


def _refined(legs: _Legs, field: Field) -> _Legs:
    """The legs cut until each is decided, or too short to matter."""
    legs.at_a, legs.slack_a = field(legs.a)
    legs.at_b, legs.slack_b = field(legs.b)
    done: list[_Legs] = []
    samples = 2 * len(legs.a)
    while len(legs.a):
        todo = _undecided(legs)
        samples += int(todo.sum())
        if samples > _MOST_SAMPLES:
            todo[:] = False
        done.append(legs.of(~todo))
        legs = _halved(legs.of(todo), field)
    return _joined(done)


def _undecided(legs: _Legs) -> Flags:
    lost_a, lost_b = legs.slack_a < 0.0, legs.slack_b < 0.0
    length = legs.length_m
    above, below = np.maximum(legs.at_a, legs.at_b), np.minimum(legs.at_a, legs.at_b)
    bound = 0.5 * (legs.at_a + legs.at_b + length)
    todo = np.zeros(len(length), np.bool_)
    for edge in (NUMERIC_M + legs.doubt_m, NUMERIC_M - legs.doubt_m):
        todo |= (above <= edge) & (bound > edge) & (length > _FINE_M)
        todo |= (above > edge) & (below <= edge) & (length > _COARSE_M)
    deeper = (above > NUMERIC_M) & (bound > above + np.maximum(10.0, 0.005 * above)) & (length > _COARSE_M)
    todo = (todo | deeper) & ~lost_a & ~lost_b
    hidden = ~lost_a & ~lost_b & (legs.slack_a + legs.slack_b < 2.0 * length)
    todo |= (hidden | (lost_a != lost_b)) & (length > LOST_M)
    return np.asarray(todo & ~legs.is_gap)


def _halved(legs: _Legs, field: Field) -> _Legs:
    if not len(legs.a):
        return legs
    middle = _lifted(0.5 * (legs.a + legs.b))
    at, slack = field(middle)
    time = 0.5 * (legs.start_s + legs.end_s)
    half = 0.5 * legs.length_m * 1.0001
    common = (half, legs.doubt_m, legs.is_gap)
    return _joined(
        [
            _Legs(legs.a, middle, legs.start_s, time, *common, legs.at_a, at, legs.slack_a, slack),
            _Legs(middle, legs.b, time, legs.end_s, *common, at, legs.at_b, slack, legs.slack_b),
        ]
    )


def _judged(legs: _Legs, track: Track) -> Excess:
    lost = (legs.slack_a < 0.0) | (legs.slack_b < 0.0)
    at_a, at_b = (
        np.where(slack < 0.0, -math.inf, at) for at, slack in ((legs.at_a, legs.slack_a), (legs.at_b, legs.slack_b))
    )
    above = np.maximum(at_a, at_b)
    bound = np.where(lost, math.inf, 0.5 * (legs.at_a + legs.at_b + legs.length_m))
    bound = np.where(~legs.is_gap & ~lost, np.minimum(bound, above + 0.5 * legs.length_m), bound)
    out = above - legs.doubt_m > NUMERIC_M
    tight = ~legs.is_gap & ~lost & (legs.length_m <= _FINE_M * 1.01)
    highest = np.where(tight, above, bound)  # a leg that short says no more than its ends do
    maybe = highest + legs.doubt_m > NUMERIC_M
    standing = Standing.OUT if out.any() else Standing.MAYBE if maybe.any() else Standing.WITHIN
    rows = out if standing is Standing.OUT else maybe
    known = np.where(np.isfinite(above), above, -math.inf)
    considered = np.where(rows, known, -math.inf) if rows.any() and np.isfinite(known[rows]).any() else known
    at = int(np.argmax(considered)) if np.isfinite(considered).any() else int(np.argmax(rows))
    point = legs.a[at] if at_a[at] >= at_b[at] else legs.b[at]
    spans = _spans(legs, rows, track) if standing is not Standing.WITHIN else ()
    because = _because(legs, maybe, lost, above) if standing is Standing.MAYBE else ()
    most = float(considered[at]) if math.isfinite(considered[at]) else 0.0
    return Excess(standing, most, place_of(point), spans, because)


def _spans(legs: _Legs, rows: Flags, track: Track) -> tuple[tuple[float, float], ...]:
    early, late = float(np.max(track.early_s)), float(np.max(track.late_s))
    starts, ends = legs.start_s[rows] - early, legs.end_s[rows] + late
    if not (math.isfinite(early) and math.isfinite(late)):
        return ()
    order = np.argsort(starts, kind="stable")
    spans: list[tuple[float, float]] = []
    for start, end in zip(starts[order].tolist(), ends[order].tolist(), strict=True):
        if spans and start <= spans[-1][1] + 1e-6:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return tuple(spans)


def _because(legs: _Legs, maybe: Flags, lost: Flags, above: Array) -> tuple[str, ...]:
    reasons = []
    if (maybe & lost).any():
        reasons.append(BEYOND)
    if (maybe & legs.is_gap & (above + legs.doubt_m <= NUMERIC_M)).any():
        reasons.append(GAP)
    doubt = legs.doubt_m[maybe & ~lost]
    if len(doubt) and doubt.max() > 0.0:
        reasons.append(UNCERTAIN.format(metres=float(doubt.max())))
    return tuple(reasons or [EDGE])
