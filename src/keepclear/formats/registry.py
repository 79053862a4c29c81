"""The formats that keepclear reads and writes: one table, and how a file finds its reader."""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, cast

from keepclear.errors import Fault, InputError
from keepclear.formats.bounded import load_json, read_bounded, size_text
from keepclear.formats.oddities import oddities
from keepclear.formats.opening import STANDARD_INPUT, Source, opened, peeked, unopened
from keepclear.formats.reading import Reading
from keepclear.formats.sniffing import HEAD_BYTES, compression_of, sniff
from keepclear.model.kinds import OperationKind, ZoneKind, parse_kind
from keepclear.model.operations import Operation, Plans, Zone

__all__ = ["FORMATS", "Format", "format_named", "formats_table", "parse_source", "read", "read_many"]

MIB = 1 << 20
_JSON_CAP_BYTES = 128 * MIB
Window = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes
    ----------
    name
        What ``--format`` and messages call it.
    extensions
        Lower case, with the dot; the first is the usual one.
    cap_bytes
        The most that is read; None where the file is read in pieces and may be larger than memory.
    module
        Where ``read(stream, reading)`` is, imported when first needed; empty if it is not read.
    windowed
        Whether the reader takes ``window=(from_s, to_s)`` and may leave out what lies outside.
    """

    name: str
    extensions: tuple[str, ...]
    description: str
    cap_bytes: int | None = None
    module: str = ""
    writes: bool = False
    windowed: bool = False

    @property
    def reads(self) -> bool:
        """Whether there is a reader."""
        return bool(self.module)


_HERE = "keepclear.formats."
FORMATS: tuple[Format, ...] = (
    Format("geojson", (".geojson", ".json"), "GeoJSON (RFC 7946), keepclear's profile of properties", 128 * MIB,
           _HERE + "geojson", writes=True),
    Format("moving-features", (".mfjson", ".json"), "OGC Moving Features JSON", 128 * MIB, _HERE + "moving_features"),
    Format("kml", (".kml",), "KML 2.2 and 2.3 with gx:Track and time spans", 64 * MIB, _HERE + "kml", writes=True),
    Format("kmz", (".kmz",), "KML in a zip archive", 64 * MIB, _HERE + "kml"),
    Format("gpx", (".gpx",), "GPX 1.0 and 1.1: tracks are flown, routes are planned", 256 * MIB, _HERE + "gpx"),
    Format("csv", (".csv", ".tsv", ".txt"), "positions, one a line", None, _HERE + "csv_positions", windowed=True),
    Format("parquet", (".parquet", ".pq"), "positions, one a row", None, _HERE + "parquet", windowed=True),
    Format("f3548", (".json",), "ASTM F3548-21 operational intents and constraints", 64 * MIB, _HERE + "f3548"),
    Format("ed269", (".json",), "EUROCAE ED-269 UAS geographical zones", 64 * MIB, _HERE + "geozones"),
    Format("ed318", (".json", ".geojson"), "EUROCAE ED-318 UAS geographical zones", 64 * MIB, _HERE + "geozones"),
    Format("json", (".json",), "keepclear's own JSON", writes=True),
)  # fmt: skip


def format_named(name: str) -> Format:
    """The format called `name`; case does not matter.

    Raises
    ------
    InputError
        If there is none; the error lists those that exist.
    """
    for known in FORMATS:
        if known.name == name.strip().lower():
            return known
    raise InputError(Fault("unknown format", f"one of: {', '.join(f.name for f in FORMATS)}", value=name))


def formats_table() -> list[tuple[str, str, str, str, str]]:
    """Rows for ``keepclear formats``: name, extensions, reads or writes, most that is read, description."""
    rows = []
    for known in FORMATS:
        ways = " and ".join(way for way, does in (("read", known.reads), ("write", known.writes)) if does)
        most = "" if not known.reads else size_text(known.cap_bytes) if known.cap_bytes else "any size, in pieces"
        rows.append((known.name, " ".join(known.extensions), ways, most, known.description))
    return rows


def parse_source(text: str) -> tuple[str, str | None, OperationKind | ZoneKind | None]:
    """Path, party and kind of ``FILE``, ``FILE@PARTY`` or ``FILE@PARTY:KIND``.

    A path that holds an ``@`` and exists as it stands wins over a party.

    Raises
    ------
    InputError
        If the party is empty or the kind is not known.

    Examples
    --------
    >>> parse_source("patrol.gpx@UN:convoy")
    ('patrol.gpx', 'UN', <OperationKind.CONVOY: 'convoy'>)
    """
    if "@" not in text or os.path.lexists(text):
        return text, None, None
    path, _, rest = text.rpartition("@")
    if "/" in rest or "\\" in rest:  # the @ stands in the name of a folder
        return text, None, None
    party, colon, kind = rest.partition(":")
    if not party.strip() or not path:
        raise InputError(Fault("no party after the @" if path else "no file before the @", "FILE@PARTY", value=text))
    try:
        return path, party.strip(), parse_kind(kind) if colon else None
    except InputError as error:
        raise InputError([Fault(f.problem, f.right, path, field="kind", value=f.value) for f in error.faults]) from None


def read(
    source: Source,
    *,
    party: str | None = None,
    kind: OperationKind | ZoneKind | None = None,
    format: str | None = None,  # noqa: A002 - the word of the command line
    window: Window | None = None,
) -> Plans:
    """Everything in one file.

    Parameters
    ----------
    source
        A path, ``"-"`` for standard input, or a binary stream.
    party, kind
        Of features that name none; the party is the file's name without its extension if it is not given.
    format
        A format's name; told from the content, then from the extension, if it is not given.
    window
        (from, to) in seconds since the epoch, None for an open end: what cannot matter there need not be kept.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    with opened(source) as (raw, name):
        reading = Reading(name, party or _default_party(name), kind)
        chosen, stream = _chosen(raw, reading, format)
        return _run(chosen, stream, reading, window)


def read_many(sources: Iterable[str], *, window: Window | None = None) -> Plans:
    """Everything in several files, each given as ``FILE``, ``FILE@PARTY`` or ``FILE@PARTY:KIND``.

    Files that share a name in different folders are different parties, named by their paths.

    Raises
    ------
    InputError
        With every fault of every file; also if two files hold the same party and id.
    """
    faults: list[Fault] = []
    asked = []
    for text in sources:
        try:
            asked.append(parse_source(text))
        except InputError as error:
            faults.extend(error.faults)
    parts = []
    default = _default_parties([path for path, party, _ in asked if party is None])
    for path, party, kind in asked:
        try:
            parts.append(read(path, party=party or default[path], kind=kind, window=window))
        except InputError as error:
            faults.extend(error.faults)
    plans = Plans(
        tuple(operation for part in parts for operation in part.operations),
        tuple(zone for part in parts for zone in part.zones),
        tuple(warning for part in parts for warning in part.warnings),
    )
    faults.extend(_repeated(plans.operations))
    faults.extend(_repeated(plans.zones))
    if faults:
        raise InputError(faults)
    return replace(plans, warnings=(*plans.warnings, *oddities(plans)))


def _repeated(things: tuple[Operation, ...] | tuple[Zone, ...]) -> Iterator[Fault]:
    if len(set(map(attrgetter("party", "id"), things))) == len(things):
        return
    seen: dict[tuple[str, str], str] = {}
    twice: set[str] = set()
    for thing in things:
        key = (thing.party, thing.id)
        if key in seen:
            first, second = seen[key], thing.source.file
            if first == second:  # one fault for the file and not one for each of a million ids
                if second not in twice:
                    right = "give it once; parties that it names itself win over FILE@PARTY"
                    yield Fault("the file is given twice", right, second)
                twice.add(second)
                continue
            yield Fault(
                f"the id is used by {thing.party} in {first} too",
                "give each its own id, or each file its own party (FILE@PARTY)",
                second,
                thing.source.feature,
                "id",
                thing.id,
            )
        else:
            seen[key] = thing.source.file


def _chosen(stream: BinaryIO, reading: Reading, name: str | None) -> tuple[Format, BinaryIO]:
    """The format, and a stream that stands at the beginning again."""
    try:
        head, stream = peeked(stream, HEAD_BYTES)
    except OSError as error:
        raise InputError(unopened(reading.file, error)) from None
    if compression := compression_of(head):
        raise InputError(Fault(f"compressed with {compression}", "decompress it first", reading.file))
    if not head:
        raise InputError(Fault("an empty file", "a file with something in it", reading.file))
    known = _by_content_or_extension(head, stream, reading) if name is None else format_named(name)
    if not known.reads:
        raise InputError(Fault(f"{known.name} is written, not read", _readable(), reading.file))
    return known, stream


def _by_content_or_extension(head: bytes, stream: BinaryIO, reading: Reading) -> Format:
    sniffed = sniff(head)
    if sniffed:
        return format_named(sniffed)
    extension = Path(reading.file).suffix.lower()
    if extension == ".json":  # which could be any of several: if it is JSON at all, then none of them
        load_json(read_bounded(stream, _JSON_CAP_BYTES, reading), reading)
        extension = ""
    for known in FORMATS:
        if known.reads and extension in known.extensions:
            return known
    problem = "no format that keepclear knows, by its content or its extension"
    raise InputError(Fault(problem, _readable(), reading.file, value=head[:40].decode("utf-8", "replace")))


def _readable() -> str:
    return f"it reads: {', '.join(known.name for known in FORMATS if known.reads)}"


def _run(known: Format, stream: BinaryIO, reading: Reading, window: Window | None) -> Plans:
    reader = cast("Callable[..., Plans]", importlib.import_module(known.module).read)
    try:
        if known.windowed and window is not None:
            return reader(stream, reading, window=window)
        return reader(stream, reading)
    except OSError as error:
        fault = Fault(f"cannot be read: {error.strerror or error}", file=reading.file)
        raise InputError([*reading.faults, fault]) from None


def _default_parties(paths: list[str]) -> dict[str, str]:
    """A party for each file: its name, or as much of its path as tells it from the others."""
    parties = {path: _default_party(path) for path in paths}
    for longer in (lambda path: str(Path(path).with_suffix("")), str):
        shared = {party for party, count in Counter(parties.values()).items() if count > 1}
        parties |= {path: longer(path) for path, party in parties.items() if party in shared and Path(path).name}
    return parties


def _default_party(name: str) -> str:
    return "stdin" if name in (STANDARD_INPUT, "-") else Path(name).stem or name
