import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.agreements.terms.quantities import (
    months_after_s,
    read_duration,
    read_height,
    read_length,
    read_moment,
    read_months,
    said_duration,
    said_length,
)
from keepclear.errors import InputError
from keepclear.model.heights import HeightReference
from keepclear.times import parse_time


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("10 km", 10_000.0), ("10km", 10_000.0), ("5 NM", 9260.0), ("1000 ft", 304.8), ("0 m", 0.0), ("2,5 km", 2500.0),
        ("٢٫٥ km", 2500.0),
    ],
)  # fmt: skip
def test_lengths(text, metres):
    assert read_length(text) == pytest.approx(metres)


@pytest.mark.parametrize(
    "text",
    [
        "10",
        10,
        10.0,
        None,
        "",
        "km",
        "10 kmh",
        "10 M",
        "10 mi",
        "-1 km",
        "1e9 km",
        "1,234 km",
        "nan m",
        [],
        "9" * 300 + " m",
    ],
)
def test_what_is_no_length(text):
    with pytest.raises(InputError) as raised:
        read_length(text)
    assert "km" in raised.value.faults[0].right


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("150 h", 540_000.0), ("45 s", 45.0), ("30 min", 1800.0), ("2 d", 172_800.0), ("1 day", 86_400.0)],
)
def test_durations(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["150", 150, "150 km", "3 months", "1 D", "10 m"])
def test_what_is_no_duration(text):
    with pytest.raises(InputError):
        read_duration(text)


def test_heights():
    assert read_height("FL250").value_m == pytest.approx(7620.0)
    assert read_height("FL250").reference is HeightReference.FL
    assert read_height("3000 ft AMSL").value_m == pytest.approx(914.4)
    assert read_height("100 m AGL").reference is HeightReference.AGL
    assert read_height("GND").value_m == 0.0
    for wrong in ("FL", "100", "100 m", "3000 ft", "FL2500", "100 m FL", 100):
        with pytest.raises(InputError):
            read_height(wrong)


def test_the_deadline_of_the_memorandum():
    assert read_moment("2019-10-23T09:00Z + 150 h") == parse_time("2019-10-29T15:00:00Z")
    assert read_moment("2019-10-23T12:00:00+03:00 + 150 h") == parse_time("2019-10-29T15:00:00Z")
    for wrong in (
        "2019-10-23T09:00",
        "2019-10-23",
        "2019-13-01T00:00Z",
        "2019-10-23T09:00Z + 150",
        "9999-12-31T00:00Z + 900 d",
        5,
    ):
        with pytest.raises(InputError):
            read_moment(wrong)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2019-08-31T12:00:00Z", 6, "2020-02-29T12:00:00Z"),
        ("2019-10-22T00:00:00Z", 12, "2020-10-22T00:00:00Z"),
        ("2019-12-31T23:59:59Z", 2, "2020-02-29T23:59:59Z"),
        ("2019-11-15T00:00:00Z", 1, "2019-12-15T00:00:00Z"),
        ("2019-10-31T00:00:00Z", 2, "2019-12-31T00:00:00Z"),
    ],
)
def test_months_of_the_calendar(start, months, end):
    assert months_after_s(parse_time(start), months) == parse_time(end)


def test_months_as_written():
    assert (read_months("6 months"), read_months("2 years"), read_months("1 month")) == (6, 24, 1)
    for wrong in ("6", "0 months", "6 m", "200 years", 6):
        with pytest.raises(InputError):
            read_months(wrong)


@given(st.integers(0, 10**7))
def test_lengths_are_said_so_that_they_are_read_as_the_same(metres):
    said = said_length(float(metres)).replace(",", "")
    assert read_length(said) == pytest.approx(metres, abs=10.0)


def test_durations_are_said_as_people_say_them():
    assert said_duration(150 * 3600.0) == "6 d 6 h"
    assert said_duration(72 * 3600.0) == "72 h"
    assert said_duration(-1620.0) == "27 min"
    assert said_duration(0.4) == "0 s"
