"""Judging: the exact tests run over the candidates, and their findings as evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import surface_lonlat, surface_point
from keepclear.geo.heights import AMSL, FL, HEIGHT_SPANS
from keepclear.geo.kernel import kernel
from keepclear.model.bulk import made_of
from keepclear.model.findings import Closest
from keepclear.separation.area import Area, legs_in
from keepclear.separation.closest import CORNERS
from keepclear.separation.evidence import Evidence, Reason
from keepclear.separation.leg_pairs import MARGIN_M, MARGIN_S, describe_pair
from keepclear.separation.search import join
from keepclear.separation.world import World

__all__ = ["judge_moving", "side_of_leg", "surface_distance_m"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Position = tuple[float, float, float | None]


def judge_moving(
    world: World,
    *,
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
    hits: npt.NDArray[np.int32] | None = None,
) -> Evidence:
    """Evidence of every two units on the move that come, or may come, too close."""
    legs, sorts = world.legs, world.sorts
    if hits is None:
        hits = join(legs, world.limits, jobs=jobs, progress=progress)
    first, second = (legs.operation[legs.piece_of[hits[:, k]]].astype(np.int64) for k in (0, 1))
    keep = world.compared(first, second) if len(hits) else np.zeros(0, np.bool_)
    hits, first, second = hits[keep], first[keep], second[keep]
    args = (
        legs.points, legs.piece_of, legs.reference, legs.uncertainty_m, legs.early_s, legs.late_s, legs.sort,
        sorts.horizontal_m, sorts.vertical_m, sorts.time_s, sorts.is_conflict, world.window[0], world.window[1],
        HEIGHT_SPANS,
    )  # fmt: skip
    found, reasons = np.full((2, len(hits), 5), math.nan), np.zeros(len(hits), dtype=np.int64)
    _judge_hits(hits, *args, found, reasons)
    sure, maybe = found

    def locate(rows: Ints, certain: Flags) -> list[Closest]:
        at = np.where(certain[:, None], sure[rows, 3:], maybe[rows, 3:])
        return _closest(world, hits[rows], at)

    def inside(area: Area, row: Ints, start: Array, end: Array) -> npt.NDArray[np.bool_]:
        nothing = np.zeros(len(row))
        result = np.zeros(len(row), dtype=np.bool_)
        for k in range(2):
            leg = hits[row, k].astype(np.int64)
            piece = legs.piece_of[leg]
            result |= legs_in(legs.points, leg, legs.early_s[piece], legs.late_s[piece], start, end, nothing, area)
        return result

    parts = [(sure, True), (maybe, False)]
    rows = [np.flatnonzero(~np.isnan(found[:, 2])) for found, _ in parts]
    pick = np.concatenate(rows)
    start_s, end_s, distance_m = (
        np.concatenate([found[row, k] for (found, _), row in zip(parts, rows, strict=True)]) for k in range(3)
    )
    return Evidence(
        first[pick],
        second[pick],
        np.repeat([certain for _, certain in parts], [len(row) for row in rows]),
        start_s,
        end_s,
        distance_m,
        reasons[pick],
        legs.sort[legs.piece_of[hits[pick]]].astype(np.int64),
        pick,
        locate,
        inside,
    )


@kernel
def _judge_hits(  # type: ignore[no-untyped-def]
    hits, points, piece_of, p_ref, p_doubt, p_early, p_late, p_sort, horizontal, vertical, time, is_conflict,
    window_from, window_to, spans, found, reasons,
):  # fmt: skip
    """For each pair of legs: the certain violation, and the possible one where doubt makes it wider.

    Of a rule whose breach is only possible there is nothing certain.
    """
    polygon, scratch, out = np.empty((CORNERS, 2)), np.empty((CORNERS, 2)), np.empty(5)
    for row in range(hits.shape[0]):
        i, j = hits[row, 0], hits[row, 1]
        pi, pj = piece_of[i], piece_of[j]
        ri, rj, si, sj = p_ref[pi], p_ref[pj], p_sort[pi], p_sort[pj]
        h, v = horizontal[si, sj] - MARGIN_M, vertical[si, sj] - MARGIN_M
        t = max(0.0, time[si, sj] - MARGIN_S)
        doubt = p_doubt[pi] + p_doubt[pj]
        exact = v == math.inf or (ri == rj and ri <= FL) or (ri <= AMSL and rj <= AMSL)
        rule = is_conflict[si, sj]
        for side in range(0 if rule else 1, 1 if rule and doubt == 0.0 and exact else 2):
            if not describe_pair(
                points, i, j, ri, rj, p_early[pi], p_late[pi], p_early[pj], p_late[pj], t, h + side * doubt, v,
                side == 0, spans, window_from, window_to, polygon, scratch, out,
            ):  # fmt: skip
                continue
            for k in range(5):
                found[side, row, k] = out[k]
            if side == 1:
                reasons[row] = (1 if doubt > 0.0 else 0) | (0 if exact else 2) | (0 if rule else 16)


def side_of_leg(world: World, i: int, u: float) -> tuple[float, tuple[float, float, float | None], int, float, float]:
    """Time, position, height code, and height in its own reference and above W84, at place u of leg i."""
    a, b = world.legs.points[i], world.legs.points[i + 1]
    time, own, w84 = (float(a[k] + u * (b[k] - a[k])) for k in (3, 4, -1))
    lon, lat = surface_lonlat(*(float(a[k] + u * (b[k] - a[k])) for k in range(3)))
    code = int(world.legs.reference[world.legs.piece_of[i]])
    return time, (lon, lat, w84 if code <= AMSL else None), code, own, w84


def surface_distance_m(a: tuple[float, float, float | None], b: tuple[float, float, float | None]) -> float:
    """Distance of two positions at the surface: unlike that of two chords it has no sag in it."""
    return math.dist(surface_point(a[0], a[1]), surface_point(b[0], b[1]))


def _closest(world: World, hits: npt.NDArray[np.int32], at: Array) -> list[Closest]:
    """Closest moments of pairs of legs, each at its places u and w, shape (n, 2)."""
    first, second = (_sides(world, hits[:, k], at[:, k]) for k in (0, 1))
    (time_a, a, on_a, height_a), (time_b, b, on_b, height_b) = first, second
    columns = {
        "time_a_s": time_a,
        "time_b_s": time_b,
        "horizontal_m": map(math.dist, on_a, on_b),
        "vertical_m": (_height_gap(*some, *others) for some, others in zip(height_a, height_b, strict=True)),
        "a": a,
        "b": b,
    }
    return made_of(Closest, len(hits), columns)


def _sides(
    world: World, legs: npt.NDArray[np.int32], u: Array
) -> tuple[list[float], list[Position], list[Any], Iterator[Any]]:
    """As `side_of_leg`, for many: time, position, the same as a point of the surface, and the heights as there."""
    a, b = world.legs.points[legs], world.legs.points[legs + 1]
    there = a + u[:, None] * (b - a)
    lon_lat, surface = np.empty((len(legs), 2)), np.empty((len(legs), 3))
    _on_surface(there, lon_lat, surface)
    time, own, w84 = there[:, 3].tolist(), there[:, 4].tolist(), there[:, -1].tolist()
    codes = world.legs.reference[world.legs.piece_of[legs]].tolist()
    places: list[Position] = [
        (lon, lat, height if code <= AMSL else None)
        for (lon, lat), height, code in zip(lon_lat.tolist(), w84, codes, strict=True)
    ]
    return time, places, surface.tolist(), zip(codes, own, w84, strict=True)


@kernel
def _on_surface(points, lon_lat, surface):  # type: ignore[no-untyped-def]
    """Longitude and latitude of points near the surface, and the points of the surface there."""
    for row in range(points.shape[0]):
        lon, lat = surface_lonlat(points[row, 0], points[row, 1], points[row, 2])
        lon_lat[row, 0], lon_lat[row, 1] = lon, lat
        surface[row, 0], surface[row, 1], surface[row, 2] = surface_point(lon, lat)


def _height_gap(code_a: int, own_a: float, w84_a: float, code_b: int, own_b: float, w84_b: float) -> float | None:
    if code_a == code_b <= FL + 1:
        return abs(own_a - own_b)
    return abs(w84_a - w84_b) if code_a <= AMSL and code_b <= AMSL else None


# The kernel above writes these three as numbers.
assert (Reason.POSITION.value, Reason.HEIGHT.value, Reason.RULE.value) == (1, 2, 16)
