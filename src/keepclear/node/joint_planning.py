"""Joint plans: proposed by one, signed by each participant with two persons, and one operation once all have.

A plan is its hash. Whoever changes it has made another plan, which everybody signs anew; signatures of the old one do
not carry over. Until the last signature its parts are plans like any others, and in conflict with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.model.operations import JointPlan
from keepclear.node.actors import SYSTEM, Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.filing import Filed, Filing
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.line_bodies import LineBodies
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.node.roles import Scope
from keepclear.node.saying import Saying
from keepclear.node.talking import Said
from keepclear.node.two_person import Rule, TwoPersons
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody, PlanParticipant, PlanValue
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import FilingState, filings_of_thing
from keepclear.store.node.two_person import KeptProposal

__all__ = ["SIGNING", "JointPlanning", "PlanState", "PlanView", "Signature"]

SIGNING = "joint plan"
"""The kind of act, at `keepclear.node.two_person`."""

_TYPES = (EntryType.JOINT_PLAN, EntryType.JOINT_PLAN_SIGNED)


class PlanState(StrEnum):
    """How far a plan has come."""

    PROPOSED = "proposed"
    """Nobody has signed."""
    PARTLY_SIGNED = "partly signed"
    SIGNED = "signed by all"
    SUPERSEDED = "superseded"
    """Another, which takes its place, is signed by all."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A participant's signature.

    Attributes
    ----------
    ref, party, role, persons
        The entry, whose, as what, and who signed.
    problem
        Why it does not count; empty where it does.
    """

    ref: EntryRef
    party: str
    role: str
    persons: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PlanView:
    """How it stands with a plan.

    Attributes
    ----------
    ref, line, party
        The entry that told of it first, where, and who proposed it.
    hash, plan
        The plan.
    state
        How far it has come.
    signatures
        Those that count, by party.
    void
        Those that do not: in another role, by nobody who takes part, of another entry.
    missing
        Who has not signed.
    supersedes
        The entry whose plan it takes the place of.
    """

    ref: EntryRef
    line: str
    party: str
    hash: str
    plan: PlanValue
    state: PlanState
    signatures: tuple[Signature, ...]
    void: tuple[Signature, ...]
    missing: tuple[str, ...]
    supersedes: EntryRef | None

    @property
    def sentence(self) -> str:
        """The same in words."""
        signed = ", ".join(one.party for one in self.signatures) or "nobody"
        if self.state is PlanState.SIGNED:
            return f"Signed by all who take part ({signed}): its parts are one operation."
        if self.state is PlanState.SUPERSEDED:
            return "Another plan, signed by all, has taken its place."
        missing = ", ".join(self.missing)
        return f"Signed by {signed}; not by {missing}: until then each part is a plan by itself, and binds nobody."


class JointPlanning:
    """Proposes, signs and files joint plans.

    Parameters
    ----------
    saying, bodies
        Say entries, and know what was said.
    filing, database
        File our parts, and know what is filed.
    two_persons
        Sees to the two-person rule.
    lines
        The lines that we are on.
    """

    def __init__(
        self,
        saying: Saying,
        bodies: LineBodies,
        filing: Filing,
        database: NodeDatabase,
        two_persons: TwoPersons,
        lines: Callable[[], tuple[str, ...]],
    ) -> None:
        self._saying, self._bodies, self._filing, self._database = saying, bodies, filing, database
        self._two_persons, self._lines = two_persons, lines
        self._filed: set[str] = set()
        self._looked = 0
        two_persons.add_rule(SIGNING, Rule(Scope.SIGN, beyond=self._carry_out))

    # --- how matters stand -----------------------------------------------------------------------------------------

    def views(self, line: str | None = None) -> tuple[PlanView, ...]:
        """All plans, by line, in the order in which they were proposed by each party."""
        return tuple(view for one in (self._lines() if line is None else (line,)) for view in self._views(one))

    def view(self, plan: str, line: str | None = None) -> PlanView:
        """The plan of that hash, or of an entry's id, or whose hash begins so.

        Raises
        ------
        NotFoundError
            If there is none.
        InputError
            If there are several: the plan is on more than one line, or hashes of more than one begin so.
        """
        found = [
            view
            for view in self.views(line)
            if view.hash == plan or str(EntryId.of(view.ref)) == plan or (len(plan) >= 8 and view.hash.startswith(plan))
        ]
        if not found:
            right = "the hash of one, or its first eight characters or more; or the entry that proposes it"
            raise NotFoundError("joint plan", field="plan", value=plan, right=right)
        if len(found) > 1:
            raise InputError(_several(plan, found))
        return found[0]

    def _views(self, line: str) -> Iterator[PlanView]:
        said = self._bodies.of(line, _TYPES)
        plans: dict[str, tuple[EntryRef, JointPlanBody]] = {}
        for ref, body in said.items():
            if isinstance(body, JointPlanBody):
                plans.setdefault(body.plan.hash, (ref, body))
        signatures: dict[str, list[Signature]] = {}
        for ref, body in said.items():
            if isinstance(body, JointPlanSignedBody):
                party = EntryId.of(ref).party
                one = Signature(ref, party, body.role, tuple(body.persons))
                signatures.setdefault(body.plan, []).append(one)
        states = {name: _counted(body.plan, signatures.get(name, ())) for name, (_, body) in plans.items()}
        complete = {name for name, (good, _) in states.items() if len(good) == len(plans[name][1].plan.participants)}
        replaced = {
            body.supersedes.ref()
            for name, (_, body) in plans.items()
            if name in complete and body.supersedes is not None and _takes_place(body, plans.values())
        }
        for name, (ref, body) in plans.items():
            good, void = states[name]
            missing = sorted({one.party for one in body.plan.participants} - {one.party for one in good})
            if ref in replaced:
                state = PlanState.SUPERSEDED
            else:
                state = PlanState.PROPOSED if not good else PlanState.PARTLY_SIGNED if missing else PlanState.SIGNED
            yield PlanView(
                ref, line, EntryId.of(ref).party, name, body.plan, state, good, void, tuple(missing),
                None if body.supersedes is None else body.supersedes.ref(),
            )  # fmt: skip

    # --- proposing and signing -------------------------------------------------------------------------------------

    def propose(
        self,
        line: str | None,
        plan: PlanValue | Mapping[str, Any],
        *,
        by: Actor,
        supersedes: EntryRef | None = None,
        remarks: str | None = None,
    ) -> Said:
        """Tell the others of a plan. It binds nobody; whoever takes part signs it.

        Raises
        ------
        InputError
            If it is none, we take no part in it, or a participant is not on the line; with all faults.
        """
        by.must(Scope.FILE)
        line = self._saying.line(line)
        supersedes_value = None if supersedes is None else EntryRefValue.of(supersedes)
        given: Any = plan if isinstance(plan, PlanValue) else dict(plan)
        body = JointPlanBody(plan=given, supersedes=supersedes_value, remarks=remarks or None)
        here = {self._saying.party, *self._saying.others(line)}
        faults = [
            Fault("is not on the line", f"parties of the line: {', '.join(sorted(here))}", field="plan.participants",
                  value=one.party)
            for one in body.plan.participants
            if one.party not in here
        ]  # fmt: skip
        if self._saying.party not in {one.party for one in body.plan.participants}:
            problem = f"{self._saying.party} takes no part in it"
            faults.append(Fault(problem, "name it among the participants", field="plan.participants"))
        if faults:
            raise InputError(faults)
        if any(view.hash == body.plan.hash for view in self._views(line)):
            raise ClashError(Fault("this very plan was proposed before", "sign it", field="plan", value=body.plan.hash))
        return self._saying.say(line, body, by=by, what="joint plan propose")

    def sign(self, plan: str, *, by: Actor, line: str | None = None) -> KeptProposal:
        """Propose to sign a plan; another person confirms it, and only then it is said.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        ClashError
            If we take no part, have signed it, or another has taken its place.
        NotAllowedError
            If they may not sign, or are nobody in particular.
        """
        by.must(Scope.SIGN)
        view = self.view(plan, line)
        role = self._signable(view).role
        subject = f"sign the joint plan {view.plan.title!r} ({view.hash[:12]}) on {view.line} as {role}"[:1000]
        return self._two_persons.propose(by, SIGNING, subject, {"line": view.line, "plan": view.hash})

    def _signable(self, view: PlanView) -> PlanParticipant:
        us = self._saying.party
        own = next((one for one in view.plan.participants if one.party == us), None)
        if own is None:
            raise ClashError(Fault(f"{us} takes no part in it", "a plan that names it", field="plan", value=view.hash))
        if any(one.party == us for one in view.signatures):
            raise ClashError(Fault(f"{us} has signed it", "wait for the others", field="plan", value=view.hash))
        if view.state is PlanState.SUPERSEDED:
            raise ClashError(Fault("another has taken its place", "sign that", field="plan", value=view.hash))
        return own

    def _carry_out(self, proposal: KeptProposal, actor: Actor) -> None:
        """Say the signature on which two persons agreed; a second time nothing is said."""
        view = self.view(str(proposal.content["plan"]), str(proposal.content["line"]))
        if any(one.party == self._saying.party for one in view.signatures):
            return
        role = self._signable(view).role
        persons = [proposal.proposed_by, proposal.decided_by or actor.user]
        body = JointPlanSignedBody(plan=view.hash, entry=EntryRefValue.of(view.ref), role=role, persons=persons)
        self._saying.say(view.line, body, by=actor, what="joint plan sign")

    # --- our parts -------------------------------------------------------------------------------------------------

    def file(self, plan: str, *, by: Actor, line: str | None = None) -> tuple[Filed, ...]:
        """File our parts of a plan, as they stand in it. Before all have signed, each is a plan by itself.

        Raises
        ------
        NotFoundError, InputError, RefusedError
            As `view` and `keepclear.node.filing.Filing.file`.
        """
        by.must(Scope.FILE)
        return self._file(self.view(plan, line), by)

    def file_due(self) -> int:
        """File our parts of plans that all have signed since, where that was not done; how many that were."""
        done, kind = 0, EntryType.JOINT_PLAN_SIGNED
        count = sum(len(self._bodies.refs_here(line, kind)) for line in self._lines())
        if count == self._looked:
            return 0
        self._looked = count
        for view in self.views():
            ours = any(one.party == self._saying.party for one in view.plan.participants)
            if view.state is not PlanState.SIGNED or not ours or view.hash in self._filed:
                continue
            actor = replace(SYSTEM, scopes=SYSTEM.scopes | {Scope.FILE})
            try:
                done += len(self._file(view, actor))
            except InputError:
                continue  # an officer sees that it is not filed, and why when he files it himself
            finally:
                self._filed.add(view.hash)
        return done

    def _file(self, view: PlanView, by: Actor) -> tuple[Filed, ...]:
        filed = []
        for part in view.plan.models():
            if part.party != self._saying.party or self._is_filed(view.line, part.id):
                continue
            others = frozenset(one.id for one in view.plan.operations if one.id != part.id)
            thing = replace(part, joint=JointPlan(view.hash, others))
            filed.append(self._filing.file(FilingRequest(thing=thing, line=view.line), by=by))
        return tuple(filed)

    def _is_filed(self, line: str, thing_id: str) -> bool:
        with self._database.reading() as conn:
            rows = filings_of_thing(conn, self._saying.party, thing_id)
        return any(one.line == line and one.state is FilingState.ACTIVE for one in rows)


def _several(plan: str, found: Sequence[PlanView]) -> Fault:
    """Which one is meant is not said."""
    named = ", ".join(f"{EntryId.of(one.ref)} on {one.line}" for one in found)
    if len({one.hash for one in found}) == 1:
        return Fault(
            f"this plan is on {len(found)} lines: {named}", "say which line is meant", field="line", value=plan
        )
    right = "more characters of the hash, or the line"
    hashes = ", ".join(f"{one.hash[:16]} ({one.line})" for one in found)
    return Fault(f"{len(found)} plans begin so: {hashes}", right, field="plan", value=plan)


def _takes_place(body: JointPlanBody, plans: Iterable[tuple[EntryRef, JointPlanBody]]) -> bool:
    """Whether a plan has all participants of the one that it supersedes: nobody is left behind unasked."""
    assert body.supersedes is not None
    old = body.supersedes.ref()
    parties = {one.party for one in body.plan.participants}
    return any(ref == old and {one.party for one in before.plan.participants} <= parties for ref, before in plans)


def _counted(
    plan: PlanValue, signatures: Any
) -> tuple[tuple[Signature, ...], tuple[Signature, ...]]:  # fmt: skip
    """The signatures that count, one of each participant, and those that do not, with the reason."""
    roles = {one.party: one.role for one in plan.participants}
    good: dict[str, Signature] = {}
    void = []
    for one in signatures:
        if one.party not in roles:
            void.append(replace(one, problem="takes no part in the plan"))
        elif one.role != roles[one.party]:
            void.append(replace(one, problem=f"signed as {one.role}, and the plan has it as {roles[one.party]}"))
        else:
            good.setdefault(one.party, one)
    return tuple(good[party] for party in sorted(good)), tuple(void)
