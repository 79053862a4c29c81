"""What must not change an answer: order, sides, the calendar, the meridian, how legs are cut, who else is far away."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.model.extents import Track, Volume
from keepclear.model.findings import Answer, Conflict, Report
from keepclear.model.footprints import Circle, Footprint, Polygon
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.checking import check
from tests.reference.judging import Rule
from tests.reference.shapes import GEOD
from tests.reference.worlds import (
    EPOCH_S,
    SCALES,
    Place,
    Scale,
    airborne,
    encounter,
    footprint,
    moved,
    places,
    scales,
    volume,
)

# No miss so near that rounding may decide: what is asked here is that the answer stays the same.
MISSES = (0.01, -0.01, 0.1, -0.1, -0.5, -1.0, 0.5, 2.0)
WORLD = {"seed": st.integers(0, 2**32 - 1), "place": places, "scale": scales}
EACH = 8

World = tuple[list[Operation], list[Zone]]
Facts = dict[frozenset[tuple[str, str]], Conflict]


def _world(seed: int, place: Place, scale: Scale) -> World:
    rng = np.random.default_rng(seed)
    operations = []
    for k in range(EACH):
        a, b = encounter(rng, place, scale, MISSES)
        slip = rng.choice((0.0, 0.0, 20.0))
        uncertain = rng.choice((0.0, 0.0, 0.3)) * scale.horizontal_m
        operations += [
            airborne("A", f"a{k}", replace(a, late_s=slip)),
            airborne("B", f"b{k}", replace(b, early_s=slip, uncertainty_m=uncertain)),
        ]
    size = min(scale.horizontal_m, 20_000.0)
    operations += [airborne("B", f"v{k}", volume(footprint(rng, place, size))) for k in range(3)]
    zones = [Zone("Z", f"z{k}", ZoneKind.NO_GO_AREA, (volume(footprint(rng, place, size)),)) for k in range(2)]
    return operations, zones


def _check(world: World, scale: Scale, **options: object) -> Report:
    return check(*world, minima=Rule(scale.horizontal_m, scale.vertical_m).table, **options)


def _facts(report: Report) -> Facts:
    facts = {frozenset(((c.a.party, c.a.id), (c.b.party, c.b.id))): c for c in report.conflicts}
    assert len(facts) == len(report.conflicts)
    return facts


def _same(
    first: Report, second: Report, *, shift_s: float = 0.0, within_m: float = 1e-3, within_s: float = 1e-3
) -> None:
    one, two = _facts(first), _facts(second)
    assert first.answer is second.answer
    assert one.keys() == two.keys()
    for pair, conflict in one.items():
        other = two[pair]
        assert conflict.answer is other.answer, pair
        assert conflict.minima == other.minima
        assert set(conflict.reasons) == set(other.reasons)
        assert len(conflict.intervals) == len(other.intervals), pair
        for span, again in zip(conflict.intervals, other.intervals, strict=True):
            assert span.answer is again.answer, pair
            for name in ("start_s", "end_s"):
                here, there = getattr(span, name), getattr(again, name)
                assert (here is None) == (there is None), pair
                if here is not None:
                    assert here + shift_s == pytest.approx(there, abs=within_s, rel=0.0), pair
        if conflict.closest and other.closest:
            assert conflict.closest.horizontal_m == pytest.approx(other.closest.horizontal_m, abs=within_m), pair
        assert (conflict.closest is None) == (other.closest is None), pair


def _tracks(operation: Operation, change: object) -> Operation:
    return replace(operation, tracks=tuple(change(one) for one in operation.tracks))  # type: ignore[operator]


@given(**WORLD, order=st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_operations_and_zones(seed: int, place: Place, scale: Scale, order: random.Random) -> None:
    operations, zones = _world(seed, place, scale)
    mixed = order.sample(operations, len(operations)), order.sample(zones, len(zones))
    _same(_check((operations, zones), scale), _check(mixed, scale), within_m=1e-6, within_s=1e-6)


@given(**WORLD)
@settings(max_examples=25)
def test_conflicts_come_in_the_order_of_their_starts(seed: int, place: Place, scale: Scale) -> None:
    report = _check(_world(seed, place, scale), scale)
    starts = [
        -np.inf if c.intervals[0].start_s is None else c.intervals[0].start_s for c in report.conflicts if c.intervals
    ]
    assert starts == sorted(starts)


@given(**WORLD)
@settings(max_examples=25)
def test_swapping_the_parties(seed: int, place: Place, scale: Scale) -> None:
    operations, zones = _world(seed, place, scale)
    swapped = [replace(one, party={"A": "B", "B": "A"}[one.party]) for one in operations]
    first, second = _check((operations, zones), scale), _check((swapped, zones), scale)
    by_id = [
        {frozenset((c.a.id, c.b.id)): (c.answer, len(c.intervals)) for c in report.conflicts}
        for report in (first, second)
    ]
    assert by_id[0] == by_id[1]


@given(**WORLD, days=st.sampled_from((-9_000, -1, 1, 365, 20_000)))
@settings(max_examples=25)
def test_another_day(seed: int, place: Place, scale: Scale, days: int) -> None:
    operations, zones = _world(seed, place, scale)
    shift = 86_400.0 * days

    def moved_volume(one: Volume) -> Volume:
        return replace(one, start_s=one.start_s + shift, end_s=one.end_s + shift)

    def later(one: Operation | Zone) -> Operation | Zone:
        one = replace(one, volumes=tuple(moved_volume(v) for v in one.volumes))
        return one if isinstance(one, Zone) else _tracks(one, lambda t: replace(t, time_s=t.time_s + shift))

    after = [later(one) for one in operations], [later(one) for one in zones]
    _same(_check((operations, zones), scale), _check(after, scale), shift_s=shift)  # type: ignore[arg-type]


@given(**WORLD, turn_deg=st.floats(-360.0, 360.0))
@settings(max_examples=25)
def test_another_meridian(seed: int, place: Place, scale: Scale, turn_deg: float) -> None:
    operations, zones = _world(seed, place, scale)

    def turned(lon: object) -> object:
        return (np.asarray(lon) + turn_deg + 540.0) % 360.0 - 180.0

    def shape(one: Footprint) -> Footprint:
        if isinstance(one, Circle):
            return replace(one, lon_deg=float(turned(one.lon_deg)))
        rows = [
            np.column_stack([turned(r[:, 0]), r[:, 1]]) for r in (one.rings if isinstance(one, Polygon) else [one.line])
        ]
        return replace(one, rings=tuple(rows)) if isinstance(one, Polygon) else replace(one, line=rows[0])

    def east(one: Operation | Zone) -> Operation | Zone:
        one = replace(one, volumes=tuple(replace(v, footprint=shape(v.footprint)) for v in one.volumes))
        return one if isinstance(one, Zone) else _tracks(one, lambda t: replace(t, lon_deg=turned(t.lon_deg)))

    after = [east(one) for one in operations], [east(one) for one in zones]
    # Times of grazing encounters are ill-conditioned: the answers and distances are what must stay.
    _same(_check((operations, zones), scale), _check(after, scale), within_m=0.01, within_s=60.0)  # type: ignore[arg-type]


def _split(one: Track, rng: np.random.Generator) -> Track:
    """Every leg cut at a random point of its geodesic, at the time and height that it has there."""
    rows = []
    columns = np.column_stack([one.time_s, one.lon_deg, one.lat_deg, one.height_m])
    for start, end in itertools.pairwise(columns):
        part = rng.uniform(0.01, 0.99)
        azimuth, _, length = GEOD.inv(*start[1:3], *end[1:3])
        lon, lat, _ = moved(*start[1:3], azimuth, part * length)
        t, height = start[[0, 3]] + part * (end - start)[[0, 3]]
        rows += [start, np.array([t, lon, lat, height])]
    time_s, lon_deg, lat_deg, height_m = np.array([*rows, columns[-1]]).T
    return replace(one, time_s=time_s, lon_deg=lon_deg, lat_deg=lat_deg, height_m=height_m)


@given(**WORLD)
@settings(max_examples=25)
def test_cutting_legs(seed: int, place: Place, scale: Scale) -> None:
    operations, zones = _world(seed, place, scale)
    rng = np.random.default_rng(seed)
    cut = [_tracks(one, lambda t: _split(t, rng)) for one in operations]
    _same(_check((operations, zones), scale), _check((cut, zones), scale), within_m=0.01, within_s=60.0)


@given(**WORLD, crowd=st.integers(1, 200))
@settings(max_examples=25)
def test_strangers_far_away(seed: int, place: Place, scale: Scale, crowd: int) -> None:
    operations, zones = _world(seed, place, scale)
    rng = np.random.default_rng(seed)
    # On the other side of the Earth, and each in a year of its own.
    strangers = []
    for k in range(crowd):
        lon, lat = np.array([[-place.lon * 0.5, -place.lat * 0.9], [-place.lon * 0.5 + 0.1, -place.lat * 0.9]]).T
        times = EPOCH_S + 4e8 + 1e6 * k + np.array([0.0, rng.uniform(1.0, 1_000.0)])
        strangers.append(airborne("C", f"c{k}", Track(times, lon, lat, np.full(2, 60_000.0))))
    _same(
        _check((operations, zones), scale), _check((operations + strangers, zones), scale), within_m=1e-6, within_s=1e-6
    )


@given(**WORLD)
@settings(max_examples=15)
def test_threads(seed: int, place: Place, scale: Scale) -> None:
    world = _world(seed, place, scale)
    one, two = _check(world, scale, jobs=1), _check(world, scale, jobs=2)
    assert replace(one, elapsed_s=0.0) == replace(two, elapsed_s=0.0)


@given(**WORLD)
@settings(max_examples=25)
def test_more_uncertainty_never_makes_it_clearer(seed: int, place: Place, scale: Scale) -> None:
    operations, zones = _world(seed, place, scale)
    worse = [
        _tracks(one, lambda t: replace(t, uncertainty_m=t.uncertainty_m + scale.horizontal_m)) for one in operations
    ]
    before, after = _facts(_check((operations, zones), scale)), _facts(_check((worse, zones), scale))
    assert before.keys() <= after.keys()
    for pair, conflict in before.items():
        assert after[pair].answer is conflict.answer
    assert all(after[pair].answer is Answer.POSSIBLE for pair in after.keys() - before.keys())


@given(**WORLD)
@settings(max_examples=25)
def test_more_slip_and_wider_minima_never_make_it_clearer(seed: int, place: Place, scale: Scale) -> None:
    operations, zones = _world(seed, place, scale)
    looser = [
        _tracks(one, lambda t: replace(t, early_s=t.early_s + 60.0, late_s=t.late_s + 60.0)) for one in operations
    ]
    wider = replace(scale, horizontal_m=scale.horizontal_m * 1.5, vertical_m=scale.vertical_m * 1.5)
    before = _facts(_check((operations, zones), scale))
    for after in (_facts(_check((looser, zones), scale)), _facts(_check((operations, zones), wider))):
        assert before.keys() <= after.keys()
        for pair, conflict in before.items():
            assert conflict.answer is Answer.POSSIBLE or after[pair].answer is Answer.CONFLICT


def test_the_worlds_are_worth_checking() -> None:
    """Every world above has conflicts, possibles and clear pairs, or nothing would have been shown."""
    seen = dict.fromkeys(Answer, 0)
    for n, scale in enumerate(SCALES):
        report = _check(_world(n, Place("Jazira", 41.9, 37.1), scale), scale)
        for conflict in report.conflicts:
            seen[conflict.answer] += 1
        seen[Answer.CLEAR] += report.pairs_compared - len(report.conflicts)
    assert min(seen.values()) > 5
