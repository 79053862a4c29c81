"""MIN_SEPARATION: units of different parties stay so far apart; while it is in force the search uses its minima."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from typing import Any, ClassVar, get_args

import numpy as np

from keepclear.agreements.borders import Region, on_surface
from keepclear.agreements.facts import Evidence, Filed, Finding, Heard, Result
from keepclear.agreements.terms import exempting
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import BoundRule, Contribution, Scene, Term, filed_name
from keepclear.agreements.terms.binding import Bond, bond_of_filing, bond_of_track, plan_of_track
from keepclear.agreements.terms.on_areas import as_operation, doubt_m
from keepclear.agreements.terms.on_record import concurring, signatures, standing
from keepclear.agreements.terms.quantities import said_length, said_moment
from keepclear.errors import Fault
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint
from keepclear.model.kinds import GAP_LIMIT_S, Domain
from keepclear.model.operations import Operation
from keepclear.record.bodies.joint import MeasureKind
from keepclear.record.entries import EntryRef
from keepclear.separation.evidence import PairEvidence, collect
from keepclear.separation.judging import judge_moving
from keepclear.separation.judging_standing import judge_standing
from keepclear.separation.minima import MinimaTable, Rule
from keepclear.separation.sentences import place
from keepclear.separation.world import compile_world

__all__ = ["MinSeparation"]

MEASURES = get_args(MeasureKind)
_OF_THE_PLAN_M = {Domain.GROUND: 5_000.0, Domain.UAS: 1_000.0}
"""A track that names no filing is part of a joint plan only so near to it; 10 NM at sea and in the air."""
_ELSEWHERE_M = 18_520.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is compared: a filing, or a track with its filing."""

    name: str
    party: str
    ref: EntryRef | None
    operation: Operation
    evidence: Evidence
    doubt: str
    is_track: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class MinSeparation(Term):
    """Units of different parties that are bound stay apart by a distance along the ground, or by one in height.

    A measure of a kind in `waived_by`, with which the other party concurs before either begins, takes its place: two
    patrols that agree to meet do not breach it. Nor is held apart what is part of one joint plan that all participants
    have signed; that filings call themselves joint is no such plan.
    """

    TYPE: ClassVar[str] = "MIN_SEPARATION"
    JUDGES_FILINGS: ClassVar[bool] = False

    horizontal_m: float = field(metadata=p.length("how far apart along the ground at least"))
    vertical_m: float | None = field(
        default=None, metadata=p.length("or how far apart in height; height does not matter if left out")
    )
    time_s: float = field(default=0.0, metadata=p.duration("for how long it may be less; no time if left out"))
    waived_by: tuple[str, ...] = field(
        default=("meeting",), metadata=p.names("kinds of measure that take its place", allowed=MEASURES)
    )

    def check(self) -> list[Fault]:
        """Check that there is a distance."""
        return [] if self.horizontal_m > 0.0 else [Fault("no separation", "more than 0 m", field="horizontal")]

    def contributes(self) -> Contribution:
        """One rule for each pair of domains that it binds."""
        bound = sorted(self.domains or Domain)
        source = f"{self.name} of the agreement{f' {self.agreement}' if self.agreement else ''}"
        rules = (
            Rule(a.value, b.value, self.horizontal_m, self.vertical_m, self.time_s, source)
            for a, b in combinations_with_replacement(bound, 2)
        )
        return Contribution(minima=tuple(BoundRule(rule, self) for rule in rules))

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Every two that come closer, as filed and by their tracks."""
        findings: list[Finding] = []
        filed, flown = list(self._filed(scene)), list(self._flown(scene))
        for units, how in ((filed, "as filed"), (flown, "by their tracks")):
            if len({one.party for one in units}) > 1:
                found = list(self._pairs(units, how, scene))
                findings += found or [self._apart(units, how)]
        for number in np.flatnonzero(scene.bound(self)).tolist():
            one = scene.filings[number]
            if one.plan is None:
                sentence = f"{filed_name(one)} cannot be compared: {one.problem or 'it says neither where nor when'}."
                findings.append(self.about(Result.POSSIBLE, one, sentence))
        if not findings:
            sentence = "no operations of two parties that it binds are on the record, so there was nothing to compare."
            findings.append(self.finding(Result.NO_DATA, sentence))
        return tuple(findings)

    def _filed(self, scene: Scene) -> Iterator[_Unit]:
        for number in np.flatnonzero(scene.bound(self)).tolist():
            one = scene.filings[number]
            bond = bond_of_filing(self, one, scene.record, scene.at_s)
            if not bond.binds or not isinstance(one.plan, Operation) or self._is_exempt(one, scene):
                continue
            party = one.on_behalf_of or one.party
            operation = as_operation(one.plan, one.plan.id, party)
            yield _unit(filed_name(one), party, one.ref, operation, Evidence(ref=one.ref), bond, one.is_rough)

    def _flown(self, scene: Scene) -> Iterator[_Unit]:
        for flown in scene.tracks:
            bond = bond_of_track(self, flown, scene)
            filed = scene.filing_of(flown)
            if not bond.binds or (filed is not None and self._is_exempt(filed, scene)):
                continue
            operation = plan_of_track(flown, filed)
            if filed is not None and filed.plan is not None:
                operation = replace(operation, id=filed.plan.id)  # which its joint plan names
            evidence = Evidence(track=flown.name)
            unit = _unit(flown.name, flown.party, flown.operation, operation, evidence, bond, rough=False)
            yield replace(unit, is_track=True)

    def _pairs(self, units: Sequence[_Unit], how: str, scene: Scene) -> Iterator[Finding]:
        """What the search finds with these minima alone."""
        rule = Rule("operation", "operation", self.horizontal_m, self.vertical_m, self.time_s, self.name)
        minima = MinimaTable(MinimaTable.default().rules, rule)
        gaps = [flown.gap_s for flown in scene.tracks] if units[0].is_track else []
        limits = dict.fromkeys(Domain, min(gaps)) if gaps else GAP_LIMIT_S
        operations = [_within(one.operation, self) for one in units]
        world = compile_world(operations, (), minima=minima, compare_own=False, gap_limits_s=limits)
        for pair in collect([judge_moving(world), *judge_standing(world)]):
            finding = self._judged(pair, units[pair.first], units[pair.second], how, scene)
            if finding is not None:
                yield finding

    def _judged(self, pair: PairEvidence, a: _Unit, b: _Unit, how: str, scene: Scene) -> Finding | None:
        starts = [one.start_s for one in pair.intervals if one.start_s is not None]
        ends = [one.end_s for one in pair.intervals if one.end_s is not None]
        start, end = min(starts, default=None), max(ends, default=None)
        if not self._is_in_time(start, end):
            return None
        near, blur = pair.closest, doubt_m(a.operation) + doubt_m(b.operation)
        doubts = [one for one in (*pair.reasons, a.doubt, b.doubt) if one]
        if _name_each_other(a.operation, b.operation):
            doubts.append("both say that they are one joint operation, and no plan of it is signed by all")
        if pair.answer is Answer.CONFLICT and near.horizontal_m + blur > self.horizontal_m and blur > 0.0:
            doubts.append(f"their places are known only to {blur:,.0f} m together")
        certain = pair.answer is Answer.CONFLICT and not doubts
        verb = "come" if certain else "may come"
        height = (
            "" if near.vertical_m is None or self.vertical_m is None else f" and {near.vertical_m:,.0f} m in height"
        )
        where = f"near {place(near.a)}" + ("" if start is None else f", from {said_moment(start)}")
        until = "" if end is None else f" to {said_moment(end)}"
        far = f"{near.horizontal_m:,.0f} m{height}"
        said = f"{a.name} and {b.name} {verb} within {far} of each other, {how}, {where}{until}"
        asked = f"at least {self._asked} is asked"
        common: dict[str, Any] = {"about": a.ref, "from_s": start, "to_s": end, "evidence": (a.evidence, b.evidence)}
        plan = _joint_plan_of(a, b, start, near.a[:2], scene)
        if plan is not None:
            evidence = (a.evidence, b.evidence, Evidence(ref=plan.ref, note="the joint plan, signed by all"))
            sentence = f"{said}, as parts of one joint plan that all have signed, which are one operation."
            return self.finding(Result.MET, sentence, **(common | {"evidence": evidence}))
        waiver = self._waiver(a, b, start, scene)
        if waiver is not None:
            evidence = (a.evidence, b.evidence, Evidence(ref=waiver.ref, note="the measure that takes its place"))
            sentence = f"{said}; {asked}, and a mutual measure ({waiver.body.measure}) takes its place."  # type: ignore[attr-defined]
            return self.finding(Result.MET, sentence, **(common | {"evidence": evidence}))
        result = Result.BREACHED if certain else Result.POSSIBLE
        because = f" Not certain: {'; '.join(doubts)}." if doubts else ""
        return self.finding(result, f"{said}; {asked}.{because}", **common)

    def _apart(self, units: Sequence[_Unit], how: str) -> Finding:
        doubts = sorted({one.doubt for one in units if one.doubt})
        parties = " and ".join(sorted({one.party for one in units}))
        sentence = f"of {len(units)} operations of {parties} no two come closer than {self._asked}, {how}."
        evidence = tuple(one.evidence for one in units[:100])
        return self.finding(Result.MET, f"{sentence}{f' ({doubts[0]})' if doubts else ''}", evidence=evidence)

    def _waiver(self, a: _Unit, b: _Unit, start_s: float | None, scene: Scene) -> Heard | None:
        """The measure about both that stood, with the other side's last word CONCUR, when they came together."""
        if a.ref is None or b.ref is None:
            return None
        for heard in standing(scene, "measure", by_s=start_s):
            body: Any = heard.body
            if body.measure not in self.waived_by or not {a.ref, b.ref} <= {one.ref() for one in body.filings}:
                continue
            others = {a.party, b.party} - {heard.party}
            concur = concurring(heard, scene.at_s if start_s is None else min(start_s, scene.at_s))
            if heard.party in (a.party, b.party) and others <= concur:
                return heard
        return None

    def _is_in_time(self, start_s: float | None, end_s: float | None) -> bool:
        begins = self.until_s is None or start_s is None or start_s < self.until_s
        return begins and (self.from_s is None or end_s is None or end_s > self.from_s)

    def _is_exempt(self, filed: Filed, scene: Scene) -> bool:
        asked = self.about(Result.BREACHED, filed, "")
        return exempting.applied(self, asked, filed, scene).result is Result.MET

    @property
    def _asked(self) -> str:
        height = "" if self.vertical_m is None else f" or {said_length(self.vertical_m)} in height"
        return f"{said_length(self.horizontal_m)}{height}"


def _unit(
    name: str,
    party: str,
    ref: EntryRef | None,
    operation: Operation,
    evidence: Evidence,
    bond: Bond,
    rough: bool,  # noqa: FBT001
) -> _Unit:
    doubt = "; ".join(one for one in (bond.doubt, f"{name} is told only roughly" if rough else "") if one)
    return _Unit(name, party, ref, operation, evidence, doubt, is_track=False)


def _within(operation: Operation, term: Term) -> Operation:
    """On the ground height does not matter, whatever the term asks of aircraft. What is joint, the record says."""
    alone = replace(operation, joint=None)
    return replace(alone, domains=alone.domains & term.domains or alone.domains) if term.domains else alone


def _name_each_other(a: Operation, b: Operation) -> bool:
    if a.joint is None or b.joint is None or a.joint.plan != b.joint.plan:
        return False
    return b.id in a.joint.operations and a.id in b.joint.operations


def _joint_plan_of(a: _Unit, b: _Unit, start_s: float | None, where: tuple[float, float], scene: Scene) -> Heard | None:
    """The joint plan that both are part of, and that all its participants had signed when these came together."""
    for heard in standing(scene, "joint-plan", by_s=start_s):
        plan: Any = heard.body.plan  # type: ignore[attr-defined]
        named = {(one.party, one.id) for one in plan.operations}
        parts = [(one.party, one.operation.id) in named for one in (a, b)]
        # A track of which nobody says what it was flown for counts by its party, and the plan's time and place.
        unfiled = [one.is_track and one.ref is None and one.party in {name for name, _ in named} for one in (a, b)]
        in_time = start_s is None or plan.start_s <= start_s <= plan.end_s
        if not all(part or (other and in_time) for part, other in zip(parts, unfiled, strict=True)):
            continue
        if not all(parts) and not any(_is_near(one, where) for one in plan.models()):
            continue
        if {one.party for one in plan.participants} <= signatures(heard, scene, by_s=start_s).keys():
            return heard
    return None


def _is_near(operation: Operation, where: tuple[float, float]) -> bool:
    """Whether a place belongs to an operation, as near as units keep to their plans."""
    shapes: list[Footprint] = [one.footprint for one in operation.volumes]
    for track in operation.tracks:
        line = np.column_stack((track.lon_deg, track.lat_deg))
        is_place = len(np.unique(line, axis=0)) < 2
        shapes.append(
            Circle(float(line[0, 0]), float(line[0, 1]), 0.0) if is_place else Corridor(line, 0.0, Edges.GEODESIC)
        )
    near_m = max(_OF_THE_PLAN_M.get(one, _ELSEWHERE_M) for one in operation.domains)
    return bool(Region(shapes).outside(on_surface(np.array([where])))[0] <= near_m)
