"""ACTIVITY_LIMIT: no exercise (or other activity) of a size or more so near to a line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Side, side_named
from keepclear.agreements.excess import Field
from keepclear.agreements.facts import Filed, Finding, Flown
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.fields import strip
from keepclear.agreements.terms.geometry import NamedLine
from keepclear.agreements.terms.on_lines import filing_by_field, screened_by_field, track_by_field
from keepclear.agreements.terms.quantities import said_length
from keepclear.agreements.terms.told import doubted
from keepclear.errors import Fault, InputError
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation

__all__ = ["ECHELONS", "ActivityLimit"]

ECHELONS = ("squad", "section", "platoon", "company", "battalion", "regiment", "brigade", "division", "corps", "army")
"""From the smallest to the largest."""
SIDES = ("both", "left", "right", "north", "south", "east", "west")
_WORD = re.compile("|".join(rf"\b{one}\b" for one in ECHELONS), re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class ActivityLimit(Term):
    """Activities of an echelon or larger, or of so many platforms, stay so far from a line.

    The echelon is what the filing says of its participants' roles or classes; where it says none it may be any.
    """

    TYPE: ClassVar[str] = "ACTIVITY_LIMIT"
    SCREENS_TRACKS: ClassVar[bool] = True
    KINDS: ClassVar[frozenset[OperationKind | ZoneKind]] = frozenset({OperationKind.EXERCISE})

    line: NamedLine = field(metadata=p.line("the line"))
    distance_m: float = field(metadata=p.length("how far from it at least"))
    side: str = field(default="both", metadata=p.choice("on which side; both if left out", SIDES))
    echelon: str | None = field(default=None, metadata=p.choice("from which echelon up it binds", ECHELONS))
    platforms: int | None = field(default=None, metadata=p.count("from how many platforms on it binds"))

    def check(self) -> list[Fault]:
        """Check the side and the distance."""
        faults = [] if self.distance_m > 0.0 else [Fault("no distance", "more than 0 m", field="distance")]
        try:
            self._side  # noqa: B018 - it is worked out here for the first time
        except InputError as error:
            faults += [Fault(one.problem, one.right, field="side", value=self.side) for one in error.faults]
        return faults

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """Whether one of that size is far enough."""
        size = self._is_so_large(filed)
        if size is False:
            return ()
        found = filing_by_field(self, filed, self._field, self.asked)
        return found if size else doubted(found, "its size is not told")

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether a unit of one of that size was far enough."""
        filed = scene.filing_of(flown)
        size = self._is_so_large(filed)
        if size is False:
            return ()
        found = track_by_field(self, flown, self._field, self.asked, scene)
        return found if size else doubted(found, "the size of what it is part of is not known")

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those that are not far enough for certain."""
        return screened_by_field(batch, bound, self._field)

    @property
    def asked(self) -> str:
        """What it asks, as in "outside …"."""
        size = f" for a {self.echelon} or more" if self.echelon else ""
        count = f" for {self.platforms} platforms or more" if self.platforms else ""
        return f"the asked {said_length(self.distance_m)} from {self.line.name}{size}{count}"

    def _is_so_large(self, filed: Filed | None) -> bool | None:
        """Whether it is of the size that binds; None where the filing does not tell."""
        if self.echelon is None and self.platforms is None:
            return True
        people = filed.plan.participants if filed is not None and isinstance(filed.plan, Operation) else ()
        answers: list[bool | None] = []
        if self.echelon is not None:
            words = [word.lower() for one in people for word in _WORD.findall(f"{one.role} {one.platform_class}")]
            least = ECHELONS.index(self.echelon)
            answers.append(max(map(ECHELONS.index, words)) >= least if words else None)
        if self.platforms is not None:
            counts = [one.platforms for one in people]
            total = sum(one for one in counts if one is not None)
            known = bool(counts) and None not in counts
            answers.append(True if total >= self.platforms else False if known else None)
        return True if True in answers else None if None in answers else False

    @cached_property
    def _side(self) -> Side | None:
        return None if self.side == "both" else side_named(self.line.positions, self.side)

    @cached_property
    def _field(self) -> Field:
        return strip(self.line.border, self._side, self.distance_m)
