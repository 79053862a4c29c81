"""The examples are built with the types that InterUSS generated from the standard's interface document."""

import io
import json

import numpy as np
import pytest
from implicitdict import ImplicitDict, StringBasedDateTime
from uas_standards.astm.f3548.v21.api import (
    Altitude,
    Circle,
    Constraint,
    ConstraintDetails,
    ConstraintReference,
    GeoZone,
    GetOperationalIntentDetailsResponse,
    LatLngPoint,
    OperationalIntent,
    OperationalIntentDetails,
    OperationalIntentReference,
    Polygon,
    Radius,
    Time,
    Volume3D,
    Volume4D,
)

from keepclear.errors import InputError
from keepclear.formats.f3548 import read
from keepclear.formats.reading import Reading
from keepclear.model.footprints import Edges
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.times import parse_time

START, END = "2026-01-31T09:00:00Z", "2026-01-31T10:30:00.5Z"
INTENT_ID, CONSTRAINT_ID = "2f8343be-6482-4d1b-a474-16847e01af1e", "00000000-0000-4000-8000-000000000001"
W84 = HeightReference.W84


def time(text):
    return Time(value=StringBasedDateTime(text))


def volume(outline, *, low_m=50.0, high_m=120.0):
    return Volume4D(
        volume=Volume3D(altitude_lower=Altitude(value=low_m), altitude_upper=Altitude(value=high_m), **outline),
        time_start=time(START),
        time_end=time(END),
    )


def circle(lng=7.45, lat=46.95, radius_m=300.0):
    return {"outline_circle": Circle(center=LatLngPoint(lng=lng, lat=lat), radius=Radius(value=radius_m))}


def polygon(*positions):
    return {"outline_polygon": Polygon(vertices=[LatLngPoint(lng=lng, lat=lat) for lng, lat in positions])}


TRIANGLE = ((7.0, 46.0), (7.1, 46.0), (7.05, 46.1))


def intent(state="Accepted", *, volumes=None, off_nominal=(), identifier=INTENT_ID):
    return OperationalIntent(
        reference=OperationalIntentReference(
            id=identifier,
            manager="uss1",
            uss_availability="Normal",
            version=1,
            state=state,
            ovn="9d158f59-80b7-4c11-9c0c-8a2b4d936b2d",
            time_start=time(START),
            time_end=time(END),
            uss_base_url="https://uss1.example.com",
            subscription_id="78ea3fe8-71c2-4f5c-9b44-9c02f5563c6f",
        ),
        details=OperationalIntentDetails(
            volumes=[volume(circle())] if volumes is None else volumes,
            off_nominal_volumes=list(off_nominal),
            priority=0,
        ),
    )


def constraint(restriction=None, **geozone):
    zone = None
    if restriction is not None:
        zone = GeoZone(
            identifier="ABC1234", country="CHE", zone_authority=[], type="COMMON", restriction=restriction, **geozone
        )
    return Constraint(
        reference=ConstraintReference(
            id=CONSTRAINT_ID,
            manager="police",
            uss_availability="Normal",
            version=1,
            time_start=time(START),
            time_end=time(END),
            uss_base_url="https://police.example.com",
        ),
        details=ConstraintDetails(volumes=[volume(polygon(*TRIANGLE))], type="stadium", geozone=zone),
    )


def read_document(document, *, kind=None):
    return read(io.BytesIO(json.dumps(document).encode()), Reading("uss.json", "file", kind))


def faults_of(document):
    with pytest.raises(InputError) as caught:
        read_document(document)
    return [str(fault) for fault in caught.value.faults]


def changed(document, path, value):
    """A plain copy of `document` in which the member at `path` is `value`, or is gone if that is KeyError."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    if value is KeyError:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


def test_an_intent_is_an_operation_of_its_manager():
    plans = read_document(GetOperationalIntentDetailsResponse(operational_intent=intent()))
    (operation,) = plans.operations
    assert (operation.party, operation.id, operation.kind) == ("uss1", INTENT_ID, OperationKind.UAS)
    assert operation.domains == {Domain.UAS}
    (made,) = operation.volumes
    assert (made.footprint.lon_deg, made.footprint.lat_deg, made.footprint.radius_m) == (7.45, 46.95, 300.0)
    assert (made.floor, made.ceiling) == (Height(50.0, W84), Height(120.0, W84))
    assert (made.start_s, made.end_s) == (parse_time(START), parse_time(END))
    assert not plans.zones
    assert not plans.warnings


def test_what_is_read_is_what_the_generated_types_read():
    text = json.dumps(intent(volumes=[volume(circle()), volume(polygon(*TRIANGLE), low_m=-10.5)]))
    theirs = ImplicitDict.parse(json.loads(text), OperationalIntent)
    (ours,) = read(io.BytesIO(text.encode()), Reading("f", "p")).operations
    for mine, their in zip(ours.volumes, theirs.details.volumes, strict=True):
        assert mine.start_s == their.time_start.value.datetime.timestamp()
        assert mine.end_s == their.time_end.value.datetime.timestamp()
        assert mine.floor.value_m == their.volume.altitude_lower.value
        assert mine.ceiling.value_m == their.volume.altitude_upper.value
    vertices = theirs.details.volumes[1].volume.outline_polygon.vertices
    assert ours.volumes[1].footprint.rings[0][:-1].tolist() == [[vertex.lng, vertex.lat] for vertex in vertices]


def test_polygons_are_closed_here_and_their_edges_are_shortest_paths():
    (operation,) = read_document(intent(volumes=[volume(polygon(*TRIANGLE))])).operations
    footprint = operation.volumes[0].footprint
    assert footprint.edges is Edges.GEODESIC
    assert np.array_equal(footprint.rings[0], [*TRIANGLE, TRIANGLE[0]])


def test_a_polygon_that_is_closed_already_is_read_with_a_warning():
    plans = read_document(intent(volumes=[volume(polygon(*TRIANGLE, TRIANGLE[0]))]))
    assert np.array_equal(plans.operations[0].volumes[0].footprint.rings[0], [*TRIANGLE, TRIANGLE[0]])
    assert "repeats the first" in plans.warnings[0]


@pytest.mark.parametrize("state", ["Nonconforming", "Contingent"])
def test_off_nominal_volumes_belong_to_the_extent(state):
    off_nominal = volume(circle(radius_m=2000.0))
    plans = read_document(intent(state, off_nominal=[off_nominal]))
    assert [made.footprint.radius_m for made in plans.operations[0].volumes] == [300.0, 2000.0]
    assert f"{state}, so it may be outside" in plans.warnings[0]


def test_a_contingent_intent_has_only_off_nominal_volumes():
    document = intent("Contingent", volumes=[], off_nominal=[volume(circle(radius_m=2000.0))])
    (operation,) = read_document(document).operations
    assert len(operation.volumes) == 1


@pytest.mark.parametrize(
    ("restriction", "rule"),
    [
        (None, ZoneRule.PROHIBITED),
        ("PROHIBITED", ZoneRule.PROHIBITED),
        ("REQ_AUTHORISATION", ZoneRule.REQ_AUTHORIZATION),
        ("REQ_AUTHORIZATION", ZoneRule.REQ_AUTHORIZATION),
        ("CONDITIONAL", ZoneRule.CONDITIONAL),
        ("NO_RESTRICTION", ZoneRule.NO_RESTRICTION),
    ],
)
def test_a_constraint_is_a_geo_zone_with_a_rule(restriction, rule):
    plans = read_document({"constraint": constraint(restriction)})
    (zone,) = plans.zones
    assert (zone.party, zone.id, zone.kind, zone.rule) == ("police", CONSTRAINT_ID, ZoneKind.GEO_ZONE, rule)
    assert zone.name == "stadium"
    assert zone.volumes[0].footprint.edges is Edges.GEODESIC
    assert not plans.operations


def test_a_restriction_may_stand_under_type():
    document = changed(constraint("x"), ["details", "geozone", "restriction"], KeyError)
    document["details"]["geozone"]["type"] = "CONDITIONAL"
    assert read_document(document).zones[0].rule is ZoneRule.CONDITIONAL


def test_a_geozone_names_the_zone():
    assert read_document(constraint("PROHIBITED", name="Wankdorf")).zones[0].name == "Wankdorf"


@pytest.mark.parametrize(
    "document",
    [
        intent(),
        [intent()],
        {"operational_intent": intent()},
        {"operational_intents": [intent()]},
        [{"operational_intent": intent()}],
        {"operational_intent_id": INTENT_ID, "operational_intent": intent(), "subscriptions": []},
    ],
)
def test_intents_are_found_in_every_wrapping(document):
    assert [operation.id for operation in read_document(document).operations] == [INTENT_ID]


def test_intents_and_constraints_may_come_together():
    plans = read_document(
        [{"operational_intents": [intent(), intent(identifier="b")]}, {"constraints": [constraint()]}]
    )
    assert [operation.id for operation in plans.operations] == [INTENT_ID, "b"]
    assert [zone.id for zone in plans.zones] == [CONSTRAINT_ID]


def test_a_kind_that_was_asked_for_is_used_where_it_fits():
    assert read_document(intent(), kind=OperationKind.SURVEY).operations[0].kind is OperationKind.SURVEY
    assert read_document(constraint(), kind=ZoneKind.HAZARD_AREA).zones[0].kind is ZoneKind.HAZARD_AREA
    assert read_document(constraint(), kind=OperationKind.SURVEY).zones[0].kind is ZoneKind.GEO_ZONE


def test_a_volume_without_its_times_or_heights_is_read_with_a_warning():
    document = changed(intent(), ["details", "volumes", 0, "time_end"], KeyError)
    document = changed(document, ["details", "volumes", 0, "volume", "altitude_lower"], KeyError)
    plans = read_document(document)
    made = plans.operations[0].volumes[0]
    assert (made.end_s, made.floor) == (None, None)
    assert "without all of its heights and times" in plans.warnings[0]


SHAPE = ["details", "volumes", 0, "volume"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["reference", "state"], "Cancelled", ["state", "'Cancelled'", "Accepted, Activated"]),
        (["reference", "state"], 3, ["state", "unknown state", "3"]),
        (["reference", "id"], KeyError, ["no id"]),
        (["reference"], KeyError, ["no reference"]),
        (["details"], KeyError, ["no details"]),
        (["details"], [], ["details", "not a JSON object"]),
        (["details", "volumes"], {}, ["volumes", "not a list"]),
        (["details", "volumes"], [], ["without an extent"]),
        (["details", "volumes", 0], 7, ["volume 1", "not a JSON object"]),
        ([*SHAPE, "altitude_lower", "reference"], "AGL", ["volume 1", "unknown reference", "'AGL'", "W84"]),
        ([*SHAPE, "altitude_lower", "units"], "FT", ["unknown units", "'FT'", "M"]),
        ([*SHAPE, "altitude_lower", "value"], "low", ["value", "not a number"]),
        ([*SHAPE, "altitude_lower", "value"], KeyError, ["no value"]),
        ([*SHAPE, "altitude_lower", "value"], 1e9, ["not a height"]),
        ([*SHAPE, "altitude_lower", "value"], 200.0, ["ceiling is below the floor"]),
        ([*SHAPE, "outline_circle", "radius", "units"], "NM", ["unknown units", "'NM'"]),
        ([*SHAPE, "outline_circle", "radius", "value"], -1, ["not a radius"]),
        ([*SHAPE, "outline_circle", "center", "lat"], 91.0, ["out of range"]),
        ([*SHAPE, "outline_circle", "center", "lng"], KeyError, ["no lng"]),
        ([*SHAPE, "outline_circle", "center"], None, ["no center"]),
        ([*SHAPE, "outline_circle"], KeyError, ["not exactly one outline"]),
        ([*SHAPE, "outline_polygon"], polygon(*TRIANGLE)["outline_polygon"], ["not exactly one outline"]),
        (["details", "volumes", 0, "time_start", "value"], "2026-01-31T09:00:00", ["no zone"]),
        (["details", "volumes", 0, "time_start", "value"], 1769850000, ["not a time"]),
        (["details", "volumes", 0, "time_start", "value"], "2027-01-31T09:00:00Z", ["end is before the start"]),
        (["details", "volumes", 0, "time_start", "format"], "UNIX", ["unknown format", "RFC3339"]),
        (["details", "volumes", 0, "time_start"], START, ["not a JSON object"]),
    ],
)
def test_what_is_wrong_with_an_intent_is_said(path, value, words):
    (fault,) = faults_of(changed(intent(), path, value))
    assert fault.startswith("uss.json: ")
    for word in words:
        assert word in fault


@pytest.mark.parametrize(
    ("vertices", "words"),
    [
        ([], "three vertices"),
        ([(7.0, 46.0), (7.1, 46.0)], "three vertices"),
        ([(7.0, 46.0), (7.1, 46.1), (7.1, 46.0), (7.0, 46.1)], "cross"),
        ([(7.0, 46.0), (7.1, 46.0), (7.0, 46.0)], "three"),
        ([(7.0, 46.0), (187.0, 46.0), (7.05, 46.1)], "out of range"),
    ],
)
def test_what_is_wrong_with_a_polygon_is_said(vertices, words):
    assert any(words in fault for fault in faults_of(intent(volumes=[volume(polygon(*vertices))])))


def test_every_fault_of_a_document_is_said():
    broken = changed(intent(), ["reference", "state"], "Gone")
    broken = changed(broken, [*SHAPE, "altitude_lower", "units"], "FT")
    broken = changed(broken, [*SHAPE, "altitude_lower", "reference"], "AGL")
    faults = faults_of([broken, changed(constraint("x"), ["reference", "id"], KeyError), 5])
    assert len(faults) == 6
    assert all("\n" not in fault for fault in faults)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"operational_intent_references": [{"id": "a"}]}, "a reference alone has no volumes"),
        ({"constraint_reference": {}}, "a reference alone has no volumes"),
        ({"type": "FeatureCollection"}, "neither operational intent nor constraint"),
        ("text", "not a JSON object"),
        ([1], "not a JSON object"),
        ([], "nothing in it"),
        ({"operational_intents": []}, "nothing in it"),
        ({"operational_intent": None}, "nothing in it"),
        ({"operational_intents": 4}, "not a JSON object"),
        ([intent(), intent()], "used twice by uss1"),
    ],
)
def test_documents_with_nothing_to_read_are_refused(document, words):
    assert words in "\n".join(faults_of(document))


def test_a_warning_that_holds_of_many_is_given_once():
    many = [intent("Contingent", off_nominal=[volume(circle())], identifier=f"i{number}") for number in range(50)]
    (warning,) = read_document(many).warnings
    assert "i0 and 49 more" in warning
