"""Positions in Parquet: types that are read, types that are refused, broken files, and exactness in bulk."""

import io
import os
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.formats import csv_positions, parquet
from keepclear.formats.reading import Reading
from keepclear.model.operations import Operation, Plans

NAN = float("nan")
T0 = 1767225600.0


def columns(**changes) -> dict[str, pa.Array]:
    table = {
        "operation": pa.array(["A", "A", "B"]),
        "time": pa.array([T0, T0 + 60.0, T0]),
        "lat": pa.array([35.25, 35.5, 36.0]),
        "lon": pa.array([40.5, 40.75, 41.0]),
        "height_m": pa.array([100.0, 200.0, None]),
    }
    table.update(changes)
    return {name: column for name, column in table.items() if column is not None}


def written(table, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink, **options)
    return sink.getvalue()


def read(data: bytes, **options) -> Plans:
    return parquet.read(io.BytesIO(data), Reading("f.parquet", "UN"), **options)


def faults(data: bytes) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        read(data)
    return [(fault.feature, fault.field, fault.problem) for fault in caught.value.faults]


def as_values(plans: Plans):
    return [
        (o.party, o.id, o.kind, [
            (t.time_s.tolist(), t.lat_deg.tolist(), t.lon_deg.tolist(), np.nan_to_num(t.height_m, nan=-1.0).tolist(),
             t.basis, t.height_reference)
            for t in o.tracks
        ])
        for o in plans.operations
    ]  # fmt: skip


def moments(unit: str, zone: str | None = "UTC") -> pa.Array:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pa.array([start, start + timedelta(minutes=1), start], pa.timestamp(unit, zone))


SAME = {
    "plain": {},
    "coded operation": {"operation": pa.array(["A", "A", "B"]).dictionary_encode()},
    "large strings": {"operation": pa.array(["A", "A", "B"], pa.large_string())},
    "seconds": {"time": moments("s")},
    "milliseconds": {"time": moments("ms")},
    "microseconds elsewhere": {"time": moments("us", "Asia/Damascus")},
    "nanoseconds": {"time": moments("ns", "+03:00")},
    "whole seconds": {"time": pa.array([int(T0), int(T0) + 60, int(T0)])},
    "RFC 3339": {"time": pa.array(["2026-01-01T00:00:00Z", "2026-01-01T03:01:00+03:00", "2026-01-01T00:00:00.0Z"])},
    "coded RFC 3339": {"time": pa.array(["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:00:00Z"])
                       .dictionary_encode()},
    "decimals": {"lat": pa.array([Decimal("35.25"), Decimal("35.50"), Decimal("36.00")])},
    "texts": {"lat": pa.array(["35.25", "35,5", "٣٦"])},
    "whole degrees": {"height_m": pa.array([100, 200, None], pa.int32())},
    "NaN for a missing height": {"height_m": pa.array([100.0, 200.0, NAN])},
    "single precision heights": {"height_m": pa.array([100.0, 200.0, None], pa.float32())},
}  # fmt: skip


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_the_same_positions_in_other_types(changes):
    assert as_values(read(written(columns(**changes)))) == as_values(read(written(columns())))


def test_csv_and_parquet_give_the_same():
    text = (
        "operation,time,lat,lon,height_m\nA,2026-01-01T00:00:00.123456Z,35.25,40.5,100\n"
        "A,2026-01-01T00:01:00.001Z,35.5,40.75,200\nB,2026-01-01T00:00:00Z,36,41,\n"
    )
    times = [datetime(2026, 1, 1, 0, 0, 0, 123456, UTC), datetime(2026, 1, 1, 0, 1, 0, 1000, UTC)]
    times.append(datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3))))
    from_csv = csv_positions.read(io.BytesIO(text.encode()), Reading("f.csv", "UN"))
    from_parquet = read(written(columns(time=pa.array(times, pa.timestamp("us", "UTC")))))
    assert as_values(from_csv) == as_values(from_parquet)


def test_whole_numbers_name_operations():
    plans = read(written(columns(operation=pa.array([7, 7, 8]))))
    assert [o.id for o in plans.operations] == ["7", "8"]


def test_a_top_speed_may_be_a_number():
    plans = read(written(columns(top_speed_m_s=pa.array([250.5, 250.5, None]))))
    assert [o.top_speed_m_s for o in plans.operations] == [250.5, None]


def test_single_precision_positions_are_uncertain():
    plans = read(written(columns(lon=pa.array([40.5, 40.75, 41.0], pa.float32()))))
    assert [o.tracks[0].uncertainty_m for o in plans.operations] == [1.0, 1.0]
    assert any("lon in single precision" in warning for warning in plans.warnings)


def test_uncertainty_of_single_precision_is_added_to_what_the_file_says():
    plans = read(written(columns(
        lon=pa.array([40.5, 40.75, 41.0], pa.float32()), uncertainty_m=pa.array([5.0, 0.0, None]),
    )))  # fmt: skip
    assert [np.asarray(o.tracks[0].uncertainty_m).tolist() for o in plans.operations] == [[6.0, 1.0], [1.0]]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"time": None}, ("", "time", "the column is missing")),
        ({"time": moments("us", None)}, ("", "time", "the times have no zone")),
        ({"time": pa.array([0.0, 1.0, 2.0], pa.float32())}, ("", "time", "single precision holds seconds")),
        ({"time": pa.array([1, 2, 3], pa.date32())}, ("", "time", "the column is of a type that gives no time")),
        ({"time": pa.array([T0, None, T0])}, ("row 2", "time", "no time")),
        ({"time": pa.array([np.inf, T0, T0])}, ("row 1", "time", "not a time between the years")),
        (
            {"time": pa.array([0, 1 << 62, 0], pa.timestamp("us", "Mars/Olympus"))},
            ("row 2", "time", "not a time between"),
        ),
        ({"time": pa.array([0, None, 1], pa.timestamp("ns", "UTC"))}, ("row 2", "time", "no time")),
        ({"time": pa.array([1e300, T0, T0])}, ("row 1", "time", "not a time between the years")),
        ({"time": pa.array([T0, T0 - 1.0, T0])}, ("row 2", "time", "the time goes back")),
        ({"time": pa.array(["2026-01-01", "2026-01-01", "2026-01-01"])}, ("row 1", "time", "not a time")),
        ({"lat": pa.array([[1.0], [2.0], [3.0]])}, ("", "lat", "the column is of a type that gives no number")),
        ({"lat": pa.array([True, False, True])}, ("", "lat", "the column is of a type that gives no number")),
        ({"lat": pa.array([1.0, 2.0, 3.0], pa.float16())}, ("", "lat", "half precision")),
        ({"lat": pa.array([35.0, None, 36.0])}, ("row 2", "lat", "no value")),
        ({"lat": pa.array([35.0, 35.0, NAN])}, ("row 3", "lat", "no value")),
        ({"lon": pa.array([40.0, np.inf, 41.0])}, ("row 2", "lon", "longitude out of range")),
        ({"height_m": pa.array([0.0, 2e6, 0.0])}, ("row 2", "height_m", "number out of range")),
        ({"height_m": pa.array([{"a": 1}, None, None])}, ("", "height_m", "the column is of a type")),
        ({"operation": pa.array([b"A", b"A", b"B"])}, ("", "operation", "the column is of a type that gives no text")),
        ({"operation": pa.array(["A", None, "B"])}, ("row 2", "operation", "no operation")),
        ({"operation": pa.array(["A", " ", "B"])}, ("row 2", "operation", "no operation")),
        ({"kind": pa.array(["flight", "flight", "tank"])}, ("row 3", "kind", "unknown kind of operation")),
        ({"kind": pa.array(["flight", "uas", "uas"])}, ("row 2", "kind", "operation 'A' had 'flight'")),
        ({"LAT": pa.array([1.0, 1.0, 1.0])}, ("", "lat", "the column is there twice")),
    ],
)
def test_faults(changes, expected):
    found = faults(written(columns(**changes)))
    assert found[0][:2] == expected[:2]
    assert found[0][2].startswith(expected[2])


def test_no_rows():
    empty = {name: column.slice(0, 0) for name, column in columns().items()}
    assert faults(written(empty)) == [("", "", "no positions in it")]


@pytest.mark.parametrize("keep", [0, 3, 4, 8, 100, -1, -9])
def test_a_file_cut_short(keep):
    ((_, _, problem),) = faults(written(columns())[:keep])
    assert problem.startswith("not a sound Parquet file")


def test_a_damaged_page_is_noticed_where_the_file_has_checksums():
    data = bytearray(written(columns(), write_page_checksum=True, compression="none", use_dictionary=False))
    place = data.index(np.float64(35.5).tobytes())
    data[place] ^= 1
    ((_, _, problem),) = faults(bytes(data))
    assert "checksum" in problem.lower() or "crc" in problem.lower()


def test_a_small_file_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(parquet, "_ANY_ROWS", 1000)
    rows = 2_000_000
    same = {"operation": pa.array(["A"]).dictionary_encode().take(pa.array(np.zeros(rows, np.int64)))}
    same |= {name: pa.array(np.zeros(rows)) for name in ("time", "lat", "lon")}
    data = written(same, compression="zstd")
    ((_, _, problem),) = faults(data)
    assert problem == f"2000000 rows in {len(data)} bytes: the same few values over and over"


def test_a_pipe_is_read_too():
    out, into = os.pipe()
    with os.fdopen(into, "wb") as pipe:
        pipe.write(written(columns()))
    with os.fdopen(out, "rb") as pipe:
        plans = parquet.read(pipe, Reading("f.parquet", "UN"))
    assert as_values(plans) == as_values(read(written(columns())))


def bulk(rows: int, *, by_time: bool) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    operation = np.sort(rng.integers(0, 3000, rows))
    time = T0 + np.cumsum(rng.uniform(0.001, 1.0, rows))
    if by_time:
        operation = rng.permutation(operation)
    return {
        "operation": operation, "time": time, "lat": rng.uniform(-90, 90, rows), "lon": rng.uniform(-180, 180, rows),
        "height_m": rng.uniform(0, 12_000, rows),
    }  # fmt: skip


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("coded", [False, True])
def test_200_000_rows_come_out_exactly_as_they_went_in(by_time, coded):
    raw = bulk(200_000, by_time=by_time)
    names = pa.array([f"OP{number}" for number in raw["operation"]])
    data = {**raw, "operation": names.dictionary_encode() if coded else names}
    operations = read(written(data, row_group_size=30_000)).operations
    order = np.argsort(raw["operation"], kind="stable")
    bounds = np.flatnonzero(np.diff(raw["operation"][order])) + 1
    expected = {f"OP{raw['operation'][rows[0]]}": rows for rows in np.split(order, bounds)}
    assert [o.id for o in operations] == sorted(expected, key=lambda name: expected[name][0])
    for operation in operations:
        (track,) = operation.tracks
        rows = expected[operation.id]
        for column, values in (("time", track.time_s), ("lat", track.lat_deg), ("lon", track.lon_deg)):
            assert np.array_equal(values, raw[column][rows])
        assert np.array_equal(track.height_m, raw["height_m"][rows])


def test_a_window_over_many_batches_is_the_same_as_over_one(monkeypatch):
    raw = bulk(5_000, by_time=True)
    data = written({**raw, "operation": pa.array([f"OP{number % 40}" for number in raw["operation"]])})
    window = (float(raw["time"][1000]), float(raw["time"][1200]))
    whole = as_values(read(data, window=window))
    monkeypatch.setattr(parquet, "_BATCH_ROWS", 37)
    assert sorted(as_values(read(data, window=window))) == sorted(whole)
    assert 200 < sum(len(tracks[0][0]) for *_, tracks in whole) < 300


def operations_if_sound(data) -> tuple[Operation, ...]:
    """What is in the file; nothing if it is refused, as it should be, with faults."""
    try:
        operations = read(data).operations
    except InputError as error:
        return () if error.faults else pytest.fail("refused without a fault")
    return operations or pytest.fail("neither values nor a fault")


MADE = written(columns(party=pa.array(["US", "US", "RU"])))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_changed_bytes_give_values_or_input_error(data):
    raw = bytearray(MADE)
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for operation in operations_if_sound(bytes(raw)):
        for track in operation.tracks:
            assert (np.abs(track.lat_deg) <= 90.0).all()
            assert (np.diff(track.time_s) >= 0.0).all()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_between_the_marks_give_input_error(middle):
    with pytest.raises(InputError):
        read(b"PAR1" + middle + b"PAR1")


def test_operations_whose_rows_are_mixed_and_those_whose_rows_are_together_are_read_alike() -> None:
    ids, times = np.repeat(["A", "B", "C"], 40), np.tile(np.arange(40.0), 3)
    parties = np.where(times < 20.0, "UN", "RU")  # an operation's second half is another party's
    lat = np.linspace(35.0, 36.0, 120)

    def tracks(order) -> dict[tuple[str, str], list[float]]:
        table = {"operation": ids, "party": parties, "time": T0 + times, "lat": lat, "lon": lat}
        plans = read(written({name: pa.array(column[order]) for name, column in table.items()}))
        return {(one.party, one.id): one.tracks[0].lat_deg.tolist() for one in plans.operations}

    together, mixed = tracks(np.arange(120)), tracks(np.argsort(times, kind="stable"))
    assert together == mixed
    assert {key: len(track) for key, track in together.items()} == {(p, i): 20 for i in "ABC" for p in ("UN", "RU")}
