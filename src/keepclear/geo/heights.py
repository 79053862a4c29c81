"""Heights above one surface as intervals above the ellipsoid.

A height with a known relation to the ellipsoid is a number; one without (above an unknown ground, a pressure
altitude, a number without datum) is an interval that contains the true height. The interval is linear in the height,
so it stays exact along a climbing leg.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["AGL", "AMSL", "FL", "GROUND_SPAN", "HEIGHT_SPANS", "NOTHING", "UNKNOWN", "W84", "comparable"]

# Codes of references in arrays. GROUND_SPAN and NOTHING are heights that are not given: on the ground, anywhere.
W84, AMSL, FL, AGL, UNKNOWN, GROUND_SPAN, NOTHING = range(7)

_LOWEST_GROUND_M, _HIGHEST_GROUND_M = -450.0, 9000.0  # Dead Sea shore and Everest, with the geoid's ±110 m
_ANYWHERE_M = 1e7

# Rows (a_low, b_low, a_high, b_high): above the ellipsoid, h lies between a_low·h + b_low and a_high·h + b_high.
#
# Pressure altitude: at the lowest sea-level pressure on record, 870 hPa, standard altitude reads 1,267 m at the sea;
# at the highest, about 1084 hPa, it reads -571 m (WMO World Weather & Climate Extremes Archive; ICAO Doc 7488 for
# the standard atmosphere). A column of air 15 % colder or warmer than standard is thinner or thicker by as much. The
# geoid adds -107 to +86 m; 100 m more keeps the bounds apart below zero.
HEIGHT_SPANS: npt.NDArray[np.float64] = np.array(
    [
        [1.0, 0.0, 1.0, 0.0],
        [1.0, -107.0, 1.0, 86.0],  # only where no position is at hand to ask the geoid
        [0.85, -1500.0, 1.15, 800.0],
        [1.0, _LOWEST_GROUND_M, 1.0, _HIGHEST_GROUND_M],
        [0.85, -1500.0, 1.15, _HIGHEST_GROUND_M],
        [0.0, _LOWEST_GROUND_M, 0.0, _HIGHEST_GROUND_M],
        [0.0, -_ANYWHERE_M, 0.0, _ANYWHERE_M],
    ]
)
HEIGHT_SPANS.setflags(write=False)


def comparable(first: int, second: int) -> bool:
    """Whether heights with these references compare as numbers (after the geoid, for W84 with AMSL)."""
    return first == second <= FL or (first <= AMSL and second <= AMSL)
