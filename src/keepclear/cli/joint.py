"""``keepclear joint``: plans of several parties: proposing, signing, filing, and how they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.agreement_signing import PasswordOption, UserOption, as_user
from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.node_link import confirmed, linked
from keepclear.cli.options import Faults
from keepclear.cli.output import put
from keepclear.cli.receipts import later_text, received_text
from keepclear.cli.record_files import read_file
from keepclear.cli.screen import note, plain
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.cli.node_requests import AskedNode
    from keepclear.values.joint_plans import JointPlanTold

__all__ = ["app", "plan_of"]

app = typer.Typer(
    name="joint", no_args_is_help=True, rich_markup_mode=None, help="Plans that several parties carry out together."
)

_MOST_BYTES = 2**20
_NOT_DONE = 1
_HASH = re.compile("[0-9a-f]{8,64}")
_RIGHT = "a plan as JSON or YAML: id, title, start, end, participants, operations or plans, meetings"

PlanArgument = Annotated[
    str,
    typer.Argument(metavar="PLAN", help="The plan's hash, its first eight characters or more, or PARTY:LINE:NUMBER."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("propose", short_help="Tell the others of a plan.")
def propose(
    directory: DirArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The plan, as JSON or YAML.")],
    line: LineOption = None,
    supersedes: Annotated[
        str | None, typer.Option(metavar="ENTRY", help="The plan that it takes the place of, once all have signed.")
    ] = None,
    remarks: Annotated[str | None, typer.Option("--remarks", metavar="TEXT", help="What else is to be said.")] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Tell the others of a plan. It binds nobody: whoever takes part signs it, with two persons."""
    plan = plan_of(file)
    asked = {"plan": plan, "line": line, "supersedes": supersedes, "remarks": remarks}
    with linked(directory, passphrase_file) as node:
        said = _posted(node, {name: one for name, one in asked.items() if one is not None}, file)
        told = next(one for one in node.joint_plans() if one.id == said["id"])
        received = list(received_text(node, said["id"], directory))
    put([f"Proposed as {said['id']}: plan {told.hash}\n", *received, f"{plain(told.sentence)}\n"], None)
    return 0


@app.command("sign", short_help="Sign a plan for your party: two persons, one after the other.")
def sign(
    directory: DirArgument,
    plan: PlanArgument,
    user: UserOption,
    line: LineOption = None,
    yes: YesOption = False,
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Sign a plan as it stands. The first person proposes it; a second one runs the same, and it is signed."""
    with as_user(directory, passphrase_file, user, password_file) as node:
        told = _meant(node, plan, line)
        mark = f"({told.hash[:12]}) on {told.line} as "
        waiting = next((one for one in node.proposals() if one.state == "open" and mark in one.subject), None)
        _show(told)
        if waiting is not None and waiting.proposed_by == user:
            right = "another person confirms it"
            raise InputError(
                Fault(f"you have proposed it yourself, as {waiting.id}", right, field="--user", value=user)
            )
        if not confirmed("Sign it?" if waiting is None else f"Confirm what {waiting.proposed_by} proposed?", yes=yes):
            put(["Nothing was signed.\n"], None)
            return _NOT_DONE
        if waiting is None:
            proposal = node.sign_joint_plan(told.hash, line=told.line)
            put([f"Proposed ({proposal.id}): {plain(proposal.subject)}\n",
                 "Nothing is signed yet: within a day another person of yours runs the same, with their own --user.\n"],
                None)  # fmt: skip
            return 0
        node.confirm(waiting.id)
        now = node.joint_plan(told.hash, line=told.line)
        put([f"Signed by {waiting.proposed_by} and {user}.\n", f"{plain(now.sentence)}\n",
             *later_text(node, directory)], None)  # fmt: skip
    return 0


@app.command("file", short_help="File your part of a plan.")
def file_parts(
    directory: DirArgument, plan: PlanArgument, line: LineOption = None, passphrase_file: PassphraseOption = None
) -> int:
    """File your part of a plan, as it stands there. The node does so by itself once all have signed."""
    with linked(directory, passphrase_file) as node:
        meant = _meant(node, plan, line)
        told = node.file_joint_plan(meant.hash, line=meant.line)
        lines = [f"Filed as {one.id}.\n" for one in told.filed] or ["It was filed before.\n"]
        put([*lines, *later_text(node, directory)], None)
    return 0


@app.command("status", short_help="Show joint plans, and who has signed them.")
def status(
    directory: DirArgument,
    plan: Annotated[str | None, typer.Argument(metavar="[PLAN]", help="One of them; left out: all.")] = None,
    line: LineOption = None,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="How to answer.")] = "text",
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show joint plans, who has signed them and who has not."""
    faults = Faults()
    if form not in ("text", "json"):
        faults.add([Fault("unknown choice", "one of: text, json", field="--format", value=form)])
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        found = list(node.joint_plans(line=line)) if plan is None else [_meant(node, plan, line)]
    if form == "json":
        put([json.dumps([one.model_dump(mode="json") for one in found]) + "\n"], None)
        return 0
    put([line for one in found for line in _lines(one)] or ["No joint plan.\n"], None)
    return 0


def _posted(node: AskedNode, asked: dict[str, Any], file: str) -> Any:
    """Propose it; what the node finds wrong with the plan is told of its file."""
    try:
        return node.requests.post("/joint-plans", asked)
    except InputError as error:
        faults = [
            replace(one, file=file, field=one.field.removeprefix("plan.")) if one.field.startswith("plan.") else one
            for one in error.faults
        ]
        raise InputError(faults) from None


def _meant(node: AskedNode, plan: str, line: str | None) -> JointPlanTold:
    """The plan that is meant: by its hash, by how that begins, or by the entry that proposes it.

    Raises
    ------
    InputError
        If it is none of these, or there is no such plan.
    """
    right = "a plan's hash, its first eight characters or more, or the PARTY:LINE:NUMBER that proposes it"
    if ":" not in plan:
        if not _HASH.fullmatch(plan.lower()):
            raise InputError(Fault("not what a plan is called", right, field="PLAN", value=plan))
        return node.joint_plan(plan.lower(), line=line)
    found = [one for one in node.joint_plans(line=line) if one.id == plan]
    if not found:
        raise InputError(Fault("no entry that proposes a plan", right, field="PLAN", value=plan))
    return found[0]


def plan_of(file: str) -> dict[str, Any]:
    """The plan of a file: its members as an entry has them.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    value = _read(file)
    if not isinstance(value, Mapping):
        raise InputError(Fault("not a plan", _RIGHT, file=file))
    members, faults = {str(name): one for name, one in value.items()}, Faults()
    for name in ("start", "end"):
        if name in members:
            members[f"{name}_s"] = faults.take(f"{file}: {name}", str(members.pop(name)), _seconds)
    if "plans" in members:
        own = members.get("operations", [])
        if not isinstance(own, list):
            raise InputError(Fault("not a list", "operations, as entries have them", file=file, field="operations"))
        members["operations"] = [*own, *_operations(file, members.pop("plans"))]
    meetings = members.get("meetings")
    if isinstance(meetings, list):
        members["meetings"] = [_meeting(file, one, faults) for one in meetings]
    faults.stop_if_any()
    return members


def _meeting(file: str, value: Any, faults: Faults) -> Any:
    if not isinstance(value, Mapping) or "time" not in value:
        return value
    members = dict(value)
    return members | {"time_s": faults.take(f"{file}: meetings", str(members.pop("time")), _seconds)}


def _operations(file: str, named: Any) -> list[dict[str, Any]]:
    """The operations of the files that a plan names, beside it."""
    from keepclear.formats.registry import read_many
    from keepclear.record.bodies.plans import OperationBody

    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        right = "the name of a file with operations, or a list of names"
        raise InputError(Fault("not the names of files", right, file=file, field="plans", value=str(named)[:60]))
    plans = read_many([str(Path(file).parent / name) for name in names])
    for warning in plans.warnings:
        note(f"Note: {warning}")
    return [OperationBody.of_model(one).members()["operation"] for one in plans.operations]


def _read(file: str) -> Any:
    data = read_file(file, most_bytes=_MOST_BYTES, right=_RIGHT)
    from keepclear.agreements.yaml_text import read_yaml  # JSON is YAML

    return read_yaml(data, file=file).value


def _seconds(text: str) -> float:
    from keepclear.times import parse_time

    return parse_time(text)


def _lines(told: JointPlanTold) -> list[str]:
    plan = told.plan
    lines = [f"{told.hash[:12]}  {plain(plan['title'])}  ({told.id}, {told.state})\n"]
    signed = {one.party: one for one in told.signatures}
    for one in plan["participants"]:
        by = signed.get(one["party"])
        how = "has not signed" if by is None else f"signed by {' and '.join(by.persons)} ({by.id})"
        lines.append(f"  {one['party']}, {plain(one['role'])}: {plain(how)}\n")
    lines += [f"  does not count: {one.party} ({one.id}) {plain(one.problem)}\n" for one in told.void]
    return [*lines, f"  {plain(told.sentence)}\n"]


def _show(told: JointPlanTold) -> None:
    for line in _lines(told):
        note(line.rstrip("\n"))
