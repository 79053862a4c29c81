"""The search: every pair of legs that may come too close, found without looking at every pair.

A day is cut into tiles of time (`separation.tiles`), and each tile is swept region by region (`separation.sweeping`).
Each pair is met once: in the tile and the region in which its later leg begins, however uneven the legs are. The search
may widen; the verdict is the pair test's. Threads or a cluster work on tiles independently.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.separation.legs import Legs
from keepclear.separation.settling import SLACK_M
from keepclear.separation.sweeping import BLOCK, sweep_tile
from keepclear.separation.threads import workers
from keepclear.separation.tiles import Limits, Tile, plan_tiles

__all__ = ["Limits", "Tile", "grid_of", "join", "plan_tiles", "sweep"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_SMALLEST_CELL_M = 250.0  # 2¹⁶ squares then reach across the Earth
_CELL_PER_REACH = 2.5
_LEAST_CARRIED = 1024
_QUESTION_COST = 100.0
"""A question costs about as much as looking at so many legs."""


def join(
    legs: Legs,
    limits: Limits,
    *,
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
    from_s: float = -math.inf,
    to_s: float = math.inf,
) -> npt.NDArray[np.int32]:
    """Pairs of legs of different operations that come, or may come, closer than their minima.

    Parameters
    ----------
    jobs
        Threads to use.
    progress
        Called with the share done, from 0 to 1, after each tile.
    from_s, to_s
        Only pairs whose later leg begins from the one up to the other, slip included.

    Returns
    -------
    ndarray of int32, shape (pairs, 2)
        Indices of the legs' first points; each pair once, the one of the lower operation first. In the order in which
        the later legs begin, whatever the tiles: of two equally near, the judges tell of the first. Where heights do
        not compare, or times slip, there may be more that do not come close after all; which depends on the tiles.
    """
    with workers(jobs) as each:
        tiles = plan_tiles(legs, limits, jobs=jobs, each=each, from_s=from_s, to_s=to_s)
        if not tiles or not len(limits.horizontal_m):
            return np.empty((0, 2), np.int32)
        question = _question(legs, limits)
        rooms: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        for _ in range(max(1, jobs)):
            rooms.put(None)

        def one(tile: Tile) -> npt.NDArray[np.int32]:
            room = rooms.get()
            try:
                room = room or _room(tiles, question.most_places)  # by the thread that will use it
                return _swept(legs, question, tile, room)
            finally:
                rooms.put(room)

        found = np.empty((0, 2), np.int32)
        for done, hits in enumerate(each(one, tiles), start=1):
            known = len(found)
            found.resize((known + len(hits), 2), refcheck=False)  # in place: a list of all and one array are twice them
            found[known:] = hits
            if progress is not None:
                progress(done / len(tiles))
    return found


def sweep(legs: Legs, limits: Limits, tile: Tile) -> npt.NDArray[np.int32]:
    """Pairs of which the later leg begins in this tile; see `join`."""
    question = _question(legs, limits)
    return _swept(legs, question, tile, _room([tile], question.most_places))


@dataclass(frozen=True, slots=True)
class _Question:
    """What `sweep_tile` is told of every tile, and in how many places one leg may have to look."""

    arrays: tuple[Any, ...]
    most_places: int


def _question(legs: Legs, limits: Limits) -> _Question:
    group, cell, reach = grid_of(legs, limits)
    far = np.maximum(reach.max(axis=0), 0.0) + 0.5 * legs.longest_m.max() + 2.0 * SLACK_M
    return _Question(
        (
            legs.points, legs.piece_of, legs.operation, legs.sort, legs.reference, legs.uncertainty_m, legs.early_s,
            (legs.early_s > 0.0) | (legs.late_s > 0.0), legs.late_s + limits.time_s.max(axis=1)[legs.sort],
            limits.party, limits.compare_own, limits.horizontal_m, limits.vertical_m, limits.time_s,
            limits.vertical_m.max(axis=1), _widest(legs, limits, group), group, cell, reach,
        ),
        int((6.0 * (2.01 * far / cell + 2.0) ** 2).max()),
    )  # fmt: skip


def _room(tiles: list[Tile], most_places: int) -> tuple[Any, ...]:
    """Room for `sweep_tile` to work in: asked for once, since new memory costs as much as filling it.

    The first array has a row for each leg of a tile, and for some of those carried into it, if any are.
    """
    home = max(len(tile.legs) for tile in tiles)
    many = home + min(max(home, _LEAST_CARRIED), max(tile.most_carried for tile in tiles))
    asks, behind = home + 1024 + most_places, home + BLOCK
    mask = np.zeros(behind // 8 * 8 + BLOCK, np.uint8)
    return (
        np.empty((many, 8), np.float32), np.empty((many, 5), np.int32), np.zeros((6, behind), np.float32),
        np.zeros((2, behind), np.int32), np.empty((asks, 6), np.float32), np.empty((asks, 4), np.int32),
        np.empty((2 * home + 1024, 2), np.int32), np.empty((5, home), np.int64), np.empty((home, 4)),
        np.full((2, 1 << (2 * home).bit_length()), -1, np.int32), np.empty(3 * home + 2048, np.int32),
        np.empty(many, np.int32), mask, mask.view(np.uint64),
    )  # fmt: skip


def _swept(legs: Legs, question: _Question, tile: Tile, room: tuple[Any, ...]) -> npt.NDArray[np.int32]:
    hits = _hits(question, tile, room)
    if len(hits) < 2:
        return hits
    key = np.sort(hits[:, 0].astype(np.int64) << 32 | hits[:, 1])
    i, j = key >> 32, key & 0xFFFFFFFF
    start_i, start_j = (legs.points[one, 3] - legs.early_s[legs.piece_of[one]] for one in (i, j))
    order = np.argsort(np.maximum(start_i, start_j), kind="stable")
    return np.stack((i, j), axis=1)[order].astype(np.int32)


def _hits(question: _Question, tile: Tile, room: tuple[Any, ...]) -> Ints:
    """What `sweep_tile` finds: the legs of a tile are asked for by as many at a time of those carried as have room."""
    if not len(tile.legs):
        return np.empty((0, 2), np.int32)
    carried, at_once = tile.carried, len(room[0]) - len(tile.legs)
    found: list[Ints] = []
    for at in range(0, max(1, len(carried)), max(1, at_once)):
        some, is_first = carried[at : at + at_once], at == 0
        of_tile = question.most_places, _QUESTION_COST, tile.legs, some, is_first, tile.start_s, tile.length_s
        arguments: tuple[Any, ...] = (*question.arrays, *of_tile, *room)
        found.append(sweep_tile(*arguments))
    return found[0] if len(found) == 1 else np.concatenate(found)


def _widest(legs: Legs, limits: Limits, group: Ints) -> Array:
    """Widest minimum, doubt included, of each row of the minima with those of a group; -1 where there is none."""
    doubt = 2.0 * float(legs.uncertainty_m.max(initial=0.0))
    bound = np.where(limits.horizontal_m > 0.0, limits.horizontal_m + doubt, -1.0)
    return np.ascontiguousarray(np.stack([bound[:, group == g].max(axis=1) for g in range(group.max() + 1)], axis=1))


def grid_of(legs: Legs, limits: Limits) -> tuple[Ints, Array, Array]:
    """Group of each row of the minima, size of the squares of each group, and how far row a must look in group g.

    Rows with minima of a like size share a grid, so that a few wide ones do not coarsen the grid of the others.
    """
    rows = len(limits.horizontal_m)
    doubt = 2.0 * float(legs.uncertainty_m.max(initial=0.0))
    own = np.maximum(limits.horizontal_m.diagonal(), _SMALLEST_CELL_M) + legs.longest_m
    scale = np.floor(np.log2(own) / 2.0).astype(np.int32)
    values, group = np.unique(scale, return_inverse=True)
    reach = np.full((rows, len(values)), -1.0)
    for a in range(rows):
        for b in range(rows):
            if limits.horizontal_m[a, b] > 0.0:
                distance = limits.horizontal_m[a, b] + doubt + 0.5 * legs.longest_m[b] + 1.0
                reach[a, group[b]] = max(reach[a, group[b]], distance)
    cell = np.maximum(
        _CELL_PER_REACH * np.array([reach[group == g, g].max() for g in range(len(values))]), _SMALLEST_CELL_M
    )
    # Whoever looks far into a fine grid must not have to look into millions of squares.
    cell = np.maximum(cell, 0.25 * reach.max(axis=0, initial=0.0))
    return group.astype(np.int32), cell, reach
