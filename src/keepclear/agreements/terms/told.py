"""What a filing tells: the fields that a clause can ask for, and whether it may concern an area."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from keepclear.agreements.excess import Standing, excess_of_plan
from keepclear.agreements.facts import Filed, Finding, Result
from keepclear.agreements.terms.fields import region_of
from keepclear.agreements.terms.geometry import NamedArea
from keepclear.errors import Fault
from keepclear.model.heights import Height
from keepclear.model.operations import Operation

__all__ = ["FIELDS", "doubted", "height_faults", "may_be_in", "missing_fields"]


def _participants(filed: Filed) -> bool:
    return isinstance(filed.plan, Operation) and bool(filed.plan.participants)


def _platforms(filed: Filed) -> bool:
    return _participants(filed) and all(one.platforms is not None for one in filed.plan.participants)  # type: ignore[union-attr]


def _classes(filed: Filed) -> bool:
    return _participants(filed) and all(one.platform_class for one in filed.plan.participants)  # type: ignore[union-attr]


def _heights(filed: Filed) -> bool:
    if filed.plan is None:
        return False
    banded = all(one.floor is not None and one.ceiling is not None for one in filed.plan.volumes)
    tracks = filed.plan.tracks if isinstance(filed.plan, Operation) else ()
    return banded and all(all(math.isfinite(height) for height in one.height_m.tolist()) for one in tracks)


FIELDS: Mapping[str, Callable[[Filed], bool]] = {
    "place": lambda filed: filed.plan is not None,
    "start": lambda filed: filed.start_s is not None,
    "end": lambda filed: filed.end_s is not None,
    "kind": lambda filed: filed.plan is not None and filed.plan.kind is not None,
    "name": lambda filed: filed.plan is not None and bool(filed.plan.name),
    "heights": _heights,
    "route": lambda filed: isinstance(filed.plan, Operation) and bool(filed.plan.tracks),
    "participants": _participants,
    "platforms": _platforms,
    "platform class": _classes,
}
"""What can be asked for, and whether a filing tells it."""


def missing_fields(filed: Filed, asked: Iterable[str]) -> list[str]:
    """Those of the fields asked for that a filing does not tell."""
    return [name for name in asked if not FIELDS[name](filed)]


def may_be_in(filed: Filed, area: NamedArea) -> bool:
    """Whether any of a filing is, or may be, in an area."""
    if filed.plan is None:
        return True
    region = region_of((area,))

    def inside(points: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        return -region.outside(points), np.full(len(points), np.inf)

    found = excess_of_plan(filed.plan, inside, rough=filed.is_rough)
    return found is None or found.standing is not Standing.WITHIN


def height_faults(floor: Height | None, ceiling: Height | None) -> list[Fault]:
    """What is wrong with two heights together."""
    if floor is None or ceiling is None or floor.reference is not ceiling.reference or floor.value_m < ceiling.value_m:
        return []
    value = f"floor {floor.value_m:,.0f} m, ceiling {ceiling.value_m:,.0f} m {ceiling.reference}"
    return [Fault("the ceiling is not above the floor", "ceiling above floor", field="ceiling", value=value)]


def doubted(findings: tuple[Finding, ...], doubt: str) -> tuple[Finding, ...]:
    """The same, but what would be breached is only possible, for a reason."""
    return tuple(
        replace(one, result=Result.POSSIBLE, sentence=f"{one.sentence} Not certain: {doubt}.")
        if one.result in (Result.BREACHED, Result.POSSIBLE)
        else one
        for one in findings
    )
