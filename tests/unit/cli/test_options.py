from __future__ import annotations

import pytest

from keepclear.cli.options import (
    Faults,
    check_files,
    parse_area,
    parse_choice,
    parse_jobs,
    parse_numbers,
    parse_seconds,
    parse_window,
    refuse_unknown,
)
from keepclear.errors import InputError


def test_an_area_may_cross_the_antimeridian() -> None:
    assert parse_area("170,-10,-170,10") == (170.0, -10.0, -170.0, 10.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,2,3", "not an area"),
        ("1,2,3,4,5", "not an area"),
        ("a,b,c,d", "not numbers"),
        ("nan,0,1,1", "not finite"),
        ("0,10,5,5", "the north is south of the south"),
        ("0,0,181,5", "out of range"),
        ("0,-91,1,5", "out of range"),
        ("", "not numbers"),
    ],
)
def test_what_is_no_area_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        parse_area(text)


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "", "1 m"])
def test_what_is_no_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a number of seconds"):
        parse_seconds(text)


@pytest.mark.parametrize("text", ["-1", "1.5", "", "x", "1025", "٣", "²"])
def test_what_is_no_number_of_threads_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a number of threads"):
        parse_jobs(text)


def test_no_number_of_threads_is_all_cores() -> None:
    assert parse_jobs("0") >= 1
    assert parse_jobs("3") == 3


def test_an_empty_name_and_standard_input_twice_are_refused() -> None:
    assert [fault.problem for fault in check_files(["", "-@UN:uas", "-"])] == [
        "an empty name",
        "standard input is given twice",
    ]
    assert check_files(["a.gpx", "-@UN"]) == []


def test_numbers_and_choices() -> None:
    assert parse_numbers("500, 300.5") == [500.0, 300.5]
    assert parse_choice("json", "kml")("KML") == "kml"
    with pytest.raises(InputError, match="one of: json, kml"):
        parse_choice("json", "kml")("xml")


def test_every_fault_is_kept_with_the_option_it_belongs_to() -> None:
    faults = Faults()
    assert faults.take("--area", "x", parse_area) is None
    assert faults.take("--jobs", None, parse_jobs) is None
    assert faults.take("--gap-air", "30", parse_seconds) == 30.0
    parse_window("2026-01-01", "2026-01-01T00:00Z", faults)
    with pytest.raises(InputError) as caught:
        faults.stop_if_any()
    assert [fault.field for fault in caught.value.faults] == ["--area", "--from"]


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    faults = Faults()
    parse_window("2026-01-01T00:00Z", "2025-12-31T23:59Z", faults)
    assert [fault.problem for fault in faults.found] == ["the end is before the start"]


def test_all_unknown_options_are_named_with_the_nearest_known_one() -> None:
    faults = Faults()
    refuse_unknown(["a.gpx", "-", "--minma", "--zzz=1"], ["--minima", "--area"], faults)
    assert [(fault.field, fault.right) for fault in faults.found] == [
        ("--minma", "did you mean --minima?"),
        ("--zzz", "see --help"),
    ]
