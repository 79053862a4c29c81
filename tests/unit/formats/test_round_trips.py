"""What the writers write, the readers read back: the same values, or the stated larger ones."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.errors import InputError
from keepclear.formats import geojson, kml
from keepclear.formats.containing import LARGEST_RADIUS_M, containing_ring
from keepclear.formats.geojson_write import write_plans_geojson
from keepclear.formats.kml_write import write_plans_kml
from keepclear.formats.reading import Reading
from keepclear.geo.geoid import undulation_m
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Polygon
from keepclear.model.heights import HeightReference
from keepclear.model.operations import Operation, Plans
from tests.unit.formats.plans_made import all_plans, circles, operations

DAMAGE = [b"", b"9", b"-", b"[", b"]", b'"', b",", b"e99", b"null", b"<", b"\xff"]
GEOD = Geod(ellps="WGS84")
SOME = settings(
    max_examples=60, phases=(Phase.explicit, Phase.generate), deadline=None, suppress_health_check=list(HealthCheck)
)


def back(reader, pieces) -> Plans:
    return reader(io.BytesIO("".join(pieces).encode()), Reading("back", "nobody"))


def same_array(a, b) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


def assert_same_times(a, b) -> None:
    assert np.abs(np.asarray(a) - np.asarray(b)).max() < 1e-9


def assert_same_volume(a: Volume, b: Volume) -> None:
    assert (a.floor, a.ceiling, a.uncertainty_m) == (b.floor, b.ceiling, b.uncertainty_m)
    for one, other in ((a.start_s, b.start_s), (a.end_s, b.end_s)):
        assert (one is None) == (other is None)
        assert_same_times([one or 0.0], [other or 0.0])


def assert_same_footprint(a, b) -> None:
    assert type(a) is type(b)
    if isinstance(a, Circle):
        assert a == b
    elif isinstance(a, Polygon):
        assert a.edges is b.edges
        assert all(same_array(x, y) for x, y in zip(a.rings, b.rings, strict=True))
    else:
        assert isinstance(a, Corridor)
        assert (a.half_width_m, a.edges) == (b.half_width_m, b.edges)
        assert same_array(a.line, b.line)


def assert_same_track(a: Track, b: Track) -> None:
    assert_same_times(a.time_s, b.time_s)
    names = ("lon_deg", "lat_deg", "uncertainty_m", "early_s", "late_s")
    assert all(same_array(getattr(a, name), getattr(b, name)) for name in names)
    assert a.basis is b.basis


def assert_same_whole(a: Plans, b: Plans) -> None:
    assert len(a.operations) == len(b.operations)
    assert len(a.zones) == len(b.zones)
    for one, other in zip((*a.operations, *a.zones), (*b.operations, *b.zones), strict=True):
        names = ("party", "id", "kind", "name")
        if isinstance(one, Operation):
            names += ("domains", "participants", "joint", "top_speed_m_s")
        else:
            names += ("rule",)
        assert {name: getattr(one, name) for name in names} == {name: getattr(other, name) for name in names}
        assert len(one.volumes) == len(other.volumes)
        for x, y in zip(one.volumes, other.volumes, strict=True):
            assert_same_volume(x, y)


def pairs(a: Plans, b: Plans, what: str):
    for one, other in zip((*a.operations, *a.zones), (*b.operations, *b.zones), strict=True):
        yield from zip(getattr(one, what, ()), getattr(other, what, ()), strict=True)


@SOME
@given(all_plans)
def test_geojson_reads_back_as_it_was(plans):
    read = back(geojson.read, write_plans_geojson(plans))
    assert_same_whole(plans, read)
    for a, b in pairs(plans, read, "volumes"):
        assert_same_footprint(a.footprint, b.footprint)
    for a, b in pairs(plans, read, "tracks"):
        assert_same_track(a, b)
        assert a.height_reference is b.height_reference
        assert same_array(a.height_m, b.height_m)


@SOME
@given(all_plans)
def test_kml_reads_back_as_it_was_but_for_circles_and_ellipsoidal_heights(plans):
    said: list[str] = []
    read = back(kml.read, write_plans_kml(plans, warn=said.append))
    assert_same_whole(plans, read)
    for a, b in pairs(plans, read, "volumes"):
        if isinstance(a.footprint, Circle) and 0.0 < a.footprint.radius_m <= LARGEST_RADIUS_M:
            assert isinstance(b.footprint, Polygon)
            assert any("contains the circle" in sentence for sentence in said)
        else:
            assert_same_footprint(a.footprint, b.footprint)
    for a, b in pairs(plans, read, "tracks"):
        assert_same_track(a, b)
        heights = b.height_m
        if a.height_reference is not b.height_reference:
            assert a.height_reference is HeightReference.W84
            assert b.height_reference is HeightReference.AMSL
            assert any("mean sea level" in sentence for sentence in said)
            heights = b.height_m + undulation_m(b.lon_deg, b.lat_deg)
        assert np.allclose(a.height_m, heights, rtol=0, atol=1e-6, equal_nan=True)


@SOME
@given(circles.filter(lambda circle: 0.0 < circle.radius_m <= LARGEST_RADIUS_M))
def test_the_polygon_in_place_of_a_circle_contains_it(circle):
    ring = containing_ring(circle)
    lon, lat = ring[:-1].T
    ahead, _, length = GEOD.inv(lon, lat, *ring[1:].T)
    for share in np.linspace(0.0, 1.0, 9):
        x, y, _ = GEOD.fwd(lon, lat, ahead, length * share)
        distance = GEOD.inv(np.full(72, circle.lon_deg), np.full(72, circle.lat_deg), x, y)[2]
        assert distance.min() > circle.radius_m
        if circle.radius_m < 1e6:
            assert distance.max() < 1.007 * circle.radius_m + 2e-3


@SOME
@given(operations, st.data())
@pytest.mark.parametrize(("reader", "writer"), [(geojson.read, write_plans_geojson), (kml.read, write_plans_kml)])
def test_a_damaged_file_gives_values_or_an_input_error(reader, writer, operation, data):
    text = bytearray("".join(writer(Plans((operation,)))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        cut = data.draw(st.integers(0, 6))
        text[at : at + cut] = data.draw(st.sampled_from(DAMAGE))
        if not text:
            break
    try:
        plans = reader(io.BytesIO(bytes(text)), Reading("damaged", "nobody"))
    except InputError as error:
        refused = [str(fault) for fault in error.faults]
    else:
        refused = ["" for _ in (*plans.operations, *plans.zones)]
    assert refused
    assert not any("\n" in line for line in refused)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@SOME
@given(operations, st.data())
def test_geojson_with_any_value_in_any_place_gives_values_or_an_input_error(operation, data):
    document = json.loads("".join(write_plans_geojson(Plans((operation,)))))
    path = data.draw(st.sampled_from(list(places(document))[1:]))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = data.draw(values)
    try:
        plans = geojson.read(io.BytesIO(json.dumps(document).encode()), Reading("changed", "nobody"))
        got = (*plans.operations, *plans.zones)
    except InputError as error:
        got = error.faults
    assert got


def test_what_xml_cannot_hold_is_said():
    operation = Operation("red", "a\x00", volumes=(Volume(Circle(0, 0, 0)),))
    said: list[str] = []
    read = back(kml.read, write_plans_kml(Plans((operation,)), warn=said.append))
    assert read.operations[0].id == "a\ufffd"
    assert any("control characters" in sentence for sentence in said)
