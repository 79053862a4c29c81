"""Tracks: how close two came, whether they kept to plans, whose they are, and which cannot be true."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

from keepclear.errors import InputError
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.watch.binding import BindingRule, bind
from keepclear.watch.conformance import Keeping, conformance
from keepclear.watch.encounters import encounters
from keepclear.watch.flown import TrackSource, check_flown, flown_of
from keepclear.watch.incidents import draft, wants_report
from tests.unit.watch.encounters_made import AIR, GROUND, HOUR, Story, at, moved, patrol, route

T = at("2026-06-01T12:00:00Z")
GEOD = Geod(ellps="WGS84")


def test_the_closest_approach_is_the_one_that_a_fine_sampling_finds():
    one = moved("a", "1", [(41.9, 37.0), (42.1, 37.2)], [T, T + HOUR])
    other = moved("b", "2", [(42.1, 37.0), (41.9, 37.198)], [T, T + HOUR], every_s=7.0)
    (found,) = encounters([one, other])
    times = np.arange(T, T + HOUR, 0.05)
    columns = [np.interp(times, flown.track.time_s, getattr(flown.track, name)) for flown in (one, other)
               for name in ("lon_deg", "lat_deg")]  # fmt: skip
    distance = GEOD.inv(columns[0], columns[1], columns[2], columns[3])[2]
    assert found.approach.horizontal_m == pytest.approx(distance.min(), abs=0.01)
    assert found.approach.time_s == pytest.approx(times[distance.argmin()], abs=0.1)
    within = times[distance < 500.0]
    assert (found.from_s, found.to_s) == (pytest.approx(within[0], abs=0.1), pytest.approx(within[-1], abs=0.1))
    assert (found.certain_from_s, found.certain_to_s) == (found.from_s, found.to_s)


def test_uncertainty_widens_what_is_possible_and_narrows_what_is_certain():
    paths = [(41.99, 37.2), (42.01, 37.2)], [(42.01, 37.201), (41.99, 37.201)]
    exact = [moved(str(n), "u", points, [T, T + HOUR]) for n, points in enumerate(paths)]
    vague = [moved(str(n), "u", points, [T, T + HOUR], uncertainty_m=50.0) for n, points in enumerate(paths)]
    (sharp,), (blurred,) = encounters(exact), encounters(vague)
    assert blurred.from_s < sharp.from_s < blurred.certain_from_s
    assert blurred.certain_to_s < sharp.to_s < blurred.to_s
    approach = blurred.approach
    assert approach.least_m == pytest.approx(approach.horizontal_m - 100.0)
    assert approach.greatest_m == pytest.approx(approach.horizontal_m + 100.0)
    assert approach.from_s < sharp.approach.time_s < approach.to_s


def test_two_meetings_an_hour_apart_are_two_encounters():
    still = moved("a", "1", [(42.0, 37.0), (42.0, 37.0)], [T, T + 3 * HOUR])
    there = moved("b", "2", [(42.1, 37.0), (42.0, 37.0), (42.1, 37.0), (42.0, 37.0)], [T, T + HOUR, T + 2 * HOUR,
                                                                                       T + 3 * HOUR])  # fmt: skip
    assert len(encounters([still, there])) == 2
    assert len(encounters([still, there], apart_s=3 * HOUR)) == 1


def test_units_of_one_party_do_not_meet():
    assert encounters([moved("a", str(n), [(42.0, 37.0), (42.1, 37.0)], [T, T + HOUR]) for n in range(3)]) == ()


def test_the_stretches_in_which_tracks_are_searched_lose_nothing(monkeypatch):
    tracks = [
        moved("a", "1", [(41.9, 37.0), (42.1, 37.2)], [T, T + HOUR]),
        moved("b", "2", [(42.1, 37.0), (41.9, 37.198)], [T, T + HOUR]),
        moved("c", "3", [(42.0, 37.1), (42.0, 37.1)], [T, T + HOUR], every_s=1200.0),  # silent, but for three moments
    ]
    whole = encounters(tracks)
    monkeypatch.setattr("keepclear.watch.nearness._POSITIONS", 40)
    for one, other in zip(whole, encounters(tracks), strict=True):
        assert (one.a, one.b, one.approach, one.reasons) == (other.a, other.b, other.approach, other.reasons)
        assert (other.from_s, other.to_s) == (pytest.approx(one.from_s), pytest.approx(one.to_s))


SQUARE = Polygon([np.array([[41.0, 37.0], [41.1, 37.0], [41.1, 37.1], [41.0, 37.1], [41.0, 37.0]])])


def volumes(*parts, domains=GROUND):
    return Operation("a", "op", OperationKind.PATROL, tuple(parts), domains=domains)


def test_conformance_is_volume_by_volume_in_time():
    first = Volume(SQUARE, None, None, T, T + HOUR)
    second = Volume(Circle(41.2, 37.05, 3000.0), None, None, T + HOUR, T + 2 * HOUR)
    track = moved("a", "1", [(41.05, 37.05), (41.05, 37.05), (41.2, 37.05), (41.2, 37.05)],
                  [T, T + HOUR, T + 1.25 * HOUR, T + 2 * HOUR])  # fmt: skip
    found = conformance(volumes(first, second), track)
    assert [one.keeping for one in found.stretches] == [
        Keeping.CONFORMING, Keeping.NONCONFORMING, Keeping.CONFORMING,
    ]  # fmt: skip
    outside = found.stretches[1]
    assert outside.from_s == pytest.approx(T + HOUR, abs=10.0)
    away = GEOD.inv(41.05, 37.05, 41.2, 37.05)[2] - 3000.0
    assert outside.outside_m == pytest.approx(away, abs=160.0)  # it is looked at every ten seconds
    # Back inside when 3 km are left of the way, at even speed over a quarter of an hour.
    back = T + HOUR + 900.0 * away / (away + 3000.0)
    assert outside.to_s == pytest.approx(back, abs=0.5)
    assert found.share.reported == pytest.approx(1.0 - (back - T - HOUR) / (2 * HOUR), abs=1e-3)
    assert found.left_s == outside.from_s


def test_a_silence_is_track_lost_and_never_conforming():
    track = moved("a", "1", [(41.05, 37.05), (41.05, 37.06)], [T, T + HOUR])
    keep = (track.track.time_s < T + 600.0) | (track.track.time_s > T + 1800.0)
    columns = {name: getattr(track.track, name)[keep] for name in ("time_s", "lon_deg", "lat_deg", "height_m")}
    found = conformance(volumes(Volume(SQUARE, None, None, T, T + HOUR)),
                        replace(track, track=replace(track.track, **columns)))  # fmt: skip
    assert [one.keeping for one in found.stretches] == [
        Keeping.CONFORMING, Keeping.TRACK_LOST, Keeping.CONFORMING,
    ]  # fmt: skip
    assert found.share.greatest == pytest.approx(2400.0 / 3600.0, abs=0.01)


@pytest.mark.parametrize(("seconds", "kinds"), [(8.0, 1), (30.0, 3), (200.0, 3)])
def test_an_excursion_of_up_to_ten_seconds_is_none_and_one_over_a_minute_has_left(seconds, kinds):
    times = [T, T + 600.0, T + 600.0 + seconds / 2, T + 600.0 + seconds, T + 1200.0]
    # The border is at 41.1: 20 m inside, out by 20 m more than that, and back.
    inner, outer = 41.1 - 1e-9, 41.1005
    track = moved("a", "1", [(inner, 37.05), (inner, 37.05), (outer, 37.05), (inner, 37.05), (inner, 37.05)], times,
                  every_s=1.0)  # fmt: skip
    found = conformance(volumes(Volume(SQUARE, None, None, T, T + 1200.0)), track)
    assert len(found.stretches) == kinds
    assert (found.left_s is not None) == (seconds > 60.0)
    assert found.farthest_m == pytest.approx(44.4, abs=0.5)


def test_uncertain_positions_near_a_border_are_unknown():
    track = moved("a", "1", [(41.0995, 37.05), (41.0995, 37.06)], [T, T + HOUR], uncertainty_m=100.0)
    found = conformance(volumes(Volume(SQUARE, None, None, T, T + HOUR)), track)
    assert [one.keeping for one in found.stretches] == [Keeping.UNKNOWN]
    assert (found.share.least, found.share.greatest, found.share.reported) == (0.0, 1.0, 1.0)
    assert found.share.reaches(0.95) is None


def test_heights_count_in_the_air_and_not_on_the_ground():
    floor, ceiling = Height(1000.0, HeightReference.W84), Height(2000.0, HeightReference.W84)
    part = Volume(SQUARE, floor, ceiling, T, T + HOUR)
    high = moved("a", "1", [(41.05, 37.05), (41.05, 37.06)], [T, T + HOUR], height_m=2150.0, domains=AIR)
    found = conformance(volumes(part, domains=AIR), high)
    assert (found.share.greatest, found.farthest_height_m) == (0.0, pytest.approx(150.0))
    assert conformance(volumes(part, domains=GROUND), high).share.least == 1.0


def test_a_planned_track_is_kept_to_within_its_tolerance_and_its_slip():
    plan = patrol("a", "op", [(41.0, 37.0), (41.2, 37.0)], [T, T + HOUR], uncertainty_m=100.0, late_s=300.0)

    def kept(lat, late_s):
        track = moved("a", "1", [(41.0, lat), (41.2, lat)], [T + late_s, T + HOUR + late_s])
        return conformance(plan, track).share.least

    assert kept(37.0008, 0.0) == pytest.approx(1.0)
    assert kept(37.0010, 0.0) == pytest.approx(0.0, abs=0.01)  # 111 m beside it
    assert kept(37.0, 299.0) == pytest.approx(1.0)
    assert kept(37.0, 420.0) < 0.1


def test_a_track_at_another_time_says_nothing_of_a_plan():
    plan = volumes(Volume(SQUARE, None, None, T, T + HOUR))
    assert conformance(plan, moved("a", "1", [(41.05, 37.05), (41.05, 37.06)], [T + 5 * HOUR, T + 6 * HOUR])) is None


def test_flown_tracks_of_operations_have_the_doubt_and_the_silences_of_their_source():
    track = route([(41.0, 37.0), (41.1, 37.0)], [T, T + HOUR], basis=TrackBasis.FLOWN, uncertainty_m=5.0)
    operation = Operation("a", "1", OperationKind.CONVOY, tracks=(track, replace(track, basis=TrackBasis.PLANNED)))
    (plain,) = flown_of([operation])
    assert (plain.gap_s, plain.kind, plain.domains) == (300.0, "convoy", GROUND)
    (source,) = flown_of([operation], TrackSource("radar", "b", 45.0, 20.0))
    assert (source.track.uncertainty_m, source.gap_s, source.source_owner) == (50.0, 20.0, "b")


def test_what_cannot_be_true_is_refused_with_all_faults():
    ahead = moved("a", "1", [(41.0, 37.0), (41.1, 37.0)], [T, T + HOUR])
    fast = moved("a", "2", [(41.0, 37.0), (42.0, 37.0)], [T, T + 60.0])
    here = moved("a", "3", [(41.0, 37.0), (41.1, 37.0)], [T, T + 1200.0])
    there = moved("a", "3", [(41.0, 37.1), (41.1, 37.1)], [T, T + 1200.0])
    with pytest.raises(InputError) as caught:
        check_flown([ahead, fast, here, there], now_s=T + 1800.0)
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == 3
    assert "1.csv: a 1, position 182: time: a position from the future" in told[0]
    assert "2.csv: a 2, position 2: time:" in told[1]
    assert "in two places at once, 11,0" in told[2]
    check_flown([here, replace(there, unit="4")], now_s=T + 1800.0)
    check_flown([here, moved("a", "3", [(41.0, 37.0001), (41.1, 37.0001)], [T, T + 1200.0])], now_s=T + 1800.0)


def test_tracks_are_bound_by_rule_then_by_name_then_by_the_only_plan_that_they_kept_to():
    story = Story("a", "b")
    north = patrol("a", "north", [(41.0, 38.0), (41.2, 38.0)], [T, T + HOUR])
    south = patrol("a", "south", [(41.0, 37.0), (41.2, 37.0)], [T, T + HOUR])
    refs = [story.file(one, T - HOUR) for one in (north, south)]
    flown = replace(moved("", "AE01CE", [(41.0, 37.0), (41.2, 37.0)], [T, T + HOUR]), kind="", domains=frozenset())
    assert bind([flown], story.filings)[0].operation is None  # nobody's
    (bound,) = bind([flown], story.filings, [BindingRule("ae01ce", "a", "patrol")])
    assert (bound.party, bound.unit, bound.operation) == ("a", "patrol", refs[1])
    assert (bound.kind, bound.domains) == ("patrol", GROUND)
    (named,) = bind([replace(flown, party="a", unit="north")], story.filings)
    assert named.operation == refs[0]
    (told,) = bind([flown], story.filings, [BindingRule("AE01CE", "a", "patrol", refs[0])])
    assert told.operation == refs[0]


def test_an_incident_is_drafted_without_anybodys_narrative():
    tracks = [moved(party, "u", [(42.0, 37.0), (42.1, 37.0)], [T, T + HOUR]) for party in ("a", "b")]
    (met,) = encounters(tracks)
    labelled = Story("a", "b").label(met, tracks)
    assert wants_report(labelled)
    body = draft(labelled, detected_s=T + HOUR, report_id="i-1")
    assert (body.label, body.flags, body.stage) == ("coincidental", ["unsafe"], "first")
    assert (body.narrative, body.attribution, body.corrective_action) == (None, None, None)
    assert body.closest.horizontal_m == pytest.approx(0.0, abs=1e-3)
    assert type(body).of_bytes(body.to_bytes()) == body


def test_a_single_position_meets_whoever_passes_at_that_moment():
    place = Track(np.array([T + 600.0]), np.array([42.05]), np.array([37.0]), np.array([math.nan]),
                  basis=TrackBasis.FLOWN)  # fmt: skip
    alone = replace(moved("a", "1", [(42.0, 37.0), (42.1, 37.0)], [T, T + HOUR]), track=place)
    passing = moved("b", "2", [(42.0, 37.001), (42.1, 37.001)], [T, T + 1200.0])
    (found,) = encounters([alone, passing])
    assert found.approach.horizontal_m == pytest.approx(111.0, abs=1.0)
    assert (found.from_s, found.to_s) == (T + 600.0, T + 600.0)
