"""Positions as people write them."""

from __future__ import annotations

import math

import mgrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from keepclear.errors import InputError
from keepclear.geo.coordinates import read_position
from keepclear.geo.datums import MISSING_DATUM_M
from keepclear.geo.typed import PositionFormat

GEOD = Geod(ellps="WGS84")
DIR_LAT, DIR_LON = 35.28, 40.15  # Deir ez-Zor
SECONDS = 35 + 17 / 60 + 7 / 3600


def read(text):
    return read_position(text, datum="WGS84")


def metres(position, lon, lat):
    return GEOD.inv(position.lon_deg, position.lat_deg, lon, lat)[2]


@pytest.mark.parametrize(
    "text",
    [
        "35.28 40.15",
        "35.28, 40.15",
        "35.28,40.15",
        "35.28; 40.15",
        "35.28 / 40.15",
        "35,28 40,15",
        "35,28, 40,15",
        "35,28; 40,15",
        "  +35.28   +40.15 ",
        "35.28\n40.15",
        "٣٥٫٢٨ ٤٠٫١٥",
        "٣٥٫٢٨، ٤٠٫١٥",
        "۳۵٫۲۸ ۴۰٫۱۵",
        "\u200f٣٥٫٢٨\u200e ٤٠٫١٥\u061c",
        "35.28N 40.15E",
        "N35.28 E40.15",
        "40.15E 35.28N",
        "E 40.15 N 35.28",
        "35.28° 40.15°",
        "35.28°n, 40.15°e",
        "35,28 С 40,15 В",
        "35,28 с.ш. 40,15 в.д.",
        "٣٥٫٢٨ ش ٤٠٫١٥ ق",
        "٣٥٫٢٨ شمالا ٤٠٫١٥ شرقا",
        "35.28 north, 40.15 east",
        "lat: 35.28, lon: 40.15",
        "Longitude=40.15 Latitude=35.28",
        "+35.28+040.15/",
        "+35.28+040.15",
    ],
)
def test_one_place_in_decimal_degrees_many_ways(text):
    place = read(text)
    assert (place.lat_deg, place.lon_deg) == (DIR_LAT, DIR_LON)
    assert place.text == text
    assert place.uncertainty_m == pytest.approx(
        math.hypot(0.005, 0.005 * math.cos(math.radians(35.28))) * 111_000, rel=0.01
    )
    assert place.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "35°17′07″N 40°09′00″E",
        "35º17'07\"N 40º09'00\"E",
        "35˚17’07’’ 40˚09’00’’",
        "N35°17'07\" E040°09'00\"",
        "40° 09′ 00″ E, 35° 17′ 07″ N",
        "35 17 07 N 40 09 00 E",
        "35-17-07N 040-09-00E",
        "35:17:07N 040:09:00E",
        "351707N 0400900E",
        "351707N0400900E",
        "N351707 E0400900",
        "35 deg 17 min 07 sec N 40 deg 09 min 00 sec E",
        "35 град 17 мин 07 сек с.ш. 40 град 09 мин 00 сек в.д.",
        "٣٥°١٧′٠٧″ شمالا ٤٠°٠٩′٠٠″ شرقا",
        "+351707+0400900/",
    ],
)
def test_one_place_in_degrees_minutes_seconds_many_ways(text):
    place = read(text)
    assert place.lat_deg == pytest.approx(SECONDS, abs=1e-12)
    assert place.lon_deg == pytest.approx(40.15, abs=1e-12)
    assert place.uncertainty_m == pytest.approx(20.0, rel=0.01)


@pytest.mark.parametrize(
    ("text", "lat", "lon", "wanted"),
    [
        ("35°17,5'N 40°9,25'W", 35 + 17.5 / 60, -(40 + 9.25 / 60), PositionFormat.DEGREES_MINUTES),
        ("35°17.5'S,40°9.25'E", -(35 + 17.5 / 60), 40 + 9.25 / 60, PositionFormat.DEGREES_MINUTES),
        ("-35°17' -40°09'", -(35 + 17 / 60), -40.15, PositionFormat.DEGREES_MINUTES),
        ("-0°30' 10°", -0.5, 10.0, PositionFormat.DEGREES_MINUTES),
        ("3517.5N 04009E", 35 + 17.5 / 60, 40.15, PositionFormat.DEGREES_MINUTES),
        ("-35.28 40.15", -35.28, 40.15, PositionFormat.DECIMAL_DEGREES),
        ("-35.28,-40.15", -35.28, -40.15, PositionFormat.DECIMAL_DEGREES),
        ("−35.28 –40.15", -35.28, -40.15, PositionFormat.DECIMAL_DEGREES),
        ("35,28 Ю 40,15 З", -35.28, -40.15, PositionFormat.DECIMAL_DEGREES),
        ("٣٥٫٢٨ ج ٤٠٫١٥ غ", -35.28, -40.15, PositionFormat.DECIMAL_DEGREES),
        ("90 180", 90.0, 180.0, PositionFormat.DECIMAL_DEGREES),
        ("-90 -180", -90.0, -180.0, PositionFormat.DECIMAL_DEGREES),
        ("35, 40", 35.0, 40.0, PositionFormat.DECIMAL_DEGREES),
        ("+3517.1-04009.0/", 35 + 17.1 / 60, -40.15, PositionFormat.ISO_6709),
    ],
)
def test_signs_hemispheres_and_formats(text, lat, lon, wanted):
    place = read(text)
    assert (place.lat_deg, place.lon_deg) == pytest.approx((lat, lon), abs=1e-12)
    assert place.format is wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no position"),
        ("  \u200f ", "no position"),
        ("3" * 10_000, "too long"),
        ("35.28 40.15 and so on", "unknown word 'and'"),
        ("35.28 40.15 90", "more than one way"),
        ("35.28 40.15)", "unknown character"),
        ("35.28 40.15 !", "unknown character"),
        ("nan nan", "unknown word 'nan'"),
        ("inf inf", "unknown word 'inf'"),
        ("1e1 2e1", "more than one way"),
        ("hello", "unknown word"),
        ("35.28", "only one angle"),
        ("N E", "not a position"),
        ("35°61' 40°", "61 minutes"),
        ("35°17'60\" 40°", "60 seconds"),
        ("35.5°17' 40°", "has decimals"),
        ("91 40N", "only one of the two"),
        ("91N 40E", "latitude 91 is out of range"),
        ("35N 180.01E", "longitude 180.01 is out of range"),
        ("140.15 35.28", "the longitude came first"),
        ("35,40", "only one number with a decimal comma"),
        ("35,28,40,15", "commas that could be"),
        ("35,28 40.15", "more than one way"),
        ("35 17 40 09", "more than one way"),
        ("35.28N 40.15", "only one of the two angles has a letter"),
        ("35.28N, 40.15", "only one of the two angles has a letter"),
        ("35.28N 36N", "two angles of latitude"),
        ("-35N 40E", "a sign and a letter"),
        ("lat 35E lon 40E", "both latitude and longitude"),
        ("35.28 N 40.15 O", "the letter O"),
        ("POINT(40.15 35.28)", "unknown word 'POINT'"),
        ("[40.15, 35.28]", "unknown character"),
        ("35.28 40.15 | 3", "unknown character"),
        ("1, 2, 3", "more than two parts"),
        ("३५.२८ ४०.१५", "unknown character"),
        ("+35.28+40.15/", "2 digits where ISO 6709 has 3, 5 or 7"),
        ("+3561+04000/", "minutes and seconds"),
        ("+95+040/", "out of range"),
        ("35-40", "only|not|more"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text, says):
    with pytest.raises(InputError, match=says) as caught:
        read(text)
    (fault,) = caught.value.faults
    assert fault.field == "position"
    assert fault.right


def test_a_height_in_iso_6709_is_left_out_and_said_to_be():
    assert "height +100" in read("+35.28+040.15+100/").warnings[0]


# --- MGRS ----------------------------------------------------------------------------------------------------------


def test_mgrs_flips_at_42_degrees_east():
    west, east = read("37SGB6621621274"), read("38SKG3378321274")
    assert metres(west, 41.9995, 37.2) < 1.0
    assert metres(east, 42.0005, 37.2) < 1.0
    assert metres(west, east.lon_deg, east.lat_deg) == pytest.approx(88.8, abs=1.5)  # two corners of metre cells


@pytest.mark.parametrize("text", ["37SGB6621621274", "37S GB 66216 21274", "37 S GB 66216 21274", "37sgb 6621621274"])
def test_mgrs_in_any_spacing(text):
    assert metres(read(text), 41.9995, 37.2) < 1.0
    assert read(text).uncertainty_m == pytest.approx(math.sqrt(0.5), rel=0.01)


@pytest.mark.parametrize(
    ("text", "half_diagonal_m"),
    [("37SGB 66 21", 707.0), ("37SGB 6 2", 7071.0), ("37SGB", 70_711.0)],
)
def test_fewer_digits_are_a_larger_cell(text, half_diagonal_m):
    place = read(text)
    assert place.uncertainty_m == pytest.approx(half_diagonal_m, rel=0.01)
    assert metres(place, 41.9995, 37.2) <= place.uncertainty_m


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("37SGB 662 21", "as many digits"),
        ("37SGB 6621 212", "as many digits"),
        ("37SGB 662 12345", "as many digits"),
        ("37SGB 123456 123456", "as many digits"),
        ("37SZZ1234512345", "no square ZZ"),
        ("37SGI1234512345", "no square GI"),
        ("61SGB1234", "no MGRS zone 61"),
        ("0SGB1234", "no MGRS zone 0"),
        ("32XMG1234", "no MGRS zone 32X"),
        ("37IGB1234", "no MGRS band I"),
        ("37SAA1234512345", "km outside its zone"),
        ("37TGB6621621274", "does not reach into band T"),
        ("SGB 662 212", "without its zone"),
        ("ZDA1234", "no square DA"),
        ("ZAZ1234", "does not reach into polar zone"),
    ],
)
def test_an_mgrs_reference_that_does_not_exist_is_refused(text, says):
    with pytest.raises(InputError, match=says):
        read(text)


@given(st.floats(-179.999, 179.999), st.floats(-89.99, 89.99), st.integers(1, 5))
def test_mgrs_agrees_with_the_package_of_that_name(lon, lat, digits):
    text = mgrs.MGRS().toMGRS(lat, lon, MGRSPrecision=digits)
    place = read(text)
    assert metres(place, lon, lat) <= place.uncertainty_m + 0.01


def test_mgrs_on_an_old_datum_is_refused():
    with pytest.raises(InputError, match="differ from map to map"):
        read_position("37SGB6621621274", datum="ED50")


# --- UTM and Gauss-Krüger -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "37 north 621621 4117000",
        "37N 621621 4117000",
        "UTM 37N 621621 4117000",
        "UTM zone 37 north, 621621 mE, 4117000 mN",
        "37 north E 621621 N 4117000",
        "37 north 621621,0 4117000,0",
    ],
)
def test_utm(text):
    lon, lat = Transformer.from_crs(32637, 4326, always_xy=True).transform(621621.0, 4117000.0)
    assert metres(read(text), lon, lat) < 1e-6


def test_utm_with_a_band_other_than_s_is_read_and_checked():
    assert read("37T 621621 4517000").lat_deg == pytest.approx(40.795, abs=1e-3)
    with pytest.raises(InputError, match="not in band T"):
        read("37T 621621 4117000")


def test_s_is_refused_where_it_could_be_band_or_hemisphere():
    with pytest.raises(InputError, match="or the southern hemisphere") as caught:
        read("37S 621621 4117000")
    assert "37 north or 37 south" in caught.value.faults[0].right


def test_s_is_south_where_the_northing_does_not_fit_band_s():
    place = read("37S 621621 8117000")
    assert place.lat_deg == pytest.approx(-17.028, abs=1e-3)
    assert "southern hemisphere" in place.warnings[0]
    assert read("37 south 621621 8117000").warnings == ()


@pytest.mark.parametrize(
    "text", ["61 north 500000 4117000", "37 north 50000 4117000", "37 north 500000 9900000", "37I 500000 0"]
)
def test_utm_out_of_range_is_refused(text):
    with pytest.raises(InputError):
        read(text)


@given(st.integers(1, 60), st.booleans(), st.integers(200_000, 799_999), st.integers(0, 9_000_000))
def test_utm_agrees_with_proj(zone, north, easting, northing):
    northing = northing if north else 10_000_000 - northing
    epsg = (32600 if north else 32700) + zone
    lon, lat = Transformer.from_crs(epsg, 4326, always_xy=True).transform(easting, northing)
    place = read(f"{zone} {'north' if north else 'south'} {easting} {northing}")
    assert metres(place, lon, lat) < 1e-6


def test_gauss_krueger_is_read_on_its_datum():
    # EPSG:28407 is Pulkovo 1942 / Gauss-Kruger zone 7; the same shift as for degrees then applies.
    lon, lat = Transformer.from_crs(28407, 4284, always_xy=True).transform(7604000.0, 3906000.0)
    wanted = read_position(f"{lat:.10f} {lon:.10f}", datum="SK-42")
    for text in ("X=3906000 Y=7604000 SK-42", "СК-42 Х 3906000 У 7604000"):
        place = read_position(text)
        assert metres(place, wanted.lon_deg, wanted.lat_deg) < 1e-3
        assert place.format is PositionFormat.GAUSS_KRUEGER


def test_gauss_krueger_without_a_datum_is_refused():
    with pytest.raises(InputError, match="without a datum"):
        read_position("X=3906000 Y=7604000")


@pytest.mark.parametrize(
    "text", ["X=3906000 Y=604000", "X=3906000 Y=61500000", "X=13906000 Y=7604000", "X=3906000 Y=7050000"]
)
def test_gauss_krueger_out_of_range_is_refused(text):
    with pytest.raises(InputError, match="out of range"):
        read_position(text, datum="SK-42")


# --- datums --------------------------------------------------------------------------------------------------------


def test_sk42_at_deir_ez_zor_moves_113_metres():
    place = read_position("35.28000 40.15000", datum="SK-42")
    assert metres(place, DIR_LON, DIR_LAT) == pytest.approx(113.0, abs=0.5)
    assert place.operation == "Pulkovo 1942 to WGS 84 (16)"
    assert place.accuracy_m == 4.5
    assert place.uncertainty_m == pytest.approx(4.5 + 0.72, abs=0.02)
    assert place.datum == "SK-42"


def test_the_text_may_name_its_datum():
    for text in (
        "35.28 40.15 SK-42",
        "СК-42: 35,28 40,15".replace(":", ""),
        "35.28 40.15 (Pulkovo 1942)",
        "35.28 40.15 EPSG:4284",
    ):
        assert read_position(text).datum == "SK-42"
        assert metres(read_position(text), DIR_LON, DIR_LAT) == pytest.approx(113.0, abs=0.5)


def test_text_and_caller_must_not_contradict_each_other():
    assert read_position("35.28 40.15 SK-42", datum="EPSG:4284").datum == "SK-42"
    with pytest.raises(InputError, match="the text says SK-42, but WGS84 holds here"):
        read_position("35.28 40.15 SK-42", datum="WGS84")
    with pytest.raises(InputError, match="two datums"):
        read_position("35.28 40.15 SK-42 WGS84")


@pytest.mark.parametrize("text", ["35.28 40.15", "37SGB6621621274", "37 north 621621 4117000", "+35.28+040.15/"])
def test_a_missing_datum_widens_and_warns(text):
    unsaid, said = read_position(text), read_position(text, datum="WGS84")
    assert (unsaid.lon_deg, unsaid.lat_deg) == (said.lon_deg, said.lat_deg)
    assert unsaid.uncertainty_m == said.uncertainty_m + MISSING_DATUM_M
    assert unsaid.datum == ""
    assert "no datum said" in unsaid.warnings[-1]


# --- properties ----------------------------------------------------------------------------------------------------


@given(
    st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 9), st.sampled_from([" ", ", ", ";", "/"]), st.booleans()
)
def test_decimal_degrees_come_back(lat, lon, decimals, between, comma):
    text = f"{lat:.{decimals}f}{between}{lon:.{decimals}f}"
    if comma:
        assume("," not in between or decimals)
        text = text.replace(".", ",")
    place = read(text)
    assert metres(place, lon, lat) <= place.uncertainty_m + 1e-6


@given(
    st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 4), st.sampled_from(["°'\"", "   ", "---"]), st.booleans()
)
def test_degrees_minutes_seconds_come_back(lat, lon, decimals, marks, after):
    def written(value, letters):
        units = round(abs(value) * 3600 * 10**decimals)
        minutes, rest = divmod(units, 60 * 10**decimals)
        seconds = f"{rest // 10**decimals:02d}" + (f".{rest % 10**decimals:0{decimals}d}" if decimals else "")
        body = f"{minutes // 60}{marks[0]}{minutes % 60:02d}{marks[1]}{seconds}{marks[2].strip(' -')}"
        letter = letters[value < 0]
        return f"{body} {letter}" if after else f"{letter} {body}"

    place = read(f"{written(lat, 'NS')} {written(lon, 'EW')}")
    assert metres(place, lon, lat) <= place.uncertainty_m + 1e-6


@given(st.text(max_size=60))
def test_any_text_gives_a_position_or_an_input_error(text):
    try:
        place = read_position(text)
    except InputError:
        return
    assert abs(place.lat_deg) <= 90.0
    assert abs(place.lon_deg) <= 180.0


@given(
    st.lists(
        st.sampled_from([*"0123456789 .,;:/+-°'\"NSEWXYZnsewСЮВЗشجقغ=()", "37S", "GB", "UTM", "SK-42", "EPSG:", "lat"]),
        max_size=25,
    )
)
def test_any_pieces_of_positions_give_a_position_or_an_input_error(pieces):
    try:
        place = read_position("".join(pieces))
    except InputError:
        return
    assert abs(place.lat_deg) <= 90.0
    assert abs(place.lon_deg) <= 180.0
    assert math.isfinite(place.uncertainty_m)
