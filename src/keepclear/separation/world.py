"""A world: everything in a check, compiled to arrays once and read by every test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import longest_leg_m
from keepclear.model.kinds import CLIMB_LIMIT_M_S, GAP_LIMIT_S, SPEED_LIMIT_M_S, Domain
from keepclear.model.operations import Operation, Zone
from keepclear.separation.legs import Legs, columns_of, compile_legs
from keepclear.separation.minima import MinimaTable
from keepclear.separation.search import Limits
from keepclear.separation.shapes import Shape, Shapes, compile_shapes, pack
from keepclear.separation.sorts import Sorts, sort_out

__all__ = ["World", "compile_world", "lengths_to_cut"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """Operations and zones, and what the kernels read of them.

    Things are numbered: operations from 0, zones after them. ``window`` limits what is looked at. ``minima`` and
    ``gap_limits_s`` are what it was compiled with.
    """

    operations: Sequence[Operation]
    zones: Sequence[Zone]
    sorts: Sorts
    legs: Legs
    shapes: tuple[Shape, ...]
    compare_own: bool
    window: tuple[float, float] = (-math.inf, math.inf)
    _parties: Mapping[str, int] = field(default_factory=dict)
    minima: MinimaTable = field(default_factory=MinimaTable.default)
    gap_limits_s: Mapping[Domain, float] = field(default_factory=lambda: GAP_LIMIT_S)

    @property
    def input_legs(self) -> int:
        """How many legs the tracks have as given, whether they are compiled or not."""
        if self.legs.input_legs:
            return self.legs.input_legs
        return sum(max(len(track.time_s) - 1, 1) for operation in self.operations for track in operation.tracks)

    def with_legs(self, jobs: int = 1) -> World:
        """The same world with the legs compiled, if they are not."""
        if self.legs.input_legs or not self.input_legs:
            return self
        return replace(self, legs=_legs_of(self.operations, self.sorts, self.gap_limits_s, jobs))

    @cached_property
    def limits(self) -> Limits:
        """The minima for the search."""
        party = np.fromiter(
            (self._parties[operation.party] for operation in self.operations), np.int32, len(self.operations)
        )
        sorts = self.sorts
        return Limits(sorts.horizontal_m, sorts.vertical_m, sorts.time_s, party, self.compare_own)

    @cached_property
    def packed(self) -> Shapes:
        """All shapes end to end."""
        return pack(self.shapes)

    @cached_property
    def shape_thing(self) -> Ints:
        """Number of the operation or zone of each shape."""
        n = len(self.operations)
        return np.array([shape.owner + (n if shape.is_zone else 0) for shape in self.shapes], dtype=np.int64)

    @cached_property
    def shape_row(self) -> Ints:
        """Row in the minima of each shape."""
        high = np.concatenate((self.sorts.of_high_legs, self.sorts.of_zone)).astype(np.int64)
        is_high = np.array([shape.is_high for shape in self.shapes], dtype=np.bool_)
        return np.where(is_high, high[self.shape_thing], self.thing_row[self.shape_thing])

    @cached_property
    def thing_row(self) -> Ints:
        """Row in the minima of each operation and zone."""
        return np.concatenate((self.sorts.of_operation, self.sorts.of_zone)).astype(np.int64)

    @cached_property
    def thing_party(self) -> Ints:
        """Index of the party of each operation; -1 - k for zone k, which binds everyone."""
        zones = -1 - np.arange(len(self.zones), dtype=np.int64)
        return np.concatenate((self.limits.party.astype(np.int64), zones))

    @cached_property
    def band_array(self) -> Array:
        """Shape (shapes, 2, 4): ceiling and floor as (code, value, least and greatest height above W84)."""
        rows = [
            [
                (s.band.ceiling_code, s.band.ceiling_m, *s.band.ceiling_w84),
                (s.band.floor_code, s.band.floor_m, *s.band.floor_w84),
            ]
            for s in self.shapes
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), 2, 4)

    @cached_property
    def starts_and_ends(self) -> tuple[Array, Array]:
        """Windows of the shapes, within the window that is looked at; the end is before the start outside of it."""
        start = np.array([max(shape.start_s, self.window[0]) for shape in self.shapes], dtype=np.float64)
        end = np.array([min(shape.end_s, self.window[1]) for shape in self.shapes], dtype=np.float64)
        return start, end

    @cached_property
    def speeds(self) -> tuple[Array, Array]:
        """Top speed and climb of the unit in each gap, metres per second."""
        speeds, climbs = [], []
        for index in self.legs.gap_operation:
            operation = self.operations[index]
            top = operation.top_speed_m_s or max(SPEED_LIMIT_M_S[domain] for domain in operation.domains)
            speeds.append(top)
            climbs.append(max(CLIMB_LIMIT_M_S[domain] for domain in operation.domains))
        return np.array(speeds, dtype=np.float64), np.array(climbs, dtype=np.float64)

    @cached_property
    def joint(self) -> frozenset[tuple[int, int]]:
        """Pairs of operations that are one joint operation: each names the same plan and the other."""
        by_plan: dict[str, list[int]] = {}
        for index, operation in enumerate(self.operations):
            if operation.joint is not None:
                by_plan.setdefault(operation.joint.plan, []).append(index)
        return frozenset(
            (a, b) for members in by_plan.values() for a in members for b in members if a != b and self._is_joint(a, b)
        )

    def _is_joint(self, a: int, b: int) -> bool:
        first, second = self.operations[a], self.operations[b]
        assert first.joint is not None
        assert second.joint is not None
        return second.id in first.joint.operations and first.id in second.joint.operations

    def compared(self, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
        """Which pairs of things are compared: two things, of different parties, bound by some rule, not joint."""
        party = self.thing_party
        different = (first != second) & ((party[first] != party[second]) | (np.full(len(first), self.compare_own)))
        row = self.thing_row
        bound = self.sorts.horizontal_m[row[first], row[second]] >= 0.0
        joint = np.fromiter(
            ((int(a), int(b)) in self.joint for a, b in zip(first, second, strict=True)), np.bool_, len(first)
        ) if self.joint else np.zeros(len(first), np.bool_)  # fmt: skip
        return np.asarray(different & bound & ~joint)


def compile_world(
    operations: Sequence[Operation],
    zones: Sequence[Zone],
    *,
    minima: MinimaTable,
    compare_own: bool,
    window: tuple[float, float] = (-math.inf, math.inf),
    gap_limits_s: Mapping[Domain, float] = GAP_LIMIT_S,
    jobs: int = 1,
    with_legs: bool = True,
) -> World:
    """Compile operations and zones.

    Parameters
    ----------
    with_legs
        Whether the legs are compiled too: it takes most of the time, and workers of a cluster compile their own.

    Raises
    ------
    InputError
        If the minima between units that move are 0.
    """
    sorts = sort_out(operations, zones, minima)
    _, least = _least_minima(sorts)
    legs = _legs_of(operations, sorts, gap_limits_s, jobs) if with_legs else _no_legs(sorts)
    parties: dict[str, int] = {}
    for operation in operations:
        parties.setdefault(operation.party, len(parties))
    shapes = [
        *_shapes_of(operations, sorts.of_operation, least),
        *_shapes_of(zones, sorts.of_zone, least),
    ]
    return World(operations, zones, sorts, legs, tuple(shapes), compare_own, window, parties, minima, gap_limits_s)


def lengths_to_cut(sorts: Sorts) -> Array:
    """Length beyond which a leg of each row of the minima is cut."""
    above, _ = _least_minima(sorts)
    return np.array([longest_leg_m(value) for value in above])


def _legs_of(operations: Sequence[Operation], sorts: Sorts, gap_limits_s: Mapping[Domain, float], jobs: int) -> Legs:
    columns = columns_of(operations, dict(gap_limits_s))
    longest_m = lengths_to_cut(sorts)
    return compile_legs(columns, sorts.of_operation, sorts.of_high_legs, longest_m, jobs=jobs)


def _no_legs(sorts: Sorts) -> Legs:
    """Not a leg, and so no need to load what compiles them."""
    none, numbers, codes = np.empty(0), np.empty(0, np.int32), np.empty(0, np.int8)
    points, longest_m = np.empty((0, 5)), np.zeros(len(sorts.horizontal_m))
    return Legs(
        points, numbers, numbers, numbers, codes, none, none, none, points, numbers, numbers, codes, np.empty((0, 3)),
        longest_m, 0,
    )  # fmt: skip


def _least_minima(sorts: Sorts) -> tuple[Array, Array]:
    """Smallest horizontal minima by which each row is bound: the smallest above 0, and the smallest of all.

    Legs are cut for the first, edges for the second; beside an edge with a minimum of 0 legs are cut further there.
    """
    used = np.unique(np.concatenate((sorts.of_operation, sorts.of_high_legs, sorts.of_zone)))
    between = sorts.horizontal_m[:, used]
    above = np.where(between > 0.0, between, np.inf).min(axis=1, initial=np.inf)
    least = np.where(between >= 0.0, between, np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(above), above, 1e4), np.where(np.isfinite(least), least, 1e4)


def _shapes_of(things: Sequence[Operation | Zone], rows: npt.NDArray[np.int32], least: Array) -> list[Shape]:
    return [
        shape
        for index, thing in enumerate(things)
        if thing.volumes
        for shape in compile_shapes(thing, owner=index, horizontal_m=float(least[rows[index]]))
    ]
