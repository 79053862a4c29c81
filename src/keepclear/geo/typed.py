"""What a person typed: its characters made plain, and the place it names.

People copy positions out of messages, maps and web pages in several scripts. The marks and digits that stand for the
same thing are listed here one by one; everything else is left alone, to be refused by name.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from keepclear.errors import Fault, InputError

__all__ = ["EXAMPLES", "MOST_CHARACTERS", "PositionFormat", "Typed", "diagonal_m", "plain", "refusal"]

MOST_CHARACTERS = 200
"""No position needs more; a longer text is refused before anything looks at it."""

EXAMPLES = (
    "latitude first, for example 35.28 40.15, 35,28 40,15, 35°17′07″N 40°09′00″E, +35.28+040.15/, "
    "37SGB6621621274 or 37 north 621621 4117000"
)

_METRES_PER_DEGREE = 111_694.0  # along a meridian at the pole, the longest degree there is (WGS84)


class PositionFormat(StrEnum):
    """How a position was written."""

    DECIMAL_DEGREES = "decimal degrees"
    DEGREES_MINUTES = "degrees and minutes"
    DEGREES_MINUTES_SECONDS = "degrees, minutes and seconds"
    ISO_6709 = "ISO 6709"
    MGRS = "MGRS"
    UTM = "UTM"
    GAUSS_KRUEGER = "Gauss-Krüger"


@dataclass(frozen=True, slots=True)
class Typed:
    """A place as typed: degrees on the datum it was typed in, and how finely it was written.

    Attributes
    ----------
    lon_deg, lat_deg
        Degrees on the datum of the text, not yet WGS84.
    resolution_m
        No place that rounds to the same text is further away, in metres.
    format
        How it was written.
    warnings
        What was assumed.
    """

    lon_deg: float
    lat_deg: float
    resolution_m: float
    format: PositionFormat
    warnings: tuple[str, ...] = ()


def refusal(problem: str, right: str, value: str) -> InputError:
    """The error for a position that cannot be read."""
    return InputError(Fault(problem, right, field="position", value=value))


def diagonal_m(lat_deg: float, half_lon_deg: float, half_lat_deg: float) -> float:
    """Half the diagonal of a cell of degrees, in metres, rounded up where the Earth is flattened."""
    nearest_equator = max(abs(lat_deg) - half_lat_deg, 0.0)
    east = half_lon_deg * math.cos(math.radians(nearest_equator))
    return math.hypot(east, half_lat_deg) * _METRES_PER_DEGREE


def plain(text: str) -> str:
    """The text with its digits, signs, marks and spaces in one form each.

    Arabic-Indic (٠–٩) and Eastern Arabic-Indic digits (۰–۹) become 0–9, the Arabic decimal separator a point, the
    Arabic comma and semicolon a semicolon, every form of degree, minute and second mark ``°``, ``'`` and ``"``, minus
    signs and hyphens ``-``. Marks of writing direction and of zero width vanish.

    Raises
    ------
    InputError
        If there is no text, or more than `MOST_CHARACTERS`.
    """
    if len(text) > MOST_CHARACTERS:
        raise refusal(f"too long for a position: {len(text)} characters", EXAMPLES, text)
    cleaned = re.sub(r"''", '"', text.translate(_PLAIN))
    cleaned = " ".join(cleaned.split())
    if not cleaned:
        raise refusal("no position", EXAMPLES, text)
    return cleaned


def _table() -> dict[int, str]:
    table = {ord("٠") + i: str(i) for i in range(10)} | {ord("۰") + i: str(i) for i in range(10)}
    for characters, becomes in (
        ("٫", "."),
        ("،؛", ";"),
        ("º˚∘", "°"),
        ("′’‘ʹʼ´`", "'"),
        ("″”“„ʺ˝", '"'),
        ("−–‐‑", "-"),
        ("\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff", ""),
    ):
        table |= dict.fromkeys(map(ord, characters), becomes)
    return table


_PLAIN = _table()
