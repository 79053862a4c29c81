"""BUFFER_FROM_LINE: those who are bound stay so far from a line, on one side of it or on both, by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Border, Region, Side, side_named
from keepclear.agreements.excess import Field
from keepclear.agreements.facts import Filed, Finding, Flown, Result
from keepclear.agreements.strips import strip_beside
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import BoundZone, Contribution, Ground, Scene, Term
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.fields import limited_to, region_of, strip
from keepclear.agreements.terms.geometry import NamedArea, NamedLine
from keepclear.agreements.terms.on_areas import zone_of
from keepclear.agreements.terms.on_lines import filing_by_field, screened_by_field, track_by_field
from keepclear.agreements.terms.quantities import said_length
from keepclear.agreements.terms.told import doubted
from keepclear.errors import Fault, InputError
from keepclear.model.footprints import Corridor, Footprint
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Operation

__all__ = ["BufferFromLine"]

SIDES = ("both", "left", "right", "north", "south", "east", "west")


@dataclass(frozen=True, kw_only=True, eq=False)
class BufferFromLine(Term):
    """Whoever is bound stays so far from a line. With a side, what lies on the other side of the line is not bound."""

    TYPE: ClassVar[str] = "BUFFER_FROM_LINE"
    SCREENS_TRACKS: ClassVar[bool] = True

    line: NamedLine = field(metadata=p.line("the line"))
    distances: Mapping[str, float] = field(
        metadata=p.lengths_by_class(
            "how far from it at least: one length, or one for each class of platform", "distance"
        )
    )
    side: str = field(default="both", metadata=p.choice("on which side of it; both if left out", SIDES))
    segment: NamedArea | None = field(
        default=None, metadata=p.area("the area in which this part of the line counts; all of it if left out")
    )

    def check(self) -> list[Fault]:
        """Check that the line has such a side, and that there is a distance."""
        faults = [
            Fault("no distance", "more than 0 m", field="distance", value=f"{name}: {said_length(one)}")
            for name, one in self.distances.items()
            if one <= 0.0
        ]
        try:
            self._side  # noqa: B018 - it is worked out here for the first time
        except InputError as error:
            faults += [Fault(one.problem, one.right, field="side", value=self.side) for one in error.faults]
        return faults

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """Whether all of what is filed is far enough."""
        plan = filed.plan
        classes = [one.platform_class for one in plan.participants] if isinstance(plan, Operation) else []
        return self._by_class(
            classes, lambda distance: filing_by_field(self, filed, self._field(distance), self._asked(distance))
        )

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether the unit was far enough all along."""
        filed = scene.filing_of(flown)
        plan = filed.plan if filed is not None else None
        known = [one.platform_class for one in plan.participants] if isinstance(plan, Operation) else []
        classes = [flown.platform_class] if flown.platform_class else known

        def judged(distance: float) -> tuple[Finding, ...]:
            return track_by_field(self, flown, self._field(distance), self._asked(distance), scene)

        return self._by_class(classes, judged)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those that are not farther than the largest distance for certain."""
        return screened_by_field(batch, bound, self._field(max(self.distances.values())))

    def contributes(self) -> Contribution:
        """The buffer of the largest distance: which class is bound by less, the term itself says."""
        shapes = self._shapes(max(self.distances.values()))
        if not shapes:
            return Contribution()
        zone = zone_of(self, shapes, kind=ZoneKind.BUFFER)
        return Contribution(zones=(BoundZone(zone, self),))

    def ground(self) -> tuple[Ground, ...]:
        """One buffer for each class."""
        return tuple(
            Ground(f"{name}: {self._asked(distance)}".removeprefix("*: "), shape)
            for name, distance in self.distances.items()
            for shape in self._shapes(distance)
        )

    def _by_class(self, classes: list[str], judged: object) -> tuple[Finding, ...]:
        """By the largest distance that binds one of the classes; where they are not known, by the least for certain."""
        assert callable(judged)
        folded = {name.casefold(): distance for name, distance in self.distances.items()}
        other = folded.get("*")
        known = [folded.get(one.casefold(), other) for one in classes if one]
        if known and len(known) == len(classes):
            bound = [one for one in known if one is not None]
            return tuple(judged(max(bound))) if bound else ()
        least, most = min(self.distances.values()), max(self.distances.values())
        strict = tuple(judged(least))
        if least == most or any(one.result is Result.BREACHED for one in strict):
            return strict
        return doubted(tuple(judged(most)), "its class is not known, and the distance depends on it")

    def _shapes(self, distance_m: float) -> tuple[Footprint, ...]:
        if self._side is None:
            return (Corridor(self.line.positions, distance_m, self.line.edges),)
        return strip_beside(self._border, self._side, 0.0, distance_m)

    def _asked(self, distance_m: float) -> str:
        where = "" if self._side is None else f" on the {self.side} side"
        segment = "" if self.segment is None else f" in {self.segment.name}"
        return f"the asked {said_length(distance_m)} from {self.line.name}{where}{segment}"

    def _field(self, distance_m: float) -> Field:
        return limited_to(strip(self._border, self._side, distance_m), self._region)

    @cached_property
    def _region(self) -> Region | None:
        return None if self.segment is None else region_of((self.segment,))

    @cached_property
    def _border(self) -> Border:
        return self.line.border

    @cached_property
    def _side(self) -> Side | None:
        return None if self.side == "both" else side_named(self.line.positions, self.side)
