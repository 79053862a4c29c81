"""OGC Moving Features JSON: interpolations, collections, and what is refused."""

from __future__ import annotations

import io
import json

import pytest

from keepclear.errors import InputError
from keepclear.formats import geojson
from keepclear.formats.moving_features import read
from keepclear.formats.reading import Reading
from keepclear.model.extents import TrackBasis
from keepclear.times import parse_time

T0 = parse_time("2011-07-14T22:01:01Z")
WHENS = ["2011-07-14T22:01:01Z", "2011-07-14T22:01:02Z", "2011-07-14T22:01:03Z"]
WHERE = [[139.757083, 35.627701, 0.5], [139.757399, 35.627701, 2.0], [139.757555, 35.627688, 4.0]]


def moving(**members):
    return {"type": "MovingPoint", "datetimes": WHENS, "coordinates": WHERE, **members}


def feature(geometry, **members):
    return {"type": "Feature", "id": "A", "temporalGeometry": geometry, "properties": {"name": "car1"}, **members}


def read_value(value, reader=read):
    return reader(io.BytesIO(json.dumps(value).encode()), Reading("cars.json", "red"))


def test_the_prism_example_of_the_standard_is_a_track():
    document = feature(
        moving(
            interpolation="Linear",
            base={"type": "glTF", "href": "http://example.org/car.gltf"},
            orientations=[{"scales": [1, 1, 1], "angles": [0, 0, 0]}] * 3,
        ),
        crs={"type": "Name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        trs={
            "type": "Link",
            "properties": {"type": "OGCDEF", "href": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"},
        },
        temporalProperties=[],
    )
    plans = read_value(document)
    (operation,) = plans.operations
    (track,) = operation.tracks
    assert (operation.id, operation.name, operation.party) == ("A", "car1", "red")
    assert track.time_s.tolist() == [T0, T0 + 1, T0 + 2]
    assert track.lon_deg.tolist() == [139.757083, 139.757399, 139.757555]
    assert track.height_m.tolist() == [0.5, 2.0, 4.0]
    assert track.basis is TrackBasis.PLANNED
    assert len(plans.warnings) == 2  # base and orientations


def test_the_trajectory_example_of_the_standard_is_two_tracks():
    features = [
        {
            "type": "Feature",
            "id": name,
            "geometry": {"type": "LineString", "coordinates": [[11.0, 2.0], [12.0, 3.0], [10.0, 3.0]]},
            "properties": {"datetimes": WHENS, "state": ["walking", "walking"]},
        }
        for name in "AB"
    ]
    plans = read_value({"type": "FeatureCollection", "features": features})
    assert [operation.id for operation in plans.operations] == ["A", "B"]
    assert plans.operations[1].tracks[0].time_s.tolist() == [T0, T0 + 1, T0 + 2]


def test_numbers_are_milliseconds():
    (track,) = read_value(moving(datetimes=[1000 * T0, 1000 * T0 + 1, 1000 * T0 + 2000])).operations[0].tracks
    assert track.time_s.tolist() == pytest.approx([T0, T0 + 0.001, T0 + 2], abs=1e-6)


@pytest.mark.parametrize("name", ["Step", "Stepwise", ["Stepwise"]])
def test_a_stepwise_unit_stays_until_it_is_elsewhere(name):
    (track,) = read_value(moving(interpolation=name)).operations[0].tracks
    assert track.time_s.tolist() == [T0, T0 + 1, T0 + 1, T0 + 2, T0 + 2]
    assert track.lon_deg.tolist() == [WHERE[index][0] for index in (0, 0, 1, 1, 2)]


def test_discrete_positions_are_observations_with_gaps():
    plans = read_value(feature(moving(interpolation="Discrete")))
    assert plans.operations[0].tracks[0].basis is TrackBasis.FLOWN
    assert any("Discrete" in warning for warning in plans.warnings)


def test_a_collection_of_points_is_one_operation():
    later = moving(datetimes=[T0 * 1000 + 9000, T0 * 1000 + 9500, T0 * 1000 + 9900])
    plans = read_value(feature({"type": "MovingGeometryCollection", "prisms": [moving(), later]}))
    assert len(plans.operations[0].tracks) == 2


def test_the_geojson_reader_reads_moving_features_too():
    (operation,) = read_value(feature(moving()), geojson.read).operations
    assert len(operation.tracks[0].time_s) == 3


BAD = [
    ({"type": "MovingPolygon", "datetimes": WHENS, "coordinates": []}, "MovingPolygon is not supported"),
    ({"type": "MovingLineString"}, "MovingLineString is not supported"),
    ({"type": "MovingThing"}, "not a temporal geometry"),
    (7, "not a temporal geometry"),
    ({"type": "MovingGeometryCollection"}, "no prisms"),
    ({"type": "MovingGeometryCollection", "prisms": [3]}, "not a temporal geometry"),
    ({"type": "MovingGeometryCollection", "prisms": [{"type": "MovingPolygon"}]}, "not supported"),
    (moving(interpolation="Quadratic"), "interpolation"),
    (moving(interpolation="http://example.org/curve"), "interpolation"),
    (moving(interpolation=["Linear", "Step"]), "interpolation"),
    (moving(datetimes=WHENS[:2]), "but has 2"),
    (moving(datetimes=None), "one time for each"),
    (moving(datetimes=[*WHENS[:2], "2011-07-14"]), "not a time"),
    (moving(datetimes=[T0, T0 + 1, T0 + 2]), "looks like seconds"),
    (moving(datetimes=[WHENS[1], WHENS[0], WHENS[2]]), "goes back"),
    (moving(coordinates=[]), "fewer than 1"),
    (moving(coordinates=[[1, 2], [3, 4], [5, 96]]), "swapped"),
    (moving(crs={"type": "Name", "properties": {"name": "urn:ogc:def:crs:EPSG::4284"}}), "reference system"),
    (moving(trs={"type": "Name", "properties": {"name": "urn:julian"}}), "calendar"),
]


@pytest.mark.parametrize(("geometry", "words"), BAD)
def test_what_is_refused(geometry, words):
    with pytest.raises(InputError) as caught:
        read_value(feature(geometry))
    assert any(words in fault.problem for fault in caught.value.faults), caught.value
    assert all(fault.feature.startswith("feature 1 (A)") for fault in caught.value.faults)
