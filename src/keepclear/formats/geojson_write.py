"""Writes operations and zones as GeoJSON that `keepclear.formats.geojson` reads back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from keepclear.formats.positions import Array
from keepclear.formats.profile_write import (
    Warn,
    Written,
    crosses_antimeridian,
    exact_text,
    off_lonlat_m,
    silent,
    written_parts,
)
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.operations import Operation, Plans, Zone

__all__ = ["plan_features", "write_plans_geojson"]

_NOTICEABLE_M = 1.0


def write_plans_geojson(plans: Plans, *, warn: Warn = silent) -> Iterator[str]:
    """The text of a FeatureCollection, in pieces of one feature each.

    Parameters
    ----------
    warn
        Called with a sentence for each thing that other programs may understand differently; keepclear itself reads
        back what was written.
    """
    yield '{"type": "FeatureCollection", "features": ['
    separator = "\n"
    things: tuple[Operation | Zone, ...] = (*plans.operations, *plans.zones)
    for thing in things:
        for feature in plan_features(thing, warn=warn):
            yield separator + json.dumps(feature, ensure_ascii=False, allow_nan=False)
            separator = ",\n"
    yield "\n]}\n"


def plan_features(thing: Operation | Zone, *, warn: Warn = silent) -> Iterator[dict[str, object]]:
    """The features that say all of one operation or zone."""
    for part in written_parts(thing, default_edges=Edges.LONLAT):
        geometry = _geometry(part)
        times = {} if part.track is None else {"coordTimes": [exact_text(float(t)) for t in part.track.time_s]}
        _warn_of_edges(thing.id, part, warn)
        yield {"type": "Feature", "geometry": geometry, "properties": {**part.properties, **times}}


def _geometry(part: Written) -> dict[str, object]:
    if part.track is not None:
        positions = _track_positions(part.track)
        return {"type": "Point", "coordinates": positions[0]} if len(positions) == 1 else _line(positions)
    polygons = [_rings(volume) for volume in part.volumes if isinstance(volume.footprint, Polygon)]
    if len(polygons) > 1:
        return {"type": "MultiPolygon", "coordinates": polygons}
    if polygons:
        return {"type": "Polygon", "coordinates": polygons[0]}
    footprint = part.volumes[0].footprint
    if isinstance(footprint, Circle):
        return {"type": "Point", "coordinates": [footprint.lon_deg, footprint.lat_deg]}
    assert isinstance(footprint, Corridor)
    positions = footprint.line.tolist()
    # A LineString has two positions at least (RFC 7946 section 3.1.4): a corridor of one stands there twice.
    return _line(positions if len(positions) > 1 else positions * 2)


def _line(positions: list[list[float]]) -> dict[str, object]:
    return {"type": "LineString", "coordinates": positions}


def _rings(volume: Volume) -> list[list[list[float]]]:
    assert isinstance(volume.footprint, Polygon)
    return [ring.tolist() for ring in volume.footprint.rings]


def _track_positions(track: Track) -> list[list[float]]:
    rows = np.column_stack((track.lon_deg, track.lat_deg, track.height_m)).tolist()
    known = np.isfinite(track.height_m)
    return [row if has_height else row[:2] for row, has_height in zip(rows, known, strict=True)]


def _warn_of_edges(name: str, part: Written, warn: Warn) -> None:
    for lines, edges in _drawn(part):
        if any(crosses_antimeridian(one) for one in lines):
            warn(f"{name}: crosses the antimeridian; other programs may draw it the long way round")
        if edges is Edges.GEODESIC and any(off_lonlat_m(one) > _NOTICEABLE_M for one in lines):
            warn(
                f"{name}: its edges are shortest paths; other programs read them as straight in longitude and latitude"
            )


def _drawn(part: Written) -> Iterator[tuple[tuple[Array, ...], Edges]]:
    if part.track is not None:
        yield (np.column_stack((part.track.lon_deg, part.track.lat_deg)),), Edges.GEODESIC
    for volume in part.volumes:
        if isinstance(volume.footprint, Polygon):
            yield volume.footprint.rings, volume.footprint.edges
        elif isinstance(volume.footprint, Corridor):
            yield (volume.footprint.line,), volume.footprint.edges
