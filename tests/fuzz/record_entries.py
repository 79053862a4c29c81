"""What the readers of entries must withstand: whatever bytes come, a value that is those bytes, or a refusal.

All samples are invented.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from functools import cache

import numpy as np

from keepclear import Operation, OperationKind, Polygon, Track, Volume, Zone, ZoneKind
from keepclear.errors import PeerError
from keepclear.model.footprints import Circle, Corridor, Edges
from keepclear.model.heights import Height, HeightReference
from keepclear.model.operations import JointPlan, Participant
from keepclear.record.bodies.agreements import (
    AffiliateBody,
    AgreementChangedBody,
    AgreementProposedBody,
    AgreementSignedBody,
    DeliverableBody,
    ExemptionNoticeBody,
    TermQueryBody,
)
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.committed import CommitmentBody, OpeningBody
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody, MeasureBody
from keepclear.record.bodies.keys import IdentityVouchBody, KeyCertificateBody, KeyRevocationBody
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody, LineTestBody
from keepclear.record.bodies.members import (
    LineFoundedBody,
    MemberInvitedBody,
    MemberJoinedBody,
    MemberLeftBody,
    MemberRemovedBody,
)
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import BODIES, attachments_of, body_of, read_body
from keepclear.record.bodies.talk import AnswerBody, CancelBody, MessageBody, RefusedBody
from keepclear.record.bodies.watched import ClaimBody, IncidentBody, PositionsBody
from keepclear.record.canonical import canonical, parse, parse_canonical
from keepclear.record.certificates import Certificate, Reason, Revocation, Vouch, sign_statement
from keepclear.record.entries import Attachment, Entry, EntryRef
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.leaves import Leaf
from keepclear.record.names import Purpose

REF = EntryRef("north/border/log", 7, bytes(range(32)))
SALT = bytes(range(100, 132))
RING = np.array([[40.0, 37.0], [40.1, 37.0], [40.1, 37.1], [40.0, 37.0]])


def json(data: bytes) -> bool:
    """Any JSON."""
    value = _unless_refused(lambda: (parse(data, limit=1 << 20),))
    if value is not None:
        _unless_refused(lambda: parse_canonical(data))
    return value is not None


def canonical_json(data: bytes) -> bool:
    """JSON that must be canonical: then it is what the value is written as."""
    value = _unless_refused(lambda: (parse_canonical(data, limit=1 << 20),))
    if value is None:
        return False
    assert canonical(value[0]) == data
    return True


def leaf(data: bytes) -> bool:
    """A leaf."""
    found = _unless_refused(lambda: Leaf.of_bytes(data))
    if found is None:
        return False
    assert found.to_bytes() == data
    if found.known:
        again = Leaf(
            found.type, found.version, found.line, found.party, found.time_s, found.recipients, found.exercise,
            found.body_hash, found.attachments,
        )  # fmt: skip
        assert again == found
    return True


def body(data: bytes) -> bool:
    """A type, a line feed, and a body of that type."""
    name, _, rest = data.partition(b"\n")
    found = _unless_refused(lambda: read_body(name.decode("utf-8", "replace"), 1, rest))
    if found is None:
        return False
    again = type(found).of_bytes(found.to_bytes())
    assert again == found
    return True


def entry_file(data: bytes) -> bool:
    """An entry as a file."""
    found = _unless_refused(lambda: Entry.of_json(data))
    if found is None:
        return False
    again = Entry.of_json(found.to_json())
    # A list of attachments of which none is held says what an empty one says.
    assert (again.leaf, again.salt, again.body) == (found.leaf, found.salt, found.body)
    assert again.attachments == (found.attachments if any(found.attachments) else ())
    _unless_refused(lambda: body_of(found))
    return True


TARGETS: dict[str, Callable[[bytes], bool]] = {
    "json": json,
    "canonical json": canonical_json,
    "leaf": leaf,
    "body": body,
    "entry file": entry_file,
}


def operation() -> Operation:
    """An operation that has something in every member."""
    volumes = (
        Volume(
            Polygon((RING,), Edges.GEODESIC), Height(10.5, HeightReference.AGL), None, 1772442000.1234567, None, 5.0
        ),
        Volume(Circle(40.05, 37.05, 500.25), None, Height(4572.0, HeightReference.FL), None, 1772445600.0),
        Volume(Corridor(RING[:2], 50.0), Height(-3.0, HeightReference.AMSL), Height(99.0, HeightReference.UNKNOWN)),
    )
    times = np.array([1772442000.1234567, 1772442000.1234567, 1772442060.7])
    track = Track(
        times, RING[:3, 0], RING[:3, 1], np.array([100.0, np.nan, 120.25]), HeightReference.AMSL,
        uncertainty_m=np.array([1.0, 2.0, 1e-7]), early_s=math.inf, late_s=np.array([0.0, math.inf, 60.0]),
    )  # fmt: skip
    return Operation(
        "Northern Force", "patrol-7", OperationKind.PATROL, volumes, (track,), frozenset(),
        (Participant("Northern Force", "lead", 5, "truck"), Participant("قوة")),
        JointPlan("P1", frozenset({"a", "b"})), "näch \u2028 \U0001f600", 12.5,
    )  # fmt: skip


def zone() -> Zone:
    """A zone with a hole."""
    hole = np.array([[40.05, 37.01], [40.08, 37.01], [40.08, 37.04], [40.05, 37.01]])
    return Zone("South", "range", ZoneKind.HAZARD_AREA, (Volume(Polygon((RING, hole))),))


def statement_bodies() -> tuple[Body, ...]:
    """A body of every kind of statement about keys."""
    north, south, new = (
        SigningKey.of_seed(f"{party}/identity", SignatureKind.ED25519, bytes([seed]) * 32)
        for party, seed in (("north", 1), ("south", 2), ("south", 3))
    )
    log = SigningKey.of_seed("north/border/log", SignatureKind.ED25519, bytes(32)).verifier
    certificate = Certificate("north", Purpose.LOG, "border", log, 1772442000)
    revocation = Revocation("north", log, 1772442001, Reason.LOST)
    vouch = Vouch("south", new.verifier, south.verifier, "north", 1772442002)
    return (
        KeyCertificateBody(note=sign_statement(certificate, north).decode()),
        KeyRevocationBody(note=sign_statement(revocation, north).decode()),
        IdentityVouchBody(note=sign_statement(vouch, north).decode()),
    )


def card(party: str) -> dict[str, object]:
    """A party's card with something in every member."""
    identity = SigningKey.of_seed(f"{party}/identity", SignatureKind.ED25519, SALT)
    log = SigningKey.of_seed(f"{party}/border/log", SignatureKind.ED25519, bytes(32)).verifier
    note = sign_statement(Certificate(party, Purpose.LOG, "border", log, 1772442000), identity)
    return {
        "party": party,
        "name": "Hmeymim cell",
        "identity": identity.verifier.text,
        "certificates": [note.decode()],
        "addresses": ["https://node.example:8443/line"],
        "languages": ["ru", "en"],
        "contacts": [{"role": "duty officer", "text": "+00 1 234567, day and night"}],
    }


DOCUMENT, TEXT = "d0" * 32, "7e" * 32
ANNEX = {"name": "document.json", "media_type": "application/json", "size_bytes": 3}


def agreement_bodies() -> tuple[Body, ...]:
    """What may be said of an agreement, with something in every member."""
    ref = EntryRefValue.of(REF)
    which = {"agreement": "sochi-like", "document": DOCUMENT}
    texts = [
        {"language": "en", "authentic": True, "sha256": TEXT},
        {"language": "ar", "authentic": False, "sha256": TEXT},
    ]
    return (
        AgreementProposedBody(
            **which, title="Patrols, مذكرة", parties=["north", "south"], texts=texts, attachments=[ANNEX], counters=ref,
            remarks="clause 3 is new",
        ),
        AgreementSignedBody(
            **which, text=TEXT, persons=["head of delegation", "legal adviser"], proposal=ref, in_force_s=1.5e9,
            affiliates=["local council"],
        ),
        AgreementChangedBody(**which, change="suspend", persons=["A", "B"], from_s=1.5e9, reason="no answer"),
        AffiliateBody(affiliate="local council", by="north", stance="asserts", agreement="sochi-like", reason="asked"),
        ExemptionNoticeBody(
            **which, term="depth", activity="medevac", from_s=1.5e9, to_s=1.6e9, filings=[ref], reason="a fall"
        ),
        TermQueryBody(**which, term="depth", question="From which edge of the road?", urgent=True),
        DeliverableBody(
            **which, term="maps", what="map of routes", done_s=1.5e9, for_s=1.6e9, remarks="two sheets",
            attachments=[ANNEX],
        ),
    )  # fmt: skip


def plan() -> dict[str, object]:
    """A plan of two parties, with something in every member."""
    others = [operation(), operation()]
    values = [OperationBody.of_model(one).members()["operation"] for one in others]
    return {
        "id": "P1",
        "title": "Joint patrol",
        "start_s": 1.5e9,
        "end_s": 1.6e9,
        "participants": [
            {"party": name, "role": "lead", "platforms": 4, "platform_class": "truck"} for name in ("north", "south")
        ],
        "operations": [value | {"party": name} for value, name in zip(values, ("north", "south"), strict=True)],
        "meetings": [
            {"name": "gate", "lon_deg": 40.1, "lat_deg": 37.1, "time_s": 1.5e9, "tolerance_s": 60.0, "radius_m": 50.0}
        ],
    }


def watched_bodies() -> tuple[Body, ...]:
    """What may be said of plans of several and of what took place, with something in every member."""
    ref = EntryRefValue.of(REF)
    other = ref.model_copy(update={"index": 8})
    place = {"lon_deg": 40.1, "lat_deg": 37.1, "uncertainty_m": 500.0, "name": "the bridge"}
    seen = [{"party": "north", "platforms": 3, "platform_class": "Su-24M"}]
    return (
        JointPlanBody(plan=plan(), supersedes=ref, remarks="as agreed by voice"),
        JointPlanSignedBody(plan=DOCUMENT, entry=ref, role="lead", persons=["A", "B"]),
        MeasureBody(filings=[ref, other], measure="level", text="South stays at or above FL270."),
        PositionsBody(
            batch=DOCUMENT, source={"name": "trackers", "owner": "north", "accuracy_m": 10.0, "max_age_s": 60.0},
            from_s=1.5e9, to_s=1.6e9, count=7, unit="N-1", precision="1 km", delayed_s=60.0, attachments=[ANNEX],
            area={"west_deg": 40.0, "south_deg": 37.0, "east_deg": 41.0, "north_deg": 38.0},
        ),
        ClaimBody(
            subject={"parties": ["north", "south"], "from_s": 1.5e9, "to_s": 1.6e9, "place": place},
            said_by="a ministry", said_s=1.6e9, where="https://example.org/1", words_ref="second paragraph",
            asserts="participants", language="en", participants=seen, remarks="translated",
        ),
        IncidentBody(
            id="2027-3", stage="reply", detected_s=1.5e9, from_s=1.5e9, to_s=1.6e9, place=place,
            parties=["north", "south"], platforms=seen, label="notified-only", flags=["unsafe", "late"],
            closest={"horizontal_m": 60.0, "vertical_m": 0.0, "from_s": 1.5e9, "to_s": 1.6e9},
            terms=[{"agreement": "sochi-like", "term": "depth"}], entries=[ref],
            channel=[{"entry": ref, "party": "south", "received_after_s": 2.5, "answered_after_s": 90.0}],
            acts=["blocking"], harm="none", immediate_action="both halted", narrative="They stood in the road.",
            attribution="a wrong turn", open_questions=["Who led?"], corrective_action="a new map",
            dissent="one driver", persons=["duty officer"], about=ref, follows=other, attachments=[ANNEX],
        ),
    )  # fmt: skip


@cache
def bodies() -> tuple[Body, ...]:
    """A body of every type that is known."""
    ref = EntryRefValue.of(REF)
    message = MessageBody(text="Have you seen our patrol?", language="en", about=[ref])
    content = {"type": "message", "v": 1, "body": message.members()}
    return (
        message,
        OperationBody.of_model(operation(), supersedes=ref, on_behalf_of="affiliate", remarks="earlier than said"),
        ZoneBody.of_model(zone(), supersedes=ref),
        CancelBody(entry=ref, reason="bad weather"),
        AnswerBody(
            to=ref, answer="read back",
            read_back={"lon_deg": 40.65194, "lat_deg": 37.07278, "time_s": 1.5e9, "entered": "37S"},
        ),
        CommitmentBody(**content),
        OpeningBody(entry=ref, salt=base64.b64encode(SALT).decode(), content=content),
        RefusedBody(entry=ref, guard="NO_SHARING"),
        LineTestBody(text="Ä ж ع 7 ٧", returns=ref, tried=[{"channel": "e-mail", "worked": True, "note": "250"}]),
        AdvisoryBody(
            about=[ref, ref.model_copy(update={"index": 8})], answer="conflict", sentence="Too close.", minima="air",
            intervals=[{"answer": "possible", "start_s": 1.5e9}, {"answer": "conflict", "end_s": 1.6e9}],
            closest={"lon_deg": 40.1, "lat_deg": 37.1, "horizontal_m": 60.5, "vertical_m": 0.0, "time_s": 1.5e9},
        ),
        AcceptedRiskBody(advisory=ref, reason="two days' march otherwise; both stay in contact"),
        *statement_bodies(),
        LineFoundedBody(line="border", name="north-east", founder=card("north")),
        MemberInvitedBody(
            party="north", identity=card("north")["identity"], joined=ref, words_compared=True, start=7
        ),
        MemberJoinedBody(
            root=ref, card=card("south"), inviter={"party": "north", "identity": card("north")["identity"]}
        ),
        MemberLeftBody(root=ref, reason="our mission has ended"),
        MemberRemovedBody(
            root=ref, party="north", identity=card("north")["identity"], log="north/border/log", until=9, reason="gone"
        ),
        *agreement_bodies(),
        *watched_bodies(),
    )  # fmt: skip


def entry(said: Body, **others) -> Entry:
    """An entry that says it."""
    rest = {
        "line": "border", "party": "north", "time_s": 1772442000.123, "recipients": ["south", "east"],
        "exercise": False, "salt": SALT,
    }  # fmt: skip
    if not isinstance(said, MessageBody):  # for a message, the caller says
        rest["attachments"] = [Attachment(SALT, b"abc") for _ in attachments_of(said)]
    return Entry.said(said.TYPE, said.VERSION, body=said.to_bytes(), **(rest | others))


@cache
def samples() -> dict[str, list[bytes]]:
    """Bytes that hold, for each target."""
    entries = [entry(said) for said in bodies()]
    attached = MessageBody(text="see", attachments=[{"name": "a.txt", "media_type": "text/plain", "size_bytes": 3}])
    entries.append(entry(attached, attachments=[Attachment(SALT, b"abc")], recipients=[], exercise=True))
    entries += [entries[0].without_body(), entry(bodies()[0], recipients=[])]
    texts = [b"0", b'"\\u20ac\\ud83d\\ude00"', b' [1.50, -0.0, 1e-7, null, true, {"a": {}}] ']
    future = b'"later":[1.5,{"a":null}],'
    unknown = entries[0].leaf.raw.replace(b'"line"', future + b'"line"').replace(b'"v":1', b'"v":2')
    assert {(said.TYPE, said.VERSION) for said in bodies()} == set(BODIES)
    return {
        "json": [*texts, *(one.to_json() for one in entries)],
        "canonical json": [one.to_json() for one in entries] + [b"[1e-7,0.5,5]", '"€"'.encode(), b'{"a":-1,"b":{}}'],
        "leaf": [*(one.leaf.raw for one in entries), unknown],
        "body": [f"{said.TYPE}\n".encode() + said.to_bytes() for said in bodies()],
        "entry file": [
            *(one.to_json() for one in entries),
            Entry(Leaf.of_bytes(unknown), SALT, b"\xff not JSON").to_json(),
        ],
    }


def _unless_refused(read):
    try:
        return read()
    except PeerError as error:
        said = str(error)
    assert len(said.splitlines()) == 1, f"not one line: {said!r}"
    assert len(said) < 1_000, "not a line that a person reads"
    return None
