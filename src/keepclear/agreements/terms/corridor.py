"""CORRIDOR: those who are bound stay in a corridor, or out of it. It has two half-widths, and no width."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Border, Side
from keepclear.agreements.excess import Field
from keepclear.agreements.facts import Filed, Finding, Flown
from keepclear.agreements.strips import strip_beside
from keepclear.agreements.terms import fields
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Ground, Scene, Term
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.geometry import NamedLine
from keepclear.agreements.terms.on_lines import filing_by_field, screened_by_field, track_by_field
from keepclear.agreements.terms.quantities import said_length
from keepclear.errors import Fault

__all__ = ["CorridorTerm"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CorridorTerm(Term):
    """Whoever is bound stays in the corridor along an axis, or out of it. It ends where its axis ends.

    A "width" is refused: of a corridor of 6 km to either side the press reported that it was six kilometres wide.
    """

    TYPE: ClassVar[str] = "CORRIDOR"
    SCREENS_TRACKS: ClassVar[bool] = True

    axis: NamedLine = field(metadata=p.line("the line in its middle"))
    half_width_left_m: float = field(metadata=p.length("from the axis to the edge on its left, as it is drawn"))
    half_width_right_m: float = field(metadata=p.length("from the axis to the edge on its right"))
    rule: str = field(
        default="stay inside",
        metadata=p.choice("what is asked; stay inside if left out", ("stay inside", "stay outside")),
    )

    def check(self) -> list[Fault]:
        """Check that the corridor has an inside."""
        if self.half_width_left_m + self.half_width_right_m > 0.0:
            return []
        return [Fault("a corridor without an inside", "more than 0 m on one side at least", field="half_width_left")]

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """Whether all of what is filed is where it is asked to be."""
        return filing_by_field(self, filed, self._field, self.asked)

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether the unit was where it is asked to be all along."""
        return track_by_field(self, flown, self._field, self.asked, scene)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those whose sphere is not wholly where it is asked to be."""
        return screened_by_field(batch, bound, self._field)

    def ground(self) -> tuple[Ground, ...]:
        """Both halves of the corridor."""
        halves = ((Side.LEFT, self.half_width_left_m), (Side.RIGHT, self.half_width_right_m))
        label = f"{self.rule}: {self._widths}"
        return tuple(
            Ground(label, shape)
            for side, width in halves
            if width > 0.0
            for shape in strip_beside(self._border, side, 0.0, width)
        )

    @property
    def asked(self) -> str:
        """What it asks, as in "outside …"."""
        return (
            f"the corridor of {self._widths}"
            if self.rule == "stay inside"
            else f"what is not the corridor of {self._widths}"
        )

    @property
    def _widths(self) -> str:
        left, right = said_length(self.half_width_left_m), said_length(self.half_width_right_m)
        return f"{left} to the left and {right} to the right of {self.axis.name}"

    @cached_property
    def _border(self) -> Border:
        return self.axis.border

    @cached_property
    def _field(self) -> Field:
        keep_out = self.rule == "stay outside"
        return fields.corridor(self._border, self.half_width_left_m, self.half_width_right_m, keep_out=keep_out)
