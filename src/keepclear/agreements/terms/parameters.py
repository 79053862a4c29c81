"""Parameters of terms: what sort of value each is, how it is read, and how a schema says it.

A type of term is a dataclass whose fields carry a `Parameter`; reading, checking and the schema in ``docs/spec/terms``
all follow from that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from keepclear.agreements.terms.geometry import Annexes
from keepclear.agreements.terms.quantities import (
    read_duration,
    read_height,
    read_length,
    read_moment,
    read_months,
)
from keepclear.errors import Fault, InputError
from keepclear.model.kinds import parse_domains, parse_kind

__all__ = [
    "Parameter",
    "area",
    "areas",
    "choice",
    "count",
    "domains",
    "duration",
    "flag",
    "height",
    "is_plain",
    "kinds",
    "length",
    "lengths_by_class",
    "line",
    "made",
    "moment",
    "months",
    "names",
    "objects",
    "party_areas",
    "read_line",
    "text",
]

_MOST_LINE, _MOST_LIST = 1000, 1000
_REFERENCE = {"type": "string", "pattern": "^[^#]+(#.+)?$"}
Metadata = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One member of a term as it is written.

    Attributes
    ----------
    says
        What it means, in one sentence.
    read
        From what was written to the value; with the annexes, for those that name a geometry.
    schema
        JSON schema of what is written.
    member
        How it is called in the term; empty: as the field, without the unit at its end.
    """

    says: str
    read: Callable[[object, Annexes], Any]
    schema: Mapping[str, Any]
    member: str = ""


def _metadata(says: str, read: Callable[[object, Annexes], Any], schema: Mapping[str, Any], member: str) -> Metadata:
    return MappingProxyType({"parameter": Parameter(says, read, schema, member)})


def length(says: str, member: str = "") -> Metadata:
    """A length with its unit; metres."""
    schema = {"type": "string", "examples": ["10 km"]}
    return _metadata(says, lambda value, _: read_length(value), schema, member)


def duration(says: str, member: str = "") -> Metadata:
    """A duration with its unit; seconds."""
    schema = {"type": "string", "examples": ["24 h"]}
    return _metadata(says, lambda value, _: read_duration(value), schema, member)


def months(says: str, member: str = "") -> Metadata:
    """Months of the calendar."""
    return _metadata(says, lambda value, _: read_months(value), {"type": "string", "examples": ["6 months"]}, member)


def height(says: str, member: str = "") -> Metadata:
    """A height with its surface."""
    schema = {"type": "string", "examples": ["FL250", "3000 ft AMSL", "GND"]}
    return _metadata(says, lambda value, _: read_height(value), schema, member)


def moment(says: str, member: str = "") -> Metadata:
    """A time, perhaps with a duration after it; seconds since the epoch."""
    schema = {"type": "string", "examples": ["2019-10-23T09:00:00Z", "2019-10-23T09:00:00Z + 150 h"]}
    return _metadata(says, lambda value, _: read_moment(value), schema, member)


def text(says: str, member: str = "") -> Metadata:
    """A line of text."""
    return _metadata(says, lambda value, _: read_line(value), {"type": "string", "maxLength": _MOST_LINE}, member)


def flag(says: str, member: str = "") -> Metadata:
    """True or false."""

    def read(value: object, _: Annexes) -> bool:
        if not isinstance(value, bool):
            raise InputError(Fault("not what belongs here", "true or false", value=str(value)))
        return value

    return _metadata(says, read, {"type": "boolean"}, member)


def count(says: str, member: str = "") -> Metadata:
    """A whole number, 0 or more."""

    def read(value: object, _: Annexes) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000_000:
            raise InputError(Fault("not a count", "a whole number, 0 or more", value=str(value)))
        return value

    return _metadata(says, read, {"type": "integer", "minimum": 0}, member)


def made(says: str, make: Callable[[object], Any], schema: Mapping[str, Any], member: str = "") -> Metadata:
    """Anything that a function of a type's own makes of what was written."""
    return _metadata(says, lambda value, _: make(value), schema, member)


def choice(says: str, allowed: Sequence[str], member: str = "") -> Metadata:
    """One of some words."""

    def read(value: object, _: Annexes) -> str:
        if value not in allowed:
            raise InputError(Fault("not one of the choices", f"one of: {', '.join(allowed)}", value=str(value)))
        return str(value)

    return _metadata(says, read, {"enum": list(allowed)}, member)


def names(says: str, member: str = "", *, allowed: Sequence[str] = ()) -> Metadata:
    """A list of words, of `allowed` ones if there are such."""

    def read(value: object, _: Annexes) -> tuple[str, ...]:
        found = tuple(read_line(one) for one in _listed(value))
        wrong = [one for one in found if allowed and one not in allowed]
        if wrong:
            raise InputError([Fault("not one of the choices", f"of: {', '.join(allowed)}", value=one) for one in wrong])
        return found

    item: Mapping[str, Any] = {"enum": list(allowed)} if allowed else {"type": "string", "maxLength": _MOST_LINE}
    return _metadata(says, read, {"type": "array", "items": item, "minItems": 1, "maxItems": _MOST_LIST}, member)


def kinds(says: str, member: str = "") -> Metadata:
    """A list of kinds of operations or zones."""

    def read(value: object, _: Annexes) -> frozenset[Any]:
        return frozenset(parse_kind(read_line(one)) for one in _listed(value))

    return _metadata(says, read, {"type": "array", "items": {"type": "string"}, "minItems": 1}, member)


def domains(says: str, member: str = "") -> Metadata:
    """A list of domains."""

    def read(value: object, _: Annexes) -> frozenset[Any]:
        return parse_domains(",".join(read_line(one) for one in _listed(value)))

    return _metadata(says, read, {"type": "array", "items": {"type": "string"}, "minItems": 1}, member)


def line(says: str, member: str = "") -> Metadata:
    """A line in an annex, as ``"FILE#FEATURE"``."""
    return _metadata(says, lambda value, annexes: annexes.line(value), _REFERENCE, member)


def area(says: str, member: str = "") -> Metadata:
    """An area in an annex, as ``"FILE#FEATURE"``."""
    return _metadata(says, lambda value, annexes: annexes.area(value), _REFERENCE, member)


def areas(says: str, member: str = "") -> Metadata:
    """A list of areas in annexes."""

    def read(value: object, annexes: Annexes) -> tuple[Any, ...]:
        return tuple(annexes.area(one) for one in _listed(value))

    return _metadata(says, read, {"type": "array", "items": _REFERENCE, "minItems": 1}, member)


def party_areas(says: str, member: str = "") -> Metadata:
    """For each party an area in an annex."""

    def read(value: object, annexes: Annexes) -> Mapping[str, Any]:
        return MappingProxyType({name: annexes.area(one) for name, one in _mapped(value, "a party: an area").items()})

    schema = {"type": "object", "additionalProperties": _REFERENCE, "minProperties": 1}
    return _metadata(says, read, schema, member)


def lengths_by_class(says: str, member: str = "") -> Metadata:
    """One length for all, or one for each class of platform; ``"*"`` stands for any other."""

    def read(value: object, _: Annexes) -> Mapping[str, float]:
        if not isinstance(value, Mapping):
            return MappingProxyType({"*": read_length(value)})
        found, faults = {}, []
        for name, one in _mapped(value, 'a class: a length, for example "rotary wing": "10 km"').items():
            try:
                found[name] = read_length(one)
            except InputError as error:
                faults += [replace(fault, field=name) for fault in error.faults]
        if faults:
            raise InputError(faults)
        return MappingProxyType(found)

    schema = {
        "anyOf": [
            {"type": "string"},
            {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        ]
    }
    return _metadata(says, read, schema, member)


def objects(
    says: str, make: Callable[[Mapping[str, object]], Any], members: Mapping[str, Any], member: str = ""
) -> Metadata:
    """A list of objects, each read by `make`; `members` are the schemas of what they hold."""

    def read(value: object, _: Annexes) -> tuple[Any, ...]:
        found, faults = [], []
        for number, one in enumerate(_listed(value)):
            try:
                found.append(make(_mapped(one, f"with {', '.join(members)}")))
            except InputError as error:
                where = f"[{number}]"
                faults += [replace(f, field=f"{where}.{f.field}" if f.field else where) for f in error.faults]
        if faults:
            raise InputError(faults)
        return tuple(found)

    item = {"type": "object", "properties": dict(members), "additionalProperties": False}
    return _metadata(says, read, {"type": "array", "items": item, "minItems": 1}, member)


def read_line(value: object) -> str:
    """A line of text that says something.

    Raises
    ------
    InputError
        If it is no text, empty, or longer than a line.
    """
    right = f"a text of 1 to {_MOST_LINE} characters, without control characters"
    if not isinstance(value, str):
        raise InputError(Fault("not a text", right, value=str(value)[:99]))
    if not is_plain(value, _MOST_LINE):
        raise InputError(Fault("empty, too long, or with control characters", right, value=ascii(value[:99])))
    return value.strip()


def is_plain(text: str, most: int) -> bool:
    """Whether a text says something, is not too long, and holds no control characters."""
    return bool(text.strip()) and len(text) <= most and not any(unicodedata.category(one) == "Cc" for one in text)


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise InputError(Fault("not a list", "a list, for example [patrol, convoy]", value=str(value)[:99]))
    if not value:
        raise InputError(Fault("an empty list binds nothing", "at least one, or leave the member out"))
    if len(value) > _MOST_LIST:
        raise InputError(Fault(f"a list of {len(value)}", f"at most {_MOST_LIST}"))
    return value


def _mapped(value: object, wanted: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not value or not all(isinstance(name, str) for name in value):
        raise InputError(Fault("not what belongs here", wanted, value=str(value)[:99]))
    return value
