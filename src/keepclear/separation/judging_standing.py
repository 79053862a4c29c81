"""Judging what stands still or is not known: shapes with legs, shapes with shapes, and gaps with everything."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import surface_lonlat, surface_lonlats, towards
from keepclear.geo.heights import AGL, AMSL, FL, HEIGHT_SPANS
from keepclear.model.findings import Closest
from keepclear.separation.area import Area, legs_in, spheres_in
from keepclear.separation.evidence import Evidence, Reason, one_by_one
from keepclear.separation.gaps import gap_spheres, judge_gap_gaps, judge_gap_legs, judge_gap_shapes
from keepclear.separation.judging import side_of_leg, surface_distance_m
from keepclear.separation.leg_pairs import MARGIN_M, MARGIN_S
from keepclear.separation.leg_shapes import judge_legs
from keepclear.separation.overlap import legs_near, overlapping, runs_of_legs
from keepclear.separation.shape_pairs import overlap_by_more, shape_distances
from keepclear.separation.shapes import Band, Shape
from keepclear.separation.world import World

__all__ = ["judge_standing"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_Judged = tuple[Ints, Array, Array, Array]
"""What `judge_legs` tells."""


def judge_standing(world: World) -> list[Evidence]:
    """Evidence of everything in which a shape or a gap takes part."""
    n_shapes, n_gaps = len(world.shapes), len(world.legs.gap_operation)
    if n_shapes + n_gaps == 0:
        return []
    spheres, times, things = _spheres(world)
    legs = world.legs
    runs, run_spheres, run_times = runs_of_legs(
        legs.points, legs.piece_of, legs.operation, legs.early_s, legs.late_s, legs.uncertainty_m
    )
    all_spheres, all_times = np.vstack((run_spheres, spheres)), np.vstack((run_times, times))
    sweeping = np.arange(len(all_spheres)) >= len(runs)
    order = np.argsort(all_spheres[:, 0] - all_spheres[:, 3], kind="stable")
    pairs = overlapping(all_spheres, all_times, sweeping, order)
    all_things = np.concatenate((runs[:, 2], things))
    pairs = pairs[world.compared(all_things[pairs[:, 0]], all_things[pairs[:, 1]])] if len(pairs) else pairs
    start, end = world.starts_and_ends
    looked_at = np.concatenate((np.ones(len(runs), np.bool_), start <= end, np.ones(n_gaps, np.bool_)))
    pairs = pairs[looked_at[pairs].all(axis=1)]
    with_leg = pairs[:, 0] < len(runs)
    near = pairs[with_leg].copy()
    near[:, 1] -= len(runs)
    found = legs_near(
        near, legs.points, legs.piece_of, runs, legs.early_s, legs.late_s, legs.uncertainty_m, spheres, times
    )
    standing = pairs[~with_leg] - len(runs)
    is_gap = standing >= n_shapes
    both, neither = is_gap.all(axis=1), ~is_gap.any(axis=1)
    on_gap = found[:, 1] >= n_shapes
    parts = [
        _legs_with_shapes(world, found[~on_gap]),
        _shapes_with_shapes(world, standing[neither]),
        _legs_with_gaps(world, found[on_gap] - np.array([0, n_shapes])),
        _gaps_with_gaps(world, standing[both] - n_shapes),
        _gaps_with_shapes(world, standing[~both & ~neither] - np.array([0, n_shapes])),
    ]
    return [part for part in parts if part is not None]


def _spheres(world: World) -> tuple[Array, Array, Ints]:
    """Bounding spheres and times of shapes, then gaps, each widened by the largest minima it could be bound by."""
    widest, longest = world.sorts.horizontal_m.max(axis=1), world.sorts.time_s.max(axis=1)
    start, end = world.starts_and_ends
    rows = world.shape_row
    shapes = np.array([(*s.centre, s.reach_m) for s in world.shapes], dtype=np.float64).reshape(-1, 4)
    shapes[:, 3] += np.maximum(widest[rows], 0.0) + 1.0
    shape_times = np.column_stack((start - longest[rows], end + longest[rows]))
    legs = world.legs
    gaps, gap_times = gap_spheres(legs.gap_points, world.speeds[0], legs.gap_tolerance)
    gaps[:, 3] += np.maximum(widest[legs.gap_sort], 0.0) + 1.0
    gap_times[:, 0] -= longest[legs.gap_sort]
    gap_times[:, 1] += longest[legs.gap_sort]
    things = np.concatenate((world.shape_thing, legs.gap_operation.astype(np.int64)))
    return np.vstack((shapes, gaps)), np.vstack((shape_times, gap_times)), things


def _columns(pairs: Ints) -> tuple[Ints, Ints]:
    """Both columns, each in one piece: the judges are compiled for such arrays, and for others would be again."""
    first, second = np.ascontiguousarray(pairs.T)
    return first, second


def _rules(world: World, rows_a: Ints, rows_b: Ints) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    sorts = world.sorts
    return (
        sorts.horizontal_m[rows_a, rows_b],
        sorts.vertical_m[rows_a, rows_b],
        np.maximum(sorts.time_s[rows_a, rows_b] - MARGIN_S, 0.0),
        sorts.is_conflict[rows_a, rows_b],
    )


def _legs_with_shapes(world: World, found: Ints) -> Evidence | None:
    if not len(found):
        return None
    legs, shapes = world.legs, world.shapes
    leg, shape = _columns(found)
    piece = legs.piece_of[leg]
    operation, thing = legs.operation[piece].astype(np.int64), world.shape_thing[shape]
    rules = legs.sort[piece].astype(np.int64), world.shape_row[shape]
    horizontal, vertical, time, is_conflict = _rules(world, *rules)
    early, late, doubt = legs.early_s[piece], legs.late_s[piece], legs.uncertainty_m[piece]
    radius, bound, blur, is_area, is_thin, is_timed = _facts(shapes, shape)
    undulation = _undulation(world, leg, shape)
    start, end = world.starts_and_ends
    packed = world.packed

    def judge(rows: Ints, reach: Array, height: Array, *, certain: bool) -> _Judged:
        return judge_legs(  # type: ignore[no-any-return]
            legs.points, leg[rows], legs.reference[piece[rows]], early[rows], late[rows], undulation[rows], shape[rows],
            reach[rows], MARGIN_M, height[rows], time[rows], world.band_array, start, end, packed.edges,
            packed.edge_first, packed.blocks, packed.block_first, packed.rings, packed.ring_first,
            packed.shape_ring_first, certain, HEIGHT_SPANS,
        )  # fmt: skip

    coarse = np.where(bound > MARGIN_M, bound, 0.0)
    near, level = horizontal + radius - np.maximum(MARGIN_M, coarse), vertical - MARGIN_M
    sure = judge(np.arange(len(leg)), near, level, certain=True)
    inexact = _inexact_heights(world, legs.reference[piece], shape) & np.isfinite(vertical)
    flat = (~is_area & (horizontal + radius + doubt + blur < MARGIN_M)) | (is_thin & (vertical == 0.0))
    wide = horizontal + radius + doubt + blur + np.where(coarse > 0.0, coarse, -MARGIN_M)
    wide, tall = np.where(flat, np.maximum(wide, MARGIN_M), wide), vertical + np.where(flat, MARGIN_M, -MARGIN_M)
    # What is judged by the same reach and the same heights, known exactly or open, is found to be the same.
    other = np.flatnonzero((wide != near) | (tall != level) | inexact)
    maybe = _with_others(sure, other, judge(other, wide, tall, certain=False)) if len(other) else sure
    reasons = (
        np.where(doubt + blur > 0.0, Reason.POSITION, 0)
        | np.where(flat, Reason.THIN, 0)
        | np.where(coarse > 0.0, Reason.BOUND, 0)
        | np.where(is_timed, 0, Reason.TIME)
        | np.where(is_conflict, 0, Reason.RULE)
    )
    reasons |= np.where(inexact, Reason.HEIGHT, 0)

    def locate(row: int, certain: bool) -> Closest:
        closest = (sure if certain else maybe)[3][row]
        return _closest_on_shape(world, int(leg[row]), shapes[shape[row]], closest)

    def inside(area: Area, row: Ints, start_s: Array, end_s: Array) -> npt.NDArray[np.bool_]:
        reach = np.maximum(horizontal + doubt + blur, 0.0)[row]  # that near, some of the shape may be in it
        return np.asarray(legs_in(legs.points, leg[row], early[row], late[row], start_s, end_s, reach, area))

    return _evidence(
        operation, thing, np.column_stack(rules), sure, maybe, is_conflict & is_timed, reasons, radius, locate, inside
    )


def _with_others(judged: _Judged, rows: Ints, others: _Judged) -> _Judged:
    """What was found of all rows, with some of them as they were judged otherwise; in the order of the rows."""
    changed = np.zeros(len(judged[3]), np.bool_)
    changed[rows] = True
    kept = ~changed[judged[0]]
    row = np.concatenate((judged[0][kept], rows[others[0]]))
    order = np.argsort(row, kind="stable")
    start, end = np.concatenate((judged[1][kept], others[1])), np.concatenate((judged[2][kept], others[2]))
    closest = judged[3].copy()
    closest[rows] = others[3]
    return row[order], start[order], end[order], closest


def _evidence(first, second, rules, sure, maybe, can_be_sure, reasons, radius, locate, inside) -> Evidence:  # type: ignore[no-untyped-def]
    """Evidence of both judgements; what is certain but cannot be a conflict (its rule, its times) is only possible."""
    rows = np.concatenate((sure[0], maybe[0]))
    is_sure = np.repeat([True, False], [len(sure[0]), len(maybe[0])])
    certain = is_sure & can_be_sure[rows]
    keep = certain | ~is_sure
    distance = np.maximum(np.concatenate((sure[3][sure[0], 0], maybe[3][maybe[0], 0])) - radius[rows], 0.0)
    a, b = np.minimum(first[rows], second[rows]), np.maximum(first[rows], second[rows])
    swapped = first > second

    def located(row: int, certain_here: bool) -> Closest:
        found: Closest = locate(row, certain_here)
        return _swapped(found) if swapped[row] else found

    start, end = np.concatenate((sure[1], maybe[1])), np.concatenate((sure[2], maybe[2]))
    return Evidence(
        a[keep],
        b[keep],
        certain[keep],
        start[keep],
        end[keep],
        distance[keep],
        reasons[rows][keep],
        np.where(swapped[rows, None], rules[rows, ::-1], rules[rows])[keep],
        rows[keep],
        one_by_one(located),
        inside,
    )


def _swapped(found: Closest) -> Closest:
    return Closest(found.time_b_s, found.time_a_s, found.horizontal_m, found.vertical_m, found.b, found.a)


def _facts(shapes: tuple[Shape, ...], which: Ints) -> tuple[Array, Array, Array, Ints, Ints, Ints]:
    """Radius, numerical bound, uncertainty, and whether each is an area, thin, and has known times."""
    columns = [
        np.array([getattr(shape, name) for shape in shapes])[which]
        for name in ("radius_m", "bound_m", "uncertainty_m", "has_inside")
    ]
    thin = np.array([shape.band.is_thin for shape in shapes])[which]
    timed = np.array([shape.is_timed for shape in shapes])[which]
    return (*columns, thin, timed)  # type: ignore[return-value]


def _undulation(world: World, leg: Ints, shape: Ints) -> Array:
    """Geoid above W84 at both ends of each leg, where the shape's heights are above mean sea level; else 0."""
    result = np.zeros((len(leg), 2))
    wanted = (world.band_array[shape, :, 0] == AMSL).any(axis=1)
    if wanted.any():
        from keepclear.geo.geoid import undulation_m

        for end in range(2):
            lonlat = surface_lonlats(world.legs.points[leg[wanted] + end, :3])
            result[wanted, end] = undulation_m(lonlat[:, 0], lonlat[:, 1])
    return result


def _inexact_heights(world: World, reference: npt.NDArray[np.int8], shape: Ints) -> npt.NDArray[np.bool_]:
    codes = world.band_array[shape, :, 0]
    own = reference[:, None]
    exact = ((codes == own) & (own <= FL)) | ((codes <= AMSL) & (own <= AMSL))
    open_ended = np.abs(world.band_array[shape, :, 1]) >= 1e9
    return np.asarray(~(exact | open_ended).all(axis=1))


def _closest_on_shape(world: World, leg: int, shape: Shape, closest: Array) -> Closest:
    time, a, code, own, w84 = side_of_leg(world, leg, float(closest[1]))
    lon, lat, _ = a
    if closest[0] > 0.0:
        edge = world.packed.edges[int(closest[2])]
        lon, lat = surface_lonlat(*(float(edge[k] + closest[3] * (edge[k + 3] - edge[k])) for k in range(3)))
        lon, lat = towards(lon, lat, a[0], a[1], shape.reach_of_edge_m)
    vertical, height = _to_band(shape.band, code, own, w84)
    b = (lon, lat, height)
    return Closest(time, time, surface_distance_m(a, b), vertical, a, b)


def _to_band(band: Band, code: int, own: float, w84: float) -> tuple[float | None, float | None]:
    """How far a height is outside a band (None if they do not compare), and the band's nearest height above W84."""
    gaps = []
    for value, other, sign in ((band.floor_m, band.floor_code, 1.0), (band.ceiling_m, band.ceiling_code, -1.0)):
        if code == other and code <= AGL:
            gaps.append(sign * (value - own))
        elif code <= AMSL and other <= AMSL:
            low, high = band.floor_w84 if sign > 0.0 else band.ceiling_w84
            gaps.append(sign * (0.5 * (low + high) - w84))
        else:
            return None, None
    vertical = max(0.0, *gaps)
    if code > AMSL:
        return vertical, None
    return vertical, w84 + (gaps[0] if gaps[0] > 0.0 else -max(gaps[1], 0.0))


def _shapes_with_shapes(world: World, pairs: Ints) -> Evidence | None:
    if not len(pairs):
        return None
    shapes, packed = world.shapes, world.packed
    a, b = _columns(pairs)
    thing_a, thing_b = world.shape_thing[a], world.shape_thing[b]
    rules = world.shape_row[a], world.shape_row[b]
    horizontal, vertical, time, is_conflict = _rules(world, *rules)
    start, end = world.starts_and_ends
    low, high = np.maximum(start[a], start[b]), np.minimum(end[a], end[b])
    moment = (start[a] == end[a]) | (start[b] == end[b])
    together = np.where(moment & (time == 0.0), low <= high, low - high < time)
    low, high = low - time, high + time
    (radius_a, bound_a, blur_a, area_a, thin_a, timed_a), (radius_b, bound_b, blur_b, area_b, thin_b, timed_b) = (
        _facts(shapes, a), _facts(shapes, b),
    )  # fmt: skip
    radius, blur, bound = radius_a + radius_b, blur_a + blur_b, bound_a + bound_b
    coarse = np.where(bound > MARGIN_M, bound, 0.0)
    reach = horizontal + radius
    least_gap, most_gap, inexact = _band_gaps(world, a, b)
    flat = (thin_a & thin_b & (vertical == 0.0)) | (
        ~(area_a.astype(bool) & area_b.astype(bool)) & (reach + blur < MARGIN_M)
    )
    together &= least_gap < vertical + np.where(flat, MARGIN_M, -MARGIN_M)
    sure_heights = most_gap < vertical - MARGIN_M
    pairs, keep = pairs[together], np.flatnonzero(together)
    enough = np.maximum(reach + blur + coarse + 2.0 * MARGIN_M, 0.01)[keep]
    result = shape_distances(
        pairs, packed.edges, packed.edge_first, packed.blocks, packed.block_first, packed.rings, packed.ring_first,
        packed.shape_ring_first, enough,
    )  # fmt: skip
    distance = result[:, 0]
    sure = (distance < reach[keep] - np.maximum(MARGIN_M, coarse[keep])) & sure_heights[keep]
    wide = np.where(coarse[keep] > 0.0, coarse[keep], -MARGIN_M)
    maybe = distance < np.where(flat[keep], np.maximum(reach + blur, 0.0)[keep] + MARGIN_M, (reach + blur)[keep] + wide)
    for row in np.flatnonzero((reach[keep] < MARGIN_M) & (distance < 0.01)):
        first, second = shapes[pairs[row, 0]], shapes[pairs[row, 1]]
        if first.has_inside and second.has_inside:
            place = overlap_by_more(first, second)
            deeper = coarse[keep][row] == 0.0 or overlap_by_more(first, second, 2.0 * coarse[keep][row]) is not None
            sure[row] = place is not None and deeper and sure_heights[keep][row]
            maybe[row] = maybe[row] or place is not None
            if place is not None:
                result[row, 0] = 0.0
                result[row, 1:] = np.tile(_surface(place), 2)
    sure &= (is_conflict & timed_a & timed_b)[keep]
    reasons = (
        np.where(blur > 0.0, Reason.POSITION, 0)
        | np.where(flat, Reason.THIN, 0)
        | np.where(coarse > 0.0, Reason.BOUND, 0)
        | np.where(timed_a & timed_b, 0, Reason.TIME)
        | np.where(is_conflict, 0, Reason.RULE)
        | np.where(inexact & np.isfinite(vertical), Reason.HEIGHT, 0)
    )[keep]
    rows = np.flatnonzero(sure | maybe)
    one, other = thing_a[keep][rows], thing_b[keep][rows]
    swapped = thing_a[keep] > thing_b[keep]

    def locate(row: int, _certain: bool) -> Closest:
        found = _closest_shapes(world, pairs[row], result[row], float(radius[keep][row]), float(low[keep][row]))
        return _swapped(found) if swapped[row] else found

    def inside(area: Area, row: Ints, _start_s: Array, _end_s: Array) -> npt.NDArray[np.bool_]:
        near = np.maximum(horizontal, 0.0)[keep][row]
        return _sphere_in(world, pairs[row, 0], near, area) & _sphere_in(world, pairs[row, 1], near, area)

    return Evidence(
        np.minimum(one, other), np.maximum(one, other), sure[rows], low[keep][rows], high[keep][rows],
        np.maximum(result[rows, 0] - radius[keep][rows], 0.0), reasons[rows].astype(np.int64),
        _ordered(rules, swapped, keep)[rows], rows, one_by_one(locate), inside,
    )  # fmt: skip


def _ordered(rules: tuple[Ints, Ints], swapped: npt.NDArray[np.bool_], keep: Ints) -> Ints:
    """Rows in the minima, shape (n, 2), those of the lower thing first."""
    both = np.column_stack(rules)[keep]
    return np.where(swapped[:, None], both[:, ::-1], both)


def _sphere_in(world: World, shape: Ints, near: Array, area: Area) -> npt.NDArray[np.bool_]:
    """Whether the area may reach to what is so near a shape."""
    spheres = np.array([(*s.centre, s.reach_m) for s in world.shapes], dtype=np.float64)[shape]
    spheres[:, 3] += near
    return np.asarray(spheres_in(spheres, area))


def _gap_in(world: World, gap: Ints, near: Array, area: Area) -> npt.NDArray[np.bool_]:
    """Whether the area may reach to what is so near to where a unit can be in a gap."""
    spheres, _ = gap_spheres(world.legs.gap_points, world.speeds[0], world.legs.gap_tolerance)
    spheres = spheres[gap]
    spheres[:, 3] += near
    return np.asarray(spheres_in(spheres, area))


def _surface(lonlat: tuple[float, float]) -> Array:
    from keepclear.geo.ellipsoid import surface_point

    return np.array(surface_point(*lonlat))


def _band_gaps(world: World, a: Ints, b: Ints) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """Least and greatest vertical gap that two bands can have (negative: overlap), and whether they do not compare."""
    bands = world.band_array
    least, most = np.full(len(a), -np.inf), np.full(len(a), -np.inf)
    inexact = np.zeros(len(a), dtype=np.bool_)
    for upper, lower in ((a, b), (b, a)):  # floor of the one above the ceiling of the other
        floor, ceiling = bands[upper, 1], bands[lower, 0]
        same = (floor[:, 0] == ceiling[:, 0]) & (floor[:, 0] <= FL)
        direct = floor[:, 1] - ceiling[:, 1]
        over_ground = (floor[:, 0] == AGL) & (ceiling[:, 0] == AGL)
        least = np.maximum(least, np.where(same, direct, floor[:, 2] - ceiling[:, 3]))
        most = np.maximum(most, np.where(same | over_ground, direct, floor[:, 3] - ceiling[:, 2]))
        open_ended = (np.abs(floor[:, 1]) >= 1e9) | (np.abs(ceiling[:, 1]) >= 1e9)
        inexact |= ~(same | open_ended | (floor[:, 2] == floor[:, 3]) & (ceiling[:, 2] == ceiling[:, 3]))
    return least, most, inexact


def _closest_shapes(world: World, pair: Ints, result: Array, radius: float, low: float) -> Closest:
    first, second = (world.shapes[k] for k in pair)
    a, b = (surface_lonlat(*(float(v) for v in result[k : k + 3])) for k in (1, 4))
    a, b = towards(*a, *b, first.reach_of_edge_m), towards(*b, *a, second.reach_of_edge_m)
    if float(result[0]) <= radius:  # they overlap: one place in both
        b = a = towards(*b, *a, 0.0) if first.reach_of_edge_m > second.reach_of_edge_m else a
    heights = [_height_towards(one.band, other.band) for one, other in ((first, second), (second, first))]
    time = low if np.isfinite(low) else None
    known = all(band.floor_w84[0] == band.floor_w84[1] for band in (first.band, second.band))
    vertical = abs(heights[0] - heights[1]) if known and None not in heights else None  # type: ignore[operator]
    places = (*a, heights[0]), (*b, heights[1])
    return Closest(time, time, surface_distance_m(*places), vertical, *places)


def _height_towards(band: Band, other: Band) -> float | None:
    """The height of a band that is nearest to another band; None if it is open or not known above W84."""
    floor, ceiling = band.floor_w84[0], band.ceiling_w84[1]
    height = min(max(floor, min(other.ceiling_w84[1], max(other.floor_w84[0], floor))), ceiling)
    return height if abs(height) < 1e6 else None


def _legs_with_gaps(world: World, found: Ints) -> Evidence | None:
    if not len(found):
        return None
    legs = world.legs
    leg, gap = _columns(found)
    piece = legs.piece_of[leg]
    first, second = legs.operation[piece].astype(np.int64), legs.gap_operation[gap].astype(np.int64)
    rows = legs.sort[piece].astype(np.int64), legs.gap_sort[gap].astype(np.int64)
    horizontal, vertical, time, _ = _rules(world, *rows)
    tolerance = legs.gap_tolerance[gap]
    slip = time + legs.early_s[piece] + legs.late_s[piece] + tolerance[:, 1] + tolerance[:, 2]
    result = judge_gap_legs(
        legs.points, leg, legs.reference[piece], slip, legs.uncertainty_m[piece] + tolerance[:, 0], legs.gap_points,
        gap, legs.gap_reference, *world.speeds, horizontal - MARGIN_M, vertical - MARGIN_M, np.array(world.window),
        HEIGHT_SPANS,
    )  # fmt: skip

    def locate(row: int, _certain: bool) -> Closest:
        a, b = world.legs.points[leg[row], 3], world.legs.points[leg[row] + 1, 3]
        u = 0.0 if b <= a else min(1.0, max(0.0, (result[row, 0] - a) / (b - a)))
        time_s, place, *_ = side_of_leg(world, int(leg[row]), float(u))
        found_here = Closest(
            time_s, time_s, float(result[row, 2]), None, place, _gap_place(world, int(gap[row]), time_s)
        )
        return _swapped(found_here) if first[row] > second[row] else found_here

    def inside(area: Area, row: Ints, start_s: Array, end_s: Array) -> npt.NDArray[np.bool_]:
        part, near = piece[row], (horizontal + legs.uncertainty_m[piece] + tolerance[:, 0])[row]
        slips = slip[row]  # the times are those of the leg's plan or the gap's
        return np.asarray(
            legs_in(
                legs.points, leg[row], legs.early_s[part] + slips, legs.late_s[part] + slips, start_s, end_s, near, area
            )
        )

    return _gap_evidence(first, second, rows, result, locate, inside)


def _gap_evidence(first, second, rules, result, locate, inside) -> Evidence:  # type: ignore[no-untyped-def]
    rows, order = np.flatnonzero(~np.isnan(result[:, 2])), np.arange(len(result))
    return Evidence(
        np.minimum(first, second)[rows], np.maximum(first, second)[rows], np.zeros(len(rows), np.bool_),
        result[rows, 0], result[rows, 1], result[rows, 2], np.full(len(rows), int(Reason.GAP)),
        _ordered(rules, first > second, order)[rows], rows, one_by_one(locate), inside,
    )  # fmt: skip


def _gap_place(world: World, gap: int, time_s: float) -> tuple[float, float, float | None]:
    """The end of a gap that is nearer in time: the last that is known of the unit."""
    a, b = world.legs.gap_points[2 * gap], world.legs.gap_points[2 * gap + 1]
    end = a if abs(time_s - a[3]) <= abs(b[3] - time_s) else b
    return (*surface_lonlat(float(end[0]), float(end[1]), float(end[2])), None)


def _gaps_with_gaps(world: World, pairs: Ints) -> Evidence | None:
    if not len(pairs):
        return None
    legs = world.legs
    a, b = _columns(pairs)
    first, second = legs.gap_operation[a].astype(np.int64), legs.gap_operation[b].astype(np.int64)
    rows = legs.gap_sort[a].astype(np.int64), legs.gap_sort[b].astype(np.int64)
    horizontal, vertical, time, _ = _rules(world, *rows)
    tolerance = legs.gap_tolerance[a] + legs.gap_tolerance[b]
    result = judge_gap_gaps(
        legs.gap_points, a, b, legs.gap_reference, time + tolerance[:, 1] + tolerance[:, 2], tolerance[:, 0],
        *world.speeds, horizontal - MARGIN_M, vertical - MARGIN_M, np.array(world.window), HEIGHT_SPANS,
    )  # fmt: skip

    def locate(row: int, _certain: bool) -> Closest:
        time_s = float(result[row, 0] if math.isfinite(result[row, 0]) else legs.gap_points[2 * a[row], 3])
        places = (_gap_place(world, int(a[row]), time_s), _gap_place(world, int(b[row]), time_s))
        found_here = Closest(time_s, time_s, float(result[row, 2]), None, *places)
        return _swapped(found_here) if first[row] > second[row] else found_here

    def inside(area: Area, row: Ints, _start_s: Array, _end_s: Array) -> npt.NDArray[np.bool_]:
        near = horizontal[row]
        return _gap_in(world, a[row], near, area) & _gap_in(world, b[row], near, area)

    return _gap_evidence(first, second, rows, result, locate, inside)


def _gaps_with_shapes(world: World, pairs: Ints) -> Evidence | None:
    if not len(pairs):
        return None
    legs, packed = world.legs, world.packed
    shape, gap = _columns(pairs)
    first, second = world.shape_thing[shape], legs.gap_operation[gap].astype(np.int64)
    rows = world.shape_row[shape], legs.gap_sort[gap].astype(np.int64)
    horizontal, vertical, time, _ = _rules(world, *rows)
    radius, bound, blur, *_ = _facts(world.shapes, shape)
    tolerance = legs.gap_tolerance[gap]
    result = judge_gap_shapes(
        legs.gap_points, gap, legs.gap_reference, time + tolerance[:, 1] + tolerance[:, 2],
        tolerance[:, 0] + blur + bound, *world.speeds, shape, horizontal + radius, vertical, world.band_array,
        *world.starts_and_ends, packed.edges, packed.edge_first, packed.rings, packed.ring_first,
        packed.shape_ring_first, HEIGHT_SPANS,
    )  # fmt: skip

    def locate(row: int, _certain: bool) -> Closest:
        time_s = float(result[row, 0]) if math.isfinite(result[row, 0]) else float(legs.gap_points[2 * gap[row], 3])
        place = _gap_place(world, int(gap[row]), time_s)
        found_here = Closest(time_s, time_s, 0.0, None, (place[0], place[1], None), place)
        return _swapped(found_here) if first[row] > second[row] else found_here

    def inside(area: Area, row: Ints, _start_s: Array, _end_s: Array) -> npt.NDArray[np.bool_]:
        near = np.maximum(horizontal[row], 0.0)
        return _gap_in(world, gap[row], near, area) & _sphere_in(world, shape[row], near, area)

    return _gap_evidence(first, second, rows, result, locate, inside)
