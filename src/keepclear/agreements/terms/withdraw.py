"""WITHDRAW: a force is to be so far beyond a line by a deadline, and to stay there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Border, Side, side_named
from keepclear.agreements.excess import Field
from keepclear.agreements.facts import Evidence, Filed, Finding, Flown, Result
from keepclear.agreements.strips import strip_beside
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Ground, Scene, Term
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.dues import deliveries, disputed_by
from keepclear.agreements.terms.fields import strip
from keepclear.agreements.terms.geometry import NamedLine
from keepclear.agreements.terms.on_lines import filing_by_field, screened_by_field, track_by_field
from keepclear.agreements.terms.on_record import concurring
from keepclear.agreements.terms.quantities import said_length, said_moment
from keepclear.errors import Fault, InputError

__all__ = ["Withdraw"]

SIDES = ("left", "right", "north", "south", "east", "west")


@dataclass(frozen=True, kw_only=True, eq=False)
class Withdraw(Term):
    """A force leaves a strip along a line within a time. The deadline is computed in UTC, whatever clocks do meanwhile.

    The parties that are bound answer for it: each says that it is done (an entry of the type deliverable), and what one
    says alone is only its word. Filings and tracks of the force in the strip after the deadline are breaches.
    """

    TYPE: ClassVar[str] = "WITHDRAW"
    SCREENS_TRACKS: ClassVar[bool] = True

    force: str = field(metadata=p.text('who withdraws: a party, an affiliate, or "all" for every unit of those bound'))
    line: NamedLine = field(metadata=p.line("the line"))
    side: str = field(metadata=p.choice("the side on which the strip lies", SIDES))
    distance_m: float = field(metadata=p.length("how far beyond the line at least"))
    start_s: float = field(metadata=p.moment("from when the time runs"))
    duration_s: float = field(metadata=p.duration('how long it runs, for example "150 h"'))

    def __post_init__(self) -> None:
        if self.force != "all":  # what moves under the name of the force is bound, whoever it is
            object.__setattr__(self, "affiliates", self.affiliates | {self.force})

    def check(self) -> list[Fault]:
        """Check the side and the distance."""
        faults = [] if self.distance_m > 0.0 else [Fault("no distance", "more than 0 m", field="distance")]
        try:
            side_named(self.line.positions, self.side)
        except InputError as error:
            faults += [Fault(one.problem, one.right, field="side", value=self.side) for one in error.faults]
        return faults

    @property
    def deadline_s(self) -> float:
        """By when it has to be done, seconds since the epoch."""
        return self.start_s + self.duration_s

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """For each party: whether the deadline has come, and what it and others say of it."""
        return tuple(self._said_by(party, scene) for party in sorted(self.parties))

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """Whether all of what the force files after the deadline lies beyond the strip."""
        if not self._is_force(filed.party, filed.on_behalf_of):
            return ()
        return filing_by_field(self._after, filed, self._field, self.asked)

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether a unit of the force was beyond the strip after the deadline."""
        filed = scene.filing_of(flown)
        if not self._is_force(flown.party, filed.on_behalf_of if filed else ""):
            return ()
        return track_by_field(self._after, flown, self._field, self.asked, scene)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those that are not beyond the strip for certain."""
        force = [
            self._is_force(one.party, one.on_behalf_of) for one in (batch.filings[row] for row in batch.first_of_sort)
        ]
        return screened_by_field(batch, bound & np.array(force, dtype=np.bool_)[batch.sort], self._field)

    def ground(self) -> tuple[Ground, ...]:
        """The strip."""
        side = side_named(self.line.positions, self.side)
        label = f"{self.force} is out of this from {said_moment(self.deadline_s)}"
        return tuple(Ground(label, one) for one in strip_beside(self._border, side, 0.0, self.distance_m))

    @property
    def asked(self) -> str:
        """What it asks, as in "outside …"."""
        return f"what lies beyond {said_length(self.distance_m)} from {self.line.name} on the {self.side} side"

    def _said_by(self, party: str, scene: Scene) -> Finding:
        due = self.deadline_s
        what = f"the withdrawal of {self.force} to {said_length(self.distance_m)} from {self.line.name}"
        given = deliveries(self, party, scene)
        if not given:
            if scene.at_s <= due:
                sentence = f"{what} is due by {said_moment(due)}."
                return self.finding(Result.NOT_YET, sentence, party=party, due_s=due)
            sentence = f"{what} was due by {said_moment(due)}; {party} has not said that it was done."
            return self.finding(Result.NO_DATA, sentence, party=party, due_s=due)
        last = given[-1]
        assert last.counts_from_s is not None  # of those that count by then
        done_s = getattr(last.body, "done_s", None)
        done = last.counts_from_s if done_s is None else max(done_s, self.start_s)
        said = f"{what} was due by {said_moment(due)}; {party} says that it was done at {said_moment(done)}"
        against = disputed_by(last, scene.at_s)
        concur = concurring(last, scene.at_s)
        common = {
            "party": party,
            "due_s": due,
            "evidence": (Evidence(ref=last.ref, note=said),),
            "disputed_by": against,
        }
        if against:
            return self.finding(Result.POSSIBLE, f"{said}; disputed by {' and '.join(against)}.", **common)
        if done > due:
            return self.finding(Result.BREACHED, f"{said}, which is late.", **common)
        if concur:
            return self.finding(Result.MET, f"{said}, and {' and '.join(sorted(concur))} concurs.", **common)
        return self.finding(Result.POSSIBLE, f"{said}; nobody else has concurred.", **common)

    def _is_force(self, party: str, affiliate: str) -> bool:
        return self.force in ("all", affiliate or party)

    @cached_property
    def _after(self) -> Withdraw:
        """The same term, looking only at what is after the deadline."""
        begins = self.deadline_s if self.from_s is None else max(self.from_s, self.deadline_s)
        return replace(self, from_s=begins)

    @cached_property
    def _border(self) -> Border:
        return self.line.border

    @cached_property
    def _field(self) -> Field:
        return strip(self._border, Side(side_named(self.line.positions, self.side)), self.distance_m)
