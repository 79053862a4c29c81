"""Mean sea level: the EGM96 geoid above the WGS84 ellipsoid.

The undulation N turns a height above mean sea level H into an ellipsoidal height h: ``h = H + N``.

The surface is kept as a cubic B-spline with one coefficient every 15 minutes of arc, fitted to the full 5-minute
grid of EGM96 (see ``data/README.md``). The model ends at degree 360, that is at half-waves of 30 minutes, so such a
spline follows it to `GEOID_ERROR_M` in a ninth of the room. Linear interpolation of a 15-minute grid, the usual way,
is off by half a metre.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError

__all__ = ["GEOID_ERROR_M", "undulation_m"]

GEOID_ERROR_M = 0.03
"""Largest difference from EGM96 as its 5-minute grid gives it, in metres: ``tools/make_geoid.py`` measures 0.019 at the
worst of the 9.3 million nodes and 0.021 in the worst middle of a cell. EGM96 itself differs from today's mean sea
level by 0.5 to 1 m (NASA/TP-1998-206861), which is not in this figure."""

_PER_DEGREE = 4
_COLUMNS = 360 * _PER_DEGREE
_LAST_CELL = 180 * _PER_DEGREE - 1
_CHUNK = 1 << 15  # points at a time: some 4 MB of temporary arrays, whatever the size of the input


def undulation_m(lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Height of the EGM96 geoid above the WGS84 ellipsoid.

    Parameters
    ----------
    lon_deg, lat_deg
        Degrees, of any shapes that broadcast together. Longitudes may be any finite number; they wrap.

    Returns
    -------
    numpy.ndarray
        Metres, float64, of the broadcast shape. Within `GEOID_ERROR_M` of EGM96.

    Raises
    ------
    InputError
        If a latitude is not within ±90 or a longitude is not finite.

    Examples
    --------
    >>> round(float(undulation_m(11.58, 48.14)), 1)
    45.5
    """
    lon, lat = np.broadcast_arrays(np.asarray(lon_deg, dtype=np.float64), np.asarray(lat_deg, dtype=np.float64))
    _check(lon, lat)
    result = np.empty(lon.shape)
    flat, lon, lat = result.reshape(-1), lon.reshape(-1), lat.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        flat[part] = _spline(lon[part], lat[part])
    return result


def _check(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> None:
    good = (np.abs(lat) <= 90.0) & np.isfinite(lon)
    if not good.all():
        where = np.unravel_index(int(np.argmin(good)), good.shape)
        raise InputError(
            Fault(
                "no such place",
                "a finite longitude and a latitude from -90 to 90",
                field="longitude, latitude",
                value=f"{lon[where]}, {lat[where]}",
            )
        )


def _spline(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    coefficients = _coefficients()
    x = np.mod(lon + 180.0, 360.0) * _PER_DEGREE
    y = (lat + 90.0) * _PER_DEGREE
    column = np.minimum(x.astype(np.intp), _COLUMNS - 1)  # mod can round up to exactly 360
    row = np.minimum(y.astype(np.intp), _LAST_CELL)
    across, along = _weights(x - column), _weights(y - row)
    width = coefficients.shape[1]
    corner = row * width + column
    flat = coefficients.reshape(-1)
    total = np.zeros(lon.shape)
    for i in range(4):
        line = across[0] * flat[corner + i * width]
        for j in range(1, 4):
            line += across[j] * flat[corner + (i * width + j)]
        total += along[i] * line
    return total


def _weights(t: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], ...]:
    """Shares of the four neighbouring coefficients of a uniform cubic B-spline, 0 ≤ t ≤ 1."""
    s = 1.0 - t
    t2, s2 = t * t, s * s
    return s * s2 / 6.0, 2.0 / 3.0 - t2 * (1.0 - t / 2.0), 2.0 / 3.0 - s2 * (1.0 - s / 2.0), t * t2 / 6.0


@cache
def _coefficients() -> npt.NDArray[np.float32]:
    """Coefficients in metres, with one row beyond each pole and the columns that wrap.

    Row 0 lies at 90.25°S, column 0 at 180.25°W.
    """
    with files("keepclear.geo").joinpath("data/egm96_15min.npz").open("rb") as file, np.load(file) as data:
        high, low = data["high"], data["low"]
    zigzag = (high.astype(np.int16) << 8) | low
    steps = (zigzag >> 1) ^ -(zigzag & 1)
    centimetres = np.cumsum(np.cumsum(steps, axis=0, dtype=np.int32), axis=1, out=np.empty(steps.shape, np.int32))
    padded = np.empty((steps.shape[0] + 2, _COLUMNS + 3), np.float32)
    np.multiply(centimetres, 0.01, out=padded[1:-1, 1:-2], casting="same_kind")
    # A pole is no edge: the next row beyond it is the one before it, seen from the opposite meridian.
    padded[0, 1:-2] = np.roll(padded[2, 1:-2], _COLUMNS // 2)
    padded[-1, 1:-2] = np.roll(padded[-3, 1:-2], _COLUMNS // 2)
    padded[:, 0] = padded[:, -3]
    padded[:, -2:] = padded[:, 1:3]
    padded.setflags(write=False)
    return padded
