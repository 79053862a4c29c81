"""FORCE_LIMIT: at most so many platforms of a category in an area at any time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from itertools import groupby
from operator import itemgetter
from typing import ClassVar, NamedTuple

import numpy as np

from keepclear.agreements.excess import Standing, excess_of_plan
from keepclear.agreements.facts import Evidence, Filed, Finding, Result
from keepclear.agreements.terms import exempting
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Ground, Scene, Term
from keepclear.agreements.terms.binding import Bond, bond_of_filing, bond_of_track, plan_of_track
from keepclear.agreements.terms.fields import region_of
from keepclear.agreements.terms.geometry import NamedArea
from keepclear.agreements.terms.on_areas import Inside, inside, screened_by_areas, zone_of
from keepclear.agreements.terms.quantities import said_moment
from keepclear.model.findings import Answer
from keepclear.model.operations import Operation, Zone

__all__ = ["ForceLimit"]


class _Stay(NamedTuple):
    """Platforms in the area for a time: so many for certain, and so many at most."""

    start_s: float
    end_s: float
    least: float
    most: float
    evidence: Evidence


@dataclass(frozen=True, kw_only=True, eq=False)
class ForceLimit(Term):
    """Each party has at most so many platforms of a category in an area at any time.

    What is filed for the area counts with the platforms that its filing tells; how many it is where it tells none, is
    not known. A track is one platform. Filings and tracks are counted apart: they are two tellings of the same units.
    """

    TYPE: ClassVar[str] = "FORCE_LIMIT"
    JUDGES_FILINGS: ClassVar[bool] = False

    area: NamedArea = field(metadata=p.area("the area"))
    max: int = field(metadata=p.count("how many at most, of each party"))
    category: str = field(default="", metadata=p.text("which class of platform is counted; all if left out"))

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """For each party: by what is filed, and by tracks."""
        filed, flown = self._filed(scene), self._flown(scene)
        findings = []
        for party in sorted(self.parties | filed.keys() | flown.keys()):  # affiliates that are bound too
            for stays, how in ((filed.get(party, []), "as filed"), (flown.get(party, []), "by tracks")):
                if stays:
                    findings.append(self._judged(party, stays, how))
            if party not in filed and party not in flown:
                what = self.category or "platforms"
                sentence = f"nothing on the record tells of {what} of {party} in {self.area.name}."
                findings.append(self.finding(Result.NO_DATA, sentence, party=party))
        return tuple(findings)

    def ground(self) -> tuple[Ground, ...]:
        """The area."""
        label = f"at most {self.max} {self.category or 'platforms'}"
        return tuple(Ground(label, one) for one in self.area.footprints)

    def _filed(self, scene: Scene) -> dict[str, list[_Stay]]:
        bound: list[tuple[Filed, Bond]] = []
        stays: dict[str, list[_Stay]] = {}
        rows = np.flatnonzero(screened_by_areas(scene.batch, scene.bound(self), (self.area,)))
        for row in rows.tolist():
            one = scene.filings[row]
            bond = bond_of_filing(self, one, scene.record, scene.at_s)
            if not bond.binds or self._is_exempt(one, scene):
                continue
            if one.plan is not None:
                bound.append((one, bond))
            elif self._runs_during(one):  # it may be in the area, with any number
                stays.setdefault(one.party, []).append(self._unreadable(one))
        plans = [one.plan for one, _ in bound if one.plan is not None]
        for found in inside(plans, (self._zone,)) if plans else ():
            one, bond = bound[found.plan]
            plan = plans[found.plan]
            least, most = self._count(plan)
            if bond.doubt or one.is_rough or not self._is_wholly_inside(plan):
                least = 0.0
            stays.setdefault(one.party, []).extend(_stays(found, least, most, Evidence(ref=one.ref)))
        return stays

    def _flown(self, scene: Scene) -> dict[str, list[_Stay]]:
        stays: dict[str, list[_Stay]] = {}
        for flown in scene.tracks:
            bond = bond_of_track(self, flown, scene)
            filed = scene.filing_of(flown)
            if not bond.binds or (filed is not None and self._is_exempt(filed, scene)):
                continue
            if self.category and flown.platform_class and not _alike(flown.platform_class, self.category):
                continue
            sure = 0.0 if bond.doubt or (self.category and not flown.platform_class) else 1.0
            for found in inside([plan_of_track(flown, filed)], (self._zone,), gap_s=flown.gap_s):
                evidence = Evidence(track=flown.name)
                stays.setdefault(flown.party, []).extend(_stays(found, sure, 1.0, evidence))
        return stays

    def _judged(self, party: str, stays: list[_Stay], how: str) -> Finding:
        least, most = _highest(stays, certain=True), _highest(stays, certain=False)
        evidence = tuple(dict.fromkeys(one.evidence for one in stays))
        what = f"{self.category or 'platforms'} of {party} in {self.area.name}"
        asked = f"at most {self.max} at a time"
        if least.total > self.max:
            sentence = f"{_number(least.total)} {what}, {how}, at {said_moment(least.at_s)}: {asked}."
            times = {"from_s": least.at_s, "to_s": least.end_s}
            return self.finding(Result.BREACHED, sentence, party=party, evidence=evidence, **times)
        if most.total > self.max:
            many = "an unknown number of" if math.isinf(most.total) else f"up to {_number(most.total)}"
            sentence = f"there may be {many} {what}, {how}, at {said_moment(most.at_s)}: {asked}."
            times = {"from_s": most.at_s, "to_s": most.end_s}
            return self.finding(Result.POSSIBLE, sentence, party=party, evidence=evidence, **times)
        sentence = f"never more than {_number(most.total)} {what}, {how}: {asked}."
        return self.finding(Result.MET, sentence, party=party, evidence=evidence)

    def _count(self, plan: Operation | Zone) -> tuple[float, float]:
        """How many platforms of the category a plan brings, at least and at most."""
        people = plan.participants if isinstance(plan, Operation) else ()
        if not people:
            return 0.0, math.inf
        least = most = 0.0
        for one in people:
            if self.category and one.platform_class and not _alike(one.platform_class, self.category):
                continue
            known = one.platforms is not None and (not self.category or one.platform_class)
            least += float(one.platforms or 0) if known else 0.0
            most += float(one.platforms) if one.platforms is not None else math.inf
        return least, most

    def _runs_during(self, filed: Filed) -> bool:
        return self.from_s is None or filed.end_s is None or filed.end_s > self.from_s

    def _unreadable(self, filed: Filed) -> _Stay:
        start = max(-math.inf if one is None else one for one in (filed.start_s, self.from_s))
        end = min(math.inf if one is None else one for one in (filed.end_s, self.until_s))
        why = filed.problem or "it says neither where nor when"
        return _Stay(start, end, 0.0, math.inf, Evidence(ref=filed.ref, note=why))

    def _is_wholly_inside(self, plan: Operation | Zone) -> bool:
        region = region_of((self.area,))
        found = excess_of_plan(plan, lambda points: (region.outside(points), points[:, 0] * 0.0 + math.inf))
        return found is not None and found.standing is Standing.WITHIN

    def _is_exempt(self, filed: Filed, scene: Scene) -> bool:
        asked = self.about(Result.BREACHED, filed, "")
        return exempting.applied(self, asked, filed, scene).result is Result.MET

    @cached_property
    def _zone(self) -> Zone:
        return zone_of(self, self.area.footprints)


class _Peak(NamedTuple):
    total: float
    at_s: float
    end_s: float


def _stays(found: Inside, least: float, most: float, evidence: Evidence) -> Iterable[_Stay]:
    for one in found.intervals:
        start = -math.inf if one.start_s is None else one.start_s
        end = math.inf if one.end_s is None else one.end_s
        yield _Stay(start, end, least if one.answer is Answer.CONFLICT else 0.0, most, evidence)


def _highest(stays: list[_Stay], *, certain: bool) -> _Peak:
    """The largest sum at any time, and when it is first reached; stays that only meet do not overlap."""
    counts = sorted((one.start_s, one.end_s, one.least if certain else one.most) for one in stays)
    best = _Peak(0.0, counts[0][0], max(end for _, end, _ in counts))
    present: list[tuple[float, float]] = []  # a heap of those that count, by their ends
    total = _Total()
    for moment, some in groupby(counts, key=itemgetter(0)):
        while present and present[0][0] <= moment:
            total.take(-1, heappop(present)[1])
        for _, end, count in some:
            if count and end >= moment:
                heappush(present, (end, count))
                total.take(1, count)
        if total.now > best.total:
            best = _Peak(total.now, moment, present[0][0])
    return best


class _Total:
    """A sum from which numbers are taken away again, whole ones or an unknown one; exact."""

    def __init__(self) -> None:
        self._known, self._unknown = 0.0, 0

    def take(self, sign: int, count: float) -> None:
        if math.isinf(count):
            self._unknown += sign
        else:
            self._known += sign * count

    @property
    def now(self) -> float:
        return math.inf if self._unknown else self._known


def _alike(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _number(count: float) -> str:
    return "an unknown number" if math.isinf(count) else f"{count:,.0f}"
