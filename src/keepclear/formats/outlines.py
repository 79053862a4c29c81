"""Polygons checked as a whole: closed, not crossing themselves, holes inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keepclear.formats.fields import Fields
from keepclear.geo.rings import check_rings
from keepclear.model.footprints import Edges, Polygon

__all__ = ["checked_polygon"]


def checked_polygon(
    fields: Fields, rings: Sequence[npt.NDArray[np.float64]], edges: Edges, member: str
) -> Polygon | None:
    """The polygon of these rings of shape (n, 2); None, and every fault there is, where they make none."""
    faults = check_rings(rings)
    for fault in faults:
        fields.fault(fault.problem, fault.right, field=fault.field or member, value=fault.value)
    return None if faults else fields.attempt(member, Polygon, tuple(rings), edges)
