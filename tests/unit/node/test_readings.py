import pytest

from keepclear.node.readings import Readings
from keepclear.node.refusals import GoneError, NotAllowedError, TooManyTriesError
from tests.unit.node.officers_made import (
    AUDITOR,
    CALM,
    LINE,
    NOON_S,
    OFFICER,
    READER,
    START_S,
    asked,
    patrol,
    share,
    site,
    together,
)  # fmt: skip


@pytest.fixture
def two(tmp_path):
    with together(tmp_path, "A", "B") as made:
        yield made


def test_who_reads_anothers_plan_is_logged_by_name_and_one_s_own_is_not(two):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    message = a.talking.say(LINE, CALM, by=OFFICER)
    share(a, b)
    assert b.readings.read(filed.ref, by=OFFICER).body is not None
    assert b.readings.read(message.ref, by=OFFICER).body is not None  # no plan
    assert a.readings.read(filed.ref, by=OFFICER).body is not None
    (read,) = b.readings.log(by=AUDITOR)
    assert (read.by, read.address, read.origin, read.index) == ("anna", "192.0.2.7", filed.ref.origin, filed.ref.index)
    assert a.readings.log(by=AUDITOR) == []
    with pytest.raises(NotAllowedError):
        b.readings.log(by=OFFICER)


def test_a_screen_drawn_anew_is_one_reading_and_another_person_another(two):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    for _ in range(5):
        b.readings.shown([filed.ref], by=OFFICER)
    b.readings.shown([filed.ref], by=READER)
    b.now_s += 601.0
    b.readings.shown([filed.ref], by=OFFICER)
    assert [one.by for one in b.readings.log(by=AUDITOR, ref=filed.ref)] == ["anna", "mona", "anna"]
    assert [one.by for one in b.readings.log(by=AUDITOR, person="mona")] == ["mona"]


def test_what_is_over_is_shown_no_longer_and_still_kept_clear_of_until_its_end(two):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    place = a.filing.file(asked(site()), by=OFFICER)
    share(a, b)
    b.now_s = NOON_S + 3600.0 + 7 * 86_400.0 + 1.0
    assert b.readings.read(filed.ref, by=OFFICER).body is None
    with pytest.raises(GoneError):
        b.readings.must_show(filed.ref, by=OFFICER)
    assert b.readings.must_show(place.ref, by=OFFICER).body is not None
    b.now_s = START_S + 366 * 86_400.0
    with pytest.raises(GoneError):
        b.readings.must_show(place.ref, by=OFFICER)
    assert a.readings.must_show(place.ref, by=OFFICER).body is not None
    assert b.filing.check(patrol("B", start_s=b.now_s), by=READER).conflicts  # the site is there all the same


def test_nobody_reads_them_in_bulk(two):
    a, b = two
    refs = [a.filing.file(asked(patrol(id=f"p{n}", lat=30.0 + n)), by=OFFICER).ref for n in range(4)]
    share(a, b)
    readings = Readings(b.records, b.database, b.clock, most_per_hour=3)
    readings.shown(refs[:3], by=OFFICER)
    readings.shown(refs[:3], by=OFFICER)  # the same again
    with pytest.raises(TooManyTriesError):
        readings.shown(refs[3:], by=OFFICER)
    with pytest.raises(TooManyTriesError):
        readings.shown(refs, by=READER)
    assert len(readings.log(by=AUDITOR, limit=1000)) == 3
    b.now_s += 3601.0
    readings.shown(refs[3:], by=OFFICER)
