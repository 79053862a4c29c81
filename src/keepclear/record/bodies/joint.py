"""Plans that several parties carry out together, and measures that each side answers for itself."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.model.operations import Operation
from keepclear.record.bodies.agreements import MOST_PARTIES, Persons, person_faults, window_faults
from keepclear.record.bodies.base import (
    MOST_PARTS,
    Body,
    Faults,
    Latitude,
    Line,
    Longitude,
    Number,
    PartyName,
    Sha256Text,
    Text,
    Value,
)
from keepclear.record.bodies.plans import OperationBody, OperationValue
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import MOST_INTEGER, canonical
from keepclear.record.entry_types import EntryType

__all__ = [
    "JointPlanBody", "JointPlanSignedBody", "MeasureBody", "MeasureKind", "MeetingValue", "PlanParticipant",
    "PlanValue",
]  # fmt: skip

MeasureKind = Literal["time", "route", "level", "meeting", "area"]

_MOST_OPERATIONS = 1000
_Id = Annotated[str, Field(min_length=1, max_length=200)]
_Distance = Annotated[float, Field(ge=0.0, le=1e9, allow_inf_nan=False)]


class PlanParticipant(Value):
    """A party that takes part, its role, and how many platforms of what class it brings."""

    party: PartyName
    role: Line
    platforms: Annotated[int, Field(ge=0, le=MOST_INTEGER)] | None = None
    platform_class: str = ""


class MeetingValue(Value):
    """Where and when participants are to meet, and how far off the place and the time may be."""

    name: Line
    lon_deg: Longitude
    lat_deg: Latitude
    time_s: Number
    tolerance_s: _Distance = 0.0
    radius_m: _Distance = 0.0


class PlanValue(Value):
    """One plan of several parties. Its hash is what each of them signs.

    Attributes
    ----------
    id, title
        What it is called.
    start_s, end_s
        From when to when; this is the time of which each participant's track must cover half.
    participants
        Who takes part, each party once.
    operations
        What each participant does in space and time, at least one of each participant.
    meetings
        Where and when they meet.
    """

    id: _Id
    title: Line
    start_s: Number
    end_s: Number
    participants: Annotated[list[PlanParticipant], Field(min_length=2, max_length=MOST_PARTIES)]
    operations: Annotated[list[OperationValue], Field(min_length=2, max_length=_MOST_OPERATIONS)]
    meetings: Annotated[list[MeetingValue], Field(max_length=_MOST_OPERATIONS)] = Field(default=[])

    @property
    def hash(self) -> str:
        """SHA-256 of its canonical JSON, hexadecimal."""
        return hashlib.sha256(canonical(self.model_dump(mode="json", exclude_none=True))).hexdigest()

    def models(self) -> tuple[Operation, ...]:
        """The operations, in their order.

        Raises
        ------
        InputError
            If one of them is none; all faults.
        """
        faults = Faults()
        found = [
            # Its own path begins with "operation", which is what stands in an entry of that type.
            faults.attempt(f"operations[{number}]", partial(_model, one))
            for number, one in enumerate(self.operations)
        ]
        faults.raise_any()
        return tuple(one for one in found if one is not None)


class JointPlanBody(Body):
    """A plan that several parties would carry out together. It binds none of them before it has signed.

    Attributes
    ----------
    plan
        The plan.
    supersedes
        The entry whose plan this one takes the place of.
    remarks
        Free text.
    """

    TYPE: ClassVar[EntryType] = EntryType.JOINT_PLAN

    plan: PlanValue
    supersedes: EntryRefValue | None = None
    remarks: Text | None = None

    @property
    def plan_hash(self) -> str:
        """SHA-256 of the plan: what is signed."""
        return self.plan.hash

    def check(self) -> None:
        """Check the plan: its time, its participants, and that each of them has an operation in it."""
        plan, faults = self.plan, Faults()
        faults.found += list(window_faults(plan.start_s, plan.end_s, field="plan.end_s"))
        parties = [one.party for one in plan.participants]
        if len(set(parties)) < len(parties):
            faults.found.append(Fault("a party takes part twice", "each once", field="plan.participants"))
        doing = {one.party for one in plan.operations}
        faults.found += [
            Fault("a participant without an operation", "one or more", field="plan.operations", value=one)
            for one in sorted(set(parties) - doing)
        ]
        faults.found += [
            Fault("an operation of a party that takes no part", "a participant", field="plan.operations", value=one)
            for one in sorted(doing - set(parties))
        ]
        ids = [(one.party, one.id) for one in plan.operations]
        if len(set(ids)) < len(ids):
            faults.found.append(Fault("two operations with one id", "an id for each", field="plan.operations"))
        faults.attempt("plan", plan.models)
        faults.raise_any()


class JointPlanSignedBody(Body):
    """The party takes part in a plan as it stands.

    Attributes
    ----------
    plan
        SHA-256 of the plan.
    entry
        The entry that tells of it.
    role
        The party's role, as the plan names it.
    persons
        Who signed: two or more.
    """

    TYPE: ClassVar[EntryType] = EntryType.JOINT_PLAN_SIGNED

    plan: Sha256Text
    entry: EntryRefValue
    role: Line
    persons: Persons

    def check(self) -> None:
        """Check that two persons signed."""
        faults = list(person_faults(self.persons, least=2))
        if faults:
            raise InputError(faults)


class MeasureBody(Body):
    """What would keep two filings apart, or bring them together. It is mutual when the other answers that it concurs.

    Attributes
    ----------
    filings
        Of both sides: two or more.
    measure
        Apart in ``time``, by ``route``, by ``level``, by ``area``; or a ``meeting``.
    text
        The measure, in words.
    """

    TYPE: ClassVar[EntryType] = EntryType.MEASURE

    filings: Annotated[list[EntryRefValue], Field(min_length=2, max_length=MOST_PARTS)]
    measure: MeasureKind
    text: Text

    def check(self) -> None:
        """Check that no filing is named twice."""
        if len({one.ref() for one in self.filings}) < len(self.filings):
            raise InputError(Fault("a filing is named twice", "each once", field="filings"))


def _model(value: OperationValue) -> Operation:
    return OperationBody(operation=value).to_model()
