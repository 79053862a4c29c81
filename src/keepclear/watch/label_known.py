"""What labels are made of, put in order once for all encounters of a day: filings, tracks, and what is worked out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Filed, Flown, RecordView
from keepclear.geo.ellipsoid import surface_point
from keepclear.line.deadlines import Deadlines
from keepclear.model.operations import Operation, Zone
from keepclear.record.entries import EntryRef
from keepclear.separation.outside import nearest_of_each
from keepclear.watch.conformance import Share, kept_share
from keepclear.watch.extent import RELATED, Extent
from keepclear.watch.joint_plans import PlanOnRecord, presence

__all__ = ["Known", "filing_order"]

Array = npt.NDArray[np.float64]
Position = tuple[float, float, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    """When and where the filings of a party are, as columns: to find those that can be about something.

    All their edges are end to end, so that one look tells how far a place is from each of them.
    """

    start_s: Array
    end_s: Array
    near_m: Array
    edges: Array
    radius_m: Array
    first: npt.NDArray[np.int64]
    extents: Sequence[Extent | None]

    @classmethod
    def of(cls, extents: Sequence[Extent | None], filings: Sequence[Filed]) -> _Index:
        """The columns of filings; without an extent they may be anywhere."""
        slack = np.array([0.0 if one is None else one.tolerance.time_s for one in extents])
        start = [-math.inf if one.start_s is None else one.start_s for one in filings]
        end = [math.inf if one.end_s is None else one.end_s for one in filings]
        lines = [(np.empty((0, 6)), np.empty(0)) if one is None else one.lines for one in extents]
        return cls(
            np.array(start) - slack, np.array(end) + slack,
            np.array([0.0 if one is None else RELATED * one.tolerance.lateral_m for one in extents]),
            np.concatenate([edges for edges, _ in lines]), np.concatenate([radius for _, radius in lines]),
            np.concatenate(([0], np.cumsum([len(radius) for _, radius in lines]))).astype(np.int64), extents,
        )  # fmt: skip

    def about(self, from_s: float, to_s: float, places: Sequence[Position], near_m: float) -> list[tuple[int, float]]:
        """Their places in the list, each with how far it is from the nearest of some places; 0 where none is known."""
        during = (self.start_s <= to_s) & (self.end_s >= from_s)
        apart = np.zeros(len(during))
        if places:
            apart = np.minimum.reduce([self._apart(one) for one in places])
        found = []
        for k in np.flatnonzero(during).tolist():
            extent, distance = self.extents[k], float(apart[k])
            if extent is not None and extent.has_inside and places and distance > 0.0:
                distance = min(extent.distance_m(*one[:2]) for one in places)  # it may be within the border
            if extent is None or distance <= max(self.near_m[k], near_m):
                found.append((k, math.inf if extent is None else max(distance, 0.0)))
        return found

    def _apart(self, place: Position) -> Array:
        out = np.empty(len(self.first) - 1)
        nearest_of_each(*surface_point(*place[:2]), self.edges, self.radius_m, self.first, out)
        return out


@dataclass(slots=True)
class Known:
    """All that labels are made of, and what was worked out of it: shared by the encounters of a day."""

    filings: Sequence[Filed]
    record: RecordView
    tracks: Sequence[Flown]
    deadlines: Deadlines
    by_party: dict[str, list[Filed]] = field(init=False)
    by_ref: dict[EntryRef, Filed] = field(init=False)
    lineages: dict[EntryRef, frozenset[EntryRef]] = field(init=False)
    flown_by: dict[str, list[Flown]] = field(init=False)
    _extents: dict[int, Extent | None] = field(init=False, default_factory=dict)
    _kept: dict[tuple[int, int], tuple[Share, float] | None] = field(init=False, default_factory=dict)
    _indices: dict[str, _Index] = field(init=False, default_factory=dict)
    _times: dict[str, Array] = field(init=False, default_factory=dict)
    _present: dict[tuple[str, str], Share] = field(init=False, default_factory=dict)
    _plans: dict[str, list[Extent]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.filings = sorted(self.filings, key=filing_order)
        self.by_party = defaultdict(list)
        for filed in self.filings:
            for party in {filed.party, filed.on_behalf_of} - {""}:
                self.by_party[party].append(filed)
        self.by_ref = {one.ref: one for one in self.filings if one.ref is not None}
        self.lineages = _lineages(self.filings)
        self.flown_by = defaultdict(list)
        for flown in sorted(self.tracks, key=lambda one: (one.party, one.unit, one.source, float(one.track.time_s[0]))):
            self.flown_by[flown.party].append(flown)

    def extent(self, filed: Filed) -> Extent | None:
        """The filing's extent; None where it has none that can be read."""
        key = id(filed.plan)
        if key not in self._extents:
            self._extents[key] = None if filed.plan is None else Extent(_as_operation(filed.plan))
        return self._extents[key]

    def kept(self, filed: Filed, flown: Flown) -> tuple[Share, float] | None:
        """Which share of its time a track kept to a filing, and how far outside it was at most."""
        key = (id(filed.plan), id(flown))
        if key not in self._kept:
            extent = self.extent(filed)
            self._kept[key] = None if extent is None else kept_share(extent, flown)
        return self._kept[key]

    def about(
        self, party: str, from_s: float, to_s: float, places: Sequence[Position], near_m: float
    ) -> list[tuple[Filed, float]]:
        """The filings of a party in whose time and place something was, and how far outside the place it was.

        Those that give no place that can be read are among them, infinitely far.

        Parameters
        ----------
        places
            Where it was; none where that is not known.
        near_m
            How far outside is still about it, besides what each filing's own tolerance makes of that.
        """
        some = self.by_party.get(party, [])
        if not some:
            return []
        if party not in self._indices:
            self._indices[party] = _Index.of([self.extent(one) for one in some], some)
        found = self._indices[party].about(from_s, to_s, places, near_m)
        return [(some[k], distance) for k, distance in found]

    def times(self, parties: Iterable[str]) -> Array:
        """Whenever something of these parties, or about them all, began to count or ceased to."""
        if "" not in self._times:
            heard = [one for some in self.record.heard.values() for one in some]
            self._times[""] = _sorted(
                time for one in heard for time in (one.counts_from_s, *(each.at_s for each in one.answers))
            )
        for party in parties:
            if party not in self._times:
                self._times[party] = _sorted(
                    time
                    for one in self.by_party.get(party, [])
                    for time in (
                        one.counts_from_s, one.superseded_s, one.cancelled_s, *(each.at_s for each in one.answers)
                    )
                )  # fmt: skip
        return np.concatenate([self._times[one] for one in dict.fromkeys(["", *parties])])

    def present(self, on_record: PlanOnRecord, party: str) -> Share:
        """Which share of a joint plan's time a participant was there."""
        plan = on_record.plan
        key = (plan.hash, party)
        if key not in self._present:
            period = (plan.start_s, plan.end_s)
            mine = [one for one in self.flown_by.get(party, []) if not self.is_other(one.operation, on_record)]
            self._present[key] = presence(self.plan_extents(on_record), period, mine)
        return self._present[key]

    def is_other(self, bound: EntryRef | None, on_record: PlanOnRecord) -> bool:
        """Whether a filing that something was flown for is none of the operations of a joint plan."""
        versions = () if bound is None else self.lineages.get(bound, frozenset({bound}))
        filed = [self.by_ref[one] for one in versions if one in self.by_ref]
        plans = [one.plan for one in filed if one.plan is not None]
        named = {(one.party, one.id) for one in on_record.plan.operations}
        return bool(plans) and not any(
            (one.party, one.id) in named or _names(one, on_record.plan.id, on_record.plan.hash) for one in plans
        )

    def plan_extents(self, on_record: PlanOnRecord) -> list[Extent]:
        """The extents of all operations of a joint plan."""
        plan = on_record.plan
        if plan.hash not in self._plans:
            self._plans[plan.hash] = [Extent(one) for one in plan.models()]
        return self._plans[plan.hash]


def _names(plan: Operation | Zone, *names: str) -> bool:
    return isinstance(plan, Operation) and plan.joint is not None and plan.joint.plan in names


def _as_operation(plan: Operation | Zone) -> Operation:
    return plan if isinstance(plan, Operation) else Operation(plan.party, plan.id, volumes=plan.volumes)


def _sorted(times: Iterable[float | None]) -> Array:
    return np.unique(np.array([one for one in times if one is not None], dtype=np.float64))


def filing_order(filed: Filed) -> tuple[str, str, int, float]:
    """Any order, but always the same: by party and log."""
    ref = filed.ref
    counts = math.inf if filed.counts_from_s is None else filed.counts_from_s
    return filed.party, "" if ref is None else ref.origin, -1 if ref is None else ref.index, counts


def _lineages(filings: Iterable[Filed]) -> dict[EntryRef, frozenset[EntryRef]]:
    """For each filing all versions of it, itself among them."""
    after = {one.ref: one.superseded_by for one in filings if one.ref is not None and one.superseded_by is not None}
    found: dict[EntryRef, set[EntryRef]] = {}
    for ref, by in after.items():
        together = found.get(ref, {ref}) | found.get(by, {by})
        for one in together:
            found[one] = together
    return {ref: frozenset(together) for ref, together in found.items()}
