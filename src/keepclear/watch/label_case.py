"""One encounter held against the record: which filings, plans and tracks are about it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from keepclear.agreements.facts import Filed, Flown, Given, Heard
from keepclear.model.operations import Operation
from keepclear.record.bodies.joint import MeasureBody
from keepclear.record.bodies.line_talk import AdvisoryBody
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.watch.encounters import Basis, Encounter, Met
from keepclear.watch.extent import RELATED, Extent
from keepclear.watch.joint_plans import PlanOnRecord, counted, plans_on_record
from keepclear.watch.label_known import Known, filing_order

__all__ = ["Case", "Notice", "first_answer", "plan_order", "track_text"]

Position = tuple[float, float, float | None]


@dataclass(frozen=True, slots=True)
class Notice:
    """What one side had said of what it was doing.

    Attributes
    ----------
    filed
        The filing that tells of it best; None if there is none.
    lineage
        All versions of that filing.
    first_s
        When the first of them counted.
    """

    filed: Filed | None
    lineage: frozenset[EntryRef] = frozenset()
    first_s: float | None = None


class Case:
    """One encounter, to be looked at as it stood when it began, with or without some entries."""

    def __init__(self, known: Known, encounter: Encounter) -> None:
        self.known = known
        self.encounter = encounter
        self._fits: dict[Met, list[Filed]] = {}
        self._places = _places(encounter)
        self.has_tracks = encounter.basis is Basis.TRACKS or any(
            one.track.time_s[0] <= encounter.to_s and one.track.time_s[-1] >= encounter.from_s
            for party in set(encounter.parties)
            for one in known.flown_by.get(party, [])
        )

    def notice(self, side: Met, other: Met, began_s: float, without: AbstractSet[EntryRef] = frozenset()) -> Notice:
        """The filing of one side that is about this encounter, and stood when it began: the one that fits best."""
        filed = next(
            (
                one
                for one in self._fitting(side)
                if one.ref not in without and one.stood_at(began_s) and other.party in one.recipients
            ),
            None,
        )
        if filed is None:
            return Notice(None)
        lineage = self._lineage(filed)
        versions = [one for one in self._fitting(side) if one.ref in lineage and one.ref not in without]
        first = min((one.counts_from_s for one in versions if one.counts_from_s is not None), default=None)
        return Notice(filed, lineage, first)

    def later(self, side: Met, other: Met, began_s: float) -> list[Filed]:
        """Filings about this encounter that counted only after it began."""
        return [
            one
            for one in self._fitting(side)
            if one.counts_from_s is not None and one.counts_from_s > began_s and other.party in one.recipients
        ]

    def _fitting(self, side: Met) -> list[Filed]:
        """The filings of one side that are about this encounter, the one that fits best first."""
        if side not in self._fits:
            encounter, known = self.encounter, self.known
            bound = encounter.filing_a if side == encounter.a else encounter.filing_b
            if bound is not None:
                lineage = known.lineages.get(bound, frozenset({bound}))
                some = [one for one in known.by_party.get(side.party, []) if one.ref in lineage]
                fits = [((False, False, 0.0), one) for one in some if self._is_of_then(one)]
            else:
                near = known.about(
                    side.party, encounter.from_s, encounter.to_s, self._places, encounter.minima.horizontal_m
                )
                fits = [(self._fit(one, side, distance), one) for one, distance in near]
            fits.sort(key=lambda one: (one[0], filing_order(one[1])))
            self._fits[side] = [one for _, one in fits if not one.exercise]
        return self._fits[side]

    def _is_of_then(self, filed: Filed) -> bool:
        """Whether a filing is of the time of the encounter: who is bound to one of last week has filed nothing now."""
        extent = self.known.extent(filed)
        slack = 0.0 if extent is None else RELATED * extent.tolerance.time_s  # units are late, too
        begins = filed.start_s is None or filed.start_s - slack <= self.encounter.to_s
        return begins and (filed.end_s is None or filed.end_s + slack >= self.encounter.from_s)

    def _lineage(self, filed: Filed) -> frozenset[EntryRef]:
        """All versions of a filing."""
        return frozenset() if filed.ref is None else self.known.lineages.get(filed.ref, frozenset({filed.ref}))

    def _fit(self, filed: Filed, side: Met, distance_m: float) -> tuple[bool, bool, float]:
        """How well a filing fits this side, the less the better."""
        plan = filed.plan
        named = isinstance(plan, Operation) and side.unit in (plan.id, plan.name)
        return not named, not isinstance(plan, Operation), round(distance_m, 3)

    def _distance_m(self, extent: Extent) -> float:
        """How far the place of the encounter is outside an extent; 0 where that is not known."""
        return min((extent.distance_m(*one[:2]) for one in self._places), default=0.0)

    def joint_plan(self, began_s: float, without: AbstractSet[EntryRef] = frozenset()) -> PlanOnRecord | None:
        """The joint plan of both sides for this encounter that was signed by most."""
        found = []
        for one in plans_on_record(self.known.record, began_s, without):
            plan = one.plan
            of_both = set(self.encounter.parties) <= {part.party for part in plan.participants}
            if not of_both or plan.start_s > self.encounter.to_s or plan.end_s < self.encounter.from_s:
                continue
            if any(self.known.is_other(bound, one) for bound in (self.encounter.filing_a, self.encounter.filing_b)):
                continue
            extents = self.known.plan_extents(one)
            near = max(RELATED * max(part.tolerance.lateral_m for part in extents), self.encounter.minima.horizontal_m)
            if min(self._distance_m(part) for part in extents) <= near:
                found.append(one)
        return min(found, key=lambda one: (len(one.missing), plan_order(one)), default=None)

    def advisories(self, first: EntryRef | None, second: EntryRef) -> list[Heard]:
        """Advisories about both filings."""
        return [
            one
            for one in self.known.record.of(EntryType.ADVISORY)
            if isinstance(one.body, AdvisoryBody) and {first, second} <= {each.ref() for each in one.body.about}
        ]

    def measures(
        self, a: Notice, b: Notice, began_s: float, without: AbstractSet[EntryRef] = frozenset()
    ) -> list[Heard]:
        """Measures about the filings of both sides in which both had concurred, or which they proposed themselves."""
        found = []
        for one in counted(self.known.record, EntryType.MEASURE, began_s, without):
            if not isinstance(one.body, MeasureBody):
                continue
            refs = {each.ref() for each in one.body.filings}
            if refs & a.lineage and refs & b.lineage and set(self.encounter.parties) <= _for_it(one, began_s, without):
                found.append(one)
        return found

    def tracks_of(self, side: Met) -> list[Flown]:
        """The tracks of one side: of its unit; of plans, of anything of the party then."""
        return [one for one in self.known.flown_by.get(side.party, []) if self._is_of(one, side)]

    def _is_of(self, flown: Flown, side: Met) -> bool:
        """Whether a track tells of this side: of the unit; of plans, of anything of the party then."""
        if self.encounter.basis is Basis.TRACKS:
            return flown.unit == side.unit and _during(flown, self.encounter)
        bound = self.encounter.filing_a if side == self.encounter.a else self.encounter.filing_b
        if flown.operation is not None and bound is not None:
            return flown.operation in self.known.lineages.get(bound, frozenset({bound}))
        return _during(flown, self.encounter)


def first_answer(filed: Filed, party: str, without: AbstractSet[EntryRef] = frozenset()) -> Given | None:
    """The first answer of a person of that party that counts."""
    of_it = [one for one in filed.answers if one.party == party and one.ref not in without]
    return min(of_it, key=lambda one: (one.at_s, one.ref.origin, one.ref.index), default=None)


def plan_order(one: PlanOnRecord) -> tuple[str, int, bytes]:
    """Any order, but always the same."""
    return one.heard.ref.origin, one.heard.ref.index, one.heard.ref.leaf_hash


def track_text(flown: Flown) -> str:
    """How a track is named as evidence."""
    return flown.name + "".join(f" [batch {batch[:16]}…]" for batch in sorted(flown.batches))


def _for_it(one: Heard, began_s: float, without: AbstractSet[EntryRef]) -> set[str]:
    """Who stood behind a measure: its author, and those whose last word on it was CONCUR."""
    last: dict[str, Given] = {}
    for each in sorted(one.answers, key=lambda each: (each.at_s, each.ref.origin, each.ref.index)):
        decides = each.answer in (AnswerGiven.CONCUR, AnswerGiven.OBJECT, AnswerGiven.UNABLE)
        if decides and each.at_s <= began_s and each.ref not in without:
            last[each.party] = each
    return {one.party} | {party for party, each in last.items() if each.answer is AnswerGiven.CONCUR}


def _during(flown: Flown, encounter: Encounter) -> bool:
    return bool(flown.track.time_s[0] <= encounter.to_s and flown.track.time_s[-1] >= encounter.from_s)


def _places(encounter: Encounter) -> list[Position]:
    """Where the two were at their closest; nothing where that is not known."""
    approach = encounter.approach
    return [] if approach is None else [approach.a, approach.b]
