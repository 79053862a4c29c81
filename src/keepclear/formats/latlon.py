"""The two columns of a position, read together: degrees, minutes and seconds can need both to be understood."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from keepclear.errors import Fault, InputError
from keepclear.formats.cells import Array, Place, is_text, numbers
from keepclear.formats.decimals import parse_number
from keepclear.geo.coordinates import read_position

__all__ = ["latitudes_longitudes"]

_WANTED = "decimal degrees such as 35.28, or marks and hemisphere such as 35°17′07″N"


def latitudes_longitudes(lat_cells: pa.Array, lon_cells: pa.Array, place: Place) -> tuple[Array, Array, float]:
    """Latitudes and longitudes in degrees, and how far off the coarsest may be by the way it was written, in metres.

    Numbers are taken as exact. Cells that hold degrees, minutes and seconds go through `keepclear.read_position`.
    """
    uncertainty_m = 0.0
    if not (_converts(lat_cells) and _converts(lon_cells)):
        lat_cells, lon_cells, uncertainty_m = _one_by_one(lat_cells, lon_cells, place)
    lat = numbers(lat_cells, "lat", place, low=-90.0, high=90.0, missing=False)
    lon = numbers(lon_cells, "lon", place, low=-180.0, high=180.0, missing=False)
    return lat, lon, uncertainty_m


def _converts(cells: pa.Array) -> bool:
    if not is_text(cells.type):
        return True
    try:
        cells.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _one_by_one(lat_cells: pa.Array, lon_cells: pa.Array, place: Place) -> tuple[pa.Array, pa.Array, float]:
    degrees = np.zeros((len(lat_cells), 2))  # what cannot be read stays 0: it is noted, and nothing will come of it
    most_m = 0.0
    for row, texts in enumerate(zip(_texts(lat_cells), _texts(lon_cells), strict=True)):
        faults: list[tuple[str, Fault]] = []
        for column, field in enumerate(("lat", "lon")):
            try:
                degrees[row, column] = parse_number(texts[column], thousands_possible=False)
            except InputError as error:
                faults += [(field, fault) for fault in error.faults]
        if faults and all(text.strip() for text in texts):
            try:
                # The semicolon keeps the halves apart; positions in files are on WGS84 (docs/howto/csv.md).
                found = read_position("; ".join(texts), datum="WGS84")
            except InputError:
                pass
            else:
                degrees[row] = found.lat_deg, found.lon_deg
                most_m = max(most_m, found.uncertainty_m)
                continue
        for field, fault in faults:
            place.fault(row, fault.problem, _WANTED, field, fault.value[:200])
    return pa.array(degrees[:, 0]), pa.array(degrees[:, 1]), math.ceil(most_m * 10.0) / 10.0


def _texts(cells: pa.Array) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells.to_pylist()]
