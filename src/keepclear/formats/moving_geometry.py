"""The temporal geometries of OGC Moving Features JSON (19-045r3, MF-JSON Prism) to tracks.

- ``Linear`` (also where nothing is said): a track.
- ``Step``: the unit stays at each position until the next time and is then taken to be anywhere on the way over.
- ``Discrete``: positions that were observed, with nothing said of the time between; read as a flown track, whose gaps
  are *possible*. Reading each as an instant of its own would make the time between wrongly clear.
- ``Quadratic``, ``Cubic`` and curves behind an address are refused: a straight line would not be what was filed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from keepclear.formats.crs import check_systems
from keepclear.formats.extents import Extents
from keepclear.formats.fields import Fields, TimeUnit
from keepclear.formats.particulars import Particulars
from keepclear.formats.positions import Array, read_positions, read_times
from keepclear.formats.shapes import joined_where_flown, track
from keepclear.model.extents import TrackBasis

__all__ = ["moving_extents"]

_MILLISECONDS: TimeUnit = ("milliseconds", 1000.0)  # OGC 19-045r3: numbers count milliseconds since 1970
_OBSERVED = "interpolation Discrete: read as flown positions, and what lies between two of them as a gap"
_DRESS = ("base", "orientations")


def moving_extents(geometry: object, fields: Fields, facts: Particulars, tally: Callable[[str], None]) -> Extents:
    """The tracks of a ``temporalGeometry`` member."""
    if not isinstance(geometry, Mapping):
        fields.fault("not a temporal geometry", "a MovingPoint", field="temporalGeometry", value=geometry)
        return Extents()
    check_systems(geometry, fields, tally)
    if geometry.get("type") != "MovingGeometryCollection":
        return _moving_point(geometry, fields, facts, tally, "temporalGeometry")
    prisms = geometry.get("prisms")
    if not isinstance(prisms, list) or not prisms:
        fields.fault("no prisms", "a list of MovingPoint", field="temporalGeometry.prisms", value=prisms)
        return Extents()
    whole = Extents()
    for number, prism in enumerate(prisms):
        where = f"temporalGeometry.prisms, number {number + 1}"
        if isinstance(prism, Mapping):
            check_systems(prism, fields, tally)
            whole.extend(_moving_point(prism, fields, facts, tally, where))
        else:
            fields.fault("not a temporal geometry", "a MovingPoint", field=where, value=prism)
    return joined_where_flown(whole, tally) if fields.sound else Extents()


def _moving_point(
    geometry: Mapping[str, object], fields: Fields, facts: Particulars, tally: Callable[[str], None], where: str
) -> Extents:
    kind = geometry.get("type")
    if kind != "MovingPoint":
        known = kind in ("MovingLineString", "MovingPolygon", "MovingPointCloud")
        problem = f"{kind} is not supported: keepclear moves points only" if known else "not a temporal geometry"
        right = "MovingPoint; an area that moves as several areas, each with its own start and end"
        fields.fault(problem, right, field=f"{where}.type", value="" if known else kind)
        return Extents()
    for name in _DRESS:
        if geometry.get(name) is not None:
            tally(f"{name!r} of a moving point was left aside")
    coordinates = geometry.get("coordinates")
    points = read_positions(coordinates, fields, field=f"{where}.coordinates")
    count = len(coordinates) if isinstance(coordinates, list) else 0
    where_times = f"{where}.datetimes"
    times = read_times(geometry.get("datetimes"), fields, count, field=where_times, unit=_MILLISECONDS)
    if points is None or times is None:
        return Extents()
    return _interpolated(geometry, points, times, fields, facts, tally, where)


def _interpolated(
    geometry: Mapping[str, object],
    points: Array,
    times: Array,
    fields: Fields,
    facts: Particulars,
    tally: Callable[[str], None],
    where: str,
) -> Extents:
    how = geometry.get("interpolation", geometry.get("interpolations"))
    if isinstance(how, list) and len(how) == 1:  # OGC 16-140r1 has a list
        how = how[0]
    if how in (None, "Linear"):
        return track(points, times, fields, facts)
    if how in ("Step", "Stepwise"):  # 19-045r3, and 16-140r1
        if len(times) > 1 and any(isinstance(one, list) for one in (facts.uncertainty, facts.early, facts.late)):
            fields.fault("tolerances for each position do not go with steps", "one number", field="uncertainty_m")
            return Extents()
        # Each position twice: when the unit comes there, and when it leaves for the next.
        held = np.repeat(np.arange(len(times)), 2)[:-1]
        arrived = np.repeat(np.arange(len(times)), 2)[1:]
        return track(points[held], times[arrived], fields, facts)
    if how == "Discrete":
        tally(_OBSERVED)
        return track(points, times, fields, replace(facts, basis=TrackBasis.FLOWN))
    fields.fault(
        "an interpolation that is not supported",
        "Linear, Step or Discrete; a curve as positions close enough to each other",
        field=f"{where}.interpolation",
        value=how,
    )
    return Extents()
