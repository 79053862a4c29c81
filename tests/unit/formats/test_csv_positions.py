"""Positions in CSV: what is read, what is refused and on which line, and that nothing else comes out."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.formats import csv_positions
from keepclear.formats.lines import LONGEST_LINE_BYTES
from keepclear.formats.reading import Reading
from keepclear.model.extents import TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind
from keepclear.model.operations import Operation, Plans

NAN = float("nan")


def read(text, *, kind=None, **options) -> Plans:
    data = text.encode() if isinstance(text, str) else text
    return csv_positions.read(io.BytesIO(data), Reading("f.csv", "UN", kind), **options)


def one(text, **options) -> Operation:
    (operation,) = read(text, **options).operations
    return operation


def faults(text, **options) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        read(text, **options)
    assert all(fault.file == "f.csv" for fault in caught.value.faults)
    return [(fault.feature, fault.field, fault.problem) for fault in caught.value.faults]


FULL = """operation,party,kind,time,lat,lon,height_m
A,US,flight,2026-01-01T00:00:00Z,35.25,40.5,100
B,RU,convoy,2026-01-01T03:00:30.125+03:00,36.5,41.0,
A,US,flight,2026-01-01T00:01:00Z,35.5,40.75,200.5
"""


def test_interleaved_operations_keep_their_rows_in_order():
    a, b = read(FULL).operations
    assert (a.party, a.id, a.kind, b.party, b.id, b.kind) == (
        "US", "A", OperationKind.FLIGHT, "RU", "B", OperationKind.CONVOY,
    )  # fmt: skip
    (track,) = a.tracks
    assert track.time_s.tolist() == [1767225600.0, 1767225660.0]
    assert track.lat_deg.tolist() == [35.25, 35.5]
    assert track.lon_deg.tolist() == [40.5, 40.75]
    assert track.height_m.tolist() == [100.0, 200.5]
    assert (track.basis, track.height_reference) == (TrackBasis.FLOWN, HeightReference.W84)
    assert not track.time_s.flags.writeable
    assert b.tracks[0].time_s.tolist() == [1767225630.125]
    assert np.isnan(b.tracks[0].height_m).all()


def test_party_and_kind_of_the_reading_fill_what_cells_leave_empty():
    plans = read("operation,party,kind,time,lat,lon\nA,,,0,1,2\nB,RU,UAS,0,1,2\n", kind=OperationKind.PATROL)
    assert [(o.party, o.kind) for o in plans.operations] == [("UN", OperationKind.PATROL), ("RU", OperationKind.UAS)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", ["", "end"])
def test_delimiters_line_endings_and_byte_order_marks(delimiter, ending, mark, last):
    text = mark + FULL.replace(",", delimiter).replace("\n", ending)
    operations = read(text if last else text.removesuffix(ending)).operations
    assert [len(o.tracks[0].time_s) for o in operations] == [2, 1]
    assert operations[0].tracks[0].lat_deg.tolist() == [35.25, 35.5]


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        ("35,28", "40,5", (35.28, 40.5)),
        ("٣٥٫٢٨", "٤٠", (35.28, 40.0)),
        ("-1.5e1", "+40.", (-15.0, 40.0)),
        ("−35.5", " 40.5 ", (-35.5, 40.5)),
        ("۳۵", ".5", (35.0, 0.5)),
        ("1,234", "12,345", (1.234, 12.345)),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_numbers_as_people_write_them(lat, lon, expected, delimiter):
    cells = [f'"{cell}"' for cell in ("A", "0", lat, lon)]
    track = one(f"{delimiter.join(['operation', 'time', 'lat', 'lon'])}\n{delimiter.join(cells)}\n").tracks[0]
    assert (track.lat_deg[0], track.lon_deg[0]) == expected


def test_degrees_minutes_and_seconds_add_their_coarseness_to_every_row():
    plans = read("operation,time,lat,lon,uncertainty_m\nA,0,35°17′07″N,040°09′00″E,5\nA,1,35.2852,40.15,\n")
    track = plans.operations[0].tracks[0]
    assert track.lat_deg.tolist() == pytest.approx([35 + 17 / 60 + 7 / 3600, 35.2852])
    assert track.lon_deg.tolist() == [40.15, 40.15]
    assert (np.diff(track.uncertainty_m) == -5.0).all()
    assert 15.0 < track.uncertainty_m[1] < 40.0
    assert any("minutes and seconds" in warning for warning in plans.warnings)


@pytest.mark.parametrize(
    ("column", "cell", "metres", "reference"),
    [
        ("height_m", "100", 100.0, HeightReference.W84),
        ("height_amsl_m", "100", 100.0, HeightReference.AMSL),
        ("height_ft", "1000", 304.8, HeightReference.W84),
        ("height_fl", "150", 4572.0, HeightReference.FL),
        ("height_m", "", NAN, HeightReference.W84),
        ("HEIGHT_M ", "nan", NAN, HeightReference.W84),
    ],
)
def test_heights(column, cell, metres, reference):
    track = one(f"operation,time,lat,lon,{column}\nA,0,1,2,{cell}\n").tracks[0]
    assert track.height_m.tolist() == pytest.approx([metres], nan_ok=True)
    assert track.height_reference == reference


def test_one_height_column_is_taken_and_the_others_are_named():
    plans = read("operation,time,lat,lon,height_ft,height_m\nA,0,1,2,1000,7\n")
    assert plans.operations[0].tracks[0].height_m.tolist() == [7.0]
    assert any("height_m; left aside: 'height_ft'" in warning for warning in plans.warnings)


def test_height_reference_column():
    track = one("operation,time,lat,lon,height_ft,height_reference\nA,0,1,2,10,msl\n").tracks[0]
    assert track.height_reference == HeightReference.AMSL
    assert faults("operation,time,lat,lon,height_m,height_reference\nA,0,1,2,150,FL\n") == [
        ("line 2", "height_reference", "a number in metres or feet cannot be a flight level")
    ]


def test_the_optional_columns():
    header = (
        "operation,time,lat,lon,track,uncertainty_m,early_s,late_s,domain,callsign,top_speed_m_s,joint_plan,joint_with"
    )
    row = ",1,2,Planned,30,60,unlimited,ground,RED 1,25.5,DAWN,B|C"
    operation = one(f"{header}\nA,0{row}\nA,60{row}\n")
    track = operation.tracks[0]
    assert track.basis == TrackBasis.PLANNED
    assert np.broadcast_to(track.uncertainty_m, 2).tolist() == [30.0, 30.0]
    assert np.broadcast_to(track.early_s, 2).tolist() == [60.0, 60.0]
    assert np.broadcast_to(track.late_s, 2).tolist() == [np.inf, np.inf]
    assert (operation.domains, operation.name, operation.top_speed_m_s) == ({Domain.GROUND}, "RED 1", 25.5)
    assert operation.joint
    assert (operation.joint.plan, operation.joint.operations) == ("DAWN", {"B", "C"})


def test_a_plan_and_what_was_flown_are_two_tracks_of_one_operation():
    operation = one("operation,time,lat,lon,track\nA,0,1,2,planned\nA,9,1,2,flown\nA,5,1,2,planned\n")
    assert [(t.basis, t.time_s.tolist()) for t in operation.tracks] == [
        (TrackBasis.PLANNED, [0.0, 5.0]), (TrackBasis.FLOWN, [9.0]),
    ]  # fmt: skip


def test_two_parties_may_use_one_id():
    plans = read("operation,party,time,lat,lon\nA,US,5,1,2\nA,RU,0,3,4\nA,US,6,1,2\nA,RU,9,3,4\n")
    assert [(o.party, o.id, o.tracks[0].time_s.tolist()) for o in plans.operations] == [
        ("US", "A", [5.0, 6.0]), ("RU", "A", [0.0, 9.0]),
    ]  # fmt: skip


def test_repeated_rows_are_left_out_and_counted():
    plans = read("operation,time,lat,lon,height_m\nA,0,1,2,\nB,0,1,2,\nA,0,1,2,\nA,0,1,3,\nA,1,1,3,\n")
    assert [len(o.tracks[0].time_s) for o in plans.operations] == [3, 1]
    assert sum("1 row repeats" in warning for warning in plans.warnings) == 1


def test_unread_columns_are_listed_once():
    (warning, *_) = read("operation,time,lat,lon,altitude,squawk\nA,0,1,2,3,4\n").warnings
    assert "'altitude', 'squawk'" in warning
    assert "height_m" in warning


@pytest.mark.parametrize(
    "time",
    ["2026-01-01T00:00:00Z", "2026-01-01 03:00:00+03:00", "1767225600", "1767225600.0", "2025-12-31T23:59:60Z",
     '"2026-01-01T00:00:00,000Z"', "2026-01-01T00:00:00.0000000Z"],
)  # fmt: skip
def test_times(time):
    assert one(f"operation,time,lat,lon\nA,{time},1,2\n").tracks[0].time_s.tolist() == [1767225600.0]


HEAD = "operation,time,lat,lon,height_m\n"
GOOD = "A,0,1,2,3\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "", "nothing in it")),
        ("\n\n", ("", "", "nothing in it")),
        (HEAD, ("", "", "no positions in it")),
        ("operation,lat,lon\nA,1,2\n", ("", "time", "the column is missing")),
        ("operation,time,lat,lon,lat\nA,0,1,2,1\n", ("", "lat", "the column is there twice")),
        (HEAD + GOOD + "A,1,91,2,3\n", ("line 3", "lat", "latitude out of range")),
        (HEAD + GOOD + "A,1,1,-181,3\n", ("line 3", "lon", "longitude out of range")),
        (HEAD + GOOD + "A,1,,2,3\n", ("line 3", "lat", "no value")),
        (HEAD + GOOD + "A,1,1,nan,3\n", ("line 3", "lon", "no value")),
        (HEAD + GOOD + "A,1,1,inf,3\n", ("line 3", "lon", "longitude out of range")),
        (HEAD + GOOD + "A,1,1,2,1e400\n", ("line 3", "height_m", "number out of range")),
        (HEAD + GOOD + "A,1,1,2,155 m\n", ("line 3", "height_m", "not a number")),
        (HEAD + GOOD + 'A,1,1,2,"1,234"\n', ("line 3", "height_m", "the comma could mark decimals or thousands")),
        (HEAD + GOOD + "A,,1,2,3\n", ("line 3", "time", "no time")),
        (HEAD + GOOD + "A,2026-01-01T00:00:00,1,2,3\n", ("line 3", "time", "the time has no zone")),
        (HEAD + GOOD + "A,2026-02-30T00:00:00Z,1,2,3\n", ("line 3", "time", "no such time")),
        (HEAD + GOOD + "A,1767225600000,1,2,3\n", ("line 3", "time", "not a time between")),
        (HEAD + "\n\nA,5,1,2,3\n\nA,4,1,2,3\n", ("line 6", "time", "the time goes back")),
        (HEAD + GOOD + ",1,1,2,3\n", ("line 3", "operation", "no operation")),
        (HEAD + GOOD + "A,1,1,2\n", ("line 3", "", "4 cells in this line")),
        (HEAD + GOOD + "A,1,1,2,3,4\n", ("line 3", "", "6 cells in this line")),
        (HEAD + GOOD + '"A\nB",1,1,2,3\n', ("line 3", "", "a quoted cell goes on")),
        (HEAD + GOOD + "A,1,1,2,3\rA,2,1,2,3\n", ("line 3", "", "a carriage return inside")),
        ((HEAD + GOOD).replace("\n", "\r"), ("line 1", "", "a carriage return inside")),
        ("operation,kind,time,lat,lon\nA,tank,0,1,2\n", ("line 2", "kind", "unknown kind of operation")),
        ("operation,kind,time,lat,lon\nA,uas,0,1,2\nA,sar,1,1,2\n", ("line 3", "kind", "operation 'A' had 'uas'")),
        (
            "operation,kind,time,lat,lon\n" + "".join(f"A,uas,{t},1,2\n" for t in range(9)) + "A,sar,9,1,2\n",
            ("line 11", "kind", "operation 'A' had 'uas'"),
        ),
        ("operation,track,time,lat,lon\nA,guessed,0,1,2\n", ("line 2", "track", "not a sort of track")),
        ("operation,domain,time,lat,lon\nA,space,0,1,2\n", ("line 2", "domain", "unknown domain")),
        ("operation,early_s,time,lat,lon\nA,-1,0,1,2\n", ("line 2", "early_s", "number out of range")),
        ("operation,top_speed_m_s,time,lat,lon\nA,0,0,1,2\n", ("line 2", "top_speed_m_s", "not a top speed")),
        ("operation,joint_plan,time,lat,lon\nA,DAWN,0,1,2\n", ("line 2", "joint_with", "half of a joint plan")),
        ("operation,track,kind,time,lat,lon\nA,planned,uas,0,1,2\nA,flown,sar,0,1,2\n",
         ("line 3", "kind", "the operation's other track says otherwise")),
        (HEAD.encode() + b"A\xff,0,1,2,3\n", ("line 2", "", "not UTF-8")),
        (HEAD.encode("utf-16"), ("", "", "UTF-16")),
        (HEAD.encode("utf-16-le"), ("line 1", "", "a zero byte")),
        (HEAD + "A" * (LONGEST_LINE_BYTES + 1), ("line 2", "", "a line longer than 2 MiB")),
    ],
)  # fmt: skip
def test_faults(text, expected):
    (fault,) = faults(text)
    assert fault[:2] == expected[:2]
    assert fault[2].startswith(expected[2])


def test_all_faults_of_a_file_are_told():
    text = HEAD + "A,x,91,2,3\nA,1,1,200,y\n" + GOOD
    assert {fault[:2] for fault in faults(text)} == {
        ("line 2", "time"), ("line 2", "lat"), ("line 3", "lon"), ("line 3", "height_m"),
    }  # fmt: skip


def test_positions_cannot_be_a_zone():
    assert faults(HEAD + GOOD, kind=ZoneKind.BUFFER) == [("line 2", "kind", "a zone does not move")]


class _Endless(io.RawIOBase):
    """A line that never ends, and a count of what was read of it."""

    def __init__(self) -> None:
        self.served = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.served += size
        return b"9" * size


def test_an_endless_line_is_given_up_after_a_few_megabytes():
    stream = _Endless()
    with pytest.raises(InputError, match="line 1: a line longer than 2 MiB"):
        csv_positions.read(stream, Reading("f.csv", "UN"))
    assert stream.served <= 4 * LONGEST_LINE_BYTES


def _bulk(rng, rows: int) -> list[tuple[str, float, float, float, float]]:
    names = [f"OP{number}" for number in rng.integers(0, 500, rows)]
    times = 1.7e9 + np.round(np.cumsum(rng.uniform(0.001, 1.0, rows)), 3)
    lats, lons = rng.uniform(-90, 90, rows), rng.uniform(-180, 180, rows)
    heights = rng.uniform(-100, 12_000, rows)
    return list(zip(names, times.tolist(), lats.tolist(), lons.tolist(), heights.tolist(), strict=True))


def test_200_000_rows_come_out_exactly_as_they_went_in():
    rows = _bulk(np.random.default_rng(7), 200_000)
    text = "".join(f"{operation},{time!r},{lat!r},{lon!r},{height!r}\n" for operation, time, lat, lon, height in rows)
    expected: dict[str, list[tuple[float, float, float, float]]] = {}
    for operation, *numbers in rows:
        expected.setdefault(operation, []).append(tuple(numbers))
    operations = read(HEAD + text).operations
    assert [o.id for o in operations] == list(expected)
    for operation in operations:
        (track,) = operation.tracks
        columns = (track.time_s, track.lat_deg, track.lon_deg, track.height_m)
        assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected[operation.id]


def test_the_line_of_a_fault_far_down_is_exact():
    lines = [f"OP{i % 7},{i},1,2,3\n" for i in range(300_000)]
    lines[100_000] = "\n"
    lines[250_000] = "OP1,5,1,2,3\n"
    lines[250_001] = "OP1,250001,1,x,3\n"
    found = faults(HEAD + "".join(lines))
    assert ("line 250003", "lon", "not a number") in found
    assert faults(HEAD + "".join(lines[:250_001]))[0][0] == "line 250002"


@pytest.mark.parametrize("block", [97, 1 << 21])
def test_a_window_keeps_every_leg_that_touches_it_and_nothing_else(block, monkeypatch):
    monkeypatch.setattr("keepclear.formats.lines.LONGEST_LINE_BYTES", block)
    rng = np.random.default_rng(3)
    times = np.sort(rng.integers(0, 1000, 400)).tolist()
    rows = [(int(rng.integers(0, 12)), time) for time in times]
    text = HEAD + "".join(f"OP{operation},{time},1,{index / 10},3\n" for index, (operation, time) in enumerate(rows))
    low, high = 400.0, 450.0
    everything = {o.id: o.tracks[0] for o in read(text).operations}
    cut = {o.id: o.tracks[0] for o in read(text, window=(low, high)).operations}
    for name, whole in everything.items():
        time, n = whole.time_s, len(whole.time_s)
        keep = (time >= low) & (time <= high)
        for i in range(n - 1):
            if time[i] <= high and time[i + 1] >= low:
                keep[i] = keep[i + 1] = True
        kept = cut[name].lon_deg.tolist() if name in cut else []
        assert kept == whole.lon_deg[keep].tolist()


def test_time_that_goes_back_outside_the_window_is_a_fault_all_the_same():
    assert faults(HEAD + "A,5,1,2,3\nA,4,1,2,3\nA,900,1,2,3\n", window=(900.0, 1000.0)) == [
        ("line 3", "time", "the time goes back: operation 'A' was at 1970-01-01T00:00:05.000Z")
    ]


def test_a_window_with_nothing_in_it_gives_no_operations_and_no_fault():
    assert read(HEAD + GOOD, window=(100.0, None)).operations == ()


def test_with_slip_a_window_keeps_everything():
    text = "operation,time,lat,lon,late_s\nA,0,1,2,999\nA,10,1,2,0\n"
    assert len(one(text, window=(900.0, 1000.0)).tracks[0].time_s) == 2


def operations_if_sound(data) -> tuple[Operation, ...]:
    """What is in the file; nothing if it is refused, as it should be, with faults."""
    try:
        operations = read(data).operations
    except InputError as error:
        return () if error.faults else pytest.fail("refused without a fault")
    return operations or pytest.fail("neither values nor a fault")


_NUMBERS = ("0", "1", "-1", "1e3", "91", "nan", "inf", "1e999", "35,2", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00")
_TEXTS = ("A", "B", "US", "x", "é", "planned", "", '"', "\n", "\r", ",", ";", "\t", "\0")
_BITS = st.sampled_from((*_NUMBERS, *_TEXTS))


@settings(max_examples=300, deadline=None)
@given(st.lists(_BITS, max_size=60), st.sampled_from([HEAD, FULL, "operation;time;lat;lon;late_s\n", ""]))
def test_any_text_gives_values_or_input_error(bits, head):
    for operation in operations_if_sound(head + ",".join(bits)):
        assert all(np.isfinite(track.time_s).all() for track in operation.tracks)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_changed_bytes_give_values_or_input_error(data):
    raw = bytearray(FULL.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for operation in operations_if_sound(bytes(raw)):
        for track in operation.tracks:
            assert (np.abs(track.lat_deg) <= 90.0).all()
            assert (np.diff(track.time_s) >= 0.0).all()
