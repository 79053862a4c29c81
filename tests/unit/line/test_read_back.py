"""Read-backs: what agrees, what is blocked, by how much, in which direction, and which slip explains it."""

from __future__ import annotations

import mgrs
import pytest
from pyproj import Geod, Proj

from keepclear.errors import InputError
from keepclear.line.read_back import Outcome, Place, Reentered, Tolerance, compare, reenter
from keepclear.line.read_back_slips import ReadBackSlipKind as Kind
from keepclear.times import parse_time

LON, LAT = 40 + 9 / 60, 35 + 17 / 60 + 7 / 3600
TIME = "2016-09-17T13:00:00Z"
AT = parse_time(TIME)
FILED = Place(LON, LAT, AT)


def kinds(comparison):
    return [slip.kind for slip in comparison.slips]


def moved(azimuth, metres, *, time_s=AT, uncertainty_m=0.0):
    lon, lat, _ = Geod(ellps="WGS84").fwd(LON, LAT, azimuth, metres)
    return Reentered(lon, lat, time_s, uncertainty_m)


@pytest.mark.parametrize(
    "text",
    ["35°17′07″N 40°09′00″E", "35.28528 40.15000", "35,28528 40,15000", "٣٥٫٢٨٥٢٨ ٤٠٫١٥٠٠٠", "37SFV0457605286"],
)
def test_however_it_is_typed_the_same_place_agrees(text):
    comparison = compare(FILED, reenter(text, TIME, datum="WGS84"))
    assert comparison.agrees
    assert comparison.distance_m < 30
    assert comparison.slips == ()


def test_nine_kilometres_off_is_blocked_and_said():
    comparison = compare(FILED, moved(225.0, 9_000.0))
    assert comparison.outcome is Outcome.DIFFERS
    assert not comparison.agrees
    assert comparison.distance_m == pytest.approx(9_000.0, abs=0.01)
    assert comparison.bearing_deg == pytest.approx(225.0, abs=1e-6)
    assert comparison.sentence == "the place read back is 9.0 km south-west of the place filed (100 m are allowed)"


@pytest.mark.parametrize(
    ("azimuth", "point"),
    [(0, "north"), (44, "north-east"), (91, "east"), (135, "south-east"), (181, "south"), (292.6, "north-west"),
     (269, "west"), (359, "north")],
)  # fmt: skip
def test_the_direction_is_that_from_the_place_filed(azimuth, point):
    assert f"2.0 km {point} of" in compare(FILED, moved(azimuth, 2_000.0)).sentence


def test_the_tolerance_is_exact_and_grows_with_what_was_stated_up_to_a_bound():
    assert compare(FILED, moved(90, 99.999)).agrees
    assert compare(FILED, moved(90, 100.001)).outcome is Outcome.DIFFERS
    stated = Place(LON, LAT, AT, uncertainty_m=200.0)
    assert compare(stated, moved(90, 299.0)).agrees
    assert not compare(stated, moved(90, 301.0)).agrees
    # A village known to 15 km: nine kilometres off are nine kilometres off all the same.
    vague = Place(LON, LAT, AT, uncertainty_m=15_000.0)
    assert compare(vague, moved(90, 1_099.0)).agrees
    assert not compare(vague, moved(90, 9_000.0)).agrees
    assert compare(FILED, moved(90, 9_000.0), tolerance=Tolerance(place_m=9_001.0)).agrees


def test_what_is_too_coarse_does_not_agree_but_is_not_called_different():
    for text in ("35.3 40.1", "35.28528 40.15", "37SFV0405"):
        comparison = compare(FILED, reenter(text, TIME, datum="WGS84"))
        assert comparison.outcome is Outcome.TOO_COARSE
        assert not comparison.agrees
        assert "give it with more digits" in comparison.sentence
    assert compare(FILED, reenter("35.28528 40.15000", TIME)).outcome is Outcome.TOO_COARSE, "no datum said"
    assert compare(FILED, reenter("35.2 40.1", TIME, datum="WGS84")).outcome is Outcome.DIFFERS


ZONE_38 = Proj(proj="utm", zone=37, ellps="WGS84")(LON, LAT)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("40.15000 35.28528", Kind.SWAPPED),
        ("35.1707 40.15000", Kind.SEXAGESIMAL),
        ("35.1707 40.0900", Kind.SEXAGESIMAL),
        ("35.17117 40.15000", Kind.MINUTES),
        ("35°16′07″N 40°09′00″E", Kind.ONE_MINUTE),
        ("35°17′07″N 40°10′00″E", Kind.ONE_MINUTE),
        ("35°27′07″N 40°09′00″E", Kind.TEN_MINUTES),
        ("34.28528 40.15000", Kind.ONE_DEGREE),
        ("35.28528 41.15000", Kind.ONE_DEGREE),
        ("35.28528 50.15000", Kind.TEN_DEGREES),
        ("35.28528N 40.15000W", Kind.HEMISPHERE),
        ("35.28528S 40.15000E", Kind.HEMISPHERE),
        (f"38 north {ZONE_38[0]:.0f} {ZONE_38[1]:.0f}", Kind.ZONE),
        ("37SEV0457605286", Kind.SQUARE),
        ("35.28528 40.15000 SK-42", Kind.DATUM),
    ],
)
def test_a_typical_slip_is_recognised(text, kind):
    comparison = compare(FILED, reenter(text, TIME, datum=None if "SK" in text else "WGS84"))
    assert comparison.outcome is Outcome.DIFFERS
    assert kinds(comparison) == [kind]
    assert comparison.sentence.endswith(f"{comparison.slips[0].question}")
    assert comparison.sentence.endswith("?")


def test_decimals_typed_as_minutes_and_seconds_are_recognised():
    comparison = compare(Place(40.15, 35.1707, AT), reenter("35°17′07″N 40.15000E", TIME, datum="WGS84"))
    assert kinds(comparison) == [Kind.DECIMALS]


def test_a_zone_whose_letters_lead_elsewhere_is_read_in_the_text():
    # Three zones away the same letters are another square, 500 km further south besides.
    place = Place(41.9995, 37.2, AT)
    text = mgrs.MGRS().toMGRS(37.2, 41.9995)
    assert text.startswith("37SGB")
    comparison = compare(place, reenter("34" + text[2:], TIME, datum="WGS84"))
    assert kinds(comparison) == [Kind.ZONE]
    assert "zone 34 typed for zone 37" in comparison.sentence


def test_either_side_of_42_east_agrees_across_the_change_of_zone():
    place = Place(41.99995, 37.2, AT)
    assert compare(place, reenter("38SKG3373821274", TIME, datum="WGS84")).distance_m < 100


@pytest.mark.parametrize(
    ("time", "kind", "said"),
    [
        ("2016-09-17T14:00:00Z", Kind.HOURS, "1 h later"),
        ("2016-09-17T11:00:00Z", Kind.HOURS, "2 h earlier"),
        ("2016-09-17T16:00:30Z", Kind.HOURS, "3 h 30 s later"),
        ("2016-09-17T16:30:00Z", Kind.HOURS, "3 h 30 min later"),
        ("2016-09-18T01:00:00Z", Kind.HOURS, "a clock of twelve hours"),
        ("2016-09-18T13:00:00Z", Kind.DAYS, "1 d later"),
        ("2016-09-16T13:00:00Z", Kind.DAYS, "1 d earlier"),
        ("2015-09-17T13:00:00Z", Kind.YEAR, "is the year 2016, and not 2015"),
    ],
)
def test_a_slip_of_time_is_recognised(time, kind, said):
    comparison = compare(FILED, reenter("35.28528 40.15000", time, datum="WGS84"))
    assert comparison.outcome is Outcome.DIFFERS
    assert kinds(comparison) == [kind]
    assert said in comparison.sentence


def test_day_and_month_swapped_is_recognised():
    place = Place(LON, LAT, parse_time("2016-09-07T13:00:00Z"))
    comparison = compare(place, reenter("35.28528 40.15000", "2016-07-09T13:00:00Z", datum="WGS84"))
    assert kinds(comparison) == [Kind.DAY_MONTH]


def test_times_within_a_minute_agree_and_one_without_a_time_is_not_compared():
    for off, agrees in ((60.0, True), (-60.0, True), (60.001, False), (-61.0, False)):
        assert compare(FILED, moved(0, 0.0, time_s=AT + off)).agrees is agrees
    timeless = compare(Place(LON, LAT), moved(0, 0.0, time_s=0.0))
    assert timeless.agrees
    assert timeless.late_s is None


def test_place_and_time_both_wrong_are_both_said():
    comparison = compare(FILED, reenter("40.15000 35.28528", "2016-09-17T15:00:00Z", datum="WGS84"))
    assert kinds(comparison) == [Kind.SWAPPED, Kind.HOURS]
    assert "km north-west" in comparison.sentence
    assert "2 h later" in comparison.sentence


def test_far_away_without_a_slip_that_explains_it_none_is_offered():
    assert compare(FILED, moved(17.0, 23_456.0)).slips == ()
    assert compare(FILED, moved(17.0, 0.0, time_s=AT + 1234.0)).slips == ()


@pytest.mark.parametrize("lat", [-90.0, 90.0, 84.5, -80.1])
@pytest.mark.parametrize("lon", [-180.0, 180.0, 0.0])
def test_poles_and_the_antimeridian_have_answers(lon, lat):
    assert compare(Place(lon, lat, AT), Reentered(-lon, lat, AT)).agrees, "one place, by another name"
    assert compare(Place(lon, lat, AT), Reentered(lon, -lat, AT)).outcome is Outcome.DIFFERS


def test_all_that_cannot_be_read_is_said_at_once():
    with pytest.raises(InputError) as caught:
        reenter("somewhere", "11:00")
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError):
        Tolerance(place_m=-1.0, time_s=float("nan"))
