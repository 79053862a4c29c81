"""One filing told to different parties at different precisions: which body each group of them is given.

Everyone in a group is given the same entry, as exactly as the filer chose for them. All entries of a filing have its
party and id; they are said in one go, stand next to each other in the log, and say so: who can read one of them knows
that the others are no filings besides. A coarse shape contains the exact one, and cells of a coarse grid are made of
whole cells of the finer ones: who compares learns no more than the finer says. Where nobody is told exactly, the exact
plan can be committed to before: what was planned can be proved later.
"""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.line.coarsening import Precision, coarse_operation, coarse_zone
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.node.filing_requests import FilingRequest
from keepclear.record.bodies.committed import CommitmentBody
from keepclear.record.bodies.plans import OneOfValue, OperationBody, PrecisionValue, ZoneBody
from keepclear.record.bodies.references import EntryRefValue

__all__ = ["Group", "commitment_to", "groups_of"]


@dataclass(frozen=True, slots=True)
class Group:
    """Parties that are told the same.

    Attributes
    ----------
    recipients
        By name.
    precision
        How roughly; None: exactly.
    thing
        What they are told.
    """

    recipients: tuple[str, ...]
    precision: Precision | None
    thing: Operation | Zone

    def body(
        self,
        request: FilingRequest,
        *,
        one_of: OneOfValue | None = None,
        supersedes: EntryRefValue | None = None,
        committed: EntryRefValue | None = None,
    ) -> OperationBody | ZoneBody:
        """The body that tells them."""
        told = None if self.precision is None else _value(self.precision)
        committed = None if told is None else committed
        if isinstance(self.thing, Zone):
            return ZoneBody.of_model(
                self.thing, supersedes=supersedes, remarks=request.remarks, reason_if_late=request.reason_if_late,
                precision=told, one_of=one_of, committed=committed,
            )  # fmt: skip
        return OperationBody.of_model(
            self.thing, supersedes=supersedes, on_behalf_of=request.on_behalf_of, remarks=request.remarks,
            reason_if_late=request.reason_if_late, precision=told, one_of=one_of, committed=committed,
        )  # fmt: skip


def groups_of(request: FilingRequest, thing: Operation | Zone, recipients: tuple[str, ...]) -> tuple[Group, ...]:
    """Who is told what; those who are told exactly first, then by how roughly.

    Raises
    ------
    InputError
        If it cannot be told roughly: a track that was flown.
    """
    by_precision: dict[Precision | None, list[str]] = {}
    for party in recipients:
        by_precision.setdefault(request.precision_for.get(party, request.precision), []).append(party)
    order = sorted(
        by_precision, key=lambda one: (0, 0, 0.0) if one is None else (one.grid_km, one.time_s, one.height_m or 0.0)
    )
    return tuple(Group(tuple(by_precision[one]), one, _coarse(thing, one)) for one in order)


def commitment_to(request: FilingRequest, thing: Operation | Zone, groups: tuple[Group, ...]) -> CommitmentBody | None:
    """What commits to the exact plan, where it is asked for and nobody is told that; None else.

    What lies at the middle of a hazard area is nobody's business, and is not committed to: the area is told to all as
    it may be told.
    """
    if not request.commit_exact or any(group.precision is None for group in groups):
        return None
    if isinstance(thing, Zone) and thing.kind is ZoneKind.HAZARD_AREA:
        return None
    body = Group((), None, thing).body(request)
    return CommitmentBody(type=str(body.TYPE), v=body.VERSION, body=body.members())


def _coarse(thing: Operation | Zone, precision: Precision | None) -> Operation | Zone:
    if precision is None:
        return thing
    return coarse_zone(thing, precision) if isinstance(thing, Zone) else coarse_operation(thing, precision)


def _value(precision: Precision) -> PrecisionValue:
    return PrecisionValue(grid_km=precision.grid_km, time_s=precision.time_s, height_m=precision.height_m)
