"""JOINT_ACTIVITY: activities of a kind are joint, by one plan that all participants signed, and not before a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from keepclear.agreements.facts import Evidence, Filed, Finding, Heard, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term, filed_name
from keepclear.agreements.terms.geometry import NamedArea
from keepclear.agreements.terms.on_record import signatures, standing
from keepclear.agreements.terms.quantities import said_moment
from keepclear.agreements.terms.told import may_be_in
from keepclear.errors import Fault
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation

__all__ = ["JointActivity"]


@dataclass(frozen=True, kw_only=True, eq=False)
class JointActivity(Term):
    """An activity begins at a time, and is joint: each participant has signed its plan before it begins.

    Whether it was then performed jointly, tracks show; that is what an encounter's label is for.
    """

    TYPE: ClassVar[str] = "JOINT_ACTIVITY"
    KINDS: ClassVar[frozenset[OperationKind | ZoneKind]] = frozenset({OperationKind.PATROL})

    participants: tuple[str, ...] = field(metadata=p.names("the parties that take part"))
    start_s: float | None = field(default=None, metadata=p.moment("not before this"))
    area: NamedArea | None = field(default=None, metadata=p.area("only what is, or may be, in this area"))

    def check(self) -> list[Fault]:
        """Check that there are two who do it jointly."""
        if len(set(self.participants)) > 1:
            return []
        return [Fault("fewer than two participants", "two parties or more", field="participants")]

    def named_parties(self) -> frozenset[str]:
        """Those who take part."""
        return frozenset(self.participants)

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:
        """Whether it is not too early, and its plan is signed by all."""
        if self.area is not None and not may_be_in(filed, self.area):
            return ()
        name = filed_name(filed)
        if self.start_s is not None and filed.start_s is not None and filed.start_s < self.start_s:
            begins = f"{name} begins {said_moment(filed.start_s)}"
            sentence = f"{begins}; such activities are not to begin before {said_moment(self.start_s)}."
            return (self.about(Result.BREACHED, filed, sentence),)
        plan = _plan_of(filed, scene)
        start = filed.start_s
        evidence: tuple[Evidence, ...] = ()
        if plan is None:
            said, missing = "is part of no joint plan", list(self.participants)
        else:
            signed = signatures(plan, scene, by_s=start)
            missing = [one for one in self.participants if one not in signed]
            said = f"is part of the joint plan {plan.body.plan.title!r}"  # type: ignore[attr-defined]
            evidence = (Evidence(ref=plan.ref), *(Evidence(ref=one.ref, note="signed") for one in signed.values()))
        if not missing:
            sentence = f"{name} {said}, which {' and '.join(self.participants)} have signed."
            return (self.about(Result.MET, filed, sentence, evidence=evidence, due_s=start),)
        lacks = f"{name} {said}; what is not there: the signature of {' and '.join(missing)}"
        if start is None:
            sentence = f"{lacks}, and when it begins is not known."
            return (self.about(Result.POSSIBLE, filed, sentence, evidence=evidence),)
        if scene.at_s < start:
            sentence = f"{lacks}, due before it begins at {said_moment(start)}."
            return (self.about(Result.NOT_YET, filed, sentence, evidence=evidence, due_s=start),)
        sentence = f"{lacks}; it was due before it began at {said_moment(start)}."
        return (self.about(Result.BREACHED, filed, sentence, evidence=evidence, due_s=start),)


def _plan_of(filed: Filed, scene: Scene) -> Heard | None:
    """The last joint plan on the record, when the filing begins, that this filing is part of.

    That the filing names a plan makes it no part of it: the others signed the operations that the plan lists.
    """
    if not isinstance(filed.plan, Operation):
        return None
    found = None
    for heard in standing(scene, "joint-plan", by_s=filed.start_s):
        plan: Any = heard.body.plan  # type: ignore[attr-defined]
        if any((one.party, one.id) == (filed.plan.party, filed.plan.id) for one in plan.operations):
            found = heard
    return found
