"""What a duty officer reads out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.model.findings import Answer, Closest, Interval, Minima, Side
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.separation.sentences import metres, place, sentence_of, time_of_day
from keepclear.times import EARLIEST_S, LATEST_S, to_text

PATROL = Side("RU", "P1", OperationKind.PATROL)
FLIGHT = Side("TR", "F7", OperationKind.FLIGHT)
NO_GO = Side("UN", "Z", ZoneKind.NO_GO_AREA, is_zone=True)
SPAN = (Interval(Answer.CONFLICT, 60.0, 120.0),)


def _closest(horizontal_m: float, vertical_m: float | None = None, apart_s: float = 0.0) -> Closest:
    return Closest(90.0, 90.0 + apart_s, horizontal_m, vertical_m, (41.0, 37.0, None), (41.0, 37.0, None))


def _say(
    minima: Minima, closest: Closest, *, answer: Answer = Answer.CONFLICT, a: Side = PATROL, b: Side = FLIGHT
) -> str:
    return sentence_of(answer, a, b, minima, SPAN, closest)


def test_two_units() -> None:
    assert _say(Minima(9260.0, 304.8, 0.0, "r"), _closest(1833.4, 297.1)) == (
        "RU patrol P1 and TR flight F7 come within 1,833 m and 297 m in height of each other (the minimum is 9,260 m "
        "or 304.8 m in height) at 1970-01-01 00:01:30Z near 37.0000N 41.0000E; from 1970-01-01 00:01:00Z to 1970-01-01 "
        "00:02:00Z."
    )


@pytest.mark.parametrize(
    ("value_m", "said"), [(304.796, "304.796 m"), (304.2, "304 m"), (304.8, "305 m"), (304.76, "304.76 m")]
)
def test_a_height_that_is_too_little_is_seen_to_be(value_m: float, said: str) -> None:
    assert metres(value_m, below_m=304.8) == said


def test_far_distances_are_said_in_kilometres() -> None:
    assert metres(46_300.0) == "46.30 km"
    assert metres(9_260.0) == "9,260 m"


@pytest.mark.parametrize(("answer", "verb"), [(Answer.CONFLICT, "is inside"), (Answer.POSSIBLE, "may be inside")])
def test_a_unit_and_a_zone_in_either_order(answer: Answer, verb: str) -> None:
    for a, b in ((PATROL, NO_GO), (NO_GO, PATROL)):
        said = _say(Minima(0.0, 0.0, 0.0, "r"), _closest(0.0), answer=answer, a=a, b=b)
        assert said.startswith(f"RU patrol P1 {verb} UN no-go area Z at ")


def test_two_zones_and_two_volumes_overlap() -> None:
    site = Side("UN", "S", ZoneKind.PROTECTED_SITE, is_zone=True)
    assert "UN protected site S and UN no-go area Z overlap at" in _say(
        Minima(0.0, 0.0, 0.0, "r"), _closest(0.0), a=site, b=NO_GO
    )


def test_a_minimum_in_time_and_two_different_moments_are_said() -> None:
    said = _say(Minima(500.0, None, 600.0, "r"), _closest(0.0, apart_s=300.0))
    assert "(the minimum is 500 m for 600 s)" in said
    assert "at 1970-01-01 00:01:30Z and 1970-01-01 00:06:30Z of their plans" in said


def test_open_ends_are_said() -> None:
    closest = Closest(None, None, 0.0, None, (-41.0, -37.0, None), (-41.0, -37.0, None))
    for span, words in (((None, None), "at any time"), ((60.0, None), "from 1970-01-01 00:01:00Z with no known end")):
        interval = (Interval(Answer.CONFLICT, *span),)
        assert sentence_of(Answer.CONFLICT, PATROL, NO_GO, Minima(0.0, 0.0, 0.0, "r"), interval, closest).endswith(
            f"; {words}."
        )


def test_places_are_said_latitude_first() -> None:
    assert place((-0.5, -12.25, None)) == "12.2500S 0.5000W"


@given(st.floats(EARLIEST_S, LATEST_S) | st.floats(-1e6, 1e6) | st.floats(1.5e9, 1.9e9))
def test_a_time_of_day_is_the_time_as_it_is_told_elsewhere_without_its_milliseconds(time_s: float) -> None:
    told = to_text(time_s)
    assert time_of_day(time_s) == f"{told[:10]} {told[11:19]}Z"


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), EARLIEST_S - 1.0, LATEST_S + 1.0])
def test_what_is_no_time_has_no_time_of_day(time_s: float) -> None:
    with pytest.raises(InputError, match="years 1 and 9999"):
        time_of_day(time_s)


@given(st.floats(0.0, 30_000.0), st.floats(0.0, 30_000.0) | st.just(float("inf")))
def test_a_distance_is_said_with_the_fewest_decimals_that_show_it_to_be_less(value_m: float, below_m: float) -> None:
    enough = [d for d in range(4) if value_m >= below_m or round(value_m, d) < below_m]
    text = f"{value_m:,.{min([*enough, 3])}f}"
    plain = f"{value_m / 1000.0:,.2f} km" if value_m >= 20_000.0 and "." not in text else f"{text} m"
    assert metres(value_m, below_m=below_m) == plain
