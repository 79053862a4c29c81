from __future__ import annotations

import pytest

from keepclear.errors import Fault, InputError
from keepclear.formats.notes import Notes
from keepclear.formats.reading import MOST_FAULTS, MOST_WARNING, Reading


@pytest.fixture
def reading():
    return Reading("a.kml", "UN")


def test_an_empty_file_is_refused(reading):
    with pytest.raises(InputError, match=r"^a\.kml: nothing in it"):
        reading.plans()


def test_reading_stops_at_too_many_faults_and_says_so(reading):
    for number in range(MOST_FAULTS - 1):
        reading.fault("wrong", value=number)
    with pytest.raises(InputError) as caught:
        reading.fault("wrong")
    assert len(caught.value.faults) == MOST_FAULTS + 1
    assert "reading stopped here" in str(caught.value.faults[-1])


def test_the_faults_of_a_feature_name_it_and_reading_goes_on(reading):
    with reading.feature("leg 3"):
        raise InputError([Fault("bad", feature="position 2", field="lat", value="x"), Fault("worse")])
    assert [str(fault) for fault in reading.faults] == [
        "a.kml: leg 3, position 2: lat: bad (got 'x')",
        "a.kml: leg 3: worse",
    ]


def test_a_warning_is_one_line_of_bounded_length(reading):
    reading.warn("named a\nb\u2028c")
    reading.warn("x" * 100_000)
    assert reading.warnings[0] == "a.kml: named a b c"
    assert len(reading.warnings[1]) == MOST_WARNING
    assert reading.warnings[1].endswith("…")


def test_a_note_of_many_features_is_one_warning(reading):
    notes = Notes()
    for number in range(3):
        notes.add("is odd", f"zone {number}")
    notes.add("is even", "zone 7")
    notes.warn(reading)
    assert reading.warnings == ["a.kml: zone 0 and 2 more: is odd", "a.kml: zone 7: is even"]
