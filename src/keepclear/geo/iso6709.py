"""Positions as ISO 6709:2008 annex H writes them: ``+35.28+040.15/``."""

from __future__ import annotations

import re

from keepclear.geo.typed import PositionFormat, Typed, diagonal_m, refusal

__all__ = ["read_iso6709"]

_SHAPE = re.compile(r"([+-])(\d+)(\.\d+)?([+-])(\d+)(\.\d+)?(?P<height>[+-]\d+(?:\.\d+)?)?/?", re.ASCII)
_RIGHT = (
    "two, four or six digits of latitude (degrees, minutes, seconds) and three, five or seven of longitude: "
    "+35.28+040.15/, +3517.1+04009.0/, +351707+0400900/"
)


def read_iso6709(text: str) -> Typed | None:
    """Place written in ISO 6709, or None if the text has not that shape.

    A height is not part of a place here; if there is one, a warning says that it was left out.

    Raises
    ------
    InputError
        If it has that shape, but the wrong number of digits or a value out of range.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    lat, half_lat = _degrees(match[1], match[2], match[3] or "", 2, text)
    lon, half_lon = _degrees(match[4], match[5], match[6] or "", 3, text)
    if abs(lat) > 90.0 or abs(lon) > 180.0:
        raise refusal("latitude or longitude out of range", "latitude within ±90, then longitude within ±180", text)
    warnings = (f"the height {match['height']} was not read, only the place",) if match["height"] else ()
    return Typed(lon, lat, diagonal_m(lat, half_lon, half_lat), PositionFormat.ISO_6709, warnings)


def _degrees(sign: str, whole: str, fraction: str, wide: int, text: str) -> tuple[float, float]:
    """Degrees, and half of the last digit in degrees."""
    if len(whole) not in (wide, wide + 2, wide + 4):
        raise refusal(f"{len(whole)} digits where ISO 6709 has {wide}, {wide + 2} or {wide + 4}", _RIGHT, text)
    parts = [whole[:wide], *(whole[i : i + 2] for i in range(wide, len(whole), 2))]
    if any(int(part) >= 60 for part in parts[1:]):
        raise refusal("minutes and seconds run from 0 to below 60", _RIGHT, text)
    parts[-1] += fraction
    value = sum(float(part) / 60.0**i for i, part in enumerate(parts))
    half_unit = 0.5 * 60.0 ** (1 - len(parts)) * 10.0 ** -max(len(fraction) - 1, 0)
    return (-value if sign == "-" else value), half_unit
