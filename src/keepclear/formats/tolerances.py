"""Uncertainties and slips: one number, or one for each position."""

from __future__ import annotations

import math

import numpy as np

from keepclear.formats.fields import Fields, is_number
from keepclear.formats.particulars import UNLIMITED
from keepclear.formats.positions import Array

__all__ = ["one_tolerance", "tolerance_for", "tolerance_value"]


def one_tolerance(value: object, name: str, fields: Fields) -> float:
    """A tolerance of something that has only one: a finite number."""
    if value is None:
        return 0.0
    if is_number(value) and value >= 0.0:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    fields.fault("not one number of 0 or more", "one number: only timed positions have a list", field=name, value=value)
    return 0.0


def tolerance_for(value: object, name: str, n: int, fields: Fields, *, number: int | None = None) -> float | Array:
    """A tolerance of `n` positions; `number` picks the line where the property has one entry for each line."""
    if number is not None and isinstance(value, list):
        value = value[number] if number < len(value) else ()
    if value is None:
        return 0.0
    single = _number(value, name)
    if single is not None:
        return single
    if not isinstance(value, list) or len(value) != n:
        right = f"one number of 0 or more, or a list with one for each of the {n} positions"
        fields.fault("not a tolerance for these positions", right, field=name, value=value)
        return 0.0
    numbers = [_number(one, name) for one in value]
    for index, one in enumerate(numbers):
        if one is None:
            where = f"{name}, position {index + 1}"
            fields.fault("not a number of 0 or more", "a number", field=where, value=value[index])
    return np.array([one or 0.0 for one in numbers])


def tolerance_value(tolerance: float | Array) -> object:
    """A tolerance as the profile writes it; ``None`` where it is zero."""
    if isinstance(tolerance, float | int):
        return None if tolerance == 0.0 else _written(float(tolerance))
    return [_written(float(one)) for one in tolerance]


def _number(value: object, name: str) -> float | None:
    if value == UNLIMITED and name != "uncertainty_m":
        return math.inf
    return float(value) if is_number(value) and value >= 0.0 else None  # type: ignore[arg-type, operator]


def _written(number: float) -> object:
    return UNLIMITED if math.isinf(number) else number
