"""Datums: what the degrees of a position are counted on, and the way from there to WGS84.

The same numbers on SK-42 and on WGS84 are places more than 100 m apart. PROJ knows the ways between datums, but where
it knows none it offers a "ballpark" that changes nothing and looks like an answer. That one is never taken here.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyproj import CRS, Geod, Transformer
from pyproj.aoi import AreaOfInterest, AreaOfUse
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from keepclear.errors import Fault, InputError

__all__ = [
    "MISSING_DATUM_M",
    "OUTSIDE_AREA_M",
    "UNKNOWN_ACCURACY_M",
    "WGS84",
    "Datum",
    "Shifted",
    "datum_named",
    "find_datum",
    "to_wgs84",
]

MISSING_DATUM_M = 250.0
"""How far off a position may be whose datum nobody said, in metres. Computed with PROJ 9.5.1 over the areas of use
that EPSG gives: the degrees of SK-42 move by up to 172 m, of ED50 by up to 242 m, of SK-95 by 149 m, of PZ-90.11 and
GSK-2011 by less than 4 m. Some local datums of East and South Asia are further off (Tokyo 1918: 463 m)."""

UNKNOWN_ACCURACY_M = 999.0
"""Taken where EPSG does not know how good an operation is: the value with which EPSG itself says so."""

OUTSIDE_AREA_M = 100.0
"""Added where a position lies outside the area for which EPSG made the operation. Our judgement: more than twice the
worst accuracy that EPSG states for the regional operations of SK-42 and ED50 (44 m)."""


@dataclass(frozen=True, slots=True)
class Datum:
    """A geographic coordinate reference system in degrees.

    Attributes
    ----------
    name
        Short name, for example ``SK-42``.
    code
        Its EPSG code, for example 4284.
    semi_major_m, inverse_flattening
        Its ellipsoid.
    """

    name: str
    code: int
    semi_major_m: float
    inverse_flattening: float


@dataclass(frozen=True, slots=True)
class Shifted:
    """A place on WGS84, and how it got there.

    Attributes
    ----------
    lon_deg, lat_deg
        Degrees on WGS84.
    operation
        The name of the operation in the EPSG dataset.
    accuracy_m
        Its accuracy as EPSG states it; None if EPSG does not know.
    uncertainty_m
        How far off the place may be by the operation: the accuracy, or the distance to what another operation for the
        same place gives, whichever is more (PROJ knows areas as boxes only, so the best for a box need not be the
        best for the country), and `OUTSIDE_AREA_M` where it applies.
    warnings
        What a person should know.
    """

    lon_deg: float
    lat_deg: float
    operation: str
    accuracy_m: float | None
    uncertainty_m: float
    warnings: tuple[str, ...] = ()


# Name, EPSG code, how people write it. PZ-90.11 is 9475: 7679 and 7680 are the same frame as X, Y, Z and with heights.
_NAMED = (
    ("WGS84", 4326, r"WGS[ _-]?(?:19)?84"),
    ("SK-42", 4284, r"(?:SK|СК)[ _-]?(?:19)?42|(?:PULKOVO|ПУЛКОВО)[ _-]?(?:19)?42"),
    ("SK-95", 4200, r"(?:SK|СК)[ _-]?(?:19)?95|(?:PULKOVO|ПУЛКОВО)[ _-]?(?:19)?95"),
    ("PZ-90.11", 9475, r"(?:PZ|ПЗ)[ _-]?(?:19)?90\.11"),
    ("PZ-90.02", 9474, r"(?:PZ|ПЗ)[ _-]?(?:19)?90\.02"),
    ("PZ-90", 4740, r"(?:PZ|ПЗ)[ _-]?(?:19)?90(?!\.)"),
    ("GSK-2011", 7683, r"(?:GSK|ГСК)[ _-]?(?:20)?11"),
    ("ED50", 4230, r"ED[ _-]?(?:19)?50|EUROPEAN[ _-]?(?:19)?50"),
)
_NAMES = "|".join(f"(?P<n{code}>{how})" for _, code, how in _NAMED)
_ANY = re.compile(rf"(?<![^\W_])\(?(?:{_NAMES}|EPSG:\s?(?P<epsg>[0-9]{{4,6}}))\)?(?![^\W_])", re.IGNORECASE)
_KNOWN = ", ".join(name for name, _, _ in _NAMED) + " or EPSG:nnnn"
_GEOD = Geod(ellps="WGS84")


def find_datum(text: str) -> tuple[Datum | None, str]:
    """The datum named in a text, and the text without it.

    Raises
    ------
    InputError
        If two are named, or the one named is unknown.
    """
    matches = list(_ANY.finditer(text))
    if not matches:
        return None, text
    if len(matches) > 1:
        raise _fault("two datums are named", "name one", text)
    match = matches[0]
    rest = f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;")
    return _datum_of(match), rest


def datum_named(name: str) -> Datum:
    """The datum called `name`: one of the names in `Datum`, in any usual spelling, or ``EPSG:nnnn``.

    Raises
    ------
    InputError
        If there is no such datum, or it is not one of longitude and latitude in degrees.
    """
    match = _ANY.fullmatch(name.strip())
    if match is None:
        raise _fault("unknown datum", f"one of: {_KNOWN}", name)
    return _datum_of(match)


def _datum_of(match: re.Match[str]) -> Datum:
    if match["epsg"]:
        return _load("", int(match["epsg"]))
    return next(_load(name, code) for name, code, _ in _NAMED if match[f"n{code}"])


@lru_cache(maxsize=64)
def _load(name: str, code: int) -> Datum:
    try:
        crs = CRS.from_epsg(code)
    except CRSError:
        raise _fault("unknown datum", f"one of: {_KNOWN}", f"EPSG:{code}") from None
    ellipsoid = crs.ellipsoid
    in_degrees = crs.is_geographic and all(axis.unit_name == "degree" for axis in crs.axis_info[:2])
    if not in_degrees or ellipsoid is None or not ellipsoid.inverse_flattening:
        raise _fault(
            f"EPSG:{code} ({crs.name}, {crs.type_name}) is not longitude and latitude in degrees",
            f"one of: {_KNOWN} (PZ-90.11 is EPSG:9475)",
            f"EPSG:{code}",
        )
    known = next((known for known, its_code, _ in _NAMED if its_code == code), "")
    return Datum(name or known or crs.name, code, ellipsoid.semi_major_metre, ellipsoid.inverse_flattening)


WGS84 = Datum("WGS84", 4326, 6378137.0, 298.257223563)


def to_wgs84(lon_deg: float, lat_deg: float, datum: Datum) -> Shifted:
    """Place on WGS84 of degrees on another datum.

    Raises
    ------
    InputError
        If PROJ knows no way that is more than a ballpark, or only ways whose accuracy is unknown while the good ones
        need a grid that is not installed.
    """
    if datum.code == WGS84.code:
        return Shifted(lon_deg, lat_deg, "none: the position is on WGS84", 0.0, 0.0)
    near, missing = _operations(datum.code, math.floor(lon_deg), math.floor(lat_deg))
    inside = [operation for operation in near if _covers(operation, lon_deg, lat_deg)]
    # Where EPSG foresaw nothing, the operation for the largest area is stretched, and said to be.
    candidates = inside or _operations(datum.code, None, None)[0]
    candidates = sorted(candidates, key=lambda operation: _accuracy(operation) is None)  # stable: PROJ's order within
    accuracy = _accuracy(candidates[0]) if candidates else None
    grids = tuple(sorted({name for name, better in missing if 0 <= better < (accuracy or math.inf)}))
    if not candidates or (grids and accuracy is None):
        raise _fault(
            f"no known way from {datum.name} to WGS84 at {lat_deg:.4f}, {lon_deg:.4f}",
            f"install the grid {', '.join(grids)} for PROJ" if grids else "convert the position to WGS84 first",
            datum.name,
        )
    return _apply(candidates, lon_deg, lat_deg, datum, is_inside=bool(inside), grids=grids)


def _apply(
    candidates: list[Transformer], lon: float, lat: float, datum: Datum, *, is_inside: bool, grids: tuple[str, ...]
) -> Shifted:
    best, *others = candidates
    x, y = best.transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise _fault(f"the way from {datum.name} to WGS84 fails there", "check the position", f"{lat}, {lon}")
    accuracy = _accuracy(best)
    uncertainty = UNKNOWN_ACCURACY_M if accuracy is None else accuracy
    notes = []
    if accuracy is None:
        notes.append(f"the accuracy of {_name(best)!r} is not known: {UNKNOWN_ACCURACY_M:g} m is assumed")
    if is_inside:
        spread = (_GEOD.inv(x, y, *other.transform(lon, lat))[2] for other in others)
        uncertainty = max(uncertainty, *(metres for metres in spread if math.isfinite(metres)), 0.0)
    else:
        uncertainty += OUTSIDE_AREA_M
        area = _area(best)
        where = f" ({(area.name or '')[:80]})" if area else ""
        notes.append(f"outside the area of use of {_name(best)!r}{where}: {OUTSIDE_AREA_M:g} m of uncertainty added")
    if grids:
        notes.append(f"a better way from {datum.name} needs the PROJ grid {', '.join(grids)}, which is not installed")
    return Shifted(x, y, _name(best), accuracy, uncertainty, tuple(notes))


@lru_cache(maxsize=1024)
def _operations(
    code: int, lon_deg: int | None, lat_deg: int | None
) -> tuple[list[Transformer], list[tuple[str, float]]]:
    """Operations to WGS84 that can be carried out, best first, and the better ones that want a grid.

    For the cell of one degree with that south-west corner, or for everywhere.
    """
    area: Any = None  # pyproj's stubs want a class of their own that does not exist when it runs
    if lon_deg is not None and lat_deg is not None:
        area = AreaOfInterest(lon_deg, lat_deg, min(lon_deg + 1, 180), min(lat_deg + 1, 90))
    group = _group(code, area)
    usable = [operation for operation in group.transformers if "ballpark" not in operation.description.lower()]
    missing = [
        (grid.short_name, operation.accuracy)
        for operation in group.unavailable_operations
        for grid in operation.grids
        if not grid.available
    ]
    return usable, missing


def _group(code: int, area: Any) -> TransformerGroup:
    with warnings.catch_warnings():
        # pyproj warns that the best operation lacks its grid; `to_wgs84` says so itself, in the position.
        warnings.simplefilter("ignore", UserWarning)
        return TransformerGroup(
            f"EPSG:{code}", f"EPSG:{WGS84.code}", always_xy=True, area_of_interest=area, allow_ballpark=False
        )


def _covers(operation: Transformer, lon: float, lat: float) -> bool:
    area = _area(operation)
    if area is None:
        return False
    in_lon = area.west <= lon <= area.east if area.west <= area.east else lon >= area.west or lon <= area.east
    return in_lon and area.south <= lat <= area.north


def _area(operation: Transformer) -> AreaOfUse | None:
    area: Any = operation.area_of_use  # pyproj's stubs name another class, and leave out that there may be none
    return area if isinstance(area, AreaOfUse) else None


def _accuracy(operation: Transformer) -> float | None:
    """What EPSG states; PROJ says -1 where nothing is stated, EPSG 999 where it is unknown."""
    return operation.accuracy if 0.0 <= operation.accuracy < UNKNOWN_ACCURACY_M else None


def _name(operation: Transformer) -> str:
    """The steps by their EPSG names, without the turning of axes."""
    steps = [step for step in operation.description.split(" + ") if not step.startswith("axis order")]
    return " + ".join(steps)


def _fault(problem: str, right: str, value: str) -> InputError:
    return InputError(Fault(problem, right, field="datum", value=value))
