"""Reads OGC Moving Features JSON (19-045r3): MF-JSON Prism and MF-JSON Trajectory.

Both are GeoJSON with more members, and features of either sort may stand in one file, so one walk reads them all:
`keepclear.formats.geojson`. What is particular to Moving Features is in `keepclear.formats.moving_geometry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from keepclear.formats.bounded import load_json, read_bounded
from keepclear.formats.geojson import MOST_BYTES, read_document
from keepclear.formats.reading import Reading
from keepclear.model.operations import Plans

__all__ = ["read"]

_MOVING = ("MovingPoint", "MovingGeometryCollection", "MovingLineString", "MovingPolygon", "MovingPointCloud")


def read(stream: BinaryIO, reading: Reading) -> Plans:
    """Operations of a Moving Features JSON file: a collection, a feature or a bare temporal geometry.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    document = load_json(read_bounded(stream, MOST_BYTES, reading), reading)
    if isinstance(document, Mapping) and document.get("type") in _MOVING:
        document = {"type": "Feature", "temporalGeometry": document, "properties": None}
    return read_document(document, reading)
