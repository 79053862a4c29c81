"""Legs: the tracks of all operations as arrays that the kernels read.

A leg runs from a point to the next one. Points are shared by neighbouring legs; neighbouring legs that have
everything but their points in common form a piece. Legs too long for their chord are cut (`geo.ellipsoid`), and a
silence in a flown track is not a leg but a gap (`separation.gaps`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter, is_

import numpy as np
import numpy.typing as npt

from keepclear.geo import heights as height_codes
from keepclear.geo.ellipsoid import geodesic_starts, lift, surface_point
from keepclear.geo.heights import GROUND_SPAN, NOTHING
from keepclear.geo.kernel import inlined_kernel, kernel
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import SURFACE, Domain
from keepclear.model.operations import Operation
from keepclear.separation.kept import Kept
from keepclear.separation.minima import RVSM_CEILING_M
from keepclear.separation.threads import SHARES_PER_THREAD, workers

__all__ = ["HEIGHT_CODES", "Legs", "TrackColumns", "columns_of", "compile_legs", "with_both_heights"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

HEIGHT_CODES = {
    HeightReference.W84: height_codes.W84,
    HeightReference.AMSL: height_codes.AMSL,
    HeightReference.FL: height_codes.FL,
    HeightReference.AGL: height_codes.AGL,
    HeightReference.UNKNOWN: height_codes.UNKNOWN,
}

_MEAN_RADIUS_M = 6_371_008.8
_ROOM = 1.01
"""Legs are cut as if they were this much longer: more than the ellipsoid differs from a sphere over 30 km."""
_METRES_PER_DEGREE = 111_700.0 * _ROOM * 1.0001
"""No degree of the surface is longer, with that room."""
_AT_ONCE = 512
"""Positions that are turned into vectors together: a loop without a branch, whose results stay in the cache."""
_ROW = _AT_ONCE + 1
"""As many positions bound that many legs."""
_TIME_ROUNDED_S, _TIME_ROUNDED = 1e-6, 5e-16
"""Doubles resolve 2.4e-7 s of today's seconds since the epoch, and in the year 9999 3e-5 s."""
_ARC_CUT_M = 30_000.0
"""Up to here a leg's inner points are found by lifting its chord (off by less than 0.1 mm), beyond by PROJ."""


@dataclass(frozen=True, slots=True)
class TrackColumns:
    """Every track's positions end to end, and one row of attributes per track.

    Attributes
    ----------
    time_s, lon_deg, lat_deg, height_m
        Shape (positions,).
    first
        Shape (tracks + 1,): where each track begins.
    operation, reference
        Shape (tracks,): index of its operation; code of its height reference (`geo.heights`).
    gap_s
        Shape (tracks,): longest silence that is still a leg; infinite for planned tracks.
    on_ground
        Shape (tracks,): whether its unit is never off the surface.
    uncertainty_m, early_s, late_s
        Shape (tracks,), or (positions,) if any track gives them by position.
    """

    time_s: Array
    lon_deg: Array
    lat_deg: Array
    height_m: Array
    first: npt.NDArray[np.int64]
    operation: Ints
    reference: npt.NDArray[np.int8]
    gap_s: Array
    on_ground: npt.NDArray[np.bool_]
    uncertainty_m: Array
    early_s: Array
    late_s: Array

    @property
    def by_position(self) -> bool:
        """Whether tolerances are given by position rather than by track."""
        return len(self.uncertainty_m) != len(self.operation)


@dataclass(frozen=True, slots=True)
class Legs:
    """Legs and gaps of all operations.

    Attributes
    ----------
    points
        Shape (n, 5 or 6): earth-centred x, y, z at height 0; seconds since the epoch; height in its own reference. The
        last column is the height above W84 (the same number where that is not known): a sixth if any track is AMSL,
        else the fifth is both. Metres.
    piece_of
        Shape (n,): piece of the leg that begins at a point; -1 where none does.
    operation, sort, reference, uncertainty_m, early_s, late_s
        Shape (pieces,): index of the operation, row in the minima, height code, tolerances.
    gaps
        Shape (g, 2): first and second point of each gap, as indices into `gap_points`, shape (2g, 5 or 6).
    gap_operation, gap_sort, gap_reference, gap_tolerance
        Shape (g,) and (g, 3): uncertainty, early, late.
    longest_m
        Shape (rows of the minima,): longest leg after cutting.
    input_legs
        How many legs the tracks have as given.
    """

    points: Array
    piece_of: Ints
    operation: Ints
    sort: Ints
    reference: npt.NDArray[np.int8]
    uncertainty_m: Array
    early_s: Array
    late_s: Array
    gap_points: Array
    gap_operation: Ints
    gap_sort: Ints
    gap_reference: npt.NDArray[np.int8]
    gap_tolerance: Array
    longest_m: Array
    input_legs: int


def columns_of(operations: Sequence[Operation], gap_limits_s: dict[Domain, float]) -> TrackColumns:
    """All tracks of `operations` end to end."""
    tracks_of = list(map(attrgetter("tracks"), operations))
    tracks = list(itertools.chain.from_iterable(tracks_of))
    operation = np.repeat(np.arange(len(operations), dtype=np.int32), list(map(len, tracks_of)))
    domains = list(map(attrgetter("domains"), operations))
    limit_of = {some: min(gap_limits_s[domain] for domain in some) for some in set(domains)}
    surface_of = {some: some <= SURFACE for some in limit_of}
    gap_of = np.array(list(map(limit_of.__getitem__, domains)), dtype=np.float64)
    on_ground = np.array(list(map(surface_of.__getitem__, domains)), dtype=np.bool_)
    time_s, lon_deg, lat_deg, height_m = (
        list(map(attrgetter(name), tracks)) for name in ("time_s", "lon_deg", "lat_deg", "height_m")
    )
    counts = np.array(list(map(len, time_s)), dtype=np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    is_flown = np.array(list(map(is_, map(attrgetter("basis"), tracks), itertools.repeat(TrackBasis.FLOWN))), np.bool_)
    row = _row_of_all(list(map(attrgetter("row"), tracks)), first)
    return TrackColumns(
        _joined(time_s, row),
        _joined(lon_deg, row),
        _joined(lat_deg, row),
        _joined(height_m, row),
        first,
        operation,
        _codes(tracks),
        np.where(is_flown, gap_of[operation], math.inf) if tracks else np.empty(0),
        on_ground[operation],
        *_tolerances(tracks, counts),
    )


def _codes(tracks: list[Track]) -> npt.NDArray[np.int8]:
    """Height codes of tracks; the references are told apart as objects, as to hash them takes ten times as long."""
    code_of = {id(reference): code for reference, code in HEIGHT_CODES.items()}
    references = map(attrgetter("height_reference"), tracks)
    return np.array(list(map(code_of.__getitem__, map(id, references))), dtype=np.int8)


def compile_legs(
    columns: TrackColumns,
    sorts: Ints,
    high_sorts: Ints,
    longest_m: Array,
    *,
    jobs: int = 1,
    kept: Kept | None = None,
) -> Legs:
    """Legs and gaps of `columns`.

    Parameters
    ----------
    sorts, high_sorts
        Shape (operations,): row in the minima, and the row for legs above FL410.
    longest_m
        Shape (rows of the minima,): length beyond which a leg is cut.
    jobs
        Threads: each takes a share of the tracks.
    kept
        Memory for the points: they are gone when it is given for the next legs.
    """
    shares = _shares(columns, jobs * SHARES_PER_THREAD if jobs > 1 else 1)
    given = columns.time_s, columns.lon_deg, columns.lat_deg, columns.height_m
    rules = sorts, high_sorts, longest_m, RVSM_CEILING_M
    with workers(jobs) as each:
        surveying = each(
            lambda share: _survey(
                *given, columns.first, columns.operation, columns.gap_s, columns.by_position, *rules, *share
            ),
            shares,
        )
        undulation = _undulations(columns)  # while the threads survey
        surveys = list(surveying)
        counts = np.array([(*survey[:3], len(survey[4])) for survey in surveys], dtype=np.int64)
        starts = np.vstack((np.zeros((1, 4), np.int64), np.cumsum(counts, axis=0)))
        points, pieces, gaps, _ = (int(n) for n in starts[-1])
        width = 6 if (columns.reference == height_codes.AMSL).any() else 5
        out = _Room(kept or Kept(), points, width, pieces, gaps, len(longest_m), len(shares))
        paths = _long_paths(columns, np.concatenate([survey[4] for survey in surveys]))
        filled = each(
            lambda k: _fill(
                *given, undulation, columns.first, columns.operation, columns.reference, columns.gap_s,
                columns.by_position, columns.uncertainty_m, columns.early_s, columns.late_s, columns.on_ground, *rules,
                *paths, *out.arrays, k, *shares[k], *starts[k],
            ),
            range(len(shares)),
        )  # fmt: skip
        list(filled)
    return out.legs(sum(survey[3] for survey in surveys))


def with_both_heights(points: Array) -> Array:
    """The same points with six columns, so that they can stand among others of which some are AMSL."""
    return points if points.shape[1] == 6 else np.column_stack((points, points[:, 4]))


class _Room:
    """Room for what `_fill` writes, shared by its threads."""

    def __init__(self, kept: Kept, points: int, width: int, pieces: int, gaps: int, rows: int, shares: int) -> None:
        self.arrays = (
            kept.empty("points", (points, width)), kept.empty("piece_of", (points,), np.int32),
            np.empty(pieces, np.int32), np.empty(pieces, np.int32), np.empty(pieces, np.int8), np.zeros((3, pieces)),
            np.empty((2 * gaps, width)), np.empty(gaps, np.int32), np.empty(gaps, np.int32), np.empty(gaps, np.int8),
            np.zeros((3, gaps)), np.zeros((shares, rows)),
        )  # fmt: skip

    def legs(self, input_legs: int) -> Legs:
        """What has been written."""
        points, piece_of, op, sort, ref, tolerance, gap_points, gap_op, gap_sort, gap_ref, gap_tol, longest = (
            self.arrays
        )
        return Legs(
            points, piece_of, op, sort, ref, tolerance[0], tolerance[1], tolerance[2], gap_points, gap_op, gap_sort,
            gap_ref, gap_tol.T.copy(), longest.max(axis=0), input_legs,
        )  # fmt: skip


def _shares(columns: TrackColumns, many: int) -> list[tuple[int, int]]:
    """Runs of tracks with about equal numbers of positions."""
    if many == 1:
        return [(0, len(columns.operation))]
    cuts = np.searchsorted(columns.first, np.linspace(0, columns.first[-1], many + 1)[1:-1])
    edges = np.unique(np.concatenate(([0], cuts, [len(columns.operation)])))
    return [(int(low), int(high)) for low, high in itertools.pairwise(edges)] or [(0, 0)]


def _row_of_all(rows: list[int], first: npt.NDArray[np.int64]) -> int:
    """Where all tracks begin in the arrays that theirs are parts of, if they stand there one after the other; else -1.

    A file of ten million positions is then not copied once more.
    """
    if not rows or rows[0] < 0 or not np.array_equal(np.array(rows, dtype=np.int64) - rows[0], first[:-1]):
        return -1
    return rows[0]


def _joined(arrays: list[Array], row: int = -1) -> Array:
    """The arrays end to end; `row` is where they stand so already, in that of which all of them are parts."""
    if row >= 0:
        whole = arrays[0].base
        if isinstance(whole, np.ndarray) and all(map(is_, map(attrgetter("base"), arrays), itertools.repeat(whole))):
            part = whole[row : row + sum(map(len, arrays))]
            if _is_same_place(part, arrays):
                return part
    # What is read-only is another type to the kernels, and would compile them anew: so even one array is copied.
    return np.concatenate(arrays) if arrays else np.empty(0)


def _is_same_place(part: Array, arrays: list[Array]) -> bool:
    """Whether the first of these begins and the last one ends where `part` does, which is as kernels take arrays."""
    if part.dtype != np.float64 or part.ndim != 1 or not part.flags.carray or not arrays[0].flags.c_contiguous:
        return False
    last = arrays[-1].ctypes.data + arrays[-1].nbytes
    return arrays[0].ctypes.data == part.ctypes.data and last == part.ctypes.data + part.nbytes


def _tolerances(tracks: list[Track], counts: npt.NDArray[np.int64]) -> list[Array]:
    names = ("uncertainty_m", "early_s", "late_s")
    given = [list(map(attrgetter(name), tracks)) for name in names]
    by_position = any(np.ndarray in set(map(type, values)) for values in given)
    columns = []
    for values in given:
        if by_position:
            columns.append(_joined([np.broadcast_to(v, (n,)) for v, n in zip(values, counts, strict=True)]))
        else:
            columns.append(np.array(values, dtype=np.float64))
    return columns


def _undulations(columns: TrackColumns) -> Array:
    if not (columns.reference == height_codes.AMSL).any():
        return np.zeros(1)
    from keepclear.geo.geoid import undulation_m

    result = np.zeros(len(columns.time_s))
    wanted = np.repeat(columns.reference == height_codes.AMSL, np.diff(columns.first))
    result[wanted] = undulation_m(columns.lon_deg[wanted], columns.lat_deg[wanted])
    return result


def _long_paths(columns: TrackColumns, long_legs: npt.NDArray[np.int64]) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Inner points of legs too long to be cut along their chord; row i of the index is leg ``long_legs[i]``."""
    if not len(long_legs):
        return np.empty(0), np.empty(0), np.zeros(1, np.int64)
    begin, pieces = long_legs[:, 0], long_legs[:, 1]
    lon, lat = geodesic_starts(
        columns.lon_deg[begin], columns.lat_deg[begin], columns.lon_deg[begin + 1], columns.lat_deg[begin + 1], pieces
    )
    inner = np.ones(len(lon), np.bool_)
    inner[np.cumsum(pieces) - pieces] = False  # the starts of the legs themselves
    return lon[inner], lat[inner], np.concatenate((np.zeros(1, np.int64), np.cumsum(pieces - 1)))


@inlined_kernel
def _not_shorter(lon0: float, lat0: float, lon1: float, lat1: float) -> float:
    """The square of a length that no leg between these degrees has more of."""
    nearest = 0.0 if lat0 * lat1 <= 0.0 else min(abs(lat0), abs(lat1)) * (math.pi / 180.0)
    square = nearest * nearest
    cosine = 1.0 - square * (0.5 - square * (1.0 / 24.0))  # no less than the cosine
    dlat, dlon = lat1 - lat0, (lon1 - lon0) * cosine
    return (_METRES_PER_DEGREE * _METRES_PER_DEGREE) * (dlat * dlat + dlon * dlon)


@kernel
def _pieces_of_leg(lon0: float, lat0: float, lon1: float, lat1: float, longest_m: float) -> tuple[int, float]:
    """Into how many pieces a leg is cut, and its length (0 where a look at the degrees shows that it is not cut)."""
    if _not_shorter(lon0, lat0, lon1, lat1) <= longest_m * longest_m:
        return 1, 0.0
    x0, y0, z0 = surface_point(lon0, lat0)
    x1, y1, z1 = surface_point(lon1, lat1)
    return _pieces_of_chord((x1 - x0) ** 2 + (y1 - y0) ** 2 + (z1 - z0) ** 2, longest_m)


@kernel
def _pieces_of_chord(square: float, longest_m: float) -> tuple[int, float]:
    """Into how many pieces a leg is cut, and its length, from the square of its chord."""
    chord = math.sqrt(square)
    if chord <= 0.98 * longest_m:
        return 1, chord
    arc = 2.0 * _MEAN_RADIUS_M * math.asin(min(chord / (2.0 * _MEAN_RADIUS_M), 1.0))
    return max(1, math.ceil(_ROOM * arc / longest_m)), arc


@kernel
def _sort_of_leg(h0: float, h1: float, sort: int, high_sort: int, high_m: float) -> int:
    return high_sort if h0 > high_m + 0.001 or h1 > high_m + 0.001 else sort


@kernel
def _survey(  # type: ignore[no-untyped-def]
    time_s, lon, lat, height, first, operation, gap_s, by_position, sorts, high_sorts, longest_m, high_m, low, stop
):
    """Count what `_fill` will write: points, pieces, gaps, input legs; and list the legs that PROJ must cut."""
    points = pieces = gaps = legs = 0
    long_legs = []
    most, seen = np.empty(_AT_ONCE), -_AT_ONCE
    for track in range(low, stop):
        begin, end = first[track], first[track + 1]
        op = operation[track]
        points += 1
        legs += max(end - begin - 1, 1)
        low_sort, silence_s = sorts[op], gap_s[track]
        uncut = longest_m[low_sort] * longest_m[low_sort]
        last_sort, last_blank, open_piece = -1, False, False
        for k in range(begin, max(end, begin + 1)):
            if k >= seen + _AT_ONCE:
                seen = k
                _look_ahead(lon, lat, height, high_m, k, most)
            if k + 1 < end and time_s[k + 1] - time_s[k] <= silence_s and most[k - seen] <= uncut:
                points += 1
                if not open_piece or by_position or last_sort != low_sort or last_blank:
                    pieces += 1
                last_sort, last_blank, open_piece = low_sort, False, True
                continue
            k1 = min(k + 1, end - 1)
            is_gap = time_s[k1] - time_s[k] > gap_s[track]
            if (is_gap or k1 == k) and not open_piece:
                points += 1
                pieces += 1
            if k1 == k:
                break
            if is_gap:
                gaps += 1
                points += 1
                open_piece = False
                continue
            sort = _sort_of_leg(height[k], height[k1], sorts[op], high_sorts[op], high_m)
            blank = math.isnan(height[k]) or math.isnan(height[k1])
            n, length = _pieces_of_leg(lon[k], lat[k], lon[k1], lat[k1], longest_m[sort])
            if n > 1 and length > _ARC_CUT_M:
                long_legs.append((k, n))
            points += n
            if not open_piece or by_position or sort != last_sort or blank != last_blank:
                pieces += 1
            last_sort, last_blank, open_piece = sort, blank, True
    result = np.empty((len(long_legs), 2), dtype=np.int64)
    for i in range(len(long_legs)):
        result[i, 0], result[i, 1] = long_legs[i]
    return points, pieces, gaps, legs, result


@kernel
def _look_ahead(lon, lat, height, high_m, k, most):  # type: ignore[no-untyped-def]
    """Fill `most` with the squares of lengths that the legs from position k on do not exceed.

    Infinite where a height is not known, or so high that another minimum may hold.
    """
    many = min(_AT_ONCE, lon.shape[0] - 1 - k)
    lons, lats, heights, top = lon[k : k + many + 1], lat[k : k + many + 1], height[k : k + many + 1], high_m + 0.001
    for m in range(many):
        is_plain = (heights[m] <= top) & (heights[m + 1] <= top)
        square = _not_shorter(lons[m], lats[m], lons[m + 1], lats[m + 1])
        most[m] = square if is_plain else math.inf


@kernel
def _put(points, i, x, y, z, t, h, w):  # type: ignore[no-untyped-def]
    points[i, 0], points[i, 1], points[i, 2] = x, y, z
    points[i, 3], points[i, 4] = t, h
    points[i, points.shape[1] - 1] = w


@kernel
def _describe(op, sort, reference, doubt, early, late, time, row, ops, sorts, references, tolerance):  # type: ignore[no-untyped-def]
    """Write what a piece or a gap has in common with nothing else.

    A moment and a slip that are rounded each by itself must not fall short of the moment that both were to meet.
    """
    ops[row], sorts[row], references[row] = op, sort, reference
    rounded = max(_TIME_ROUNDED_S, _TIME_ROUNDED * abs(time))
    tolerance[0, row] = doubt
    tolerance[1, row] = early + rounded if early > 0.0 else early
    tolerance[2, row] = late + rounded if late > 0.0 else late


@kernel
def _put_gap(points, at, gap, gap_points):  # type: ignore[no-untyped-def]
    """Write the two ends of a gap: the point at a row and the one before it."""
    for m in range(points.shape[1]):
        gap_points[2 * gap, m], gap_points[2 * gap + 1, m] = points[at - 1, m], points[at, m]


@kernel
def _cut(points, piece_of, at, piece, n, length, long_lon, long_lat, row):  # type: ignore[no-untyped-def]
    """Write a leg's inner points and its end, which ``points[at]`` is already, after its start.

    Returns the next free row.
    """
    w84 = points.shape[1] - 1
    x1, y1, z1, t1, h1, w1 = (
        points[at, 0], points[at, 1], points[at, 2], points[at, 3], points[at, 4], points[at, w84],
    )  # fmt: skip
    x, y, z, t, h, w = (
        points[at - 1, 0], points[at - 1, 1], points[at - 1, 2], points[at - 1, 3], points[at - 1, 4],
        points[at - 1, w84],
    )  # fmt: skip
    theta = length / _MEAN_RADIUS_M
    for j in range(1, n):
        f = j / n
        if length > _ARC_CUT_M:
            px, py, pz = surface_point(long_lon[row + j - 1], long_lat[row + j - 1])
        else:  # evenly along the arc is not quite evenly along the chord, seen from the middle of the Earth
            c = 0.5 if 2 * j == n else 0.5 + math.tan(theta * (f - 0.5)) / (2.0 * math.tan(0.5 * theta))
            px, py, pz = lift(x + c * (x1 - x), y + c * (y1 - y), z + c * (z1 - z))
        piece_of[at - 1] = piece
        _put(points, at, px, py, pz, t + f * (t1 - t), h + f * (h1 - h), w + f * (w1 - w))
        at += 1
    piece_of[at - 1] = piece
    _put(points, at, x1, y1, z1, t1, h1, w1)
    return at + 1


@kernel
def _fill(  # type: ignore[no-untyped-def]  # noqa: PLR0915 - `_placed` must be called here: deeper, it is slow
    time_s, lon, lat, height, undulation, first, operation, reference, gap_s, by_position, uncertainty, early, late,
    on_ground, sorts, high_sorts, longest_m, high_m, long_lon, long_lat, long_first, points, piece_of, piece_op,
    piece_sort, piece_ref, piece_tol, gap_points, gap_op, gap_sort, gap_ref, gap_tol, longest, share, low, stop,
    at, piece, gap, long_leg,
):  # fmt: skip
    """Write points, pieces and gaps of tracks ``low`` to ``stop`` from the given rows on."""
    piece -= 1
    has_geoid = undulation.shape[0] == lon.shape[0]
    places, chords, placed = np.empty(3 * (_AT_ONCE + 1)), np.empty(_AT_ONCE), np.int64(-_AT_ONCE)
    top = high_m + 0.001
    for track in range(low, stop):
        begin, end, op = first[track], first[track + 1], operation[track]
        low_sort, high_sort = sorts[op], high_sorts[op]
        unknown = GROUND_SPAN if on_ground[track] else NOTHING
        last_sort, last_blank, open_piece = -1, False, False
        # A leg whose chord has a lesser square is not cut, however a root is rounded.
        short, far = 0.96 * longest_m[low_sort] * longest_m[low_sort], 0.0
        if begin >= placed + _AT_ONCE:
            placed = _placed(lon, lat, begin, places, chords)
        _put_position(
            points, at, places, begin - placed, time_s[begin], height[begin], undulation[begin if has_geoid else 0]
        )
        at += 1
        for k in range(begin, max(end, begin + 1)):
            if k >= placed + _AT_ONCE:
                placed = _placed(lon, lat, k, places, chords)
            k1, m = min(k + 1, end - 1), k - placed
            a, b = (k, k1) if by_position else (track, track)
            is_gap = time_s[k1] - time_s[k] > gap_s[track]
            sort, blank, n, length = low_sort, False, 1, 0.0
            known = (height[k] <= top) & (height[k1] <= top)  # and neither so high that it is of another sort
            if (k1 > k) & (not is_gap) & known & (chords[m] <= short) & (not by_position):  # as nearly all are
                far = max(far, chords[m])
            else:
                if (is_gap or k1 == k) and not open_piece:  # nothing leads here: it stands alone, for an instant
                    sort = _sort_of_leg(height[k], height[k], low_sort, high_sort, high_m)
                    alone = unknown if math.isnan(height[k]) else reference[track]
                    piece += 1
                    _describe(
                        op, sort, alone, uncertainty[a], early[a], late[a], time_s[k], piece,
                        piece_op, piece_sort, piece_ref, piece_tol,
                    )  # fmt: skip
                    piece_of[at - 1] = piece
                    _put_position(points, at, places, m, time_s[k], height[k], undulation[k if has_geoid else 0])
                    at += 1
                if k1 == k:
                    piece_of[at - 1] = -1
                    break
                sort = _sort_of_leg(height[k], height[k1], low_sort, high_sort, high_m)
                blank = math.isnan(height[k]) or math.isnan(height[k1])
                if not is_gap:
                    n, length = _pieces_of_chord(chords[m], longest_m[sort])
                    # Half round the Earth over a pole is 4.4 % more than a sphere's arc over the same chord.
                    arc = (1.05 if length > _ARC_CUT_M else 1.0) * length / n
                    longest[share, sort] = max(longest[share, sort], arc)
            _put_position(points, at, places, m + 1, time_s[k1], height[k1], undulation[k1 if has_geoid else 0])
            if is_gap or not open_piece or by_position or sort != last_sort or blank != last_blank:
                code = unknown if blank else reference[track]
                doubt = max(uncertainty[a], uncertainty[b])
                slips = max(early[a], early[b]), max(late[a], late[b])
                if is_gap:
                    _put_gap(points, at, gap, gap_points)
                    _describe(op, sort, code, doubt, *slips, time_s[k], gap, gap_op, gap_sort, gap_ref, gap_tol)
                    piece_of[at - 1] = -1
                    gap, at, open_piece = gap + 1, at + 1, False
                    continue
                piece += 1
                _describe(op, sort, code, doubt, *slips, time_s[k], piece, piece_op, piece_sort, piece_ref, piece_tol)
                last_sort, last_blank, open_piece = sort, blank, True
            piece_of[at - 1] = piece
            at += 1
            if n > 1:
                row = long_first[min(long_leg, long_first.shape[0] - 1)]
                at = _cut(points, piece_of, at - 1, piece, n, length, long_lon, long_lat, row)
                long_leg += 1 if length > _ARC_CUT_M else 0
        longest[share, low_sort] = max(longest[share, low_sort], math.sqrt(far))


@kernel
def _placed(lon, lat, k, places, chords):  # type: ignore[no-untyped-def]
    """Fill `places` with vectors of positions from k on, and `chords` with the squares of the lengths of their legs.

    The vectors' x, y and z are each in a row. Returns where they begin: k.
    """
    many = min(_ROW, lon.shape[0] - k)
    lons, lats = lon[k : k + many], lat[k : k + many]
    for m in range(many):
        places[m], places[m + _ROW], places[m + 2 * _ROW] = surface_point(lons[m], lats[m])
    for m in range(many - 1):
        x, y, z = places[m], places[m + _ROW], places[m + 2 * _ROW]
        dx, dy, dz = places[m + 1] - x, places[m + 1 + _ROW] - y, places[m + 1 + 2 * _ROW] - z
        chords[m] = dx * dx + dy * dy + dz * dz
    return k


@inlined_kernel
def _put_position(points, at, places, m, time_s, height, undulation):  # type: ignore[no-untyped-def]
    """Write a position as given; a height that is not known counts as 0, in a piece whose heights span everything."""
    h = 0.0 if math.isnan(height) else height
    points[at, 0], points[at, 1], points[at, 2] = places[m], places[m + _ROW], places[m + 2 * _ROW]
    points[at, 3], points[at, 4] = time_s, h
    points[at, points.shape[1] - 1] = h + undulation
