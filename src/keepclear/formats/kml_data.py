"""KML's ExtendedData to the values that GeoJSON properties would have."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from keepclear.errors import InputError
from keepclear.formats.bounded import load_json
from keepclear.formats.fields import Fields
from keepclear.formats.kml_tree import children, local, text
from keepclear.formats.particulars import NUMBER_NAMES, STRUCTURED_NAMES
from keepclear.formats.reading import Reading

__all__ = ["extended_data"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def extended_data(placemark: Element, reading: Reading, feature: str) -> dict[str, object]:
    """Properties from Data and SimpleData: numbers and JSON where the profile has them, else text."""
    values: dict[str, object] = {}
    for name, written in _pairs(placemark):
        if name in values:
            reading.fault("given twice", "each name once", feature=feature, field=name, value=written[:200])
        elif written or name == "name":  # tables exported as KML hold empty cells, which say nothing
            values[name] = _decoded(name, written, reading, feature)
    return values


def _pairs(placemark: Element) -> list[tuple[str, str]]:
    pairs = []
    for holder in children(placemark, "ExtendedData"):
        for one in holder:
            if local(one) == "Data":
                pairs.append((one.get("name", ""), text(one, "value")))
            elif local(one) == "SchemaData":
                pairs += [(cell.get("name", ""), (cell.text or "").strip()) for cell in children(one, "SimpleData")]
    return pairs


def _decoded(name: str, written: str, reading: Reading, feature: str) -> object:
    number = name in NUMBER_NAMES or name in ("floor", "ceiling")
    if number and _NUMBER.fullmatch(written):
        return float(written)
    if name in STRUCTURED_NAMES and written[:1] in ("[", "{"):
        try:
            return load_json(written.encode(), Reading(reading.file, reading.party))
        except InputError as error:
            Fields({}, reading, feature).fault(error.faults[-1].problem, "JSON", field=name, value=written)
            return None
    return written
