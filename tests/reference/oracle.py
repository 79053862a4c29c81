"""A slow, plain reference for how close two extents come. It shares no code with the product but the model's values.

Distances are geodesics on the WGS84 ellipsoid (`pyproj.Geod`); a leg is its geodesic at constant speed; an edge is
exactly what its polygon says (linear in degrees, or a geodesic). Nothing is projected, nothing is replaced by a chord.

Everything is cut into pieces of path. The question for two pieces is the least distance over (u, v), the fractions of
each that have been covered, in the region that time and height allow: a convex polygon in the unit square, or a line
in it where the two clocks are tied together. A grid finds the best cell, and a search inside it the least distance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.reference.regions import Region, region_of
from tests.reference.shapes import Array, Ints, Pieces, Shape, distance_m, place

__all__ = ["MILLIMETRE", "closest", "depth_m", "off_footprint_m", "separation_at", "tolerance_m"]

MILLIMETRE = 1e-3
_EARTH_RADIUS_M = 6_335_000.0  # the least radius of curvature: the widest difference of chord and geodesic
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_CHUNK = 200_000


def tolerance_m(distance: float, cut: float = 1.5 * MILLIMETRE) -> float:
    """How far the product may be off at a distance: by the chord it measures, and by what its cut of legs allows.

    Much tighter than what the product promises to its users (0.1 % or 1 m up to 100 km).
    """
    return cut + 1.1 * distance**3 / (24.0 * _EARTH_RADIUS_M**2)


def _gap(pieces: Pieces, ka: Ints, u: Array, kb: Ints, v: Array) -> Array:
    ka, u, kb, v = np.broadcast_arrays(ka, u, kb, v)
    shape = u.shape
    out = np.empty(u.size)
    flat = [np.ascontiguousarray(x.ravel()) for x in (ka, u, kb, v)]
    for start in range(0, u.size, _CHUNK):
        i, f, j, g = (x[start : start + _CHUNK] for x in flat)
        out[start : start + _CHUNK] = distance_m(place(pieces, i, f), place(pieces, j, g))
    return out.reshape(shape)


@dataclass
class _Problems:
    """Many piece-against-piece questions at once: piece numbers, the owner pair, and the regions as arrays."""

    pieces: Pieces
    ka: Ints
    kb: Ints
    u0: Array
    u1: Array
    tied: npt.NDArray[np.bool_]
    tie: Array  # (n, 2)
    strips: Array  # (n, 2, 4): a, b, low, high

    @classmethod
    def of(cls, pieces: Pieces, ka: Sequence[int], kb: Sequence[int], regions: Sequence[Region]) -> _Problems:
        n = len(regions)
        strips = np.zeros((n, 2, 4))
        strips[:, :, 2], strips[:, :, 3] = -np.inf, np.inf
        for k, region in enumerate(regions):
            for m, s in enumerate(region.strips):
                strips[k, m] = (s.a, s.b, s.low, s.high)
        return cls(
            pieces,
            np.asarray(ka, dtype=np.int64),
            np.asarray(kb, dtype=np.int64),
            np.array([r.u0 for r in regions]),
            np.array([r.u1 for r in regions]),
            np.array([r.tie is not None for r in regions], dtype=bool),
            np.array([r.tie or (0.0, 0.0) for r in regions]).reshape(n, 2),
            strips,
        )

    def only(self, keep: npt.NDArray[np.bool_]) -> _Problems:
        names = ("ka", "kb", "u0", "u1", "tied", "tie", "strips")
        return _Problems(self.pieces, *(getattr(self, name)[keep] for name in names))

    def v_range(self, u: Array) -> tuple[Array, Array]:
        """Least and greatest v for u of shape (n, m)."""
        low, high = np.zeros(u.shape), np.ones(u.shape)
        for k in range(2):
            a, b, lo, hi = (self.strips[:, k, m][:, None] for m in range(4))
            with np.errstate(divide="ignore", invalid="ignore"):
                one, two = (lo - a * u) / b, (hi - a * u) / b
            used = np.broadcast_to(b != 0.0, u.shape)
            low = np.where(used, np.maximum(low, np.minimum(one, two)), low)
            high = np.where(used, np.minimum(high, np.maximum(one, two)), high)
        tied = self.tie[:, :1] + self.tie[:, 1:] * u
        low = np.where(self.tied[:, None], tied, low)
        high = np.where(self.tied[:, None], tied, high)
        high = np.maximum(low, high)  # crossed by rounding only, where the region is a point
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)

    def gap(self, u: Array, v: Array) -> Array:
        shape = (-1,) + (1,) * (u.ndim - 1)
        return _gap(self.pieces, self.ka.reshape(shape), u, self.kb.reshape(shape), v)


def _grid(problems: _Problems, n: int) -> tuple[Array, Array]:
    """Distances at n by n points that the regions allow, of shape (problems, n, n), and the n values of u."""
    steps = np.linspace(0.0, 1.0, n)
    u = problems.u0[:, None] + (problems.u1 - problems.u0)[:, None] * steps
    low, high = problems.v_range(u)
    v = low[:, :, None] + (high - low)[:, :, None] * steps
    return problems.gap(np.broadcast_to(u[:, :, None], v.shape), v), u


def _least(problems: _Problems, n: int) -> Array:
    """Least distance of each problem."""
    out = np.empty(len(problems.ka))
    for tied in (True, False):
        chosen = problems.tied == tied
        if chosen.any():
            out[chosen] = _searched(problems.only(chosen), max(n, 33) if tied else n, tied=tied)
    return out


def _searched(problems: _Problems, n: int, *, tied: bool) -> Array:
    steps = np.linspace(0.0, 1.0, n)
    u = problems.u0[:, None] + (problems.u1 - problems.u0)[:, None] * steps
    values = _over_v(problems, u, tied=tied)
    best = values.argmin(axis=1)
    rows = np.arange(len(best))
    low, high = u[rows, np.maximum(best - 1, 0)], u[rows, np.minimum(best + 1, n - 1)]
    least = values.min(axis=1)
    one, two = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    f, g = (_over_v(problems, x[:, None], tied=tied)[:, 0] for x in (one, two))
    for _ in range(38):
        left = f < g
        low, high = np.where(left, low, one), np.where(left, two, high)
        fresh = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        one, two = np.where(left, fresh, two), np.where(left, one, fresh)
        value = _over_v(problems, fresh[:, None], tied=tied)[:, 0]
        f, g = np.where(left, value, g), np.where(left, f, value)
        least = np.minimum(least, np.minimum(f, g))
    return least


def _over_v(problems: _Problems, u: Array, *, tied: bool) -> Array:
    """Least distance over v, at each u of shape (problems, m): a grid, then parabolas through the squared distance."""
    low, high = problems.v_range(u)
    if tied:
        return problems.gap(u, low)
    steps = np.linspace(0.0, 1.0, 7)
    v = low[:, :, None] + (high - low)[:, :, None] * steps
    values = problems.gap(np.broadcast_to(u[:, :, None], v.shape), v)
    best = values.argmin(axis=2)
    least = values.min(axis=2)
    middle = np.take_along_axis(v, best[:, :, None], axis=2)[:, :, 0]
    half = (high - low) / 6.0
    for shrink in (6.0, 30.0, 200.0):
        middle = np.clip(middle, low + half, high - half)  # three different points, at the ends too
        offsets = np.stack([middle - half, middle, middle + half], axis=2)
        d = problems.gap(np.broadcast_to(u[:, :, None], offsets.shape), offsets)
        least = np.minimum(least, d.min(axis=2))
        middle = np.clip(_vertex(offsets, d * d), offsets[:, :, 0], offsets[:, :, 2])
        half = half / shrink
    return np.minimum(least, problems.gap(u, np.clip(middle, low, high)))


def _vertex(x: Array, y: Array) -> Array:
    """Where the parabola through three points (last axis) is least; the lowest point where they lie on a line."""
    a, c = (x[..., k] - x[..., 1] for k in (0, 2))
    f, h = (y[..., k] - y[..., 1] for k in (0, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = f / (a * (a - c)) + h / (c * (c - a))
        slope = f * -c / (a * (a - c)) + h * -a / (c * (c - a))
        at = -slope / (2.0 * curve)
    good = np.isfinite(at) & (curve > 0.0)
    lowest = np.take_along_axis(x, y.argmin(axis=-1)[..., None], axis=-1)[..., 0]
    return np.where(good, x[..., 1] + np.where(good, at, 0.0), lowest)


def closest(
    shapes: Sequence[Shape],
    pairs: Sequence[tuple[int, int]],
    *,
    vertical_m: float | None,
    time_s: float = 0.0,
    within_m: float = math.inf,
    grid: int = 5,
) -> Array:
    """Least horizontal distance of each pair while it is closer than `vertical_m` and its clocks allow it.

    Parameters
    ----------
    shapes, pairs
        Shapes, and which of them to compare.
    vertical_m
        Strictly less than this in height; None where height does not matter. Take off the millimetre beforehand.
    within_m
        Distances above this need not be exact: infinity is given where the distance is surely more.
    grid
        How many samples of each leg; more where legs are so long that one pair may have several minima.

    Returns
    -------
    distances
        One for each pair: infinite where the two are never that close in time and height; 0 or less where one is inside
        the other (less a circle's or corridor's own width).
    """
    order, numbers = _numbered(shapes)
    out = np.full(len(pairs), np.inf)
    owner, ka, kb, regions, swapped = [], [], [], [], []
    for n, pair in enumerate(pairs):
        a, b = (shapes[k] for k in pair)
        p, q = pair
        if b.moving and not a.moving:
            a, b, p, q = b, a, q, p
        swapped.append((p, q))
        near = _near_pieces(a, b, within_m)
        for i, j in near:
            region = region_of(a, i, b, j, vertical_m, time_s)
            if region is not None:
                owner.append(n)
                ka.append(numbers[p] + i)
                kb.append(numbers[q] + j)
                regions.append(region)
        if _one_inside(a, b, vertical_m, time_s):
            out[n] = -(a.radius_m + b.radius_m)
    if not regions:
        return out
    radius = np.array([shapes[p].radius_m + shapes[q].radius_m for p, q in swapped])
    problems = _Problems.of(order, ka, kb, regions)
    owners = np.array(owner)
    samples, _ = _grid(problems, 5)
    upper = np.full(len(pairs), np.inf)
    np.minimum.at(upper, owners, samples.min(axis=(1, 2)))
    lower = _lower_bound(problems)
    worth = (lower <= upper[owners]) & (lower - radius[owners] <= within_m)
    # Where a piece is inside the other's area nothing can be closer.
    worth &= np.isinf(out[owners])
    if worth.any():
        least = _least(problems.only(worth), grid)
        np.minimum.at(out, owners[worth], np.maximum(least, 0.0) - radius[owners[worth]])
    return out


def _numbered(shapes: Sequence[Shape]) -> tuple[Pieces, list[int]]:
    counts = [len(shape.pieces.lon) for shape in shapes]
    return Pieces.joined([shape.pieces for shape in shapes]), [0, *np.cumsum(counts)[:-1].tolist()]


def _near_pieces(a: Shape, b: Shape, within_m: float) -> list[tuple[int, int]]:
    i, j = (x.ravel() for x in np.meshgrid(np.arange(len(a.pieces.lon)), np.arange(len(b.pieces.lon)), indexing="ij"))
    if math.isinf(within_m):
        return list(zip(i.tolist(), j.tolist(), strict=True))
    middle_a = place(a.pieces, np.arange(len(a.pieces.lon)), np.full(len(a.pieces.lon), 0.5))
    middle_b = place(b.pieces, np.arange(len(b.pieces.lon)), np.full(len(b.pieces.lon), 0.5))
    apart = distance_m((middle_a[0][i], middle_a[1][i]), (middle_b[0][j], middle_b[1][j]))
    reach = (a.pieces.length_m[i] + b.pieces.length_m[j]) / 2.0 + a.radius_m + b.radius_m
    keep = apart - reach * 1.001 <= within_m
    return list(zip(i[keep].tolist(), j[keep].tolist(), strict=True))


def _lower_bound(problems: _Problems) -> Array:
    """No point of either piece, within its range, is farther than half a step from a sample."""
    n = 5
    steps = np.linspace(0.0, 1.0, n)
    u = problems.u0[:, None] + (problems.u1 - problems.u0)[:, None] * steps
    low, high = np.zeros(len(u)), np.ones(len(u))
    v = low[:, None] + (high - low)[:, None] * steps
    samples = problems.gap(np.repeat(u[:, :, None], n, axis=2), np.repeat(v[:, None, :], n, axis=1)).min(axis=(1, 2))
    slack_a = problems.pieces.length_m[problems.ka] * (problems.u1 - problems.u0) / (n - 1) / 2.0
    slack_b = problems.pieces.length_m[problems.kb] * (high - low) / (n - 1) / 2.0
    return np.asarray(samples - 1.001 * (slack_a + slack_b))


def _one_inside(a: Shape, b: Shape, vertical_m: float | None, time_s: float) -> bool:
    """Whether, where the two may be at once, a part of one lies in the area of the other.

    One point of each allowed stretch is enough: what goes in or out crosses the boundary, at distance 0.
    """
    for one, other in ((a, b), (b, a)):
        if other.area is None:
            continue
        for k in range(len(one.pieces.lon)):
            region = region_of(one, k, other, 0, vertical_m, time_s) if not other.moving else None
            if region is None:
                continue
            at = np.array([region.u0, region.u1])
            lon, lat = place(one.pieces, np.full(2, k), at)
            if other.area.contains(lon, lat).any():
                return True
            if not one.moving and k > 0:
                break
    return False


def separation_at(a: Shape, b: Shape, times_s: Array) -> tuple[Array, Array]:
    """Horizontal and vertical distance at given times, for a track without slip against a track or a volume.

    A track must have no two positions at one time. Both are infinite outside the windows; vertical distance to a band
    is negative inside it.
    """
    lon, lat, height, there = _track_at(a, times_s)
    if b.moving:
        lon_b, lat_b, height_b, there_b = _track_at(b, times_s)
        horizontal, vertical = distance_m((lon, lat), (lon_b, lat_b)), np.abs(height - height_b)
        there &= there_b
    else:
        horizontal = _to_core(lon, lat, b) - b.radius_m
        vertical = np.maximum(b.band_m[0] - height, height - b.band_m[1])
        there &= (times_s >= b.window_s[0]) & (times_s <= b.window_s[1])
    return np.where(there, horizontal, np.inf), np.where(there, vertical, np.inf)


def _track_at(track: Shape, times_s: Array) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    leg = np.clip(np.searchsorted(track.time_s[:, 0], times_s, side="right") - 1, 0, len(track.time_s) - 1)
    start, end = track.time_s[leg, 0], track.time_s[leg, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = np.nan_to_num((times_s - start) / (end - start), posinf=0.0, neginf=0.0)
    there = (times_s >= track.time_s[0, 0]) & (times_s <= track.time_s[-1, 1])
    lon, lat = place(track.pieces, leg, np.clip(fraction, 0.0, 1.0))
    height = track.height_m[leg, 0] + fraction * (track.height_m[leg, 1] - track.height_m[leg, 0])
    return lon, lat, height, there


def off_footprint_m(shape: Shape, lon: float, lat: float) -> float:
    """How far a point is outside a volume's footprint, metres; not positive inside it."""
    return float(_to_core(np.array([lon]), np.array([lat]), shape)[0]) - shape.radius_m


def _to_core(lon: Array, lat: Array, shape: Shape) -> Array:
    """Distance from points to the core of a volume; 0 inside an area."""
    n, m = len(lon), len(shape.pieces.lon)
    zero = np.zeros(n)
    points = Pieces(lon, lat, zero, zero, zero, zero, np.ones(n, dtype=bool))
    pieces = Pieces.joined([points, shape.pieces])
    free = Region(0.0, 0.0, None)
    out = np.full(n, np.inf)
    ka, kb = (x.ravel() for x in np.meshgrid(np.arange(n), n + np.arange(m), indexing="ij"))
    middle = place(pieces, kb, np.full(len(kb), 0.5))
    apart = distance_m((lon[ka], lat[ka]), middle)
    reach = pieces.length_m[kb] / 2.0 * 1.001
    upper = np.full(n, np.inf)
    np.minimum.at(upper, ka, apart + reach)
    keep = apart - reach <= upper[ka]
    ka, kb = ka[keep], kb[keep]
    problems = _Problems.of(pieces, ka, kb, [free] * len(ka))
    np.minimum.at(out, ka, _over_v(problems, np.zeros((len(ka), 1)), tied=False)[:, 0])
    if shape.area is not None:
        out[shape.area.contains(lon, lat)] = 0.0
    return out


def depth_m(a: Shape, b: Shape, vertical_m: float | None, *, samples: int = 201) -> float:
    """How deep a track goes into the area of a polygon, metres, by plain sampling: never more than the truth."""
    deepest = 0.0
    for i in range(len(a.pieces.lon)):
        region = region_of(a, i, b, 0, vertical_m, 0.0)
        if region is None or b.area is None:
            continue
        lon, lat = place(a.pieces, np.full(samples, i), np.linspace(region.u0, region.u1, samples))
        inside = b.area.contains(lon, lat)
        if inside.any():
            edge = Shape(b.pieces, False)
            deepest = max(deepest, float(_to_core(lon[inside], lat[inside], edge).max()))
    return deepest
