"""Bodies: what each type has, what it refuses, and how it says so."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from keepclear import Operation, Polygon, Track, Volume, Zone, ZoneKind
from keepclear.errors import InputError, PeerError
from keepclear.model.footprints import Circle
from keepclear.record.bodies.base import MOST_FAULTS
from keepclear.record.bodies.plan_sizes import MOST_EXTENTS
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.registry import BODIES, body_of, read_body
from keepclear.record.bodies.talk import AnswerBody, MessageBody
from keepclear.record.canonical import canonical
from keepclear.record.entries import Attachment, EntryRef
from keepclear.record.entry_types import KNOWN_TYPES
from tests.fuzz.record_entries import RING, SALT, bodies, entry

every_body = pytest.mark.parametrize("body", bodies(), ids=lambda body: str(body.TYPE))
CIRCLE = {"shape": "circle", "lon_deg": 1, "lat_deg": 2, "radius_m": 3}
TRACK = {"time_s": [0, 1], "lon_deg": [1, 2], "lat_deg": [3, 4], "height_m": [None, 5]}


def test_every_known_type_has_a_model_and_every_model_a_known_type():
    assert set(BODIES) == KNOWN_TYPES
    assert {(body.TYPE, body.VERSION) for body in bodies()} == KNOWN_TYPES


@every_body
def test_a_body_comes_back_as_it_was(body):
    again = read_body(str(body.TYPE), 1, body.to_bytes())
    assert again == body
    assert again.to_bytes() == body.to_bytes()
    assert body_of(entry(body)) == body
    assert body_of(entry(body).without_body()) is None


def test_what_is_not_known_is_not_read():
    assert read_body("greeting", 1, b"\xff") is None
    assert read_body("message", 2, b"\xff") is None


@every_body
def test_a_body_that_is_not_canonical_is_refused(body):
    for data in (b" " + body.to_bytes(), b"[]", b"null", b"\xff", b""):
        with pytest.raises(PeerError):
            read_body(str(body.TYPE), 1, data)


def _objects(value, path=()):
    if isinstance(value, dict):
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _objects(inner, (*path, step))


@every_body
def test_a_member_that_a_body_does_not_have_is_refused_wherever_it_is(body):
    for path in _objects(body.members()):
        members = body.members()
        holder = members
        for step in path:
            holder = holder[step]
        for name in ("aim_point", "target", "munitions", "effects", "dmpi", "extra"):
            holder[name] = 1
            with pytest.raises(InputError, match="there is no such member") as refused:
                type(body).of_members(members)
            assert refused.value.faults[-1].field.endswith(name)
            del holder[name]


def test_no_schema_has_a_member_for_what_a_weapon_would_need():
    # DOMAIN: no field for aim points, objects of attack, munitions or effects, in any version, ever.
    words = "aim|target|attack|munition|weapon|effect|strike|impact|fire|warhead|ordnance|yield"
    forbidden = re.compile(words, re.IGNORECASE)
    for model in BODIES.values():
        for name in _names(model.model_json_schema()):
            assert not forbidden.search(name), f"{model.__name__}.{name}"


def _names(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for inner in schema.values():
            yield from _names(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _names(inner)


def _operation(**changes):
    operation = {"party": "A", "id": "1", "tracks": [TRACK]} | changes
    return {"operation": {name: value for name, value in operation.items() if value is not ...}}


def _volume(**changes):
    return _operation(volumes=[{"footprint": CIRCLE} | changes])


@pytest.mark.parametrize(
    ("members", "field", "words"),
    [
        ({}, "operation", "missing"),
        ({"operation": 1}, "operation", "got '1'"),
        (_operation(party=...), "operation.party", "missing"),
        (_operation(party=" "), "operation.party", "no party"),
        (_operation(id=""), "operation.id", "at least 1 character"),
        (_operation(id=7), "operation.id", "(got '7'); a valid string"),
        (_operation(tracks=[]), "operation", "without an extent"),
        (_operation(kind="picnic"), "operation.kind", "'patrol', 'convoy'"),
        (_operation(kind="hazard area"), "operation.kind", "'patrol', 'convoy'"),
        (_operation(domains=["moon"]), "operation.domains[0]", "'ground', 'air'"),
        (_operation(top_speed_m_s=-1), "operation.top_speed_m_s", "not a top speed"),
        (_operation(participants=[{"party": "B", "platforms": 1.5}]), "operation.participants[0].platforms", "integer"),
        (_operation(joint={"plan": "P"}), "operation.joint.operations", "missing"),
        (_volume(footprint={"shape": "blob"}), "operation.volumes[0].footprint", "'polygon', 'circle', 'corridor'"),
        (_volume(footprint={}), "operation.volumes[0].footprint", "not what belongs here"),
        (_volume(footprint=CIRCLE | {"lon_deg": "1"}), "operation.volumes[0].footprint.lon_deg", "a valid number"),
        (_volume(footprint=CIRCLE | {"lat_deg": 91}), "operation.volumes[0].footprint.coordinates", "out of range"),
        (_volume(footprint=CIRCLE | {"radius_m": -1}), "operation.volumes[0].footprint.radius", "not a radius"),
        (
            _volume(footprint={"shape": "corridor", "line": [[1, 2], [3]], "half_width_m": 1}),
            "operation.volumes[0].footprint.line[1]", "at least 2",
        ),
        (
            _volume(footprint={"shape": "polygon", "rings": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}),
            "operation.volumes[0].footprint.coordinates", "crosses",
        ),
        (
            _volume(footprint={"shape": "polygon", "rings": [[[0, 0], [1, 1], [1, 0]]]}),
            "operation.volumes[0].footprint.coordinates", "not closed",
        ),
        (_volume(floor={"value_m": 1}), "operation.volumes[0].floor.reference", "missing"),
        (_volume(floor={"value_m": 1, "reference": "moon"}), "operation.volumes[0].floor.reference", "'W84', 'AMSL'"),
        (_volume(floor={"value_m": 1e9, "reference": "W84"}), "operation.volumes[0].floor.height", "not a height"),
        (_volume(start_s=2, end_s=1), "operation.volumes[0].end", "before the start"),
        (_volume(start_s="2026-01-01T00:00:00Z"), "operation.volumes[0].start_s", "a valid number"),
        (_volume(start_s=True), "operation.volumes[0].start_s", "a valid number"),
        (_volume(uncertainty_m=-1), "operation.volumes[0].uncertainty_m", "greater than or equal to 0"),
        (_operation(tracks=[TRACK | {"lat_deg": [1]}]), "operation.tracks[0]", "as many"),
        (_operation(tracks=[TRACK | {"time_s": [1, 0]}]), "operation.tracks[0].time", "goes back"),
        (_operation(tracks=[TRACK | {"time_s": []}]), "operation.tracks[0].time_s", "at least 1"),
        (_operation(tracks=[TRACK | {"height_m": [1, "x"]}]), "operation.tracks[0].height_m[1]", "a valid number"),
        (_operation(tracks=[TRACK | {"early_s": "soon"}]), "operation.tracks[0].early_s", "'unlimited'"),
        (_operation(tracks=[TRACK | {"late_s": [1, "x"]}]), "operation.tracks[0].late_s[1]", "'unlimited'"),
        (_operation(tracks=[TRACK | {"late_s": [1, 2, 3]}]), "operation.tracks[0].late_s", "one for each position"),
        (_operation(tracks=[TRACK | {"uncertainty_m": "x"}]), "operation.tracks[0].uncertainty_m", "a valid number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(members, field, words):
    with pytest.raises(InputError) as refused:
        OperationBody.of_members(members)
    (fault,) = refused.value.faults
    assert fault.field == field
    assert words in str(fault)
    with pytest.raises(PeerError, match="not a body of type operation, version 1: "):
        OperationBody.of_bytes(canonical(members))


def test_all_faults_are_told_at_once():
    members = _volume(footprint=CIRCLE | {"lon_deg": None}, floor=1, extra=2) | {"remarks": ""}
    with pytest.raises(InputError) as refused:
        OperationBody.of_members(members)
    assert {fault.field for fault in refused.value.faults} == {
        "operation.volumes[0].footprint.lon_deg", "operation.volumes[0].floor", "operation.volumes[0].extra", "remarks",
    }  # fmt: skip


def test_faults_are_bounded():
    with pytest.raises(InputError) as refused:
        ZoneBody.of_members({"zone": {"party": "A", "id": "1", "kind": "buffer", "volumes": [{"a": 1}] * MOST_EXTENTS}})
    assert len(refused.value.faults) == MOST_FAULTS + 1
    with pytest.raises(InputError, match="at most 1000"):
        ZoneBody.of_members({"zone": {"party": "A", "id": "1", "kind": "buffer", "volumes": [{}] * (MOST_EXTENTS + 1)}})
    with pytest.raises(InputError) as refused:
        OperationBody.of_members(_operation(tracks=[TRACK | {"time_s": ["x"] * 100_000}]))
    assert len(refused.value.faults) == 1
    with pytest.raises(PeerError) as told:
        MessageBody.of_bytes(canonical({f"member-{number}": 1 for number in range(1000)}))
    assert len(str(told.value)) < 1000
    assert re.search(r" and \d+ more$", str(told.value))


def test_names_that_a_peer_chose_cannot_paint_a_terminal():
    with pytest.raises(PeerError) as refused:
        MessageBody.of_bytes(canonical({"text": "a", "\x1b[2J": 1, "\u202e": 2, "x" * 500: 3}))
    assert str(refused.value).isprintable()


def test_what_cannot_be_told_is_refused_when_it_is_said():
    crossing = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    with pytest.raises(InputError, match="crosses"):
        ZoneBody.of_model(Zone("A", "1", ZoneKind.BUFFER, (Volume(Polygon((crossing,))),)))
    long = Track(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1), late_s=1e13)
    with pytest.raises(InputError, match=r"operation\.tracks\[0\]\.late_s"):
        OperationBody.of_model(Operation("A", "1", tracks=(long,)))
    for odd in ("\ud800", "\uffff"):
        body = OperationBody.of_model(Operation("A", "1", volumes=(Volume(Circle(0.0, 0.0, 1.0)),), name=odd))
        with pytest.raises(InputError):
            body.to_bytes()


def test_numbers_are_exact():
    start = 1772442000.1234567
    volume = Volume(Polygon((RING + 1e-9,)), start_s=start, end_s=math.nextafter(start, math.inf))
    back = ZoneBody.of_bytes(ZoneBody.of_model(Zone("A", "1", ZoneKind.BUFFER, (volume,))).to_bytes()).to_model()
    assert back.volumes[0].start_s == start
    assert back.volumes[0].end_s == math.nextafter(start, math.inf)
    assert back.volumes[0].start_s < back.volumes[0].end_s
    assert np.array_equal(back.volumes[0].footprint.rings[0], RING + 1e-9)


def test_where_a_plan_was_read_from_is_not_told():
    from keepclear.model.operations import Source

    plan = Operation("A", "1", volumes=(Volume(Circle(0.0, 0.0, 1.0)),), source=Source("secret.kml", "feature 1"))
    body = OperationBody.of_model(plan)
    assert b"secret" not in body.to_bytes()
    assert body.to_model().source == Source()
    assert body.to_model(source=Source("north/border/log", "7")).source.file == "north/border/log"


REF = {"origin": "north/border/log", "index": 7, "leaf": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
PLACE = {"lon_deg": 40.6, "lat_deg": 37.0, "time_s": 0}


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"answer": "seen"}, None),
        ({"answer": "concur", "reason": "as agreed"}, None),
        ({"answer": "relayed", "unit": "B Company"}, None),
        ({"answer": "read back", "read_back": PLACE}, None),
        ({"answer": "object", "reason": "too near"}, None),
        ({"answer": "object"}, "reason"),
        ({"answer": "relayed"}, "unit"),
        ({"answer": "read back"}, "read_back"),
        ({"answer": "seen", "unit": "B Company"}, "unit"),
        ({"answer": "concur", "read_back": PLACE}, "read_back"),
        ({"answer": "approved"}, "answer"),
        ({"answer": "received"}, "answer"),
        ({"answer": "read back", "read_back": PLACE | {"lat_deg": 91}}, "read_back.lat_deg"),
    ],
)
def test_an_answer_has_what_belongs_to_it(members, field):
    if field is None:
        assert AnswerBody.of_members({"to": REF} | members).answer == members["answer"]
    else:
        with pytest.raises(InputError) as refused:
            AnswerBody.of_members({"to": REF} | members)
        assert [fault.field for fault in refused.value.faults] == [field]


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1},
        {"index": 2**53},
        {"index": True},
        {"origin": "north"},
        {"origin": "north/border/mirror"},
        {"leaf": "AA=="},
    ],
)
def test_a_reference_is_checked(change):
    with pytest.raises(InputError, match=rf"to\.{next(iter(change))}"):
        AnswerBody.of_members({"to": REF | change, "answer": "seen"})
    right = AnswerBody.of_members({"to": REF, "answer": "seen"})
    assert right.to.ref() == EntryRef("north/border/log", 7, bytes(32))


def test_a_flash_can_be_sent_with_no_optional_member():
    assert json.loads(MessageBody(text="!", priority="flash").to_bytes()) == {
        "text": "!", "priority": "flash", "about": [], "attachments": [],
    }  # fmt: skip
    assert MessageBody.of_bytes(b'{"text":"!"}').priority == "routine"


def test_a_message_notes_the_attachments_that_its_leaf_has():
    note = {"name": "a.txt", "media_type": "text/plain", "size_bytes": 1}
    right = entry(MessageBody(text="see", attachments=[note]), attachments=[Attachment(SALT, b"a")])
    assert body_of(right).attachments[0].name == "a.txt"
    for wrong in (
        entry(MessageBody(text="see", attachments=[note])),
        entry(MessageBody(text="see"), attachments=[Attachment(SALT, b"a")]),
    ):
        with pytest.raises(PeerError, match=r"notes . attachments"):
            body_of(wrong)
    for name in ("", "../x", "a/b", "a\\b", "a\nb", "x" * 256):
        with pytest.raises(InputError, match=r"attachments\[0\]\.name"):
            MessageBody(text="see", attachments=[note | {"name": name}])
