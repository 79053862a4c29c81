"""Steps about what happened: tracks, joint plans, measures, labels, claims, incidents."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.model.operations import Operation
from keepclear.record.bodies.joint import MeasureKind
from keepclear.record.bodies.plans import OperationBody
from keepclear.replay.doing import Doing, Verb
from keepclear.replay.plans import read_plan
from keepclear.replay.stage import AUTHORITIES
from keepclear.replay.verbs_agreeing import confirmed
from keepclear.times import parse_time

__all__ = ["WATCHING"]

_MOST_CHANGES = 3
_NUMBERS = ("lon_deg", "lat_deg", "height_m", "uncertainty_m")


class Positions(Verb):
    """Post the positions of a file, as a source would: CSV with unit, time, lon_deg, lat_deg and perhaps height_m."""

    file: str
    source: str = "replay"
    accuracy_m: float = 25.0
    max_age_s: float = 60.0
    units: list[str] | None = None
    kind: str = ""
    domain: str = ""
    operation: str = ""
    share: bool = True
    recipients: list[str] | None = None

    def do(self, doing: Doing) -> Any:
        """Register the source, bind its units, post, and share exactly what was posted."""
        requests, rows = doing.client.requests, self._rows(doing)
        source = {"accuracy_m": self.accuracy_m, "max_age_s": self.max_age_s}
        requests.put(f"/positions/sources/{self.source}", source)
        units = sorted({row["unit"] for row in rows})
        for unit in units:
            rule = {"by": "unit", "value": unit, "operation": self.operation, "kind": self.kind, "domain": self.domain}
            requests.post("/positions/bindings", {name: one for name, one in rule.items() if one})
        posted = requests.post("/positions", {"source": self.source, "positions": rows})
        doing.tell(f"has the tracks of {', '.join(units)}: {len(rows)} positions, each to {self.accuracy_m:g} m")
        shared, times = [], [row["time"] for row in rows]
        for unit in units if self.share else ():
            asked = {"line": doing.line, "unit": unit, "start": min(times), "end": max(times), "exact": True}
            asked |= {} if self.recipients is None else {"recipients": self.recipients}
            shared.append(requests.post("/positions/shares", asked))
        if shared:
            doing.tell("   shares them on the line, where they are committed to by their hashes")
        return {"posted": posted, "shared": shared}

    def _rows(self, doing: Doing) -> list[dict[str, Any]]:
        found = []
        reader = csv.DictReader(io.StringIO(doing.file(self.file).decode("utf-8", "replace")))
        missing = {"unit", "time", "lon_deg", "lat_deg"} - set(reader.fieldnames or ())
        if missing:
            right = "unit, time, lon_deg, lat_deg and perhaps height_m, uncertainty_m"
            raise InputError(Fault(f"no column {', '.join(sorted(missing))}", right, file=self.file))
        for number, row in enumerate(reader, start=2):
            if self.units is not None and row["unit"] not in self.units:
                continue
            try:
                numbers = {name: float(row[name]) for name in _NUMBERS if row.get(name)}
            except ValueError:
                raise InputError(Fault("not a number", file=self.file, feature=f"line {number}")) from None
            found.append({"unit": row["unit"], "time": row["time"], **numbers})
        if not found:
            raise InputError(Fault("no positions of these units", file=self.file))
        return found


class Takes(Verb):
    """Who takes part in a joint plan, as what, with what; and what they do in it."""

    party: str
    role: str
    platforms: int | None = None
    platform_class: str = ""
    plan: dict[str, Any]

    def do(self, doing: Doing) -> Any:  # a part of a joint plan, no step
        """Is never done by itself."""
        raise NotImplementedError


class JointPlan(Verb):
    """Propose a joint plan."""

    id: str
    title: str
    start: str
    end: str
    parts: Annotated[list[Takes], Field(min_length=2)]
    meetings: list[dict[str, Any]] = Field(default=[])
    remarks: str | None = None

    def do(self, doing: Doing) -> Any:
        """Propose it."""
        operations = [_operation(one, doing) for one in self.parts]
        participants = [
            one.model_dump(exclude={"plan"}, exclude_none=True, exclude_defaults=True) for one in self.parts
        ]
        plan: dict[str, Any] = {
            "id": self.id, "title": self.title, "start_s": parse_time(self.start), "end_s": parse_time(self.end),
            "participants": participants, "operations": operations,
        }  # fmt: skip
        if self.meetings:
            plan["meetings"] = [
                {
                    **{name: one for name, one in given.items() if name != "time"},
                    "time_s": parse_time(str(given.get("time"))),
                }
                for given in self.meetings
            ]
        asked = {"line": doing.line, "plan": plan} | ({"remarks": self.remarks} if self.remarks else {})
        told = doing.client.requests.post("/joint-plans", asked)
        stands = next(one for one in doing.client.requests.items("/joint-plans") if one["id"] == told["id"])
        doing.tell(f"proposes the joint plan {self.title!r} ({told['id']}, plan {stands['hash'][:12]}…)")
        return {**told, "plan": stands["hash"]}


class SignPlan(Verb):
    """Sign a joint plan, by two persons."""

    plan: str

    def do(self, doing: Doing) -> Any:
        """Sign it."""
        first = doing.stage.stands[doing.party].client(AUTHORITIES[0])
        told = first.requests.post(f"/joint-plans/{self.plan}/signatures")
        done = confirmed(doing, told)
        doing.tell(f"signs the joint plan {self.plan[:12]}…, by two persons")
        return done


class PlanOf(Verb):
    """How a joint plan stands at the party's node."""

    plan: str

    def do(self, doing: Doing) -> Any:
        """Get it."""
        found = doing.client.requests.get(f"/joint-plans/{self.plan}")
        doing.tell(f"sees the joint plan: {found['sentence']}")
        return found


class Measure(Verb):
    """Say a measure about filings of both sides; it is mutual once the other concurs."""

    filings: list[str]
    measure: MeasureKind
    text: str

    def do(self, doing: Doing) -> Any:
        """Say it."""
        told = doing.client.requests.post("/measures", self.model_dump())
        doing.tell(f"proposes a measure ({self.measure}): {self.text} ({told['id']})")
        return told


class LabelOf(Verb):
    """What the encounters of two parties were, by the record and the tracks that the party's node knows."""

    parties: Annotated[list[str], Field(min_length=2, max_length=2)]
    from_: str = Field(alias="from")
    to: str

    def do(self, doing: Doing) -> Any:
        """Ask, and tell each label with why, and what would change it."""
        params = {"line": doing.line, "party": self.parties, "from": self.from_, "to": self.to}
        found = list(doing.client.requests.items("/labels", **params))
        for one in found[:1]:
            doing.tell(f"sees {one['label'].upper()} (by {one['basis']}){_flags(one)}")
            for sentence in (*one["because"], *one["thresholds"]):
                doing.tell(f"   because {sentence}")
            for sentence in one["would_change"][:_MOST_CHANGES]:
                doing.tell(f"   would change it: {sentence}")
            if len(one["would_change"]) > _MOST_CHANGES:
                doing.tell(f"   and {len(one['would_change']) - _MOST_CHANGES} more that would")
        if len(found) > 1:
            doing.tell(f"   {len(found)} pairs of units in all: {', '.join(sorted({one['label'] for one in found}))}")
        return found


class Claim(Verb):
    """Put on the record what was said publicly, and weigh it."""

    said_by: str
    said: str
    where: str
    words: str
    asserts: str
    parties: Annotated[list[str], Field(min_length=2)]
    from_: str = Field(alias="from")
    to: str
    language: str | None = None
    participants: list[dict[str, Any]] = Field(default=[])

    def do(self, doing: Doing) -> Any:
        """Put it there."""
        subject = {"parties": self.parties, "from_s": parse_time(self.from_), "to_s": parse_time(self.to)}
        claim: dict[str, Any] = {
            "subject": subject, "said_by": self.said_by, "said_s": parse_time(self.said), "where": self.where,
            "words_ref": self.words, "asserts": self.asserts,
        }  # fmt: skip
        claim |= {"language": self.language} if self.language else {}
        claim |= {"participants": self.participants} if self.participants else {}
        told = doing.client.requests.post("/claims", {"line": doing.line, "claim": claim})
        doing.tell(f"keeps the claim of {self.said_by} ({self.where}): {self.words} ({told['id']})")
        return told


class Weigh(Verb):
    """How a claim stands to the record, by what the party's node knows."""

    claim: str

    def do(self, doing: Doing) -> Any:
        """Weigh it."""
        found = doing.client.requests.get(f"/claims/{self.claim}")
        weighed = found["weighed"]
        doing.tell(f"weighs {self.claim}: {weighed['weight'].upper()}")
        for sentence in weighed["because"]:
            doing.tell(f"   because {sentence}")
        return weighed


def _operation(part: Takes, doing: Doing) -> dict[str, Any]:
    plan = read_plan(part.plan, doing)
    if not isinstance(plan, Operation):
        raise InputError(Fault("a zone in a joint plan", "operations alone", field=f"parts.{part.party}"))
    return {**OperationBody.of_model(plan).members()["operation"], "party": part.party}


def _flags(one: Mapping[str, Any]) -> str:
    flags = [str(flag).upper() for flag in one.get("flags", ())]
    return f" with {', '.join(flags)}" if flags else ""


WATCHING: Mapping[str, type[Verb]] = {
    "claim": Claim, "joint-plan": JointPlan, "joint-status": PlanOf, "label": LabelOf, "measure": Measure,
    "positions": Positions, "sign-plan": SignPlan, "weigh": Weigh,
}  # fmt: skip
