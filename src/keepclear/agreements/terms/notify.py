"""NOTIFY: operations are told so long before they begin, and with what the clause asks to be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Evidence, Filed, Finding, Flown, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term, filed_name
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.binding import stands
from keepclear.agreements.terms.geometry import NamedArea
from keepclear.agreements.terms.quantities import said_duration, said_moment
from keepclear.agreements.terms.told import FIELDS, may_be_in, missing_fields
from keepclear.errors import Fault
from keepclear.model.kinds import OperationKind

__all__ = ["Notify"]

_EMERGENCIES = frozenset({OperationKind.MEDEVAC, OperationKind.SAR})


@dataclass(frozen=True, kw_only=True, eq=False)
class Notify(Term):
    """Whoever is bound tells of its operations so long before they begin.

    It counts from when somebody else is known to have had the filing, never from its author's clock.
    """

    TYPE: ClassVar[str] = "NOTIFY"

    lead_s: float = field(metadata=p.duration("how long before it begins an operation is told at least"))
    max_lead_s: float | None = field(
        default=None, metadata=p.duration("how long before at most, where notices are not to be given too early")
    )
    emergency_lead_s: float | None = field(
        default=None, metadata=p.duration("how long before for medevac and sar; as the others if left out")
    )
    fields: tuple[str, ...] = field(
        default=(), metadata=p.names("what has to be told at least", "minimum_fields", allowed=tuple(FIELDS))
    )
    area: NamedArea | None = field(
        default=None,
        metadata=p.area("only operations that are, or may be, in this area have to be told", "trigger_area"),
    )

    def check(self) -> list[Fault]:
        """Check the order of the lead times."""
        faults = []
        if self.max_lead_s is not None and self.max_lead_s <= self.lead_s:
            faults.append(Fault("not longer than lead", "longer than lead", field="max_lead"))
        if self.emergency_lead_s is not None and self.emergency_lead_s > self.lead_s:
            faults.append(Fault("longer than lead", "as long as lead, or shorter", field="emergency_lead"))
        return faults

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:
        """Whether it was told in time, and with what is needed."""
        if self.area is not None and not may_be_in(filed, self.area):
            return ()
        missing = missing_fields(filed, self.fields)
        result, said = self._timeliness(filed, scene.at_s)
        if missing:
            result = Result.BREACHED
            said = f"{said}; it does not say {', '.join(missing)}"
        due = None if filed.start_s is None else filed.start_s - self._needed_s(filed)
        return (self.about(result, filed, f"{filed_name(filed)} {said}.", due_s=due),)

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:
        """Whether anything was filed for a track at all; when, its filing says."""
        if flown.operation is not None and not self._had_ended(flown, scene):
            return ()
        first, last = float(flown.track.time_s[0]), float(flown.track.time_s[-1])
        around = [
            one
            for one in scene.filings
            if one.party == flown.party and _overlaps(one, first, last) and stands(one, scene.at_s)
        ]
        moved = f"{flown.name} moved from {said_moment(first)} to {said_moment(last)}"
        if not around:
            sentence = f"{moved}, and {flown.party} filed nothing for that time."
            return (self.about_track(Result.BREACHED, flown, sentence),)
        refs = tuple(Evidence(ref=one.ref) for one in around if one.ref is not None)
        sentence = f"{moved}; which of {flown.party}'s filings of that time it belongs to is not known."
        return (self.about_track(Result.POSSIBLE, flown, sentence, evidence=refs),)

    def _had_ended(self, flown: Flown, scene: Scene) -> bool:
        """Whether the filing that it names stood no more when it set out, and nothing took its place."""
        filed = scene.filing_of(flown)
        return filed is not None and filed.superseded_s is None and not stands(filed, scene.at_s)

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Those not told long enough before for certain; all of them where more than the time is asked."""
        if self.fields or self.max_lead_s is not None:
            return bound
        return bound & ~(batch.leads_s >= self.lead_s)

    def _needed_s(self, filed: Filed) -> float:
        kind = filed.plan.kind if filed.plan is not None else None
        return self.emergency_lead_s if kind in _EMERGENCIES and self.emergency_lead_s is not None else self.lead_s

    def _timeliness(self, filed: Filed, at_s: float) -> tuple[Result, str]:
        needed = self._needed_s(filed)
        asked = f"{said_duration(needed)} before it begins is asked"
        if filed.start_s is None:
            return Result.POSSIBLE, f"does not say when it begins, so whether it was told in time is not known; {asked}"
        begins = f"begins {said_moment(filed.start_s)}"
        if filed.counts_from_s is None and filed.ref is not None:
            problem = f"{begins}, and nobody else is known to have had it; {asked}"
            due = filed.start_s - needed
            return (Result.NOT_YET if at_s < due else Result.POSSIBLE), problem
        counts = (
            at_s if filed.counts_from_s is None else filed.counts_from_s
        )  # not said yet: it would count now at best
        lead = filed.start_s - counts
        told = "would be told" if filed.ref is None else "was told"
        when = f"{said_duration(lead)} {'before' if lead >= 0.0 else 'after'} that, at {said_moment(counts)}"
        if lead < needed:
            excuse = f' (it says of this: "{filed.reason_if_late}")' if filed.reason_if_late else ""
            return Result.BREACHED, f"{begins} and {told} {when}: too late, {asked}{excuse}"
        if self.max_lead_s is not None and lead > self.max_lead_s:
            return Result.BREACHED, f"{begins} and {told} {when}: too early, {said_duration(self.max_lead_s)} at most"
        return Result.MET, f"{begins} and {told} {when}; {asked}"


def _overlaps(filed: Filed, first_s: float, last_s: float) -> bool:
    begins = filed.start_s is None or filed.start_s <= last_s
    return begins and (filed.end_s is None or filed.end_s >= first_s)
