"""Read-back: the recipient enters place and time anew, and they are compared with what was filed.

In September 2016 the place that was passed on was nine kilometres off, and nobody noticed for the better part of an
hour. So what does not agree is blocked, and the answer says by how much and in which direction, and names the slip
that would explain it, if there is one. Only numbers are compared; nothing here says that a plan is known to be safe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.line.read_back_slips import ReadBackSlip, place_slip, time_slip
from keepclear.times import parse_time

__all__ = [
    "DEFAULT_TOLERANCE",
    "Comparison",
    "Outcome",
    "Place",
    "Reentered",
    "Tolerance",
    "compare",
    "reenter",
]

_POINTS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True, slots=True)
class Place:
    """What a filing says that is to be read back: where, when, and how exactly it says so.

    Attributes
    ----------
    lon_deg, lat_deg
        WGS84 degrees.
    time_s
        Seconds since the epoch; None where the filing has no time, and then none is compared.
    uncertainty_m
        What the filing states of the place.
    """

    lon_deg: float
    lat_deg: float
    time_s: float | None = None
    uncertainty_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Reentered:
    """What the recipient entered anew.

    Attributes
    ----------
    lon_deg, lat_deg
        WGS84 degrees.
    time_s
        Seconds since the epoch.
    uncertainty_m
        How far off the place may be by how it was typed (`keepclear.read_position`).
    text
        The place as it was typed, if that was passed on.
    """

    lon_deg: float
    lat_deg: float
    time_s: float
    uncertainty_m: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a read-back may be off; an agreement may say otherwise.

    Attributes
    ----------
    place_m
        Metres, to which the uncertainty that the filing states is added.
    most_stated_m
        At most so much of that: whoever reads back copies numbers, and those of a place known to 15 km only can be
        copied wrongly by 9 km like any others.
    time_s
        Seconds.

    Raises
    ------
    InputError
        If one of them is not a number, or negative.
    """

    place_m: float = 100.0
    most_stated_m: float = 1_000.0
    time_s: float = 60.0

    def __post_init__(self) -> None:
        faults = [
            Fault("not a tolerance", "0 or more", field=field, value=str(value))
            for field in ("place_m", "most_stated_m", "time_s")
            if not (math.isfinite(value := getattr(self, field)) and value >= 0.0)
        ]
        if faults:
            raise InputError(faults)


DEFAULT_TOLERANCE = Tolerance()


class Outcome(StrEnum):
    """What a comparison says. Only what agrees counts as a read-back."""

    AGREES = "agrees"
    TOO_COARSE = "too coarse to tell"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a read-back compares with what was filed.

    Attributes
    ----------
    outcome
        That of place and time together, the worse of the two.
    distance_m
        From the place filed to the place read back, along the ellipsoid.
    bearing_deg
        In which direction that is, clockwise from north; 0 where they are the same.
    allowed_m
        How much was allowed.
    late_s
        How much later than filed the time read back is; negative if earlier; None if the filing has no time.
    slips
        What may have happened, of the place, of the time, or of both; for a person to ask about.
    sentence
        All that in one sentence to be read out.
    """

    outcome: Outcome
    distance_m: float
    bearing_deg: float
    allowed_m: float
    late_s: float | None
    slips: tuple[ReadBackSlip, ...]
    sentence: str

    @property
    def agrees(self) -> bool:
        """Whether the read-back counts."""
        return self.outcome is Outcome.AGREES


def compare(filed: Place, got: Reentered, *, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Comparison:
    """Compare what was entered anew with what was filed.

    A place typed so coarsely that it may or may not be within the tolerance is `Outcome.TOO_COARSE`, which blocks as a
    difference does: it is to be given with more digits, or with its datum.
    """
    distance_m, bearing_deg = _from_to(filed.lon_deg, filed.lat_deg, got.lon_deg, got.lat_deg)
    allowed_m = tolerance.place_m + min(filed.uncertainty_m, tolerance.most_stated_m)
    late_s = None if filed.time_s is None else got.time_s - filed.time_s
    place, time = _place_outcome(distance_m, got.uncertainty_m, allowed_m), _time_outcome(late_s, tolerance.time_s)
    slips: list[ReadBackSlip] = []
    if place is Outcome.DIFFERS:
        slips += place_slip(filed.lon_deg, filed.lat_deg, got.lon_deg, got.lat_deg, text=got.text, within_m=allowed_m)
    if time is Outcome.DIFFERS and filed.time_s is not None:
        slips += time_slip(filed.time_s, got.time_s, within_s=tolerance.time_s)
    said = [_place_said(place, distance_m, bearing_deg, got.uncertainty_m, allowed_m), _time_said(time, late_s)]
    outcome = max(place, time, key=list(Outcome).index)
    sentence = "; ".join(one for one in said if one) + "".join(f": {slip.question}" for slip in slips[:1])
    sentence += "".join(f" And {slip.question}" for slip in slips[1:])
    return Comparison(outcome, distance_m, bearing_deg, allowed_m, late_s, tuple(slips), sentence)


def reenter(place: str, time: str, *, datum: str | None = None) -> Reentered:
    """What a person enters to read back: a position as people write them, and a time with its zone.

    Parameters
    ----------
    place
        As for `keepclear.read_position`.
    time
        RFC 3339.
    datum
        The datum that holds where the text names none. If nobody says, WGS84 is assumed, and so widely that the
        comparison will be too coarse to tell unless the tolerance is wide too.

    Raises
    ------
    InputError
        If place or time cannot be read; the faults of both.
    """
    from keepclear.geo.coordinates import read_position  # with pyproj, which takes long to load

    faults: list[Fault] = []
    position, time_s = None, None
    try:
        position = read_position(place, datum=datum)
    except InputError as error:
        faults += error.faults
    try:
        time_s = parse_time(time)
    except InputError as error:
        faults += error.faults
    if position is None or time_s is None:
        raise InputError(faults)
    return Reentered(position.lon_deg, position.lat_deg, time_s, position.uncertainty_m, place)


def _place_outcome(distance_m: float, uncertainty_m: float, allowed_m: float) -> Outcome:
    if distance_m + uncertainty_m <= allowed_m:
        return Outcome.AGREES
    return Outcome.DIFFERS if distance_m - uncertainty_m > allowed_m else Outcome.TOO_COARSE


def _time_outcome(late_s: float | None, allowed_s: float) -> Outcome:
    return Outcome.AGREES if late_s is None or abs(late_s) <= allowed_s else Outcome.DIFFERS


def _place_said(outcome: Outcome, distance_m: float, bearing_deg: float, uncertainty_m: float, allowed_m: float) -> str:
    if outcome is Outcome.AGREES:
        return f"the place read back agrees within {_metres(allowed_m)}"
    if outcome is Outcome.TOO_COARSE:
        typed = f"it was typed to {_metres(uncertainty_m)}, and {_metres(allowed_m)} are allowed"
        return f"the place read back is too coarse to tell: {typed}; give it with more digits and its datum"
    point = _POINTS[round(bearing_deg / 45.0) % 8]
    return f"the place read back is {_metres(distance_m)} {point} of the place filed ({_metres(allowed_m)} are allowed)"


def _time_said(outcome: Outcome, late_s: float | None) -> str:
    if late_s is None or outcome is Outcome.AGREES:
        return ""
    return f"the time read back is {_seconds(abs(late_s))} {'later' if late_s > 0.0 else 'earlier'} than the time filed"


def _metres(metres: float) -> str:
    if metres < 995.0:
        return f"{metres:.0f} m"
    return f"{metres / 1000.0:.1f} km" if metres < 99_500.0 else f"{metres / 1000.0:,.0f} km"


def _seconds(seconds: float) -> str:
    if seconds < 60.0:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    days, hours, minutes, rest = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60, whole % 60
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


@cache
def _geod() -> Any:
    from pyproj import Geod  # which takes long to load

    return Geod(ellps="WGS84")


def _from_to(lon0: float, lat0: float, lon1: float, lat1: float) -> tuple[float, float]:
    azimuth, _, length = _geod().inv(lon0, lat0, lon1, lat1)
    return (float(length), float(azimuth) % 360.0) if length > 0.0 else (0.0, 0.0)
