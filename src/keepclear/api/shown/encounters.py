"""Encounters, claims, incidents and joint plans, as answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepclear.agreements.facts import Evidence
from keepclear.api.shown.entries import id_or_none
from keepclear.node.claims import WeighedClaim
from keepclear.node.entry_ids import EntryId
from keepclear.node.incidents import FIRST_REPORT_S, FULL_REPORT_S
from keepclear.node.joint_planning import PlanView, Signature
from keepclear.record.bodies.base import Body
from keepclear.record.names import KeyName
from keepclear.store.node.encounters_seen import SeenEncounter
from keepclear.values.base import moment, moment_or_none
from keepclear.values.encounters import (
    ApproachTold,
    ClaimTold,
    EncounterTold,
    EvidenceTold,
    IncidentDraftTold,
    LabelTold,
    MetTold,
    WeighedTold,
)
from keepclear.values.joint_plans import JointPlanTold, SignatureTold
from keepclear.watch.claims import Weighed
from keepclear.watch.labels import Labelled

__all__ = ["claim_told", "draft_told", "encounter_told", "label_told", "members_told", "plan_told", "weighed_told"]


def encounter_told(seen: SeenEncounter, told: Mapping[str, Any] | None = None) -> EncounterTold:
    """An encounter as it was last labelled, without where it was; `told`: as it is labelled now, and may be shown."""
    return EncounterTold(
        number=seen.id, line=seen.line or None, report=_report(seen), has_draft=seen.incident is not None,
        **_label_members({**seen.told, "closest": None} if told is None else told),
    )  # fmt: skip


def label_told(told: Mapping[str, Any]) -> LabelTold:
    """A label, as `keepclear.node.encounter_words` tells it."""
    return LabelTold(**_label_members(told))


def _label_members(given: Mapping[str, Any]) -> dict[str, Any]:
    closest, minima = given["closest"], given["minima"]
    plain = ("basis", "certain", "label", "flags", "possible_flags", "between", "thresholds", "because", "would_change")
    approach = None if closest is None else ApproachTold(
        time=moment_or_none(closest["time_s"]), horizontal_m=closest["horizontal_m"], least_m=closest["least_m"],
        greatest_m=closest["greatest_m"], vertical_m=closest["vertical_m"], lon_deg=closest["place"][0],
        lat_deg=closest["place"][1],
    )  # fmt: skip
    return {
        "a": MetTold(**given["a"]), "b": MetTold(**given["b"]), "start": moment(given["from_s"]),
        "end": moment(given["to_s"]), "closest": approach, "minima_m": minima["horizontal_m"],
        "minima_rule": minima["rule"], "evidence": [EvidenceTold(**one) for one in given["evidence"]],
        **{name: given[name] for name in plain},
    }  # fmt: skip


def draft_told(seen: SeenEncounter) -> IncidentDraftTold:
    """A report that was drafted."""
    assert seen.incident is not None
    return IncidentDraftTold(
        encounter=seen.id, line=seen.line or None, report=dict(seen.incident),
        first_due=moment(seen.found_s + FIRST_REPORT_S), full_due=moment(seen.found_s + FULL_REPORT_S),
    )  # fmt: skip


def weighed_told(weighed: Weighed, labelled: tuple[Labelled, ...]) -> WeighedTold:
    """How a claim stands to the record."""
    weight: Any = str(weighed.weight)
    labels: Any = [str(one.label) for one in labelled]
    return WeighedTold(
        weight=weight, because=list(weighed.because), evidence=[_evidence(one) for one in weighed.evidence],
        labels=labels,
    )  # fmt: skip


def claim_told(one: WeighedClaim) -> ClaimTold:
    """A claim, weighed."""
    return ClaimTold(
        id=str(EntryId.of(one.ref)), line=one.line, party=one.party, claim=members_told(one.body),
        weighed=weighed_told(one.weighed, one.labelled),
    )  # fmt: skip


def members_told(body: Body) -> dict[str, Any]:
    """What an entry says, as JSON."""
    return body.members()


def plan_told(view: PlanView) -> JointPlanTold:
    """A joint plan."""
    return JointPlanTold(
        hash=view.hash, id=str(EntryId.of(view.ref)), line=view.line, party=view.party,
        plan=view.plan.model_dump(mode="json", exclude_none=True), state=str(view.state),
        signatures=[_signature(one) for one in view.signatures], void=[_signature(one) for one in view.void],
        missing=list(view.missing), supersedes=id_or_none(view.supersedes), sentence=view.sentence,
    )  # fmt: skip


def _signature(one: Signature) -> SignatureTold:
    return SignatureTold(
        id=str(EntryId.of(one.ref)), party=one.party, role=one.role, persons=list(one.persons), problem=one.problem
    )


def _evidence(found: Evidence) -> EvidenceTold:
    return EvidenceTold(entry=id_or_none(found.ref), track=found.track, note=found.note)


def _report(seen: SeenEncounter) -> str | None:
    if seen.reported_origin is None or seen.reported_number is None:
        return None
    name = KeyName.of_text(seen.reported_origin)
    if name is None or name.line is None:
        return None
    return str(EntryId(name.party, name.line, name.begun, seen.reported_number))
