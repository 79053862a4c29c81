"""DEPTH_BAND: certain activities keep to a band along one side of a line, so deep at least and at most."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Border, Side, side_named
from keepclear.agreements.excess import Field
from keepclear.agreements.facts import Filed, Finding, Flown
from keepclear.agreements.strips import strip_beside
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Ground, Scene, Term
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.fields import band, region_of, unless_in
from keepclear.agreements.terms.geometry import NamedArea, NamedLine
from keepclear.agreements.terms.on_lines import filing_by_field, screened_by_field, track_by_field
from keepclear.agreements.terms.quantities import said_length
from keepclear.errors import Fault, InputError

__all__ = ["DepthBand"]

SIDES = ("left", "right", "north", "south", "east", "west")


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthBand(Term):
    """Whoever is bound stays between two depths on one side of a line. Depth is the geodesic distance to the line.

    In the areas of `except` the term says nothing; to forbid them, add an EXCLUSION_ZONE.
    """

    TYPE: ClassVar[str] = "DEPTH_BAND"
    SCREENS_TRACKS: ClassVar[bool] = True

    line: NamedLine = field(metadata=p.line("the line from which depth is counted"))
    side: str = field(
        metadata=p.choice("its side: left or right of it as it is drawn, or where it lies by the compass", SIDES)
    )
    max_m: float = field(metadata=p.length("how deep at most"))
    min_m: float = field(default=0.0, metadata=p.length("how deep at least; 0 m if left out"))
    exceptions: tuple[NamedArea, ...] = field(
        default=(), metadata=p.areas("areas in which the term says nothing", "except")
    )

    def check(self) -> list[Fault]:
        """Check the order of the depths, and that the line has such a side."""
        faults = []
        if self.min_m >= self.max_m:
            value = f"min {said_length(self.min_m)}, max {said_length(self.max_m)}"
            faults.append(Fault("no band: min is not below max", "min below max", field="max", value=value))
        try:
            side_named(self.line.positions, self.side)
        except InputError as error:
            faults += [Fault(one.problem, one.right, field="side", value=self.side) for one in error.faults]
        return faults

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """Whether all of what is filed lies in the band."""
        return filing_by_field(self, filed, self._field, self.asked)

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether the unit was in the band all along."""
        return track_by_field(self, flown, self._field, self.asked, scene)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those whose sphere is not wholly in the band."""
        return screened_by_field(batch, bound, self._field)

    def ground(self) -> tuple[Ground, ...]:
        """The band."""
        shapes = strip_beside(self._border, side_named(self.line.positions, self.side), self.min_m, self.max_m)
        return tuple(Ground(self.asked, shape) for shape in shapes)

    @property
    def asked(self) -> str:
        """What it asks, in words."""
        side = f"{self.side} of" if self.side in ("left", "right") else f"the {self.side} side of"
        return f"{said_length(self.min_m)} to {said_length(self.max_m)} from {self.line.name}, on {side} it"

    @cached_property
    def named_side(self) -> Side:
        """The side of the border as it is drawn that `side` names."""
        return Side(side_named(self.line.positions, self.side))

    @cached_property
    def _border(self) -> Border:
        return self.line.border

    @cached_property
    def _field(self) -> Field:
        side = Side(side_named(self.line.positions, self.side))
        deep = band(self._border, side, self.min_m, self.max_m)
        return unless_in(deep, region_of(self.exceptions) if self.exceptions else None)
