"""The search by other processes: a real scheduler with two workers on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from socket import create_server

import pytest
from distributed import LocalCluster

from keepclear.errors import InputError
from keepclear.model.heights import HeightReference
from keepclear.separation import search
from keepclear.separation.checking import check
from keepclear.separation.cluster import join_on_cluster
from keepclear.separation.minima import MinimaTable
from keepclear.separation.search import join
from keepclear.separation.world import compile_world
from tests.unit.separation.test_search import pairs, random_world

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.parametrize("seed", [1, 11])
def test_it_finds_what_threads_find(seed: int, scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_LEAST_TILE", 5)
    world = random_world(seed, MinimaTable.default(), slips=True, references=[HeightReference.W84])
    seen: list[float] = []
    found = pairs(join_on_cluster(world, scheduler, progress=seen.append))
    assert found
    assert found == pairs(join(world.legs, world.limits))
    assert len(seen) > 2, "each worker had tiles to do"
    assert seen[-1] == 1.0


def test_a_check_there_says_the_same(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_LEAST_TILE", 5)
    world = random_world(3, MinimaTable.default(), slips=False, references=[*HeightReference])
    here, there = check(world.operations), check(world.operations, scheduler=scheduler)
    assert here.conflicts
    assert there.conflicts == here.conflicts


def test_nothing_to_search(scheduler: str) -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    assert join_on_cluster(world, scheduler).shape == (0, 2)


@pytest.mark.parametrize("address", ["nonsense://x", "not an address"])
def test_what_is_no_address_is_an_input_error(address: str) -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with pytest.raises(InputError, match="scheduler"):
        join_on_cluster(world, address)


def test_a_scheduler_that_does_not_answer_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepclear.separation.cluster._CONNECT_S", 1)
    with closing(create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with pytest.raises(InputError, match="no scheduler answers"):
        join_on_cluster(world, f"tcp://127.0.0.1:{port}")


def test_a_scheduler_without_workers_is_an_input_error() -> None:
    world = compile_world((), (), minima=MinimaTable.default(), compare_own=False)
    with (
        LocalCluster(n_workers=0, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(InputError, match="no workers"),
    ):
        join_on_cluster(world, cluster.scheduler_address)
