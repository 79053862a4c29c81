"""Filings, answers, plans and tracks for tests of encounters, by hand: who said what, and from when it counted."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from keepclear.agreements.facts import Filed, Flown, Given, Heard, RecordView
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind
from keepclear.model.operations import Operation
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody, MeasureBody
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.bodies.watched import ClaimBody, IncidentBody
from keepclear.record.entries import EntryRef
from keepclear.times import parse_time
from keepclear.watch.labels import Labelled, label

HOUR = 3600.0
GROUND = frozenset({Domain.GROUND})
AIR = frozenset({Domain.AIR})


def at(text: str) -> float:
    """A time."""
    return parse_time(text)


def route(points, times, *, basis=TrackBasis.PLANNED, uncertainty_m=0.0, late_s=0.0, every_s=None):
    """A track through (lon, lat) points; with positions every so many seconds in between."""
    times = np.asarray(times, dtype=float)
    lon, lat = (np.array([point[k] for point in points], dtype=float) for k in (0, 1))
    if every_s:
        fine = np.unique(np.append(np.arange(times[0], times[-1], every_s), times))
        lon, lat, times = np.interp(fine, times, lon), np.interp(fine, times, lat), fine
    return Track(times, lon, lat, np.full(len(times), np.nan), basis=basis, uncertainty_m=uncertainty_m, late_s=late_s)


def moved(
    party, unit, points, times, *, uncertainty_m=0.0, operation=None, domains=GROUND, every_s=10.0, height_m=np.nan
):
    """What a unit on the ground was seen to do."""
    track = route(points, times, basis=TrackBasis.FLOWN, uncertainty_m=uncertainty_m, every_s=every_s)
    track = replace(track, height_m=np.full(len(track.time_s), height_m))
    return Flown(party, unit, track, operation, "patrol", source=f"{unit}.csv", domains=domains)


def patrol(party, ident, points, times, **options):
    """A planned patrol on the ground."""
    return Operation(party, ident, OperationKind.PATROL, tracks=(route(points, times, **options),), domains=GROUND)


def flight(party, ident, lon, lat, radius_m, start_s, end_s, low_fl, high_fl):
    """A flight that stays in a volume."""
    floor, ceiling = (Height(fl * 30.48, HeightReference.FL) for fl in (low_fl, high_fl))
    volume = Volume(Circle(lon, lat, radius_m), floor, ceiling, start_s, end_s)
    return Operation(party, ident, OperationKind.FLIGHT, (volume,), domains=AIR)


class Story:
    """A record in the making."""

    def __init__(self, *parties: str) -> None:
        self.parties = frozenset(parties)
        self.filings: list[Filed] = []
        self.heard: dict[str, list[Heard]] = defaultdict(list)
        self.counts: Counter[str] = Counter()

    def ref(self, party: str) -> EntryRef:
        """The next entry of a party."""
        origin = f"{party.lower()}/border/log"
        index = self.counts[origin]
        self.counts[origin] += 1
        return EntryRef(origin, index, hashlib.sha256(f"{origin} {index}".encode()).digest())

    def file(
        self, plan: Operation, counts_s: float | None, *, supersedes: EntryRef | None = None, to=None, **more
    ) -> EntryRef:
        """A filing to everybody else; it counts from then on."""
        ref = self.ref(plan.party)
        starts = [one.start_s for one in plan.volumes] + [float(one.time_s[0]) for one in plan.tracks]
        ends = [one.end_s for one in plan.volumes] + [float(one.time_s[-1]) for one in plan.tracks]
        facts = {"start_s": min(starts), "end_s": max(ends), "plan": plan} | more
        told = frozenset(to) if to else self.parties - {plan.party}
        self.filings.append(Filed(ref, plan.party, recipients=told, counts_from_s=counts_s, **facts))
        if supersedes is not None:
            self.change(supersedes, superseded_s=counts_s, superseded_by=ref)
        return ref

    def answer(self, ref: EntryRef, party: str, answer: AnswerGiven, at_s: float) -> EntryRef:
        """An answer to a filing, or to another entry."""
        given = Given(self.ref(party), party, answer, at_s)
        for filed in self.filings:
            if filed.ref == ref:
                self.change(ref, answers=(*filed.answers, given))
                return given.ref
        for entry_type, some in self.heard.items():
            self.heard[entry_type] = [
                replace(one, answers=(*one.answers, given)) if one.ref == ref else one for one in some
            ]
        return given.ref

    def seen(self, ref: EntryRef, party: str, at_s: float) -> EntryRef:
        """A person of that party has seen it."""
        return self.answer(ref, party, AnswerGiven.SEEN, at_s)

    def say(self, party: str, body, counts_s: float | None) -> EntryRef:
        """Any other entry."""
        ref = self.ref(party)
        self.heard[str(body.TYPE)].append(Heard(ref, party, body, counts_s or 0.0, counts_s))
        return ref

    def measure(self, party: str, filings, measure: str, counts_s: float) -> EntryRef:
        """A measure is proposed."""
        refs = [EntryRefValue.of(one) for one in filings]
        return self.say(party, MeasureBody(filings=refs, measure=measure, text="as said on the line"), counts_s)

    def joint_plan(
        self, party: str, operations, start_s: float, end_s: float, counts_s: float, platforms=None
    ) -> EntryRef:
        """A joint plan is told of: a role for each party, and its operation."""
        parties = sorted({one.party for one in operations})
        values = [OperationBody.of_model(one).operation.model_dump(exclude_none=True) for one in operations]
        plan = {
            "id": "joint-1", "title": "A joint plan", "start_s": start_s, "end_s": end_s,
            "participants": [
                {"party": one, "role": f"role of {one}"} | ({"platforms": platforms[one]} if platforms else {})
                for one in parties
            ],
            "operations": values,
        }  # fmt: skip
        return self.say(party, JointPlanBody(plan=plan), counts_s)

    def sign(self, party: str, ref: EntryRef, counts_s: float, *, role: str = "", plan: str = "") -> EntryRef:
        """A party signs a joint plan."""
        told = next(one for one in self.heard["joint-plan"] if one.ref == ref)
        body = JointPlanSignedBody(
            plan=plan or told.body.plan.hash, entry=EntryRefValue.of(ref), role=role or f"role of {party}",
            persons=["first", "second"],
        )  # fmt: skip
        return self.say(party, body, counts_s)

    def claim(
        self, party: str, asserts: str, from_s: float, to_s: float, counts_s: float, participants=()
    ) -> ClaimBody:
        """A party keeps what somebody said."""
        body = ClaimBody(
            subject={"parties": sorted(self.parties), "from_s": from_s, "to_s": to_s}, said_by=f"spokesman of {party}",
            said_s=to_s, where="https://example.org/news", words_ref="a statement", asserts=asserts,
            participants=list(participants),
        )  # fmt: skip
        self.say(party, body, counts_s)
        return body

    def incident(self, party: str, from_s: float, to_s: float, acts, counts_s: float, label=None) -> EntryRef:
        """A party reports an incident."""
        body = IncidentBody(
            id="incident-1", stage="first", detected_s=to_s, from_s=from_s, to_s=to_s, parties=sorted(self.parties),
            acts=list(acts), label=label,
        )  # fmt: skip
        return self.say(party, body, counts_s)

    @property
    def record(self) -> RecordView:
        """All that is no filing."""
        return RecordView(self.parties, dict(self.heard))

    def label(self, encounter, tracks=(), **more) -> Labelled:
        """What an encounter was by this record."""
        return label(encounter, self.filings, self.record, tracks, **more)

    def change(self, ref: EntryRef, **changes) -> None:
        """Alter a filing."""
        self.filings = [replace(one, **changes) if one.ref == ref else one for one in self.filings]
