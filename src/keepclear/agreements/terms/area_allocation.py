"""AREA_ALLOCATION: each party has areas of its own, and the others keep out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

__all__ = ["AreaAllocation"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaAllocation(Term):
    """Each party that is bound keeps out of the areas of the others."""

    TYPE: ClassVar[str] = "AREA_ALLOCATION"
    SCREENS_TRACKS: ClassVar[bool] = True

    areas: Mapping[str, NamedArea] = field(metadata=p.party_areas("for each party its area"))
    floor: Height | None = field(default=None, metadata=p.height("from which height up; from the ground if left out"))
    ceiling: Height | None = field(default=None, metadata=p.height("up to which height; without end if left out"))

    def check(self) -> list[Fault]:
        """Check the order of the heights."""
        return height_faults(self.floor, self.ceiling)

    def named_parties(self) -> frozenset[str]:
        """The parties that have areas."""
        return frozenset(self.areas)

    def of_bound(self, filings: Sequence[Filed], scene: Scene) -> list[tuple[Finding, ...]]:  # noqa: ARG002
        """Whether all of what is filed keeps out of the areas of others."""
        found: dict[int, tuple[Finding, ...]] = {}
        for party in {one.party for one in filings}:
            rows = [row for row, one in enumerate(filings) if one.party == party]
            theirs = [filings[row] for row in rows]
            judged = filings_by_area(self, theirs, self._zones_of_others(party), "the areas of other parties")
            found |= dict(zip(rows, judged, strict=True))
        return [found[row] for row in range(len(filings))]

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether the unit kept out of the areas of others."""
        zones = self._zones_of_others(flown.party)
        return track_by_area(self, flown, zones, "the areas of other parties", scene)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those near any of the areas."""
        return screened_by_areas(batch, bound, tuple(self.areas.values()))

    def contributes(self) -> Contribution:
        """Each area, for those whose it is not."""
        zones = (BoundZone(zone, self, frozenset({name})) for name, zone in self._zones.items())
        return Contribution(zones=tuple(zones))

    def ground(self) -> tuple[Ground, ...]:
        """The areas, each with its party."""
        return tuple(Ground(f"area of {name}", one) for name, area in self.areas.items() for one in area.footprints)

    def _zones_of_others(self, party: str) -> list[Zone]:
        return [zone for name, zone in self._zones.items() if name != party]

    @cached_property
    def _zones(self) -> dict[str, Zone]:
        return {
            name: zone_of(
                self, area.footprints, floor=self.floor, ceiling=self.ceiling, name=f"{self.id} area of {name}"
            )
            for name, area in self.areas.items()
        }
