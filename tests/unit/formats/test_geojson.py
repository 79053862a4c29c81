"""GeoJSON with the property profile: what each geometry means, and every way in which it is refused."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.formats.geojson import read
from keepclear.formats.reading import Reading
from keepclear.model.extents import TrackBasis
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan, Participant
from keepclear.times import parse_time

SQUARE = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]
HOLE = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6], [0.4, 0.4]]
LINE = [[10, 50, 100], [10.1, 50, 200], [10.2, 50, 300]]
TIMES = ["2026-01-01T09:00:00Z", "2026-01-01T10:00:00+01:00", "2026-01-01T09:02:00Z"]
T0 = parse_time("2026-01-01T09:00:00Z")


def feature(shape="Polygon", coordinates=SQUARE, **properties):
    return {"type": "Feature", "geometry": {"type": shape, "coordinates": coordinates}, "properties": properties}


def read_text(text: str | bytes, kind=None):
    data = text.encode() if isinstance(text, str) else text
    return read(io.BytesIO(data), Reading("plan.geojson", "red", kind))


def read_value(value, kind=None):
    return read_text(json.dumps(value), kind)


def one(value, kind=None):
    plans = read_value(value, kind)
    (thing,) = (*plans.operations, *plans.zones)
    return thing


def faults_of(value):
    with pytest.raises(InputError) as caught:
        read_value(value)
    return caught.value.faults


def test_a_bare_geometry_is_one_operation_of_the_files_party():
    operation = one({"type": "Polygon", "coordinates": SQUARE}, OperationKind.PATROL)
    assert (operation.party, operation.id, operation.kind) == ("red", "plan.geojson#1", OperationKind.PATROL)
    (volume,) = operation.volumes
    assert isinstance(volume.footprint, Polygon)
    assert volume.footprint.edges is Edges.LONLAT
    assert (volume.start_s, volume.end_s, volume.floor, volume.ceiling) == (None, None, None, None)


def test_a_polygon_with_everything_the_profile_has():
    operation = one(
        feature(
            coordinates=[*SQUARE, HOLE],
            id="p7",
            party="blue",
            kind="Ground_Move",
            name="Pätröl",
            domain=["ground", "Air"],
            participants=[{"party": "blue", "role": "lead", "platforms": 4, "class": "truck"}, {"party": "grey"}],
            joint={"plan": "north", "with": ["q1", "q2"]},
            start="2026-01-01T09:00:00Z",
            end=T0 + 60,
            floor={"value": 100, "unit": "ft", "reference": "AGL"},
            ceiling={"value": 150, "unit": "FL"},
            uncertainty_m=12,
            top_speed_m_s=30,
            early_s=10,
            late_s=20,
        )
    )
    assert (operation.id, operation.party, operation.kind) == ("p7", "blue", OperationKind.GROUND_MOVE)
    assert operation.name == "Pätröl"
    assert operation.domains == {Domain.GROUND, Domain.AIR}
    assert operation.participants == (Participant("blue", "lead", 4, "truck"), Participant("grey"))
    assert operation.joint == JointPlan("north", frozenset({"q1", "q2"}))
    assert operation.top_speed_m_s == 30.0
    (volume,) = operation.volumes
    assert len(volume.footprint.rings) == 2
    assert (volume.start_s, volume.end_s) == (T0 - 10, T0 + 80)  # a window that slips covers all its slips
    assert volume.floor == Height(30.48, HeightReference.AGL)
    assert volume.ceiling == Height(4572.0, HeightReference.FL)
    assert volume.uncertainty_m == 12.0


def test_a_multipolygon_is_several_volumes():
    far = [[[5, 5], [6, 5], [6, 6], [5, 5]]]
    operation = one(feature("MultiPolygon", [SQUARE, far]))
    assert [volume.footprint.rings[0][0].tolist() for volume in operation.volumes] == [[0, 0], [5, 5]]


def test_a_timed_line_is_a_track():
    operation = one(
        feature("LineString", LINE, coordTimes=TIMES, early_s=[0, 5, "unlimited"], late_s=60, uncertainty_m=[1, 2, 3])
    )
    (track,) = operation.tracks
    assert track.time_s.tolist() == [T0, T0, T0 + 120]
    assert track.height_m.tolist() == [100, 200, 300]
    assert track.height_reference is HeightReference.W84
    assert track.basis is TrackBasis.PLANNED
    assert track.early_s.tolist() == [0, 5, math.inf]
    assert track.late_s == 60
    assert track.uncertainty_m.tolist() == [1, 2, 3]


@pytest.mark.parametrize("where", ["coordTimes", "coordinateProperties", "datetimes", "epoch"])
def test_times_are_found_under_every_name_in_use(where):
    given = {
        "coordTimes": {"coordTimes": TIMES},
        "coordinateProperties": {"coordinateProperties": {"times": TIMES}},
        "datetimes": {"datetimes": [1000 * T0, 1000 * T0, 1000 * T0 + 120_000]},  # OGC 19-045r3 counts milliseconds
        "epoch": {"coordTimes": [T0, T0, T0 + 120]},
    }[where]
    (track,) = one(feature("LineString", LINE, **given)).tracks
    assert track.time_s.tolist() == [T0, T0, T0 + 120]


def test_a_line_without_times_is_a_corridor_between_the_heights_of_its_positions():
    (volume,) = one(feature("LineString", LINE, half_width_m=250, height_reference="AMSL")).volumes
    assert isinstance(volume.footprint, Corridor)
    assert volume.footprint.half_width_m == 250
    assert (volume.floor, volume.ceiling) == (Height(100, HeightReference.AMSL), Height(300, HeightReference.AMSL))
    assert volume.start_s is None


def test_a_line_with_neither_times_nor_width_is_a_path_and_says_so():
    plans = read_value(feature("LineString", [[10, 50], [11, 50]]))
    (volume,) = plans.operations[0].volumes
    assert volume.footprint.half_width_m == 0.0
    assert any("path of no width" in warning for warning in plans.warnings)


def test_several_timed_lines_are_pieces_when_planned_and_one_track_with_a_gap_when_flown():
    coordinates = [[[0, 0], [0, 1]], [[0, 2], [0, 3]]]
    times = [[T0, T0 + 60], [T0 + 600, T0 + 660]]
    planned = read_value(feature("MultiLineString", coordinates, coordTimes=times, late_s=[1, [2, 3]]))
    assert [track.time_s.tolist() for track in planned.operations[0].tracks] == times
    assert planned.operations[0].tracks[1].late_s.tolist() == [2, 3]
    assert any("several pieces" in warning for warning in planned.warnings)
    flown = one(feature("MultiLineString", coordinates, coordTimes=times, track="flown"))
    (track,) = flown.tracks
    assert track.time_s.tolist() == [T0, T0 + 60, T0 + 600, T0 + 660]
    assert track.basis is TrackBasis.FLOWN


def test_points():
    (circle,) = one(feature("Point", [10, 50], radius_m=500)).volumes
    assert circle.footprint == Circle(10.0, 50.0, 500.0)
    (spot,) = one(feature("Point", [10, 50, 30], start=T0, end=T0 + 1)).volumes
    assert (spot.footprint, spot.floor, spot.ceiling) == (
        Circle(10.0, 50.0, 0.0),
        Height(30, HeightReference.W84),
        Height(30, HeightReference.W84),
    )
    for times in (TIMES[:1], TIMES[0]):
        (track,) = one(feature("Point", [10, 50], coordTimes=times)).tracks
        assert track.time_s.tolist() == [T0]
        assert np.isnan(track.height_m).all()


def test_zones():
    zone = one(feature(kind="geo-zone", rule="req_authorization", start=TIMES[0]))
    assert (zone.kind, zone.rule) == (ZoneKind.GEO_ZONE, ZoneRule.REQ_AUTHORIZATION)
    assert zone.volumes[0].end_s is None


def test_a_height_without_reference_is_read_as_unknown_and_warned_of_once():
    plans = read_value({"type": "FeatureCollection", "features": [feature(floor=10), feature(ceiling=20)]})
    assert plans.operations[0].volumes[0].floor == Height(10, HeightReference.UNKNOWN)
    (warning,) = plans.warnings
    assert "no reference" in warning
    assert "2 times" in warning


def test_properties_that_are_not_read_are_one_warning():
    plans = read_value({"type": "FeatureCollection", "features": [feature(stroke="#f00"), feature(celing=3)]})
    (warning,) = plans.warnings
    assert "'celing', 'stroke'" in warning


def test_the_id_of_the_feature_counts_where_the_properties_have_none():
    assert one({**feature(id=None), "id": 17}).id == "17"
    assert one({**feature(id="mine"), "id": 17}).id == "mine"


def test_a_part_with_faults_of_its_own_is_not_said_to_be_missing():
    parts = [feature(id="a", part=1), feature(id="a", part=2, floor="low"), feature(id="a", part=3)]
    assert [fault.field for fault in faults_of({"type": "FeatureCollection", "features": parts})] == ["floor"]


def test_parts_make_one_operation():
    parts = [
        feature(id="a", part=2, parts=2, kind="uas", start=T0, end=T0 + 9),
        feature("LineString", LINE, id="a", part=1, parts=2, kind="uas", coordTimes=TIMES),
    ]
    operation = one({"type": "FeatureCollection", "features": parts})
    assert len(operation.volumes) == 1
    assert len(operation.tracks) == 1


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([{"part": 1}, {"part": 1}], "not 1 to 1"),
        ([{"part": 1}, {"part": 3}], "not 1 to 3"),
        ([{"part": 1, "parts": 3}, {"part": 2}], "not 1 to 3"),
        ([{"part": 1}, {"part": 2, "kind": "uas"}], "something else"),
        ([{}, {}], "used twice"),
        ([{"part": 1}, {}], "used twice"),
    ],
)
def test_parts_that_do_not_fit(parts, problem):
    features = [feature(id="a", **part) for part in parts]
    faults = faults_of({"type": "FeatureCollection", "features": features})
    assert any(problem in fault.problem for fault in faults)


BAD_FEATURES = [
    # geometry, properties; then the field and the words of the fault
    (("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]]), {}, "coordinates", "closed"),
    (("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]), {}, "coordinates", "crosses"),
    (("Polygon", [[[0, 0], [1, 0], [0, 0]]]), {}, "coordinates", "fewer than 4"),
    (("Polygon", []), {}, "coordinates", "not a polygon"),
    (("Polygon", [[[0, 0], [1, 0], [1, "1"], [0, 0]]]), {}, "coordinates, position 3", "not a position"),
    (("Polygon", [[[0, 0], [1, 0], [1, True], [0, 0]]]), {}, "coordinates, position 3", "not a position"),
    (("Polygon", [[[0, 0], [1, 0], [1, None], [0, 0]]]), {}, "coordinates, position 3", "not a position"),
    (("Polygon", [[[0, 0], [1, 0], [1], [0, 0]]]), {}, "coordinates, position 3", "not a position"),
    (("Polygon", [[[0, 0], [1, 0], [1, 2, 3, 4], [0, 0]]]), {}, "coordinates, position 3", "not a position"),
    (("Point", [37, 142]), {}, "coordinates, position 1", "swapped"),
    (("Point", [190, 10]), {}, "coordinates, position 1", "out of range"),
    (("Point", [190, 100]), {}, "coordinates, position 1", "out of range"),
    (("Point", []), {}, "coordinates, position 1", "not a position"),
    (("MultiPoint", [[0, 0]]), {}, "geometry.type", "MultiPoint is not read"),
    (("Sphere", [[0, 0]]), {}, "geometry.type", "not a geometry"),
    (("LineString", [[0, 0]]), {}, "coordinates", "fewer than 2"),
    (("LineString", "0,0 1,1"), {}, "coordinates", "not a list of positions"),
    (("LineString", LINE), {"coordTimes": TIMES[:2]}, "coordTimes", "but has 2"),
    (("LineString", LINE), {"coordTimes": "09:00"}, "coordTimes", "one time for each"),
    (("LineString", LINE), {"coordTimes": [T0, T0 + 9, T0 + 3]}, "time", "goes back"),
    (("LineString", LINE), {"coordTimes": [T0, "2026-01-01T09:00:00", T0]}, "coordTimes, position 2", "no zone"),
    (("LineString", LINE), {"coordTimes": [T0, True, T0]}, "coordTimes, position 2", "not a time"),
    (("LineString", LINE), {"coordTimes": [T0 * 1e3] * 3}, "coordTimes, position 1", "years 1 and 9999"),
    (("LineString", LINE), {"datetimes": [T0] * 3}, "datetimes, position 1", "looks like seconds"),
    (("LineString", LINE), {"datetimes": [T0] * 3, "coordTimes": TIMES}, "datetimes", "twice"),
    (("LineString", LINE), {"coordTimes": TIMES, "half_width_m": 5}, "half_width_m", "does not fit"),
    (("LineString", LINE), {"coordTimes": TIMES, "floor": 5}, "floor", "does not fit"),
    (("LineString", LINE), {"coordTimes": TIMES, "start": T0 + 1}, "start", "begin before"),
    (("LineString", LINE), {"coordTimes": TIMES, "end": T0 + 1}, "end", "go on after"),
    (("LineString", LINE), {"coordTimes": TIMES, "uncertainty_m": [1, 2]}, "uncertainty_m", "tolerance"),
    (("LineString", LINE), {"coordTimes": TIMES, "late_s": [1, -2, 3]}, "late_s, position 2", "0 or more"),
    (("LineString", LINE), {"coordTimes": TIMES, "kind": "buffer"}, "coordTimes", "does not move"),
    (("LineString", LINE), {"radius_m": 5}, "radius_m", "does not fit"),
    (("LineString", LINE), {"uncertainty_m": [1, 2, 3]}, "uncertainty_m", "not one number"),
    (("LineString", LINE), {"half_width_m": -1}, "half_width_m", "0 or more"),
    (("LineString", LINE), {"half_width_m": 1e9}, "half-width", "half-width"),
    (("LineString", LINE), {"height_reference": "FL"}, "height_reference", "flight level"),
    (("LineString", LINE), {"height_reference": "WGS85"}, "height_reference", "unknown height reference"),
    (("MultiLineString", [LINE]), {"coordTimes": TIMES}, "coordTimes", "each line"),
    (("MultiLineString", [LINE]), {"coordTimes": [None]}, "coordTimes", "each line"),
    (("Polygon", SQUARE), {"coordTimes": TIMES}, "coordTimes", "does not fit"),
    (("Polygon", SQUARE), {"half_width_m": 5}, "half_width_m", "does not fit"),
    (("Polygon", SQUARE), {"start": "2026-01-01T09:00:00"}, "start", "no zone"),
    (("Polygon", SQUARE), {"start": T0, "end": T0 - 1}, "end", "before the start"),
    (("Polygon", SQUARE), {"start": T0, "end": T0 - 1, "late_s": 60}, "end", "before the start"),
    (("Polygon", SQUARE), {"start": [T0]}, "start", "not a time"),
    (("Polygon", SQUARE), {"floor": {"value": 5}}, "floor", "unit"),
    (("Polygon", SQUARE), {"floor": {"value": 5, "unit": "km"}}, "floor", "unit"),
    (("Polygon", SQUARE), {"floor": {"value": 5, "units": "m"}}, "floor", "unknown member"),
    (("Polygon", SQUARE), {"floor": {"value": 5, "unit": "FL", "reference": "AGL"}}, "floor", "flight level"),
    (("Polygon", SQUARE), {"floor": {"value": 5, "unit": "m", "reference": "NN"}}, "floor", "unknown height reference"),
    (("Polygon", SQUARE), {"floor": "500 ft"}, "floor", "not a height"),
    (("Polygon", SQUARE), {"floor": 1e9}, "floor", "not a height"),
    (("Polygon", SQUARE), {"floor": 9, "ceiling": 3, "height_reference": "AGL"}, "ceiling", "below the floor"),
    (("Polygon", SQUARE), {"kind": "picnic"}, "kind", "unknown kind"),
    (("Polygon", SQUARE), {"kind": 3}, "kind", "not a text"),
    (("Polygon", SQUARE), {"domain": "space"}, "domain", "unknown domain"),
    (("Polygon", SQUARE), {"domain": {}}, "domain", "not a domain"),
    (("Polygon", SQUARE), {"party": " "}, "party", "no party"),
    (("Polygon", SQUARE), {"id": []}, "id", "not an id"),
    (("Polygon", SQUARE), {"track": "driven"}, "track", "unknown track"),
    (("Polygon", SQUARE), {"edges": "round"}, "edges", "unknown edges"),
    (("Polygon", SQUARE), {"rule": "MAYBE"}, "rule", "unknown rule"),
    (("Polygon", SQUARE), {"top_speed_m_s": 0}, "top_speed_m_s", "top speed"),
    (("Polygon", SQUARE), {"participants": [{"role": "lead"}]}, "participants", "not a participant"),
    (("Polygon", SQUARE), {"participants": [{"party": "x", "platforms": 1.5}]}, "participants", "count"),
    (("Polygon", SQUARE), {"participants": [{"party": "x", "rank": 1}]}, "participants", "unknown member"),
    (("Polygon", SQUARE), {"participants": {}}, "participants", "not a list"),
    (("Polygon", SQUARE), {"joint": {"plan": "x"}}, "joint", "not a joint plan"),
    (("Polygon", SQUARE), {"joint": "x"}, "joint", "not a joint plan"),
    (("Polygon", SQUARE), {"part": 0}, "part", "number of a part"),
    (("Point", [0, 0]), {"radius_m": "5"}, "radius_m", "0 or more"),
    (("Point", [0, 0]), {"half_width_m": 5}, "half_width_m", "does not fit"),
    (("Point", [0, 0]), {"radius_m": 5, "coordTimes": [T0]}, "radius_m", "does not fit"),
    (("Point", [0, 0, 1e9]), {"coordTimes": [T0]}, "height", "not a height"),
]


@pytest.mark.parametrize(("geometry", "properties", "field", "words"), BAD_FEATURES)
def test_what_is_wrong_is_named(geometry, properties, field, words):
    faults = faults_of(feature(*geometry, **properties))
    assert [fault for fault in faults if fault.field == field and words in fault.problem], faults
    assert all(fault.file == "plan.geojson" and fault.feature.startswith("feature 1") for fault in faults)


BAD_DOCUMENTS = [
    ("", "not JSON"),
    ("{", "not JSON"),
    ("[]", "not GeoJSON"),
    ("null", "not GeoJSON"),
    ('{"type": "Topology"}', "not GeoJSON"),
    ('{"type": "FeatureCollection"}', "no list of features"),
    ('{"type": "FeatureCollection", "features": {}}', "no list of features"),
    ('{"type": "FeatureCollection", "features": []}', "nothing in it"),
    ('{"type": "FeatureCollection", "features": [3]}', "not a Feature"),
    ('{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": 3}]}', "not properties"),
    ('{"type": "Feature", "geometry": null, "properties": null}', "no geometry"),
    ('{"type": "GeometryCollection", "geometries": []}', "GeometryCollection is not read"),
    ('{"type": "Point", "coordinates": [NaN, 0]}', "NaN"),
    ('{"type": "Point", "coordinates": [1e999, 0]}', "too large"),
    ('{"type": "Point", "coordinates": [0, 0], "crs": {"properties": {"name": "EPSG:3857"}}}', "reference system"),
    ('{"type": "Point", "coordinates": [0, 0], "crs": null}', "reference system"),
    ('{"type": "Feature", "crs": 7, "geometry": null}', "reference system"),
    ('{"type": "Point", "coordinates": ' + "[" * 5000 + "]" * 5000 + "}", "nested deeper"),
]


@pytest.mark.parametrize(("text", "words"), BAD_DOCUMENTS)
def test_documents_that_are_refused(text, words):
    with pytest.raises(InputError) as caught:
        read_text(text)
    assert any(words in fault.problem for fault in caught.value.faults), caught.value


def test_all_faults_of_a_file_are_found():
    features = [feature(kind="picnic", start="9"), feature("Point", [0, 99]), feature(floor="x")]
    assert len(faults_of({"type": "FeatureCollection", "features": features})) == 4


def test_a_file_of_nothing_but_faults_stops_at_a_thousand():
    faults = faults_of({"type": "FeatureCollection", "features": [feature(kind="picnic")] * 3000})
    assert len(faults) == 1001


@pytest.mark.parametrize(
    "name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "EPSG:4326"]
)
def test_wgs84_by_its_names(name):
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": name}},
        "features": [feature()],
    }
    plans = read_value(document)
    assert bool(plans.warnings) == (name == "EPSG:4326")
