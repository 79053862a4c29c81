"""One question: what an operation or a zone comes, or may come, too close to, among a few others.

It is asked all day by nodes, which find the few in their tables (`keepclear.node.searching`) and have nothing compiled
beforehand. The answer is that of a check of all of them, as far as the one thing takes part in it. Only pairs with it
are looked at, the minima of sorts that were met before are not worked out again, and no thread is started.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from keepclear.geo.heights import AMSL, FL
from keepclear.geo.kernel import kernel
from keepclear.model.findings import Conflict, Side
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule, gap_limits
from keepclear.model.operations import Operation, Zone
from keepclear.separation.checking import conflict_of
from keepclear.separation.evidence import collect
from keepclear.separation.growing_sorts import GrowingSorts
from keepclear.separation.judging import judge_moving
from keepclear.separation.judging_standing import judge_standing
from keepclear.separation.leg_pairs import MARGIN_M, quick_near
from keepclear.separation.legs import Legs, columns_of, compile_legs
from keepclear.separation.minima import ANYTHING, MinimaTable
from keepclear.separation.parts import Parts, parts_of
from keepclear.separation.search import join
from keepclear.separation.shapes import Shape, compile_shapes
from keepclear.separation.sorts import Sorts
from keepclear.separation.world import World

__all__ = ["Asking", "Prepared", "Thing"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Thing = Operation | Zone

_MOST_PAIRS = 20_000_000
"""Pairs of legs that are looked at one by one, a few nanoseconds each; beyond it the search of checks is used."""


@dataclass(frozen=True)
class _Question(World):
    """A world of which only the pairs with one thing are looked at."""

    asked: int = 0

    def compared(self, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
        """Which pairs are compared: those of a world, if the one that asks is in them."""
        compared: npt.NDArray[np.bool_] = ((first == self.asked) | (second == self.asked)) & super().compared(
            first, second
        )
        return compared


@dataclass(frozen=True, slots=True)
class Prepared:
    """A thing, and what takes longest to work out of it: its shapes. Worth keeping for what is asked of often."""

    thing: Thing
    shapes: tuple[Shape, ...]

    @classmethod
    def of(cls, thing: Thing) -> Prepared:
        """Prepare a thing."""
        # Cut for a minimum of 0, as in `known`: any zone may bind them.
        return cls(thing, tuple(compile_shapes(thing, owner=0, horizontal_m=0.0)) if thing.volumes else ())

    @property
    def weight(self) -> int:
        """How many edges and positions it has: what it takes in memory, roughly by 50 bytes."""
        tracks = self.thing.tracks if isinstance(self.thing, Operation) else ()
        return 20 + sum(len(one.edges) + len(one.rings) * 8 for one in self.shapes) + sum(len(t.time_s) for t in tracks)


class Asking:
    """What comes too close to one thing. For any number of threads at once.

    Parameters
    ----------
    minima, gap_limits_s
        As in `checking.check`.

    Raises
    ------
    InputError
        By `conflicts_of`, if the minima between units that move are 0.
    """

    def __init__(
        self, *, minima: MinimaTable | None = None, gap_limits_s: Mapping[Domain, float] | None = None
    ) -> None:
        self.minima = minima or MinimaTable.default()
        self.gap_limits_s = gap_limits(gap_limits_s)
        self._sorts = GrowingSorts(self.minima)
        # By what the rows depend on: kind, domains, and whether it moves; for a zone, kind and rule.
        self._rows: dict[tuple[OperationKind | None, frozenset[Domain], bool], tuple[int, int]] = {}
        self._zone_rows: dict[tuple[ZoneKind, ZoneRule], int] = {}
        self._lock = threading.Lock()

    def conflicts_of(self, thing: Thing | Prepared, others: Sequence[Thing | Prepared]) -> list[tuple[int, Conflict]]:
        """What it comes, or may come, too close to: the place of each in `others`, and the finding.

        Operations of one party are not compared with each other. What two have the same party and id makes no
        difference. In each finding an operation comes before a zone, and otherwise `thing` is ``a``.
        """
        if not others:
            return []
        world, places = self._world(_prepared(thing), [_prepared(one) for one in others])
        parts = []
        if world.asked < len(world.operations) and len(world.legs.operation):
            parts.append(judge_moving(world, hits=_hits(world)))
        if world.shapes or len(world.legs.gap_operation):
            parts += judge_standing(world)
        sides: dict[int, Side] = {}
        return [
            (places[pair.second if pair.first == world.asked else pair.first], conflict_of(world, pair, sides))
            for pair in collect(parts)
        ]

    def parts_of(self, thing: Thing | Prepared) -> Parts:
        """Spheres and times that hold all of a thing, for `keepclear.separation.parts`."""
        prepared = _prepared(thing)
        world, _ = self._world(prepared, ())
        return parts_of(prepared.thing, world.legs, list(world.shapes))

    def reach_of(self, thing: Thing) -> tuple[float, float]:
        """The largest minima that could bind a thing to anything at all: metres, and seconds."""
        is_zone = isinstance(thing, Zone)
        rules = [one for one in self.minima.rules if not is_zone or {one.first, one.second} & {thing.kind, ANYTHING}]
        if self.minima.one_for_all is not None and not is_zone:
            rules.append(self.minima.one_for_all)
        return max((one.horizontal_m for one in rules), default=0.0), max((one.time_s for one in rules), default=0.0)

    def _world(self, asked: Prepared, others: Sequence[Prepared]) -> tuple[_Question, list[int]]:
        """The world, and for each thing in it its place in `others` (-1 for the one that asks)."""
        moves = isinstance(asked.thing, Operation)
        order = [n for n, one in enumerate(others) if isinstance(one.thing, Operation)]
        last = [n for n, one in enumerate(others) if isinstance(one.thing, Zone)]
        ours, theirs = [*((asked,) if moves else ()), *(others[n] for n in order)], [others[n] for n in last]
        theirs = theirs if moves else [asked, *theirs]
        operations, zones = [one.thing for one in ours], [one.thing for one in theirs]
        places = [*([-1] if moves else []), *order, *([] if moves else [-1]), *last]
        rows, zone_rows, sorts, longest_m = self._sorted_out(operations, zones)  # type: ignore[arg-type]  # as they are
        own, high = np.array(rows, dtype=np.int32).reshape(-1, 2).T.copy()
        sorts = replace(sorts, of_operation=own, of_high_legs=high, of_zone=np.array(zone_rows, dtype=np.int32))
        parties: dict[str, int] = {}
        for one in operations:
            parties.setdefault(one.party, len(parties))
        world = _Question(
            operations, zones, sorts, self._legs(operations, own, high, longest_m),  # type: ignore[arg-type]
            tuple(_shapes(ours, theirs)), compare_own=False, _parties=parties, minima=self.minima,
            gap_limits_s=self.gap_limits_s, asked=0 if moves else len(operations),
        )  # fmt: skip
        return world, places

    def _sorted_out(
        self, operations: list[Operation], zones: list[Zone]
    ) -> tuple[list[tuple[int, int]], list[int], Sorts, Array]:
        """Their rows in the minima, and these. Rows stay as they are: those of things alike are not asked for again."""
        alike = [(one.kind, one.domains, bool(one.tracks)) for one in operations]
        zones_alike = [(one.kind, one.rule) for one in zones]
        with self._lock:
            new = {key: one for key, one in zip(alike, operations, strict=True) if key not in self._rows}
            new_zones = {key: one for key, one in zip(zones_alike, zones, strict=True) if key not in self._zone_rows}
            if new or new_zones:
                self._sorts.add(tuple(new.values()), tuple(new_zones.values()))
                self._rows |= {key: self._sorts.rows_of_operation(one) for key, one in new.items()}
                self._zone_rows |= {key: self._sorts.row_of_zone(one) for key, one in new_zones.items()}
            rows, zone_rows = [self._rows[key] for key in alike], [self._zone_rows[key] for key in zones_alike]
            return rows, zone_rows, self._sorts.sorts, self._sorts.longest_m

    def _legs(
        self, operations: list[Operation], own: npt.NDArray[np.int32], high: npt.NDArray[np.int32], longest_m: Array
    ) -> Legs:
        return compile_legs(columns_of(operations, self.gap_limits_s), own, high, longest_m)


def _prepared(thing: Thing | Prepared) -> Prepared:
    return thing if isinstance(thing, Prepared) else Prepared.of(thing)


def _shapes(operations: Sequence[Prepared], zones: Sequence[Prepared]) -> list[Shape]:
    return [
        replace(shape, owner=owner)
        for things in (operations, zones)
        for owner, one in enumerate(things)
        for shape in one.shapes
    ]


def _hits(world: _Question) -> npt.NDArray[np.int32]:
    """Pairs of a leg of the operation that asks, which is the first, and one of another, that may come too close."""
    legs, sorts = world.legs, world.sorts
    own = int(np.searchsorted(legs.operation, 1))
    mine = int((legs.piece_of < own).sum())  # counts the points between pieces too, which only makes it more
    if mine * len(legs.piece_of) > _MOST_PAIRS:
        # To the search all others are of one party, so that it does not compare them with each other.
        party = np.minimum(np.arange(len(world.operations), dtype=np.int32), 1)
        return join(legs, replace(world.limits, party=party))
    found: npt.NDArray[np.int32] = _near_pairs(
        legs.points, legs.piece_of, own, legs.sort, legs.reference, legs.uncertainty_m, legs.early_s, legs.late_s,
        sorts.horizontal_m, sorts.vertical_m, sorts.time_s,
    )  # fmt: skip
    return found


@kernel
def _middle_and_half(points, i, out):  # type: ignore[no-untyped-def]
    square = 0.0
    for k in range(3):
        out[k] = 0.5 * (points[i, k] + points[i + 1, k])
        square += (points[i + 1, k] - points[i, k]) ** 2
    return 0.5 * math.sqrt(square)


@kernel
def _near_pairs(  # type: ignore[no-untyped-def]
    points, piece_of, own, sort, reference, doubt, early, late, horizontal, vertical, time
):  # fmt: skip
    """Pairs of legs, one of the first `own` pieces and one of the others: exact for exact times and plain heights."""
    found, n = np.empty((64, 2), dtype=np.int32), 0
    first = piece_of.shape[0]
    for i in range(piece_of.shape[0]):
        if piece_of[i] >= own:
            first = i
            break
    mine, other = np.empty(3), np.empty(3)
    columns = points.shape[1] - 1
    for j in range(first, piece_of.shape[0]):
        q = piece_of[j]
        if q < 0:
            continue
        half_j = _middle_and_half(points, j, other)
        begin, end = points[j, 3] - early[q], points[j + 1, 3] + late[q]
        for i in range(first):
            p = piece_of[i]
            if p < 0:
                continue
            a, b = sort[p], sort[q]
            limit, slip = horizontal[a, b], time[a, b]
            if limit <= 0.0 or points[i, 3] - early[p] - slip > end or points[i + 1, 3] + late[p] + slip < begin:
                continue
            limit += doubt[p] + doubt[q] - MARGIN_M
            half = _middle_and_half(points, i, mine)
            square = (mine[0] - other[0]) ** 2 + (mine[1] - other[1]) ** 2 + (mine[2] - other[2]) ** 2
            if square > (limit + half + half_j + 0.01) ** 2:
                continue
            ri, rj = reference[p], reference[q]
            same = ri == rj and ri <= FL
            plain = slip + early[p] + late[p] + early[q] + late[q] == 0.0 and (same or (ri <= AMSL and rj <= AMSL))
            lasting = points[i + 1, 3] > points[i, 3] and points[j + 1, 3] > points[j, 3]
            column = 4 if same else columns
            if plain and lasting and not quick_near(points, i, j, column, limit, vertical[a, b] - MARGIN_M):
                continue
            if n == found.shape[0]:
                grown = np.empty((2 * n, 2), dtype=np.int32)
                grown[:n] = found
                found = grown
            found[n, 0], found[n, 1] = i, j
            n += 1
    return found[:n].copy()
