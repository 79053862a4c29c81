"""Attacks: cases made to be answered wrongly, each of which once was."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keepclear.geo import kernel as kernel_module
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.checking import check
from keepclear.separation.minima import MinimaTable, Rule
from keepclear.separation.search import grid_of
from keepclear.separation.world import compile_world
from keepclear.units import feet_to_metres
from tests.reference.made import HOME, answer, at, operation, square, track, zone
from tests.reference.worlds import EPOCH_S, volume

CONFLICT, POSSIBLE, CLEAR = Answer.CONFLICT, Answer.POSSIBLE, Answer.CLEAR
MINIMA = MinimaTable.single(1_000.0, 100.0)
NO_GO = ZoneKind.NO_GO_AREA
FLOWN = TrackBasis.FLOWN


def _ring(*corners: tuple[float, float]) -> np.ndarray:
    return np.array([*corners, corners[0]], dtype=float)


def _window(start: float, end: float) -> tuple[float, float]:
    return EPOCH_S + start, EPOCH_S + end


# ------------------------------------------------------------------------------------------------ gaps


def test_a_gap_that_is_in_an_area_only_while_nothing_is_known() -> None:
    """What is certain cannot be clear: for these ten seconds the unit is at most 7.4 km from a place 40 km inside."""
    area = zone(NO_GO, volume(Polygon((square(50_000.0),)), _window(980, 990), (0.0, 9_000.0)))
    flown = track((0, -51_000, 0, 500), (1_000, -10_000, 0, 500), basis=FLOWN)
    assert answer(operation("A", flown), area) is POSSIBLE


def test_a_gap_whose_middle_is_in_an_area() -> None:
    """Both ends are outside, and halfway between them the unit cannot have been anywhere but deep inside."""
    area = zone(NO_GO, volume(Polygon((square(200_000.0),)), _window(999, 1_001), (0.0, 9_000.0)))
    flown = track((0, -365_000, 0, 500), (2_000, 365_000, 0, 500), basis=FLOWN)
    assert answer(operation("A", flown), area) is POSSIBLE
    long_past = zone(NO_GO, volume(Polygon((square(200_000.0),)), _window(-9_000, -8_000), (0.0, 9_000.0)))
    assert answer(operation("A", flown), long_past) is CLEAR


@pytest.mark.parametrize("slip", ["early_s", "late_s"])
def test_gaps_of_units_that_may_be_there_at_any_time(slip) -> None:
    a = track((0, -1_000, 0, 500), (1_000, 1_000, 0, 500), basis=FLOWN, **{slip: math.inf})
    for start in (0.0, -90_000.0, 90_000.0):
        b = track((start, 0, -1_000, 500), (start + 1_000, 0, 1_000, 500), basis=FLOWN, early_s=math.inf, late_s=60.0)
        never = slip == "late_s" and start < 0.0  # both only ever later than that, or earlier
        assert answer(operation("A", a), operation("B", b), minima=MINIMA) is (CLEAR if never else POSSIBLE), start


def test_two_gaps_apart_in_time_by_less_than_their_slip() -> None:
    a = track((0, 0, 0, 500), (100, 1_000, 0, 500), basis=FLOWN, late_s=50.0)
    for start, expected in ((140.0, POSSIBLE), (160.0, CLEAR)):
        b = track((start, 0, 0, 500), (start + 100, 1_000, 0, 500), basis=FLOWN)
        assert answer(operation("A", a), operation("B", b), minima=MINIMA) is expected


def test_a_jump_past_a_gap() -> None:
    """Two positions at one time: at that instant the unit is anywhere between, and there the other is in a gap."""
    jump = track((100, -80_000, 0, 500), (100, 80_000, 0, 500))
    lost = track((90, 0, 0, 500), (190, 0, 0, 500), basis=FLOWN)
    a, b = operation("A", jump), operation("B", lost, top_speed_m_s=50.0)
    assert answer(a, b, minima=MINIMA) is POSSIBLE
    high = track((100, -80_000, 0, 9_500), (100, 80_000, 0, 9_500))
    assert answer(operation("A", high), b, minima=MINIMA) is CLEAR


def test_a_gap_reaches_no_farther_than_both_of_its_ends_allow() -> None:
    """Near the one end early on, but too far from the other to have come from there in time."""
    lost = operation("A", track((0, 0, 0, 500), (1_000, 90_000, 0, 500), basis=FLOWN), top_speed_m_s=100.0)
    # At 500 s the unit is between 40 and 50 km from its start; whoever stands at 30 km is 10 km away from that.
    for east, expected in ((30_000, CLEAR), (39_500, POSSIBLE), (45_000, POSSIBLE), (51_500, CLEAR)):
        b = operation("B", track((499, east, 0, 500), (501, east, 0, 500)))
        assert answer(lost, b, minima=MINIMA) is expected, east


# ------------------------------------------------------------------------------------------------ times


def test_two_volumes_apart_in_time_by_more_than_the_minimum() -> None:
    rule = MinimaTable.single(1_000.0, 100.0, 60.0)
    a = operation("A", volume(Circle(*HOME, 500.0), _window(0, 100)))
    for start, expected in ((159, CONFLICT), (160, CLEAR), (190, CLEAR), (221, CLEAR)):
        b = operation("B", volume(Circle(*HOME, 500.0), _window(start, 900)))
        assert answer(a, b, minima=rule) is expected, start
        assert answer(b, a, minima=rule) is expected, start


def test_an_instant_of_a_volume_and_a_minimum_in_time() -> None:
    rule = MinimaTable.single(1_000.0, 100.0, 60.0)
    a = operation("A", volume(Circle(*HOME, 500.0), _window(100, 100)))
    for start, expected in ((100, CONFLICT), (159, CONFLICT), (161, CLEAR)):
        b = operation("B", volume(Circle(*HOME, 500.0), _window(start, start)))
        assert answer(a, b, minima=rule) is expected, start


def _finds_nothing(*known: Operation | Zone, **options: Any) -> bool:
    """Nothing that was given lies in what was looked at: no pair, and an answer that says so rather than clear."""
    operations = [one for one in known if isinstance(one, Operation)]
    report = check(operations, [one for one in known if isinstance(one, Zone)], **options)
    return (report.answer, report.conflicts, report.pairs_compared) == (POSSIBLE, (), 0)


def test_a_volume_outside_the_time_looked_at_is_not_looked_at() -> None:
    rule = MinimaTable.single(1_000.0, 100.0, 600.0)
    b = operation("B", volume(Circle(*HOME, 500.0), _window(0, 100)))
    for extent in (track((300, 0, 0, 500), (400, 0, 0, 500)), volume(Circle(*HOME, 500.0), _window(300, 400))):
        a = operation("A", extent)
        assert answer(a, b, minima=rule) is CONFLICT
        assert _finds_nothing(a, b, minima=rule, window=_window(200, 900))
        assert answer(a, b, minima=rule, window=_window(50, 900)) is CONFLICT
    endless = operation("A", track((300, 0, 0, 500), (400, 0, 0, 500), early_s=math.inf, late_s=math.inf))
    assert _finds_nothing(endless, b, minima=rule, window=_window(200, 900))
    assert answer(endless, b, minima=rule, window=_window(50, 900)) is CONFLICT


# ------------------------------------------------------------------------------------------------ areas


def _degrees(east_m: float, north_m: float, half_m: float) -> tuple[float, float, float, float]:
    west, south = at(east_m - half_m, north_m - half_m)
    east, north = at(east_m + half_m, north_m + half_m)
    return west, south, east, north


def test_limited_to_an_area_in_which_they_are_not_at_their_closest() -> None:
    """Side by side for 40 km, a little closer at the one end than in the area at the other."""
    a = operation("A", track((0, -20_000, 0, 500), (4_000, 20_000, 0, 500)))
    b = operation("B", track((0, -20_000, 900, 500), (4_000, 20_000, 100, 500)))
    assert answer(a, b, minima=MINIMA) is CONFLICT
    for east, north, half in (
        (20_000, 0, 500.0), (-19_000, 0, 500.0), (0, 0, 100.0), (0, 500, 100.0), (0, 0, 90_000.0),
    ):  # fmt: skip
        assert answer(a, b, minima=MINIMA, area=_degrees(east, north, half)) is CONFLICT, (east, north)
    for east, north, half in ((0, 3_000, 500.0), (30_000, 0, 5_000.0)):
        assert _finds_nothing(a, b, minima=MINIMA, area=_degrees(east, north, half)), (east, north)


def test_limited_to_an_area_and_slipping() -> None:
    late = {"early_s": 600.0, "late_s": 600.0}
    a = operation("A", track((0, -20_000, 0, 500), (4_000, 20_000, 0, 500), **late))
    b = operation("B", track((300, -20_000, 900, 500), (4_300, 20_000, 100, 500), **late))
    for east in (-19_000, 0, 19_000):
        assert answer(a, b, minima=MINIMA, area=_degrees(east, 0, 500.0)) is CONFLICT
    assert _finds_nothing(a, b, minima=MINIMA, area=_degrees(0, 3_000, 500.0))


def test_limited_to_an_area_inside_of_overlapping_volumes() -> None:
    large = zone(NO_GO, volume(Polygon((square(50_000.0),))))
    other = operation("A", volume(Polygon((square(40_000.0, 20_000.0),))))
    through = operation("A", track((0, -45_000, 0, 500), (900, 45_000, 0, 500)))
    lost = operation("A", track((0, -45_000, 0, 500), (900, 45_000, 0, 500), basis=FLOWN))
    for one, expected in ((other, CONFLICT), (through, CONFLICT), (lost, POSSIBLE)):
        for east in (-15_000, 0, 30_000):
            assert answer(one, large, area=_degrees(east, 0, 500.0)) is expected, east
        assert _finds_nothing(one, large, area=_degrees(900_000, 0, 5_000.0))


def test_limited_to_an_area_that_only_a_volume_is_in() -> None:
    """The aircraft passes beside the area; the volume that it is too close to is in it."""
    a = operation("A", track((0, -20_000, 1_200, 500), (400, 20_000, 1_200, 500)))
    b = operation("B", volume(Circle(*HOME, 500.0)))
    assert answer(a, b, minima=MINIMA, area=_degrees(0, 0, 600.0)) is CONFLICT
    assert _finds_nothing(a, b, minima=MINIMA, area=_degrees(0, -9_000, 600.0))


@pytest.mark.parametrize("west", [179.9, -180.0])
def test_limited_to_an_area_across_the_antimeridian(west) -> None:
    lon, lat = np.array([179.5, -179.5]), np.array([10.0, 10.0])
    times = EPOCH_S + np.array([0.0, 600.0])
    a = operation("A", Track(times, lon, lat, np.full(2, 500.0)))
    b = operation("B", Track(times, lon, lat + np.array([0.008, 0.0]), np.full(2, 500.0)))
    assert answer(a, b, minima=MINIMA, area=(west, 9.0, -179.9, 11.0)) is CONFLICT
    assert answer(a, b, minima=MINIMA, area=(-170.0, 9.0, 170.0, 11.0)) is CLEAR


# ------------------------------------------------------------------------------------------------ shapes


def test_a_ring_round_the_earth_contains_the_pole_that_it_comes_nearer_to() -> None:
    """Mostly in the south, but its one corner in the north is nearer to a pole than any other (`geo.rings`)."""
    ring = _ring(*[(float(lon), 60.0 if lon == 0 else -10.0) for lon in range(-160, 200, 20)])
    area = zone(NO_GO, volume(Polygon((ring,))))
    for lat, expected in ((80.0, CONFLICT), (-80.0, CLEAR), (-20.0, CLEAR)):
        here = Track(EPOCH_S + np.array([0.0, 60.0]), np.array([50.0, 51.0]), np.full(2, lat), np.full(2, 500.0))
        assert answer(operation("A", here), area) is expected, lat


def test_an_area_that_reaches_round_to_the_other_side_of_the_earth() -> None:
    """A plane about the smaller of two areas has the other side of the Earth at infinity, here inside the larger."""
    ring = _ring((-92.0, -1.0), (0.0, -1.0), (92.0, -1.0), (92.0, 1.0), (0.0, 1.0), (-92.0, 1.0))
    strip = zone(NO_GO, volume(Polygon((ring,))))
    for lon in (-91.0, 0.0, 91.0):
        small = _ring((lon - 0.1, -0.1), (lon + 0.1, -0.1), (lon + 0.1, 0.1), (lon - 0.1, 0.1))
        assert answer(operation("A", volume(Polygon((small,)))), strip) is CONFLICT, lon
    outside = _ring((99.0, -0.1), (99.2, -0.1), (99.2, 0.1), (99.0, 0.1))
    assert answer(operation("A", volume(Polygon((outside,)))), strip) is CLEAR


def test_legs_are_no_longer_than_the_search_believes() -> None:
    """From pole to pole the Earth is flatter than a sphere, and a leg's pieces longer."""
    for lat in (89.9, 60.0, 10.0):
        lon, lats = np.array([0.0, 180.0]), np.array([-lat, lat])
        far = operation("A", Track(EPOCH_S + np.array([0.0, 90_000.0]), lon, lats, np.full(2, 500.0)))
        table = MinimaTable.single(9_260.0, 304.8)
        world = compile_world([far], [], minima=table, compare_own=False)
        pieces = world.legs.points[:, :3]
        length = np.linalg.norm(np.diff(pieces, axis=0), axis=1)[world.legs.piece_of[:-1] >= 0]
        assert length.max() <= world.legs.longest_m.max()


def test_a_wide_rule_beside_a_narrow_one_does_not_look_into_millions_of_cubes() -> None:
    table = MinimaTable.default().with_rules(
        [Rule("ground", "ground", 5.0, None, 0.0, "test"), Rule("ground", "air", 200_000.0, 300.0, 0.0, "test")]
    )
    here = [(0.0, 0.0, 0.0, 500.0), (10.0, 100.0, 0.0, 500.0)]
    convoy = operation("A", track(*here), kind=OperationKind.CONVOY)
    flight = operation("B", track(*here))
    world = compile_world([convoy, flight], [], minima=table, compare_own=False)
    _, cell, reach = grid_of(world.legs, world.limits)
    assert (2.0 * reach / cell).max() < 20.0
    assert answer(convoy, flight, minima=table) is CONFLICT


# ------------------------------------------------------------------------------------------------ minima


def _level(party: str, feet: float, *, kind: OperationKind | None, reference=HeightReference.FL):
    height = feet_to_metres(feet)
    path = track((0, -5_000, 0, height), (60, 5_000, 0, height), height_reference=reference)
    return operation(party, path, kind=kind)


@pytest.mark.parametrize("kind", [None, OperationKind.FLIGHT, OperationKind.SAR])
def test_two_thousand_feet_above_fl410(kind) -> None:
    for low, high, expected in ((43_000, 44_500, CONFLICT), (43_000, 45_000, CLEAR)):
        a, b = _level("A", low, kind=kind), _level("B", high, kind=kind)
        if kind is not OperationKind.SAR:  # which is on the ground too, where height does not matter
            assert answer(a, b) is expected
            assert answer(a, _level("B", high, kind=OperationKind.FLIGHT)) is expected
        else:
            assert answer(a, b) is CONFLICT
    low, high = _level("A", 30_000, kind=OperationKind.FLIGHT), _level("B", 31_000, kind=OperationKind.FLIGHT)
    assert answer(low, high) is CLEAR


def _block(party: str, low: float, high: float):
    band = (Height.of_flight_level(low), Height.of_flight_level(high))
    return operation(party, Volume(Circle(*HOME, 25_000.0), *band, EPOCH_S, EPOCH_S + 3_600.0))


def test_two_thousand_feet_above_fl410_between_volumes() -> None:
    for first, second, expected in (
        ((430, 450), (465, 480), CONFLICT), ((430, 450), (470, 480), CLEAR), ((200, 250), (260, 300), CLEAR),
        ((200, 450), (465, 480), CONFLICT), ((200, 450), (100, 190), CLEAR), ((300, 400), (411, 430), CONFLICT),
        ((300, 400), (410, 450), CONFLICT), ((300, 400), (420, 450), CLEAR),
    ):  # fmt: skip
        assert answer(_block("A", *first), _block("B", *second)) is expected, (first, second)
    assert answer(_block("A", 420, 450), _level("B", 40_500, kind=OperationKind.FLIGHT)) is CONFLICT
    assert answer(_block("A", 200, 450), _level("B", 18_500, kind=OperationKind.FLIGHT)) is CLEAR
    assert answer(_block("A", 200, 450), _level("B", 46_500, kind=OperationKind.FLIGHT)) is CONFLICT


def test_the_rule_that_is_named_is_the_one_that_was_broken() -> None:
    (conflict,) = check(
        [_level("A", 43_000, kind=OperationKind.FLIGHT), _level("B", 44_500, kind=OperationKind.FLIGHT)]
    ).conflicts
    assert conflict.minima.vertical_m == pytest.approx(feet_to_metres(2_000.0))
    assert "FL410" in conflict.minima.rule


def _given(first: str, second: str, horizontal_m: float, answer_: Answer = CONFLICT) -> MinimaTable:
    return MinimaTable.default().with_rules([Rule(first, second, horizontal_m, None, 0.0, "test", answer_)])


def test_a_rule_between_a_zone_and_a_domain_binds() -> None:
    area = zone(ZoneKind.HAZARD_AREA, volume(Polygon((square(500.0),))))
    passing = track((0, -20_000, 3_000, 500), (400, 20_000, 3_000, 500))
    for kind, expected in ((OperationKind.FLIGHT, CONFLICT), (None, CONFLICT), (OperationKind.CONVOY, CLEAR)):
        one = operation("A", passing, kind=kind)
        assert answer(one, area) is CLEAR
        assert answer(one, area, minima=_given("hazard area", "air", 5_000.0)) is expected, kind


def test_a_rule_between_a_kind_and_anything_binds() -> None:
    a = operation("A", track((0, 0, 0, 500), (100, 0, 0, 500)), kind=OperationKind.CONVOY)
    b = operation("B", track((0, 3_000, 0, 500), (100, 3_000, 0, 500)), kind=OperationKind.GROUND_MOVE)
    assert answer(a, b) is CLEAR
    assert answer(a, b, minima=_given("convoy", "anything", 5_000.0)) is CONFLICT
    assert answer(a, b, minima=_given("anything", "convoy", 5_000.0)) is CONFLICT
    assert answer(a, b, minima=_given("survey", "anything", 5_000.0)) is CLEAR


def test_a_rule_whose_breach_is_only_possible() -> None:
    a = operation("A", track((0, 0, 0, 500), (100, 0, 0, 500)), kind=OperationKind.CONVOY)
    b = operation("B", track((0, 300, 0, 500), (100, 300, 0, 500)), kind=OperationKind.CONVOY)
    assert answer(a, b) is CONFLICT
    assert answer(a, b, minima=_given("ground", "ground", 500.0, POSSIBLE)) is POSSIBLE


def test_of_a_wide_possible_rule_and_a_narrow_certain_one_the_wide_one_is_not_forgotten() -> None:
    site = zone(ZoneKind.PROTECTED_SITE, volume(Polygon((square(500.0),))))
    near = operation("A", track((0, -9_000, 900, 500), (90, 9_000, 900, 500)), kind=OperationKind.EXERCISE)
    assert answer(near, site) is CLEAR
    assert answer(near, site, minima=_given("protected site", "anything", 1_000.0, POSSIBLE)) is not CLEAR


# ------------------------------------------------------------------------------------------------ kernels


def test_a_kernel_is_compiled_anew_when_one_that_it_calls_has_changed(tmp_path) -> None:
    """Numba's own cache would go on with the old one, as long as nothing changes in the file of the caller."""
    package = tmp_path / "keepclear"
    (package / "geo").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "geo" / "__init__.py").touch()
    shutil.copy(Path(kernel_module.__file__), package / "geo" / "kernel.py")
    outer = "from keepclear.geo.{0} import {0}\n@kernel\ndef outer(x):\n    return {0}(x)\n"
    head = "from keepclear.geo.kernel import kernel\n"
    (package / "geo" / "outer.py").write_text(head + outer.format("inner"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for factor in (2, 30):
        (package / "geo" / "inner.py").write_text(f"{head}@kernel\ndef inner(x):\n    return {factor} * x\n")
        for _ in range(2):  # compiled, then from the cache
            command = [sys.executable, "-c", "from keepclear.geo.outer import outer; print(outer(1))"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
            assert done.stdout.split() == [str(factor)]
