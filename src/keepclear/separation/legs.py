"""Legs: the tracks of all operations as arrays that the kernels read.

A leg runs from a point to the next one. Points are shared by neighbouring legs; neighbouring legs that have
everything but their points in common form a piece. Legs too long for their chord are cut (`geo.ellipsoid`), and a
silence in a flown track is not a leg but a gap (`separation.gaps`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.geo import heights as height_codes
from keepclear.geo.ellipsoid import geodesic_points, lift, surface_point
from keepclear.geo.heights import GROUND_SPAN, NOTHING
from keepclear.geo.kernel import kernel
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import Domain
from keepclear.model.operations import Operation
from keepclear.separation.minima import RVSM_CEILING_M

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
    tracks = [(index, track) for index, operation in enumerate(operations) for track in operation.tracks]
    gap_of = [min(gap_limits_s[domain] for domain in operation.domains) for operation in operations]
    counts = np.fromiter((len(track.time_s) for _, track in tracks), np.int64, len(tracks))
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    gaps = (gap_of[index] if track.basis is TrackBasis.FLOWN else math.inf for index, track in tracks)
    return TrackColumns(
        _joined([track.time_s for _, track in tracks]),
        _joined([track.lon_deg for _, track in tracks]),
        _joined([track.lat_deg for _, track in tracks]),
        _joined([track.height_m for _, track in tracks]),
        first,
        np.fromiter((index for index, _ in tracks), np.int32, len(tracks)),
        np.fromiter((HEIGHT_CODES[track.height_reference] for _, track in tracks), np.int8, len(tracks)),
        np.fromiter(gaps, np.float64, len(tracks)),
        *_tolerances([track for _, track in tracks], counts),
    )


def compile_legs(
    columns: TrackColumns,
    operations: Sequence[Operation],
    sorts: Ints,
    high_sorts: Ints,
    longest_m: Array,
    *,
    jobs: int = 1,
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
    """
    on_ground = _on_ground(operations)
    undulation, shares = _undulations(columns), _shares(columns, jobs)
    given = columns.time_s, columns.lon_deg, columns.lat_deg, columns.height_m
    rules = sorts, high_sorts, longest_m, RVSM_CEILING_M
    with _workers(jobs) as each:
        surveys = list(
            each(
                lambda share: _survey(
                    *given, columns.first, columns.operation, columns.gap_s, columns.by_position, *rules, *share
                ),
                shares,
            )
        )
        counts = np.array([(*survey[:3], len(survey[4])) for survey in surveys], dtype=np.int64)
        starts = np.vstack((np.zeros((1, 4), np.int64), np.cumsum(counts, axis=0)))
        points, pieces, gaps, _ = (int(n) for n in starts[-1])
        width = 6 if (columns.reference == height_codes.AMSL).any() else 5
        out = _Room(points, width, pieces, gaps, len(longest_m), len(shares))
        paths = _long_paths(columns, np.concatenate([survey[4] for survey in surveys]))
        filled = each(
            lambda k: _fill(
                *given, undulation, columns.first, columns.operation, columns.reference, columns.gap_s,
                columns.by_position, columns.uncertainty_m, columns.early_s, columns.late_s, on_ground, *rules, *paths,
                *out.arrays, k, *shares[k], *starts[k],
            ),
            range(len(shares)),
        )  # fmt: skip
        list(filled)
    return out.legs(sum(survey[3] for survey in surveys))


@contextmanager
def _workers(jobs: int) -> Iterator[Callable[..., Any]]:
    """What applies a function to each of many: on threads, or here where one is all there is to be.

    Starting a thread costs more than compiling the legs of a few operations, which is what a node does all day.
    """
    if jobs <= 1:
        yield map
        return
    with ThreadPoolExecutor(jobs) as pool:
        yield pool.map


def _on_ground(operations: Sequence[Operation]) -> npt.NDArray[np.bool_]:
    seen: dict[frozenset[Domain], bool] = {}
    for operation in operations:
        if operation.domains not in seen:
            seen[operation.domains] = operation.domains <= {Domain.GROUND, Domain.SEA}
    return np.fromiter((seen[operation.domains] for operation in operations), np.bool_, len(operations))


def with_both_heights(points: Array) -> Array:
    """The same points with six columns, so that they can stand among others of which some are AMSL."""
    return points if points.shape[1] == 6 else np.column_stack((points, points[:, 4]))


class _Room:
    """Room for what `_fill` writes, shared by its threads."""

    def __init__(self, points: int, width: int, pieces: int, gaps: int, rows: int, shares: int) -> None:
        self.arrays = (
            np.empty((points, width)), np.full(points, -1, dtype=np.int32),
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


def _shares(columns: TrackColumns, jobs: int) -> list[tuple[int, int]]:
    """Runs of tracks with about equal numbers of positions."""
    cuts = np.searchsorted(columns.first, np.linspace(0, columns.first[-1], max(1, jobs) + 1)[1:-1])
    edges = np.unique(np.concatenate(([0], cuts, [len(columns.operation)])))
    return [(int(low), int(high)) for low, high in itertools.pairwise(edges)] or [(0, 0)]


def _joined(arrays: list[Array]) -> Array:
    # Even one array is copied: a track's is read-only, which is another type to the kernels and would compile them
    # anew.
    return np.concatenate(arrays) if arrays else np.empty(0)


def _tolerances(tracks: list[Track], counts: npt.NDArray[np.int64]) -> list[Array]:
    names = ("uncertainty_m", "early_s", "late_s")
    by_position = any(isinstance(getattr(track, name), np.ndarray) for track in tracks for name in names)
    columns = []
    for name in names:
        values = [getattr(track, name) for track in tracks]
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
    lons, lats, first = [], [], [0]
    for begin, pieces in long_legs:
        end = begin + 1
        lon, lat = geodesic_points(
            columns.lon_deg[begin], columns.lat_deg[begin], columns.lon_deg[end], columns.lat_deg[end], int(pieces)
        )
        lons.append(lon[1:-1])
        lats.append(lat[1:-1])
        first.append(first[-1] + len(lon) - 2)
    return _joined(lons), _joined(lats), np.array(first, dtype=np.int64)


@kernel
def _pieces_of_leg(lon0: float, lat0: float, lon1: float, lat1: float, longest_m: float) -> tuple[int, float]:
    """Into how many pieces a leg is cut, and its length (0 where a look at the degrees shows that it is not cut)."""
    nearest = 0.0 if lat0 * lat1 <= 0.0 else min(abs(lat0), abs(lat1)) * (math.pi / 180.0)
    square = nearest * nearest
    cosine = 1.0 - square * (0.5 - square * (1.0 / 24.0))  # no less than the cosine
    dlat, dlon = lat1 - lat0, (lon1 - lon0) * cosine
    if (_METRES_PER_DEGREE * _METRES_PER_DEGREE) * (dlat * dlat + dlon * dlon) <= longest_m * longest_m:
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
    for track in range(low, stop):
        begin, end = first[track], first[track + 1]
        op = operation[track]
        points += 1
        legs += max(end - begin - 1, 1)
        last_sort, last_blank, open_piece = -1, False, False
        for k in range(begin, max(end, begin + 1)):
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
def _put(points, i, x, y, z, t, h, w):  # type: ignore[no-untyped-def]
    points[i, 0], points[i, 1], points[i, 2] = x, y, z
    points[i, 3], points[i, 4] = t, h
    points[i, points.shape[1] - 1] = w


@kernel
def _describe(op, sort, reference, doubt, early, late, row, ops, sorts, references, tolerance):  # type: ignore[no-untyped-def]
    """Write what a piece or a gap has in common with nothing else."""
    ops[row], sorts[row], references[row] = op, sort, reference
    tolerance[0, row], tolerance[1, row], tolerance[2, row] = doubt, early, late


@kernel
def _cut(points, piece_of, at, piece, n, length, time_s, h, w, long_lon, long_lat, row):  # type: ignore[no-untyped-def]
    """Write a leg's inner points and its end; the last point written is its start. Returns the next free row.

    ``time_s``, ``h`` and ``w`` are (start, end) of times and heights and ``points[at]`` already is the end.
    """
    x1, y1, z1 = points[at, 0], points[at, 1], points[at, 2]
    x, y, z = points[at - 1, 0], points[at - 1, 1], points[at - 1, 2]
    theta = length / _MEAN_RADIUS_M
    for j in range(1, n):
        f = j / n
        if length > _ARC_CUT_M:
            px, py, pz = surface_point(long_lon[row + j - 1], long_lat[row + j - 1])
        else:  # evenly along the arc is not quite evenly along the chord, seen from the middle of the Earth
            c = 0.5 + math.tan(theta * (f - 0.5)) / (2.0 * math.tan(0.5 * theta))
            px, py, pz = lift(x + c * (x1 - x), y + c * (y1 - y), z + c * (z1 - z))
        piece_of[at - 1] = piece
        _put(
            points, at, px, py, pz,
            time_s[0] + f * (time_s[1] - time_s[0]), h[0] + f * (h[1] - h[0]), w[0] + f * (w[1] - w[0]),
        )  # fmt: skip
        at += 1
    piece_of[at - 1] = piece
    _put(points, at, x1, y1, z1, time_s[1], h[1], w[1])
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
    places, placed = np.empty(3 * _AT_ONCE), np.int64(-_AT_ONCE)
    for track in range(low, stop):
        begin, end, op = first[track], first[track + 1], operation[track]
        low_sort, high_sort = sorts[op], high_sorts[op]
        unknown = GROUND_SPAN if on_ground[op] else NOTHING
        last_sort, last_blank, open_piece = -1, False, False
        placed = _placed(lon, lat, begin, placed, places)
        _put_position(
            points, at, places, begin - placed, time_s[begin], height[begin], undulation[begin if has_geoid else 0]
        )
        at += 1
        for k in range(begin, max(end, begin + 1)):
            k1 = min(k + 1, end - 1)
            a, b = (k, k1) if by_position else (track, track)
            is_gap = time_s[k1] - time_s[k] > gap_s[track]
            if (is_gap or k1 == k) and not open_piece:  # nothing leads here: it stands alone, for an instant
                piece += 1
                sort = _sort_of_leg(height[k], height[k], low_sort, high_sort, high_m)
                alone = unknown if math.isnan(height[k]) else reference[track]
                _describe(
                    op, sort, alone, uncertainty[a], early[a], late[a], piece,
                    piece_op, piece_sort, piece_ref, piece_tol,
                )  # fmt: skip
                piece_of[at - 1] = piece
                placed = _placed(lon, lat, k, placed, places)
                _put_position(points, at, places, k - placed, time_s[k], height[k], undulation[k if has_geoid else 0])
                at += 1
            if k1 == k:
                break
            placed = _placed(lon, lat, k1, placed, places)
            _put_position(points, at, places, k1 - placed, time_s[k1], height[k1], undulation[k1 if has_geoid else 0])
            sort = _sort_of_leg(height[k], height[k1], low_sort, high_sort, high_m)
            blank = math.isnan(height[k]) or math.isnan(height[k1])
            code = unknown if blank else reference[track]
            doubt, before, after = max(uncertainty[a], uncertainty[b]), max(early[a], early[b]), max(late[a], late[b])
            if is_gap:
                for m in range(points.shape[1]):
                    gap_points[2 * gap, m], gap_points[2 * gap + 1, m] = points[at - 1, m], points[at, m]
                _describe(op, sort, code, doubt, before, after, gap, gap_op, gap_sort, gap_ref, gap_tol)
                gap += 1
                at += 1
                open_piece = False
                continue
            chord = 0.0
            for m in range(3):
                chord += (points[at, m] - points[at - 1, m]) ** 2
            n, length = _pieces_of_chord(chord, longest_m[sort])
            # Half round the Earth over a pole is 4.4 % more than a sphere's arc over the same chord.
            longest[share, sort] = max(longest[share, sort], (1.05 if length > _ARC_CUT_M else 1.0) * length / n)
            if not open_piece or by_position or sort != last_sort or blank != last_blank:
                piece += 1
                _describe(op, sort, code, doubt, before, after, piece, piece_op, piece_sort, piece_ref, piece_tol)
            last_sort, last_blank, open_piece = sort, blank, True
            if n == 1:
                piece_of[at - 1] = piece
                at += 1
                continue
            p, q, w84 = at - 1, at, points.shape[1] - 1
            at = _cut(
                points, piece_of, at, piece, n, length, (points[p, 3], points[q, 3]), (points[p, 4], points[q, 4]),
                (points[p, w84], points[q, w84]), long_lon, long_lat,
                long_first[min(long_leg, long_first.shape[0] - 1)],
            )  # fmt: skip
            long_leg += 1 if length > _ARC_CUT_M else 0


@kernel
def _placed(lon, lat, k, placed, places):  # type: ignore[no-untyped-def]
    """See to it that `places` holds the vector of position k, x, y and z each in a row; returns where it begins."""
    if k < placed + _AT_ONCE:
        return placed
    many = min(_AT_ONCE, lon.shape[0] - k)
    lons, lats = lon[k : k + many], lat[k : k + many]
    for m in range(many):
        places[m], places[m + _AT_ONCE], places[m + 2 * _AT_ONCE] = surface_point(lons[m], lats[m])
    return k


@kernel
def _put_position(points, at, places, m, time_s, height, undulation):  # type: ignore[no-untyped-def]
    """Write a position as given; a height that is not known counts as 0, in a piece whose heights span everything."""
    h = 0.0 if math.isnan(height) else height
    points[at, 0], points[at, 1], points[at, 2] = places[m], places[m + _AT_ONCE], places[m + 2 * _AT_ONCE]
    points[at, 3], points[at, 4] = time_s, h
    points[at, points.shape[1] - 1] = h + undulation
