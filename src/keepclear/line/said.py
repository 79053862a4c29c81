"""What a line has to know of an entry: who said it to whom, about what, for when. The rest of the body is let go.

So a line of a hundred thousand filings fits into memory, and a node can keep these facts in tables.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from keepclear.errors import PeerError
from keepclear.line.read_back import Place, Reentered
from keepclear.model.findings import Answer
from keepclear.model.kinds import ZoneKind
from keepclear.record.bodies.agreements import (
    AffiliateBody,
    AgreementChangedBody,
    AgreementProposedBody,
    AgreementSignedBody,
    DeliverableBody,
    ExemptionNoticeBody,
    TermQueryBody,
)
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.extents import CircleValue, CorridorValue, TrackValue, VolumeValue
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody, MeasureBody
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody, LineTestBody
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven, CancelBody, MessageBody, Priority, RefusedBody
from keepclear.record.bodies.watched import ClaimBody, IncidentBody, PositionsBody
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.record.names import KeyName, Purpose

__all__ = ["MOST_NAMED", "Heard", "Said", "said_of"]

MOST_NAMED = 64
"""How many entries one is indexed under: as many as an advisory may name. A body may name more, and is read itself."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An entry as our node has it.

    Attributes
    ----------
    ref
        Which.
    entry
        The leaf, and the body if it is ours to read.
    kept_s
        When our node had stored it, by our own clock.
    """

    ref: EntryRef
    entry: Entry
    kept_s: float


@dataclass(frozen=True, slots=True)
class Said:
    """What an entry says, as far as answers and deadlines go.

    Attributes
    ----------
    ref, party, recipients, exercise, kept_s
        Which entry, whose, to whom (without its author), whether for practice, and when our node had it.
    type
        The type in the leaf.
    problem
        Why nothing else is known of it: the body is not held, is of a version or type not known, or is malformed.
    about
        The entries that it answers, cancels, refuses, accepts, advises of or speaks of, the first `MOST_NAMED`.
    supersedes
        The entry whose place it takes.
    start_s, end_s
        The earliest and the latest time of an operation, a zone or an advised conflict, slip included; None if that is
        not known, and for an end that there is none.
    place
        What is to be read back.
    always
        Whether it is a site that was there before and does not move: nobody has to hurry because of it.
    priority
        Of a message.
    given, read_back, unit, reason
        Of an answer.
    found
        Of an advisory.
    guard
        Of a refusal.
    urgent
        Of a question about an agreement: whether the answer is owed sooner.
    stage
        Of a report of an incident: first, full or reply.
    """

    ref: EntryRef
    party: str
    recipients: frozenset[str]
    exercise: bool
    kept_s: float
    type: str
    problem: str = ""
    about: tuple[EntryRef, ...] = ()
    supersedes: EntryRef | None = None
    start_s: float | None = None
    end_s: float | None = None
    place: Place | None = None
    always: bool = False
    priority: Priority | None = None
    given: AnswerGiven | None = None
    read_back: Reentered | None = None
    unit: str = ""
    reason: str = ""
    found: Answer | None = None
    guard: str = ""
    urgent: bool = False
    stage: str = ""

    @property
    def is_filing(self) -> bool:
        """Whether it is an operation or a zone."""
        return self.type in {EntryType.OPERATION, EntryType.ZONE}

    @property
    def order(self) -> tuple[int, int]:
        """Its place in all that its party has said on the line: how often the log was begun, and the index."""
        name = KeyName.of_text(self.ref.origin)
        return (name.begun if name is not None else 0, self.ref.index)


def said_of(heard: Heard) -> Said:
    """What an entry says.

    Raises
    ------
    PeerError
        If the leaf is not one of that log: of another party, of another line, or with another hash.
    """
    leaf, ref = heard.entry.leaf, heard.ref
    name = KeyName.of_text(ref.origin)
    if name is None or name.purpose is not Purpose.LOG or (leaf.party, leaf.line) != (name.party, name.line):
        raise PeerError(f"an entry of {leaf.party} on {leaf.line} in the log {ref.origin}")
    if leaf.hash != ref.leaf_hash:
        raise PeerError(f"entry {ref.index} of {ref.origin} is not the one that is referred to")
    recipients = frozenset(leaf.recipients) - {leaf.party}
    plain = Said(ref, leaf.party, recipients, leaf.exercise, heard.kept_s, leaf.type)
    try:
        body = body_of(heard.entry)
    except PeerError as error:
        return _with(plain, problem=str(error))
    if body is None:
        held = heard.entry.body is not None
        return _with(plain, problem="of a type or version that is not known" if held else "the body is not held")
    return _with(plain, **_facts(body))


def _with(plain: Said, **facts: object) -> Said:
    # dataclasses.replace, with a mapping whose members mypy cannot know.
    return Said(plain.ref, plain.party, plain.recipients, plain.exercise, plain.kept_s, plain.type, **facts)  # type: ignore[arg-type]


def _facts(body: Body) -> dict[str, object]:
    read = _READERS.get(type(body))
    return {} if read is None else read(body)


def _operation(body: OperationBody) -> dict[str, object]:
    extent = _extent(body.operation.volumes, body.operation.tracks, open_start=None)
    if extent["start_s"] == -math.inf:  # a slip without limit: it may begin at any time
        extent["start_s"] = None
    return {"supersedes": _ref(body.supersedes)} | extent


def _zone(body: ZoneBody) -> dict[str, object]:
    extent = _extent(body.zone.volumes, (), open_start=-math.inf)
    always = body.zone.kind is ZoneKind.PROTECTED_SITE and extent["start_s"] == -math.inf
    return {"supersedes": _ref(body.supersedes), "always": always} | extent


def _ref(value: EntryRefValue | None) -> EntryRef | None:
    return None if value is None else value.ref()


def _advisory(body: AdvisoryBody) -> dict[str, object]:
    about = tuple(one.ref() for one in body.about)
    return {"about": about, "found": Answer(body.answer), "start_s": body.start_s}


def _refs(values: Iterable[EntryRefValue | None]) -> tuple[EntryRef, ...]:
    return tuple(one.ref() for one in itertools.islice((one for one in values if one is not None), MOST_NAMED))


def _plan(body: JointPlanBody) -> dict[str, object]:
    """A plan of several is read back by where and when they meet first."""
    plan = body.plan
    met = min(plan.meetings, key=lambda one: one.time_s, default=None)
    place = None if met is None else Place(met.lon_deg, met.lat_deg, met.time_s, met.radius_m)
    return {"supersedes": _ref(body.supersedes), "start_s": plan.start_s, "end_s": plan.end_s, "place": place}


def _incident(body: IncidentBody) -> dict[str, object]:
    # Its end ends nothing: what is owed about it is owed afterwards.
    return {
        "about": _refs([body.about]),
        "supersedes": _ref(body.follows),
        "start_s": body.from_s,
        "end_s": body.to_s,
        "stage": body.stage,
    }


def _answer(body: AnswerBody) -> dict[str, object]:
    got = body.read_back
    read_back = None
    if got is not None:
        text = got.entered or ""
        read_back = Reentered(got.lon_deg, got.lat_deg, got.time_s, got.uncertainty_m or 0.0, text)
    return {
        "about": (body.to.ref(),),
        "given": body.answer,
        "read_back": read_back,
        "unit": body.unit or "",
        "reason": body.reason or "",
    }


def _extent(
    volumes: Iterable[VolumeValue], tracks: Iterable[TrackValue], *, open_start: float | None
) -> dict[str, object]:
    """From when to when, and the place to read back: where the first track begins, else that of the first volume."""
    volumes, tracks = tuple(volumes), tuple(tracks)
    starts = [open_start if one.start_s is None else one.start_s for one in volumes]
    ends = [one.end_s for one in volumes]
    starts += [one.time_s[0] - _longest(one.early_s) for one in tracks]
    ends += [one.time_s[-1] + _longest(one.late_s) for one in tracks]
    known_starts = [one for one in starts if one is not None]
    known_ends = [one for one in ends if one is not None and one < math.inf]
    return {
        "start_s": min(known_starts) if len(known_starts) == len(starts) else None,
        "end_s": max(known_ends) if len(known_ends) == len(ends) else None,
        "place": _track_place(tracks[0]) if tracks else _volume_place(volumes[0]),
    }


def _longest(slip: float | str | Sequence[float | str]) -> float:
    return max(
        math.inf if isinstance(one, str) else one for one in ([slip] if isinstance(slip, float | int | str) else slip)
    )


def _track_place(track: TrackValue) -> Place:
    stated = track.uncertainty_m
    uncertainty_m = stated[0] if isinstance(stated, list) else stated
    return Place(track.lon_deg[0], track.lat_deg[0], track.time_s[0], uncertainty_m)


def _volume_place(volume: VolumeValue) -> Place:
    footprint = volume.footprint
    if isinstance(footprint, CircleValue):
        lon, lat = footprint.lon_deg, footprint.lat_deg
    elif isinstance(footprint, CorridorValue):
        lon, lat = footprint.line[0]
    else:
        lon, lat = footprint.rings[0][0]
    return Place(lon, lat, volume.start_s, volume.uncertainty_m)


_READERS: dict[type[Body], Callable[[Any], dict[str, object]]] = {
    OperationBody: _operation,
    ZoneBody: _zone,
    AnswerBody: _answer,
    AdvisoryBody: _advisory,
    MessageBody: lambda body: {"priority": body.priority, "about": _refs(body.about)},
    CancelBody: lambda body: {"about": (body.entry.ref(),), "reason": body.reason or ""},
    RefusedBody: lambda body: {"about": (body.entry.ref(),), "guard": body.guard},
    AcceptedRiskBody: lambda body: {"about": (body.advisory.ref(),), "reason": body.reason},
    LineTestBody: lambda body: {"about": () if body.returns is None else (body.returns.ref(),)},
    AgreementProposedBody: lambda body: {"about": _refs([body.counters])},
    AgreementSignedBody: lambda body: {"about": (body.proposal.ref(),), "start_s": body.in_force_s},
    AgreementChangedBody: lambda body: {"start_s": body.from_s, "reason": body.reason or ""},
    AffiliateBody: lambda body: {"reason": body.reason or ""},
    ExemptionNoticeBody: lambda body: {
        "about": _refs(body.filings),
        "start_s": body.from_s,
        "end_s": body.to_s,
        "reason": body.reason or "",
    },
    TermQueryBody: lambda body: {"urgent": body.urgent},
    DeliverableBody: lambda body: {"start_s": body.for_s},
    JointPlanBody: _plan,
    JointPlanSignedBody: lambda body: {"about": (body.entry.ref(),)},
    MeasureBody: lambda body: {"about": _refs(body.filings)},
    PositionsBody: lambda body: {"start_s": body.from_s, "end_s": body.to_s},
    ClaimBody: lambda body: {"start_s": body.subject.from_s, "end_s": body.subject.to_s},
    IncidentBody: _incident,
}
