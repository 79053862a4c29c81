"""A track against volumes of every form: every pair of thousands against the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.model.extents import Track, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Zone
from keepclear.separation.checking import check
from tests.reference.judging import Rule, Tally, answer_of, judge
from tests.reference.oracle import closest, depth_m
from tests.reference.shapes import shape_of
from tests.reference.worlds import (
    EPOCH_S,
    GEOD,
    NEAR_MISSES,
    PLACES,
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

TRACKS, VOLUMES = 10, 10


def _volumes(rng: np.random.Generator, place: Place, scale: Scale) -> list[Volume]:
    """Volumes of every form, with windows and bands that some tracks just meet and some just miss."""
    made = []
    for _ in range(VOLUMES):
        size = min(scale.horizontal_m, 30_000.0) * math.exp(rng.uniform(-1.0, 1.5))
        start = EPOCH_S + rng.uniform(-1.0, 0.5) * scale.leg_m[1] / scale.speed_m_s[1]
        length = rng.choice((0.0, 0.05, 0.5, 5.0)) * scale.leg_m[1] / scale.speed_m_s[1]
        # Tracks are near 2,000 m: the band begins or ends about one minimum away from that.
        edge = 2_000.0 + rng.choice((1.0, -1.0)) * scale.vertical_m * (1.0 + rng.choice(NEAR_MISSES))
        band = (edge, edge + 500.0) if edge > 2_000.0 else (edge - 500.0, edge)
        band = band if rng.random() < 0.3 else (0.0, 10_000.0)
        made.append(volume(footprint(rng, place, size), (start, start + length), band))
    return made


def _beside(rng: np.random.Generator, track: Track, scale: Scale) -> Volume:
    """A circle, a corridor or a polygon whose nearest point is the minimum, or nearly, from the middle of a leg."""
    k = int(rng.integers(0, len(track.time_s) - 1))
    (lon, after_lon), (lat, after_lat) = track.lon_deg[k : k + 2], track.lat_deg[k : k + 2]
    azimuth, _, length = GEOD.inv(lon, lat, after_lon, after_lat)
    on_leg = moved(lon, lat, azimuth, rng.uniform(0.0, 1.0) * length)
    gap = scale.horizontal_m * (1.0 + rng.choice(NEAR_MISSES))
    nearest = moved(on_leg[0], on_leg[1], on_leg[2] + rng.choice((90.0, -90.0)), gap)
    away, size = nearest[2], scale.horizontal_m * rng.uniform(0.1, 0.5)
    sort = rng.integers(0, 3)
    if sort == 0:
        return volume(Circle(*moved(*nearest[:2], away, size)[:2], size))
    if sort == 1:
        line = [moved(*nearest[:2], away, metres)[:2] for metres in (size, 3.0 * size)]
        return volume(Corridor(np.array(line), size, Edges.GEODESIC))
    corners = [nearest[:2], *(moved(*nearest[:2], away + turn, size)[:2] for turn in (40.0, -40.0)), nearest[:2]]
    return volume(Polygon((np.array(corners),), Edges.GEODESIC if rng.random() < 0.5 else Edges.LONLAT))


def _world(seed: int, place: Place, scale: Scale) -> Tally:
    rng = np.random.default_rng(seed)
    tracks = [encounter(rng, place, scale)[0] for _ in range(TRACKS)]
    ours = [airborne("A", f"a{k}", track) for k, track in enumerate(tracks)]
    volumes = _volumes(rng, place, scale) + [_beside(rng, track, scale) for track in tracks]
    theirs = [airborne("B", f"b{k}", made) for k, made in enumerate(volumes)]
    return judge(ours, theirs, Rule(scale.horizontal_m, scale.vertical_m))


@given(seed=st.integers(0, 2**32 - 1), place=places, scale=scales)
@settings(max_examples=8)
def test_worlds_of_volumes(seed: int, place: Place, scale: Scale) -> None:
    assert not _world(seed, place, scale).faults


@pytest.mark.slow
@pytest.mark.parametrize(("n", "place"), list(enumerate(PLACES)), ids=[place.name for place in PLACES])
def test_every_place_at_every_scale_with_volumes(n: int, place: Place) -> None:
    total = Tally()
    for m, scale in enumerate(SCALES):
        total += _world(20_000 + 100 * n + m, place, scale)
    assert not total.faults
    # Many of both, and few that neither side can call, or the suite would prove little.
    assert min(total.conflict, total.clear) > 80
    assert total.too_close_to_call < 0.05 * (total.conflict + total.clear)


@given(seed=st.integers(0, 2**32 - 1), place=places)
@settings(max_examples=25)
def test_zones_with_a_minimum_of_nothing(seed: int, place: Place) -> None:
    """Into an area by more than a millimetre: a conflict; beside it: none."""
    rng = np.random.default_rng(seed)
    made = [volume(footprint(rng, place, 3_000.0)) for _ in range(6)]
    zones = [Zone("Z", f"z{k}", ZoneKind.NO_GO_AREA, (one,)) for k, one in enumerate(made)]
    tracks = []
    for _ in range(6):
        start = moved(place.lon, place.lat, rng.uniform(0.0, 360.0), rng.uniform(0.0, 8_000.0))
        end = moved(*start[:2], rng.uniform(0.0, 360.0), rng.uniform(0.0, 8_000.0))
        lon, lat = np.array([start[:2], end[:2]]).T
        tracks.append(Track(np.array([0.0, 300.0]) + EPOCH_S, lon, lat, np.array([500.0, 600.0])))
    flights = [airborne("A", f"a{k}", track) for k, track in enumerate(tracks)]
    report = check(flights, zones)
    for k, track in enumerate(tracks):
        for m, one in enumerate(made):
            a, b = shape_of(track), shape_of(one)
            apart = float(closest([a, b], [(0, 1)], vertical_m=-1e-3)[0])
            answer = answer_of(report, f"a{k}", f"z{m}")
            if apart > 0.01:
                assert answer is Answer.CLEAR, (k, m, apart)
            elif (depth_m(a, b, -1e-3) if isinstance(one.footprint, Polygon) else -apart) > 0.01:
                assert answer is Answer.CONFLICT, (k, m, apart)
