"""The search on a Dask cluster: the same tiles, each sent to a worker with the legs it needs and nothing else.

The workers hold the tiles as ordinary Dask data, so what does not fit in their memory is spilled to their disks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.separation.legs import Legs
from keepclear.separation.search import Limits, Tile, grid_of, plan_tiles, sweep
from keepclear.separation.world import World

__all__ = ["join_on_cluster"]

_TILES_PER_THREAD = 4
_CONNECT_S = 10


def join_on_cluster(
    world: World, address: str, *, progress: Callable[[float], None] | None = None
) -> npt.NDArray[np.int32]:
    """Pairs of legs as `search.join` finds them, by the workers of the scheduler at `address`.

    Raises
    ------
    InputError
        If Dask is not installed, nobody answers at `address`, or the scheduler has no workers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            Fault("a cluster needs Dask", "pip install 'keepclear[cluster]'", field="scheduler", value=address)
        ) from None
    try:
        client = Client(address, timeout=_CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            Fault(
                f"no scheduler answers: {error}",
                "an address like tcp://10.0.0.5:8786",
                field="scheduler",
                value=address,
            )
        ) from None
    with client:
        threads = sum(client.nthreads().values())
        if threads == 0:
            raise InputError(Fault("the scheduler has no workers", "start some", field="scheduler", value=address))
        return _gathered(client, world, threads, progress)


def _gathered(
    client: Any, world: World, threads: int, progress: Callable[[float], None] | None
) -> npt.NDArray[np.int32]:
    from distributed import as_completed

    legs, limits = world.legs, world.limits
    tiles = plan_tiles(legs, limits, most_tiles=_TILES_PER_THREAD * threads)
    grid = grid_of(legs, limits)
    futures = [
        client.submit(_sweep_part, client.scatter((part, rows), hash=False), limits, tile, grid, pure=False)
        for part, rows, tile in _parts(legs, tiles)
    ]
    found: dict[int, npt.NDArray[np.int32]] = {}
    places = {future.key: k for k, future in enumerate(futures)}
    for done, future in enumerate(as_completed(futures), start=1):
        found[places[future.key]] = future.result()
        if progress is not None:
            progress(done / len(futures))
    return np.concatenate([found[k] for k in sorted(found)]) if found else np.empty((0, 2), np.int32)


def _parts(legs: Legs, tiles: list[Tile]) -> Iterator[tuple[Legs, npt.NDArray[np.int32], Tile]]:
    """For each tile: the legs it needs, the rows of `legs.points` they are, and the tile in their numbers."""
    for tile in tiles:
        wanted = np.unique(np.concatenate((tile.order, tile.carried)))
        rows = np.unique(np.concatenate((wanted, wanted + 1))).astype(np.int32)
        piece_of = np.full(len(rows), -1, dtype=np.int32)
        piece_of[np.searchsorted(rows, wanted)] = legs.piece_of[wanted]
        part = replace(legs, points=legs.points[rows], piece_of=piece_of)
        order, carried = (np.searchsorted(rows, which).astype(np.int32) for which in (tile.order, tile.carried))
        yield part, rows, replace(tile, order=order, carried=carried)


def _sweep_part(
    sent: tuple[Legs, npt.NDArray[np.int32]], limits: Limits, tile: Tile, grid: Any
) -> npt.NDArray[np.int32]:
    """Runs on a worker."""
    part, rows = sent
    hits = sweep(part, limits, tile, grid)
    return rows[hits]
