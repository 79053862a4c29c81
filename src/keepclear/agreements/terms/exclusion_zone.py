"""EXCLUSION_ZONE: an area, perhaps between two heights, that those who are bound keep out of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Filed, Finding, Flown
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import BoundZone, Contribution, Ground, Scene, Term
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.geometry import NamedArea
from keepclear.agreements.terms.on_areas import filings_by_area, screened_by_areas, track_by_area, zone_of
from keepclear.agreements.terms.told import height_faults
from keepclear.errors import Fault
from keepclear.model.heights import Height
from keepclear.model.operations import Zone

__all__ = ["ExclusionZone"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExclusionZone(Term):
    """Whoever is bound keeps out of an area, at all heights or between two."""

    TYPE: ClassVar[str] = "EXCLUSION_ZONE"
    SCREENS_TRACKS: ClassVar[bool] = True

    area: NamedArea = field(metadata=p.area("the area"))
    floor: Height | None = field(default=None, metadata=p.height("from which height up; from the ground if left out"))
    ceiling: Height | None = field(default=None, metadata=p.height("up to which height; without end if left out"))

    def check(self) -> list[Fault]:
        """Check the order of the heights."""
        return height_faults(self.floor, self.ceiling)

    def of_bound(self, filings: Sequence[Filed], scene: Scene) -> list[tuple[Finding, ...]]:  # noqa: ARG002
        """Whether all of what is filed keeps out."""
        return filings_by_area(self, filings, (self._zone,), self.area.name)

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether the unit kept out."""
        return track_by_area(self, flown, (self._zone,), self.area.name, scene)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those near the area."""
        return screened_by_areas(batch, bound, (self.area,))

    def contributes(self) -> Contribution:
        """The zone."""
        return Contribution(zones=(BoundZone(self._zone, self),))

    def ground(self) -> tuple[Ground, ...]:
        """The area."""
        return tuple(Ground(f"keep out of {self.area.name}", one) for one in self.area.footprints)

    @cached_property
    def _zone(self) -> Zone:
        return zone_of(self, self.area.footprints, floor=self.floor, ceiling=self.ceiling)
