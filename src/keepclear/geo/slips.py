"""Slips of the pen: positions that are far from everything else a party filed, and what may have happened.

Nothing here changes a position or refuses one, but for a latitude that cannot be; it finds what a person should be
asked about. The slips and what they cost at Deir ez-Zor: latitude and longitude swapped 693 km, 35°17′07″ typed as
35.1707 14 km, one degree 111 km. A slip of one minute (1.85 km) cannot be told from a place close by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault

__all__ = ["Slip", "SlipKind", "find_slips", "looks_swapped", "range_fault"]

EXPLAINED_M = 5_000.0
"""Nearer than this to others, no position is asked about."""
UNEXPLAINED_M = 100_000.0
"""Nearer than this to others, no position is asked about unless a slip would explain it."""

_MOST_COMPARED = 1000  # positions that each is compared with, spread evenly over all
_CHUNK = 2000
_RADIUS_M = 6_371_008.8  # mean radius of WGS84; half a percent is of no consequence here

_Floats = npt.NDArray[np.float64]


class SlipKind(StrEnum):
    """What may have happened."""

    SWAPPED = "latitude and longitude swapped"
    HEMISPHERE = "the wrong hemisphere"
    SEXAGESIMAL = "minutes and seconds typed as decimals"
    ONE_DEGREE = "one degree off"
    UNEXPLAINED = "far from everything else"


@dataclass(frozen=True, slots=True)
class Slip:
    """A position that a person should be asked about.

    Attributes
    ----------
    index
        Which of the positions.
    kind
        What may have happened.
    distance_m
        How far it lies from the others.
    sentence
        The question, for a list of warnings.
    """

    index: int
    kind: SlipKind
    distance_m: float
    sentence: str


class _Repair(NamedTuple):
    kind: SlipKind
    lon: float
    lat: float
    how: str


def range_fault(lon_deg: float, lat_deg: float) -> Fault | None:
    """What is wrong with a position that cannot be, or None; says so where swapping would make it right."""
    if abs(lon_deg) <= 180.0 and abs(lat_deg) <= 90.0:
        return None
    right = "longitude from -180 to 180, latitude from -90 to 90"
    if 90.0 < abs(lat_deg) <= 180.0 and abs(lon_deg) <= 90.0:
        right = f"latitude and longitude look swapped: latitude {lon_deg:g}, longitude {lat_deg:g}?"
    return Fault(
        "longitude or latitude out of range",
        right,
        field="coordinates",
        value=f"longitude {lon_deg:g}, latitude {lat_deg:g}",
    )


def looks_swapped(lon_deg: float, lat_deg: float, others: npt.ArrayLike) -> bool:
    """Whether a position is far from all `others`, and would not be with latitude and longitude swapped.

    Parameters
    ----------
    lon_deg, lat_deg
        The position.
    others
        Shape (n, 2), longitude and latitude in degrees; n may be 0, and then the answer is no.
    """
    rest = np.asarray(others, dtype=np.float64).reshape(-1, 2)
    if not len(rest) or abs(lon_deg) > 90.0:
        return False
    both = _vectors(np.array([[lon_deg, lat_deg], [lat_deg, lon_deg]]))
    as_filed, swapped = _distances(both, _vectors(rest)).min(axis=1)
    return bool(as_filed > UNEXPLAINED_M and swapped < as_filed / 5.0)


def find_slips(positions: npt.ArrayLike, *, names: Sequence[str] | None = None) -> list[Slip]:
    """Positions of one party that lie far from its others, each with the slip that would explain it.

    A position's distance is that to its nearest neighbour, or, so that a slip made on several entries is found, to a
    neighbour so far out that one in ten of the others is nearer. It is compared with the median of all. Five times the
    median, and more than 5 km: asked about if a slip explains it, that is if the mended position is five times nearer.
    Ten times the median, and more than 100 km: asked about anyway.

    Parameters
    ----------
    positions
        Shape (n, 2), longitude and latitude in degrees. With fewer than three nothing is found. Each is compared with
        at most 1,000 others, spread evenly.
    names
        What to call each position in the sentence; its number by default.

    Returns
    -------
    list of Slip
        In the order of the positions.
    """
    places = np.asarray(positions, dtype=np.float64).reshape(-1, 2)
    if len(places) < 3:
        return []
    labels = names or [f"position {i + 1}" for i in range(len(places))]
    sample = np.unique(np.linspace(0, len(places) - 1, min(len(places), _MOST_COMPARED)).astype(np.intp))
    others = _vectors(places[sample])
    nth = (len(sample) - 1) // 10  # of the sorted distances to others
    distances = _to_nth(places, np.arange(len(places)), sample, others, nth)
    usual = float(np.median(distances))
    slips = []
    for i in np.flatnonzero(distances > max(EXPLAINED_M, 5.0 * usual)).tolist():
        slip = _explained(i, places[i], float(distances[i]), sample, others, nth)
        kind, how = slip or (SlipKind.UNEXPLAINED, "is that meant?")
        if slip is None and distances[i] <= max(UNEXPLAINED_M, 10.0 * usual):
            continue
        lon, lat = places[i]
        where = f"{labels[i]} (latitude {lat:.6g}, longitude {lon:.6g})"
        sentence = f"{where} lies {distances[i] / 1000:,.0f} km from the rest: {how}"
        slips.append(Slip(i, kind, float(distances[i]), sentence))
    return slips


def _explained(
    index: int, place: _Floats, distance: float, sample: npt.NDArray[np.intp], others: _Floats, nth: int
) -> tuple[SlipKind, str] | None:
    repairs = list(_repairs(float(place[0]), float(place[1])))
    mended = np.array([[repair.lon, repair.lat] for repair in repairs])
    distances = _to_nth(mended, np.full(len(mended), index), sample, others, nth)
    best = int(np.argmin(distances))
    if distances[best] >= distance / 5.0:
        return None
    repair = repairs[best]
    return repair.kind, f"{repair.how}? then it would be {distances[best] / 1000:,.0f} km"


def _repairs(lon: float, lat: float) -> Iterator[_Repair]:
    """The places that may have been meant."""
    if abs(lon) <= 90.0:
        yield _Repair(SlipKind.SWAPPED, lat, lon, "were latitude and longitude swapped")
    yield _Repair(SlipKind.HEMISPHERE, -lon, lat, "is it the other side of Greenwich")
    yield _Repair(SlipKind.HEMISPHERE, lon, -lat, "is it the other side of the equator")
    meant_lat, meant_lon = _from_sexagesimal(lat), _from_sexagesimal(lon)
    if meant_lat is not None:
        yield _Repair(SlipKind.SEXAGESIMAL, lon, meant_lat, _typed_as("latitude", lat))
    if meant_lon is not None:
        yield _Repair(SlipKind.SEXAGESIMAL, meant_lon, lat, _typed_as("longitude", lon))
    if meant_lat is not None and meant_lon is not None:
        yield _Repair(SlipKind.SEXAGESIMAL, meant_lon, meant_lat, "were minutes and seconds typed as decimals in both")
    for by in (1.0, -1.0):
        if abs(lat + by) <= 90.0:
            yield _Repair(SlipKind.ONE_DEGREE, lon, lat + by, "is the latitude one degree off")
        yield _Repair(SlipKind.ONE_DEGREE, (lon + by + 180.0) % 360.0 - 180.0, lat, "is the longitude one degree off")


def _sexagesimal(value: float) -> tuple[int, int, float] | None:
    """Degrees, minutes and seconds whose digits follow the point, or None: 35.1707 gives 35, 17, 7."""
    digits = f"{abs(value):.8f}"
    whole, _, after = digits.partition(".")
    minutes, seconds = int(after[:2]), float(f"{after[2:4]}.{after[4:]}")
    return (int(whole), minutes, seconds) if minutes < 60 and seconds < 60.0 else None


def _from_sexagesimal(value: float) -> float | None:
    parts = _sexagesimal(value)
    if parts is None:
        return None
    return float(np.copysign(parts[0] + parts[1] / 60.0 + parts[2] / 3600.0, value))


def _typed_as(axis: str, value: float) -> str:
    degrees, minutes, seconds = _sexagesimal(value) or (0, 0, 0.0)
    return f"was the {axis} {degrees}°{minutes:02d}′{seconds:02.0f}″, typed as {value:.6g}"


def _to_nth(
    places: _Floats, own: npt.NDArray[np.intp], sample: npt.NDArray[np.intp], others: _Floats, nth: int
) -> _Floats:
    """Distance from each place to its nth nearest of the sample, itself left out; `own` is its index."""
    result = np.empty(len(places))
    for start in range(0, len(places), _CHUNK):
        part = slice(start, start + _CHUNK)
        distances = _distances(_vectors(places[part]), others)
        distances[own[part, None] == sample[None, :]] = np.inf
        result[part] = np.partition(distances, nth, axis=1)[:, nth]
    return result


def _vectors(places: _Floats) -> _Floats:
    lon, lat = np.radians(places[:, 0]), np.radians(places[:, 1])
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _distances(a: _Floats, b: _Floats) -> _Floats:
    """Great-circle distances in metres, shape (len(a), len(b))."""
    return np.arccos(np.clip(a @ b.T, -1.0, 1.0)) * _RADIUS_M
