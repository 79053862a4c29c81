"""Lists of positions as JSON holds them, checked number by number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keepclear.formats.fields import Fields, TimeUnit, is_number

__all__ = ["Array", "check_position", "read_positions", "read_times"]

Array = npt.NDArray[np.float64]

_RIGHT = "[longitude, latitude] or [longitude, latitude, height], all numbers"


def read_positions(value: object, fields: Fields, *, field: str = "coordinates", least: int = 1) -> Array | None:
    """Positions as an array of shape (n, 3): longitude, latitude, height (NaN where none is given).

    Every position that is wrong is noted; then the result is ``None``.
    """
    if not isinstance(value, list):
        fields.fault("not a list of positions", f"a list of {_RIGHT}", field=field, value=value)
        return None
    if len(value) < least:
        fields.fault(f"fewer than {least} positions", f"{least} or more", field=field, value=value)
        return None
    rows = np.full((len(value), 3), np.nan)
    sound = True
    for index, position in enumerate(value):
        if _fits(position, fields, f"{field}, position {index + 1}"):
            rows[index, : len(position)] = position
        else:
            sound = False
    return rows if sound else None


def check_position(numbers: Sequence[float], fields: Fields, field: str) -> bool:
    """Whether longitude and latitude are in range; what is not is noted."""
    lon, lat = numbers[0], numbers[1]
    if abs(lon) <= 180.0 and abs(lat) <= 90.0:
        return True
    problem, right = "longitude or latitude out of range", "longitude from -180 to 180, then latitude from -90 to 90"
    if abs(lat) > 90.0 and abs(lon) <= 90.0 and abs(lat) <= 180.0:
        problem, right = "latitude out of range: the two look swapped", "longitude first, then latitude"
    elif 180.0 < abs(lon) <= 360.0 and abs(lat) <= 90.0:
        right = "longitude from -180 to 180; the edge from 179 to -179 goes the short way, across the antimeridian"
    fields.fault(problem, right, field=field, value=list(numbers))
    return False


def _fits(position: object, fields: Fields, field: str) -> bool:
    if not isinstance(position, list) or not 2 <= len(position) <= 3 or not all(map(is_number, position)):
        fields.fault("not a position", _RIGHT, field=field, value=position)
        return False
    return check_position(position, fields, field)


def read_times(
    value: object,
    fields: Fields,
    count: int,
    *,
    field: str,
    unit: TimeUnit = ("seconds", 1.0),
) -> Array | None:
    """Seconds since the epoch, one for each of `count` positions; every time that is wrong is noted."""
    if not isinstance(value, list) or len(value) != count:
        found = f", but has {len(value)}" if isinstance(value, list) else ""
        problem = f"needs one time for each of the {count} positions{found}"
        fields.fault(problem, f"a list of {count} times", field=field, value="" if found else value)
        return None
    times = [fields.as_time(time, f"{field}, position {index + 1}", unit) for index, time in enumerate(value)]
    known = [time for time in times if time is not None]
    return np.array(known) if len(known) == len(times) else None
