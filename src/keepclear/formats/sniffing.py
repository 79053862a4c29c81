"""Which format some bytes are in, told from their beginning.

The content decides; a file's extension is asked only where the content could be several things.
"""

from __future__ import annotations

import re

__all__ = ["HEAD_BYTES", "compression_of", "sniff"]

HEAD_BYTES = 256 * 1024
"""How much of a file is looked at."""

_COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
}
_XML_PROLOGUE = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<![^>]*>", re.DOTALL)
_XML_ROOT = re.compile(r"<(?:[^\s<>/:]*:)?([^\s<>/:]+)")
_JSON_MARK = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[\[\]{}]')
_CSV_NAMES = re.compile(r"(?:^|[,;\t])[\"']?(?:lat|latitude|lat_deg)[\"']?\s*(?:[,;\t]|$)", re.IGNORECASE)

_ED269_PATHS = {"UASZoneList"} | {
    within + name
    for within in ("features/", "UASZoneList/", "")
    for name in ("geometry/horizontalProjection", "applicability", "restriction")
}
_MOVING_PATHS = {"temporalGeometry", "features/temporalGeometry", "datetimes", "prisms"}
_PROPERTY = re.compile(r"(?:features/)?properties/[^/]+")
_ED318_PROPERTIES = {"limitedApplicability", "variant", "zoneAuthority"}
_F3548_NAMES = {
    f"{entity}{what}{many}"
    for entity in ("operational_intent", "constraint")
    for what in ("", "_reference")
    for many in ("", "s")
} | {"details", "reference"}


def compression_of(head: bytes) -> str:
    """Name of the compression that `head` is in, empty if none; Parquet and KMZ compress inside and are formats."""
    return next((name for magic, name in _COMPRESSIONS.items() if head.startswith(magic)), "")


def sniff(head: bytes) -> str:
    """Name of the format that `head` begins, as the registry has it; empty where that cannot be told.

    Examples
    --------
    >>> sniff(b'<?xml version="1.0"?><gpx version="1.1">')
    'gpx'
    >>> sniff(b'{"type": "FeatureCollection", "features": []}')
    'geojson'
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "kmz"
    text = _decoded(head).lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        return _xml_format(text)
    if text.startswith(("{", "[")):
        return _json_format(text)
    first_line = text.split("\n", 1)[0].strip()
    return "csv" if _CSV_NAMES.search(first_line) else ""


def _decoded(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    return head.decode("utf-8", "replace")


def _xml_format(text: str) -> str:
    position = 0
    while match := _XML_PROLOGUE.match(text, position):
        position = match.end()
    root = _XML_ROOT.match(text, position)
    return {"kml": "kml", "gpx": "gpx"}.get(root.group(1).lower(), "") if root else ""


def _json_format(text: str) -> str:
    """The JSON formats share an extension and differ in the names of their members, and in where these stand."""
    names = _member_paths(text)
    if names & _ED269_PATHS:
        return "ed269"
    if names & _MOVING_PATHS:
        return "moving-features"
    properties = {path.rpartition("/")[2] for path in names if _PROPERTY.fullmatch(path)}
    if "type" in properties and properties & _ED318_PROPERTIES:
        return "ed318"
    if names & {"type", "features", "geometry", "geometries", "coordinates"}:
        return "geojson"
    return "f3548" if names & _F3548_NAMES else ""


def _member_paths(text: str) -> set[str]:
    """Paths of the member names, such as ``features/properties/type``; lists leave no trace in a path."""
    paths: set[str] = set()
    stack: list[str] = []  # the path of each object or list that is open
    pending = ""
    for match in _JSON_MARK.finditer(text):
        mark = match.group(0)
        if match.group(2):
            pending = f"{stack[-1]}{match.group(1)}" if stack else match.group(1)
            if len(stack) <= 6:
                paths.add(pending)
        elif mark in "[{":
            # A list's elements stand under the list's own name; so does an object's first level.
            inner = f"{pending}/" if pending else (stack[-1] if stack else "")
            stack.append(inner)
            pending = ""
        elif mark in "]}":
            if stack:
                stack.pop()
            pending = ""
        else:
            pending = ""
    return paths
