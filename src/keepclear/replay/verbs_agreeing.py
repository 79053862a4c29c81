"""Steps about agreements: proposing, signing, changing, and looking at how they stand.

Whatever binds a party takes two of its people: the first asks for it, the second confirms it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from keepclear.agreements.reading import MAIN_FILE, files_named, read_agreement
from keepclear.errors import Fault, InputError
from keepclear.replay.doing import Doing, Verb
from keepclear.replay.stage import AUTHORITIES

__all__ = ["AGREEING", "confirmed"]


class Propose(Verb):
    """Propose the document of a folder, or put it against an earlier one."""

    folder: str
    counters: str | None = None
    remarks: str | None = None

    def do(self, doing: Doing) -> Any:
        """Propose it."""
        main = doing.file(f"{self.folder}/{MAIN_FILE}")
        files = {name: doing.file(f"{self.folder}/{name}") for name in files_named(main)}
        document = read_agreement({MAIN_FILE: main, **files})
        path = "/agreements" if self.counters is None else f"/agreements/{document.id}/versions"
        asked = {"line": doing.line, "document": json.loads(document.canonical()), "remarks": self.remarks}
        asked |= {"counters": self.counters} if self.counters else {}
        told = _first(doing).post(path, {name: one for name, one in asked.items() if one is not None})
        what = f"puts against {self.counters}" if self.counters else "proposes"
        doing.tell(
            f"{what}: {document.title}, version {document.version} ({told['id']}, document {document.hash[:12]}…)"
        )
        return {**told, "document": document.hash, "agreement": document.id}


class Sign(Verb):
    """Sign a document, by two persons; or by one alone, and then nothing is said."""

    agreement: str
    document: str
    in_force: str | None = None
    affiliates: list[str] = Field(default=[])
    persons: Literal[1, 2] = 2

    def do(self, doing: Doing) -> Any:
        """Sign it."""
        asked = {"line": doing.line, "document": self.document, "affiliates": self.affiliates}
        asked |= {} if self.in_force is None else {"in_force": self.in_force}
        told = _first(doing).post(f"/agreements/{self.agreement}/signatures", asked)
        if self.persons == 1:
            doing.tell(f"{AUTHORITIES[0]} would sign {self.agreement}; nobody has confirmed it")
            return told
        done = confirmed(doing, told["proposal"])
        doing.tell(f"signs {self.agreement} ({self.document[:12]}…), by two persons")
        return done


class Change(Verb):
    """Suspend, resume, end, withdraw or reject."""

    agreement: str
    change: Literal["suspend", "resume", "terminate", "withdraw", "reject"]
    document: str | None = None
    effective: str | None = None
    reason: str | None = None

    def do(self, doing: Doing) -> Any:
        """Say it; what takes two persons is confirmed by the second."""
        asked = self.model_dump(exclude_none=True, exclude={"agreement"}) | {"line": doing.line}
        told = _first(doing).post(f"/agreements/{self.agreement}/changes", asked)
        if told.get("proposal"):
            told = confirmed(doing, told["proposal"])
        doing.tell(f"{_CHANGES[self.change]} {self.agreement}{f': {self.reason}' if self.reason else ''}")
        return told


class Affiliate(Verb):
    """Say whom an agreement binds besides its parties, or what one makes of that."""

    agreement: str
    affiliate: str
    stance: Literal["asserts", "confirms", "denies", "withdraws"] = "asserts"
    reason: str | None = None
    of: str | None = None

    def do(self, doing: Doing) -> Any:
        """Say it."""
        asked = self.model_dump(exclude_none=True, exclude={"agreement", "of"}) | {"line": doing.line}
        asked |= {"by": self.of} if self.of else {}
        told = _first(doing).post(f"/agreements/{self.agreement}/affiliates", asked)
        doing.tell(f"{self.stance} that {self.agreement} binds {self.affiliate}")
        return told


class Agreement(Verb):
    """How an agreement stands at the party's node."""

    agreement: str

    def do(self, doing: Doing) -> Any:
        """Get it."""
        found = doing.client.requests.get(f"/agreements/{self.agreement}")
        doing.tell(f"sees {self.agreement}: {found['state'].upper()}. {found['sentence']}")
        for one in found.get("affiliates", ()):
            doing.tell(f"   {one['affiliate']}: {one['standing']}")
        for one in found.get("disputes", ()):
            doing.tell(f"   DISPUTED: {one if isinstance(one, str) else one.get('sentence', one)}")
        return found


class Difference(Verb):
    """What changes from one document to another."""

    agreement: str
    before: str
    after: str

    def do(self, doing: Doing) -> Any:
        """Get it, and tell what changes."""
        params = {"before": self.before, "after": self.after}
        found = doing.client.requests.get(f"/agreements/{self.agreement}/difference", **params)
        for kind in ("clauses", "terms"):
            for one in found[kind]:
                doing.tell(f"   {kind.removesuffix('s')} {one['name']}: {_changed(one)}")
        for sentence in found["ground"]:
            doing.tell(f"   on the ground: {sentence}")
        return found


class Report(Verb):
    """The compliance report of an agreement."""

    agreement: str
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None

    def do(self, doing: Doing) -> Any:
        """Get it, and tell what was breached or is not decided."""
        params = {"from": self.from_, "to": self.to}
        found = doing.client.requests.get(f"/agreements/{self.agreement}/report", **params)
        counts = ", ".join(f"{count} {name}" for name, count in found["counts"].items() if count) or "nothing"
        doing.tell(f"reads the report of {self.agreement}, {found['state']}: {counts}")
        for one in found["report"]["findings"]:
            doing.tell(f"   {one['result']}: {one['sentence']}")
        return found


def confirmed(doing: Doing, proposal: Mapping[str, Any]) -> Any:
    """What the second person confirms is done; the proposal as it is then.

    Raises
    ------
    InputError
        If it could not be done.
    """
    requests = doing.stage.stands[doing.party].client(AUTHORITIES[1]).requests
    told = requests.post(f"/proposals/{proposal['id']}/confirmation")
    if told["state"] != "done":
        raise InputError(Fault(f"it was confirmed, and is {told['state']}: {told.get('outcome') or ''}"))
    return told


def _changed(one: Mapping[str, Any]) -> str:
    """What is otherwise, shortly."""
    if one["before"] is None or one["after"] is None:
        return "new" if one["before"] is None else "gone"
    return "changed"


def _first(doing: Doing) -> Any:
    """The first person's requests."""
    return doing.stage.stands[doing.party].client(AUTHORITIES[0]).requests


_CHANGES = {
    "suspend": "suspends", "resume": "says that it goes on with", "terminate": "ends",
    "withdraw": "withdraws from", "reject": "rejects",
}  # fmt: skip

AGREEING: Mapping[str, type[Verb]] = {
    "affiliate": Affiliate, "agreement": Agreement, "change": Change, "difference": Difference, "propose": Propose,
    "report": Report, "sign": Sign,
}  # fmt: skip
