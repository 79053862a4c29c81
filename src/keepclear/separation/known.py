"""What is known, kept ready for the question that is asked all day: what this one comes too close to.

The answer is that of a check of everything, as far as the one thing takes part in it, found with a live index
(`separation.index`) and the same exact tests. A node keeps one and changes it as filings come and go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.model.findings import Answer, Conflict
from keepclear.model.kinds import SPEED_LIMIT_M_S, Domain, gap_limits
from keepclear.model.operations import Operation, Zone
from keepclear.separation.checking import conflicts_of
from keepclear.separation.evidence import Evidence
from keepclear.separation.gaps import gap_spheres
from keepclear.separation.growing_sorts import GrowingSorts
from keepclear.separation.index import LegIndex, Rules, touching
from keepclear.separation.judging import judge_moving
from keepclear.separation.judging_standing import judge_standing
from keepclear.separation.legs import Legs, columns_of, compile_legs, with_both_heights
from keepclear.separation.minima import MinimaTable
from keepclear.separation.overlap import runs_of_legs
from keepclear.separation.shapes import Shape, compile_shapes
from keepclear.separation.world import World

__all__ = ["Key", "Known"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Thing = Operation | Zone

Key = tuple[bool, str, str]
"""Whether a thing is a zone, its party, its id."""
_NO_BLOCKS: Ints = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Standing:
    """The shapes and gaps of one thing, and their bounding spheres and times, shapes (n, 4) and (n, 2)."""

    shapes: tuple[Shape, ...]
    gaps: Legs | None
    spheres: Array
    times: Array


@dataclass(frozen=True, slots=True)
class _Entry:
    """A thing that is known: its row in the minima, its blocks in the index, its rows among what stands."""

    thing: Thing
    row: int
    blocks: Ints
    standing: _Standing
    rows: Ints


@dataclass(frozen=True)
class _Asked(World):
    """A world of which only the pairs with one thing are looked at."""

    asked: int = 0

    def compared(self, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
        """Which pairs are compared: those of a world, if the one that asks is in them."""
        pairs = (first == self.asked) | (second == self.asked)
        compared: npt.NDArray[np.bool_] = pairs & super().compared(first, second)
        return compared


class Known:
    """Operations and zones that are known, and which of them one more would come too close to.

    Not for several threads at once: who shares one locks it.

    Parameters
    ----------
    minima, between, gap_limits_s
        As in `checking.check`.

    Raises
    ------
    InputError
        If two operations, or two zones, share party and id; if an option is out of range; if the minima between units
        that move are 0.
    """

    def __init__(
        self,
        operations: Iterable[Operation] = (),
        zones: Iterable[Zone] = (),
        *,
        minima: MinimaTable | None = None,
        between: str = "parties",
        gap_limits_s: Mapping[Domain, float] | None = None,
    ) -> None:
        if between not in ("parties", "all"):
            raise InputError(Fault("not a choice", "parties or all", field="between", value=between))
        self._compare_own = between == "all"
        self._minima = minima or MinimaTable.default()
        self._sorts = GrowingSorts(self._minima)
        self._gap_limits = gap_limits(gap_limits_s)
        self._index = LegIndex()
        self._stands = _Stands()
        self._numbers: dict[Key, int] = {}
        self._entries: list[_Entry | None] = []
        self._free: list[int] = []
        self._parties: dict[str, int] = {}
        self._party = np.empty(64, dtype=np.int64)
        self._put((*operations, *zones))

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, key: Key) -> bool:
        return key in self._numbers

    def thing(self, key: Key) -> Thing:
        """The operation or zone of this key, which must be known."""
        return self._entry(self._numbers[key]).thing

    def add(self, thing: Thing) -> None:
        """Make an operation or zone known.

        Raises
        ------
        InputError
            If one of this party and id is known already, or the minima between units that move would be 0.
        """
        self._put((thing,))

    def remove(self, party: str, identifier: str, *, zone: bool = False) -> None:
        """Forget an operation, or a zone.

        Raises
        ------
        InputError
            If none of this party and id is known.
        """
        number = self._numbers.pop((zone, party, identifier), None)
        if number is None:
            what = "zone" if zone else "operation"
            raise InputError(Fault(f"{party} has no {what} of this id here", field="id", value=identifier))
        entry = self._entry(number)
        self._index.remove(entry.blocks)
        self._stands.remove(entry.rows)
        self._entries[number] = None
        self._free.append(number)

    def conflicts_of(self, thing: Thing) -> tuple[Conflict, ...]:
        """What an operation or zone comes, or may come, too close to; ordered by start.

        It need not be known itself. A known one of the same party and id is left out: it is what this one replaces.
        In each finding an operation comes before a zone, and otherwise the one asked about is ``a``.
        """
        return conflicts_of(*self._judged(thing))

    def answers_of(self, thing: Thing, *, among: Key | None = None) -> dict[Key, Answer]:
        """The same as bare answers, by what it comes too close to; quicker.

        Parameters
        ----------
        among
            The one known thing that is looked at; all where it is not given.
        """
        world, parts = self._judged(thing, None if among is None else self._numbers[among])
        asked = world.asked
        answers: dict[Key, Answer] = {}
        for part in parts:
            others = np.where(part.first == asked, part.second, part.first)
            for other in np.unique(others[part.certain]):
                answers[_key_in(world, int(other))] = Answer.CONFLICT
            for other in np.unique(others):
                answers.setdefault(_key_in(world, int(other)), Answer.POSSIBLE)
        return answers

    def _entry(self, number: int) -> _Entry:
        entry = self._entries[number]
        assert entry is not None, "a number in use has an entry"
        return entry

    def _put(self, things: tuple[Thing, ...]) -> None:
        keys = [_key(thing) for thing in things]
        self._refuse_twice(keys)
        operations = tuple(thing for thing in things if isinstance(thing, Operation))
        self._sorts.add(operations, tuple(thing for thing in things if isinstance(thing, Zone)))
        numbers = [self._numbered(thing) for thing in things]
        blocks: dict[int, Ints] = {}
        legs, standing = self._compiled(things)
        if operations:
            of_operation = [n for n, thing in zip(numbers, things, strict=True) if isinstance(thing, Operation)]
            found, owners = self._index.insert(legs, np.array(of_operation, dtype=np.int64), self._sorts.own_m)
            edges = np.concatenate(([0], np.flatnonzero(np.diff(owners)) + 1, [len(owners)]))
            blocks = {int(owners[low]): found[low:high] for low, high in pairwise(edges.tolist()) if high > low}
        for key, number, thing, stands in zip(keys, numbers, things, standing, strict=True):
            rows = self._stands.add(stands.spheres, stands.times, number)
            self._entries[number] = _Entry(thing, self._row(thing), blocks.get(number, _NO_BLOCKS), stands, rows)
            self._numbers[key] = number

    def _refuse_twice(self, keys: list[Key]) -> None:
        seen: set[Key] = set()
        faults = []
        for key in keys:
            if key in self._numbers or key in seen:
                problem = f"two {'zones' if key[0] else 'operations'} of {key[1]} have this id"
                faults.append(Fault(problem, "ids of their own", field="id", value=key[2]))
            seen.add(key)
        if faults:
            raise InputError(faults)

    def _numbered(self, thing: Thing) -> int:
        if self._free:
            number = self._free.pop()
        else:
            number = len(self._entries)
            self._entries.append(None)
            if number == len(self._party):
                self._party = np.concatenate((self._party, np.empty_like(self._party)))
        self._party[number] = self._party_of(thing, number)
        return number

    def _party_of(self, thing: Thing, number: int) -> int:
        """Number of a party; a zone, which binds everyone, has one of its own."""
        if isinstance(thing, Zone):
            return -2 - number
        return self._parties.setdefault(thing.party, len(self._parties))

    def _row(self, thing: Thing) -> int:
        return self._sorts.row_of_zone(thing) if isinstance(thing, Zone) else self._sorts.rows_of_operation(thing)[0]

    def _compiled(self, things: tuple[Thing, ...]) -> tuple[Legs, list[_Standing]]:
        """Legs of all operations among `things`, and what stands of each thing."""
        operations = [thing for thing in things if isinstance(thing, Operation)]
        rows = np.array([self._sorts.rows_of_operation(one) for one in operations], dtype=np.int32).reshape(-1, 2)
        columns = columns_of(operations, self._gap_limits)
        legs = compile_legs(columns, rows[:, 0].copy(), rows[:, 1].copy(), self._sorts.longest_m)
        gap_edges = np.searchsorted(legs.gap_operation, np.arange(len(operations) + 1))
        standing, at = [], 0
        for thing in things:
            low = high = 0
            if isinstance(thing, Operation):
                low, high = int(gap_edges[at]), int(gap_edges[at + 1])
                at += 1
            standing.append(_standing(thing, legs, low, high))
        return legs, standing

    def _judged(self, thing: Thing, among: int | None = None) -> tuple[_Asked, list[Evidence]]:
        operations = (thing,) if isinstance(thing, Operation) else ()
        self._sorts.add(operations, () if operations else (thing,))  # type: ignore[arg-type]
        legs, (standing,) = self._compiled((thing,))
        hits, slots, others = self._candidates(thing, legs, standing)
        if among is not None:
            hits = hits[self._index.things(hits[:, 1]) == among]
            slots = slots[self._index.things(slots) == among]
            others = others[others == among]
        points, things, sort, reference, tolerance = self._index.gathered(slots)
        numbers = np.unique(np.concatenate((things, others)))
        entries = [self._entry(int(number)) for number in numbers]
        is_zone = np.array([isinstance(entry.thing, Zone) for entry in entries], dtype=np.bool_)
        ordered = np.concatenate((numbers[~is_zone], numbers[is_zone]))
        in_order = [self._entry(int(number)) for number in ordered]
        world, local = self._world(thing, standing, in_order, set(others.tolist()), ordered)
        gathered = (points, local[np.searchsorted(numbers, things)], sort, reference, tolerance)
        world = replace(world, legs=_joined(legs, gathered, world.legs, world.asked))
        first = len(legs.points)
        local_hits = np.column_stack((hits[:, 0], first + 2 * np.searchsorted(slots, hits[:, 1])))
        parts = [judge_moving(world, hits=local_hits.astype(np.int32))]
        if len(others) or len(standing.spheres):
            parts += judge_standing(world)
        return world, parts

    def _candidates(self, thing: Thing, legs: Legs, standing: _Standing) -> tuple[Ints, Ints, Ints]:
        """Pairs of legs, all leg slots, and all things of which something stands, that are to be judged."""
        number = self._numbers.get(_key(thing), -1)
        party = -1 if isinstance(thing, Zone) else self._parties.get(thing.party, -1)
        sorts = self._sorts.sorts
        rules = Rules(sorts.horizontal_m, sorts.vertical_m, sorts.time_s, self._party, self._compare_own)
        hits = self._index.near(legs, party=party, leaving_out=number, rules=rules)
        rows = [self._row(thing)]
        if isinstance(thing, Operation):
            rows.append(self._sorts.rows_of_operation(thing)[1])
        widest, longest = float(sorts.horizontal_m[rows].max()), float(sorts.time_s[rows].max())
        own = _widened(standing.spheres, standing.times, widest, longest)
        slots = self._index.slots_touching(*own, party=party, leaving_out=number, rules=rules)
        _, spheres, times = runs_of_legs(
            legs.points, legs.piece_of, legs.operation, legs.early_s, legs.late_s, legs.uncertainty_m
        )
        moving = _widened(spheres, times, widest, longest)
        asked = np.vstack((own[0], moving[0])), np.vstack((own[1], moving[1]))
        others = self._stands.touching(*asked, party, number, self._party, compare_own=self._compare_own)
        return hits, np.unique(np.concatenate((hits[:, 1], slots))), others

    def _world(
        self, thing: Thing, standing: _Standing, entries: list[_Entry], with_standing: set[int], numbers: Ints
    ) -> tuple[_Asked, Ints]:
        """A world of the one thing and some entries, its legs being the gaps alone; and the entries' numbers in it."""
        zones = [entry for entry in entries if isinstance(entry.thing, Zone)]
        ours = [entry for entry in entries if isinstance(entry.thing, Operation)]
        moves = isinstance(thing, Operation)
        operations = [*((thing,) if moves else ()), *(entry.thing for entry in ours)]
        all_zones = [*(() if moves else (thing,)), *(entry.thing for entry in zones)]
        rows = [entry.row for entry in ours], [entry.row for entry in zones]
        rows[0 if moves else 1].insert(0, self._row(thing))
        asked = 0 if moves else len(ours)
        sorted_entries = [*ours, *zones]
        local = np.arange(len(sorted_entries)) + (np.arange(len(sorted_entries)) >= asked)
        stands = [(asked, standing)] + [
            (int(place), entry.standing)
            for place, entry, number in zip(local, sorted_entries, numbers.tolist(), strict=True)
            if number in with_standing
        ]
        n = len(operations)
        shapes = [
            replace(shape, owner=place - n if shape.is_zone else place)
            for place, what in stands for shape in what.shapes
        ]  # fmt: skip
        parties: dict[str, int] = {}
        for operation in operations:
            parties.setdefault(operation.party, len(parties))
        of_operation = np.array(rows[0], dtype=np.int32)
        of_high = [self._sorts.rows_of_operation(operation)[1] for operation in operations]
        sorts = replace(
            self._sorts.sorts, of_operation=of_operation, of_high_legs=np.array(of_high, dtype=np.int32),
            of_zone=np.array(rows[1], dtype=np.int32),
        )  # fmt: skip
        world = _Asked(
            operations, all_zones, sorts, _gaps_joined(stands), tuple(shapes), self._compare_own,
            _parties=parties, minima=self._minima, gap_limits_s=self._gap_limits, asked=asked,
        )  # fmt: skip
        order = np.argsort(numbers, kind="stable")
        return world, local[order]


class _Stands:
    """Bounding spheres and times of all that stands, with the thing of each; rows are used again."""

    def __init__(self) -> None:
        self._spheres, self._times = np.empty((64, 4)), np.empty((64, 2))
        self._things = np.full(64, -1, dtype=np.int64)
        self._used = 0
        self._free: list[int] = []

    def add(self, spheres: Array, times: Array, thing: int) -> Ints:
        """Put rows in; returns which."""
        n = len(spheres)
        if n == 0:
            return _NO_BLOCKS
        again = [self._free.pop() for _ in range(min(n, len(self._free)))]
        fresh = n - len(again)
        while self._used + fresh > len(self._things):
            self._spheres = np.vstack((self._spheres, np.empty_like(self._spheres)))
            self._times = np.vstack((self._times, np.empty_like(self._times)))
            self._things = np.concatenate((self._things, np.full(len(self._things), -1, dtype=np.int64)))
        rows = np.array([*again, *range(self._used, self._used + fresh)], dtype=np.int64)
        self._used += fresh
        self._spheres[rows], self._times[rows], self._things[rows] = spheres, times, thing
        return rows

    def remove(self, rows: Ints) -> None:
        """Take rows out."""
        self._things[rows] = -1
        self._free += rows.tolist()

    def touching(
        self, spheres: Array, times: Array, party: int, leaving_out: int, parties: Ints, *, compare_own: bool
    ) -> Ints:
        """Things of which something touches one of the spheres while it lasts."""
        n = self._used
        if not n or not len(spheres):
            return _NO_BLOCKS
        rows = touching(
            self._spheres[:n], self._times[:n], self._things[:n], spheres, times, party, leaving_out, parties,
            compare_own,
        )  # fmt: skip
        return np.unique(self._things[rows])


def _key(thing: Thing) -> Key:
    return isinstance(thing, Zone), thing.party, thing.id


def _key_in(world: World, number: int) -> Key:
    n = len(world.operations)
    return _key(world.operations[number] if number < n else world.zones[number - n])


def _widened(spheres: Array, times: Array, by_m: float, by_s: float) -> tuple[Array, Array]:
    return spheres + np.array([0.0, 0.0, 0.0, max(by_m, 0.0) + 2.0]), times + np.array([-by_s, by_s])


def _standing(thing: Thing, legs: Legs, low: int, high: int) -> _Standing:
    """Shapes of a thing, and its gaps, which are rows `low` to `high` of those in `legs`."""
    shapes = tuple(compile_shapes(thing, owner=0, horizontal_m=0.0))  # for 0, because any zone may come to bind it
    spheres = np.array([(*shape.centre, shape.reach_m) for shape in shapes]).reshape(-1, 4)
    times = np.array([(shape.start_s, shape.end_s) for shape in shapes]).reshape(-1, 2)
    if high == low:
        return _Standing(shapes, None, spheres, times)
    assert isinstance(thing, Operation), "only operations have tracks"
    gaps = replace(
        legs, points=legs.points[:0], piece_of=legs.piece_of[:0],
        gap_points=with_both_heights(legs.gap_points[2 * low : 2 * high]),
        gap_operation=legs.gap_operation[low:high], gap_sort=legs.gap_sort[low:high],
        gap_reference=legs.gap_reference[low:high], gap_tolerance=legs.gap_tolerance[low:high],
    )  # fmt: skip
    top = thing.top_speed_m_s or max(SPEED_LIMIT_M_S[domain] for domain in thing.domains)
    more = gap_spheres(gaps.gap_points, np.full(high - low, top), gaps.gap_tolerance)
    return _Standing(shapes, gaps, np.vstack((spheres, more[0])), np.vstack((times, more[1])))


def _gaps_joined(stands: list[tuple[int, _Standing]]) -> Legs:
    """The gaps of several things as legs without a leg; the first of each is the number of the thing."""
    with_gaps = [(place, what.gaps) for place, what in stands if what.gaps is not None]
    owners = [np.full(len(gaps.gap_operation), place, np.int32) for place, gaps in with_gaps]
    empty = Legs(
        np.empty((0, 6)), *(np.empty(0, np.int32),) * 3, np.empty(0, np.int8), *(np.empty(0),) * 3, np.empty((0, 6)),
        *(np.empty(0, np.int32),) * 2, np.empty(0, np.int8), np.empty((0, 3)), np.empty(0), 0,
    )  # fmt: skip
    if not with_gaps:
        return empty
    return replace(
        empty,
        gap_points=np.concatenate([gaps.gap_points for _, gaps in with_gaps]),
        gap_operation=np.concatenate(owners),
        gap_sort=np.concatenate([gaps.gap_sort for _, gaps in with_gaps]),
        gap_reference=np.concatenate([gaps.gap_reference for _, gaps in with_gaps]),
        gap_tolerance=np.concatenate([gaps.gap_tolerance for _, gaps in with_gaps]),
    )


def _joined(
    own: Legs,
    others: tuple[Array, Ints, npt.NDArray[np.int32], npt.NDArray[np.int8], Array],
    gaps: Legs,
    asked: int,
) -> Legs:
    """The legs of the one that asks, then those of others (two points each), and the gaps of all."""
    points, thing, sort, reference, tolerance = others
    n, pieces = len(thing), len(own.operation)
    piece_of = np.full(2 * n, -1, dtype=np.int32)
    piece_of[::2] = pieces + np.arange(n)
    return replace(
        gaps,
        points=np.vstack((with_both_heights(own.points), points)),
        piece_of=np.concatenate((own.piece_of, piece_of)),
        operation=np.concatenate((np.full(pieces, asked), thing)).astype(np.int32),
        sort=np.concatenate((own.sort, sort)),
        reference=np.concatenate((own.reference, reference)),
        uncertainty_m=np.concatenate((own.uncertainty_m, tolerance[:, 0])),
        early_s=np.concatenate((own.early_s, tolerance[:, 1])),
        late_s=np.concatenate((own.late_s, tolerance[:, 2])),
        longest_m=own.longest_m,
    )
