"""A report as GeoJSON: a feature for each pair in conflict, and the plans of those in it."""

from __future__ import annotations

import math
from typing import Any

from keepclear.formats.geojson_write import plan_features
from keepclear.formats.report_json import conflict_to_json, report_to_json
from keepclear.model.findings import Answer, Closest, Conflict, Report, Side
from keepclear.model.operations import Plans

__all__ = ["COLOURS", "involved", "report_to_geojson"]

COLOURS = {Answer.CONFLICT: "#b3001b", Answer.POSSIBLE: "#d98e04"}
"""Red and amber. There is no green: that nothing was found is not a permission."""

_PLAN_COLOUR = "#54607a"


def report_to_geojson(report: Report, plans: Plans, *, extents: bool = True) -> dict[str, Any]:
    """A FeatureCollection; what is said of the check as a whole stands beside the features.

    Parameters
    ----------
    plans
        What was checked.
    extents
        Whether the plans of the operations and zones in conflict are features too.
    """
    features = [_feature(conflict) for conflict in report.conflicts]
    if extents:
        features += _extents(report, plans)
    summary = report_to_json(report)
    del summary["conflicts"]
    return {"type": "FeatureCollection", "features": features, **summary}


def involved(report: Report, plans: Plans) -> Plans:
    """The operations and zones that are in any of the conflicts."""
    sides = {_key(side) for conflict in report.conflicts for side in (conflict.a, conflict.b)}
    return Plans(
        tuple(one for one in plans.operations if (False, one.party, one.id) in sides),
        tuple(one for one in plans.zones if (True, one.party, one.id) in sides),
    )


def _key(side: Side) -> tuple[bool, str, str]:
    return side.is_zone, side.party, side.id


def _feature(conflict: Conflict) -> dict[str, Any]:
    colour = COLOURS.get(conflict.answer, _PLAN_COLOUR)
    properties = {
        "role": "conflict",
        **conflict_to_json(conflict),
        "stroke": colour,
        "stroke-width": 3,
        "marker-color": colour,
    }
    return {"type": "Feature", "geometry": _geometry(conflict.closest), "properties": properties}


def _geometry(closest: Closest | None) -> dict[str, Any] | None:
    if closest is None:
        return None
    a, b = _position(closest.a), _position(closest.b)
    if a == b:
        return {"type": "Point", "coordinates": a}
    if abs(a[0] - b[0]) <= 180.0:
        return {"type": "LineString", "coordinates": [a, b]}
    return {"type": "MultiLineString", "coordinates": _cut(a, b)}


def _position(where: tuple[float, float, float | None]) -> list[float]:
    lon, lat, height = where
    return [lon, lat] if height is None or not math.isfinite(height) else [lon, lat, height]


def _cut(a: list[float], b: list[float]) -> list[list[list[float]]]:
    """The line from a to b in two pieces that meet on the antimeridian (RFC 7946 section 3.1.9)."""
    side = math.copysign(180.0, a[0])
    to_edge, beyond = abs(side - a[0]), abs(-side - b[0])
    share = to_edge / (to_edge + beyond) if to_edge + beyond > 0.0 else 0.0
    lat = a[1] + share * (b[1] - a[1])
    return [[a, [side, lat]], [[-side, lat], b]]


def _extents(report: Report, plans: Plans) -> list[dict[str, Any]]:
    part = involved(report, plans)
    features = []
    for role, things in (("operation", part.operations), ("zone", part.zones)):
        for thing in things:
            for feature in plan_features(thing):
                properties = {"role": role, **_properties(feature), "stroke": _PLAN_COLOUR, "fill": _PLAN_COLOUR}
                features.append({**feature, "properties": properties})
    return features


def _properties(feature: dict[str, object]) -> dict[str, Any]:
    properties = feature["properties"]
    assert isinstance(properties, dict)
    return properties
