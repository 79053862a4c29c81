"""Sorts: the minima of everything in a check as small matrices that the kernels index.

Operations of one kind and the same domains are one sort; what flies above FL410 is a sort of its own; so is each kind
of zone with its rule. A sort is a row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.model.findings import Answer, Minima
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import Operation, Zone
from keepclear.separation.minima import HIGH_AIR, Binding, MinimaTable

__all__ = [
    "NO_RULE",
    "OperationSort",
    "Sorts",
    "ZoneSort",
    "binding_between",
    "matrices",
    "refuse_zero",
    "sort_of_zone",
    "sort_out",
    "sorts_of_operation",
]

Array = npt.NDArray[np.float64]
NO_RULE = -1.0

OperationSort = tuple[OperationKind | None, frozenset[str]]
ZoneSort = tuple[ZoneKind, ZoneRule]


@dataclass(frozen=True, slots=True)
class Sorts:
    """Rows for operations, high legs and zones, and the minima between every two rows.

    Attributes
    ----------
    of_operation, of_high_legs, of_zone
        Row of each operation, of its legs and volumes above FL410, of each zone.
    horizontal_m, vertical_m, time_s
        Shape (rows, rows); `NO_RULE` in ``horizontal_m`` where nothing binds, infinite ``vertical_m`` where height
        does not matter.
    is_conflict
        Shape (rows, rows): whether a breach is a conflict rather than possibly one.
    bindings
        The same with names, row by row.
    """

    of_operation: npt.NDArray[np.int32]
    of_high_legs: npt.NDArray[np.int32]
    of_zone: npt.NDArray[np.int32]
    horizontal_m: Array
    vertical_m: Array
    time_s: Array
    is_conflict: npt.NDArray[np.bool_]
    bindings: tuple[tuple[Binding | None, ...], ...]

    def minima(self, first: int, second: int) -> Minima:
        """Minima between two rows that have some."""
        binding = self.bindings[first][second]
        assert binding is not None, "no rule binds these rows"
        return binding.minima


def sort_out(operations: Sequence[Operation], zones: Sequence[Zone], table: MinimaTable) -> Sorts:
    """Sorts of `operations` and `zones` under `table`.

    Raises
    ------
    InputError
        If units that move could be compared with a minimum of 0: they are points, and points never overlap.
    """
    rows: dict[OperationSort | ZoneSort, int] = {}
    of_operation, of_high = [], []
    seen: dict[tuple[OperationKind | None, frozenset[Domain]], tuple[int, int]] = {}
    for operation in operations:
        alike = operation.kind, operation.domains
        if alike not in seen:
            ordinary, high = sorts_of_operation(operation)
            seen[alike] = rows.setdefault(ordinary, len(rows)), rows.setdefault(high, len(rows))
        row, high_row = seen[alike]
        of_operation.append(row)
        of_high.append(high_row)
    of_zone = [rows.setdefault(sort_of_zone(zone), len(rows)) for zone in zones]
    bindings = tuple(tuple(binding_between(table, a, b) for b in rows) for a in rows)
    moving = {row for row, operation in zip(of_operation, operations, strict=True) if operation.tracks}
    refuse_zero(bindings, moving)
    return Sorts(
        np.array(of_operation, dtype=np.int32),
        np.array(of_high, dtype=np.int32),
        np.array(of_zone, dtype=np.int32),
        *matrices(bindings),
        bindings,
    )


def sorts_of_operation(operation: Operation) -> tuple[OperationSort, OperationSort]:
    """Sort of an operation, and of its legs and volumes above FL410."""
    domains = frozenset(str(domain) for domain in operation.domains)
    high = domains | {HIGH_AIR} if Domain.AIR in operation.domains else domains
    return (operation.kind, domains), (operation.kind, high)


def sort_of_zone(zone: Zone) -> ZoneSort:
    """Sort of a zone."""
    return zone.kind, zone.rule


def matrices(
    bindings: tuple[tuple[Binding | None, ...], ...],
) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    """Horizontal, vertical and time minima of `bindings`, and whether a breach is a conflict: see `Sorts`."""
    return (
        _matrix(bindings, lambda binding: binding.minima.horizontal_m, NO_RULE),
        _matrix(bindings, lambda b: math.inf if b.minima.vertical_m is None else b.minima.vertical_m, NO_RULE),
        _matrix(bindings, lambda binding: binding.minima.time_s, 0.0),
        _matrix(bindings, lambda binding: float(binding.answer is Answer.CONFLICT), 0.0) > 0.0,
    )


def binding_between(
    table: MinimaTable, first: OperationSort | ZoneSort, second: OperationSort | ZoneSort
) -> Binding | None:
    """What binds two sorts under `table`; None where nothing does."""
    for one, other in ((first, second), (second, first)):
        if isinstance(one[0], ZoneKind):
            assert isinstance(one[1], ZoneRule)
            domains = frozenset() if isinstance(other[0], ZoneKind) else frozenset(other[1])
            return _zone_binding(table, one[0], one[1], other[0], domains)
    return table.between_operations(first, second)  # type: ignore[arg-type]  # both are operations' here


def _zone_binding(
    table: MinimaTable, kind: ZoneKind, rule: ZoneRule, other: OperationKind | ZoneKind | None, domains: frozenset[str]
) -> Binding | None:
    if kind is ZoneKind.GEO_ZONE and rule is ZoneRule.NO_RESTRICTION:
        return None
    binding = table.with_zone(kind, other, domains)
    if binding is not None and kind is ZoneKind.GEO_ZONE and rule is not ZoneRule.PROHIBITED:
        return Binding(binding.minima, Answer.POSSIBLE)
    return binding


def refuse_zero(bindings: tuple[tuple[Binding | None, ...], ...], moving: set[int]) -> None:
    """Refuse a minimum of 0 between any two of the rows of `moving`: their units are points, which never overlap."""
    for a in moving:
        for b in moving:
            binding = bindings[a][b]
            if binding is None:
                continue
            minima = binding.minima
            if minima.horizontal_m <= 0.001 or (minima.vertical_m is not None and minima.vertical_m <= 0.001):
                raise InputError(
                    Fault(
                        f"the minima between moving units must be greater than 0 ({minima.rule})",
                        "units that move are points, which never overlap: give metres, for example 500,100",
                        field="minima",
                        value=f"{minima.horizontal_m:g},{minima.vertical_m or 0.0:g}",
                    )
                )


def _matrix(bindings: tuple[tuple[Binding | None, ...], ...], value: object, otherwise: float) -> Array:
    assert callable(value)
    rows = [[otherwise if binding is None else value(binding) for binding in row] for row in bindings]
    return np.array(rows, dtype=np.float64).reshape(len(bindings), len(bindings))
