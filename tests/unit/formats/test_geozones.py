"""Shapes follow the published ED-269 and ED-318 schemas; the values are invented."""

import io
import json

import numpy as np
import pytest
from implicitdict import ImplicitDict
from uas_standards.eurocae_ed269 import ED269Schema
from uas_standards.eurocae_ed318 import Polygon, UASZone

from keepclear.errors import InputError
from keepclear.formats.geozones import read
from keepclear.formats.reading import Reading
from keepclear.formats.restrictions import parse_restriction
from keepclear.model.footprints import Edges
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind, ZoneRule
from keepclear.times import parse_time

AGL, AMSL = HeightReference.AGL, HeightReference.AMSL
RING = [[7.0, 46.0], [7.1, 46.0], [7.1, 46.1], [7.0, 46.1], [7.0, 46.0]]
HOLE = [[7.02, 46.02], [7.08, 46.02], [7.08, 46.08], [7.02, 46.08], [7.02, 46.02]]
START, END = "2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z"
WEEKDAY_MORNINGS = [{"day": ["MON", "TUE"], "startTime": "08:00:00.00Z", "endTime": "12:00:00.00Z"}]


def ed269_geometry(**changes):
    geometry = {
        "uomDimensions": "M",
        "lowerLimit": 0,
        "lowerVerticalReference": "AGL",
        "upperLimit": 120,
        "upperVerticalReference": "AGL",
        "horizontalProjection": {"type": "Polygon", "coordinates": [RING]},
    }
    return geometry | changes


def ed269(*geometries, **changes):
    zone = {
        "identifier": "LSXX001",
        "country": "CHE",
        "name": "Example field",
        "type": "COMMON",
        "restriction": "REQ_AUTHORISATION",
        "reason": ["AIR_TRAFFIC"],
        "applicability": [{"permanent": "NO", "startDateTime": START, "endDateTime": END}],
        "zoneAuthority": [{"name": "Example authority", "purpose": "AUTHORIZATION"}],
        "geometry": list(geometries) or [ed269_geometry()],
    }
    return {"title": "Example", "features": [{k: v for k, v in (zone | changes).items() if v is not KeyError}]}


LAYER = {"upper": 400, "upperReference": "AMSL", "lower": 0, "lowerReference": "AGL", "uom": "ft"}


def ed318(geometry=None, **changes):
    properties = {
        "identifier": "LSXX001",
        "country": "CHE",
        "name": [{"text": "Beispiel", "lang": "de-CH"}, {"text": "Example", "lang": "en-GB"}],
        "type": "REQ_AUTHORIZATION",
        "variant": "COMMON",
        "reason": ["NATURE"],
        "zoneAuthority": [{"purpose": "AUTHORIZATION"}],
    }
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [RING], "layer": LAYER} if geometry is None else geometry,
        "properties": {k: v for k, v in (properties | changes).items() if v is not KeyError},
    }
    return {"type": "FeatureCollection", "metadata": {"validFrom": START}, "features": [feature]}


def read_document(document, *, kind=None):
    return read(io.BytesIO(json.dumps(document).encode()), Reading("zones.json", "FOCA", kind))


def faults_of(document):
    with pytest.raises(InputError) as caught:
        read_document(document)
    faults = [str(fault) for fault in caught.value.faults]
    assert all(fault.startswith("zones.json: ") and "\n" not in fault for fault in faults)
    return faults


def test_the_examples_here_are_what_the_published_types_read():
    assert ED269Schema.from_dict(ed269()).features[0].restriction == "REQ_AUTHORISATION"
    (feature,) = ed318()["features"]
    assert ImplicitDict.parse(feature["properties"], UASZone).type == "REQ_AUTHORIZATION"
    assert ImplicitDict.parse(feature["geometry"], Polygon).layer.uom == "ft"


@pytest.mark.parametrize("document", [ed269(), ed318()], ids=["ed269", "ed318"])
def test_a_zone_is_read_with_its_name_rule_and_party(document):
    plans = read_document(document)
    (zone,) = plans.zones
    assert (zone.party, zone.id, zone.kind) == ("FOCA", "CHE-LSXX001", ZoneKind.GEO_ZONE)
    assert zone.rule is ZoneRule.REQ_AUTHORIZATION
    assert zone.name.startswith("Example")
    (volume,) = zone.volumes
    assert volume.footprint.edges is Edges.LONLAT
    assert np.array_equal(volume.footprint.rings[0], RING)
    assert not plans.warnings


def test_limits_keep_their_references_and_feet_become_metres():
    volume = read_document(ed269()).zones[0].volumes[0]
    assert (volume.floor, volume.ceiling) == (Height(0.0, AGL), Height(120.0, AGL))
    volume = read_document(ed318()).zones[0].volumes[0]
    assert (volume.floor, volume.ceiling) == (Height(0.0, AGL), Height(400 * 0.3048, AMSL))


def test_layers_without_a_unit_are_in_metres():
    layer = {"upper": 400, "upperReference": "WGS84"}
    volume = read_document(ed318({"type": "Polygon", "coordinates": [RING], "layer": layer})).zones[0].volumes[0]
    assert (volume.floor, volume.ceiling) == (None, Height(400.0, HeightReference.W84))


def test_missing_limits_are_open_and_numbers_in_quotes_are_numbers():
    volume = read_document(ed269(ed269_geometry(lowerLimit="10.5", upperLimit=None))).zones[0].volumes[0]
    assert (volume.floor, volume.ceiling) == (Height(10.5, AGL), None)


def test_a_limit_whose_reference_is_not_said_has_an_unknown_one():
    volume = read_document(ed269(ed269_geometry(upperVerticalReference=None))).zones[0].volumes[0]
    assert volume.ceiling == Height(120.0, HeightReference.UNKNOWN)


def test_circles_of_ed269():
    projection = {"type": "Circle", "center": [7.05, 46.05], "radius": 3500}
    footprint = read_document(ed269(ed269_geometry(horizontalProjection=projection))).zones[0].volumes[0].footprint
    assert (footprint.lon_deg, footprint.lat_deg, footprint.radius_m) == (7.05, 46.05, 3500.0)


def test_a_radius_beside_feet_is_read_as_the_larger_circle_with_a_warning():
    projection = {"type": "Circle", "center": [7.05, 46.05], "radius": 3500}
    plans = read_document(ed269(ed269_geometry(uomDimensions="FT", horizontalProjection=projection)))
    volume = plans.zones[0].volumes[0]
    assert volume.footprint.radius_m == 3500.0
    assert volume.ceiling == Height(120 * 0.3048, AGL)
    assert "radius was read as metres" in plans.warnings[0]


@pytest.mark.parametrize("subtype", ["Circle", "Circles"])
def test_circles_of_ed318(subtype):
    point = {"type": "Point", "coordinates": [7.05, 46.05], "extent": {"subType": subtype, "radius": 3500}}
    volume = read_document(ed318(point)).zones[0].volumes[0]
    assert (volume.footprint.lon_deg, volume.footprint.lat_deg, volume.footprint.radius_m) == (7.05, 46.05, 3500.0)
    assert (volume.floor, volume.ceiling) == (None, None)


def test_holes_are_kept():
    volume = read_document(ed318({"type": "Polygon", "coordinates": [RING, HOLE]})).zones[0].volumes[0]
    assert np.array_equal(volume.footprint.rings[1], HOLE)


def test_several_geometries_are_several_volumes():
    low, high = ed269_geometry(), ed269_geometry(lowerLimit=120, upperLimit=300)
    assert [volume.floor.value_m for volume in read_document(ed269(low, high)).zones[0].volumes] == [0.0, 120.0]
    multi = {"type": "MultiPolygon", "coordinates": [[RING], [[[x + 1, y] for x, y in RING]]], "layer": LAYER}
    assert len(read_document(ed318(multi)).zones[0].volumes) == 2
    parts = [{"type": "Polygon", "coordinates": [RING], "layer": LAYER | {"upper": upper}} for upper in (100, 200)]
    volumes = read_document(ed318({"type": "GeometryCollection", "geometries": parts})).zones[0].volumes
    assert [volume.ceiling.value_m for volume in volumes] == [100 * 0.3048, 200 * 0.3048]


def test_the_period_is_the_window():
    volume = read_document(ed269()).zones[0].volumes[0]
    assert (volume.start_s, volume.end_s) == (parse_time(START), parse_time(END))
    limited = [{"startDateTime": START, "schedule": [{"day": ["ANY"]}]}]
    plans = read_document(ed318(limitedApplicability=limited))
    assert (plans.zones[0].volumes[0].start_s, plans.zones[0].volumes[0].end_s) == (parse_time(START), None)
    assert not plans.warnings


@pytest.mark.parametrize(
    "applicability",
    [
        [{"permanent": "YES", "startDateTime": None, "endDateTime": None}],
        [{"permanent": "YES", "startDateTime": START, "endDateTime": END}],
        [{"permanent": "YES", "dailyPeriod": [{"day": [], "startTime": None, "endTime": None}]}],
        [{}],
        [],
        None,
    ],
)
def test_zones_that_always_apply_have_no_window(applicability):
    plans = read_document(ed269(applicability=applicability))
    assert (plans.zones[0].volumes[0].start_s, plans.zones[0].volumes[0].end_s) == (None, None)
    assert not plans.warnings


@pytest.mark.parametrize(
    "document",
    [
        ed269(
            applicability=[
                {"permanent": "NO", "startDateTime": START, "endDateTime": END, "schedule": WEEKDAY_MORNINGS}
            ]
        ),
        ed269(applicability=[{"startDateTime": START, "endDateTime": END, "dailyPeriod": WEEKDAY_MORNINGS}]),
        ed318(limitedApplicability=[{"startDateTime": START, "endDateTime": END, "schedule": WEEKDAY_MORNINGS}]),
        ed318(
            limitedApplicability=[
                {"startDateTime": START, "endDateTime": END, "schedule": [{"day": ["ANY"], "startEvent": "SR"}]}
            ]
        ),
    ],
)
def test_a_zone_with_a_schedule_applies_for_its_whole_period_with_a_warning(document):
    plans = read_document(document)
    volume = plans.zones[0].volumes[0]
    assert (volume.start_s, volume.end_s) == (parse_time(START), parse_time(END))
    assert "taken to apply at all times" in plans.warnings[0]


def test_every_period_and_every_geometry_is_a_volume():
    periods = [
        {"startDateTime": f"202{year}-01-01T00:00:00Z", "endDateTime": f"202{year}-02-01T00:00:00Z"} for year in (6, 7)
    ]
    zone = read_document(ed269(ed269_geometry(), ed269_geometry(), applicability=periods)).zones[0]
    assert len(zone.volumes) == 4
    assert len({volume.start_s for volume in zone.volumes}) == 2


def test_too_many_volumes_are_refused_not_made():
    document = ed269(*[ed269_geometry()] * 200, applicability=[{}] * 200)
    assert "too many volumes" in faults_of(document)[0]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("PROHIBITED", ZoneRule.PROHIBITED),
        ("REQ_AUTHORISATION", ZoneRule.REQ_AUTHORIZATION),
        ("req_authorization", ZoneRule.REQ_AUTHORIZATION),
        ("CONDITIONAL", ZoneRule.CONDITIONAL),
        ("NO_RESTRICTION", ZoneRule.NO_RESTRICTION),
        ("USPACE", ZoneRule.REQ_AUTHORIZATION),
    ],
)
def test_restrictions_are_read_in_both_spellings(text, rule):
    assert parse_restriction(text) is rule
    assert read_document(ed269(restriction=text)).zones[0].rule is rule
    assert read_document(ed318(type=text)).zones[0].rule is rule


def test_other_wrappings_are_read():
    zones = ed269()["features"]
    for document in ({"UASZoneList": zones}, zones, zones[0], ed318()["features"][0]):
        assert len(read_document(document).zones) == 1


def test_another_geoid_is_told():
    document = ed318()
    document["metadata"]["otherGeoid"] = "CHGeo2004"
    assert "CHGeo2004" in read_document(document).warnings[0]


def test_a_kind_that_was_asked_for_is_used_if_it_is_of_a_zone():
    assert read_document(ed269(), kind=ZoneKind.PROTECTED_SITE).zones[0].kind is ZoneKind.PROTECTED_SITE
    assert read_document(ed269(), kind=OperationKind.UAS).zones[0].kind is ZoneKind.GEO_ZONE


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (ed269(restriction="FORBIDDEN"), ["CHE-LSXX001", "restriction", "'FORBIDDEN'", "PROHIBITED"]),
        (ed269(restriction=KeyError), ["unknown restriction"]),
        (ed269(identifier=KeyError), ["zone 1", "no identifier"]),
        (ed269(geometry=[]), ["no geometry"]),
        (ed269(geometry=KeyError), ["no geometry"]),
        (ed269(geometry={}), ["geometry", "not a list"]),
        (ed269(ed269_geometry(uomDimensions="NM")), ["geometry 1", "unknown unit", "'NM'"]),
        (ed269(ed269_geometry(uomDimensions=None)), ["unknown unit"]),
        (ed269(ed269_geometry(lowerLimit="low")), ["not a limit", "'low'"]),
        (ed269(ed269_geometry(lowerLimit="nan")), ["not a limit"]),
        (ed269(ed269_geometry(lowerLimit=True)), ["not a limit"]),
        (ed269(ed269_geometry(lowerLimit=500)), ["ceiling is below the floor"]),
        (ed269(ed269_geometry(lowerVerticalReference="QNH")), ["unknown height reference", "'QNH'"]),
        (ed269(ed269_geometry(horizontalProjection=None)), ["no horizontalProjection"]),
        (ed269(ed269_geometry(horizontalProjection={"type": "Ellipse"})), ["unknown shape", "'Ellipse'"]),
        (ed269(ed269_geometry(horizontalProjection={"type": "Circle", "center": [7.0, 46.0]})), ["no radius"]),
        (
            ed269(ed269_geometry(horizontalProjection={"type": "Circle", "center": [7.0], "radius": 5})),
            ["not a position", "[7.0]"],
        ),
        (
            ed269(ed269_geometry(horizontalProjection={"type": "Circle", "center": [46.0, 97.0], "radius": 5})),
            ["out of range"],
        ),
        (ed269(ed269_geometry(horizontalProjection={"type": "Polygon", "coordinates": []})), ["without rings"]),
        (ed269(ed269_geometry(horizontalProjection={"type": "Polygon", "coordinates": [RING[:-1]]})), ["not closed"]),
        (ed269(ed269_geometry(horizontalProjection={"type": "Polygon", "coordinates": [RING[:3]]})), ["is no ring"]),
        (ed269(ed269_geometry(horizontalProjection={"type": "Polygon", "coordinates": RING})), ["is no ring", "7.0"]),
        (ed269(applicability=[{"startDateTime": "2026-01-01T00:00:00"}]), ["period 1", "no zone"]),
        (ed269(applicability=[{"startDateTime": END, "endDateTime": START}]), ["end is before the start"]),
        (ed318(type="FORBIDDEN"), ["type", "'FORBIDDEN'"]),
        (ed318({"type": "LineString", "coordinates": RING}), ["needs an area", "'LineString'"]),
        (ed318({"type": "Point", "coordinates": [7.0, 46.0]}), ["needs an area"]),
        (ed318({"type": "Point", "coordinates": [7.0, 46.0], "extent": {"subType": "Box"}}), ["unknown extent"]),
        (ed318({"type": "Point", "coordinates": [7.0, 46.0], "extent": {"subType": "Circle"}}), ["no radius"]),
        (ed318({"type": "GeometryCollection", "geometries": []}), ["an empty collection"]),
        (ed318({"type": "MultiPolygon", "coordinates": []}), ["needs an area"]),
        (ed318({"type": "Polygon", "coordinates": [RING], "layer": LAYER | {"uom": "km"}}), ["unknown unit"]),
        (ed318({}), ["needs an area"]),
        ({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": None}]}, ["no properties"]),
        ({"features": []}, ["nothing in it"]),
        ({"features": [3]}, ["zone 1", "not a JSON object"]),
        ({"features": 3}, ["not a list"]),
        ({"title": "x"}, ["no list of zones"]),
        ("zones", ["not a JSON object"]),
        ([], ["nothing in it"]),
        ({"features": ed269()["features"] * 2}, ["used twice"]),
    ],
)
def test_what_is_wrong_is_said(document, words):
    text = "\n".join(faults_of(document))
    for word in words:
        assert word in text


def test_every_fault_of_a_file_is_said():
    broken = ed269(ed269_geometry(uomDimensions="NM"), ed269_geometry(lowerLimit="x"), restriction="?", identifier="")
    broken["features"] += ed318(type="?")["features"]
    assert len(faults_of(broken)) == 5
