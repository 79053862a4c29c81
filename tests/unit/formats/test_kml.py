"""KML: what each element means, and every way in which it is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.formats.kml import read
from keepclear.formats.reading import Reading
from keepclear.model.extents import TrackBasis
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import JointPlan
from keepclear.times import parse_time

T0 = parse_time("2026-01-01T09:00:00Z")
SPAN = "<TimeSpan><begin>2026-01-01T09:00:00Z</begin><end>2026-01-01T12:00:00+01:00</end></TimeSpan>"
RING = "<LinearRing><coordinates>0,0,90 1,0,80\n 1,1,90 0,0,90</coordinates></LinearRing>"
HOLE = "<LinearRing><coordinates>.5,.2 .6,.2 .6,.3 .5,.2</coordinates></LinearRing>"
OUTER = f"<outerBoundaryIs>{RING}</outerBoundaryIs>"
POLYGON = f"<Polygon>{OUTER}<innerBoundaryIs>{HOLE}</innerBoundaryIs></Polygon>"
TRACK = (
    "<gx:Track><altitudeMode>absolute</altitudeMode>"
    "<when>2026-01-01T09:00:00Z</when><when>2026-01-01T09:01:00Z</when>"
    "<gx:coord>10 50 1000</gx:coord><gx:coord>10.1 50 1100</gx:coord></gx:Track>"
)


def document(inside: str, *, around: str = "{}") -> bytes:
    text = f'<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">{inside}</kml>'
    return around.format(text).encode()


def placemark(inside: str, **data: str) -> bytes:
    pairs = "".join(f'<Data name="{name}"><value>{value}</value></Data>' for name, value in data.items())
    return document(
        f"<Document><Placemark><name>N</name><ExtendedData>{pairs}</ExtendedData>{inside}</Placemark></Document>"
    )


def read_bytes(data: bytes):
    return read(io.BytesIO(data), Reading("plan.kml", "red"))


def one(data: bytes):
    plans = read_bytes(data)
    (thing,) = (*plans.operations, *plans.zones)
    return thing


def test_a_polygon_with_a_hole_and_a_span():
    operation = one(placemark(SPAN + POLYGON))
    (volume,) = operation.volumes
    assert (operation.id, operation.name, operation.party) == ("plan.kml#1", "N", "red")
    assert isinstance(volume.footprint, Polygon)
    assert len(volume.footprint.rings) == 2
    assert volume.footprint.edges is Edges.GEODESIC
    assert (volume.start_s, volume.end_s) == (T0, T0 + 7200)
    assert (volume.floor, volume.ceiling) == (None, None)  # clamped to the ground: its heights say nothing


def test_an_extruded_polygon_reaches_from_the_ground_to_its_highest_corner():
    for mode, reference in (("absolute", HeightReference.AMSL), ("relativeToGround", HeightReference.AGL)):
        shape = f"<Polygon><extrude>1</extrude><altitudeMode>{mode}</altitudeMode>{OUTER}</Polygon>"
        (volume,) = one(placemark(shape)).volumes
        assert (volume.floor, volume.ceiling) == (Height(0, HeightReference.AGL), Height(90, reference))


def test_a_polygon_in_the_air_that_is_not_extruded_has_unknown_heights():
    plans = read_bytes(placemark(f"<Polygon><altitudeMode>absolute</altitudeMode>{OUTER}</Polygon>"))
    assert (plans.operations[0].volumes[0].floor, plans.operations[0].volumes[0].ceiling) == (None, None)
    assert any("not extruded" in warning for warning in plans.warnings)


def test_extended_data_is_the_property_profile():
    operation = one(
        placemark(
            POLYGON,
            id="x1",
            party="blue",
            kind="patrol",
            name="Long walk",
            floor="{&quot;value&quot;: 10, &quot;unit&quot;: &quot;FL&quot;}",
            ceiling="500",
            height_reference="AMSL",
            joint="{&quot;plan&quot;: &quot;p&quot;, &quot;with&quot;: [&quot;y&quot;]}",
            start="2026-01-01T09:00:00Z",
            uncertainty_m="25",
            edges="lonlat",
        )
    )
    assert (operation.id, operation.party, operation.kind) == ("x1", "blue", OperationKind.PATROL)
    assert operation.name == "Long walk"
    assert operation.joint == JointPlan("p", frozenset({"y"}))
    (volume,) = operation.volumes
    assert volume.floor == Height(304.8, HeightReference.FL)
    assert volume.ceiling == Height(500, HeightReference.AMSL)
    assert volume.start_s == T0
    assert volume.uncertainty_m == 25
    assert volume.footprint.edges is Edges.LONLAT


def test_schema_data_counts_too_and_empty_cells_say_nothing():
    shape = (
        '<ExtendedData><SchemaData schemaUrl="#s"><SimpleData name="kind">hazard area</SimpleData>'
        '<SimpleData name="party"/></SchemaData></ExtendedData>'
    )
    zone = one(document(f"<Placemark>{shape}{POLYGON}</Placemark>"))
    assert (zone.kind, zone.party) == (ZoneKind.HAZARD_AREA, "red")


def test_lines_and_points():
    line = "<LineString><altitudeMode>{}</altitudeMode><coordinates>1,2,30 1.5,2,40</coordinates></LineString>"
    (volume,) = one(placemark(line.format("relativeToGround"), half_width_m="75")).volumes
    assert isinstance(volume.footprint, Corridor)
    assert volume.footprint.half_width_m == 75
    assert (volume.floor, volume.ceiling) == (Height(30, HeightReference.AGL), Height(40, HeightReference.AGL))
    (clamped,) = one(placemark(line.format("clampToGround"))).volumes
    assert (clamped.floor, clamped.ceiling) == (None, None)
    point = "<Point><coordinates>10,50,7</coordinates></Point>"
    assert one(placemark(point, radius_m="100")).volumes[0].footprint == Circle(10, 50, 100)
    stamp = "<TimeStamp><when>2026-01-01T09:00:00Z</when></TimeStamp>"
    (track,) = one(placemark(stamp + point)).tracks
    assert track.time_s.tolist() == [T0]
    assert np.isnan(track.height_m).all()
    (instant,) = one(placemark(stamp + POLYGON)).volumes
    assert (instant.start_s, instant.end_s) == (T0, T0)


def test_a_track():
    (track,) = one(placemark(TRACK, track="flown", early_s="unlimited", uncertainty_m="[3, 4]")).tracks
    assert track.time_s.tolist() == [T0, T0 + 60]
    assert track.height_m.tolist() == [1000, 1100]
    assert track.height_reference is HeightReference.AMSL
    assert track.basis is TrackBasis.FLOWN
    assert track.early_s == np.inf
    assert track.uncertainty_m.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("interpolate", "basis", "tracks"), [("0", "planned", 2), ("0", "flown", 1), ("1", "planned", 1)]
)
def test_a_multitrack(interpolate, basis, tracks):
    later = TRACK.replace("T09:", "T10:")
    shape = f"<gx:MultiTrack><gx:interpolate>{interpolate}</gx:interpolate>{TRACK}{later}</gx:MultiTrack>"
    operation = one(placemark(shape, track=basis))
    assert len(operation.tracks) == tracks
    assert sum(len(track.time_s) for track in operation.tracks) == 4


def test_a_multigeometry_is_all_of_its_shapes():
    point = "<Point><coordinates>10,50</coordinates></Point>"
    operation = one(placemark(f"<MultiGeometry>{POLYGON}<MultiGeometry>{point}</MultiGeometry></MultiGeometry>"))
    assert [type(volume.footprint) for volume in operation.volumes] == [Polygon, Circle]


def test_times_come_from_the_nearest_folder_that_has_some():
    inner = f"<Placemark>{POLYGON}</Placemark>"
    plans = read_bytes(
        document(f"<Document><Folder><name>Day 1</name>{SPAN}<Folder>{inner}</Folder></Folder></Document>")
    )
    assert plans.operations[0].volumes[0].start_s == T0
    assert "Day 1" in plans.operations[0].source.feature


def test_what_is_no_plan_is_left_aside_with_a_warning():
    plans = read_bytes(
        document(
            f"<Document><NetworkLink><Link><href>http://example.org/x.kml</href></Link></NetworkLink><GroundOverlay/>"
            f"<Placemark><name>only a name</name></Placemark><Placemark>{POLYGON}</Placemark></Document>"
        )
    )
    assert len(plans.operations) == 1
    assert [any(word in one for one in plans.warnings) for word in ("not followed", "GroundOverlay", "geometry")] == [
        True
    ] * 3


@pytest.mark.parametrize(
    "namespace",
    ["http://earth.google.com/kml/2.0", "http://earth.google.com/kml/2.2", "http://www.opengis.net/kml/2.3"],
)
def test_every_namespace_of_kml(namespace):
    data = placemark(POLYGON).replace(b"http://www.opengis.net/kml/2.2", namespace.encode())
    assert one(data).name == "N"


BAD = [
    ("<TimeSpan><begin>2020</begin></TimeSpan>" + POLYGON, {}, "only a date"),
    ("<TimeSpan><begin>2020-05</begin></TimeSpan>" + POLYGON, {}, "only a date"),
    ("<TimeSpan><end>2020-05-01</end></TimeSpan>" + POLYGON, {}, "only a date"),
    ("<TimeStamp><when>2020-05-01Z</when></TimeStamp>" + POLYGON, {}, "only a date"),
    ("<TimeSpan><end>2020-05-01T10:00:00</end></TimeSpan>" + POLYGON, {}, "no zone"),
    ("<TimeSpan><end>noon</end></TimeSpan>" + POLYGON, {}, "not a time"),
    (SPAN + POLYGON, {"start": "2026-01-01T08:00:00Z"}, "TimeSpan and start differ"),
    ("<TimeStamp><when>2026-01-01T09:00:00Z</when></TimeStamp>" + POLYGON, {"end": "2026-01-01T10:00:00Z"}, "beside"),
    ("<TimeSpan><begin>2026-01-02T00:00Z</begin><end>2026-01-01T00:00Z</end></TimeSpan>" + POLYGON, {}, "before"),
    (TRACK.replace("2026-01-01T09:01:00Z", "2026-01-01"), {}, "only a date"),
    (TRACK.replace("<when>2026-01-01T09:01:00Z</when>", ""), {}, "but has 1"),
    (TRACK.replace("T09:01", "T08:01"), {}, "goes back"),
    (TRACK.replace("10.1 50 1100", "10.1,50,1100"), {}, "not a position"),
    (TRACK.replace("10.1 50 1100", ""), {}, "not a position"),
    (TRACK.replace("10.1 50 1100", "10.1 50 NaN"), {}, "not a position"),
    ("<gx:Track/>", {}, "fewer than 1"),
    ("<gx:MultiTrack/>", {}, "without a Track"),
    ("<Point/>", {}, "no coordinates"),
    ("<Point><coordinates>1,2 3,4</coordinates></Point>", {}, "one position"),
    ("<Point><coordinates>1, 2, 3</coordinates></Point>", {}, "not a position"),
    ("<Point><coordinates>1,٢</coordinates></Point>", {}, "not a position"),
    ("<Point><coordinates>1,1e999</coordinates></Point>", {}, "not a position"),
    ("<Point><coordinates>37,142</coordinates></Point>", {}, "swapped"),
    ("<LineString><coordinates>1,2</coordinates></LineString>", {}, "fewer than 2"),
    ("<Polygon/>", {}, "one outerBoundaryIs"),
    ("<Polygon><outerBoundaryIs/></Polygon>", {}, "without a LinearRing"),
    (POLYGON.replace("1,1,90 0,0,90", "1,1,90 0,1,90"), {}, "closed"),
    (f"<Polygon><altitudeMode>relativeToSeaFloor</altitudeMode>{OUTER}</Polygon>", {}, "altitude mode"),
    ("<Model/>", {}, "3-D model"),
    (POLYGON, {"floor": "{"}, "not JSON"),
    (POLYGON, {"floor": "low"}, "not a height"),
    (POLYGON, {"uncertainty_m": "about 5"}, "not one number"),
    (POLYGON, {"kind": "picnic"}, "unknown kind"),
    (TRACK, {"kind": "buffer"}, "does not move"),
]


@pytest.mark.parametrize(("inside", "data", "words"), BAD)
def test_what_is_refused(inside, data, words):
    with pytest.raises(InputError) as caught:
        read_bytes(placemark(inside, **data))
    assert any(words in fault.problem for fault in caught.value.faults), caught.value
    assert all(fault.feature.startswith("placemark 1 (N)") for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not XML"),
        (b"<kml>", "not XML"),
        (b"<gpx/>", "not KML"),
        (b"<kml/>", "nothing in it"),
        (document("", around='<!DOCTYPE kml [<!ENTITY a "aaaa">]>{}'), "refused"),
        (document("<Folder>" * 500 + "</Folder>" * 500), "nested deeper"),
        (
            document(
                '<Placemark><ExtendedData><Data name="id"><value>a</value></Data>'
                f'<Data name="id"><value>b</value></Data>'
                f"</ExtendedData>{POLYGON}</Placemark>"
            ),
            "given twice",
        ),
        (document(f'<Placemark id="a">{POLYGON}</Placemark><Placemark id="a">{POLYGON}</Placemark>'), "used twice"),
    ],
)
def test_documents_that_are_refused(data, words):
    with pytest.raises(InputError) as caught:
        read_bytes(data)
    assert any(words in fault.problem for fault in caught.value.faults), caught.value
