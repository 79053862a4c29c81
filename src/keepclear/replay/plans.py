"""Plans as scenarios write them: the properties of `docs/howto/geojson.md`, with the place in short.

::

    plan: {file: plans/patrol.geojson}                    the plan of a file; feature: ID where there are several
    plan:
      id: flight-1
      kind: flight
      start: 2016-04-05T08:00:00Z
      end: 2016-04-05T10:00:00Z
      floor: FL150                                        or {value: 3000, unit: ft, reference: AMSL}
      ceiling: FL250
      circle: [39.017, 35.950, 40 km]                     or point, line, polygon (positions), route: {points, times}
    plan: {…, anywhere: [38.5, 35.0]}                     no place is said: it is only known to be on the Earth
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.formats.geojson import read_document
from keepclear.formats.reading import Reading
from keepclear.formats.registry import read
from keepclear.model.operations import Operation, Plans, Zone
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.replay.doing import Doing

__all__ = ["ANYWHERE_M", "read_plan", "request_of"]

ANYWHERE_M = 20_040_000.0
"""Uncertainty of a place that is not said: no two points of the Earth are farther apart."""
_LEVEL = re.compile(r"FL\s*(\d{1,3})")
_RADIUS = re.compile(r"(\d+(?:\.\d+)?)\s*(km|m)")
_PLACES = ("circle", "point", "line", "polygon", "route", "anywhere")


def read_plan(given: Mapping[str, Any], doing: Doing) -> Operation | Zone:
    """The plan that a step gives.

    Raises
    ------
    InputError
        If it is none.
    """
    if "file" in given:
        plans = _of_file(given, doing)
    else:
        plans = read_document(_feature(dict(given), doing.party), Reading("plan", party=doing.party))
    found: list[Operation | Zone] = [*plans.operations, *plans.zones]
    wanted = given.get("feature")
    found = [one for one in found if wanted is None or one.id == wanted]
    if len(found) != 1:
        raise InputError(Fault(f"{len(found)} plans", "one", field="plan", value=str(wanted or "")))
    return found[0]


def request_of(plan: Operation | Zone, doing: Doing) -> tuple[str, dict[str, Any]]:
    """Of which type a plan is, and its value as requests have it."""
    body: OperationBody | ZoneBody
    body = OperationBody.of_model(plan) if isinstance(plan, Operation) else ZoneBody.of_model(plan)
    kind = str(body.TYPE)
    return kind, {**body.members()[kind], "party": doing.party}


def _of_file(given: Mapping[str, Any], doing: Doing) -> Plans:
    unknown = set(given) - {"file", "feature"}
    if unknown:
        raise InputError(Fault("beside a file", "file and feature alone", field=f"plan.{min(unknown)}"))
    doing.file(given["file"])  # it is there, and in the scenario's folder
    return read(str(doing.folder / given["file"]), party=doing.party)


def _feature(given: dict[str, Any], party: str) -> dict[str, Any]:
    places = [name for name in _PLACES if name in given]
    if len(places) != 1:
        right = f"one of: {', '.join(_PLACES)}, file"
        raise InputError(Fault(f"{len(places)} places", right, field="plan", value=str(given.get("id", ""))))
    place = given.pop(places[0])
    for name in ("floor", "ceiling"):
        match = _LEVEL.fullmatch(given[name]) if isinstance(given.get(name), str) else None
        if match is not None:
            given[name] = {"value": int(match[1]), "unit": "FL"}
    geometry, more = _geometry(places[0], place)
    return {"type": "Feature", "properties": {"party": party, **given, **more}, "geometry": geometry}


def _geometry(kind: str, place: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    match kind, place:
        case "circle", [float() | int() as lon, float() | int() as lat, str() as radius] if m := _RADIUS.fullmatch(
            radius
        ):
            radius_m = float(m[1]) * (1000.0 if m[2] == "km" else 1.0)
            return {"type": "Point", "coordinates": [lon, lat]}, {"radius_m": radius_m}
        case "point", [_, _]:
            return {"type": "Point", "coordinates": place}, {}
        case "line", list():
            return {"type": "LineString", "coordinates": place}, {}
        case "polygon", list():
            return {"type": "Polygon", "coordinates": [place]}, {}
        case "route", {"points": list() as points, "times": list() as times}:
            return {"type": "LineString", "coordinates": points}, {"coordTimes": times}
        case "anywhere", [_, _]:
            return {"type": "Point", "coordinates": place}, {"uncertainty_m": ANYWHERE_M, "radius_m": 1.0}
    raise InputError(Fault("not a place", "see docs/howto/scenarios.md", field=f"plan.{kind}", value=str(place)[:80]))
