import math

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Polygon
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.node.filing_checks import check_filing, filing_warnings, time_bounds

NOW_S = 1.7e9
DAY_S = 86_400.0
NAN = math.nan


def operation(*volumes, tracks=(), kind=OperationKind.CONVOY):
    return Operation("A", "x", kind, tuple(volumes), tuple(tracks))


def volume(footprint=None, *, start_s=NOW_S + 3 * DAY_S, end_s=NOW_S + 4 * DAY_S):
    return Volume(footprint or Circle(40.0, 37.0, 500.0), start_s=start_s, end_s=end_s)


def track(*, late_s=0.0, early_s=0.0, lon=(40.0, 41.0), start_s=NOW_S + 3 * DAY_S):
    times = start_s + np.arange(len(lon)) * 3600.0
    return Track(times, np.array(lon), np.full(len(lon), 37.0), np.full(len(lon), NAN), early_s=early_s, late_s=late_s)


def wrong(thing):
    with pytest.raises(InputError) as caught:
        check_filing(thing, party="A", now_s=NOW_S)
    return [(fault.field, fault.problem) for fault in caught.value.faults]


@pytest.mark.parametrize(
    "shape",
    [
        Circle(40.0, 37.0, 2_600_000.0),
        Corridor(np.array([[0.0, 0.0], [60.0, 0.0]]), 1000.0),
        Corridor(np.array([[0.0, 80.0], [180.0, 10.0]]), 1000.0),
        Polygon((np.array([[-80.0, -10.0], [80.0, -10.0], [80.0, 10.0], [-80.0, 10.0], [-80.0, -10.0]]),)),
    ],
)
def test_what_goes_round_the_world_is_refused(shape):
    assert wrong(operation(volume(shape))) == [("operation.volumes[0]", "too wide for anybody to keep clear of")]


def test_a_track_round_the_world_is_refused_and_one_across_the_antimeridian_is_not():
    assert wrong(operation(tracks=[track(lon=(-170.0, -90.0, 0.0))])) == [
        ("operation.tracks[0]", "too wide for anybody to keep clear of")
    ]
    check_filing(operation(tracks=[track(lon=(179.0, -179.0))]), party="A", now_s=NOW_S)


def test_slip_counts_in_when_it_is_over():
    over = track(start_s=NOW_S - 7200.0)
    assert wrong(operation(tracks=[over])) == [("operation", "it is over")]
    check_filing(operation(tracks=[track(start_s=NOW_S - 7200.0, late_s=7200.0)]), party="A", now_s=NOW_S)
    check_filing(operation(tracks=[track(start_s=NOW_S - 7200.0, late_s=math.inf)]), party="A", now_s=NOW_S)


def test_what_has_an_open_end_is_not_over():
    check_filing(operation(volume(start_s=NOW_S - DAY_S, end_s=None)), party="A", now_s=NOW_S)
    check_filing(operation(volume(start_s=NOW_S - 9.0, end_s=NOW_S - 1.0), volume()), party="A", now_s=NOW_S)
    assert wrong(operation(volume(start_s=None, end_s=NOW_S))) == [("operation", "it is over")]


@pytest.mark.parametrize(
    ("start_s", "end_s", "fields"),
    [
        (0.0, None, ["zone.volumes[0].start_s"]),
        (None, 253_402_300_000.0, ["zone.volumes[0].end_s"]),
        (NOW_S + 4000 * DAY_S, None, ["zone.volumes[0].start_s"]),
        (None, NOW_S - 1.0, ["zone"]),
    ],
)
def test_a_zone_has_times_that_somebody_can_mean(start_s, end_s, fields):
    zone = Zone("A", "z", ZoneKind.PROTECTED_SITE, (volume(start_s=start_s, end_s=end_s),))
    assert [field for field, _ in wrong(zone)] == fields
    check_filing(Zone("A", "z", ZoneKind.PROTECTED_SITE, (volume(start_s=None, end_s=None),)), party="A", now_s=NOW_S)


def test_bounds_of_time_have_the_slip_in_them():
    found = time_bounds(operation(volume(), tracks=[track(early_s=60.0, late_s=2 * DAY_S)]))
    assert found == (NOW_S + 3 * DAY_S - 60.0, NOW_S + 5 * DAY_S + 3600.0)
    assert time_bounds(operation(tracks=[track(early_s=math.inf, late_s=math.inf)])) == (None, None)


def told(thing, **more):
    options = {"now_s": NOW_S, "reason_if_late": None, "exercise": False} | more
    return " ".join(filing_warnings(thing, **options))


def test_what_a_person_should_know_is_told():
    assert told(operation(volume())) == ""
    assert "late" in told(operation(volume(start_s=NOW_S + DAY_S)))
    assert "say why" not in told(operation(volume(start_s=NOW_S + DAY_S)), reason_if_late="ordered now")
    assert "late" not in told(operation(volume(start_s=NOW_S + DAY_S)), exercise=True)
    assert "no place" not in told(operation(Volume(Circle(40.0, 37.0, 500.0), uncertainty_m=15_000.0)))
    nowhere = operation(Volume(Circle(40.0, 37.0, 500.0), uncertainty_m=20_040_000.0))
    assert "no place that anybody could keep clear of (uncertain by 20,040 km): it is incomplete" in told(nowhere)
    assert "after it has begun" in told(operation(volume(start_s=NOW_S - 60.0)))
    assert "59 min" in told(operation(volume(start_s=NOW_S + 3540.0)))
    assert "under way at any time" in told(operation(volume(start_s=None)))
    assert "kind" in told(operation(volume(), kind=None))
    assert "Heights" in told(operation(volume(), kind=OperationKind.FLIGHT))
    assert told(Zone("A", "z", ZoneKind.PROTECTED_SITE, (volume(start_s=None, end_s=None),))) == ""
