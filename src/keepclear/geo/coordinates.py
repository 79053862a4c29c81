"""Positions as people write them.

One function reads them all; what was typed is kept beside the WGS84 degrees it became, with how far off they may be.
"""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.geo.angles import read_angles
from keepclear.geo.datums import MISSING_DATUM_M, WGS84, Datum, datum_named, find_datum, to_wgs84
from keepclear.geo.grids import is_gauss_krueger, read_gauss_krueger, read_mgrs, read_utm
from keepclear.geo.iso6709 import read_iso6709
from keepclear.geo.typed import PositionFormat, Typed, plain, refusal

__all__ = ["Position", "read_position"]


@dataclass(frozen=True, slots=True)
class Position:
    """A place on WGS84, and where it comes from.

    Attributes
    ----------
    lon_deg, lat_deg
        Degrees on WGS84: the middle of what the text allows.
    uncertainty_m
        How far off the true place may be, in metres, by the text alone: half the diagonal of the cell that its last
        digits leave open (35.28 40.15 leaves 0.005° each way, an MGRS reference its square), plus the uncertainty of
        the operation that led to WGS84, plus `keepclear.geo.datums.MISSING_DATUM_M` if no datum was said. A person
        who cut digits off, where rounding is assumed, may be twice the first of these away.
    text
        What was typed.
    format
        How it was written.
    datum
        The datum that the text or the caller named; empty if neither did, and WGS84 was assumed.
    operation
        The name in the EPSG dataset of the operation that led to WGS84.
    accuracy_m
        The accuracy that EPSG states for it, None if unknown.
    warnings
        What was assumed, and what a person should check.
    """

    lon_deg: float
    lat_deg: float
    uncertainty_m: float
    text: str
    format: PositionFormat
    datum: str
    operation: str
    accuracy_m: float | None
    warnings: tuple[str, ...] = ()


def read_position(text: str, *, datum: str | None = None) -> Position:
    """Place that a text names.

    Reads decimal degrees (``35.28 40.15``, ``35,28 40,15``, ``٣٥٫٢٨ ٤٠٫١٥``), degrees, minutes and seconds with any
    usual marks (``35°17′07″N 40°09′00″E``, ``35-17-07N 040-09-00E``, ``351707N0400900E``), hemispheres in English,
    Russian and Arabic before or behind, ISO 6709, MGRS in any spacing, UTM (``37 north 621621 4117000``) and
    Gauss-Krüger (``X=3906000 Y=7604000``). Without letters, latitude comes first. What could be read in two ways is
    refused.

    Parameters
    ----------
    text
        At most 200 characters. It may name its datum (``35.28 40.15 SK-42``).
    datum
        The datum that holds where the text names none: WGS84, SK-42, SK-95, PZ-90.11, PZ-90.02, PZ-90, GSK-2011, ED50
        or ``EPSG:nnnn`` of any system of longitude and latitude in degrees. Readers of files whose standard fixes
        WGS84 say so here. If nobody says, WGS84 is assumed, with a warning and a wider uncertainty.

    Raises
    ------
    InputError
        If the text is not a position, has two readings, is out of range, names another datum than the caller, or no
        way from its datum to WGS84 is known.

    Examples
    --------
    >>> place = read_position("37SGB 66216 21274", datum="WGS84")
    >>> round(place.lat_deg, 4), round(place.lon_deg, 4), round(place.uncertainty_m, 1)
    (37.2, 41.9995, 0.7)
    """
    found, rest = find_datum(plain(text))
    asked = datum_named(datum) if datum is not None else None
    if found and asked and found.code != asked.code:
        raise refusal(f"the text says {found.name}, but {asked.name} holds here", f"the position on {asked.name}", text)
    stated = found or asked
    typed = _read(rest, stated, text)
    shifted = to_wgs84(typed.lon_deg, typed.lat_deg, stated or WGS84)
    warnings = typed.warnings + shifted.warnings
    uncertainty_m = typed.resolution_m + shifted.uncertainty_m
    if stated is None:
        uncertainty_m += MISSING_DATUM_M
        warnings += (f"no datum said: WGS84 is assumed, and {MISSING_DATUM_M:g} m of uncertainty added",)
    return Position(
        lon_deg=shifted.lon_deg,
        lat_deg=shifted.lat_deg,
        uncertainty_m=uncertainty_m,
        text=text,
        format=typed.format,
        datum=stated.name if stated else "",
        operation=shifted.operation,
        accuracy_m=shifted.accuracy_m,
        warnings=warnings,
    )


def _read(plain_text: str, datum: Datum | None, text: str) -> Typed:
    typed = read_mgrs(plain_text)
    if typed is not None:
        if datum is not None and datum.code != WGS84.code:
            raise refusal(
                f"MGRS on {datum.name}: the letters of its squares differ from map to map",
                "MGRS on WGS84, or degrees on the other datum",
                text,
            )
        return typed
    if is_gauss_krueger(plain_text):
        if datum is None:
            raise refusal("Gauss-Krüger without a datum", "name it: X=3906000 Y=7604000 SK-42", text)
        return read_gauss_krueger(plain_text, datum)
    return read_utm(plain_text, datum or WGS84) or read_iso6709(plain_text) or read_angles(plain_text)
