"""Bodies of agreements, joint plans, positions, claims and incidents: what they refuse, and how they say so."""

from __future__ import annotations

import hashlib
import json

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.record.bodies.agreements import (
    AffiliateBody,
    AgreementChangedBody,
    AgreementProposedBody,
    AgreementSignedBody,
    DeliverableBody,
    ExemptionNoticeBody,
    TermQueryBody,
)
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody, MeasureBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import attachments_of, body_of
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.bodies.watched import ClaimBody, IncidentBody, PositionsBody
from keepclear.record.canonical import canonical
from tests.fuzz.record_entries import REF, agreement_bodies, entry, plan, watched_bodies

ONE = EntryRefValue.of(REF)
SAMPLES = {type(body): body.members() for body in (*agreement_bodies(), *watched_bodies())}


def faults(kind, **others):
    """The fields of what is wrong with a sample that is changed; a member of `...` is left out."""
    members = {name: value for name, value in (SAMPLES[kind] | others).items() if value is not ...}
    with pytest.raises(InputError) as caught:
        kind.of_members(members)
    return [fault.field for fault in caught.value.faults]


TEXT = SAMPLES[AgreementProposedBody]["texts"][0]
HASH = "d0" * 32


@pytest.mark.parametrize(
    ("kind", "others", "field"),
    [
        (AgreementProposedBody, {"agreement": "Sochi"}, "agreement"),
        (AgreementProposedBody, {"agreement": ".a"}, "agreement"),
        (AgreementProposedBody, {"agreement": "a" * 65}, "agreement"),
        (AgreementProposedBody, {"document": "D0" * 32}, "document"),
        (AgreementProposedBody, {"document": HASH + "0"}, "document"),
        (AgreementProposedBody, {"parties": ["north"]}, "parties"),
        (AgreementProposedBody, {"parties": ["north", "north"]}, "parties"),
        (AgreementProposedBody, {"texts": []}, "texts"),
        (AgreementProposedBody, {"texts": [TEXT | {"authentic": False}]}, "texts"),
        (AgreementProposedBody, {"texts": [TEXT, TEXT | {"language": "EN"}]}, "texts"),
        (AgreementProposedBody, {"texts": [TEXT | {"language": "e"}]}, "texts[0].language"),
        (AgreementProposedBody, {"attachments": []}, "attachments"),
        (AgreementSignedBody, {"persons": ["one"]}, "persons"),
        (AgreementSignedBody, {"persons": []}, "persons"),
        (AgreementSignedBody, {"persons": ["A. B.", "a.  b. "]}, "persons"),
        (AgreementSignedBody, {"persons": ["A", " "]}, "persons"),
        (AgreementSignedBody, {"text": ...}, "text"),
        (AgreementSignedBody, {"proposal": ...}, "proposal"),
        (AgreementSignedBody, {"affiliates": ["council", "council"]}, "affiliates"),
        (AgreementSignedBody, {"in_force_s": "tomorrow"}, "in_force_s"),
        (AgreementChangedBody, {"change": "approve"}, "change"),
        (AgreementChangedBody, {"change": "suspend", "persons": ["one"]}, "persons"),
        (AgreementChangedBody, {"change": "resume", "persons": ["one"]}, "persons"),
        (AgreementChangedBody, {"change": "terminate", "persons": ["one"]}, "persons"),
        (AgreementChangedBody, {"change": "withdraw", "persons": []}, "persons"),
        (AffiliateBody, {"stance": "says"}, "stance"),
        (AffiliateBody, {"by": "the north"}, "by"),
        (AffiliateBody, {"affiliate": ""}, "affiliate"),
        (ExemptionNoticeBody, {"to_s": 1.4e9}, "to_s"),
        (ExemptionNoticeBody, {"from_s": ...}, "from_s"),
        (TermQueryBody, {"question": ""}, "question"),
        (TermQueryBody, {"urgent": "yes"}, "urgent"),
        (DeliverableBody, {"what": ...}, "what"),
        (JointPlanSignedBody, {"persons": ["one"]}, "persons"),
        (JointPlanSignedBody, {"plan": "1"}, "plan"),
        (MeasureBody, {"filings": [ONE, ONE]}, "filings"),
        (MeasureBody, {"filings": [ONE]}, "filings"),
        (MeasureBody, {"measure": "force"}, "measure"),
        (PositionsBody, {"to_s": 1.4e9}, "to_s"),
        (PositionsBody, {"count": 0}, "count"),
        (PositionsBody, {"delayed_s": -1.0}, "delayed_s"),
        (
            PositionsBody,
            {"area": {"west_deg": 1.0, "south_deg": 2.0, "east_deg": 1.0, "north_deg": 1.0}},
            "area.north_deg",
        ),
        (ClaimBody, {"participants": []}, "participants"),
        (ClaimBody, {"asserts": "approved"}, "asserts"),
        (ClaimBody, {"subject": {"parties": [], "from_s": 1.0, "to_s": 2.0}}, "subject.parties"),
        (ClaimBody, {"subject": {"parties": ["a"], "from_s": 3.0, "to_s": 2.0}}, "subject.to_s"),
        (IncidentBody, {"about": ...}, "about"),
        (IncidentBody, {"stage": "last"}, "stage"),
        (IncidentBody, {"to_s": 1.4e9}, "to_s"),
        (IncidentBody, {"closest": {"horizontal_m": 1.0, "from_s": 2.0, "to_s": 1.0}}, "closest.to_s"),
        (IncidentBody, {"closest": {"horizontal_m": -1.0}}, "closest.horizontal_m"),
        (IncidentBody, {"label": "clear"}, "label"),
        (IncidentBody, {"place": {"lon_deg": 181.0, "lat_deg": 0.0}}, "place.lon_deg"),
    ],
)
def test_what_is_no_such_body_is_refused_with_its_field(kind, others, field):
    assert faults(kind, **others) == [field]


def test_one_person_is_enough_to_take_back_or_reject():
    for change in ("withdraw", "reject"):
        assert AgreementChangedBody.of_members(SAMPLES[AgreementChangedBody] | {"change": change, "persons": ["one"]})


def test_an_incident_needs_no_more_than_that_it_was_noticed():
    assert IncidentBody(id="1", stage="first", detected_s=1.0).members() == {
        "id": "1", "stage": "first", "detected_s": 1.0, "parties": [], "platforms": [], "flags": [], "terms": [],
        "entries": [], "channel": [], "acts": [], "open_questions": [], "persons": [], "attachments": [],
    }  # fmt: skip


def test_no_answer_change_label_or_claim_says_that_anything_is_allowed():
    for kind in SAMPLES:
        words = json.dumps(kind.model_json_schema()).casefold()
        assert "approv" not in words
        assert '"allowed"' not in words
        assert '"clear"' not in words


# --- joint plans -----------------------------------------------------------------------------------------------------


def planned(**others):
    return JointPlanBody(plan=plan() | others)


def test_the_hash_of_a_plan_is_that_of_its_canonical_json():
    body = planned()
    assert body.plan_hash == body.plan.hash == hashlib.sha256(canonical(body.members()["plan"])).hexdigest()
    assert JointPlanBody.of_bytes(body.to_bytes()).plan_hash == body.plan_hash
    others = {"title": "Another", "end_s": 1.7e9, "meetings": [], "operations": plan()["operations"][::-1]}
    hashes = {planned(**{name: value}).plan_hash for name, value in others.items()}
    assert len(hashes | {body.plan_hash}) == 5


def test_a_plan_gives_its_operations():
    assert [one.party for one in planned().plan.models()] == ["north", "south"]


OPERATIONS = plan()["operations"]
PARTICIPANTS = plan()["participants"]
EMPTY = OPERATIONS[1] | {"volumes": [], "tracks": []}


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"end_s": 1.4e9}, "plan.end_s"),
        ({"participants": PARTICIPANTS[:1]}, "plan.participants"),
        ({"participants": [*PARTICIPANTS, PARTICIPANTS[0]]}, "plan.participants"),
        ({"participants": [*PARTICIPANTS, PARTICIPANTS[0] | {"party": "east"}]}, "plan.operations"),
        ({"operations": [*OPERATIONS, OPERATIONS[0] | {"party": "east"}]}, "plan.operations"),
        ({"operations": [*OPERATIONS, OPERATIONS[0]]}, "plan.operations"),
        ({"operations": OPERATIONS[:1]}, "plan.operations"),
        (
            {"operations": [OPERATIONS[0], OPERATIONS[1] | {"volumes": [], "tracks": []}]},
            "plan.operations[1].operation",
        ),
        ({"meetings": [plan()["meetings"][0] | {"radius_m": -1.0}]}, "plan.meetings[0].radius_m"),
        ({"title": ""}, "plan.title"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_field(others, field):
    with pytest.raises(InputError) as caught:
        planned(**others)
    assert [fault.field for fault in caught.value.faults] == [field]


# --- attachments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [*agreement_bodies(), *watched_bodies()], ids=lambda body: str(body.TYPE))
def test_the_leaf_has_as_many_attachments_as_the_body_notes(body):
    noted = attachments_of(body)
    assert len(noted) == len(getattr(body, "attachments", ()))
    assert body_of(entry(body)) == body
    if noted:
        with pytest.raises(PeerError, match=r"notes 1 attachments, and its leaf has 0"):
            body_of(entry(body, attachments=[]))


def test_bodies_of_other_types_note_none():
    assert attachments_of(CancelBody(entry=ONE)) == ()
    assert attachments_of(None) == ()
