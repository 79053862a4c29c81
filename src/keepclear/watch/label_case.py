"""One encounter held against the record: which filings, plans and tracks are about it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar, cast

from keepclear.agreements.facts import Filed, Flown, Given, Heard
from keepclear.model.operations import Operation
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef
from keepclear.watch.encounters import Basis, Encounter, Met
from keepclear.watch.extent import RELATED, Extent
from keepclear.watch.joint_plans import PlanOnRecord, PlanTold
from keepclear.watch.label_known import Known, times_of
from keepclear.watch.standing import log_order

__all__ = ["Case", "Notice", "first_answer", "track_text"]

Position = tuple[float, float, float | None]
T = TypeVar("T")


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
    """One encounter, to be looked at as it stood when it began, with or without some entries.

    What was asked once is kept: a label asks the same of many moments and of many records but for one entry.
    """

    def __init__(self, known: Known, encounter: Encounter) -> None:
        self.known = known
        self.encounter = encounter
        self._fits: dict[Met, list[Filed]] = {}
        self._by_ref: dict[Met, dict[EntryRef, Filed]] = {}
        self._worked_out: dict[Hashable, object] = {}
        self._places = _places(encounter)
        self.has_tracks = encounter.basis is Basis.TRACKS or any(
            _during(one, encounter) for party in set(encounter.parties) for one in known.flown_by.get(party, [])
        )

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """What is made of something: what was made of it before, if it was. Whatever it names by id is kept here."""
        if what not in self._worked_out:
            self._worked_out[what] = make()
        return cast("T", self._worked_out[what])

    def notice(self, side: Met, other: Met, began_s: float, without: AbstractSet[EntryRef] = frozenset()) -> Notice:
        """The filing of one side that is about this encounter, and stood when it began: the one that fits best.

        One and the same notice if the entries left out are none of that side's filings.
        """
        self._fitting(side)
        by_ref = self._by_ref[side]
        of_it = frozenset(ref for ref in without if ref in by_ref)
        return self.once(("notice", side, began_s, of_it), lambda: self._notice(side, other, began_s, of_it))

    def _notice(self, side: Met, other: Met, began_s: float, without: AbstractSet[EntryRef]) -> Notice:
        by_ref = self._by_ref[side]
        filed = next(
            (
                one
                for one in self._fitting(side)
                if one.stood_at(began_s) and other.party in one.recipients and one.ref not in without
            ),
            None,
        )
        if filed is None:
            return Notice(None)
        lineage = self._lineage(filed)
        versions = [by_ref[ref] for ref in lineage - without if ref in by_ref]
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
                lineage = known.lineage(bound)
                some = [one for one in known.by_party.get(side.party, []) if one.ref in lineage]
                fits = [((False, False, 0.0), one) for one in some if self._is_of_then(one)]
            else:
                near = known.about(
                    side.party, encounter.from_s, encounter.to_s, self._places, encounter.minima.horizontal_m
                )
                fits = [(self._fit(one, side, distance), one) for one, distance in near]
            fits.sort(key=lambda one: one[0])  # those that fit alike stay in the order of the logs
            self._fits[side] = [one for _, one in fits if not one.exercise]
            self._by_ref[side] = {one.ref: one for one in self._fits[side] if one.ref is not None}
        return self._fits[side]

    def _is_of_then(self, filed: Filed) -> bool:
        """Whether a filing is of the time of the encounter: who is bound to one of last week has filed nothing now."""
        extent = self.known.extent(filed)
        slack = 0.0 if extent is None else RELATED * extent.tolerance.time_s  # units are late, too
        begins = filed.start_s is None or filed.start_s - slack <= self.encounter.to_s
        return begins and (filed.end_s is None or filed.end_s + slack >= self.encounter.from_s)

    def _lineage(self, filed: Filed) -> frozenset[EntryRef]:
        """All versions of a filing."""
        return frozenset() if filed.ref is None else self.known.lineage(filed.ref)

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
        if not self._joint_plans():
            return None
        left_out = frozenset(without)
        return self.once(("plan", began_s, left_out), lambda: self._joint_plan(began_s, left_out))

    def _joint_plan(self, began_s: float, without: frozenset[EntryRef]) -> PlanOnRecord | None:
        found = [self.known.standing.plan(one, began_s, without) for one in self._joint_plans()]
        stood = [one for one in found if one is not None]
        return min(stood, key=lambda one: (len(one.missing), log_order(one.heard.ref)), default=None)

    def _joint_plans(self) -> list[PlanTold]:
        """The joint plans of both sides for this time and place, whenever they stood."""
        encounter = self.encounter
        some = self.known.standing.plans
        return self.once(
            "plans",
            lambda: [
                one for one in some(set(encounter.parties), encounter.from_s, encounter.to_s) if self._is_of_plan(one)
            ],
        )

    def _is_of_plan(self, told: PlanTold) -> bool:
        """Whether an encounter is in the place of a plan, and neither unit is of another."""
        if any(self.known.is_other(bound, told) for bound in (self.encounter.filing_a, self.encounter.filing_b)):
            return False
        extents = self.known.plan_extents(told)
        near = max(RELATED * max(part.tolerance.lateral_m for part in extents), self.encounter.minima.horizontal_m)
        return min(self._distance_m(part) for part in extents) <= near

    def advisories(self, first: EntryRef | None, second: EntryRef) -> list[Heard]:
        """Advisories about both filings."""
        return self.known.standing.advisories(first, second)

    def measures(
        self, a: Notice, b: Notice, began_s: float, without: AbstractSet[EntryRef] = frozenset()
    ) -> list[Heard]:
        """Measures about the filings of both sides in which both had concurred, or which they proposed themselves."""
        standing, parties = self.known.standing, set(self.encounter.parties)
        return [
            one
            for one in standing.measures_of_both(a.lineage, b.lineage)
            if standing.stood(one, began_s, without) and parties <= _for_it(one, began_s, without)
        ]

    def changes_s(self, low_s: float, high_s: float) -> list[float]:
        """When, after one moment and no later than another, anything began or ceased to count that speaks of this."""
        if low_s >= high_s:
            return []
        known = self.known
        sides = self.encounter.a, self.encounter.b
        some = [side for side in sides if known.has_changes(side.party, low_s, high_s)]
        times = {
            time for side in some for one in self._fitting(side) for time in times_of(one) if low_s < time <= high_s
        }
        if not known.standing.is_empty:
            refs = {ref for side in sides for one in self._fitting(side) for ref in self._lineage(one)}
            said = known.standing.times(refs, self._joint_plans())
            times |= {time for time in said if low_s < time <= high_s}
        return sorted(times)

    def tracks_of(self, side: Met) -> list[Flown]:
        """The tracks of one side: of its unit; of plans, of anything of the party then."""
        return self.once(("tracks", side), lambda: self._tracks_of(side))

    def _tracks_of(self, side: Met) -> list[Flown]:
        known, encounter = self.known, self.encounter
        if encounter.basis is Basis.TRACKS:
            return [one for one in known.flown_as.get((side.party, side.unit), []) if _during(one, encounter)]
        return [one for one in known.flown_by.get(side.party, []) if self._is_of_plans(one, side)]

    def _is_of_plans(self, flown: Flown, side: Met) -> bool:
        """Whether a track tells of a side of which only plans are known."""
        bound = self.encounter.filing_a if side == self.encounter.a else self.encounter.filing_b
        if flown.operation is not None and bound is not None:
            return flown.operation in self.known.lineage(bound)
        return _during(flown, self.encounter)


def first_answer(filed: Filed, party: str, without: AbstractSet[EntryRef] = frozenset()) -> Given | None:
    """The first answer of a person of that party that counts."""
    of_it = [one for one in filed.answers if one.party == party and one.ref not in without]
    return min(of_it, key=lambda one: (one.at_s, one.ref.origin, one.ref.index), default=None)


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
