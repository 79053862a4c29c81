"""Reads KML and KMZ (OGC 07-147r2 and 12-007r2, with Google's gx:Track) through a thin walk of the parsed tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO
from xml.etree.ElementTree import Element

from keepclear.formats.bounded import parse_xml, read_bounded
from keepclear.formats.fields import Fields
from keepclear.formats.filings import Filings
from keepclear.formats.kml_data import extended_data
from keepclear.formats.kml_geometry import GEOMETRIES, placemark_extents
from keepclear.formats.kml_times import placemark_times, time_primitive
from keepclear.formats.kml_tree import child, local, text
from keepclear.formats.kmz import kml_of_kmz
from keepclear.formats.particulars import Particulars, read_particulars
from keepclear.formats.reading import Reading
from keepclear.formats.report_json import CONTRACT, LEFT_ASIDE
from keepclear.model.footprints import Edges
from keepclear.model.operations import Plans

__all__ = ["MOST_BYTES", "read"]

MOST_BYTES = 64 << 20
"""The largest KML read: the tree is held in memory as a whole, at about ten times its size."""

_CONTAINERS = ("kml", "Document", "Folder")
_NOT_PLANS = ("GroundOverlay", "ScreenOverlay", "PhotoOverlay", "Tour", "NetworkLinkControl")
_NOT_FOLLOWED = "a NetworkLink was not followed: what it points to was not read"


def read(stream: BinaryIO, reading: Reading) -> Plans:
    """Operations and zones of a KML or KMZ file, one for each Placemark.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    data = read_bounded(stream, MOST_BYTES, reading)
    if data.startswith(b"PK"):
        data = kml_of_kmz(data, MOST_BYTES, reading)
    root = parse_xml(data, reading)
    filings = Filings(reading)
    if local(root) != "kml":
        reading.fault("not KML", "a document whose root is <kml>", field=f"<{local(root)[:60]}>")
    else:
        for number, (placemark, path, times) in enumerate(_placemarks(root, "", None, filings), start=1):
            _read_placemark(placemark, path, times, number, filings)
    return filings.plans()


def _placemarks(
    container: Element, path: str, times: Element | None, filings: Filings
) -> Iterator[tuple[Element, str, Element | None]]:
    """Every Placemark with the names of its folders, and the times that it has or takes over from them."""
    for one in container:
        kind = local(one)
        own = time_primitive(one)
        if kind in _CONTAINERS:
            name = text(one, "name")
            inner = f"{path}{name[:60]} / " if name and kind == "Folder" else path
            yield from _placemarks(one, inner, times if own is None else own, filings)
        elif kind == "Placemark":
            yield one, path, times if own is None else own
        elif kind == "NetworkLink":
            filings.tally(_NOT_FOLLOWED)
        elif kind in _NOT_PLANS:
            filings.tally(f"{kind} is no plan and was left aside")


def _read_placemark(placemark: Element, path: str, times: Element | None, number: int, filings: Filings) -> None:
    reading, name = filings.reading, text(placemark, "name")
    label = f"placemark {number}" + (f" ({path}{name[:60]})" if name or path else "")
    if child(placemark, *GEOMETRIES) is None:
        filings.tally("a Placemark without a geometry was left aside")
        return
    faults_before = len(reading.faults)
    properties = extended_data(placemark, reading, label)
    if properties.get("keepclear") == CONTRACT:
        filings.tally(LEFT_ASIDE)
        return
    fields = Fields(properties, reading, label)
    fields.sound = len(reading.faults) == faults_before
    facts = read_particulars(
        fields,
        default_id=placemark.get("id") or f"{reading.file}#{number}",
        default_name=name,
        default_edges=Edges.GEODESIC,
        tally=filings.tally,
    )
    begin, end, stamp = placemark_times(times, fields)
    facts = _with_span(begin, end, stamp, fields, facts)
    filings.add(facts, fields, placemark_extents(placemark, stamp, fields, facts, filings.tally))


def _with_span(
    begin: float | None, end: float | None, stamp: float | None, fields: Fields, facts: Particulars
) -> Particulars:
    """`facts` with the window of the TimeSpan; where the properties have one too, both must say the same."""
    if stamp is not None and (facts.start_s is not None or facts.end_s is not None):
        fields.fault("a TimeStamp beside start or end", "a TimeSpan from start to end", field="TimeStamp")
    for name, span, data in (("start", begin, facts.start_s), ("end", end, facts.end_s)):
        if span is not None and data is not None and span != data:
            fields.fault(f"TimeSpan and {name} differ", "both alike", field=name, value=fields.take(name))
    return replace(
        facts,
        start_s=begin if facts.start_s is None else facts.start_s,
        end_s=end if facts.end_s is None else facts.end_s,
    )
