"""Bytes, JSON and XML read within bounds: of size, of depth, and of what the language allows.

A file is somebody else's word. Each function here gives values or `InputError`, in memory bounded by the stated cap,
whatever the bytes are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, BinaryIO, NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from keepclear.errors import Fault, InputError
from keepclear.formats.reading import Reading

__all__ = ["DEEPEST", "MOST_CONTAINERS", "MOST_ELEMENTS", "load_json", "parse_xml", "read_bounded", "size_text"]

DEEPEST = 64
"""The deepest nesting read, of JSON or XML: several times what any format here needs."""

# A few bytes of a file make a hundred or more in memory where they are all brackets: so these are bounded too.
MOST_CONTAINERS = 10_000_000
"""The most lists and objects in a JSON text: 128 MiB of positions that are written as briefly as can be."""
MOST_ELEMENTS = 3_000_000
"""The most elements in an XML document: 64 MiB of positions and times."""

_CHUNK_BYTES = 1 << 20
_LONGEST_INT = 40  # digits; beyond 2**53 a number is no exact double anyway, and int() is quadratic in its length
_BOM = b"\xef\xbb\xbf"
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89abAB]|\\u[dD][c-fC-F]")


def read_bounded(stream: BinaryIO, cap_bytes: int, reading: Reading) -> bytes:
    """All of a stream, at most `cap_bytes`.

    Raises
    ------
    InputError
        If the stream holds more than the cap, or cannot be read.
    """
    parts: list[bytes] = []
    room = cap_bytes + 1
    while room > 0:
        try:
            part = stream.read(min(room, _CHUNK_BYTES))
        except OSError as error:
            _refuse(reading, f"cannot be read: {error.strerror or error}")
        if not part:
            return b"".join(parts)
        parts.append(part)
        room -= len(part)
    _refuse(
        reading,
        f"larger than {size_text(cap_bytes)}, the most that is read of this format",
        "split it, or convert it to CSV or Parquet, which are read in pieces",
    )


def size_text(count_bytes: int) -> str:
    """A number of bytes as a person writes it, for example ``64 MiB``."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count_bytes >= size:
            return f"{count_bytes / size:.4g} {unit}"
    return f"{count_bytes} bytes"


def load_json(data: bytes, reading: Reading) -> object:
    """The value of a JSON text (RFC 8259): strict UTF-8, a byte order mark is allowed.

    Raises
    ------
    InputError
        If it is no JSON (the line and column are named), not UTF-8, nested deeper than `DEEPEST`, made of more lists
        and objects than `MOST_CONTAINERS`, or holds NaN, an infinity, a number too large for a double, an integer of
        more than 40 digits, a name twice in one object, or half of a surrogate pair.
    """
    data = data.removeprefix(_BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(reading, "not UTF-8", "save the file as UTF-8", where=_place(data, error.start))
    _check_nesting(data, reading)
    strict = _Strict(reading)
    try:
        value: object = json.loads(
            text,
            parse_constant=strict.constant,
            parse_float=strict.decimal,
            parse_int=strict.integer,
            object_pairs_hook=strict.members,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        _refuse(reading, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", where=where)
    if _SURROGATE_ESCAPE.search(data):
        _check_surrogates(value, reading)
    return value


class _Strict:
    """What Python's JSON reader lets pass and RFC 8259 or good sense does not."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def constant(self, text: str) -> NoReturn:
        _refuse(self._reading, f"{text} is not JSON", "a finite number, or null where it is not known", value=text)

    def decimal(self, text: str) -> float:
        number = float(text)
        if math.isinf(number):
            _refuse(self._reading, "a number too large to hold", "a finite number", value=text)
        return number

    def integer(self, text: str) -> int:
        if len(text) > _LONGEST_INT:
            _refuse(self._reading, "an integer too long", f"at most {_LONGEST_INT} digits", value=text)
        return int(text)

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            twice = _first_repeated([name for name, _ in pairs])
            _refuse(self._reading, "a name appears twice in one object", "each name once", value=twice)
        return members


def _first_repeated(names: Sequence[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    raise AssertionError("no name is repeated")


def _check_nesting(data: bytes, reading: Reading) -> None:
    """Refuse deep nesting before the parser recurses into it, and too many brackets before it makes objects of them."""
    # Escapes are blotted out pair by pair from the left, so that every quote left opens or closes a string.
    plain = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    depth = quotes = opened = 0
    for start in range(0, len(plain), _CHUNK_BYTES):
        codes = np.frombuffer(plain, np.uint8, min(_CHUNK_BYTES, len(plain) - start), start)
        quote_counts = quotes + np.cumsum(codes == ord('"'))
        outside = quote_counts % 2 == 0
        opens = outside & ((codes == ord("[")) | (codes == ord("{")))
        closes = outside & ((codes == ord("]")) | (codes == ord("}")))
        depths = depth + np.cumsum(opens.astype(np.int8) - closes)
        if depths.max() > DEEPEST:
            where = _place(data, start + int(np.argmax(depths > DEEPEST)))
            _refuse(reading, f"nested deeper than {DEEPEST} levels", where=where)
        depth, quotes, opened = int(depths[-1]), int(quote_counts[-1]), opened + int(np.count_nonzero(opens))
        if opened > MOST_CONTAINERS:
            _refuse(reading, f"more than {MOST_CONTAINERS} lists and objects", "split the file")


def _check_surrogates(value: object, reading: Reading) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        _refuse(reading, "half of a surrogate pair in a text", "a whole character", value=half)


def parse_xml(data: bytes, reading: Reading) -> Element:
    """The root element of an XML document.

    Raises
    ------
    InputError
        If it is not well formed (the line and column are named), has a document type or entities of its own, refers
        to anything outside itself, is nested deeper than `DEEPEST`, or has more elements than `MOST_ELEMENTS`.
    """
    parser = DefusedXMLParser(target=_ShallowBuilder(reading), forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        _refuse(reading, f"not XML: {reason}", where=f"line {line} column {column + 1}")
    except DefusedXmlException as error:
        _refuse(
            reading,
            f"a document type or entities are refused ({type(error).__name__})",
            "remove the <!DOCTYPE …> declaration",
            where=f"line {parser.parser.CurrentLineNumber}",
        )
    except (ValueError, LookupError):
        _refuse(reading, "the XML declaration names an encoding that is not supported", "save the file as UTF-8")
    return root


class _ShallowBuilder(TreeBuilder):
    """Builds the tree, and refuses one too deep to recurse into or too large to hold."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        self._depth = 0
        self._count = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            _refuse(self._reading, f"nested deeper than {DEEPEST} levels", where=f"element {tag}")
        self._count += 1
        if self._count > MOST_ELEMENTS:
            _refuse(self._reading, f"more than {MOST_ELEMENTS} elements", "split the file")
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Any:
        self._depth -= 1
        return super().end(tag)


def _place(data: bytes, offset: int) -> str:
    line_start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[line_start:offset].decode("utf-8", "replace")) + 1
    line = data.count(b"\n", 0, offset) + 1
    return f"line {line} column {column}"


def _refuse(reading: Reading, problem: str, right: str = "", *, where: str = "", value: str = "") -> NoReturn:
    # Where the language itself is broken nothing after the break can be trusted: this fault is the last.
    raise InputError([*reading.faults, Fault(problem, right, reading.file, where, value=value)])
