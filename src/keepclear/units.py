"""The only file that knows feet, knots and nautical miles.

Exact by definition: the international foot and nautical mile (BIPM, The International System of Units, table 8;
ICAO Annex 5, table 3-3).
"""

from __future__ import annotations

__all__ = [
    "FOOT_M",
    "KNOT_M_S",
    "NAUTICAL_MILE_M",
    "feet_to_metres",
    "flight_level_to_metres",
    "knots_to_metres_per_second",
    "metres_to_feet",
    "metres_to_nautical_miles",
    "nautical_miles_to_metres",
]

FOOT_M = 0.3048
NAUTICAL_MILE_M = 1852.0
KNOT_M_S = NAUTICAL_MILE_M / 3600.0


def feet_to_metres(feet: float) -> float:
    """International feet to metres."""
    return feet * FOOT_M


def metres_to_feet(metres: float) -> float:
    """Metres to international feet."""
    return metres / FOOT_M


def nautical_miles_to_metres(miles: float) -> float:
    """International nautical miles to metres."""
    return miles * NAUTICAL_MILE_M


def metres_to_nautical_miles(metres: float) -> float:
    """Metres to international nautical miles."""
    return metres / NAUTICAL_MILE_M


def knots_to_metres_per_second(knots: float) -> float:
    """Knots to metres per second."""
    return knots * KNOT_M_S


def flight_level_to_metres(level: float) -> float:
    """Flight level (hundreds of feet of standard pressure altitude) to metres of pressure altitude."""
    return level * 100.0 * FOOT_M
