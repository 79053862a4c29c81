"""CEASE: from a time on, an activity no longer takes place, anywhere or in an area."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Filed, Finding, Flown, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import BoundZone, Contribution, Ground, Scene, Term, filed_name
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.geometry import NamedArea
from keepclear.agreements.terms.on_areas import filings_by_area, screened_by_areas, track_by_area, zone_of
from keepclear.agreements.terms.quantities import said_moment
from keepclear.errors import Fault
from keepclear.model.operations import Zone

__all__ = ["Cease"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Cease(Term):
    """From `from` on there is no activity of the kinds that it names. That none is on the record does not show it."""

    TYPE: ClassVar[str] = "CEASE"
    SCREENS_TRACKS: ClassVar[bool] = True

    activity: str = field(metadata=p.text("the activity, in words"))
    area: NamedArea | None = field(default=None, metadata=p.area("where; everywhere if left out"))

    def check(self) -> list[Fault]:
        """Check that it says from when, and what it binds."""
        faults = []
        if self.from_s is None:
            faults.append(Fault("missing", "from when the activity ceases", field="from"))
        if not (self.kinds or self.classes):
            faults.append(Fault("neither kinds nor classes", "which kinds of operation it binds", field="kinds"))
        return faults

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Before its time nothing is due; after it, silence shows nothing."""
        if self.from_s is not None and scene.at_s < self.from_s:
            sentence = f"{self.activity} is to cease {self._where} from {said_moment(self.from_s)}."
            return (self.finding(Result.NOT_YET, sentence, due_s=self.from_s),)
        sentence = f"{self.activity} was to cease {self._where}; what is not on the record cannot show that it did."
        return (self.finding(Result.NO_DATA, sentence, due_s=self.from_s),)

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """Whether it is such an activity, after the time."""
        if self._zone is not None and self.area is not None:
            what = f"{self.area.name}, where {self.activity} has ceased"
            return filings_by_area(self, (filed,), (self._zone,), what)[0]
        if filed.end_s is None or filed.start_s is None:
            sentence = f"{filed_name(filed)} does not say when it is, and {self.activity} has ceased {self._where}."
            return (self.about(Result.POSSIBLE, filed, sentence),)
        sentence = f"{filed_name(filed)} is {self.activity}, which has ceased {self._where}, as filed."
        return (self.about(Result.BREACHED, filed, sentence),)

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether the unit did it, after the time."""
        if self._zone is not None and self.area is not None:
            what = f"{self.area.name}, where {self.activity} has ceased"
            return track_by_area(self, flown, (self._zone,), what, scene)
        sentence = f"{flown.name} was under way at {self.activity}, which has ceased {self._where}, by its track."
        return (self.about_track(Result.BREACHED, flown, sentence),)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those near the area."""
        return bound if self.area is None else screened_by_areas(batch, bound, (self.area,))

    def contributes(self) -> Contribution:
        """The area, for those who are bound."""
        return Contribution(zones=(BoundZone(self._zone, self),)) if self._zone is not None else Contribution()

    def ground(self) -> tuple[Ground, ...]:
        """The area."""
        return tuple(Ground(f"no {self.activity}", one) for one in self.area.footprints) if self.area else ()

    @property
    def _where(self) -> str:
        return "everywhere" if self.area is None else f"in {self.area.name}"

    @cached_property
    def _zone(self) -> Zone | None:
        return None if self.area is None else zone_of(self, self.area.footprints)
