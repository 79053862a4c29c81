"""Sorts that become known one after the other: rows are added and never renumbered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keepclear.geo.ellipsoid import longest_leg_m
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import Operation, Zone
from keepclear.separation.minima import Binding, MinimaTable
from keepclear.separation.sorts import (
    OperationSort,
    Sorts,
    ZoneSort,
    binding_between,
    matrices,
    refuse_zero,
    sort_of_zone,
    sorts_of_operation,
)

__all__ = ["GrowingSorts"]

Array = npt.NDArray[np.float64]
_NONE = np.empty(0, dtype=np.int32)
_FARTHEST_M = 1e4


class GrowingSorts:
    """Rows in the minima for everything met so far.

    Attributes
    ----------
    sorts
        The minima between all rows; its ``of_…`` are empty.
    longest_m
        Shape (rows,): length beyond which legs of a row are cut, whatever sort of operation may still come.
    own_m
        Shape (rows,): largest horizontal minimum between a row and itself or those that were there before it.
    """

    def __init__(self, table: MinimaTable) -> None:
        self._table = table
        self._rows: dict[OperationSort | ZoneSort, int] = {}
        self._bindings: list[list[Binding | None]] = []
        self._moving: set[int] = set()
        self.sorts = Sorts(_NONE, _NONE, _NONE, *matrices(()), ())
        self.longest_m: Array = np.empty(0)
        self.own_m: Array = np.empty(0)

    def add(self, operations: tuple[Operation, ...], zones: tuple[Zone, ...]) -> None:
        """Make rows for whatever is new among these.

        Raises
        ------
        InputError
            If the minima between units that move would be 0; then nothing has been added.
        """
        pairs = [(operation, sorts_of_operation(operation)) for operation in operations]
        wanted: dict[OperationSort | ZoneSort, None] = {}
        for _, both in pairs:
            wanted.update(dict.fromkeys(both))
        wanted.update(dict.fromkeys(sort_of_zone(zone) for zone in zones))
        new = [sort for sort in wanted if sort not in self._rows]
        rows = {**self._rows, **{sort: len(self._rows) + k for k, sort in enumerate(new)}}
        moving = self._moving | {rows[both[0]] for operation, both in pairs if operation.tracks}
        if not new and moving == self._moving:
            return
        bindings = self._with_rows(list(rows), len(self._rows)) if new else self._bindings
        fixed = tuple(tuple(line) for line in bindings)
        refuse_zero(fixed, moving)
        self._rows, self._bindings, self._moving = rows, bindings, moving
        self.sorts = Sorts(_NONE, _NONE, _NONE, *matrices(fixed), fixed)
        cuts = [longest_leg_m(self._least_m(sort)) for sort in new]
        self.longest_m = np.concatenate((self.longest_m, cuts))
        # A size for the index's cubes, which stays what it was when the row came.
        own = np.tril(self.sorts.horizontal_m).max(axis=1, initial=0.0)[len(self.own_m) :]
        self.own_m = np.concatenate((self.own_m, own))

    def rows_of_operation(self, operation: Operation) -> tuple[int, int]:
        """Row of an operation, and of its legs above FL410."""
        ordinary, high = sorts_of_operation(operation)
        return self._rows[ordinary], self._rows[high]

    def row_of_zone(self, zone: Zone) -> int:
        """Row of a zone."""
        return self._rows[sort_of_zone(zone)]

    def _with_rows(self, sorts: list[OperationSort | ZoneSort], known: int) -> list[list[Binding | None]]:
        """All bindings; those that are known are not asked for again."""
        return [
            [
                self._bindings[a][b] if a < known and b < known else binding_between(self._table, sorts[a], sorts[b])
                for b in range(len(sorts))
            ]
            for a in range(len(sorts))
        ]

    def _least_m(self, sort: OperationSort | ZoneSort) -> float:
        """Least horizontal minimum above 0 that could bind a sort, with whatever else might come.

        Of several domains the largest minimum binds, so no sort is bound by less than those of one domain are.
        """
        others: list[OperationSort | ZoneSort] = [
            (kind, frozenset({str(domain)})) for kind in (None, *OperationKind) for domain in Domain
        ]
        others.append((None, frozenset(str(domain) for domain in Domain)))
        others += [(kind, ZoneRule.PROHIBITED) for kind in ZoneKind]
        bound = (binding_between(self._table, sort, other) for other in others)
        values = [binding.minima.horizontal_m for binding in bound if binding is not None]
        return min((value for value in values if value > 0.0), default=_FARTHEST_M)
