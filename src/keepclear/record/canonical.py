"""Canonical JSON (RFC 8785) of what is hashed, and JSON read strictly as I-JSON (RFC 7493).

One value has one text, so that whoever hashes it gets the same hash. What RFC 7493 forbids has no such text or is read
differently by different readers, so it is refused: names given twice, numbers that no double holds, half of a
surrogate pair.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NoReturn, TypeAlias

import rfc8785

from keepclear.errors import Fault, InputError, PeerError

__all__ = [
    "DEEPEST",
    "MOST_BYTES",
    "MOST_CONTAINERS",
    "MOST_INTEGER",
    "JsonValue",
    "canonical",
    "parse",
    "parse_canonical",
]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

DEEPEST = 64
"""The deepest nesting read and written: several times what any entry needs."""
MOST_BYTES = 16 * 2**20
"""The longest text read where nothing narrower is said."""
MOST_CONTAINERS = 2_000_000
"""The most lists and objects in one text: a few bytes each, they take a hundred or more of memory."""
MOST_INTEGER = 2**53 - 1
"""The largest whole number that every reader of JSON has exactly (RFC 7493 section 2.2)."""

_BOM = b"\xef\xbb\xbf"
# An unfinished string runs to the end: that a hostile text has none that end must not be tried from every quote.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_PLANES = range(0, 0x110000, 0x10000)
# RFC 7493 section 2.1. The last two code points of each of the 17 planes, and 32 in the Arabic presentation forms.
_NOT_TEXT = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef" + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in _PLANES) + "]"
)


def canonical(value: JsonValue | Mapping[str, object] | Sequence[object]) -> bytes:
    """The one text of a value (RFC 8785), UTF-8.

    Negative zero is written as zero, which is the same number. A float of 2**53 or more that is whole is written as an
    integer, as RFC 8785 has it, and `parse` refuses it: what may hold such a number bounds it.

    Raises
    ------
    InputError
        If the value has no such text: NaN, an infinity, an integer beyond ±(2**53 − 1), text that is not Unicode
        scalar values or holds noncharacters, a type that JSON does not have, or nesting deeper than `DEEPEST`.
    """
    try:
        data: bytes = rfc8785.dumps(value)  # type: ignore[arg-type]  # it says itself what it cannot write
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"cannot be written as JSON: {error}", "values that I-JSON (RFC 7493) has")) from None
    if _deeper_than(data, DEEPEST):
        raise InputError(Fault(f"nested deeper than {DEEPEST}", "a flatter value"))
    if not data.isascii() and _NOT_TEXT.search(data.decode()):
        raise InputError(Fault("text with a code point that is no character", "text without it (RFC 7493)"))
    return data


def parse(data: bytes, *, limit: int) -> JsonValue:
    """The value of a JSON text, read strictly.

    Parameters
    ----------
    data
        The text, UTF-8 without byte order mark.
    limit
        The most bytes it may have.

    Raises
    ------
    PeerError
        If it is longer, not UTF-8, not JSON, nested deeper than `DEEPEST`, of more than `MOST_CONTAINERS` lists and
        objects, has a name twice in one object, a number that is not finite or an integer beyond ±(2**53 − 1), or text
        that is not Unicode scalar values or holds noncharacters.
    """
    return _decoded(data, limit, _STRICT)


def parse_canonical(data: bytes, *, limit: int = MOST_BYTES) -> JsonValue:
    """The value of a JSON text that is, byte for byte, the canonical one of its value.

    Raises
    ------
    PeerError
        As `parse`, and if the text is not canonical.
    """
    value = _decoded(data, limit, _CANONICAL)
    if not _is_canonical(value, data):
        _refuse("not canonical JSON (RFC 8785): names sorted, no spaces, numbers and escapes at their shortest")
    return value


def _is_canonical(value: JsonValue, data: bytes) -> bool:
    # In ASCII the standard library, written in C, agrees with RFC 8785 but for floats, and those `_canonical_float` has
    # looked at. Its order of names and its escapes differ only beyond ASCII. What does not agree gets the slow answer.
    if data.isascii():
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False)
        if text.isascii() and text.encode() == data:
            return True
    try:
        return canonical(value) == data
    except InputError:
        return False


def _decoded(data: bytes, limit: int, decoder: json.JSONDecoder) -> JsonValue:
    if len(data) > limit:
        _refuse(f"{len(data)} bytes, more than the {limit} allowed")
    if data.startswith(_BOM):
        _refuse("a byte order mark before the JSON")
    if _containers(data) > MOST_CONTAINERS:
        _refuse(f"more than {MOST_CONTAINERS} lists and objects")
    if _deeper_than(data, DEEPEST):
        _refuse(f"nested deeper than {DEEPEST}")
    try:
        text = data.decode()
        value: JsonValue = decoder.decode(text)
    except UnicodeDecodeError as error:
        _refuse(f"not UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        _refuse(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    if (b"\\u" in data or not data.isascii()) and _NOT_TEXT.search(json.dumps(value, ensure_ascii=False)):
        _refuse("text with half of a surrogate pair or a noncharacter (RFC 7493 section 2.1)")
    return value


def _containers(data: bytes) -> int:
    return data.count(b"[") + data.count(b"{")


def _deeper_than(data: bytes, most: int) -> bool:
    if _containers(data) <= most:
        return False
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > most


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                _refuse(f"the name {_shown(name)} twice in one object")
            seen.add(name)
    return members


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MOST_INTEGER:
        _refuse(f"the integer {_shown(text)} is beyond ±{MOST_INTEGER} (RFC 7493 section 2.2)")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(f"the number {_shown(text)} is larger than a double holds")
    return number


def _canonical_float(text: str) -> float:
    number = _float(text)
    # Python and ECMAScript write the same shortest digits, and differ in exponents and in what is whole.
    if repr(number) == text and "e" not in text and not text.endswith(".0"):
        return number
    if rfc8785.dumps(number) != text.encode():
        _refuse(f"not canonical JSON (RFC 8785): the number {_shown(text)}")
    return number


def _constant(name: str) -> NoReturn:
    _refuse(f"not JSON: {name}")


def _refuse(problem: str) -> NoReturn:
    raise PeerError(problem) from None


def _shown(text: str) -> str:
    # Escaped, since a message is for a terminal and the text came from somebody else.
    return ascii(text if len(text) <= 40 else text[:39] + "…")


# Made once: making one takes as long as reading a leaf.
_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
_CANONICAL = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_canonical_float, parse_constant=_constant
)
