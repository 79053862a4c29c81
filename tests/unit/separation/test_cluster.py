"""The search by other processes: a real scheduler with two workers on this machine."""

from __future__ import annotations

import gc
import math
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from socket import create_server

import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster

from keepclear.cli.app import run
from keepclear.errors import InputError
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Report
from keepclear.model.footprints import Circle
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Operation
from keepclear.separation import cluster, cluster_tiles
from keepclear.separation.checking import check
from keepclear.separation.cluster import search_on_cluster
from keepclear.separation.judging import judge_moving
from keepclear.separation.legs import Legs
from keepclear.separation.minima import MinimaTable
from keepclear.separation.search import join
from keepclear.separation.world import World, compile_world
from tests.reference.made import at, operation, track, zone
from tests.unit.separation.test_search import random_world

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as started:
        yield started.scheduler_address


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_tiles, "_LEAST_TILE", 5)


def placed(legs: Legs, hits: np.ndarray) -> list[tuple[bytes, ...]]:
    """Pairs of legs as their operations and ends: numbers that do not depend on which other legs there are."""

    def name(leg: int) -> tuple[bytes, bytes]:
        ends = legs.points[leg : leg + 2][:, [0, 1, 2, 3, 4, -1]]
        return legs.operation[legs.piece_of[leg]].tobytes(), ends.tobytes()

    return sorted((*name(int(i)), *name(int(j))) for i, j in hits)


def judged(world: World, legs: Legs, hits: np.ndarray) -> list[tuple[bytes, ...]]:
    """Those of the pairs that are too close, or may be: how much wider a search was does not show in them."""
    evidence = judge_moving(replace(world, legs=legs), hits=hits)
    return placed(legs, hits[np.unique(evidence.row)])


def both(world: World, scheduler: str, **options: object) -> tuple[Report, Report]:
    here, there = (
        check(world.operations, world.zones, scheduler=where, **options)  # type: ignore[arg-type]
        for where in (None, scheduler)
    )
    return replace(here, elapsed_s=0.0), replace(there, elapsed_s=0.0)


@pytest.mark.parametrize("seed", [1, 3, 11, 12])
@pytest.mark.usefixtures("small_tiles")
def test_it_finds_what_threads_find(seed: int, scheduler: str) -> None:
    world = random_world(seed, MinimaTable.default(), slips=seed % 2 == 1, references=[*HeightReference])
    seen: list[float] = []
    found = search_on_cluster(world, scheduler, progress=seen.append)
    pairs = placed(found.legs, found.hits)
    assert pairs
    assert len(set(pairs)) == len(pairs), "each pair once"
    assert judged(world, found.legs, found.hits) == judged(world, world.legs, join(world.legs, world.limits)) != []
    assert found.has_gaps == (len(world.legs.gap_operation) > 0)
    assert len(seen) > 2, "each worker had tiles to do"
    assert seen[-1] == 1.0


@pytest.mark.usefixtures("small_tiles")
def test_workers_are_sent_a_few_tiles_ahead_and_no_more(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or they would have to hold a whole day, however few of its tiles they work on."""
    world = random_world(3, MinimaTable.default(), slips=True, references=[*HeightReference])
    steps: list[int] = []
    asked, result = cluster._Asking._asked, cluster._Asking._result

    def counted_asked(self: cluster._Asking, number: int) -> object:
        steps.append(1)
        return asked(self, number)

    def counted_result(self: cluster._Asking, future: object) -> object:
        steps.append(-1)
        return result(self, future)

    monkeypatch.setattr(cluster, "_AT_ONCE_PER_THREAD", 1)
    monkeypatch.setattr(cluster._Asking, "_asked", counted_asked)
    monkeypatch.setattr(cluster._Asking, "_result", counted_result)
    assert len(search_on_cluster(world, scheduler).hits) > 0
    assert steps.count(1) == steps.count(-1) > 2
    assert max(np.cumsum(steps)) == 2, "for two workers of one thread"


@pytest.mark.usefixtures("small_tiles")
def test_a_worker_keeps_memory_from_tile_to_tile_and_no_longer_than_the_search(scheduler: str) -> None:
    world = random_world(3, MinimaTable.default(), slips=True, references=[*HeightReference])
    seen: list[list[int]] = []
    with Client(scheduler) as client:

        def rooms() -> list[list[int]]:
            """For each worker, and each search that it knows of, how many arrays it keeps."""
            here = client.run(lambda: [len(one) for one in cluster._ROOMS.values()])
            return list(here.values())

        search_on_cluster(world, scheduler, progress=lambda _: seen.extend(rooms()))
        assert max(len(one) for one in seen) == 1, "for one search"
        assert {many for one in seen for many in one} <= {0, 1}, "one thread has no use for two"
        assert [1] in seen
        deadline = time.monotonic() + 30.0
        while any(rooms()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert rooms() == [[], []]


@pytest.mark.usefixtures("small_tiles")
def test_threads_of_one_worker_do_not_share_what_they_keep() -> None:
    worlds = [
        random_world(seed, MinimaTable.default(), slips=True, references=[*HeightReference]) for seed in (3, 5, 6)
    ]
    with LocalCluster(
        n_workers=1, threads_per_worker=4, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as started:
        for world in worlds * 5:
            here, there = both(world, started.scheduler_address)
            assert here.conflicts
            assert there == here


@pytest.mark.parametrize("seed", [3, 5, 6])
@pytest.mark.usefixtures("small_tiles")
def test_a_check_there_says_the_same(seed: int, scheduler: str) -> None:
    world = random_world(seed, MinimaTable.default(), slips=True, references=[*HeightReference])
    here, there = both(world, scheduler)
    assert here.conflicts
    assert there == here


@pytest.mark.usefixtures("small_tiles")
def test_legs_that_are_cut_and_slips_by_position_are_in_the_right_tiles(scheduler: str) -> None:
    rng = np.random.default_rng(4)
    operations = []
    for k in range(12):
        seconds = np.sort(rng.uniform(0.0, 3600.0, 8))
        lon, lat = 7.0 + np.cumsum(rng.uniform(-0.4, 0.4, 8)), 47.0 + np.cumsum(rng.uniform(-0.2, 0.2, 8))
        slips = (np.where(rng.random(8) < 0.2, math.inf, rng.uniform(0.0, 200.0, 8)) for _ in range(2))
        steady = Track(1.6e9 + seconds, lon, lat, rng.uniform(0.0, 900.0, 8))
        slipping = replace(steady, early_s=next(slips), late_s=next(slips)) if k % 3 == 0 else steady
        operations.append(Operation(f"P{k}", "1", tracks=(slipping,)))
    world = compile_world(operations, (), minima=MinimaTable.default(), compare_own=False)
    assert len(world.legs.points) > 12 * 8, "some legs are cut"
    found = search_on_cluster(world, scheduler)
    assert judged(world, found.legs, found.hits) == judged(world, world.legs, join(world.legs, world.limits)) != []


@pytest.mark.usefixtures("small_tiles")
def test_gaps_and_zones_are_judged_too(scheduler: str) -> None:
    silent = operation(
        "A", track((0, -2000, 0, 1000), (100, 2000, 0, 1000), (130, 3000, 0, 1000), basis=TrackBasis.FLOWN)
    )
    other = operation("B", *(track((t, 0, 0, 1000), (t + 40, 200, 0, 1000)) for t in (0, 30, 60, 90)))
    inside = zone(ZoneKind.NO_GO_AREA, Volume(Circle(*at(3000.0, 0.0), 500.0)))
    for zones in ((), (inside,)):
        world = compile_world((silent, other), zones, minima=MinimaTable.single(500.0, 100.0), compare_own=False)
        here, there = both(world, scheduler, minima=MinimaTable.single(500.0, 100.0))
        assert len(here.conflicts) == 1 + len(zones)
        assert there == here


@pytest.mark.usefixtures("small_tiles")
def test_what_does_not_fit_in_memory_is_spilled_and_the_answer_is_the_same() -> None:
    rng = np.random.default_rng(8)
    seconds = np.arange(0.0, 30_000.0)
    level = np.full(len(seconds), 900.0)
    operations = [
        operation(party, track(*zip(seconds, *rng.normal(0.0, 300.0, (2, len(level))), level, strict=True)))
        for party in "ABCDEF"
    ]
    options = {"minima": MinimaTable.single(5.0, 100.0)}
    never = dict.fromkeys(("spill", "pause", "terminate"), False)  # by the whole process, which holds this test too
    with (
        dask.config.set({f"distributed.worker.memory.{name}": value for name, value in never.items()}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1",
            dashboard_address="127.0.0.1:0", memory_limit="1MB",
        ) as started,
    ):  # fmt: skip
        here, there = both(
            compile_world(operations, (), compare_own=False, **options), started.scheduler_address, **options
        )
        moved = started.workers[0].data.cumulative_metrics
    assert moved[("disk-write", "bytes")] > 1e6
    assert moved[("disk-read", "bytes")] > 1e6, "what was spilled was needed again"
    assert here.conflicts
    assert there == here


def test_nothing_to_search(scheduler: str) -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    assert search_on_cluster(world, scheduler).hits.shape == (0, 2)


def test_a_world_whose_legs_are_left_to_others_can_still_have_them() -> None:
    whole = random_world(3, MinimaTable.default(), slips=False, references=[HeightReference.W84])
    without = compile_world(whole.operations, (), minima=MinimaTable.default(), compare_own=False, with_legs=False)
    assert len(without.legs.points) == 0
    assert without.input_legs == whole.legs.input_legs
    assert np.array_equal(without.with_legs().legs.points, whole.legs.points)


@pytest.mark.parametrize("address", ["nonsense://x", "not an address"])
def test_what_is_no_address_is_an_input_error(address: str) -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with pytest.raises(InputError, match="scheduler"):
        search_on_cluster(world, address)


def test_a_scheduler_that_does_not_answer_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepclear.separation.cluster._CONNECT_S", 1)
    with closing(create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with pytest.raises(InputError, match="no scheduler answers"):
        search_on_cluster(world, f"tcp://127.0.0.1:{port}")


def test_an_encrypted_address_without_certificates_is_an_input_error() -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with pytest.raises(InputError, match=r"no scheduler can be asked: TLS expects .*; certificates in Dask's settings"):
        search_on_cluster(world, "tls://127.0.0.1:1")


def test_certificates_that_are_not_there_are_an_input_error(tmp_path: Path) -> None:
    names = ("ca-file", "client.cert", "client.key")
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with (
        dask.config.set({f"distributed.comm.tls.{name}": str(tmp_path / "none.pem") for name in names}),
        pytest.raises(InputError, match=r"can be asked: .*No such file.*; certificates in Dask's settings"),
    ):
        search_on_cluster(world, "tls://127.0.0.1:1")


@pytest.mark.parametrize("address", ["nonsense://x", "not an address", "tcp://127.0.0.1:1", "tls://127.0.0.1:1"])
def test_nothing_that_could_not_begin_is_left_to_be_ended_later(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask's client ends when it is garbage, which would wait for ever if the next one began at that moment."""
    monkeypatch.setattr("keepclear.separation.cluster._CONNECT_S", 1)
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    gc.collect()
    gc.disable()
    try:
        before = {id(one) for one in gc.get_objects() if isinstance(one, Client)}
        with pytest.raises(InputError, match="no scheduler"):
            search_on_cluster(world, address)
        left = [one for one in gc.get_objects() if isinstance(one, Client) and id(one) not in before]
        assert {one.status for one in left} <= {"closed"}
    finally:
        gc.enable()


def test_a_scheduler_without_workers_is_an_input_error() -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with (
        LocalCluster(n_workers=0, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0") as started,
        pytest.raises(InputError, match="no workers"),
    ):
        search_on_cluster(world, started.scheduler_address)


def test_a_worker_that_dies_costs_only_what_it_was_sent() -> None:
    """Its tiles, and the rules if they were nowhere else, are sent again: here to the worker that takes its place."""
    world = random_world(3, MinimaTable.default(), slips=True, references=[*HeightReference])
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 10}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as started,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(cluster_tiles, "_LEAST_TILE", 5)
        whole = search_on_cluster(world, started.scheduler_address)
        with Client(started.scheduler_address) as client:
            (pid,) = client.run(os.getpid).values()
        seen: list[float] = []

        def kill_after_the_first(share: float) -> None:
            seen.append(share)
            if len(seen) == 1:
                os.kill(pid, signal.SIGKILL)

        found = search_on_cluster(world, started.scheduler_address, progress=kill_after_the_first)
    assert seen[-1] == 1.0
    assert len(found.hits) > 0
    assert np.array_equal(found.hits, whole.hits)
    assert np.array_equal(found.legs.points, whole.legs.points)


@pytest.mark.usefixtures("small_tiles")
def test_workers_that_cannot_be_reached_from_here_are_sent_their_parts_by_the_scheduler(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = random_world(5, MinimaTable.default(), slips=False, references=[*HeightReference])
    straight = search_on_cluster(world, scheduler)
    with Client(scheduler) as client:
        assert client.sync(cluster._all_answer, client)
        monkeypatch.setattr(cluster, "_REACH_S", 0)  # nobody answers within no time
        assert not client.sync(cluster._all_answer, client)
    through = search_on_cluster(world, scheduler)
    assert len(through.hits) > 0
    assert np.array_equal(through.hits, straight.hits)
    assert np.array_equal(through.legs.points, straight.legs.points)


def test_a_worker_that_fails_is_told_of(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = random_world(5, MinimaTable.default(), slips=False, references=[*HeightReference])
    monkeypatch.setattr(cluster, "_search_part", lambda *_: [].pop())
    with pytest.raises(InputError, match="scheduler: a worker failed: IndexError: pop from empty list"):
        search_on_cluster(world, scheduler)


def _check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = run(["check", *map(str, arguments), "--quiet"])
    printed = capsys.readouterr()
    return status, re.sub(r'"elapsed_s": ?[0-9.e-]+', "", printed.out), printed.err


def test_the_command_says_the_same_with_a_cluster(
    scheduler: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    rows = [
        f"{name},{name},{1.6e9 + 10 * k:.0f},{47.0 + side * (0.02 - 0.001 * k)},7.0,900"
        for k in range(30)
        for name, side in (("A", 1), ("B", -1), ("C", 3))  # not together: their rows take turns
    ]
    good.write_text("\n".join(["operation,party,time,lat,lon,height_m", *rows]) + "\n")
    bad.write_text(good.read_text() + "A,A,1,47.0,7.0,900\nB,B,1700000000,470.0,7.0,high\n")
    for file, expected in ((good, 1), (bad, 2)):
        here = _check(capsys, file, "--format", "json")
        there = _check(capsys, file, "--format", "json", "--scheduler", scheduler)
        assert here[0] == expected
        assert there == here
    assert here[2].count("bad.csv: line 93: ") == 2
