"""The search against looking at every pair of legs."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.geo.ellipsoid import lift, surface_lonlat
from keepclear.geo.heights import AMSL, FL, HEIGHT_SPANS
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.separation import search
from keepclear.separation import tiles as tiling
from keepclear.separation.closest import CORNERS
from keepclear.separation.leg_pairs import MARGIN_M, MARGIN_S, near
from keepclear.separation.minima import MinimaTable
from keepclear.separation.search import join, plan_tiles, sweep
from keepclear.separation.world import World, compile_world
from tests.reference.made import at, operation, track
from tests.reference.worlds import EPOCH_S

KINDS = [OperationKind.FLIGHT, OperationKind.CONVOY, OperationKind.UAS, OperationKind.PATROL, None]


def random_track(rng: np.random.Generator, *, slips: bool, references: list[HeightReference]) -> Track:
    n = int(rng.integers(1, 6))
    spread = float(rng.choice([500.0, 5_000.0, 40_000.0]))
    seconds = np.sort(rng.choice([0.0, 10.0, 20.0, rng.uniform(0, 300), rng.uniform(0, 300), 300.0], n))
    lon, lat = np.array([at(*rng.uniform(-spread, spread, 2)) for _ in range(n)]).T
    heights = rng.uniform(0.0, 3000.0, n)
    slip = rng.choice([0.0, 5.0, 60.0, math.inf], 2) if slips and rng.random() < 0.5 else (0.0, 0.0)
    doubt = float(rng.choice([0.0, 0.0, 200.0]))
    return Track(
        EPOCH_S + seconds, lon, lat, heights, references[rng.integers(len(references))],
        TrackBasis.FLOWN if rng.random() < 0.2 else TrackBasis.PLANNED, doubt, float(slip[0]), float(slip[1]),
    )  # fmt: skip


def random_world(seed: int, table: MinimaTable, *, slips: bool, references: list[HeightReference]) -> World:
    rng = np.random.default_rng(seed)
    operations = [
        Operation(
            party=str(rng.choice(["A", "B", "C"])),
            id=str(k),
            kind=KINDS[rng.integers(len(KINDS))],
            tracks=tuple(random_track(rng, slips=slips, references=references) for _ in range(rng.integers(1, 3))),
        )
        for k in range(9)
    ]
    return compile_world(operations, (), minima=table, compare_own=bool(rng.random() < 0.3))


def pairs(hits: np.ndarray) -> set[tuple[int, int]]:
    found = [tuple(row) for row in hits.tolist()]
    assert len(set(found)) == len(found), "a pair is found once"
    return set(found)


def all_pairs(world: World) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Pairs of legs that may come too close, and of those the ones about which the search must not be wider."""
    legs, limits = world.legs, world.limits
    polygon, scratch = np.empty((CORNERS, 2)), np.empty((CORNERS, 2))
    close, loose = set(), set()
    for i, j in itertools.permutations(np.flatnonzero(legs.piece_of >= 0).tolist(), 2):
        a, b = int(legs.piece_of[i]), int(legs.piece_of[j])
        first, second = legs.operation[a], legs.operation[b]
        if first >= second or (limits.party[first] == limits.party[second] and not limits.compare_own):
            continue
        row = legs.sort[a], legs.sort[b]
        time_s = max(0.0, limits.time_s[row] - MARGIN_S)
        slip_high = time_s + legs.early_s[a] + legs.late_s[b]
        slip_low = -time_s - legs.late_s[a] - legs.early_s[b]
        doubt = legs.uncertainty_m[a] + legs.uncertainty_m[b]
        refs = int(legs.reference[a]), int(legs.reference[b])
        if near(
            legs.points, i, j, *refs, slip_low, slip_high, limits.horizontal_m[row] + doubt - MARGIN_M,
            limits.vertical_m[row] - MARGIN_M, False, HEIGHT_SPANS, polygon, scratch,
        ):  # fmt: skip
            close.add((i, j))
        lasting = legs.points[i + 1, 3] > legs.points[i, 3] and legs.points[j + 1, 3] > legs.points[j, 3]
        comparable = (refs[0] == refs[1] <= FL) or max(refs) <= AMSL
        if slip_high > slip_low or not lasting or not comparable:
            loose.add((i, j))
    return close, loose


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("table", ["mixed", "one", "in time"])
@pytest.mark.parametrize("slips", [False, True])
def test_it_finds_every_pair_and_no_other(seed: int, table: str, slips: bool) -> None:  # noqa: FBT001
    tables = {
        "mixed": MinimaTable.default(),
        "one": MinimaTable.single(1500.0, 300.0),
        "in time": MinimaTable.single(1500.0, 300.0, 45.0),
    }
    references = [HeightReference.W84] if seed % 2 else [*HeightReference]
    world = random_world(seed, tables[table], slips=slips, references=references)
    found = pairs(join(world.legs, world.limits))
    close, loose = all_pairs(world)
    assert close, "a world in which nothing meets tests nothing"
    assert close <= found
    assert found - close <= loose, "the search may be wider only where heights or times are not plain numbers"


def test_threads_and_tiles_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_TIMES_CARRIED", 0)
    world = random_world(11, MinimaTable.default(), slips=True, references=[HeightReference.W84])
    one = pairs(join(world.legs, world.limits))
    assert one
    for per_tile in (1, 2, 3, 7, 50):
        monkeypatch.setattr(tiling, "_LEGS_PER_TILE", per_tile)
        seen: list[float] = []
        assert pairs(join(world.legs, world.limits, jobs=2)) == one
        assert pairs(join(world.legs, world.limits, jobs=1, progress=seen.append)) == one
        assert seen == sorted(seen)
        assert seen[-1] == 1.0
        tiles = plan_tiles(world.legs, world.limits)
        assert len(seen) == len(tiles)
        assert len(tiles) > 1 or per_tile == 50
        assert pairs(np.concatenate([sweep(world.legs, world.limits, tile) for tile in tiles])) == one
        legs = np.concatenate([tile.legs for tile in tiles])
        assert sorted(legs.tolist()) == np.flatnonzero(world.legs.piece_of >= 0).tolist()


def test_legs_under_way_are_carried_into_later_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_LEGS_PER_TILE", 32)
    slow = operation("A", track((0, 0, 0, 1000), (4000, 100, 0, 1000)))
    steps = [track((20 * k, 0, 300, 1000), (20 * k + 10, 0, 300, 1000)) for k in range(190)]
    many = operation("B", *steps)
    world = compile_world((slow, many), (), minima=MinimaTable.single(500.0, 100.0), compare_own=False)
    tiles = plan_tiles(world.legs, world.limits)
    assert len(tiles) == 6
    assert [0 in tile.carried.tolist() for tile in tiles] == [False] + [True] * 5
    for tile in tiles:
        assert pairs(sweep(world.legs, world.limits, tile)) == {(0, int(k)) for k in tile.legs if k != 0}


def test_few_tiles_where_most_legs_are_always_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_LEGS_PER_TILE", 4)
    endless = [operation(f"P{k}", track((k, k, 0, 9), (k + 1, k, 9, 9), late_s=math.inf)) for k in range(60)]
    world = compile_world(endless, (), minima=MinimaTable.single(5.0, 5.0), compare_own=False)
    tiles = plan_tiles(world.legs, world.limits)
    assert sum(len(tile.carried) for tile in tiles) <= len(endless)


def test_many_tiles_where_most_legs_are_under_way_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tile takes is bounded, and nothing is lost: legs carried are neither listed nor all there at once."""
    many = 1200
    crowd = [operation(f"P{k}", track((k, 7 * k, 0, 9), (k + 1, 7 * k, 9, 9), late_s=6000.0)) for k in range(many)]
    world = compile_world(crowd, (), minima=MinimaTable.single(20.0, 5.0), compare_own=False)
    assert len(plan_tiles(world.legs, world.limits)) == 1
    whole = join(world.legs, world.limits)
    monkeypatch.setattr(tiling, "_LEAST_TILE", 64)
    monkeypatch.setattr(search, "_LEAST_CARRIED", 16)
    tiles = plan_tiles(world.legs, world.limits)
    starts = world.legs.points[:, 3]
    for tile in tiles:
        assert len(tile.legs) <= 2 * 64
        before = np.flatnonzero((world.legs.piece_of >= 0) & (starts < starts[tile.legs].min()))
        assert tile.carried.tolist() == before.tolist()
        boxes = search._room([tile], 24)[0]
        assert len(boxes) <= 2 * len(tile.legs)
    found = join(world.legs, world.limits, jobs=2)
    assert found.tolist() == whole.tolist()
    assert {(2 * k, 2 * other) for k in range(many) for other in (k + 1, k + 2) if other < many} <= pairs(found)


def test_a_leg_of_another_year_leaves_the_others_their_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_LEGS_PER_TILE", 32)
    day = [operation(f"P{k}", track((9 * k, 0, k, 1000), (9 * k + 8, 0, k, 1000))) for k in range(320)]
    stray = operation("stray", track((-3e7, 0, 0, 1000), (-3e7 + 8, 0, 0, 1000)))
    world = compile_world((*day, stray), (), minima=MinimaTable.single(500.0, 100.0), compare_own=False)
    tiles = plan_tiles(world.legs, world.limits)
    assert len(tiles) == 11
    assert max(len(tile.legs) for tile in tiles) < 64


def test_a_stretch_of_time_has_the_pairs_whose_later_leg_begins_in_it() -> None:
    world = random_world(12, MinimaTable.default(), slips=True, references=[HeightReference.W84])
    legs = world.legs
    piece = legs.piece_of
    start = np.where(piece >= 0, legs.points[:, 3] - legs.early_s[piece], math.nan)
    whole = pairs(join(legs, world.limits))
    edges = [-math.inf, *np.unique(start[np.isfinite(start)])[3::5].tolist(), math.inf]
    parts = [pairs(join(legs, world.limits, from_s=low, to_s=high)) for low, high in itertools.pairwise(edges)]
    assert sum(map(len, parts)) == len(whole)
    assert set().union(*parts) == whole
    for part, low, high in zip(parts, edges, edges[1:], strict=False):
        assert all(low <= max(start[i], start[j]) < high for i, j in part)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_borders_of_regions_faces_and_tiles_hide_nothing(data: st.DataObject) -> None:
    """Legs strewn over the borders of everything there is: as many regions and tiles as can be."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    horizontal_m = data.draw(st.sampled_from([30.0, 800.0, 9_260.0, 300_000.0, 10_000_000.0]))
    direction = data.draw(
        st.sampled_from([(1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 1e-3, 0.0), (1.0, 1.0, 0.1), (-1.0, 1.0, -1.0)])
    )
    table = MinimaTable.single(horizontal_m, 300.0, data.draw(st.sampled_from([0.0, 45.0])))
    if data.draw(st.booleans()):
        table = MinimaTable.default()
    spread_m = min(data.draw(st.sampled_from([0.5, 3.0, 30.0])) * horizontal_m, 30_000.0)
    operations = [
        replace(operation, party=str(k % 3), kind=KINDS[rng.integers(len(KINDS))], tracks=(_varied(rng, operation),))
        for k, operation in enumerate(_crowd(direction, spread_m, int(rng.integers(2**31))))
    ]
    world = compile_world(operations, (), minima=table, compare_own=data.draw(st.booleans()))
    close, _ = all_pairs(world)
    listed: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        whole = pairs(join(world.legs, world.limits))
        patch.setattr(search, "_CELL_PER_REACH", 0.3)
        patch.setattr(search, "_QUESTION_COST", -1e9)  # the more questions, the better: regions are never enlarged
        patch.setattr(tiling, "_LEGS_PER_TILE", data.draw(st.sampled_from([1, 5, 1000])))
        patch.setattr(tiling, "_TIMES_CARRIED", 0)
        found = join(world.legs, world.limits, jobs=data.draw(st.sampled_from([1, 2])))
        with_lists = tiling._scatter
        patch.setattr(tiling, "_scatter", lambda *given: listed.append(given[4]) or with_lists(*given))
        patch.setattr(tiling, "_TIMES_CARRIED", 1000)  # nearly everything seems to last for hours
        patch.setattr(tiling, "_LEAST_TILE", 5)
        patch.setattr(tiling, "_TILES", 1000)
        patch.setattr(search, "_LEAST_CARRIED", 1)  # few of those carried have room at once
        looked_for = join(world.legs, world.limits, jobs=data.draw(st.sampled_from([1, 2])))
    assert close <= whole
    assert pairs(found) == whole
    assert found.tolist() == join(world.legs, world.limits).tolist(), "and the order is the same"
    assert looked_for.tolist() == found.tolist()
    assert not any(listed), "legs that last are looked for, not listed"


def _varied(rng: np.random.Generator, operation: Operation) -> Track:
    """Its track at other times and heights, perhaps standing still, perhaps at no one knows what height or when."""
    (path,) = operation.tracks
    slip = rng.choice([0.0, 0.0, 5.0, math.inf], 2)
    reference = [*HeightReference][rng.integers(len(HeightReference))] if rng.random() < 0.3 else HeightReference.W84
    lon, lat = (path.lon_deg, path.lat_deg) if rng.random() < 0.8 else (path.lon_deg[[0, 0]], path.lat_deg[[0, 0]])
    times = EPOCH_S + np.sort(rng.choice([0.0, 10.0, 60.0, 61.0, rng.uniform(0.0, 90.0)], 2))
    return Track(
        times, lon, lat, rng.uniform(0.0, 900.0, 2), reference, TrackBasis.PLANNED, float(rng.choice([0.0, 200.0])),
        float(slip[0]), float(slip[1]),
    )  # fmt: skip


def test_slip_without_limit_meets_whoever_comes_later() -> None:
    late = operation("A", track((0, 0, 0, 1000), (10, 100, 0, 1000), late_s=math.inf))
    early = operation("B", track((9000, 50, 50, 1000), (9010, 50, -50, 1000), early_s=math.inf))
    plain = operation("C", track((9000, 50, 50, 1000), (9010, 50, -50, 1000)))
    world = compile_world((late, early, plain), (), minima=MinimaTable.single(500.0, 100.0), compare_own=False)
    assert pairs(join(world.legs, world.limits)) == {(0, 2), (0, 4), (2, 4)}


def test_units_of_one_party_are_compared_only_when_asked() -> None:
    both = [Operation("A", name, OperationKind.FLIGHT, tracks=(track((0, 0, 0, 9), (9, 9, 0, 9)),)) for name in "12"]
    table = MinimaTable.single(500.0, 100.0)
    for own in (False, True):
        world = compile_world(both, (), minima=table, compare_own=own)
        assert len(join(world.legs, world.limits)) == own


def test_nothing_is_near_nothing() -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    assert plan_tiles(world.legs, world.limits) == []
    assert join(world.legs, world.limits).shape == (0, 2)


def test_more_hits_and_legs_than_there_is_room_for_at_first() -> None:
    group = [operation(f"P{k}", track((0, k, 0, 1000), (100, k, 10, 1000))) for k in range(60)]
    world = compile_world(group, (), minima=MinimaTable.single(500.0, 100.0), compare_own=False)
    assert len(pairs(join(world.legs, world.limits))) == 60 * 59 // 2


def _directions(*, corners: bool) -> list[tuple[float, float, float]]:
    """The middles of the 12 edges of a cube, or its 8 corners."""
    signs = itertools.product((-1.0, 0.0, 1.0), repeat=3)
    return [sign for sign in signs if sum(abs(part) for part in sign) == (3.0 if corners else 2.0)]


def _crowd(direction: tuple[float, float, float], spread_m: float, seed: int) -> list[Operation]:
    """Short tracks on both sides of a place where faces of the cube round the Earth meet."""
    rng = np.random.default_rng(seed)
    centre = 6.37e6 * np.array(direction) / math.hypot(*direction)
    operations = []
    for k in range(24):
        lon, lat = [], []
        first = centre + rng.uniform(-spread_m, spread_m, 3)
        for place in (first, first + rng.uniform(-0.1, 0.1, 3) * spread_m):
            on_surface = surface_lonlat(*lift(*(6.37e6 * place / math.hypot(*place)).tolist()))
            lon.append(on_surface[0])
            lat.append(on_surface[1])
        seconds = EPOCH_S + float(rng.uniform(0.0, 60.0)) + np.array([0.0, 60.0])
        operations.append(Operation("A", str(k), OperationKind.FLIGHT, tracks=(
            Track(seconds, np.array(lon), np.array(lat), np.full(2, 100.0)),
        )))  # fmt: skip
    return operations


@pytest.mark.parametrize("direction", [*_directions(corners=False), *_directions(corners=True)])
@pytest.mark.parametrize("horizontal_m", [60.0, 9_260.0, 400_000.0])
def test_nothing_is_lost_where_faces_meet(direction: tuple[float, float, float], horizontal_m: float) -> None:
    crowd = _crowd(direction, 2.0 * horizontal_m, int(horizontal_m))
    world = compile_world(crowd, (), minima=MinimaTable.single(horizontal_m, 300.0), compare_own=True)
    close, _ = all_pairs(world)
    found = pairs(join(world.legs, world.limits))
    assert close
    assert found == close
    wide = [
        (i, j)
        for i, j in close
        if np.abs(world.legs.points[i, :3]).argmax() != np.abs(world.legs.points[j, :3]).argmax()
    ]
    assert wide, "some of the pairs are on two faces"
