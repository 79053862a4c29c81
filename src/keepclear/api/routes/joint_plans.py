"""Joint plans: proposed, signed by each participant with two persons, and filed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.entry_pages import said_told
from keepclear.api.filing_desk import filed_told
from keepclear.api.parameters import LineFilter, lines_asked, ref_of
from keepclear.api.shown.encounters import plan_told
from keepclear.api.told_users import told_proposal
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope
from keepclear.values.base import Listed
from keepclear.values.entries import EntrySaid
from keepclear.values.joint_plans import JointPlanAsked, JointPlanTold, PartsFiledTold
from keepclear.values.users import ProposalTold

__all__ = ["router"]

router = APIRouter(tags=["joint plans"])
_Reader = Annotated[Actor, Needs(Scope.READ)]
_PlanInPath = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{8,64}$", max_length=64, examples=["3f786850e387550f"],
        description="The plan's SHA-256, or its first eight characters or more.",
    ),
]  # fmt: skip


@router.get("/joint-plans")
def list_joint_plans(node: TheNode, actor: _Reader, line: LineFilter = None) -> Listed[JointPlanTold]:
    """Joint plans, and who has signed them. That somebody read another party's is noted; what is over is not shown."""
    found = [view for name in lines_asked(node, line) for view in node.joint_planning.views(name)]
    shown = node.readings.shown([one.ref for one in found], by=actor)
    return Listed(items=[plan_told(one) for one, entry in zip(found, shown, strict=True) if entry.body is not None])


@router.post("/joint-plans", status_code=201)
def propose_joint_plan(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.FILE)], asked: JointPlanAsked, response: Response
) -> EntrySaid:
    """Tell the others of a plan. It binds nobody: whoever takes part signs it, as it stands."""
    supersedes = None if asked.supersedes is None else ref_of(node, asked.supersedes, field="supersedes")
    plan = asked.plan.model_dump(mode="json", exclude_unset=True)
    said = node.joint_planning.propose(asked.line, plan, by=actor, supersedes=supersedes, remarks=asked.remarks)
    return said_told(node, said.ref, said.warnings, response)


@router.get("/joint-plans/{plan}")
def get_joint_plan(node: TheNode, actor: _Reader, plan: _PlanInPath, line: LineFilter = None) -> JointPlanTold:
    """One joint plan. That somebody read another party's is noted, as with its filings.

    A plan may be on more than one line: then `line` says which is meant.
    """
    view = node.joint_planning.view(plan, line)
    node.readings.must_show(view.ref, by=actor)
    return plan_told(view)


@router.post("/joint-plans/{plan}/signatures", status_code=202)
def sign_joint_plan(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.SIGN)],
    plan: _PlanInPath,
    response: Response,
    line: LineFilter = None,
) -> ProposalTold:
    """Propose to sign a plan. It takes two persons: another confirms the proposal, and only then it is signed."""
    proposal = node.joint_planning.sign(plan, by=actor, line=line)
    response.headers["location"] = f"/api/v1/proposals/{proposal.id}"
    return told_proposal(proposal)


@router.post("/joint-plans/{plan}/filing", status_code=201)
def file_joint_plan(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.FILE)],
    plan: _PlanInPath,
    response: Response,
    line: LineFilter = None,
) -> PartsFiledTold:
    """File our parts of a plan. They are one operation with the others' once all have signed, and not before."""
    filed = node.joint_planning.file(plan, by=actor, line=line)
    return PartsFiledTold(filed=[filed_told(node, "operation", one, response) for one in filed])
