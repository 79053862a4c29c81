from __future__ import annotations

import pytest

from keepclear.errors import Fault, InputError, KeepclearError


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("no zone"), "no zone"),
        (Fault("no zone", "write Z"), "no zone; write Z"),
        (Fault("no zone", file="a.csv"), "a.csv: no zone"),
        (
            Fault("no zone", "write Z", "a.csv", "line 7", "time", "09:00"),
            "a.csv: line 7: time: no zone (got '09:00'); write Z",
        ),
        (Fault("no zone", field="time", value="a\nb"), "time: no zone (got 'a\\nb')"),
        (Fault("two\nlines", feature="a\r\n\u2028b"), "a b: two lines"),
    ],
)
def test_a_fault_is_one_line_that_says_where_what_and_what_would_be_right(fault: Fault, text: str) -> None:
    assert str(fault) == text


def test_what_a_file_holds_makes_no_endless_line() -> None:
    long = "x" * 1_000_000
    assert len(str(Fault(long, "", "a.csv", long, long, long))) < 1_100
    assert str(Fault("wrong", value=long)).endswith("…')")


def test_an_input_error_has_all_its_faults() -> None:
    error = InputError([Fault("one"), Fault("two", file="b")])
    assert [str(fault) for fault in error.faults] == ["one", "b: two"]
    assert str(error) == "one\nb: two"
    assert isinstance(error, KeepclearError)


@pytest.mark.parametrize("given", ["wrong", Fault("wrong")])
def test_a_single_fault_will_do(given: Fault | str) -> None:
    assert InputError(given).faults == (Fault("wrong"),)
