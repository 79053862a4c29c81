from datetime import date

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.node.recurrence import MOST_OCCURRENCES, Recurrence, moved, starts_s
from keepclear.times import parse_time, to_text

EVERY_DAY = frozenset(range(1, 8))


def said(first: str, until: str, *, zone: str = "Asia/Damascus", days=EVERY_DAY, except_days=()):
    recurrence = Recurrence(
        zone=zone, days=frozenset(days), until_s=parse_time(until), except_days=frozenset(except_days)
    )
    return list(recurrence.occurrences(parse_time(first)))


def test_every_night_but_friday():
    found = said("2026-01-05T20:00:00Z", "2026-01-19T00:00:00Z", days=EVERY_DAY - {5}, except_days=[date(2026, 1, 7)])
    days = [one.day.isoformat() for one in found]
    assert days == [
        "2026-01-05", "2026-01-06", "2026-01-08", "2026-01-10", "2026-01-11", "2026-01-12", "2026-01-13",
        "2026-01-14", "2026-01-15", "2026-01-17", "2026-01-18",
    ]  # fmt: skip
    assert {to_text(one.start_s)[11:19] for one in found} == {"20:00:00"}


def test_the_clocks_of_the_zone_count_and_not_utc():
    # Beirut put its clocks forward on 29 March 2026 at midnight: 20:00 there is 18:00Z before, and 17:00Z after.
    found = said("2026-03-27T18:00:00Z", "2026-03-30T23:00:00Z", zone="Asia/Beirut")
    assert [to_text(one.start_s)[:16] for one in found] == [
        "2026-03-27T18:00", "2026-03-28T18:00", "2026-03-29T17:00", "2026-03-30T17:00",
    ]  # fmt: skip
    assert [one.note for one in found] == [""] * 4


def test_a_time_that_the_clocks_skip_starts_when_they_have_moved_and_says_so():
    found = said("2026-03-28T01:30:00Z", "2026-03-30T12:00:00Z", zone="Europe/Berlin")  # 02:30 on the 28th
    assert [to_text(one.start_s)[:16] for one in found] == ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]
    assert found[1].note == "the clocks skip 02:30 on that day; it starts at 03:30"
    assert (found[0].note, found[2].note) == ("", "")


def test_a_time_that_the_clocks_have_twice_starts_at_the_first_and_says_so():
    found = said("2026-10-24T00:30:00Z", "2026-10-26T12:00:00Z", zone="Europe/Berlin")  # 02:30
    assert [to_text(one.start_s)[:16] for one in found] == ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]
    assert "twice" in found[1].note


def test_a_first_one_in_the_second_of_two_equal_hours_starts_when_it_was_said_to():
    first = "2026-10-25T01:30:00Z"  # 02:30 for the second time
    found = said(first, "2026-10-26T12:00:00Z", zone="Europe/Berlin")
    assert [to_text(one.start_s)[:16] for one in found] == ["2026-10-25T01:30", "2026-10-26T01:30"]


def test_the_last_is_the_one_that_starts_at_the_end():
    assert len(said("2026-01-05T20:00:00Z", "2026-01-07T20:00:00Z", zone="UTC")) == 3
    assert len(said("2026-01-05T20:00:00Z", "2026-01-07T19:59:59Z", zone="UTC")) == 2


def test_what_never_comes_or_goes_on_for_too_long_is_refused():
    first_s = parse_time("2026-01-05T20:00:00Z")  # a Monday
    with pytest.raises(InputError, match="there is none"):
        Recurrence(zone="UTC", days=frozenset({7}), until_s=first_s + 86_400.0).check(first_s)
    with pytest.raises(InputError, match="too long"):
        Recurrence(zone="UTC", days=EVERY_DAY, until_s=first_s + 86_400.0 * MOST_OCCURRENCES).check(first_s)
    Recurrence(zone="UTC", days=EVERY_DAY, until_s=first_s + 86_400.0 * (MOST_OCCURRENCES - 1)).check(first_s)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as caught:
        Recurrence(zone="Mars/Olympus", days=frozenset({0, 8}), until_s=float("inf"), ahead_s=-1.0)
    assert [fault.field for fault in caught.value.faults] == ["zone", "days", "ahead_s", "until"]


@pytest.mark.parametrize("zone", ["", "..", "../../etc/passwd", "/etc/passwd", "Europe", "x" * 5000, "UTC\0"])
def test_a_zone_is_a_name_of_the_database_and_no_path(zone):
    with pytest.raises(InputError):
        Recurrence(zone=zone, days=EVERY_DAY, until_s=0.0)


def test_it_goes_to_json_and_back():
    made = Recurrence(
        zone="Asia/Damascus",
        days=EVERY_DAY - {5},
        until_s=1.8e9,
        except_days=frozenset({date(2026, 1, 7)}),
        ahead_s=60.0,
    )
    assert Recurrence.of_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"until": "tomorrow"}, "until"),
        ({"until": "2026-01-01T11:00"}, "until"),
        ({"days": "1"}, "days"),
        ({"days": [1.5]}, "days"),
        ({"days": [True]}, "days"),
        ({"ahead_s": "x"}, "ahead_s"),
        ({"except_days": ["30 February"]}, "except_days"),
        ({"except_days": 7}, "except_days"),
        ({"every": 2}, "every"),
    ],
)
def test_what_is_no_recurrence_is_refused_by_its_member(change, field):
    good = {"zone": "UTC", "days": [1], "until": "2026-01-01T00:00:00Z"}
    with pytest.raises(InputError) as caught:
        Recurrence.of_json({**good, **change})
    assert [fault.field for fault in caught.value.faults] == [field]


def test_an_operation_is_moved_with_all_of_its_times():
    track = Track(
        np.array([100.0, 200.0]),
        np.array([40.0, 41.0]),
        np.array([37.0, 37.0]),
        np.array([np.nan, np.nan]),
        late_s=60.0,
    )
    volume = Volume(Circle(40.0, 37.0, 100.0), start_s=50.0, end_s=150.0)
    operation = Operation("RU", "a", OperationKind.PATROL, (volume,), (track,), name="night")
    later = moved(operation, by_s=86_400.0, id="a/2")
    assert starts_s(operation) == 50.0
    assert starts_s(later) == 86_450.0
    assert list(later.tracks[0].time_s) == [86_500.0, 86_600.0]
    assert (later.volumes[0].end_s, later.tracks[0].late_s, later.name, later.id) == (86_550.0, 60.0, "night", "a/2")


def test_what_has_no_start_cannot_come_again():
    with pytest.raises(InputError, match="without a start"):
        starts_s(Operation("RU", "a", volumes=(Volume(Circle(40.0, 37.0, 100.0), end_s=3.0),)))
