"""What the judge of legs and shapes leaves out is nothing: the slow way finds the same, in worlds made at random."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.geo.ellipsoid import lift, surface_point
from keepclear.geo.heights import HEIGHT_SPANS
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.judging_standing import _inexact_heights, _with_others
from keepclear.separation.leg_shapes import judge_legs
from keepclear.separation.minima import MinimaTable
from keepclear.separation.shapes import _evenly, compile_shape, contains_point, pack
from keepclear.separation.world import compile_world
from tests.reference.worlds import moved

PLACES = ((35.0, 36.0), (179.9995, -17.0), (-179.99, 60.0), (20.0, 89.95), (-70.0, -89.9), (0.0, 0.0))
SIZES_M = (30.0, 700.0, 9_000.0)
SAMPLES = np.linspace(0.0, 1.0, 21)
BORDER_M = 0.001


def footprint_of(rng, place, size_m):
    far = [moved(*place, bearing, size_m * rng.uniform(0.3, 1.0))[:2] for bearing in np.arange(0.0, 360.0, 60.0)]
    match rng.integers(0, 4):
        case 0:
            return Circle(*place, size_m)
        case 1:
            return Corridor(np.array(far[: rng.integers(1, 5)]), rng.choice([0.0, 0.3 * size_m]))
        case 2 if abs(place[1]) < 80.0:
            return Polygon((np.array([*far, far[0]]),))
        case _:
            return Polygon((np.array([*far, far[0]]),), Edges.GEODESIC)


def judged(shape, points, leg, reach, *, certain=True, times=None):
    """Legs with one shape whose heights do not matter; it is there always, or at the times given."""
    rows, packed = len(leg), pack([shape])
    start, end = np.array([[-math.inf], [math.inf]]) if times is None else np.array(times)[:, None]
    nothing = np.zeros(rows)
    return judge_legs(
        points, leg, np.zeros(rows, np.int8), nothing, nothing, np.zeros((rows, 2)), np.zeros(rows, np.int64), reach,
        BORDER_M, np.full(rows, math.inf), nothing, np.zeros((1, 2, 4)), start, end, packed.edges, packed.edge_first,
        packed.blocks, packed.block_first, packed.rings, packed.ring_first, packed.shape_ring_first, certain,
        HEIGHT_SPANS,
    )  # fmt: skip


def world_of(seed):
    rng = np.random.default_rng(seed)
    place, size_m = PLACES[rng.integers(len(PLACES))], rng.choice(SIZES_M)
    volume = Volume(footprint_of(rng, place, size_m), None, None, None, None)
    shape = compile_shape(volume, owner=0, is_zone=True, on_ground=False, horizontal_m=0.0)
    away = [moved(*place, rng.uniform(0.0, 360.0), 2.0 * size_m * rng.random())[:2] for _ in range(7)]
    points = np.array([[*surface_point(*one), 10.0 * k, 0.0] for k, one in enumerate(away)])
    reach = shape.radius_m + rng.choice([-BORDER_M, 0.2 * size_m, 1.3 * size_m], 6)
    if not shape.rings:
        reach = np.maximum(reach, 1.0)
    return rng, shape, points, np.arange(6), reach


def distances(points, i, shape):
    """How far samples of a leg are from the border, edge by edge without leaving any out, and which are inside."""
    found, inside = [], []
    packed = pack([shape])
    a, along = shape.edges[:, :3], shape.edges[:, 3:] - shape.edges[:, :3]
    square = np.maximum((along**2).sum(axis=1), 1e-30)
    for u in SAMPLES:
        here = np.array(lift(*(points[i, :3] + u * (points[i + 1, :3] - points[i, :3]))))
        s = np.clip(((here - a) * along).sum(axis=1) / square, 0.0, 1.0)
        found.append(np.sqrt((((a + s[:, None] * along) - here) ** 2).sum(axis=1).min()))
        inside.append(
            contains_point(packed.rings, packed.ring_first, 0, int(packed.shape_ring_first[1]), *here.tolist())
        )
    return np.array(found), np.array(inside)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_a_leg_is_too_close_just_where_samples_of_it_are(seed: int) -> None:
    _, shape, points, leg, reach = world_of(seed)
    row, start, end, closest = judged(shape, points, leg, reach)
    for i in leg:
        distance, inside = distances(points, i, shape)
        near = distance < max(reach[i], BORDER_M)
        wanted = near | inside if reach[i] > 0.0 else inside & ~near
        times = points[i, 3] + SAMPLES * (points[i + 1, 3] - points[i, 3])
        told = np.zeros(len(SAMPLES), np.bool_)
        for k in np.flatnonzero(row == i):
            told |= (times >= start[k]) & (times <= end[k])
        sure = np.abs(distance - max(reach[i], BORDER_M)) > 0.01  # not at the very edge of it
        assert (told == wanted)[sure].all(), i
        if reach[i] > 0.0 and told.any():  # beside what is cut so coarsely as that reach allows
            assert closest[i, 0] <= distance.min() + 3.0


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_a_line_is_judged_as_each_of_its_edges_alone_is(seed: int) -> None:
    """Alone, no edge is left out because of another that is nearer or covers the same stretch."""
    rng = np.random.default_rng(seed)
    line = compile_shape(
        Volume(Corridor(np.array([moved(*PLACES[seed % 6], b, 8e3)[:2] for b in (0.0, 200.0, 130.0)]), 10.0)),
        owner=0, is_zone=True, on_ground=False, horizontal_m=0.0,
    )  # fmt: skip
    away = [moved(*PLACES[seed % 6], rng.uniform(0.0, 360.0), 9e3 * rng.random())[:2] for _ in range(4)]
    points = np.array([[*surface_point(*one), 10.0 * k, 0.0] for k, one in enumerate(away)])
    leg, reach = np.arange(3), rng.choice([20.0, 900.0, 4_000.0], 3)
    pieces = line.edges[:: max(1, len(line.edges) // 60)]
    few = line.__class__(**{name: getattr(line, name) for name in line.__slots__} | {"edges": pieces})
    row, start, end, closest = judged(few, points, leg, reach)
    alone = [
        judged(
            line.__class__(**{n: getattr(line, n) for n in line.__slots__} | {"edges": one[None]}), points, leg, reach
        )
        for one in pieces
    ]
    for i in leg:
        nearest = min(one[3][i, 0] for one in alone)
        assert closest[i, 0] == pytest.approx(nearest, abs=1e-6)
        stretches = sorted((s, e) for one in alone for r, s, e in zip(*one[:3], strict=True) if r == i)
        merged: list[list[float]] = []
        for s, e in stretches:
            if merged and s <= merged[-1][1] + 1e-9:
                merged[-1][1] = max(merged[-1][1], e)
            else:
                merged.append([s, e])
        told = [(start[k], end[k]) for k in np.flatnonzero(row == i)]
        assert np.array(told).reshape(-1, 2) == pytest.approx(np.array(merged).reshape(-1, 2), abs=1e-6)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_rows_judged_otherwise_take_their_places_among_those_that_are_not(seed: int) -> None:
    rng, shape, points, leg, reach = world_of(seed)
    first = judged(shape, points, leg, reach)
    rows = np.flatnonzero(rng.random(len(leg)) < 0.5)
    wider = reach.copy()
    wider[rows] += rng.choice([0.5, 500.0], len(rows))
    together = _with_others(first, rows, judged(shape, points, leg[rows], wider[rows]))
    for one, other in zip(together, judged(shape, points, leg, wider), strict=True):
        assert np.array_equal(one, other)


def heights_of(rng, *, low):
    return None if rng.random() < 0.4 else Height(low + rng.uniform(0.0, 300.0), rng.choice(list(HeightReference)[:3]))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_heights_that_are_known_exactly_or_open_are_judged_alike_whether_for_sure_or_for_maybe(seed: int) -> None:
    rng = np.random.default_rng(seed)
    place = PLACES[rng.integers(len(PLACES))]
    operations, zones = [], []
    for k, reference in enumerate(HeightReference):
        away = np.array([moved(*place, rng.uniform(0.0, 360.0), 3e3 * rng.random())[:2] for _ in range(3)])
        height = np.full(3, math.nan) if reference is HeightReference.UNKNOWN else rng.uniform(0.0, 1_500.0, 3)
        track = Track(1e9 + 100.0 * np.arange(3.0), *away.T, height, reference, late_s=5.0)
        operations.append(Operation("A", f"o{k}", OperationKind.PATROL, tracks=(track,)))
    for k in range(4):
        bounds = (None, None) if k == 0 else (heights_of(rng, low=0.0), heights_of(rng, low=400.0))
        volume = Volume(Circle(*place, 2_000.0), *bounds)
        zones.append(Zone("B", f"z{k}", ZoneKind.NO_GO_AREA, (volume,)))
    world = compile_world(operations, zones, minima=MinimaTable.default(), compare_own=False)
    legs, packed = world.legs, world.packed
    leg = np.repeat(np.flatnonzero(legs.piece_of >= 0), 4)
    shape = np.tile(np.arange(4), len(leg) // 4)
    piece = legs.piece_of[leg]
    start, end = world.starts_and_ends

    def judge(certain):
        return judge_legs(
            legs.points, leg, legs.reference[piece], legs.early_s[piece], legs.late_s[piece], np.zeros((len(leg), 2)),
            shape, np.full(len(leg), 2_000.0), BORDER_M, np.full(len(leg), 300.0), np.zeros(len(leg)),
            world.band_array, start, end, packed.edges, packed.edge_first, packed.blocks, packed.block_first,
            packed.rings, packed.ring_first, packed.shape_ring_first, certain, HEIGHT_SPANS,
        )  # fmt: skip

    sure, maybe = judge(True), judge(False)
    plain = ~_inexact_heights(world, legs.reference[piece], shape)
    assert plain.any()
    assert np.array_equal(sure[3][plain], maybe[3][plain])
    for k in range(3):
        assert np.array_equal(sure[k][plain[sure[0]]], maybe[k][plain[maybe[0]]])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_edges_are_cut_to_the_very_places_that_each_alone_is_cut_to(seed: int) -> None:
    rng = np.random.default_rng(seed)
    line = rng.uniform(-170.0, 170.0, (rng.integers(2, 7), 2))
    steps = rng.integers(1, 90, len(line) - 1)
    slowly = [
        a + np.linspace(0.0, 1.0, count + 1)[:-1, None] * (b - a)
        for a, b, count in zip(line[:-1], line[1:], steps, strict=True)
    ]
    assert np.array_equal(_evenly(line, steps), np.concatenate([*slowly, line[-1:]]))
