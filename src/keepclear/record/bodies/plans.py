"""Operations and zones, as parties tell them to each other.

Where a plan was read from (`Source`) stays at home: the names of a party's files are its own. All else of the model is
written, and read back as the same values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.model.extents import Track, Volume
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan, Operation, Participant, Source, Zone
from keepclear.record.bodies.base import MOST_PARTS, Body, Faults, Number, PartyName, Text, Value
from keepclear.record.bodies.extents import TrackValue, VolumeValue, track_members, volume_members
from keepclear.record.bodies.plan_sizes import MOST_EXTENTS, check_length, check_rings_count
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import MOST_INTEGER
from keepclear.record.entry_types import EntryType

__all__ = ["OneOfValue", "OperationBody", "OperationValue", "PrecisionValue", "ZoneBody", "ZoneValue"]

_Id = Annotated[str, Field(min_length=1)]
_NO_SOURCE = Source()
_MadeT = TypeVar("_MadeT")


class ParticipantValue(Value):
    """A party that takes part, its role, and how many platforms of what class it brings."""

    party: str
    role: str = ""
    platforms: Annotated[int, Field(ge=0, le=MOST_INTEGER)] | None = None
    platform_class: str = ""


class JointPlanValue(Value):
    """The plan that an operation is part of, and the ids of the other operations in it, sorted."""

    plan: str
    operations: Annotated[list[str], Field(max_length=MOST_PARTS)]


class OperationValue(Value):
    """What a party plans to do in space and time; without a kind where that is not known."""

    party: _Id
    id: _Id
    kind: Annotated[OperationKind, Field(strict=False)] | None = None
    volumes: Annotated[list[VolumeValue], Field(max_length=MOST_EXTENTS)] = Field(default=[])
    tracks: Annotated[list[TrackValue], Field(max_length=MOST_EXTENTS)] = Field(default=[])
    domains: Annotated[list[Annotated[Domain, Field(strict=False)]], Field(max_length=len(Domain))] = Field(default=[])
    participants: Annotated[list[ParticipantValue], Field(max_length=MOST_PARTS)] = Field(default=[])
    joint: JointPlanValue | None = None
    name: str = ""
    top_speed_m_s: Number | None = None


class ZoneValue(Value):
    """An area with a rule."""

    party: _Id
    id: _Id
    kind: Annotated[ZoneKind, Field(strict=False)]
    volumes: Annotated[list[VolumeValue], Field(min_length=1, max_length=MOST_EXTENTS)]
    rule: Annotated[ZoneRule, Field(strict=False)] = ZoneRule.PROHIBITED
    name: str = ""


class PrecisionValue(Value):
    """How roughly an extent is told: kilometres of the grid, seconds and metres of the steps it was widened to."""

    grid_km: Annotated[int, Field(ge=1, le=1000)]
    time_s: Annotated[int, Field(ge=1, le=604_800)]
    height_m: Annotated[float, Field(gt=0.0, le=100_000.0, allow_inf_nan=False)] | None = None


class OneOfValue(Value):
    """Some entries, next to each other in the log, tell of one filing: this is the one in this place, from 0."""

    place: Annotated[int, Field(ge=0, le=999)]
    of: Annotated[int, Field(ge=2, le=1000)]


class OperationBody(Body):
    """A party notifies what it plans to do. A notification is never a permission, nor asks for one.

    Attributes
    ----------
    operation
        The plan.
    supersedes
        The entry that this one takes the place of.
    on_behalf_of
        The affiliate whose operation it is.
    remarks
        Free text.
    reason_if_late
        Why it is told so shortly before it begins.
    precision
        How roughly it is told; left out where it is exact.
    one_of
        Where different parties are told of it at different precisions: which of the entries that tell of it this is.
    committed
        The earlier entry of the same log that commits to the exact one, where nobody is told that.
    """

    TYPE: ClassVar[EntryType] = EntryType.OPERATION

    operation: OperationValue
    supersedes: EntryRefValue | None = None
    on_behalf_of: PartyName | None = None
    remarks: Text | None = None
    reason_if_late: Text | None = None
    precision: PrecisionValue | None = None
    one_of: OneOfValue | None = None
    committed: EntryRefValue | None = None

    @classmethod
    def of_model(
        cls,
        operation: Operation,
        *,
        supersedes: EntryRefValue | None = None,
        on_behalf_of: str | None = None,
        remarks: str | None = None,
        reason_if_late: str | None = None,
        precision: PrecisionValue | None = None,
        one_of: OneOfValue | None = None,
        committed: EntryRefValue | None = None,
    ) -> OperationBody:
        """The body that tells of an operation.

        Raises
        ------
        InputError
            If it holds what cannot be told: a ring that crosses itself, a finite slip longer than the calendar.
        """
        members: Any = _operation_members(operation)
        return cls(
            operation=members, supersedes=supersedes, on_behalf_of=on_behalf_of, remarks=remarks,
            reason_if_late=reason_if_late, precision=precision, one_of=one_of, committed=committed,
        )  # fmt: skip

    def to_model(self, *, source: Source = _NO_SOURCE) -> Operation:
        """The operation; `source` says where we have it from."""
        return _made_again(self.operation, source, lambda: self._made(source))

    def _made(self, source: Source) -> Operation:
        value, faults = self.operation, Faults()
        volumes = [faults.attempt(f"operation.volumes[{n}]", one.volume) for n, one in enumerate(value.volumes)]
        tracks = [faults.attempt(f"operation.tracks[{n}]", one.track) for n, one in enumerate(value.tracks)]
        faults.raise_any()
        make = partial(_operation, value, volumes, tracks, source)
        operation = faults.attempt("operation", make)
        faults.raise_any()
        assert operation is not None  # or there was a fault
        return operation

    def check(self) -> None:
        """Check that it is an operation."""
        _check_place(self.one_of)
        check_rings_count(self.operation.volumes)
        check_length(self.to_model())


class ZoneBody(Body):
    """A party tells of an area with a rule.

    Attributes
    ----------
    zone
        The area.
    supersedes
        The entry that this one takes the place of.
    remarks
        Free text.
    reason_if_late
        Why it is told so shortly before it begins.
    precision
        How roughly it is told; left out where it is exact.
    one_of
        Where different parties are told of it at different precisions: which of the entries that tell of it this is.
    committed
        The earlier entry of the same log that commits to the exact one, where nobody is told that.
    """

    TYPE: ClassVar[EntryType] = EntryType.ZONE

    zone: ZoneValue
    supersedes: EntryRefValue | None = None
    remarks: Text | None = None
    reason_if_late: Text | None = None
    precision: PrecisionValue | None = None
    one_of: OneOfValue | None = None
    committed: EntryRefValue | None = None

    @classmethod
    def of_model(
        cls,
        zone: Zone,
        *,
        supersedes: EntryRefValue | None = None,
        remarks: str | None = None,
        reason_if_late: str | None = None,
        precision: PrecisionValue | None = None,
        one_of: OneOfValue | None = None,
        committed: EntryRefValue | None = None,
    ) -> ZoneBody:
        """The body that tells of a zone.

        Raises
        ------
        InputError
            If it holds what cannot be told, such as a ring that crosses itself.
        """
        members: Any = _zone_members(zone)
        return cls(
            zone=members, supersedes=supersedes, remarks=remarks, reason_if_late=reason_if_late, precision=precision,
            one_of=one_of, committed=committed,
        )  # fmt: skip

    def to_model(self, *, source: Source = _NO_SOURCE) -> Zone:
        """The zone; `source` says where we have it from."""
        return _made_again(self.zone, source, lambda: self._made(source))

    def _made(self, source: Source) -> Zone:
        value, faults = self.zone, Faults()
        volumes = [faults.attempt(f"zone.volumes[{n}]", one.volume) for n, one in enumerate(value.volumes)]
        faults.raise_any()
        zone = faults.attempt("zone", partial(_zone, value, volumes, source))
        faults.raise_any()
        assert zone is not None  # or there was a fault
        return zone

    def check(self) -> None:
        """Check that it is a zone."""
        _check_place(self.one_of)
        check_rings_count(self.zone.volumes)
        check_length(self.to_model())


_last: tuple[Any, Any] = (None, None)


def _made_again(value: Any, source: Source, make: Callable[[], _MadeT]) -> _MadeT:
    """What is made of a value, which is checked by making it and made again just afterwards; neither ever changes."""
    global _last  # noqa: PLW0603  # one pair, which any thread may replace by another
    kept, made = _last
    if kept is value and source is _NO_SOURCE:
        return made  # type: ignore[no-any-return]
    fresh = make()
    if source is _NO_SOURCE:
        _last = value, fresh
    return fresh


def _check_place(one_of: OneOfValue | None) -> None:
    if one_of is not None and one_of.place >= one_of.of:
        raise InputError(Fault("no such place", f"0 to {one_of.of - 1}", field="one_of.place", value=str(one_of.place)))


def _operation(
    value: OperationValue, volumes: list[Volume | None], tracks: list[Track | None], source: Source
) -> Operation:
    return Operation(
        value.party,
        value.id,
        value.kind,
        tuple(one for one in volumes if one is not None),  # each is there, or it would have been a fault
        tuple(one for one in tracks if one is not None),
        frozenset(value.domains),
        tuple(Participant(**one.model_dump()) for one in value.participants),
        None if value.joint is None else JointPlan(value.joint.plan, frozenset(value.joint.operations)),
        value.name,
        value.top_speed_m_s,
        source,
    )


def _zone(value: ZoneValue, volumes: list[Volume | None], source: Source) -> Zone:
    made = tuple(one for one in volumes if one is not None)
    return Zone(value.party, value.id, value.kind, made, value.rule, value.name, source)


def _operation_members(operation: Operation) -> dict[str, Any]:
    joint = operation.joint
    members: dict[str, Any] = {
        "party": operation.party,
        "id": operation.id,
        "volumes": [volume_members(volume) for volume in operation.volumes],
        "tracks": [track_members(track) for track in operation.tracks],
        "domains": sorted(operation.domains),
        "participants": [_participant_members(one) for one in operation.participants],
        "name": operation.name,
    }
    if operation.kind is not None:
        members["kind"] = operation.kind
    if joint is not None:
        members["joint"] = {"plan": joint.plan, "operations": sorted(joint.operations)}
    if operation.top_speed_m_s is not None:
        members["top_speed_m_s"] = float(operation.top_speed_m_s)
    return members


def _participant_members(participant: Participant) -> dict[str, Any]:
    members: dict[str, Any] = {
        "party": participant.party,
        "role": participant.role,
        "platform_class": participant.platform_class,
    }
    return members if participant.platforms is None else members | {"platforms": participant.platforms}


def _zone_members(zone: Zone) -> dict[str, Any]:
    return {
        "party": zone.party,
        "id": zone.id,
        "kind": zone.kind,
        "volumes": [volume_members(volume) for volume in zone.volumes],
        "rule": zone.rule,
        "name": zone.name,
    }
