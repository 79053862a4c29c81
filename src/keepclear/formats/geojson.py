"""Reads GeoJSON (RFC 7946) with the property profile of `docs/howto/geojson.md`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from keepclear.formats.bounded import load_json, read_bounded
from keepclear.formats.crs import check_systems
from keepclear.formats.fields import Fields
from keepclear.formats.filings import Filings
from keepclear.formats.geojson_features import GEOMETRIES, read_feature
from keepclear.formats.reading import Reading
from keepclear.formats.report_json import CONTRACT, LEFT_ASIDE
from keepclear.model.operations import Plans

__all__ = ["MOST_BYTES", "read", "read_document"]

MOST_BYTES = 128 << 20
"""The largest file read: JSON is held in memory as a whole, at about ten times its size."""


def read(stream: BinaryIO, reading: Reading) -> Plans:
    """Operations and zones of a GeoJSON file.

    A feature with a ``temporalGeometry`` is read as OGC Moving Features JSON has it, so a mixed file is no trouble.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return read_document(load_json(read_bounded(stream, MOST_BYTES, reading), reading), reading)


def read_document(document: object, reading: Reading) -> Plans:
    """Operations and zones of a FeatureCollection, a Feature or a bare geometry.

    Raises
    ------
    InputError
        With every fault of the document.
    """
    filings = Filings(reading)
    features = _features(document, filings)
    answer = isinstance(document, Mapping) and document.get("keepclear") == CONTRACT
    for number, feature in enumerate(features, start=1):
        if answer and _is_conflict(feature):
            filings.tally(LEFT_ASIDE)
        else:
            read_feature(feature, number, filings)
    return filings.plans()


def _is_conflict(feature: object) -> bool:
    properties = feature.get("properties") if isinstance(feature, Mapping) else None
    return isinstance(properties, Mapping) and properties.get("role") == "conflict" and "sentence" in properties


def _features(document: object, filings: Filings) -> list[object]:
    whole = Fields({}, filings.reading, "")
    kind = document.get("type") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or kind not in ("FeatureCollection", "Feature", *_BARE):
        right = "a FeatureCollection, a Feature or a geometry"
        whole.fault("not GeoJSON", right, field="type", value=document if kind is None else kind)
        return []
    if kind in _BARE:
        return [{"type": "Feature", "geometry": document, "properties": None}]
    if kind == "Feature":
        return [document]
    check_systems(document, whole, filings.tally)
    features = document.get("features")
    if not isinstance(features, list):
        whole.fault("no list of features", '"features": [ … ]', field="features", value=features)
        return []
    return features


# Bare geometries that are refused are let through to where the fault says why.
_BARE = (*GEOMETRIES, "MultiPoint", "GeometryCollection")
