"""Steps that file plans, and change what was filed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from keepclear.replay.doing import Doing, Verb
from keepclear.replay.plans import read_plan, request_of

__all__ = ["FILING"]


class _Plan(Verb):
    """What a filing says."""

    plan: dict[str, Any]
    recipients: list[str] | None = None
    remarks: str | None = None
    on_behalf_of: str | None = None
    reason_if_late: str | None = None
    despite_terms: str | None = None
    exercise: bool = False

    def asked(self, doing: Doing) -> tuple[str, dict[str, Any]]:
        """Where it goes, and what is asked."""
        kind, value = request_of(read_plan(self.plan, doing), doing)
        names = ("recipients", "remarks", "on_behalf_of", "reason_if_late", "despite_terms")
        more = {name: one for name in names if (one := getattr(self, name)) is not None}
        more |= {"exercise": True} if self.exercise else {}
        return kind, {kind: value, "line": doing.line, **more}


class Check(_Plan):
    """Try a plan against what the node knows; nobody is told."""

    leaving_out: list[str] = Field(default=[])

    def do(self, doing: Doing) -> Any:
        """Ask the node."""
        kind, asked = self.asked(doing)
        asked = {name: one for name, one in asked.items() if name in (kind, "line", "exercise")}
        found = doing.client.requests.post("/checks", {**asked, "leaving_out": self.leaving_out})
        doing.tell(f"tries {_name(asked[kind])}: {found['sentence']}")
        for sentence in _terms(found):
            doing.tell(f"   {sentence}")
        return found


class File(_Plan):
    """File a plan."""

    def do(self, doing: Doing) -> Any:
        """File it."""
        kind, asked = self.asked(doing)
        told = doing.client.requests.post(f"/{kind}s", asked)
        _tell(doing, told, f"files {_name(asked[kind])} as {told['id']}")
        return told


class Amend(_Plan):
    """File a plan in the place of an earlier one."""

    entry: str

    def do(self, doing: Doing) -> Any:
        """Amend it."""
        kind, asked = self.asked(doing)
        _, tag = doing.client.requests.tagged(f"/{kind}s/{self.entry}")
        told = doing.client.requests.put(f"/{kind}s/{self.entry}", asked, if_match=tag)
        _tell(doing, told, f"amends {self.entry}: {_name(asked[kind])} is now {told['id']}")
        return told


class Cancel(Verb):
    """Say that a filing no longer stands."""

    entry: str
    reason: str | None = None

    def do(self, doing: Doing) -> Any:
        """Cancel it."""
        requests = doing.client.requests
        kind = requests.get(f"/entries/{self.entry}")["type"]
        _, tag = requests.tagged(f"/{kind}s/{self.entry}")
        told = requests.delete(
            f"/{kind}s/{self.entry}", if_match=tag, **({"reason": self.reason} if self.reason else {})
        )
        doing.tell(f"cancels {self.entry}{f': {self.reason}' if self.reason else ''}")
        return {**told, "id": told["entries"][0]["id"]}


class AcceptRisk(Verb):
    """Say that one goes on although a conflict stands."""

    conflict: int
    reason: str

    def do(self, doing: Doing) -> Any:
        """Say it."""
        told = doing.client.requests.post(f"/conflicts/{self.conflict}/accepted-risk", {"reason": self.reason})
        doing.tell(f"goes on knowingly with conflict {self.conflict}: {self.reason}")
        return told


def _tell(doing: Doing, told: Mapping[str, Any], what: str) -> None:
    doing.tell(what)
    for warning in told.get("warnings", ()):
        doing.tell(f"   {warning}")
    found = told.get("found_after") or told.get("found_before")
    if found is not None:
        doing.tell(f"   {found['sentence']}")
        for sentence in _terms(found):
            doing.tell(f"   {sentence}")


def _terms(found: Mapping[str, Any]) -> list[str]:
    return [one["sentence"] for one in found.get("terms", ()) if one.get("sentence")]


def _name(value: Mapping[str, Any]) -> str:
    return f"{value.get('kind') or 'operation'} {value.get('name') or value['id']}"


FILING: Mapping[str, type[Verb]] = {
    "accept-risk": AcceptRisk, "amend": Amend, "cancel": Cancel, "check": Check, "file": File,
}  # fmt: skip
