"""GPX: tracks and routes, what is refused and at which point, and the same positions as gpxpy reads."""

import io

import gpxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.formats import gpx
from keepclear.formats.reading import Reading
from keepclear.model.extents import TrackBasis
from keepclear.model.footprints import Corridor, Edges
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Plans

T0 = 1767225600.0
SPACE = 'xmlns="http://www.topografix.com/GPX/1/1"'


def document(body: str, attributes: str = f'version="1.1" creator="t" {SPACE}') -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<gpx {attributes}>{body}</gpx>'


def point(lat, lon, second=None, *, ele=None, tag="trkpt", more="") -> str:
    inside = "" if ele is None else f"<ele>{ele}</ele>"
    inside += "" if second is None else f"<time>2026-01-01T00:00:{second:02d}Z</time>"
    return f'<{tag} lat="{lat}" lon="{lon}">{inside}{more}</{tag}>'


def track(*segments: str, name: str = "") -> str:
    named = f"<name>{name}</name>" if name else ""
    return f"<trk>{named}{''.join(f'<trkseg>{segment}</trkseg>' for segment in segments)}</trk>"


def read(text, *, kind=None) -> Plans:
    data = text.encode() if isinstance(text, str) else text
    return gpx.read(io.BytesIO(data), Reading("f.gpx", "UN", kind))


def faults(text, **options) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        read(text, **options)
    assert all(fault.file == "f.gpx" for fault in caught.value.faults)
    return [(fault.feature, fault.field, fault.problem) for fault in caught.value.faults]


def test_a_track_is_a_flown_operation():
    body = track(point(35.5, 40.25, 0, ele=100), point("36", "41", 5), name="Morning &amp; noon")
    (operation,) = read(document(body), kind=OperationKind.PATROL).operations
    (flown,) = operation.tracks
    assert (operation.party, operation.id, operation.name) == ("UN", "Morning & noon", "Morning & noon")
    assert operation.kind == OperationKind.PATROL
    assert (flown.basis, flown.height_reference) == (TrackBasis.FLOWN, HeightReference.AMSL)
    assert flown.time_s.tolist() == [T0, T0 + 5.0]
    assert (flown.lat_deg.tolist(), flown.lon_deg.tolist()) == ([35.5, 36.0], [40.25, 41.0])
    assert flown.height_m[0] == 100.0
    assert np.isnan(flown.height_m[1])


def test_segments_in_order_of_time_are_one_track_so_that_the_time_between_is_a_gap():
    body = track(point(1, 2, 0) + point(1, 3, 1), "", point(1, 4, 50))
    (operation,) = read(document(body)).operations
    assert [t.time_s.tolist() for t in operation.tracks] == [[T0, T0 + 1.0, T0 + 50.0]]


def test_segments_that_overlap_in_time_are_separate_tracks():
    body = track(point(1, 2, 10) + point(1, 3, 20), point(1, 4, 15), point(1, 4, 20))
    (operation,) = read(document(body)).operations
    assert [t.time_s.tolist() for t in operation.tracks] == [[T0 + 10.0, T0 + 20.0], [T0 + 15.0, T0 + 20.0]]


def test_a_route_without_times_is_a_path_of_which_only_the_place_is_known():
    route = f"<rte>{point(1, 2, tag='rtept', ele=30)}{point(3, 4, tag='rtept', ele=10)}</rte>"
    (operation,) = read(document(route)).operations
    (volume,) = operation.volumes
    assert (operation.id, operation.tracks, volume.start_s, volume.end_s) == ("route 1", (), None, None)
    assert (volume.floor, volume.ceiling) == (Height(10.0, HeightReference.AMSL), Height(30.0, HeightReference.AMSL))
    assert isinstance(volume.footprint, Corridor)
    assert volume.footprint.line.tolist() == [[2.0, 1.0], [4.0, 3.0]]
    assert (volume.footprint.half_width_m, volume.footprint.edges) == (0.0, Edges.GEODESIC)


def test_a_route_with_times_is_a_planned_track():
    route = f"<rte>{point(1, 2, 0, tag='rtept')}{point(3, 4, 9, tag='rtept')}</rte>"
    assert read(document(route)).operations[0].tracks[0].basis == TrackBasis.PLANNED


def test_a_track_without_times_is_a_path_and_unknown_heights_stay_unknown():
    (operation,) = read(document(track(point(1, 2, ele=5) + point(1, 3), point(5, 6, ele=7)))).operations
    assert [(v.footprint.line.tolist(), v.floor) for v in operation.volumes] == [
        ([[2.0, 1.0], [3.0, 1.0]], None), ([[6.0, 5.0]], Height(7.0, HeightReference.AMSL)),
    ]  # fmt: skip


def test_names_are_made_unique():
    one = track(point(1, 2, 0), name="A")
    plans = read(document(one + one + track(point(1, 2, 0)) + track(point(1, 2, 0), name="A (2)")))
    assert [o.id for o in plans.operations] == ["A", "A (2)", "track 3", "A (2) (2)"]
    assert len(plans.warnings) == 2


def test_what_is_left_aside_is_told():
    plans = read(document('<wpt lat="1" lon="2"><name>x</name></wpt><trk><name>E</name></trk>' + track(point(1, 2, 0))))
    assert [o.id for o in plans.operations] == ["track 2"]
    assert any(warning.endswith(": 1 waypoint") for warning in plans.warnings)
    assert any("track 1 'E' has no points" in warning for warning in plans.warnings)


def test_extensions_of_others_change_nothing():
    foreign = (
        '<extensions><x:a xmlns:x="urn:x"><x:time>no time</x:time><trkpt lat="x"/></x:a>'
        f'<trk {SPACE}><time>no</time></trk></extensions>'
    )  # fmt: skip
    extended = document(
        track(point(1, 2, 0, more='<h xmlns="urn:y"><time>never</time></h>')) + f"<y:e xmlns:y='urn:e'>{foreign}</y:e>"
    )
    assert [o.tracks[0].time_s.tolist() for o in read(extended).operations] == [[T0]]


@pytest.mark.parametrize(
    "attributes", ['version="1.0" xmlns="http://www.topografix.com/GPX/1/0"', "", 'version="9"', 'creator="x"']
)
def test_versions_and_namespaces(attributes):
    assert len(read(document(track(point("35,25", 2, 0, ele="NaN")), attributes)).operations) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding):
    text = document(track(point(1, 2, 0), name="Zürich"))
    declared = text.replace('encoding="UTF-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    assert read(declared.encode(encoding)).operations[0].id == "Zürich"


def segment(*points: str) -> str:
    return document(track("".join(points)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (segment(point(1, 2, 0), point(91, 2, 1)), ("track 1, segment 1, point 2", "lat", "lat out of range")),
        (segment(point(1, 181, 0)), ("track 1, segment 1, point 1", "lon", "lon out of range")),
        (segment(point("x", 2, 0)), ("track 1, segment 1, point 1", "lat", "not a number")),
        (segment(point("", 2, 0)), ("track 1, segment 1, point 1", "lat", "not a number")),
        (segment(point("nan", 2, 0)), ("track 1, segment 1, point 1", "lat", "not a number")),
        (segment(point("inf", 2, 0)), ("track 1, segment 1, point 1", "lat", "not a number")),
        (segment('<trkpt lon="1"/>'), ("track 1, segment 1, point 1", "lat", "no lat")),
        (segment(point(1, 2, 0, ele="100 m")), ("track 1, segment 1, point 1", "ele", "not a number")),
        (segment(point(1, 2, 0, ele="1,234")), ("track 1, segment 1, point 1", "ele", "the comma could mark")),
        (segment(point(1, 2, 0, ele="9e9")), ("track 1, segment 1, point 1", "ele", "not a height")),
        (segment(point(1, 2, 5), point(1, 2, 4)), ("track 1, segment 1, point 2", "time", "the time goes back")),
        (segment(point(1, 2, more="<time>2026-01-01T00:00:00</time>")),
         ("track 1, segment 1, point 1", "time", "the time has no zone")),
        (segment(point(1, 2, more="<time>yesterday</time>")), ("track 1, segment 1, point 1", "time", "not a time")),
        (segment(point(1, 2, 0), point(1, 2), point(1, 3)),
         ("track 1, segment 1, point 2", "time", "2 of 3 points have no time")),
        (document(track(point(1, 2, 0), point(1, 2), name="A")), ("track 1 'A', segment 2, point 1", "time", "1 of 2")),
        (document(f"<rte>{point(95, 2, tag='rtept')}</rte>"), ("route 1, point 1", "lat", "lat out of range")),
        (document('<wpt lat="1" lon="2"/>'), ("", "", "no track and no route, only 1 waypoint")),
        (document(""), ("", "", "nothing in it")),
        (document("<trk/>"), ("", "", "nothing in it")),
        (document(point(1, 2, 0)), ("", "", "<trkpt> inside <gpx>")),
        (document(track(track(point(1, 2, 0)))), ("track 1", "", "<trk> inside <trkseg>")),
        (segment(point(1, 2, 0, more=point(3, 4, 1))), ("track 1", "", "<trkpt> inside <trkpt>")),
        ("<kml/>", ("", "", "not GPX")),
        ("<gpx xmlns='urn:x'/>", ("", "", "not a namespace of GPX")),
        ("", ("line 1 column 1", "", "not XML")),
        (document("<trk>")[:-6], ("line 2 column 79", "", "not XML")),
        (b"\0\1\2", ("line 1 column 1", "", "not XML")),
        ("<?xml version='1.0' encoding='x-none'?><gpx/>", ("", "", "the XML declaration names an encoding")),
        ("<gpx>" + "<a>" * 1000, ("element a", "", "nested deeper than 64 levels")),
        ('<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>', ("", "", "a document type")),
        ('<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>', ("", "", "a document type")),
    ],
)  # fmt: skip
def test_faults(text, expected):
    found = faults(text)
    assert found[0][:2] == expected[:2]
    assert found[0][2].startswith(expected[2])


def test_all_faults_of_a_file_are_told():
    text = document(track(point("x", 200, 0, ele="y"), point(1, 2, 5) + point(1, 2, 3)))
    assert [fault[:2] for fault in faults(text)] == [
        ("track 1, segment 1, point 1", "lat"), ("track 1, segment 1, point 1", "lon"),
        ("track 1, segment 1, point 1", "ele"), ("track 1, segment 2, point 2", "time"),
    ]  # fmt: skip


def test_a_time_that_cannot_be_read_is_one_fault_not_three():
    text = segment(point(1, 2, 0), point(1, 2, more="<time>noon</time>"), point(1, 2, 9))
    assert faults(text) == [("track 1, segment 1, point 2", "time", "not a time")]


def test_a_zone_does_not_move():
    assert faults(segment(point(1, 2, 0)), kind=ZoneKind.BUFFER) == [("track 1", "kind", "a zone does not move")]


def test_a_file_over_the_cap_is_refused(monkeypatch):
    monkeypatch.setattr(gpx, "MOST_BYTES", 500)
    assert faults(segment(*(point(1, 2, second) for second in range(20)))) == [
        ("", "", "larger than 500 bytes, the most that is read of GPX")
    ]


def operations_if_sound(data) -> tuple[Operation, ...]:
    """What is in the file; nothing if it is refused, as it should be, with faults."""
    try:
        operations = read(data).operations
    except InputError as error:
        return () if error.faults else pytest.fail("refused without a fault")
    return operations or pytest.fail("neither values nor a fault")


numbers = st.floats(-90.0, 90.0).map(repr)
points = st.tuples(numbers, numbers, st.integers(0, 59), st.none() | st.floats(-400.0, 9000.0))
tracks = st.lists(st.lists(points, min_size=1, max_size=5), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(tracks)
def test_the_same_positions_as_gpxpy(made):
    body = "".join(
        track("".join(point(lat, lon, second, ele=ele) for lat, lon, second, ele in sorted(run, key=lambda p: p[2])))
        for run in made
    )
    text = document(body)
    ours = read(text).operations
    theirs = gpxpy.parse(text).tracks
    assert len(ours) == len(theirs)
    for operation, other in zip(ours, theirs, strict=True):
        (flown,) = operation.tracks
        reference = other.segments[0].points
        assert flown.lat_deg.tolist() == [p.latitude for p in reference]
        assert flown.lon_deg.tolist() == [p.longitude for p in reference]
        assert flown.time_s.tolist() == [p.time.timestamp() for p in reference]
        expected = [np.nan if p.elevation is None else p.elevation for p in reference]
        assert np.array_equal(flown.height_m, expected, equal_nan=True)


MADE = document(
    track(point(1, 2, 0, ele=3) + point(2, 3, 4), point(5, 6, 7), name="A") + f"<rte>{point(1, 2, tag='rtept')}</rte>"
).encode()


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_changed_bytes_give_values_or_input_error(data):
    raw = bytearray(MADE)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for operation in operations_if_sound(bytes(raw)):
        assert operation.tracks or operation.volumes
