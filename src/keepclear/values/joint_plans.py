"""Joint plans: one plan of several parties, which each of them signs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from keepclear.record.bodies.joint import PlanValue
from keepclear.values.base import Asked, EntryId, LineName, LongText, Told
from keepclear.values.filings import FiledTold

__all__ = ["PLAN_EXAMPLE", "JointPlanAsked", "JointPlanTold", "PartsFiledTold", "SignatureTold"]


def _circle(party: str, lon_deg: float) -> dict[str, Any]:
    return {
        "party": party, "id": f"joint-{party}", "kind": "patrol",
        "volumes": [{"footprint": {"shape": "circle", "lon_deg": lon_deg, "lat_deg": 37.06, "radius_m": 3000.0},
                     "start_s": 1769850000.0, "end_s": 1769864400.0}],
    }  # fmt: skip


PLAN_EXAMPLE: dict[str, Any] = {
    "id": "patrol-2026-01-31", "title": "Joint patrol", "start_s": 1769850000.0, "end_s": 1769864400.0,
    "participants": [{"party": "RU", "role": "western column", "platforms": 5},
                     {"party": "TR", "role": "eastern column", "platforms": 4}],
    "operations": [_circle("RU", 40.65), _circle("TR", 40.66)],
}  # fmt: skip


class JointPlanAsked(Asked):
    """A plan to be told to those who would take part. It binds nobody before it has signed.

    Attributes
    ----------
    line
        On which line; left out where there is only one.
    plan
        The plan: who takes part in which role, what each does, and where they meet.
    supersedes
        The entry whose plan it would take the place of, once everybody has signed it.
    remarks
        Free text.
    """

    line: LineName | None = None
    plan: Annotated[PlanValue, Field(examples=[PLAN_EXAMPLE])]
    supersedes: EntryId | None = None
    remarks: LongText | None = None


class SignatureTold(Told):
    """A signature; `problem` says why it does not count, where it does not."""

    id: EntryId
    party: str
    role: str
    persons: list[str]
    problem: str = ""


class JointPlanTold(Told):
    """How it stands with a joint plan.

    Attributes
    ----------
    hash
        SHA-256 of the plan: what is signed.
    id, line, party
        The entry that told of it, where, and who proposed it.
    plan
        The plan.
    state
        ``proposed``, ``partly signed``, ``signed by all`` or ``superseded``.
    signatures, void
        Those that count, and those that do not, with the reason.
    missing
        Who takes part and has not signed.
    supersedes
        The entry whose plan it takes the place of.
    sentence
        How it stands, in words.
    """

    hash: str
    id: EntryId
    line: LineName
    party: str
    plan: dict[str, Any]
    state: str
    signatures: list[SignatureTold]
    void: list[SignatureTold]
    missing: list[str]
    supersedes: EntryId | None
    sentence: str


class PartsFiledTold(Told):
    """Our parts of a plan that were filed just now; none where all were filed before."""

    filed: list[FiledTold]
