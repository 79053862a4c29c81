"""SITE_PROTECTION: no hazard, no exercise and whatever else is named comes near a site."""

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
from keepclear.agreements.terms.on_areas import filings_by_area, screened_by_areas, track_by_area, widened, zone_of
from keepclear.agreements.terms.quantities import said_length
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Zone

__all__ = ["SiteProtection"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteProtection(Term):
    """Hazard areas, exercises and what else is named stay away from a site, by a buffer round it."""

    TYPE: ClassVar[str] = "SITE_PROTECTION"
    SCREENS_TRACKS: ClassVar[bool] = True
    KINDS: ClassVar[frozenset[OperationKind | ZoneKind]] = frozenset({ZoneKind.HAZARD_AREA, OperationKind.EXERCISE})

    site: NamedArea = field(metadata=p.area("the site"))
    buffer_m: float = field(metadata=p.length("how far from it at least"))

    def of_bound(self, filings: Sequence[Filed], scene: Scene) -> list[tuple[Finding, ...]]:  # noqa: ARG002
        """Whether all of what is filed stays away."""
        return filings_by_area(self, filings, (self._zone,), self.asked)

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether the unit stayed away."""
        return track_by_area(self, flown, (self._zone,), self.asked, scene)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those near the site."""
        return screened_by_areas(batch, bound, (self.site,), self.buffer_m)

    def contributes(self) -> Contribution:
        """The site with its buffer, for those who are bound."""
        return Contribution(zones=(BoundZone(self._zone, self),))

    def ground(self) -> tuple[Ground, ...]:
        """The site, and what lies round it."""
        return tuple(Ground(self.asked, one) for one in widened(self.site.footprints, self.buffer_m))

    @property
    def asked(self) -> str:
        """Where not to be."""
        return f"{said_length(self.buffer_m)} round the site {self.site.name}"

    @cached_property
    def _zone(self) -> Zone:
        return zone_of(self, widened(self.site.footprints, self.buffer_m))
