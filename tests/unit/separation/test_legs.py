"""Tracks as legs: cut, put together in pieces, broken by silences."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

from keepclear.geo.ellipsoid import longest_leg_m, surface_lonlat
from keepclear.geo.heights import AMSL, GROUND_SPAN, NOTHING, W84
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.separation.checking import check
from keepclear.separation.legs import Legs, TrackColumns, compile_legs
from keepclear.separation.minima import RVSM_CEILING_M, MinimaTable
from keepclear.separation.world import World, compile_world
from tests.reference.made import operation, track

GEOD = Geod(ellps="WGS84")
LEVELS = Height(0.0, HeightReference.W84), Height(200.0, HeightReference.W84)
ROUNDED_S = 1e-6  # slip is longer by what times are rounded by


def world(*operations: Operation, minima: MinimaTable | None = None) -> World:
    table = minima or MinimaTable.single(500.0, 100.0)
    return compile_world(operations, (), minima=table, compare_own=False)


def legs(*operations: Operation) -> Legs:
    return world(*operations).legs


def straight(ends: tuple[float, float, float, float], seconds: float = 1000.0) -> Track:
    lon0, lat0, lon1, lat1 = ends
    return Track(np.array([0.0, seconds]), np.array([lon0, lon1]), np.array([lat0, lat1]), np.array([100.0, 300.0]))


ENDS = [
    (41.9, 37.1, 42.1, 37.2),  # 21 km: inner points by lifting the chord
    (41.9, 37.1, 44.9, 39.1),  # 350 km: inner points by PROJ
    (179.95, -16.8, -179.95, -16.9),
    (30.0, 89.95, -150.0, 89.95),
    (10.0, 0.0, 10.2, 0.1),
]


@pytest.mark.parametrize("ends", ENDS)
def test_long_legs_are_cut_along_the_shortest_path_at_constant_speed(ends: tuple[float, ...]) -> None:
    cut = legs(operation("A", straight(ends)))
    n = len(cut.points) - 1
    azimuth, _, length = GEOD.inv(*ends)
    assert n >= length / longest_leg_m(500.0)
    assert n <= 1.05 * length / longest_leg_m(500.0) + 1
    assert cut.input_legs == 1
    assert cut.piece_of.tolist() == [0] * n + [-1]
    for k, row in enumerate(cut.points):
        lon, lat, _ = GEOD.fwd(*ends[:2], azimuth, length * k / n)
        found = surface_lonlat(*row[:3].tolist())
        assert GEOD.inv(lon, lat, *found)[2] < 0.005
        assert row[3:].tolist() == pytest.approx([1000.0 * k / n, 100.0 + 200.0 * k / n])
    longest = max(math.dist(a[:3], b[:3]) for a, b in itertools.pairwise(cut.points))
    assert longest <= longest_leg_m(500.0)
    assert longest <= cut.longest_m.max() <= 1.05 * longest_leg_m(500.0), "what the search is told is no less"


def test_short_legs_of_one_track_are_one_piece_and_share_their_points() -> None:
    made = track((0, 0, 0, 100), (10, 100, 0, 100), (20, 200, 0, 120), (30, 300, 0, 90))
    found = legs(operation("A", made), operation("B", made))
    assert found.piece_of.tolist() == [0, 0, 0, -1, 1, 1, 1, -1]
    assert found.operation.tolist() == [0, 1]
    assert found.input_legs == 6
    assert found.points[:4, 4].tolist() == [100.0, 100.0, 120.0, 90.0]


def test_a_track_of_one_position_is_a_leg_of_no_length() -> None:
    found = legs(operation("A", track((7, 0, 0, 100))))
    assert found.piece_of.tolist() == [0, -1]
    assert np.array_equal(found.points[0], found.points[1])
    assert found.input_legs == 1


def test_a_silence_in_a_flown_track_is_a_gap_and_in_a_plan_is_not() -> None:
    points = (0, 0, 0, 100), (50, 100, 0, 100), (150, 300, 0, 200), (200, 400, 0, 200)
    flown = legs(operation("A", track(*points, basis=TrackBasis.FLOWN, uncertainty_m=5.0, early_s=1.0, late_s=2.0)))
    assert flown.piece_of.tolist() == [0, -1, 1, -1]
    assert flown.gap_operation.tolist() == [0]
    assert np.array_equal(flown.gap_points, flown.points[1:3])
    early_s, late_s = 1.0 + ROUNDED_S, 2.0 + ROUNDED_S
    assert flown.gap_tolerance.tolist() == [[5.0, early_s, late_s]]
    assert flown.uncertainty_m.tolist() == [5.0, 5.0]
    assert (flown.early_s.tolist(), flown.late_s.tolist()) == ([early_s] * 2, [late_s] * 2)
    planned = legs(operation("A", track(*points)))
    assert planned.piece_of.tolist() == [0, 0, 0, -1]
    assert len(planned.gap_operation) == 0
    on_ground = legs(operation("A", track(*points, basis=TrackBasis.FLOWN), kind=OperationKind.CONVOY))
    assert len(on_ground.gap_operation) == 0, "on the ground five minutes of silence are bridged"


def test_positions_between_silences_stand_alone_for_an_instant() -> None:
    points = (0, 0, 0, 100), (100, 100, 0, 100), (200, 300, 0, 200)
    found = legs(operation("A", track(*points, basis=TrackBasis.FLOWN)))
    assert len(found.gap_operation) == 2
    begins = np.flatnonzero(found.piece_of >= 0)
    assert found.points[begins, 3].tolist() == found.points[begins + 1, 3].tolist()
    assert np.diff(found.points[begins, 3]).tolist() == [100.0, 100.0]
    assert np.array_equal(found.points[begins, :3], found.points[begins + 1, :3])


@pytest.mark.parametrize(("kind", "code"), [(OperationKind.FLIGHT, NOTHING), (OperationKind.CONVOY, GROUND_SPAN)])
def test_legs_without_a_height_are_pieces_whose_heights_span_everything(kind: OperationKind, code: int) -> None:
    made = track((0, 0, 0, 100), (10, 100, 0, 100), (20, 200, 0, math.nan), (30, 300, 0, 100), (40, 400, 0, 100))
    found = legs(operation("A", made, kind=kind))
    assert found.piece_of.tolist() == [0, 1, 1, 2, -1]
    assert found.reference.tolist() == [W84, code, W84]
    assert np.isfinite(found.points).all()


def test_legs_above_fl410_are_a_sort_of_their_own() -> None:
    low, high = RVSM_CEILING_M - 100.0, RVSM_CEILING_M + 100.0
    made = track((0, 0, 0, low), (10, 100, 0, low), (20, 200, 0, high), (30, 300, 0, low), (40, 400, 0, low))
    both = world(operation("A", made), operation("B", track((0, 0, 0, RVSM_CEILING_M))), minima=MinimaTable.default())
    assert both.legs.piece_of[:5].tolist() == [0, 1, 1, 2, -1]
    rows = both.legs.sort.tolist()
    assert rows == [rows[0], both.sorts.of_high_legs[0], rows[0], rows[0]]
    assert both.sorts.vertical_m[rows[1], rows[0]] == pytest.approx(2 * both.sorts.vertical_m[rows[0], rows[0]])
    on_ground = legs(operation("A", made, kind=OperationKind.CONVOY))
    assert len(set(on_ground.sort.tolist())) == 1


def test_tolerances_by_position_are_the_larger_of_both_ends() -> None:
    points = (0, 0, 0, 100), (10, 100, 0, 100), (20, 200, 0, 100)
    made = track(*points, uncertainty_m=np.array([1.0, 5.0, 2.0]), early_s=np.array([0.0, 0.0, 3.0]), late_s=4.0)
    found = legs(operation("A", made), operation("B", track(*points, uncertainty_m=7.0)))
    assert found.piece_of.tolist() == [0, 1, -1, 2, 3, -1]
    assert found.uncertainty_m.tolist() == [5.0, 5.0, 7.0, 7.0]
    assert found.early_s.tolist() == [0.0, 3.0 + ROUNDED_S, 0.0, 0.0]
    assert found.late_s.tolist() == [4.0 + ROUNDED_S, 4.0 + ROUNDED_S, 0.0, 0.0]


def test_heights_above_the_sea_get_the_geoid_beside_them() -> None:
    made = track((0, 0, 0, 100), (10, 100, 0, 100), height_reference=HeightReference.AMSL)
    found = legs(operation("A", made))
    assert found.reference.tolist() == [AMSL]
    assert found.points[:, 4].tolist() == [100.0, 100.0]
    assert (found.points[:, 5] - 100.0).tolist() == pytest.approx([22.5, 22.5], abs=3.0), "EGM96 near 37 N, 41 E"


def test_no_operations_are_no_legs() -> None:
    found = legs()
    assert (len(found.points), len(found.operation), len(found.gap_operation), found.input_legs) == (0, 0, 0, 0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("jobs", [1, 2])
def test_legs_taken_many_at_a_time_are_those_taken_one_by_one(seed: int, jobs: int) -> None:
    given = some_columns(np.random.default_rng(seed))
    # With tolerances by position every leg is a piece of its own and is looked at alone.
    many = np.diff(given.first)
    tolerances = (given.uncertainty_m, given.early_s, given.late_s)
    alone = replace(given, **dict(zip(TOLERANCES, (np.repeat(column, many) for column in tolerances), strict=True)))
    fast, slow = (compiled(columns, jobs) for columns in (given, alone))
    np.testing.assert_array_equal(fast.points, slow.points)
    np.testing.assert_array_equal(fast.piece_of >= 0, slow.piece_of >= 0)
    for name in ("operation", "sort", "reference", *TOLERANCES):
        a, b = (getattr(some, name)[some.piece_of[some.piece_of >= 0]] for some in (fast, slow))
        np.testing.assert_array_equal(a, b)
    for name in ("gap_points", "gap_operation", "gap_sort", "gap_reference", "gap_tolerance", "longest_m"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
    assert len(fast.operation) < len(slow.operation)
    assert len(fast.gap_operation) > 0
    assert len(fast.points) > len(given.time_s) + len(fast.gap_operation)  # some are cut
    assert {int(code) for code in fast.reference} >= {NOTHING, GROUND_SPAN, W84, AMSL}


TOLERANCES = ("uncertainty_m", "early_s", "late_s")


def some_columns(rng: np.random.Generator) -> TrackColumns:
    """Tracks of 1 to 1,500 positions, with silences, long legs, high ones and some of no known height."""
    many = 40
    counts = rng.integers(1, rng.choice([4, 60, 1500], many))
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    n, scale = int(first[-1]), np.repeat(rng.choice([0.001, 0.02, 0.1], many), counts)
    height = rng.choice([-0.0, 150.0, RVSM_CEILING_M, 13_000.0], n, p=[0.4, 0.4, 0.1, 0.1])
    height[rng.random(n) < 0.1] = np.nan
    return TrackColumns(
        np.concatenate([np.cumsum(rng.choice([0.0, 10.0, 60.0, 61.0], count)) for count in counts]),
        np.clip(np.repeat(rng.choice([-179.0, 8.0, 179.0], many), counts) + rng.normal(0.0, scale), -180.0, 180.0),
        np.clip(np.repeat(rng.choice([-89.0, 0.0, 47.0], many), counts) + rng.normal(0.0, scale), -90.0, 90.0),
        height, first, np.arange(many, dtype=np.int32), rng.choice([W84, AMSL], many).astype(np.int8),
        rng.choice([60.0, math.inf], many), np.arange(many) % 2 == 1, *(rng.choice([0.0, 7.0], many) for _ in range(3)),
    )  # fmt: skip


def compiled(columns: TrackColumns, jobs: int) -> Legs:
    rows = np.arange(len(columns.operation), dtype=np.int32) % 2
    return compile_legs(columns, rows, 1 - rows, np.array([900.0, 4000.0]), jobs=jobs)


@pytest.mark.parametrize("began_s", [0.0, 1_767_225_600.3, 2.5e11])
def test_what_meets_by_its_slip_at_one_instant_meets_however_the_times_are_rounded(began_s: float) -> None:
    times = np.random.default_rng(1).uniform(0.0, 100.0, (40, 2)).round(1)
    for slip_s, after_s in times + 0.1:
        end_s = began_s + after_s
        ending = operation("A", straight_at(began_s, end_s, (10.0, 10.01)))
        beginning = operation(
            "B", replace(straight_at(end_s + slip_s, end_s + slip_s + 50.0, (10.01, 10.02)), early_s=slip_s)
        )
        over = Volume(Circle(10.01, 10.0, 2000.0), *LEVELS, end_s - 50.0, end_s)
        there = Operation("C", "there", OperationKind.FLIGHT, (over,))
        table = MinimaTable.single(500.0, 100.0)
        for other in (ending, there):
            assert check([beginning, other], minima=table).answer is Answer.CONFLICT
        late = replace(straight_at(began_s, end_s, (10.0, 10.01)), late_s=slip_s)
        after = operation("B", straight_at(end_s + slip_s, end_s + slip_s + 50.0, (10.01, 10.02)))
        assert check([operation("A", late), after], minima=table).answer is Answer.CONFLICT


def straight_at(start_s: float, end_s: float, lons: tuple[float, float]) -> Track:
    return Track(np.array([start_s, end_s]), np.array(lons), np.full(2, 10.0), np.full(2, 100.0))
