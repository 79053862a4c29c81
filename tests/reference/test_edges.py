"""What breaks such programs: poles, the antimeridian, legs of no length, moments, levels and borders that touch."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.model.extents import Track, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import ZoneKind
from keepclear.separation.checking import check
from keepclear.separation.minima import MinimaTable
from keepclear.units import feet_to_metres, flight_level_to_metres
from tests.reference.judging import Rule, verdict
from tests.reference.made import HOME, answer, at, operation, square, track, zone
from tests.reference.shapes import GEOD
from tests.reference.worlds import EPOCH_S, moved, volume

CONFLICT, POSSIBLE, CLEAR = Answer.CONFLICT, Answer.POSSIBLE, Answer.CLEAR
MINIMA = MinimaTable.single(1_000.0, 100.0)
NO_GO = ZoneKind.NO_GO_AREA


def _line(*points: tuple[float, float], seconds: float = 100.0, height_m: float = 500.0, **more: object) -> Track:
    """A track through longitudes and latitudes, one every so many seconds."""
    lon, lat = np.array(points, dtype=float).T
    n = len(points)
    return Track(EPOCH_S + seconds * np.arange(n), lon, lat, np.full(n, height_m), **more)


def _polygon(*corners: tuple[float, float], edges: Edges = Edges.LONLAT, **more: object) -> Volume:
    return volume(Polygon((np.array([*corners, corners[0]], dtype=float),), edges), **more)


# ------------------------------------------------------------------------------------------------ round the Earth


@pytest.mark.parametrize("lat", [0.0, -17.0, 70.0, -85.0])
def test_head_on_across_the_antimeridian(lat) -> None:
    a = operation("A", _line((179.9, lat), (-179.9, lat)))
    assert answer(a, operation("B", _line((-179.9, lat), (179.9, lat))), minima=MINIMA) is CONFLICT
    # The same way, half a minute behind the middle of the world away: on the other side of the Earth.
    assert answer(a, operation("B", _line((0.1, lat), (-0.1, lat))), minima=MINIMA) is CLEAR


def test_180_and_minus_180_are_one_place() -> None:
    a = operation("A", _line((180.0, 10.0), (180.0, 10.1)))
    assert answer(a, operation("B", _line((-180.0, 10.0), (-180.0, 10.1))), minima=MINIMA) is CONFLICT


@pytest.mark.parametrize("edges", Edges)
def test_an_area_across_the_antimeridian(edges) -> None:
    area = zone(NO_GO, _polygon((179.5, -18.0), (-179.5, -18.0), (-179.5, -16.0), (179.5, -16.0), edges=edges))
    assert answer(operation("A", _line((179.8, -17.0), (179.9, -17.0))), area) is CONFLICT
    assert answer(operation("A", _line((-179.9, -17.0), (-179.8, -17.0))), area) is CONFLICT
    assert answer(operation("A", _line((179.3, -17.0), (179.4, -17.0))), area) is CLEAR
    assert answer(operation("A", _line((0.0, -17.0), (0.1, -17.0))), area) is CLEAR
    assert answer(operation("A", _line((179.3, -17.0), (-179.3, -17.0))), area) is CONFLICT


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_over_a_pole(pole) -> None:
    near = math.copysign(89.9, pole)
    a = operation("A", _line((0.0, near), (180.0, near)))  # straight over it at 50 s
    assert answer(a, operation("B", _line((90.0, near), (-90.0, near))), minima=MINIMA) is CONFLICT
    assert answer(a, operation("B", _line((37.0, pole), (-120.0, pole))), minima=MINIMA) is CONFLICT
    hovering = _line((90.0, math.copysign(89.98, pole)), (90.0, math.copysign(89.98, pole)))
    assert answer(a, operation("B", hovering), minima=MINIMA) is CLEAR  # 2.2 km beside it


@pytest.mark.parametrize("pole", [90.0, -90.0])
@pytest.mark.parametrize("edges", Edges)
def test_an_area_round_a_pole_contains_it(pole, edges) -> None:
    border = math.copysign(80.0, pole)
    area = zone(NO_GO, _polygon(*[(float(lon), border) for lon in range(-180, 180, 20)], edges=edges))
    for lon, lat in ((0.0, 90.0), (12.0, 88.0), (-180.0, 85.0), (179.0, 81.0)):
        here = math.copysign(lat, pole)
        assert answer(operation("A", _line((lon, here), (lon, here))), area) is CONFLICT
    assert (
        answer(operation("A", _line((5.0, math.copysign(79.0, pole)), (15.0, math.copysign(79.0, pole)))), area)
        is CLEAR
    )
    assert answer(operation("A", _line((5.0, -border), (15.0, -border))), area) is CLEAR


def test_a_box_of_longitudes_round_a_pole() -> None:
    area = zone(NO_GO, _polygon((-180.0, 80.0), (180.0, 80.0), (180.0, 90.0), (-180.0, 90.0)))
    assert answer(operation("A", _line((10.0, 85.0), (20.0, 85.0))), area) is CONFLICT
    assert answer(operation("A", _line((10.0, 79.0), (20.0, 79.0))), area) is CLEAR


def test_a_hole_round_a_pole() -> None:
    outer, inner = (np.array([[float(lon), lat] for lon in (*range(-180, 180, 20), -180)]) for lat in (70.0, 80.0))
    area = zone(NO_GO, volume(Polygon((outer, inner))))
    assert answer(operation("A", _line((10.0, 85.0), (10.0, 90.0))), area) is CLEAR
    assert answer(operation("A", _line((10.0, 75.0), (10.0, 76.0))), area) is CONFLICT


def test_a_circle_over_a_pole() -> None:
    area = zone(NO_GO, volume(Circle(33.0, 89.95, 20_000.0)))
    assert answer(operation("A", _line((-147.0, 89.9), (-147.0, 89.95))), area) is CONFLICT
    assert answer(operation("A", _line((-147.0, 89.8), (-147.0, 89.85))), area) is CLEAR


@given(
    lon=st.floats(-180, 180), lat=st.floats(-90, 90), azimuth=st.floats(0, 360), across=st.floats(-60_000, 60_000),
    kilometres=st.sampled_from((1_000, 5_000, 10_000, 15_000)), part=st.floats(0.05, 0.95),
)  # fmt: skip
@settings(max_examples=150)
def test_very_long_legs(lon, lat, azimuth, across, kilometres, part) -> None:
    """Somebody waits beside a geodesic of thousands of kilometres, where neither a chord nor a line in degrees is."""
    length = kilometres * 1_000.0
    end = moved(lon, lat, azimuth, length)
    hours = length / 250.0
    a = Track(EPOCH_S + np.array([0.0, hours]), np.array([lon, end[0]]), np.array([lat, end[1]]), np.full(2, 10_000.0))
    # The direction from the ends, as the product must find it: at a pole every longitude is the same place.
    azimuth_given, _, length_given = GEOD.inv(lon, lat, *end[:2])
    beside = moved(lon, lat, azimuth_given, part * length_given)
    there = moved(beside[0], beside[1], beside[2] + 90.0, across)
    b = Track(EPOCH_S + np.array([0.0, hours]), np.full(2, there[0]), np.full(2, there[1]), np.full(2, 10_000.0))
    if abs(abs(across) - 20_000.0) > 25.0:  # 0.1 %, and the sphere's
        expected = CONFLICT if abs(across) < 20_000.0 else CLEAR
        assert answer(operation("A", a), operation("B", b), minima=MinimaTable.single(20_000.0, 100.0)) is expected


def test_a_very_long_leg_meets_at_its_middle_only_then() -> None:
    a = _line((-60.0, 50.0), (80.0, 50.0), seconds=40_000.0, height_m=10_000.0)
    azimuth, _, length = GEOD.inv(-60.0, 50.0, 80.0, 50.0)
    middle = moved(-60.0, 50.0, azimuth, length / 2.0)[:2]
    for low, high, expected in ((19_900, 20_100, CONFLICT), (0, 19_000, CLEAR), (21_000, 40_000, CLEAR)):
        b = Track(EPOCH_S + np.array([low, high], dtype=float), *(np.full(2, v) for v in middle), np.full(2, 10_000.0))
        assert answer(operation("A", a), operation("B", b), minima=Rule(10_000.0, 100.0).table) is expected
    on_the_parallel = _line((10.0, 50.0), (10.0, 50.0), seconds=40_000.0, height_m=10_000.0)
    assert answer(operation("A", a), operation("B", on_the_parallel), minima=Rule(10_000.0, 100.0).table) is CLEAR


# ------------------------------------------------------------------------------------------------ no length, no time


def test_a_unit_that_stands_still() -> None:
    still = operation("A", track((0, 0, 0, 500), (100, 0, 0, 500), (200, 0, 0, 500)))
    past = operation("B", track((0, -2_000, 900, 500), (200, 2_000, 900, 500)))
    assert answer(still, past, minima=MINIMA) is CONFLICT
    assert (
        answer(still, operation("B", track((0, -2_000, 1_100, 500), (200, 2_000, 1_100, 500))), minima=MINIMA) is CLEAR
    )
    assert answer(still, operation("B", track((0, 999, 0, 500), (200, 999, 0, 500))), minima=MINIMA) is CONFLICT
    assert answer(still, operation("B", track((0, 1_001, 0, 500), (200, 1_001, 0, 500))), minima=MINIMA) is CLEAR


def test_climbing_on_the_spot() -> None:
    a = operation("A", track((0, 0, 0, 0), (100, 0, 0, 1_000)))
    b = operation("B", track((0, 0, 0, 500), (100, 0, 0, 500)))
    report = check([a, b], minima=MINIMA)
    (span,) = report.conflicts[0].intervals
    assert span.start_s == pytest.approx(EPOCH_S + 40.0, abs=0.01)
    assert span.end_s == pytest.approx(EPOCH_S + 60.0, abs=0.01)


def test_repeated_positions_change_nothing() -> None:
    once = track((0, -2_000, 500, 500), (100, 0, 500, 500), (200, 2_000, 500, 500))
    twice = track((0, -2_000, 500, 500), (100, 0, 500, 500), (100, 0, 500, 500), (200, 2_000, 500, 500))
    b = operation("B", track((0, 0, 0, 500), (200, 0, 0, 500)))
    one, two = (check([operation("A", path), b], minima=MINIMA) for path in (once, twice))
    assert one.answer is two.answer is CONFLICT
    assert len(one.conflicts[0].intervals) == len(two.conflicts[0].intervals) == 1
    for name in ("start_s", "end_s"):
        first, second = (getattr(report.conflicts[0].intervals[0], name) for report in (one, two))
        assert first == pytest.approx(second, abs=1e-3)


def test_two_positions_at_one_time() -> None:
    """At that instant the unit may be anywhere between the two; at any other time it may not."""
    jump = operation("A", track((0, -9_000, 0, 500), (100, -8_000, 0, 500), (100, 8_000, 0, 500), (200, 9_000, 0, 500)))
    for low, high, expected in ((0, 200, CONFLICT), (100, 200, CONFLICT), (0, 99, CLEAR), (101, 200, CLEAR)):
        b = operation("B", track((low, 0, 0, 500), (high, 0, 0, 500)))
        assert answer(jump, b, minima=MINIMA) in ((expected,) if expected is CLEAR else (CONFLICT, POSSIBLE))
    for height_m, expected in ((450, CONFLICT), (700, CLEAR)):
        b = operation("B", track((0, 0, 0, height_m), (200, 0, 0, height_m)))
        found = answer(jump, b, minima=MINIMA)
        assert found is CLEAR if expected is CLEAR else found is not CLEAR


def test_two_jumps_at_one_time() -> None:
    a = operation("A", track((100, -8_000, 0, 500), (100, 8_000, 0, 500)))
    b = operation("B", track((100, 0, -8_000, 500), (100, 0, 8_000, 500)))
    late = operation("B", track((101, 0, -8_000, 500), (101, 0, 8_000, 500)))
    assert answer(a, b, minima=MINIMA) is not CLEAR
    assert answer(a, late, minima=MINIMA) is CLEAR


@pytest.mark.parametrize(
    ("other_at_s", "off_m", "tolerances", "expected"),
    [
        (50, 900, {}, CONFLICT),
        (50, 1_100, {}, CLEAR),
        (51, 0, {}, CLEAR),
        (51, 0, {"early_s": 0.5}, CLEAR),
        (51, 0, {"early_s": 1.0}, CONFLICT),
        (51, 0, {"late_s": 5.0}, CLEAR),
        (49, 0, {"late_s": 1.0}, CONFLICT),
        (51, 0, {"early_s": math.inf}, CONFLICT),
    ],
)
def test_single_positions(other_at_s, off_m, tolerances, expected) -> None:
    a = operation("A", track((50, 0, 0, 500)))
    b = operation("B", track((other_at_s, 0, off_m, 500), **tolerances))
    assert answer(a, b, minima=MINIMA) is expected
    assert answer(b, a, minima=MINIMA) is expected


def test_a_single_position_in_an_area() -> None:
    area = zone(NO_GO, volume(Polygon((square(500.0),)), (EPOCH_S, EPOCH_S + 100.0)))
    for t, east, expected in ((50, 0, CONFLICT), (50, 600, CLEAR), (101, 0, CLEAR), (-1, 0, CLEAR)):
        assert answer(operation("A", track((t, east, 0, 500))), area) is expected


def test_one_shared_instant_of_two_tracks_counts() -> None:
    a = operation("A", track((0, -500, 0, 500), (100, 0, 0, 500)))
    assert answer(a, operation("B", track((100, 0, 0, 500), (200, 500, 0, 500))), minima=MINIMA) is CONFLICT
    assert answer(a, operation("B", track((100.01, 0, 0, 500), (200, 500, 0, 500))), minima=MINIMA) is CLEAR


def test_one_shared_instant_of_two_volumes_does_not() -> None:
    shape = Circle(*HOME, 500.0)
    a = operation("A", volume(shape, (EPOCH_S, EPOCH_S + 100.0)))
    for start, expected in ((100.0, CLEAR), (99.0, CONFLICT), (101.0, CLEAR)):
        b = operation("B", volume(shape, (EPOCH_S + start, EPOCH_S + 300.0)))
        assert answer(a, b, minima=MINIMA) is expected


def test_one_shared_instant_of_a_track_and_a_volume_counts() -> None:
    area = operation("B", volume(Circle(*HOME, 500.0), (EPOCH_S + 100.0, EPOCH_S + 200.0)))
    assert answer(operation("A", track((0, -500, 0, 500), (100, 0, 0, 500))), area, minima=MINIMA) is CONFLICT
    assert answer(operation("A", track((0, -500, 0, 500), (99, 0, 0, 500))), area, minima=MINIMA) is CLEAR


# ------------------------------------------------------------------------------------------------ no thickness


def test_volumes_of_no_thickness() -> None:
    a = operation("A", track((0, -2_000, 0, 500), (200, 2_000, 0, 500)))
    for level, expected in ((550.0, CONFLICT), (500.0, CONFLICT), (601.0, CLEAR), (399.0, CLEAR)):
        b = operation("B", volume(Circle(*HOME, 500.0), band_m=(level, level)))
        assert answer(a, b, minima=MINIMA) is expected
        assert answer(operation("A", volume(Circle(*HOME, 100.0), band_m=(500.0, 500.0))), b, minima=MINIMA) is expected


@pytest.mark.parametrize("off_m", [0.0, 900.0, 1_100.0])
def test_footprints_of_no_area(off_m) -> None:
    expected = CONFLICT if off_m < 1_000.0 else CLEAR
    a = operation("A", track((0, -9_000, off_m, 500), (200, 9_000, off_m, 500)))
    line = np.array([at(-3_000, 0), at(3_000, 0)])
    flat = np.array([at(-3_000, 0), at(0, 0), at(3_000, 0), at(-3_000, 0)])
    shapes = (Circle(*HOME, 0.0), Corridor(line, 0.0), Corridor(line[:1], 0.0), Polygon((flat,)))
    for shape in shapes:
        assert answer(a, operation("B", volume(shape)), minima=MINIMA) is expected
    # Nothing overlaps what has no area by more than a millimetre.
    for shape in shapes:
        assert answer(a, zone(NO_GO, volume(shape))) is not CONFLICT


def test_an_instant_of_a_volume() -> None:
    b = operation("B", volume(Circle(*HOME, 500.0), (EPOCH_S + 100.0, EPOCH_S + 100.0)))
    assert answer(operation("A", track((0, -2_000, 0, 500), (200, 2_000, 0, 500))), b, minima=MINIMA) is CONFLICT
    assert (
        answer(operation("A", track((0, -90_000, 0, 500), (200, 90_000, 9_000, 500))), b, minima=MINIMA) is not CONFLICT
    )


# ------------------------------------------------------------------------------------------------ levels that touch

FEET_TO_METRES = (
    lambda feet: feet * 0.3048,
    lambda feet: (feet / 100.0) * (100.0 * 0.3048),
    lambda feet: (feet / 100.0) * 100.0 * 0.3048,
    lambda feet: feet * 12.0 * 0.0254,
    lambda feet: feet / (1.0 / 0.3048),
    lambda feet: float(f"{feet * 0.3048:.4f}"),
    lambda feet: float(np.float32(feet * 0.3048)),
    feet_to_metres,
    lambda feet: flight_level_to_metres(feet / 100.0),
)
THOUSAND_FEET = (304.8, 1000 * 0.3048, 1000 * 12 * 0.0254, feet_to_metres(1000.0))


@pytest.mark.parametrize("reference", [HeightReference.W84, HeightReference.FL, HeightReference.AMSL])
def test_levels_a_thousand_feet_apart_touch(reference) -> None:
    """However each was converted; and one foot less is a conflict."""
    lower = [10_000, 17_300, 29_000, 31_000, 33_100, 40_000]
    ways = list(itertools.product(FEET_TO_METRES, repeat=2))
    for k, (low, (first, second)) in enumerate(itertools.product(lower, ways)):
        minima = MinimaTable.single(9_260.0, THOUSAND_FEET[k % len(THOUSAND_FEET)])
        a = track((0, -9_000, 0, first(low)), (60, 9_000, 0, first(low)), height_reference=reference)
        for apart, expected in ((1_000, CLEAR), (999, CONFLICT)):
            level = second(low + apart)
            b = track((0, 9_000, 0, level), (60, -9_000, 0, level), height_reference=reference)
            if k % 7 == 0 or apart == 1_000:
                assert answer(operation("A", a), operation("B", b), minima=minima) is expected


def test_the_default_minima_between_aircraft_touch_too() -> None:
    for low in range(100, 400, 10):
        a, b = (
            operation(p, track((0, -9_000, 0, level), (60, 9_000, 0, level), height_reference=HeightReference.FL))
            for p, level in (("A", flight_level_to_metres(low)), ("B", flight_level_to_metres(low + 10)))
        )
        assert answer(a, b) is CLEAR


def test_bands_that_touch() -> None:
    def block(party: str, low: float, high: float):
        band = (Height.of_flight_level(low), Height.of_flight_level(high))
        return operation(party, Volume(Circle(*HOME, 25_000.0), *band, EPOCH_S, EPOCH_S + 3_600.0))

    rule = Rule(9_260.0, 304.8).table
    assert answer(block("A", 150, 250), block("B", 260, 300), minima=rule) is CLEAR
    assert answer(block("A", 150, 250), block("B", 259, 300), minima=rule) is CONFLICT
    assert answer(block("A", 150, 250), block("B", 200, 300), minima=rule) is CONFLICT
    nothing = Rule(0.0, 0.0).table
    assert answer(block("A", 150, 250), block("B", 250, 300), minima=nothing) is CLEAR
    assert answer(block("A", 150, 250), block("B", 249, 300), minima=nothing) is CONFLICT


# ------------------------------------------------------------------------------------------------ borders that touch


def _area(party: str, *rings: np.ndarray, edges: Edges = Edges.LONLAT):
    return operation(party, volume(Polygon(rings, edges)))


NOTHING = Rule(0.0, 0.0).table


def _box(west: float, south: float, east: float, north: float) -> np.ndarray:
    return np.array([[west, south], [east, south], [east, north], [west, north], [west, south]])


@pytest.mark.parametrize("edges", Edges)
def test_neighbours_that_share_a_border(edges) -> None:
    left = _area("A", _box(41.0, 36.0, 41.5, 36.5), edges=edges)
    assert answer(left, _area("B", _box(41.5, 36.0, 42.0, 36.5), edges=edges), minima=NOTHING) is not CONFLICT
    assert (
        answer(left, _area("B", _box(41.5, 36.5, 42.0, 37.0), edges=edges), minima=NOTHING) is not CONFLICT
    )  # a corner
    assert answer(left, _area("B", _box(41.499, 36.0, 42.0, 36.5), edges=edges), minima=NOTHING) is CONFLICT
    assert answer(left, _area("B", _box(41.501, 36.0, 42.0, 36.5), edges=edges), minima=NOTHING) is CLEAR


def test_a_border_with_more_corners_on_one_side() -> None:
    left = _area("A", _box(41.0, 36.0, 41.5, 36.5))
    more = np.array([[41.5, 36.0], [42.0, 36.0], [42.0, 36.5], [41.5, 36.5], [41.5, 36.3], [41.5, 36.1], [41.5, 36.0]])
    assert answer(left, _area("B", more), minima=NOTHING) is not CONFLICT


def test_a_shared_border_that_is_a_river() -> None:
    """Both sides list the same slanting corners, one of them backwards."""
    rng = np.random.default_rng(5)
    river = np.column_stack([41.5 + rng.uniform(-0.1, 0.1, 40), np.linspace(36.0, 37.0, 40)])
    left = np.concatenate([river, [[41.0, 37.0], [41.0, 36.0]], river[:1]])
    right = np.concatenate([river[::-1], [[42.0, 36.0], [42.0, 37.0]], river[-1:]])
    assert answer(_area("A", left), _area("B", right), minima=NOTHING) is not CONFLICT
    assert answer(_area("A", left), _area("B", right), minima=Rule(10.0, 10.0).table) is CONFLICT


def test_an_area_that_fills_the_hole_of_another() -> None:
    hole = _box(41.2, 36.2, 41.3, 36.3)
    around = _area("A", _box(41.0, 36.0, 41.5, 36.5), hole)
    assert answer(around, _area("B", hole), minima=NOTHING) is not CONFLICT
    assert answer(around, _area("B", _box(41.22, 36.22, 41.28, 36.28)), minima=NOTHING) is CLEAR
    assert answer(around, _area("B", _box(41.22, 36.22, 41.31, 36.28)), minima=NOTHING) is CONFLICT
    assert answer(around, _area("B", _box(41.22, 36.22, 41.28, 36.28)), minima=Rule(5_000.0, 10.0).table) is CONFLICT
    assert answer(around, _area("B", _box(41.24, 36.24, 41.26, 36.26)), minima=Rule(1_000.0, 10.0).table) is CLEAR


def test_one_area_within_another_and_the_same_area() -> None:
    outer = _box(41.0, 36.0, 41.5, 36.5)
    for inner in (_box(41.2, 36.2, 41.3, 36.3), outer, outer[::-1], _box(40.9, 35.9, 41.6, 36.6)):
        assert answer(_area("A", outer), _area("B", inner), minima=NOTHING) is CONFLICT
    # Two bars across each other: no corner of one is inside the other.
    across = (_box(41.2, 35.0, 41.3, 37.0), _box(41.0, 36.0, 41.5, 36.1))
    assert answer(*(_area(p, r) for p, r in zip("AB", across, strict=True)), minima=NOTHING) is CONFLICT


def test_along_the_border_of_an_area() -> None:
    area = zone(NO_GO, volume(Polygon((_box(41.0, 36.0, 41.5, 36.5),))))
    # A meridian is both a line in degrees and a geodesic.
    assert answer(operation("A", _line((41.0, 35.9), (41.0, 36.6))), area) is not CONFLICT
    assert answer(operation("A", _line((40.999, 35.9), (40.999, 36.6))), area) is CLEAR
    assert answer(operation("A", _line((41.001, 35.9), (41.001, 36.6))), area) is CONFLICT
    assert answer(operation("A", _line((40.9, 36.2), (41.0, 36.2))), area) is not CONFLICT  # up to it
    assert answer(operation("A", _line((40.9, 36.2), (41.0 + 1e-6, 36.2))), area) is CONFLICT  # 9 cm into it


def test_through_a_narrow_area() -> None:
    narrow = zone(NO_GO, volume(Polygon((_box(41.0, 36.0, 41.0 + 1e-6, 36.5),))))  # nine centimetres
    fast = _line((40.0, 36.2), (42.0, 36.2), seconds=600.0)
    assert answer(operation("A", fast), narrow) is CONFLICT


def test_touching_at_the_minimum() -> None:
    for name, near in (("closer", -0.01), ("touching", 0.0), ("apart", 0.01)):
        other = moved(*HOME, 77.0, 1_000.0 + near)
        a, b = (operation(p, _line(point, point)) for p, point in (("A", HOME), ("B", other[:2])))
        expected = CONFLICT if near < 0.0 else CLEAR
        assert answer(a, b, minima=MINIMA) is expected, name
    circles = (volume(Circle(*HOME, 400.0)), volume(Circle(*moved(*HOME, 77.0, 2_000.0)[:2], 600.0)))
    assert verdict(*circles, Rule(1_000.0, 100.0)) is None
    assert answer(operation("A", circles[0]), operation("B", circles[1]), minima=MINIMA) is not CONFLICT
