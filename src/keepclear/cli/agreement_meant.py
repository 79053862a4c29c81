"""Which agreement of a node a person means, and what they ask of it: what is wrong is told by the command's options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from keepclear.cli.node_requests import AskedNode
    from keepclear.values.agreements import AgreementTold, VersionTold

__all__ = ["agreement_meant", "asked_as", "version_meant"]

_AskedT = TypeVar("_AskedT", bound="BaseModel")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_NAME_RIGHT = "lower-case letters, digits, dots and hyphens, as `keepclear agreement status` shows it"
_OPTIONS: Mapping[str, str] = {
    "question": "QUESTION", "affiliate": "AFFILIATE", "counters": "--against", "starts": "--from", "ends": "--to",
    "effective": "--from", "filings": "--filing", "in_force": "--in-force", "affiliates": "--affiliate",
}  # fmt: skip
"""What a command calls the members that it does not name as an option of the same name."""


def agreement_meant(node: AskedNode, name: str, line: str | None) -> AgreementTold:
    """The agreement of that name, on that line if one is said, as it stands.

    Raises
    ------
    InputError
        If there is none, or there is one on each of several lines and none of them is said.
    """
    if not _NAME.fullmatch(name):
        raise InputError(Fault("not what an agreement can be called", _NAME_RIGHT, field="NAME", value=name))
    known = list(node.agreements(line=line))
    found = [one for one in known if one.id == name]
    if len(found) == 1:
        return node.agreement(name, line=found[0].line)
    if found:
        lines = ", ".join(one.line for one in found)
        problem = f"an agreement of this name is on {len(found)} lines"
        raise InputError(Fault(problem, f"--line, and one of: {lines}", field="NAME", value=name))
    names = ", ".join(sorted({one.id for one in known}))
    on = "" if line is None else f" on {line}"
    right = f"one of: {names}" if names else f"none was proposed{on}: keepclear agreement propose"
    raise InputError(Fault(f"no such agreement{on}", right, field="NAME", value=name))


def version_meant(told: AgreementTold, document: str | None) -> VersionTold:
    """The document that is meant: by its hash or how that begins; else the only one that somebody has still to sign.

    Raises
    ------
    InputError
        If none or several are.
    """
    versions = list(told.versions)
    if document is not None:
        found = [one for one in versions if len(document) >= 6 and one.document.startswith(document.lower())]
    else:
        found = [one for one in versions if one.missing] if len(versions) > 1 else versions
    if len(found) == 1:
        return found[0]
    right = "; ".join(f"{one.document[:12]} ({plain(one.title)}, of {one.party})" for one in versions)
    if document is None:
        problem = "which document is meant is not said"
    else:
        problem = f"{len(found)} documents begin so" if found else f"no document of {told.id} begins so"
    raise InputError(Fault(problem, f"six characters or more of one of: {right}", field="--document",
                           value=document or ""))  # fmt: skip


def asked_as(kind: type[_AskedT], members: Mapping[str, Any]) -> _AskedT:
    """What is asked of a node; what it would refuse by its shape is told before it is asked, by the options.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    from pydantic import ValidationError

    from keepclear.values.faults import fault_of

    try:
        return kind.model_validate(members)
    except ValidationError as error:
        raise InputError([_of_option(fault_of(one), members) for one in error.errors()]) from None


def _of_option(fault: Fault, members: Mapping[str, Any]) -> Fault:
    name, _, rest = fault.field.partition("[")
    if name not in members:
        return fault
    option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
    return replace(fault, field=option, value=fault.value or str(members[name])[:60] if not rest else fault.value)
