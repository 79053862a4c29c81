"""The search on a Dask cluster: tiles of time, each sent to a worker as the pieces of tracks that matter in it.

A worker compiles the legs of its tile, searches them, and sends back only the legs that came close. So what is sent is
32 bytes a position, and no machine compiles more than its share. A worker is sent a few tiles ahead and no more, so it
needs room for those, however long the day is. Parts are ordinary Dask data: what does not fit in the workers' memory
all the same is spilled to their disks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from queue import SimpleQueue
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.separation.cluster_tiles import ClusterTiles, Part, columns_of_part, own_array
from keepclear.separation.kept import Kept
from keepclear.separation.legs import Legs, columns_of, compile_legs, with_both_heights
from keepclear.separation.search import Limits, join
from keepclear.separation.sorts import Sorts
from keepclear.separation.world import World, lengths_to_cut

__all__ = ["Found", "search_on_cluster"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_TILES_PER_THREAD = 8
_AT_ONCE_PER_THREAD = 3
"""One that is searched, one that is there when it is done, and one on its way: a worker holds no more of the day."""
_CONNECT_S = 10
_REACH_S = 2
_MOST_LOST = 3
_SPARE = 0.125
"""Tiles are of about equal size."""


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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class _Rules:
    """What every worker must know, whichever tile it works on; operations are numbered through all tiles.

    Each is itself and no other's equal: a worker keeps memory for those that it has (`_kept_for`).
    """

    limits: Limits
    of_operation: Ints
    of_high_legs: Ints
    longest_m: Array


def search_on_cluster(world: World, address: str, *, progress: Callable[[float], None] | None = None) -> Found:
    """Pairs of legs as `search.join` finds them, by the workers of the scheduler at `address`.

    Parameters
    ----------
    world
        Its own legs are not used, and need not be compiled.

    Raises
    ------
    InputError
        If Dask is not installed, nobody answers at `address`, the scheduler has no workers, or they fail again and
        again.
    """
    with _connected(address) as client:
        threads = sum(client.nthreads().values())
        if threads == 0:
            raise _refused(address, "the scheduler has no workers", "start some")
        columns = columns_of(world.operations, dict(world.gap_limits_s))
        tiles = ClusterTiles(columns, world.limits, _TILES_PER_THREAD * threads)
        found = _Asking(client, address, _rules(world), tiles, _AT_ONCE_PER_THREAD * threads).all_found(progress)
    return _together(world.legs, found)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        client = _client(address)
    except (OSError, ValueError, TimeoutError) as error:
        raise _refused(address, f"no scheduler answers: {error}", "an address like tcp://10.0.0.5:8786") from None
    with client:
        yield client


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise _refused(address, "a cluster needs Dask", "pip install 'keepclear[cluster]'") from None

    class Ended(Client):
        """One that ends itself when it cannot begin.

        Left to the collection of garbage it would be ended at any moment: also while the next one begins, and holds the
        lock that ending takes.
        """

        def __init__(self) -> None:
            try:
                super().__init__(address, timeout=_CONNECT_S)
            except BaseException:
                with suppress(AttributeError):  # it had not come far enough for there to be anything to end
                    self.close()
                raise

    try:
        return Ended()
    except AssertionError:  # the machine is so busy that Dask's own thread has not begun in 10 s
        raise TimeoutError("Dask could not be started in time") from None
    except (TypeError, FileNotFoundError) as error:  # the address takes certificates: none are named, or not there
        raise _refused(address, f"no scheduler can be asked: {error}", "certificates in Dask's settings") from None


def _refused(address: str, problem: str, right: str) -> InputError:
    return InputError(Fault(problem, right, field="scheduler", value=address))


class _Asking:
    """Sends tiles to workers and gathers what they find; what was lost with a worker is sent again."""

    def __init__(self, client: Any, address: str, rules: _Rules, tiles: ClusterTiles, at_once: int) -> None:
        self._client, self._address, self._rules, self._tiles = client, address, rules, tiles
        self._at_once = at_once
        self._ended: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        self._is_direct = bool(client.sync(_all_answer, client))
        self._sent_rules = self._scattered(rules, broadcast=True)

    def all_found(self, progress: Callable[[float], None] | None) -> list[tuple[Any, ...]]:
        """What was found in each tile."""
        # Two at a time: while one is on its way, the next is taken out.
        with ThreadPoolExecutor(2) as senders:
            try:
                return self._gathered(senders, progress)
            finally:
                senders.shutdown(wait=False, cancel_futures=True)  # after a fault nobody waits for the rest

    def _gathered(self, senders: ThreadPoolExecutor, progress: Callable[[float], None] | None) -> list[tuple[Any, ...]]:
        many = len(self._tiles.tiles)
        found: dict[int, tuple[Any, ...]] = {}
        lost, left = 0, iter(range(many))
        for tile in islice(left, self._at_once):
            senders.submit(self._awaited, self._asked, tile)
        while len(found) < many:
            tile, ended = self._ended.get()
            result = self._result(ended)
            if result is None:
                lost += 1
                if lost > _MOST_LOST * many:
                    raise self._given_up("workers went away again and again")
                senders.submit(self._awaited, self._asked_again, tile)
                continue
            found[tile] = result
            ended.release()
            for following in islice(left, 1):
                senders.submit(self._awaited, self._asked, following)
            if progress is not None:
                progress(len(found) / many)
        return [found[tile] for tile in range(many)]

    def _awaited(self, asked: Callable[[int], Any], tile: int) -> None:
        """Ask for a tile; what comes of it, or why it could not be asked, is told when it is known."""
        try:
            asked(tile).add_done_callback(lambda future: self._ended.put((tile, future)))
        except BaseException as error:  # noqa: BLE001  # it is raised where the answers are taken
            self._ended.put((tile, error))

    def _result(self, future: Any) -> tuple[Any, ...] | None:
        """What was found in a tile; None where what it takes to find it was lost."""
        if isinstance(future, BaseException):
            raise future
        if future.status in ("cancelled", "lost"):
            return None
        try:
            return cast("tuple[Any, ...]", future.result())
        except CancelledError:  # it was lost just now
            return None
        except Exception as error:  # noqa: BLE001  # whatever it was, it was not here
            raise self._given_up(f"a worker failed: {type(error).__name__}: {error}") from None

    def _asked(self, number: int) -> Any:
        """What will be found in a tile."""
        tile = self._tiles.tiles[number]
        part = self._scattered(self._tiles.part(tile))
        return self._client.submit(_search_part, self._sent_rules, part, tile.low_s, tile.high_s, pure=False)

    def _asked_again(self, number: int) -> Any:
        """The same of a tile whose part, or the rules, were lost; not straight, as a worker may just have gone."""
        self._is_direct = False
        self._sent_rules = self._scattered(self._rules, broadcast=True)
        return self._asked(number)

    def _scattered(self, value: Any, *, broadcast: bool = False) -> Any:
        options = {"broadcast": broadcast, "hash": False}
        try:
            return self._client.scatter([value], direct=self._is_direct, **options)[0]
        except (OSError, CancelledError):
            self._is_direct = False  # whoever was to get it has gone: the scheduler knows who is left
        try:
            return self._client.scatter([value], direct=False, **options)[0]
        except (OSError, CancelledError) as error:
            raise self._given_up(f"no worker takes a part of the search: {error}") from None

    def _given_up(self, problem: str) -> InputError:
        return _refused(self._address, problem, "workers that stay, each with this version of keepclear")


async def _all_answer(client: Any) -> bool:
    """Whether all workers can be reached from here: what is sent them then need not go through the scheduler."""
    from distributed.comm.core import connect

    for worker in await client.scheduler.ncores():
        try:
            comm = await connect(worker, timeout=_REACH_S, **client.connection_args)
        except OSError:
            return False
        await comm.close()
    return True


def _rules(world: World) -> _Rules:
    sorts: Sorts = world.sorts
    return _Rules(world.limits, sorts.of_operation, sorts.of_high_legs, lengths_to_cut(sorts))


def _search_part(rules: _Rules, part: Part, low: float, high: float) -> tuple[Any, ...]:
    """Runs on a worker: the legs of a tile that come close, their pairs, and whether there are gaps."""
    own = replace(rules, limits=_own(rules.limits), **{
        name: own_array(getattr(rules, name)) for name in ("of_operation", "of_high_legs", "longest_m")
    })  # fmt: skip
    with _kept_for(rules) as kept:
        columns = columns_of_part(part, kept)
        legs = compile_legs(columns, own.of_operation, own.of_high_legs, own.longest_m, kept=kept)
        hits = join(legs, own.limits, from_s=low, to_s=high)
        return (*_only(legs, hits), len(legs.gap_operation) > 0)


_ROOMS: WeakKeyDictionary[_Rules, list[Kept]] = WeakKeyDictionary()
"""On a worker: memory that its threads use from tile to tile, for as long as the rules of a search are there."""


@contextmanager
def _kept_for(rules: _Rules) -> Iterator[Kept]:
    """Memory that nobody else uses now, and that was used for the tile before if there was one."""
    rooms = _ROOMS.setdefault(rules, [])
    try:
        kept = rooms.pop()
    except IndexError:
        kept = Kept(_SPARE)
    yield kept
    rooms.append(kept)


def _own(limits: Limits) -> Limits:
    arrays = ("horizontal_m", "vertical_m", "time_s", "party")
    return replace(limits, **{name: own_array(getattr(limits, name)) for name in arrays})


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
