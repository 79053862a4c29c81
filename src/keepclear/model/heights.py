"""Heights with the surface they are counted from.

Two heights with the same reference compare directly. Mean sea level and the ellipsoid convert through a geoid; every
other mixture is an interval (see `keepclear.geo.heights`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from keepclear.errors import Fault, InputError
from keepclear.units import feet_to_metres, flight_level_to_metres

__all__ = ["Height", "HeightReference", "height_reference_of", "parse_height_reference"]


class HeightReference(StrEnum):
    """The surface from which a height is counted."""

    W84 = "W84"
    """WGS84 ellipsoid."""
    AMSL = "AMSL"
    """Mean sea level, the EGM96 geoid."""
    AGL = "AGL"
    """The ground below, which keepclear does not know."""
    FL = "FL"
    """Standard pressure altitude (1013.25 hPa); the value is in metres, not in hundreds of feet."""
    UNKNOWN = "UNKNOWN"
    """A number without a datum: it could be any of the others."""


_ALIASES = {
    "W84": HeightReference.W84,
    "WGS84": HeightReference.W84,
    "HAE": HeightReference.W84,
    "ELLIPSOID": HeightReference.W84,
    "AMSL": HeightReference.AMSL,
    "MSL": HeightReference.AMSL,
    "EGM96": HeightReference.AMSL,
    "AGL": HeightReference.AGL,
    "SFC": HeightReference.AGL,
    "FL": HeightReference.FL,
    "STD": HeightReference.FL,
    "UNKNOWN": HeightReference.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Height:
    """A height in metres above its reference surface.

    Raises
    ------
    InputError
        If the value is not a finite number between -12,000 m and 1,000,000 m, or there is no such reference.
    """

    value_m: float
    reference: HeightReference

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", height_reference_of(self.reference))
        if not (math.isfinite(self.value_m) and -12_000.0 <= self.value_m <= 1_000_000.0):
            raise InputError(
                Fault("not a height", "a number of metres from -12000 to 1000000", "", "", "height", str(self.value_m))
            )

    @classmethod
    def of_feet(cls, feet: float, reference: HeightReference) -> Height:
        """Height given in international feet."""
        return cls(feet_to_metres(feet), reference)

    @classmethod
    def of_flight_level(cls, level: float) -> Height:
        """Flight level in hundreds of feet of standard pressure altitude: ``of_flight_level(150)`` is FL150."""
        return cls(flight_level_to_metres(level), HeightReference.FL)


def height_reference_of(given: object) -> HeightReference:
    """A height reference, given as itself or by its name.

    Raises
    ------
    InputError
        If no reference has that name.
    """
    return given if isinstance(given, HeightReference) else parse_height_reference(str(given))


def parse_height_reference(text: str) -> HeightReference:
    """Height reference named by `text` (W84, WGS84, AMSL, MSL, AGL, SFC, FL, STD …; case does not matter).

    Raises
    ------
    InputError
        If no reference has that name.
    """
    known = _ALIASES.get(text.strip().upper().replace("-", "").replace(" ", ""))
    if known is None:
        names = ", ".join(sorted(_ALIASES))
        raise InputError(Fault("unknown height reference", f"one of: {names}", field="height_reference", value=text))
    return known
