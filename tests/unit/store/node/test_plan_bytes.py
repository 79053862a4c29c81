"""A plan that was packed is the plan that was given, as a test of separation reads it."""

import math
from dataclasses import fields

import numpy as np
import pytest

from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan, Operation, Zone
from keepclear.store.node.plan_bytes import packed, unpacked

RING = np.array([[35.0, 36.0], [35.2, 36.0], [35.2, 36.2], [35.0, 36.0]])


def track(count, *, by_position=False, **more):
    rng = np.random.default_rng(count)
    tolerances = {name: rng.uniform(0.0, 9.0, count) if by_position else 4.0 for name in ("uncertainty_m", "early_s")}
    return Track(
        1e9 + np.arange(count, dtype=float), *rng.uniform(20.0, 40.0, (3, count)), late_s=math.inf, **tolerances, **more
    )


THINGS = [
    Operation("A", "1", OperationKind.PATROL, tracks=(track(1), track(7, by_position=True))),
    Operation("A", "2", None, tracks=(track(3, basis=TrackBasis.FLOWN, height_reference=HeightReference.AGL),),
              joint=JointPlan("j", frozenset({"1", "2"})), name="çalışma", top_speed_m_s=70.0),
    Operation("B", "3", OperationKind.UAS, (Volume(Circle(35.0, 36.0, 9.0), None, None, None, 5e8, 3.0),), (track(2),),
              frozenset({Domain.AIR, Domain.SEA})),
    Zone("B", "4", ZoneKind.GEO_ZONE, (
        Volume(Polygon((RING, RING[::-1] * 1.0), Edges.GEODESIC), Height(1.0, HeightReference.AMSL), None),
        Volume(Corridor(RING[:2], 40.0), None, Height(3.0, HeightReference.FL), 1.0, 2.0),
    ), ZoneRule.PROHIBITED, "site"),
]  # fmt: skip


def told(value):
    """What a value holds, down to its numbers."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tolist()
    if isinstance(value, (Operation, Zone, Track, Volume, Polygon, Corridor, Circle, Height, JointPlan)):
        return type(value), [told(getattr(value, one.name)) for one in fields(value)]
    return [told(one) for one in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("thing", THINGS, ids=lambda one: one.id)
def test_what_is_unpacked_is_what_was_packed(thing: Operation | Zone) -> None:
    found = unpacked(packed(thing))
    assert told(found) == told(thing)
    assert packed(found) == packed(thing)
    arrays = [one for track in getattr(found, "tracks", ()) for one in (track.time_s, track.lon_deg, track.height_m)]
    assert all(not one.flags.writeable and one.flags.c_contiguous for one in arrays)
