"""Conflict, possible or clear: what is not known never makes an answer clear, and never makes it a conflict."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import CLEAR_SENTENCE, Answer
from keepclear.model.footprints import Circle, Corridor, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan
from keepclear.separation.checking import check
from keepclear.separation.minima import MinimaTable
from tests.reference.made import HOME, answer, at, operation, square, track, zone
from tests.reference.worlds import EPOCH_S, volume

CONFLICT, POSSIBLE, CLEAR = Answer.CONFLICT, Answer.POSSIBLE, Answer.CLEAR
MINIMA = MinimaTable.single(1_000.0, 100.0)
NAN = math.nan


def _past(offset_m: float, height_m: float = 500.0, **more: object) -> Track:
    """Eastwards at 10 m/s, past home at 100 s at a distance to the north."""
    return track((0, -1_000, offset_m, height_m), (200, 1_000, offset_m, height_m), **more)


def _hover(height_m: float, **more: object) -> Track:
    return track((0, 0, 0, height_m), (200, 0, 0, height_m), **more)


# ------------------------------------------------------------------------------------------------ uncertainty


@pytest.mark.parametrize(
    ("offset_m", "first_m", "second_m", "expected"),
    [
        (1_050.0, 0.0, 0.0, CLEAR),
        (1_050.0, 40.0, 0.0, CLEAR),
        (1_050.0, 40.0, 5.0, CLEAR),
        (1_050.0, 60.0, 0.0, POSSIBLE),
        (1_050.0, 0.0, 60.0, POSSIBLE),
        (1_050.0, 30.0, 30.0, POSSIBLE),
        (950.0, 0.0, 0.0, CONFLICT),
        (950.0, 500.0, 500.0, CONFLICT),
        (50_000.0, 100.0, 100.0, CLEAR),
        (50_000.0, 30_000.0, 30_000.0, POSSIBLE),
    ],
)
def test_uncertainty_lifts_clear_to_possible_and_nothing_else(offset_m, first_m, second_m, expected) -> None:
    a = operation("A", _past(offset_m, uncertainty_m=first_m))
    b = operation("B", _hover(500.0, uncertainty_m=second_m))
    assert answer(a, b, minima=MINIMA) is expected


@given(offset_m=st.floats(0, 3_000), first_m=st.floats(0, 1_500), second_m=st.floats(0, 1_500))
def test_uncertainty_adds_up(offset_m: float, first_m: float, second_m: float) -> None:
    found = answer(
        operation("A", _past(offset_m, uncertainty_m=first_m)),
        operation("B", Volume(Circle(*HOME, 200.0), *_band(0, 900), *_window(), uncertainty_m=second_m)),
        minima=MINIMA,
    )
    left = offset_m - 200.0 - 1_000.0
    if left < -0.1:
        assert found is CONFLICT
    elif left - first_m - second_m < -0.1:
        assert found is POSSIBLE
    elif left - first_m - second_m > 0.1:
        assert found is CLEAR


def test_uncertainty_of_each_leg_is_the_larger_of_its_ends() -> None:
    # Only the last leg is uncertain, and it is far away.
    points = ((0, -1_000, 1_050, 500), (200, 1_000, 1_050, 500), (300, 2_000, 1_050, 500), (400, 3_000, 1_050, 500))
    b = operation("B", track((0, 0, 0, 500), (400, 0, 0, 500)))
    assert answer(operation("A", track(*points, uncertainty_m=np.array([0, 0, 0, 200.0]))), b, minima=MINIMA) is CLEAR
    assert (
        answer(operation("A", track(*points, uncertainty_m=np.array([0, 200.0, 0, 0]))), b, minima=MINIMA) is POSSIBLE
    )


def test_an_interval_says_which_answer_it_is() -> None:
    # Towards each other head-on: possible at first, conflict when nominally too close.
    a = track((0, -5_000, 0, 500), (1_000, 5_000, 0, 500), uncertainty_m=300.0)
    report = check([operation("A", a), operation("B", track((0, 0, 0, 500), (1_000, 0, 0, 500)))], minima=MINIMA)
    (conflict,) = report.conflicts
    certain = [span for span in conflict.intervals if span.answer is CONFLICT]
    assert conflict.answer is CONFLICT
    assert certain[0].start_s == pytest.approx(EPOCH_S + 400, abs=0.01)
    assert certain[0].end_s == pytest.approx(EPOCH_S + 600, abs=0.01)


# ------------------------------------------------------------------------------------------------ heights


def _band(low_m: float, high_m: float, reference: HeightReference = HeightReference.W84) -> tuple[Height, Height]:
    return Height(low_m, reference), Height(high_m, reference)


def _window() -> tuple[float, float]:
    return EPOCH_S - 10_000.0, EPOCH_S + 10_000.0


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((500.0, "AGL"), (900.0, "W84"), POSSIBLE),
        ((500.0, "AGL"), (30_000.0, "W84"), CLEAR),
        ((500.0, "AGL"), (500.0, "AMSL"), POSSIBLE),
        ((500.0, "AGL"), (550.0, "FL"), POSSIBLE),
        ((3_048.0, "FL"), (3_048.0, "FL"), CONFLICT),
        ((3_048.0, "FL"), (3_147.0, "FL"), CONFLICT),
        ((3_048.0, "FL"), (3_148.0, "FL"), CLEAR),
        ((3_048.0, "FL"), (3_048.0, "W84"), POSSIBLE),
        ((3_048.0, "FL"), (3_300.0, "AMSL"), POSSIBLE),
        ((3_048.0, "AMSL"), (3_147.0, "AMSL"), CONFLICT),
        ((3_048.0, "AMSL"), (3_148.0, "AMSL"), CLEAR),
        ((500.0, "UNKNOWN"), (500.0, "W84"), POSSIBLE),
        ((500.0, "UNKNOWN"), (500.0, "AGL"), POSSIBLE),
        ((NAN, "W84"), (500.0, "W84"), POSSIBLE),
        ((NAN, "FL"), (500.0, "FL"), POSSIBLE),
        ((NAN, "W84"), (NAN, "W84"), POSSIBLE),
    ],
)
def test_references_of_heights(first, second, expected) -> None:
    for one, two in ((first, second), (second, first)):
        a = operation("A", _past(0.0, one[0], height_reference=HeightReference(one[1])))
        b = operation("B", _hover(two[0], height_reference=HeightReference(two[1])))
        assert answer(a, b, minima=MINIMA) is expected


@pytest.mark.parametrize("reference", ["AGL", "UNKNOWN"])
def test_numbers_from_an_unknown_surface_are_never_clear_of_each_other(reference) -> None:
    kind = HeightReference(reference)
    a, b = (
        operation("A", _past(0.0, 500.0, height_reference=kind)),
        operation("B", _hover(520.0, height_reference=kind)),
    )
    assert answer(a, b, minima=MINIMA) in (POSSIBLE, CONFLICT)


# Test points of the National Geospatial-Intelligence Agency's program F477 (INPUT.DAT and OUTPUT.DAT, EGM96).
GEOID = (
    (-90.2208450, 38.6281550, -31.628),
    (-54.9788860, -14.6212170, -2.969),
    (102.4487290, 46.8743190, -43.575),
    (133.8747120, -23.6174460, 15.871),
    (-0.0005000, 38.6254730, 50.066),
    (0.0023000, -0.4667440, 17.329),
)


@pytest.mark.parametrize(("lon", "lat", "undulation_m"), GEOID)
@pytest.mark.parametrize(
    ("above_m", "expected"), [(0, CONFLICT), (98, CONFLICT), (102, CLEAR), (-98, CONFLICT), (-102, CLEAR)]
)
def test_sea_level_converts_through_the_geoid(lon, lat, undulation_m, above_m, expected) -> None:
    sea, w84 = 1_000.0, 1_000.0 + undulation_m + above_m
    low = track((0, 0, 0, sea), (10, 10, 0, sea), centre=(lon, lat), height_reference=HeightReference.AMSL)
    b = operation("B", track((0, 0, 0, w84), (10, 10, 0, w84), centre=(lon, lat)))
    assert answer(operation("A", low), b, minima=MINIMA) is expected


@pytest.mark.parametrize(
    ("floor", "ceiling", "expected"),
    [
        (Height(400, HeightReference.W84), Height(450, HeightReference.W84), CONFLICT),
        (Height(300, HeightReference.W84), Height(390, HeightReference.W84), CLEAR),
        (None, Height(620, HeightReference.W84), POSSIBLE),
        (None, Height(390, HeightReference.W84), CLEAR),
        (Height(350, HeightReference.W84), None, POSSIBLE),
        (Height(610, HeightReference.W84), None, CLEAR),
        (None, None, POSSIBLE),
        (Height(0, HeightReference.AGL), Height(120, HeightReference.AGL), POSSIBLE),
    ],
)
def test_a_volume_whose_band_is_not_known(floor, ceiling, expected) -> None:
    b = operation("B", Volume(Circle(*HOME, 200.0), floor, ceiling, *_window()))
    assert answer(operation("A", _past(0.0)), b, minima=MINIMA) is expected


def test_a_zone_without_floor_ceiling_or_times_is_unbounded() -> None:
    open_zone = zone(ZoneKind.NO_GO_AREA, Volume(Polygon((square(500.0),))))
    assert answer(operation("A", _past(0.0)), open_zone) is CONFLICT
    assert answer(operation("A", _past(510.0)), open_zone) is CLEAR
    closed = zone(ZoneKind.NO_GO_AREA, Volume(Polygon((square(500.0),)), None, Height(400, HeightReference.W84)))
    assert answer(operation("A", _past(0.0)), closed) is CLEAR
    ended = zone(ZoneKind.NO_GO_AREA, Volume(Polygon((square(500.0),)), end_s=EPOCH_S - 1.0))
    assert answer(operation("A", _past(0.0)), ended) is CLEAR


# ------------------------------------------------------------------------------------------------ on the ground


@pytest.mark.parametrize(
    ("flight_m", "vertical_m", "expected"),
    [
        (500.0, 100.0, POSSIBLE),
        (9_050.0, 100.0, POSSIBLE),
        (9_101.0, 100.0, CLEAR),
        (500.0, 20_000.0, CONFLICT),
        (8_000.0, 8_451.0, CONFLICT),
        (8_000.0, 8_449.0, POSSIBLE),
    ],
)
def test_a_ground_unit_without_height_spans_all_the_ground(flight_m, vertical_m, expected) -> None:
    convoy = operation("B", _hover(NAN), kind=OperationKind.CONVOY)
    assert (
        answer(operation("A", _past(0.0, flight_m)), convoy, minima=MinimaTable.single(1_000.0, vertical_m)) is expected
    )


def test_pairs_on_the_ground_ignore_height() -> None:
    for one, two in ((0.0, 4_000.0), (NAN, NAN), (NAN, 100.0)):
        a = operation("A", _past(0.0, one), kind=OperationKind.CONVOY)
        b = operation("B", _hover(two), kind=OperationKind.GROUND_MOVE)
        assert answer(a, b) is CONFLICT
        assert answer(a, b, minima=MINIMA) is CONFLICT
    agl = operation("B", _hover(3.0, height_reference=HeightReference.AGL), kind=OperationKind.CONVOY)
    assert answer(operation("A", _past(0.0, 300.0), kind=OperationKind.CONVOY), agl) is CONFLICT


def test_a_domain_narrows_what_a_patrol_is() -> None:
    low, high = _past(0.0, 0.0), _hover(4_000.0)
    ground = frozenset({Domain.GROUND})
    assert (
        answer(
            operation("A", low, kind=OperationKind.PATROL, domains=ground),
            operation("B", high, kind=OperationKind.CONVOY),
        )
        is CONFLICT
    )
    assert answer(operation("A", low, kind=OperationKind.PATROL, domains=ground), operation("B", high)) is CLEAR
    assert (
        answer(operation("A", low, kind=OperationKind.PATROL), operation("B", high, kind=OperationKind.PATROL))
        is CONFLICT
    )


# ------------------------------------------------------------------------------------------------ gaps


def _flown(*points: tuple[float, float, float, float], **more: object) -> Track:
    return track(*points, basis=TrackBasis.FLOWN, **more)


GAP = ((0, -50_000, 0, 3_000), (10, -49_000, 0, 3_000), (610, 49_000, 0, 3_000), (620, 50_000, 0, 3_000))


def _still(east_m: float, north_m: float, height_m: float = 3_000.0, times: tuple[float, float] = (0, 620)) -> Track:
    return track((times[0], east_m, north_m, height_m), (times[1], east_m, north_m, height_m))


@pytest.mark.parametrize(
    ("where", "top_speed_m_s", "expected"),
    [
        (_still(0, 0), None, POSSIBLE),  # on the straight line, which nobody said it flew
        (_still(0, 50_000), None, POSSIBLE),
        (_still(0, 300_000), None, CLEAR),
        (_still(0, 50_000), 180.0, CLEAR),
        (_still(0, 10_000), 180.0, POSSIBLE),
        (_still(0, 0, 9_000), None, POSSIBLE),  # six kilometres up and down again in ten minutes
        (_still(0, 0, 3_000, (700, 900)), None, CLEAR),
        (_still(-49_500, 500), None, CONFLICT),  # beside what was reported
    ],
)
def test_a_gap_is_never_bridged(where, top_speed_m_s, expected) -> None:
    a = operation("A", _flown(*GAP), top_speed_m_s=top_speed_m_s)
    assert answer(a, operation("B", where), minima=MINIMA) is expected


def test_a_plan_has_no_gaps() -> None:
    assert answer(operation("A", track(*GAP)), operation("B", _still(0, 0)), minima=MINIMA) is CONFLICT
    assert answer(operation("A", track(*GAP)), operation("B", _still(0, 50_000)), minima=MINIMA) is CLEAR


@pytest.mark.parametrize(("step_s", "kind", "expected"), [
    (60.0, OperationKind.FLIGHT, CONFLICT),
    (61.0, OperationKind.FLIGHT, POSSIBLE),
    (60.0, OperationKind.UAS, CONFLICT),
    (61.0, OperationKind.UAS, POSSIBLE),
    (300.0, OperationKind.CONVOY, CONFLICT),
    (301.0, OperationKind.CONVOY, POSSIBLE),
])  # fmt: skip
def test_how_long_a_gap_is(step_s, kind, expected) -> None:
    # Positions 2.4 km on either side; in between only the line is within the minimum.
    a = operation("A", _flown((0, -2_400, 0, 500), (step_s, 2_400, 0, 500)), kind=kind)
    b = operation("B", _still(0, 0, 500, (0, step_s)), kind=kind)
    assert answer(a, b, minima=MINIMA) is expected


def test_a_gap_against_a_volume() -> None:
    inside = Volume(Polygon((square(5_000.0, 0.0, 20_000.0),)), *_band(0, 9_000), *_window())
    beyond = Volume(Polygon((square(5_000.0, 0.0, 400_000.0),)), *_band(0, 9_000), *_window())
    a = operation("A", _flown(*GAP))
    assert answer(a, operation("B", inside), minima=MINIMA) is POSSIBLE
    assert answer(a, operation("B", beyond), minima=MINIMA) is CLEAR
    assert answer(a, zone(ZoneKind.NO_GO_AREA, inside)) is POSSIBLE


# ------------------------------------------------------------------------------------------------ times


def test_an_operation_whose_times_are_not_known() -> None:
    shape = Circle(*HOME, 200.0)
    for start, end in ((None, None), (EPOCH_S - 100.0, None), (None, EPOCH_S + 100.0)):
        b = operation("B", Volume(shape, *_band(0, 900), start, end))
        assert answer(operation("A", _past(0.0)), b, minima=MINIMA) is POSSIBLE
        assert answer(operation("A", _past(1_300.0)), b, minima=MINIMA) is CLEAR
    ended = operation("B", Volume(shape, *_band(0, 900), None, EPOCH_S - 1.0))
    assert answer(operation("A", _past(0.0)), ended, minima=MINIMA) is CLEAR


def test_a_path_without_times() -> None:
    line = np.array([at(0.0, -3_000.0), at(0.0, 3_000.0)])
    path = operation("B", Volume(Corridor(line, 0.0), *_band(450, 500)))
    assert answer(operation("A", _past(0.0)), path, minima=MINIMA) is POSSIBLE
    assert answer(operation("A", _past(4_100.0)), path, minima=MINIMA) is CLEAR


# ------------------------------------------------------------------------------------------------ zones, parties


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ZoneRule.PROHIBITED, CONFLICT),
        (ZoneRule.REQ_AUTHORIZATION, POSSIBLE),
        (ZoneRule.CONDITIONAL, POSSIBLE),
        (ZoneRule.NO_RESTRICTION, CLEAR),
    ],
)
def test_rules_of_geo_zones(rule, expected) -> None:
    there = zone(ZoneKind.GEO_ZONE, volume(Polygon((square(500.0),))), rule=rule)
    # Another, far away, so that something is compared where the zone asks for nothing.
    far = operation("B", track((0, 90_000, 0, 500), (200, 90_000, 0, 500)))
    assert answer(operation("A", _past(0.0)), far, there) is expected


def test_a_zone_binds_its_issuer_too() -> None:
    there = zone(ZoneKind.HAZARD_AREA, volume(Circle(*HOME, 5_000.0)))
    assert answer(operation("Z", _past(0.0)), there) is CONFLICT


def test_a_hazard_area_over_a_protected_site_is_a_pair_of_zones() -> None:
    site = zone(ZoneKind.PROTECTED_SITE, volume(Circle(*HOME, 200.0)))
    near = zone(ZoneKind.HAZARD_AREA, volume(Circle(*at(5_100.0, 0.0), 5_000.0)))
    far = zone(ZoneKind.HAZARD_AREA, volume(Circle(*at(5_300.0, 0.0), 5_000.0)))
    assert answer(site, near) is CONFLICT
    assert answer(site, far) is CLEAR
    second = zone(ZoneKind.HAZARD_AREA, volume(Circle(*at(5_100.0, 0.0), 5_000.0)), party="Y")
    assert not check([], [near, second]).conflicts  # two hazard areas are no pair


def test_who_is_compared() -> None:
    a, b = operation("A", _past(0.0)), operation("B", _hover(500.0))
    twin = operation("A", _hover(500.0)).__class__("A", "A2", OperationKind.FLIGHT, tracks=(_hover(500.0),))
    report = check([a, twin], minima=MINIMA)
    assert (report.answer, report.pairs_compared) == (POSSIBLE, 0)
    assert report.reasons
    assert answer(a, twin, minima=MINIMA, between="all") is CONFLICT
    assert answer(a, b, minima=MINIMA) is CONFLICT


def test_nothing_to_compare_is_never_clear() -> None:
    assert answer(operation("A", _past(0.0)), minima=MINIMA) is POSSIBLE
    assert answer(minima=MINIMA) is POSSIBLE


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (JointPlan("P", frozenset({"B1"})), JointPlan("P", frozenset({"A1"})), CLEAR),
        (JointPlan("P", frozenset({"A1", "B1"})), JointPlan("P", frozenset({"A1", "B1"})), CLEAR),
        (JointPlan("P", frozenset({"B1"})), None, CONFLICT),
        (JointPlan("P", frozenset({"B1"})), JointPlan("Q", frozenset({"A1"})), CONFLICT),
        (JointPlan("P", frozenset({"B1"})), JointPlan("P", frozenset({"C1"})), CONFLICT),
    ],
)
def test_a_joint_operation_needs_every_name(first, second, expected) -> None:
    a, b = operation("A", _past(0.0), joint=first), operation("B", _hover(500.0), joint=second)
    # A third, far away, so that something is compared where the two are one operation.
    c = operation("C", track((0, 90_000, 0, 500), (200, 90_000, 0, 500)))
    assert answer(a, b, c, minima=MINIMA) is expected


def test_no_kind_takes_the_strictest_minima() -> None:
    def unknown(party: str, path: Track):
        return operation(party, path, kind=None)

    # Within 5 NM and 1,000 ft, which binds aircraft but nobody on the ground.
    assert answer(unknown("A", _past(5_000.0)), unknown("B", _hover(500.0))) is not CLEAR
    convoys = (
        operation("A", _past(5_000.0), kind=OperationKind.CONVOY),
        operation("B", _hover(500.0), kind=OperationKind.CONVOY),
    )
    assert answer(*convoys) is CLEAR


# ------------------------------------------------------------------------------------------------ scope


def test_what_was_looked_at_is_said() -> None:
    a, b = operation("A", _past(0.0)), operation("B", _hover(500.0))
    before = check([a, b], minima=MINIMA, window=(EPOCH_S - 100.0, EPOCH_S - 10.0))
    assert before.answer is not CONFLICT
    assert (before.scope.from_s, before.scope.to_s) == (EPOCH_S - 100.0, EPOCH_S - 10.0)
    half = check([a, b], minima=MINIMA, window=(EPOCH_S + 100.0, None))
    assert half.answer is CONFLICT
    assert half.conflicts[0].intervals[0].start_s == pytest.approx(EPOCH_S + 100.0, abs=1e-3)
    elsewhere = check([a, b], minima=MINIMA, area=(0.0, 0.0, 1.0, 1.0))
    assert elsewhere.answer is not CONFLICT
    assert elsewhere.scope.area == (0.0, 0.0, 1.0, 1.0)
    here = check([a, b], minima=MINIMA, area=(40.0, 36.0, 42.0, 38.0))
    assert here.answer is CONFLICT


def test_clear_is_not_a_permission() -> None:
    assert "not a permission" in CLEAR_SENTENCE
