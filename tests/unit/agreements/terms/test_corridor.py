import pytest

from keepclear.errors import InputError
from tests.unit.agreements.terms.made_terms import area, filed, flown, only, patrol, results, term

SAMPLE = {"axis": "map.geojson#road", "half_width_left": "6 km", "half_width_right": "6 km"}


def corridor(**more):
    return term("CORRIDOR", **(SAMPLE | more))


@pytest.mark.parametrize(("lat", "result"), [(35.85, "met"), (35.86, "breached"), (35.75, "met"), (35.74, "breached")])
def test_six_kilometres_to_either_side_are_twelve(lat, result):
    assert results(corridor(), [filed(area(lon=36.4, lat=lat, radius_m=1.0))]) == [result]


def test_it_has_an_end():
    assert only(corridor(), [filed(area(lon=36.81, lat=35.8, radius_m=1.0))]).result == "possible"
    assert only(corridor(), [filed(area(lon=37.0, lat=35.8, radius_m=1.0))]).result == "breached"


def test_it_can_be_kept_out_of():
    out = corridor(rule="stay outside")
    assert results(out, [filed(area(lon=36.4, lat=35.8))]) == ["breached"]
    assert results(out, [filed(area(lon=36.4, lat=36.0))]) == ["met"]


def test_tracks_and_routes():
    along = [(36.1, 35.8), (36.7, 35.82)]
    assert results(corridor(), [filed(patrol(positions=along))], [flown(positions=along)]) == ["met", "met"]


@pytest.mark.parametrize("member", ["width", "half_width"])
def test_a_width_is_refused_and_says_why(member):
    with pytest.raises(InputError, match=r"a width is refused.*half_width_left and half_width_right"):
        corridor(**{member: "6 km"})


def test_it_needs_an_inside():
    with pytest.raises(InputError, match="without an inside"):
        corridor(half_width_left="0 m", half_width_right="0 m")
