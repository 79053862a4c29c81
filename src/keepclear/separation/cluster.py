"""The search on a Dask cluster: tiles of time, each sent to a worker as the pieces of tracks that matter in it.

A worker compiles the legs of its tile, searches them, and sends back only the legs that came close. So what is sent is
32 bytes a position, and no machine compiles more than its share. Parts are ordinary Dask data: what does not fit in the
workers' memory is spilled to their disks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.geo.kernel import kernel
from keepclear.model.kinds import Domain
from keepclear.model.operations import Operation
from keepclear.separation.legs import Legs, TrackColumns, columns_of, compile_legs, with_both_heights
from keepclear.separation.search import Limits, Tile, plan_tiles, sweep
from keepclear.separation.sorts import Sorts
from keepclear.separation.world import World, lengths_to_cut

__all__ = ["Found", "search_on_cluster"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]

_TILES_PER_THREAD = 4
_LEAST_TILE = 50_000
_CONNECT_S = 10
_SLACK_S = 1e-3
_OF_POSITION = ("time_s", "lon_deg", "lat_deg", "height_m")
_TOLERANCES = ("uncertainty_m", "early_s", "late_s")


@dataclass(frozen=True, slots=True)
class Found:
    """What the workers found.

    Attributes
    ----------
    legs
        The legs that came close to another, and no others; there are no gaps among them.
    hits
        Shape (pairs, 2): as `search.join` has them, in those legs.
    has_gaps
        Whether any track has a gap.
    """

    legs: Legs
    hits: Ints
    has_gaps: bool


@dataclass(frozen=True, slots=True)
class _Rules:
    """What every worker must know, whichever tile it works on; operations are numbered through all tiles."""

    limits: Limits
    of_operation: Ints
    of_high_legs: Ints
    longest_m: Array
    on_ground: npt.NDArray[np.bool_]


def search_on_cluster(world: World, address: str, *, progress: Callable[[float], None] | None = None) -> Found:
    """Pairs of legs as `search.join` finds them, by the workers of the scheduler at `address`.

    Parameters
    ----------
    world
        Its own legs are not used, and need not be compiled.

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


def _gathered(client: Any, world: World, threads: int, progress: Callable[[float], None] | None) -> Found:
    from distributed import as_completed

    rules = client.scatter([_rules(world)], broadcast=True, hash=False)[0]
    columns = columns_of(world.operations, dict(world.gap_limits_s))
    futures = []
    for low, high, part in _parts(columns, world.limits, _TILES_PER_THREAD * threads):
        sent = client.scatter([part], hash=False)[0]
        futures.append(client.submit(_search_part, rules, sent, low, high, pure=False))
        del sent
    del columns
    found: dict[int, tuple[Any, ...]] = {}
    places = {future.key: k for k, future in enumerate(futures)}
    for done, future in enumerate(as_completed(futures), start=1):
        found[places[future.key]] = future.result()
        future.release()
        if progress is not None:
            progress(done / len(futures))
    return _together(world.legs, [found[k] for k in sorted(found)])


def _rules(world: World) -> _Rules:
    sorts: Sorts = world.sorts
    surface = {Domain.GROUND, Domain.SEA}
    on_ground = np.fromiter((o.domains <= surface for o in world.operations), np.bool_, len(world.operations))
    return _Rules(world.limits, sorts.of_operation, sorts.of_high_legs, lengths_to_cut(sorts), on_ground)


def _parts(columns: TrackColumns, limits: Limits, most: int) -> Iterator[tuple[float, float, tuple[Any, ...]]]:
    """Tiles as their first and last time, and the columns of what is under way then."""
    early, late = (_by_track(columns, getattr(columns, name)) for name in ("early_s", "late_s"))
    late = late + limits.time_s.max(initial=0.0)
    for low, high in pairwise(_edges(columns.time_s, most)):
        begin, stop = _ranges(columns.time_s, columns.first, early, late, low - _SLACK_S, high + _SLACK_S)
        tracks = np.flatnonzero(stop > begin)
        counts = (stop - begin)[tracks]
        first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
        rows = np.repeat(begin[tracks] - first[:-1], counts) + np.arange(first[-1])
        by_row = (*_OF_POSITION, *(_TOLERANCES if columns.by_position else ()))
        taken = {
            field.name: getattr(columns, field.name)[rows if field.name in by_row else tracks]
            for field in fields(columns)
            if field.name != "first"
        }
        # As plain arrays: Dask knows how large those are, and so when to spill them.
        yield low, high, tuple(first if field.name == "first" else taken[field.name] for field in fields(columns))


def _edges(time_s: Array, most: int) -> list[float]:
    """Times between which about equal numbers of positions lie, from the beginning to the end of time."""
    tiles = max(1, min(most, len(time_s) // _LEAST_TILE))
    sample = time_s[:: max(1, len(time_s) // 100_000)]
    inner = np.unique(np.quantile(sample, np.linspace(0.0, 1.0, tiles + 1)[1:-1])) if tiles > 1 else np.empty(0)
    return [-math.inf, *inner.tolist(), math.inf]


def _by_track(columns: TrackColumns, tolerance: Array) -> Array:
    """The largest in each track of a tolerance."""
    if not columns.by_position or not len(tolerance):
        return tolerance
    return np.asarray(np.maximum.reduceat(tolerance, columns.first[:-1]))


@kernel
def _ranges(time_s, first, early, late, low, high):  # type: ignore[no-untyped-def]
    """Which positions of each track bound a leg under way between two times; empty ranges where none does.

    One position more at both ends: what stands alone after a silence is told from what a leg leads to.
    """
    tracks = first.shape[0] - 1
    begin, stop = np.zeros(tracks, np.int64), np.zeros(tracks, np.int64)
    for track in range(tracks):
        start, end = first[track], first[track + 1]
        after = start + np.searchsorted(time_s[start:end], low - late[track])
        before = start + np.searchsorted(time_s[start:end], high + early[track])
        if after < end and before > start:
            begin[track], stop[track] = max(start, after - 2), min(end, before + 2)
    return begin, stop


def _search_part(rules: _Rules, part: tuple[Any, ...], low: float, high: float) -> tuple[Any, ...]:
    """Runs on a worker: the legs of a tile that come close, their pairs, and whether there are gaps."""
    # What was sent, or was on disk, may be read-only or not aligned: to a kernel another type, which it would have to
    # be compiled for.
    columns = TrackColumns(*map(_own_array, part))
    rules = replace(rules, limits=_own(rules.limits), **{
        name: _own_array(getattr(rules, name)) for name in ("of_operation", "of_high_legs", "longest_m")
    })  # fmt: skip
    legs = compile_legs(columns, _Standing.of(rules.on_ground), rules.of_operation, rules.of_high_legs, rules.longest_m)
    hits = np.empty((0, 2), np.int32)
    for tile in plan_tiles(legs, rules.limits, most_tiles=1):
        hits = sweep(legs, rules.limits, _between(tile, legs, rules.limits, low, high))
    return (*_only(legs, hits), len(legs.gap_operation) > 0)


def _own_array(array: Any) -> Any:
    return np.require(array, requirements=("C", "A", "W", "O"))


def _own(limits: Limits) -> Limits:
    arrays = ("horizontal_m", "vertical_m", "time_s", "party")
    return replace(limits, **{name: _own_array(getattr(limits, name)) for name in arrays})


@dataclass(frozen=True, slots=True)
class _Standing:
    """Stands for an operation where only its domains are asked for."""

    domains: frozenset[Domain]

    @staticmethod
    def of(on_ground: npt.NDArray[np.bool_]) -> Sequence[Operation]:
        ground, air = _Standing(frozenset({Domain.GROUND})), _Standing(frozenset({Domain.AIR}))
        return cast("list[Operation]", [ground if flag else air for flag in on_ground.tolist()])


def _between(tile: Tile, legs: Legs, limits: Limits, low: float, high: float) -> Tile:
    """The legs of a tile that begin from `low` up to `high`, and those under way at `low`."""
    piece = legs.piece_of[tile.order]
    start = legs.points[tile.order, 3] - legs.early_s[piece]
    reach = legs.points[tile.order + 1, 3] + legs.late_s[piece] + limits.time_s.max(axis=1)[legs.sort[piece]]
    inside = (start >= low) & (start < high)
    counted = np.concatenate((np.zeros(1, np.int64), np.cumsum(inside)))
    carried = tile.order[(start < low) & (reach >= low - _SLACK_S)]
    return replace(tile, order=tile.order[inside], slices=counted[tile.slices], carried=carried)


_OF_PIECE = ("operation", "sort", "reference", "uncertainty_m", "early_s", "late_s")


def _only(legs: Legs, hits: Ints) -> tuple[Any, ...]:
    """The legs of `hits` alone, each a piece of its own with two points, and the hits in their numbers."""
    wanted, which = np.unique(hits, return_inverse=True)
    points = legs.points[np.column_stack((wanted, wanted + 1)).ravel()]
    piece = legs.piece_of[wanted]
    numbered = (2 * which.reshape(hits.shape)).astype(np.int32)
    return points, numbered, tuple(getattr(legs, name)[piece] for name in _OF_PIECE), legs.longest_m


def _together(empty: Legs, parts: list[tuple[Any, ...]]) -> Found:
    """What all workers found, as one."""
    if not parts:
        return Found(empty, np.empty((0, 2), np.int32), has_gaps=False)
    points, hits, of_piece, longest, gaps = zip(*parts, strict=True)
    before = np.concatenate(([0], np.cumsum([len(some) for some in points])[:-1])).astype(np.int32)
    if len({some.shape[1] for some in points}) > 1:  # only some tiles hold heights above mean sea level
        points = tuple(with_both_heights(some) for some in points)
    together = np.ascontiguousarray(np.concatenate(points))
    piece_of = np.full(len(together), -1, np.int32)
    piece_of[::2] = np.arange(len(together) // 2, dtype=np.int32)
    attributes: dict[str, Any] = {
        name: np.concatenate(columns) for name, columns in zip(_OF_PIECE, zip(*of_piece, strict=True), strict=True)
    }
    longest_m = np.max(longest, axis=0)
    legs = replace(empty, points=together, piece_of=piece_of, longest_m=longest_m, **attributes)
    numbered = np.concatenate([some + first for some, first in zip(hits, before, strict=True)])
    return Found(legs, numbered, any(gaps))
