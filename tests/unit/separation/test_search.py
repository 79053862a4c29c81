"""The search against looking at every pair of legs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from keepclear.geo.ellipsoid import lift, surface_lonlat
from keepclear.geo.heights import AMSL, FL, HEIGHT_SPANS
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.separation import search
from keepclear.separation.closest import CORNERS
from keepclear.separation.leg_pairs import MARGIN_M, MARGIN_S, near
from keepclear.separation.minima import MinimaTable
from keepclear.separation.search import grid_of, join, plan_tiles, sweep
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
    monkeypatch.setattr(search, "_LEAST_TILE", 5)
    world = random_world(11, MinimaTable.default(), slips=True, references=[HeightReference.W84])
    one = pairs(join(world.legs, world.limits))
    assert one
    seen: list[float] = []
    assert pairs(join(world.legs, world.limits, jobs=2)) == one
    assert pairs(join(world.legs, world.limits, jobs=1, progress=seen.append)) == one
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 1
    for most in (1, 2, 3, 7, 50):
        tiles = plan_tiles(world.legs, world.limits, most_tiles=most)
        assert len(tiles) <= most
        hits = [sweep(world.legs, world.limits, tile) for tile in tiles]
        assert pairs(np.concatenate(hits)) == one
        assert sum(len(tile.order) for tile in tiles) == np.count_nonzero(world.legs.piece_of >= 0)


def test_legs_under_way_are_carried_into_later_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_LEAST_TILE", 10)
    slow = operation("A", track((0, 0, 0, 1000), (4000, 100, 0, 1000)))
    steps = [track((20 * k, 0, 300, 1000), (20 * k + 10, 0, 300, 1000)) for k in range(190)]
    many = operation("B", *steps)
    world = compile_world((slow, many), (), minima=MinimaTable.single(500.0, 100.0), compare_own=False)
    tiles = plan_tiles(world.legs, world.limits, most_tiles=6)
    assert len(tiles) == 6
    assert [0 in tile.carried.tolist() for tile in tiles] == [False] + [True] * 5
    grid = grid_of(world.legs, world.limits)
    for tile in tiles:
        assert pairs(sweep(world.legs, world.limits, tile, grid)) == {(0, int(k)) for k in tile.order if k != 0}


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
    assert plan_tiles(world.legs, world.limits, most_tiles=4) == []
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
