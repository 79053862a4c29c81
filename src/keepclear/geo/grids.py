"""Positions written on a grid of metres: MGRS, UTM and Gauss-Krüger.

The letters of MGRS are read here, and PROJ does the projection, rather than through the package ``mgrs``: that takes a
square that its zone does not have for one 200 km away without a word, and its releases differ in whether the
answer is the corner or the middle of the cell. The tests use it as the independent reference.

Sources: DMA TM 8358.1 (1990), chapters 2 and 3, and NGA.STND.0037 (2014), Universal Grids.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

from pyproj import Proj

from keepclear.geo.datums import WGS84, Datum
from keepclear.geo.typed import PositionFormat, Typed, refusal

__all__ = ["is_gauss_krueger", "read_gauss_krueger", "read_mgrs", "read_utm"]

_BANDS = "CDEFGHJKLMNPQRSTUVWX"  # 8° each from 80°S; the last one 12°
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")  # zones 3, 6, … then 1, 4, … then 2, 5, …
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_POLAR_WEST, _POLAR_EAST = "JKLPQRSTUXYZ", "ABCFGHJKLPQR"
_POLAR_ROWS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
# Zones that are not six degrees wide: round south-west Norway and Svalbard.
_ODD_ZONES = {
    (31, "V"): (0.0, 3.0),
    (32, "V"): (3.0, 12.0),
    (31, "X"): (0.0, 9.0),
    (33, "X"): (9.0, 21.0),
    (35, "X"): (21.0, 33.0),
    (37, "X"): (33.0, 42.0),
}
_NO_ZONES = {(32, "X"), (34, "X"), (36, "X")}
_OVERLAP_M = 40_000.0  # how far neighbouring zones are drawn beyond their common edge on maps (DMA TM 8358.1)
_GROUND_PER_GRID = 1.0 / 0.994  # at the pole of UPS, where the grid shrinks most

_MGRS = re.compile(r"(\d{0,2}) ?([A-Z]) ?([A-Z]) ?([A-Z])((?: ?\d+)*)", re.ASCII | re.IGNORECASE)
_METRES = r"(\d{1,8}(?:[.,]\d{1,6})?)"
_UTM = re.compile(
    rf"(?:UTM ?:? ?)?(?:ZONE ?)?(\d{{1,2}}) ?(NORTH|SOUTH|[A-Z])[ ,;]+(?:E ?=? ?)?{_METRES}(?: ?M)?(?: ?E)?"
    rf"(?:[;,]? +|; ?)(?:N ?=? ?)?{_METRES}(?: ?M)?(?: ?N)?",
    re.ASCII | re.IGNORECASE,
)
# Cyrillic Х and У look like the Latin letters and are what a Russian keyboard gives.
_GAUSS_KRUEGER = re.compile(rf"[XХ] ?[=:]? ?{_METRES}[ ,;]+[YУ] ?[=:]? ?{_METRES}", re.ASCII)


class _Cell(NamedTuple):
    """A square of the grid: its south-west corner and its side, in metres."""

    easting: float
    northing: float
    side: float


class _Bounds(NamedTuple):
    west: float
    south: float
    east: float
    north: float


def read_mgrs(text: str) -> Typed | None:
    """Middle of the cell that an MGRS reference names, or None if the text has not that shape.

    Zone, band, square and digits may be apart or together. The resolution is half the cell's diagonal: 0.7 m with ten
    digits, 71 km with none.

    Raises
    ------
    InputError
        If there is no such zone, band or square, or the digits are not as many for easting as for northing.
    """
    match = _MGRS.fullmatch(text)
    if match is None:
        return None
    zone, band, column, row, digits = (group.upper() for group in match.groups())
    inner = _digits(digits, text)
    if zone:
        return _utm_cell(int(zone), band, column + row, inner, text)
    return _ups_cell(band, column + row, inner, text)


def read_utm(text: str, datum: Datum = WGS84) -> Typed | None:
    """Place of a UTM zone, easting and northing, or None if the text has not that shape.

    The letter after the zone may be a latitude band or, as N and S, a hemisphere. N is north either way. S is refused
    where both readings give a place, and read as south, with a warning, where the northing does not fit band S.

    Raises
    ------
    InputError
        If the letter has two readings, contradicts the northing, or a value is out of range.
    """
    match = _UTM.fullmatch(text)
    if match is None:
        return None
    zone, letter = int(match[1]), match[2].upper()
    easting, northing = _metres(match[3]), _metres(match[4])
    if not 1 <= zone <= 60:
        raise refusal(f"there is no UTM zone {zone}", "a zone from 1 to 60", text)
    if not (1e5 <= easting < 9e5 and 0.0 <= northing <= 1e7):
        raise refusal("easting or northing out of range", "easting 100000 to 900000, then northing to 10000000", text)
    is_north, notes = _hemisphere(zone, letter, easting, northing, datum, text)
    lon, lat = _inverse(_utm(zone, datum, is_north=is_north), easting, northing)
    if not -80.5 <= lat <= 84.5:
        raise refusal(f"UTM does not reach latitude {lat:.1f}", "from 80°S to 84°N", text)
    half = math.hypot(_half_unit(match[3]), _half_unit(match[4])) * _GROUND_PER_GRID
    return Typed(lon, lat, half, PositionFormat.UTM, notes)


def is_gauss_krueger(text: str) -> bool:
    """Whether the text has the shape of X and Y on the Gauss-Krüger grid, which has no datum of its own."""
    return _GAUSS_KRUEGER.fullmatch(text.upper()) is not None


def read_gauss_krueger(text: str, datum: Datum) -> Typed:
    """Place of X (north) and Y (zone and east) on the six-degree Gauss-Krüger grid, northern hemisphere.

    ``X=3906000 Y=7604000`` lies 3,906 km north of the equator in zone 7 (39°E), 104 km east of its middle.

    Raises
    ------
    InputError
        If a value is out of range.
    """
    match = _GAUSS_KRUEGER.fullmatch(text.upper())
    if match is None:
        raise refusal("not Gauss-Krüger", "X=3906000 Y=7604000", text)
    x, y = _metres(match[1]), _metres(match[2])
    zone, easting = divmod(y, 1e6)
    if not (1 <= zone <= 60 and 1e5 <= easting < 9e5 and 0.0 <= x <= 1e7):
        raise refusal(
            "X or Y out of range",
            "X, metres north, from 0 to 10000000; then Y, the zone (1 to 60) and six digits of metres",
            text,
        )
    lon, lat = _inverse(_gauss(int(zone), datum), easting, x)
    half = math.hypot(_half_unit(match[1]), _half_unit(match[2])) * _GROUND_PER_GRID
    return Typed(lon, lat, half, PositionFormat.GAUSS_KRUEGER)


def _digits(groups: str, text: str) -> tuple[str, str]:
    parts = groups.split()
    joined = "".join(parts)
    if len(joined) % 2 or len(joined) > 10 or (len(parts) == 2 and len(parts[0]) != len(parts[1])):
        raise refusal(
            "easting and northing must have as many digits each, at most five",
            "37SGB 66216 21274 or 37SGB 662 212",
            text,
        )
    half = len(joined) // 2
    return joined[:half], joined[half:]


def _cell(corner_e: float, corner_n: float, inner: tuple[str, str]) -> _Cell:
    side = 10.0 ** (5 - len(inner[0]))
    return _Cell(corner_e + int(inner[0] or 0) * side, corner_n + int(inner[1] or 0) * side, side)


def _utm_cell(zone: int, band: str, square: str, inner: tuple[str, str], text: str) -> Typed:
    if not 1 <= zone <= 60 or (zone, band) in _NO_ZONES:
        raise refusal(f"there is no MGRS zone {zone}{band}", "a zone from 1 to 60; 32X, 34X and 36X do not exist", text)
    if band not in _BANDS:
        raise refusal(f"there is no MGRS band {band}", f"one of {_BANDS}", text)
    columns = _COLUMNS[zone % 3]
    if square[0] not in columns or square[1] not in _ROWS:
        raise refusal(f"zone {zone} has no square {square}", f"first letter one of {columns}, second of {_ROWS}", text)
    easting = (columns.index(square[0]) + 1) * 1e5
    northing = (_ROWS.index(square[1]) - (5 if zone % 2 == 0 else 0)) % 20 * 1e5
    projection = _utm(zone, WGS84, is_north=band >= "N")
    bounds = _zone_bounds(zone, band)
    for cycle in range(6):  # the letters of rows repeat every 2,000 km; a band is less than that
        cell = _cell(easting, northing + cycle * 2e6, inner)
        if cell.northing <= 1e7 and _touches_band(cell, projection, bounds):
            return _typed_cell(cell, projection, bounds, text)
    raise refusal(f"square {square} does not reach into band {band} of zone {zone}", "check the letters", text)


def _typed_cell(cell: _Cell, projection: Proj, bounds: _Bounds, text: str) -> Typed:
    lons, lats = _outline(cell, projection)
    lon, lat = _inverse(projection, cell.easting + cell.side / 2, cell.northing + cell.side / 2)
    # Degrees beyond the zone's edge; measured from the zone's middle, so that 180° is no edge of its own.
    middle, half_width = (bounds.west + bounds.east) / 2, (bounds.east - bounds.west) / 2
    beyond = min(abs((x - middle + 180.0) % 360.0 - 180.0) for x in lons) - half_width
    beyond_m = beyond * 111_320.0 * math.cos(math.radians(min(map(abs, lats))))
    if beyond_m > _OVERLAP_M:
        raise refusal(
            f"this square lies {beyond_m / 1000:.0f} km outside its zone",
            "check zone and letters against the map",
            text,
        )
    notes = (f"lies {beyond_m / 1000:.1f} km beyond the edge of its zone",) if beyond_m > 1.0 else ()
    return Typed(lon, lat, _half_diagonal(cell), PositionFormat.MGRS, notes)


def _zone_bounds(zone: int, band: str) -> _Bounds:
    west, east = _ODD_ZONES.get((zone, band), (zone * 6.0 - 186.0, zone * 6.0 - 180.0))
    south = -80.0 + 8.0 * _BANDS.index(band)
    north = south + 8.0
    # UTM and UPS overlap by half a degree on either side of 84°N and of 80°S.
    return _Bounds(west, south - (0.5 if band == "C" else 0.0), east, 84.5 if band == "X" else north)


def _touches_band(cell: _Cell, projection: Proj, bounds: _Bounds) -> bool:
    _, lats = _outline(cell, projection)
    slack = 1e-6  # 0.1 m: the last digit of a reference on the edge may be rounded across it
    return min(lats) <= bounds.north + slack and max(lats) >= bounds.south - slack


def _ups_cell(band: str, square: str, inner: tuple[str, str], text: str) -> Typed:
    if band not in "ABYZ":
        raise refusal("an MGRS reference without its zone", "the zone's number first: 37SGB6621621274", text)
    columns = _POLAR_WEST if band in "AY" else _POLAR_EAST
    if square[0] not in columns or square[1] not in _POLAR_ROWS:
        raise refusal(f"polar zone {band} has no square {square}", f"first letter one of {columns}", text)
    is_north = band in "YZ"
    easting = (columns.index(square[0]) + (8 if band in "AY" else 20)) * 1e5
    northing = (_POLAR_ROWS.index(square[1]) + (13 if is_north else 8)) * 1e5
    cell = _cell(easting, northing, inner)
    projection = _ups(is_north=is_north)
    _, lats = _outline(cell, projection)
    if max(lats) < 83.5 if is_north else min(lats) > -79.5:
        raise refusal(f"square {square} does not reach into polar zone {band}", "check the letters", text)
    lon, lat = _inverse(projection, cell.easting + cell.side / 2, cell.northing + cell.side / 2)
    return Typed(lon, lat, _half_diagonal(cell), PositionFormat.MGRS)


def _outline(cell: _Cell, projection: Proj) -> tuple[list[float], list[float]]:
    """Longitudes and latitudes of corners, middles of sides, and middle."""
    steps = [i * cell.side / 2 for i in range(3)]
    eastings = [cell.easting + de for de in steps for _ in steps]
    northings = [cell.northing + dn for _ in steps for dn in steps]
    lons, lats = projection(eastings, northings, inverse=True)
    return list(lons), list(lats)


def _half_diagonal(cell: _Cell) -> float:
    return cell.side * math.sqrt(0.5) * _GROUND_PER_GRID


def _hemisphere(
    zone: int, letter: str, easting: float, northing: float, datum: Datum, text: str
) -> tuple[bool, tuple[str, ...]]:
    if letter in ("NORTH", "SOUTH", "N"):
        return letter != "SOUTH", ()
    if letter not in _BANDS:
        raise refusal(f"there is no latitude band {letter}", f"north, south, or one of {_BANDS}", text)
    is_north = letter >= "N"
    bounds = _zone_bounds(zone, letter)
    lat = _inverse(_utm(zone, datum, is_north=is_north), easting, northing)[1]
    fits = bounds.south - 0.01 <= lat <= bounds.north + 0.01
    if letter != "S" and not fits:
        raise refusal(
            f"this northing is at latitude {lat:.2f}, not in band {letter}",
            f"band {letter} runs from {bounds.south:g} to {bounds.north:g}",
            text,
        )
    if letter != "S":
        return is_north, ()
    if fits:
        south_lat = _inverse(_utm(zone, datum, is_north=False), easting, northing)[1]
        raise refusal(
            f"S could be band S (latitude {lat:.2f}) or the southern hemisphere (latitude {south_lat:.2f})",
            f"write {zone} north or {zone} south before easting and northing",
            text,
        )
    return False, ("S was read as the southern hemisphere: the northing does not fit band S",)


def _metres(number: str) -> float:
    return float(number.replace(",", "."))


def _half_unit(number: str) -> float:
    return 0.5 * 10.0 ** -len(number.replace(",", ".").partition(".")[2])


def _inverse(projection: Proj, easting: float, northing: float) -> tuple[float, float]:
    lon, lat = projection(easting, northing, inverse=True)
    return float(lon), float(lat)


@lru_cache(maxsize=128)
def _utm(zone: int, datum: Datum, *, is_north: bool) -> Proj:
    return Proj(proj="utm", zone=zone, south=not is_north, a=datum.semi_major_m, rf=datum.inverse_flattening)


@lru_cache(maxsize=128)
def _gauss(zone: int, datum: Datum) -> Proj:
    lon_0 = (zone * 6 - 3 + 180) % 360 - 180
    return Proj(proj="tmerc", lon_0=lon_0, k=1, x_0=500_000, a=datum.semi_major_m, rf=datum.inverse_flattening)


@lru_cache(maxsize=2)
def _ups(*, is_north: bool) -> Proj:
    return Proj(proj="ups", south=not is_north, ellps="WGS84")
