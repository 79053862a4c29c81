"""What labels are made of, put in order once for all encounters of a day: filings, tracks, and what is worked out."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Filed, Flown, RecordView
from keepclear.geo.ellipsoid import surface_point
from keepclear.line.deadlines import Deadlines
from keepclear.model.operations import Operation, Zone
from keepclear.record.entries import EntryRef
from keepclear.separation.outside import nearest_of_each
from keepclear.separation.shapes import blocks_of
from keepclear.watch.conformance import Share, kept_share
from keepclear.watch.extent import RELATED, Extent
from keepclear.watch.joint_plans import PlanTold, presence
from keepclear.watch.standing import Standing

__all__ = ["Known", "times_of"]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Position = tuple[float, float, float | None]

_BLOCK = 8
"""Edges under one bounding sphere: routes are long and go everywhere, so that more of them would be near everything."""


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    """When and where the filings of a party are, as columns: to find those that can be about something.

    All their edges are end to end, under bounding spheres, so that one look tells how far a place is from each filing
    that is anywhere near it.
    """

    start_s: Array
    end_s: Array
    near_m: Array
    edges: Array
    radius_m: Array
    first: Ints
    blocks: Array
    block_first: Ints
    areas: Array
    area_of: Ints
    is_placed: npt.NDArray[np.bool_]
    extents: Sequence[Extent | None]

    @classmethod
    def of(cls, extents: Sequence[Extent | None], filings: Sequence[Filed]) -> _Index:
        """The columns of filings; without an extent they may be anywhere."""
        slack = np.array([0.0 if one is None else one.tolerance.time_s for one in extents])
        start = [-math.inf if one.start_s is None else one.start_s for one in filings]
        end = [math.inf if one.end_s is None else one.end_s for one in filings]
        lines = [(np.empty((0, 6)), np.empty(0)) if one is None else one.lines for one in extents]
        edges, radius = (np.concatenate([one[k] for one in lines]) for k in (0, 1))
        first = np.concatenate(([0], np.cumsum([len(wide) for _, wide in lines]))).astype(np.int64)
        blocks, block_first = blocks_of(edges, first, _BLOCK)
        for k, (_, wide) in enumerate(lines):  # what is within the half-width of an edge is there
            blocks[block_first[k] : block_first[k + 1], 3] += wide.max(initial=0.0)
        areas = [(k, sphere) for k, one in enumerate(extents) if one is not None for sphere in one.areas]
        return cls(
            np.array(start) - slack, np.array(end) + slack,
            np.array([0.0 if one is None else RELATED * one.tolerance.lateral_m for one in extents]),
            edges, radius, first, blocks, block_first,
            np.array([sphere for _, sphere in areas]).reshape(-1, 4), np.array([k for k, _ in areas], dtype=np.int64),
            np.array([one is not None for one in extents]), extents,
        )  # fmt: skip

    def about(self, from_s: float, to_s: float, places: Sequence[Position], near_m: float) -> list[tuple[int, float]]:
        """Their places in the list, each with how far it is from the nearest of some places; 0 where none is known."""
        during = (self.start_s <= to_s) & (self.end_s >= from_s)
        apart = np.where(self.is_placed, 0.0, math.inf)
        if places:
            apart = self._apart(places, during & self.is_placed, np.maximum(self.near_m, near_m))
        rows = np.flatnonzero(during & (np.isfinite(apart) | ~self.is_placed))
        return list(zip(rows.tolist(), np.maximum(apart[rows], 0.0).tolist(), strict=True))

    def _apart(self, places: Sequence[Position], wanted: npt.NDArray[np.bool_], reach_m: Array) -> Array:
        """How far the nearest of some places is from each extent that is wanted; infinite beyond its reach."""
        points = np.array([surface_point(*one[:2]) for one in places])
        out = np.empty(len(wanted))
        nearest_of_each(
            points, self.edges, self.radius_m, self.first, self.blocks, self.block_first, _BLOCK, wanted, reach_m, out
        )
        if not len(self.areas):
            return out
        # It may be within a border, far from it.
        far = np.linalg.norm(points[:, None] - self.areas[None, :, :3], axis=2).min(axis=0)
        within = np.unique(self.area_of[far <= self.areas[:, 3]])
        for k in within[wanted[within] & (out[within] > 0.0)].tolist():
            extent = self.extents[k]
            assert extent is not None
            distance = min(extent.distance_m(*one[:2]) for one in places)
            out[k] = distance if distance <= reach_m[k] else math.inf
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
    flown_as: dict[tuple[str, str], list[Flown]] = field(init=False)
    standing: Standing = field(init=False)
    _extents: dict[int, Extent | None] = field(init=False, default_factory=dict)
    _kept: dict[tuple[int, int], tuple[Share, float] | None] = field(init=False, default_factory=dict)
    _indices: dict[str, _Index] = field(init=False, default_factory=dict)
    _present: dict[tuple[str, str], Share] = field(init=False, default_factory=dict)
    _times: dict[str, list[float]] = field(init=False, default_factory=dict)
    _plans: dict[str, list[Extent]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.filings = sorted(self.filings, key=_filing_order)
        self.by_party = defaultdict(list)
        for filed in self.filings:
            for party in {filed.party, filed.on_behalf_of} - {""}:
                self.by_party[party].append(filed)
        self.by_ref = {one.ref: one for one in self.filings if one.ref is not None}
        self.lineages = _lineages(self.filings)
        self.flown_by, self.flown_as = defaultdict(list), defaultdict(list)
        for flown in sorted(self.tracks, key=lambda one: (one.party, one.unit, one.source, float(one.track.time_s[0]))):
            self.flown_by[flown.party].append(flown)
            self.flown_as[flown.party, flown.unit].append(flown)
        self.standing = Standing(self.record)

    def lineage(self, ref: EntryRef) -> frozenset[EntryRef]:
        """All versions of a filing, itself among them."""
        return self.lineages.get(ref) or frozenset({ref})

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

    def has_changes(self, party: str, low_s: float, high_s: float) -> bool:
        """Whether any filing of a party, or an answer to one, began or ceased to count after one moment, by another."""
        if party not in self._times:
            self._times[party] = sorted({time for one in self.by_party.get(party, []) for time in times_of(one)})
        times = self._times[party]
        return bisect_right(times, low_s) < bisect_right(times, high_s)

    def present(self, told: PlanTold, party: str) -> Share:
        """Which share of a joint plan's time a participant was there."""
        plan = told.plan
        key = (told.hash, party)
        if key not in self._present:
            period = (plan.start_s, plan.end_s)
            mine = [one for one in self.flown_by.get(party, []) if not self.is_other(one.operation, told)]
            self._present[key] = presence(self.plan_extents(told), period, mine)
        return self._present[key]

    def is_other(self, bound: EntryRef | None, told: PlanTold) -> bool:
        """Whether a filing that something was flown for is none of the operations of a joint plan."""
        versions = () if bound is None else self.lineage(bound)
        filed = [self.by_ref[one] for one in versions if one in self.by_ref]
        plans = [one.plan for one in filed if one.plan is not None]
        named = {(one.party, one.id) for one in told.plan.operations}
        return bool(plans) and not any(
            (one.party, one.id) in named or _names(one, told.plan.id, told.hash) for one in plans
        )

    def plan_extents(self, told: PlanTold) -> list[Extent]:
        """The extents of all operations of a joint plan."""
        if told.hash not in self._plans:
            self._plans[told.hash] = [Extent(one) for one in told.plan.models()]
        return self._plans[told.hash]


def times_of(filed: Filed) -> Iterator[float]:
    """Whenever a filing, an answer to it, or the end of a conflict of it, began or ceased to count."""
    own = (filed.counts_from_s, filed.superseded_s, filed.cancelled_s)
    yield from (time for time in own if time is not None)
    yield from (one.at_s for one in filed.answers)
    yield from (settled_s for _, settled_s in filed.settled)


def _names(plan: Operation | Zone, *names: str) -> bool:
    return isinstance(plan, Operation) and plan.joint is not None and plan.joint.plan in names


def _as_operation(plan: Operation | Zone) -> Operation:
    return plan if isinstance(plan, Operation) else Operation(plan.party, plan.id, volumes=plan.volumes)


def _filing_order(filed: Filed) -> tuple[str, str, int, float]:
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
